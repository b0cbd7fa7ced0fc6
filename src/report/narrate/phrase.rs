//! Changes in words. Every name in a sentence is a segment of a path and
//! every quoted text a value of a change; nothing is added to them.

use serde_json::Value;

use crate::guard::text;
use crate::report::diff::{Change, Kind, Weight};
use crate::report::{Severity, State, counted};

/// Longest quoted text, in characters.
const QUOTE: usize = 100;
/// Longest subject of a sentence, in characters.
const SUBJECT: usize = 120;
/// Values or members named one by one; the rest is counted.
const NAMED: usize = 4;

/// Segments that a reader does not miss.
const FILLERS: [&str; 4] = ["records", "page", "headers", "handshakes"];

/// What stands in place of text that speaks to a language model: a sentence
/// here may be read by one.
const WITHHELD: &str = "(withheld: it addresses language models)";

/// What a finding says on one side of a change.
pub(super) struct Verdict {
    pub state: State,
    pub severity: Severity,
    pub title: String,
}

/// The sentence for one finding's change.
pub(super) fn finding(change: &Change) -> String {
    let id = subject(&change.path);
    match (Verdict::of(&change.before), Verdict::of(&change.after)) {
        (Some(old), Some(new)) => {
            let verb = match change.weight {
                Weight::Regress => "got worse",
                Weight::Improve => "got better",
                Weight::Churn => "changed",
            };
            format!(
                "{id} {verb}, from {} to {}{}.",
                old.standing(),
                new.standing(),
                new.reason()
            )
        }
        (None, Some(new)) => format!("{id} is new: {}{}.", new.standing(), new.reason()),
        (Some(old), None) => format!("{id} is no longer reported; it was {}.", old.standing()),
        (None, None) => format!("{id} changed."),
    }
}

/// The sentence for all changes at one place that is no finding.
pub(super) fn place(changes: &[&Change]) -> String {
    let Some(first) = changes.first() else {
        return String::new();
    };
    let of = |kind| changes.iter().filter(move |change| change.kind == kind);
    let mut parts = Vec::new();
    for change in of(Kind::Changed).take(NAMED) {
        parts.push(format!(
            "changed from {} to {}",
            quote(&change.before),
            quote(&change.after)
        ));
    }
    let added: Vec<&Value> = of(Kind::Added).map(|change| &change.after).collect();
    let removed: Vec<&Value> = of(Kind::Removed).map(|change| &change.before).collect();
    if !added.is_empty() {
        parts.push(format!("added {}", enumerate(&added)));
    }
    if !removed.is_empty() {
        parts.push(format!("removed {}", enumerate(&removed)));
    }
    if of(Kind::Reordered).next().is_some() {
        parts.push(String::from("the same items in another order"));
    }
    let left = of(Kind::Changed).count().saturating_sub(NAMED);
    if left > 0 {
        parts.push(format!("{left} more changed"));
    }
    let direction = match first.weight {
        weight if changes.iter().any(|change| change.weight != weight) => "",
        Weight::Regress => " (worse)",
        Weight::Improve => " (better)",
        Weight::Churn => "",
    };
    format!("{}: {}{direction}.", subject(&first.path), parts.join("; "))
}

/// A path as the subject of a sentence: `/probes/dns/mx/records` is
/// `DNS MX`, `/findings/tls.expiry` is `tls.expiry`.
fn subject(path: &str) -> String {
    let segments = path.split('/').skip(2);
    let segments = segments.map(|segment| segment.replace("~1", "/").replace("~0", "~"));
    let mut words: Vec<String> = segments
        .filter(|s| !FILLERS.contains(&s.as_str()))
        .collect();
    match words.as_mut_slice() {
        [area, member, ..] if area == "dns" => {
            *area = area.to_uppercase();
            *member = member.to_uppercase();
        }
        [area, ..] if area == "tls" => *area = area.to_uppercase(),
        // Its members are called http and https themselves.
        [area, _, ..] if area == "http" => {
            words.remove(0);
        }
        _ => {}
    }
    let subject = text::clean(&words.join(" "), SUBJECT);
    match subject.is_empty() || text::addresses_a_model(&subject) {
        true => String::from("One value"),
        false => subject,
    }
}

impl Verdict {
    /// What a finding's value in a change says; `None` when there is none.
    pub(super) fn of(value: &Value) -> Option<Verdict> {
        let part = |name: &str| value.get(name).cloned().unwrap_or_default();
        Some(Verdict {
            state: serde_json::from_value(part("state")).ok()?,
            severity: serde_json::from_value(part("severity")).unwrap_or(Severity::None),
            title: part("title").as_str().unwrap_or_default().to_owned(),
        })
    }

    pub(super) fn is_bad(&self) -> bool {
        matches!(self.state, State::Warn | State::Fail)
    }

    /// `fail (high)`, `pass`.
    fn standing(&self) -> String {
        let state = match self.state {
            State::Fail => "fail",
            State::Warn => "warn",
            State::Info => "info",
            State::Inconclusive => "inconclusive",
            State::Pass => "pass",
            State::NotApplicable => "not applicable",
        };
        let severity = match self.severity {
            Severity::None => return state.to_owned(),
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        };
        format!("{state} ({severity})")
    }

    fn reason(&self) -> String {
        // The sentence has a full stop of its own.
        match self.title.trim_end_matches('.') {
            "" => String::new(),
            title => format!(": {}", quoted(title)),
        }
    }
}

fn enumerate(values: &[&Value]) -> String {
    let named: Vec<String> = values
        .iter()
        .take(NAMED)
        .map(|value| quote(value))
        .collect();
    and_more(named, values.len())
}

fn and_more(named: Vec<String>, all: usize) -> String {
    match all - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// A value inside a sentence.
fn quote(value: &Value) -> String {
    match value {
        Value::Null => String::from("nothing"),
        Value::String(text) => quoted(text),
        Value::Array(items) => match items.is_empty() {
            true => String::from("an empty list"),
            false => enumerate(&items.iter().collect::<Vec<_>>()),
        },
        Value::Object(members) => {
            let named = members.iter().take(NAMED);
            let named = named.map(|(name, member)| format!("{} {}", called(name), brief(member)));
            and_more(named.collect(), members.len())
        }
        scalar => scalar.to_string(),
    }
}

/// The name of a member of a quoted object.
fn called(name: &str) -> String {
    match text::clean(name, 40) {
        name if text::addresses_a_model(&name) => String::from(WITHHELD),
        name => name,
    }
}

/// A member of a quoted object.
fn brief(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", counted(items.len(), "item", "items")),
        Value::Object(members) => format!("[{}]", counted(members.len(), "member", "members")),
        other => quote(other),
    }
}

fn quoted(text: &str) -> String {
    let text = text::clean(text, QUOTE).replace('"', "'");
    match text::addresses_a_model(&text) {
        true => String::from(WITHHELD),
        false => format!("\"{text}\""),
    }
}
