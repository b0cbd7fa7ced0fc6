//! The gate from outside: what it says of loops, what it writes down, what
//! health makes of it.

#[path = "../support/mod.rs"]
mod support;

mod events;
mod health;
mod loops;
mod scale;

use serde_json::{Value, json};
use support::{House, Request, Seen};

/// A call of the JSON API from `ip`.
fn call(house: &House, ip: &str, tool: &str, arguments: &Value) -> Seen {
    house.ask(&Request::post(&format!("/api/{tool}"), arguments).with("cf-connecting-ip", ip))
}

/// A modern or legacy `tools/call`, by the API's shape.
fn mcp(house: &House, name: &str, arguments: &Value) -> Seen {
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": name, "arguments": arguments},
    });
    let request = Request::post("/mcp", &message)
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", "2025-11-25");
    house.ask(&request)
}
