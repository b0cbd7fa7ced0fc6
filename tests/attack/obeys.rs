//! Whether a value obeys one of our output schemas. Knows the keywords that
//! those use, and fails on any other, so that none goes unchecked.

use serde_json::Value;

/// Keywords without a rule.
const NOTES: [&str; 7] = [
    "title",
    "description",
    "examples",
    "default",
    "format",
    "$comment",
    "$schema",
];

/// `Err` says where and why not.
pub fn obeys(schema: &Value, value: &Value, at: &str) -> Result<(), String> {
    let rules = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(rules) => rules,
        other => return Err(format!("{at}: {other} is no schema")),
    };
    let wrong = |why: &str| {
        let mut shown = value.to_string();
        shown.truncate(shown.floor_char_boundary(120));
        Err(format!("{at}: {why}: {shown}"))
    };
    for (keyword, rule) in rules {
        match keyword.as_str() {
            "type" => {
                let types = rule
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![rule.clone()]);
                if !types
                    .iter()
                    .any(|name| is(value, name.as_str().unwrap_or_default()))
                {
                    return wrong(&format!("not of type {rule}"));
                }
            }
            "enum" if !list(rule).contains(value) => return wrong("not in the list"),
            "const" if rule != value => return wrong("not the constant"),
            "required" => {
                for name in list(rule).iter().filter_map(Value::as_str) {
                    if value.is_object() && value.get(name).is_none() {
                        return wrong(&format!("without {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(member) = value.get(name) {
                        obeys(schema, member, &format!("{at}/{name}"))?;
                    }
                }
            }
            "additionalProperties" => {
                let known = rules.get("properties").and_then(Value::as_object);
                for (name, member) in value.as_object().into_iter().flatten() {
                    if known.is_some_and(|known| known.contains_key(name)) {
                        continue;
                    }
                    if rule == &Value::Bool(false) {
                        return wrong(&format!("{name} is not expected"));
                    }
                    obeys(rule, member, &format!("{at}/{name}"))?;
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    obeys(rule, item, &format!("{at}/{index}"))?;
                }
            }
            "minItems" | "maxItems" => {
                let many = value.as_array().map_or(0, Vec::len) as u64;
                let bound = rule.as_u64().unwrap_or_default();
                let holds = if keyword == "minItems" {
                    many >= bound
                } else {
                    many <= bound
                };
                if value.is_array() && !holds {
                    return wrong(&format!("{many} items against {keyword}"));
                }
            }
            "minimum" => {
                if value.as_f64() < rule.as_f64() && value.is_number() {
                    return wrong("too small");
                }
            }
            "maximum" => {
                if value.as_f64() > rule.as_f64() && value.is_number() {
                    return wrong("too large");
                }
            }
            "anyOf" | "oneOf" => {
                if !list(rule)
                    .iter()
                    .any(|schema| obeys(schema, value, at).is_ok())
                {
                    return wrong("none of the alternatives");
                }
            }
            "enum" | "const" => {}
            note if NOTES.contains(&note) => {}
            other => panic!("{at}: the keyword {other} is not checked here"),
        }
    }
    Ok(())
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        _ => false,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
