//! Registration data as registries send it.

#![no_main]

#[path = "../web.rs"]
mod web;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| web::rdap(bytes));
