//! What machines look for before they call.

use serde_json::{Value, json};

use super::support::{House, Request};
use super::{SUPPORTED, ask, modern, result};

fn get(path: &str) -> Request {
    Request::new("GET", path)
}

#[test]
fn looking_for_a_login_ends_in_a_json_404() {
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/mcp",
        "/.well-known/openid-configuration",
        "/.well-known/openid-configuration/mcp",
        "/mcp/.well-known/openid-configuration",
        "/mcp/.well-known/oauth-protected-resource",
        "/sse/.well-known/oauth-protected-resource",
        "/.well-known/anything",
        "/register",
        "/authorize",
        "/token",
    ] {
        for verb in ["GET", "POST"] {
            let seen = ask(&Request::new(verb, path).with("accept", "text/html"));
            assert_eq!(seen.status, 404, "{verb} {path}");
            assert_eq!(seen.header("content-type"), Some("application/json"));
            assert_eq!(seen.json()["error"], "not_found");
            assert_eq!(seen.header("www-authenticate"), None);
            assert_eq!(seen.header("access-control-allow-origin"), Some("*"));
        }
        let preflight =
            ask(&Request::new("OPTIONS", path).with("origin", "https://inspector.example"));
        assert_eq!(preflight.status, 204, "browsers ask first: {path}");
    }
}

#[test]
fn the_server_card_agrees_with_discover() {
    let seen = ask(&get("/mcp/server-card"));
    assert_eq!(
        seen.header("content-type"),
        Some("application/mcp-server-card+json")
    );
    assert_eq!(seen.header("cache-control"), Some("public, max-age=3600"));
    let card = seen.json();
    let discovered = result(&modern("server/discover", json!({})));
    let server = &discovered["_meta"]["io.modelcontextprotocol/serverInfo"];
    for member in ["name", "title", "version"] {
        assert_eq!(card[member], server[member]);
    }
    assert_eq!(
        card["remotes"],
        json!([{
            "type": "streamable-http",
            "url": "http://localhost:8787/mcp",
            "supportedProtocolVersions": SUPPORTED,
        }])
    );
    assert!(card["description"].as_str().unwrap().chars().count() <= 100);
}

#[test]
fn a_card_that_the_client_has_is_not_sent_again() {
    let seen = ask(&get("/mcp/server-card"));
    let etag = seen.header("etag").unwrap().to_owned();
    let again = ask(&get("/mcp/server-card").with("if-none-match", &etag));
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    assert_eq!(again.header("etag"), Some(etag.as_str()));
    let elsewhere = get("/mcp/server-card")
        .with("host", "localhost:1")
        .with("if-none-match", &etag);
    assert_eq!(ask(&elsewhere).status, 200, "another address, another card");
}

#[test]
fn the_catalog_leads_to_the_card() {
    let catalog = ask(&get("/.well-known/ai-catalog.json")).json();
    assert_eq!(catalog["specVersion"], "1.0");
    let entry = &catalog["entries"][0];
    assert_eq!(entry["identifier"], "urn:air:localhost:mcp:netrecon");
    assert_eq!(entry["type"], "application/mcp-server-card+json");
    let path = entry["url"]
        .as_str()
        .unwrap()
        .strip_prefix("http://localhost:8787")
        .unwrap();
    assert_eq!(ask(&get(path)).status, 200);
}

#[test]
fn llms_txt_names_every_tool_and_way_in() {
    let house = House::new();
    let seen = house.ask(&get("/llms.txt"));
    assert_eq!(
        seen.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(seen.body.starts_with("# netrecon\n\n> "));
    for tool in house.registry.tools() {
        assert!(
            seen.body.contains(&format!("[{}]", tool.name)) && seen.body.contains(tool.description)
        );
    }
    assert!(seen.body.contains("(http://localhost:8787/mcp)"));
}

#[test]
fn robots_are_kept_from_calls_and_reports() {
    let text = ask(&get("/robots.txt")).body;
    for path in ["/api/", "/mcp", "/r/"] {
        assert!(text.contains(&format!("Disallow: {path}\n")), "{path}");
    }
}

#[test]
fn discovery_documents_are_read_only() {
    for path in [
        "/robots.txt",
        "/llms.txt",
        "/mcp/server-card",
        "/.well-known/ai-catalog.json",
    ] {
        assert_eq!(ask(&get(path)).status, 200, "{path}");
        let seen = ask(&Request::new("POST", path));
        assert_eq!(
            (seen.status, seen.header("allow")),
            (405, Some("GET, HEAD, OPTIONS")),
            "{path}"
        );
    }
}

#[test]
fn a_malformed_host_field_reaches_no_document() {
    for host in [
        "localhost:\"><script>",
        "localhost:80@evil.example",
        "localhost:99999",
        "localhost:/evil",
        "localhost/evil",
        "evil\".workers.dev",
        "[::1",
    ] {
        for path in [
            "/mcp/server-card",
            "/llms.txt",
            "/.well-known/ai-catalog.json",
        ] {
            let seen = ask(&get(path).with("host", host));
            assert_eq!(seen.status, 403, "{host}");
            assert!(
                !seen.body.contains("evil") && !seen.body.contains("<script"),
                "{}",
                seen.body
            );
        }
    }
    let card = ask(&get("/mcp/server-card").with("host", "[::1]:8787")).json();
    assert_eq!(card["remotes"][0]["url"], "http://[::1]:8787/mcp");
}

#[test]
fn the_registry_entry_says_the_same() {
    let entry: Value = serde_json::from_str(include_str!("../../server.json")).unwrap();
    let card = ask(&get("/mcp/server-card")).json();
    for member in ["name", "title", "description", "version"] {
        assert_eq!(entry[member], card[member], "{member}");
    }
    assert_eq!(
        entry["$schema"],
        "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
    );
    let remote = &entry["remotes"][0];
    assert_eq!(remote["type"], "streamable-http");
    let url = remote["url"].as_str().unwrap();
    assert_eq!(url, "https://{host}/mcp");
    assert!(
        remote["variables"]["host"]["description"].is_string(),
        "whoever installs it names the host"
    );
}
