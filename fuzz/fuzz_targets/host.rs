//! Names, as a target and as a question.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|raw: &str| properties::host(raw));
