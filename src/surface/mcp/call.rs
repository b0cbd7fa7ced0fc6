//! `tools/call` in both eras: names a tool, passes the gate, writes the
//! result. Nothing here decides whether a call may run.

use serde_json::Value;

use crate::error::Code;
use crate::gate::{Answer, Call, Caller};
use crate::guard::text;
use crate::guard::text::json::quote;
use crate::surface::json_text;

use super::rpc::{Fault, Request};
use super::{Post, Sent};

/// How the client speaks, for the event and for the shape of the result.
pub(super) struct Spoken<'a> {
    /// `modern` or `legacy`.
    pub era: &'static str,
    /// The revision, or empty.
    pub version: &'static str,
    /// `Mcp-Session-Id`, where the client still sends one.
    pub session: Option<&'a str>,
    /// `clientInfo.name`, cleaned and capped, or empty.
    pub client_name: &'a str,
    /// What opens the result object.
    pub opening: &'a str,
    /// What ends it, its brace included.
    pub ending: &'a str,
}

/// Answers one call. A call that names a known tool always goes through the
/// gate, so that it is paid for and recorded whatever its arguments are.
pub(super) async fn answer(post: &Post<'_>, mut request: Request, spoken: &Spoken<'_>) -> Sent {
    let arguments = request.params.take("arguments").unwrap_or(Value::Null);
    let Some(name) = request.params.text("name") else {
        return Sent::fault(
            &request.id,
            Fault::invalid_params("params.name has to be the name of a tool"),
        );
    };
    let Some(tool) = post.site.gate.registry.find(name) else {
        let name = text::clean(name, 60);
        let names = &post.site.prepared.mcp.names;
        let message = format!("There is no tool {name:?}; the tools are {names}");
        post.probed();
        return Sent::fault(&request.id, Fault::invalid_params(message));
    };
    let is_object = matches!(arguments, Value::Object(_) | Value::Null);
    let caller = Caller::identify(|name| post.request.header(name));
    let answer = post
        .site
        .gate
        .call(Call {
            tool,
            arguments,
            caller: &caller,
            surface: "mcp",
            era: spoken.era,
            version: spoken.version,
            session: spoken.session,
            client_name: spoken.client_name,
            watch: None,
        })
        .await;
    let Answer { result, budget } = answer;
    let mut sent = match result {
        // No object of arguments: the one shape of them that is the
        // protocol's business and not the tool's.
        Err(error) if !is_object && error.code == Code::InvalidInput => {
            let fault = Fault::invalid_params(error.message.clone()).with_data(json_text(&error));
            Sent::fault(&request.id, fault)
        }
        Err(error) => Sent::ok(failure(&request, spoken, &json_text(&error))),
        Ok(json) => Sent::ok(success(&request, spoken, &json)),
    };
    sent.budget = budget;
    sent
}

/// The tool's JSON spliced in as it is, and once more as text for clients
/// that read nothing else.
fn success(request: &Request, spoken: &Spoken<'_>, json: &str) -> String {
    let mut out = open(request, spoken, json.len() * 9 / 4 + 256);
    out.push_str("\"isError\":false,\"structuredContent\":");
    out.push_str(json);
    out.push_str(",\"content\":[{\"type\":\"text\",\"text\":");
    quote(json, &mut out);
    close(out, spoken)
}

/// A failure the model can read and act on. Without `structuredContent`:
/// several clients hold even a failure's against the output schema.
fn failure(request: &Request, spoken: &Spoken<'_>, json: &str) -> String {
    let mut out = open(request, spoken, json.len() * 5 / 4 + 256);
    out.push_str("\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":");
    quote(json, &mut out);
    close(out, spoken)
}

fn open(request: &Request, spoken: &Spoken<'_>, capacity: usize) -> String {
    let mut out = String::with_capacity(capacity);
    for piece in [
        "{\"jsonrpc\":\"2.0\",\"id\":",
        request.id.json(),
        ",\"result\":{",
        spoken.opening,
    ] {
        out.push_str(piece);
    }
    out
}

fn close(mut out: String, spoken: &Spoken<'_>) -> String {
    out.push_str("}]");
    out.push_str(spoken.ending);
    out.push('}');
    out
}
