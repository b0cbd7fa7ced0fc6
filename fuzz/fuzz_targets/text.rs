//! Canonical text is stable, clean text is harmless and short, and no text
//! upsets the detector.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::guard::text;

fuzz_target!(|input: (u8, &str)| {
    let (max, raw) = input;
    let canonical = text::canonical(raw);
    assert!(!text::has_invisible(&canonical));
    assert_eq!(text::canonical(&canonical), canonical);

    let clean = text::clean(raw, usize::from(max));
    assert!(clean.chars().count() <= usize::from(max));
    assert!(!text::has_invisible(&clean) && !clean.contains(char::is_control));
    assert_eq!(text::clean(&clean, usize::from(max)), clean);

    text::addresses_a_model(raw);
});
