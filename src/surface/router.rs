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
    match served_here(site, request) {
        Ok(()) => by_path(site, request).await,
        // A page that calls us by a name its operator forgot to configure
        // must be able to read so.
        Err(refusal) => mcp::readable_by_any_page(Reply::error(&refusal)),
    }
}

async fn by_path(site: &Site<'_>, request: &dyn Incoming) -> Reply {
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
    let config = &site.gate.world.config;
    let known = Host::of(request).is_some_and(|Host { name, .. }| {
        matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1")
            || name.ends_with(".localhost")
            || name.ends_with(".workers.dev")
            || config.public_hosts.contains(&name)
    });
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

/// A well-formed Host field.
struct Host {
    /// In lower case, without brackets and final dot.
    name: String,
    port: Option<u16>,
}

impl Host {
    fn of(request: &dyn Incoming) -> Option<Host> {
        let field = request.header("host")?;
        let (name, rest) = match field.strip_prefix('[') {
            Some(field) => field.split_once(']')?,
            None => field.split_at(field.find(':').unwrap_or(field.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(digits) => Some(digits.parse().ok()?),
            None if rest.is_empty() => None,
            None => return None,
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':');
        name.bytes().all(plain).then(|| Host {
            name: name.trim_end_matches('.').to_ascii_lowercase(),
            port,
        })
    }
}

/// Scheme and authority as the client used them, without a slash at the end.
pub(super) fn base_url(request: &dyn Incoming) -> String {
    let scheme = request.scheme();
    let Some(Host { name, port }) = Host::of(request) else {
        // Not reached behind the router, which serves no other Host.
        return format!("{scheme}://localhost");
    };
    let name = if name.contains(':') {
        format!("[{name}]")
    } else {
        name
    };
    match port {
        Some(port) => format!("{scheme}://{name}:{port}"),
        None => format!("{scheme}://{name}"),
    }
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
