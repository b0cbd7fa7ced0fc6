//! Text: one form for comparing it, one for showing it, and whether it speaks
//! to a language model.

pub mod json;
mod model;

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

pub use self::model::addresses_a_model;

/// Its tables are mostly those that `idna` brings along.
const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// The form for comparisons, keys, digests and logs: NFKC, white space that
/// breaks lines folded to a space, invisible characters removed.
///
/// Idempotent. Letter case is kept; lower it where the field is
/// case-insensitive.
pub fn canonical(s: &str) -> Cow<'_, str> {
    if s.bytes().all(plain) {
        return Cow::Borrowed(s);
    }
    if s.is_ascii() {
        return Cow::Owned(visible_ascii(s));
    }
    if !s.chars().any(|c| is_invisible(c) || is_break(c)) {
        return NFKC.normalize(s);
    }
    Cow::Owned(NFKC.normalize_iter(s.chars().filter_map(visible)).collect())
}

/// The canonical form of ASCII, which is in every normal form: what a pasted
/// certificate costs most would otherwise be this.
fn visible_ascii(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    let mut rest = s;
    while let Some(at) = rest.bytes().position(|byte| !plain(byte)) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let mut behind = behind.chars();
        out.extend(behind.next().and_then(visible));
        rest = behind.as_str();
    }
    out.push_str(rest);
    out
}

fn plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte)
}

/// Text that came from a target, fit to be shown: escape sequences, controls
/// and invisible characters removed, white space folded, at most `max_chars`
/// characters with `…` in place of what was cut.
pub fn clean(s: &str, max_chars: usize) -> String {
    if s.len() <= max_chars && is_plain(s) {
        return s.to_owned();
    }
    let mut out = String::with_capacity(s.len().min(max_chars.saturating_mul(4)));
    let (mut length, mut gap) = (0, false);
    // Where to cut so that the ellipsis still fits.
    let mut cut = 0;
    for c in (Unescaped { chars: s.chars() }).filter_map(visible) {
        if c.is_whitespace() {
            gap = length > 0;
            continue;
        }
        for c in gap.then_some(' ').into_iter().chain([c]) {
            if length == max_chars {
                out.truncate(cut);
                out.extend((max_chars > 0).then_some('…'));
                return out;
            }
            if length + 1 < max_chars {
                cut = out.len() + c.len_utf8();
            }
            out.push(c);
            length += 1;
        }
        gap = false;
    }
    out
}

/// Whether [`clean`] leaves `s` as it is, told quickly: it does so with some
/// other texts, too.
pub fn is_plain(s: &str) -> bool {
    let mut before = b' ';
    s.bytes().all(|byte| {
        let gap = byte == b' ' && before == b' ';
        before = byte;
        plain(byte) && !gap
    }) && (before != b' ' || s.is_empty())
}

/// Whether `s` has characters that a reader does not see.
pub fn has_invisible(s: &str) -> bool {
    s.chars().any(is_invisible)
}

/// Text without terminal escape sequences (ECMA-48).
struct Unescaped<'a> {
    chars: std::str::Chars<'a>,
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let c = self.chars.next()?;
            match c {
                '\u{1B}' => match self.chars.clone().next() {
                    Some('[') => {
                        self.chars.next();
                        self.control_sequence();
                    }
                    Some(']' | 'P' | 'X' | '^' | '_') => {
                        self.chars.next();
                        self.control_string();
                    }
                    _ => self.escape_sequence(),
                },
                '\u{9B}' => self.control_sequence(),
                '\u{90}' | '\u{98}' | '\u{9D}' | '\u{9E}' | '\u{9F}' => self.control_string(),
                c => return Some(c),
            }
        }
    }
}

impl Unescaped<'_> {
    /// Intermediates and a final byte; anything else is kept.
    fn escape_sequence(&mut self) {
        while let Some(c @ ' '..='~') = self.chars.clone().next() {
            self.chars.next();
            if c > '/' {
                return;
            }
        }
    }

    /// Parameters and intermediates up to the final byte; anything else ends
    /// the sequence and is kept.
    fn control_sequence(&mut self) {
        while let Some(c) = self.chars.clone().next() {
            match c {
                ' '..='?' => {
                    self.chars.next();
                }
                '@'..='~' => {
                    self.chars.next();
                    return;
                }
                _ => return,
            }
        }
    }

    /// Up to the terminator (BEL, ST); an unterminated one hides nothing.
    fn control_string(&mut self) {
        let mut ahead = self.chars.clone();
        while let Some(c) = ahead.next() {
            match c {
                '\u{07}' | '\u{9C}' => {
                    self.chars = ahead;
                    return;
                }
                '\u{1B}' if ahead.clone().next() == Some('\\') => {
                    ahead.next();
                    self.chars = ahead;
                    return;
                }
                _ => {}
            }
        }
    }
}

/// `c` as it may stay: itself, a space for what breaks lines, or nothing.
fn visible(c: char) -> Option<char> {
    if is_break(c) {
        Some(' ')
    } else if is_invisible(c) {
        None
    } else {
        Some(c)
    }
}

fn is_break(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Controls other than those that break lines, the Default_Ignorable_Code_Point
/// property of Unicode 17, bidirectional controls, fillers that show as
/// nothing, and what may not be exchanged at all.
pub(in crate::guard) fn is_invisible(c: char) -> bool {
    if is_break(c) {
        return false;
    }
    matches!(c,
        '\u{0}'..='\u{1F}' | '\u{7F}'..='\u{9F}'
        | '\u{AD}' | '\u{34F}' | '\u{61C}'
        | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}'
        | '\u{FDD0}'..='\u{FDEF}' | '\u{E000}'..='\u{F8FF}'
        | '\u{F0000}'..='\u{10FFFF}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_cuts_with_an_ellipsis_inside_the_limit() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdef  ", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(clean("日本語の文", 3), "日本…");
        assert_eq!(clean("a", 0), "");
    }

    #[test]
    fn clean_removes_what_a_terminal_or_a_reader_would_obey() {
        assert_eq!(clean("\x1b[31mred\x1b[0m", 99), "red");
        assert_eq!(clean("\x1b]0;title\x07text", 99), "text");
        assert_eq!(clean("a\u{202E}b\u{200B}c\u{E0041}d\u{0}", 99), "abcd");
        assert_eq!(clean("  a\r\n\tb  ", 99), "a b");
    }

    #[test]
    fn plain_text_is_what_clean_leaves_alone() {
        for plain in ["", "a", "a b", "~ !"] {
            assert!(is_plain(plain), "{plain:?}");
            assert_eq!(clean(plain, 99), plain);
        }
        for other in [" ", " a", "a ", "a  b", "a\tb", "\x1b[31m", "\x7f", "é"] {
            assert!(!is_plain(other), "{other:?}");
        }
    }

    #[test]
    fn canonical_is_nfkc_without_the_invisible() {
        assert_eq!(canonical("ｅｘａｍｐｌｅ\u{200B}.com"), "example.com");
        assert!(matches!(canonical("plain text"), Cow::Borrowed(_)));
        assert_eq!(
            canonical("-----BEGIN\r\n\tMII\u{0}\u{1b}=\u{7f}"),
            "-----BEGIN   MII="
        );
    }
}
