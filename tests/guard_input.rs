//! Bad input, on every surface: the same typed error from the JSON API, from
//! MCP in both eras, one event each, and not one byte to the network.

#[path = "support/mod.rs"]
mod support;

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use netrecon::guard::{PublicAddr, PublicUrl};
use netrecon::port::{Ask, Fetched, NetError, Network, Stream};
use serde_json::{Value, json};
use support::{House, NoNetwork, Request, Seen};

/// A network that counts who tries to use it.
#[derive(Default)]
struct Untouched(Cell<u32>);

impl Untouched {
    fn touched(&self) -> &'static dyn Network {
        self.0.set(self.0.get() + 1);
        &NoNetwork
    }
}

impl Network for Untouched {
    fn connect<'a>(
        &'a self,
        to: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>> {
        self.touched().connect(to)
    }

    fn fetch<'a>(
        &'a self,
        url: &'a PublicUrl,
        headers: &'a [(&'static str, String)],
        cap: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        self.touched().fetch(url, headers, cap)
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        self.touched().ask(ask)
    }
}

/// Budgets that no table here spends.
const BUDGETS: &str = r#"{"analyze":{"limit":100000,"seconds":60},"lookup":{"limit":100000,"seconds":60},
    "decode":{"limit":100000,"seconds":60},"diff":{"limit":100000,"seconds":60},"narrate":{"limit":100000,"seconds":60}}"#;

/// The service, and the network it must not use.
struct Stage {
    house: House,
    network: Rc<Untouched>,
    callers: Cell<u16>,
}

impl Stage {
    fn with(vars: &[(&str, &str)]) -> Stage {
        let network = Rc::new(Untouched::default());
        let vars: Vec<(&str, &str)> = [("BUDGETS", BUDGETS)]
            .into_iter()
            .chain(vars.iter().copied())
            .collect();
        Stage {
            house: House::with(&vars, network.clone()),
            network,
            callers: Cell::new(0),
        }
    }

    /// The answer to a caller who was not here before: one who repeats a
    /// mistake is told more.
    fn ask(&self, request: Request) -> Seen {
        let [high, low] = self.callers.get().to_be_bytes();
        self.callers.set(self.callers.get() + 1);
        let ip = format!("198.51.{high}.{low}");
        self.house.ask(&request.with("cf-connecting-ip", &ip))
    }

    /// The error that every surface gives, which is one and the same.
    #[track_caller]
    fn error(&self, tool: &str, arguments: &Value) -> Value {
        let shown: String = arguments.to_string().chars().take(200).collect();
        self.house.journal.lines.borrow_mut().clear();
        let api = self.ask(Request::post(&format!("/api/{tool}"), arguments));
        let error = api.json();
        for (era, request) in [
            ("modern", modern(tool, arguments)),
            ("legacy", legacy(tool, arguments)),
        ] {
            let seen = self.ask(request);
            let body = seen.json();
            assert_eq!(
                (seen.status, &body["result"]["isError"]),
                (200, &json!(true)),
                "{era} {shown}: {body}"
            );
            let text = body["result"]["content"][0]["text"].as_str().unwrap();
            assert_eq!(support::json(text), error, "{era} {shown}");
        }
        let events = self.house.journal.events();
        assert_eq!(events.len(), 3, "{shown}");
        for event in events {
            assert_eq!(event["outcome"], "validation_rejected", "{shown}");
            assert_eq!(event["error"], error["error"], "{shown}");
            assert_eq!(
                (&event["subrequests"], &event["budget"]["cost"]),
                (&json!(0), &json!(1)),
                "{shown}"
            );
        }
        assert_eq!(self.network.0.get(), 0, "{shown} touched the network");
        let expected = match error["error"].as_str() {
            Some("invalid_input") => 400,
            Some("target_refused") => 403,
            other => panic!("{other:?} for {shown}"),
        };
        assert_eq!(api.status, expected, "{shown}");
        error
    }
}

fn modern(tool: &str, arguments: &Value) -> Request {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let params = json!({ "name": tool, "arguments": arguments, "_meta": meta });
    call(&params)
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", "tools/call")
        .with("mcp-name", tool)
}

fn legacy(tool: &str, arguments: &Value) -> Request {
    call(&json!({ "name": tool, "arguments": arguments }))
        .with("mcp-protocol-version", "2025-06-18")
}

fn call(params: &Value) -> Request {
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params });
    Request::post("/mcp", &message).with("accept", "application/json, text/event-stream")
}

#[test]
fn arguments_of_the_wrong_shape_are_named_alike_everywhere() {
    let stage = Stage::with(&[]);
    let long = "x".repeat(200_000);
    let id = "k5xwqv3n2m7rj4tz6bqhcd2yfa";
    for (tool, arguments, field) in [
        ("analyze", json!({}), "target"),
        ("analyze", json!({ "target": null }), "target"),
        ("analyze", json!({ "target": 7 }), "target"),
        ("analyze", json!({ "target": ["lab-good.com"] }), "target"),
        ("analyze", json!({ "target": "" }), "target"),
        ("analyze", json!({ "target": long }), "target"),
        (
            "analyze",
            json!({ "target": "lab-good.com", "detail": "loud" }),
            "detail",
        ),
        (
            "analyze",
            json!({ "target": "lab-good.com", "Detail": "full" }),
            "Detail",
        ),
        (
            "analyze",
            json!({ "target": "lab-good.com", "probes": {} }),
            "probes",
        ),
        ("lookup", json!({ "records": ["A"] }), "name"),
        ("lookup", json!({ "name": long }), "name"),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": "A" }),
            "records",
        ),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": [] }),
            "records",
        ),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": ["A", "A"] }),
            "records",
        ),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": ["AXFR"] }),
            "records[0]",
        ),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": [long] }),
            "records[0]",
        ),
        (
            "lookup",
            json!({ "name": "lab-good.com", "records": vec!["A"; 500] }),
            "records",
        ),
        ("decode", json!({ "text": long }), "text"),
        ("decode", json!({ "text": true }), "text"),
        ("decode", json!({ "text": "x", "kind": "pdf" }), "kind"),
        ("decode", json!({ "text": "x", "kind": long }), "kind"),
        ("diff", json!({ "before": id }), "after"),
        ("diff", json!({ "before": id, "after": 7 }), "after"),
        ("diff", json!({ "before": long, "after": id }), "before"),
        ("narrate", json!({ "before": id, "after": "k5" }), "after"),
    ] {
        let error = stage.error(tool, &arguments);
        assert_eq!(
            (&error["error"], &error["field"]),
            (&json!("invalid_input"), &json!(field)),
            "{tool}"
        );
        let message = error["message"].as_str().unwrap();
        assert!((10..400).contains(&message.len()), "{message}");
    }
}

#[test]
fn every_text_and_list_argument_states_its_cap() {
    fn walk(place: &str, schema: &Value) {
        let is = |kind: &str| {
            schema["type"] == kind
                || schema["type"]
                    .as_array()
                    .is_some_and(|list| list.contains(&json!(kind)))
        };
        if is("string") {
            assert!(
                schema["maxLength"].is_u64() || schema["enum"].is_array(),
                "{place}"
            );
        }
        if is("array") {
            assert!(schema["maxItems"].is_u64(), "{place}");
            walk(&format!("{place}[]"), &schema["items"]);
        }
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            walk(&format!("{place}.{name}"), schema);
        }
    }
    for tool in netrecon::tool::Registry::new().tools() {
        walk(tool.name, tool.input.json());
    }
}

#[test]
fn a_target_of_every_refused_class_is_refused_alike_everywhere() {
    let stage = Stage::with(&[("PUBLIC_HOST", "recon.example.net")]);
    for (target, reason) in [
        ("exam ple.com", "malformed"),
        ("a..b.com", "malformed"),
        ("https:/example.com", "malformed"),
        ("ftp://example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("https://u:p@example.com/", "user_info"),
        ("https://example.com:8443/", "port"),
        ("example.com:22", "port"),
        ("localhost", "name"),
        ("intranet", "name"),
        ("metadata.google.internal", "name"),
        ("10.0.0.1.nip.io", "name"),
        ("x.onion", "name"),
        ("127.0.0.1", "address"),
        ("http://169.254.169.254/latest/meta-data/", "address"),
        ("https://2130706433/", "address"),
        ("010.8.8.8", "address"),
        ("::1", "address"),
        ("https://[64:ff9b::a00:1]/", "address"),
        ("recon.example.net", "owner"),
        ("anyone.workers.dev", "owner"),
    ] {
        let error = stage.error("analyze", &json!({ "target": target }));
        assert_eq!(
            (&error["error"], &error["reason"]),
            (&json!("target_refused"), &json!(reason)),
            "{target}"
        );
    }
}

#[test]
fn no_refused_line_of_the_corpus_reaches_the_network() {
    let stage = Stage::with(&[]);
    let lines = std::fs::read_to_string("tests/corpus/urls.jsonl").unwrap();
    let refused = lines.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).unwrap();
        // A length beyond the cap is the schema's matter, a base the redirect's.
        let alone =
            line["expect"] == "deny" && line["base"].is_null() && line["resolves"].is_null();
        let url = line["url"].as_str().unwrap().to_owned();
        (alone && !url.is_empty() && url.chars().count() <= 2048).then_some(url)
    });
    let mut tried = 0;
    for url in refused {
        // `analyze` takes a bare host too, so what is no URL may still be a target.
        let whole = match url.contains("://") {
            true => url,
            false => continue,
        };
        assert_eq!(
            stage.error("analyze", &json!({ "target": whole }))["error"],
            "target_refused",
            "{whole}"
        );
        tried += 1;
    }
    assert!(tried > 250, "{tried}");
}

#[test]
fn an_operators_list_is_all_that_may_be_asked_about() {
    let stage = Stage::with(&[
        ("TARGET_ALLOWLIST", "lab-good.com, *.lab-tls.net"),
        ("PROBE_PORTS", "443,8443"),
    ]);
    for (tool, argument, value, reason) in [
        ("analyze", "target", "example.com", "allowlist"),
        ("analyze", "target", "notlab-good.com", "allowlist"),
        ("analyze", "target", "93.184.216.10", "allowlist"),
        ("analyze", "target", "http://lab-good.com/", "port"),
        ("lookup", "name", "example.com", "allowlist"),
        ("lookup", "name", "com", "allowlist"),
    ] {
        let error = stage.error(tool, &json!({ argument: value }));
        assert_eq!(error["reason"], reason, "{value}");
    }
    let guard = &stage.house.world().guard;
    for good in [
        "lab-good.com",
        "www.LAB-good.com",
        "https://tls13.lab-tls.net:8443/",
    ] {
        assert!(guard.validate_target(good).is_ok(), "{good}");
    }
}

#[test]
fn a_request_of_the_wrong_form_gets_its_typed_error() {
    let stage = Stage::with(&[]);
    let post = |path: &str| Request::new("POST", path).with("content-type", "application/json");
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for (request, status, code) in [
        (
            post("/api/analyze").body("target=lab-good.com"),
            400,
            "invalid_input",
        ),
        (post("/api/analyze").body(""), 400, "invalid_input"),
        (
            post("/api/analyze").body("[\"lab-good.com\"]"),
            400,
            "invalid_input",
        ),
        (post("/api/analyze").body(nested(65)), 400, "invalid_input"),
        (
            post("/api/decode").body(nested(100_000)),
            400,
            "invalid_input",
        ),
        (
            post("/api/decode").body(vec![0xff; 9]),
            400,
            "invalid_input",
        ),
        (
            post("/api/decode").body(" ".repeat(256 * 1024 + 1)),
            413,
            "payload_too_large",
        ),
        (
            post("/mcp").body(" ".repeat(256 * 1024 + 1)),
            413,
            "payload_too_large",
        ),
        (
            post("/api/analyze")
                .with("content-type", "text/plain")
                .body("{}"),
            415,
            "unsupported_media_type",
        ),
        (
            post("/api/lookup").without("content-type").body("{}"),
            415,
            "unsupported_media_type",
        ),
        (
            post("/mcp").with("content-type", "text/plain").body("{}"),
            415,
            "unsupported_media_type",
        ),
        (
            Request::new("DELETE", "/api/analyze"),
            405,
            "method_not_allowed",
        ),
        (
            Request::new("GET", "/api/decode?text=x"),
            405,
            "method_not_allowed",
        ),
        (Request::new("PUT", "/mcp"), 405, "method_not_allowed"),
        (
            Request::new("GET", "/api/analyze?target=a.com&target=b.com"),
            400,
            "invalid_input",
        ),
        (
            Request::new("GET", &format!("/api/lookup?name={}", "x".repeat(9_000))),
            413,
            "payload_too_large",
        ),
        (post("/api/nmap").body("{}"), 404, "not_found"),
        (post("/api/Analyze").body("{}"), 404, "not_found"),
        (Request::new("GET", "/nowhere"), 404, "not_found"),
        (
            Request::new("GET", "/.well-known/oauth-authorization-server"),
            404,
            "not_found",
        ),
    ] {
        let shown = format!("{request:?}");
        let seen = stage.ask(request);
        let body = seen.json();
        assert_eq!(
            (seen.status, &body["error"]),
            (status, &json!(code)),
            "{shown}"
        );
        assert!(body["message"].is_string() || code == "not_found", "{body}");
    }
    assert_eq!(stage.network.0.get(), 0);
}
