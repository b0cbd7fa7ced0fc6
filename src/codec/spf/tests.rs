//! SPF records: the examples of RFC 7208, and what breaks or weakens one.

use super::*;

fn codes(text: &str) -> Vec<&'static str> {
    parse(text)
        .unwrap()
        .problems
        .iter()
        .map(|p| p.code)
        .collect()
}

fn faulty(text: &str) -> String {
    let reading = parse(text).unwrap();
    assert!(!reading.value.valid, "{text} passed");
    let problem = reading
        .problems
        .iter()
        .find(|p| p.code == "spf.syntax")
        .expect(text);
    let chars = text.chars().skip(problem.span.start as usize);
    chars
        .take((problem.span.end - problem.span.start) as usize)
        .collect()
}

#[test]
fn records_of_rfc_7208_appendix_a_are_valid() {
    for text in [
        "v=spf1 +all",
        "v=spf1 a -all",
        "v=spf1 a:example.org -all",
        "v=spf1 mx -all",
        "v=spf1 mx:example.org -all",
        "v=spf1 mx mx:example.org -all",
        "v=spf1 mx/30 mx:example.org/30 -all",
        "v=spf1 ptr -all",
        "v=spf1 ip4:192.0.2.128/28 -all",
        "v=spf1 include:example.org -all",
        "v=spf1 redirect=_spf.example.com",
        "v=spf1 mx:example.com -all",
        "v=spf1 mx -all exp=explain._spf.%{d}",
        "v=spf1 -ptr:example.com exists:%{ir}.%{v}._spf.%{d2} ~all",
        "v=spf1 a//64 mx/24//64 ip6:2001:db8::/32 -ALL",
        "v=spf1",
    ] {
        assert!(parse(text).unwrap().value.valid, "{text}");
    }
}

#[test]
fn the_part_at_fault_is_pointed_at() {
    assert_eq!(faulty("v=spf1 ip4:192.0.2.300 -all"), "192.0.2.300");
    assert_eq!(faulty("v=spf1 ip4:192.0.2.0/33 -all"), "33");
    assert_eq!(faulty("v=spf1 ip4:192.0.2.0/024 -all"), "024");
    assert_eq!(faulty("v=spf1 a:example.com/ -all"), "");
    assert_eq!(faulty("v=spf1 include -all"), "include");
    assert_eq!(faulty("v=spf1 ip4 -all"), "ip4");
    assert_eq!(
        faulty("v=spf1 inlcude:example.com -all"),
        "inlcude:example.com"
    );
    assert_eq!(
        faulty("v=spf1 include=example.com -all"),
        "include=example.com"
    );
    assert_eq!(faulty("v=spf1 -all:x"), ":x");
    assert_eq!(faulty("v=spf1 exists:%{q}.example.com -all"), "%{q}");
    assert_eq!(faulty("v=spf1 ip:192.0.2.1 -all"), "ip:192.0.2.1");
    assert_eq!(faulty("v=spf1 redirect= "), "redirect=");
}

#[test]
fn what_weakens_a_record_is_named() {
    assert_eq!(codes("v=spf1 +all"), ["spf.all_pass"]);
    assert_eq!(codes("v=spf1 all a"), ["spf.all_pass", "spf.unreachable"]);
    assert_eq!(codes("v=spf1 a ?all"), ["spf.all_neutral"]);
    assert_eq!(codes("v=spf1 a"), ["spf.no_all"]);
    assert_eq!(codes("v=spf1 ptr -all"), ["spf.ptr"]);
    assert_eq!(
        codes("v=spf1 redirect=a.example -all"),
        ["spf.redirect_ignored"]
    );
    assert_eq!(
        codes("v=spf1 ip4:10.0.0.1 ip4:0.0.0.0/0 -all"),
        ["spf.not_public", "spf.whole_internet"]
    );
    assert_eq!(
        codes("v=spf1 -all exp=a.example exp=b.example"),
        ["spf.repeated_modifier"]
    );
}

#[test]
fn the_eleventh_lookup_breaks_the_record() {
    let ten: String = (0..10).map(|n| format!(" include:s{n}.example")).collect();
    assert!(parse(&format!("v=spf1{ten} -all")).unwrap().value.valid);
    let reading = parse(&format!("v=spf1{ten} a -all")).unwrap();
    assert_eq!((reading.value.lookups, reading.value.valid), (11, false));
    assert!(reading.has("spf.too_many_lookups"));
}

#[test]
fn another_version_is_another_record() {
    assert!(parse("v=spf10 -all").is_err());
    assert!(parse("v=spf2.0/pra -all").is_err());
}

#[test]
fn a_break_between_terms_is_pointed_at_once() {
    let breaks = |text: &str| -> Vec<String> {
        let problems = parse(text).unwrap().problems;
        let found = problems.iter().filter(|p| p.code == "spf.white_space");
        let part = |span: super::super::Span| {
            let chars = text.chars().skip(span.start as usize);
            chars.take((span.end - span.start) as usize).collect()
        };
        found.map(|p| part(p.span)).collect()
    };
    assert_eq!(breaks("v=spf1 mx\t-all"), ["\t"]);
    assert_eq!(breaks("v=spf1 mx\r\n -all"), ["\r\n"]);
    assert_eq!(breaks("v=spf1 mx\r\n\t-all"), ["\r\n\t"]);
    assert_eq!(breaks("v=spf1\tmx -all"), ["\t"]);
}

#[test]
fn nothing_is_said_of_other_senders_by_a_record_that_is_a_permerror() {
    for text in [
        "v=spf1 -all;",
        "v=spf1 a \u{2013}all",
        "v=spf1 -all:x",
        "v=spf1 mx, -al",
    ] {
        let reading = parse(text).unwrap();
        assert!(!reading.value.valid, "{text}");
        assert!(!reading.has("spf.no_all"), "{text}");
    }
}
