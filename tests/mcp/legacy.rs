//! The handshake revisions: negotiation, the shape of results, batches.

use serde_json::{Value, json};

use super::support::{House, Request};
use super::{MODERN, ask, assert_refused, decode_call, legacy, message, modern, result};

fn initialize(version: Value) -> Request {
    let params = json!({
        "protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"},
    });
    Request::post("/mcp", &message("initialize", params))
}

#[test]
fn a_handshake_answers_the_revision_asked_for() {
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        let result = result(&initialize(json!(version)));
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert!(result["instructions"].is_string());
        assert!(!result.contains_key("resultType") && !result.contains_key("_meta"));
    }
}

#[test]
fn a_handshake_for_any_other_revision_answers_the_newest_that_has_one() {
    for version in [
        json!(MODERN),
        json!("2099-01-01"),
        json!("1999-01-01"),
        json!("garbage"),
        json!(1),
    ] {
        assert_eq!(
            result(&initialize(version))["protocolVersion"],
            "2025-11-25"
        );
    }
}

#[test]
fn a_handshake_is_never_refused_for_its_own_header() {
    for version in [MODERN, "2025-11-25", "garbage"] {
        let request = initialize(json!("2025-06-18")).with("mcp-protocol-version", version);
        assert_eq!(result(&request)["protocolVersion"], "2025-06-18");
    }
}

#[test]
fn a_later_header_may_name_any_revision_and_nothing_else() {
    for version in ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"] {
        assert_eq!(result(&legacy(version, "ping", json!({}))).len(), 0);
    }
    for version in ["v999", "2025-01-01", "", "2025-11-25, 2025-11-25"] {
        let seen = ask(&legacy(version, "ping", json!({})));
        assert_eq!(
            (seen.status, seen.json()["id"].as_i64()),
            (400, Some(7)),
            "{version:?}"
        );
    }
}

#[test]
fn nothing_has_to_come_first_and_no_header_is_needed() {
    for method in ["ping", "tools/list"] {
        let request = Request::post(
            "/mcp",
            &json!({"jsonrpc": "2.0", "id": 7, "method": method}),
        );
        assert_eq!(ask(&request).json()["error"], Value::Null, "{method}");
    }
    assert_eq!(
        result(&Request::post(
            "/mcp",
            &message("tools/call", decode_call())
        ))["isError"],
        false
    );
}

#[test]
fn results_carry_nothing_of_the_later_revision() {
    let listed = result(&legacy("2025-11-25", "tools/list", json!({})));
    assert_eq!(listed.keys().collect::<Vec<_>>(), ["tools"]);
    let modern = result(&modern("tools/list", json!({})));
    assert_eq!(
        listed["tools"], modern["tools"],
        "the tools themselves are the same"
    );
    let called = result(&legacy("2025-06-18", "tools/call", decode_call()));
    assert_eq!(
        called.keys().collect::<Vec<_>>(),
        ["content", "isError", "structuredContent"]
    );
}

#[test]
fn methods_of_other_servers_get_32601_at_200() {
    for method in [
        "server/discover",
        "subscriptions/listen",
        "logging/setLevel",
        "resources/list",
        "prompts/list",
        "completion/complete",
        "no/such",
    ] {
        assert_refused(&legacy("2025-11-25", method, json!({})), 200, -32601);
    }
}

#[test]
fn no_cursor_is_ours() {
    assert_refused(
        &legacy("2025-11-25", "tools/list", json!({"cursor": ""})),
        200,
        -32602,
    );
}

#[test]
fn a_batch_is_answered_in_order_without_its_notifications() {
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": "two", "method": "no/such"},
        {"jsonrpc": "2.0", "id": 5, "result": {}},
        7,
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": decode_call()},
    ]);
    for request in [
        Request::post("/mcp", &batch),
        Request::post("/mcp", &batch).with("mcp-protocol-version", "2025-03-26"),
    ] {
        let house = House::new();
        let seen = house.ask(&request);
        assert_eq!(seen.status, 200);
        let answers = seen.json();
        let ids: Vec<&Value> = answers
            .as_array()
            .unwrap()
            .iter()
            .map(|answer| &answer["id"])
            .collect();
        assert_eq!(ids, [&json!(1), &json!("two"), &json!(null), &json!(3)]);
        assert_eq!(answers[1]["error"]["code"], -32601);
        assert_eq!(answers[2]["error"]["code"], -32600);
        assert_eq!(answers[3]["result"]["isError"], false);
        assert_eq!(
            house.journal.last()["protocol"],
            json!({"era": "legacy", "version": "2025-03-26"})
        );
        assert!(
            seen.header("ratelimit").is_some(),
            "the call in it states its budget"
        );
    }
}

#[test]
fn a_batch_that_wants_no_answer_gets_202() {
    let batch = json!([
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 5, "result": {}},
    ]);
    let seen = ask(&Request::post("/mcp", &batch));
    assert_eq!((seen.status, seen.body.as_str()), (202, ""));
}

#[test]
fn batches_are_for_2025_03_26_only() {
    let batch = json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]);
    for version in ["2025-06-18", "2025-11-25", MODERN, "garbage"] {
        let seen = ask(&Request::post("/mcp", &batch).with("mcp-protocol-version", version));
        assert_eq!(
            (seen.status, seen.json()["error"]["code"].as_i64()),
            (400, Some(-32600)),
            "{version}"
        );
    }
}

#[test]
fn a_batch_that_is_wrong_as_a_whole_runs_nothing() {
    let call = message("tools/call", decode_call());
    let mut enveloped = message("tools/list", json!({}));
    enveloped["params"]["_meta"] = super::envelope(MODERN);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for batch in [
        json!([]),
        Value::Array(vec![ping; 101]),
        json!([
            call,
            message("initialize", json!({"protocolVersion": "2025-03-26"}))
        ]),
        json!([call, enveloped]),
        json!([
            call,
            message(
                "tools/call",
                json!({"name": "analyze", "arguments": {"target": "lab-good.com"}})
            ),
            message(
                "tools/call",
                json!({"name": "lookup", "arguments": {"name": "lab-good.com"}})
            ),
        ]),
    ] {
        let house = House::new();
        let seen = house.ask(&Request::post("/mcp", &batch));
        assert_eq!(
            (seen.status, seen.json()["error"]["code"].as_i64()),
            (400, Some(-32600))
        );
        assert!(house.journal.events().is_empty());
    }
}
