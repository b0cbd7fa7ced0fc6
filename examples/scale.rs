//! A minute of a million clients and 100,000 calls a second, call by call:
//! what every kind of object sees, and what a day of it costs. Prints the
//! tables of `docs/scale.md`, which says what is assumed.
//!
//! Budgets, shards and waits are the Worker's own code and constants; the
//! platform is replaced by counting. The throw of the dice is the same every
//! time.

use netrecon::config::Rate;
use netrecon::gate::budget::Account;
use netrecon::pulse::{SHARDS, client_wait_ms, shard_of, shard_wait_ms};

const CLIENTS: usize = 1_000_000;
const CALLS_PER_SECOND: f64 = 100_000.0;
/// Simulated, and left out at the beginning until cycles have spread.
const SECONDS: usize = 60;
const WARM_UP: usize = 25;
/// The budget of `decode`, at the defaults.
const DECODE: Rate = Rate {
    limit: 120,
    seconds: 60,
};
const FLUSH_SECONDS: u32 = 60;
/// Counts of one client gathered in an isolate, in milliseconds.
const GATHER_MS: f64 = 250.0;
const DAY: f64 = 86_400.0;

/// Dollars of the paid plan.
const PER_REQUEST: f64 = 0.30e-6;
const PER_CPU_MS: f64 = 0.02e-6;
const PER_OBJECT_REQUEST: f64 = 0.15e-6;
const PER_GB_SECOND: f64 = 12.5e-6;
const PER_ROW: f64 = 1.0e-6;
const PER_KV_WRITE: f64 = 5.0e-6;
/// Assumed: CPU of a call, and wall time of a request to an object.
const CPU_MS: f64 = 1.5;
const OBJECT_SECONDS: f64 = 0.003;
const OBJECT_GB: f64 = 0.128;

/// What was counted in the measured seconds.
#[derive(Default)]
struct Seen {
    calls: f64,
    admitted: f64,
    messages: f64,
    batches: f64,
    busiest_client: f64,
    /// By shard and second.
    shards: Vec<[u32; SECONDS]>,
}

/// SplitMix64.
struct Dice(u64);

impl Dice {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Seconds until the next call at `rate` a second.
    fn wait(&mut self, rate: f64) -> f64 {
        -(1.0 - self.unit()).ln() / rate
    }
}

/// Calls fall on clients by Zipf's law with this exponent; 0 is evenly.
fn simulate(exponent: f64) -> Seen {
    let weight = |n: usize| (n as f64 + 1.0).powf(-exponent);
    let whole: f64 = (0..CLIENTS).map(weight).sum();
    let mut dice = Dice(7);
    let mut seen = Seen {
        shards: vec![[0; SECONDS]; SHARDS as usize],
        ..Seen::default()
    };
    for n in 0..CLIENTS {
        client(
            n,
            CALLS_PER_SECOND * weight(n) / whole,
            &mut dice,
            &mut seen,
        );
    }
    seen
}

/// One client's minute.
fn client(n: usize, rate: f64, dice: &mut Dice, seen: &mut Seen) {
    let shard = shard_of(&format!("{n:064x}"));
    let shard: usize = shard
        .rsplit(':')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap_or_default();
    let mut account = Account::default();
    let (mut limited_until, mut gathered_until, mut batch_at) = (0.0, 0.0, 0.0);
    let mut own = 0.0;
    let mut at = dice.wait(rate);
    while at < SECONDS as f64 {
        let measured = f64::from(u8::from(at >= WARM_UP as f64));
        seen.calls += measured;
        // Known to be over budget: the isolate answers.
        if at >= limited_until {
            own += measured;
            let decision = account.spend(DECODE, 1, (at * 1000.0) as u64);
            seen.admitted += measured * f64::from(u8::from(decision.admitted));
            limited_until = at + decision.wait_ms as f64 / 1000.0;
        }
        if at >= gathered_until {
            own += measured;
            seen.messages += measured;
            gathered_until = at + GATHER_MS / 1000.0;
        }
        if at >= batch_at {
            batch_at = at + client_wait_ms(FLUSH_SECONDS) as f64 / 1000.0;
            seen.batches += f64::from(u8::from(
                batch_at >= WARM_UP as f64 && batch_at < SECONDS as f64,
            ));
            if let Some(second) = seen.shards[shard].get_mut(batch_at as usize) {
                *second += 1;
            }
        }
        at += dice.wait(rate);
    }
    seen.busiest_client = seen.busiest_client.max(own);
}

/// KV writes of a whole day with all six keys due every minute, once the
/// burst of the first day is spent.
fn kv_writes_a_day() -> f64 {
    let mut account = Account::default();
    let budget = Rate {
        limit: 450,
        seconds: 86_400,
    };
    let mut writes = [0.0; 2];
    for minute in 0..2 * 1440_u64 {
        for _ in 0..6 {
            let admitted = account.spend(budget, 1, minute * 60_000).admitted;
            writes[(minute / 1440) as usize] += f64::from(u8::from(admitted));
        }
    }
    writes[0].max(writes[1])
}

/// Both tables, as the document has them.
pub fn tables() -> String {
    let runs =
        [(0.0, "evenly"), (0.9, "Zipf 0.9")].map(|(exponent, how)| (simulate(exponent), how));
    format!("{}\n{}", loads(&runs), costs(&runs))
}

fn loads(runs: &[(Seen, &str)]) -> String {
    let seconds = (SECONDS - WARM_UP) as f64;
    let mut out = String::from(
        "| calls fall on clients | calls/s | admitted/s | busiest client's object/s | batches/s | per shard/s, mean | per shard, worst second | collector/s |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for (seen, how) in runs {
        let measured = seen.shards.iter().flat_map(|shard| &shard[WARM_UP..]);
        let worst = measured.max().copied().unwrap_or_default();
        out.push_str(&format!(
            "| {how} | {:.0} | {:.0} | {:.1} | {:.0} | {:.0} | {worst} | {:.0} |\n",
            seen.calls / seconds,
            seen.admitted / seconds,
            seen.busiest_client / seconds,
            seen.batches / seconds,
            seen.batches / seconds / SHARDS as f64,
            SHARDS as f64 * 1000.0 / shard_wait_ms(FLUSH_SECONDS) as f64,
        ));
    }
    out
}

/// What an object is asked and writes, per second, and a day in dollars.
fn costs(runs: &[(Seen, &str)]) -> String {
    let seconds = (SECONDS - WARM_UP) as f64;
    let mut out = String::from(
        "| a day of it | how many | dollars (evenly) | dollars (Zipf 0.9) |\n|---|---|---|---|\n",
    );
    let collector = SHARDS as f64 * 1000.0 / shard_wait_ms(FLUSH_SECONDS) as f64;
    let a_day = |of: &dyn Fn(&Seen) -> f64| -> Vec<f64> {
        runs.iter().map(|(seen, _)| of(seen) * DAY).collect()
    };
    // Spends and messages, then per batch its alarm and itself.
    let objects = |seen: &Seen| {
        (seen.admitted + seen.messages + 2.0 * seen.batches) / seconds + 2.0 * collector
    };
    // A message writes pending, budget and its id; a batch the alarm, the outbox and
    // two deletions here, and number and pending at its shard.
    let rows =
        |seen: &Seen| (3.0 * seen.messages + 6.0 * seen.batches) / seconds + 12.0 * collector;
    let kv = kv_writes_a_day();
    let lines: [(&str, Vec<f64>, f64); 6] = [
        (
            "Worker requests",
            a_day(&|seen| seen.calls / seconds),
            PER_REQUEST,
        ),
        (
            "CPU, ms",
            a_day(&|seen| seen.calls / seconds * CPU_MS),
            PER_CPU_MS,
        ),
        ("object requests", a_day(&objects), PER_OBJECT_REQUEST),
        (
            "object duration, GB-s",
            a_day(&|seen| objects(seen) * OBJECT_SECONDS * OBJECT_GB),
            PER_GB_SECOND,
        ),
        ("rows written", a_day(&rows), PER_ROW),
        ("KV writes", vec![kv, kv], PER_KV_WRITE),
    ];
    let mut sums = vec![0.0; runs.len()];
    for (what, counts, price) in lines {
        let dollars: Vec<String> = counts
            .iter()
            .zip(&mut sums)
            .map(|(count, sum)| {
                *sum += count * price;
                format!("{:.0}", count * price)
            })
            .collect();
        let many = counts.first().copied().unwrap_or_default();
        out.push_str(&format!(
            "| {what} | {} | {} |\n",
            short(many),
            dollars.join(" | ")
        ));
    }
    let sums: Vec<String> = sums.iter().map(|sum| format!("{sum:.0}")).collect();
    out.push_str(&format!("| **all** | | {} |\n", sums.join(" | ")));
    out
}

fn short(n: f64) -> String {
    match n {
        n if n >= 1e9 => format!("{:.1} billion", n / 1e9),
        n if n >= 1e6 => format!("{:.1} million", n / 1e6),
        n => format!("{n:.0}"),
    }
}

#[allow(dead_code)] // The document's test takes this file in as a module.
fn main() {
    print!("{}", tables());
}
