//! Lists of signed certificate timestamps.

#![no_main]

#[path = "../answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|octets: &[u8]| answers::sct(octets));
