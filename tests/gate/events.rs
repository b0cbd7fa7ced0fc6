//! What reaches the event line, whatever a caller sends, and that the
//! documents name every member of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::{House, Request};
use super::{call, mcp};

const IP: &str = "198.51.100.7";
const SCHEMA: &str = include_str!("../../docs/event.schema.json");
const EVENTS: &str = include_str!("../../docs/events.md");

/// Every place of a call that a caller fills, filled with this.
const SECRET: &str = "hunter2SECRETtoken";

fn hostile() -> Vec<(&'static str, Value)> {
    let long = format!("{SECRET} ").repeat(200_000 / (SECRET.len() + 1));
    let jwt = format!("eyJhbGciOiJub25lIn0.{SECRET}.{SECRET}");
    let key = format!("-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----");
    vec![
        (
            "analyze",
            json!({"target": format!("https://user:{SECRET}@127.0.0.1/?k={SECRET}#{SECRET}")}),
        ),
        (
            "analyze",
            json!({"target": format!("https:\\\\{SECRET}:{SECRET}@127.0.0.1\\@{SECRET}")}),
        ),
        (
            "analyze",
            json!({"target": format!("https://{}@127.0.0.1/", SECRET.repeat(60))}),
        ),
        ("analyze", json!({"target": format!("127.0.0.1?{SECRET}")})),
        (
            "analyze",
            json!({"target": "lab-good.com", "detail": format!("full {SECRET}")}),
        ),
        ("analyze", json!({"target": {SECRET: SECRET}})),
        ("analyze", json!({SECRET: SECRET})),
        ("analyze", json!([SECRET])),
        (
            "lookup",
            json!({"name": format!("a@{SECRET}@b"), "records": [SECRET.to_owned() + "!", SECRET.repeat(9)]}),
        ),
        ("decode", json!({ "text": jwt })),
        ("decode", json!({ "text": key, "kind": "private_key" })),
        (
            "decode",
            json!({ "text": format!("https://u:{SECRET}@h.net/{SECRET}"), "kind": "url" }),
        ),
        ("decode", json!({ "text": long })),
        (
            "decode",
            json!({ "text": "a", "kind": format!("\u{1b}[31m{SECRET}\n") }),
        ),
        ("decode", json!({ "text": "a", "kind": SECRET })),
        (
            "lookup",
            json!({"name": "lab-good.com", "records": [SECRET]}),
        ),
        ("diff", json!({"before": SECRET, "after": {SECRET: SECRET}})),
        ("narrate", json!({"diff": {"changes": [{"path": SECRET}]}})),
        ("narrate", json!(SECRET)),
    ]
}

/// Holds a line against what may never be in one.
fn assert_clean(line: &str, what: &str) {
    assert!(line.len() <= 2048, "{} bytes: {what}", line.len());
    assert!(!line.contains(SECRET), "{what}: {line}");
    let control =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{200b}'..='\u{200f}');
    assert!(!line.contains(control), "{what}: {line}");
    assert!(
        !line.contains("\\u001b") && !line.contains("\\n"),
        "{what}: {line}"
    );
}

#[test]
fn no_argument_brings_a_secret_into_the_line() {
    for (tool, arguments) in hostile() {
        let house = House::new();
        call(&house, IP, tool, &arguments);
        mcp(&house, tool, &arguments);
        let lines = house.journal.lines.borrow();
        assert_eq!(lines.len(), 2, "{tool}: one line a call");
        for line in lines.iter() {
            let what: String = arguments.to_string().chars().take(80).collect();
            assert_clean(line, &format!("{tool} {what}"));
        }
    }
}

#[test]
fn no_header_breaks_the_line_or_fakes_another() {
    let house = House::new();
    let fake = "x\u{1b}[2J\r\n{\"event\":\"tool_call\",\"v\":1}\u{202e}";
    let request = Request::post("/api/decode", &json!({"text": "a"}))
        .with("user-agent", &fake.repeat(50))
        .with("cf-ray", &fake.repeat(50))
        .with("mcp-session-id", fake);
    house.ask(&request);
    let lines = house.journal.lines.borrow();
    assert_eq!(lines.len(), 1);
    assert_clean(&lines[0], "headers");
    let event: Value = serde_json::from_str(&lines[0]).unwrap();
    assert!(event["client"]["ua"].as_str().unwrap().chars().count() <= 121);
}

#[test]
fn the_digest_of_equal_arguments_is_equal_and_tells_nothing() {
    let house = House::new();
    let digest = |text: &str| {
        call(&house, IP, "decode", &json!({ "text": text }));
        house.journal.last()["argsDigest"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(digest("a"), digest("a"));
    assert_ne!(digest("a"), digest("b"));
    assert_eq!(digest(SECRET).len(), 16);
}

#[test]
fn without_a_session_a_client_is_told_by_address_and_program() {
    let house = House::new();
    let session = |ip: &str, agent: &str| {
        let request = Request::post("/api/decode", &json!({"text": "v=spf1 -all"}))
            .with("cf-connecting-ip", ip)
            .with("user-agent", agent);
        house.ask(&request);
        house.journal.last()["client"]["session"].clone()
    };
    let one = session(IP, "agent/1");
    assert_eq!(session(IP, "agent/1"), one);
    assert_ne!(session(IP, "agent/2"), one);
    assert_ne!(session("198.51.100.8", "agent/1"), one);
}

#[test]
fn as_much_of_an_address_is_written_as_the_operator_wants() {
    for (log_ip, ip, written) in [
        ("full", "198.51.100.7", "198.51.100.7"),
        ("prefix", "198.51.100.7", "198.51.100.0/24"),
        ("prefix", "2001:db8:1:2ff::9", "2001:db8:1::/48"),
    ] {
        let house = House::with_vars(&[("LOG_IP", log_ip)]);
        call(&house, ip, "decode", &json!({"text": "v=spf1 -all"}));
        assert_eq!(house.journal.last()["client"]["ip"], written, "{ip}");
    }
}

#[test]
fn a_call_that_a_targets_budget_refuses_took_nothing() {
    let house = House::with_vars(&[("BUDGETS", r#"{"target":{"limit":1,"seconds":60}}"#)]);
    let analyze = |ip| {
        call(&house, ip, "analyze", &json!({"target": "lab-good.com"}));
        let event = house.journal.last();
        (event["outcome"].clone(), event["budget"]["cost"].clone())
    };
    assert_eq!(analyze("198.51.100.1").1, 1);
    // By the target's object, then by what the isolate remembers of it.
    let refused = (json!("rate_limited"), json!(0));
    assert_eq!(analyze("198.51.100.2"), refused);
    assert_eq!(analyze("198.51.100.3"), refused);
}

/// Every member by its path: `client.ip`.
fn members(value: &Value, above: &str, seen: &mut BTreeSet<String>) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let path = match above {
            "" => name.clone(),
            _ => format!("{above}.{name}"),
        };
        match value {
            Value::Object(_) if path != "args" => members(value, &path, seen),
            _ => {
                seen.insert(path);
            }
        }
    }
}

/// All that events can have: of a loop, of a failure with a cause, of a
/// fallback.
fn emitted() -> BTreeSet<String> {
    let house = House::new();
    house.ledger.broken.set(true);
    call(&house, IP, "decode", &json!({"text": "a"}));
    house.ledger.broken.set(false);
    for _ in 0..3 {
        call(&house, IP, "decode", &json!({}));
    }
    let closed = House::with_vars(&[("BUDGET_FALLBACK", "closed")]);
    closed.ledger.broken.set(true);
    call(&closed, IP, "decode", &json!({"text": "a"}));
    let mut seen = BTreeSet::new();
    for event in house
        .journal
        .events()
        .iter()
        .chain(&closed.journal.events())
    {
        members(event, "", &mut seen);
    }
    seen
}

fn declared(schema: &Value, above: &str, seen: &mut BTreeSet<String>) {
    for (name, node) in schema["properties"].as_object().into_iter().flatten() {
        let path = match above {
            "" => name.clone(),
            _ => format!("{above}.{name}"),
        };
        match node["properties"].is_object() {
            true => declared(node, &path, seen),
            false => {
                seen.insert(path);
            }
        }
    }
}

#[test]
fn the_schema_declares_the_members_that_are_emitted_and_no_others() {
    let mut schema = BTreeSet::new();
    declared(&serde_json::from_str(SCHEMA).unwrap(), "", &mut schema);
    assert_eq!(schema, emitted());
}

/// The rows of the OpenTelemetry table: member, meaning, names.
fn table() -> Vec<[&'static str; 3]> {
    EVENTS
        .lines()
        .skip_while(|line| !line.starts_with("| member |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            <[&str; 3]>::try_from(cells).expect("three cells")
        })
        .collect()
}

#[test]
fn the_opentelemetry_table_has_a_row_for_every_member() {
    let mut named = BTreeSet::new();
    for [cell, ..] in table() {
        let mut above = "";
        for name in cell.split(", ").map(|name| name.trim_matches('`')) {
            // `.reason` behind `guard.decision` is short for `guard.reason`.
            let whole = match name.strip_prefix('.') {
                Some(rest) => format!("{above}.{rest}"),
                None => name.to_owned(),
            };
            above = name
                .split('.')
                .next()
                .filter(|_| !name.starts_with('.'))
                .unwrap_or(above);
            assert!(named.insert(whole.clone()), "{whole} stands there twice");
        }
    }
    let mut emitted = emitted();
    // Constants that say what the line is.
    emitted.remove("event");
    emitted.remove("v");
    assert_eq!(named, emitted);
}

#[test]
fn opentelemetry_names_are_of_its_form() {
    for [member, _, names] in table() {
        assert!(!names.is_empty(), "{member} has no word on OpenTelemetry");
        let mut pieces = names.split('`');
        while let (Some(before), Some(name)) = (pieces.next(), pieces.next()) {
            let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '.' | '_');
            let is_value = before.ends_with("= ");
            assert!(is_value || name.chars().all(plain), "{member}: {name}");
        }
    }
}
