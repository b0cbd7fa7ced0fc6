//! Responses as servers send them, one after the other.

#![no_main]

#[path = "../web.rs"]
mod web;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| web::responses(bytes));
