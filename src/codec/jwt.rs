//! JSON Web Tokens (RFC 7519) in compact form: signed (RFC 7515), encrypted
//! (RFC 7516) or unsecured, with the advice of RFC 8725.
//!
//! The signature is counted and never repeated, claims that hold secrets are
//! masked, nothing is verified. Problems with a claim point at the base64
//! characters that encode it.

use std::ops::Range;

use ::base64::Engine;
use ::base64::alphabet;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;
use serde_json::{Map, Value};

use super::format::{Format, NotThis, Outcome, Reading, Scribe};
use super::json::scan::{Scan, scan};
use super::sweep::{Names, Secrets};
use super::{Context, Kind, moment, secret};

mod judge;

/// What there is to know about the kind `jwt`.
pub const FORMAT: Format = Format {
    kind: Kind::Jwt,
    title: "JSON Web Token",
    reference: "RFC 7519",
    example: "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiIxMjM0IiwiaWF0IjoxNzAwMDAwMDAwLCJleHAiOjE3MDAwMDM2MDB9.",
    fields: &[
        (
            "form",
            "`signed`, `unsecured` (no signature) or `encrypted`",
        ),
        ("algorithm", "`alg` of the header"),
        (
            "header",
            "members of the header; private key members are masked",
        ),
        (
            "claims",
            "members of the payload; those that hold secrets are masked. Null when \
             encrypted or not JSON",
        ),
        (
            "times",
            "`issuedAt`, `notBefore`, `expires` as RFC 3339, `expired`, and \
             `lifetimeSeconds` between issue and expiry",
        ),
        (
            "signature",
            "`present` and `bytes`; the signature itself is never repeated",
        ),
    ],
    rules: judge::RULES,
    sniff,
    read,
};

/// How the token is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// JWS with a signature or MAC.
    Signed,
    /// `alg` is `none`.
    Unsecured,
    /// JWE.
    Encrypted,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Jwt {
    /// How it is protected.
    pub form: Form,
    /// `alg` of the header.
    pub algorithm: Option<String>,
    /// The header, private key members masked.
    pub header: Map<String, Value>,
    /// The claims, secrets masked; None when encrypted or not a JSON object.
    pub claims: Option<Map<String, Value>>,
    /// When it holds.
    pub times: Times,
    /// That there is a signature, not which.
    pub signature: Signature,
}

/// When a token holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    issued_at: Option<String>,
    not_before: Option<String>,
    expires: Option<String>,
    expired: Option<bool>,
    lifetime_seconds: Option<i64>,
}

/// What is said about a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signature {
    present: bool,
    bytes: usize,
}

/// A base64url segment that holds JSON.
pub(super) struct Segment<'a> {
    /// The slice of the text.
    pub(super) part: &'a str,
    json: String,
    scan: Scan,
}

impl<'a> Segment<'a> {
    fn read(part: &'a str) -> Option<Self> {
        let json = String::from_utf8(LENIENT.decode(in_url_alphabet(part)).ok()?).ok()?;
        let scan = scan(&json);
        Some(Segment { part, json, scan })
    }

    fn object(&self) -> Option<Map<String, Value>> {
        match self.scan.value(&self.json)? {
            Value::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The characters that encode the member of this name.
    pub(super) fn place(&self, name: &str) -> &'a str {
        match self.scan.member(name) {
            Some(member) => self.encoding(member.name_at.start..member.value_at.end),
            None => self.part,
        }
    }

    /// The characters that encode these bytes of the JSON text.
    pub(super) fn encoding(&self, bytes: Range<usize>) -> &'a str {
        let (start, end) = (bytes.start * 8 / 6, (bytes.end * 8).div_ceil(6));
        self.part
            .get(start..end.min(self.part.len()))
            .unwrap_or(self.part)
    }
}

/// Reads one token at a moment (Unix seconds).
///
/// # Errors
/// [`NotThis`] when the text has not three or five segments, or its first
/// is no JSON object.
pub fn parse(text: &str, now: i64) -> Result<Reading<Jwt>, NotThis> {
    let token = bare(text);
    let segments: Vec<&str> = token.split('.').take(6).collect();
    let (head, payload, signature) = match segments.as_slice() {
        [head, payload, signature] => (*head, Some(*payload), *signature),
        [head, _, _, _, tag] => (*head, None, *tag),
        _ => return Err(NOT_A_TOKEN),
    };
    let head = Segment::read(head).ok_or(NOT_A_TOKEN)?;
    let header = head.object().ok_or(NOT_A_TOKEN)?;
    let mut scribe = Scribe::new(text);
    let body = payload.and_then(Segment::read);
    let claims = body.as_ref().and_then(Segment::object);
    let algorithm = header.get("alg").and_then(Value::as_str).map(str::to_owned);
    let form = match (&algorithm, payload) {
        (_, None) => Form::Encrypted,
        (Some(alg), _) if alg.eq_ignore_ascii_case("none") => Form::Unsecured,
        _ => Form::Signed,
    };
    let times = claims
        .as_ref()
        .map(|claims| times(claims, now))
        .unwrap_or_default();
    let mut judge = judge::Judge {
        scribe: &mut scribe,
        now,
    };
    judge.encoding(token, &segments);
    judge.header(&head, &header, form);
    judge.signature(form, signature, token, &times);
    match (&body, &claims, payload) {
        (Some(body), Some(claims), _) => judge.claims(body, claims),
        (_, _, Some(payload)) => judge.payload_is_no_object(payload),
        _ => {}
    }
    scribe.note(match form {
        Form::Encrypted => "The claims are encrypted; only the header can be read.",
        _ => {
            "Header and claims are encoded, not encrypted: anyone can read them. \
             Nothing was verified."
        }
    });
    let inside = body.iter().chain([&head]);
    let secrets = inside.fold(Secrets::of(text), |secrets, segment| {
        secrets.and(Secrets::of(&segment.json))
    });
    let shown = |members| secrets.sweep_members(secret::masked(members), Names::Theirs);
    let jwt = Jwt {
        form,
        algorithm,
        header: shown(header),
        claims: claims.map(shown),
        times,
        signature: Signature {
            present: !signature.is_empty() && form != Form::Encrypted,
            bytes: signature.len() * 6 / 8,
        },
    };
    Ok(Reading::new(jwt, scribe))
}

/// The token without an `Authorization: Bearer` in front or quotes around.
fn bare(text: &str) -> &str {
    let mut token = text.trim();
    for prefix in ["authorization:", "bearer "] {
        if let Some(head) = token.get(..prefix.len())
            && head.eq_ignore_ascii_case(prefix)
        {
            token = token.get(prefix.len()..).unwrap_or_default().trim_start();
        }
    }
    token.trim_matches(['"', '\'', '`'])
}

/// The same characters in the URL-safe alphabet, so that offsets stay.
fn in_url_alphabet(part: &str) -> String {
    part.trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_")
}

fn times(claims: &Map<String, Value>, now: i64) -> Times {
    let at = |name: &str| judge::seconds(claims.get(name)?);
    let (issued, expires) = (at("iat"), at("exp"));
    Times {
        issued_at: issued.map(moment::rfc3339),
        not_before: at("nbf").map(moment::rfc3339),
        expires: expires.map(moment::rfc3339),
        expired: expires.map(|expires| expires <= now),
        lifetime_seconds: issued
            .zip(expires)
            .map(|(issued, expires)| expires.saturating_sub(issued)),
    }
}

fn sniff(text: &str) -> u8 {
    let token = bare(text);
    // `{"` and `{` with white space behind it, in base64.
    if !token.starts_with("ey") && !token.starts_with("ew") {
        return 0;
    }
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    let head = token.split('.').next().unwrap_or_default();
    let is_object = Segment::read(head).is_some_and(|head| head.object().is_some());
    match (is_object, dots) {
        (true, 2 | 4) => 99,
        _ => 0,
    }
}

fn read(text: &str, context: &Context) -> Outcome {
    parse(text, context.now()).map(Reading::untyped)
}

const NOT_A_TOKEN: NotThis = NotThis(
    "a token has three segments (five when encrypted) with dots between them, \
     the first of which is a base64url JSON object.",
);

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: i64 = 1_800_000_000;

    fn token(header: &str, claims: &str, signature: &str) -> String {
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{signature}", encode(header), encode(claims))
    }

    fn codes(text: &str) -> Vec<&'static str> {
        parse(text, NOW)
            .unwrap()
            .problems
            .iter()
            .map(|p| p.code)
            .collect()
    }

    #[test]
    fn the_token_of_rfc_7519_section_3_1_is_read() {
        let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let jwt = parse(text, NOW).unwrap().value;
        assert_eq!(jwt.algorithm.as_deref(), Some("HS256"));
        assert_eq!(jwt.times.expires.as_deref(), Some("2011-03-22T18:43:00Z"));
        assert_eq!(
            jwt.signature,
            Signature {
                present: true,
                bytes: 32
            }
        );
        assert!(
            !serde_json::to_string(&jwt)
                .unwrap()
                .contains("dBjftJeZ4CVP")
        );
    }

    #[test]
    fn a_claim_is_pointed_at_inside_its_base64() {
        let text = token(
            r#"{"alg":"ES256"}"#,
            r#"{"iss":"a","aud":"b","iat":1799990000,"exp":1799990060}"#,
            "c2ln",
        );
        let reading = parse(&text, NOW).unwrap();
        let problem = reading
            .problems
            .iter()
            .find(|p| p.code == "jwt.expired")
            .unwrap();
        let part = &text[problem.span.start as usize..problem.span.end as usize];
        let offset = problem.span.start as usize - text.find('.').unwrap() - 1;
        // Decoded from the group of four that it begins in, it is the claim.
        let from = problem.span.start as usize - offset % 4;
        let aligned = &text[from..from + (offset % 4 + part.len()).next_multiple_of(4)];
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(aligned).unwrap()).unwrap();
        assert!(decoded.contains(r#""exp":17999900"#), "{decoded}");
    }

    #[test]
    fn an_unsecured_token_is_grave() {
        let text = token(
            r#"{"alg":"NoNe"}"#,
            r#"{"iss":"a","aud":"b","exp":1900000000}"#,
            "",
        );
        assert!(codes(&text).contains(&"jwt.alg_none"));
        assert_eq!(parse(&text, NOW).unwrap().value.form, Form::Unsecured);
    }

    #[test]
    fn secrets_are_masked_and_named() {
        let text = token(
            r#"{"alg":"ES256","jwk":{"kty":"EC","d":"cHJpdmF0ZQ"}}"#,
            r#"{"password":"hunter2","exp":1800000060}"#,
            "c2ln",
        );
        let reading = parse(&text, NOW).unwrap();
        let shown = serde_json::to_string(&reading.value).unwrap();
        assert!(
            !shown.contains("hunter2") && !shown.contains("cHJpdmF0ZQ"),
            "{shown}"
        );
        assert!(reading.has("jwt.secret_claim") && reading.has("jwt.private_key_in_header"));
        assert!(
            reading
                .problems
                .iter()
                .all(|p| !p.message.contains("hunter2"))
        );
    }

    #[test]
    fn a_token_inside_the_token_keeps_its_signature_in_names_too() {
        let inner = token(
            r#"{"alg":"ES256"}"#,
            r#"{"sub":"a"}"#,
            "c2lnbmF0dXJlIG9mIGl0",
        );
        let claims = format!(r#"{{"act":["{inner}"],"{inner}":{{"c2lnbmF0dXJlIG9mIGl0":1}}}}"#);
        let shown = parse(&token(r#"{"alg":"ES256"}"#, &claims, "c2ln"), NOW).unwrap();
        let claims = Value::Object(shown.value.claims.unwrap());
        assert!(!claims.to_string().contains("c2lnbmF0dXJl"), "{claims}");
        assert_eq!(claims.as_object().map(Map::len), Some(2));
    }

    #[test]
    fn times_are_judged() {
        let expired = token(
            r#"{"alg":"ES256"}"#,
            r#"{"exp":1700000000,"nbf":1900000000,"iat":"x"}"#,
            "c2ln",
        );
        let found = codes(&expired);
        for code in ["jwt.expired", "jwt.not_yet_valid", "jwt.bad_time"] {
            assert!(found.contains(&code), "{code} not in {found:?}");
        }
        let millis = token(r#"{"alg":"ES256"}"#, r#"{"exp":1900000000000}"#, "c2ln");
        assert!(codes(&millis).contains(&"jwt.milliseconds"));
    }

    #[test]
    fn an_encrypted_token_shows_its_header() {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
        let jwt = parse(&format!("{head}.a.b.c.d"), NOW).unwrap().value;
        assert_eq!((jwt.form, jwt.claims), (Form::Encrypted, None));
    }

    #[test]
    fn a_host_name_is_no_token() {
        assert!(parse("www.example.com", NOW).is_err());
        assert_eq!(sniff("www.example.com"), 0);
    }
}
