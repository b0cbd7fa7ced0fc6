//! Telling a loop from a conversation: an agent that retries the same refused
//! input with small variations gets told so, by its own object.
//!
//! An input travels as the set of its trigrams, each hashed under a key into
//! one of 256 bits; two inputs are alike when three eighths of both sets
//! together are in each (Jaccard index). The input cannot be read back, and one client's
//! sketches mean nothing beside another's: the key depends on the client.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};

use serde_json::Value;

use crate::guard::text;

/// Characters of an input that count; the head of a long text tells enough.
const HEAD: usize = 256;
/// A refused input is forgotten after this long: whoever comes back later is
/// not in a loop.
const FORGET_MS: u64 = 600_000;

/// The shape of one input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sketch([u64; 4]);

impl Sketch {
    /// The shape of a call's arguments under `key`: of their values, since the
    /// names around them are the same in every call.
    pub fn of(arguments: &Value, key: &[u8]) -> Sketch {
        let mut head = String::new();
        gather(arguments, &mut head);
        let head: Vec<char> = text::canonical(&head)
            .to_lowercase()
            .chars()
            .take(HEAD)
            .collect();
        let mut shape = Sketch::default();
        // Padded, so that one or two characters have a trigram as well.
        let padded: Vec<char> = [' ', ' '].into_iter().chain(head).chain([' ']).collect();
        for trigram in padded.windows(3) {
            let mut hasher = DefaultHasher::new();
            hasher.write(key);
            trigram.iter().for_each(|c| hasher.write_u32(u32::from(*c)));
            let bit = hasher.finish() >> 56;
            if let Some(word) = shape.0.get_mut((bit / 64) as usize) {
                *word |= 1 << (bit % 64);
            }
        }
        shape
    }

    /// Whether two inputs are the same but for small variations.
    pub fn is_like(&self, other: &Sketch) -> bool {
        let count = |with: fn(u64, u64) -> u64| -> u32 {
            self.0
                .iter()
                .zip(other.0)
                .map(|(a, b)| with(*a, b).count_ones())
                .sum()
        };
        8 * count(|a, b| a & b) >= 3 * count(|a, b| a | b)
    }

    /// 64 hexadecimal digits.
    pub fn hex(&self) -> String {
        self.0.iter().map(|word| format!("{word:016x}")).collect()
    }

    /// Reads what [`Sketch::hex`] wrote.
    pub fn from_hex(text: &str) -> Option<Sketch> {
        let mut shape = Sketch::default();
        for (at, word) in shape.0.iter_mut().enumerate() {
            let digits = text.get(16 * at..16 * (at + 1))?;
            *word = u64::from_str_radix(digits, 16).ok()?;
        }
        (text.len() == 64).then_some(shape)
    }
}

/// Refused inputs of one client that were alike, in a row, by budget. Kept in
/// memory only: a client whose object was evicted begins anew.
#[derive(Default)]
pub struct Retries(HashMap<String, Retry>);

struct Retry {
    last: Sketch,
    times: u32,
    at_ms: u64,
}

impl Retries {
    /// Notes an input, refused or (`None`) not, and answers how many refused
    /// ones in a row were alike, this one included.
    pub fn note(&mut self, budget: &str, refused: Option<Sketch>, now_ms: u64) -> u32 {
        let Some(shape) = refused else {
            self.0.remove(budget);
            return 0;
        };
        let times = match self.0.get(budget) {
            Some(retry) if retry.at_ms + FORGET_MS > now_ms && retry.last.is_like(&shape) => {
                retry.times.saturating_add(1)
            }
            _ => 1,
        };
        let retry = Retry {
            last: shape,
            times,
            at_ms: now_ms,
        };
        self.0.insert(budget.to_owned(), retry);
        times
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
        Sketch::of(&one, b"key").is_like(&Sketch::of(&other, b"key"))
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

    #[test]
    fn a_sketch_survives_its_journey_and_nothing_else_is_one() {
        let sketch = Sketch::of(&json!({"target": "http://127.0.0.1/"}), b"key");
        assert_eq!(Sketch::from_hex(&sketch.hex()), Some(sketch));
        for text in ["", "0", &"g".repeat(64), &"0".repeat(65), &"é".repeat(32)] {
            assert_eq!(Sketch::from_hex(text), None, "{text}");
        }
    }

    #[test]
    fn under_another_key_the_same_input_has_another_shape() {
        let input = json!({"target": "http://169.254.169.254/latest/meta-data"});
        let (one, other) = (Sketch::of(&input, b"one"), Sketch::of(&input, b"other"));
        assert!(!one.is_like(&other));
    }

    #[test]
    fn alike_refused_inputs_are_counted_in_a_row() {
        let mut retries = Retries::default();
        let mut note = |target: Option<&str>, at| {
            let sketch = target.map(|target| Sketch::of(&json!({ "target": target }), b"key"));
            retries.note("analyze", sketch, at)
        };
        assert_eq!(note(Some("http://127.0.0.1/"), 0), 1);
        assert_eq!(note(Some("http://127.0.0.1:80/"), 1), 2);
        assert_eq!(note(Some("wiki.corp"), 2), 1);
        assert_eq!(note(Some("wiki.corp."), 3), 2);
        assert_eq!(note(None, 4), 0);
        assert_eq!(note(Some("wiki.corp"), 5), 1);
        assert_eq!(note(Some("wiki.corp"), 5 + FORGET_MS), 1);
    }

    #[test]
    fn one_budgets_retries_are_not_anothers() {
        let mut retries = Retries::default();
        let sketch = Sketch::of(&json!("x"), b"key");
        retries.note("analyze", Some(sketch), 0);
        assert_eq!(retries.note("lookup", Some(sketch), 0), 1);
        assert_eq!(retries.note("lookup", None, 0), 0);
        assert_eq!(retries.note("analyze", Some(sketch), 0), 2);
    }
}
