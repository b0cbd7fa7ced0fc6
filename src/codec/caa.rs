//! CAA records in presentation form (RFC 8659; RFC 8657 parameters; RFC 9495
//! for mail), one or a whole set, bare or as zone lines.

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, address_hint, quoted, rules};

/// What there is to know about the kind `caa`.
pub const FORMAT: Format = Format {
    kind: Kind::Caa,
    title: "CAA record set",
    reference: "RFC 8659",
    example: "example.com. 300 IN CAA 0 issue \"letsencrypt.org; \
        validationmethods=dns-01\"\nexample.com. 300 IN CAA 0 iodef \
        \"security@example.com\"",
    fields: &[
        (
            "records",
            "each record: `flags`, `critical`, `tag`, `value`, and for issuer tags \
             `issuer` and `parameters`",
        ),
        (
            "issue",
            "who may issue certificates: domains, an empty list for nobody, null for anyone",
        ),
        (
            "issueWild",
            "who may issue wildcard certificates, after falling back on `issue`",
        ),
        (
            "issueMail",
            "who may issue mail certificates, or null for anyone",
        ),
        ("incidents", "`iodef`: where attempts are reported"),
    ],
    rules: RULES,
    sniff: |text| {
        let records: Vec<Rdata> = text.lines().take(RECORD_LIMIT).filter_map(rdata).collect();
        match records.first() {
            Some(record) if record.from_zone => 97,
            Some(record) if TAGS.contains(&record.tag.to_ascii_lowercase().as_str()) => 95,
            _ => 0,
        }
    },
    read: |text, _| parse(text).map(Reading::untyped),
};

/// A set of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Caa {
    /// In order; at most 64.
    pub records: Vec<Record>,
    /// Domains of issuers; empty means nobody, None anyone.
    pub issue: Option<Vec<String>>,
    /// The same for wildcards, after falling back on `issue`.
    pub issue_wild: Option<Vec<String>>,
    /// The same for mail certificates.
    pub issue_mail: Option<Vec<String>>,
    /// Where attempts are reported.
    pub incidents: Vec<String>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The flags octet.
    pub flags: u8,
    /// Bit 0: issuers that do not know the tag must not issue.
    pub critical: bool,
    /// Lower case.
    pub tag: String,
    /// Quotes and escapes undone.
    pub value: String,
    /// For issuer tags: the domain; empty forbids issuing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// For issuer tags: `name=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<String>,
}

/// A line's parts, all slices of it.
struct Rdata<'a> {
    flags: &'a str,
    tag: &'a str,
    /// With its quotes.
    value: &'a str,
    from_zone: bool,
}

/// Reads a record set, one record a line.
///
/// # Errors
/// [`NotThis`] when no line is a record.
pub fn parse(text: &str) -> Result<Reading<Caa>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut records: Vec<Record> = Vec::new();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .take(RECORD_LIMIT)
    {
        match rdata(line) {
            Some(rdata) => records.push(record(&mut scribe, &rdata)),
            None => scribe.flag(
                MALFORMED,
                line,
                "A record is flags, a tag and a value: `0 issue \"ca.example\"`.",
            ),
        }
    }
    if records.is_empty() {
        return Err(NotThis(
            "a CAA record is flags, a tag and a value, such as 0 issue \"letsencrypt.org\".",
        ));
    }
    judge(&mut scribe, text, &records);
    let issue = issuers(&records, "issue");
    let caa = Caa {
        issue_wild: issuers(&records, "issuewild").or_else(|| issue.clone()),
        issue_mail: issuers(&records, "issuemail"),
        incidents: records
            .iter()
            .filter(|record| record.tag == "iodef")
            .map(|record| record.value.clone())
            .collect(),
        issue,
        records,
    };
    Ok(Reading::new(caa, scribe))
}

/// `[name ttl IN CAA] flags tag value`.
fn rdata(line: &str) -> Option<Rdata<'_>> {
    let line = line.trim();
    let upper = line.to_ascii_uppercase();
    let (from_zone, rest) = match upper.find(" CAA ").or_else(|| upper.find("\tCAA")) {
        Some(at) if !line.get(..at)?.contains('"') => (true, line.get(at + 4..)?.trim_start()),
        _ => (false, line.strip_prefix("CAA ").unwrap_or(line)),
    };
    let (flags, rest) = rest.split_once([' ', '\t'])?;
    let rest = rest.trim_start();
    let (tag, value) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    let plausible = flags.parse::<u32>().is_ok()
        && !tag.is_empty()
        && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    plausible.then_some(Rdata {
        flags,
        tag,
        value: value.trim(),
        from_zone,
    })
}

fn record(scribe: &mut Scribe, rdata: &Rdata) -> Record {
    let flags = rdata.flags.parse::<u8>().unwrap_or_else(|_| {
        scribe.flag(BAD_FLAGS, rdata.flags, "The flags are one octet, 0 to 255.");
        0
    });
    if !matches!(flags, 0 | 128) && rdata.flags.parse::<u8>().is_ok() {
        let hint = if flags == 1 {
            "; 128 sets the critical bit"
        } else {
            ""
        };
        scribe.flag(
            ODD_FLAGS,
            rdata.flags,
            format!("Only the bit of value 128 (critical) has a meaning{hint}."),
        );
    }
    let (value, inside) = unquoted(scribe, rdata.value);
    let tag = rdata.tag.to_ascii_lowercase();
    let critical = flags & 128 != 0;
    if !TAGS.contains(&tag.as_str()) {
        let (rule, effect) = match critical {
            true => (
                UNKNOWN_CRITICAL,
                "and it is critical: no issuer that does not know it may issue",
            ),
            false => (UNKNOWN_TAG, "and ignored"),
        };
        scribe.flag(
            rule,
            rdata.tag,
            format!("{} is not defined {effect}.", quoted(rdata.tag)),
        );
    }
    let mut record = Record {
        flags,
        critical,
        tag,
        value,
        issuer: None,
        parameters: Vec::new(),
    };
    match record.tag.as_str() {
        "issue" | "issuewild" | "issuemail" | "issuevmc" => issuer(scribe, inside, &mut record),
        "iodef" => incident(scribe, inside),
        _ => {}
    }
    record
}

/// The value without quotes, and the slice between them.
fn unquoted<'a>(scribe: &mut Scribe, value: &'a str) -> (String, &'a str) {
    let Some(rest) = value.strip_prefix('"') else {
        if value.is_empty() {
            scribe.flag(MALFORMED, value, "The value is missing.");
        }
        return (value.to_owned(), value);
    };
    let Some(inside) = rest.strip_suffix('"') else {
        scribe.flag(MALFORMED, value, "The closing quote is missing.");
        return (rest.to_owned(), rest);
    };
    (inside.replace("\\\"", "\"").replace("\\\\", "\\"), inside)
}

/// `[issuer-domain] *(";" name=value)` (RFC 8659 section 4.2).
fn issuer(scribe: &mut Scribe, inside: &str, record: &mut Record) {
    let mut parts = inside.split(';');
    let domain = parts.next().unwrap_or_default().trim();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !domain.is_empty() && !domain.split('.').all(is_label) {
        scribe.flag(
            BAD_ISSUER,
            domain,
            format!(
                "{} is no domain of an issuer; issuers take the whole record as a refusal.",
                quoted(domain)
            ),
        );
    } else if !domain.is_empty() && !domain.contains('.') {
        scribe.flag(
            BAD_ISSUER,
            domain,
            "An issuer is named by a domain, such as letsencrypt.org.",
        );
    }
    record.issuer = Some(domain.to_ascii_lowercase());
    for part in parts
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .take(16)
    {
        let Some((name, value)) = part
            .split_once('=')
            .map(|(name, value)| (name.trim(), value.trim()))
        else {
            scribe.flag(BAD_PARAMETER, part, "A parameter is `name=value`.");
            continue;
        };
        if name == "accounturi" && !value.contains(':') {
            scribe.flag(BAD_PARAMETER, part, "`accounturi` is a URI.");
        }
        record.parameters.push(part.to_owned());
    }
}

fn incident(scribe: &mut Scribe, inside: &str) {
    let scheme = inside
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("mailto" | "https") => {}
        Some("http") => scribe.flag(PLAIN_INCIDENT, inside, "Reports would travel unencrypted."),
        _ => {
            let hint = address_hint(inside);
            scribe.flag(
                BAD_INCIDENT,
                inside,
                format!("`iodef` is a mailto: or https: address{hint}."),
            );
        }
    }
}

fn judge(scribe: &mut Scribe, text: &str, records: &[Record]) {
    for tag in ["issue", "issuewild", "issuemail"] {
        let named: Vec<&str> = records
            .iter()
            .filter(|record| record.tag == tag)
            .filter_map(|record| record.issuer.as_deref())
            .collect();
        if named.len() > 1 && named.contains(&"") {
            scribe.flag(
                MOOT_REFUSAL,
                text.trim(),
                format!("`{tag} \";\"` has no effect beside another `{tag}`."),
            );
        }
    }
    let has = |tag: &str| records.iter().any(|record| record.tag == tag);
    if has("issuewild") && !has("issue") {
        scribe.flag(
            ONLY_WILD,
            text.trim(),
            "Only wildcards are restricted: anyone may issue for the name itself.",
        );
    }
}

/// The issuers of a tag without the empty one; None when the tag is absent.
fn issuers(records: &[Record], tag: &str) -> Option<Vec<String>> {
    let mut found = records.iter().filter(|record| record.tag == tag).peekable();
    found.peek()?;
    Some(
        found
            .filter_map(|record| record.issuer.clone())
            .filter(|issuer| !issuer.is_empty())
            .collect(),
    )
}

const RECORD_LIMIT: usize = 64;

/// IANA "Certification Authority Restriction Properties".
const TAGS: &[&str] = &[
    "issue",
    "issuewild",
    "issuemail",
    "issuevmc",
    "iodef",
    "contactemail",
    "contactphone",
];

rules! {
    MALFORMED = "caa.malformed", High, "RFC 8659 section 4.1.1",
        "A line is no record.";
    UNKNOWN_CRITICAL = "caa.unknown_critical", High, "RFC 8659 section 4.1",
        "A critical property is unknown: nobody may issue.";
    BAD_ISSUER = "caa.bad_issuer", High, "RFC 8659 section 4.2",
        "The issuer is no domain.";
    BAD_FLAGS = "caa.bad_flags", High, "RFC 8659 section 4.1.1",
        "The flags are no octet.";
    ODD_FLAGS = "caa.odd_flags", Low, "RFC 8659 section 4.1",
        "Flags without a meaning are set.";
    BAD_PARAMETER = "caa.bad_parameter", Medium, "RFC 8657 section 3",
        "A parameter is malformed.";
    BAD_INCIDENT = "caa.bad_incident", Medium, "RFC 8659 section 4.4",
        "The report address is malformed.";
    PLAIN_INCIDENT = "caa.plain_incident", Low, "RFC 8659 section 4.4",
        "The report address is not encrypted.";
    MOOT_REFUSAL = "caa.moot_refusal", Low, "RFC 8659 section 4.2",
        "A refusal stands beside a permission and has no effect.";
    ONLY_WILD = "caa.only_wild", Medium, "RFC 8659 section 4.3",
        "Only wildcards are restricted.";
    UNKNOWN_TAG = "caa.unknown_tag", Low, "RFC 8659 section 4.1",
        "A property is unknown and ignored.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        parse(text)
            .unwrap()
            .problems
            .iter()
            .map(|p| p.code)
            .collect()
    }

    #[test]
    fn the_examples_of_rfc_8659_section_4_are_read() {
        let caa = parse(
            "certs.example.com CAA 0 issue \"ca1.example.net\"\ncerts.example.com CAA \
             0 issue \"ca2.example.org\"",
        )
        .unwrap()
        .value;
        assert_eq!(caa.issue.unwrap(), ["ca1.example.net", "ca2.example.org"]);
        let nobody = parse("nocerts.example.com CAA 0 issue \";\"")
            .unwrap()
            .value;
        assert_eq!(
            (nobody.issue, nobody.issue_wild),
            (Some(vec![]), Some(vec![]))
        );
        let wild = parse("0 issue \"ca1.example.net\"\n0 issuewild \"ca2.example.org\"")
            .unwrap()
            .value;
        assert_eq!(wild.issue_wild.unwrap(), ["ca2.example.org"]);
        let account = parse("0 issue \"ca1.example.net; account=230123\"")
            .unwrap()
            .value;
        assert_eq!(account.records[0].parameters, ["account=230123"]);
        assert!(codes("0 iodef \"mailto:security@example.com\"").is_empty());
    }

    #[test]
    fn a_quoted_report_address_does_not_lack_its_scheme() {
        let said = |text: &str| parse(text).unwrap().problems[0].message.clone();
        let message = said("0 iodef 'mailto:security@example.com'");
        assert!(
            message.contains("around") && !message.contains("missing"),
            "{message}"
        );
        let message = said("0 iodef \"security@example.com\"");
        assert!(message.contains("`mailto:` is missing"), "{message}");
    }

    #[test]
    fn faults_are_named() {
        assert_eq!(codes("0 issue \"Let's Encrypt\""), ["caa.bad_issuer"]);
        assert_eq!(codes("128 tbs \"Unknown\""), ["caa.unknown_critical"]);
        assert_eq!(codes("1 issue \"ca.example.net\""), ["caa.odd_flags"]);
        assert_eq!(
            codes("0 iodef \"security@example.com\""),
            ["caa.bad_incident"]
        );
        assert_eq!(codes("0 issuewild \";\""), ["caa.only_wild"]);
        assert_eq!(
            codes("0 issue \"ca.example.net\n0 issue \"a.example\""),
            ["caa.malformed"]
        );
        assert!(parse("hello world again").is_err());
    }
}
