//! Text to compare, to show and to look through.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| {
    let (max, raw) = input;
    properties::text(max, raw);
});
