//! Paths to surfaces. First hit wins; whatever is left is a JSON 404.

use crate::error::{Code, Error};

use super::{Body, Incoming, Reply, Site, api, discovery, health, mcp, pages};

/// Answers one request. Total: every input ends in a reply.
pub async fn route(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    // Liveness comes before everything, so that it depends on nothing.
    if request.path() == "/livez" {
        return match request.method() {
            "GET" | "HEAD" => Reply::new(200, "text/plain; charset=utf-8", Body::Static(b"ok")),
            _ => method_not_allowed("GET, HEAD"),
        };
    }
    if let Err(refusal) = served_here(site, request) {
        return Reply::error(&refusal);
    }
    match request.path() {
        "/mcp" | "/mcp/" | "/sse" => mcp::answer(site, request).await,
        path if path.starts_with("/api/") => match path {
            "/api/health" => health::answer(site, request).await,
            _ => api::answer(site, request).await,
        },
        _ => match discovery::answer(site, request) {
            Some(reply) => reply,
            None => pages::answer(site, request).await,
        },
    }
}

/// The Host must be one of ours: this alone defeats DNS rebinding against a
/// Worker that runs on somebody's machine.
fn served_here(site: &Site<'_>, request: &dyn Incoming) -> Result<(), Error> {
    let host = request.header("host").unwrap_or_default();
    let name = host_name(&host);
    let config = &site.gate.world.config;
    let known = matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1")
        || name.ends_with(".localhost")
        || name.ends_with(".workers.dev")
        || config.public_hosts.contains(&name);
    match known {
        true => Ok(()),
        false => {
            let mut error = Error::new(
                Code::TargetRefused,
                "This Host is not served here; its operator adds it to the variable PUBLIC_HOST.",
            );
            error.reason = Some("host");
            Err(error)
        }
    }
}

/// The name of a Host field, in lower case, without port and brackets.
pub(super) fn host_name(host: &str) -> String {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name.trim_end_matches('.').to_ascii_lowercase()
}

pub(super) fn not_found() -> Reply {
    Reply::error(&Error::new(
        Code::NotFound,
        "There is nothing at this path; MCP is at /mcp, the JSON API is listed at /api/tools.",
    ))
}

pub(super) fn method_not_allowed(allow: &'static str) -> Reply {
    Reply::error(&Error::new(
        Code::MethodNotAllowed,
        format!("This path answers {allow} only."),
    ))
    .with("allow", allow)
}
