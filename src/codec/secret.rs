//! Secrets in JSON: recognised by name and masked, never repeated.

use serde_json::{Map, Value};

/// What stands in place of a secret.
pub(crate) const MASK: &str = "(not repeated)";

/// Members that make a JWK private (RFC 7517, 7518 section 6, 8037).
pub(crate) const PRIVATE_MEMBERS: &[&str] = &["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// The members with every secret replaced by [`MASK`]. The nesting is
/// bounded by whoever made the value.
pub(crate) fn masked(mut members: Map<String, Value>) -> Map<String, Value> {
    let is_key = members.contains_key("kty");
    for (name, value) in &mut members {
        let private = is_key && PRIVATE_MEMBERS.contains(&name.as_str());
        if private || is_secret_name(name) {
            *value = Value::String(MASK.to_owned());
        } else {
            mask_value(value);
        }
    }
    members
}

fn mask_value(value: &mut Value) {
    match value {
        Value::Object(members) => *members = masked(std::mem::take(members)),
        Value::Array(items) => items.iter_mut().for_each(mask_value),
        _ => {}
    }
}

/// Whether a member of this name holds a secret by all likelihood.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.contains(&plain.as_str())
}

/// Whether a JSON value is a JWK with private members.
pub(crate) fn is_private_key(value: &Value) -> bool {
    value.get("kty").is_some() && PRIVATE_MEMBERS.iter().any(|name| value.get(name).is_some())
}

const SECRET_NAMES: &[&str] = &[
    "accesstoken",
    "apikey",
    "clientsecret",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "refreshtoken",
    "secret",
    "secretkey",
    "sessiontoken",
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let value = json!({"a": [{"client-secret": {"x": 1}}], "jwk": {"kty": "oct", "k": "AAAA"}, "k": "kept"});
        let Value::Object(members) = value else {
            unreachable!()
        };
        let shown = Value::Object(masked(members));
        assert_eq!(
            shown,
            json!({"a": [{"client-secret": MASK}], "jwk": {"kty": "oct", "k": MASK}, "k": "kept"})
        );
    }
}
