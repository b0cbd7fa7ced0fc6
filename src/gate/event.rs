//! The event: one JSON line per call, the only witness there is.
//!
//! The line's JSON Schema is `docs/event.schema.json`; a test holds every
//! emitted line against it.

use serde_json::Value;

use crate::error::{Code, Error};
use crate::guard::text::json::Writer;
use crate::pulse::Outcome;

/// Most bytes of one line.
pub const LINE_CAP: usize = 2048;

/// One call, as it is written down.
#[derive(Debug)]
pub struct Event<'a> {
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
    pub cause: Option<String>,
    /// From arrival at the gate to the answer.
    pub latency_ms: u64,
    /// Refused inputs in a row that were alike, from three on.
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
#[derive(Debug)]
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
#[derive(Clone, Copy, Debug)]
pub struct Protocol<'a> {
    /// `modern`, `legacy` or `none`.
    pub era: &'static str,
    /// The MCP revision, or empty.
    pub version: &'a str,
}

/// The guard's decision.
#[derive(Debug)]
pub struct Judgement {
    /// `allow` or `refuse`.
    pub decision: &'static str,
    /// The precise rule.
    pub reason: Option<String>,
}

/// The budget's decision.
#[derive(Debug)]
pub struct Spent {
    /// What the call took; 0 when it was refused.
    pub cost: u32,
    /// What is left; null when the budget's object could not be asked.
    pub remaining: Option<u32>,
    /// `true` when `BUDGET_FALLBACK` decided.
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
        let line = self.written();
        if line.len() <= LINE_CAP {
            return line;
        }
        self.args = serde_json::json!({ "cut": true });
        self.cause = None;
        let line = self.written();
        if line.len() <= LINE_CAP {
            return line;
        }
        self.client.name = "";
        self.client.ua = "";
        self.written()
    }

    /// Version 1 of the form.
    fn written(&self) -> String {
        let mut line = Writer::with_capacity(LINE_CAP / 2);
        line.word(r#"{"event":"tool_call","v":1,"ts":"#, &self.ts)
            .word(r#","id":"#, &self.id)
            .word(r#","surface":"#, self.surface)
            .word(r#","tool":"#, self.tool)
            .raw(r#","args":"#)
            .raw(&self.args.to_string())
            .word(r#","argsDigest":"#, &self.args_digest)
            .word(r#","outcome":"#, self.outcome.as_str())
            .text_or_null(r#","error":"#, self.error.map(Code::as_str));
        if let Some(cause) = &self.cause {
            line.text(r#","cause":"#, cause);
        }
        line.number(r#","latencyMs":"#, self.latency_ms);
        if let Some(alike) = self.alike {
            line.number(r#","alike":"#, alike.into());
        }
        line.number(r#","subrequests":"#, self.subrequests.into())
            .text(r#","client":{"ip":"#, &self.client.ip)
            .text(r#","ua":"#, self.client.ua)
            .word(r#","session":"#, &self.client.session)
            .text(r#","name":"#, self.client.name)
            .word(r#"},"protocol":{"era":"#, self.protocol.era)
            .word(r#","version":"#, self.protocol.version)
            .word(r#"},"guard":{"decision":"#, self.guard.decision)
            .text_or_null(r#","reason":"#, self.guard.reason.as_deref())
            .number(r#"},"budget":{"cost":"#, self.budget.cost.into());
        match self.budget.remaining {
            Some(remaining) => line.number(r#","remaining":"#, remaining.into()),
            None => line.raw(r#","remaining":null"#),
        };
        if self.budget.fallback {
            line.raw(r#","fallback":true"#);
        }
        line.text(r#"},"colo":"#, self.colo)
            .text(r#","ray":"#, self.ray)
            .raw("}");
        line.finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(name: &str, cause: &str, argument: &str) -> Value {
        let event = Event {
            ts: String::from("2026-11-22T00:00:00Z"),
            id: String::from("0123456789abcdef"),
            surface: "mcp",
            tool: "analyze",
            args: json!({ "target": argument }),
            args_digest: String::from("0123456789abcdef"),
            outcome: Outcome::InternalError,
            error: Some(Code::InternalError),
            cause: Some(cause.to_owned()),
            latency_ms: 1,
            alike: None,
            subrequests: 0,
            client: Client {
                ip: String::from("198.51.100.7"),
                ua: "tests/1",
                session: String::from("0123456789abcdef"),
                name,
            },
            protocol: Protocol {
                era: "none",
                version: "",
            },
            guard: Judgement::of(None),
            budget: Spent {
                cost: 1,
                remaining: Some(9),
                fallback: false,
            },
            colo: "local",
            ray: "",
        };
        let line = event.line();
        assert!(line.len() <= LINE_CAP, "{} bytes", line.len());
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_over_the_cap_gives_up_arguments_and_cause_before_who_called() {
        let long = "x".repeat(LINE_CAP);
        let whole = event("client", "why", "lab-good.com");
        assert_eq!(
            (&whole["cause"], &whole["args"]["target"]),
            (&json!("why"), &json!("lab-good.com"))
        );
        for cut in [event("client", "why", &long), event("client", &long, "")] {
            assert_eq!(cut["args"], json!({"cut": true}));
            assert_eq!(cut["cause"], Value::Null);
            assert_eq!(cut["client"]["name"], "client");
        }
        let least = event(&long, "why", "lab-good.com");
        assert_eq!(
            (&least["client"]["name"], &least["client"]["ua"]),
            (&json!(""), &json!(""))
        );
        assert_eq!(least["outcome"], "internal_error");
    }
}
