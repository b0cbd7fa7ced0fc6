//! `GET /api/health`: the day's counters as KV has them, and their age.

use futures_util::future::LocalBoxFuture;
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::gate::rfc3339;
use crate::pulse::{Counter, day_of};

use super::router::method_not_allowed;
use super::{Incoming, Reply, Site};

/// Days shown.
const DAYS: u64 = 7;
const DAY_MS: u64 = 86_400_000;

/// Where flushed counters are read.
pub trait Counters {
    /// The counter of a day and tool, if there is one yet.
    fn read<'a>(
        &'a self,
        day: &'a str,
        tool: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Counter>, Error>>;
}

/// Answers the path.
pub(super) async fn answer(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    if !matches!(request.method(), "GET" | "HEAD") {
        return method_not_allowed("GET, HEAD");
    }
    Reply::json(200, document(site).await.to_string())
        .with("cache-control", "no-store")
        .with("x-robots-tag", "noindex")
        .with("access-control-allow-origin", "*")
}

/// What the path answers, and what the page at `/health` shows.
pub(super) async fn document(site: &Site<'_>) -> Value {
    let now = site.gate.world.clock.now_ms();
    let (tools, store) = read(site, now).await;
    json!({
        "status": if store == "ok" { "ok" } else { "degraded" },
        "generatedAt": rfc3339(now),
        "tools": tools,
        "indicators": [],
        "stores": { "kv": store },
    })
}

async fn read(site: &Site<'_>, now: u64) -> (Value, &'static str) {
    let days: Vec<String> = (0..DAYS)
        .map(|back| day_of(now.saturating_sub(back * DAY_MS)))
        .collect();
    let mut store = "ok";
    let mut tools = Map::new();
    for tool in site.gate.registry.tools() {
        let reads = days.iter().map(|day| site.counters.read(day, tool.name));
        let mut shown = Map::new();
        for (day, counter) in days.iter().zip(futures_util::future::join_all(reads).await) {
            match counter {
                Ok(Some(counter)) => {
                    shown.insert(day.clone(), json!(counter));
                }
                Ok(None) => {}
                Err(_) => store = "unreachable",
            }
        }
        tools.insert(tool.name.to_owned(), Value::Object(shown));
    }
    (Value::Object(tools), store)
}
