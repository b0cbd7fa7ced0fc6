//! BIMI assertion records (draft-brand-indicators-for-message-identification).

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::tags::{self, Tag, TagRules};
use super::{Kind, txt};

/// What there is to know about the kind `bimi`.
pub const FORMAT: Format = Format {
    kind: Kind::Bimi,
    title: "BIMI assertion record",
    reference: "draft-brand-indicators-for-message-identification",
    example: "v=BIMI1; l=http://example.com/logo.png; a=",
    fields: &[
        ("valid", "whether receivers can use the record"),
        (
            "declined",
            "whether the domain declines to take part (`l` and `a` empty)",
        ),
        ("logo", "`l`: where the SVG is"),
        ("evidence", "`a`: where the mark certificate is"),
        ("avatar", "`avp`: `brand` or `personal`"),
    ],
    rules: RULES,
    sniff: |text| if txt::any(text, is_bimi) { 98 } else { 0 },
    read: |text, _| txt::read(text, is_bimi, SEVERAL, parse),
};

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bimi {
    /// Whether receivers can use the record.
    pub valid: bool,
    /// Whether the domain declines to take part.
    pub declined: bool,
    /// `l`, when given.
    pub logo: Option<String>,
    /// `a`, when given.
    pub evidence: Option<String>,
    /// `avp`, when given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<String>,
}

/// Reads one record, strings already joined.
///
/// # Errors
/// [`NotThis`] when it does not begin with `v=BIMI1`.
pub fn parse(text: &str) -> Result<Reading<Bimi>, NotThis> {
    if !is_bimi(text) {
        return Err(NotThis(
            "a BIMI record begins with `v=BIMI1`, followed by a semicolon.",
        ));
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
    let version = found.first().copied();
    let whole = version.map_or(text, |tag| tag.whole);
    let mut valid = version.is_some_and(|tag| tag.name == "v" && tag.value == VERSION);
    if !valid {
        scribe.flag(
            VERSION_CASE,
            whole,
            "The version must be written `v=BIMI1` exactly.",
        );
    }
    valid &= !scribe.has(MALFORMED) && !scribe.has(REPEATED);
    let (logo, evidence) = (tags::find(&found, "l"), tags::find(&found, "a"));
    let empty = |tag: Option<Tag>| tag.is_none_or(|tag| tag.value.is_empty());
    let declined = logo.is_some() && empty(logo) && empty(evidence);
    match logo {
        None => {
            valid = false;
            scribe.flag(NO_LOGO, whole, "There is no `l` with the logo.");
        }
        Some(_) if declined => scribe.flag(DECLINED, whole, "The domain declines to take part."),
        Some(tag) => valid &= is_https(&mut scribe, tag),
    }
    if let Some(tag) = logo.filter(|tag| !tag.value.is_empty()) {
        let path = tag
            .value
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        if !path.ends_with(".svg") && !path.ends_with(".svgz") {
            scribe.flag(NOT_SVG, tag.value, "The logo must be an SVG Tiny PS image.");
        }
    }
    match evidence {
        Some(tag) if !tag.value.is_empty() && tag.value != "self" => {
            valid &= is_https(&mut scribe, tag)
        }
        _ if declined => {}
        _ => scribe.flag(
            NO_EVIDENCE,
            evidence.map_or(whole, |tag| tag.whole),
            "Without a mark certificate the large mailbox providers show no logo.",
        ),
    }
    others(&mut scribe, &found);
    let value = |tag: Option<Tag>| {
        tag.filter(|tag| !tag.value.is_empty())
            .map(|tag| tag.value.to_owned())
    };
    let bimi = Bimi {
        valid,
        declined,
        logo: value(logo),
        evidence: value(evidence),
        avatar: value(tags::find(&found, "avp")),
    };
    Ok(Reading::new(bimi, scribe))
}

fn is_https(scribe: &mut Scribe, tag: Tag) -> bool {
    let https = tag
        .value
        .get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
        && tag.value.len() > 8;
    if !https {
        scribe.flag(
            NOT_HTTPS,
            tag.value,
            format!("`{}` must be one https: address.", tag.name),
        );
    }
    https
}

fn others(scribe: &mut Scribe, found: &[Tag]) {
    for tag in found {
        match tag.name {
            "v" | "l" | "a" | "lps" => {}
            "avp" if matches!(tag.value, "brand" | "personal") => {}
            "avp" => scribe.flag(BAD_AVATAR, tag.value, "`avp` is `brand` or `personal`."),
            _ => scribe.flag(
                UNKNOWN_TAG,
                tag.whole,
                format!("{} is not defined and ignored.", quoted(tag.name)),
            ),
        }
    }
}

fn is_bimi(text: &str) -> bool {
    tags::has_version(text, VERSION)
}

const VERSION: &str = "BIMI1";

rules! {
    VERSION_CASE = "bimi.version_case", High, "BIMI draft section 4.2",
        "The version is not written as it must be.";
    SEVERAL = "bimi.several_records", High, "BIMI draft section 4.4",
        "Receivers ignore all records where there is more than one.";
    NO_LOGO = "bimi.no_logo", High, "BIMI draft section 4.2",
        "There is no logo.";
    NOT_HTTPS = "bimi.not_https", High, "BIMI draft section 4.2",
        "An address is not https.";
    NOT_SVG = "bimi.not_svg", Medium, "BIMI draft section 4.2",
        "The logo does not look like an SVG image.";
    MALFORMED = "bimi.malformed", High, "BIMI draft section 4.2",
        "Something between semicolons is no tag; the record is not valid.";
    REPEATED = "bimi.repeated_tag", High, "RFC 6376 section 3.2",
        "A tag is given twice, which makes the whole list invalid.";
    BAD_AVATAR = "bimi.bad_avatar", Low, "BIMI draft section 4.2",
        "The avatar preference does not exist.";
    NO_EVIDENCE = "bimi.no_evidence", Low, "BIMI draft section 4.2",
        "There is no mark certificate.";
    DECLINED = "bimi.declined", Info, "BIMI draft section 4.2",
        "The domain declines to take part.";
    UNKNOWN_TAG = "bimi.unknown_tag", Info, "BIMI draft section 4.2",
        "A tag is not defined and ignored.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_record_has_no_problems() {
        let reading = parse(
            "v=BIMI1; l=https://example.com/logo.svg; a=https://example.com/vmc.pem; avp=brand",
        )
        .unwrap();
        assert!(reading.value.valid && reading.problems.is_empty());
    }

    #[test]
    fn declining_is_valid() {
        let reading = parse("v=BIMI1; l=; a=;").unwrap();
        assert!(reading.value.valid && reading.value.declined && reading.has("bimi.declined"));
    }

    #[test]
    fn faults_are_named() {
        let reading = parse(FORMAT.example).unwrap();
        let codes: Vec<_> = reading.problems.iter().map(|p| p.code).collect();
        assert_eq!(
            codes,
            ["bimi.not_https", "bimi.not_svg", "bimi.no_evidence"]
        );
        assert!(!reading.value.valid);
    }
}
