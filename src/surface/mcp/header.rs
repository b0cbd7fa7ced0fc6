//! Header fields of the transport: which answer a client can read, where it
//! comes from, and the mirrors of body members that 2026-07-28 asks for.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::rpc::{Fault, HEADER_MISMATCH};

/// Whether the client reads an event stream and nothing else. Whoever names
/// neither, or anything, gets JSON.
pub(super) fn wants_events(accept: Option<&str>) -> bool {
    let mut events = false;
    for range in accept.unwrap_or_default().split(',') {
        let range = range.split(';').next().unwrap_or_default().trim();
        let is = |name: &str| range.eq_ignore_ascii_case(name);
        if is("application/json") || is("application/*") || is("*/*") {
            return false;
        }
        events |= is("text/event-stream");
    }
    events
}

/// Whether an `Origin` may call. There is no cookie or credential here that a
/// page could misuse, so every website may; what no website can have (`null`,
/// a file, text that is no origin) may not.
pub(super) fn is_web_origin(origin: &str) -> bool {
    Url::parse(origin).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Holds a mirroring field against the body's `member`, byte for byte but for
/// outer white space.
pub(super) fn mirrors(name: &str, field: Option<&str>, member: &str) -> Result<(), Fault> {
    same(name, field.map(|field| Cow::Borrowed(trim(field))), member)
}

/// Like [`mirrors`], for `Mcp-Name`, whose value may be encoded.
pub(super) fn mirrors_decoded(name: &str, field: Option<&str>, member: &str) -> Result<(), Fault> {
    match field.map(|field| decoded(trim(field))) {
        Some(None) => mismatch(name, "is not the base64 of UTF-8 that its form promises"),
        Some(field) => same(name, field, member),
        None => same(name, None, member),
    }
}

fn same(name: &str, field: Option<Cow<'_, str>>, member: &str) -> Result<(), Fault> {
    match field {
        None => mismatch(name, "is missing; it repeats a member of the body"),
        Some(field) if field == member => Ok(()),
        Some(_) => mismatch(name, "differs from the body; send the same value in both"),
    }
}

fn mismatch(name: &str, what: &str) -> Result<(), Fault> {
    Err(Fault::new(
        400,
        HEADER_MISMATCH,
        format!("The header {name} {what}"),
    ))
}

fn trim(field: &str) -> &str {
    field.trim_matches([' ', '\t'])
}

/// A field's value: literal, or `=?base64?...?=` around the standard base64 of
/// UTF-8. `None` when what is inside is not exactly that.
fn decoded(field: &str) -> Option<Cow<'_, str>> {
    let Some(inner) = field
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="))
    else {
        return Some(Cow::Borrowed(field));
    };
    let bytes = STANDARD.decode(inner).ok()?;
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stream_is_for_clients_that_read_nothing_else() {
        assert!(wants_events(Some("text/event-stream")));
        assert!(wants_events(Some("Text/Event-Stream; q=1")));
        for accept in [
            "application/json, text/event-stream",
            "text/event-stream, application/json;q=0.5",
            "text/event-stream, */*",
            "*/*",
            "application/json",
            "",
        ] {
            assert!(!wants_events(Some(accept)), "{accept}");
        }
        assert!(!wants_events(None));
    }

    #[test]
    fn every_website_may_call_and_nothing_else() {
        for origin in [
            "https://example.com",
            "http://localhost:6274",
            "https://[2001:db8::1]:8443",
        ] {
            assert!(is_web_origin(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "example.com",
            "file:///etc/passwd",
            "https://",
            "https://a@b.com",
            "https://a.com/b",
        ] {
            assert!(!is_web_origin(origin), "{origin}");
        }
    }

    #[test]
    fn a_mirror_is_compared_without_its_outer_white_space_and_by_case() {
        assert!(mirrors("Mcp-Method", Some(" \ttools/call "), "tools/call").is_ok());
        for field in [
            None,
            Some("tools/Call"),
            Some(""),
            Some("tools/call, tools/call"),
        ] {
            let fault = mirrors("Mcp-Method", field, "tools/call").unwrap_err();
            assert_eq!(fault.status, 400);
            assert!(fault.answer(None, None).contains("-32020"), "{field:?}");
        }
    }

    #[test]
    fn a_mirror_may_be_base64_between_exact_sentinels() {
        assert!(mirrors_decoded("Mcp-Name", Some("=?base64?ZGVjb2Rl?="), "decode").is_ok());
        assert!(mirrors_decoded("Mcp-Name", Some("=?base64?w7xiZXI=?="), "über").is_ok());
        // Without both sentinels, or with others, the text is literal.
        for literal in ["=?base64?ZGVjb2Rl", "ZGVjb2Rl?=", "=?BASE64?ZGVjb2Rl?="] {
            assert!(
                mirrors_decoded("Mcp-Name", Some(literal), literal).is_ok(),
                "{literal}"
            );
            assert!(
                mirrors_decoded("Mcp-Name", Some(literal), "decode").is_err(),
                "{literal}"
            );
        }
        // Padding, alphabet, trailing bits, UTF-8.
        for broken in ["w7xiZXI", "w7xi_XI=", "w7xiZXJ=", "/w==", "Z GVj"] {
            let field = format!("=?base64?{broken}?=");
            assert!(
                mirrors_decoded("Mcp-Name", Some(&field), "über").is_err(),
                "{broken}"
            );
        }
    }
}
