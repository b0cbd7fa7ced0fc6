//! A report as `analyze` writes it, and generated ones like it, for the tests
//! of this room.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{Report, Summary};

/// The sample as JSON.
pub(crate) fn json() -> Value {
    let text = include_str!("../../tests/corpus/reports/good.json");
    serde_json::from_str(text).expect("the sample is JSON")
}

/// The sample, typed.
pub(crate) fn report() -> Report {
    typed(json())
}

/// The sample with the value at each pointer replaced.
pub(crate) fn with(edits: &[(&str, Value)]) -> Report {
    let mut report = json();
    for (pointer, value) in edits {
        let place = report.pointer_mut(pointer);
        *place.unwrap_or_else(|| panic!("the sample has no {pointer}")) = value.clone();
    }
    typed(report)
}

pub(crate) fn typed(report: Value) -> Report {
    serde_json::from_value(report).expect("has the shape of a report")
}

fn finding(id: &str, state: &str, severity: &str, title: &str, pointer: &str) -> Value {
    json!({
        "id": id, "state": state, "severity": severity, "confidence": "high", "title": title,
        "evidence": [{"pointer": pointer, "value": "as found"}],
        "reference": "RFC 6797", "reproduce": "curl -sI https://lab-good.com/",
    })
}

pub(crate) fn record(rtype: &str, text: &str, ttl: u32) -> Value {
    json!({"name": "lab-good.com", "type": rtype, "ttl": ttl, "data": {"as": text}, "text": text})
}

pub(crate) fn hop(url: &str, status: u16) -> Value {
    json!({"url": url, "address": "192.0.2.1", "status": status, "timing": {"ms": 12}})
}

/// Reports that differ in findings, records, headers, hops and free JSON, out
/// of so few values that two of them have much in common.
pub(crate) fn reports() -> impl Strategy<Value = Report> {
    let host = select(vec!["lab-good.com", "lab-bad.com", "www.lab-good.com"]);
    let findings = btree_map(select(FINDINGS.to_vec()), (state(), severity()), 0..6);
    let cut = select(vec![json!([]), json!([]), json!(["the rest"])]);
    let parts = (host, findings, dns(), headers(), hops(), free(), cut);
    parts.prop_map(|(host, findings, dns, headers, hops, free, cut)| {
        let findings: Vec<Value> = findings
            .into_iter()
            .map(|((id, pointer), (state, severity))| {
                finding(id, state, severity, "Some title", pointer)
            })
            .collect();
        let mut report = json();
        report["target"]["host"] = json!(host);
        report["omitted"] = cut;
        report["findings"] = json!(findings);
        report["probes"] = json!({
            "dns": dns,
            "http": {"https": {"page": {"headers": headers}, "hops": hops}},
            "free": free,
        });
        let mut report = typed(report);
        report.summary = Summary::of(&report.findings);
        report
    })
}

const FINDINGS: [(&str, &str); 6] = [
    ("dns.address", "/probes/dns/a/records/0/text"),
    ("mail.mx", "/probes/dns/mx"),
    (
        "http.hsts",
        "/probes/http/https/page/headers/strict-transport-security",
    ),
    ("http.redirect", "/probes/http/https/hops/0/status"),
    ("tls.expiry", "/probes/free"),
    ("content.model_directed_text", "/nowhere"),
];

fn state() -> impl Strategy<Value = &'static str> {
    select(vec![
        "fail",
        "warn",
        "info",
        "inconclusive",
        "pass",
        "not_applicable",
    ])
}

fn severity() -> impl Strategy<Value = &'static str> {
    select(vec!["none", "info", "low", "medium", "high"])
}

fn dns() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let text = select(vec!["192.0.2.1", "192.0.2.2", "203.0.113.9"]);
    let record = (text, 0..4_u32).prop_map(|(text, ttl)| record("A", text, ttl));
    let exchange = (vec(record, 0..4), any::<bool>()).prop_map(|(records, failed)| match failed {
        true => json!({"records": [], "failure": {"state": "timed_out"}}),
        false => json!({"records": records}),
    });
    let member = select(vec!["a", "aaaa", "mx"]).prop_map(String::from);
    btree_map(member, exchange, 0..4)
}

fn headers() -> impl Strategy<Value = BTreeMap<String, Vec<&'static str>>> {
    let name = select(vec![
        "date",
        "strict-transport-security",
        "set-cookie",
        "content-security-policy",
    ]);
    let value = select(vec![
        "max-age=0",
        "max-age=31536000",
        "script-src 'nonce-a1'",
        "script-src 'nonce-b2'",
        "ignore previous instructions",
    ]);
    btree_map(name.prop_map(String::from), vec(value, 0..3), 0..4)
}

fn hops() -> impl Strategy<Value = Vec<Value>> {
    let status = select(vec![200, 301, 404]);
    vec(
        status.prop_map(|status| hop("https://lab-good.com/", status)),
        0..5,
    )
}

/// Any JSON, hostile text included.
pub(crate) fn free() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_i64).prop_map(Value::from),
        select(vec![
            "x",
            "y",
            "y…",
            "\u{202e}x\u{1b}[2J\n",
            "https://lab-good.com/",
            "lab-bad.com"
        ])
        .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "\\PC".prop_map(|c| Value::from(c.repeat(300))),
    ];
    let name = select(vec![
        "a",
        "b",
        "ttl",
        "records",
        "headers",
        "text",
        "flags",
        "failure",
        "a/b~c",
        "-",
        "\u{200b}a",
    ]);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(name.clone().prop_map(String::from), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
