//! URLs: what passes has one form, what does not has no other spelling that
//! does, and a redirect is judged like the first URL.

use std::net::IpAddr;

use netrecon::guard::{Class, Guard, Policy, PublicUrl, Refusal, Scheme};
use proptest::prelude::*;

fn judge(raw: &str) -> Result<PublicUrl, Refusal> {
    Guard::default().validate_fetch_url(raw)
}

fn public(raw: &str) -> PublicUrl {
    judge(raw).unwrap_or_else(|refusal| panic!("{raw}: {refusal:?}"))
}

/// URLs of which about half pass: plain parts, put together with a sprinkle of
/// what attackers use.
fn any_url() -> impl Strategy<Value = String> {
    let scheme = prop_oneof![8 => Just("https://"), 4 => Just("HTTP://"), 1 => Just("ftp://"), 1 => Just("https:/")];
    let host = prop_oneof![
        6 => "[a-zA-Z0-9-]{1,12}\\.(com|net|ORG|de|co\\.uk)",
        2 => "[a-zäöüßéｅｆ]{1,10}\\.com",
        1 => "[0-9a-fx.]{1,16}",
        1 => "\\[[0-9a-f:.]{2,30}\\]",
        1 => "(localhost|metadata\\.google\\.internal|127\\.0\\.0\\.1|8\\.8\\.8\\.8)",
        1 => "\\PC{1,12}",
    ];
    let tail = prop_oneof![
        Just(String::new()),
        Just(":80".to_owned()),
        Just(":443".to_owned()),
        Just(".".to_owned()),
        Just(":8080".to_owned()),
        Just(":".to_owned()),
        Just("@evil.com".to_owned()),
    ];
    let path = prop_oneof![
        "(/[a-z0-9._~%-]{0,8}){0,4}",
        "/\\PC{0,20}",
        Just(String::new())
    ];
    let rest = prop_oneof![
        Just(String::new()),
        "\\?[a-z=&%]{0,10}",
        "#[a-z]{0,10}",
        "\\?\\PC{0,10}#\\PC{0,10}"
    ];
    (scheme, host, tail, path, rest)
        .prop_map(|(scheme, host, tail, path, rest)| format!("{scheme}{host}{tail}{path}{rest}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_passes_is_canonical_and_passes_again_unchanged(raw in any_url()) {
        let Ok(url) = judge(&raw) else { return Ok(()) };
        prop_assert_eq!(&public(url.as_str()), &url);
        prop_assert_eq!(public(url.as_str()).to_string(), url.to_string());

        prop_assert!(url.as_str().bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#'));
        prop_assert!(url.as_str().starts_with(url.scheme().as_str()));
        prop_assert!(!url.authority().contains(['@', '%', ' ']));
        prop_assert!(!url.host().ends_with('.'));
        prop_assert_eq!(url.name().is_some(), url.ip().is_none());
        prop_assert!(matches!(url.port(), 80 | 443));
        match url.ip() {
            Some(ip) => prop_assert!(Guard::default().judge_address(ip, url.port()).is_ok()),
            None => prop_assert!(url.host().bytes().all(
                |b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))),
        }
    }

    #[test]
    fn another_parser_reads_the_same_host_in_what_passes(raw in any_url()) {
        let Ok(url) = judge(&raw) else { return Ok(()) };
        // RFC 3986 appendix B, by hand: nothing shared with the guard's parser.
        let rest = url.as_str().split_once("://").unwrap().1;
        let authority = rest.split(['/', '?', '#']).next().unwrap();
        prop_assert_eq!(authority, url.authority());
        let host = authority.rsplit_once(']').map_or_else(
            || authority.split(':').next().unwrap(),
            |(v6, _)| v6.trim_start_matches('['),
        );
        prop_assert_eq!(host, url.host());
    }

    #[test]
    fn no_text_makes_the_guard_panic(raw in "\\PC{0,80}|.{0,80}") {
        let guard = Guard::default();
        let _ = guard.validate_fetch_url(&raw);
        let _ = guard.validate_target(&raw);
        let _ = guard.validate_lookup_name(&raw);
        let _ = guard.redirect(&public("https://example.com/a"), &raw);
    }

    #[test]
    fn a_name_gets_one_verdict_however_it_is_written(
        name in prop::sample::select(NAMES),
        upper in any::<u32>(),
        wide in any::<u32>(),
        dot in prop::sample::select(&["", ".", "。", "．", "｡"][..]),
    ) {
        let mut spelled: String = name.chars().enumerate().map(|(i, c)| match c {
            'a'..='z' | '-' if wide >> (i % 32) & 1 == 1 => char::from_u32(c as u32 + 0xFEE0).unwrap(),
            c if upper >> (i % 32) & 1 == 1 => c.to_ascii_uppercase(),
            c => c,
        }).collect();
        spelled.push_str(dot);
        prop_assert_eq!(judge(&format!("https://{spelled}/")), judge(&format!("https://{name}/")), "{}", spelled);
    }

    #[test]
    fn a_location_is_judged_like_a_url_or_stays_at_its_host(location in any_url(), path in "\\PC{0,30}") {
        let guard = Guard::default();
        let from = public("https://www.example.com/a/b?c");
        prop_assert_eq!(guard.redirect(&from, &location), guard.validate_fetch_url(&location));
        if let Ok(next) = guard.redirect(&from, &path)
            && !path.contains(':') && !path.starts_with("//")
        {
            prop_assert_eq!(next.authority(), from.authority());
            prop_assert_eq!(next.scheme(), from.scheme());
        }
    }

    #[test]
    fn a_sibling_stays_at_its_host(path in "/\\PC{0,40}") {
        let from = public("https://www.example.com/a");
        if let Ok(next) = from.with_path(&path) {
            prop_assert_eq!(next.authority(), from.authority());
            prop_assert_eq!(next.scheme(), from.scheme());
            prop_assert_eq!(&public(next.as_str()), &next);
        }
    }
}

const NAMES: &[&str] = &[
    "example.com",
    "www.example.co.uk",
    "localhost",
    "a.localhost",
    "printer.local",
    "metadata.google.internal",
    "metadata.goog",
    "duskgytldkxiuqc6.onion",
    "x.test",
    "router.home.arpa",
    "kubernetes.default.svc",
    "10.0.0.1.nip.io",
    "app.workers.dev",
    "intranet",
    "1.0.0.127.in-addr.arpa",
    "notlocalhost.com",
    "mylocal.net",
];

#[test]
fn suffix_rules_hold_at_label_boundaries_only() {
    for good in [
        "notlocalhost.com",
        "mylocal.net",
        "local.com",
        "onion.org",
        "internal.example.com",
        "arpa.net",
        "test.com",
        "workers.dev.example.com",
        "myworkers.dev",
    ] {
        assert!(judge(&format!("https://{good}/")).is_ok(), "{good}");
    }
    for bad in [
        "a.b.local",
        "x.onion",
        "foo.internal",
        "x.arpa",
        "workers.dev",
        "a.b.workers.dev",
    ] {
        assert!(judge(&format!("https://{bad}/")).is_err(), "{bad}");
    }
}

#[test]
fn a_name_that_cannot_be_in_the_dns_is_malformed() {
    let long_label = "a".repeat(64);
    let long_name = ["abcdefg"; 32].join(".");
    for bad in [
        "a..b.com",
        ".example.com",
        "example.com..",
        "-a.com",
        "a-.com",
        "a_b.com",
        "a!b.com",
        "a,b.com",
        &format!("{long_label}.com"),
        &format!("{long_name}.com"),
        "xn--localhost-",
        "xn--a.com",
        "a\u{323}-.com",
        "-\u{e9}.com",
        "a\u{558}b.com",
        "xn--ab-t1g.com",
        "a\u{209d}b.com",
        "exa\u{AD}mple.com",
        "exa\u{200B}mple.com",
        "exam\u{2060}ple.com",
        "a\u{202E}b.com",
        "loc%61lhost",
        "ex ample.com",
    ] {
        let refusal = judge(&format!("https://{bad}/")).unwrap_err();
        assert_eq!(refusal.class, Class::Malformed, "{bad}: {}", refusal.rule);
    }
}

#[test]
fn nothing_is_repaired() {
    for bad in [
        " https://example.com/",
        "https://example.com/ ",
        "https://exa\tmple.com/",
        "https://example.com/\n",
        "https:\\\\example.com\\",
        "https://example.com\\@evil.com/",
        "https:example.com",
        "https:/example.com/",
        "https:///example.com/",
        "//example.com/",
        "/path",
        "example.com",
        "https://",
        "https://:443/",
        "https://?",
        "https://example.com/\u{202E}gnp",
        "https://[::1",
        "https://::1]/",
        "https://[v1.x]/",
        "https://example.com:port/",
        "https://example.com:65536/",
        "https://[2606:4700::1111%25eth0]/",
    ] {
        assert!(judge(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn user_info_is_refused_even_when_it_is_empty() {
    for bad in [
        "https://u@example.com/",
        "https://u:p@example.com/",
        "https://@example.com/",
        "https://:@example.com/",
        "https://example.com:443@evil.com/",
    ] {
        assert_eq!(judge(bad).unwrap_err().class, Class::UserInfo, "{bad}");
    }
    // Behind the authority it is only a character.
    assert!(judge("https://example.com/@user?to=a@b.c").is_ok());
}

#[test]
fn the_longest_url_passes_and_one_byte_more_does_not() {
    let of = |length: usize| format!("https://example.com/{}", "a".repeat(length - 20));
    assert!(judge(&of(2048)).is_ok());
    assert_eq!(judge(&of(2049)).unwrap_err().rule, "url.length");
    // Percent-encoding triples it: what counts is what would be sent, too.
    assert_eq!(
        judge(&format!("https://example.com/{}", "ä".repeat(900)))
            .unwrap_err()
            .rule,
        "url.length"
    );
}

#[test]
fn ports_are_those_of_the_policy() {
    let guard = Guard::new(Policy {
        ports: vec![443, 8443],
        ..Policy::default()
    });
    assert_eq!(
        guard
            .validate_fetch_url("https://example.com:8443/")
            .unwrap()
            .port(),
        8443
    );
    assert_eq!(
        guard
            .validate_fetch_url("http://example.com/")
            .unwrap_err()
            .class,
        Class::Port
    );
    let url = guard.validate_fetch_url("https://example.com/").unwrap();
    assert_eq!(
        url.with_scheme(Scheme::Http).unwrap_err().class,
        Class::Port
    );
    let ip: IpAddr = "93.184.216.34".parse().unwrap();
    assert!(guard.judge_address(ip, 8443).is_ok());
    assert_eq!(guard.judge_address(ip, 80).unwrap_err().class, Class::Port);
}

#[test]
fn the_other_scheme_of_a_url_has_its_own_port() {
    let url = public("https://example.com/a?b");
    let twin = url.with_scheme(Scheme::Http).unwrap();
    assert_eq!((twin.as_str(), twin.port()), ("http://example.com/a?b", 80));
    assert_eq!(twin.with_scheme(Scheme::Https).unwrap(), url);
}

#[test]
fn an_allowlist_names_the_only_targets() {
    let allowlist = [
        "example.com",
        "*.example.net",
        ".EXAMPLE.org.",
        "bücher.de",
        "93.184.216.34",
    ]
    .map(String::from);
    let guard = Guard::new(Policy {
        allowlist: allowlist.to_vec(),
        ..Policy::default()
    });
    for good in [
        "example.com",
        "www.example.com",
        "a.example.net",
        "example.org",
        "xn--bcher-kva.de",
        "93.184.216.34",
    ] {
        assert!(guard.validate_target(good).is_ok(), "{good}");
        assert!(guard.validate_lookup_name(good).is_ok(), "{good}");
    }
    for bad in [
        "notexample.com",
        "example.com.evil.net",
        "93.184.216.35",
        "34.com",
        "evil.net",
    ] {
        assert_eq!(
            guard.validate_target(bad).unwrap_err().class,
            Class::Allowlist,
            "{bad}"
        );
        assert_eq!(
            guard.validate_lookup_name(bad).unwrap_err().class,
            Class::Allowlist,
            "{bad}"
        );
    }
    // It narrows; it never opens.
    let guard = Guard::new(Policy {
        allowlist: vec!["127.0.0.1".into(), "localhost".into()],
        ..Policy::default()
    });
    assert_eq!(
        guard.validate_target("127.0.0.1").unwrap_err().class,
        Class::Address
    );
    assert_eq!(
        guard.validate_target("localhost").unwrap_err().class,
        Class::Name
    );
    // A list of nothing but nonsense allows nothing.
    let guard = Guard::new(Policy {
        allowlist: vec!["not a name".into()],
        ..Policy::default()
    });
    assert_eq!(
        guard.validate_target("example.com").unwrap_err().class,
        Class::Allowlist
    );
}

#[test]
fn our_own_hosts_are_no_targets() {
    let guard = Guard::new(Policy {
        own_hosts: vec!["NetRecon.example.com".into()],
        ..Policy::default()
    });
    for bad in [
        "netrecon.example.com",
        "NETRECON.EXAMPLE.COM.",
        "anything.workers.dev",
    ] {
        assert_eq!(
            guard.validate_target(bad).unwrap_err().class,
            Class::Owner,
            "{bad}"
        );
    }
    assert!(guard.validate_target("www.example.com").is_ok());
    let from = guard.validate_target("www.example.com").unwrap();
    assert_eq!(
        guard
            .redirect(&from, "https://netrecon.example.com/")
            .unwrap_err()
            .class,
        Class::Owner
    );
    let ip: IpAddr = "93.184.216.34".parse().unwrap();
    let alias = vec!["netrecon.example.com".to_owned()];
    assert_eq!(
        guard.judge_answers(&from, &[ip], &alias).unwrap_err().class,
        Class::Resolution
    );
}

#[test]
fn a_target_is_a_host_or_a_url() {
    let guard = Guard::default();
    for (raw, expected) in [
        ("example.com", "https://example.com/"),
        ("Example.COM.", "https://example.com/"),
        ("bücher.de", "https://xn--bcher-kva.de/"),
        ("http://example.com/a?b#c", "http://example.com/a?b"),
        ("93.184.216.34", "https://93.184.216.34/"),
        ("2606:4700:4700::1111", "https://[2606:4700:4700::1111]/"),
        ("[2606:4700:4700::1111]", "https://[2606:4700:4700::1111]/"),
    ] {
        assert_eq!(
            guard.validate_target(raw).unwrap().as_str(),
            expected,
            "{raw}"
        );
    }
    for (raw, class) in [
        ("", Class::Malformed),
        ("example.com/path", Class::Malformed),
        ("example.com?q", Class::Malformed),
        (" example.com", Class::Malformed),
        ("//example.com", Class::Malformed),
        ("user@example.com", Class::Malformed),
        ("example.com:443", Class::Port),
        ("localhost:8080", Class::Port),
        ("mailto:user@example.com", Class::Scheme),
        ("javascript:alert(1)", Class::Scheme),
        ("file:///etc/passwd", Class::Scheme),
        ("::1", Class::Address),
        ("127.1", Class::Address),
        ("localhost", Class::Name),
    ] {
        assert_eq!(
            guard.validate_target(raw).unwrap_err().class,
            class,
            "{raw:?}"
        );
    }
}

#[test]
fn a_redirect_into_a_refused_class_is_refused() {
    let guard = Guard::default();
    let from = public("https://example.com/a/b");
    for (location, expected) in [
        ("/c", "https://example.com/c"),
        ("c", "https://example.com/a/c"),
        ("../c", "https://example.com/c"),
        ("?q", "https://example.com/a/b?q"),
        ("", "https://example.com/a/b"),
        ("#f", "https://example.com/a/b"),
        ("//www.example.com/x", "https://www.example.com/x"),
        ("http://example.com/", "http://example.com/"),
        ("./http://x/", "https://example.com/a/http://x/"),
        ("/a:b", "https://example.com/a:b"),
    ] {
        assert_eq!(
            guard.redirect(&from, location).unwrap().as_str(),
            expected,
            "{location:?}"
        );
    }
    for (location, class) in [
        ("http://127.0.0.1/", Class::Address),
        ("//169.254.169.254/latest/", Class::Address),
        ("http://[::1]/", Class::Address),
        ("https://localhost/", Class::Name),
        ("ftp://example.com/", Class::Scheme),
        ("javascript:alert(1)", Class::Scheme),
        ("data:text/html,x", Class::Scheme),
        ("file:///etc/passwd", Class::Scheme),
        ("https://u@example.com/", Class::UserInfo),
        ("https://example.com:22/", Class::Port),
        ("///localhost/", Class::Malformed),
        ("/\\localhost/", Class::Malformed),
        ("\\\\localhost\\", Class::Malformed),
        ("http:localhost", Class::Malformed),
        ("https:c", Class::Malformed),
        ("/a\r\nHost: b", Class::Malformed),
        (" /c", Class::Malformed),
    ] {
        assert_eq!(
            guard.redirect(&from, location).unwrap_err().class,
            class,
            "{location:?}"
        );
    }
}

#[test]
fn answers_stand_or_fall_together() {
    let guard = Guard::default();
    let url = public("https://example.com/");
    let ip = |ip: &str| ip.parse::<IpAddr>().unwrap();
    let good = [
        ip("93.184.216.34"),
        ip("2606:2800:220:1:248:1893:25c8:1946"),
    ];
    let judged = guard
        .judge_answers(&url, &good, &["_x.cdn.example.net".into()])
        .unwrap();
    assert_eq!(judged.iter().map(|a| a.ip()).collect::<Vec<_>>(), good);
    assert!(judged.iter().all(|a| a.port() == 443));
    for bad in [
        "10.0.0.1",
        "127.0.0.1",
        "::1",
        "::ffff:93.184.216.34",
        "64:ff9b::808:808",
        "169.254.169.254",
        "fe80::1",
        "fd00::1",
    ] {
        let answers = [good[0], ip(bad), good[1]];
        let refusal = guard.judge_answers(&url, &answers, &[]).unwrap_err();
        assert_eq!(refusal.class, Class::Resolution, "{bad}");
    }
    for alias in [
        "localhost",
        "db.internal",
        "cluster.local",
        "x.onion",
        "intranet",
        "a b",
        "app.workers.dev",
    ] {
        let refusal = guard
            .judge_answers(&url, &good, &[alias.into()])
            .unwrap_err();
        assert_eq!(refusal.class, Class::Resolution, "{alias}");
    }
}

#[test]
fn missing_and_private_answers_cannot_be_told_apart_outside() {
    let guard = Guard::default();
    let url = public("https://example.com/");
    let outward = |addresses: &[IpAddr], aliases: &[String]| {
        let refusal = guard.judge_answers(&url, addresses, aliases).unwrap_err();
        serde_json::to_string(&netrecon::error::Error::from(refusal)).unwrap()
    };
    let none = outward(&[], &[]);
    assert_eq!(none, outward(&["10.0.0.1".parse().unwrap()], &[]));
    assert_eq!(
        none,
        outward(&["8.8.8.8".parse().unwrap()], &["x.internal".into()])
    );
}

#[test]
fn the_precise_rule_stays_inside() {
    let refusal = judge("http://169.254.169.254/").unwrap_err();
    assert_eq!(refusal.rule, "ipv4.cloud_metadata");
    assert!(!refusal.to_string().contains("metadata"));
    let error = netrecon::error::Error::from(refusal);
    assert_eq!(error.reason, Some("address"));
    assert_eq!(error.internal.as_deref(), Some("ipv4.cloud_metadata"));
    assert!(!serde_json::to_string(&error).unwrap().contains("metadata"));
}

#[test]
fn a_name_server_is_spoken_to_only_where_the_operators_list_has_it() {
    let guard = Guard::new(Policy {
        allowlist: vec![String::from("lab-good.com")],
        ..Policy::default()
    });
    let ip = "93.184.216.10".parse().unwrap();
    assert!(guard.judge_name_server("ns1.lab-good.com", ip).is_ok());
    let refusal = guard.judge_name_server("ns1.example.net", ip).unwrap_err();
    assert_eq!(refusal.class, Class::Allowlist);
}

#[test]
fn a_reverse_zone_that_is_public_in_part_may_be_asked_about() {
    let guard = Guard::default();
    for zone in [
        "192.in-addr.arpa",
        "172.in-addr.arpa",
        "100.in-addr.arpa",
        "2.ip6.arpa",
        "x.ip6.arpa",
    ] {
        assert!(guard.validate_lookup_name(zone).is_ok(), "{zone}");
    }
    for zone in ["10.in-addr.arpa", "168.192.in-addr.arpa", "f.ip6.arpa"] {
        assert!(guard.validate_lookup_name(zone).is_err(), "{zone}");
    }
}

#[test]
fn a_lookup_takes_names_that_a_fetch_does_not() {
    let guard = Guard::default();
    for (raw, expected) in [
        ("_dmarc.Example.com.", "_dmarc.example.com"),
        ("_443._tcp.example.com", "_443._tcp.example.com"),
        ("com", "com"),
        ("8.8.8.8.in-addr.arpa", "8.8.8.8.in-addr.arpa"),
        ("bücher.de", "xn--bcher-kva.de"),
        ("10.0.0.1.nip.io", "10.0.0.1.nip.io"),
        ("in-addr.arpa", "in-addr.arpa"),
        ("ip6.arpa", "ip6.arpa"),
        ("app.workers.dev", "app.workers.dev"),
    ] {
        match guard.validate_lookup_name(raw) {
            Ok(netrecon::guard::LookupName::Name(name)) => assert_eq!(name.as_str(), expected),
            other => panic!("{raw}: {other:?}"),
        }
    }
    for (raw, class) in [
        ("", Class::Malformed),
        (".", Class::Malformed),
        ("a..b", Class::Malformed),
        ("a b.com", Class::Malformed),
        ("http://example.com/", Class::Malformed),
        ("localhost", Class::Name),
        ("x.local", Class::Name),
        ("x.onion", Class::Name),
        ("db.internal", Class::Name),
        ("metadata", Class::Name),
        ("router.home.arpa", Class::Name),
        ("1.0.0.10.in-addr.arpa", Class::Address),
        ("10.in-addr.arpa", Class::Address),
        ("d.f.ip6.arpa", Class::Address),
        ("127.0.0.1", Class::Address),
        ("::1", Class::Address),
        ("127.1", Class::Address),
        ("010.8.8.8", Class::Address),
    ] {
        assert_eq!(
            guard.validate_lookup_name(raw).unwrap_err().class,
            class,
            "{raw:?}"
        );
    }
}
