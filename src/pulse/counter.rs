//! Counts, gathered into deltas, sent in numbered batches, summed in counters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::format_description;

use super::{Hour, Outcome};

/// Upper bounds of the latency buckets, in milliseconds; the last bucket
/// takes everything above.
const BOUNDS: [u64; 12] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];
const ABOVE: &str = "inf";

/// The name that calls of tools and methods that do not exist are counted
/// under; it is no tool's, and KV's `count/` has no key of it.
pub const UNKNOWN: &str = "unknown";

/// One finished call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// UTC day, `YYYY-MM-DD`.
    pub day: String,
    /// Hours since the Unix epoch.
    pub hour: u64,
    /// The tool's name, or [`UNKNOWN`].
    pub tool: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Milliseconds it took.
    pub latency_ms: u64,
    /// The class of the guard's refusal.
    pub refused: Option<String>,
    /// Whether `BUDGET_FALLBACK` decided.
    pub fallback: bool,
    /// How many refused inputs in a row were alike, this one included.
    pub alike: u32,
}

impl Count {
    /// A call that came in at `unix_ms`, nothing special about it.
    pub fn new(unix_ms: u64, tool: &str, outcome: Outcome, latency_ms: u64) -> Count {
        Count {
            day: day_of(unix_ms),
            hour: hour_of(unix_ms),
            tool: tool.to_owned(),
            outcome,
            latency_ms,
            refused: None,
            fallback: false,
            alike: 0,
        }
    }
}

/// A day's calls of one tool. [`Counter::published`] is the value of KV's
/// `count/{day}/{tool}`; the hours go into the [`Record`](super::Record).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    /// Calls per outcome; all five members are always there.
    #[serde(flatten)]
    outcomes: Outcomes,
    /// Calls per latency bucket, named by its upper bound in milliseconds.
    #[serde(rename = "latencyMs", default)]
    latency_ms: BTreeMap<String, u64>,
    /// By hour since the Unix epoch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    hours: BTreeMap<u64, Hour>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Outcomes {
    success: u64,
    validation_rejected: u64,
    rate_limited: u64,
    upstream_error: u64,
    internal_error: u64,
}

impl Counter {
    /// Adds one call.
    pub fn add(&mut self, outcome: Outcome, latency_ms: u64) {
        *self.slot(outcome) += 1;
        *self.latency_ms.entry(bucket(latency_ms)).or_default() += 1;
    }

    /// Adds one call with all that is known of it.
    pub fn count(&mut self, count: &Count) {
        self.add(count.outcome, count.latency_ms);
        self.hours.entry(count.hour).or_default().count(count);
    }

    /// What KV shows of it: outcomes and latencies.
    pub fn published(&self) -> Counter {
        Counter {
            hours: BTreeMap::new(),
            ..self.clone()
        }
    }

    /// Its hours, oldest first.
    pub fn hours(&self) -> impl Iterator<Item = (u64, &Hour)> {
        self.hours.iter().map(|(hour, slice)| (*hour, slice))
    }

    /// Adds another counter.
    pub fn merge(&mut self, other: &Counter) {
        for outcome in Outcome::ALL {
            *self.slot(outcome) += other.of(outcome);
        }
        for (bucket, n) in &other.latency_ms {
            *self.latency_ms.entry(bucket.clone()).or_default() += n;
        }
        for (hour, slice) in &other.hours {
            self.hours.entry(*hour).or_default().merge(slice);
        }
    }

    /// Calls that ended as `outcome`.
    pub fn of(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Success => self.outcomes.success,
            Outcome::ValidationRejected => self.outcomes.validation_rejected,
            Outcome::RateLimited => self.outcomes.rate_limited,
            Outcome::UpstreamError => self.outcomes.upstream_error,
            Outcome::InternalError => self.outcomes.internal_error,
        }
    }

    /// All calls.
    pub fn total(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.of(*outcome)).sum()
    }

    /// The upper bound of the bucket that holds the `share` quantile, in
    /// milliseconds; `None` without calls or above the last bound.
    pub fn quantile(&self, share: f64) -> Option<u64> {
        let total: u64 = self.latency_ms.values().sum();
        let mut seen = 0;
        BOUNDS.into_iter().find(|bound| {
            seen += self
                .latency_ms
                .get(&bound.to_string())
                .copied()
                .unwrap_or(0);
            total > 0 && seen as f64 >= share * total as f64
        })
    }

    fn slot(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Success => &mut self.outcomes.success,
            Outcome::ValidationRejected => &mut self.outcomes.validation_rejected,
            Outcome::RateLimited => &mut self.outcomes.rate_limited,
            Outcome::UpstreamError => &mut self.outcomes.upstream_error,
            Outcome::InternalError => &mut self.outcomes.internal_error,
        }
    }
}

fn bucket(latency_ms: u64) -> String {
    match BOUNDS.into_iter().find(|bound| latency_ms <= *bound) {
        Some(bound) => bound.to_string(),
        None => ABOVE.to_owned(),
    }
}

/// Counters not yet passed on, by day and tool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deltas(BTreeMap<String, BTreeMap<String, Counter>>);

impl Deltas {
    /// Adds one call.
    pub fn count(&mut self, count: &Count) {
        self.counter(&count.day, &count.tool).count(count);
    }

    /// Adds a day's counter of one tool.
    pub fn add(&mut self, day: &str, tool: &str, counter: &Counter) {
        self.counter(day, tool).merge(counter);
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Deltas) {
        for (day, tool, counter) in other.iter() {
            self.add(day, tool, counter);
        }
    }

    /// A day's counter of one tool.
    pub fn get(&self, day: &str, tool: &str) -> Option<&Counter> {
        self.0.get(day)?.get(tool)
    }

    /// Whether there is nothing to pass on.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Day, tool and counter, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Counter)> {
        self.0.iter().flat_map(|(day, tools)| {
            tools
                .iter()
                .map(move |(tool, counter)| (day.as_str(), tool.as_str(), counter))
        })
    }

    fn counter(&mut self, day: &str, tool: &str) -> &mut Counter {
        self.0
            .entry(day.to_owned())
            .or_default()
            .entry(tool.to_owned())
            .or_default()
    }
}

/// Deltas under way from one sender. The receiver remembers the last number
/// of each sender, so a batch that arrives twice counts once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The sending object's id.
    pub sender: String,
    /// Grows from batch to batch of this sender: the time it was packed.
    pub number: u64,
    /// What it adds.
    pub deltas: Deltas,
}

/// Hours between the Unix epoch and an instant.
pub const fn hour_of(unix_ms: u64) -> u64 {
    unix_ms / 3_600_000
}

/// The UTC day of an instant, `YYYY-MM-DD`.
pub fn day_of(unix_ms: u64) -> String {
    i64::try_from(unix_ms / 1000)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|at| at.format(format_description!("[year]-[month]-[day]")).ok())
        .unwrap_or_else(|| String::from("1970-01-01"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_counter_has_all_five_outcomes_and_its_buckets() {
        let mut counter = Counter::default();
        counter.add(Outcome::Success, 12);
        counter.add(Outcome::RateLimited, 0);
        counter.add(Outcome::Success, 9_999);
        assert_eq!(
            serde_json::to_value(&counter).unwrap(),
            json!({"success": 2, "validation_rejected": 0, "rate_limited": 1, "upstream_error": 0,
                   "internal_error": 0, "latencyMs": {"1": 1, "25": 1, "inf": 1}})
        );
    }

    #[test]
    fn a_counter_survives_storage() {
        let mut counter = Counter::default();
        counter.add(Outcome::UpstreamError, 300);
        let stored = serde_json::to_string(&counter).unwrap();
        assert_eq!(serde_json::from_str::<Counter>(&stored).unwrap(), counter);
    }

    #[test]
    fn deltas_add_up_whatever_the_grouping() {
        let count = |tool: &str, outcome| Count::new(1_795_305_600_000, tool, outcome, 3);
        let calls = [
            count("decode", Outcome::Success),
            count("decode", Outcome::RateLimited),
            count("analyze", Outcome::Success),
        ];
        let mut whole = Deltas::default();
        calls.iter().for_each(|call| whole.count(call));
        let mut parts = Deltas::default();
        for call in &calls {
            let mut one = Deltas::default();
            one.count(call);
            parts.merge(&one);
        }
        assert_eq!(whole, parts);
        assert_eq!(
            whole
                .iter()
                .map(|(_, _, counter)| counter.total())
                .sum::<u64>(),
            3
        );
    }

    #[test]
    fn what_is_published_is_outcomes_and_latencies_alone() {
        let mut counter = Counter::default();
        counter.count(&Count {
            fallback: true,
            ..Count::new(1_795_305_600_000, "decode", Outcome::Success, 3)
        });
        assert_eq!(
            serde_json::to_value(counter.published()).unwrap(),
            json!({"success": 1, "validation_rejected": 0, "rate_limited": 0, "upstream_error": 0,
                   "internal_error": 0, "latencyMs": {"5": 1}})
        );
        let stored = serde_json::to_string(&counter).unwrap();
        assert_eq!(serde_json::from_str::<Counter>(&stored).unwrap(), counter);
    }

    #[test]
    fn a_counter_from_before_hours_were_kept_still_reads() {
        let mut counter: Counter = serde_json::from_value(json!({
            "success": 2, "validation_rejected": 0, "rate_limited": 0, "upstream_error": 0,
            "internal_error": 0, "latencyMs": {"5": 2}
        }))
        .unwrap();
        assert_eq!((counter.total(), counter.hours().count()), (2, 0));
        counter.count(&Count::new(
            1_795_305_600_000,
            "decode",
            Outcome::Success,
            3,
        ));
        assert_eq!((counter.total(), counter.hours().count()), (3, 1));
    }

    #[test]
    fn quantiles_are_upper_bounds_of_buckets() {
        let mut counter = Counter::default();
        assert_eq!(counter.quantile(0.5), None);
        (0..95).for_each(|_| counter.add(Outcome::Success, 4));
        (0..5).for_each(|_| counter.add(Outcome::Success, 400));
        assert_eq!(counter.quantile(0.5), Some(5));
        assert_eq!(counter.quantile(0.95), Some(5));
        assert_eq!(counter.quantile(0.99), Some(500));
    }

    #[test]
    fn a_day_is_utc() {
        assert_eq!(day_of(0), "1970-01-01");
        assert_eq!(day_of(1_795_305_599_999), "2026-11-21");
        assert_eq!(day_of(1_795_305_600_000), "2026-11-22");
    }
}
