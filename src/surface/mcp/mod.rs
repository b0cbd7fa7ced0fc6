//! MCP over HTTP, both eras on one address and without sessions: 2026-07-28,
//! in which every request describes itself, and the three revisions that open
//! with `initialize`.
//!
//! This file is the transport: the ladder from a POST to one message, and
//! from one answer to a reply. What is refused before a message was read is
//! HTTP's business and gets the error body of every other path; from then on
//! answers are JSON-RPC.

mod call;
mod catalog;
mod header;
mod legacy;
mod modern;
mod revision;
mod rpc;

use std::borrow::Cow;
use std::rc::Rc;

use serde_json::Value;

use crate::error::{Code, Error};
use crate::gate::{Budget, Caller};

use super::router::method_not_allowed;
use super::{BODY_CAP, Body, Incoming, Reply, Site, api, parse_json};
pub(crate) use catalog::Catalog;
use catalog::Constant;
pub(crate) use revision::SUPPORTED;
use rpc::{Fault, Id, Message};

/// What a page in a browser may send; `*` would not cover `Authorization`,
/// which some clients send to every server.
const ALLOWED_HEADERS: &str = "Content-Type, Accept, Authorization, MCP-Protocol-Version, Mcp-Method, Mcp-Name, \
    Mcp-Session-Id, Last-Event-ID, traceparent, tracestate, baggage";

/// What a page in a browser may read.
const EXPOSED_HEADERS: &str =
    "MCP-Protocol-Version, Mcp-Session-Id, Retry-After, RateLimit, RateLimit-Policy";

/// Answers one request to an MCP path.
pub(super) async fn answer(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    let reply = match request.method() {
        "OPTIONS" => Reply::empty(204)
            .with("access-control-allow-methods", "POST, GET, DELETE, OPTIONS")
            .with("access-control-allow-headers", ALLOWED_HEADERS)
            .with("access-control-max-age", "86400"),
        method => match judge_origin(request) {
            Err(refusal) => Reply::error(&refusal),
            Ok(()) if method == "POST" => post(site, request).await,
            // No streams to open, no sessions to end.
            Ok(()) => method_not_allowed("POST, OPTIONS"),
        },
    };
    readable_by_any_page(reply.with("cache-control", "no-store"))
}

/// Lets pages of every origin read a reply, refusals included: there is no
/// credential here that a page could borrow.
pub(super) fn readable_by_any_page(reply: Reply) -> Reply {
    reply
        .with("access-control-allow-origin", "*")
        .with("access-control-expose-headers", EXPOSED_HEADERS)
}

fn judge_origin(request: &dyn Incoming) -> Result<(), Error> {
    match request.header("origin") {
        Some(origin) if !header::is_web_origin(&origin) => {
            let mut error = Error::new(
                Code::TargetRefused,
                "This Origin may not call; send none, or the http or https origin of a page.",
            );
            error.reason = Some("origin");
            Err(error)
        }
        _ => Ok(()),
    }
}

/// One POST, beside its body.
struct Post<'a> {
    site: &'a Site<'a>,
    request: &'a dyn Incoming,
    /// `MCP-Protocol-Version`.
    version: Option<Cow<'a, str>>,
}

async fn post(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    let body = match read(request).await {
        Ok(body) => body,
        Err(refusal) => return Reply::error(&refusal),
    };
    let post = Post {
        site,
        request,
        version: request.header("mcp-protocol-version"),
    };
    let sent = match parse_json(&body) {
        Err(flaw) => Sent::unread(Fault::new(400, rpc::PARSE_ERROR, flaw.message)),
        Ok(Value::Array(messages)) => legacy::batch(&post, messages).await,
        Ok(message) => react(&post, message).await,
    };
    sent.reply(request)
}

async fn read(request: &dyn Incoming) -> Result<Vec<u8>, Error> {
    if !api::is_json(request.header("content-type").as_deref()) {
        return Err(Error::new(
            Code::UnsupportedMediaType,
            "Send one JSON-RPC message with Content-Type: application/json.",
        ));
    }
    request.body(BODY_CAP).await
}

async fn react(post: &Post<'_>, message: Value) -> Sent {
    match Message::read(message) {
        Err((Some(id), fault)) => Sent::fault(&id, fault),
        Err((None, fault)) => Sent::unread(fault),
        Ok(Message::Notification) => Sent::accepted(),
        Ok(Message::Response) if post.is_modern() => Sent::unread(Fault::invalid_request(
            "This server asks nothing; it takes no responses",
        )),
        Ok(Message::Response) => Sent::accepted(),
        Ok(Message::Request(request)) => {
            let opens_session = request.method == "initialize";
            match modern::has_envelope(&request.params) || (post.is_modern() && !opens_session) {
                true => modern::answer(post, request).await,
                false => legacy::answer(post, request).await,
            }
        }
    }
}

impl Post<'_> {
    /// Whether the header alone says that the client is of the modern era.
    fn is_modern(&self) -> bool {
        self.version
            .as_deref()
            .is_some_and(|version| revision::is_modern(version.trim()))
    }

    /// Refuses a method that is not served, and counts that it was asked for.
    fn unknown_method(&self, request: &rpc::Request) -> Sent {
        self.probed();
        Sent::fault(&request.id, Fault::unknown_method(&request.method))
    }

    /// Counts a tool or method that does not exist.
    fn probed(&self) {
        let caller = Caller::identify(|name| self.request.header(name));
        self.site.gate.probed(&caller);
    }
}

/// The answer to one message, as JSON text.
enum Answer {
    /// None is due.
    Nothing,
    /// Written for this message.
    Written(String),
    /// Written once per isolate.
    Kept(Rc<str>),
}

impl Answer {
    fn text(&self) -> &str {
        match self {
            Answer::Nothing => "",
            Answer::Written(text) => text,
            Answer::Kept(text) => text,
        }
    }
}

/// What came of one POST.
struct Sent {
    status: u16,
    json: Answer,
    /// The whole event stream, for the one method that answers in one.
    stream: Option<String>,
    budget: Option<Budget>,
}

impl Sent {
    fn ok(json: String) -> Sent {
        Sent {
            status: 200,
            json: Answer::Written(json),
            stream: None,
            budget: None,
        }
    }

    /// A result that never changes.
    fn constant(result: &Constant, id: &Id) -> Sent {
        Sent {
            status: 200,
            json: result.answer(id),
            ..Sent::accepted()
        }
    }

    fn fault(id: &Id, fault: Fault) -> Sent {
        Sent {
            status: fault.status,
            ..Sent::ok(fault.answer(Some(id), None))
        }
    }

    /// A fault of a message whose id could not be read.
    fn unread(fault: Fault) -> Sent {
        Sent {
            status: fault.status,
            ..Sent::ok(fault.answer(None, None))
        }
    }

    /// Nothing to answer.
    fn accepted() -> Sent {
        Sent {
            status: 202,
            json: Answer::Nothing,
            stream: None,
            budget: None,
        }
    }

    fn events(messages: &[&str]) -> Sent {
        let stream = messages.iter().map(|message| event(message)).collect();
        Sent {
            status: 200,
            stream: Some(stream),
            ..Sent::accepted()
        }
    }

    fn reply(self, request: &dyn Incoming) -> Reply {
        let stream = match self.stream {
            None if self.status == 200
                && header::wants_events(request.header("accept").as_deref()) =>
            {
                Some(event(self.json.text()))
            }
            stream => stream,
        };
        let mut reply = match (stream, self.json) {
            (Some(stream), _) => Reply::new(200, "text/event-stream", Body::Text(stream))
                .with("x-accel-buffering", "no"),
            (None, Answer::Nothing) => Reply::empty(self.status),
            (None, Answer::Written(json)) => Reply::json(self.status, json),
            (None, Answer::Kept(json)) => {
                Reply::new(self.status, "application/json", Body::Shared(json))
            }
        };
        reply.state_budget(self.budget);
        reply
    }
}

/// One server-sent event. The JSON we write is one line.
fn event(json: &str) -> String {
    format!("event: message\ndata: {json}\n\n")
}
