//! What decoding costs: the worst of the hostile texts, read as every kind,
//! beside a typical certificate. The certificate's time is that of the
//! machine; the ratio travels.

use std::hint::black_box;
use std::time::{Duration, Instant};

use netrecon::codec::{Context, Kind, decode};
use netrecon::guard::Guard;

#[path = "../src/codec/tests/hostile_texts.rs"]
mod hostile_texts;

/// Rows that are printed.
const SHOWN: usize = 12;
/// Runs of which the fastest counts.
const RUNS: usize = 5;

fn main() {
    let guard = Guard::default();
    let context = Context {
        guard: &guard,
        now_ms: 1_800_000_000_000,
    };
    let certificate = Kind::Certificate.format().example;
    let typical = fastest(200, || decode(certificate, None, &context).is_ok());
    println!("a typical certificate, recognised and decoded: {typical:?}");

    let texts = hostile_texts::texts();
    let kinds = || Kind::ALL.iter().copied().map(Some).chain([None]);
    let mut rows: Vec<(Duration, &str, &str)> = Vec::new();
    for (name, text) in &texts {
        for kind in kinds() {
            let time = fastest(RUNS, || decode(text, kind, &context).is_ok());
            rows.push((time, name, kind.map_or("auto", Kind::as_str)));
        }
    }
    rows.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    println!(
        "the {SHOWN} worst of {} pairs of text and kind:",
        rows.len()
    );
    for (time, name, kind) in rows.iter().take(SHOWN) {
        let ratio = time.as_secs_f64() / typical.as_secs_f64();
        println!("{time:>12.3?}  {ratio:>7.1} times  {name} as {kind}");
    }
}

fn fastest(runs: usize, mut run: impl FnMut() -> bool) -> Duration {
    let once = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (0..runs).map(once).min().unwrap_or_default()
}
