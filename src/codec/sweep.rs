//! The net under all formats: secrets that can be told by their form are
//! found in what was pasted and taken out of what is answered, whatever the
//! text was read as. Each format has masked its own before; this catches a
//! key read as cookies or a token inside base64.

use serde_json::{Map, Value};

use super::secret::{MASK, PRIVATE_MEMBERS};

/// Characters that may be seen of a secret are fewer than twice this.
const BLOCK: usize = 8;
/// Shorter parts are no secrets.
const SHORTEST: usize = 2 * BLOCK;

/// The secrets of a text, cut into blocks. Any stretch of `2 * BLOCK`
/// characters of a secret holds one of them whole. Sorted, not hashed: what is
/// hashed could be chosen to collide, on a platform without random keys.
#[derive(Debug, Default)]
pub(super) struct Secrets(Vec<[u8; BLOCK]>);

impl Secrets {
    /// Those in `text`.
    pub(super) fn of(text: &str) -> Secrets {
        let mut secrets = Secrets::default();
        if text.contains("PRIVATE") || text.contains("Private-Lines:") {
            secrets.keys(text);
        }
        if text.contains("AGE-SECRET-KEY-") {
            words(text).for_each(|word| secrets.age(word));
        }
        if text.contains('.') {
            words(text).for_each(|word| secrets.token(word));
        }
        if text.contains("\"kty\"") {
            secrets.members(text);
        }
        secrets.sorted()
    }

    fn sorted(mut self) -> Secrets {
        self.0.sort_unstable();
        self.0.dedup();
        self
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These and the others.
    pub(super) fn and(mut self, others: Secrets) -> Secrets {
        self.0.extend(others.0);
        self.sorted()
    }

    fn add(&mut self, secret: &[u8]) {
        if secret.len() >= SHORTEST {
            self.0.extend(secret.as_chunks::<BLOCK>().0);
        }
    }

    /// Bodies of private key blocks (RFC 7468) and of PuTTY's files.
    fn keys(&mut self, text: &str) {
        let blocks = text.split("-----BEGIN ").skip(1).filter_map(|block| {
            let (label, rest) = block.split_once("-----")?;
            let body = rest.split("-----END").next().unwrap_or(rest);
            label.contains("PRIVATE KEY").then_some(body)
        });
        let lines = text.split("Private-Lines:").skip(1);
        let lines = lines.map(|rest| rest.split("Private-MAC").next().unwrap_or(rest));
        for body in blocks.chain(lines) {
            let digits = body
                .replace("\\n", "")
                .bytes()
                .filter(|b| is_digit(char::from(*b)))
                .collect::<Vec<_>>();
            self.add(&digits);
        }
    }

    /// age's key.
    fn age(&mut self, word: &str) {
        if let Some((_, key)) = word.split_once("AGE-SECRET-KEY-") {
            self.add(key.as_bytes());
        }
    }

    /// What follows a token's header and payload: its signature (RFC 7515
    /// section 3.1) or ciphertext.
    fn token(&mut self, word: &str) {
        let mut segments = word.split('.');
        let (mut header, mut payload) = (segments.next(), segments.next());
        let mut found = false;
        for segment in segments {
            found = found || header.is_some_and(is_header);
            if found {
                self.add(segment.as_bytes());
            }
            (header, payload) = (payload, Some(segment));
        }
    }

    /// Private members of keys in JSON (RFC 7518 section 6).
    fn members(&mut self, text: &str) {
        let parts: Vec<&str> = text.split('"').collect();
        for member in parts.windows(3) {
            if let [name, colon, value] = member
                && PRIVATE_MEMBERS.contains(name)
                && colon.trim() == ":"
            {
                self.add(value.as_bytes());
            }
        }
    }

    /// `text` with [`MASK`] in place of every word that holds some of a
    /// secret.
    pub(super) fn sweep(&self, text: String) -> String {
        let is_block = |run: &[u8]| self.0.binary_search_by(|block| block[..].cmp(run)).is_ok();
        let is_secret = |word: &str| word.as_bytes().windows(BLOCK).any(is_block);
        if self.is_empty() || !is_secret(&text) {
            return text;
        }
        let is_between = |c: char| !is_digit(c);
        let words = text
            .split_inclusive(is_between)
            .map(|word| match is_secret(word) {
                true => format!(
                    "{MASK}{}",
                    word.chars()
                        .next_back()
                        .filter(|c| is_between(*c))
                        .map_or_else(String::new, String::from)
                ),
                false => word.to_owned(),
            });
        words.collect()
    }

    /// Members without the secrets in their values and in names that came
    /// with the text. Two names that are masked stay two.
    pub(super) fn sweep_members(
        &self,
        members: Map<String, Value>,
        names: Names,
    ) -> Map<String, Value> {
        if self.is_empty() {
            return members;
        }
        let mut swept = Map::new();
        for (name, value) in members {
            let mut name = match names {
                Names::Ours => name,
                Names::Theirs => self.sweep(name),
            };
            if swept.contains_key(&name) {
                name = format!("{name} {}", swept.len() + 1);
            }
            swept.insert(name, self.sweep_value(value, names));
        }
        swept
    }

    fn sweep_value(&self, value: Value, names: Names) -> Value {
        match value {
            Value::String(string) => Value::String(self.sweep(string)),
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.sweep_value(item, names))
                .collect(),
            Value::Object(members) => Value::Object(self.sweep_members(members, names)),
            other => other,
        }
    }
}

/// Whose words the names of members are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// Those of the documentation: they repeat nothing, even where a secret
    /// is spelled like one.
    Ours,
    /// The text's.
    Theirs,
}

/// What may be a token or a key: digits and dots.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_digit(c) && c != '.')
}

/// The digits of both alphabets of base 64, and its padding.
fn is_digit(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=')
}

/// Whether a segment ends in base 64 of the beginning of a JSON object.
fn is_header(segment: &str) -> bool {
    ["eyJ", "eyA", "ewog", "ewoJ", "ew0K"].iter().any(|start| {
        segment
            .find(start)
            .is_some_and(|at| segment.len() - at >= SHORTEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_sixteen_characters_of_a_secret_is_masked() {
        let secrets = Secrets::of("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlIG9mIGl0");
        let swept = |text: &str| secrets.sweep(text.to_owned());
        assert_eq!(swept("a zc2lnbmF0dXJlIG9mz b"), format!("a {MASK} b"));
        assert_eq!(swept("a c2lnbmF b"), "a c2lnbmF b");
    }

    #[test]
    fn names_of_ours_stay_and_names_from_the_text_are_masked_one_by_one() {
        let secrets = Secrets::of("-----BEGIN PRIVATE KEY-----\ndaysLeftincludeSubDomain");
        let members = serde_json::json!({"daysLeft": ["daysLeft"], "includeSubDomains": 1});
        let members = members.as_object().unwrap();
        let swept = |names| Value::Object(secrets.sweep_members(members.clone(), names));
        assert_eq!(
            swept(Names::Ours),
            serde_json::json!({"daysLeft": [MASK], "includeSubDomains": 1})
        );
        assert_eq!(
            swept(Names::Theirs),
            serde_json::json!({MASK: [MASK], "(not repeated) 2": 1})
        );
    }

    #[test]
    fn names_with_dots_are_no_tokens() {
        for text in ["monkey.example.averyverylongtoplevel", "a.b.c", "1.2.3.4"] {
            assert!(Secrets::of(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_key_on_one_line_is_found_too() {
        let text = r"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\nBCIEINTuctv5E1hK\n-----END PRIVATE KEY-----";
        assert_eq!(Secrets::of(text).sweep("CIEINTuctv5E1hK1".to_owned()), MASK);
    }
}
