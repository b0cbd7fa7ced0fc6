//! Hexadecimal (RFC 4648 section 8), with the separators people use.

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::octets::Octets;

/// What there is to know about the kind `hex`.
pub const FORMAT: Format = Format {
    kind: Kind::Hex,
    title: "hexadecimal",
    reference: "RFC 4648 section 8",
    example: "48:65:6c:6c:6f:2c:20:77:6f:72:6c:64:21",
    fields: &[
        ("bytes", "octets encoded"),
        ("text", "the beginning, when the octets are UTF-8 text"),
        (
            "hex",
            "the beginning in plain lower case, when they are not",
        ),
        (
            "looksLike",
            "what the octets are by their beginning or structure",
        ),
        ("innerKind", "the kind that the text can be decoded as"),
        ("digest", "hash functions with an output of this length"),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// What the digits stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hex {
    #[serde(flatten)]
    octets: Octets,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'static str>,
}

/// Reads digits with or without `0x`, colons, commas, hyphens or white space.
pub fn parse(text: &str) -> Result<Reading<Hex>, NotThis> {
    let bare = text.trim();
    let digits = digits(bare).ok_or(NotThis(
        "send hexadecimal digits; `0x`, colons, hyphens, commas and white space \
         between octets are skipped.",
    ))?;
    let mut scribe = Scribe::new(text);
    if digits.len() % 2 == 1 {
        let last = bare.len().saturating_sub(1);
        scribe.flag(
            ODD,
            bare.get(last..).unwrap_or(bare),
            "The number of digits is odd; the last one was dropped.",
        );
    }
    let has = |case: fn(&u8) -> bool| digits.iter().any(case);
    if has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) {
        scribe.flag(
            MIXED_CASE,
            bare,
            "Upper and lower case are mixed; strict comparisons will differ.",
        );
    }
    let octets = Octets::of(&undone(&digits));
    if octets.secret {
        scribe.flag(
            PRIVATE_KEY,
            bare,
            "The octets hold a private key; treat it as disclosed. It is not repeated here.",
        );
    }
    if let Some(caution) = octets.caution() {
        scribe.note(caution);
    }
    let digest = match (octets.bytes, octets.looks_like, &octets.text) {
        (16, None, None) => Some("MD5, or half of SHA-256"),
        (20, None, None) => Some("SHA-1 or RIPEMD-160"),
        (28, None, None) => Some("SHA-224"),
        (32, None, None) => Some("SHA-256, SHA3-256 or BLAKE2s"),
        (48, None, None) => Some("SHA-384"),
        (64, None, None) => Some("SHA-512, SHA3-512 or BLAKE2b"),
        _ => None,
    };
    Ok(Reading::new(Hex { octets, digest }, scribe))
}

/// The octets, when the text is hexadecimal and nothing else.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    digits(text.trim()).map(|digits| undone(&digits))
}

fn undone(digits: &[u8]) -> Vec<u8> {
    let octet = |pair: &[u8]| pair.iter().fold(0, |sum, digit| sum << 4 | nibble(*digit));
    digits.chunks_exact(2).map(octet).collect()
}

/// The digits without prefix and separators.
fn digits(text: &str) -> Option<Vec<u8>> {
    let bare = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .or_else(|| text.strip_prefix("\\x"))
        .unwrap_or(text);
    let mut digits = Vec::with_capacity(bare.len());
    for byte in bare.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F' => digits.push(byte),
            b':' | b'-' | b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return None,
        }
    }
    (digits.len() >= 2).then_some(digits)
}

fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or(0) as u8
}

fn sniff(text: &str) -> u8 {
    let bare = text.trim();
    let Some(digits) = digits(bare) else {
        return 0;
    };
    let prefixed = bare.starts_with("0x");
    let separated = bare.len() > digits.len() && bare.contains(':');
    let all_decimal = digits.iter().all(u8::is_ascii_digit);
    match (prefixed || separated, digits.len()) {
        (true, _) => 85,
        _ if all_decimal => 20,
        (_, 32 | 40 | 56 | 64 | 96 | 128) => 82,
        (_, count) if count % 2 == 0 && count >= 8 => 65,
        _ => 15,
    }
}

rules! {
    ODD = "hex.odd_length", Medium, "RFC 4648 section 8",
        "The number of digits is odd.";
    MIXED_CASE = "hex.mixed_case", Info, "RFC 4648 section 8",
        "Upper and lower case are mixed.";
    PRIVATE_KEY = "hex.private_key", High, "RFC 7468 section 10",
        "The octets hold a private key.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_skipped() {
        for text in [
            "48656c6c6f",
            "0x48656C6C6F",
            "48:65:6c:6c:6f",
            "48 65\n6c 6c 6f",
        ] {
            let hex = parse(text).unwrap().value;
            assert_eq!(hex.octets.text.as_deref(), Some("Hello"), "{text}");
        }
    }

    #[test]
    fn a_digest_is_recognised_by_its_length() {
        let hex = parse("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
            .unwrap()
            .value;
        assert_eq!(hex.digest, Some("SHA-256, SHA3-256 or BLAKE2s"));
    }

    #[test]
    fn an_odd_digit_is_flagged_at_the_end() {
        let reading = parse("abc").unwrap();
        assert_eq!(
            (reading.problems[0].code, reading.problems[0].span.start),
            ("hex.odd_length", 2)
        );
        assert!(parse("xyz").is_err());
    }
}
