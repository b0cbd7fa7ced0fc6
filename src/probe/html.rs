//! What a page pulls in and says about itself, by a scan over its tags.
//!
//! No tree is built. The scan follows the tokenizer of the HTML standard where
//! that decides what is a tag: comments, quoted attributes, first attribute of
//! a name wins, and elements whose content is text. It does not follow the two
//! states for scripts inside comments inside scripts, nor the other rules of
//! embedded SVG and MathML; what it might miss there is a resource, never more
//! than that. Every byte is looked at a constant number of times, every list
//! has a cap.

mod charset;
mod tag;

use serde::Serialize;
use url::{Origin, Url};

use crate::guard::text::clean;
use charset::decoded;
use tag::{Attributes, Tags};

/// Scripts from elsewhere that are listed.
const SCRIPT_LIMIT: usize = 128;

/// Resources over plain HTTP that are listed.
const PLAIN_LIMIT: usize = 32;

/// Policies in `meta` elements that are read.
const POLICY_LIMIT: usize = 8;

/// Addresses that are resolved: each costs a parse.
const ADDRESS_LIMIT: usize = 400;

/// Characters kept of an address.
const ADDRESS_CHARACTERS: usize = 256;

/// Characters kept of a policy.
const POLICY_CHARACTERS: usize = 4096;

/// Characters kept of a title.
const TITLE_CHARACTERS: usize = 200;

/// What a page pulls in and says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// The text of the first `title`, cleaned.
    #[serde(skip)]
    pub title: Option<String>,
    /// `script` elements of every kind.
    pub script_count: usize,
    /// Those that name another address, in order.
    #[serde(skip)]
    pub scripts: Vec<Script>,
    /// What is asked for over plain HTTP, the first of it.
    pub plain: Vec<Plain>,
    /// How much that is in all.
    #[serde(skip)]
    pub counts: Counts,
    /// Whether it has more addresses than are looked at.
    #[serde(skip)]
    pub has_more: bool,
    /// Content-Security-Policies in `meta` elements.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
    /// `meta name=referrer`, the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// `meta name=generator`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generator: Option<String>,
}

/// What is asked for over plain HTTP, by role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of [`Role::Active`].
    pub active: usize,
    /// Of [`Role::Passive`].
    pub passive: usize,
    /// Of [`Role::Set`].
    pub sets: usize,
    /// Of [`Role::Form`].
    pub forms: usize,
}

/// One script that comes from an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Script {
    /// Where from, resolved, cleaned and cut.
    pub url: String,
    /// The host it comes from; none where the address is no http or https URL.
    pub host: Option<String>,
    /// How the address is written.
    pub form: Form,
    /// Whether it comes over HTTPS.
    pub secure: bool,
    /// Whether its content is pinned by a hash.
    pub integrity: bool,
    /// Whether browsers block it for that: what comes from another origin can
    /// be compared with a hash only where it is asked for by CORS (W3C SRI
    /// section 3.3).
    pub blocked: bool,
}

/// How an address is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// `https://host/path`
    Absolute,
    /// `//host/path`
    SchemeRelative,
    /// `/path`, `path`
    Relative,
}

/// Something over plain HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plain {
    /// The element.
    pub element: &'static str,
    /// Where from, cleaned and cut.
    pub url: String,
    /// What it could do there.
    pub role: Role,
}

/// What a resource could do to its page (W3C Mixed Content section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs or restyles: browsers block it.
    Active,
    /// Is shown: browsers ask for it over HTTPS instead.
    Passive,
    /// Is an image that is shown out of a set: browsers block it.
    Set,
    /// Receives what a form holds.
    Form,
}

/// Element, attribute, role. `link` is judged by its relation.
const RESOURCES: &[(&str, &str, Role)] = &[
    ("script", "src", Role::Active),
    ("iframe", "src", Role::Active),
    ("frame", "src", Role::Active),
    ("embed", "src", Role::Active),
    ("object", "data", Role::Active),
    ("img", "src", Role::Passive),
    ("img", "srcset", Role::Set),
    ("audio", "src", Role::Passive),
    ("video", "src", Role::Passive),
    ("video", "poster", Role::Passive),
    ("source", "src", Role::Passive),
    ("source", "srcset", Role::Set),
    ("input", "src", Role::Passive),
    ("form", "action", Role::Form),
    ("input", "formaction", Role::Form),
    ("button", "formaction", Role::Form),
];

/// Relations of a `link` that load something which acts on the page.
const ACTIVE_LINKS: [&str; 4] = ["stylesheet", "modulepreload", "preload", "manifest"];

/// Reads a page of this Content-Type that came from `url`.
pub fn read(body: &[u8], media_type: &str, url: &str) -> Contents {
    let base = Url::parse(url).ok();
    let mut reader = Reader {
        origin: base.as_ref().map(Url::origin),
        base,
        has_base: false,
        addresses: 0,
        contents: Contents::default(),
    };
    let text = decoded(body, media_type);
    let mut tags = Tags::new(&text);
    while let Some((name, attributes)) = tags.next_tag() {
        if name == "title" {
            let inside = tags.raw_text();
            if reader.contents.title.is_none() {
                reader.contents.title = Some(clean(inside.trim(), TITLE_CHARACTERS));
            }
            continue;
        }
        reader.element(name, &attributes);
        if tag::holds_text(name) {
            let inside = tags.raw_text();
            if name == "style" {
                reader.style(inside);
            }
        }
    }
    reader.contents
}

struct Reader {
    /// Of the page itself.
    origin: Option<Origin>,
    base: Option<Url>,
    has_base: bool,
    addresses: usize,
    contents: Contents,
}

impl Reader {
    fn element(&mut self, name: &str, attributes: &Attributes<'_>) {
        match name {
            "script" => {
                self.contents.script_count += 1;
                self.script(attributes);
            }
            "meta" => return self.meta(attributes),
            "base" => return self.base(attributes),
            "link" => return self.link(attributes),
            _ => {}
        }
        for (element, attribute, role) in RESOURCES.iter().filter(|row| row.0 == name) {
            match attributes.value(attribute) {
                None => {}
                Some(list) if *attribute == "srcset" => {
                    candidates(&list).for_each(|address| self.resource(element, address, *role))
                }
                Some(value) => self.resource(element, &value, *role),
            }
        }
    }

    /// Addresses in a style sheet that is part of the page.
    fn style(&mut self, sheet: &str) {
        for (at, _) in sheet
            .match_indices("http:")
            .chain(sheet.match_indices("HTTP:"))
        {
            let (before, address) = sheet.split_at(at);
            let before = before
                .trim_end_matches(['"', '\'', ' '])
                .to_ascii_lowercase();
            let role = match before.trim_end() {
                before
                    if before
                        .trim_end_matches("url(")
                        .trim_end()
                        .ends_with("@import") =>
                {
                    Role::Active
                }
                before if before.ends_with("url(") => Role::Passive,
                _ => continue,
            };
            let end = address.find(['"', '\'', ')', ' ', ';']);
            self.resource(
                "style",
                address
                    .get(..end.unwrap_or(address.len()))
                    .unwrap_or_default(),
                role,
            );
        }
    }

    fn resolved(&mut self, value: &str) -> Option<Url> {
        if value.trim().is_empty() {
            return None;
        }
        if self.addresses >= ADDRESS_LIMIT {
            self.contents.has_more = true;
            return None;
        }
        self.addresses += 1;
        self.base.as_ref()?.join(value).ok()
    }

    fn resource(&mut self, element: &'static str, value: &str, role: Role) {
        if !self.may_be_plain(value) {
            return;
        }
        let Some(url) = self.resolved(value).filter(|url| url.scheme() == "http") else {
            return;
        };
        let counts = &mut self.contents.counts;
        *match role {
            Role::Active => &mut counts.active,
            Role::Passive => &mut counts.passive,
            Role::Set => &mut counts.sets,
            Role::Form => &mut counts.forms,
        } += 1;
        if self.contents.plain.len() < PLAIN_LIMIT {
            self.contents.plain.push(Plain {
                element,
                url: clean(url.as_str(), ADDRESS_CHARACTERS),
                role,
            });
        }
    }

    /// Whether an address can lead to plain HTTP: it says so, or takes its
    /// scheme from a base that does. Most of a page cannot, and is not parsed.
    fn may_be_plain(&self, value: &str) -> bool {
        let value = value.trim_matches(|c: char| c <= ' ');
        let says = |scheme: &str| {
            let start = value.get(..scheme.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        };
        match form(value) {
            // URL parsers pass over what is removed from inside.
            Form::Absolute => says("http:") || value.contains(['\t', '\n', '\r']),
            _ => self
                .base
                .as_ref()
                .is_some_and(|base| base.scheme() == "http"),
        }
    }

    fn script(&mut self, attributes: &Attributes<'_>) {
        let Some(value) = attributes.value("src") else {
            return;
        };
        let Some(url) = self.resolved(&value) else {
            return;
        };
        if self.contents.scripts.len() == SCRIPT_LIMIT {
            self.contents.has_more = true;
            return;
        }
        let is_web = matches!(url.scheme(), "http" | "https");
        let integrity = attributes
            .value("integrity")
            .is_some_and(|pin| is_integrity(&pin));
        // Modules always are.
        let by_cors = attributes.value("crossorigin").is_some()
            || attributes
                .value("type")
                .is_some_and(|kind| kind.eq_ignore_ascii_case("module"));
        let is_foreign = self.origin.as_ref() != Some(&url.origin());
        self.contents.scripts.push(Script {
            host: url.host_str().filter(|_| is_web).map(str::to_owned),
            url: clean(url.as_str(), ADDRESS_CHARACTERS),
            form: form(&value),
            secure: url.scheme() == "https",
            integrity,
            blocked: integrity && is_web && is_foreign && !by_cors,
        });
    }

    fn link(&mut self, attributes: &Attributes<'_>) {
        let relation = attributes
            .value("rel")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let acts = relation
            .split_ascii_whitespace()
            .any(|word| ACTIVE_LINKS.contains(&word));
        if let (true, Some(value)) = (acts, attributes.value("href")) {
            self.resource("link", &value, Role::Active);
        }
    }

    fn meta(&mut self, attributes: &Attributes<'_>) {
        let Some(content) = attributes.value("content") else {
            return;
        };
        let named = |attribute: &str, word: &str| {
            attributes
                .value(attribute)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
        };
        let contents = &mut self.contents;
        if named("http-equiv", "content-security-policy") {
            if contents.policies.len() < POLICY_LIMIT {
                contents.policies.push(clean(&content, POLICY_CHARACTERS));
            }
        } else if named("name", "referrer") {
            contents.referrer = Some(clean(&content, 80));
        } else if named("name", "generator") && contents.generator.is_none() {
            contents.generator = Some(clean(&content, 120));
        }
    }

    /// The first `base` element decides what relative addresses mean.
    fn base(&mut self, attributes: &Attributes<'_>) {
        if self.has_base {
            return;
        }
        if let Some(value) = attributes.value("href") {
            self.has_base = true;
            if let Some(url) = self.resolved(&value) {
                self.base = Some(url);
            }
        }
    }
}

/// The addresses of a `srcset` that name their scheme: what matters there is
/// plain HTTP.
fn candidates(list: &str) -> impl Iterator<Item = &str> {
    list.split_ascii_whitespace()
        .map(|word| word.trim_matches(','))
        .filter(|word| word.contains(':'))
}

/// How an address is written, after what every URL parser takes away.
fn form(value: &str) -> Form {
    let value = value.trim_matches(|c: char| c <= ' ');
    let scheme = value.split(['/', '?', '#']).next().unwrap_or_default();
    if value.starts_with("//") {
        Form::SchemeRelative
    } else if scheme.contains(':') {
        Form::Absolute
    } else {
        Form::Relative
    }
}

/// Whether one of the hashes is of a kind that browsers check (W3C SRI
/// section 3.2).
fn is_integrity(value: &str) -> bool {
    value.split_ascii_whitespace().any(|pin| {
        ["sha256-", "sha384-", "sha512-"]
            .iter()
            .any(|kind| pin.starts_with(kind) && pin.len() > kind.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(body: &str) -> Contents {
        read(body.as_bytes(), "text/html", "https://good.net/dir/page")
    }

    fn plain(page: &Contents) -> Vec<(&'static str, &str, Role)> {
        let plain = page.plain.iter();
        plain.map(|p| (p.element, p.url.as_str(), p.role)).collect()
    }

    #[test]
    fn scripts_are_listed_with_where_they_come_from_and_whether_they_are_pinned() {
        let page = page(
            r#"<script src="https://cdn.net/a.js" integrity="sha384-abc"></script>
            <SCRIPT SRC='//cdn.net/b.js'></SCRIPT><script src=own.js></script><script>1</script>"#,
        );
        assert_eq!(page.script_count, 4);
        let seen: Vec<_> = page
            .scripts
            .iter()
            .map(|s| (s.url.as_str(), s.form, s.secure, s.integrity))
            .collect();
        assert_eq!(
            seen,
            [
                ("https://cdn.net/a.js", Form::Absolute, true, true),
                ("https://cdn.net/b.js", Form::SchemeRelative, true, false),
                ("https://good.net/dir/own.js", Form::Relative, true, false),
            ]
        );
    }

    #[test]
    fn what_stands_in_comments_scripts_titles_and_attributes_is_no_element() {
        let page = page(
            r#"<!-- <img src=http://a.net/1> --><!--><script>"<img src=http://a.net/2>"</script>
            <title> A <img src=http://a.net/3> b </title><p title="<img src=http://a.net/4>">
            <textarea><img src=http://a.net/5></textarea><style><img src=http://a.net/6></style>"#,
        );
        assert_eq!(page.plain, []);
        assert_eq!(page.title.as_deref(), Some("A <img src=http://a.net/3> b"));
    }

    #[test]
    fn plain_http_is_told_by_what_it_could_do() {
        let page = page(
            r#"<img src="http://a.net/i.png"><link rel="icon" href="http://a.net/x">
            <link rel="preload stylesheet" href="http://a.net/s.css"><form action=http://a.net/f>
            <iframe src="http&#58;//a.net/frame"></iframe><img src=" HTTP://b.net/&amp;x ">"#,
        );
        assert_eq!(
            plain(&page),
            [
                ("img", "http://a.net/i.png", Role::Passive),
                ("link", "http://a.net/s.css", Role::Active),
                ("form", "http://a.net/f", Role::Form),
                ("iframe", "http://a.net/frame", Role::Active),
                ("img", "http://b.net/&x", Role::Passive),
            ]
        );
    }

    #[test]
    fn plain_http_is_seen_in_sets_of_images_posters_buttons_and_style_sheets() {
        let page = page(
            r#"<img srcset="/a.png 1x, http://a.net/2.png 2x,http://a.net/3.png 3x">
            <source srcset="http://a.net/s.webp"><video poster=http://a.net/p.png>
            <input type=image src=http://a.net/i.png><button formaction=http://a.net/f>
            <style>@import "http://a.net/x.css"; @import url(http://a.net/y.css);
            b { background: URL('http://a.net/b.png') } /* see http://a.net/ */</style>"#,
        );
        assert_eq!(
            plain(&page),
            [
                ("img", "http://a.net/2.png", Role::Set),
                ("source", "http://a.net/s.webp", Role::Set),
                ("video", "http://a.net/p.png", Role::Passive),
                ("input", "http://a.net/i.png", Role::Passive),
                ("button", "http://a.net/f", Role::Form),
                ("style", "http://a.net/x.css", Role::Active),
                ("style", "http://a.net/y.css", Role::Active),
                ("style", "http://a.net/b.png", Role::Passive),
            ]
        );
    }

    #[test]
    fn the_first_base_decides_what_relative_means() {
        let page = page("<base href=http://old.net/><base href=https://x.net/><script src=a.js>");
        assert_eq!(page.scripts[0].url, "http://old.net/a.js");
        assert_eq!(page.plain.len(), 1);
    }

    #[test]
    fn meta_elements_are_read() {
        let page = page(
            r#"<meta http-equiv="Content-Security-Policy" content="default-src 'self'">
            <meta name=Referrer content=no-referrer><meta name="generator" content="WordPress 6.1">
            <meta charset=utf-8>"#,
        );
        assert_eq!(page.policies, ["default-src 'self'"]);
        assert_eq!(page.referrer.as_deref(), Some("no-referrer"));
        assert_eq!(page.generator.as_deref(), Some("WordPress 6.1"));
    }

    #[test]
    fn hostile_pages_are_read_to_their_end_and_lists_have_caps() {
        let many = "<script src=http://a.net/x></script>".repeat(5_000);
        let page = page(&many);
        assert_eq!(
            (page.scripts.len(), page.plain.len(), page.has_more),
            (SCRIPT_LIMIT, PLAIN_LIMIT, true)
        );
        for text in [
            "<",
            "<a",
            "<a b",
            "<a b=",
            "<a b='",
            "<!--",
            "</",
            "<title>",
            "<script><",
            "<\0é",
        ] {
            read(text.as_bytes(), "", "https://good.net/");
            read(
                text.repeat(9).as_bytes(),
                "a/b;charset=utf-16",
                "https://good.net/",
            );
        }
        read(&[0xff, b'<', b's', 0xfe], ";charset", "no url");
        read(&[0xff, 0xfe, 0, 0xd8, b'<'], "", "no url");
    }
}
