//! The last hours of every tool: KV's `pulse`, written by the tally beside
//! the counters, and what the indicators are read from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Count, Counter, Hour, hour_of};

/// Hours kept, the current one included.
pub const HOURS: u64 = 72;

/// Hours by tool, [`UNKNOWN`](super::UNKNOWN) among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// When it was written, in milliseconds since the Unix epoch.
    pub at: u64,
    tools: BTreeMap<String, BTreeMap<u64, Hour>>,
}

impl Record {
    /// An empty one as of `unix_ms`.
    pub fn at(unix_ms: u64) -> Record {
        Record {
            at: unix_ms,
            ..Record::default()
        }
    }

    /// Adds a day's counter of `tool`, as far back as hours are kept.
    pub fn add(&mut self, tool: &str, counter: &Counter) {
        let oldest = (hour_of(self.at) + 1).saturating_sub(HOURS);
        let hours = self.tools.entry(tool.to_owned()).or_default();
        for (hour, slice) in counter.hours().filter(|(hour, _)| *hour >= oldest) {
            hours.entry(hour).or_default().merge(slice);
        }
    }

    /// Adds one call.
    pub fn count(&mut self, count: &Count) {
        self.tools
            .entry(count.tool.clone())
            .or_default()
            .entry(count.hour)
            .or_default()
            .count(count);
    }

    /// Tool, hour and what happened in it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64, &Hour)> {
        self.tools.iter().flat_map(|(tool, hours)| {
            hours
                .iter()
                .map(move |(hour, slice)| (tool.as_str(), *hour, slice))
        })
    }

    /// Refusals of the guard in all its hours, by class.
    pub fn refused(&self) -> BTreeMap<&str, u64> {
        let mut sums = BTreeMap::new();
        for (_, _, slice) in self.iter() {
            for (class, n) in slice.refused() {
                *sums.entry(class.as_str()).or_default() += n;
            }
        }
        sums
    }

    /// Calls that `BUDGET_FALLBACK` decided in all its hours.
    pub fn fallbacks(&self) -> u64 {
        self.iter().map(|(_, _, slice)| slice.fallback()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pulse::Outcome;

    const NOW: u64 = 1_795_305_600_000;

    #[test]
    fn hours_older_than_three_days_are_left_out() {
        let mut counter = Counter::default();
        for back in [0, 71, 72, 100] {
            let at = NOW - back * 3_600_000;
            counter.count(&Count::new(at, "decode", Outcome::Success, 1));
        }
        let mut record = Record::at(NOW);
        record.add("decode", &counter);
        assert_eq!(record.iter().count(), 2);
    }

    #[test]
    fn it_survives_storage_and_adds_up_refusals_and_fallbacks() {
        let mut record = Record::at(NOW);
        for tool in ["analyze", "lookup"] {
            record.count(&Count {
                refused: Some(String::from("address")),
                fallback: true,
                ..Count::new(NOW, tool, Outcome::ValidationRejected, 0)
            });
        }
        let stored = serde_json::to_string(&record).unwrap();
        let read: Record = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.refused(), BTreeMap::from([("address", 2)]));
        assert_eq!(read.fallbacks(), 2);
    }
}
