//! JSON written by hand, for what every call writes: each piece of it lands where
//! it is sent from, and a serializer would write ten pieces for one.

use std::io;

use serde::Serialize;

/// Members of objects, one after the other. What stands between two values is
/// given as it is: braces, names, colons.
pub struct Writer(String);

impl Writer {
    /// Has room for `capacity` bytes before it grows.
    pub fn with_capacity(capacity: usize) -> Writer {
        Writer(String::with_capacity(capacity))
    }

    /// JSON as it is.
    pub fn raw(&mut self, json: &str) -> &mut Writer {
        self.0.push_str(json);
        self
    }

    /// `before`, then a string.
    pub fn text(&mut self, before: &str, text: &str) -> &mut Writer {
        self.0.push_str(before);
        quote(text, &mut self.0);
        self
    }

    /// `before`, then a string of ours in which nothing has to be escaped.
    pub fn word(&mut self, before: &str, word: &str) -> &mut Writer {
        debug_assert!(
            word.bytes()
                .all(|byte| byte > 0x1f && !matches!(byte, b'"' | b'\\'))
        );
        for piece in [before, "\"", word, "\""] {
            self.0.push_str(piece);
        }
        self
    }

    /// `before`, then a string, or null.
    pub fn text_or_null(&mut self, before: &str, text: Option<&str>) -> &mut Writer {
        match text {
            Some(text) => self.text(before, text),
            None => self.raw(before).raw("null"),
        }
    }

    /// `before`, then a number.
    pub fn number(&mut self, before: &str, number: u64) -> &mut Writer {
        self.0.push_str(before);
        self.0.push_str(itoa::Buffer::new().format(number));
        self
    }

    /// All that was written.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Appends `text` as a JSON string, as `serde_json` spells it. The text of a tool's answer,
/// the largest thing we send, needs no second buffer so.
pub fn quote(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    let mut written = 0;
    // By byte: what has to be escaped is ASCII, and no byte of any other
    // character looks like it.
    for (at, byte) in text.bytes().enumerate() {
        if !matches!(byte, b'"' | b'\\' | ..=0x1f) {
            continue;
        }
        out.push_str(&text[written..at]);
        written = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            b'\x08' => out.push_str("\\b"),
            b'\x0c' => out.push_str("\\f"),
            control => out.push_str(&format!("\\u{control:04x}")),
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

/// Bytes of a value as compact JSON, counted without writing it anywhere; none for
/// a value that has no JSON.
pub fn length(value: &impl Serialize) -> Option<usize> {
    struct Counted(usize);
    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    let written = serde_json::to_writer(&mut counted, value);
    written.is_ok().then_some(counted.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_is_quoted_as_serde_json_quotes_it(text in "[\\x00-\\x7f]{0,40}|.*") {
            let mut out = String::new();
            quote(&text, &mut out);
            prop_assert_eq!(&out, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(length(&text), Some(out.len()));
        }
    }
}
