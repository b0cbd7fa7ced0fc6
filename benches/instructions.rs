//! Work whose instructions `scripts/bench instructions` counts: one piece, a
//! number of times. Counted under valgrind, so that a regression shows on any
//! machine, however busy; two counts of the same build differ by hash seeds
//! only.
//!
//! `instructions NAME TIMES` works; `instructions` lists the names.

#[path = "../src/codec/tests/hostile_texts.rs"]
mod hostile_texts;
#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use netrecon::codec::{Context, Kind, decode};
use netrecon::config::Config;
use netrecon::guard::Guard;
use serde_json::{Value, json};
use support::{House, Request};

const CERTIFICATE: &str = include_str!("../src/codec/certificate/example.pem");
const SPF: &str = "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com mx ~all";
const MODERN: &str = "2026-07-28";

/// The hostile texts that cost most by `cargo bench --bench decode`, and the
/// kind that they cost most as.
const HOSTILE: &[(&str, &str, &str)] = &[
    ("hostile_members_each", "members each", "auto"),
    ("hostile_members_twice", "members twice", "auto"),
    ("hostile_keys", "keys", "jwk"),
    ("hostile_nested_base64", "nested base64", "auto"),
    ("hostile_line_breaks", "line breaks", "auto"),
    ("hostile_semicolons", "semicolons", "auto"),
    ("hostile_dot_segments", "dot segments", "url"),
    ("hostile_spf_macros", "spf macros", "spf"),
    (
        "hostile_txt_strings",
        "txt strings",
        "authentication_results",
    ),
    ("hostile_tags", "other tags", "csp"),
];

type Work = Box<dyn FnMut()>;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut works = works();
    match arguments.as_slice() {
        [name, times] if times.parse::<u32>().is_ok() => {
            let work = works.iter_mut().find(|(known, _)| known == name);
            let (_, work) = work.expect("one of the names");
            (0..times.parse().expect("a number")).for_each(|_| work());
        }
        // `cargo bench` passes switches of its own.
        _ => works.iter().for_each(|(name, _)| println!("{name}")),
    }
}

fn works() -> Vec<(&'static str, Work)> {
    let mut works = calls();
    let hostile = HOSTILE
        .iter()
        .map(|(name, text, kind)| (*name, reading(text, Kind::parse(kind))));
    works.extend(hostile);
    works
}

fn calls() -> Vec<(&'static str, Work)> {
    vec![
        ("tools_list", asking("tools/list", json!({}), "")),
        ("server_discover", asking("server/discover", json!({}), "")),
        ("call_no_op", decoding("192.0.2.1", "ip", "")),
        ("call_spf", decoding(SPF, "spf", "")),
        ("call_certificate", decoding(CERTIFICATE, "certificate", "")),
        (
            "call_refused",
            decoding(SPF, "spf", r#"{"decode":{"limit":1,"seconds":86400}}"#),
        ),
        ("judge_url", judging("https://www.example.com/a/b?c=d")),
        ("judge_refused_url", judging("http://0x7f.1/")),
    ]
}

fn decoding(text: &str, kind: &str, budgets: &str) -> Work {
    let params = json!({"name": "decode", "arguments": {"text": text, "kind": kind}});
    asking("tools/call", params, budgets)
}

/// A modern request, answered by everything but the platform.
fn asking(method: &str, mut params: Value, budgets: &str) -> Work {
    let plenty = r#"{"decode":{"limit":1000000,"seconds":1}}"#;
    let budgets = if budgets.is_empty() { plenty } else { budgets };
    let house = House::with_vars(&[("BUDGETS", budgets)]);
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    let mut request = Request::post("/mcp", &body)
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", MODERN)
        .with("mcp-method", method);
    if let Some(name) = body.pointer("/params/name").and_then(Value::as_str) {
        request = request.with("mcp-name", name);
    }
    Box::new(move || {
        black_box(house.ask(&request));
    })
}

/// The reading alone, of a text that costs more than it should.
fn reading(name: &'static str, kind: Option<Kind>) -> Work {
    Box::new(move || {
        thread_local! {
            static TEXTS: Vec<(&'static str, String)> = hostile_texts::texts();
        }
        let guard = Guard::default();
        let context = Context {
            guard: &guard,
            now_ms: 1_800_000_000_000,
        };
        TEXTS.with(|texts| {
            let (_, text) = texts
                .iter()
                .find(|(known, _)| *known == name)
                .expect("one of them");
            let _ = black_box(decode(black_box(text), kind, &context));
        });
    })
}

fn judging(url: &'static str) -> Work {
    let config = Config::from_vars(|_| None).expect("defaults");
    let guard = Guard::new(config.policy);
    Box::new(move || {
        let _ = black_box(guard.validate_fetch_url(black_box(url)));
    })
}
