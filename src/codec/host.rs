//! Host names (RFC 1123) and internationalised ones (RFC 5890, UTS #46):
//! what the labels are, and what a reader may take them for.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::script::{self, Script};
use super::verdict::Verdict;
use super::{Context, Kind};
use crate::guard::text::has_invisible;

/// What there is to know about the kind `host`.
pub const FORMAT: Format = Format {
    kind: Kind::Host,
    title: "host name",
    reference: "RFC 5890",
    example: "xn--80ak6aa92e.com",
    fields: &[
        (
            "ascii",
            "the name as DNS knows it; null when it has no ASCII form",
        ),
        ("unicode", "the name as it is shown"),
        (
            "labels",
            "each label: `ascii`, `unicode`, and the `scripts` of its letters",
        ),
        (
            "internationalized",
            "whether any label has letters beyond ASCII",
        ),
        (
            "looksLike",
            "the ASCII name that a hurried reader sees, when it is another",
        ),
        (
            "guard",
            "what the guard says about analysing it: `decision`, `reason`, `rule`",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context).map(Reading::untyped),
};

/// One host name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Host {
    ascii: Option<String>,
    unicode: String,
    labels: Vec<Label>,
    internationalized: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    looks_like: Option<String>,
    guard: Verdict,
}

/// One label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Label {
    ascii: String,
    unicode: String,
    scripts: Vec<Script>,
}

/// Reads one host name.
pub fn parse(text: &str, context: &Context) -> Result<Reading<Host>, NotThis> {
    let bare = text.trim();
    let odd = |c: char| {
        c.is_whitespace() || "/\\@?#%<>[]:;,\"'`|^{}()=&$+!~".contains(c) || c.is_ascii_control()
    };
    if bare.is_empty()
        || bare.len() > LENGTH_LIMIT
        || bare.contains(odd)
        || bare.trim_matches('.').is_empty()
    {
        return Err(NotThis(
            "a host name is made of labels with dots between them, such as www.example.com.",
        ));
    }
    let mut scribe = Scribe::new(text);
    spelling(&mut scribe, bare);
    let labels: Vec<(Label, &str)> = bare
        .split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'])
        .filter(|part| !part.is_empty())
        .take(LABEL_LIMIT)
        .map(|part| (label(&mut scribe, part), part))
        .collect();
    let ascii = ascii(&mut scribe, bare);
    let unicode: Vec<&str> = labels
        .iter()
        .map(|(label, _)| label.unicode.as_str())
        .collect();
    let unicode = unicode.join(".");
    let looks_like = looks_like(&labels);
    if let Some(other) = &looks_like {
        scribe.flag(
            LOOK_ALIKE,
            bare,
            format!("Can be taken for {}.", quoted(other)),
        );
    }
    let host = Host {
        internationalized: labels.iter().any(|(label, _)| !label.unicode.is_ascii()),
        guard: Verdict::of_target(bare, context),
        labels: labels.into_iter().map(|(label, _)| label).collect(),
        ascii,
        unicode,
        looks_like,
    };
    Ok(Reading::new(host, scribe))
}

/// What can be said without looking at single labels.
fn spelling(scribe: &mut Scribe, bare: &str) {
    let name = bare.strip_suffix('.').unwrap_or(bare);
    if name.len() < bare.len() {
        scribe.flag(
            TRAILING_DOT,
            bare.get(name.len()..).unwrap_or(bare),
            "The trailing dot marks a name as complete; browsers treat it as another origin.",
        );
    }
    if name.split('.').any(str::is_empty) {
        scribe.flag(EMPTY_LABEL, bare, "A label is empty.");
    }
    if !name.contains(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        scribe.flag(
            SINGLE_LABEL,
            name,
            "A single label is looked up in the local network first.",
        );
    }
    if has_invisible(bare) {
        scribe.flag(
            INVISIBLE,
            bare,
            "There are characters in it that cannot be seen.",
        );
    }
    let top = name.rsplit('.').next().unwrap_or_default();
    if !top.is_empty() && top.bytes().all(|b| b.is_ascii_digit()) {
        scribe.flag(
            NUMERIC_TOP,
            top,
            "A name that ends in digits is read as an address.",
        );
    }
}

fn label(scribe: &mut Scribe, part: &str) -> Label {
    let lower = part.to_lowercase();
    let unicode = match lower.strip_prefix("xn--") {
        Some(code) => match decoded(code) {
            Some(unicode) => unicode,
            None => {
                scribe.flag(
                    BAD_PUNYCODE,
                    part,
                    format!("{} is not the encoding of any valid label.", quoted(part)),
                );
                lower.clone()
            }
        },
        None => lower.clone(),
    };
    let mut scripts: Vec<Script> = unicode.chars().filter_map(script::of).collect();
    scripts.sort_unstable();
    scripts.dedup();
    if !script::may_mix(&scripts) {
        let names: Vec<String> = scripts.iter().map(|script| format!("{script:?}")).collect();
        scribe.flag(
            MIXED_SCRIPTS,
            part,
            format!("Letters of {} are mixed in one label.", names.join(" and ")),
        );
    }
    form(scribe, part, &lower);
    let ascii = match unicode.is_ascii() {
        true => lower,
        false => punycode(&unicode).unwrap_or(lower),
    };
    if ascii.len() > 63 {
        scribe.flag(LONG_LABEL, part, "A label has at most 63 octets.");
    }
    Label {
        ascii,
        unicode,
        scripts,
    }
}

/// Letters, digits and inner hyphens (RFC 1123 section 2.1).
fn form(scribe: &mut Scribe, part: &str, lower: &str) {
    if part == "*" {
        scribe.flag(WILDCARD, part, "A wildcard is a pattern, not a host.");
        return;
    }
    if let Some(at) = part.find('_') {
        scribe.flag(
            UNDERSCORE,
            part.get(at..=at).unwrap_or(part),
            "Host names have no underscores; names of DNS records may.",
        );
    }
    let odd = part
        .char_indices()
        .find(|(_, c)| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'));
    if let Some((at, c)) = odd {
        scribe.flag(
            BAD_CHARACTER,
            part.get(at..=at).unwrap_or(part),
            format!("{} cannot be in a host name.", quoted(&c.to_string())),
        );
    }
    if part.starts_with('-') || part.ends_with('-') {
        scribe.flag(
            BAD_HYPHEN,
            part,
            "A label neither begins nor ends with a hyphen.",
        );
    } else if lower.get(2..4) == Some("--") && !lower.starts_with("xn--") {
        scribe.flag(
            BAD_HYPHEN,
            part,
            "Hyphens in third and fourth place are reserved.",
        );
    }
}

/// The whole name as DNS knows it.
fn ascii(scribe: &mut Scribe, bare: &str) -> Option<String> {
    let name = bare.strip_suffix('.').unwrap_or(bare);
    let ascii = idna::domain_to_ascii(name).ok();
    match &ascii {
        None => scribe.flag(
            NO_ASCII_FORM,
            bare,
            "The name has no ASCII form by UTS #46 and cannot be looked up.",
        ),
        Some(ascii) if ascii.len() > 253 => {
            scribe.flag(LONG_NAME, bare, "A name has at most 253 octets.")
        }
        Some(_) => {}
    }
    ascii
}

/// The name a reader sees, when look-alikes make it another plain one.
fn looks_like(labels: &[(Label, &str)]) -> Option<String> {
    let mut changed = false;
    let seen: Vec<String> = labels
        .iter()
        .map(|(label, _)| match script::skeleton(&label.unicode) {
            Some(plain) => {
                changed = true;
                plain
            }
            None => label.unicode.clone(),
        })
        .collect();
    changed.then(|| seen.join("."))
}

fn decoded(code: &str) -> Option<String> {
    // A label cannot be longer in DNS, and punycode decoding is quadratic.
    if code.len() > 63 {
        return None;
    }
    let (_, valid) = idna::domain_to_unicode(&format!("xn--{code}"));
    valid.ok()?;
    idna::punycode::decode_to_string(code).filter(|unicode| !unicode.is_ascii())
}

fn punycode(unicode: &str) -> Option<String> {
    let encoded = Uts46::new().to_ascii(
        unicode.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::Allow,
        DnsLength::Ignore,
    );
    encoded.ok().map(|ascii| ascii.into_owned())
}

fn sniff(text: &str) -> u8 {
    let bare = text.trim();
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 190
            && label
                .chars()
                .all(|c| c.is_alphanumeric() || c == '-' || c == '_' || !c.is_ascii())
    };
    let name = bare
        .strip_suffix('.')
        .unwrap_or(bare)
        .trim_start_matches("*.");
    let labels: Vec<&str> = name.split('.').take(LABEL_LIMIT).collect();
    let top = labels.last().copied().unwrap_or_default();
    let has_top = top.starts_with("xn--")
        || (top.chars().count() >= 2 && top.chars().all(char::is_alphabetic));
    let fits = bare.len() <= LENGTH_LIMIT
        && !bare.contains(char::is_whitespace)
        && labels.iter().all(|label| is_label(label));
    match (fits, labels.len()) {
        (true, 2..) if has_top => 86,
        (true, 1) if bare == "localhost" => 60,
        (true, 1) if bare.starts_with("xn--") => 85,
        (true, 1) if !bare.is_ascii() => 20,
        (true, 1) if bare.len() <= 63 && bare.contains('-') => 12,
        _ => 0,
    }
}

const LENGTH_LIMIT: usize = 1024;
const LABEL_LIMIT: usize = 64;

rules! {
    MIXED_SCRIPTS = "host.mixed_scripts", High, "UTS #39 section 5.2",
        "One label mixes scripts that are not written together.";
    LOOK_ALIKE = "host.look_alike", Medium, "UTS #39 section 4",
        "The name can be taken for another.";
    INVISIBLE = "host.invisible", High, "UTS #46 section 4",
        "The name has invisible characters.";
    BAD_PUNYCODE = "host.bad_punycode", High, "RFC 5891 section 5.3",
        "A label claims to be encoded and cannot be decoded.";
    NO_ASCII_FORM = "host.no_ascii_form", High, "UTS #46 section 4.2",
        "The name has no ASCII form.";
    BAD_CHARACTER = "host.bad_character", High, "RFC 1123 section 2.1",
        "A character cannot be in a host name.";
    EMPTY_LABEL = "host.empty_label", High, "RFC 1035 section 3.1",
        "Two dots stand together.";
    LONG_LABEL = "host.long_label", High, "RFC 1035 section 2.3.4",
        "A label is longer than 63 octets.";
    LONG_NAME = "host.long_name", High, "RFC 1035 section 2.3.4",
        "The name is longer than 253 octets.";
    BAD_HYPHEN = "host.bad_hyphen", Medium, "RFC 5891 section 4.2.3.1",
        "A hyphen stands where none may.";
    NUMERIC_TOP = "host.numeric_top", Medium, "WHATWG URL section 3.5",
        "The last label is a number.";
    UNDERSCORE = "host.underscore", Low, "RFC 1123 section 2.1",
        "The name has an underscore.";
    SINGLE_LABEL = "host.single_label", Low, "RFC 6762 appendix G",
        "The name has a single label.";
    WILDCARD = "host.wildcard", Info, "RFC 4592 section 2.1.1",
        "The name is a wildcard.";
    TRAILING_DOT = "host.trailing_dot", Info, "RFC 1034 section 3.1",
        "The name ends in a dot.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn host(text: &str) -> Reading<Host> {
        let guard = Guard::default();
        parse(
            text,
            &Context {
                guard: &guard,
                now_ms: 0,
            },
        )
        .unwrap()
    }

    #[test]
    fn a_whole_script_look_alike_is_shown() {
        let reading = host("xn--80ak6aa92e.com");
        assert_eq!(reading.value.unicode, "аррӏе.com");
        assert_eq!(reading.value.looks_like.as_deref(), Some("apple.com"));
        assert_eq!(reading.value.labels[0].scripts, [Script::Cyrillic]);
        assert!(!reading.has("host.mixed_scripts"));
    }

    #[test]
    fn mixed_scripts_are_pointed_at() {
        let reading = host("www.pаypal.com");
        let problem = reading
            .problems
            .iter()
            .find(|p| p.code == "host.mixed_scripts")
            .unwrap();
        assert_eq!((problem.span.start, problem.span.end), (4, 10));
        assert!(
            reading
                .value
                .ascii
                .as_deref()
                .unwrap()
                .starts_with("www.xn--pypal")
        );
    }

    #[test]
    fn honest_names_have_no_problems() {
        for text in [
            "www.example.com",
            "bücher.de",
            "例え.jp",
            "россия.рф",
            "a-b.co.uk",
        ] {
            let reading = host(text);
            let grave: Vec<_> = reading
                .problems
                .iter()
                .filter(|p| p.code != "host.look_alike")
                .collect();
            assert!(grave.is_empty(), "{text}: {grave:?}");
        }
    }

    #[test]
    fn malformed_names_are_explained() {
        for (text, code) in [
            ("a..b.com", "host.empty_label"),
            ("xn--a.com", "host.bad_punycode"),
            ("-a.com", "host.bad_hyphen"),
            ("ab--cd.com", "host.bad_hyphen"),
            ("a_b.com", "host.underscore"),
            ("example.123", "host.numeric_top"),
            ("exa\u{200b}mple.com", "host.invisible"),
            ("*.example.com", "host.wildcard"),
            ("localhost", "host.single_label"),
        ] {
            assert!(host(text).has(code), "{text}: {:?}", host(text).problems);
        }
    }

    #[test]
    fn the_guard_is_asked() {
        assert_eq!(host("example.com").value.guard.decision, "allow");
        assert_eq!(
            host("metadata.google.internal").value.guard.decision,
            "refuse"
        );
    }
}
