//! What is wrong with an HTTP head, beyond fields that are kinds of their own.

use super::{Field, Head};
use crate::codec::format::{Scribe, quoted, rules};

/// The form of one field line.
pub(super) fn form(scribe: &mut Scribe, name: &str, value: &str, line: &str) {
    let bare = name.trim_end();
    if bare.len() < name.len() {
        let gap = name.get(bare.len()..).unwrap_or(name);
        scribe.flag(
            SPACE_BEFORE_COLON,
            gap,
            "White space before the colon: servers must refuse it, some read another field.",
        );
    }
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if let Some(at) = bare.find(|c| !is_token(c)) {
        let rest = bare.get(at..).unwrap_or(bare);
        let part = rest
            .chars()
            .next()
            .and_then(|c| rest.get(..c.len_utf8()))
            .unwrap_or(bare);
        scribe.flag(BAD_NAME, part, "This character cannot be in a field name.");
    }
    if let Some(at) = line.find('\n') {
        scribe.flag(
            FOLDED,
            line.get(at + 1..).unwrap_or(line),
            "Folded lines are obsolete; servers refuse or join them.",
        );
    }
    let control = |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\r' | '\n');
    if let Some(at) = value.find(control) {
        scribe.flag(
            CONTROL,
            value.get(at..=at).unwrap_or(value),
            "A control character in a value is dangerous.",
        );
    }
}

/// The fields together.
pub(super) fn head(scribe: &mut Scribe, head: &Head, fields: &[Field]) {
    lengths(scribe, fields);
    let request = head.message == Some("request");
    let host = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("host"))
        .count();
    if request && host != 1 && head.version.as_deref() == Some("HTTP/1.1") {
        let part = fields.first().map_or("", |field| field.line);
        scribe.flag(HOST, part, "A request of HTTP/1.1 has exactly one Host.");
    }
    for field in fields {
        one(scribe, field);
    }
    let find = |name: &str| {
        fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    };
    if let (Some(origin), Some(credentials)) = (
        find("access-control-allow-origin"),
        find("access-control-allow-credentials"),
    ) && credentials.value == "true"
        && matches!(origin.value, "*" | "null")
    {
        let message = match origin.value {
            "*" => "Browsers refuse `*` together with credentials.",
            _ => {
                "Any sandboxed page has the origin `null` and may read answers with the \
                 user's credentials."
            }
        };
        scribe.flag(CORS, origin.value, message);
    }
}

/// Fields that say how long the body is (RFC 9112 section 6.3).
fn lengths(scribe: &mut Scribe, fields: &[Field]) {
    let named = |name: &'static str| {
        fields
            .iter()
            .filter(move |field| field.name.eq_ignore_ascii_case(name))
    };
    if let (Some(_), Some(coding)) = (
        named("content-length").next(),
        named("transfer-encoding").next(),
    ) {
        scribe.flag(
            TWO_LENGTHS,
            coding.line,
            "Content-Length and Transfer-Encoding together: intermediaries may \
             disagree where the message ends.",
        );
    }
    let mut lengths = named("content-length");
    if let Some(first) = lengths.next()
        && let Some(other) = lengths.find(|other| other.value != first.value)
    {
        scribe.flag(
            TWO_LENGTHS,
            other.line,
            "Two different lengths: intermediaries may disagree where the message ends.",
        );
    }
}

fn one(scribe: &mut Scribe, field: &Field) {
    let value = field.value;
    let lower = value.to_ascii_lowercase();
    match field.name.to_ascii_lowercase().as_str() {
        "x-content-type-options" if lower != "nosniff" => {
            scribe.flag(BAD_VALUE, value, "The only value is `nosniff`.")
        }
        "x-frame-options" if lower.starts_with("allow-from") => {
            scribe.flag(
                OBSOLETE,
                value,
                "ALLOW-FROM is ignored by browsers: anyone may frame the page. Use \
                 frame-ancestors.",
            );
        }
        "x-frame-options" if !matches!(lower.as_str(), "deny" | "sameorigin") => {
            scribe.flag(BAD_VALUE, value, "The values are `DENY` and `SAMEORIGIN`.")
        }
        "x-xss-protection" if lower != "0" => scribe.flag(
            OBSOLETE,
            value,
            "Browsers removed this filter; where it still is, it can be abused. Send 0 or nothing.",
        ),
        "referrer-policy" => referrer(scribe, value),
        "public-key-pins"
        | "public-key-pins-report-only"
        | "expect-ct"
        | "pragma"
        | "p3p"
        | "feature-policy" => {
            scribe.flag(
                OBSOLETE,
                field.name,
                format!("{} is obsolete.", quoted(field.name)),
            );
        }
        "server" | "x-powered-by" | "x-aspnet-version" | "x-aspnetmvc-version" | "x-generator"
            if value.contains(|c: char| c.is_ascii_digit()) =>
        {
            scribe.flag(VERSION, value, "Tells the version of the software.");
        }
        "access-control-allow-origin" if value.contains([',', ' ']) => scribe.flag(
            CORS,
            value,
            "One origin, `*` or `null`; browsers refuse a list.",
        ),
        "content-length" if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) => {
            scribe.flag(BAD_VALUE, field.line, "A length is a number of octets.")
        }
        name if is_credential(name) && !value.is_empty() => {
            scribe.flag(
                CREDENTIAL,
                value,
                "A credential was pasted: treat it as disclosed. It is not repeated here.",
            );
        }
        _ => {}
    }
}

fn referrer(scribe: &mut Scribe, value: &str) {
    const KNOWN: &[&str] = &[
        "no-referrer",
        "no-referrer-when-downgrade",
        "origin",
        "origin-when-cross-origin",
        "same-origin",
        "strict-origin",
        "strict-origin-when-cross-origin",
        "unsafe-url",
    ];
    let policies: Vec<&str> = value.split(',').map(str::trim).take(16).collect();
    for policy in policies
        .iter()
        .filter(|policy| !KNOWN.contains(&policy.to_ascii_lowercase().as_str()))
    {
        scribe.flag(
            BAD_VALUE,
            policy,
            format!(
                "{} is no referrer policy; browsers skip it.",
                quoted(policy)
            ),
        );
    }
    if let Some(last) = policies
        .last()
        .filter(|last| last.eq_ignore_ascii_case("unsafe-url"))
    {
        scribe.flag(
            FULL_REFERRER,
            last,
            "Sends whole addresses to other sites, over unencrypted connections too.",
        );
    }
}

/// Whether a field of this lower-case name carries a credential.
pub(super) fn is_credential(name: &str) -> bool {
    matches!(
        name,
        "authorization"
            | "proxy-authorization"
            | "cookie"
            | "x-api-key"
            | "x-auth-token"
            | "x-access-token"
            | "x-csrf-token"
            | "x-amz-security-token"
            | "api-key"
            | "x-vault-token"
    )
}

/// Security headers that a response lacks.
pub(super) fn missing(fields: &[Field]) -> Vec<&'static str> {
    let has = |name: &str| {
        fields
            .iter()
            .any(|field| field.name.eq_ignore_ascii_case(name))
    };
    let framed = fields.iter().any(|field| {
        field.name.eq_ignore_ascii_case("content-security-policy")
            && field.value.to_ascii_lowercase().contains("frame-ancestors")
    });
    [
        "strict-transport-security",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "permissions-policy",
    ]
    .into_iter()
    .filter(|name| !has(name))
    .chain((!framed && !has("x-frame-options")).then_some("x-frame-options or frame-ancestors"))
    .collect()
}

/// Fields by which a head without a first line is recognised.
pub(super) const COMMON: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "access-control-allow-origin",
    "age",
    "alt-svc",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "cookie",
    "date",
    "etag",
    "expires",
    "host",
    "last-modified",
    "location",
    "permissions-policy",
    "referrer-policy",
    "server",
    "set-cookie",
    "strict-transport-security",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "x-content-type-options",
    "x-frame-options",
    "x-powered-by",
    "x-xss-protection",
];

rules! {
    TWO_LENGTHS = "http_head.two_lengths", High, "RFC 9112 section 6.3",
        "Fields contradict each other about the length of the message.";
    SPACE_BEFORE_COLON = "http_head.space_before_colon", High, "RFC 9112 section 5.1",
        "White space stands before a colon.";
    CREDENTIAL = "http_head.credential", High, "RFC 9110 section 17.16.3",
        "A field carries a credential.";
    CONTROL = "http_head.control_character", High, "RFC 9110 section 5.5",
        "A value has a control character.";
    CORS = "http_head.cors", Medium, "WHATWG Fetch section 3.3.3",
        "Cross-origin access is allowed in a way that is refused or dangerous.";
    BAD_START = "http_head.bad_start_line", Medium, "RFC 9112 section 4",
        "The first line is malformed.";
    NO_COLON = "http_head.no_colon", Medium, "RFC 9112 section 5",
        "A line has no colon.";
    BAD_NAME = "http_head.bad_name", Medium, "RFC 9110 section 5.1",
        "A field name has a character it cannot have.";
    HOST = "http_head.host", Medium, "RFC 9112 section 3.2",
        "A request lacks Host, or has several.";
    FOLDED = "http_head.folded", Medium, "RFC 9112 section 5.2",
        "A field is folded over lines.";
    BAD_VALUE = "http_head.bad_value", Medium, "RFC 9110 section 5.5",
        "A field has a value that does not exist.";
    OBSOLETE = "http_head.obsolete", Low, "RFC 9110 section 16.3.1",
        "A field or value is obsolete.";
    FULL_REFERRER = "http_head.full_referrer", Medium, "W3C Referrer Policy section 3.8",
        "Whole addresses are sent to other sites.";
    TOO_MANY = "http_head.too_many", Low, "RFC 9110 section 5.4",
        "There are more fields than are read.";
    VERSION = "http_head.version", Info, "RFC 9110 section 10.2.4",
        "A field tells the version of the software.";
}
