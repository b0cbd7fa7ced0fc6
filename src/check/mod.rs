//! What the measurements mean: pure functions from probes to findings, one
//! file per topic.
//!
//! A [`Check`] is a constant that carries everything a finding says whatever
//! its outcome; [`Case`] turns one into a [`Finding`]. The catalogue in
//! [`ALL`] is also what the pages under `docs/checks/` are made from.

use std::borrow::Cow;

use serde_json::Value;

use crate::guard::text::clean;
use crate::guard::{PublicUrl, Scheme};
use crate::probe::Failure;
use crate::probe::plan::Probes;
use crate::probe::trust::Verdict;
use crate::report::{Confidence, Evidence, Finding, HeaderScore, Severity, State};
pub use command::{Place, ways};
use command::{filled, quoted};
pub use standard::place_of;

/// Declares a topic's checks as constants and lists them all in `CHECKS`, so
/// that none can be raised that the documentation does not know. `when` may be
/// left out where `about` says it all.
macro_rules! checks {
    ($($name:ident {
        id: $id:expr,
        about: $about:expr,
        $(when: [$($state:ident $text:literal),* $(,)?],)?
        reference: $reference:expr,
        reproduce: $reproduce:expr,
        $(also: [$($way:expr),* $(,)?],)?
        maps_to: [$($system:literal),* $(,)?] $(,)?
    })*) => {
        $(const $name: &$crate::check::Check = &$crate::check::Check {
            id: $id,
            about: $about,
            when: &[$($(($crate::report::State::$state, $text)),*)?],
            reference: $reference,
            reproduce: $reproduce,
            also: &[$($($way),*)?],
            maps_to: &[$($system),*],
        };)*
        /// Every check of this topic, in the order of the documentation.
        pub(super) const CHECKS: &[&$crate::check::Check] = &[$($name),*];
    };
}

/// The question about a name by `curl`, over HTTPS, as this service itself asks.
macro_rules! doh {
    ($name:literal, $rtype:literal) => {
        concat!(
            "curl -sS -H 'accept: application/dns-json' 'https://cloudflare-dns.com/dns-query?name=",
            $name,
            "&type=",
            $rtype,
            "'"
        )
    };
}

mod command;
mod content;
mod cookies;
mod cors;
mod csp;
mod dns;
mod dns_network;
mod dnssec;
mod exposure;
mod files;
mod http;
mod inference;
mod mail;
mod mail_dkim;
mod mail_dmarc;
mod mail_spf;
mod mail_tls;
mod page;
mod policies;
mod registration;
mod score;
mod serving;
mod standard;
mod tls;
mod tls_chain;
mod tls_proof;
mod tls_protocol;
mod zone;

/// Characters kept of a text in evidence.
const EVIDENCE_LIMIT: usize = 240;

/// Items kept of a list in evidence.
const EVIDENCE_ITEMS: usize = 6;

/// What there is to know about one check.
#[derive(Debug, PartialEq, Eq)]
pub struct Check {
    /// `topic.subject`, stable across versions.
    pub id: &'static str,
    /// What it asks and why that matters.
    pub about: &'static str,
    /// What makes it end in a state, for the states that need saying; the
    /// first that holds counts.
    pub when: &'static [(State, &'static str)],
    /// RFC section or standard.
    pub reference: &'static str,
    /// A command that shows the same fact. `{host}`, `{zone}` and `{url}` are
    /// filled in; so are `{page}`, `{secure}` and `{site}`, which are where an
    /// answer came from; other marks by the check itself.
    pub reproduce: &'static str,
    /// Other tools that show it, with these three marks alone.
    pub also: &'static [&'static str],
    /// The same check elsewhere.
    pub maps_to: &'static [&'static str],
}

/// Every check of every topic, in the order of the documentation.
pub const ALL: &[&[&Check]] = &[
    dns::CHECKS,
    dns_network::CHECKS,
    dnssec::CHECKS,
    zone::CHECKS,
    mail::CHECKS,
    mail_spf::CHECKS,
    mail_dmarc::CHECKS,
    mail_dkim::CHECKS,
    mail_tls::CHECKS,
    tls::CHECKS,
    tls_chain::CHECKS,
    tls_proof::CHECKS,
    tls_protocol::CHECKS,
    http::CHECKS,
    csp::CHECKS,
    policies::CHECKS,
    cors::CHECKS,
    cookies::CHECKS,
    page::CHECKS,
    serving::CHECKS,
    files::CHECKS,
    exposure::CHECKS,
    registration::CHECKS,
    inference::CHECKS,
    content::CHECKS,
];

/// Judges everything that was measured; the gravest findings come first.
pub fn run(probes: &Probes, rendered: &Value) -> Vec<Finding> {
    let case = Case { probes, rendered };
    let mut findings = Vec::with_capacity(128);
    dns::run(&case, &mut findings);
    dns_network::run(&case, &mut findings);
    dnssec::run(&case, &mut findings);
    zone::run(&case, &mut findings);
    mail::run(&case, &mut findings);
    mail_spf::run(&case, &mut findings);
    mail_dmarc::run(&case, &mut findings);
    mail_dkim::run(&case, &mut findings);
    mail_tls::run(&case, &mut findings);
    tls::run(&case, &mut findings);
    tls_chain::run(&case, &mut findings);
    tls_proof::run(&case, &mut findings);
    tls_protocol::run(&case, &mut findings);
    http::run(&case, &mut findings);
    csp::run(&case, &mut findings);
    policies::run(&case, &mut findings);
    cors::run(&case, &mut findings);
    cookies::run(&case, &mut findings);
    page::run(&case, &mut findings);
    serving::run(&case, &mut findings);
    files::run(&case, &mut findings);
    exposure::run(&case, &mut findings);
    registration::run(&case, &mut findings);
    inference::run(&case, &mut findings);
    content::run(&case, &mut findings);
    findings.sort_by(|one, other| {
        let rank = |finding: &Finding| (std::cmp::Reverse(finding.severity), finding.state);
        rank(one)
            .cmp(&rank(other))
            .then_with(|| one.id.cmp(&other.id))
    });
    findings
}

/// The score of the page's headers, or `None` where there is no page.
pub fn header_score(probes: &Probes) -> Option<HeaderScore> {
    score::of(probes)
}

/// The measurements of one call, typed and as the report shows them.
pub struct Case<'a> {
    /// Typed.
    pub probes: &'a Probes,
    /// The report's `probes` member.
    pub rendered: &'a Value,
}

impl<'a> Case<'a> {
    /// As it should be.
    pub fn pass(&self, check: &Check, title: impl Into<String>) -> Draft<'_, 'a> {
        self.draft(check, State::Pass, Severity::None, title)
    }

    /// A fact, neither good nor bad.
    pub fn info(&self, check: &Check, title: impl Into<String>) -> Draft<'_, 'a> {
        self.draft(check, State::Info, Severity::None, title)
    }

    /// Works, could be better.
    pub fn warn(
        &self,
        check: &Check,
        severity: Severity,
        title: impl Into<String>,
    ) -> Draft<'_, 'a> {
        self.draft(check, State::Warn, severity, title)
    }

    /// Wrong.
    pub fn fail(
        &self,
        check: &Check,
        severity: Severity,
        title: impl Into<String>,
    ) -> Draft<'_, 'a> {
        self.draft(check, State::Fail, severity, title)
    }

    /// Could not be measured, because of `why`.
    pub fn inconclusive(&self, check: &Check, why: impl AsRef<str>) -> Draft<'_, 'a> {
        let title = format!("Could not be measured: {}.", why.as_ref());
        self.draft(check, State::Inconclusive, Severity::None, title)
    }

    /// Not measured, for a reason that may lie in the question itself.
    pub fn unmeasured(&self, check: &Check, failure: &Failure) -> Draft<'_, 'a> {
        match failure {
            Failure::Skipped(why) => self.not_applicable(check, format!("Not asked: {why}.")),
            failure => self.inconclusive(check, failure.clause()),
        }
    }

    /// The question does not arise.
    pub fn not_applicable(&self, check: &Check, title: impl Into<String>) -> Draft<'_, 'a> {
        self.draft(check, State::NotApplicable, Severity::None, title)
    }

    fn draft(
        &self,
        check: &Check,
        state: State,
        severity: Severity,
        title: impl Into<String>,
    ) -> Draft<'_, 'a> {
        Draft {
            case: self,
            finding: Finding {
                id: check.id.to_owned(),
                state,
                severity,
                confidence: Confidence::High,
                title: title.into(),
                evidence: Vec::new(),
                fix: None,
                reference: check.reference.to_owned(),
                reproduce: self.command(check.reproduce),
                maps_to: check
                    .maps_to
                    .iter()
                    .map(|system| (*system).to_owned())
                    .collect(),
            },
        }
    }

    fn command(&self, template: &str) -> String {
        let url = &self.probes.url;
        let zone = self.probes.zone.as_ref();
        let place = Place {
            host: url.host(),
            zone: zone.map_or(url.host(), |zone| &zone.apex),
            url: url.as_str(),
        };
        let at = |url: &PublicUrl, word: &str| Some(Cow::Owned(self.for_curl(url, word)));
        filled(template, |mark| match mark {
            "{site}" => at(self.reached(), &origin(self.reached())),
            "{page}" => at(self.page_url(), &quoted(self.page_url().as_str())),
            "{secure}" => at(self.secure_url(), &quoted(self.secure_url().as_str())),
            mark => place.word(mark),
        })
    }

    /// Whether browsers refuse the certificate, as far as it was seen.
    fn is_refused(&self) -> bool {
        let verdict = self.probes.tls.verdict.as_ref();
        verdict.is_some_and(Verdict::is_refused)
    }

    /// curl breaks off at a certificate that browsers refuse, unless told not
    /// to look.
    fn for_curl(&self, url: &PublicUrl, word: &str) -> String {
        match url.scheme() == Scheme::Https && self.is_refused() {
            true => format!("-k {word}"),
            false => word.to_owned(),
        }
    }

    /// A path of the web server, for a shell.
    fn place(&self, path: &str) -> String {
        let site = self.reached();
        self.for_curl(site, &quoted(&(origin(site) + path)))
    }

    /// Where the page's way begins, or else anything answered.
    fn page_url(&self) -> &'a PublicUrl {
        http::page(self)
            .and_then(|page| page.journey.hops.first())
            .map_or(self.reached(), |hop| &hop.url)
    }

    /// The URL over HTTPS, or the one that was asked about.
    fn secure_url(&self) -> &'a PublicUrl {
        http::journey(self, "https")
            .ok()
            .and_then(|journey| journey.hops.first())
            .map_or(&self.probes.url, |hop| &hop.url)
    }

    /// Where the web server answered: over HTTPS before plain HTTP. The URL
    /// that was asked about where it did nowhere.
    fn reached(&self) -> &'a PublicUrl {
        ["https", "http"]
            .into_iter()
            .filter_map(|member| http::journey(self, member).ok()?.hops.first())
            .find(|hop| hop.outcome.is_ok())
            .map_or(&self.probes.url, |hop| &hop.url)
    }
}

/// A finding being written.
#[must_use]
pub struct Draft<'c, 'a> {
    case: &'c Case<'a>,
    finding: Finding,
}

/// Scheme, host and port.
fn origin(url: &PublicUrl) -> String {
    format!("{}://{}", url.scheme().as_str(), url.authority())
}

impl Draft<'_, '_> {
    /// Rests on what stands at `pointer` in the probes (without the leading
    /// `/probes`). A pointer to nothing adds nothing.
    pub fn evidence(mut self, pointer: impl AsRef<str>) -> Self {
        let pointer = pointer.as_ref();
        if let Some(value) = pointed(self.case.rendered, pointer) {
            self.finding.evidence.push(Evidence {
                pointer: ["/probes", pointer].concat(),
                value: shortened(value),
            });
        }
        self
    }

    /// What to change.
    pub fn fix(mut self, fix: impl Into<Cow<'static, str>>) -> Self {
        self.finding.fix = Some(fix.into().into_owned());
        self
    }

    /// How sure the check is, where that is less than certain.
    pub fn confidence(mut self, confidence: Confidence) -> Self {
        self.finding.confidence = confidence;
        self
    }

    /// Fills a `{mark}` of the command with a word, in quotes: it may come
    /// from the target.
    pub fn fill(mut self, mark: &str, word: &str) -> Self {
        self.finding.reproduce = self
            .finding
            .reproduce
            .replace(mark, &quoted(&clean(word, 256)));
        self
    }

    /// Fills `{path}` with the URL of a listed path.
    pub fn path(mut self, path: &str) -> Self {
        let place = self.case.place(path);
        self.finding.reproduce = self.finding.reproduce.replace("{path}", &place);
        self
    }

    /// Fills a `{mark}` that stands inside a word with a name. What is no
    /// plain name becomes one that leads nowhere.
    pub fn fill_bare(mut self, mark: &str, name: &str) -> Self {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        let name = match !name.is_empty() && !name.starts_with('-') && name.bytes().all(plain) {
            true => name,
            false => "unspeakable.invalid",
        };
        self.finding.reproduce = self.finding.reproduce.replace(mark, name);
        self
    }

    /// Adds the finding.
    pub fn add(self, findings: &mut Vec<Finding>) {
        findings.push(self.finding);
    }
}

/// What stands at `pointer` (RFC 6901). [`Value::pointer`] makes two texts of
/// every step to undo what is escaped in it, and nearly nothing is.
fn pointed<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    let mut steps = pointer.split('/');
    if pointer.contains('~') || steps.next() != Some("") {
        return value.pointer(pointer);
    }
    steps.try_fold(value, |value, step| match value {
        Value::Object(members) => members.get(step),
        Value::Array(items) => items.get(index(step)?),
        _ => None,
    })
}

fn index(step: &str) -> Option<usize> {
    let padded = step.starts_with(['0', '+']) && step != "0";
    step.parse().ok().filter(|_| !padded)
}

/// A value as evidence: long texts and lists cut, deep objects left to the
/// pointer.
fn shortened(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clean(text, EVIDENCE_LIMIT)),
        Value::Array(items) => items.iter().take(EVIDENCE_ITEMS).map(shortened).collect(),
        Value::Object(members) => members
            .iter()
            .filter(|(_, value)| !value.is_object() && !value.is_array())
            .take(EVIDENCE_ITEMS)
            .map(|(name, value)| (name.clone(), shortened(value)))
            .collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_is_dotted_and_unique() {
        let mut ids = BTreeSet::new();
        for check in ALL.iter().copied().flatten() {
            assert!(ids.insert(check.id), "{} twice", check.id);
            let (topic, subject) = check.id.split_once('.').expect(check.id);
            let plain = |word: &str| {
                word.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            };
            assert!(plain(topic) && plain(subject), "{}", check.id);
        }
    }

    #[test]
    fn a_pointer_leads_where_the_standard_says() {
        let value = serde_json::json!({ "a": [{ "b": 1 }, 2], "": { "x/~y": 3 }, "c": "text" });
        for pointer in [
            "", "/", "a", "/a", "/a/0/b", "/a/1", "/a/01", "/a/+1", "/a/2", "/a/-", "/a/b", "/c/0",
            "/c/", "//x~1~0y", "/a/0/b/", "/nothing",
        ] {
            assert_eq!(
                pointed(&value, pointer),
                value.pointer(pointer),
                "{pointer}"
            );
        }
    }

    #[test]
    fn evidence_is_short_however_long_the_value() {
        let long = serde_json::json!({ "text": "x".repeat(5000), "list": [1, 2] });
        let short = shortened(&long);
        assert_eq!(
            short["text"].as_str().unwrap().chars().count(),
            EVIDENCE_LIMIT
        );
        assert!(short.get("list").is_none());
    }
}
