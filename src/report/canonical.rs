//! Canonical JSON, its digest, and ids that cannot be guessed.

use std::ops::Range;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::guard::text::json::quote;
use crate::port::Random;

/// Characters of an id.
const ID_LENGTH: usize = 26;

/// Members of a report that differ between two runs over an unchanged target;
/// they stand outside the digest.
const VOLATILE: [&str; 3] = ["id", "expiresAt", "time"];

/// Members that do so wherever they stand.
const VOLATILE_ANYWHERE: [&str; 2] = ["timing", "ttl"];

/// Sorted members, no white space: one text per value.
///
/// `serde_json` keeps objects in a `BTreeMap`: a [`Value`] is sorted at every
/// depth.
pub fn canonical(value: &Value) -> String {
    Canonical::of(value).json
}

/// SHA-256 over the canonical form without its volatile members.
pub fn digest(value: &Value) -> [u8; 32] {
    Canonical::of(value).digest()
}

/// A value's canonical form, and where its volatile members stand: what is left without them is
/// the canonical form of what lasts.
///
/// Written by hand: `serde_json` writes each quotation mark and comma as a slice of its own,
/// which takes twice as long for a whole report.
pub struct Canonical {
    json: String,
    volatile: Vec<Range<usize>>,
}

impl Canonical {
    /// Writes `value`.
    pub fn of(value: &Value) -> Canonical {
        let mut canonical = Canonical {
            json: String::new(),
            volatile: Vec::new(),
        };
        match value {
            Value::Object(members) => {
                canonical.write_members(members, |name| {
                    VOLATILE.contains(&name) || VOLATILE_ANYWHERE.contains(&name)
                });
            }
            other => canonical.write(other),
        }
        canonical
    }

    /// SHA-256 without the volatile members.
    pub fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut from = 0;
        for Range { start, end } in &self.volatile {
            hash.update(&self.json[from..*start]);
            from = *end;
        }
        hash.update(&self.json[from..]);
        hash.finalize().into()
    }

    /// The text, with `id` as the id of the whole in place of an empty one: it is made of the digest.
    pub fn identified(mut self, id: &str) -> String {
        let empty = |place: &&Range<usize>| self.json[(*place).clone()].ends_with("\"id\":\"\"");
        if let Some(Range { end, .. }) = self.volatile.iter().find(empty) {
            self.json.insert_str(end - 1, id);
        }
        self.json
    }

    fn write(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                self.write_members(members, |name| VOLATILE_ANYWHERE.contains(&name));
            }
            Value::Array(items) => {
                self.json.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.json.push(',');
                    }
                    self.write(item);
                }
                self.json.push(']');
            }
            Value::String(text) => quote(text, &mut self.json),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                // A value always has JSON.
                let leaf = serde_json::to_string(value).unwrap_or_default();
                self.json.push_str(&leaf);
            }
        }
    }

    fn write_members(&mut self, members: &Map<String, Value>, is_volatile: fn(&str) -> bool) {
        self.json.push('{');
        let mut lasting = 0;
        for (at, (name, member)) in members.iter().enumerate() {
            let start = self.json.len();
            if at > 0 {
                self.json.push(',');
            }
            let after_comma = self.json.len();
            quote(name, &mut self.json);
            self.json.push(':');
            let marks = self.volatile.len();
            if is_volatile(name) {
                self.write(member);
                self.volatile.truncate(marks);
                self.volatile.push(start..self.json.len());
                continue;
            }
            if lasting == 0 && after_comma > start {
                // Without what is before it, it is the first.
                self.volatile.push(start..after_comma);
            }
            lasting += 1;
            self.write(member);
        }
        self.json.push('}');
    }
}

/// The first 26 characters of base32 over SHA-256 of digest and a fresh
/// 128-bit nonce: 130 bits that nobody can guess or derive from the report.
pub fn new_id(digest: &[u8; 32], random: &dyn Random) -> String {
    let mut nonce = [0_u8; 16];
    random.fill(&mut nonce);
    let hash = Sha256::new()
        .chain_update(digest)
        .chain_update(nonce)
        .finalize();
    base32(&hash, ID_LENGTH)
}

/// Whether `text` has the form of an id; anything else is not looked up.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'))
}

/// RFC 4648 base32 in lower case, `length` characters of it.
fn base32(bytes: &[u8], length: usize) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    (0..length)
        .map(|index| {
            let bit = index * 5;
            let pair = u16::from(bytes.get(bit / 8).copied().unwrap_or(0)) << 8
                | u16::from(bytes.get(bit / 8 + 1).copied().unwrap_or(0));
            let five = (pair >> (11 - bit % 8)) & 31;
            char::from(ALPHABET[usize::from(five)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct Fixed(u8);
    impl Random for Fixed {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    #[test]
    fn base32_agrees_with_the_vectors_of_rfc_4648() {
        assert_eq!(base32(b"fooba", 8), "mzxw6ytb");
        assert_eq!(base32(b"foobar", 10), "mzxw6ytboi");
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let text = canonical(&json!({"b": {"d": 1, "c": 2}, "a": [ {"z": 0, "y": 1} ]}));
        assert_eq!(text, r#"{"a":[{"y":1,"z":0}],"b":{"c":2,"d":1}}"#);
    }

    #[test]
    fn it_is_the_json_that_serde_json_writes() {
        let texts = [
            "",
            "plain",
            "\"q\" \\ /",
            "\u{0}\u{1f}\u{7f}\n",
            "é😀\u{2028}",
        ];
        let value = json!({
            "": [], "\"\n": {}, "a": [1, -2, 0.5, 1e300, u64::MAX, true, false, null, texts, [[]]],
        });
        for value in [value, json!([]), json!("x"), json!(1), json!(null)] {
            assert_eq!(canonical(&value), value.to_string());
        }
    }

    #[test]
    fn the_digest_ignores_what_changes_by_itself() {
        let one = json!({"time": "1", "probes": {"dns": {"ttl": 60, "a": ["x"]}}});
        let two = json!({"time": "2", "probes": {"dns": {"ttl": 59, "a": ["x"]}}});
        let other = json!({"time": "1", "probes": {"dns": {"ttl": 60, "a": ["y"]}}});
        let renamed = |id: &str| json!({"id": id, "findings": [{"id": id}]});
        assert_ne!(digest(&renamed("dns.a")), digest(&renamed("dns.b")));
        assert_eq!(digest(&one), digest(&two));
        assert_ne!(digest(&one), digest(&other));
    }

    #[test]
    fn without_what_is_volatile_it_is_the_canonical_form_of_the_rest() {
        for (whole, rest) in [
            (
                json!({"a": 1, "time": 2, "ttl": 3, "z": 4}),
                json!({"a": 1, "z": 4}),
            ),
            (
                json!({"expiresAt": 1, "id": "", "time": 2, "z": {"id": 1}}),
                json!({"z": {"id": 1}}),
            ),
            (json!({"id": "a", "time": 2}), json!({})),
            (
                json!([{"timing": {"ttl": [1]}, "ttl": 2}, {"time": 1}]),
                json!([{}, {"time": 1}]),
            ),
        ] {
            let plain: [u8; 32] = Sha256::digest(canonical(&rest)).into();
            assert_eq!(digest(&whole), plain, "{whole}");
        }
    }

    #[test]
    fn the_id_of_the_whole_stands_where_it_would() {
        let with = |id: &str| json!({"findings": [{"id": ""}], "id": id, "ttl": {"id": ""}});
        let canonical = Canonical::of(&with(""));
        assert_eq!(canonical.identified("abc"), with("abc").to_string());
    }

    #[test]
    fn an_id_is_26_characters_and_differs_by_nonce() {
        let digest = digest(&json!({}));
        let one = new_id(&digest, &Fixed(1));
        assert!(is_id(&one), "{one}");
        assert!(!is_id("../../etc"));
        assert_ne!(one, new_id(&digest, &Fixed(2)));
    }
}
