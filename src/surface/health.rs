//! `GET /api/health`: the days' counters as KV has them, the indicators read
//! from the last hours, and how old all of it is.

use futures_util::future::{LocalBoxFuture, join, join_all};
use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::gate::rfc3339;
use crate::pulse::{Counter, Outcome, Record, day_of, indicators};

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

    /// The last hours, if there are any yet.
    fn record(&self) -> LocalBoxFuture<'_, Result<Option<Record>, Error>>;

    /// How many keys the store is behind with, as the tally says.
    fn due(&self) -> LocalBoxFuture<'_, Result<u64, Error>>;
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
    let (days, (record, due)) = join(
        Days::read(site, now),
        join(site.counters.record(), site.counters.due()),
    )
    .await;
    let kv = days.complete && record.is_ok();
    let record = record.ok().flatten().unwrap_or_default();
    let names = |open_only: bool| -> Vec<&str> {
        let tools = site.gate.registry.tools().iter();
        tools
            .filter(|tool| tool.open_world || !open_only)
            .map(|tool| tool.name)
            .collect()
    };
    json!({
        "status": if kv && due.is_ok() { "ok" } else { "degraded" },
        "generatedAt": rfc3339(now),
        "tools": days.counts,
        "rates": days.rates,
        "guard": record.refused(),
        "fallbacks": record.fallbacks(),
        "flush": flush(&record, now, due.as_ref().ok()),
        "indicators": indicators(&record, &names(false), &names(true), now),
        "stores": { "kv": state(kv), "tally": state(due.is_ok()) },
    })
}

fn state(reachable: bool) -> &'static str {
    match reachable {
        true => "ok",
        false => "unreachable",
    }
}

/// The newest flush: when, how long ago, and what has come in since.
fn flush(record: &Record, now: u64, due: Option<&u64>) -> Value {
    let at = (record.at > 0).then_some(record.at);
    json!({
        "at": at.map(rfc3339),
        "ageSeconds": at.map(|at| now.saturating_sub(at) / 1000),
        "due": due,
    })
}

/// What KV has of the last days, by tool and day.
struct Days {
    counts: Map<String, Value>,
    rates: Map<String, Value>,
    complete: bool,
}

impl Days {
    async fn read(site: &Site<'_>, now: u64) -> Days {
        let days: Vec<String> = (0..DAYS)
            .map(|back| day_of(now.saturating_sub(back * DAY_MS)))
            .collect();
        let mut read = Days {
            counts: Map::new(),
            rates: Map::new(),
            complete: true,
        };
        let tools = site.gate.registry.tools();
        let reads = tools
            .iter()
            .map(|tool| join_all(days.iter().map(|day| site.counters.read(day, tool.name))));
        for (tool, counters) in tools.iter().zip(join_all(reads).await) {
            let (mut counts, mut rates) = (Map::new(), Map::new());
            for (day, counter) in days.iter().zip(counters) {
                match counter {
                    Ok(Some(counter)) => {
                        rates.insert(day.clone(), rate(&counter));
                        counts.insert(day.clone(), json!(counter));
                    }
                    Ok(None) => {}
                    Err(_) => read.complete = false,
                }
            }
            read.counts.insert(tool.name.to_owned(), counts.into());
            read.rates.insert(tool.name.to_owned(), rates.into());
        }
        read
    }
}

/// What a day's counter comes to. Quantiles are upper bounds of latency
/// buckets; null without calls, and beyond the last bound.
fn rate(counter: &Counter) -> Value {
    let rejected = counter.of(Outcome::ValidationRejected) as f64;
    let total = counter.total();
    json!({
        "calls": total,
        "rejectionRate": (total > 0).then(|| (rejected / total as f64 * 1e4).round() / 1e4),
        "p50Ms": counter.quantile(0.5),
        "p95Ms": counter.quantile(0.95),
    })
}
