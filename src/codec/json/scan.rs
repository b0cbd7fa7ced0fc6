//! A JSON scanner (RFC 8259) that keeps positions, which `serde_json` does
//! not: where each top-level member lies, which names are given twice, which
//! numbers lose digits, where the grammar is broken.
//!
//! It walks with a stack of its own, so nesting costs memory of the order of
//! the text and never the call stack.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;
use serde_json::Value;

/// The deepest nesting that is turned into a value.
pub(crate) const DEPTH_LIMIT: usize = 32;

/// Positions remembered of each sort.
const REMEMBERED: usize = 256;

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Type {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
}

/// A member of the outermost object; ranges are byte offsets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) name_at: Range<usize>,
    pub(crate) value_at: Range<usize>,
}

/// Where the grammar is broken, and how.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Range<usize>,
    pub(crate) why: &'static str,
}

/// What the scanner saw.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scan {
    pub(crate) root: Option<Type>,
    /// Deepest nesting of arrays and objects; a lone number has 0.
    pub(crate) depth: usize,
    /// Values of all types, containers included.
    pub(crate) values: usize,
    /// Members of the outermost object, or items of the outermost array.
    pub(crate) width: usize,
    pub(crate) members: Vec<Member>,
    /// Items of the outermost array.
    pub(crate) items: Vec<Range<usize>>,
    pub(crate) repeated: Vec<Range<usize>>,
    pub(crate) inexact: Vec<Range<usize>>,
    pub(crate) fault: Option<Fault>,
}

impl Scan {
    /// The outermost member of this name (the last one, as parsers take it).
    pub(crate) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().rev().find(|member| member.name == name)
    }

    /// What the scanned text has as the value of the outermost member of
    /// this name.
    pub(crate) fn text_of<'t>(&self, text: &'t str, name: &str) -> Option<&'t str> {
        text.get(self.member(name)?.value_at.clone())
    }

    /// Whether the text is neither broken nor too deep.
    pub(crate) fn is_sound(&self) -> bool {
        self.fault.is_none() && self.depth <= DEPTH_LIMIT
    }

    /// The scanned text as a value, if it is sound.
    pub(crate) fn value(&self, text: &str) -> Option<Value> {
        self.is_sound()
            .then(|| serde_json::from_str(text).ok())
            .flatten()
    }
}

/// Scans the whole of `text`, which must be one JSON value.
pub(crate) fn scan(text: &str) -> Scan {
    scanned(text, true)
}

/// The same without looking for names that are given twice, which is most of
/// the work where there are many.
pub(crate) fn outline(text: &str) -> Scan {
    scanned(text, false)
}

fn scanned(text: &str, compares_names: bool) -> Scan {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: Vec::new(),
        compares_names,
        scan: Scan::default(),
    };
    if let Err(fault) = scanner.run() {
        scanner.scan.fault = Some(fault);
    }
    scanner.scan
}

enum Frame<'a> {
    Array,
    Object(BTreeSet<Cow<'a, str>>),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    ValueOrClose,
    NameOrClose,
    Name,
    CommaOrClose,
    End,
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Frame<'a>>,
    compares_names: bool,
    scan: Scan,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) -> Result<(), Fault> {
        let mut next = Next::Value;
        loop {
            self.skip_space();
            next = match (next, self.peek()) {
                (Next::End, None) => return Ok(()),
                (Next::End, Some(_)) => {
                    return Err(self.rest("text goes on behind the value"));
                }
                (_, None) => return Err(self.here("the text ends before the value does")),
                (Next::ValueOrClose, Some(b']')) | (Next::NameOrClose, Some(b'}')) => self.close(),
                (Next::Value | Next::ValueOrClose, Some(byte)) => self.value(byte)?,
                (Next::Name | Next::NameOrClose, Some(b'"')) => self.name()?,
                (Next::Name | Next::NameOrClose, _) => {
                    return Err(self.here("a member name in double quotes is missing"));
                }
                (Next::CommaOrClose, Some(byte)) => self.comma_or_close(byte)?,
            };
        }
    }

    fn value(&mut self, byte: u8) -> Result<Next, Fault> {
        let start = self.at;
        let of_array = self.open.len() == 1 && matches!(self.open.last(), Some(Frame::Array));
        if of_array {
            self.scan.width += 1;
            if self.scan.width <= REMEMBERED {
                self.scan.items.push(start..start);
            }
        }
        self.scan.values += 1;
        let kind = match byte {
            b'{' => Type::Object,
            b'[' => Type::Array,
            b'"' => Type::String,
            b'-' | b'0'..=b'9' => Type::Number,
            b't' | b'f' => Type::Boolean,
            b'n' => Type::Null,
            _ => return Err(self.here("a value is missing, or is none that JSON has")),
        };
        self.scan.root.get_or_insert(kind);
        match kind {
            Type::Object | Type::Array => return Ok(self.enter(kind)),
            Type::String => self.string()?,
            Type::Number => self.number(start)?,
            Type::Boolean | Type::Null => self.word()?,
        }
        self.leave_value();
        Ok(self.after_value())
    }

    fn enter(&mut self, kind: Type) -> Next {
        self.at += 1;
        let (frame, next) = match kind {
            Type::Object => (Frame::Object(BTreeSet::new()), Next::NameOrClose),
            _ => (Frame::Array, Next::ValueOrClose),
        };
        self.open.push(frame);
        self.scan.depth = self.scan.depth.max(self.open.len());
        next
    }

    fn close(&mut self) -> Next {
        self.at += 1;
        self.open.pop();
        self.leave_value();
        self.after_value()
    }

    /// Ends the member or item of the outermost container whose value just
    /// ended.
    fn leave_value(&mut self) {
        if self.scan.width > REMEMBERED {
            return;
        }
        let ended = match self.open.as_slice() {
            [Frame::Object(_)] => self
                .scan
                .members
                .last_mut()
                .map(|member| &mut member.value_at),
            [Frame::Array] => self.scan.items.last_mut(),
            _ => None,
        };
        if let Some(range) = ended {
            range.end = self.at;
        }
    }

    fn after_value(&self) -> Next {
        if self.open.is_empty() {
            Next::End
        } else {
            Next::CommaOrClose
        }
    }

    fn comma_or_close(&mut self, byte: u8) -> Result<Next, Fault> {
        match (self.open.last(), byte) {
            (Some(Frame::Array), b']') | (Some(Frame::Object(_)), b'}') => Ok(self.close()),
            (Some(Frame::Array), b',') => {
                self.at += 1;
                Ok(Next::Value)
            }
            (Some(Frame::Object(_)), b',') => {
                self.at += 1;
                Ok(Next::Name)
            }
            _ => Err(self.here("a comma or the closing bracket is missing")),
        }
    }

    /// A member name and its colon.
    fn name(&mut self) -> Result<Next, Fault> {
        let start = self.at;
        self.string()?;
        let range = start..self.at;
        let raw = self.text.get(start + 1..self.at - 1).unwrap_or_default();
        let name = unescaped(raw);
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.here("a colon is missing behind the member name"));
        }
        self.at += 1;
        self.skip_space();
        let outermost = self.open.len() == 1;
        if outermost {
            self.scan.width += 1;
            if self.scan.width <= REMEMBERED {
                self.scan.members.push(Member {
                    name: name.clone().into_owned(),
                    name_at: range.clone(),
                    value_at: self.at..self.at,
                });
            }
        }
        if let Some(Frame::Object(names)) = self.open.last_mut()
            && self.compares_names
            && !names.insert(name)
            && self.scan.repeated.len() < REMEMBERED
        {
            self.scan.repeated.push(range);
        }
        Ok(Next::Value)
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(..0x20) => {
                    return Err(self.here("a control character stands unescaped in a string"));
                }
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return Err(self.rest("a string is not closed"));
                }
            }
        }
    }

    /// One escape sequence; surrogates must come in pairs (serde_json and
    /// I-JSON agree).
    fn escape(&mut self) -> Result<(), Fault> {
        match self.text.as_bytes().get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') => match self.unit(self.at) {
                Some(0xD800..=0xDBFF) => match self.unit(self.at + 6) {
                    Some(0xDC00..=0xDFFF) => {
                        self.at += 12;
                        Ok(())
                    }
                    _ => Err(self.range(6, "half of a surrogate pair")),
                },
                Some(0xDC00..=0xDFFF) => Err(self.range(6, "half of a surrogate pair")),
                Some(_) => {
                    self.at += 6;
                    Ok(())
                }
                None => Err(self.range(2, "`\\u` needs four hexadecimal digits")),
            },
            _ => Err(self.range(2, "an escape that JSON does not have")),
        }
    }

    /// The UTF-16 code unit of a `\uXXXX` at `at`.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self, start: usize) -> Result<(), Fault> {
        self.skip_if(b"-");
        let whole = self.digits();
        let leading = self.text.as_bytes().get(self.at - whole) == Some(&b'0');
        if whole == 0 || (leading && whole > 1) {
            return Err(Fault {
                at: start..self.at.max(start + 1),
                why: "a number begins with a digit and not with a needless zero",
            });
        }
        if self.skip_if(b".") && self.digits() == 0 {
            return Err(self.here("digits are missing behind the decimal point"));
        }
        let scaled = self.skip_if(b"eE");
        if scaled {
            self.skip_if(b"+-");
            if self.digits() == 0 {
                return Err(self.here("digits are missing in the exponent"));
            }
        }
        let range = start..self.at;
        let text = self.text.get(range.clone()).unwrap_or_default();
        // By the parser that makes values: std's has 10 KiB of tables for it.
        let long = scaled || text.len() > f64::MAX_10_EXP as usize;
        if long && serde_json::from_str::<f64>(text).is_err() {
            return Err(Fault {
                at: range,
                why: "a number too large for any parser",
            });
        }
        if loses_digits(text) && self.scan.inexact.len() < REMEMBERED {
            self.scan.inexact.push(range);
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Fault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match ["true", "false", "null"]
            .iter()
            .find(|word| rest.starts_with(**word))
        {
            Some(word) => {
                self.at += word.len();
                Ok(())
            }
            None => Err(self.here("a value is missing, or is none that JSON has")),
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn skip_if(&mut self, any: &[u8]) -> bool {
        let there = self.peek().is_some_and(|byte| any.contains(&byte));
        self.at += usize::from(there);
        there
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn here(&self, why: &'static str) -> Fault {
        self.range(1, why)
    }

    fn rest(&self, why: &'static str) -> Fault {
        self.range(self.text.len(), why)
    }

    fn range(&self, len: usize, why: &'static str) -> Fault {
        let end = (self.at + len).min(self.text.len());
        let end = self.text.ceil_char_boundary(end);
        Fault {
            at: self.at.min(end)..end,
            why,
        }
    }
}

fn unescaped(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    match serde_json::from_str::<String>(&format!("\"{raw}\"")) {
        Ok(name) => Cow::Owned(name),
        Err(_) => Cow::Borrowed(raw),
    }
}

/// Whether a number is an integer that a double cannot hold exactly
/// (RFC 8259 section 6).
fn loses_digits(number: &str) -> bool {
    const EXACT: u64 = 1 << 53;
    let digits = number.trim_start_matches('-');
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits.parse::<u64>().map_or(true, |value| value > EXACT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_where_they_stand() {
        let text = r#" {"a": [1, {"b": 2}], "c\u0041": "x"} "#;
        let seen = scan(text);
        assert_eq!(seen.fault, None);
        assert_eq!((seen.depth, seen.values, seen.width), (3, 6, 2));
        assert_eq!(&text[seen.members[0].value_at.clone()], r#"[1, {"b": 2}]"#);
        assert_eq!(seen.members[1].name, "cA");
        assert_eq!(&text[seen.members[1].value_at.clone()], r#""x""#);
    }

    #[test]
    fn a_name_given_twice_is_seen_through_its_escapes() {
        let text = r#"{"alg":1,"\u0061lg":2}"#;
        let seen = scan(text);
        assert_eq!(&text[seen.repeated[0].clone()], r#""\u0061lg""#);
        assert_eq!(&text[seen.member("alg").unwrap().value_at.clone()], "2");
    }

    #[test]
    fn faults_are_placed() {
        let large = format!("1{}", "0".repeat(309));
        for (text, at) in [
            ("[1,]", 3),
            ("{\"a\" 1}", 5),
            ("01", 0),
            ("[1] x", 4),
            ("\"\\ud800\"", 1),
            ("tru", 0),
            ("1e", 2),
            ("\"a\nb\"", 2),
            ("{", 1),
            ("1e999", 0),
            (large.as_str(), 0),
        ] {
            let fault = scan(text).fault.unwrap_or_else(|| panic!("{text}"));
            assert_eq!(fault.at.start, at, "{text}: {}", fault.why);
        }
    }

    #[test]
    fn nesting_does_not_touch_the_call_stack() {
        let deep = "[".repeat(60_000) + &"]".repeat(60_000);
        let seen = scan(&deep);
        assert_eq!((seen.depth, seen.fault.clone()), (60_000, None));
        assert_eq!(seen.value(&deep), None);
    }

    #[test]
    fn what_passes_here_passes_serde_json_and_the_reverse() {
        for text in [
            "1",
            "-0",
            "-",
            "1.0e-3",
            ".5",
            "1.",
            "[]",
            "[,]",
            "{}",
            "{,}",
            "\"\\x\"",
            "nul",
            "[1 2]",
            "{\"a\":1,}",
            "\"\\uD83D\\uDE00\"",
            "\"\\uDE00\"",
            "1E400",
            "  7  ",
            "\u{feff}1",
        ] {
            let ours = scan(text).fault.is_none();
            assert_eq!(ours, serde_json::from_str::<Value>(text).is_ok(), "{text}");
        }
    }
}
