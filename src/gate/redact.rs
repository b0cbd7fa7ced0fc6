//! What of a call's arguments the event line may carry, and the form that its
//! digest is made of.
//!
//! Nothing here is told apart by looking for secrets: each argument has one
//! stated form ([`Log`]), and an argument nobody declared appears by count
//! only.

use serde_json::{Map, Value, json};

use crate::guard::text;
use crate::tool::{Log, Tool};

/// Longest text kept of a target, in characters.
const CAP: usize = 120;
/// Longest list kept.
const ITEMS: usize = 8;

/// The arguments as the event line shows them.
pub fn arguments(tool: &Tool, given: &Value) -> Value {
    let Value::Object(given) = given else {
        return json!({});
    };
    let mut shown = Map::new();
    for (name, log) in tool.log {
        if let Some(value) = given.get(*name) {
            let listed = |word: &str| tool.input.lists(name, word);
            shown.insert((*name).to_owned(), argument(value, *log, &listed));
        }
    }
    let unknown = given
        .keys()
        .filter(|name| tool.log_of(name).is_none())
        .count();
    if unknown > 0 {
        shown.insert(String::from("unknownArguments"), json!(unknown));
    }
    Value::Object(shown)
}

/// The arguments in their one form, so that equal calls have equal digests:
/// members sorted, those that are null left out like those that are absent,
/// text canonical, hosts in lower case.
pub fn canonical(tool: &Tool, given: &Value) -> Value {
    let Value::Object(given) = given else {
        return match given {
            Value::Null => json!({}),
            other => canonical_value(other),
        };
    };
    let form = |name: &str, value: &Value| match (tool.log_of(name), value) {
        (Some(Log::Target), Value::String(text)) => json!(lower_host(&text::canonical(text))),
        _ => canonical_value(value),
    };
    given
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (text::canonical(name).into_owned(), form(name, value)))
        .collect()
}

fn canonical_value(value: &Value) -> Value {
    match value {
        Value::String(text) => json!(text::canonical(text)),
        Value::Array(items) => items.iter().map(canonical_value).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (text::canonical(name).into_owned(), canonical_value(value)))
            .collect(),
        other => other.clone(),
    }
}

/// Scheme and authority in lower case; what follows them is the host's own.
fn lower_host(target: &str) -> String {
    let start = target.find("://").map_or(0, |at| at + 3);
    let end = target[start..]
        .find(['/', '\\', '?', '#'])
        .map_or(target.len(), |at| start + at);
    let (head, tail) = target.split_at(end);
    format!("{}{tail}", head.to_lowercase())
}

/// `listed` tells whether a word is in the argument's fixed list.
fn argument(value: &Value, log: Log, listed: &dyn Fn(&str) -> bool) -> Value {
    match (value, log) {
        (Value::String(text), Log::Length) => json!({ "chars": text.chars().count() }),
        (Value::Object(members), Log::Length) => json!({ "members": members.len() }),
        (Value::String(text), Log::Target) => json!(target(text)),
        (Value::String(text), Log::Word) => json!(word(text, listed)),
        (Value::Array(list), Log::Word) => list
            .iter()
            .take(ITEMS)
            .map(|item| argument(item, Log::Word, listed))
            .collect(),
        (Value::Null, _) => Value::Null,
        (other, _) => json!({ "type": type_name(other) }),
    }
}

/// A word out of a fixed list, or what is left of something else.
fn word(text: &str, listed: &dyn Fn(&str) -> bool) -> String {
    match listed(text) {
        true => text.to_owned(),
        false => format!("({} chars)", text.chars().count()),
    }
}

/// The host (and path) of a target, without user-info, query and fragment,
/// whether or not it parses.
fn target(text: &str) -> String {
    // All of it: a user-info may be longer than what is shown.
    let head = text::canonical(text);
    let end = head.find(['?', '#']).unwrap_or(head.len());
    let head = &head[..end];
    let (scheme, rest) = match head.find("://") {
        Some(at) => head.split_at(at + 3),
        None => ("", head),
    };
    // The authority ends at the first separator any parser would see; what
    // stands before its last `@` is user-info.
    let authority_end = rest.find(['/', '\\']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(authority_end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    // An `@` in what a careless parser might still take for the authority.
    let path = match path.contains('@') {
        true => "/…",
        false => path,
    };
    text::clean(&format!("{scheme}{host}{path}"), CAP)
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_loses_user_info_query_and_fragment() {
        for (given, shown) in [
            ("lab-good.com", "lab-good.com"),
            (
                "https://lab-good.com/a?token=s3cret",
                "https://lab-good.com/a",
            ),
            (
                "https://u:s3cret@lab-good.com/a#s3cret",
                "https://lab-good.com/a",
            ),
            ("https://u:s3cret@x@lab-good.com", "https://lab-good.com"),
            ("u:s3cret@lab-good.com", "lab-good.com"),
            ("https:\\\\u:s3cret@lab-good.com", "https:/…"),
            ("https://lab-good.com/s3cret@x", "https://lab-good.com/…"),
            ("https:/u:s3cret@lab-good.com", "https:/…"),
            ("lab\u{200b}-good.com\n?x=s3cret", "lab-good.com"),
        ] {
            assert_eq!(target(given), shown, "{given:?}");
        }
    }

    #[test]
    fn no_spelling_of_a_secret_gets_through_a_target() {
        for shape in [
            "https://user:SECRET@h.net/",
            "https://h.net/?k=SECRET",
            "//user:SECRET@h.net",
            "user:SECRET@h.net",
            "https://h.net/#SECRET",
            "https:////user:SECRET@h.net",
            "https:\\/user:SECRET@h.net",
            "h.net?SECRET",
            "http://a@b:SECRET@h.net",
        ] {
            assert!(
                !target(shape).contains("SECRET"),
                "{shape} became {}",
                target(shape)
            );
        }
    }

    #[test]
    fn a_user_info_of_any_length_is_left_out() {
        for length in [100, 500, 5_000] {
            let token = "s3cret.".repeat(length / 7);
            for (given, shown) in [
                (
                    format!("https://u:{token}@lab-good.com/a"),
                    "https://lab-good.com/a",
                ),
                (format!("{token}@lab-good.com"), "lab-good.com"),
                (format!("https:/{token}@lab-good.com"), "https:/…"),
            ] {
                assert_eq!(target(&given), shown, "{length} characters");
            }
        }
    }

    #[test]
    fn one_call_has_one_canonical_form_however_it_is_written() {
        let registry = crate::tool::Registry::new();
        let analyze = registry.find("analyze").unwrap();
        let form = |given: Value| canonical(analyze, &given).to_string();
        let plain = form(json!({"target": "https://lab-good.com/Path"}));
        for same in [
            json!({"target": "HTTPS://LAB-Good.com/Path"}),
            json!({"target": "https://lab\u{200b}-good.com/Path", "detail": null}),
            json!({"detail": null, "target": "https://ｌａｂ-good.com/Path"}),
        ] {
            assert_eq!(form(same.clone()), plain, "{same}");
        }
        for other in [
            json!({"target": "https://lab-good.com/path"}),
            json!({"target": "https://lab-good.com/Path", "detail": "full"}),
            json!({"target": ["https://lab-good.com/Path"]}),
        ] {
            assert_ne!(form(other.clone()), plain, "{other}");
        }
        assert_eq!(form(Value::Null), form(json!({})));
    }

    #[test]
    fn a_word_that_is_not_in_its_list_is_only_counted() {
        let registry = crate::tool::Registry::new();
        let shown = |tool: &str, given: Value| arguments(registry.find(tool).unwrap(), &given);
        assert_eq!(
            shown("decode", json!({"kind": "jwt"})),
            json!({"kind": "jwt"})
        );
        assert_eq!(
            shown("decode", json!({"kind": "AKIAIOSFODNN7EXAMPLE"})),
            json!({"kind": "(20 chars)"})
        );
        assert_eq!(
            shown("lookup", json!({"records": ["HTTPS", "hunter2", 7]})),
            json!({"records": ["HTTPS", "(7 chars)", {"type": "number"}]})
        );
    }
}
