//! JSON Web Keys and key sets (RFC 7517, RFC 7518 section 6, RFC 8037).
//!
//! Private members are recognised and never repeated.

use ::base64::Engine;
use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::json::scan::{Scan, outline, scan};
use super::secret::PRIVATE_MEMBERS;
use super::{Kind, x509};

/// What there is to know about the kind `jwk`.
pub const FORMAT: Format = Format {
    kind: Kind::Jwk,
    title: "JSON Web Key or key set",
    reference: "RFC 7517",
    example: r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","use":"enc","kid":"1"}"#,
    fields: &[
        ("set", "whether the text is a key set"),
        (
            "keys",
            "each key: `keyType`, `algorithm`, `use`, `operations`, `keyId`, `bits`, \
             `curve`, `private`, `certificates` (count) and `thumbprint` (RFC 7638, \
             SHA-256)",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One key or a set of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Jwks {
    set: bool,
    keys: Vec<Jwk>,
}

/// One key, without any of its private members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jwk {
    key_type: String,
    algorithm: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    operations: Vec<String>,
    key_id: Option<String>,
    bits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    curve: Option<String>,
    private: bool,
    certificates: usize,
    thumbprint: Option<String>,
}

/// Reads a key or a key set.
pub fn parse(text: &str) -> Result<Reading<Jwks>, NotThis> {
    let body = text.trim();
    let seen = outline(body);
    let set = is_set(body, &seen);
    if !seen.is_sound() || !set && seen.member("kty").is_none() {
        return Err(NOT_A_KEY);
    }
    let mut scribe = Scribe::new(text);
    let parts: Vec<&str> = match set {
        true => items(body, &seen),
        false => vec![body],
    };
    let mut keys = Vec::new();
    for part in parts.into_iter().take(KEY_LIMIT) {
        let seen = scan(part);
        match seen.value(part) {
            Some(Value::Object(members)) if members.get("kty").is_some_and(Value::is_string) => {
                keys.push(
                    Reader {
                        scribe: &mut scribe,
                        part,
                        seen,
                        members,
                    }
                    .key(),
                );
            }
            _ if set => scribe.flag(
                NOT_A_KEY_RULE,
                part,
                "This member of the set has no `kty` and is no key.",
            ),
            _ => return Err(NOT_A_KEY),
        }
    }
    if set {
        judge_set(&mut scribe, body, &keys);
    }
    Ok(Reading::new(Jwks { set, keys }, scribe))
}

fn is_set(body: &str, seen: &Scan) -> bool {
    seen.text_of(body, "keys")
        .is_some_and(|list| list.starts_with('['))
}

/// The texts of the keys in a set.
fn items<'a>(body: &'a str, seen: &Scan) -> Vec<&'a str> {
    let list = seen.text_of(body, "keys").unwrap_or_default();
    outline(list)
        .items
        .into_iter()
        .filter_map(|range| list.get(range))
        .collect()
}

fn judge_set(scribe: &mut Scribe, body: &str, keys: &[Jwk]) {
    let mut ids: Vec<&str> = keys
        .iter()
        .filter_map(|key| key.key_id.as_deref())
        .collect();
    if keys.len() > 1 && ids.len() < keys.len() {
        scribe.flag(
            NO_KEY_ID,
            body,
            "Not every key of the set has a `kid`; tokens cannot name theirs.",
        );
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair.first() == pair.last()) {
        scribe.flag(
            SAME_KEY_ID,
            body,
            "Two keys of the set have the same `kid`.",
        );
    }
    if keys.is_empty() {
        scribe.flag(EMPTY_SET, body, "The set holds no keys.");
    }
}

struct Reader<'s, 'a, 't> {
    scribe: &'s mut Scribe<'t>,
    part: &'a str,
    seen: Scan,
    members: Map<String, Value>,
}

impl<'a> Reader<'_, 'a, '_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    /// The slice of the member of this name.
    fn place(&self, name: &str) -> &'a str {
        let member = self.seen.member(name);
        member
            .and_then(|member| self.part.get(member.name_at.start..member.value_at.end))
            .unwrap_or(self.part)
    }

    fn key(mut self) -> Jwk {
        let key_type = self.text("kty").unwrap_or_default().to_owned();
        let private = PRIVATE_MEMBERS
            .iter()
            .any(|name| self.members.contains_key(*name));
        for range in std::mem::take(&mut self.seen.repeated) {
            let place = self.part.get(range).unwrap_or(self.part);
            self.scribe.flag(
                REPEATED_MEMBER,
                place,
                "A member name is given twice; parsers differ in which one they take.",
            );
        }
        self.secrets(&key_type);
        let bits = self.material(&key_type);
        self.purpose(&key_type);
        Jwk {
            thumbprint: self.thumbprint(&key_type),
            algorithm: self.text("alg").map(str::to_owned),
            usage: self.text("use").map(str::to_owned),
            operations: self.operations(),
            key_id: self.text("kid").map(str::to_owned),
            curve: self.text("crv").map(str::to_owned),
            certificates: self
                .members
                .get("x5c")
                .and_then(Value::as_array)
                .map_or(0, Vec::len),
            bits,
            private,
            key_type,
        }
    }

    fn secrets(&mut self, key_type: &str) {
        for name in PRIVATE_MEMBERS {
            if !self.members.contains_key(*name) {
                continue;
            }
            let (rule, message) = match (*name, key_type) {
                ("k", _) => (
                    SYMMETRIC,
                    "A symmetric key was pasted: treat it as disclosed and replace it. It is \
                     not repeated here.",
                ),
                ("d" | "priv", _) => (
                    PRIVATE,
                    "A private key was pasted: treat it as disclosed and replace it. It is \
                     not repeated here.",
                ),
                _ => continue,
            };
            self.scribe.flag(rule, self.place(name), message);
        }
    }

    /// The key's own members: present, well-formed, strong enough.
    fn material(&mut self, key_type: &str) -> Option<u32> {
        match key_type {
            "RSA" => {
                let modulus = self.octets("n")?;
                let exponent = self.octets("e")?;
                let bits = x509::bit_length(&modulus);
                if modulus.first() == Some(&0) {
                    self.scribe.flag(
                        LEADING_ZERO,
                        self.place("n"),
                        "The modulus has a leading zero octet, which strict readers refuse.",
                    );
                }
                if bits < 2048 {
                    self.scribe.flag(
                        WEAK,
                        self.place("n"),
                        format!("An RSA key of {bits} bits; at least 2048 are needed."),
                    );
                }
                if x509::small_integer(&exponent).is_some_and(|e| e < 3 || e % 2 == 0) {
                    self.scribe.flag(
                        WEAK,
                        self.place("e"),
                        "The RSA public exponent must be an odd number of at least 3.",
                    );
                }
                Some(bits)
            }
            "EC" => self.on_curve(EC_CURVES, &["x", "y"]),
            "OKP" => self.on_curve(OKP_CURVES, &["x"]),
            "oct" => {
                let bits = self.octets("k").map(|octets| octets.len() as u32 * 8)?;
                if bits < 256 {
                    self.scribe.flag(
                        WEAK,
                        self.place("k"),
                        format!("A symmetric key of {bits} bits; HS256 needs at least 256."),
                    );
                }
                Some(bits)
            }
            "AKP" => None,
            _ => {
                self.scribe.flag(
                    UNKNOWN_TYPE,
                    self.place("kty"),
                    format!("{} is no registered key type.", quoted(key_type)),
                );
                None
            }
        }
    }

    fn on_curve(&mut self, curves: &[(&str, u32, usize)], coordinates: &[&str]) -> Option<u32> {
        let curve = self.text("crv").map(str::to_owned);
        let known = curve
            .as_deref()
            .and_then(|curve| curves.iter().find(|(name, _, _)| *name == curve));
        if known.is_none() {
            let message = match &curve {
                Some(curve) => {
                    format!("{} is no registered curve of this key type.", quoted(curve))
                }
                None => "The curve `crv` is missing.".to_owned(),
            };
            self.scribe.flag(BAD_CURVE, self.place("crv"), message);
        }
        for name in coordinates {
            let octets = self.octets(name);
            if let (Some(octets), Some((_, _, length))) = (octets, known)
                && octets.len() != *length
            {
                self.scribe.flag(
                    BAD_LENGTH,
                    self.place(name),
                    format!(
                        "`{name}` has {} octets; this curve has {length}.",
                        octets.len()
                    ),
                );
            }
        }
        known.map(|(_, bits, _)| *bits)
    }

    /// A base64url member; what is missing or malformed is flagged.
    fn octets(&mut self, name: &str) -> Option<Vec<u8>> {
        let Some(text) = self.text(name) else {
            self.scribe.flag(
                MISSING,
                self.place("kty"),
                format!("The member `{name}` is missing."),
            );
            return None;
        };
        let octets = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .filter(|octets| !octets.is_empty());
        if octets.is_none() {
            self.scribe.flag(
                NOT_BASE64URL,
                self.place(name),
                format!("`{name}` is not base64url without padding."),
            );
        }
        octets
    }

    fn operations(&self) -> Vec<String> {
        let list = self
            .members
            .get("key_ops")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .take(16)
            .collect()
    }

    /// `use`, `key_ops` and `alg` must not contradict each other or the type.
    fn purpose(&mut self, key_type: &str) {
        let operations = self.operations();
        let signs = |operation: &String| matches!(operation.as_str(), "sign" | "verify");
        let contradicts = match self.text("use") {
            Some("sig") => operations.iter().any(|operation| !signs(operation)),
            Some("enc") => operations.iter().any(signs),
            _ => false,
        };
        if contradicts {
            self.scribe.flag(
                CONTRADICTION,
                self.place("key_ops"),
                "`use` and `key_ops` contradict each other.",
            );
        }
        let fits = match self.text("alg") {
            Some(alg) if alg.starts_with("RS") || alg.starts_with("PS") => key_type == "RSA",
            Some(alg) if alg.starts_with("ES") => key_type == "EC",
            Some(alg) if alg.starts_with("HS") || alg.starts_with('A') => key_type == "oct",
            Some(alg) if alg.starts_with("Ed") => key_type == "OKP",
            _ => true,
        };
        if !fits {
            self.scribe.flag(
                CONTRADICTION,
                self.place("alg"),
                "The algorithm is for another type of key.",
            );
        }
    }

    /// RFC 7638: the required public members, sorted, hashed. A symmetric
    /// key has only secret ones, so it gets none.
    fn thumbprint(&self, key_type: &str) -> Option<String> {
        let names: &[&str] = match key_type {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            "OKP" => &["crv", "kty", "x"],
            _ => return None,
        };
        let required: Option<Map<String, Value>> = names
            .iter()
            .map(|name| {
                Some((
                    (*name).to_owned(),
                    Value::String(self.text(name)?.to_owned()),
                ))
            })
            .collect();
        let json = serde_json::to_string(&required?).ok()?;
        Some(URL_SAFE_NO_PAD.encode(Sha256::digest(json)))
    }
}

fn sniff(text: &str) -> u8 {
    let body = text.trim();
    if !body.starts_with('{') {
        return 0;
    }
    let seen = outline(body);
    let keyed = seen.member("kty").is_some();
    let list = seen.text_of(body, "keys").is_some_and(|value| {
        value.starts_with('[') && (value.contains("\"kty\"") || outline(value).width == 0)
    });
    u8::from(seen.fault.is_none() && (keyed || list)) * 96
}

const KEY_LIMIT: usize = 64;

const NOT_A_KEY: NotThis =
    NotThis("a JSON Web Key is a JSON object with `kty`, a key set one with an array `keys`.");

/// Name, bits and octets of a coordinate (RFC 7518 section 6.2.1, RFC 8812).
const EC_CURVES: &[(&str, u32, usize)] = &[
    ("P-256", 256, 32),
    ("P-384", 384, 48),
    ("P-521", 521, 66),
    ("secp256k1", 256, 32),
];

/// RFC 8037 section 2.
const OKP_CURVES: &[(&str, u32, usize)] = &[
    ("Ed25519", 256, 32),
    ("X25519", 256, 32),
    ("Ed448", 456, 57),
    ("X448", 448, 56),
];

rules! {
    PRIVATE = "jwk.private_key", High, "RFC 7517 section 9.2",
        "The key is private and was disclosed.";
    SYMMETRIC = "jwk.symmetric_key", High, "RFC 7517 section 9.2",
        "The key is symmetric and was disclosed.";
    WEAK = "jwk.weak_key", High, "RFC 7518 section 3",
        "The key is too short or has a bad exponent.";
    MISSING = "jwk.missing_member", High, "RFC 7518 section 6",
        "A member that the key type requires is missing.";
    NOT_BASE64URL = "jwk.not_base64url", High, "RFC 7518 section 2",
        "A member is not base64url.";
    BAD_CURVE = "jwk.bad_curve", High, "RFC 7518 section 6.2.1.1",
        "The curve is missing or unknown.";
    BAD_LENGTH = "jwk.bad_length", Medium, "RFC 7518 section 6.2.1.2",
        "A coordinate has the wrong length.";
    NOT_A_KEY_RULE = "jwk.not_a_key", Medium, "RFC 7517 section 5",
        "A member of the set is no key.";
    UNKNOWN_TYPE = "jwk.unknown_type", Medium, "RFC 7518 section 6.1",
        "The key type is not registered.";
    CONTRADICTION = "jwk.contradiction", Medium, "RFC 7517 section 4.3",
        "Members contradict each other.";
    REPEATED_MEMBER = "jwk.repeated_member", Medium, "RFC 7517 section 4",
        "A member name is given twice.";
    SAME_KEY_ID = "jwk.same_key_id", Medium, "RFC 7517 section 4.5",
        "Two keys of a set have the same identifier.";
    LEADING_ZERO = "jwk.leading_zero", Low, "RFC 7518 section 6.3.1.1",
        "The modulus has a leading zero octet.";
    NO_KEY_ID = "jwk.no_key_id", Low, "RFC 7517 section 4.5",
        "A key of a set has no identifier.";
    EMPTY_SET = "jwk.empty_set", Low, "RFC 7517 section 5",
        "The set holds no keys.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        parse(text)
            .unwrap()
            .problems
            .iter()
            .map(|p| p.code)
            .collect()
    }

    #[test]
    fn the_thumbprint_of_rfc_7638_section_3_1_is_computed() {
        let text = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#;
        let reading = parse(text).unwrap();
        let key = &reading.value.keys[0];
        assert_eq!(
            key.thumbprint.as_deref(),
            Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
        );
        assert_eq!((key.bits, reading.problems.len()), (Some(2048), 0));
    }

    #[test]
    fn private_members_are_pointed_at_and_not_repeated() {
        let text = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"c2VjcmV0c2VjcmV0","kid":"a"},{"kty":"oct","k":"c2VjcmV0a2V5","kid":"b"}]}"#;
        let reading = parse(text).unwrap();
        let shown = format!(
            "{}{:?}",
            serde_json::to_string(&reading.value).unwrap(),
            reading.problems
        );
        assert!(!shown.contains("c2VjcmV0"), "{shown}");
        let private = reading
            .problems
            .iter()
            .find(|p| p.code == "jwk.private_key")
            .unwrap();
        let part = &text[private.span.start as usize..private.span.end as usize];
        assert!(
            part.starts_with("\"d\":") && part.ends_with("c2VjcmV0\""),
            "{part}"
        );
        assert!(reading.has("jwk.symmetric_key") && reading.has("jwk.bad_length"));
    }

    #[test]
    fn faults_of_form_are_named() {
        assert_eq!(
            codes(r#"{"kty":"EC","crv":"P-255","x":"!"}"#),
            ["jwk.missing_member", "jwk.bad_curve", "jwk.not_base64url"]
        );
        assert_eq!(
            codes(
                r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"RS256"}"#
            ),
            ["jwk.contradiction"]
        );
        assert_eq!(codes(r#"{"keys":[]}"#), ["jwk.empty_set"]);
        assert!(parse(r#"{"a":1}"#).is_err());
    }
}
