//! Addresses, spelled and embedded.

#![no_main]

#[path = "../properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|input: (u32, u128, u16)| {
    let (v4, v6, port) = input;
    properties::address(v4, v6, port);
});
