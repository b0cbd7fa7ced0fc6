//! Textual encodings of DER (RFC 7468), and the way back from a DER offset to
//! the characters that encode it.

use std::ops::Range;

use ::base64::Engine;
use ::base64::alphabet;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::format::range_within;

/// Blocks read from one text.
const BLOCK_LIMIT: usize = 20;

/// Standard alphabet, padding optional, trailing bits ignored: what people
/// paste has often lost its end.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// One encoded object.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// `CERTIFICATE`; empty for base64 without armour.
    pub(crate) label: &'a str,
    /// The lines between the boundaries, a slice of the text.
    pub(crate) body: &'a str,
    /// The whole block with its boundaries, a slice of the text.
    pub(crate) whole: &'a str,
    /// What the body encodes; empty when it cannot be decoded.
    pub(crate) der: Vec<u8>,
    /// Whether the END line is there and names the same label.
    pub(crate) closed: bool,
    /// Whether RFC 1421 headers (an encrypted key) stand before the body.
    pub(crate) has_headers: bool,
}

impl Block<'_> {
    /// The byte range in `text` of the characters that encode `der`.
    pub(crate) fn locate(&self, text: &str, der: Range<usize>) -> Range<usize> {
        let base = range_within(text, self.body).map_or(0, |range| range.start);
        let (first, last) = (der.start * 8 / 6, (der.end * 8).div_ceil(6).max(1) - 1);
        let mut range = base..base + self.body.len();
        for (nth, (at, _)) in base64_chars(self.body).enumerate() {
            if nth == first {
                range.start = base + at;
            }
            if nth == last {
                range.end = base + at + 1;
                break;
            }
        }
        range
    }
}

/// Every armoured block of the text, or the text itself when it is base64
/// of a DER object without armour.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let armoured = armoured(text);
    if !armoured.is_empty() {
        return armoured;
    }
    let body = text.trim();
    let plain = body
        .bytes()
        .all(|byte| is_base64(byte) || byte == b'=' || byte.is_ascii_whitespace());
    if !plain {
        return Vec::new();
    }
    match decoded(body) {
        der if der.first() == Some(&0x30) => vec![Block {
            label: "",
            body,
            whole: body,
            der,
            closed: true,
            has_headers: false,
        }],
        _ => Vec::new(),
    }
}

fn armoured(text: &str) -> Vec<Block<'_>> {
    const BEGIN: &str = "-----BEGIN ";
    const DASHES: &str = "-----";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once(BEGIN) {
        let start = text.len() - after.len() - BEGIN.len();
        let Some((label, inside)) = after.split_once(DASHES) else {
            break;
        };
        let end = inside.find(DASHES).unwrap_or(inside.len());
        let (inner, tail) = inside.split_at(end);
        let end_line = format!("-----END {label}-----");
        let closed = tail.starts_with(&end_line);
        let behind = if closed { end_line.len() } else { 0 };
        rest = tail.get(behind..).unwrap_or_default();
        let (has_headers, body) = without_headers(inner);
        found.push(Block {
            label,
            body,
            whole: text.get(start..text.len() - rest.len()).unwrap_or_default(),
            der: decoded(body),
            closed,
            has_headers,
        });
        if found.len() == BLOCK_LIMIT {
            break;
        }
    }
    found
}

/// Skips `Name: value` lines up to the empty line (RFC 1421).
fn without_headers(inner: &str) -> (bool, &str) {
    if !inner.contains(": ") {
        return (false, inner);
    }
    for gap in ["\n\n", "\r\n\r\n", "\\n\\n"] {
        if let Some((_, body)) = inner.split_once(gap) {
            return (true, body);
        }
    }
    (true, "")
}

fn decoded(body: &str) -> Vec<u8> {
    let mut chars = Vec::with_capacity(body.len());
    chars.extend(base64_chars(body).map(|(_, byte)| byte));
    // One character beyond a group of four is half an octet that was cut.
    if chars.len() % 4 == 1 {
        chars.pop();
    }
    LENIENT.decode(chars).unwrap_or_default()
}

/// The base64 characters with their offsets. White space is skipped, and so
/// is a literal `\n`, as found in JSON and environment files.
fn base64_chars(body: &str) -> impl Iterator<Item = (usize, u8)> {
    let bytes = body.as_bytes();
    let mut escaped = false;
    bytes.iter().copied().enumerate().filter(move |(_, byte)| {
        let is_escape = std::mem::replace(&mut escaped, *byte == b'\\');
        !is_escape && is_base64(*byte)
    })
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_located_across_line_ends() {
        let text = "x\n-----BEGIN THING-----\nAAEC\nAwQF\n-----END THING-----\n";
        let block = &blocks(text)[0];
        assert_eq!(block.der, [0, 1, 2, 3, 4, 5]);
        assert!(block.closed);
        assert_eq!(&text[block.locate(text, 3..6)], "AwQF");
        assert_eq!(&text[block.locate(text, 2..4)], "EC\nAw");
    }

    #[test]
    fn escaped_line_ends_are_line_ends() {
        let block = &blocks(r"-----BEGIN A-----\nAAEC\nAwQF\n-----END A-----\n")[0];
        assert_eq!(block.der, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn a_block_cut_within_an_octet_keeps_what_stands_before() {
        let found = blocks("-----BEGIN A-----\nAAECA");
        assert_eq!(found[0].der, [0, 1, 2]);
    }

    #[test]
    fn a_block_without_end_is_read_and_marked() {
        let found = blocks("-----BEGIN A-----\nAAEC\n-----BEGIN B-----\nAwQF\n-----END B-----");
        assert_eq!(found.len(), 2);
        assert!(!found[0].closed && found[1].closed);
    }
}
