//! What machines look for before they call: robots.txt and the like.

use super::router::method_not_allowed;
use super::{Body, Incoming, Reply, Site};

/// Answers a discovery path, or `None` when this is not one.
pub(super) fn answer(_site: &Site<'_>, request: &dyn Incoming) -> Option<Reply> {
    let reply = match request.path() {
        "/robots.txt" => Reply::new(
            200,
            "text/plain; charset=utf-8",
            Body::Static(b"User-agent: *\nDisallow: /api/\nDisallow: /mcp\nDisallow: /r/\nDisallow: /health\n"),
        ),
        _ => return None,
    };
    Some(match request.method() {
        "GET" | "HEAD" => reply,
        _ => method_not_allowed("GET, HEAD"),
    })
}
