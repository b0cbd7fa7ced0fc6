//! ULIDs: 48 bits of time and 80 random bits in Crockford's base 32.

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::moment::rfc3339;

/// What there is to know about the kind `ulid`.
pub const FORMAT: Format = Format {
    kind: Kind::Ulid,
    title: "ULID",
    reference: "ULID specification",
    example: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    fields: &[
        ("ulid", "in upper case"),
        ("time", "RFC 3339"),
        ("milliseconds", "Unix milliseconds"),
        ("uuid", "the same 128 bits written as a UUID"),
    ],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context.now_ms).map(Reading::untyped),
};

/// One ULID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ulid {
    ulid: String,
    time: String,
    milliseconds: u64,
    uuid: String,
}

/// Reads a ULID; `now_ms` in Unix milliseconds.
pub fn parse(text: &str, now_ms: u64) -> Result<Reading<Ulid>, NotThis> {
    let bare = text.trim();
    if bare.len() != LENGTH || !bare.is_ascii() {
        return Err(NOT_A_ULID);
    }
    let mut scribe = Scribe::new(text);
    let mut bits: u128 = 0;
    for (at, c) in bare.char_indices() {
        let value = value(c).ok_or(NOT_A_ULID)?;
        if at == 0 && value > 7 {
            scribe.flag(
                OVERFLOW,
                bare.get(..1).unwrap_or(bare),
                "The first character is at most 7; this does not fit 128 bits.",
            );
        }
        if matches!(c.to_ascii_uppercase(), 'I' | 'L' | 'O') {
            scribe.flag(
                AMBIGUOUS,
                bare.get(at..=at).unwrap_or(bare),
                "I, L and O are not written; they were read as 1 and 0.",
            );
        }
        bits = bits << 5 | u128::from(value);
    }
    let milliseconds = (bits >> 80) as u64;
    if milliseconds > now_ms.saturating_add(86_400_000) {
        scribe.flag(
            FUTURE,
            bare.get(..10).unwrap_or(bare),
            "Its time lies in the future.",
        );
    }
    let digits = format!("{bits:032x}");
    let groups: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32]
        .into_iter()
        .filter_map(|cut| digits.get(cut))
        .collect();
    let ulid = Ulid {
        ulid: bare.to_ascii_uppercase(),
        time: rfc3339((milliseconds / 1000) as i64),
        milliseconds,
        uuid: groups.join("-"),
    };
    Ok(Reading::new(ulid, scribe))
}

fn value(c: char) -> Option<u8> {
    let upper = match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        other => other,
    };
    ALPHABET.find(upper).map(|at| at as u8)
}

fn sniff(text: &str) -> u8 {
    let bare = text.trim();
    let fits = bare.len() == LENGTH && bare.chars().all(|c| value(c).is_some());
    let upper = !bare.bytes().any(|b| b.is_ascii_lowercase());
    match (fits, bare.as_bytes().first()) {
        (true, Some(b'0'..=b'1')) => 90,
        (true, Some(b'2'..=b'7')) if upper => 60,
        (true, Some(b'2'..=b'7')) => 30,
        _ => 0,
    }
}

const LENGTH: usize = 26;
const ALPHABET: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const NOT_A_ULID: NotThis =
    NotThis("a ULID has 26 characters of Crockford's base 32, such as 01ARZ3NDEKTSV4RRFFQ69G5FAV.");

rules! {
    OVERFLOW = "ulid.overflow", Medium, "ULID specification, overflow errors",
        "The value does not fit 128 bits.";
    AMBIGUOUS = "ulid.ambiguous_letter", Low, "ULID specification, encoding",
        "A letter that the alphabet leaves out was read as a digit.";
    FUTURE = "ulid.future", Low, "ULID specification, timestamp",
        "The time lies in the future.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_bits_are_read() {
        let ulid = parse("01ARZ3NDEKTSV4RRFFQ69G5FAV", 1_800_000_000_000)
            .unwrap()
            .value;
        assert_eq!(ulid.milliseconds, 1_469_922_850_259);
        assert_eq!(ulid.time, "2016-07-30T23:54:10Z");
        assert_eq!(ulid.uuid, "01563e3a-b5d3-d676-4c61-efb99302bd5b");
    }

    #[test]
    fn the_largest_is_the_last_that_fits() {
        assert!(
            !parse("7ZZZZZZZZZZZZZZZZZZZZZZZZZ", 0)
                .unwrap()
                .has("ulid.overflow")
        );
        assert!(
            parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ", 0)
                .unwrap()
                .has("ulid.overflow")
        );
    }

    #[test]
    fn ambiguous_letters_are_flagged_and_u_is_refused() {
        assert!(
            parse("O1ARZ3NDEKTSV4RRFFQ69G5FAV", 0)
                .unwrap()
                .has("ulid.ambiguous_letter")
        );
        assert!(parse("01ARZ3NDEKTSV4RRFFQ69G5FAU", 0).is_err());
    }
}
