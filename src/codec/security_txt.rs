//! security.txt (RFC 9116).

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Rule, Scribe, quoted, rules};
use super::moment::{self, span_text};

/// What there is to know about the kind `security_txt`.
pub const FORMAT: Format = Format {
    kind: Kind::SecurityTxt,
    title: "security.txt",
    reference: "RFC 9116",
    example: "Contact: security@example.com\nContact: http://example.com/report\nExpires: 2024-01-01T00:00:00Z\nPreferred-Languages: en\n",
    fields: &[
        (
            "valid",
            "whether the file has what RFC 9116 demands and has not expired",
        ),
        ("contact", "where to report, most preferred first"),
        ("expires", "RFC 3339; after that the file must not be used"),
        ("daysLeft", "whole days until then"),
        ("encryption", "keys for encrypted reports"),
        ("acknowledgments", "pages that thank reporters"),
        ("preferredLanguages", "language tags"),
        ("canonical", "addresses where this file belongs"),
        ("policy", "rules for reporting"),
        ("hiring", "positions in security"),
        ("csaf", "provider metadata of security advisories"),
        (
            "signed",
            "whether the file is wrapped in an OpenPGP signature, which is not verified here",
        ),
        ("extensions", "names of other fields"),
    ],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context.now()).map(Reading::untyped),
};

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityTxt {
    /// Whether the file has what is demanded and has not expired.
    pub valid: bool,
    /// `Contact`.
    pub contact: Vec<String>,
    /// `Expires`, RFC 3339 in UTC.
    pub expires: Option<String>,
    /// Until then; negative when it has passed.
    pub days_left: Option<i64>,
    /// `Encryption`.
    pub encryption: Vec<String>,
    /// `Acknowledgments`.
    pub acknowledgments: Vec<String>,
    /// `Preferred-Languages`.
    pub preferred_languages: Vec<String>,
    /// `Canonical`.
    pub canonical: Vec<String>,
    /// `Policy`.
    pub policy: Vec<String>,
    /// `Hiring`.
    pub hiring: Vec<String>,
    /// `CSAF`.
    pub csaf: Vec<String>,
    /// Whether it is wrapped in an OpenPGP signature.
    pub signed: bool,
    /// Names of other fields.
    pub extensions: Vec<String>,
}

/// Reads one file; `now` in Unix seconds.
///
/// # Errors
/// [`NotThis`] when no line is one of its fields.
pub fn parse(text: &str, now: i64) -> Result<Reading<SecurityTxt>, NotThis> {
    let mut reader = Reader {
        scribe: Scribe::new(text),
        file: SecurityTxt {
            valid: true,
            ..SecurityTxt::default()
        },
        seen: Vec::new(),
        now,
    };
    let body = reader.unwrapped(text);
    for line in body.lines().take(LINE_LIMIT) {
        reader.line(line.trim_end());
    }
    if !reader
        .seen
        .iter()
        .any(|name| FIELDS.contains(&name.as_str()))
    {
        return Err(NotThis(
            "security.txt has lines such as `Contact: mailto:security@example.com`.",
        ));
    }
    reader.judge(text);
    Ok(Reading::new(reader.file, reader.scribe))
}

struct Reader<'a> {
    scribe: Scribe<'a>,
    file: SecurityTxt,
    seen: Vec<String>,
    now: i64,
}

impl<'a> Reader<'a> {
    /// The text inside an OpenPGP cleartext signature (RFC 9580 section 7).
    fn unwrapped(&mut self, text: &'a str) -> &'a str {
        const BEGIN: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
        const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
        let Some((_, inside)) = text.split_once(BEGIN) else {
            return text;
        };
        let (inside, has_signature) = match inside.split_once(SIGNATURE) {
            Some((inside, _)) => (inside, true),
            None => (inside, false),
        };
        self.file.signed = has_signature;
        if !has_signature {
            self.scribe.flag(
                BROKEN_SIGNATURE,
                text.trim(),
                "The signature that the first line announces is missing.",
            );
        }
        let headers_end = inside
            .find("\n\n")
            .map(|at| at + 2)
            .or_else(|| inside.find("\r\n\r\n").map(|at| at + 4));
        headers_end
            .and_then(|at| inside.get(at..))
            .unwrap_or(inside)
    }

    fn line(&mut self, line: &'a str) {
        let line = line.strip_prefix("- ").unwrap_or(line);
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        let pair = line
            .split_once(':')
            .map(|(name, value)| (name, value.trim()));
        let Some((name, value)) = pair.filter(|(name, _)| is_name(name)) else {
            self.fault(
                MALFORMED,
                line,
                "A line is a field `Name: value`, a comment that begins with `#`, or empty.",
            );
            return;
        };
        if value.is_empty() {
            self.fault(MALFORMED, line, "The field has no value.");
            return;
        }
        let lower = name.to_ascii_lowercase();
        self.field(&lower, name, value);
        self.seen.push(lower);
    }

    fn field(&mut self, lower: &str, name: &'a str, value: &'a str) {
        if matches!(lower, "expires" | "preferred-languages")
            && self.seen.iter().any(|seen| seen == lower)
        {
            self.fault(REPEATED, name, "This field may appear only once.");
            return;
        }
        match lower {
            "contact" => {
                if self.is_uri(value) {
                    self.file.contact.push(value.to_owned());
                }
            }
            "expires" => self.expires(value),
            "preferred-languages" => {
                self.file.preferred_languages = value
                    .split(',')
                    .map(|tag| tag.trim().to_owned())
                    .take(VALUE_LIMIT)
                    .collect();
            }
            _ => {
                let list = match lower {
                    "encryption" => &mut self.file.encryption,
                    "acknowledgments" | "acknowledgements" => &mut self.file.acknowledgments,
                    "canonical" => &mut self.file.canonical,
                    "policy" => &mut self.file.policy,
                    "hiring" => &mut self.file.hiring,
                    "csaf" => &mut self.file.csaf,
                    _ => {
                        self.extension(name);
                        return;
                    }
                };
                if list.len() < VALUE_LIMIT {
                    list.push(value.to_owned());
                }
                if lower == "acknowledgements" {
                    self.scribe
                        .flag(MISSPELT, name, "The field is spelt `Acknowledgments`.");
                }
                self.is_uri(value);
            }
        }
    }

    fn extension(&mut self, name: &'a str) {
        self.scribe.flag(
            EXTENSION,
            name,
            format!("{} is not defined; readers ignore it.", quoted(name)),
        );
        if self.file.extensions.len() < VALUE_LIMIT {
            self.file.extensions.push(name.to_owned());
        }
    }

    /// Addresses are URIs, those of the web https (RFC 9116 section 2.5).
    fn is_uri(&mut self, value: &'a str) -> bool {
        let scheme = value
            .split_once(':')
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        let known = scheme.is_some_and(|scheme| {
            scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        });
        if !known || value.contains(' ') {
            let hint = if value.contains('@') {
                "; `mailto:` is missing in front"
            } else {
                ""
            };
            self.fault(
                NOT_URI,
                value,
                format!("{} is no URI{hint}.", quoted(value)),
            );
            return false;
        }
        if value
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
        {
            self.fault(
                NOT_HTTPS,
                value,
                "Addresses on the web must begin with https://.",
            );
        }
        true
    }

    fn expires(&mut self, value: &'a str) {
        let Some(at) = moment::from_rfc3339(value) else {
            self.fault(
                BAD_DATE,
                value,
                "Not a date of RFC 3339, such as 2026-12-31T23:00:00.000Z.",
            );
            return;
        };
        let left = at.saturating_sub(self.now);
        self.file.expires = Some(moment::rfc3339(at));
        self.file.days_left = Some(left.div_euclid(DAY));
        if left <= 0 {
            self.fault(
                EXPIRED,
                value,
                format!(
                    "Expired {} ago; the file must not be used any more.",
                    span_text(left)
                ),
            );
        } else if left > 366 * DAY {
            self.scribe.flag(
                FAR_EXPIRY,
                value,
                "More than a year ahead; such files go stale unnoticed.",
            );
        }
    }

    fn judge(&mut self, text: &'a str) {
        let first = text.trim().lines().next().unwrap_or(text);
        if !self.seen.iter().any(|name| name == "contact") {
            self.fault(NO_CONTACT, first, "There is no `Contact`.");
        }
        if !self.seen.iter().any(|name| name == "expires") {
            self.fault(NO_EXPIRES, first, "There is no `Expires`.");
        }
        if !self.file.signed {
            self.scribe
                .flag(NOT_SIGNED, first, "The file is not signed.");
        } else if self.file.canonical.is_empty() {
            self.scribe.flag(
                NO_CANONICAL,
                first,
                "A signed file should say with `Canonical` where it belongs.",
            );
        }
    }

    fn fault(&mut self, rule: &'static Rule, part: &'a str, message: impl Into<String>) {
        self.file.valid = false;
        self.scribe.flag(rule, part, message);
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic())
}

fn sniff(text: &str) -> u8 {
    let mut names = text
        .lines()
        .take(200)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name.trim().to_ascii_lowercase());
    let is_known = |name: &String| FIELDS.contains(&name.as_str());
    let found: Vec<String> = names.by_ref().filter(is_known).take(3).collect();
    let contact = found.iter().any(|name| name == "contact");
    match (contact, found.len()) {
        (true, 2..) => 94,
        (true, _) => 75,
        (false, 2..) => 45,
        _ => 0,
    }
}

const DAY: i64 = 86_400;
const LINE_LIMIT: usize = 2_000;
const VALUE_LIMIT: usize = 64;
const FIELDS: &[&str] = &[
    "acknowledgments",
    "canonical",
    "contact",
    "csaf",
    "encryption",
    "expires",
    "hiring",
    "policy",
    "preferred-languages",
];

rules! {
    NO_CONTACT = "security_txt.no_contact", High, "RFC 9116 section 2.5.3",
        "There is no contact.";
    NO_EXPIRES = "security_txt.no_expires", High, "RFC 9116 section 2.5.5",
        "There is no expiry.";
    EXPIRED = "security_txt.expired", High, "RFC 9116 section 2.5.5",
        "The file has expired.";
    BAD_DATE = "security_txt.bad_date", High, "RFC 9116 section 2.5.5",
        "The expiry is no date.";
    REPEATED = "security_txt.repeated_field", High, "RFC 9116 section 2.5",
        "A field that may appear once is given again.";
    NOT_URI = "security_txt.not_uri", Medium, "RFC 9116 section 2.5.3",
        "An address is no URI.";
    NOT_HTTPS = "security_txt.not_https", Medium, "RFC 9116 section 2.5.3",
        "An address on the web is not https.";
    MALFORMED = "security_txt.malformed", Medium, "RFC 9116 section 4",
        "A line is no field, which the grammar does not allow.";
    BROKEN_SIGNATURE = "security_txt.broken_signature", Medium, "RFC 9116 section 2.3",
        "The signature is announced and missing.";
    MISSPELT = "security_txt.misspelt", Low, "RFC 9116 section 2.5.1",
        "A field is misspelt.";
    FAR_EXPIRY = "security_txt.far_expiry", Low, "RFC 9116 section 2.5.5",
        "The expiry is more than a year ahead.";
    NO_CANONICAL = "security_txt.no_canonical", Low, "RFC 9116 section 2.5.2",
        "A signed file does not say where it belongs.";
    NOT_SIGNED = "security_txt.not_signed", Info, "RFC 9116 section 2.3",
        "The file is not signed.";
    EXTENSION = "security_txt.extension", Info, "RFC 9116 section 2.4",
        "A field is not defined.";
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_640_000_000;

    #[test]
    fn the_signed_example_of_rfc_9116_is_valid() {
        let text = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n# Canonical URI\nCanonical: https://example.com/.well-known/security.txt\n\n# Our security address\nContact: mailto:security@example.com\n\n# Our OpenPGP key\nEncryption: https://example.com/pgp-key.txt\n\n# Our security policy\nPolicy: https://example.com/security-policy.html\n\n# Our security acknowledgments page\nAcknowledgments: https://example.com/hall-of-fame.html\n\nExpires: 2021-12-31T18:37:07z\n-----BEGIN PGP SIGNATURE-----\nVersion: GnuPG v2.2\n\n[signature]\n-----END PGP SIGNATURE-----\n";
        let reading = parse(text, NOW).unwrap();
        assert!(
            reading.value.valid && reading.value.signed,
            "{:?}",
            reading.problems
        );
        assert_eq!(
            reading.value.expires.as_deref(),
            Some("2021-12-31T18:37:07Z")
        );
        assert_eq!(reading.problems, []);
    }

    #[test]
    fn what_is_missing_or_wrong_makes_it_invalid() {
        for (text, code) in [
            ("Expires: 2022-01-01T00:00:00Z", "security_txt.no_contact"),
            ("Contact: mailto:a@example.com", "security_txt.no_expires"),
            (
                "Contact: mailto:a@example.com\nExpires: 2020-01-01T00:00:00Z",
                "security_txt.expired",
            ),
            (
                "Contact: mailto:a@example.com\nExpires: next year",
                "security_txt.bad_date",
            ),
            (
                "Contact: a@example.com\nExpires: 2022-01-01T00:00:00Z",
                "security_txt.not_uri",
            ),
            (
                "Contact: http://example.com/\nExpires: 2022-01-01T00:00:00Z",
                "security_txt.not_https",
            ),
            (
                "Contact: tel:+1\nExpires: 2022-01-01T00:00:00Z\nExpires: 2022-01-01T00:00:00Z",
                "security_txt.repeated_field",
            ),
        ] {
            let reading = parse(text, NOW).unwrap();
            assert!(
                !reading.value.valid && reading.has(code),
                "{text}: {:?}",
                reading.problems
            );
        }
    }

    #[test]
    fn a_page_is_no_security_txt() {
        assert!(parse("<!doctype html>\n<title>Not found: sorry</title>", NOW).is_err());
    }
}
