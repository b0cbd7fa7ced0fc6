//! The indicators on staged records, and their false alarms by simulation.

use super::*;
use crate::pulse::Count;

const TOOLS: [&str; 5] = ["analyze", "lookup", "decode", "diff", "narrate"];
const OPEN: [&str; 2] = ["analyze", "lookup"];
/// Half past an hour.
const NOW: u64 = 1_795_307_400_000;
const HOUR: u64 = 3_600_000;

fn look(record: &Record) -> BTreeMap<String, Indicator> {
    indicators(record, &TOOLS, &OPEN, NOW)
        .into_iter()
        .map(|indicator| (indicator.id.clone(), indicator))
        .collect()
}

/// A record with `n` calls of `tool` in each of the hours, as `change` has them.
fn calls(
    record: &mut Record,
    hours_back: std::ops::Range<u64>,
    tool: &str,
    n: u64,
    change: impl Fn(u64, &mut Count),
) {
    for back in hours_back {
        for at in 0..n {
            let mut count = Count::new(NOW - back * HOUR, tool, Outcome::Success, 1);
            change(at, &mut count);
            record.count(&count);
        }
    }
}

fn refused(count: &mut Count) {
    count.outcome = Outcome::ValidationRejected;
}

#[test]
fn an_empty_record_is_quiet_and_says_so() {
    for (id, indicator) in look(&Record::at(NOW)) {
        assert_eq!(indicator.state, Level::Quiet, "{id}");
        assert_eq!((indicator.value, indicator.baseline), (None, None));
        assert!(indicator.why.starts_with("No call"), "{}", indicator.why);
    }
}

#[test]
fn a_jump_of_refusals_is_an_alert_of_that_tool_alone() {
    let mut record = Record::at(NOW);
    for tool in ["analyze", "lookup"] {
        calls(&mut record, 2..40, tool, 20, |at, count| {
            if at == 0 {
                refused(count)
            }
        });
    }
    calls(&mut record, 0..2, "analyze", 20, |at, count| {
        if at < 12 {
            refused(count)
        }
    });
    calls(&mut record, 0..2, "lookup", 20, |at, count| {
        if at == 0 {
            refused(count)
        }
    });
    let seen = look(&record);
    let analyze = &seen["rejections.analyze"];
    assert_eq!(analyze.state, Level::Alert);
    assert_eq!((analyze.value, analyze.baseline), (Some(0.6), Some(0.05)));
    assert_eq!(
        analyze.why,
        "In the last two hours 24 of 40 calls of analyze had their input refused (60.0 %); in the days before 5.0 %."
    );
    assert_eq!(seen["rejections.lookup"].state, Level::Quiet);
}

#[test]
fn refusals_of_a_tool_without_a_past_are_no_alarm() {
    let mut record = Record::at(NOW);
    calls(&mut record, 0..1, "decode", 50, |_, count| refused(count));
    assert_eq!(look(&record)["rejections.decode"].state, Level::Quiet);
}

#[test]
fn the_mix_of_analyze_and_decode_is_watched_both_ways() {
    for (analyze, decode) in [(1, 39), (39, 1)] {
        let mut record = Record::at(NOW);
        calls(&mut record, 2..50, "analyze", 10, |_, _| {});
        calls(&mut record, 2..50, "decode", 10, |_, _| {});
        calls(&mut record, 0..1, "analyze", analyze, |_, _| {});
        calls(&mut record, 0..1, "decode", decode, |_, _| {});
        let mix = &look(&record)["mix.analyze_decode"];
        assert_eq!(mix.state, Level::Alert, "{}", mix.why);
        assert!(mix.why.contains("band 3"), "{}", mix.why);
    }
}

#[test]
fn a_band_is_where_the_mix_is_quiet() {
    let mut record = Record::at(NOW);
    calls(&mut record, 2..50, "analyze", 10, |_, _| {});
    calls(&mut record, 2..50, "decode", 10, |_, _| {});
    calls(&mut record, 0..1, "analyze", 20, |_, _| {});
    calls(&mut record, 0..1, "decode", 20, |_, _| {});
    let mix = &look(&record)["mix.analyze_decode"];
    assert_eq!(mix.state, Level::Quiet);
    assert!(mix.why.ends_with("band 30.0 % to 70.0 %."), "{}", mix.why);
}

#[test]
fn loops_are_told_from_the_first_day_on_and_one_alone_is_no_alarm() {
    for (loops, level) in [(1, Level::Quiet), (2, Level::Watch), (5, Level::Alert)] {
        let mut record = Record::at(NOW);
        calls(&mut record, 0..1, "analyze", 20, |at, count| {
            refused(count);
            count.alike = if at < loops { 3 } else { 4 };
        });
        assert_eq!(look(&record)["loops"].state, level, "{loops} loops");
    }
}

#[test]
fn probing_is_told_apart_from_calls() {
    let mut record = Record::at(NOW);
    calls(&mut record, 0..50, "decode", 10, |_, _| {});
    assert_eq!(look(&record)["probing"].state, Level::Quiet);
    calls(&mut record, 0..1, UNKNOWN, 15, |_, count| refused(count));
    let seen = look(&record);
    assert_eq!(seen["probing"].state, Level::Alert);
    assert_eq!(seen["loops"].baseline, Some(0.0));
    assert_eq!(seen["rejections.decode"].state, Level::Quiet);
}

#[test]
fn a_failing_upstream_is_an_alert() {
    let mut record = Record::at(NOW);
    calls(&mut record, 2..30, "lookup", 10, |_, _| {});
    calls(&mut record, 0..1, "lookup", 10, |_, count| {
        count.outcome = Outcome::UpstreamError;
    });
    assert_eq!(look(&record)["upstream"].state, Level::Alert);
}

#[test]
fn one_fallback_is_watched() {
    let mut record = Record::at(NOW);
    calls(&mut record, 0..30, "decode", 100, |_, _| {});
    calls(&mut record, 0..1, "decode", 1, |_, count| {
        count.fallback = true;
    });
    assert_eq!(look(&record)["fallback"].state, Level::Watch);
}

#[test]
fn history_is_by_hour_and_bounded() {
    let mut record = Record::at(NOW);
    calls(&mut record, 0..72, "decode", 4, |at, count| {
        if at == 0 {
            refused(count)
        }
    });
    let history = &look(&record)["rejections.decode"].history;
    assert_eq!(history.len() as u64, HISTORY);
    let last = history.last().unwrap();
    assert_eq!(
        (last.hour.as_str(), last.value, last.of),
        ("2026-11-22T00:00:00Z", 0.25, 4)
    );
}

/// SplitMix64: the same simulation on every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Knuth's method; the means here are small.
    fn poisson(&mut self, mean: f64) -> u64 {
        let (floor, mut product, mut n) = ((-mean).exp(), self.unit(), 0);
        while product > floor {
            product *= self.unit();
            n += 1;
        }
        n
    }

    fn share(&mut self, of: u64, p: f64) -> Share {
        let hits = (0..of).filter(|_| self.unit() < p).count() as u64;
        Share { hits, of }
    }
}

fn rejections() -> Look {
    Look::rise("rejections.analyze", "", NO_PRIOR)
}

/// Nothing changes: how often is there an alarm all the same? At 1, 8 and 60
/// calls an hour, with few and with many refusals, on 3,000 looks each.
#[test]
fn false_alarms_are_as_rare_as_stated() {
    let mut dice = Dice(1);
    let mix = Look {
        both_ways: true,
        ..rejections()
    };
    let looks = 3_000;
    for rate in [1.0, 8.0, 60.0] {
        for p in [0.02, 0.3] {
            let (mut watches, mut alerts) = ([0, 0], [0, 0]);
            for _ in 0..looks {
                let before = (0..70).map(|_| dice.poisson(rate)).sum();
                let recent = (0..WINDOW).map(|_| dice.poisson(rate)).sum();
                let (before, recent) = (dice.share(before, p), dice.share(recent, p));
                for (at, look) in [&rejections(), &mix].into_iter().enumerate() {
                    let level = look.level(recent, before);
                    watches[at] += usize::from(level >= Level::Watch);
                    alerts[at] += usize::from(level == Level::Alert);
                }
            }
            // 30 are expected at the most; 51 would be four deviations more.
            assert!(
                watches.iter().all(|n| *n <= 51) && alerts.iter().all(|n| *n <= 3),
                "{rate} calls an hour, {p}: {watches:?} watches, {alerts:?} alerts"
            );
        }
    }
}

/// A day has 24 looks that share most of what they look at.
#[test]
fn days_without_a_change_seldom_have_an_alert() {
    let mut dice = Dice(2);
    let (days, mut alerts, mut watches) = (400, 0, 0);
    for _ in 0..days {
        let hours: Vec<Share> = (0..72 + 24)
            .map(|_| {
                let of = dice.poisson(12.0);
                dice.share(of, 0.1)
            })
            .collect();
        let worst = hours.windows(72).skip(1).map(|hours| {
            let (mut before, mut recent) = (Share::default(), Share::default());
            let (old, new) = hours.split_at(70);
            old.iter().for_each(|share| before.add(*share));
            new.iter().for_each(|share| recent.add(*share));
            rejections().level(recent, before)
        });
        match worst.max() {
            Some(Level::Alert) => alerts += 1,
            Some(Level::Watch) => watches += 1,
            _ => {}
        }
    }
    assert!(
        alerts <= 3 && watches <= days / 6,
        "{alerts} days with an alert and {watches} with a watch of {days}"
    );
}

/// What is worth an alarm gets one, also with little traffic.
#[test]
fn a_real_spike_is_seen() {
    let mut dice = Dice(3);
    for (rate, from, to, level, tenths) in [
        (8.0, 0.05, 0.6, Level::Alert, 9),
        (60.0, 0.05, 0.2, Level::Alert, 9),
        (2.0, 0.05, 0.8, Level::Watch, 7),
    ] {
        let rounds = 300;
        let seen = (0..rounds)
            .filter(|_| {
                let before = (0..70).map(|_| dice.poisson(rate)).sum();
                let recent = (0..WINDOW).map(|_| dice.poisson(rate)).sum();
                let (before, recent) = (dice.share(before, from), dice.share(recent, to));
                rejections().level(recent, before) >= level
            })
            .count();
        assert!(
            seen * 10 >= rounds * tenths,
            "{from} to {to} at {rate} an hour: seen {seen} of {rounds} times"
        );
    }
}
