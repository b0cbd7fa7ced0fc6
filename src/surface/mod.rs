//! How a caller reaches a tool: one router over MCP, the JSON API, discovery
//! and pages. A surface translates; whether a call may run is the gate's
//! business alone.

mod api;
mod discovery;
mod health;
mod identity;
pub mod install;
mod live;
mod mcp;
mod pages;
mod router;

use std::borrow::Cow;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::gate::{Budget, Gate};
pub use health::Counters;
pub use live::Live;
pub use router::route;

/// Most bytes of a request body.
pub const BODY_CAP: usize = 256 * 1024;
/// Deepest nesting of a JSON body.
pub const JSON_DEPTH: usize = 64;

/// A request as a surface may see it. `edge` implements it over the
/// platform's request, so that a header nobody asks for is never copied.
pub trait Incoming {
    /// The verb, in upper case.
    fn method(&self) -> &str;
    /// The path, percent-encoded as it came, without the query.
    fn path(&self) -> &str;
    /// The query without its `?`.
    fn query(&self) -> Option<&str>;
    /// `https` or `http`, as the client used it.
    fn scheme(&self) -> &str;
    /// A header field by lower-case name; repeated fields joined by `, `.
    fn header(&self, name: &str) -> Option<Cow<'_, str>>;
    /// The body, read no further than `cap` bytes.
    fn body(&self, cap: usize) -> LocalBoxFuture<'_, Result<Vec<u8>, Error>>;
}

/// What goes back.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// The body.
    pub body: Body,
}

/// A reply's body.
#[derive(Debug)]
pub enum Body {
    /// No body and no `Content-Type`.
    Empty,
    /// Bytes that are part of the script.
    Static(&'static [u8]),
    /// Text made for this reply.
    Text(String),
    /// Text prepared once per isolate, which keeps it: `edge` may do the same.
    Shared(Rc<str>),
    /// Text that is written while the call it tells of is under way.
    Live(Live),
}

/// Everything a surface needs to answer one request.
pub struct Site<'a> {
    /// The gate.
    pub gate: &'a Gate,
    /// Texts prepared once per isolate.
    pub prepared: &'a Prepared,
    /// The day's counters.
    pub counters: &'a dyn Counters,
}

/// Answers that never change within an isolate, made once.
pub struct Prepared {
    /// The MCP catalog and `server/discover`.
    pub(crate) mcp: mcp::Catalog,
    /// `GET /api/tools`.
    pub(crate) tools: Rc<str>,
}

impl Prepared {
    /// Makes them from the registry.
    pub fn new(registry: &crate::tool::Registry) -> Prepared {
        Prepared {
            mcp: mcp::Catalog::new(registry),
            tools: api::catalog(registry).into(),
        }
    }
}

impl Reply {
    /// A reply with a body of `media_type`.
    pub fn new(status: u16, media_type: &'static str, body: Body) -> Reply {
        Reply {
            status,
            headers: vec![("content-type", Cow::Borrowed(media_type))],
            body,
        }
    }

    /// A reply without a body.
    pub fn empty(status: u16) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: Body::Empty,
        }
    }

    /// JSON text.
    pub fn json(status: u16, text: impl Into<String>) -> Reply {
        Reply::new(status, "application/json", Body::Text(text.into()))
    }

    /// An error in its own status, as `application/json`, or as
    /// `application/problem+json` with `Retry-After` when over budget.
    pub fn error(error: &Error) -> Reply {
        let mut reply = Reply::json(error.code.status(), json_text(error));
        if error.code == Code::RateLimited {
            reply.set("content-type", "application/problem+json");
        }
        if let Some(seconds) = error.retry_after {
            reply.set("retry-after", seconds.to_string());
        }
        reply
    }

    /// Sets a header field, replacing one of the same name.
    pub fn set(&mut self, name: &'static str, value: impl Into<Cow<'static, str>>) {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
    }

    /// Sets a header field in passing.
    pub fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Reply {
        self.set(name, value);
        self
    }

    /// States the caller's budget in the IETF fields (structured fields of
    /// draft-ietf-httpapi-ratelimit-headers).
    pub fn state_budget(&mut self, budget: Option<Budget>) {
        let Some(Budget {
            name,
            rate,
            decision,
        }) = budget
        else {
            return;
        };
        self.set(
            "ratelimit-policy",
            format!("\"{name}\";q={};w={}", rate.limit, rate.seconds),
        );
        self.set(
            "ratelimit",
            format!(
                "\"{name}\";r={};t={}",
                decision.remaining, decision.reset_seconds
            ),
        );
        if !decision.admitted {
            self.set("retry-after", decision.retry_after().to_string());
        }
    }
}

fn json_text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| String::from("{}"))
}

/// Parses a body whose nesting is no deeper than [`JSON_DEPTH`]. The depth is
/// counted before anything is built.
pub(crate) fn parse_json(body: &[u8]) -> Result<Value, Error> {
    let opened = body.iter().filter(|byte| matches!(byte, b'[' | b'{'));
    if opened.count() > JSON_DEPTH && depth(body) > JSON_DEPTH {
        return Err(Error::new(
            Code::InvalidInput,
            format!("Send JSON that is nested no deeper than {JSON_DEPTH} levels."),
        ));
    }
    // As text where it is text: that way serde_json has compiled for itself,
    // for speed. Else its reader of bytes says where it stops being text.
    let value = match std::str::from_utf8(body) {
        Ok(text) => text.parse(),
        Err(_) => serde_json::from_slice(body),
    };
    value.map_err(|e| {
        let (line, column) = (e.line(), e.column());
        Error::new(Code::InvalidInput, format!(
            "Send JSON in UTF-8 without a byte order mark; this body stops being that at line {line}, column {column}."
        ))
    })
}

/// The deepest nesting of brackets outside strings.
fn depth(body: &[u8]) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}
