//! What is wrong with a token (RFC 7519, RFC 8725).

use serde_json::{Map, Value};

use super::{Form, Segment, Times};
use crate::codec::format::{Scribe, quoted, rules};
use crate::codec::{moment, secret};

/// Takes down problems of one token.
pub(super) struct Judge<'s, 't> {
    pub(super) scribe: &'s mut Scribe<'t>,
    /// Unix seconds.
    pub(super) now: i64,
}

impl Judge<'_, '_> {
    /// Segments are base64url without padding.
    pub(super) fn encoding(&mut self, token: &str, segments: &[&str]) {
        for segment in segments {
            let is_url_safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            let Some(at) = segment.find(|c: char| !is_url_safe(c)) else {
                continue;
            };
            let rest = segment.get(at..).unwrap_or(token);
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let part = rest.get(..first).unwrap_or(rest);
            let (rule, message) = match part {
                "=" => (PADDING, "Segments carry no padding."),
                _ => (
                    NOT_BASE64URL,
                    "This character is not in the base64url alphabet; strict parsers refuse \
                     the token.",
                ),
            };
            self.scribe.flag(rule, part, message);
        }
    }

    pub(super) fn header(&mut self, segment: &Segment, header: &Map<String, Value>, form: Form) {
        self.repeated(segment);
        let place = segment.place("alg");
        match header.get("alg").and_then(Value::as_str) {
            None => self
                .scribe
                .flag(NO_ALGORITHM, segment.part, "The header has no `alg`."),
            Some(alg) if form == Form::Unsecured => {
                self.scribe.flag(
                    ALG_NONE,
                    place,
                    format!(
                        "The algorithm is {}: anyone can write this token.",
                        quoted(alg)
                    ),
                );
            }
            Some("RSA1_5") => {
                self.scribe
                    .flag(WEAK_ALGORITHM, place, "RSA1_5 is open to padding oracles.")
            }
            Some("RS1" | "HS1") => {
                self.scribe
                    .flag(WEAK_ALGORITHM, place, "The algorithm rests on SHA-1.")
            }
            Some(alg) if !ALGORITHMS.contains(&alg) => {
                self.scribe.flag(
                    UNKNOWN_ALGORITHM,
                    place,
                    format!("{} is not registered.", quoted(alg)),
                );
            }
            Some(alg) if alg.starts_with("HS") => {
                self.scribe.flag(
                    SHARED_SECRET,
                    place,
                    "Whoever can verify this token can also make one; a guessable secret can \
                     be found offline.",
                );
            }
            Some(_) => {}
        }
        self.key_hints(segment, header);
        self.critical(segment, header);
    }

    /// Members that tell the verifier where to take its key from.
    fn key_hints(&mut self, segment: &Segment, header: &Map<String, Value>) {
        for name in ["jku", "x5u"] {
            if header.contains_key(name) {
                self.scribe.flag(
                    KEY_BY_URL,
                    segment.place(name),
                    format!(
                        "`{name}` makes verifiers fetch a key from an address that the token \
                         names; only known addresses may be accepted."
                    ),
                );
            }
        }
        if let Some(key) = header.get("jwk") {
            let place = segment.place("jwk");
            if secret::is_private_key(key) {
                self.scribe.flag(
                    PRIVATE_KEY_IN_HEADER,
                    place,
                    "The header carries a private key; treat it as disclosed.",
                );
            } else {
                self.scribe.flag(
                    KEY_IN_TOKEN,
                    place,
                    "The token brings its own key; a verifier that trusts it accepts anything.",
                );
            }
        }
        if let Some(kid) = header.get("kid").and_then(Value::as_str)
            && (kid.contains("..") || kid.contains(['/', '\\', '\'', '"', ';', '|', '\0']))
        {
            self.scribe.flag(
                ODD_KEY_ID,
                segment.place("kid"),
                "The key identifier has characters that are dangerous in a path or query.",
            );
        }
    }

    /// `b64` is the one extension in wide use (RFC 7797).
    fn critical(&mut self, segment: &Segment, header: &Map<String, Value>) {
        let Some(critical) = header.get("crit") else {
            return;
        };
        let names = critical.as_array().map(Vec::as_slice).unwrap_or_default();
        let known = |name: &Value| name == "b64" && header.contains_key("b64");
        if names.is_empty() || !names.iter().all(known) {
            self.scribe.flag(
                CRITICAL,
                segment.place("crit"),
                "`crit` is malformed or demands extensions that few verifiers know; all \
                 others must refuse the token.",
            );
        }
    }

    pub(super) fn signature(&mut self, form: Form, signature: &str, token: &str, times: &Times) {
        match form {
            Form::Signed if signature.is_empty() => {
                self.scribe.flag(
                    NO_SIGNATURE,
                    token,
                    "The signature is missing although the header names an algorithm.",
                );
            }
            Form::Unsecured if !signature.is_empty() => {
                self.scribe.flag(
                    STRAY_SIGNATURE,
                    signature,
                    "An unsecured token must have an empty signature.",
                );
            }
            Form::Signed if times.expired != Some(true) => {
                self.scribe.flag(
                    USABLE,
                    token,
                    "This token may still be valid: whoever reads it can use it. Revoke it if \
                     it was real.",
                );
            }
            _ => {}
        }
    }

    pub(super) fn payload_is_no_object(&mut self, payload: &str) {
        self.scribe.flag(
            NOT_CLAIMS,
            payload,
            "The payload is not a JSON object: a JWS perhaps, but not a JWT.",
        );
    }

    pub(super) fn claims(&mut self, segment: &Segment, claims: &Map<String, Value>) {
        self.repeated(segment);
        for name in ["exp", "nbf", "iat"] {
            if let Some(value) = claims.get(name) {
                self.time(segment, name, value);
            }
        }
        self.lifetime(segment, claims);
        for (name, rule) in [("exp", NO_EXPIRY), ("aud", NO_AUDIENCE), ("iss", NO_ISSUER)] {
            if !claims.contains_key(name) {
                self.scribe
                    .flag(rule, segment.part, format!("There is no `{name}`."));
            }
        }
        for name in claims.keys().filter(|name| secret::is_secret_name(name)) {
            self.scribe.flag(
                SECRET_CLAIM,
                segment.place(name),
                "This claim holds a secret that anyone with the token can read; its value \
                 is not repeated here.",
            );
        }
    }

    fn time(&mut self, segment: &Segment, name: &str, value: &Value) {
        let place = segment.place(name);
        let Some(at) = seconds(value) else {
            self.scribe.flag(
                BAD_TIME,
                place,
                format!("`{name}` must be a number of seconds since 1970."),
            );
            return;
        };
        if at > MILLISECONDS {
            self.scribe.flag(
                MILLIS,
                place,
                format!("`{name}` looks like milliseconds; it must be seconds."),
            );
            return;
        }
        let span = moment::span_text(self.now.saturating_sub(at));
        let date = moment::rfc3339(at);
        match name {
            "exp" if at <= self.now => {
                self.scribe
                    .flag(EXPIRED, place, format!("Expired {span} ago, at {date}."))
            }
            "nbf" if at > self.now => self.scribe.flag(
                NOT_YET_VALID,
                place,
                format!("Not valid before {date}, in {span}."),
            ),
            "iat" if at > self.now.saturating_add(CLOCK_SKEW) => {
                self.scribe.flag(
                    FUTURE_ISSUE,
                    place,
                    format!("Issued in the future, at {date}."),
                );
            }
            _ => {}
        }
    }

    fn lifetime(&mut self, segment: &Segment, claims: &Map<String, Value>) {
        let at = |name: &str| {
            claims
                .get(name)
                .and_then(seconds)
                .filter(|at| *at <= MILLISECONDS)
        };
        let Some(expires) = at("exp") else {
            return;
        };
        let from = at("iat").or(at("nbf"));
        if from.is_some_and(|from| expires < from) {
            self.scribe.flag(
                REVERSED,
                segment.place("exp"),
                "The token expires before it begins.",
            );
        } else if expires.saturating_sub(from.unwrap_or(self.now)) > LONG_LIFETIME {
            self.scribe.flag(
                LONG_LIVED,
                segment.place("exp"),
                "The token holds for more than 90 days and can hardly be revoked.",
            );
        }
    }

    fn repeated(&mut self, segment: &Segment) {
        for range in &segment.scan.repeated {
            let part = segment.encoding(range.clone());
            self.scribe.flag(
                REPEATED_MEMBER,
                part,
                "A member name is given twice; parsers differ in which one they take.",
            );
        }
    }
}

/// A NumericDate (RFC 7519 section 2) in whole seconds.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|number| number.abs() < 1e15)?;
        Some(number as i64)
    })
}

/// Beyond the year 5138 in seconds: milliseconds are meant.
const MILLISECONDS: i64 = 100_000_000_000;
const CLOCK_SKEW: i64 = 300;
const LONG_LIFETIME: i64 = 90 * 86_400;

/// IANA "JSON Web Signature and Encryption Algorithms", usable as `alg`.
#[rustfmt::skip]
const ALGORITHMS: &[&str] = &[
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "ES256K",
    "PS256", "PS384", "PS512", "EdDSA", "Ed25519", "Ed448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87",
    "RSA-OAEP", "RSA-OAEP-256", "RSA-OAEP-384", "RSA-OAEP-512", "A128KW", "A192KW", "A256KW", "dir",
    "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW", "A128GCMKW", "A192GCMKW",
    "A256GCMKW", "PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW",
];

rules! {
    ALG_NONE = "jwt.alg_none", High, "RFC 8725 section 3.2",
        "The token is unsecured.";
    NO_SIGNATURE = "jwt.no_signature", High, "RFC 7515 section 5.2",
        "The signature is missing.";
    PRIVATE_KEY_IN_HEADER = "jwt.private_key_in_header", High, "RFC 7515 section 4.1.3",
        "The header carries a private key.";
    SECRET_CLAIM = "jwt.secret_claim", High, "RFC 7519 section 12",
        "A claim holds a secret in the clear.";
    NO_ALGORITHM = "jwt.no_algorithm", High, "RFC 7515 section 4.1.1",
        "The header names no algorithm.";
    WEAK_ALGORITHM = "jwt.weak_algorithm", High, "RFC 8725 section 3.2",
        "The algorithm is broken or fragile.";
    UNKNOWN_ALGORITHM = "jwt.unknown_algorithm", Medium, "RFC 7518 section 3.1",
        "The algorithm is not registered.";
    USABLE = "jwt.usable", Medium, "RFC 6750 section 5.2",
        "The token is signed and not known to be expired: it can be used by whoever reads it.";
    STRAY_SIGNATURE = "jwt.stray_signature", Medium, "RFC 7518 section 3.6",
        "An unsecured token has a signature.";
    KEY_BY_URL = "jwt.key_by_url", Medium, "RFC 8725 section 3.10",
        "The header names an address to fetch the key from.";
    KEY_IN_TOKEN = "jwt.key_in_token", Medium, "RFC 8725 section 3.10",
        "The header carries the key.";
    ODD_KEY_ID = "jwt.odd_key_id", Medium, "RFC 8725 section 3.10",
        "The key identifier could be an injection.";
    CRITICAL = "jwt.critical", Medium, "RFC 7515 section 4.1.11",
        "The header demands extensions.";
    REPEATED_MEMBER = "jwt.repeated_member", Medium, "RFC 7519 section 4",
        "A member name is given twice.";
    NOT_BASE64URL = "jwt.not_base64url", Medium, "RFC 7515 section 2",
        "A segment has characters outside base64url.";
    PADDING = "jwt.padding", Low, "RFC 7515 section 2",
        "A segment is padded.";
    NOT_CLAIMS = "jwt.not_claims", Medium, "RFC 7519 section 7.2",
        "The payload is no JSON object.";
    EXPIRED = "jwt.expired", Medium, "RFC 7519 section 4.1.4",
        "The token has expired.";
    NOT_YET_VALID = "jwt.not_yet_valid", Medium, "RFC 7519 section 4.1.5",
        "The token is not valid yet.";
    FUTURE_ISSUE = "jwt.future_issue", Low, "RFC 7519 section 4.1.6",
        "The token was issued in the future.";
    BAD_TIME = "jwt.bad_time", Medium, "RFC 7519 section 2",
        "A time is no number.";
    MILLIS = "jwt.milliseconds", Medium, "RFC 7519 section 2",
        "A time is in milliseconds.";
    REVERSED = "jwt.reversed", Medium, "RFC 7519 section 4.1.4",
        "The token expires before it begins.";
    NO_EXPIRY = "jwt.no_expiry", Medium, "RFC 7519 section 4.1.4",
        "The token never expires.";
    NO_AUDIENCE = "jwt.no_audience", Low, "RFC 8725 section 3.9",
        "The token names no audience and can be replayed elsewhere.";
    NO_ISSUER = "jwt.no_issuer", Low, "RFC 8725 section 3.8",
        "The token names no issuer.";
    LONG_LIVED = "jwt.long_lived", Low, "RFC 7519 section 4.1.4",
        "The token holds for more than 90 days.";
    SHARED_SECRET = "jwt.shared_secret", Info, "RFC 8725 section 3.5",
        "The token is authenticated with a shared secret.";
}
