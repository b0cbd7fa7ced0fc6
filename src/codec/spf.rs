//! SPF records (RFC 7208).
//!
//! [`parse`] reads one record; counting lookups through `include` and
//! `redirect` across records is the mail check's business.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::{Kind, txt};

mod macros;
mod term;

/// What there is to know about the kind `spf`.
pub const FORMAT: Format = Format {
    kind: Kind::Spf,
    title: "SPF record",
    reference: "RFC 7208",
    example: "v=spf1 ip4:192.0.2.0/24 mx include:_spf.example.net ptr ?all",
    fields: &[
        (
            "valid",
            "whether the record follows the grammar; if not, receivers answer permerror",
        ),
        (
            "terms",
            "mechanisms and modifiers in order: `text`, `name`, `qualifier`, and \
             `domain`, `network`, `prefix4`, `prefix6` where given; `lookup` when \
             evaluating it queries DNS, `meaning` in words",
        ),
        (
            "all",
            "result for every other sender: `pass`, `fail`, `softfail`, `neutral`, or \
             null without `all`",
        ),
        ("redirect", "domain whose record continues this one"),
        ("explanation", "domain of the explanation (`exp`)"),
        (
            "lookups",
            "terms of this record that count towards the limit of ten DNS lookups",
        ),
    ],
    rules: RULES,
    sniff: |text| if txt::any(text, is_spf) { 98 } else { 0 },
    read: |text, _| txt::read(text, is_spf, SEVERAL, parse),
};

/// What a mechanism makes of a sender that it matches (RFC 7208 section 4.6.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Qualifier {
    /// `+`, the default.
    Pass,
    /// `-`.
    Fail,
    /// `~`.
    Softfail,
    /// `?`.
    Neutral,
}

/// What a term is; those that name a domain or network carry it in [`Term`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    missing_docs,
    reason = "the names are those of RFC 7208 section 5 and 6"
)]
pub enum Name {
    All,
    Include,
    A,
    Mx,
    Ptr,
    Ip4,
    Ip6,
    Exists,
    Redirect,
    Exp,
    /// A modifier that this version does not know, to be ignored.
    Unknown,
}

/// One mechanism or modifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// As written.
    pub text: String,
    /// Which one.
    pub name: Name,
    /// None for modifiers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qualifier: Option<Qualifier>,
    /// Target name as written, macros included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// Address of `ip4` and `ip6`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// IPv4 prefix length, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix4: Option<u8>,
    /// IPv6 prefix length, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix6: Option<u8>,
    /// Whether evaluation queries DNS and counts (RFC 7208 section 4.6.4).
    pub lookup: bool,
    /// In words.
    pub meaning: String,
}

/// One SPF record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spf {
    /// Whether no problem makes receivers answer permerror.
    pub valid: bool,
    /// In order; at most 128.
    pub terms: Vec<Term>,
    /// Qualifier of `all`.
    pub all: Option<Qualifier>,
    /// Target of `redirect=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    /// Target of `exp=`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<String>,
    /// Terms of this record that count as DNS lookups.
    pub lookups: usize,
}

/// Reads one record, strings already joined.
///
/// # Errors
/// [`NotThis`] when the text does not begin with `v=spf1`.
pub fn parse(text: &str) -> Result<Reading<Spf>, NotThis> {
    let record = text.trim_matches(['\r', '\n', '\t', ' ']);
    if !is_spf(record) {
        return Err(NotThis("an SPF record begins with `v=spf1` and a space."));
    }
    let mut reader = Reader {
        scribe: Scribe::new(text),
        terms: Vec::new(),
        valid: true,
    };
    let (version, rest) = record.split_at(VERSION.len());
    if version != VERSION {
        reader.scribe.flag(
            VERSION_CASE,
            version,
            "The version is written `v=spf1` in lower case; some receivers match it literally.",
        );
    }
    for part in rest.split(' ').filter(|part| !part.is_empty()) {
        reader.part(part);
    }
    reader.judge(record);
    Ok(reader.finish())
}

/// The version section: `v=spf1` alone or with a space behind it.
fn is_spf(text: &str) -> bool {
    let head = text.trim_start().get(..VERSION.len());
    let behind = text.trim_start().get(VERSION.len()..).unwrap_or_default();
    head.is_some_and(|head| head.eq_ignore_ascii_case(VERSION))
        && (behind.is_empty() || behind.starts_with([' ', '\t', '\r', '\n']))
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    terms: Vec<(Term, &'a str)>,
    valid: bool,
}

impl<'a> Reader<'a> {
    /// What lies between two spaces: one term, or a term with white space in
    /// it that SPF does not know.
    fn part(&mut self, part: &'a str) {
        const BREAKS: [char; 3] = ['\t', '\r', '\n'];
        let mut rest = part;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.find(BREAKS).unwrap_or(rest.len()));
            if !piece.is_empty() {
                self.term(piece);
            }
            rest = behind.trim_start_matches(BREAKS);
            let (gap, _) = behind.split_at(behind.len() - rest.len());
            if !gap.is_empty() {
                self.valid = false;
                self.scribe.flag(
                    WHITE_SPACE,
                    gap,
                    "Terms are separated by spaces; a tab or line break is a syntax error.",
                );
            }
        }
    }

    fn term(&mut self, text: &'a str) {
        match term::read(text) {
            Ok(term) if self.terms.len() < TERM_LIMIT => self.terms.push((term, text)),
            Ok(_) => self.fault(text, "is beyond the first 128 terms"),
            Err((part, why)) => self.fault(part, why),
        }
    }

    fn fault(&mut self, part: &'a str, why: &str) {
        self.valid = false;
        self.scribe
            .flag(SYNTAX, part, format!("{} {why}.", quoted(part)));
    }

    /// Everything beyond the syntax of single terms.
    fn judge(&mut self, record: &'a str) {
        self.judge_modifiers();
        self.judge_terms();
        let lookups: Vec<&'a str> = self
            .terms
            .iter()
            .filter(|(term, _)| term.lookup)
            .map(|(_, text)| *text)
            .collect();
        if let Some(eleventh) = lookups.get(LOOKUP_LIMIT) {
            self.valid = false;
            self.scribe.flag(TOO_MANY_LOOKUPS, eleventh, format!("{} terms of this record alone need DNS lookups; at most 10 are allowed, those of included records counted along.", lookups.len()));
        }
        if !record.is_ascii() {
            self.valid = false;
            let odd = record.char_indices().find(|(_, c)| !c.is_ascii());
            let part = odd
                .and_then(|(at, c)| record.get(at..at + c.len_utf8()))
                .unwrap_or(record);
            self.scribe
                .flag(NOT_ASCII, part, "SPF records are US-ASCII.");
        }
        if record.len() > SIZE_ADVICE {
            self.scribe.flag(
                LONG,
                record,
                format!(
                    "{} characters; beyond 450 the answer may not fit into 512 octets.",
                    record.len()
                ),
            );
        }
        self.judge_all(record);
    }

    fn judge_all(&mut self, record: &'a str) {
        let at = self
            .terms
            .iter()
            .position(|(term, _)| term.name == Name::All);
        let redirect = self
            .terms
            .iter()
            .find(|(term, _)| term.name == Name::Redirect)
            .map(|(_, text)| *text);
        let Some(at) = at else {
            // Of a permerror nothing follows for other senders.
            if redirect.is_none() && self.valid {
                self.scribe.flag(
                    NO_ALL,
                    record.get(..VERSION.len()).unwrap_or(record),
                    "Neither `all` nor `redirect` ends the record: every other sender is neutral.",
                );
            }
            return;
        };
        if let Some((all, text)) = self.terms.get(at) {
            match all.qualifier {
                Some(Qualifier::Pass) => self.scribe.flag(
                    ALL_PASS,
                    text,
                    "Everyone on the internet may send for this domain.",
                ),
                Some(Qualifier::Neutral) => self.scribe.flag(
                    ALL_NEUTRAL,
                    text,
                    "Says nothing about other senders, as if the record ended without it.",
                ),
                _ => {}
            }
        }
        for (term, text) in self.terms.iter().skip(at + 1) {
            if term.qualifier.is_some() {
                self.scribe.flag(
                    UNREACHABLE,
                    text,
                    "Stands behind `all` and is never evaluated.",
                );
            }
        }
        if let Some(text) = redirect {
            self.scribe.flag(
                REDIRECT_IGNORED,
                text,
                "`redirect` is ignored in a record with `all`.",
            );
        }
    }

    /// `redirect` and `exp` at most once (RFC 7208 section 6).
    fn judge_modifiers(&mut self) {
        for name in [Name::Redirect, Name::Exp] {
            let again: Vec<&str> = self
                .terms
                .iter()
                .filter(|(term, _)| term.name == name)
                .skip(1)
                .map(|(_, text)| *text)
                .collect();
            for text in again {
                self.valid = false;
                self.scribe.flag(
                    REPEATED_MODIFIER,
                    text,
                    "`redirect` and `exp` may appear once each.",
                );
            }
        }
    }

    fn judge_terms(&mut self) {
        let mut seen = std::collections::BTreeSet::new();
        for (term, text) in &self.terms {
            match term.name {
                Name::Ptr => self.scribe.flag(
                    PTR,
                    text,
                    "`ptr` is slow, unreliable and should not be used.",
                ),
                Name::Unknown => self.scribe.flag(
                    UNKNOWN_MODIFIER,
                    text,
                    "A modifier that SPF does not define; it is ignored.",
                ),
                Name::Ip4 if term.prefix4 == Some(0) => {
                    self.scribe
                        .flag(WHOLE_INTERNET, text, "Covers every IPv4 address.")
                }
                Name::Ip6 if term.prefix6 == Some(0) => {
                    self.scribe
                        .flag(WHOLE_INTERNET, text, "Covers every IPv6 address.")
                }
                Name::Ip4 if term.prefix4.is_some_and(|bits| bits < 16) => {
                    self.scribe
                        .flag(WIDE_NETWORK, text, "Authorises more than 65536 addresses.")
                }
                Name::Ip4 | Name::Ip6 if is_not_public(term) => self.scribe.flag(
                    NOT_PUBLIC,
                    text,
                    "No mail arrives from this address over the internet.",
                ),
                _ => {}
            }
            if !seen.insert(text.to_ascii_lowercase()) {
                self.scribe
                    .flag(REPEATED_TERM, text, "This term is already there.");
            }
        }
    }

    fn finish(self) -> Reading<Spf> {
        let target = |name: Name| {
            let found = self.terms.iter().find(|(term, _)| term.name == name);
            found.and_then(|(term, _)| term.domain.clone())
        };
        let all = self.terms.iter().find(|(term, _)| term.name == Name::All);
        let spf = Spf {
            valid: self.valid,
            all: all.and_then(|(term, _)| term.qualifier),
            redirect: target(Name::Redirect),
            explanation: target(Name::Exp),
            lookups: self.terms.iter().filter(|(term, _)| term.lookup).count(),
            terms: self.terms.into_iter().map(|(term, _)| term).collect(),
        };
        Reading::new(spf, self.scribe)
    }
}

fn is_not_public(term: &Term) -> bool {
    let Some(address) = term.network.as_deref() else {
        return false;
    };
    match (address.parse::<Ipv4Addr>(), address.parse::<Ipv6Addr>()) {
        (Ok(four), _) => {
            four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast()
        }
        (_, Ok(six)) => {
            six.is_loopback()
                || six.is_unique_local()
                || six.is_unicast_link_local()
                || six.is_multicast()
        }
        _ => false,
    }
}

const VERSION: &str = "v=spf1";
const TERM_LIMIT: usize = 128;
const LOOKUP_LIMIT: usize = 10;
const SIZE_ADVICE: usize = 450;

rules! {
    SYNTAX = "spf.syntax", High, "RFC 7208 section 12",
        "A term does not follow the grammar; receivers answer permerror.";
    WHITE_SPACE = "spf.white_space", High, "RFC 7208 section 12",
        "A tab or line break separates terms.";
    NOT_ASCII = "spf.not_ascii", High, "RFC 7208 section 3.1",
        "The record has characters outside US-ASCII.";
    TOO_MANY_LOOKUPS = "spf.too_many_lookups", High, "RFC 7208 section 4.6.4",
        "More than ten terms need DNS lookups; receivers answer permerror.";
    REPEATED_MODIFIER = "spf.repeated_modifier", High, "RFC 7208 section 6",
        "`redirect` or `exp` is given twice; receivers answer permerror.";
    SEVERAL = "spf.several_records", High, "RFC 7208 section 4.5",
        "A domain with more than one SPF record makes receivers answer permerror.";
    ALL_PASS = "spf.all_pass", High, "RFC 7208 section 5.1",
        "`+all` authorises everyone.";
    WHOLE_INTERNET = "spf.whole_internet", High, "RFC 7208 section 5.6",
        "A network of prefix length 0 authorises everyone.";
    WIDE_NETWORK = "spf.wide_network", Medium, "RFC 7208 section 11.4",
        "A network of more than 65536 addresses is authorised.";
    ALL_NEUTRAL = "spf.all_neutral", Medium, "RFC 7208 section 8.2",
        "`?all` protects nothing.";
    NO_ALL = "spf.no_all", Medium, "RFC 7208 section 4.7",
        "The record ends without `all` or `redirect`.";
    UNREACHABLE = "spf.unreachable", Low, "RFC 7208 section 5.1",
        "A mechanism behind `all` is never evaluated.";
    REDIRECT_IGNORED = "spf.redirect_ignored", Low, "RFC 7208 section 6.1",
        "`redirect` beside `all` is ignored.";
    PTR = "spf.ptr", Low, "RFC 7208 section 5.5",
        "The mechanism `ptr` should not be used.";
    NOT_PUBLIC = "spf.not_public", Low, "RFC 6890 section 2.2",
        "An address from which no public mail can come is authorised.";
    REPEATED_TERM = "spf.repeated_term", Low, "RFC 7208 section 4.6.2",
        "A term is given twice.";
    VERSION_CASE = "spf.version_case", Low, "RFC 7208 section 4.5",
        "The version is not written in lower case.";
    LONG = "spf.long", Low, "RFC 7208 section 3.4",
        "The record is too long for a small DNS answer.";
    UNKNOWN_MODIFIER = "spf.unknown_modifier", Info, "RFC 7208 section 6",
        "A modifier is not defined and ignored.";
}

#[cfg(test)]
mod tests;
