//! MTA-STS (RFC 8461): the TXT record and the policy file.

use serde::Serialize;

use super::format::{Format, NotThis, Outcome, Reading, Scribe, quoted, range_within, rules};
use super::moment::span_text;
use super::tags::{self, TagRules};
use super::{Context, Kind, txt};

/// What there is to know about the kind `mta_sts`.
pub const FORMAT: Format = Format {
    kind: Kind::MtaSts,
    title: "MTA-STS record or policy",
    reference: "RFC 8461",
    example: "version: STSv1\nmode: testing\nmx: mail.example.com\nmx: *.example.net\nmax_age: 3600\n",
    fields: &[
        ("form", "`record` (TXT at _mta-sts) or `policy` (the file)"),
        ("valid", "whether senders can use it"),
        ("id", "record: changes whenever the policy does"),
        ("mode", "policy: `enforce`, `testing` or `none`"),
        (
            "mx",
            "policy: patterns of mail servers that mail may be sent to",
        ),
        ("maxAge", "policy: seconds it may be kept"),
    ],
    rules: RULES,
    sniff: |text| match () {
        () if txt::any(text, is_record) => 98,
        () if first_key(text).eq_ignore_ascii_case("version") && text.contains("STSv1") => 98,
        () => 0,
    },
    read,
};

/// The TXT record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    form: &'static str,
    /// Whether senders can use it.
    pub valid: bool,
    /// `id`.
    pub id: Option<String>,
}

/// What senders do with a server that does not match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Do not deliver.
    Enforce,
    /// Deliver and report.
    Testing,
    /// There is no policy.
    None,
}

/// The policy file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    form: &'static str,
    /// Whether senders can use it.
    pub valid: bool,
    /// `mode`.
    pub mode: Option<Mode>,
    /// `mx` patterns, lower case; at most 128.
    pub mx: Vec<String>,
    /// Seconds.
    pub max_age: Option<u64>,
}

impl Policy {
    /// Whether a mail server's name matches a pattern (RFC 8461 section 4.1):
    /// a wildcard stands for one left-most label.
    pub fn allows(&self, server: &str) -> bool {
        let server = server
            .strip_suffix('.')
            .unwrap_or(server)
            .to_ascii_lowercase();
        self.mx
            .iter()
            .any(|pattern| match pattern.strip_prefix("*.") {
                Some(parent) => server
                    .split_once('.')
                    .is_some_and(|(_, above)| above == parent),
                None => *pattern == server,
            })
    }
}

fn read(text: &str, _: &Context) -> Outcome {
    if txt::any(text, is_record) {
        return txt::read(text, is_record, SEVERAL, parse_record);
    }
    parse_policy(text).map(Reading::untyped)
}

/// Reads the TXT record, strings already joined.
///
/// # Errors
/// [`NotThis`] when it does not begin with `v=STSv1`.
pub fn parse_record(text: &str) -> Result<Reading<Record>, NotThis> {
    if !is_record(text) {
        return Err(NEITHER);
    }
    let mut scribe = Scribe::new(text);
    let found = tags::read(
        text,
        &TagRules {
            malformed: MALFORMED,
            repeated: REPEATED,
            several: &[],
        },
        &mut scribe,
    );
    let mut valid = !scribe.has(MALFORMED);
    let version = found.first().copied();
    if let Some(tag) = version.filter(|tag| tag.name != "v" || tag.value != VERSION) {
        valid = false;
        scribe.flag(
            VERSION_CASE,
            tag.whole,
            "The version must be written `v=STSv1` exactly.",
        );
    }
    let id = tags::find(&found, "id");
    match id {
        None => {
            valid = false;
            scribe.flag(
                NO_ID,
                version.map_or(text, |tag| tag.whole),
                "There is no `id`; senders ignore the record.",
            );
        }
        Some(tag) if !is_id(tag.value) => {
            valid = false;
            scribe.flag(BAD_ID, tag.value, "An `id` is 1 to 32 letters and digits.");
        }
        Some(_) => {}
    }
    for tag in found.iter().filter(|tag| !matches!(tag.name, "v" | "id")) {
        scribe.flag(
            UNKNOWN_KEY,
            tag.whole,
            format!("{} is not defined and ignored.", quoted(tag.name)),
        );
    }
    let record = Record {
        form: "record",
        valid,
        id: id.map(|tag| tag.value.to_owned()),
    };
    Ok(Reading::new(record, scribe))
}

/// Reads the policy file.
///
/// # Errors
/// [`NotThis`] when no line is `version: STSv1` in any case.
pub fn parse_policy(text: &str) -> Result<Reading<Policy>, NotThis> {
    let is_version =
        |line: &Line| line.key == "version" && line.value.eq_ignore_ascii_case(VERSION);
    let mut reader = Reader {
        scribe: Scribe::new(text),
        valid: true,
    };
    let lines = reader.lines(text);
    if !lines.iter().any(is_version) {
        return Err(NEITHER);
    }
    let policy = reader.policy(text, &lines);
    Ok(Reading::new(policy, reader.scribe))
}

/// One `key: value`.
struct Line<'a> {
    key: &'a str,
    value: &'a str,
    whole: &'a str,
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    valid: bool,
}

impl<'a> Reader<'a> {
    fn lines(&mut self, text: &'a str) -> Vec<Line<'a>> {
        let mut found: Vec<Line> = Vec::new();
        for whole in text.lines().take(LINE_LIMIT) {
            let whole = whole.trim();
            let Some((key, value)) = whole.split_once(':') else {
                if !whole.is_empty() {
                    let message = format!("{} is no `key: value` line.", quoted(whole));
                    self.fault(MALFORMED, whole, &message);
                }
                continue;
            };
            let line = Line {
                key: key.trim_end(),
                value: value.trim(),
                whole,
            };
            if line.key != "mx" && found.iter().any(|other| other.key == line.key) {
                self.scribe.flag(
                    REPEATED,
                    whole,
                    format!("{} is given twice; the first counts.", quoted(line.key)),
                );
                continue;
            }
            found.push(line);
        }
        found
    }

    fn policy(&mut self, text: &'a str, lines: &[Line<'a>]) -> Policy {
        let find = |key: &str| lines.iter().find(|line| line.key == key);
        let version = find("version");
        if let Some(line) = version.filter(|line| line.value != VERSION) {
            self.fault(
                VERSION_CASE,
                line.value,
                "The version must be written `STSv1` exactly.",
            );
        }
        let start = version.map_or(text, |line| line.whole);
        let mode = match find("mode") {
            Some(line) => self.mode(line),
            None => {
                self.fault(NO_MODE, start, "There is no `mode`.");
                None
            }
        };
        let max_age = match find("max_age") {
            Some(line) => self.max_age(line),
            None => {
                self.fault(NO_MAX_AGE, start, "There is no `max_age`.");
                None
            }
        };
        let mx: Vec<String> = lines
            .iter()
            .filter(|line| line.key == "mx")
            .take(MX_LIMIT)
            .map(|line| self.mx(line))
            .collect();
        if mx.is_empty() && mode != Some(Mode::None) {
            self.fault(
                NO_MX,
                start,
                "There is no `mx`: no server may receive mail.",
            );
        }
        for line in lines.iter().filter(|line| !KEYS.contains(&line.key)) {
            self.scribe.flag(
                UNKNOWN_KEY,
                line.whole,
                format!("{} is not defined and ignored.", quoted(line.key)),
            );
        }
        Policy {
            form: "policy",
            valid: self.valid,
            mode,
            mx,
            max_age,
        }
    }

    fn mode(&mut self, line: &Line<'a>) -> Option<Mode> {
        match line.value {
            "enforce" => Some(Mode::Enforce),
            "testing" => {
                self.scribe.flag(
                    TESTING,
                    line.whole,
                    "Testing: mail is delivered whatever the server shows.",
                );
                Some(Mode::Testing)
            }
            "none" => {
                self.scribe
                    .flag(NO_POLICY, line.whole, "Declares that there is no policy.");
                Some(Mode::None)
            }
            _ => {
                self.fault(
                    BAD_MODE,
                    line.value,
                    "The mode is `enforce`, `testing` or `none`.",
                );
                None
            }
        }
    }

    fn max_age(&mut self, line: &Line<'a>) -> Option<u64> {
        let digits =
            (1..=10).contains(&line.value.len()) && line.value.bytes().all(|b| b.is_ascii_digit());
        let age = line
            .value
            .parse()
            .ok()
            .filter(|age| digits && *age <= LONGEST);
        match age {
            None => self.fault(
                BAD_MAX_AGE,
                line.value,
                "`max_age` is a number of seconds up to 31557600.",
            ),
            Some(age) if age < DAY => {
                let span = span_text(age as i64);
                self.scribe.flag(
                    SHORT_AGE,
                    line.value,
                    format!(
                        "Kept for {span} only; weeks are recommended, or an attacker needs to \
                         wait little."
                    ),
                );
            }
            Some(_) => {}
        }
        age
    }

    fn mx(&mut self, line: &Line<'a>) -> String {
        let host = line.value.strip_prefix("*.").unwrap_or(line.value);
        let is_host = host.contains('.')
            && host.len() <= 253
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            });
        if !is_host {
            let part = if range_within(line.whole, line.value).is_some_and(|range| range.is_empty())
            {
                line.whole
            } else {
                line.value
            };
            self.fault(
                BAD_MX,
                part,
                "A pattern is a host name; a wildcard may stand for the whole left-most label.",
            );
        }
        line.value.to_ascii_lowercase()
    }

    fn fault(&mut self, rule: &'static super::format::Rule, part: &'a str, message: &str) {
        self.valid = false;
        self.scribe.flag(rule, part, message);
    }
}

fn is_record(text: &str) -> bool {
    tags::has_version(text, VERSION)
}

fn first_key(text: &str) -> &str {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.split_once(':').map_or("", |(key, _)| key.trim())
}

fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

const VERSION: &str = "STSv1";
const KEYS: &[&str] = &["version", "mode", "mx", "max_age"];
const DAY: u64 = 86_400;
const LONGEST: u64 = 31_557_600;
const MX_LIMIT: usize = 128;
const LINE_LIMIT: usize = 1_024;

const NEITHER: NotThis =
    NotThis("an MTA-STS record begins with `v=STSv1;`, a policy has a line `version: STSv1`.");

rules! {
    VERSION_CASE = "mta_sts.version_case", High, "RFC 8461 section 3.1",
        "The version is not written as it must be.";
    NO_ID = "mta_sts.no_id", High, "RFC 8461 section 3.1",
        "The record has no `id`.";
    BAD_ID = "mta_sts.bad_id", High, "RFC 8461 section 3.1",
        "The `id` is malformed.";
    SEVERAL = "mta_sts.several_records", High, "RFC 8461 section 3.1",
        "Senders ignore all records where there is more than one.";
    NO_MODE = "mta_sts.no_mode", High, "RFC 8461 section 3.2",
        "The policy has no mode.";
    BAD_MODE = "mta_sts.bad_mode", High, "RFC 8461 section 3.2",
        "The mode does not exist.";
    NO_MAX_AGE = "mta_sts.no_max_age", High, "RFC 8461 section 3.2",
        "The policy has no `max_age`.";
    BAD_MAX_AGE = "mta_sts.bad_max_age", High, "RFC 8461 section 3.2",
        "`max_age` is malformed or too large.";
    NO_MX = "mta_sts.no_mx", High, "RFC 8461 section 3.2",
        "The policy names no server.";
    BAD_MX = "mta_sts.bad_mx", High, "RFC 8461 section 3.2",
        "A server pattern is malformed.";
    MALFORMED = "mta_sts.malformed", High, "RFC 8461 section 3.2",
        "A line or field is no key with a value; senders take the whole for invalid.";
    REPEATED = "mta_sts.repeated_key", Medium, "RFC 8461 section 3.2",
        "A key is given twice; the first counts.";
    SHORT_AGE = "mta_sts.short_age", Low, "RFC 8461 section 3.2",
        "The policy is kept for less than a day.";
    TESTING = "mta_sts.testing", Info, "RFC 8461 section 5",
        "The mode is `testing`.";
    NO_POLICY = "mta_sts.no_policy", Info, "RFC 8461 section 5",
        "The mode is `none`.";
    UNKNOWN_KEY = "mta_sts.unknown_key", Info, "RFC 8461 section 3.2",
        "A key is not defined and ignored.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_8461_are_valid() {
        let record = parse_record("v=STSv1; id=20160831085700Z;").unwrap();
        assert!(record.value.valid && record.problems.is_empty());
        let policy = parse_policy("version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n").unwrap();
        assert!(policy.value.valid && policy.problems.is_empty());
        assert_eq!(policy.value.mode, Some(Mode::Enforce));
        for (server, allowed) in [
            ("MAIL.example.com.", true),
            ("a.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
        ] {
            assert_eq!(policy.value.allows(server), allowed, "{server}");
        }
    }

    #[test]
    fn unusable_policies_are_invalid() {
        for (text, code) in [
            (
                "version: STSv1\nmx: a.example\nmax_age: 604800",
                "mta_sts.no_mode",
            ),
            (
                "version: STSv1\nmode: on\nmx: a.example\nmax_age: 604800",
                "mta_sts.bad_mode",
            ),
            (
                "version: STSv1\nmode: enforce\nmax_age: 604800",
                "mta_sts.no_mx",
            ),
            (
                "version: STSv1\nmode: enforce\nmx: a.*.example\nmax_age: 604800",
                "mta_sts.bad_mx",
            ),
            (
                "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1w",
                "mta_sts.bad_max_age",
            ),
            (
                "version: stsv1\nmode: enforce\nmx: a.example\nmax_age: 604800",
                "mta_sts.version_case",
            ),
        ] {
            let reading = parse_policy(text).unwrap();
            assert!(
                !reading.value.valid && reading.has(code),
                "{text}: {:?}",
                reading.problems
            );
        }
    }

    #[test]
    fn unusable_records_are_invalid() {
        assert!(parse_record("v=STSv1;").unwrap().has("mta_sts.no_id"));
        assert!(
            parse_record("v=STSv1; id=a-b")
                .unwrap()
                .has("mta_sts.bad_id")
        );
        assert!(parse_record("v=STSv2; id=a").is_err());
    }
}
