//! TLSA records in presentation form (RFC 6698, RFC 7671).

use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, rules};

/// What there is to know about the kind `tlsa`.
pub const FORMAT: Format = Format {
    kind: Kind::Tlsa,
    title: "TLSA record set",
    reference: "RFC 6698",
    example: "_25._tcp.mail.example.com. IN TLSA 3 1 1 \
        0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B566 64C5D3D6",
    fields: &[(
        "records",
        "each record: `usage`, `selector`, `matching` with their names, and `data` in hexadecimal",
    )],
    rules: RULES,
    sniff: |text| {
        let mut records = text.lines().take(RECORD_LIMIT).filter_map(rdata);
        match records.next() {
            Some(record) if record.from_zone => 97,
            Some(record) if record.data.len() >= 32 => 92,
            _ => 0,
        }
    },
    read: |text, _| parse(text).map(Reading::untyped),
};

/// A set of records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tlsa {
    /// In order; at most 64.
    pub records: Vec<Record>,
}

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// 0 to 3, 255 for private use.
    pub usage: u8,
    /// `PKIX-TA`, `PKIX-EE`, `DANE-TA`, `DANE-EE` (RFC 7218).
    pub usage_name: &'static str,
    /// 0 the certificate, 1 its public key.
    pub selector: u8,
    /// `Cert` or `SPKI`.
    pub selector_name: &'static str,
    /// 0 the whole, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// `Full`, `SHA2-256` or `SHA2-512`.
    pub matching_name: &'static str,
    /// Lower-case hexadecimal, at most 256 characters of it.
    pub data: String,
}

/// A line's parts, all slices of it.
struct Rdata<'a> {
    numbers: [(&'a str, u8); 3],
    data: &'a str,
    from_zone: bool,
}

/// Reads a record set, one record a line.
///
/// # Errors
/// [`NotThis`] when no line is a record.
pub fn parse(text: &str) -> Result<Reading<Tlsa>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut records = Vec::new();
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
                "A record is three numbers and hexadecimal digits: `3 1 1 ab12...`.",
            ),
        }
    }
    if records.is_empty() {
        return Err(NotThis(
            "a TLSA record is usage, selector, matching type and hexadecimal digits, \
             such as 3 1 1 ab12....",
        ));
    }
    Ok(Reading::new(Tlsa { records }, scribe))
}

/// `[name ttl IN TLSA] usage selector matching data`.
fn rdata(line: &str) -> Option<Rdata<'_>> {
    let line = line.trim();
    let upper = line.to_ascii_uppercase();
    let found = upper.find("TLSA ").or_else(|| upper.find("TLSA\t"));
    let at_start = |at: usize| {
        at == 0
            || line
                .get(..at)
                .is_some_and(|before| before.ends_with([' ', '\t']))
    };
    let (from_zone, mut rest) = match found.filter(|at| at_start(*at)) {
        Some(at) => (true, line.get(at + 5..)?),
        None => (false, line),
    };
    let mut number = || {
        let start = rest.trim_start();
        let (word, behind) = start.split_once([' ', '\t'])?;
        rest = behind;
        Some((word, word.parse().ok()?))
    };
    let numbers = [number()?, number()?, number()?];
    let data = rest.trim().trim_matches(['(', ')']).trim();
    let is_hex = !data.is_empty()
        && data
            .bytes()
            .all(|b| b.is_ascii_hexdigit() || b" \t()".contains(&b));
    (is_hex || from_zone).then_some(Rdata {
        numbers,
        data,
        from_zone,
    })
}

fn record(scribe: &mut Scribe, rdata: &Rdata) -> Record {
    let [
        (usage_part, usage),
        (selector_part, selector),
        (matching_part, matching),
    ] = rdata.numbers;
    let name = |names: &[&'static str], number: u8| match number {
        255 => "PrivUse",
        _ => names
            .get(usize::from(number))
            .copied()
            .unwrap_or("Unassigned"),
    };
    let record = Record {
        usage,
        usage_name: name(&["PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE"], usage),
        selector,
        selector_name: name(&["Cert", "SPKI"], selector),
        matching,
        matching_name: name(&["Full", "SHA2-256", "SHA2-512"], matching),
        data: rdata
            .data
            .chars()
            .filter(char::is_ascii_hexdigit)
            .map(|c| c.to_ascii_lowercase())
            .take(SHOWN)
            .collect(),
    };
    for (part, name) in [
        (usage_part, record.usage_name),
        (selector_part, record.selector_name),
        (matching_part, record.matching_name),
    ] {
        if matches!(name, "Unassigned" | "PrivUse") {
            scribe.flag(
                UNASSIGNED,
                part,
                "No client knows this number; it skips the record.",
            );
        }
    }
    data(scribe, rdata, matching);
    match usage {
        0 | 1 => scribe.flag(
            NOT_FOR_MAIL,
            usage_part,
            "Usages 0 and 1 need a public issuer beside DNSSEC; mail servers must not use them.",
        ),
        3 if selector == 0 => scribe.flag(
            WHOLE_CERTIFICATE,
            selector_part,
            "Selector 0 must be changed with every renewal; 1 stays while the key does.",
        ),
        _ => {}
    }
    if matching == 0 {
        scribe.flag(
            FULL_DATA,
            matching_part,
            "The whole object makes DNS answers large; a digest is recommended.",
        );
    }
    record
}

fn data(scribe: &mut Scribe, rdata: &Rdata, matching: u8) {
    let odd = rdata
        .data
        .char_indices()
        .find(|(_, c)| !c.is_ascii_hexdigit() && !" \t()".contains(*c));
    if let Some((at, c)) = odd {
        scribe.flag(
            BAD_DATA,
            rdata.data.get(at..at + c.len_utf8()).unwrap_or(rdata.data),
            "The data is hexadecimal.",
        );
        return;
    }
    let digits = rdata.data.chars().filter(char::is_ascii_hexdigit).count();
    let wanted = match matching {
        1 => Some(64),
        2 => Some(128),
        _ => None,
    };
    if wanted.is_some_and(|wanted| wanted != digits) {
        scribe.flag(
            BAD_LENGTH,
            rdata.data,
            format!(
                "{digits} digits, {} belong to this matching type; the record matches nothing.",
                wanted.unwrap_or(0)
            ),
        );
    } else if digits % 2 == 1 || digits == 0 {
        scribe.flag(
            BAD_DATA,
            rdata.data,
            "The number of digits is odd, or there are none.",
        );
    }
}

const RECORD_LIMIT: usize = 64;
const SHOWN: usize = 256;

rules! {
    MALFORMED = "tlsa.malformed", High, "RFC 6698 section 2.2",
        "A line is no record.";
    BAD_LENGTH = "tlsa.bad_length", High, "RFC 6698 section 2.1.3",
        "The data does not have the length of the digest.";
    BAD_DATA = "tlsa.bad_data", High, "RFC 6698 section 2.2",
        "The data is not hexadecimal.";
    UNASSIGNED = "tlsa.unassigned", High, "RFC 7218 section 2",
        "A number is not assigned; the record is unusable.";
    NOT_FOR_MAIL = "tlsa.not_for_mail", Medium, "RFC 7672 section 3.1.3",
        "The usage must not be used by mail servers.";
    FULL_DATA = "tlsa.full_data", Low, "RFC 7671 section 10.1.1",
        "The record holds a whole certificate or key.";
    WHOLE_CERTIFICATE = "tlsa.whole_certificate", Low, "RFC 7671 section 5.1",
        "The record is bound to the certificate instead of its key.";
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
    fn a_zone_line_with_spaced_digits_is_read() {
        let reading = parse(FORMAT.example).unwrap();
        let record = &reading.value.records[0];
        assert_eq!(
            (
                record.usage_name,
                record.selector_name,
                record.matching_name
            ),
            ("DANE-EE", "SPKI", "SHA2-256")
        );
        assert_eq!((record.data.len(), reading.problems.len()), (64, 0));
    }

    #[test]
    fn faults_are_named() {
        let digest = "0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6";
        assert_eq!(codes(&format!("3 1 2 {digest}")), ["tlsa.bad_length"]);
        assert_eq!(codes(&format!("4 1 1 {digest}")), ["tlsa.unassigned"]);
        assert_eq!(codes(&format!("1 1 1 {digest}")), ["tlsa.not_for_mail"]);
        assert_eq!(
            codes(&format!("3 0 1 {digest}")),
            ["tlsa.whole_certificate"]
        );
        assert_eq!(
            codes(&format!("x. IN TLSA 3 1 1 {digest}\nx. IN TLSA 3 1 0 zz")),
            ["tlsa.full_data", "tlsa.bad_data"]
        );
        assert!(parse("3 1 one abc").is_err());
    }
}
