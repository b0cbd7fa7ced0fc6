//! What every format brings with it: how it is recognised, how it is read,
//! and the closed list of what it can find wrong.
//!
//! A reader works on slices of the text it was given. A problem names the
//! slice at fault and [`Scribe`] turns that slice into character offsets, so
//! no reader ever counts positions by hand.

use std::ops::Range;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Context, Kind, Problem, Severity, Span};

/// Problems kept per decode; the gravest are kept when there are more.
pub const PROBLEM_LIMIT: usize = 100;

/// Problems noted before sorting, so that hostile text costs bounded memory.
const NOTED_LIMIT: usize = 2_000;

/// One thing a format can find wrong: a line of `docs/decode.md`.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Dotted code, the kind first: `spf.too_many_lookups`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The section of the standard that says so.
    pub reference: &'static str,
    /// What it means, in one sentence, without the particulars of a text.
    pub about: &'static str,
}

/// Declares a format's rules as constants and lists them all in `RULES`, so
/// that a problem without an entry in the documentation cannot be raised.
macro_rules! rules {
    ($($name:ident = $code:literal, $severity:ident, $reference:literal, $about:literal;)*) => {
        $(
            #[doc = $about]
            pub(crate) const $name: &$crate::codec::format::Rule = &$crate::codec::format::Rule {
                code: $code,
                severity: $crate::codec::Severity::$severity,
                reference: $reference,
                about: $about,
            };
        )*
        /// Every rule of this format, in order of declaration.
        pub(crate) const RULES: &[&$crate::codec::format::Rule] = &[$($name),*];
    };
}
pub(crate) use rules;

/// A value read from a text, with what is wrong about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading<T> {
    /// What the text says, as far as it could be read.
    pub value: T,
    /// What is wrong with it, in order of position.
    pub problems: Vec<Problem>,
    /// What a reader should know that is not wrong.
    pub notes: Vec<String>,
}

impl<T> Reading<T> {
    /// The value with everything the scribe took down.
    pub(crate) fn new(value: T, scribe: Scribe) -> Self {
        let (problems, notes) = scribe.finish();
        Reading {
            value,
            problems,
            notes,
        }
    }

    /// Whether a problem of this code was found.
    pub fn has(&self, code: &str) -> bool {
        self.problems.iter().any(|problem| problem.code == code)
    }
}

impl<T: Serialize> Reading<T> {
    /// The same reading with its value as plain JSON members.
    pub(crate) fn untyped(self) -> Reading<Map<String, Value>> {
        #[cfg(test)]
        super::tests::assert_named_once(&self.value);
        let value = match serde_json::to_value(self.value) {
            Ok(Value::Object(members)) => members,
            Ok(other) => Map::from_iter([("value".to_owned(), other)]),
            Err(_) => Map::new(),
        };
        Reading {
            value,
            problems: self.problems,
            notes: self.notes,
        }
    }
}

/// The text is not of this kind at all; the sentence says what one looks
/// like and never repeats the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotThis(pub &'static str);

/// What a reader of a format returns.
pub(crate) type Outcome = Result<Reading<Map<String, Value>>, NotThis>;

/// Everything [`super::decode`] and the documentation know about a format.
pub struct Format {
    /// The kind it decodes.
    pub kind: Kind,
    /// What it is called in a sentence.
    pub title: &'static str,
    /// The document that defines it.
    pub reference: &'static str,
    /// A text of this kind, which the tests decode and the documentation shows.
    pub example: &'static str,
    /// Every member that `fields` may have, with its meaning.
    pub fields: &'static [(&'static str, &'static str)],
    /// Every problem it can raise.
    pub rules: &'static [&'static Rule],
    /// How much a text, or its beginning, looks like this kind, 0 (not at
    /// all) to 100. Cheap: `auto` asks every format.
    pub(crate) sniff: fn(&str) -> u8,
    /// Reads the text.
    pub(crate) read: fn(&str, &Context) -> Outcome,
}

/// Takes down problems and notes while a text is read.
pub(crate) struct Scribe<'a> {
    text: &'a str,
    found: Vec<(Range<usize>, &'static Rule, String)>,
    unheard: usize,
    notes: Vec<String>,
}

impl<'a> Scribe<'a> {
    /// A scribe for problems in `text`.
    pub(crate) fn new(text: &'a str) -> Self {
        Scribe {
            text,
            found: Vec::new(),
            unheard: 0,
            notes: Vec::new(),
        }
    }

    /// Takes down that `part`, a slice of the text, breaks `rule`. A part
    /// that is not a slice of the text stands for the whole of it.
    pub(crate) fn flag(&mut self, rule: &'static Rule, part: &str, message: impl Into<String>) {
        let range = range_within(self.text, part).unwrap_or(0..self.text.len());
        self.flag_range(rule, range, message);
    }

    /// Like [`Scribe::flag`] for readers that know byte offsets.
    pub(crate) fn flag_range(
        &mut self,
        rule: &'static Rule,
        range: Range<usize>,
        message: impl Into<String>,
    ) {
        if self.found.len() < NOTED_LIMIT {
            self.found.push((range, rule, message.into()));
        } else {
            self.unheard += 1;
        }
    }

    /// Whether `rule` was found broken so far.
    pub(crate) fn has(&self, rule: &Rule) -> bool {
        self.found.iter().any(|(_, found, _)| *found == rule)
    }

    /// Adds a remark that is no problem.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Problems by position, at most [`PROBLEM_LIMIT`], and the notes.
    fn finish(mut self) -> (Vec<Problem>, Vec<String>) {
        let total = self.found.len() + self.unheard;
        if total > PROBLEM_LIMIT {
            self.found.sort_by_key(|(range, rule, _)| {
                (std::cmp::Reverse(rule.severity), range.start, range.end)
            });
            self.found.truncate(PROBLEM_LIMIT);
            self.notes.push(format!(
                "{total} problems were found; the {PROBLEM_LIMIT} gravest are listed."
            ));
        }
        self.found
            .sort_by_key(|(range, _, _)| (range.start, range.end));
        let offsets = CharOffsets::new(self.text, &self.found);
        let problems = self
            .found
            .into_iter()
            .map(|(range, rule, message)| Problem {
                code: rule.code,
                severity: rule.severity,
                message,
                span: Span {
                    start: offsets.of(range.start),
                    end: offsets.of(range.end),
                },
                reference: rule.reference,
            })
            .collect();
        (problems, self.notes)
    }
}

/// Where `part` lies in `text`, when it is a slice of it.
pub(crate) fn range_within(text: &str, part: &str) -> Option<Range<usize>> {
    let start = (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let end = start.checked_add(part.len())?;
    text.get(start..end).map(|_| start..end)
}

/// Character offsets of some byte offsets, found in one walk over the text.
struct CharOffsets(Vec<(usize, u32)>);

impl CharOffsets {
    fn new(text: &str, found: &[(Range<usize>, &'static Rule, String)]) -> Self {
        let mut wanted: Vec<usize> = found
            .iter()
            .flat_map(|(range, _, _)| [range.start, range.end])
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let (mut at, mut chars) = (0, 0);
        let offsets = wanted.into_iter().map(|byte| {
            let next = text.floor_char_boundary(byte.min(text.len())).max(at);
            chars += text
                .get(at..next)
                .map_or(0, |gap| gap.chars().count() as u32);
            at = next;
            (byte, chars)
        });
        CharOffsets(offsets.collect())
    }

    fn of(&self, byte: usize) -> u32 {
        match self.0.binary_search_by_key(&byte, |(wanted, _)| *wanted) {
            Ok(at) => self.0.get(at).map_or(0, |(_, chars)| *chars),
            Err(_) => 0,
        }
    }
}

/// A few characters of a text for use in a message, in backquotes, between
/// which nothing would be overlooked.
pub(crate) fn quoted(part: &str) -> String {
    const SHOWN: usize = 40;
    if part.is_empty() {
        return "(empty)".to_owned();
    }
    match part.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("`{}…`", part.get(..cut).unwrap_or_default()),
        None => format!("`{part}`"),
    }
}

/// What is wrong with a report address that is no URI, to stand behind a
/// statement of that.
pub(crate) fn address_hint(part: &str) -> &'static str {
    let bare = part.trim_matches(['"', '\'', '<', '>', '\u{201c}', '\u{201d}']);
    let has_scheme = bare
        .get(..7)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
    match (has_scheme, bare.len() < part.len()) {
        (true, true) => "; no quotation marks or brackets belong around it",
        (true, false) => "",
        _ if part.contains('@') => "; `mailto:` is missing in front",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &Rule = &Rule {
        code: "test.sample",
        severity: Severity::Low,
        reference: "RFC 1 section 1",
        about: "A rule for this test.",
    };
    const GRAVE: &Rule = &Rule {
        code: "test.grave",
        severity: Severity::High,
        ..*SAMPLE
    };

    #[test]
    fn a_span_counts_characters_not_bytes() {
        let text = "žluť kůň";
        let mut scribe = Scribe::new(text);
        scribe.flag(SAMPLE, &text[text.find("kůň").unwrap()..], "a horse");
        let (problems, _) = scribe.finish();
        assert_eq!(problems[0].span, Span { start: 5, end: 8 });
    }

    #[test]
    fn a_part_from_elsewhere_stands_for_the_whole_text() {
        let mut scribe = Scribe::new("abc");
        scribe.flag(SAMPLE, "not from there", "whole");
        assert_eq!(scribe.finish().0[0].span, Span { start: 0, end: 3 });
    }

    #[test]
    fn the_gravest_problems_survive_the_cap() {
        let text = "x".repeat(500);
        let mut scribe = Scribe::new(&text);
        for at in 0..400 {
            scribe.flag(SAMPLE, &text[at..=at], "low");
        }
        scribe.flag(GRAVE, &text[450..451], "high");
        let (problems, notes) = scribe.finish();
        assert_eq!(problems.len(), PROBLEM_LIMIT);
        assert!(problems.iter().any(|p| p.code == "test.grave"));
        assert!(problems.is_sorted_by_key(|p| p.span.start));
        assert_eq!(
            notes,
            ["401 problems were found; the 100 gravest are listed."]
        );
    }
}
