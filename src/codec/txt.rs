//! TXT records as people paste them: the bare value, quoted strings as dig
//! prints them, or the whole zone line (RFC 1035 section 5.1).
//!
//! Strings are joined without a gap (RFC 7208 section 3.3) and every
//! character remembers where it stood, so problems point into what was
//! pasted.

use serde::Serialize;

use super::format::{NotThis, Outcome, Reading, Rule, Scribe};
use super::{Problem, Span};

/// Records looked at in one text.
const RECORD_LIMIT: usize = 64;

/// One record's value and where its characters came from.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) value: String,
    /// Character-strings it was joined from; 0 when it was not quoted.
    pub(crate) strings: usize,
    /// Runs of characters: offset in the value, offset in the text.
    runs: Vec<(u32, u32)>,
    chars: u32,
}

impl Record {
    /// The record made of the unquoted `part` that begins `from` characters
    /// into the text. The backslash that a zone file has in front of a
    /// semicolon is left out: no record has one there.
    fn bare(part: &str, from: u32) -> Self {
        if part.contains("\\;") {
            let mut record = Record::default();
            let mut chars = part.chars().zip(from..).peekable();
            while let Some((c, at)) = chars.next() {
                let escapes = c == '\\' && chars.peek().is_some_and(|(next, _)| *next == ';');
                if !escapes {
                    record.push(c, at);
                }
            }
            return record;
        }
        Record {
            value: part.to_owned(),
            strings: 0,
            runs: vec![(0, from)],
            chars: part.chars().count() as u32,
        }
    }

    fn push(&mut self, c: char, from: u32) {
        let continues = self
            .runs
            .last()
            .is_some_and(|(at, origin)| self.chars - at == from - origin);
        if !continues {
            self.runs.push((self.chars, from));
        }
        self.value.push(c);
        self.chars += 1;
    }

    /// A span of the value as a span of the text.
    fn in_text(&self, span: Span) -> Span {
        let start = self.origin(span.start);
        let end = match span.end.checked_sub(1) {
            Some(last) if span.end > span.start => self.origin(last) + 1,
            _ => start,
        };
        Span {
            start,
            end: end.max(start),
        }
    }

    fn origin(&self, at: u32) -> u32 {
        let nth = self.runs.partition_point(|(begin, _)| *begin <= at);
        match self.runs.get(nth.saturating_sub(1)) {
            Some((begin, origin)) => origin + at.saturating_sub(*begin),
            None => 0,
        }
    }
}

/// The records in a text.
pub(crate) fn records(text: &str) -> Vec<Record> {
    if is_presentation(text) {
        return quoted_records(text);
    }
    let versions = text
        .lines()
        .filter(|line| line.trim_start().starts_with("v="))
        .count();
    if versions < 2 {
        let value = text.trim();
        let before = text.len() - text.trim_start().len();
        let from = text
            .get(..before)
            .map_or(0, |gap| gap.chars().count() as u32);
        return vec![Record::bare(value, from)];
    }
    let mut from = 0;
    let mut found = Vec::new();
    for line in text.split_inclusive('\n') {
        let value = line.trim();
        let before = line.chars().take_while(|c| c.is_whitespace()).count() as u32;
        if !value.is_empty() && found.len() < RECORD_LIMIT {
            found.push(Record::bare(value, from + before));
        }
        from += line.chars().count() as u32;
    }
    found
}

/// Whether the text quotes its strings: nothing, or a zone line's beginning,
/// stands before the first quote.
fn is_presentation(text: &str) -> bool {
    let Some((before, _)) = text.split_once('"') else {
        return false;
    };
    let before = before.trim_end_matches(|c: char| c.is_whitespace() || c == '(');
    let last = before.split_whitespace().next_back().unwrap_or_default();
    before.is_empty()
        || ["TXT", "SPF", "text", "="]
            .iter()
            .any(|word| last.eq_ignore_ascii_case(word))
}

/// Records of quoted strings: one per line, parentheses join lines.
fn quoted_records(text: &str) -> Vec<Record> {
    let mut found = Vec::new();
    let mut record = Record::default();
    let (mut quoted, mut open) = (false, false);
    let mut chars = text.chars().zip(0u32..).peekable();
    while let Some((c, at)) = chars.next() {
        match (quoted, c) {
            (true, '"') => quoted = false,
            (true, '\\') => {
                let c = unescaped(&mut chars);
                record.push(c, at);
            }
            (true, c) => record.push(c, at),
            (false, '"') => {
                quoted = true;
                record.strings += 1;
            }
            (false, '(') => open = true,
            (false, ')') => open = false,
            (false, '\n') if !open && record.strings > 0 => {
                found.push(std::mem::take(&mut record));
            }
            _ => {}
        }
        if found.len() >= RECORD_LIMIT {
            return found;
        }
    }
    if record.strings > 0 {
        found.push(record);
    }
    found
}

/// What stands behind a backslash: three decimal digits or the character.
fn unescaped(chars: &mut std::iter::Peekable<impl Iterator<Item = (char, u32)>>) -> char {
    let mut digits = 0;
    let mut code = 0;
    while digits < 3
        && let Some(digit) = chars.peek().and_then(|(c, _)| c.to_digit(10))
    {
        chars.next();
        code = code * 10 + digit;
        digits += 1;
    }
    match digits {
        0 => chars.next().map_or('\\', |(c, _)| c),
        _ => char::from_u32(code)
            .filter(|_| code < 256)
            .unwrap_or('\u{fffd}'),
    }
}

/// Whether any record of the text begins like `wanted` wants.
pub(crate) fn any(text: &str, wanted: fn(&str) -> bool) -> bool {
    // `auto` asks six times: most texts have no tag at all.
    text.contains('=') && records(text).iter().any(|record| wanted(&record.value))
}

/// Reads the first record that is `wanted` and flags any further one.
pub(crate) fn read<T: Serialize>(
    text: &str,
    wanted: fn(&str) -> bool,
    several: &'static Rule,
    parse: fn(&str) -> Result<Reading<T>, NotThis>,
) -> Outcome {
    let records = records(text);
    let mut fitting = records.iter().filter(|record| wanted(&record.value));
    // When none fits, the first one says best why.
    let Some(record) = fitting.next().or(records.first()) else {
        return parse(text).map(Reading::untyped);
    };
    let mut reading = parse(&record.value)?;
    for problem in &mut reading.problems {
        problem.span = record.in_text(problem.span);
    }
    let mut scribe = Scribe::new(text);
    if record.strings > 1 {
        scribe.note(format!(
            "{} strings of the record were joined without a gap.",
            record.strings
        ));
    }
    for extra in fitting {
        let whole = extra.in_text(Span {
            start: 0,
            end: extra.chars,
        });
        reading.problems.push(Problem {
            code: several.code,
            severity: several.severity,
            message: several.about.to_owned(),
            span: whole,
            reference: several.reference,
        });
    }
    let mut notes = Reading::new((), scribe).notes;
    notes.append(&mut reading.notes);
    reading.notes = notes;
    Ok(reading.untyped())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        records(text)
            .into_iter()
            .map(|record| record.value)
            .collect()
    }

    #[test]
    fn strings_are_joined_without_a_gap() {
        assert_eq!(values("\"v=spf1 a\" \" -all\""), ["v=spf1 a -all"]);
        assert_eq!(
            values("example.com. 300 IN TXT ( \"v=spf1 \"\n   \"-all\" )"),
            ["v=spf1 -all"]
        );
    }

    #[test]
    fn each_line_is_a_record() {
        assert_eq!(values("\"a=1\"\n\"b\\\"\\065\"\n"), ["a=1", "b\"A"]);
        assert_eq!(
            values("v=spf1 -all\nv=DMARC1; p=none"),
            ["v=spf1 -all", "v=DMARC1; p=none"]
        );
    }

    #[test]
    fn spans_point_into_what_was_pasted() {
        let text = "x TXT \"ab\" \"c\\100e\"";
        let record = &records(text)[0];
        assert_eq!(record.value, "abcde");
        let span = record.in_text(Span { start: 1, end: 3 });
        assert_eq!(&text[span.start as usize..span.end as usize], "b\" \"c");
        assert_eq!(
            record.in_text(Span { start: 4, end: 5 }),
            Span { start: 17, end: 18 }
        );
    }

    #[test]
    fn a_semicolon_may_keep_the_backslash_of_its_zone_file() {
        let text = "v=DMARC1\\; p=none\\; rua=x";
        let record = &records(text)[0];
        assert_eq!(record.value, "v=DMARC1; p=none; rua=x");
        let span = record.in_text(Span { start: 10, end: 16 });
        assert_eq!(&text[span.start as usize..span.end as usize], "p=none");
        assert_eq!(values("v=x; a=b\\c\\"), ["v=x; a=b\\c\\"]);
    }

    #[test]
    fn a_bare_value_keeps_its_quotes() {
        assert_eq!(values("v=BIMI1; l=\"x\""), ["v=BIMI1; l=\"x\""]);
    }
}
