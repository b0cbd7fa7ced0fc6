//! URLs and redirect locations.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|raw: &str| properties::url(raw));
