//! Event lines read back: out of `wrangler tail --format json`, out of a file
//! of it, or plain. `scripts/tail` prints them and, with `--summary`, the same
//! indicators that `/api/health` shows.

use std::collections::BTreeMap;

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Count, Indicator, LOOP, Outcome, Record, UNKNOWN, indicators};
use crate::guard::text;

/// Longest message of the tail put together from its lines, in bytes.
const MESSAGE_CAP: usize = 1024 * 1024;
/// Clients remembered for the summary.
const CLIENTS_CAP: usize = 10_000;

/// Something the stream told.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// An event line.
    Call(Value),
    /// A request for a tool or method that does not exist, at this time.
    Unknown(u64),
    /// A request that the platform ended, and how it says so.
    Ended(String),
}

/// Puts a stream of lines together: one event a line, or the tail's messages
/// over many lines each.
#[derive(Default)]
pub struct Lines {
    message: String,
}

impl Lines {
    /// Takes one line; answers what is complete with it.
    pub fn feed(&mut self, line: &str) -> Vec<Seen> {
        if self.message.is_empty() {
            if let Some(event) = event_in(line) {
                return vec![Seen::Call(event)];
            }
            if !line.trim_start().starts_with('{') {
                return Vec::new();
            }
        }
        self.message.push_str(line);
        self.message.push('\n');
        // The tail ends a message with a brace in the first column.
        let whole = line.starts_with('}') || line.trim_end().ends_with('}');
        let message = match whole {
            true => serde_json::from_str(&self.message).ok(),
            false => None,
        };
        if message.is_some() || self.message.len() > MESSAGE_CAP {
            self.message.clear();
        }
        message.as_ref().map(told_by).unwrap_or_default()
    }
}

/// The event that a line of text holds, whatever a console put before it.
fn event_in(line: &str) -> Option<Value> {
    line.find("\"event\":\"tool_call\"")?;
    serde_json::from_str(line.get(line.find('{')?..)?.trim_end()).ok()
}

/// What one message of `wrangler tail --format json` tells.
fn told_by(message: &Value) -> Vec<Seen> {
    if message.get("event").and_then(Value::as_str) == Some("tool_call") {
        return vec![Seen::Call(message.clone())];
    }
    let text = |pointer: &str| message.pointer(pointer).and_then(Value::as_str);
    let mut seen: Vec<Seen> = message
        .get("logs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|log| log.pointer("/message/0")?.as_str())
        .filter_map(event_in)
        .map(Seen::Call)
        .collect();
    let path = text("/event/request/url").and_then(|url| url.splitn(4, '/').nth(3));
    let status = message
        .pointer("/event/response/status")
        .and_then(Value::as_u64);
    let for_calls = path.is_some_and(|path| path.starts_with("api/") || path.starts_with("mcp"));
    if seen.is_empty() && for_calls && status == Some(404) {
        let at = message.get("eventTimestamp").and_then(Value::as_u64);
        seen.push(Seen::Unknown(at.unwrap_or_default()));
    }
    match text("/outcome") {
        None | Some("ok") => {}
        Some(outcome) => seen.push(Seen::Ended(text::clean(outcome, 40))),
    }
    seen
}

impl std::fmt::Display for Seen {
    /// One line a person can read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Seen::Call(event) => f.write_str(&told(event)),
            Seen::Unknown(_) => f.write_str("a tool or method that does not exist"),
            Seen::Ended(outcome) => write!(f, "a request was ended by the platform: {outcome}"),
        }
    }
}

fn told(event: &Value) -> String {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64);
    let mut parts = vec![
        text("/ts").unwrap_or("?").to_owned(),
        text("/surface").unwrap_or("?").to_owned(),
        text("/tool").unwrap_or("?").to_owned(),
        event.get("args").map(arguments).unwrap_or_default(),
        format!(
            "{} in {} ms",
            text("/error").or_else(|| text("/outcome")).unwrap_or("?"),
            number("/latencyMs").unwrap_or_default()
        ),
    ];
    if let Some(reason) = text("/guard/reason") {
        parts.push(format!("[{reason}]"));
    }
    if let Some(cause) = text("/cause") {
        parts.push(format!("({cause})"));
    }
    if let Some(alike) = number("/alike") {
        parts.push(format!("LOOP of {alike}"));
    }
    if event.pointer("/budget/fallback").is_some() {
        parts.push(String::from("FALLBACK"));
    }
    parts.push(format!(
        "from {} {}",
        text("/client/ip").unwrap_or("?"),
        text("/client/name")
            .filter(|name| !name.is_empty())
            .or_else(|| text("/client/ua"))
            .unwrap_or_default()
    ));
    text::clean(&parts.join(" "), 400)
}

/// Arguments as `name=value`.
fn arguments(args: &Value) -> String {
    let members = args.as_object().into_iter().flatten();
    let shown = members.map(|(name, value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// The stream so far, as the indicators take it.
#[derive(Default)]
pub struct Summary {
    record: Record,
    /// Calls and the longest loop of each client hash that looped.
    loops: BTreeMap<String, (u64, u64)>,
    last_ms: u64,
}

impl Summary {
    /// Adds what was seen.
    pub fn add(&mut self, seen: &Seen) {
        let count = match seen {
            Seen::Call(event) => count_of(event),
            Seen::Unknown(at) => Some(Count::new(*at, UNKNOWN, Outcome::ValidationRejected, 0)),
            Seen::Ended(_) => None,
        };
        let Some(count) = count else { return };
        self.last_ms = self.last_ms.max(count.hour * 3_600_000);
        self.record.count(&count);
        if let Seen::Call(event) = seen
            && count.alike >= LOOP
            && let Some(client) = event.pointer("/client/session").and_then(Value::as_str)
            && (self.loops.len() < CLIENTS_CAP || self.loops.contains_key(client))
        {
            let client = self.loops.entry(text::clean(client, 40)).or_default();
            client.0 += 1;
            client.1 = client.1.max(u64::from(count.alike));
        }
    }

    /// The indicators as of the last call seen.
    pub fn indicators(&self, tools: &[&str], open: &[&str]) -> Vec<Indicator> {
        indicators(&self.record, tools, open, self.last_ms)
    }

    /// Client hash, calls in loops, longest loop.
    pub fn loops(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.loops
            .iter()
            .map(|(client, (calls, longest))| (client.as_str(), *calls, *longest))
    }
}

/// The count that the gate sent along with this event.
fn count_of(event: &Value) -> Option<Count> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let at = OffsetDateTime::parse(text("/ts")?, &Rfc3339).ok()?;
    let at = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()?;
    let outcome = serde_json::from_value(event.get("outcome")?.clone()).ok()?;
    let latency = event.get("latencyMs").and_then(Value::as_u64);
    let alike = event.get("alike").and_then(Value::as_u64);
    Some(Count {
        refused: text("/guard/reason").map(|reason| text::clean(reason, 40)),
        fallback: event.pointer("/budget/fallback").is_some(),
        alike: alike
            .and_then(|n| u32::try_from(n).ok())
            .unwrap_or_default(),
        ..Count::new(
            at,
            &text::clean(text("/tool")?, 40),
            outcome,
            latency.unwrap_or_default(),
        )
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pulse::Level;

    fn event(at: &str, alike: Option<u32>) -> Value {
        let mut event = json!({
            "event": "tool_call", "v": 1, "ts": format!("2026-11-22T00:00:{at}.000Z"), "id": "0102030405060708",
            "surface": "mcp", "tool": "analyze", "args": {"target": "http://127.0.0.1/"}, "argsDigest": "00",
            "outcome": "validation_rejected", "error": "target_refused", "latencyMs": 2, "subrequests": 0,
            "client": {"ip": "198.51.100.7", "ua": "x/1", "session": "aabbccddeeff0011", "name": "agent"},
            "guard": {"decision": "refuse", "reason": "address.loopback"}, "budget": {"cost": 1, "remaining": 3},
        });
        if let Some(alike) = alike {
            event["alike"] = json!(alike);
        }
        event
    }

    fn feed(text: &str) -> Vec<Seen> {
        let mut lines = Lines::default();
        text.lines().flat_map(|line| lines.feed(line)).collect()
    }

    #[test]
    fn a_plain_event_line_is_read_whatever_stands_before_it() {
        let event = event("01", None);
        for before in ["", "[wrangler:info] ", "2026-11-22 12:00 log "] {
            assert_eq!(
                feed(&format!("{before}{event}")),
                [Seen::Call(event.clone())]
            );
        }
        assert_eq!(feed("Ready on http://localhost:8787\n\n{\n"), []);
    }

    #[test]
    fn messages_of_the_tail_are_read_over_many_lines_and_on_one() {
        let event = event("01", None);
        let message = json!({
            "outcome": "ok", "eventTimestamp": 1_795_305_600_000_u64, "exceptions": [],
            "logs": [{"level": "log", "message": ["something else {"]}, {"level": "log", "message": [event.to_string()]}],
            "event": {"request": {"url": "https://x.example/mcp", "method": "POST"}, "response": {"status": 200}},
        });
        let pretty = serde_json::to_string_pretty(&message).unwrap();
        let text = format!("{pretty}\n{message}\n{pretty}\n");
        assert_eq!(feed(&text), vec![Seen::Call(event); 3]);
    }

    #[test]
    fn what_does_not_exist_and_what_the_platform_ended_are_told() {
        let message = |path: &str, status: u16, outcome: &str| {
            json!({
                "outcome": outcome, "eventTimestamp": 7, "logs": [],
                "event": {"request": {"url": format!("https://x.example/{path}")}, "response": {"status": status}},
            })
            .to_string()
        };
        assert_eq!(feed(&message("api/admin", 404, "ok")), [Seen::Unknown(7)]);
        assert_eq!(feed(&message("mcp", 404, "ok")), [Seen::Unknown(7)]);
        assert_eq!(feed(&message("favicon.png", 404, "ok")), []);
        let ended = Seen::Ended(String::from("exceededCpu"));
        assert_eq!(feed(&message("mcp", 500, "exceededCpu")), [ended]);
    }

    #[test]
    fn a_call_is_one_line_to_read() {
        assert_eq!(
            Seen::Call(event("01", Some(3))).to_string(),
            "2026-11-22T00:00:01.000Z mcp analyze target=http://127.0.0.1/ target_refused in 2 ms \
             [address.loopback] LOOP of 3 from 198.51.100.7 agent"
        );
    }

    #[test]
    fn a_forged_line_cannot_reach_the_terminal() {
        let mut event = event("01", None);
        event["client"]["name"] = json!("\u{1b}[2Jgone\nfake");
        let line = Seen::Call(event).to_string();
        assert!(!line.contains(['\u{1b}', '\n']), "{line:?}");
    }

    #[test]
    fn the_summary_shows_the_indicators_of_health_and_who_loops() {
        let mut summary = Summary::default();
        for _ in 0..5 {
            summary.add(&Seen::Call(event("01", Some(3))));
            summary.add(&Seen::Call(event("02", Some(4))));
        }
        let indicators = summary.indicators(&["analyze"], &["analyze"]);
        let loops = indicators.iter().find(|one| one.id == "loops");
        assert_eq!(loops.map(|one| one.state), Some(Level::Alert));
        assert_eq!(
            summary.loops().collect::<Vec<_>>(),
            [("aabbccddeeff0011", 10, 4)]
        );
    }
}
