//! Forms made from the registry: what a page offers is what the schema says.

use maud::{Markup, html};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::tool::Tool;

use super::mark::prose;

/// Longest text that gets a single line.
const ONE_LINE: u64 = 2048;

/// The arguments of a tool as form fields, holding what was already given.
pub(super) fn fields(schema: &Value, given: &Map<String, Value>) -> Markup {
    html! {
        @for (name, property) in properties(schema) {
            (field(name, property, is_required(schema, name), given.get(name)))
        }
    }
}

/// One argument as a form field with its label and its hint.
fn field(name: &str, property: &Value, required: bool, given: Option<&Value>) -> Markup {
    let hint = format!("hint-{name}");
    let words = strings(property.get("enum"));
    let choices = strings(property.pointer("/items/enum"));
    html! {
        @if !choices.is_empty() {
            fieldset aria-describedby=(hint) {
                legend { (label(name)) }
                div.choices {
                    @let chosen = strings(given.or(property.get("default")));
                    @for choice in &choices {
                        label {
                            input type="checkbox" name=(name) value=(choice) checked[chosen.contains(choice)];
                            span { (choice) }
                        }
                    }
                }
                (explain(&hint, property))
            }
        } @else {
            div.field {
                label for=(name) { (label(name)) }
                @if !words.is_empty() {
                    select id=(name) name=(name) aria-describedby=(hint) {
                        @let chosen = given.or(property.get("default")).and_then(Value::as_str).unwrap_or_default();
                        @for word in &words {
                            option value=(word) selected[word == chosen] { (label(word)) }
                        }
                    }
                } @else {
                    (text(name, property, required, given, &hint))
                }
                (explain(&hint, property))
            }
        }
    }
}

fn text(name: &str, property: &Value, required: bool, given: Option<&Value>, hint: &str) -> Markup {
    let cap = property.get("maxLength").and_then(Value::as_u64);
    let value = given.and_then(Value::as_str).unwrap_or_default();
    html! {
        @if cap.is_none_or(|cap| cap > ONE_LINE) {
            textarea id=(name) name=(name) rows="9" maxlength=[cap] required[required] spellcheck="false"
                autocapitalize="off" autocomplete="off" aria-describedby=(hint)
                placeholder=(example(property)) { "\n" (value) }
        } @else {
            input id=(name) name=(name) type="text" value=(value) maxlength=[cap] required[required]
                spellcheck="false" autocapitalize="off" autocomplete="off" enterkeyhint="go" aria-describedby=(hint)
                placeholder=(example(property));
        }
    }
}

fn explain(id: &str, property: &Value) -> Markup {
    html! {
        @if let Some(text) = property.get("description").and_then(Value::as_str) {
            p.hint id=(id) { (prose(text)) }
        }
    }
}

/// A property of a tool's input schema.
pub(super) fn property<'a>(tool: &'a Tool, name: &str) -> &'a Value {
    tool.input
        .json()
        .pointer(&format!("/properties/{name}"))
        .unwrap_or(&Value::Null)
}

/// The first example a property gives.
pub(super) fn example(property: &Value) -> &str {
    property
        .pointer("/examples/0")
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What a query or a posted form says, as arguments of a tool: list
/// arguments gather their repeats, a field left empty was not sent, and what
/// is no argument (a link's tracking parameter, say) is dropped.
pub(super) fn arguments(schema: &Value, encoded: &[u8]) -> Map<String, Value> {
    let mut arguments = Map::new();
    for (name, value) in form_urlencoded::parse(encoded) {
        let Some(property) = schema.get("properties").and_then(|all| all.get(&*name)) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        if property.get("type") != Some(&json!("array")) {
            arguments.insert(name.into_owned(), json!(value));
            continue;
        }
        let list = arguments
            .entry(name.into_owned())
            .or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.extend(value.split(',').map(|item| json!(item.trim())));
        }
    }
    arguments
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let members = schema.get("properties").and_then(Value::as_object);
    let mut members: Vec<_> = members.into_iter().flatten().collect();
    // What must be given comes first; the schema's own order is alphabetical.
    members.sort_by_key(|(name, _)| !is_required(schema, name));
    members.into_iter()
}

fn is_required(schema: &Value, name: &str) -> bool {
    strings(schema.get("required"))
        .iter()
        .any(|required| required == name)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// `mta_sts` as `mta sts`: names are the field's own and stay in their case.
fn label(name: &str) -> String {
    name.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": 253, "description": "Who?", "examples": ["lab-good.com"]},
                "records": {"type": "array", "items": {"type": "string", "enum": ["A", "MX"]}, "default": ["A"]},
                "kind": {"type": "string", "enum": ["auto", "mta_sts"], "default": "auto"},
                "text": {"type": "string", "maxLength": 65536},
            },
        })
    }

    #[test]
    fn every_argument_has_a_labelled_field_with_its_cap() {
        let html = fields(&schema(), &Map::new()).into_string();
        assert!(
            html.starts_with("<div class=\"field\"><label for=\"name\">"),
            "{html}"
        );
        assert!(html.contains("maxlength=\"253\" required"), "{html}");
        assert!(html.contains("<option value=\"auto\" selected>"), "{html}");
        assert!(html.contains("value=\"A\" checked"), "{html}");
        assert!(html.contains("<textarea id=\"text\""), "{html}");
    }

    #[test]
    fn what_was_given_is_kept_and_escaped() {
        let given = arguments(
            &schema(),
            b"name=%22%3E%3Cb%3E&records=MX&text=%3C/textarea%3E&kind=mta_sts",
        );
        let html = fields(&schema(), &given).into_string();
        assert!(html.contains("value=\"&quot;&gt;&lt;b&gt;\""), "{html}");
        assert!(html.contains("&lt;/textarea&gt;</textarea>"), "{html}");
        assert!(html.contains("value=\"MX\" checked"), "{html}");
        assert!(!html.contains("value=\"A\" checked"), "{html}");
        assert!(html.contains("value=\"mta_sts\" selected"), "{html}");
    }

    #[test]
    fn a_form_says_what_it_was_given_and_nothing_for_empty_fields() {
        let given = arguments(
            &schema(),
            b"name=a.example&kind=&records=A&records=MX,A&other=1",
        );
        assert_eq!(
            Value::Object(given),
            json!({"name": "a.example", "records": ["A", "MX", "A"]})
        );
    }
}
