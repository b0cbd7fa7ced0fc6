//! The revisions of MCP we speak, and how a client names one.

/// The revision without sessions, in which every request describes itself.
pub(super) const MODERN: &str = "2026-07-28";

/// The revisions that open with `initialize`, newest first.
const HANDSHAKES: [&str; 3] = ["2025-11-25", "2025-06-18", BATCHES];

/// The one revision in which messages may come in an array.
pub(super) const BATCHES: &str = "2025-03-26";

/// Older than Streamable HTTP itself, yet hand-written clients send it here.
/// Understood, not advertised.
const TOLERATED: &str = "2024-11-05";

/// Everything we advertise, newest first.
pub(crate) const SUPPORTED: [&str; 4] = [MODERN, HANDSHAKES[0], HANDSHAKES[1], HANDSHAKES[2]];

/// The advertised revision called `name`.
pub(super) fn supported(name: &str) -> Option<&'static str> {
    SUPPORTED.into_iter().find(|known| *known == name)
}

/// The legacy revision called `name`.
pub(super) fn legacy(name: &str) -> Option<&'static str> {
    HANDSHAKES
        .into_iter()
        .chain([TOLERATED])
        .find(|known| *known == name)
}

/// What `initialize` answers: the revision asked for, or the newest that has
/// a handshake. Never [`MODERN`], which has none.
pub(super) fn negotiated(asked: Option<&str>) -> &'static str {
    asked.and_then(legacy).unwrap_or(HANDSHAKES[0])
}

/// Whether `name` is a date from [`MODERN`] on. Revisions are dates, so text
/// compares as they do.
pub(super) fn is_modern(name: &str) -> bool {
    let dated = name.len() == MODERN.len()
        && name
            .bytes()
            .zip(MODERN.bytes())
            .all(|(given, form)| match form {
                b'-' => given == b'-',
                _ => given.is_ascii_digit(),
            });
    dated && name >= MODERN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_never_answers_the_revision_without_one() {
        for asked in SUPPORTED.into_iter().chain(["2024-11-05"]) {
            let expected = if asked == MODERN { "2025-11-25" } else { asked };
            assert_eq!(negotiated(Some(asked)), expected);
        }
        assert_eq!(negotiated(Some("garbage")), "2025-11-25");
        assert_eq!(negotiated(None), "2025-11-25");
    }

    #[test]
    fn only_dates_from_2026_07_28_on_are_modern() {
        for name in ["2026-07-28", "2026-12-01", "2027-01-01"] {
            assert!(is_modern(name), "{name}");
        }
        for name in [
            "2026-07-27",
            "2025-11-25",
            "v999",
            "9999",
            "",
            "2026/07/28",
            "2026-07-28x",
        ] {
            assert!(!is_modern(name), "{name}");
        }
    }
}
