//! Cookies that browsers take and refuse.

use super::*;

const NOW: i64 = 1_800_000_000;

fn cookie(text: &str) -> Cookie {
    parse(text, NOW).unwrap().value.cookies.remove(0)
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
fn a_careful_cookie_has_no_problems() {
    let text = "__Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600";
    assert_eq!(codes(text), [""; 0]);
    assert!(cookie(text).accepted && !cookie(text).session);
}

#[test]
fn values_are_never_repeated() {
    let reading = parse("Set-Cookie: sid=s3cr3t-t0k3n", NOW).unwrap();
    let shown = format!(
        "{}{:?}",
        serde_json::to_string(&reading.value).unwrap(),
        reading.problems
    );
    assert!(!shown.contains("s3cr3t"), "{shown}");
    assert_eq!(reading.value.cookies[0].value_length, 12);
}

#[test]
fn what_browsers_refuse_is_not_accepted() {
    for (text, code) in [
        ("__Host-a=b; Secure; Path=/x", "set_cookie.prefix"),
        (
            "__host-a=b; Secure; Path=/; Domain=example.com",
            "set_cookie.prefix",
        ),
        ("__Secure-a=b", "set_cookie.prefix"),
        ("__Http-a=b; Secure", "set_cookie.prefix"),
        ("a=b; SameSite=None", "set_cookie.none_without_secure"),
        ("a=b; Partitioned", "set_cookie.partitioned_without_secure"),
        ("=; Secure", "set_cookie.empty"),
        ("a=b\u{1}c", "set_cookie.control_character"),
    ] {
        assert!(
            !cookie(text).accepted && codes(text).contains(&code),
            "{text}: {:?}",
            codes(text)
        );
    }
}

#[test]
fn dates_and_ages_are_read() {
    let past = "a=b; Expires=Wed, 21 Oct 2015 07:28:00 GMT";
    assert_eq!(
        cookie(past).expires.as_deref(),
        Some("2015-10-21T07:28:00Z")
    );
    assert!(codes(past).contains(&"set_cookie.deletes"));
    assert_eq!(
        cookie("a=b; expires=Wed, 21-Oct-2015 07:28:00 GMT")
            .expires
            .as_deref(),
        Some("2015-10-21T07:28:00Z")
    );
    assert_eq!(
        cookie("a=b; Max-Age=99999999999999999999").max_age,
        Some(i64::MAX)
    );
    assert!(codes("a=b; Expires=tomorrow").contains(&"set_cookie.bad_date"));
}

#[test]
fn several_fields_are_several_cookies() {
    let cookies = parse(
        "Set-Cookie: a=1\r\nServer: x\r\nSet-Cookie: b=2; Secure",
        NOW,
    )
    .unwrap()
    .value
    .cookies;
    assert_eq!(
        cookies
            .iter()
            .map(|cookie| cookie.name.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
}
