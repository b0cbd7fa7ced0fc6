//! The MCP surface, rule by rule: every test drives the router with a request
//! as a client sends it and reads what comes back.

#[path = "../support/mod.rs"]
mod support;

mod acceptance;
mod calls;
mod catalog;
mod discovery;
mod legacy;
mod modern;
mod transport;

use serde_json::{Map, Value, json};
use support::{House, Request, Seen};

const MODERN: &str = "2026-07-28";
const SUPPORTED: [&str; 4] = [MODERN, "2025-11-25", "2025-06-18", "2025-03-26"];

/// A well-formed modern request, header fields and envelope included.
fn modern(method: &str, params: Value) -> Request {
    modern_as(MODERN, method, params)
}

/// The same, naming another revision.
fn modern_as(version: &str, method: &str, mut params: Value) -> Request {
    params["_meta"] = envelope(version);
    let name = params
        .get("name")
        .and_then(Value::as_str)
        .map(str::to_owned);
    let request = Request::post("/mcp", &message(method, params))
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", version)
        .with("mcp-method", method);
    match name {
        Some(name) => request.with("mcp-name", &name),
        None => request,
    }
}

fn envelope(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A request as clients of the handshake revisions send it.
fn legacy(version: &str, method: &str, params: Value) -> Request {
    Request::post("/mcp", &message(method, params))
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", version)
}

fn message(method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params })
}

/// A good call of a tool that contacts nothing.
fn decode_call() -> Value {
    json!({ "name": "decode", "arguments": { "text": "v=spf1 -all", "kind": "spf" } })
}

fn ask(request: &Request) -> Seen {
    House::new().ask(request)
}

/// The result of an answer at 200.
fn result(request: &Request) -> Map<String, Value> {
    let seen = ask(request);
    assert_eq!(seen.status, 200, "{}", seen.body);
    let body = seen.json();
    assert_eq!(body["jsonrpc"], "2.0");
    assert_eq!(body["id"], 7);
    body["result"]
        .as_object()
        .cloned()
        .unwrap_or_else(|| panic!("no result: {body}"))
}

/// Holds an answer against the status and code of a refusal, id echoed.
#[track_caller]
fn assert_refused(request: &Request, status: u16, code: i64) -> Value {
    let seen = ask(request);
    let body = seen.json();
    assert_eq!(
        (seen.status, body["error"]["code"].as_i64()),
        (status, Some(code)),
        "{body}"
    );
    assert_eq!(body["id"], 7, "the id is echoed");
    assert!(
        body["error"]["message"]
            .as_str()
            .is_some_and(|message| !message.is_empty())
    );
    assert!(body.get("result").is_none());
    body
}
