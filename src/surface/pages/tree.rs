//! Any JSON value, readable: what no page has a picture for is still shown.

use maud::{Markup, html};
use serde_json::Value;

use super::mark::scalar;

/// `value` as nested lists. Every node's id is its JSON pointer, so that a
/// finding can link to the very value it rests on.
pub(super) fn tree(value: &Value, pointer: &str) -> Markup {
    html! {
        @match value {
            Value::Object(members) if members.is_empty() => { span.nothing { "empty" } }
            Value::Object(members) => {
                dl.tree {
                    @for (name, value) in members {
                        @let pointer = step(pointer, name);
                        div id=(pointer) {
                            dt { (name) }
                            dd { (tree(value, &pointer)) }
                        }
                    }
                }
            }
            Value::Array(items) if items.is_empty() => { span.nothing { "none" } }
            Value::Array(items) => {
                ol.tree {
                    @for (at, value) in items.iter().enumerate() {
                        @let pointer = step(pointer, &at.to_string());
                        li id=(pointer) { (tree(value, &pointer)) }
                    }
                }
            }
            Value::String(text) => { span.text { (text) } }
            Value::Null => { span.nothing { "none" } }
            Value::Bool(_) | Value::Number(_) => { span.number { (scalar(value)) } }
        }
    }
}

/// One reference token further (RFC 6901 section 3).
fn step(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// A pointer as a link to the node that bears it as its id.
pub(super) fn anchor(pointer: &str) -> String {
    use url::form_urlencoded::byte_serialize;
    // A fragment is percent-decoded before it is compared with ids (HTML,
    // "select the indicated part"); a space is `%20` there, never `+`.
    let encoded: String = byte_serialize(pointer.as_bytes()).collect();
    format!("#{}", encoded.replace('+', "%20").replace("%2F", "/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hostile_names_and_values_stay_text() {
        let hostile = "\"><script>alert(1)</script>";
        let html = tree(&json!({ hostile: [hostile, {"a": hostile}] }), "/probes").into_string();
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;"), "{html}");
        assert!(!html.contains("id=\"/probes/\">"), "{html}");
    }

    #[test]
    fn a_node_is_found_by_its_pointer() {
        let value = json!({ "a/b": [{ "c d": 1 }] });
        let html = tree(&value, "").into_string();
        assert!(html.contains("id=\"/a~1b/0/c d\""), "{html}");
        assert_eq!(anchor("/a~1b/0/c d"), "#/a%7E1b/0/c%20d");
    }
}
