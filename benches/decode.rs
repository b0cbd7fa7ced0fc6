//! What decoding costs: an example of every kind, and the worst of the hostile
//! texts read as any kind. Absolute times are those of the machine; the table
//! in front gives each as a multiple of a typical certificate, which travels.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use netrecon::codec::{Context, Kind, decode};
use netrecon::guard::Guard;

#[path = "../src/codec/tests/hostile_texts.rs"]
mod hostile_texts;

/// Pairs of text and kind that are shown and measured.
const WORST: usize = 12;
/// Runs of which the fastest counts when the worst are looked for.
const RUNS: usize = 3;

fn answer(text: &str, kind: Option<Kind>) -> bool {
    let guard = Guard::default();
    let context = Context {
        guard: &guard,
        now_ms: 1_800_000_000_000,
    };
    decode(black_box(text), kind, &context).is_ok()
}

fn examples(c: &mut Criterion) {
    let mut group = c.benchmark_group("example");
    for kind in Kind::ALL {
        let text = kind.format().example;
        group.bench_function(kind.as_str(), |b| b.iter(|| answer(text, Some(*kind))));
    }
    let certificate = Kind::Certificate.format().example;
    group.bench_function("certificate recognised", |b| {
        b.iter(|| answer(certificate, None));
    });
    group.finish();
}

fn hostile(c: &mut Criterion) {
    // Under `cargo test` a benchmark only has to run.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let texts = hostile_texts::texts();
    let mut group = c.benchmark_group("hostile");
    for (name, text, kind) in worst(&texts) {
        let as_what = kind.map_or("auto", Kind::as_str);
        group.bench_function(format!("{name} as {as_what}"), |b| {
            b.iter(|| answer(text, kind))
        });
    }
    group.finish();
}

/// Prints and returns the pairs that take longest.
fn worst<'a>(texts: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str, Option<Kind>)> {
    let kinds = || Kind::ALL.iter().copied().map(Some).chain([None]);
    let mut rows: Vec<(Duration, &str, &str, Option<Kind>)> = texts
        .iter()
        .flat_map(|(name, text)| kinds().map(move |kind| (*name, text.as_str(), kind)))
        .map(|(name, text, kind)| (fastest(RUNS, text, kind), name, text, kind))
        .collect();
    rows.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    let typical = fastest(200, Kind::Certificate.format().example, None);
    println!("a typical certificate, recognised and decoded: {typical:?}");
    println!("the {WORST} worst of {} pairs:", rows.len());
    rows.truncate(WORST);
    for (time, name, _, kind) in &rows {
        let ratio = time.as_secs_f64() / typical.as_secs_f64();
        let kind = kind.map_or("auto", Kind::as_str);
        println!("{time:>12.3?}  {ratio:>7.1} times  {name} as {kind}");
    }
    let named = |(_, name, text, kind)| (name, text, kind);
    rows.into_iter().map(named).collect()
}

fn fastest(runs: usize, text: &str, kind: Option<Kind>) -> Duration {
    let once = |_| {
        let start = Instant::now();
        black_box(answer(text, kind));
        start.elapsed()
    };
    (0..runs).map(once).min().unwrap_or_default()
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
}

criterion_group! {
    name = benches;
    config = quick();
    targets = examples, hostile
}
criterion_main!(benches);
