//! Indicators: what an operator should look at, told from the last two hours
//! beside the three days before.
//!
//! Each is one share (refused of all calls, loops begun of all calls ...)
//! held against the same share earlier by the exact test of
//! [`odds`](super::odds). A look at an indicator whose share has not changed
//! says `watch` in at most 1 of 100 cases and `alert` in at most 1 of 10,000;
//! a simulation in this file's tests checks both. A share must also have
//! grown by half, so that much traffic does not make trifles significant.
//!
//! What is rare (loops, probing, fallback, upstream failures) is held against
//! its past *and* an assumed quiet past ([`Prior`]): it can be told on the
//! first day, at the price that the stated rates hold only where the true
//! share is no larger than the assumed one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::counter::{UNKNOWN, day_of, hour_of};
use super::odds::{at_least, at_most};
use super::{Hour, Outcome, Record};

/// Hours compared with those before: the current one and the one before it.
pub const WINDOW: u64 = 2;
/// Hours of history shown.
pub const HISTORY: u64 = 48;
/// A share this surprising or more is watched.
pub const WATCH: f64 = 1e-2;
/// A share this surprising or more is an alert.
pub const ALERT: f64 = 1e-4;
/// How much odds must have grown to matter.
const GROWTH: f64 = 1.5;

/// How loud an indicator is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing that chance would not do.
    Quiet,
    /// Chance does this in less than 1 of 100 looks.
    Watch,
    /// Chance does this in less than 1 of 10,000 looks.
    Alert,
}

/// One hour's share.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// When the hour began, RFC 3339.
    pub hour: String,
    /// The share.
    pub value: f64,
    /// Of how many calls.
    pub of: u64,
}

/// One indicator, as `/api/health` shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Indicator {
    /// `topic` or `topic.tool`.
    pub id: String,
    /// How loud it is.
    pub state: Level,
    /// The share in the last two hours; null without calls.
    pub value: Option<f64>,
    /// The share before; null without calls.
    pub baseline: Option<f64>,
    /// One sentence with the counts behind it.
    pub why: String,
    /// Hours with calls, oldest first, at most [`HISTORY`].
    pub history: Vec<Point>,
}

/// Marked calls and all calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    hits: u64,
    of: u64,
}

/// Calls taken as read before the first one was counted.
type Prior = Share;

const NO_PRIOR: Prior = Share { hits: 0, of: 0 };
const NEVER: Prior = Share { hits: 0, of: 200 };
const SELDOM: Prior = Share { hits: 5, of: 100 };

/// What one indicator looks at.
struct Look {
    id: String,
    /// "3 of 40 {what}", as the sentence says it.
    what: String,
    prior: Prior,
    /// A fall is as remarkable as a rise.
    both_ways: bool,
    /// One is enough to be watched.
    any: bool,
}

impl Look {
    fn rise(id: impl Into<String>, what: impl Into<String>, prior: Prior) -> Look {
        Look {
            id: id.into(),
            what: what.into(),
            prior,
            both_ways: false,
            any: false,
        }
    }
}

/// All indicators at `now_ms`, in a stable order; `tools` are the names that
/// calls are refused under, `open` those that ask the outside.
pub fn indicators(record: &Record, tools: &[&str], open: &[&str], now_ms: u64) -> Vec<Indicator> {
    let mut all: Vec<Indicator> = tools
        .iter()
        .map(|tool| {
            let look = Look::rise(
                format!("rejections.{tool}"),
                format!("calls of {tool} had their input refused"),
                NO_PRIOR,
            );
            look.at(now_ms, record, |name, hour| {
                (name == *tool).then(|| Share {
                    hits: hour.of(Outcome::ValidationRejected),
                    of: hour.total() - hour.of(Outcome::RateLimited),
                })
            })
        })
        .collect();
    all.push(mix(record, now_ms));
    all.extend(rare(record, open, now_ms));
    all
}

fn mix(record: &Record, now_ms: u64) -> Indicator {
    let look = Look {
        both_ways: true,
        ..Look::rise(
            "mix.analyze_decode",
            "calls of analyze and decode were analyze",
            NO_PRIOR,
        )
    };
    look.at(now_ms, record, |name, hour| {
        let of = hour.total();
        match name {
            "analyze" => Some(Share { hits: of, of }),
            "decode" => Some(Share { hits: 0, of }),
            _ => None,
        }
    })
}

fn rare(record: &Record, open: &[&str], now_ms: u64) -> [Indicator; 4] {
    let known = |name: &str| name != UNKNOWN;
    let loops = Look::rise(
        "loops",
        "calls were the third refused input in a row that one client only varied a little",
        NEVER,
    );
    let probing = Look::rise(
        "probing",
        "calls named a tool or method that does not exist",
        NEVER,
    );
    let upstream = Look::rise(
        "upstream",
        "calls that asked the outside got no usable answer from it",
        SELDOM,
    );
    let fallback = Look {
        any: true,
        ..Look::rise(
            "fallback",
            "calls found no budget object and were decided by BUDGET_FALLBACK",
            NEVER,
        )
    };
    [
        loops.at(now_ms, record, |name, hour| {
            known(name).then(|| Share {
                hits: hour.loops(),
                of: hour.total(),
            })
        }),
        probing.at(now_ms, record, |name, hour| {
            let of = hour.total();
            Some(match known(name) {
                true => Share { hits: 0, of },
                false => Share { hits: of, of },
            })
        }),
        upstream.at(now_ms, record, |name, hour| {
            let failed = hour.of(Outcome::UpstreamError);
            open.contains(&name).then(|| Share {
                hits: failed,
                of: failed + hour.of(Outcome::Success),
            })
        }),
        fallback.at(now_ms, record, |name, hour| {
            known(name).then(|| Share {
                hits: hour.fallback(),
                of: hour.total(),
            })
        }),
    ]
}

impl Share {
    fn add(&mut self, other: Share) {
        self.hits += other.hits;
        self.of += other.of;
    }

    fn value(self) -> Option<f64> {
        (self.of > 0).then(|| (self.hits as f64 / self.of as f64 * 1e4).round() / 1e4)
    }

    /// Marked against unmarked, half a call added to each so that neither is
    /// nothing.
    fn odds(self) -> f64 {
        (self.hits as f64 + 0.5) / ((self.of - self.hits) as f64 + 0.5)
    }

    fn percent(self) -> String {
        let share = self.hits as f64 * 100.0 / self.of.max(1) as f64;
        format!("{share:.1} %")
    }
}

impl Look {
    /// Looks at the record through `pick`, which says what a tool's hour adds.
    fn at(
        self,
        now_ms: u64,
        record: &Record,
        pick: impl Fn(&str, &Hour) -> Option<Share>,
    ) -> Indicator {
        let mut hours: BTreeMap<u64, Share> = BTreeMap::new();
        for (tool, hour, slice) in record.iter() {
            if let Some(share) = pick(tool, slice) {
                hours.entry(hour).or_default().add(share);
            }
        }
        let edge = (hour_of(now_ms) + 1).saturating_sub(WINDOW);
        let (mut recent, mut before) = (Share::default(), Share::default());
        for (hour, share) in &hours {
            match *hour >= edge {
                true => recent.add(*share),
                false => before.add(*share),
            }
        }
        let oldest = (hour_of(now_ms) + 1).saturating_sub(HISTORY);
        Indicator {
            state: self.level(recent, before),
            value: recent.value(),
            baseline: before.value(),
            why: self.sentence(recent, before),
            history: hours.range(oldest..).filter_map(point).collect(),
            id: self.id,
        }
    }

    fn level(&self, recent: Share, before: Share) -> Level {
        let mut past = before;
        past.add(self.prior);
        let grown = recent.odds() / past.odds();
        let matters = grown >= GROWTH || (self.both_ways && grown <= 1.0 / GROWTH);
        match self.chance(recent, past) {
            p if p < ALERT && matters => Level::Alert,
            p if p < WATCH && matters => Level::Watch,
            _ if self.any && recent.hits > 0 => Level::Watch,
            _ => Level::Quiet,
        }
    }

    fn chance(&self, recent: Share, past: Share) -> f64 {
        let rise = at_least(recent.hits, recent.of, past.hits, past.of);
        match self.both_ways {
            false => rise,
            true => {
                let fall = at_most(recent.hits, recent.of, past.hits, past.of);
                (2.0 * rise.min(fall)).min(1.0)
            }
        }
    }

    fn sentence(&self, recent: Share, before: Share) -> String {
        let what = &self.what;
        if recent.of == 0 {
            return format!("No call in the last two hours to tell whether {what}.");
        }
        let now = format!(
            "In the last two hours {} of {} {what} ({})",
            recent.hits,
            recent.of,
            recent.percent()
        );
        let then = match before.of {
            0 => String::from("nothing earlier to compare with"),
            _ => format!("in the days before {}", before.percent()),
        };
        let band = match self.both_ways && before.of > 0 {
            true => self.band(recent.of, before),
            false => String::new(),
        };
        format!("{now}; {then}{band}.")
    }

    /// The shares of `of` calls that would be quiet.
    fn band(&self, of: u64, before: Share) -> String {
        let quiet = |hits| self.level(Share { hits, of }, before) == Level::Quiet;
        let middle = (before.hits as f64 / before.of as f64 * of as f64).round() as u64;
        let low = boundary(0, middle, |hits| !quiet(hits));
        let high = boundary(middle, of + 1, quiet);
        let share = |hits| Share { hits, of }.percent();
        format!(
            ", band {} to {}",
            share(low),
            share(high.saturating_sub(1).min(of))
        )
    }
}

/// The first number of `from..to` that `holds` no longer holds for.
fn boundary(mut from: u64, mut to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    while from < to {
        let middle = from + (to - from) / 2;
        match holds(middle) {
            true => from = middle + 1,
            false => to = middle,
        }
    }
    from
}

fn point((hour, share): (&u64, &Share)) -> Option<Point> {
    let day = day_of(hour * 3_600_000);
    Some(Point {
        hour: format!("{day}T{:02}:00:00Z", hour % 24),
        value: share.value()?,
        of: share.of,
    })
}

#[cfg(test)]
mod tests;
