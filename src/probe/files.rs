//! Files that a site publishes for others to find: who to tell about a hole,
//! what crawlers and models may read, where its MCP server is.
//!
//! Each is asked for once, 16 KiB of it are read, redirects are reported and
//! not followed.

use serde::Serialize;
use serde_json::{Value, json};

use super::Failure;
use super::http1::Response;
use crate::codec::security_txt;
use crate::guard::text::clean;

/// Bytes of each file that are read.
pub const BODY_CAP: usize = 16 * 1024;

/// Items kept of one list.
pub const ITEM_LIMIT: usize = 8;

/// Characters kept of one text.
const TEXT_LIMIT: usize = 160;

/// One file.
#[derive(Debug)]
pub struct Published {
    /// Its member in the report, and the last part of its finding's id.
    pub id: &'static str,
    /// Where it belongs.
    pub path: &'static str,
    /// What it says, where it is what its name promises.
    read: fn(&str, i64) -> Option<Value>,
}

/// Every file that is asked for. The first is asked for wherever a server
/// lets us ask at all.
pub const LIST: &[Published] = &[
    Published {
        id: "security_txt",
        path: "/.well-known/security.txt",
        read: read_security,
    },
    Published {
        id: "robots_txt",
        path: "/robots.txt",
        read: read_robots,
    },
    Published {
        id: "sitemap",
        path: "/sitemap.xml",
        read: read_sitemap,
    },
    Published {
        id: "llms_txt",
        path: "/llms.txt",
        read: read_llms,
    },
    Published {
        id: "mcp_server_card",
        path: "/mcp/server-card",
        read: read_card,
    },
    Published {
        id: "mcp_server_card_well_known",
        path: "/.well-known/mcp/server-card.json",
        read: read_card,
    },
    Published {
        id: "security_txt_old",
        path: "/security.txt",
        read: read_security,
    },
];

/// Every file's answer, in the list's order.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Files(pub Vec<Answer>);

/// One file's answer.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// Its id in [`LIST`].
    pub id: &'static str,
    /// Where it was asked for.
    pub path: &'static str,
    /// What came.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// How asking for a file ended.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It answered.
    Answered(Seen),
    /// It could not be asked.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// A file as it came.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The status.
    pub status: u16,
    /// Content-Type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where a redirect leads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Whether there was more than is read.
    pub truncated: bool,
    /// Whether a path that nobody has is answered alike, as if it were there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub same_everywhere: bool,
    /// What it says; none where it is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub says: Option<Value>,
}

impl Files {
    /// A file's place in the list and its answer.
    pub fn answer(&self, id: &str) -> Option<(usize, &Answer)> {
        self.0
            .iter()
            .enumerate()
            .find(|(_, answer)| answer.id == id)
    }
}

/// What a site gives for a path that nobody has: no file of anybody.
pub struct Everywhere {
    status: u16,
    text: String,
    is_cut: bool,
}

impl Everywhere {
    /// Of the answer to `path`.
    pub fn of(path: &str, answer: &Response) -> Everywhere {
        Everywhere {
            status: answer.status,
            text: without(path, &String::from_utf8_lossy(&answer.body)),
            is_cut: answer.truncated,
        }
    }

    /// Whether this is what `path` was answered, its own name aside.
    fn is(&self, path: &str, text: &str) -> bool {
        let text = without(path, text);
        self.status == 200
            && match self.is_cut {
                true => text.starts_with(&self.text),
                false => text == self.text,
            }
    }
}

/// A page that repeats what it was asked for says the same of all paths.
fn without(path: &str, text: &str) -> String {
    text.replace(path, "")
}

/// Reads the answers, which are in the list's order.
pub fn read(
    answers: Vec<Result<Response, Failure>>,
    everywhere: Option<&Everywhere>,
    now_ms: u64,
) -> Files {
    let now = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX);
    let read = LIST.iter().zip(answers).map(|(file, answer)| Answer {
        id: file.id,
        path: file.path,
        outcome: match answer {
            Ok(response) if response.undecoded => Outcome::Failed {
                failure: super::exposure::undecoded(),
            },
            Ok(response) => Outcome::Answered(seen(file, &response, everywhere, now)),
            Err(failure) => Outcome::Failed { failure },
        },
    });
    Files(read.collect())
}

fn seen(file: &Published, response: &Response, everywhere: Option<&Everywhere>, now: i64) -> Seen {
    let field = |name: &str| response.field(name).map(|value| clean(value, TEXT_LIMIT));
    let text = String::from_utf8_lossy(&response.body);
    let same_everywhere =
        response.status == 200 && everywhere.is_some_and(|other| other.is(file.path, &text));
    Seen {
        status: response.status,
        content_type: field("content-type"),
        location: matches!(response.status, 301 | 302 | 303 | 307 | 308)
            .then(|| field("location"))
            .flatten(),
        truncated: response.truncated,
        same_everywhere,
        // A site that answers everything answers with a page.
        says: (response.status == 200 && !is_page(&text) && !same_everywhere)
            .then(|| (file.read)(&text, now))
            .flatten(),
    }
}

fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(15).collect();
    let start = start.to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// The fields of RFC 9116 and what is wrong with them. Days are left out:
/// they count down in every report.
fn read_security(text: &str, now: i64) -> Option<Value> {
    let reading = security_txt::parse(text, now).ok()?;
    let file = &reading.value;
    let list = |values: &[String]| -> Vec<String> {
        values
            .iter()
            .take(ITEM_LIMIT)
            .map(|value| clean(value, TEXT_LIMIT))
            .collect()
    };
    let problems: Vec<Value> = reading
        .problems
        .iter()
        .take(ITEM_LIMIT)
        .map(|problem| {
            json!({
                "code": problem.code,
                "severity": problem.severity,
                "message": clean(&problem.message, TEXT_LIMIT),
            })
        })
        .collect();
    Some(json!({
        "valid": file.valid,
        "contact": list(&file.contact),
        "expires": file.expires,
        "canonical": list(&file.canonical),
        "encryption": list(&file.encryption),
        "policy": list(&file.policy),
        "signed": file.signed,
        "problems": problems,
    }))
}

/// Groups and rules (RFC 9309 section 2.2), and the sitemaps they name.
fn read_robots(text: &str, _: i64) -> Option<Value> {
    let (mut agents, mut rules, mut sitemaps) = (Vec::new(), 0, Vec::new());
    let mut groups: Vec<Group> = Vec::new();
    let mut ruled = true;
    for line in text.trim_start_matches('\u{feff}').lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = clean(value.trim(), TEXT_LIMIT);
        match name.trim().to_ascii_lowercase().as_str() {
            "user-agent" => {
                // Lines that follow each other begin one group.
                if ruled {
                    groups.push(Group::default());
                }
                ruled = false;
                if let Some(group) = groups.last_mut() {
                    group.is_of_all |= value == "*";
                }
                if !agents.contains(&value) {
                    agents.push(value);
                }
            }
            word @ ("allow" | "disallow") => {
                rules += 1;
                ruled = true;
                if let Some(group) = groups.last_mut() {
                    group.rule(word == "allow", &value);
                }
            }
            "sitemap" => sitemaps.push(value),
            _ => {}
        }
    }
    if agents.is_empty() && sitemaps.is_empty() {
        return None;
    }
    agents.truncate(ITEM_LIMIT);
    sitemaps.truncate(ITEM_LIMIT);
    Some(json!({
        "agents": agents,
        "rules": rules,
        "sitemaps": sitemaps,
        "shutsEveryoneOut": groups.iter().any(|group| group.is_of_all)
            && groups.iter().all(Group::is_shut),
    }))
}

/// Rules for the same crawlers, as far as it matters whether they keep out of
/// everything.
#[derive(Default)]
struct Group {
    is_of_all: bool,
    shuts_all: bool,
    lets_some: bool,
}

impl Group {
    fn rule(&mut self, allows: bool, path: &str) {
        self.shuts_all |= !allows && matches!(path, "/" | "/*" | "*");
        self.lets_some |= allows && !path.is_empty();
    }

    fn is_shut(&self) -> bool {
        self.shuts_all && !self.lets_some
    }
}

/// The root element of the sitemap protocol; nothing below it is read, so no
/// entity is ever expanded.
fn read_sitemap(text: &str, _: i64) -> Option<Value> {
    let kind = ["urlset", "sitemapindex"].into_iter().find(|root| {
        text.split_once(&format!("<{root}"))
            .is_some_and(|(_, rest)| rest.starts_with([' ', '>', '\t', '\n', '\r', '/']))
    })?;
    Some(json!({
        "root": kind,
        "declaresEntities": text.contains("<!ENTITY"),
        "entries": text.matches("<loc>").count(),
    }))
}

/// The heading and the summary of an llms.txt.
fn read_llms(text: &str, _: i64) -> Option<Value> {
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty())?;
    let title = first.strip_prefix("# ");
    let summary = lines.find_map(|line| line.strip_prefix("> "));
    Some(json!({
        "title": title.map(|title| clean(title, TEXT_LIMIT)),
        "summary": summary.map(|summary| clean(summary, TEXT_LIMIT)),
        "opening": title.is_none().then(|| clean(first, TEXT_LIMIT)),
        "links": text.matches("](").count(),
    }))
}

/// Name, version and places of an MCP server card.
fn read_card(text: &str, _: i64) -> Option<Value> {
    let card: Value = serde_json::from_str(text).ok()?;
    let word = |value: &Value| value.as_str().map(|text| clean(text, TEXT_LIMIT));
    let name = word(&card["name"]).or_else(|| word(&card["serverInfo"]["name"]))?;
    let remotes: Vec<String> = card["remotes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|remote| word(&remote["url"]))
        .take(ITEM_LIMIT)
        .collect();
    Some(json!({
        "name": name,
        "version": word(&card["version"]),
        "description": word(&card["description"]),
        "remotes": remotes,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(id: &str, body: &str) -> Option<Value> {
        let answers = LIST
            .iter()
            .map(|_| {
                Ok(Response {
                    status: 200,
                    body: body.as_bytes().to_vec(),
                    ..Response::default()
                })
            })
            .collect();
        let files = read(answers, None, 1_795_305_600_000);
        match &files.answer(id).expect("listed").1.outcome {
            Outcome::Answered(seen) => seen.says.clone(),
            Outcome::Failed { .. } => None,
        }
    }

    #[test]
    fn each_file_is_told_from_a_page() {
        for file in LIST {
            assert_eq!(says(file.id, "<!doctype html><title>x: y</title>"), None);
            assert_eq!(says(file.id, ""), None);
        }
    }

    #[test]
    fn robots_that_shut_everyone_out_are_told_from_those_that_shut_one_out() {
        let all = says("robots_txt", "User-agent: *\nDisallow: /\n").unwrap();
        assert_eq!(all["shutsEveryoneOut"], true);
        let one = says(
            "robots_txt",
            "User-agent: *\nAllow: /\nUser-Agent: GPTBot\nDisallow: / # all\nSitemap: https://a.net/s.xml",
        )
        .unwrap();
        assert_eq!(one["shutsEveryoneOut"], false);
        for (text, everyone) in [
            (
                "\u{feff}User-agent: *\nUser-agent: GPTBot\nDisallow: /\n",
                true,
            ),
            ("User-agent: GPTBot\nUser-agent: *\n\nDisallow: /\n", true),
            (
                "User-agent: a\nDisallow: /\n\nUser-agent: *\nDisallow: /\n",
                true,
            ),
            (
                "User-agent: a\nDisallow:\n\nUser-agent: *\nDisallow: /\n",
                false,
            ),
            ("User-agent: *\nDisallow: /\nAllow: /public\n", false),
            ("User-agent: a\nDisallow: /\n", false),
        ] {
            let all = says("robots_txt", text).unwrap();
            assert_eq!(all["shutsEveryoneOut"], everyone, "{text}");
        }
        assert_eq!(one["agents"], json!(["*", "GPTBot"]));
        assert_eq!(one["sitemaps"], json!(["https://a.net/s.xml"]));
    }

    #[test]
    fn a_sitemap_is_known_by_its_root_and_never_expanded() {
        let text = "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY a 'b'>]><urlset><loc>x</loc>";
        let sitemap = says("sitemap", text).unwrap();
        assert_eq!(
            (&sitemap["root"], &sitemap["declaresEntities"]),
            (&json!("urlset"), &json!(true))
        );
        assert_eq!(says("sitemap", "<rss><urlsets>"), None);
    }

    #[test]
    fn llms_txt_and_server_cards_are_read() {
        let llms = says(
            "llms_txt",
            "# Good\n\n> A site.\n- [Home](https://a.net/)\n",
        )
        .unwrap();
        assert_eq!(
            (&llms["title"], &llms["links"]),
            (&json!("Good"), &json!(1))
        );
        assert_eq!(says("llms_txt", "Hello").unwrap()["opening"], "Hello");
        assert_eq!(says("mcp_server_card", "{\"name\":"), None);
        assert_eq!(
            says("mcp_server_card", r#"{"name":"net.a/mcp"}"#).unwrap()["name"],
            "net.a/mcp"
        );
    }
}
