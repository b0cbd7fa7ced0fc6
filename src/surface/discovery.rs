//! What machines look for before they call: robots.txt, llms.txt, the MCP
//! server card and its catalog; and a plain no to everything that would mean
//! a login.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::router::{base_url, method_not_allowed, not_found};
use super::{Body, Incoming, Reply, Site, identity, mcp};

const CARD_TYPE: &str = "application/mcp-server-card+json";
const TEXT: &str = "text/plain; charset=utf-8";

/// Reports and calls are not for indexing, and a link that would run a call is
/// not for following; what is left says what this is.
const ROBOTS: &[u8] = b"User-agent: *\nDisallow: /api/\nDisallow: /mcp\nDisallow: /r/\n\
Disallow: /health\nDisallow: /?target=\nDisallow: /lookup?\nDisallow: /diff?\n";

/// Answers a discovery path, or `None` when this is not one.
pub(super) fn answer(site: &Site<'_>, request: &dyn Incoming) -> Option<Reply> {
    let path = request.path();
    let reply = match path {
        "/robots.txt" => read_only(request, || Reply::new(200, TEXT, Body::Static(ROBOTS))),
        "/llms.txt" => read_only(request, || {
            Reply::new(200, TEXT, Body::Text(llms(site, &base_url(request))))
        }),
        "/mcp/server-card" => read_only(request, || {
            cacheable(request, CARD_TYPE, &card(&base_url(request)))
        }),
        "/.well-known/ai-catalog.json" => read_only(request, || {
            cacheable(request, "application/json", &ai_catalog(&base_url(request)))
        }),
        _ if asks_for_a_login(path) => read_any(request, not_found),
        _ => return None,
    };
    Some(reply.with("access-control-allow-origin", "*"))
}

/// Where clients look for an authorization server. There is none: they have to
/// hear so in JSON and by 404, or they start a login that cannot succeed.
fn asks_for_a_login(path: &str) -> bool {
    let path = ["/mcp", "/sse"]
        .iter()
        .find_map(|mcp| path.strip_prefix(mcp))
        .unwrap_or(path);
    path.starts_with("/.well-known/") && path != "/.well-known/security.txt"
        || matches!(path, "/register" | "/authorize" | "/token" | "/.well-known")
}

fn read_only(request: &dyn Incoming, reply: impl FnOnce() -> Reply) -> Reply {
    match request.method() {
        "GET" | "HEAD" | "OPTIONS" => read_any(request, reply),
        _ => method_not_allowed("GET, HEAD, OPTIONS"),
    }
}

/// Browsers ask first, because clients send `MCP-Protocol-Version` here too.
fn read_any(request: &dyn Incoming, reply: impl FnOnce() -> Reply) -> Reply {
    match request.method() {
        "OPTIONS" => Reply::empty(204)
            .with("access-control-allow-methods", "GET, HEAD, OPTIONS")
            .with(
                "access-control-allow-headers",
                "Accept, MCP-Protocol-Version",
            )
            .with("access-control-max-age", "86400"),
        _ => reply(),
    }
}

/// A document that is the same until the next deployment.
fn cacheable(request: &dyn Incoming, media_type: &'static str, document: &Value) -> Reply {
    let text = document.to_string();
    let hash: String = Sha256::digest(&text)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let etag = format!("\"{hash}\"");
    let known = request
        .header("if-none-match")
        .is_some_and(|tags| tags.contains(&etag));
    let reply = match known {
        true => Reply::empty(304),
        false => Reply::new(200, media_type, Body::Text(text)),
    };
    reply
        .with("etag", etag)
        .with("cache-control", "public, max-age=3600")
}

/// The server card (SEP-2127): what a client may know before it connects.
fn card(base: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
        "name": identity::NAME,
        "title": identity::TITLE,
        "description": identity::DESCRIPTION,
        "version": identity::VERSION,
        "remotes": [{
            "type": "streamable-http",
            "url": format!("{base}/mcp"),
            "supportedProtocolVersions": mcp::SUPPORTED,
        }],
    })
}

/// The catalog of this host, which has one entry.
fn ai_catalog(base: &str) -> Value {
    let host = base.split_once("://").map_or(base, |(_, host)| host);
    let host = host.split(':').next().unwrap_or(host);
    json!({
        "specVersion": "1.0",
        "entries": [{
            "identifier": format!("urn:air:{host}:mcp:{}", identity::SHORT_NAME),
            "displayName": identity::TITLE,
            "type": CARD_TYPE,
            "url": format!("{base}/mcp/server-card"),
        }],
    })
}

/// The site for a model that reads it as text (llms.txt).
fn llms(site: &Site<'_>, base: &str) -> String {
    let mut text = format!(
        "# {}\n\n> {}\n\n{}\n\n## Tools\n\n",
        identity::TITLE,
        identity::DESCRIPTION,
        identity::INSTRUCTIONS
    );
    for tool in site.gate.registry.tools() {
        text.push_str(&format!(
            "- [{}]({base}/api/{}): {}\n",
            tool.name, tool.name, tool.description
        ));
    }
    text.push_str(&format!(
        "\n## Ways in\n\n\
         - [MCP]({base}/mcp): Streamable HTTP, no authentication\n\
         - [Server card]({base}/mcp/server-card): the same as JSON\n\
         - [JSON API]({base}/api/tools): all tools with their schemas\n\
         - [How to connect]({base}/connect): one line per client\n"
    ));
    text
}
