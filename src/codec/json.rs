//! JSON (RFC 8259): what it is, where it breaks, and what other parsers will
//! read differently.
//!
//! The value itself is not repeated; its caller has it.

use serde::Serialize;

use super::format::{Format, NotThis, Outcome, Reading, Scribe, range_within, rules};
use super::{Context, Kind};

pub(crate) mod scan;

use scan::Scan;
pub(crate) use scan::{DEPTH_LIMIT, Type};

/// What there is to know about the kind `json`.
pub const FORMAT: Format = Format {
    kind: Kind::Json,
    title: "JSON text",
    reference: "RFC 8259",
    example: r#"{"jsonrpc":"2.0","id":9007199254740993,"method":"ping","id":2}"#,
    fields: &[
        (
            "type",
            "`object`, `array`, `string`, `number`, `boolean` or `null`",
        ),
        (
            "valid",
            "whether the text is one JSON value and nothing else",
        ),
        ("depth", "deepest nesting of arrays and objects"),
        ("values", "values of all types, containers included"),
        (
            "width",
            "members of the outermost object or items of the outermost array",
        ),
        ("names", "names of the outermost members, in order"),
        (
            "looksLike",
            "a well-known shape: `jwk`, `jwk_set`, `json_rpc`, `problem_details`, \
             `geojson`, `json_schema`, `openapi`",
        ),
    ],
    rules: RULES,
    sniff,
    read,
};

/// What can be said about a JSON text.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Json {
    #[serde(rename = "type")]
    kind: Type,
    valid: bool,
    depth: usize,
    values: usize,
    width: usize,
    names: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    looks_like: Option<&'static str>,
}

fn sniff(text: &str) -> u8 {
    let text = text.trim_start_matches('\u{feff}').trim();
    let closed = match text.as_bytes() {
        [b'{', .., b'}'] | [b'[', .., b']'] => true,
        [b'{' | b'[', ..] => false,
        [b'"', .., b'"'] => return 40,
        _ => return u8::from(matches!(text, "true" | "false" | "null")) * 60,
    };
    match (closed, scan::outline(text).fault) {
        (_, None) => 90,
        (true, Some(_)) => 45,
        (false, Some(_)) => 20,
    }
}

fn read(text: &str, _: &Context) -> Outcome {
    parse(text).map(Reading::untyped)
}

/// Describes a JSON text, broken or not.
pub fn parse(text: &str) -> Result<Reading<Json>, NotThis> {
    let body = text.trim_start_matches('\u{feff}').trim();
    let offset = range_within(text, body).map_or(0, |range| range.start);
    let seen = scan::scan(body);
    let kind = seen.root.ok_or(NotThis(
        "a JSON text begins with a brace, a bracket, a double quote, a digit, true, false or null.",
    ))?;
    let mut scribe = Scribe::new(text);
    if text.starts_with('\u{feff}') {
        scribe.flag_range(
            BYTE_ORDER_MARK,
            0..3,
            "The text begins with a byte order mark.",
        );
    }
    let shift = |range: &std::ops::Range<usize>| range.start + offset..range.end + offset;
    if let Some(fault) = &seen.fault {
        scribe.flag_range(
            SYNTAX,
            shift(&fault.at),
            format!("Not JSON from here: {}.", fault.why),
        );
    }
    for range in &seen.repeated {
        scribe.flag_range(
            REPEATED_NAME,
            shift(range),
            "This member name is given twice in its object; parsers differ in which one they take.",
        );
    }
    for range in &seen.inexact {
        scribe.flag_range(
            INEXACT_NUMBER,
            shift(range),
            "This integer is beyond 2^53; parsers that use doubles change its last digits.",
        );
    }
    if seen.depth > DEPTH_LIMIT {
        scribe.flag(
            TOO_DEEP,
            body,
            format!(
                "The text nests {} levels; many parsers stop earlier.",
                seen.depth
            ),
        );
    }
    let value = Json {
        kind,
        valid: seen.fault.is_none(),
        depth: seen.depth,
        values: seen.values,
        width: seen.width,
        looks_like: shape(body, &seen),
        names: seen.members.into_iter().map(|member| member.name).collect(),
    };
    Ok(Reading::new(value, scribe))
}

/// The well-known shape an object has, by the members its standard requires.
fn shape(body: &str, seen: &Scan) -> Option<&'static str> {
    let has = |name: &str| seen.member(name).is_some();
    let keys = seen.text_of(body, "keys").unwrap_or_default();
    if !seen.is_sound() {
        None
    } else if has("kty") {
        Some("jwk")
    } else if keys.starts_with('[') {
        Some("jwk_set")
    } else if has("jsonrpc") {
        Some("json_rpc")
    } else if has("$schema") && (has("type") || has("$defs") || has("properties")) {
        Some("json_schema")
    } else if has("openapi") || has("swagger") {
        Some("openapi")
    } else if has("type") && (has("coordinates") || has("features")) {
        Some("geojson")
    } else if has("title") && has("status") {
        Some("problem_details")
    } else {
        None
    }
}

rules! {
    SYNTAX = "json.syntax", High, "RFC 8259 section 2",
        "The text breaks the grammar at this place.";
    REPEATED_NAME = "json.repeated_name", Medium, "RFC 8259 section 4",
        "An object gives a member name twice.";
    INEXACT_NUMBER = "json.inexact_number", Low, "RFC 8259 section 6",
        "An integer is too large to survive as a double.";
    TOO_DEEP = "json.too_deep", Low, "RFC 8259 section 9",
        "The nesting is deeper than parsers commonly allow.";
    BYTE_ORDER_MARK = "json.byte_order_mark", Low, "RFC 8259 section 8.1",
        "A byte order mark stands before the text.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_text_is_described_up_to_its_fault() {
        let reading = parse("{\"a\": [1, 2,]}").unwrap();
        assert!(!reading.value.valid);
        assert_eq!(reading.problems[0].span.start, 12);
        assert_eq!(reading.value.names, ["a"]);
    }

    #[test]
    fn what_parsers_disagree_on_is_pointed_at() {
        let reading = parse(FORMAT.example).unwrap();
        let codes: Vec<_> = reading.problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, ["json.inexact_number", "json.repeated_name"]);
        assert_eq!(reading.value.looks_like, Some("json_rpc"));
    }

    #[test]
    fn prose_is_not_json() {
        assert!(parse("hello").is_err());
    }
}
