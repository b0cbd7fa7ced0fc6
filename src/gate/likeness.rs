//! Telling a loop from a conversation: an agent that retries the same refused
//! input with small variations gets told so.
//!
//! An input is remembered as the set of its trigrams, hashed into 256 bits;
//! two inputs are alike when these sets overlap by half or more (Jaccard
//! index). The input itself cannot be read back.

use serde_json::Value;

use crate::guard::text;

/// Characters of an input that count; the head of a long text tells enough.
const HEAD: usize = 256;

/// Alike inputs in a row from which a caller is told.
pub const LOOP: u32 = 3;

/// The shape of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Likeness([u64; 4]);

impl Likeness {
    /// The shape of a call's arguments: of their values, since the names
    /// around them are the same in every call.
    pub fn of(arguments: &Value) -> Likeness {
        let mut head = String::new();
        gather(arguments, &mut head);
        let head: Vec<char> = text::canonical(&head)
            .to_lowercase()
            .chars()
            .take(HEAD)
            .collect();
        let mut shape = Likeness::default();
        // Padded, so that one or two characters have a trigram as well.
        let padded: Vec<char> = [' ', ' '].into_iter().chain(head).chain([' ']).collect();
        for trigram in padded.windows(3) {
            let hash = trigram.iter().fold(0_u64, |hash, c| {
                (hash ^ u64::from(u32::from(*c)))
                    .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                    .rotate_left(29)
            });
            let bit = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
            if let Some(word) = shape.0.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
        shape
    }

    /// Whether two inputs are the same but for small variations.
    pub fn is_like(&self, other: &Likeness) -> bool {
        let count = |with: fn(u64, u64) -> u64| -> u32 {
            self.0
                .iter()
                .zip(other.0)
                .map(|(a, b)| with(*a, b).count_ones())
                .sum()
        };
        2 * count(|a, b| a & b) >= count(|a, b| a | b)
    }
}

fn gather(value: &Value, head: &mut String) {
    if head.len() >= 4 * HEAD {
        return;
    }
    match value {
        Value::Object(members) => members.values().for_each(|value| gather(value, head)),
        Value::Array(items) => items.iter().for_each(|value| gather(value, head)),
        Value::String(text) => {
            head.extend(text.chars().take(HEAD));
            head.push(' ');
        }
        Value::Null => {}
        other => head.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn alike(one: Value, other: Value) -> bool {
        Likeness::of(&one).is_like(&Likeness::of(&other))
    }

    #[test]
    fn the_same_input_with_small_variations_is_alike() {
        for (one, other) in [
            ("http://127.0.0.1/", "http://127.0.0.1"),
            ("http://127.0.0.1/", "http://127.0.0.1:80/"),
            (
                "http://169.254.169.254/latest",
                "http://169.254.169.254/latest/meta-data",
            ),
            ("intranet.corp", "INTRANET.corp"),
            ("lab good.com", "lab-good .com"),
        ] {
            assert!(
                alike(json!({"target": one}), json!({"target": other})),
                "{one} and {other}"
            );
        }
    }

    #[test]
    fn different_questions_are_not_alike() {
        for (one, other) in [
            ("lab-good.com", "openai.com"),
            ("intranet.corp", "wiki.example.org"),
            ("10.0.0.1", "localhost"),
            ("http://127.0.0.1/", "ftp://files.lab-good.com/"),
        ] {
            assert!(
                !alike(json!({"target": one}), json!({"target": other})),
                "{one} and {other}"
            );
        }
    }

    #[test]
    fn a_huge_input_is_told_by_its_head() {
        let long = |c: &str| json!({ "text": c.repeat(200_000) });
        assert!(alike(long("ab"), long("ab")));
        assert!(!alike(long("ab"), long("xy")));
    }

    #[test]
    fn nothing_at_all_is_like_nothing_at_all() {
        assert!(alike(json!({}), json!(null)));
    }
}
