//! Holds the guard against attack data: `judge FILE...` reads JSON lines and
//! prints misses (let in, must not be) and false alarms (refused, must not be)
//! per class. Exits 1 when a strict line is wrong.
//!
//! Three forms of line, told apart by their members:
//!
//! - `{"url", "expect": "allow|deny", "class", "strict"}` for
//!   `validate_fetch_url`. With `base`, the URL is the `Location` of a
//!   redirect from it; with `resolves`, the addresses its name resolves to;
//!   with `host`, what the host of an allowed URL must come out as.
//! - `{"input", "expect": "canonical:<ascii>|reject", "class", "strict"}` for
//!   `validate_lookup_name`; `alt` is another outcome that is right too.
//! - `{"text", "kind"}` for `addresses_a_model`: speaks to a model, unless
//!   `"expect": "plain"`. Never strict unless it says so.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::process::ExitCode;

use netrecon::guard::{Guard, LookupName, PublicUrl, Refusal, text};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Url {
        url: String,
        expect: String,
        class: String,
        strict: bool,
        base: Option<String>,
        resolves: Option<Vec<IpAddr>>,
        host: Option<String>,
    },
    Name {
        input: String,
        expect: String,
        class: String,
        strict: bool,
        alt: Option<String>,
    },
    Text {
        text: String,
        kind: String,
        #[serde(default)]
        expect: String,
        #[serde(default)]
        strict: bool,
    },
}

/// What came of one line.
enum Outcome {
    Right,
    /// Let in what must not be, or took it for something else.
    Miss,
    /// Refused what must not be.
    FalseAlarm,
}

#[derive(Default)]
struct Tally {
    right: usize,
    strict_wrong: usize,
    misses: Vec<String>,
    false_alarms: Vec<String>,
}

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: judge FILE.jsonl...");
        return ExitCode::from(2);
    }
    let mut strict_wrong = 0;
    for file in &files {
        match judge_file(file) {
            Ok(wrong) => strict_wrong += wrong,
            Err(error) => {
                eprintln!("{file}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::from(u8::from(strict_wrong > 0))
}

/// Judges one file, prints its table, and gives the number of strict lines
/// that came out wrong.
fn judge_file(file: &str) -> Result<usize, String> {
    let content = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    let guard = Guard::default();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    for (number, json) in content.lines().enumerate() {
        let line: Line =
            serde_json::from_str(json).map_err(|error| format!("line {}: {error}", number + 1))?;
        let (class, strict) = line.class();
        let (outcome, shown) = line.judge(&guard);
        let tally = tallies.entry(class.to_owned()).or_default();
        let mark = if strict { "strict" } else { "lax" };
        let shown = format!("    {mark} line {}: {shown}", number + 1);
        match outcome {
            Outcome::Right => {
                tally.right += 1;
                continue;
            }
            Outcome::Miss => tally.misses.push(shown),
            Outcome::FalseAlarm => tally.false_alarms.push(shown),
        }
        tally.strict_wrong += usize::from(strict);
    }
    Ok(print(file, &tallies))
}

fn print(file: &str, tallies: &BTreeMap<String, Tally>) -> usize {
    println!("{file}");
    println!(
        "  {:<34}{:>7}{:>8}{:>14}",
        "class", "right", "misses", "false alarms"
    );
    let mut total = Tally::default();
    let (mut misses, mut false_alarms) = (0, 0);
    for (class, tally) in tallies {
        println!(
            "  {class:<34}{:>7}{:>8}{:>14}",
            tally.right,
            tally.misses.len(),
            tally.false_alarms.len()
        );
        for line in tally.misses.iter().chain(&tally.false_alarms) {
            println!("{line}");
        }
        total.right += tally.right;
        total.strict_wrong += tally.strict_wrong;
        misses += tally.misses.len();
        false_alarms += tally.false_alarms.len();
    }
    println!(
        "  {:<34}{:>7}{misses:>8}{false_alarms:>14}",
        "all", total.right
    );
    println!("  strict lines wrong: {}", total.strict_wrong);
    total.strict_wrong
}

impl Line {
    fn class(&self) -> (&str, bool) {
        match self {
            Line::Url { class, strict, .. } | Line::Name { class, strict, .. } => (class, *strict),
            Line::Text { kind, strict, .. } => (kind, *strict),
        }
    }

    /// The outcome, and how to show the line when it is wrong.
    fn judge(&self, guard: &Guard) -> (Outcome, String) {
        match self {
            Line::Url {
                url,
                expect,
                base,
                resolves,
                host,
                ..
            } => {
                let verdict = judge_url(guard, url, base.as_deref(), resolves.as_deref());
                let shown = format!("{:?} -> {verdict:?}", url);
                let outcome = match (expect.as_str(), &verdict) {
                    ("allow", Err(_)) => Outcome::FalseAlarm,
                    ("allow", Ok(url)) if host.as_deref().is_some_and(|h| !same_host(h, url)) => {
                        Outcome::Miss
                    }
                    ("deny", Ok(_)) => Outcome::Miss,
                    _ => Outcome::Right,
                };
                (outcome, shown)
            }
            Line::Name {
                input, expect, alt, ..
            } => {
                let verdict = guard.validate_lookup_name(input);
                let said = match &verdict {
                    Ok(LookupName::Name(name)) => format!("canonical:{name}"),
                    Ok(LookupName::Address(ip)) => format!("canonical:{ip}"),
                    Err(_) => "reject".to_owned(),
                };
                let right = said == *expect || alt.as_deref() == Some(&said);
                let outcome = match (right, &verdict) {
                    (true, _) => Outcome::Right,
                    (false, Err(_)) => Outcome::FalseAlarm,
                    (false, Ok(_)) => Outcome::Miss,
                };
                (outcome, format!("{input:?} -> {verdict:?}, not {expect}"))
            }
            Line::Text { text, expect, .. } => {
                let outcome = match (expect.as_str(), text::addresses_a_model(text)) {
                    ("plain", true) => Outcome::FalseAlarm,
                    ("plain", false) | (_, true) => Outcome::Right,
                    (_, false) => Outcome::Miss,
                };
                (outcome, format!("{text:?}"))
            }
        }
    }
}

/// The whole of what happens to a URL before a byte is sent.
fn judge_url(
    guard: &Guard,
    url: &str,
    base: Option<&str>,
    resolves: Option<&[IpAddr]>,
) -> Result<PublicUrl, Refusal> {
    let judged = match base {
        Some(base) => guard.redirect(&guard.validate_fetch_url(base)?, url)?,
        None => guard.validate_fetch_url(url)?,
    };
    if let Some(addresses) = resolves {
        guard.judge_answers(&judged, addresses, &[])?;
    }
    Ok(judged)
}

fn same_host(expected: &str, url: &PublicUrl) -> bool {
    let expected = expected
        .trim_start_matches('[')
        .trim_end_matches([']', '.']);
    url.host() == expected
}
