//! Unix seconds to RFC 3339 and back, for all formats that have dates.

use std::ops::RangeInclusive;

use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::{Date, Month, OffsetDateTime, Time};

/// `2026-11-22T08:00:00Z`; years that RFC 3339 cannot write are named so.
pub(crate) fn rfc3339(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| "outside the years 0000 to 9999".to_owned())
}

/// Unix seconds of an RFC 3339 date-time.
pub(crate) fn from_rfc3339(text: &str) -> Option<i64> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(moment.unix_timestamp())
}

/// Unix seconds of an HTTP-date or RFC 5322 date.
pub(crate) fn from_http_date(text: &str) -> Option<i64> {
    let text = text.trim();
    let numeric = text.strip_suffix("GMT").map(|date| format!("{date}+0000"));
    let moment = OffsetDateTime::parse(numeric.as_deref().unwrap_or(text), &Rfc2822).ok()?;
    Some(moment.unix_timestamp())
}

/// Unix seconds of a date as browsers read it in `Expires` of a cookie: time,
/// day, month and year in any order and among anything (RFC 6265 section
/// 5.1.1).
pub(crate) fn from_cookie_date(text: &str) -> Option<i64> {
    let is_part =
        |c: char| c.is_ascii_alphanumeric() || c == ':' || !c.is_ascii() || c.is_control();
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text
        .split(|c| !is_part(c) || c == '\t')
        .filter(|token| !token.is_empty())
    {
        if let (None, Some(found)) = (time, clock(token)) {
            time = Some(found);
        } else if let (None, Some(found)) = (day, leading(token, 1..=2)) {
            day = u8::try_from(found).ok();
        } else if let (None, Some(found)) = (month, month_of(token)) {
            month = Some(found);
        } else if let (None, Some(found)) = (year, leading(token, 2..=4)) {
            year = Some(match found {
                0..=69 => found + 2000,
                70..=99 => found + 1900,
                other => other,
            });
        }
    }
    let year = year.filter(|year| *year >= 1601)?;
    let date = Date::from_calendar_date(i32::from(year), month?, day?).ok()?;
    let (hour, minute, second) = time?;
    let time = Time::from_hms(hour, minute, second).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

/// `hh:mm:ss`, each of one or two digits, anything but a digit behind it.
fn clock(token: &str) -> Option<(u8, u8, u8)> {
    let mut fields = token.splitn(3, ':');
    let whole = |field: &str| match field.bytes().all(|b| b.is_ascii_digit()) {
        true => leading(field, 1..=2),
        false => None,
    };
    let (hour, minute) = (whole(fields.next()?)?, whole(fields.next()?)?);
    let second = leading(fields.next()?, 1..=2)?;
    let small = |number: u16| u8::try_from(number).ok();
    Some((small(hour)?, small(minute)?, small(second)?))
}

/// The number in front, if it has so many digits.
fn leading(token: &str, digits: RangeInclusive<usize>) -> Option<u16> {
    let count = token.bytes().take_while(u8::is_ascii_digit).count();
    let number = token.get(..count).filter(|_| digits.contains(&count))?;
    number.parse().ok()
}

fn month_of(token: &str) -> Option<Month> {
    const NAMES: &[&str] = &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let name = token.get(..3)?.to_ascii_lowercase();
    let at = NAMES.iter().position(|known| *known == name)?;
    Month::try_from(u8::try_from(at + 1).ok()?).ok()
}

/// A span of seconds in words, two units at the most: `3 days 4 hours`.
pub(crate) fn span_text(seconds: i64) -> String {
    const UNITS: &[(u64, &str)] = &[
        (31_536_000, "year"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut left = seconds.unsigned_abs();
    let mut parts: Vec<String> = Vec::new();
    for (size, name) in UNITS {
        let count = left / size;
        left %= size;
        if count > 0 && parts.len() < 2 {
            let plural = if count == 1 { "" } else { "s" };
            parts.push(format!("{count} {name}{plural}"));
        } else if !parts.is_empty() {
            break;
        }
    }
    if parts.is_empty() {
        return "0 seconds".to_owned();
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_and_written() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(from_rfc3339("1994-11-06T08:49:37+01:00"), Some(784_108_177));
        assert_eq!(
            from_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777)
        );
        assert_eq!(rfc3339(i64::MAX), "outside the years 0000 to 9999");
    }

    #[test]
    fn a_cookie_date_is_read_as_browsers_do() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "1994 nov 6th 8:49:37x",
        ] {
            assert_eq!(from_cookie_date(text), Some(784_111_777), "{text}");
        }
        for text in [
            "never",
            "06 Nov 1994",
            "31 Feb 1994 08:49:37",
            "06 Nov 1994 24:00:00",
            "6 Nov 1600 1:1:1",
        ] {
            assert_eq!(from_cookie_date(text), None, "{text}");
        }
    }

    #[test]
    fn spans_have_two_units() {
        assert_eq!(span_text(90_061), "1 day 1 hour");
        assert_eq!(span_text(31_536_000), "1 year");
        assert_eq!(span_text(0), "0 seconds");
    }
}
