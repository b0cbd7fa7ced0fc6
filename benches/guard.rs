//! What a judgement costs: a typical URL under 2 µs, a hostile string of the
//! longest accepted length at most 20 times that.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use netrecon::guard::{Guard, MAX_URL, text};

/// Strings of [`MAX_URL`] bytes, and of the most that each part of a URL may
/// have: each the worst of its kind.
fn hostile() -> Vec<(&'static str, String)> {
    let fill = |head: &str, unit: &str, tail: &str, length: usize| {
        let units = (length - head.len() - tail.len()) / unit.len();
        format!("{head}{}{tail}", unit.repeat(units))
    };
    let path = |unit: &str| fill("https://example.com/", unit, "", MAX_URL);
    // 256 slashes are the most.
    let deep = |unit: &str| {
        format!(
            "https://example.com/{}{}",
            unit.repeat(255),
            "a".repeat(700)
        )
    };
    // A third of the most, because each byte becomes three.
    let swelling = |unit: &str| fill("https://example.com/", unit, "", MAX_URL / 3);
    // 384 bytes are the most for a host that is not ASCII.
    let host = |unit: &str| fill("https://a", unit, ".com/", 384 + "https:///".len());
    vec![
        ("long path", path("a")),
        ("percent signs", path("%")),
        ("slashes", path("/")),
        ("encoded dots", path("%2e%2e/")),
        ("braces", path("{")),
        ("non-ASCII path", path("ä")),
        ("fragment", fill("https://example.com/#", "é", "", MAX_URL)),
        ("deep", deep("a/")),
        ("dot segments", deep("../")),
        (
            "dot segments between",
            deep("a/../").replacen("a/../", "", 128),
        ),
        ("quotes, swelling", swelling("\"")),
        ("Latin, swelling", swelling("ä")),
        ("astral, swelling", swelling("𝔘")),
        (
            "query, swelling",
            fill("https://example.com/?", "語", "", MAX_URL / 3),
        ),
        ("long label", fill("https://", "a", ".com/", MAX_URL)),
        ("many labels", fill("https://", "a.", "com/", 253)),
        (
            "A-labels",
            fill("https://", "xn--mgba3gch31f060k.", "com/", 253),
        ),
        ("full-width host", host("ｅ")),
        ("full-width labels", host("ｅ．")),
        ("combining marks", host("\u{323}\u{307}")),
        ("combining labels", host("a\u{323}\u{307}.")),
        ("Han labels", host("語。")),
        ("Arabic host", host("ب")),
        ("ligatures", host("\u{FDFA}")),
        ("numeric host", fill("https://", "0x7f.", "1/", 250)),
        ("colons", fill("https://", ":", "/", MAX_URL)),
        ("brackets", fill("https://[", ":", "]/", 250)),
        ("at signs", fill("https://", "@", "/", MAX_URL)),
        (
            "control at the end",
            fill("https://example.com/", "a", "\u{1}", MAX_URL),
        ),
    ]
}

fn guard(c: &mut Criterion) {
    let guard = Guard::default();
    let mut group = c.benchmark_group("validate_fetch_url");
    for (name, url) in [
        (
            "typical",
            "https://www.example.com/path/page.html?q=term&lang=en",
        ),
        ("bare", "https://example.com/"),
        ("address", "https://93.184.216.34/"),
        ("refused", "http://169.254.169.254/latest/meta-data/"),
        ("unicode", "https://bücher.example.com/straße"),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| guard.validate_fetch_url(black_box(url)))
        });
    }
    for (name, url) in hostile() {
        group.bench_function(format!("hostile/{name}"), |b| {
            b.iter(|| guard.validate_fetch_url(black_box(&url)))
        });
    }
    group.finish();

    let title = "Acme Corporation - industrial fasteners since 1923 | Home";
    let mut group = c.benchmark_group("text");
    group.bench_function("clean", |b| b.iter(|| text::clean(black_box(title), 120)));
    group.bench_function("canonical", |b| {
        b.iter(|| text::canonical(black_box(title)).len())
    });
    group.bench_function("addresses_a_model", |b| {
        b.iter(|| text::addresses_a_model(black_box(title)))
    });
    group.finish();
}

criterion_group!(benches, guard);
criterion_main!(benches);
