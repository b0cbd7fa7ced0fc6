//! Values and names as a change repeats them: cleaned and short.

use serde_json::{Map, Value, json};

use super::node::Node;
use crate::guard::text;

/// Longest text of a value, in characters.
const TEXT: usize = 200;
/// Longest compact JSON of a list or object that is shown as such, in bytes.
const COMPOSITE: usize = 400;
/// Longest segment of a path, in characters.
const SEGMENT: usize = 80;
/// Longest path, in characters.
pub const MAX_PATH: usize = 400;

/// A value fit to be repeated: text cleaned and cut, a list or object that is
/// too long turned into the beginning of its JSON text.
fn value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text::clean(text, TEXT)),
        Value::Array(_) | Value::Object(_) => {
            let clean = cleaned(value);
            let json = clean.to_string();
            match json.len() <= COMPOSITE {
                true => clean,
                false => json!(text::clean(&json, TEXT)),
            }
        }
        scalar => scalar.clone(),
    }
}

/// One side of a change; null where there is nothing.
pub(super) fn node(node: Option<&Node>) -> Value {
    match node {
        None => Value::Null,
        Some(Node {
            value,
            shown: Some(names),
            ..
        }) => members(value, names),
        Some(node) => value(node.value),
    }
}

/// Only these members of an object, fit to be repeated; of a single one the
/// bare value.
fn members(value: &Value, names: &[&str]) -> Value {
    if let [name] = names
        && let Some(member) = value.get(*name)
    {
        return self::value(member);
    }
    let part = |name: &&str| Some(((*name).to_owned(), self::value(value.get(*name)?)));
    Value::Object(names.iter().filter_map(part).collect::<Map<_, _>>())
}

/// A member's or item's name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    text::clean(name, SEGMENT)
}

/// Segments as a JSON pointer (RFC 6901).
pub(super) fn pointer(segments: &[String]) -> String {
    let mut pointer = String::new();
    for segment in segments {
        pointer.push('/');
        pointer.push_str(&self::segment(segment).replace('~', "~0").replace('/', "~1"));
    }
    match pointer.is_empty() {
        true => String::from("/"),
        false => text::clean(&pointer, MAX_PATH),
    }
}

/// Whether `path` could be one of a change's, as [`pointer`] writes them.
pub fn is_path(path: &str) -> bool {
    path.starts_with('/') && text::clean(path, MAX_PATH) == path
}

fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text::clean(text, TEXT)),
        Value::Array(items) => items.iter().map(cleaned).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (segment(name), cleaned(member)))
            .collect::<Map<_, _>>()
            .into(),
        scalar => scalar.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_becomes_the_beginning_of_its_text() {
        let long = json!(vec!["aaaaaaaaaa"; 60]);
        let shown = value(&long);
        let text = shown.as_str().expect("is text");
        assert!(
            text.starts_with(r#"["aaaaaaaaaa","#) && text.ends_with('…'),
            "{text}"
        );
        assert_eq!(text.chars().count(), TEXT);
        assert_eq!(value(&json!([1, {"a": "b"}])), json!([1, {"a": "b"}]));
    }

    #[test]
    fn names_and_texts_lose_what_a_reader_does_not_see() {
        assert_eq!(
            value(&json!({"a\u{202e}": "b\u{200b}\n"})),
            json!({"a": "b"})
        );
        assert_eq!(
            pointer(&[String::from("a/b"), String::from("~\u{1b}[0m")]),
            "/a~1b/~0"
        );
    }
}
