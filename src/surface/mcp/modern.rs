//! Revision 2026-07-28: every request describes itself in `params._meta` and
//! mirrors its routing members in header fields. There are no sessions.

use serde_json::{Value, json};

use crate::guard::text;

use super::call::{self, Spoken};
use super::rpc::{self, Fault, INVALID_PARAMS, Params, Request, UNSUPPORTED_VERSION};
use super::{Post, Sent, header, legacy, revision};

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const CLIENT_KEY: &str = "io.modelcontextprotocol/clientInfo";

/// Longest client name kept, in characters.
const CLIENT_NAME_CAP: usize = 60;

/// Whether a request carries the modern envelope, well-formed or not.
pub(super) fn has_envelope(params: &Params) -> bool {
    params.meta(VERSION_KEY).is_some()
}

/// The same of `params` not yet read as a request's.
pub(super) fn is_envelope(params: &Value) -> bool {
    params
        .get("_meta")
        .is_some_and(|meta| meta.get(VERSION_KEY).is_some())
}

/// Answers one request. The order of refusals is part of the protocol:
/// clients tell the eras apart by the first one they get.
pub(super) async fn answer(post: &Post<'_>, request: Request) -> Sent {
    let version = match envelope(post, &request.params) {
        Ok(version) => version,
        Err(fault) => return Sent::fault(&request.id, fault),
    };
    // A client may pick any revision we advertise and still describe each
    // request itself; without state that revision is served just the same.
    if version != revision::MODERN {
        return legacy::dispatch(post, request, version).await;
    }
    if let Err(fault) = mirrored(post, &request) {
        return Sent::fault(&request.id, fault);
    }
    dispatch(post, request).await
}

/// Judges `_meta` and names the revision that the request is made in.
fn envelope(post: &Post<'_>, params: &Params) -> Result<&'static str, Fault> {
    let lacks = |key: &str, form: &str| {
        let message = format!("params._meta has to carry {key:?}, {form}");
        Fault::new(400, INVALID_PARAMS, message)
    };
    let version = params
        .meta(VERSION_KEY)
        .and_then(Value::as_str)
        .ok_or_else(|| lacks(VERSION_KEY, "the revision as a string"))?;
    if !params.meta(CAPABILITIES_KEY).is_some_and(Value::is_object) {
        return Err(lacks(CAPABILITIES_KEY, "an object, which may be empty"));
    }
    header::mirrors("MCP-Protocol-Version", post.version.as_deref(), version)?;
    revision::supported(version).ok_or_else(|| unsupported(version))
}

/// The fault that lets a client choose again.
pub(super) fn unsupported(asked: &str) -> Fault {
    let data = json!({ "supported": revision::SUPPORTED, "requested": text::clean(asked, 60) });
    Fault::new(400, UNSUPPORTED_VERSION, "Unsupported protocol version").with_data(data.to_string())
}

/// Holds the routing header fields against the body, so that whatever stands
/// before us has routed the request that we are about to answer.
fn mirrored(post: &Post<'_>, request: &Request) -> Result<(), Fault> {
    let field = |name: &str| post.request.header(name);
    header::mirrors(
        "Mcp-Method",
        field("mcp-method").as_deref(),
        &request.method,
    )?;
    let named_by = match request.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        _ => return Ok(()),
    };
    match (field("mcp-name"), request.params.text(named_by)) {
        (None, None) => Ok(()),
        (name, member) => {
            header::mirrors_decoded("Mcp-Name", name.as_deref(), member.unwrap_or_default())
        }
    }
}

async fn dispatch(post: &Post<'_>, request: Request) -> Sent {
    let catalog = &post.site.prepared.mcp;
    match request.method.as_str() {
        "server/discover" => Sent::constant(&catalog.discover, &request.id),
        "tools/list" => match request.params.get("cursor") {
            None => Sent::constant(&catalog.modern_list, &request.id),
            Some(_) => Sent::fault(&request.id, no_such_page()),
        },
        "tools/call" => {
            let client = request
                .params
                .meta(CLIENT_KEY)
                .and_then(|client| client.get("name"));
            let client_name = client.and_then(Value::as_str).unwrap_or_default();
            let client_name = text::clean(client_name, CLIENT_NAME_CAP);
            let spoken = Spoken {
                era: "modern",
                version: revision::MODERN,
                session: None,
                client_name: &client_name,
                opening: "\"resultType\":\"complete\",",
                ending: &catalog.meta_tail,
            };
            call::answer(post, request, &spoken).await
        }
        "subscriptions/listen" => listen(request),
        _ => post.unknown_method(&request),
    }
}

/// The catalog is one page, so no cursor is ever ours.
pub(super) fn no_such_page() -> Fault {
    Fault::invalid_params("params.cursor is not one of ours; the list is one page, ask without it")
}

/// Nothing here ever changes, so there is nothing to subscribe to: the
/// subscription is acknowledged as empty and ends at once, gracefully, and
/// clients do not reopen it.
fn listen(request: Request) -> Sent {
    if !request
        .params
        .get("notifications")
        .is_some_and(Value::is_object)
    {
        let fault = Fault::invalid_params("params.notifications has to be an object");
        return Sent::fault(&request.id, fault);
    }
    let meta = format!(
        "\"_meta\":{{\"io.modelcontextprotocol/subscriptionId\":{}}}",
        request.id.json()
    );
    let acknowledged = format!(
        "{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\",\
         \"params\":{{\"notifications\":{{}},{meta}}}}}"
    );
    let ended = rpc::success(&request.id, &["{\"resultType\":\"complete\",", &meta, "}"]);
    Sent::events(&[&acknowledged, &ended])
}
