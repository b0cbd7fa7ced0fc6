//! Scripts and look-alikes of letters in host names (UTS #39), cut down to
//! what host names are forged with: a full table would outweigh the rest of
//! this program.

use serde::Serialize;

/// Writing systems told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Script {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Hebrew,
    Arabic,
    Devanagari,
    Thai,
    Georgian,
    Cherokee,
    Hangul,
    Hiragana,
    Katakana,
    Bopomofo,
    Han,
    /// A letter of a script not told apart.
    Other,
}

/// The script of a letter; None for digits, hyphens and marks, which belong
/// to all.
pub(crate) fn of(c: char) -> Option<Script> {
    if c.is_ascii() {
        return c.is_ascii_alphabetic().then_some(Script::Latin);
    }
    let found = RANGES
        .iter()
        .find(|(first, last, _)| (*first..=*last).contains(&c));
    match found {
        Some((_, _, script)) => Some(*script),
        None => c.is_alphabetic().then_some(Script::Other),
    }
}

/// Whether scripts may stand together in one label: one script, or a script
/// of East Asia with the kana, Hangul or Bopomofo and Latin it is written with
/// (UTS #39 section 5.2, highly restrictive).
pub(crate) fn may_mix(scripts: &[Script]) -> bool {
    use Script::{Bopomofo, Han, Hangul, Hiragana, Katakana, Latin};
    let within = |set: &[Script]| scripts.iter().all(|script| set.contains(script));
    scripts.len() < 2
        || within(&[Latin, Han, Hiragana, Katakana])
        || within(&[Latin, Han, Bopomofo])
        || within(&[Latin, Han, Hangul])
}

/// The label as a hurried reader sees it, when that differs and is plain
/// ASCII.
pub(crate) fn skeleton(label: &str) -> Option<String> {
    let seen: String = label
        .chars()
        .map(|c| {
            LOOK_ALIKES
                .iter()
                .find(|(odd, _)| *odd == c)
                .map_or(c, |(_, plain)| *plain)
        })
        .collect();
    (seen != label && seen.is_ascii()).then_some(seen)
}

const RANGES: &[(char, char, Script)] = &[
    ('\u{00AA}', '\u{00AA}', Script::Latin),
    ('\u{00BA}', '\u{00BA}', Script::Latin),
    ('\u{00C0}', '\u{024F}', Script::Latin),
    ('\u{0250}', '\u{02AF}', Script::Latin),
    ('\u{0370}', '\u{03FF}', Script::Greek),
    ('\u{0400}', '\u{052F}', Script::Cyrillic),
    ('\u{0531}', '\u{058F}', Script::Armenian),
    ('\u{0590}', '\u{05FF}', Script::Hebrew),
    ('\u{0600}', '\u{06FF}', Script::Arabic),
    ('\u{0750}', '\u{077F}', Script::Arabic),
    ('\u{0900}', '\u{097F}', Script::Devanagari),
    ('\u{0E01}', '\u{0E5B}', Script::Thai),
    ('\u{10A0}', '\u{10FF}', Script::Georgian),
    ('\u{1100}', '\u{11FF}', Script::Hangul),
    ('\u{13A0}', '\u{13FF}', Script::Cherokee),
    ('\u{1C80}', '\u{1C8F}', Script::Cyrillic),
    ('\u{1D00}', '\u{1DBF}', Script::Latin),
    ('\u{1E00}', '\u{1EFF}', Script::Latin),
    ('\u{1F00}', '\u{1FFF}', Script::Greek),
    ('\u{2DE0}', '\u{2DFF}', Script::Cyrillic),
    ('\u{3005}', '\u{3007}', Script::Han),
    ('\u{3041}', '\u{309F}', Script::Hiragana),
    ('\u{30A1}', '\u{30FA}', Script::Katakana),
    ('\u{3105}', '\u{312F}', Script::Bopomofo),
    ('\u{3400}', '\u{4DBF}', Script::Han),
    ('\u{4E00}', '\u{9FFF}', Script::Han),
    ('\u{A640}', '\u{A69F}', Script::Cyrillic),
    ('\u{A720}', '\u{A7FF}', Script::Latin),
    ('\u{AB70}', '\u{ABBF}', Script::Cherokee),
    ('\u{AC00}', '\u{D7A3}', Script::Hangul),
    ('\u{20000}', '\u{323AF}', Script::Han),
];

/// Letters that pass for a Latin one in common typefaces, lower case as they
/// are in host names (chosen from the Unicode confusables data). Latin letters
/// with marks are left out: readers see the mark, and whole languages use
/// them.
#[rustfmt::skip]
const LOOK_ALIKES: &[(char, char)] = &[
    ('а', 'a'), ('ӑ', 'a'), ('α', 'a'), ('ɑ', 'a'), ('в', 'b'), ('ь', 'b'), ('ϲ', 'c'), ('с', 'c'),
    ('ԁ', 'd'), ('ɗ', 'd'), ('е', 'e'), ('ё', 'e'), ('є', 'e'), ('ε', 'e'), ('ɡ', 'g'), ('ց', 'g'),
    ('һ', 'h'), ('հ', 'h'), ('і', 'i'), ('ї', 'i'), ('ι', 'i'), ('ı', 'i'), ('ј', 'j'), ('к', 'k'),
    ('κ', 'k'), ('ӏ', 'l'), ('м', 'm'), ('п', 'n'), ('η', 'n'), ('ո', 'n'), ('о', 'o'), ('ο', 'o'),
    ('օ', 'o'), ('σ', 'o'), ('р', 'p'), ('ρ', 'p'), ('ԛ', 'q'), ('զ', 'q'), ('г', 'r'), ('ѕ', 's'),
    ('т', 't'), ('τ', 't'), ('ս', 'u'), ('υ', 'u'), ('ν', 'v'), ('ѵ', 'v'), ('ԝ', 'w'), ('ѡ', 'w'),
    ('ω', 'w'), ('х', 'x'), ('χ', 'x'), ('у', 'y'), ('ү', 'y'), ('γ', 'y'),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn scripts(label: &str) -> Vec<Script> {
        let mut found: Vec<Script> = label.chars().filter_map(of).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn a_single_foreign_letter_shows() {
        assert_eq!(scripts("pаypal"), [Script::Latin, Script::Cyrillic]);
        assert!(!may_mix(&scripts("pаypal")));
        assert!(may_mix(&scripts("例え-japan")));
        assert!(may_mix(&scripts("bücher")));
    }

    #[test]
    fn a_whole_label_can_pass_for_another() {
        assert_eq!(skeleton("аррӏе").as_deref(), Some("apple"));
        assert_eq!(skeleton("apple"), None);
        assert_eq!(skeleton("кремль"), None);
    }
}
