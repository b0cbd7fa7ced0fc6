//! HTTP Strict Transport Security (RFC 6797).

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::moment::span_text;
use super::{Kind, header};

/// What there is to know about the kind `hsts`.
pub const FORMAT: Format = Format {
    kind: Kind::Hsts,
    title: "Strict-Transport-Security header",
    reference: "RFC 6797",
    example: "Strict-Transport-Security: max-age=86400; preload",
    fields: &[
        ("valid", "whether browsers heed the header"),
        ("maxAge", "seconds for which only https is used"),
        ("duration", "the same in words"),
        ("includeSubDomains", "whether names below are covered"),
        ("preload", "whether the owner consents to preload lists"),
        (
            "preloadable",
            "whether the header meets the preload list's conditions",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hsts {
    /// Whether browsers heed the header.
    pub valid: bool,
    /// Seconds.
    pub max_age: Option<u64>,
    /// The same in words.
    pub duration: Option<String>,
    /// includeSubDomains.
    pub include_sub_domains: bool,
    /// preload.
    pub preload: bool,
    /// max-age of a year, includeSubDomains and preload.
    pub preloadable: bool,
}

/// Reads one field, with or without its name.
///
/// # Errors
/// [`NotThis`] when no directive of the header is in it.
pub fn parse(text: &str) -> Result<Reading<Hsts>, NotThis> {
    let fields = header::fields(text, HEADERS);
    let field = fields.first().ok_or(NOT_HSTS)?;
    let mut reader = Reader {
        scribe: Scribe::new(text),
        valid: true,
    };
    let directives = reader.directives(field.value);
    let has = |name: &str| directives.iter().any(|directive| directive.name == name);
    if field.name.is_none() && !has("max-age") && !has("includesubdomains") {
        return Err(NOT_HSTS);
    }
    for other in fields.iter().skip(1) {
        reader
            .scribe
            .flag(SEVERAL, other.value, "Browsers heed the first field only.");
    }
    let max_age = match directives
        .iter()
        .find(|directive| directive.name == "max-age")
    {
        Some(directive) => reader.max_age(directive),
        None => {
            reader.fault(
                NO_MAX_AGE,
                field.value,
                "`max-age` is missing; browsers ignore the header.",
            );
            None
        }
    };
    let (include_sub_domains, preload) = (has("includesubdomains"), has("preload"));
    reader.advise(
        field.value,
        &directives,
        max_age,
        include_sub_domains,
        preload,
    );
    let hsts = Hsts {
        valid: reader.valid,
        max_age,
        duration: max_age.map(|age| span_text(i64::try_from(age).unwrap_or(i64::MAX))),
        include_sub_domains,
        preload,
        preloadable: reader.valid && preload && !reader.scribe.has(NOT_PRELOADABLE),
    };
    Ok(Reading::new(hsts, reader.scribe))
}

struct Directive<'a> {
    name: String,
    value: Option<&'a str>,
    whole: &'a str,
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    valid: bool,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, rule: &'static super::format::Rule, part: &'a str, message: &str) {
        self.valid = false;
        self.scribe.flag(rule, part, message);
    }

    fn directives(&mut self, value: &'a str) -> Vec<Directive<'a>> {
        let mut found: Vec<Directive> = Vec::new();
        for whole in parts(value)
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .take(DIRECTIVE_LIMIT)
        {
            let (name, value) = match whole.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim_start())),
                None => (whole, None),
            };
            let directive = Directive {
                name: name.to_ascii_lowercase(),
                value,
                whole,
            };
            if found.iter().any(|other| other.name == directive.name) {
                self.fault(
                    REPEATED,
                    whole,
                    "A directive may appear once; browsers ignore the header.",
                );
                continue;
            }
            match directive.name.as_str() {
                "max-age" => {}
                "includesubdomains" | "preload" if value.is_none() => {}
                "includesubdomains" | "preload" => {
                    self.fault(STRAY_VALUE, whole, "This directive takes no value.")
                }
                _ if !is_token(name) || !value.is_none_or(is_value) => self.fault(
                    SYNTAX,
                    whole,
                    "A directive is a name, or a name, an equals sign and a value; browsers \
                     ignore the header.",
                ),
                _ => self.scribe.flag(
                    UNKNOWN_DIRECTIVE,
                    whole,
                    format!(
                        "{} is not defined and ignored; directives are separated by semicolons.",
                        quoted(name)
                    ),
                ),
            }
            found.push(directive);
        }
        found
    }

    fn max_age(&mut self, directive: &Directive<'a>) -> Option<u64> {
        let value = directive.value.unwrap_or_default();
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_digit()) {
            self.fault(
                BAD_MAX_AGE,
                directive.whole,
                "`max-age` is a number of seconds; browsers ignore the header.",
            );
            return None;
        }
        // A number that overflows means "very long" to every browser.
        Some(bare.parse().unwrap_or(u64::MAX))
    }

    fn advise(
        &mut self,
        whole: &'a str,
        directives: &[Directive<'a>],
        max_age: Option<u64>,
        sub_domains: bool,
        preload: bool,
    ) {
        let part = |name: &str| {
            directives
                .iter()
                .find(|directive| directive.name == name)
                .map_or(whole, |directive| directive.whole)
        };
        match max_age {
            Some(0) => self.scribe.flag(
                SWITCHED_OFF,
                part("max-age"),
                "Zero makes browsers forget the policy.",
            ),
            Some(age) if age < HALF_YEAR => self.scribe.flag(
                SHORT,
                part("max-age"),
                "Less than 180 days: visitors who come seldom are not protected.",
            ),
            _ => {}
        }
        let lasts = max_age.is_none_or(|age| age >= YEAR && is_bare(part("max-age")));
        if preload && !(sub_domains && lasts) {
            self.scribe.flag(
                NOT_PRELOADABLE,
                part("preload"),
                "The preload list wants includeSubDomains and a max-age of at least 31536000, \
                 without quotes or spaces.",
            );
        }
        if !sub_domains && !preload {
            self.scribe.flag(
                NO_SUB_DOMAINS,
                whole,
                "Names below are not covered: their cookies can still be set over http.",
            );
        }
    }
}

/// What stands between semicolons that are in no quoted string.
fn parts(value: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    value.split(move |c| {
        let is_pair = escaped;
        escaped = quoted && c == '\\' && !is_pair;
        quoted ^= c == '"' && !is_pair;
        c == ';' && !quoted
    })
}

/// RFC 9110 section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
}

/// A token or a quoted string.
fn is_value(text: &str) -> bool {
    let inside = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inside.map_or(is_token(text), |inside| {
        let unescaped = inside.replace("\\\\", "").replace("\\\"", "");
        !unescaped.contains(|c: char| c == '"' || c.is_control())
    })
}

/// Whether `max-age` is written as the preload list reads it: digits right
/// behind the equals sign.
fn is_bare(max_age: &str) -> bool {
    let digits = max_age.get("max-age=".len()..).unwrap_or_default();
    digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let lower = text.trim().to_ascii_lowercase();
    let has_age = lower
        .split(';')
        .any(|part| part.trim().starts_with("max-age"));
    let has_flag = lower.contains("includesubdomains") || lower.contains("preload");
    match (has_age, has_flag, lower.contains(',')) {
        (true, true, false) => 92,
        (true, false, false) if lower.starts_with("max-age") && !lower.contains(';') => 55,
        _ => 0,
    }
}

const HEADERS: &[&str] = &["strict-transport-security"];
const DIRECTIVE_LIMIT: usize = 32;
const YEAR: u64 = 31_536_000;
const HALF_YEAR: u64 = 180 * 86_400;
const NOT_HSTS: NotThis = NotThis(
    "the header's value is `max-age=` with seconds, and perhaps `includeSubDomains` and `preload`.",
);

rules! {
    NO_MAX_AGE = "hsts.no_max_age", High, "RFC 6797 section 6.1.1",
        "`max-age` is missing.";
    BAD_MAX_AGE = "hsts.bad_max_age", High, "RFC 6797 section 6.1.1",
        "`max-age` is no number.";
    REPEATED = "hsts.repeated_directive", High, "RFC 6797 section 6.1",
        "A directive is given twice.";
    SYNTAX = "hsts.syntax", High, "RFC 6797 section 6.1",
        "A directive breaks the grammar.";
    STRAY_VALUE = "hsts.stray_value", High, "RFC 6797 section 6.1.2",
        "A directive has a value that it does not take.";
    SWITCHED_OFF = "hsts.switched_off", Medium, "RFC 6797 section 6.1.1",
        "The policy is switched off.";
    SHORT = "hsts.short", Medium, "RFC 6797 section 11.2",
        "The policy is forgotten in less than 180 days.";
    NOT_PRELOADABLE = "hsts.not_preloadable", Medium, "hstspreload.org, submission requirements",
        "`preload` is given without the rest that the list wants.";
    SEVERAL = "hsts.several_fields", Low, "RFC 6797 section 8.1",
        "There is more than one field.";
    UNKNOWN_DIRECTIVE = "hsts.unknown_directive", Low, "RFC 6797 section 6.1",
        "A directive is not defined and ignored.";
    NO_SUB_DOMAINS = "hsts.no_sub_domains", Info, "RFC 6797 section 14.4",
        "Names below are not covered.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_6797_section_6_2_are_valid() {
        for (text, age) in [
            ("max-age=31536000", 31_536_000),
            ("max-age=15768000 ; includeSubDomains", 15_768_000),
            ("max-age=\"31536000\"", 31_536_000),
            ("max-age=0; includeSubDomains", 0),
        ] {
            let reading = parse(text).unwrap();
            assert!(
                reading.value.valid && reading.value.max_age == Some(age),
                "{text}"
            );
        }
    }

    #[test]
    fn ignored_headers_say_why() {
        for (text, code) in [
            (
                "Strict-Transport-Security: includeSubDomains",
                "hsts.no_max_age",
            ),
            ("max-age=1y; preload", "hsts.bad_max_age"),
            ("max-age=1; max-age=2", "hsts.repeated_directive"),
            ("max-age=1; includeSubDomains=1", "hsts.stray_value"),
            ("max-age=1; always on", "hsts.syntax"),
            ("max-age=1; a=\"b\"c\"", "hsts.syntax"),
            ("max-age=1; a=\"b; includeSubDomains", "hsts.syntax"),
        ] {
            let reading = parse(text).unwrap();
            assert!(!reading.value.valid && reading.has(code), "{text}");
        }
    }

    #[test]
    fn a_semicolon_in_a_quoted_string_ends_no_directive() {
        let reading = parse(r#"a="b;\";max-age=0"; max-age=31536000; includeSubDomains"#).unwrap();
        assert!(reading.value.valid && reading.value.max_age == Some(31_536_000));
    }

    #[test]
    fn preloading_has_conditions() {
        assert!(
            parse("max-age=63072000; includeSubDomains; preload")
                .unwrap()
                .value
                .preloadable
        );
        for text in [
            "max-age=63072000; preload",
            "max-age=\"63072000\"; includeSubDomains; preload",
            "max-age = 63072000; includeSubDomains; preload",
            "max-age=63071; includeSubDomains; preload",
        ] {
            let reading = parse(text).unwrap();
            assert!(!reading.value.preloadable && reading.has("hsts.not_preloadable"));
        }
    }
}
