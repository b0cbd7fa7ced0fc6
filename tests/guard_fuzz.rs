//! The fuzz targets without a fuzzer: seeds, kept cases and the attack corpus,
//! as they are and bent in a fixed number of ways, through the same functions.
//!
//! libFuzzer wants nightly and a build of every dependency of its own, minutes
//! that a test run does not have; `scripts/fuzz` is for that. What it finds is
//! kept in `fuzz/seeds`, and held here from then on.

#[path = "../fuzz/properties.rs"]
mod properties;

use std::path::Path;

use serde_json::Value;

/// Inputs bent from the given ones, per target.
const BENT: usize = 12_000;

/// What attackers are known to put into names and URLs, and what parsers are
/// known to read differently.
const STITCHES: &[&str] = &[
    ".",
    "..",
    "/",
    "//",
    "\\",
    ":",
    "@",
    "%",
    "%2e",
    "%2F",
    "%00",
    "%40",
    "#",
    "?",
    "[",
    "]",
    "-",
    "_",
    "0",
    "0x",
    "xn--",
    "\t",
    "\r\n",
    "\0",
    " ",
    "127.1",
    "localhost",
    ".local",
    "https:",
    ":80",
    ":443",
    ":8080",
    "[::1]",
    "::ffff:",
    "\u{ad}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2060}",
    "\u{feff}",
    "\u{3002}",
    "\u{ff0e}",
    "\u{ff0f}",
    "\u{ff1a}",
    "\u{ff20}",
    "\u{2024}",
    "\u{2488}",
    "\u{2460}",
    "\u{ff11}",
    "\u{1d7d8}",
    "\u{17f}",
    "\u{131}",
    "\u{df}",
    "\u{3c2}",
    "\u{fb01}",
    "\u{fdfa}",
    "\u{300}",
    "\u{323}",
    "\u{338}",
    "\u{660}",
    "\u{e0041}",
    "\u{fffd}",
    "\x1b[31m",
    "\x1b]0;",
    "\u{9b}",
    "\u{9c}",
    "\u{7}",
    "ignore previous instructions",
];

#[test]
fn urls_hold_what_their_fuzz_target_asks() {
    let mut inputs = texts_of("url");
    inputs.extend(corpus("urls.jsonl", "url"));
    each(&inputs, properties::url);
}

#[test]
fn names_hold_what_their_fuzz_target_asks() {
    let mut inputs = texts_of("host");
    inputs.extend(corpus("names.jsonl", "input"));
    each(&inputs, properties::host);
}

#[test]
fn texts_hold_what_their_fuzz_target_asks() {
    let mut inputs = texts_of("text");
    inputs.extend(corpus("texts.jsonl", "text"));
    each(&inputs, |raw| {
        properties::text(raw.len().to_le_bytes()[0], raw);
    });
}

#[test]
fn addresses_hold_what_their_fuzz_target_asks() {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| (n << 8) | u128::from(*byte));
    let mut random = Random(0x6164_6472);
    let mut inputs: Vec<Vec<u8>> = seeds("address").collect();
    assert!(
        inputs.iter().all(|input| input.len() == 22),
        "4, 16 and 2 octets"
    );
    for n in 0..BENT {
        let mut bent = inputs[n % inputs.len()].clone();
        for _ in 0..1 + random.below(8) {
            let at = random.below(bent.len());
            bent[at] = random.next().to_le_bytes()[0];
        }
        inputs.push(bent);
    }
    for input in inputs {
        let _shown = Shown(&input);
        let (v4, rest) = input.split_at(4);
        let (v6, port) = rest.split_at(16);
        properties::address(number(v4) as u32, number(v6), number(port) as u16);
    }
}

/// Calls `holds` with every input, and with what is bent from them.
fn each(inputs: &[String], holds: impl Fn(&str)) {
    let mut random = Random(0x6675_7a7a);
    for input in inputs {
        let _shown = Shown(input);
        holds(input);
    }
    for _ in 0..BENT {
        let bent = bent(inputs, &mut random);
        let _shown = Shown(&bent);
        holds(&bent);
    }
}

/// One of the inputs, with up to five pieces put in, taken out, exchanged or
/// brought in from another.
fn bent(inputs: &[String], random: &mut Random) -> String {
    let any = |random: &mut Random| inputs[random.below(inputs.len())].clone();
    let mut letters: Vec<char> = any(random).chars().collect();
    for _ in 0..1 + random.below(5) {
        let at = random.below(letters.len() + 1);
        let end = (at + random.below(4)).min(letters.len());
        let piece: Vec<char> = match random.below(8) {
            0 => Vec::new(),
            1 => letters[at..end].repeat(2 + random.below(40)),
            2 => letters[at..end]
                .iter()
                .map(|c| c.to_ascii_uppercase())
                .collect(),
            3 => char::from_u32((random.next() % 0x11_0000) as u32)
                .into_iter()
                .collect(),
            4 => {
                let other: Vec<char> = any(random).chars().collect();
                other[random.below(other.len() + 1)..].to_vec()
            }
            _ => STITCHES[random.below(STITCHES.len())].chars().collect(),
        };
        letters.splice(at..end, piece);
        letters.truncate(4096);
    }
    letters.into_iter().collect()
}

/// The kept cases of a target; one that is not UTF-8 is nothing to a target
/// that takes text.
fn texts_of(target: &str) -> Vec<String> {
    seeds(target)
        .filter_map(|seed| String::from_utf8(seed).ok())
        .collect()
}

fn seeds(target: &str) -> impl Iterator<Item = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder per target")
        .map(|entry| entry.expect("readable").path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| std::fs::read(file).expect("readable"))
}

/// The texts of a file of the attack corpus.
fn corpus(file: &str, member: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(file);
    let lines = std::fs::read_to_string(path).expect("readable");
    lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
        .map(|line| line[member].as_str().expect("a text").to_owned())
        .collect()
}

/// Says which input it was when a property does not hold.
struct Shown<'a, T: std::fmt::Debug + ?Sized>(&'a T);

impl<T: std::fmt::Debug + ?Sized> Drop for Shown<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the input was {:?}", self.0);
        }
    }
}

/// xorshift64: the same numbers in every run, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n.max(1) as u64).unwrap_or(0)
    }
}
