//! Unix seconds to RFC 3339 and back, for all formats that have dates.

use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

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
    fn spans_have_two_units() {
        assert_eq!(span_text(90_061), "1 day 1 hour");
        assert_eq!(span_text(31_536_000), "1 year");
        assert_eq!(span_text(0), "0 seconds");
    }
}
