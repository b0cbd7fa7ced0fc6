use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::report::Summary;

fn sample() -> Report {
    let text = include_str!("../../../../tests/corpus/reports/good.json");
    serde_json::from_str(text).unwrap()
}

fn finding(at: usize, state: &str, severity: &str, long: usize) -> Finding {
    serde_json::from_value(json!({
        "id": format!("topic.subject_number_{at}"), "state": state, "severity": severity,
        "confidence": "high", "title": format!("The conclusion {}", "word ".repeat(long)),
        "evidence": [
            {"pointer": "/probes/http/https/page/headers/x", "value": "v".repeat(long * 4)},
            {"pointer": "/probes/dns/a", "value": {"list": vec!["\"\\"; 40]}},
            {"pointer": "/probes/dns/aaaa", "value": 3},
        ],
        "fix": format!("Mend it {}", "now ".repeat(long)),
        "reference": "RFC 9110 section 4.2", "reproduce": "curl -sI https://example.com/",
        "mapsTo": ["internet.nl:x"],
    }))
    .unwrap()
}

fn report(findings: Vec<Finding>, probes: Value) -> Report {
    let summary = Summary::of(&findings);
    Report {
        id: Some("k5xwqv3n2m7rj4tz6bqhcd2yfa".into()),
        findings,
        summary,
        probes,
        ..sample()
    }
}

/// More of everything than any probe would bring back.
fn worst() -> Report {
    let states = [
        ("fail", "high"),
        ("fail", "medium"),
        ("warn", "low"),
        ("info", "none"),
        ("inconclusive", "none"),
        ("pass", "none"),
        ("not_applicable", "none"),
    ];
    let findings = (0..210)
        .map(|at| {
            let (state, severity) = states[at % states.len()];
            finding(at, state, severity, 120)
        })
        .collect();
    let probes: serde_json::Map<String, Value> = (0..40)
        .map(|n| {
            let part = json!({ "texts": vec!["\u{fc}\n".repeat(400); 60] });
            (format!("probe{n}"), json!({ "one": part, "two": part }))
        })
        .collect();
    let mut report = report(findings, Value::Object(probes));
    report.target.asked = "\u{1f600}".repeat(256);
    report.target.used = format!("https://example.com/{}", "a".repeat(2000));
    report
}

fn bounds() -> [&'static Bound; 2] {
    [&SUMMARY, &FULL]
}

/// Ids in the notes about findings, and how many they only count.
fn named(report: &Report) -> (Vec<String>, usize) {
    let mut ids = Vec::new();
    let mut counted = 0;
    for note in report.omitted.iter().filter(|n| n.starts_with("findings ")) {
        let Some((_, list)) = note.split_once(": ") else {
            continue;
        };
        let (list, more) = list.split_once(" and ").unwrap_or((list, "0 more"));
        counted += more.trim_end_matches(" more").parse::<usize>().unwrap();
        ids.extend(list.split(", ").map(str::to_owned));
    }
    (ids, counted)
}

#[track_caller]
fn holds(whole: &Report, bound: &Bound) -> Report {
    let cut = of(whole.clone(), bound);
    let bytes = serde_json::to_string(&cut).unwrap().len();
    assert!(bytes <= bound.limit, "{bytes} bytes of {}", bound.limit);
    let (ids, counted) = named(&cut);
    assert_eq!(
        cut.findings.len() + ids.len() + counted,
        whole.findings.len(),
        "every finding is shown, named or counted"
    );
    assert_eq!(cut.summary, whole.summary, "the counts are of the whole");
    for shown in &cut.findings {
        let one = whole.findings.iter().find(|one| one.id == shown.id);
        let one = one.expect("nothing is made up");
        assert_eq!((one.state, one.severity), (shown.state, shown.severity));
    }
    let score = |report: &Report| serde_json::to_value(&report.header_score).unwrap();
    let changed =
        cut.findings != whole.findings || cut.probes != whole.probes || score(&cut) != score(whole);
    assert_eq!(changed, !cut.omitted.is_empty(), "what is cut is told");
    cut
}

#[test]
fn the_worst_report_fits_and_keeps_what_is_gravest() {
    let whole = worst();
    for bound in bounds() {
        let cut = holds(&whole, bound);
        let grave = |severity| {
            let of = |report: &Report| {
                report
                    .findings
                    .iter()
                    .filter(|f| f.severity == severity)
                    .count()
            };
            (of(&cut), of(&whole))
        };
        let (shown, all) = grave(crate::report::Severity::High);
        assert!(
            shown == all || cut.findings.len() == shown,
            "{shown} of {all}"
        );
        assert!(shown >= 10, "{shown} of {all}");
    }
}

#[test]
fn every_cut_says_how_the_rest_is_had() {
    let mut whole = worst();
    for bound in bounds() {
        let cut = of(whole.clone(), bound);
        assert!(cut.omitted[0].contains(whole.id.as_deref().unwrap()));
    }
    whole.id = None;
    assert!(of(whole.clone(), &SUMMARY).omitted[0].contains("\"full\""));
    assert!(!of(whole, &FULL).omitted[0].contains("/api/report/"));
}

#[test]
fn full_is_the_whole_report_where_that_fits() {
    let whole = sample();
    let full = of(whole.clone(), &FULL);
    assert_eq!(
        serde_json::to_value(&full).unwrap(),
        serde_json::to_value(&whole).unwrap()
    );
}

#[test]
fn findings_without_fault_give_way_before_measurements_in_full() {
    let findings = (0..90)
        .map(|at| match at < 6 {
            true => finding(at, "fail", "high", 12),
            false => finding(at, "pass", "none", 12),
        })
        .collect();
    let probes = json!({"dns": {"a": {"records": [{"data": {"address": "192.0.2.1"}}]}}});
    let cut = holds(&report(findings, probes.clone()), &FULL);
    assert_eq!(cut.findings.len(), 90, "all are there");
    assert_eq!(cut.probes, probes);
    assert!(cut.findings[..6].iter().all(|f| f.fix.is_some()));
    assert!(cut.findings[6..].iter().all(|f| f.evidence.is_empty()));
}

#[test]
fn a_cut_report_is_still_one() {
    let cut = serde_json::to_value(of(worst(), &SUMMARY)).unwrap();
    let read = crate::report::admit::report(cut.clone(), "before").unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), cut);
}

#[test]
fn size_is_the_length_of_the_compact_json() {
    for value in [json!({"a": ["\u{fc}\n", 1.5, null]}), json!("x"), json!({})] {
        assert_eq!(size(&value), value.to_string().len());
    }
}

/// JSON of any shape, up to some kilobytes.
fn measured() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(|n| json!(n)),
        "[a-z\u{e0}\n\"]{0,400}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(4, 120, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(|items| json!(items)),
            prop::collection::btree_map("[a-z]{1,8}", inner, 0..12)
                .prop_map(|members| json!(members)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_report_is_larger_than_its_bound(
        states in prop::collection::vec(
            (select(vec!["fail", "warn", "info", "inconclusive", "pass", "not_applicable"]), 0_usize..60),
            0..160,
        ),
        probes in measured(),
        repeated in 1_usize..12,
    ) {
        let findings = states
            .iter()
            .enumerate()
            .map(|(at, (state, long))| {
                let severity = if matches!(*state, "fail" | "warn") { "medium" } else { "none" };
                finding(at, state, severity, *long)
            })
            .collect();
        let many: serde_json::Map<String, Value> =
            (0..repeated).map(|n| (format!("p{n}"), json!({ "part": probes }))).collect();
        let whole = report(findings, Value::Object(many));
        for bound in bounds() {
            let cut = holds(&whole, bound);
            let shown = |state: State| cut.findings.iter().any(|f| f.state == state);
            let (ids, counted) = named(&cut);
            let grave_missing = ids.iter().any(|id| {
                whole.findings.iter().any(|f| f.id == *id && is_grave(f.state))
            });
            if grave_missing || counted > 0 {
                prop_assert!(!shown(State::Pass) && !shown(State::Info), "graver ones gave way");
            }
        }
    }
}
