//! Files that a site publishes for others to find.

use serde_json::Value;

use super::{Case, Check};
use crate::guard::Scheme;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::files::{self, Outcome, Seen};
use crate::report::{Finding, Severity, counted};

checks! {
    SECURITY {
        id: "files.security_txt",
        about: "Whether a security.txt says who to tell about a hole, with the two fields that it must have and \
            before it expires. A signature is noticed, not verified.",
        when: [
            Warn "There is none, or only at the top level, its place of old; it has expired, lacks a field or \
                breaks the form, is not text/plain, came over plain HTTP, or names only other places as its own.",
            Inconclusive "The server fails or keeps us out.",
            Info "A redirect stands in its place; it is not followed.",
        ],
        reference: "RFC 9116 section 2.5",
        reproduce: "curl -sS {site}/.well-known/security.txt",
        maps_to: ["internet.nl:web_appsecpriv_securitytxt"],
    }

    ROBOTS {
        id: "files.robots_txt",
        about: "What robots.txt asks of crawlers. It keeps nobody out, and names what it would hide.",
        reference: "RFC 9309 section 2",
        reproduce: "curl -sS {site}/robots.txt",
        maps_to: ["owasp:WSTG-INFO-03"],
    }

    SITEMAP {
        id: "files.sitemap",
        about: "Whether a sitemap is where crawlers look first, or where robots.txt says.",
        reference: "sitemaps.org protocol 0.9",
        reproduce: "curl -sS {site}/sitemap.xml | head -c 400",
        maps_to: [],
    }

    LLMS {
        id: "files.llms_txt",
        about: "Whether an llms.txt tells language models what the site is and where to read on. What it says is \
            shown as data and never followed.",
        reference: "llmstxt.org",
        reproduce: "curl -sS {site}/llms.txt | head -n 20",
        maps_to: [],
    }

    CARD {
        id: "files.mcp_server_card",
        about: "Whether the site publishes a card of an MCP server, at the place of the current draft or the one \
            before.",
        reference: "MCP SEP-2127 (draft)",
        reproduce: "curl -sS {site}/mcp/server-card; curl -sS {site}/.well-known/mcp/server-card.json",
        maps_to: [],
    }
}

/// Problems named in a title.
const NAMED: usize = 3;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    security(case, findings);
    robots(case, findings);
    sitemap(case, findings);
    llms(case, findings);
    card(case, findings);
}

/// A file with where it stands in the report; `None` after noting why there
/// is none.
struct Found<'a> {
    seen: &'a Seen,
    at: String,
}

impl<'a> Found<'a> {
    fn of(case: &Case<'a>, id: &str) -> Result<Found<'a>, Failure> {
        let files = match &case.probes.files {
            Some(Ok(files)) => files,
            Some(Err(failure)) => return Err(failure.clone()),
            None => return Err(Failure::TimedOut),
        };
        let (at, answer) = files.answer(id).ok_or(Failure::TimedOut)?;
        match &answer.outcome {
            Outcome::Answered(seen) => Ok(Found {
                seen,
                at: format!("/files/{at}"),
            }),
            Outcome::Failed { failure } => Err(failure.clone()),
        }
    }

    fn or_note(
        case: &Case<'a>,
        check: &Check,
        id: &str,
        findings: &mut Vec<Finding>,
    ) -> Option<Found<'a>> {
        match Found::of(case, id) {
            Ok(found) => Some(found),
            Err(failure) => {
                case.unmeasured(check, &failure).add(findings);
                None
            }
        }
    }

    fn says(&self, member: &str) -> Option<&'a Value> {
        self.seen.says.as_ref()?.get(member)
    }

    /// What stands there instead of the file.
    fn instead(&self) -> String {
        match (&self.seen.location, self.seen.status) {
            (Some(to), _) => {
                format!("A redirect to {to} stands in its place; it was not followed.")
            }
            (None, 200) if self.seen.same_everywhere => {
                String::from("What stands in its place, every path is answered with.")
            }
            (None, 200) => String::from("Something else stands in its place."),
            (None, status) => format!("There is none (status {status})."),
        }
    }

    /// Why nothing can be said.
    fn unclear(&self) -> String {
        format!("the server answers with status {}", self.seen.status)
    }

    /// That the file is not there, as far as that is known.
    fn missing(&self, name: &str) -> String {
        match &self.seen.location {
            Some(_) => format!("{name}: {}", self.instead()),
            None => format!("No {name}. {}", self.instead()),
        }
    }

    /// Whether nothing can be said: the server fails, or keeps us out.
    fn is_unclear(&self) -> bool {
        matches!(self.seen.status, 401 | 403 | 429 | 500..)
    }
}

fn security(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(found) = Found::or_note(case, SECURITY, "security_txt", findings) else {
        return;
    };
    let status = format!("{}/status", found.at);
    if found.is_unclear() {
        return case
            .inconclusive(SECURITY, found.unclear())
            .evidence(status)
            .add(findings);
    }
    let Some(valid) = found.says("valid").and_then(Value::as_bool) else {
        let draft = match (&found.seen.location, old_security(case)) {
            (None, Some(old)) => case
                .warn(
                    SECURITY,
                    Severity::Info,
                    "security.txt stands at the top level only, where it is kept for old readers \
                        (RFC 9116 section 3).",
                )
                .fix("Publish it at /.well-known/security.txt; /security.txt may redirect there.")
                .evidence(format!("{old}/says/contact")),
            (Some(_), _) => case.info(SECURITY, format!("security.txt: {}", found.instead())),
            (None, None) => case
                .warn(
                    SECURITY,
                    Severity::Info,
                    format!("No security.txt. {}", found.instead()),
                )
                .fix("Publish /.well-known/security.txt with Contact and Expires."),
        };
        return draft
            .evidence(status)
            .evidence(format!("{}/location", found.at))
            .add(findings);
    };
    let faults = faults(&found);
    let typed = found
        .seen
        .content_type
        .as_deref()
        .is_some_and(|media_type| media_type.to_ascii_lowercase().starts_with("text/plain"));
    let elsewhere = is_elsewhere(case, &found);
    let signed = found.says("signed").and_then(Value::as_bool) == Some(true);
    let draft = match (valid, typed) {
        // RFC 9116 section 2.5.2: then it should not be used.
        (true, _) if elsewhere => case
            .warn(
                SECURITY,
                Severity::Low,
                "security.txt says that it belongs elsewhere: its Canonical fields do not name where it was found.",
            )
            .evidence(format!("{}/says/canonical", found.at))
            .fix("Name this address in a Canonical field too, or leave such fields out."),
        // RFC 9116 section 3: it is to be had by HTTPS.
        (true, _) if case.reached().scheme() == Scheme::Http => case
            .warn(
                SECURITY,
                Severity::Low,
                "security.txt says who to tell, but over plain HTTP, where anybody on the way can change it.",
            )
            .fix("Serve it over HTTPS."),
        (true, true) => case.pass(
            SECURITY,
            match signed {
                true => "security.txt says who to tell, and is signed.",
                false => "security.txt says who to tell; it is not signed.",
            },
        ),
        (true, false) => case
            .warn(
                SECURITY,
                Severity::Info,
                "security.txt says who to tell, but is not served as text/plain.",
            )
            .fix("Serve it as text/plain; charset=utf-8."),
        (false, _) => case
            .warn(
                SECURITY,
                Severity::Low,
                format!("security.txt is not valid: {faults}"),
            )
            .fix("Correct what is named; decode explains a pasted file line by line."),
    };
    draft
        .evidence(format!("{}/says/contact", found.at))
        .evidence(format!("{}/says/expires", found.at))
        .evidence(format!("{}/says/problems", found.at))
        .add(findings);
}

/// Whether the file names places and none of them is the one it has here. A
/// longer list than is kept may name it.
fn is_elsewhere(case: &Case<'_>, found: &Found<'_>) -> bool {
    let places = found.says("canonical").and_then(Value::as_array);
    let here = format!("://{}/.well-known/security.txt", case.probes.host());
    places.is_some_and(|places| {
        (1..files::ITEM_LIMIT).contains(&places.len())
            && !places
                .iter()
                .filter_map(Value::as_str)
                .any(|place| place.to_ascii_lowercase().ends_with(&here))
    })
}

/// Where the file stands in the report, if it is at its place of old.
fn old_security(case: &Case<'_>) -> Option<String> {
    let found = Found::of(case, "security_txt_old").ok()?;
    found.says("valid").map(|_| found.at.clone())
}

fn faults(found: &Found<'_>) -> String {
    let problems = found.says("problems").and_then(Value::as_array);
    let grave = problems
        .into_iter()
        .flatten()
        .filter(|problem| matches!(problem["severity"].as_str(), Some("high" | "medium")));
    let named: Vec<&str> = grave
        .filter_map(|problem| problem["message"].as_str())
        .take(NAMED)
        .collect();
    match named.is_empty() {
        true => String::from("it lacks what RFC 9116 demands."),
        false => named.join(" "),
    }
}

fn robots(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(found) = Found::or_note(case, ROBOTS, "robots_txt", findings) else {
        return;
    };
    let rules = found.says("rules").and_then(Value::as_u64);
    let shut = found.says("shutsEveryoneOut").and_then(Value::as_bool) == Some(true);
    match rules {
        Some(_) if found.seen.truncated => case.info(
            ROBOTS,
            "robots.txt is longer than the 16 KiB that were read.",
        ),
        Some(_) if shut => case.info(ROBOTS, "robots.txt asks every crawler to stay out."),
        Some(rules) => case.pass(
            ROBOTS,
            format!(
                "robots.txt has {} for crawlers.",
                counted(rules, "rule", "rules")
            ),
        ),
        // RFC 9309 section 2.3.1.4: then crawlers must assume complete disallow.
        None if found.seen.status >= 500 => case
            .warn(
                ROBOTS,
                Severity::Low,
                "robots.txt fails with a server error; crawlers then stay out entirely.",
            )
            .fix("Answer with the file, or with 404."),
        None if found.is_unclear() => case.inconclusive(ROBOTS, found.unclear()),
        None => case.info(ROBOTS, found.missing("robots.txt")),
    }
    .evidence(format!("{}/status", found.at))
    .evidence(format!("{}/says", found.at))
    .add(findings);
}

fn sitemap(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(found) = Found::or_note(case, SITEMAP, "sitemap", findings) else {
        return;
    };
    let named = Found::of(case, "robots_txt")
        .ok()
        .and_then(|robots| robots.says("sitemaps")?.get(0)?.as_str());
    let entities = found.says("declaresEntities").and_then(Value::as_bool) == Some(true);
    match (found.says("root").and_then(Value::as_str), named) {
        (Some(_), _) if entities => case
            .warn(
                SITEMAP,
                Severity::Info,
                "The sitemap declares entities, which careful readers refuse.",
            )
            .fix("Write the sitemap without a document type."),
        (Some("sitemapindex"), _) => case.pass(SITEMAP, "An index of sitemaps is published."),
        (Some(_), _) => case.pass(SITEMAP, "A sitemap is published."),
        (None, Some(place)) => case.info(
            SITEMAP,
            format!("robots.txt names a sitemap at {}.", clean(place, 120)),
        ),
        (None, None) if found.is_unclear() => case.inconclusive(SITEMAP, found.unclear()),
        (None, None) => case.info(SITEMAP, found.missing("sitemap")),
    }
    .evidence(format!("{}/status", found.at))
    .evidence(format!("{}/says/root", found.at))
    .add(findings);
}

fn llms(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(found) = Found::or_note(case, LLMS, "llms_txt", findings) else {
        return;
    };
    let title = found.says("title").and_then(Value::as_str);
    match (title, &found.seen.says) {
        (Some(title), _) => case.pass(
            LLMS,
            format!("An llms.txt is published, of {}.", clean(title, 80)),
        ),
        (None, Some(_)) => case
            .warn(
                LLMS,
                Severity::Info,
                "The llms.txt has no heading, with which it has to begin.",
            )
            .fix("Begin it with \"# \" and the site's name."),
        (None, None) if found.is_unclear() => case.inconclusive(LLMS, found.unclear()),
        (None, None) => case.info(LLMS, found.missing("llms.txt")),
    }
    .evidence(format!("{}/status", found.at))
    .evidence(format!("{}/says/opening", found.at))
    .add(findings);
}

fn card(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let places = ["mcp_server_card", "mcp_server_card_well_known"];
    let [current, former] = places.map(|id| Found::of(case, id));
    let has_card = |found: &Result<Found<'_>, Failure>| {
        found.as_ref().is_ok_and(|found| found.seen.says.is_some())
    };
    let (found, is_current) = match (has_card(&current), current, former) {
        (true, Ok(found), _) => (found, true),
        (_, Err(failure), Err(_)) => return case.unmeasured(CARD, &failure).add(findings),
        (_, _, Ok(found)) => (found, false),
        (_, Ok(found), Err(_)) => (found, true),
    };
    let claims = found
        .seen
        .content_type
        .as_deref()
        .is_some_and(|media_type| media_type.to_ascii_lowercase().contains("json"));
    match found.says("name").and_then(Value::as_str) {
        Some(name) if is_current => case.info(
            CARD,
            format!("An MCP server is published: {}.", clean(name, 80)),
        ),
        Some(name) => case.info(
            CARD,
            format!(
                "An MCP server is published at the former place: {}.",
                clean(name, 80)
            ),
        ),
        None if found.seen.status == 200 && claims && !found.seen.same_everywhere => case
            .warn(
                CARD,
                Severity::Info,
                "JSON stands in the place of an MCP server card that is none.",
            )
            .fix("Publish a card with name, version and remotes."),
        None if found.is_unclear() => case.inconclusive(CARD, found.unclear()),
        None => case.not_applicable(CARD, "No MCP server card is published."),
    }
    .evidence(format!("{}/status", found.at))
    .evidence(format!("{}/says", found.at))
    .add(findings);
}
