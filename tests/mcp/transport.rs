//! HTTP before any message is read: paths, verbs, origins, media types,
//! sizes, and what browsers need.

use serde_json::{Value, json};

use super::support::{House, Request};
use super::{MODERN, ask, decode_call, legacy, modern};

fn discover() -> Request {
    modern("server/discover", json!({}))
}

#[test]
fn the_three_paths_are_one_endpoint() {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let answers: Vec<String> = ["/mcp", "/mcp/", "/sse"]
        .map(|path| ask(&Request::post(path, &body)).body)
        .to_vec();
    assert_eq!(answers, [r#"{"jsonrpc":"2.0","id":1,"result":{}}"#; 3]);
}

#[test]
fn other_verbs_get_405_with_allow_at_once() {
    for path in ["/mcp", "/mcp/", "/sse"] {
        for verb in ["GET", "HEAD", "DELETE", "PUT", "PATCH"] {
            let seen = ask(&Request::new(verb, path).with("accept", "text/event-stream"));
            assert_eq!(seen.status, 405, "{verb} {path}");
            assert_eq!(seen.header("allow"), Some("POST, OPTIONS"));
            assert_eq!(seen.json()["error"], "method_not_allowed");
        }
    }
}

#[test]
fn a_preflight_names_verbs_and_header_fields() {
    let seen = ask(&Request::new("OPTIONS", "/mcp").with("origin", "https://inspector.example"));
    assert_eq!((seen.status, seen.body.as_str()), (204, ""));
    assert_eq!(seen.header("content-type"), None);
    assert_eq!(seen.header("access-control-allow-origin"), Some("*"));
    assert_eq!(seen.header("access-control-max-age"), Some("86400"));
    let allowed = seen
        .header("access-control-allow-headers")
        .unwrap()
        .to_ascii_lowercase();
    let allowed: Vec<&str> = allowed.split(", ").collect();
    for name in [
        "content-type",
        "accept",
        "authorization",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
    ] {
        assert!(allowed.contains(&name), "{name}");
    }
    assert!(
        seen.header("access-control-allow-methods")
            .unwrap()
            .contains("POST")
    );
    assert_eq!(seen.header("access-control-allow-credentials"), None);
}

#[test]
fn every_answer_may_be_read_by_a_page() {
    let requests = [
        discover(),
        modern("tools/call", decode_call()),
        modern("no/such", json!({})),
        Request::new("GET", "/mcp"),
        Request::post(
            "/mcp",
            &json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        ),
        Request::new("POST", "/mcp").with("content-type", "text/plain"),
        discover().with("origin", "null"),
        discover().with("host", "evil.example.com"),
    ];
    for request in requests {
        let seen = ask(&request);
        assert_eq!(
            seen.header("access-control-allow-origin"),
            Some("*"),
            "{request:?}"
        );
        let exposed = seen.header("access-control-expose-headers").unwrap();
        for name in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
            assert!(exposed.split(", ").any(|known| known == name), "{name}");
        }
    }
}

#[test]
fn a_host_that_is_not_ours_is_refused() {
    for host in [
        "evil.example.com",
        "evil.example.com:8787",
        "localhost.evil.example.com",
        "",
    ] {
        let seen = ask(&discover()
            .with("host", host)
            .with("origin", &format!("http://{host}")));
        assert_eq!(seen.status, 403, "{host}");
        assert!(seen.body.contains("PUBLIC_HOST"));
    }
    for host in [
        "localhost:8787",
        "127.0.0.1:1",
        "[::1]:8787",
        "netrecon.someone.workers.dev",
    ] {
        assert_eq!(ask(&discover().with("host", host)).status, 200, "{host}");
    }
    let house = House::with_vars(&[("PUBLIC_HOST", "netrecon.example.org")]);
    assert_eq!(
        house
            .ask(&discover().with("host", "netrecon.example.org"))
            .status,
        200
    );
}

#[test]
fn an_origin_is_absent_or_a_website() {
    assert_eq!(ask(&discover()).status, 200);
    for origin in ["https://claude.ai", "http://localhost:6274"] {
        assert_eq!(
            ask(&discover().with("origin", origin)).status,
            200,
            "{origin}"
        );
    }
    for origin in [
        "null",
        "nonsense",
        "file://",
        "https://a.example, https://b.example",
    ] {
        let seen = ask(&discover().with("origin", origin));
        assert_eq!(seen.status, 403, "{origin}");
        assert_eq!(seen.json()["reason"], "origin");
    }
}

#[test]
fn a_body_has_to_be_json_by_its_media_type() {
    for media_type in [
        "text/plain",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "",
    ] {
        let seen = ask(&discover().with("content-type", media_type));
        assert_eq!(seen.status, 415, "{media_type}");
        assert_eq!(seen.json()["error"], "unsupported_media_type");
    }
    assert_eq!(ask(&discover().without("content-type")).status, 415);
    assert_eq!(
        ask(&discover().with("content-type", "Application/JSON; charset=utf-8")).status,
        200
    );
}

#[test]
fn a_body_over_the_cap_gets_413() {
    for size in [256 * 1024 + 1, 4 * 1024 * 1024 + 1] {
        let seen = ask(&discover().body(vec![b' '; size]));
        assert_eq!(seen.status, 413);
        assert_eq!(seen.json()["error"], "payload_too_large");
    }
}

#[test]
fn what_is_not_json_gets_32700_without_an_id() {
    for body in [
        "",
        "{",
        "{'a':1}",
        "\u{feff}{}",
        "nul",
        "{\"jsonrpc\":\"2.0\",\"id\":7",
    ] {
        let seen = ask(&discover().body(body));
        assert_eq!(
            (seen.status, seen.json()["error"]["code"].as_i64()),
            (400, Some(-32700)),
            "{body}"
        );
        assert!(
            seen.json().get("id").is_none(),
            "an unread id is left out, never null"
        );
        let message = &seen.json()["error"]["message"];
        assert!(
            message.as_str().unwrap().starts_with("Send JSON in UTF-8"),
            "what to send instead: {message}"
        );
    }
    let invalid_utf8 = ask(&discover().body(vec![b'"', 0xff, b'"']));
    assert_eq!(invalid_utf8.json()["error"]["code"], -32700);
}

#[test]
fn json_nested_deeper_than_64_levels_is_refused_unbuilt() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let seen = ask(&Request::post("/mcp", &Value::Null).body(nested(65)));
    assert_eq!(
        (seen.status, seen.json()["error"]["code"].as_i64()),
        (400, Some(-32700))
    );
    assert_eq!(
        seen.json()["error"]["message"],
        "Send JSON that is nested no deeper than 64 levels."
    );
    let hostile = ask(&Request::post("/mcp", &Value::Null).body(nested(100_000)));
    assert_eq!(hostile.status, 400);
}

#[test]
fn what_is_not_a_message_gets_32600() {
    for message in [
        json!(null),
        json!(7),
        json!("ping"),
        json!({}),
        json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}),
        json!({"id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1}),
        json!({"jsonrpc": "2.0", "id": 1, "method": 5}),
        json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": {}, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
    ] {
        let seen = ask(&Request::post("/mcp", &message));
        assert_eq!(
            (seen.status, seen.json()["error"]["code"].as_i64()),
            (400, Some(-32600)),
            "{message}"
        );
    }
}

#[test]
fn a_notification_gets_202_and_nothing_else() {
    for message in [
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}),
        json!({"jsonrpc": "2.0", "method": "tools/call", "params": decode_call()}),
    ] {
        for version in [MODERN, "2025-11-25"] {
            let house = House::new();
            let seen =
                house.ask(&Request::post("/mcp", &message).with("mcp-protocol-version", version));
            assert_eq!((seen.status, seen.body.as_str()), (202, ""), "{message}");
            assert_eq!(seen.header("content-type"), None);
            assert!(
                house.journal.events().is_empty(),
                "a notification runs nothing"
            );
        }
    }
}

#[test]
fn a_posted_response_is_accepted_in_the_legacy_era_only() {
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let post = Request::post("/mcp", &response);
    assert_eq!(ask(&post).status, 202);
    assert_eq!(
        ask(&post.clone().with("mcp-protocol-version", "2025-06-18")).status,
        202
    );
    let seen = ask(&post.with("mcp-protocol-version", MODERN));
    assert_eq!(
        (seen.status, seen.json()["error"]["code"].as_i64()),
        (400, Some(-32600))
    );
}

#[test]
fn a_client_that_reads_only_event_streams_gets_one_event() {
    for request in [discover(), legacy("2025-06-18", "tools/list", json!({}))] {
        let json = ask(&request);
        assert_eq!(json.header("content-type"), Some("application/json"));
        let stream = ask(&request.with("accept", "text/event-stream"));
        assert_eq!(stream.header("content-type"), Some("text/event-stream"));
        assert_eq!(
            stream.body,
            format!("event: message\ndata: {}\n\n", json.body)
        );
    }
}

#[test]
fn no_accept_field_is_ever_answered_by_406() {
    for accept in [
        "application/json",
        "*/*",
        "text/html",
        "",
        "text/event-stream, application/json",
    ] {
        let seen = ask(&discover().with("accept", accept));
        assert_eq!(
            seen.header("content-type"),
            Some("application/json"),
            "{accept}"
        );
    }
    assert_eq!(ask(&discover().without("accept")).status, 200);
}

#[test]
fn a_refusal_stays_json_also_for_clients_of_event_streams() {
    let seen = ask(&modern("no/such", json!({})).with("accept", "text/event-stream"));
    assert_eq!(
        (seen.status, seen.header("content-type")),
        (404, Some("application/json"))
    );
}

#[test]
fn a_stale_session_is_ignored_and_none_is_minted() {
    let request = legacy("2025-11-25", "ping", json!({})).with("mcp-session-id", "gone");
    let seen = ask(&request.with("last-event-id", "3"));
    assert_eq!(seen.status, 200);
    assert_eq!(seen.header("mcp-session-id"), None);
}

#[test]
fn ids_come_back_as_they_were_sent() {
    for id in [
        json!(0),
        json!(-1),
        json!(9_007_199_254_740_993_u64),
        json!("a \"quoted\" ü"),
        json!(""),
    ] {
        let seen = ask(&Request::post(
            "/mcp",
            &json!({"jsonrpc": "2.0", "id": id, "method": "ping"}),
        ));
        assert_eq!(seen.json()["id"], id);
    }
}
