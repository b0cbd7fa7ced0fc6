//! Pages as servers send them.

#![no_main]

#[path = "../web.rs"]
mod web;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| web::page(bytes));
