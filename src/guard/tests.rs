//! The guard through its public face, rule by rule.

use super::*;

fn class(result: Result<PublicUrl, Refusal>) -> Class {
    result.expect_err("must be refused").class
}

#[test]
fn a_plain_url_passes_in_canonical_form() {
    let guard = Guard::default();
    let url = guard
        .validate_fetch_url("HTTPS://Example.COM.:443/a/../b?q=1#fragment")
        .unwrap();
    assert_eq!(url.as_str(), "https://example.com/b?q=1");
    assert_eq!(url.host(), "example.com");
    assert_eq!(url.authority(), "example.com");
    assert_eq!(url.name(), Some("example.com"));
    assert_eq!(url.port(), 443);
    assert_eq!(url.path_and_query(), "/b?q=1");
}

#[test]
fn each_refusal_names_its_class() {
    let guard = Guard::default();
    for (raw, expected) in [
        ("", Class::Malformed),
        ("https:example.com", Class::Malformed),
        ("https://exam\u{200B}ple.com/", Class::Malformed),
        ("ftp://example.com/", Class::Scheme),
        ("https://user@example.com/", Class::UserInfo),
        ("https://example.com:8443/", Class::Port),
        ("https://localhost/", Class::Name),
        ("https://router/", Class::Name),
        ("http://127.0.0.1/", Class::Address),
        ("http://0x8.8.8.8/", Class::Address),
        ("http://[::1]/", Class::Address),
        ("https://netrecon.someone.workers.dev/", Class::Owner),
    ] {
        assert_eq!(class(guard.validate_fetch_url(raw)), expected, "{raw}");
    }
}

#[test]
fn answers_are_refused_alike_whether_missing_or_private() {
    let guard = Guard::default();
    let url = guard.validate_target("example.com").unwrap();
    let public = "93.184.216.34".parse().unwrap();
    let private = "10.0.0.1".parse().unwrap();
    assert_eq!(guard.judge_answers(&url, &[public], &[]).unwrap().len(), 1);
    for (addresses, aliases) in [
        (vec![], vec![]),
        (vec![public, private], vec![]),
        (vec![public], vec!["intranet.corp".to_owned()]),
    ] {
        let refusal = guard.judge_answers(&url, &addresses, &aliases).unwrap_err();
        assert_eq!(refusal.class, Class::Resolution);
    }
}
