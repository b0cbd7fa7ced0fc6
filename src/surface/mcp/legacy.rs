//! Revisions 2025-11-25, 2025-06-18 and 2025-03-26: the same answers behind a
//! handshake that we take part in and then forget.

use serde_json::Value;

use super::call::{self, Spoken};
use super::rpc::{self, Fault, Message, Request};
use super::{Post, Sent, modern, revision};

/// Most messages of one array.
const BATCH_CAP: usize = 100;

/// Answers one request outside the modern envelope. A request that could be
/// read is answered at 200: these clients take any other status for a failure
/// of the transport and never see the code.
pub(super) async fn answer(post: &Post<'_>, request: Request) -> Sent {
    // A handshake cannot be refused for the header of what it negotiates.
    if request.method == "initialize" {
        return dispatch(post, request, "").await;
    }
    let version = match post.version.as_deref() {
        // Several clients never send it, whatever they negotiated.
        None => "",
        Some(version) => match revision::legacy(version) {
            Some(version) => version,
            None => return Sent::fault(&request.id, modern::unsupported(version)),
        },
    };
    dispatch(post, request, version).await
}

/// Answers one request in the revision `version`, or in an unknown one.
pub(super) async fn dispatch(post: &Post<'_>, request: Request, version: &'static str) -> Sent {
    let catalog = &post.site.prepared.mcp;
    let sent = match request.method.as_str() {
        "initialize" => {
            let version = revision::negotiated(request.params.text("protocolVersion"));
            let pieces = [
                "{\"protocolVersion\":\"",
                version,
                "\"",
                &catalog.initialize_tail,
            ];
            Sent::ok(rpc::success(&request.id, &pieces))
        }
        "ping" => Sent::ok(rpc::success(&request.id, &["{}"])),
        "tools/list" => match request.params.get("cursor") {
            None => Sent::constant(&catalog.legacy_list, &request.id),
            Some(_) => Sent::fault(&request.id, modern::no_such_page()),
        },
        "tools/call" => {
            let session = post.request.header("mcp-session-id");
            let spoken = Spoken {
                era: "legacy",
                version,
                session: session.as_deref(),
                client_name: "",
                opening: "",
                ending: "}",
            };
            call::answer(post, request, &spoken).await
        }
        _ => post.unknown_method(&request),
    };
    Sent {
        status: 200,
        ..sent
    }
}

/// Answers an array of messages, which only 2025-03-26 knows. It is judged
/// as a whole before any of it runs.
pub(super) async fn batch(post: &Post<'_>, messages: Vec<Value>) -> Sent {
    if let Err(fault) = judge_batch(post, &messages) {
        return Sent::unread(fault);
    }
    let mut answers: Vec<String> = Vec::new();
    let mut budget = None;
    for message in messages {
        match Message::read(message) {
            Ok(Message::Request(request)) => {
                let sent = dispatch(post, request, revision::BATCHES).await;
                budget = sent.budget.or(budget);
                answers.push(sent.json.text().to_owned());
            }
            Ok(Message::Notification | Message::Response) => {}
            Err((id, fault)) => answers.push(fault.answer(id.as_ref(), Some("null"))),
        }
    }
    if answers.is_empty() {
        return Sent::accepted();
    }
    Sent {
        budget,
        ..Sent::ok(format!("[{}]", answers.join(",")))
    }
}

fn judge_batch(post: &Post<'_>, messages: &[Value]) -> Result<(), Fault> {
    let refuse = |what: &'static str| Err(Fault::invalid_request(what));
    if post
        .version
        .as_deref()
        .is_some_and(|version| version != revision::BATCHES)
    {
        return refuse("This revision has no batches; send each message in a POST of its own");
    }
    if messages.is_empty() || messages.len() > BATCH_CAP {
        return refuse("A batch has 1 to 100 messages");
    }
    for message in messages {
        if message.get("method").and_then(Value::as_str) == Some("initialize") {
            return refuse("initialize cannot be part of a batch");
        }
        if message.get("params").is_some_and(modern::is_envelope) {
            return refuse("A message with an envelope in _meta cannot be part of a batch");
        }
    }
    // The platform counts subrequests by POST, a call its own: behind a second one's
    // limit every connection would fail, and the report would put that down to the host.
    if messages.iter().filter(|m| asks_outside(post, m)).count() > 1 {
        return refuse(
            "A batch has at most one call of analyze or lookup; send the others in a POST of their own",
        );
    }
    Ok(())
}

/// Whether a message calls a tool that contacts the outside.
fn asks_outside(post: &Post<'_>, message: &Value) -> bool {
    let text = |pointer| message.pointer(pointer).and_then(Value::as_str);
    let tool = text("/params/name").and_then(|name| post.site.gate.registry.find(name));
    text("/method") == Some("tools/call") && tool.is_some_and(|tool| tool.open_world)
}
