//! The event: one JSON line per call, the only witness there is.
//!
//! The line's JSON Schema is `docs/event.schema.json`; a test holds every
//! emitted line against it.

use serde::Serialize;
use serde_json::Value;

use crate::error::{Code, Error};
use crate::pulse::Outcome;

/// Most bytes of one line.
pub const LINE_CAP: usize = 2048;

/// One call, as it is written down.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event<'a> {
    /// Always `tool_call`.
    pub event: &'static str,
    /// Version of this form.
    pub v: u8,
    /// When the call came in, RFC 3339.
    pub ts: String,
    /// The request id.
    pub id: String,
    /// `mcp` or `api`.
    pub surface: &'static str,
    /// The tool's name.
    pub tool: &'static str,
    /// The arguments, redacted.
    pub args: Value,
    /// Keyed hash of the canonical arguments: the same call can be recognised
    /// without being readable.
    pub args_digest: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The error code, or null.
    pub error: Option<Code>,
    /// What the caller was not told, cleaned and capped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// From arrival at the gate to the answer.
    pub latency_ms: u64,
    /// Refused inputs in a row that were alike, from three on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alike: Option<u32>,
    /// Subrequests made.
    pub subrequests: u32,
    /// Who called.
    pub client: Client<'a>,
    /// How it was called.
    pub protocol: Protocol<'a>,
    /// What the guard said.
    pub guard: Judgement,
    /// What the budget said.
    pub budget: Spent,
    /// The data centre.
    pub colo: &'a str,
    /// Cloudflare's request id.
    pub ray: &'a str,
}

/// The client's fingerprint.
#[derive(Debug, Serialize)]
pub struct Client<'a> {
    /// The address in the form `LOG_IP` asks for.
    pub ip: String,
    /// `User-Agent`, capped.
    pub ua: &'a str,
    /// Keyed hash of the MCP session or of the client's identity.
    pub session: String,
    /// `clientInfo.name`, capped.
    pub name: &'a str,
}

/// The protocol spoken.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Protocol<'a> {
    /// `modern`, `legacy` or `none`.
    pub era: &'static str,
    /// The MCP revision, or empty.
    pub version: &'a str,
}

/// The guard's decision.
#[derive(Debug, Serialize)]
pub struct Judgement {
    /// `allow` or `refuse`.
    pub decision: &'static str,
    /// The precise rule.
    pub reason: Option<String>,
}

/// The budget's decision.
#[derive(Debug, Serialize)]
pub struct Spent {
    /// What the call took; 0 when it was refused.
    pub cost: u32,
    /// What is left; null when the budget's object could not be asked.
    pub remaining: Option<u32>,
    /// `true` when `BUDGET_FALLBACK` decided.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub fallback: bool,
}

impl Judgement {
    /// Read off how the call ended.
    pub fn of(error: Option<&Error>) -> Judgement {
        match error {
            Some(error) if error.code == Code::TargetRefused => Judgement {
                decision: "refuse",
                reason: error
                    .internal
                    .clone()
                    .or_else(|| error.reason.map(str::to_owned)),
            },
            _ => Judgement {
                decision: "allow",
                reason: None,
            },
        }
    }
}

impl Event<'_> {
    /// The line, at most [`LINE_CAP`] bytes: an oversized one gives up its
    /// arguments before anything else.
    pub fn line(mut self) -> String {
        let write = |event: &Self| serde_json::to_string(event).unwrap_or_default();
        let line = write(&self);
        if line.len() <= LINE_CAP {
            return line;
        }
        self.args = serde_json::json!({ "cut": true });
        self.cause = None;
        let line = write(&self);
        if line.len() <= LINE_CAP {
            return line;
        }
        self.client.name = "";
        self.client.ua = "";
        write(&self)
    }
}
