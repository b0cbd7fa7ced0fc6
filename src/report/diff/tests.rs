//! What `between` promises, on the sample and on generated reports.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::report::sample::{self, reports, with};

fn from_sample(edits: &[(&str, Value)]) -> Diff {
    between(&sample::report(), &with(edits))
}

/// The one change that `edits` make.
fn only(edits: &[(&str, Value)]) -> Change {
    let diff = from_sample(edits);
    assert_eq!(diff.changes.len(), 1, "{:#?}", diff.changes);
    assert!(!diff.equal);
    diff.changes.into_iter().next().expect("has one")
}

fn change(path: &str, kind: Kind, before: Value, after: Value) -> Change {
    Change {
        path: path.to_owned(),
        kind,
        before,
        after,
        weight: Weight::Churn,
        findings: Vec::new(),
    }
}

#[test]
fn what_changes_by_itself_is_no_change() {
    let page = "/probes/http/https/page";
    let later = json!({"status": 200, "bytes": 4711, "headers": {
        "date": ["Tue, 01 Sep 2026 10:00:00 GMT"],
        "x-request-id": ["018f"],
        "strict-transport-security": ["max-age=31536000"],
        "content-security-policy": ["script-src 'nonce-zzz999'"],
        "set-cookie": ["b=9; Secure", "a=8; Secure"],
    }});
    let soa = "ns.lab-good.com. host.lab-good.com. 2026090107 7200 3600 1209600 300";
    let diff = from_sample(&[
        ("/id", json!("aaaaaaaaaaaaaaaaaaaaaaaaaa")),
        ("/time", json!("2026-09-01T10:00:00Z")),
        (
            "/findings/1/title",
            json!("The certificate is valid for 32 days"),
        ),
        ("/probes/dns/a/records/0/ttl", json!(17)),
        ("/probes/dns/soa/records/0", sample::record("SOA", soa, 1)),
        ("/probes/http/https/hops/0/address", json!("192.0.2.2")),
        ("/probes/http/https/hops/0/timing", json!({"ms": 999})),
        (page, later),
    ]);
    assert_eq!(diff.changes, []);
    assert!(diff.equal);
}

#[test]
fn the_order_of_a_set_is_no_change_and_that_of_a_list_is_one() {
    let report = sample::json();
    let reversed = |pointer: &str| {
        let list = report.pointer(pointer).and_then(Value::as_array);
        list.expect("is a list")
            .iter()
            .rev()
            .cloned()
            .collect::<Value>()
    };
    for set in [
        "/findings",
        "/probes/dns/a/records",
        "/probes/dns/a/flags",
        "/probes/http/https/page/headers/set-cookie",
        "/probes/tls/chain/0/dnsNames",
        "/probes/exposure/paths",
    ] {
        assert!(from_sample(&[(set, reversed(set))]).equal, "{set}");
    }
    let hops = "/probes/http/https/hops";
    let change = only(&[(hops, reversed(hops))]);
    assert_eq!((change.path.as_str(), change.kind), (hops, Kind::Reordered));
}

#[test]
fn a_finding_that_fails_is_one_regression_with_both_verdicts() {
    let change = only(&[
        ("/findings/0/state", json!("fail")),
        ("/findings/0/severity", json!("high")),
        ("/findings/0/title", json!("HSTS is missing")),
    ]);
    assert_eq!(change.path, "/findings/http.hsts");
    assert_eq!(change.weight, Weight::Regress);
    let verdict =
        |state, severity, title| json!({"state": state, "severity": severity, "title": title});
    assert_eq!(
        change.before,
        verdict("pass", "none", "HSTS holds for a year")
    );
    assert_eq!(change.after, verdict("fail", "high", "HSTS is missing"));
    assert_eq!(change.findings, ["http.hsts"]);
}

#[test]
fn a_failed_measurement_is_churn_and_takes_nothing_away() {
    let finding = only(&[("/findings/0/state", json!("inconclusive"))]);
    assert_eq!(finding.weight, Weight::Churn);
    let failure = json!({"state": "timed_out"});
    let query = only(&[("/probes/dns/a", json!({"records": [], "failure": failure}))]);
    assert_eq!(
        query,
        change(
            "/probes/dns/a/failure",
            Kind::Added,
            Value::Null,
            failure.clone()
        )
    );
    let broken = with(&[
        ("/probes/dns/a/records", json!([])),
        ("/probes/dns/a/status", json!("serv_fail")),
    ]);
    let paths: Vec<String> = between(&sample::report(), &broken)
        .changes
        .into_iter()
        .map(|change| change.path)
        .collect();
    assert_eq!(paths, ["/probes/dns/a/status"]);
    let handshake = only(&[
        ("/probes/tls/handshakes/best", json!({"failure": failure})),
        ("/probes/tls/chain", json!([])),
        ("/probes/tls/trust", Value::Null),
    ]);
    assert_eq!(handshake.path, "/probes/tls/handshakes/best/failure");
}

#[test]
fn a_record_that_changes_is_one_removed_and_one_added() {
    let diff = from_sample(&[(
        "/probes/dns/a/records/1",
        sample::record("A", "203.0.113.9", 300),
    )]);
    let at = "/probes/dns/a/records";
    assert_eq!(
        diff.changes,
        [
            change(at, Kind::Added, Value::Null, json!("203.0.113.9")),
            change(at, Kind::Removed, json!("192.0.2.2"), Value::Null),
        ]
    );
}

#[test]
fn a_change_names_the_findings_that_rest_on_it() {
    let header = "/probes/http/https/page/headers/strict-transport-security";
    let hsts = only(&[(header, json!(["max-age=0"]))]);
    assert_eq!((hsts.path.as_str(), hsts.kind), (header, Kind::Changed));
    assert_eq!(
        (&hsts.before, &hsts.after),
        (&json!("max-age=31536000"), &json!("max-age=0"))
    );
    assert_eq!(hsts.findings, ["http.hsts"]);
    let issuer = only(&[("/probes/tls/chain/0/issuer", json!("CN=Other"))]);
    assert_eq!(issuer.findings, Vec::<String>::new());
}

#[test]
fn a_measured_value_with_a_direction_is_weighed() {
    let trust = only(&[("/probes/tls/trust/trusted", json!(false))]);
    assert_eq!(trust.weight, Weight::Regress);
    let exposed = only(&[("/probes/exposure/paths/0/matches", json!(true))]);
    assert_eq!(exposed.path, "/probes/exposure/paths/~1.git~1HEAD/matches");
    assert_eq!(exposed.weight, Weight::Regress);
}

/// The changes between what two reports have besides findings and probes.
fn besides(old: Value, new: Value, short: [bool; 2]) -> Vec<(String, Kind, Weight)> {
    let members = |value: Value| value.as_object().cloned().expect("is an object");
    let mut walk = Walk::default();
    let hosts = Hosts::between("a.example", "a.example");
    others(&mut walk, [members(old), members(new)], short, &hosts);
    let changes = walk.directed.into_iter().chain(walk.churn);
    changes.map(|c| (c.path, c.kind, c.weight)).collect()
}

#[test]
fn what_is_added_to_reports_is_compared_from_its_first_day() {
    let row = |rule: &str, modifier: i32| json!({"rule": rule, "result": "r", "modifier": modifier, "why": modifier.to_string()});
    let old = json!({
        "headerScore": {"score": 90, "grade": "A", "rows": [row("csp", -25), row("hsts", 0)]},
        "future": {"x": 1},
    });
    let new = json!({
        "headerScore": {"score": 70, "grade": "C", "rows": [row("hsts", -20), row("csp", -25)]},
    });
    let no = [false, false];
    assert_eq!(
        besides(old.clone(), new.clone(), no),
        [
            (
                String::from("/headerScore/score"),
                Kind::Changed,
                Weight::Regress
            ),
            (String::from("/future"), Kind::Removed, Weight::Churn),
            (
                String::from("/headerScore/rows/hsts"),
                Kind::Changed,
                Weight::Churn
            ),
        ]
    );
    assert_eq!(besides(new.clone(), old.clone(), no)[0].2, Weight::Improve);
    assert_eq!(besides(old.clone(), old.clone(), no), []);
    let short = besides(old, new, [false, true]);
    assert!(
        short.iter().all(|(path, ..)| path != "/future"),
        "{short:?}"
    );
}

#[test]
fn lists_are_paired_from_both_ends() {
    let at = "/probes/http/https/hops";
    let hops = sample::json().pointer(at).cloned().expect("has hops");
    let new = sample::hop("https://www.lab-good.com/", 302);
    let inserted = only(&[(at, json!([hops[0], new, hops[1]]))]);
    assert_eq!(
        (inserted.path, inserted.kind),
        (format!("{at}/1"), Kind::Added)
    );
    let status = only(&[("/probes/http/https/hops/1/status", json!(404))]);
    assert_eq!(status.path, "/probes/http/https/hops/1/status");
    assert_eq!((status.before, status.after), (json!(200), json!(404)));
}

#[test]
fn a_finding_that_a_short_report_leaves_out_is_no_change() {
    let whole = sample::report();
    let mut short = whole.clone();
    short.findings.pop();
    assert_eq!(between(&whole, &short).counts.all(), 1, "it is gone");
    short.omitted.push(String::from("findings that pass: one"));
    assert_eq!(between(&whole, &short).changes, []);
    assert_eq!(between(&short, &whole).changes, []);
}

#[test]
fn a_short_report_is_compared_with_a_whole_one_by_what_it_says() {
    let mut short = sample::json();
    short["omitted"] = json!(["the rest"]);
    let chain = &mut short["probes"]["tls"]["chain"][0];
    chain
        .as_object_mut()
        .expect("is an object")
        .remove("issuer");
    for exchange in short["probes"]["dns"]
        .as_object_mut()
        .into_iter()
        .flat_map(|dns| dns.values_mut())
    {
        exchange
            .as_object_mut()
            .expect("is an object")
            .remove("name");
        exchange["records"][0] =
            json!({"type": exchange["type"], "ttl": 1, "text": exchange["records"][0]["text"]});
    }
    let (whole, short) = (sample::report(), sample::typed(short));
    let diff = between(&whole, &short);
    assert_eq!(diff.changes, []);
    assert!(
        diff.notes.iter().any(|note| note.contains("short form")),
        "{:?}",
        diff.notes
    );
    let moved = with(&[(
        "/probes/dns/mx/records/0",
        sample::record("MX", "10 mx.evil.net.", 1),
    )]);
    let paths: Vec<String> = between(&short, &moved)
        .changes
        .into_iter()
        .map(|change| change.path)
        .collect();
    assert_eq!(paths, ["/probes/dns/mx/records", "/probes/dns/mx/records"]);
}

#[test]
fn two_hosts_are_compared_with_their_own_names_alike() {
    let other = sample::json()
        .to_string()
        .replace("lab-good.com", "lab-bad.net");
    let other = sample::typed(serde_json::from_str(&other).expect("is JSON"));
    let diff = between(&sample::report(), &other);
    assert_eq!(diff.changes, []);
    assert!(
        diff.notes.iter().any(|note| note.contains("two hosts")),
        "{:?}",
        diff.notes
    );
    assert_eq!(
        (
            diff.before.target.host.as_str(),
            diff.after.target.host.as_str()
        ),
        ("lab-good.com", "lab-bad.net")
    );
}

#[test]
fn two_pages_of_one_host_are_not_taken_for_one_that_changed() {
    let noted = |used: &str| {
        let diff = from_sample(&[("/target/used", json!(used))]);
        diff.notes.iter().any(|note| note.contains("two URLs"))
    };
    assert!(noted("https://lab-good.com/another"));
    assert!(!noted(&sample::report().target.used));
}

#[test]
fn both_vantages_are_stated_and_a_difference_is_noted() {
    let diff = from_sample(&[
        ("/vantage/colo", json!("SJC")),
        ("/coverage/ratio", json!(0.5)),
    ]);
    assert!(diff.equal);
    assert_eq!(
        (
            diff.before.vantage.colo.as_str(),
            diff.after.vantage.colo.as_str()
        ),
        ("AMS", "SJC")
    );
    assert!(
        diff.notes
            .iter()
            .any(|note| note.contains("different places")),
        "{:?}",
        diff.notes
    );
    assert!(
        diff.notes
            .iter()
            .any(|note| note.contains("Not everything")),
        "{:?}",
        diff.notes
    );
}

#[test]
fn a_long_diff_is_cut_worse_first_and_the_rest_is_counted() {
    let names = |from: u32| {
        (from..from + 2_000)
            .map(|n| json!(format!("host{n}.net")))
            .collect::<Value>()
    };
    let at = "/probes/tls/chain/0/dnsNames";
    let (old, new) = (
        with(&[(at, names(0))]),
        with(&[(at, names(2_000)), ("/findings/0/state", json!("fail"))]),
    );
    let (there, back) = (between(&old, &new), between(&new, &old));
    assert_eq!(
        (there.changes[0].weight, back.changes[0].weight),
        (Weight::Regress, Weight::Improve)
    );
    assert!(
        (100..=MAX_CHANGES).contains(&there.changes.len()),
        "{}",
        there.changes.len()
    );
    assert_eq!(there.counts.churn, 4_000);
    assert_eq!(there.unlisted as usize + there.changes.len(), 4_001);
    assert_eq!(
        sorted(there.changes.into_iter()),
        sorted(back.changes.iter().map(mirrored))
    );
}

#[test]
fn hostile_text_is_cleaned_wherever_it_is_repeated() {
    let evil = "\u{1b}[31m\u{202e}\u{e0041}\u{200b}do\nthis\u{0}";
    let diff = from_sample(&[
        ("/target/asked", json!(evil)),
        ("/time", json!(evil)),
        ("/vantage/colo", json!(evil)),
        ("/findings/0/state", json!("fail")),
        ("/findings/0/title", json!(evil)),
        ("/probes/tls", json!({evil: {evil: [evil, {evil: evil}]}})),
    ]);
    let text: String = serde_json::to_string(&diff).expect("serializes");
    let unescaped: Value = serde_json::from_str(&text).expect("is JSON");
    assert_clean(&unescaped);
}

fn assert_clean(value: &Value) {
    let fine = |text: &str| {
        assert!(
            !crate::guard::text::has_invisible(text) && !text.contains(['\n', '\u{1b}']),
            "{text:?}"
        )
    };
    match value {
        Value::String(text) => fine(text),
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            fine(name);
            assert_clean(member);
        }),
        _ => {}
    }
}

fn mirrored(change: &Change) -> Change {
    Change {
        kind: match change.kind {
            Kind::Added => Kind::Removed,
            Kind::Removed => Kind::Added,
            other => other,
        },
        weight: match change.weight {
            Weight::Regress => Weight::Improve,
            Weight::Improve => Weight::Regress,
            Weight::Churn => Weight::Churn,
        },
        before: change.after.clone(),
        after: change.before.clone(),
        ..change.clone()
    }
}

fn sorted(changes: impl Iterator<Item = Change>) -> Vec<String> {
    let mut lines: Vec<String> = changes
        .map(|c| serde_json::to_string(&c).expect("serializes"))
        .collect();
    lines.sort();
    lines
}

proptest! {
    #[test]
    fn a_report_equals_itself(report in reports()) {
        let diff = between(&report, &report);
        prop_assert!(diff.equal);
        prop_assert_eq!(diff.changes, vec![]);
        prop_assert_eq!(diff.counts, Counts::default());
    }

    #[test]
    fn swapping_the_reports_mirrors_the_diff(a in reports(), b in reports()) {
        let (there, back) = (between(&a, &b), between(&b, &a));
        prop_assert_eq!(there.equal, back.equal);
        prop_assert_eq!(there.unlisted, back.unlisted);
        prop_assert_eq!(there.counts.regress, back.counts.improve);
        prop_assert_eq!(there.counts.improve, back.counts.regress);
        prop_assert_eq!(&there.notes, &back.notes);
        prop_assert_eq!(sorted(there.changes.into_iter()), sorted(back.changes.iter().map(mirrored)));
    }

    #[test]
    fn a_diff_is_bounded_clean_and_survives_json(a in reports(), b in reports()) {
        let diff = between(&a, &b);
        prop_assert!(diff.changes.len() <= MAX_CHANGES);
        let json = serde_json::to_string(&diff).expect("serializes");
        prop_assert!(json.len() <= MAX_BYTES + 4096, "{} bytes", json.len());
        assert_clean(&serde_json::from_str(&json).expect("is JSON"));
        prop_assert_eq!(serde_json::from_str::<Diff>(&json).expect("round trip"), diff);
    }

    #[test]
    fn noise_never_makes_a_change(report in reports(), ttl in any::<u32>(), rotate in 0..7_usize) {
        let mut noisy = serde_json::to_value(&report).expect("serializes");
        disturb(&mut noisy, ttl, rotate);
        let diff = between(&report, &sample::typed(noisy));
        prop_assert_eq!(diff.changes, vec![]);
    }
}

/// Another TTL and time everywhere, and every DNS answer in another order.
fn disturb(report: &mut Value, ttl: u32, rotate: usize) {
    report["time"] = json!("2030-01-01T00:00:00Z");
    let exchanges = report["probes"]["dns"].as_object_mut();
    for exchange in exchanges.into_iter().flat_map(|dns| dns.values_mut()) {
        let Some(records) = exchange["records"].as_array_mut() else {
            continue;
        };
        records
            .iter_mut()
            .for_each(|record| record["ttl"] = json!(ttl));
        let middle = rotate % records.len().max(1);
        records.rotate_left(middle);
    }
    let hops = report["probes"]["http"]["https"]["hops"].as_array_mut();
    for hop in hops.into_iter().flatten() {
        hop["timing"] = json!({"ms": ttl});
    }
}

/// Rows of a Markdown table whose first cell is a pattern.
fn rows(markdown: &str) -> Vec<&str> {
    markdown
        .lines()
        .filter(|line| line.starts_with("| `/"))
        .collect()
}

#[test]
fn the_document_prints_the_tables_that_are_used() {
    let mut expected = Vec::new();
    expected.extend(
        rules::NOISE
            .iter()
            .map(|(at, why)| format!("| `{at}` | {why} |")),
    );
    expected.extend(
        rules::SHAPES
            .iter()
            .map(|(at, treat)| format!("| `{at}` | {} |", in_words(treat))),
    );
    expected.extend(
        rules::MEASURED
            .iter()
            .map(|(place, sign, words)| match words {
                [] => format!("| `{place}` | `{sign}` is there |"),
                words => format!("| `{place}` | `{sign}` is {} |", words.join(" or ")),
            }),
    );
    expected.extend(rules::SCALES.iter().map(|(at, scale)| {
        let better = match scale {
            rules::Scale::Finding => "pass and info, then warn, then fail; each by severity",
            rules::Scale::True => "true",
            rules::Scale::False => "false",
            rules::Scale::More => "more",
        };
        format!("| `{at}` | {better} |")
    }));
    let expected = expected.join("\n");
    assert_eq!(
        rows(include_str!("../../../docs/diff.md")).join("\n"),
        expected
    );
}

fn in_words(treat: &rules::Treat) -> String {
    use rules::{Masked, Treat};
    match treat {
        Treat::Set => String::from("a set"),
        Treat::Values => String::from("a set; one item stands for the list"),
        Treat::Keyed(names) => format!("a set, items told apart by {}", names.join(" and ")),
        Treat::Whole { compared, shown } => {
            format!(
                "one value: compared by {}, shown by {}",
                compared.join(", "),
                shown.join(", ")
            )
        }
        Treat::Masked(Masked::Serial) => String::from("text without the SOA serial"),
        Treat::Masked(Masked::Cookie) => {
            String::from("text without the cookie's value and Expires")
        }
        Treat::Masked(Masked::Nonce) => String::from("text without nonces"),
    }
}
