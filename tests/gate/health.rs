//! `/api/health` from counters and a record.

use std::collections::BTreeMap;

use netrecon::pulse::{Count, Counter, Outcome, Record, UNKNOWN};
use serde_json::{Value, json};

use super::support::{House, MIDNIGHT, Request};
use super::{call, mcp};

fn health(house: &House) -> Value {
    house.ask(&Request::new("GET", "/api/health")).json()
}

/// Puts what a house counted where the tally would put it.
fn flush(house: &House, age_ms: u64) {
    let mut days: BTreeMap<(String, String), Counter> = BTreeMap::new();
    for (_, count) in house.journal.counts.borrow().iter() {
        let key = (count.day.clone(), count.tool.clone());
        days.entry(key).or_default().count(count);
    }
    let mut record = Record::at(MIDNIGHT - age_ms);
    for ((_, tool), counter) in &days {
        record.add(tool, counter);
    }
    *house.counters.1.borrow_mut() = Some(record);
    let shown = days
        .into_iter()
        .filter(|((_, tool), _)| tool != UNKNOWN)
        .map(|(key, counter)| (key, counter.published()));
    house.counters.0.borrow_mut().extend(shown);
}

#[test]
fn nothing_counted_yet_is_healthy_and_quiet() {
    let health = health(&House::new());
    assert_eq!(health["status"], "ok");
    assert_eq!(health["stores"], json!({"kv": "ok", "tally": "ok"}));
    assert_eq!(
        health["flush"],
        json!({"at": null, "ageSeconds": null, "due": 0})
    );
    for indicator in health["indicators"].as_array().unwrap() {
        assert_eq!(indicator["state"], "quiet", "{indicator}");
        assert_eq!(indicator["value"], Value::Null);
    }
}

#[test]
fn counts_come_with_rates_reasons_and_their_age() {
    let house = House::new();
    for n in 0..4 {
        let ip = format!("198.51.100.{n}");
        call(&house, &ip, "decode", &json!({"text": "{\"a\":1}"}));
        call(
            &house,
            &ip,
            "analyze",
            &json!({"target": "http://127.0.0.1/"}),
        );
    }
    call(&house, "198.51.100.9", "decode", &json!({}));
    flush(&house, 42_000);
    let health = health(&house);
    let day = "2026-11-22";
    assert_eq!(
        health["tools"]["decode"][day],
        json!({"success": 4, "validation_rejected": 1, "rate_limited": 0, "upstream_error": 0,
               "internal_error": 0, "latencyMs": {"1": 5}})
    );
    assert_eq!(
        health["rates"]["decode"][day],
        json!({"calls": 5, "rejectionRate": 0.2, "p50Ms": 1, "p95Ms": 1})
    );
    assert_eq!(health["guard"], json!({"address": 4}));
    assert_eq!(health["fallbacks"], 0);
    assert_eq!(
        health["flush"],
        json!({"at": "2026-11-21T23:59:18Z", "ageSeconds": 42, "due": 0})
    );
}

#[test]
fn indicators_have_the_members_of_the_contract() {
    let health = health(&House::new());
    let indicators = health["indicators"].as_array().unwrap();
    let ids: Vec<&str> = indicators
        .iter()
        .filter_map(|one| one["id"].as_str())
        .collect();
    assert_eq!(
        ids,
        [
            "rejections.analyze",
            "rejections.lookup",
            "rejections.decode",
            "rejections.diff",
            "rejections.narrate",
            "mix.analyze_decode",
            "loops",
            "probing",
            "upstream",
            "fallback",
        ]
    );
    for indicator in indicators {
        let names: Vec<&String> = indicator.as_object().unwrap().keys().collect();
        assert_eq!(
            names,
            ["baseline", "history", "id", "state", "value", "why"],
            "{indicator}"
        );
    }
}

#[test]
fn tools_and_methods_that_do_not_exist_are_counted_and_are_no_call() {
    let house = House::new();
    house.ask(&Request::post("/api/admin", &json!({})));
    mcp(&house, "shell", &json!({}));
    for era in ["2025-11-25", "2026-07-28"] {
        let mut message =
            json!({"jsonrpc": "2.0", "id": 1, "method": "resources/list", "params": {}});
        if era == "2026-07-28" {
            message["params"]["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": era,
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let request = Request::post("/mcp", &message)
            .with("accept", "application/json, text/event-stream")
            .with("mcp-protocol-version", era)
            .with("mcp-method", "resources/list");
        house.ask(&request);
    }
    let counts = house.journal.counts.borrow();
    let unknown = |(_, count): &&(String, Count)| count.tool == UNKNOWN;
    assert_eq!(counts.iter().filter(unknown).count(), 4);
    assert_eq!(counts.len(), 4);
    assert!(house.journal.events().is_empty());
}

#[test]
fn a_report_that_is_gone_is_not_probing() {
    let house = House::new();
    house.ask(&Request::new(
        "GET",
        "/api/report/aaaaaaaaaaaaaaaaaaaaaaaaaa",
    ));
    let gone =
        json!({"before": "aaaaaaaaaaaaaaaaaaaaaaaaaa", "after": "aaaaaaaaaaaaaaaaaaaaaaaaaa"});
    call(&house, "198.51.100.7", "diff", &gone);
    let counts = house.journal.counts.borrow();
    let tools: Vec<(&str, Outcome)> = counts
        .iter()
        .map(|(_, count)| (count.tool.as_str(), count.outcome))
        .collect();
    assert_eq!(tools, [("diff", Outcome::ValidationRejected)]);
}

#[test]
fn fallback_in_use_is_told() {
    let house = House::new();
    house.ledger.broken.set(true);
    call(
        &house,
        "198.51.100.7",
        "decode",
        &json!({"text": "{\"a\":1}"}),
    );
    assert_eq!(house.journal.last()["budget"]["fallback"], true);
    flush(&house, 0);
    let health = health(&house);
    assert_eq!(health["fallbacks"], 1);
    let fallback = health["indicators"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&fallback["id"], &fallback["state"]),
        (&json!("fallback"), &json!("watch"))
    );
}
