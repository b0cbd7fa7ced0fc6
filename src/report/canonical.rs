//! Canonical JSON, its digest, and ids that cannot be guessed.

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest, Sha256};

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
    // A value always has JSON. Its own way to text checks every piece again.
    serde_json::to_string(value).unwrap_or_default()
}

/// SHA-256 over the canonical form without its volatile members.
pub fn digest(value: &Value) -> [u8; 32] {
    let lasting = Lasting {
        value,
        outermost: true,
    };
    Sha256::digest(serde_json::to_vec(&lasting).unwrap_or_default()).into()
}

/// A report, or a part of one, as it is written for its digest: a copy
/// without the volatile members would be as large as the report.
struct Lasting<'a> {
    value: &'a Value,
    outermost: bool,
}

impl Serialize for Lasting<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let within = |value| Lasting {
            value,
            outermost: false,
        };
        match self.value {
            Value::Object(members) => {
                let passes = |name: &str| {
                    VOLATILE_ANYWHERE.contains(&name)
                        || (self.outermost && VOLATILE.contains(&name))
                };
                let members = members.iter().filter(|(name, _)| !passes(name));
                serializer.collect_map(members.map(|(name, value)| (name, within(value))))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(within)),
            other => other.serialize(serializer),
        }
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
    fn an_id_is_26_characters_and_differs_by_nonce() {
        let digest = digest(&json!({}));
        let one = new_id(&digest, &Fixed(1));
        assert!(is_id(&one), "{one}");
        assert!(!is_id("../../etc"));
        assert_ne!(one, new_id(&digest, &Fixed(2)));
    }
}
