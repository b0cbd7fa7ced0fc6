//! SMTP TLS reporting records (RFC 8460).

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, address_hint, quoted, rules};
use super::tags::{self, TagRules};
use super::{Kind, txt};

/// What there is to know about the kind `tls_rpt`.
pub const FORMAT: Format = Format {
    kind: Kind::TlsRpt,
    title: "TLS reporting record",
    reference: "RFC 8460",
    example: "v=TLSRPTv1; rua=mailto:tls@example.com,http://reports.example.com/tls",
    fields: &[
        ("valid", "whether senders report at all"),
        (
            "reports",
            "`rua`: where reports go, mailto: and https: addresses",
        ),
    ],
    rules: RULES,
    sniff: |text| if txt::any(text, is_tls_rpt) { 98 } else { 0 },
    read: |text, _| txt::read(text, is_tls_rpt, SEVERAL, parse),
};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TlsRpt {
    /// Whether senders report at all.
    pub valid: bool,
    /// Usable addresses.
    pub reports: Vec<String>,
}

/// Reads one record, strings already joined.
///
/// # Errors
/// [`NotThis`] when it does not begin with `v=TLSRPTv1`.
pub fn parse(text: &str) -> Result<Reading<TlsRpt>, NotThis> {
    if !is_tls_rpt(text) {
        return Err(NotThis(
            "a TLS reporting record begins with `v=TLSRPTv1`, followed by a semicolon.",
        ));
    }
    let mut scribe = Scribe::new(text);
    let found = tags::read(
        text,
        &TagRules {
            malformed: MALFORMED,
            repeated: REPEATED,
            several: &["rua"],
        },
        &mut scribe,
    );
    let version = found.first().copied();
    let mut valid = !scribe.has(MALFORMED);
    if let Some(tag) = version.filter(|tag| tag.name != "v" || tag.value != VERSION) {
        valid = false;
        scribe.flag(
            VERSION_CASE,
            tag.whole,
            "The version must be written `v=TLSRPTv1` exactly.",
        );
    }
    if tags::find(&found, "rua").is_none() {
        scribe.flag(
            NO_REPORTS,
            version.map_or(text, |tag| tag.whole),
            "There is no `rua`; senders have nowhere to report to.",
        );
    }
    let reports: Vec<String> = found
        .iter()
        .filter(|tag| tag.name == "rua")
        .flat_map(|tag| tag.value.split(',').map(str::trim))
        .take(URI_LIMIT)
        .filter(|part| is_usable(&mut scribe, part))
        .map(str::to_owned)
        .collect();
    for tag in found.iter().filter(|tag| !matches!(tag.name, "v" | "rua")) {
        scribe.flag(
            UNKNOWN_TAG,
            tag.whole,
            format!("{} is not defined and ignored.", quoted(tag.name)),
        );
    }
    let record = TlsRpt {
        valid: valid && !reports.is_empty(),
        reports,
    };
    Ok(Reading::new(record, scribe))
}

fn is_usable(scribe: &mut Scribe, part: &str) -> bool {
    if part.contains([' ', '\t']) {
        scribe.flag(BAD_URI, part, tags::SPACED_URI);
        return false;
    }
    let (scheme, rest) = part.split_once(':').unwrap_or((part, ""));
    match scheme.to_ascii_lowercase().as_str() {
        "mailto" if is_address(rest) => true,
        "mailto" => {
            scribe.flag(
                BAD_URI,
                part,
                format!("{} is no mail address.", quoted(rest)),
            );
            false
        }
        "https" if rest.starts_with("//") && rest.len() > 2 => true,
        "http" => {
            scribe.flag(NOT_HTTPS, part, "Reports are sent over https only.");
            false
        }
        _ => {
            scribe.flag(
                BAD_URI,
                part,
                format!(
                    "{} is neither a mailto: nor an https: address{}.",
                    quoted(part),
                    address_hint(part)
                ),
            );
            false
        }
    }
}

fn is_address(text: &str) -> bool {
    let address = text.split('?').next().unwrap_or_default();
    address
        .rsplit_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

fn is_tls_rpt(text: &str) -> bool {
    tags::has_version(text, VERSION)
}

const VERSION: &str = "TLSRPTv1";
const URI_LIMIT: usize = 32;

rules! {
    VERSION_CASE = "tls_rpt.version_case", High, "RFC 8460 section 3",
        "The version is not written as it must be.";
    SEVERAL = "tls_rpt.several_records", High, "RFC 8460 section 3",
        "Senders ignore all records where there is more than one.";
    NO_REPORTS = "tls_rpt.no_reports", High, "RFC 8460 section 3",
        "There is no report address.";
    BAD_URI = "tls_rpt.bad_uri", Medium, "RFC 8460 section 3",
        "A report address is malformed.";
    NOT_HTTPS = "tls_rpt.not_https", Medium, "RFC 8460 section 3",
        "A report address is not https.";
    MALFORMED = "tls_rpt.malformed", High, "RFC 8460 section 3",
        "Something between semicolons is no field; the record is not valid.";
    REPEATED = "tls_rpt.repeated_tag", Medium, "RFC 8460 section 3",
        "A field is given twice.";
    UNKNOWN_TAG = "tls_rpt.unknown_tag", Info, "RFC 8460 section 3",
        "A field is not defined and ignored.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_8460_are_valid() {
        for text in [
            "v=TLSRPTv1;rua=mailto:reports@example.com",
            "v=TLSRPTv1; rua=https://reporting.example.com/v1/tlsrpt",
        ] {
            let reading = parse(text).unwrap();
            assert!(reading.value.valid && reading.problems.is_empty(), "{text}");
        }
    }

    #[test]
    fn rua_may_be_given_more_than_once() {
        let reading = parse("v=TLSRPTv1; rua=mailto:a@b.example; rua=https://c.example/x").unwrap();
        let both = ["mailto:a@b.example", "https://c.example/x"];
        assert_eq!(
            (reading.value.reports, reading.problems),
            (both.map(str::to_owned).to_vec(), vec![])
        );
        assert!(
            parse("v=TLSRPTv1; x=1; x=2; rua=mailto:a@b.example")
                .unwrap()
                .has("tls_rpt.repeated_tag")
        );
    }

    #[test]
    fn what_an_address_lacks_is_said() {
        let said = |rua: &str| {
            let reading = parse(&format!("v=TLSRPTv1; rua={rua}")).unwrap();
            assert!(
                !reading.value.valid && reading.has("tls_rpt.bad_uri"),
                "{rua}"
            );
            reading.problems[0].message.clone()
        };
        assert!(said("mailto:a@b.example mailto:c@d.example").contains("comma"));
        assert!(said("https://a.example/ https://b.example/").contains("comma"));
        assert!(said("\"mailto:a@b.example\"").contains("around"));
        assert!(said("a@b.example").contains("`mailto:` is missing"));
    }

    #[test]
    fn a_record_without_usable_address_is_invalid() {
        for (text, code) in [
            ("v=TLSRPTv1", "tls_rpt.no_reports"),
            ("v=TLSRPTv1; rua=http://a.example/", "tls_rpt.not_https"),
            ("v=TLSRPTv1; rua=tls@example.com", "tls_rpt.bad_uri"),
            (
                "v=tlsrptv1; rua=mailto:a@example.com",
                "tls_rpt.version_case",
            ),
        ] {
            let reading = parse(text).unwrap();
            assert!(!reading.value.valid && reading.has(code), "{text}");
        }
    }
}
