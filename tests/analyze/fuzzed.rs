//! The fuzz targets of pages, responses, registration data and TLS without a
//! fuzzer: seeds, and what is bent from them in a fixed number of ways.

#[path = "../../fuzz/answers.rs"]
mod answers;
#[path = "../../fuzz/web.rs"]
mod properties;

use std::path::Path;

/// Inputs bent from each seed.
const BENT: u64 = 400;

/// What decides something for one of the readers.
const STITCHES: &[&[u8]] = &[
    b"<",
    b">",
    b"<!--",
    b"-->",
    b"</script",
    b"='",
    b"\"",
    b"&#",
    b"\r\n",
    b"\r\n\r\n",
    b"0\r\n",
    b"ffffffffffffffff\r\n",
    b"Content-Length: 9\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"{",
    b"[",
    b"null",
    b"\xff",
    b"\0",
    b"\xe2\x80\xae",
    b"\x16\x03\x03\x00\x00",
    b"\x15\x03\x03\x00\x02\x01\x70",
    b"\x30\x80",
    b"\x00\x30",
];

fn hold(target: &str, property: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(target);
    let mut count = 0;
    for seed in std::fs::read_dir(seeds).expect("seeds") {
        let seed = std::fs::read(seed.expect("a seed").path()).expect("a seed that can be read");
        property(&seed);
        (0..BENT).for_each(|number| property(&bent(&seed, number)));
        count += 1;
    }
    assert!(count > 2, "{target} has seeds");
}

/// One of the ways to bend a seed: something inserted, left out, doubled or
/// cut off, at places that follow from the number.
fn bent(seed: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below.max(1) as u64).expect("is small")
    };
    let mut out = seed.to_vec();
    for _ in 0..=draw(4) {
        let at = draw(out.len() + 1);
        let end = (at + draw(24)).min(out.len());
        match draw(4) {
            0 => drop(out.splice(at..at, STITCHES[draw(STITCHES.len())].iter().copied())),
            1 => drop(out.drain(at..end)),
            2 => out.extend_from_within(at..end),
            _ => out.truncate(at),
        }
    }
    out
}

#[test]
fn no_page_upsets_the_scan() {
    hold("html", properties::page);
}

#[test]
fn no_response_upsets_the_reader() {
    hold("http1", properties::responses);
}

#[test]
fn no_answer_of_a_registry_upsets_its_reader() {
    hold("rdap", properties::rdap);
}

#[test]
fn answers_to_hellos_are_heard_alike_however_bent_and_cut() {
    hold("hello", answers::hello);
}

#[test]
fn ocsp_responses_are_read_or_refused() {
    hold("ocsp", answers::ocsp);
}

#[test]
fn timestamps_stay_few_and_whole() {
    hold("sct", answers::sct);
}

#[test]
fn log_entries_stay_few_and_clean() {
    hold("ct", answers::ct);
}
