//! Points in time: Unix time in seconds to nanoseconds, RFC 3339 and
//! HTTP dates.

use serde::Serialize;
use time::OffsetDateTime;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::moment::{self, rfc3339, span_text};

/// What there is to know about the kind `unix_time`.
pub const FORMAT: Format = Format {
    kind: Kind::UnixTime,
    title: "Unix time or date",
    reference: "POSIX.1-2024 section 4.19",
    example: "1700000000123",
    fields: &[
        (
            "unit",
            "what a number counts: `seconds`, `milliseconds`, `microseconds`, \
             `nanoseconds`; `date` for a written date",
        ),
        (
            "seconds",
            "whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted",
        ),
        ("nanoseconds", "what is left beyond whole seconds"),
        ("date", "RFC 3339, in UTC"),
        ("weekday", "in UTC"),
        ("relative", "how long ago or ahead"),
    ],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context.now()).map(Reading::untyped),
};

/// A point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    unit: &'static str,
    /// Unix seconds.
    pub seconds: i64,
    nanoseconds: u32,
    date: String,
    weekday: Option<String>,
    relative: String,
}

/// Reads a number or date; `now` in Unix seconds.
pub fn parse(text: &str, now: i64) -> Result<Reading<Moment>, NotThis> {
    let bare = text.trim();
    let mut scribe = Scribe::new(text);
    let (unit, nanos) = match number(bare) {
        Some(number) => scaled(number),
        None => (
            "date",
            i128::from(date(bare, &mut scribe).ok_or(NOT_A_TIME)?) * NANOS,
        ),
    };
    let seconds = i64::try_from(nanos.div_euclid(NANOS)).map_err(|_| NOT_A_TIME)?;
    let known = OffsetDateTime::from_unix_timestamp(seconds);
    // RFC 3339 writes years of four digits and no sign.
    let known = known.ok().filter(|date| (0..=9999).contains(&date.year()));
    if known.is_none() {
        scribe.flag(
            OUT_OF_RANGE,
            bare,
            "This lies outside the years that dates are written for.",
        );
    }
    if unit == "seconds" && seconds > i64::from(i32::MAX) {
        scribe.flag(
            BEYOND_2038,
            bare,
            "This is beyond 2038-01-19 and overflows 32-bit counters.",
        );
    }
    if unit != "date" && unit != "seconds" {
        scribe.note(format!("Read as {unit} because of its size."));
    }
    let distance = seconds.saturating_sub(now);
    let relative = match distance {
        0 => "now".to_owned(),
        1.. => format!("in {}", span_text(distance)),
        _ => format!("{} ago", span_text(distance)),
    };
    let moment = Moment {
        unit,
        seconds,
        nanoseconds: nanos.rem_euclid(NANOS) as u32,
        date: rfc3339(seconds),
        weekday: known.map(|known| known.weekday().to_string()),
        relative,
    };
    Ok(Reading::new(moment, scribe))
}

/// A decimal number, its fraction to nine digits.
struct Number {
    whole: i64,
    digits: usize,
    nanos: i128,
}

fn number(text: &str) -> Option<Number> {
    let (negative, plain) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty()
        || whole.len() > 19
        || !digits(whole)
        || !digits(fraction)
        || plain.ends_with('.')
    {
        return None;
    }
    let sign = if negative { -1 } else { 1 };
    let padded: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Some(Number {
        whole: whole.parse::<i64>().ok()? * sign,
        digits: whole.trim_start_matches('0').len(),
        nanos: padded.parse::<i128>().ok()? * i128::from(sign),
    })
}

/// The unit by the number of digits, and the value in nanoseconds. Eleven
/// digits of seconds reach the year 5138.
fn scaled(number: Number) -> (&'static str, i128) {
    let (unit, scale) = match number.digits {
        0..=11 => ("seconds", NANOS),
        12..=14 => ("milliseconds", 1_000_000),
        15..=17 => ("microseconds", 1_000),
        _ => ("nanoseconds", 1),
    };
    (
        unit,
        i128::from(number.whole) * scale + number.nanos * scale / NANOS,
    )
}

fn date(text: &str, scribe: &mut Scribe) -> Option<i64> {
    if let Some(seconds) = moment::from_rfc3339(text).or_else(|| moment::from_http_date(text)) {
        return Some(seconds);
    }
    if text.len() > 40 || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let spaced = text.replacen(' ', "T", 1);
    if let Some(seconds) = moment::from_rfc3339(&spaced) {
        return Some(seconds);
    }
    let guess = [format!("{spaced}Z"), format!("{spaced}T00:00:00Z")];
    let seconds = guess.iter().find_map(|text| moment::from_rfc3339(text))?;
    scribe.flag(NO_ZONE, text, "No time zone is given; it was read as UTC.");
    Some(seconds)
}

fn sniff(text: &str) -> u8 {
    let text = text.trim();
    match number(text) {
        Some(number) => match number.digits {
            9..=10 => 88,
            12..=13 => 85,
            16 | 19 => 75,
            1..=8 => 15,
            _ => 25,
        },
        None if text.len() > 40 => 0,
        None => match date(text, &mut Scribe::new(text)) {
            Some(_) => 92,
            None => 0,
        },
    }
}

const NANOS: i128 = 1_000_000_000;

const NOT_A_TIME: NotThis = NotThis(
    "send a number of seconds (or milliseconds, microseconds, nanoseconds) \
     since 1970, or a date such as 2026-01-31T12:00:00Z.",
);

rules! {
    OUT_OF_RANGE = "unix_time.out_of_range", Medium, "RFC 3339 section 1",
        "The point in time cannot be written as a date.";
    BEYOND_2038 = "unix_time.beyond_2038", Info, "POSIX.1-2024 section 4.19",
        "The number of seconds does not fit 32 bits.";
    NO_ZONE = "unix_time.no_zone", Medium, "RFC 3339 section 4.4",
        "A date without a time zone means different moments in different places.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> i64 {
        parse(text, 0).unwrap().value.seconds
    }

    #[test]
    fn the_unit_follows_from_the_size() {
        assert_eq!(seconds("1700000000"), 1_700_000_000);
        assert_eq!(seconds("1700000000123"), 1_700_000_000);
        assert_eq!(seconds("1700000000123456"), 1_700_000_000);
        assert_eq!(seconds("1700000000123456789"), 1_700_000_000);
        assert_eq!(
            parse("1700000000.25", 0).unwrap().value.nanoseconds,
            250_000_000
        );
        assert_eq!(
            (seconds("-1"), parse("-0.5", 0).unwrap().value.nanoseconds),
            (-1, 500_000_000)
        );
    }

    #[test]
    fn dates_are_read() {
        assert_eq!(seconds("2023-11-14T22:13:20Z"), 1_700_000_000);
        assert_eq!(seconds("Tue, 14 Nov 2023 22:13:20 GMT"), 1_700_000_000);
        let naive = parse("2023-11-14 22:13:20", 0).unwrap();
        assert!(naive.has("unix_time.no_zone") && naive.value.seconds == 1_700_000_000);
        assert_eq!(seconds("2023-11-14"), 1_699_920_000);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "12.",
            "1e9",
            "99999999999999999999",
            "tomorrow",
            "2023-13-01",
        ] {
            assert!(parse(text, 0).is_err(), "{text}");
        }
    }
}
