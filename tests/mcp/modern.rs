//! Revision 2026-07-28: envelope, mirrors, discovery, listing, listening.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::support::Request;
use super::{
    MODERN, SUPPORTED, ask, assert_refused, decode_call, envelope, message, modern, modern_as,
    result,
};

#[test]
fn discover_needs_no_client_info() {
    let result = result(&modern("server/discover", json!({})));
    assert_eq!(result["resultType"], "complete");
    assert_eq!(result["supportedVersions"], json!(SUPPORTED));
    assert_eq!(
        result["capabilities"],
        json!({"tools": {}}),
        "listChanged makes clients open streams"
    );
    assert_eq!(
        (&result["ttlMs"], &result["cacheScope"]),
        (&json!(3_600_000), &json!("public"))
    );
    assert!(
        result.get("serverInfo").is_none(),
        "its final place is _meta"
    );
    let server = &result["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "io.github.netrecon/netrecon");
    assert_eq!(server["version"], env!("CARGO_PKG_VERSION"));
    let sentences = result["instructions"]
        .as_str()
        .unwrap()
        .matches(". ")
        .count()
        + 1;
    assert!((2..=3).contains(&sentences));
}

#[test]
fn a_request_without_a_key_of_its_envelope_gets_32602_at_400() {
    for key in ["protocolVersion", "clientCapabilities"] {
        let mut meta = envelope(MODERN);
        meta.as_object_mut()
            .unwrap()
            .remove(&format!("io.modelcontextprotocol/{key}"));
        let body = message("server/discover", json!({ "_meta": meta }));
        let request = modern("server/discover", json!({})).body(body.to_string());
        let refusal = assert_refused(&request, 400, -32602);
        assert!(refusal["error"]["message"].as_str().unwrap().contains(key));
    }
}

#[test]
fn the_header_alone_makes_a_request_modern() {
    for params in [json!({}), json!({"_meta": {}}), json!(null), json!([])] {
        let body = message("tools/list", params);
        let request = modern("tools/list", json!({})).body(body.to_string());
        assert_refused(&request, 400, -32602);
    }
    let request = Request::post(
        "/mcp",
        &json!({"jsonrpc": "2.0", "id": 7, "method": "tools/list"}),
    )
    .with("mcp-protocol-version", "2027-01-01");
    assert_refused(&request, 400, -32602);
}

#[test]
fn malformed_envelopes_are_modern_mistakes() {
    for (key, value) in [
        ("protocolVersion", json!(20260728)),
        ("protocolVersion", json!(null)),
        ("clientCapabilities", json!(null)),
        ("clientCapabilities", json!([])),
    ] {
        let mut meta = envelope(MODERN);
        meta[format!("io.modelcontextprotocol/{key}")] = value;
        let body = message("tools/list", json!({ "_meta": meta }));
        let request = modern("tools/list", json!({})).body(body.to_string());
        assert_refused(&request, 400, -32602);
    }
}

#[test]
fn the_version_is_mirrored_in_the_header() {
    let request = modern("tools/list", json!({}));
    assert_refused(
        &request.clone().without("mcp-protocol-version"),
        400,
        -32020,
    );
    assert_refused(
        &request.clone().with("mcp-protocol-version", "2025-11-25"),
        400,
        -32020,
    );
    let other = modern_as("v999", "tools/list", json!({})).with("mcp-protocol-version", MODERN);
    assert_refused(&other, 400, -32020);
    assert_eq!(
        ask(&request.with("mcp-protocol-version", " 2026-07-28\t")).status,
        200
    );
}

#[test]
fn an_unknown_version_gets_32022_and_the_list_that_discover_gives() {
    for version in ["v999.0.0", "2027-01-01", "2024-11-05"] {
        let refusal = assert_refused(&modern_as(version, "tools/list", json!({})), 400, -32022);
        assert_eq!(
            refusal["error"]["data"],
            json!({"supported": SUPPORTED, "requested": version})
        );
    }
}

#[test]
fn every_advertised_version_is_served_in_an_envelope() {
    for version in SUPPORTED {
        let result = result(&modern_as(version, "tools/list", json!({})));
        assert!(result["tools"].is_array(), "{version}");
        assert_eq!(
            result.contains_key("resultType"),
            version == MODERN,
            "{version}"
        );
        let called = super::result(&modern_as(version, "tools/call", decode_call()));
        assert_eq!(called["isError"], false);
    }
}

#[test]
fn the_method_is_mirrored_in_the_header() {
    let request = modern("tools/list", json!({}));
    for wrong in ["tools/call", "Tools/List", "", "tools/list, tools/list"] {
        assert_refused(&request.clone().with("mcp-method", wrong), 400, -32020);
    }
    assert_refused(&request.clone().without("mcp-method"), 400, -32020);
    assert_eq!(
        ask(&request.with("mcp-method", "\ttools/list ")).status,
        200
    );
}

#[test]
fn the_name_is_mirrored_in_the_header_literally_or_in_base64() {
    let request = modern("tools/call", decode_call());
    assert_refused(&request.clone().without("mcp-name"), 400, -32020);
    for wrong in [
        "analyze",
        "Decode",
        "decode, decode",
        "=?base64?ZGVjb2Rl",
        "=?base64?!?=",
    ] {
        assert_refused(&request.clone().with("mcp-name", wrong), 400, -32020);
    }
    let encoded = format!("=?base64?{}?=", STANDARD.encode("decode"));
    assert_eq!(ask(&request.clone().with("mcp-name", &encoded)).status, 200);
    assert_eq!(
        ask(&request.clone().with("mcp-name", "  decode\t")).status,
        200
    );
    // The other two methods that are routed by a name keep the rule too.
    let read = modern("resources/read", json!({"uri": "a:b"}));
    assert_refused(&read, 400, -32020);
    assert_refused(&read.with("mcp-name", "a:b"), 404, -32601);
}

#[test]
fn removed_and_unknown_methods_get_404_in_an_envelope() {
    for method in [
        "initialize",
        "ping",
        "logging/setLevel",
        "resources/subscribe",
        "resources/unsubscribe",
        "prompts/list",
        "Tools/list",
        "no/such",
        "",
    ] {
        assert_refused(&modern(method, json!({})), 404, -32601);
    }
}

#[test]
fn the_list_is_complete_cacheable_and_byte_for_byte_the_same() {
    let request = modern("tools/list", json!({}));
    let listed = result(&request);
    assert_eq!(listed["resultType"], "complete");
    assert_eq!(
        (&listed["ttlMs"], &listed["cacheScope"]),
        (&json!(3_600_000), &json!("public"))
    );
    assert!(listed.get("nextCursor").is_none());
    assert!(listed["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].is_string());
    assert_eq!(ask(&request).body, ask(&request).body);
}

#[test]
fn no_cursor_is_ours() {
    for cursor in [json!(""), json!("page2"), json!(2)] {
        assert_refused(
            &modern("tools/list", json!({ "cursor": cursor })),
            200,
            -32602,
        );
    }
    assert_eq!(
        ask(&modern("tools/list", json!({ "cursor": null }))).json()["error"],
        Value::Null
    );
}

#[test]
fn what_else_stands_in_the_envelope_changes_nothing() {
    let mut meta = envelope(MODERN);
    meta["io.modelcontextprotocol/clientInfo"] = json!({"name": "x", "version": "1"});
    meta["io.modelcontextprotocol/logLevel"] = json!("debug");
    meta["progressToken"] = json!(1);
    meta["traceparent"] = json!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    meta["example.com/own"] = json!({});
    let body = message("tools/list", json!({ "_meta": meta }));
    let request = modern("tools/list", json!({}));
    assert_eq!(
        ask(&request.clone().body(body.to_string())).body,
        ask(&request).body
    );
}

#[test]
fn listening_is_acknowledged_as_empty_and_ends_at_once() {
    for id in [json!("listen:0"), json!(4)] {
        let mut body = message(
            "subscriptions/listen",
            json!({"_meta": envelope(MODERN), "notifications": {"toolsListChanged": true}}),
        );
        body["id"] = id.clone();
        let request = modern("subscriptions/listen", json!({})).body(body.to_string());
        let seen = ask(&request);
        assert_eq!(
            (seen.status, seen.header("content-type")),
            (200, Some("text/event-stream"))
        );
        assert_eq!(seen.header("x-accel-buffering"), Some("no"));
        assert!(seen.header("cache-control").is_some());
        let events: Vec<Value> = seen
            .body
            .split_terminator("\n\n")
            .map(|event| {
                serde_json::from_str(event.strip_prefix("event: message\ndata: ").unwrap()).unwrap()
            })
            .collect();
        let meta = json!({ "io.modelcontextprotocol/subscriptionId": id });
        assert_eq!(
            events,
            [
                json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
                       "params": {"notifications": {}, "_meta": meta}}),
                json!({"jsonrpc": "2.0", "id": id, "result": {"resultType": "complete", "_meta": meta}}),
            ]
        );
    }
}

#[test]
fn listening_to_nothing_in_particular_is_malformed() {
    assert_refused(&modern("subscriptions/listen", json!({})), 200, -32602);
}
