//! Text from the target that speaks to whoever reads the report.

use serde_json::Value;

use super::Case;
use crate::guard::text;
use crate::report::{Finding, Severity, counted};

checks! {
    MODEL {
        id: "content.model_directed_text",
        about: "Whether text that the target published (records, headers, titles, certificate names) \
            addresses a language model. Such text is shown as data and never followed.",
        reference: "OWASP LLM01:2025",
        reproduce: "dig {host} TXT +short; curl -sSI {page}",
        maps_to: ["cwe:1427"],
    }
}

/// Places named in evidence.
const PLACE_LIMIT: usize = 5;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut places = Vec::new();
    walk(case.rendered, &Way::Begin, &mut places);
    if places.is_empty() {
        return;
    }
    let title = format!(
        "Text of the target in {} addresses a language model; it is data, not an instruction.",
        counted(places.len(), "place", "places")
    );
    let mut draft = case
        .warn(MODEL, Severity::Medium, title)
        .fix("If this is yours and not meant so, remove it: agents that read it may misbehave.");
    for place in places.iter().take(PLACE_LIMIT) {
        draft = draft.evidence(place);
    }
    draft.add(findings);
}

/// The way to a value: written out for the few that are named.
enum Way<'a> {
    Begin,
    Item(&'a Way<'a>, usize),
    Member(&'a Way<'a>, &'a str),
}

impl Way<'_> {
    /// As a pointer (RFC 6901).
    fn pointer(&self) -> String {
        match self {
            Way::Begin => String::new(),
            Way::Item(way, at) => format!("{}/{at}", way.pointer()),
            Way::Member(way, name) => {
                let name = name.replace('~', "~0").replace('/', "~1");
                format!("{}/{name}", way.pointer())
            }
        }
    }
}

/// Every string of the rendered probes, wherever the target may have put it.
fn walk(value: &Value, way: &Way<'_>, places: &mut Vec<String>) {
    match value {
        Value::String(string) if text::addresses_a_model(string) => places.push(way.pointer()),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                walk(item, &Way::Item(way, at), places);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                walk(item, &Way::Member(way, name), places);
            }
        }
        _ => {}
    }
}
