//! Bad input: every kind answers within bounds or refuses by name; what it
//! costs is measured by `cargo bench --bench decode`.

use super::hostile_texts::texts;
use super::*;

#[test]
fn as_much_as_may_be_sent_of_anything_is_answered_within_bounds() {
    for (name, text) in texts() {
        assert!(text.len() <= TEXT_LIMIT, "{name}: {}", text.len());
        for kind in Kind::ALL.iter().copied().map(Some).chain([None]) {
            match decoded(&text, kind) {
                Ok(answer) => assert_sound(&text, &answer),
                Err(error) => assert!(error.message.len() < 300, "{name}: {}", error.message),
            }
        }
    }
}

#[test]
fn one_octet_more_is_refused_before_it_is_looked_at() {
    let error = decoded(&"a".repeat(TEXT_LIMIT + 1), Some(Kind::Json)).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("text"));
}
