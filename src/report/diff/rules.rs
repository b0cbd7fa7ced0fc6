//! What counts as noise, as a set, and as better or worse: the tables that
//! `docs/diff.md` prints.
//!
//! A pattern is a path in which `*` stands for any one segment, `**` for any
//! number of them, and a `*` inside a segment for any text. Letter case does
//! not matter. The first pattern of a table that fits decides.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use super::Weight;
use crate::report::{Severity, State};

/// What of the measurements is not compared, and why a difference there means
/// nothing.
pub const NOISE: &[(&str, &str)] = &[
    ("/probes/addresses", "repeats the A and AAAA records"),
    ("/probes/**/ttl", "counts down in every cache"),
    ("/probes/**/signatures", "renewed by themselves"),
    (
        "/probes/**/authority",
        "proofs of a negative answer, renewed by themselves",
    ),
    (
        "/probes/**/recordCount",
        "counts the records, which are compared",
    ),
    ("/probes/**/timing", "how long it took"),
    ("/probes/**/failure/detail", "words for the failure's state"),
    ("/probes/**/trust/detail", "words for the reason"),
    ("/probes/**/chain/*/serial", "follows the fingerprint"),
    ("/probes/**/chain/*/notBefore", "follows the fingerprint"),
    (
        "/probes/**/hops/*/address",
        "one of several, in the resolver's order",
    ),
    ("/probes/**/bytes", "belongs to the content"),
    ("/probes/**/truncated", "belongs to the content"),
    ("/probes/**/incomplete", "belongs to the transfer"),
    ("/probes/**/headers/date", "clock"),
    ("/probes/**/headers/age", "clock"),
    ("/probes/**/headers/expires", "clock"),
    ("/probes/**/headers/last-modified", "belongs to the content"),
    ("/probes/**/headers/etag", "belongs to the content"),
    (
        "/probes/**/headers/content-length",
        "belongs to the content",
    ),
    ("/probes/**/headers/content-md5", "belongs to the content"),
    ("/probes/**/headers/*digest", "belongs to the content"),
    ("/probes/**/headers/*-id", "fresh for every answer"),
    ("/probes/**/headers/*-id-2", "fresh for every answer"),
    ("/probes/**/headers/*requestid", "fresh for every answer"),
    ("/probes/**/headers/cf-ray", "fresh for every answer"),
    ("/probes/**/headers/trace*", "fresh for every answer"),
    (
        "/probes/**/headers/report-to",
        "carries a token that is fresh for every answer",
    ),
    ("/probes/**/headers/server-timing", "how long it took"),
    ("/probes/**/headers/x-timer", "how long it took"),
    ("/probes/**/headers/x-runtime", "how long it took"),
    ("/probes/**/headers/x-response-time", "how long it took"),
    ("/probes/**/headers/*cache-status", "state of a cache"),
    ("/probes/**/headers/x-cache*", "state of a cache"),
    ("/probes/**/headers/x-served-by", "one of several servers"),
    ("/probes/**/headers/x-varnish", "counter"),
    ("/probes/**/headers/*ratelimit*", "counter"),
    ("/probes/**/headers/retry-after", "counter"),
    ("/headerScore/grade", "follows the score"),
];

/// How what is compared is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treat {
    /// A list whose order means nothing.
    Set,
    /// The same; a single item stands for the list.
    Values,
    /// A list without order whose items are told apart by these members.
    Keyed(&'static [&'static str]),
    /// One thing: it differs when one of `compared` does, and is shown by
    /// `shown`.
    Whole {
        /// The members that count.
        compared: &'static [&'static str],
        /// The members that are shown; of a single one the bare value.
        shown: &'static [&'static str],
    },
    /// Text of which a part does not count.
    Masked(Masked),
}

/// The part of a text that does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masked {
    /// The serial of an SOA record (RFC 1035 section 3.3.13): a counter.
    Serial,
    /// The value of a cookie and its `Expires` (RFC 6265 section 4.1.1).
    Cookie,
    /// A nonce of a Content-Security-Policy (CSP 3 section 2.3.1).
    Nonce,
}

/// What is taken otherwise than members by name, lists in order and text as
/// it is.
pub const SHAPES: &[(&str, Treat)] = &[
    ("/findings", Treat::Keyed(&["id"])),
    (
        "/findings/*",
        Treat::Whole {
            compared: &["state", "severity"],
            shown: &["state", "severity", "title"],
        },
    ),
    ("/probes/**/flags", Treat::Set),
    ("/probes/**/extended", Treat::Set),
    ("/probes/**/records", Treat::Set),
    (
        "/probes/**/records/*",
        Treat::Whole {
            compared: &["name", "type", "text"],
            shown: &["text"],
        },
    ),
    (
        "/probes/dns/soa/records/*/text",
        Treat::Masked(Masked::Serial),
    ),
    ("/probes/**/headers/*", Treat::Values),
    (
        "/probes/**/headers/set-cookie/*",
        Treat::Masked(Masked::Cookie),
    ),
    (
        "/probes/**/headers/content-security-policy*/*",
        Treat::Masked(Masked::Nonce),
    ),
    ("/probes/**/dnsNames", Treat::Set),
    ("/probes/**/ipAddresses", Treat::Set),
    (
        "/probes/**/contents/policies/*",
        Treat::Masked(Masked::Nonce),
    ),
    ("/probes/**/contents/plain", Treat::Set),
    ("/probes/**/contents/foreignScripts", Treat::Set),
    ("/probes/http/*/cookies", Treat::Keyed(&["name"])),
    ("/probes/exposure/paths", Treat::Keyed(&["path"])),
    ("/headerScore/rows", Treat::Keyed(&["rule"])),
    (
        "/headerScore/rows/*",
        Treat::Whole {
            compared: &["result", "modifier"],
            shown: &["result", "modifier"],
        },
    ),
    ("/probes/files", Treat::Keyed(&["id"])),
    ("/probes/registration/*/nameServers", Treat::Set),
    ("/probes/registration/*/objectStatus", Treat::Set),
];

/// What is compared only where both reports, or neither, measured it: a
/// place, and the sign of a report that did not. A sign with words is one by
/// having one of them. `*` is the same member in both columns.
pub const MEASURED: &[(&str, &str, &[&str])] = &[
    (
        "/probes/dns/*/records",
        "/probes/dns/*/status",
        &["serv_fail", "refused", "truncated", "unanswered"],
    ),
    (
        "/probes/tls/chain",
        "/probes/tls/handshakes/best/failure",
        &[],
    ),
    (
        "/probes/tls/trust",
        "/probes/tls/handshakes/best/failure",
        &[],
    ),
    (
        "/probes/http/*/page",
        "/probes/http/*/end",
        &["failed", "redirect_unresolved", "redirect_unwanted"],
    ),
];

/// The member that says why an object was not measured. Where only one of
/// two objects has it, nothing else in them is compared: what was not
/// measured has not gone.
pub const UNMEASURED: &str = "failure";

/// In which direction a value is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// By state, then by severity; see [`finding_rank`].
    Finding,
    /// `true` is better than `false`.
    True,
    /// `false` is better than `true`.
    False,
    /// The more, the better.
    More,
}

/// What can be better or worse; all else is churn.
pub const SCALES: &[(&str, Scale)] = &[
    ("/findings/*", Scale::Finding),
    ("/probes/tls/trust/trusted", Scale::True),
    ("/probes/tls/trust/nameMatches", Scale::True),
    ("/probes/tls/trust/inOrder", Scale::True),
    ("/probes/tls/handshakes/*/keyProven", Scale::True),
    ("/probes/exposure/paths/*/matches", Scale::False),
    ("/headerScore/score", Scale::More),
    ("/probes/http/*/cookies/*/secure", Scale::True),
    ("/probes/http/*/cookies/*/httpOnly", Scale::True),
    ("/probes/files/*/says/valid", Scale::True),
    ("/probes/registration/domain/delegationSigned", Scale::True),
];

/// What the tables say about a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// It is not compared.
    Noise,
    /// It is taken in this way.
    Treat(Treat),
}

/// What [`NOISE`] and [`SHAPES`] say about `path`.
pub(super) fn rule(path: &[String]) -> Option<Rule> {
    static INDEX: LazyLock<Index<Rule>> = LazyLock::new(|| {
        let noise = NOISE.iter().map(|(pattern, _)| (*pattern, Rule::Noise));
        let shapes = SHAPES
            .iter()
            .map(|(pattern, treat)| (*pattern, Rule::Treat(*treat)));
        Index::new(noise.chain(shapes))
    });
    INDEX.find(path)
}

/// How the value at `path` is taken, if not plainly.
pub(super) fn treat(path: &[String]) -> Option<Treat> {
    match rule(path) {
        Some(Rule::Treat(treat)) => Some(treat),
        _ => None,
    }
}

/// Whether a change's path lies at `pattern`.
pub(in crate::report) fn is_at(pattern: &str, pointer: &str) -> bool {
    let pattern: Vec<&str> = pattern.split('/').skip(1).collect();
    let path: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|s| s.replace("~1", "/").replace("~0", "~"))
        .collect();
    fits(&pattern, &path)
}

/// Whether a change at `path` is for better or for worse. Swapping the values
/// swaps the answer.
pub(super) fn weigh(path: &[String], before: Option<&Value>, after: Option<&Value>) -> Weight {
    static INDEX: LazyLock<Index<Scale>> = LazyLock::new(|| Index::new(SCALES.iter().copied()));
    let Some(scale) = INDEX.find(path) else {
        return Weight::Churn;
    };
    match (scale.rank(before), scale.rank(after)) {
        (Some(old), Some(new)) if old < new => Weight::Regress,
        (Some(old), Some(new)) if old > new => Weight::Improve,
        _ => Weight::Churn,
    }
}

impl Scale {
    /// How bad a value is; `None` when it says nothing either way.
    fn rank(self, value: Option<&Value>) -> Option<i64> {
        match self {
            Scale::Finding => match value {
                // A check that reported nothing had nothing to complain of.
                None => Some(0),
                Some(finding) => finding_rank(finding).map(i64::from),
            },
            Scale::True => value?.as_bool().map(|good| i64::from(!good)),
            Scale::False => value?.as_bool().map(i64::from),
            Scale::More => value?.as_i64().map(|number| -number.max(-i64::MAX)),
        }
    }
}

/// `pass` and `info` are equally good, `warn` is worse, `fail` worst, each by
/// severity. What was not measured or does not apply is neither.
fn finding_rank(finding: &Value) -> Option<u8> {
    let word = |name: &str| finding.get(name).cloned().unwrap_or_default();
    let severity = serde_json::from_value(word("severity")).unwrap_or(Severity::None);
    match serde_json::from_value(word("state")).ok()? {
        State::Pass | State::Info => Some(0),
        State::Warn => Some(10 + severity as u8),
        State::Fail => Some(20 + severity as u8),
        State::Inconclusive | State::NotApplicable => None,
    }
}

/// A table's patterns by their last or last but one segment, so that most
/// paths are compared with none of them.
struct Index<T> {
    by_last: HashMap<String, Vec<Entry<T>>>,
    by_parent: HashMap<String, Vec<Entry<T>>>,
    others: Vec<Entry<T>>,
}

/// A row's place in its table, its pattern and what it says.
type Entry<T> = (usize, Vec<&'static str>, T);

impl<T: Copy> Index<T> {
    fn new(table: impl Iterator<Item = (&'static str, T)>) -> Index<T> {
        let (by_last, by_parent) = (HashMap::new(), HashMap::new());
        let mut index = Index {
            by_last,
            by_parent,
            others: Vec::new(),
        };
        for (row, (pattern, says)) in table.enumerate() {
            let segments: Vec<&'static str> = pattern.split('/').skip(1).collect();
            let entries = match segments.as_slice() {
                [.., last] if !last.contains('*') => {
                    index.by_last.entry(last.to_ascii_lowercase()).or_default()
                }
                [.., parent, last] if !parent.contains('*') && *last != "**" => index
                    .by_parent
                    .entry(parent.to_ascii_lowercase())
                    .or_default(),
                _ => &mut index.others,
            };
            entries.push((row, segments, says));
        }
        index
    }

    fn find(&self, path: &[String]) -> Option<T> {
        let (last, above) = path.split_last()?;
        let named = self.by_last.get(&*lower(last));
        let inside = above
            .last()
            .and_then(|parent| self.by_parent.get(&*lower(parent)));
        named
            .into_iter()
            .chain(inside)
            .flatten()
            .chain(&self.others)
            .filter(|(_, pattern, _)| fits(pattern, path))
            .min_by_key(|(row, _, _)| *row)
            .map(|(_, _, says)| *says)
    }
}

fn lower(segment: &str) -> Cow<'_, str> {
    match segment.bytes().any(|b| b.is_ascii_uppercase()) {
        true => segment.to_ascii_lowercase().into(),
        false => segment.into(),
    }
}

/// From the last segment to the first, because that one tells most.
fn fits(pattern: &[&str], path: &[String]) -> bool {
    match (pattern.split_last(), path.split_last()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|end| fits(rest, &path[..end])),
        (Some((word, pattern)), Some((segment, path))) => {
            is_like(word, segment) && fits(pattern, path)
        }
        _ => false,
    }
}

/// Whether a segment is `word`, in which one `*` stands for any text.
fn is_like(word: &str, segment: &str) -> bool {
    let Some((start, end)) = word.split_once('*') else {
        return segment.eq_ignore_ascii_case(word);
    };
    let rest = segment.get(start.len()..).unwrap_or_default();
    let at = rest.len().checked_sub(end.len());
    segment
        .get(..start.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(start))
        && at
            .and_then(|at| rest.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> Vec<String> {
        text.split('/').skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn patterns_fit_by_segment() {
        for (pattern, text, expected) in [
            ("/probes/**/ttl", "/probes/ttl", true),
            ("/probes/**/ttl", "/probes/dns/-/ttl", true),
            ("/probes/**/ttl", "/probes/dns/ttl/x", false),
            ("/findings/*", "/findings", false),
            ("/findings/*", "/findings/tls.expiry", true),
            ("/a/x-b*", "/a/X-Bc", true),
            ("/a/x-b*", "/a/x", false),
            ("/dns/* ns/records", "/dns/lab-good.com NS/records", true),
            ("/dns/* ns/records", "/dns/ns/records", false),
            ("/a*a", "/a", false),
            ("/é*", "/e", false),
        ] {
            let pattern: Vec<&str> = pattern.split('/').skip(1).collect();
            assert_eq!(fits(&pattern, &path(text)), expected, "{pattern:?} {text}");
        }
    }

    #[test]
    fn a_finding_is_worse_by_state_and_then_by_severity() {
        let finding = |state, severity| json!({ "state": state, "severity": severity });
        let order = [
            finding("pass", "none"),
            finding("warn", "low"),
            finding("warn", "high"),
            finding("fail", "low"),
            finding("fail", "high"),
        ];
        let at = path("/findings/tls.expiry");
        for (better, worse) in order.iter().zip(&order[1..]) {
            assert_eq!(weigh(&at, Some(better), Some(worse)), Weight::Regress);
            assert_eq!(weigh(&at, Some(worse), Some(better)), Weight::Improve);
        }
        let unknown = finding("inconclusive", "none");
        assert_eq!(weigh(&at, Some(&order[0]), Some(&unknown)), Weight::Churn);
        assert_eq!(weigh(&at, Some(&unknown), Some(&order[4])), Weight::Churn);
        assert_eq!(weigh(&at, None, Some(&order[4])), Weight::Regress);
        assert_eq!(weigh(&at, None, Some(&order[0])), Weight::Churn);
    }
}
