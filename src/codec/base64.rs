//! Base 64 in both alphabets (RFC 4648 sections 4 and 5).

use ::base64::Engine;
use ::base64::alphabet;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, range_within, rules};
use super::octets::Octets;

/// What there is to know about the kind `base64`.
pub const FORMAT: Format = Format {
    kind: Kind::Base64,
    title: "Base 64",
    reference: "RFC 4648 section 4",
    example: "VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZy4",
    fields: &[
        (
            "alphabet",
            "`standard`, `url`, `either` when no character tells them apart, or `mixed`",
        ),
        ("padded", "whether the end is padded with `=`"),
        ("bytes", "octets encoded"),
        ("text", "the beginning, when the octets are UTF-8 text"),
        ("hex", "the beginning in hexadecimal, when they are not"),
        (
            "looksLike",
            "what the octets are by their beginning or structure",
        ),
        ("innerKind", "the kind that the text can be decoded as"),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// What the characters stand for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Base64 {
    alphabet: &'static str,
    padded: bool,
    #[serde(flatten)]
    octets: Octets,
}

/// The octets, when the text is base 64 and nothing else.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    let body = text.trim_end_matches(|c: char| c == '=' || c.is_ascii_whitespace());
    let chars: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let is_all = chars.len() >= 2 && chars.iter().all(|b| is_member(*b));
    is_all.then(|| undone(&in_url_alphabet(&chars)))
}

fn in_url_alphabet(chars: &[u8]) -> Vec<u8> {
    let in_url = |b: &u8| match b {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    };
    chars.iter().map(in_url).collect()
}

/// Decodes as much as there is.
fn undone(url: &[u8]) -> Vec<u8> {
    let whole = url.len() - usize::from(url.len() % 4 == 1);
    LENIENT
        .decode(url.get(..whole).unwrap_or_default())
        .unwrap_or_default()
}

/// Reads base 64 in either alphabet, white space skipped.
pub fn parse(text: &str) -> Result<Reading<Base64>, NotThis> {
    described(text, Octets::of)
}

/// The same with the octets described as `describe` does.
fn described(text: &str, describe: fn(&[u8]) -> Octets) -> Result<Reading<Base64>, NotThis> {
    let bare = text.trim();
    let body = bare.trim_end_matches(|c: char| c == '=' || c.is_ascii_whitespace());
    let chars: Vec<u8> = body.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    if chars.len() < 2 || !chars.iter().all(|b| is_member(*b)) {
        return Err(NotThis(
            "base 64 is made of letters, digits, and `+` `/` or `-` `_`, with `=` only at its end.",
        ));
    }
    let mut scribe = Scribe::new(text);
    let alphabet = alphabet_of(&chars);
    let padding = bare.bytes().filter(|b| *b == b'=').count();
    judge(&mut scribe, bare, body, chars.len(), alphabet, padding);
    let url = in_url_alphabet(&chars);
    let octets = undone(&url);
    if canonical_tail(&url, &octets) == Some(false) {
        scribe.flag(
            TRAILING_BITS,
            last_char(body),
            "The unused bits at the end are not zero; strict decoders refuse it, \
             others accept two spellings of one value.",
        );
    }
    let octets = describe(&octets);
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
    Ok(Reading::new(
        Base64 {
            alphabet,
            padded: padding > 0,
            octets,
        },
        scribe,
    ))
}

fn judge(
    scribe: &mut Scribe,
    bare: &str,
    body: &str,
    length: usize,
    alphabet: &str,
    padding: usize,
) {
    if alphabet == "mixed" {
        let odd = body
            .find(['-', '_'])
            .and_then(|at| body.get(at..=at))
            .unwrap_or(body);
        scribe.flag(
            MIXED_ALPHABETS,
            odd,
            "Characters of both alphabets are used; no strict decoder accepts that.",
        );
    }
    if length % 4 == 1 {
        scribe.flag(
            CUT_OFF,
            last_char(body),
            "A character is missing or too many: this cannot be the whole encoding.",
        );
    }
    let wanted = (4 - length % 4) % 4;
    if padding > 0 && padding != wanted && length % 4 != 1 {
        let tail = bare.find('=').and_then(|at| bare.get(at..)).unwrap_or(bare);
        scribe.flag(
            BAD_PADDING,
            tail,
            format!("{wanted} padding characters belong here, {padding} are given."),
        );
    } else if padding == 0 && wanted > 0 && alphabet == "standard" {
        scribe.flag(
            NO_PADDING,
            last_char(body),
            "The padding is missing; strict decoders of the standard alphabet refuse it.",
        );
    }
}

/// Whether encoding the octets again gives the same end; None when nothing
/// was left over.
fn canonical_tail(url: &[u8], octets: &[u8]) -> Option<bool> {
    let rest = url.len() % 4;
    if rest < 2 {
        return None;
    }
    let tail = octets.get(octets.len() - octets.len() % 3..)?;
    let again = LENIENT.encode(tail);
    Some(again.as_bytes() == url.get(url.len() - rest..)?)
}

fn alphabet_of(chars: &[u8]) -> &'static str {
    let standard = chars.iter().any(|b| matches!(b, b'+' | b'/'));
    let url = chars.iter().any(|b| matches!(b, b'-' | b'_'));
    match (standard, url) {
        (true, true) => "mixed",
        (true, false) => "standard",
        (false, true) => "url",
        (false, false) => "either",
    }
}

fn last_char(body: &str) -> &str {
    body.get(body.len().saturating_sub(1)..).unwrap_or(body)
}

const fn is_member(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Words are made of the same letters: length, digits and padding tell.
fn sniff(text: &str) -> u8 {
    let bare = text.trim();
    let body = bare.trim_end_matches('=');
    if body.len() < 8
        || !body
            .bytes()
            .all(|b| is_member(b) || b.is_ascii_whitespace())
        || body.contains(' ')
    {
        return 0;
    }
    let Ok(reading) = described(text, Octets::glance) else {
        return 0;
    };
    let octets = &reading.value.octets;
    let told = octets.text.is_some() || octets.looks_like.is_some() || octets.secret;
    let padded = range_within(bare, body).is_some_and(|range| range.end < bare.len());
    let has = |test: fn(&u8) -> bool| body.as_bytes().iter().any(test);
    let varied =
        has(u8::is_ascii_digit) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    match (reading.problems.is_empty(), told, padded || varied) {
        (true, true, true) => 84,
        (true, false, true) if body.len() >= 16 => 62,
        (false, true, true) => 55,
        (true, true, false) => 45,
        (_, _, true) => 25,
        _ => 5,
    }
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

rules! {
    MIXED_ALPHABETS = "base64.mixed_alphabets", Medium, "RFC 4648 section 5",
        "Characters of both alphabets are used.";
    CUT_OFF = "base64.cut_off", High, "RFC 4648 section 4",
        "The length is impossible: something is missing.";
    BAD_PADDING = "base64.bad_padding", Medium, "RFC 4648 section 3.2",
        "The padding has the wrong length.";
    NO_PADDING = "base64.no_padding", Low, "RFC 4648 section 3.2",
        "The padding is missing.";
    TRAILING_BITS = "base64.trailing_bits", Low, "RFC 4648 section 3.5",
        "The last character has bits that mean nothing.";
    PRIVATE_KEY = "base64.private_key", High, "RFC 7468 section 10",
        "The octets hold a private key.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_rfc_4648_section_10_are_read() {
        for (text, wanted) in [
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYmFy", "foobar"),
        ] {
            let reading = parse(text).unwrap();
            assert_eq!(reading.value.octets.text.as_deref(), Some(wanted));
            assert_eq!(reading.problems, []);
        }
    }

    #[test]
    fn what_strict_decoders_refuse_is_named() {
        let codes = |text: &str| -> Vec<_> {
            parse(text)
                .unwrap()
                .problems
                .iter()
                .map(|p| p.code)
                .collect()
        };
        assert_eq!(codes("Zm9vY"), ["base64.cut_off"]);
        assert_eq!(codes("Zg="), ["base64.bad_padding"]);
        assert_eq!(codes("Zh=="), ["base64.trailing_bits"]);
        assert_eq!(codes("a+b_"), ["base64.mixed_alphabets"]);
        assert_eq!(codes("+/8"), ["base64.no_padding"]);
    }

    #[test]
    fn a_pkcs_12_file_is_named_and_warned_of() {
        // The head of what `openssl pkcs12 -export` writes, cut to size.
        let oid = [
            0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07, 0x01,
        ];
        let content = [&oid[..], &[0xA0, 0x04, 0x04, 0x02, 0x30, 0x00]].concat();
        let safe = crate::codec::der::wrapped(0x30, &[&content]);
        let file = crate::codec::der::wrapped(0x30, &[&[0x02, 0x01, 0x03], &safe]);
        let text = ::base64::engine::general_purpose::STANDARD.encode(file);
        let reading = parse(&text).unwrap();
        assert_eq!(reading.value.octets.looks_like, Some("PKCS #12 file"));
        assert!(
            reading
                .notes
                .iter()
                .any(|note| note.contains("private key"))
        );
        let hex = crate::codec::x509::hex(&octets(&text).unwrap());
        let reading = crate::codec::hex::parse(&hex).unwrap();
        assert!(
            reading
                .notes
                .iter()
                .any(|note| note.contains("private key"))
        );
    }

    #[test]
    fn nested_text_names_its_kind() {
        let inner =
            ::base64::engine::general_purpose::STANDARD.encode("v=spf1 include:example.net -all");
        assert_eq!(
            parse(&inner).unwrap().value.octets.inner_kind,
            Some(Kind::Spf)
        );
    }
}
