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
        reproduce: "dig {host} TXT +short; curl -sSI {url}",
        maps_to: ["cwe:1427"],
    }
}

/// Places named in evidence.
const PLACE_LIMIT: usize = 5;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let mut places = Vec::new();
    walk(case.rendered, &mut String::new(), &mut places);
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

/// Every string of the rendered probes, wherever the target may have put it.
fn walk(value: &Value, pointer: &mut String, places: &mut Vec<String>) {
    let length = pointer.len();
    match value {
        Value::String(string) if text::addresses_a_model(string) => places.push(pointer.clone()),
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{at}"));
                walk(item, pointer, places);
                pointer.truncate(length);
            }
        }
        Value::Object(members) => {
            for (name, item) in members {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(item, pointer, places);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}
