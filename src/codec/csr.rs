//! Certificate signing requests (PKCS #10, RFC 2986).

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::cri_attributes::ParsedCriAttribute;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;

use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::x509::{self, AlternativeNames, Key};
use super::{Kind, der, pem};

/// What there is to know about the kind `csr`.
pub const FORMAT: Format = Format {
    kind: Kind::Csr,
    title: "certificate signing request",
    reference: "RFC 2986",
    example: include_str!("csr/example.pem"),
    fields: &[
        ("subject", "distinguished name asked for"),
        ("commonName", "last common name of the subject"),
        ("dnsNames", "DNS names asked for"),
        ("ipAddresses", "IP addresses asked for"),
        (
            "otherNames",
            "other alternative names, each with its type in front",
        ),
        ("key", "`algorithm`, `bits`, and `curve` or `exponent`"),
        ("signatureAlgorithm", "how the request is signed"),
        (
            "spkiSha256",
            "SHA-256 of the SubjectPublicKeyInfo, hexadecimal: the same in the certificate",
        ),
        ("keyUsage", "key usages asked for"),
        ("extendedKeyUsage", "extended key usages asked for"),
        ("isCa", "whether an issuing certificate is asked for"),
        (
            "challengePassword",
            "whether the request carries one; it is not repeated",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One request. Text in it is cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Csr {
    subject: String,
    common_name: Option<String>,
    dns_names: Vec<String>,
    ip_addresses: Vec<IpAddr>,
    other_names: Vec<String>,
    key: Key,
    signature_algorithm: String,
    spki_sha256: String,
    key_usage: Vec<String>,
    extended_key_usage: Vec<String>,
    is_ca: bool,
    challenge_password: bool,
    #[serde(skip)]
    unread_names: usize,
}

impl Csr {
    /// Describes one DER request.
    fn from_der(der: &[u8]) -> Result<Csr, NotThis> {
        let (_, parsed) = X509CertificationRequest::from_der(der).map_err(|_| NOT_A_REQUEST)?;
        let info = &parsed.certification_request_info;
        let mut csr = Csr {
            subject: x509::name_text(&info.subject),
            common_name: x509::common_name(&info.subject),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            other_names: Vec::new(),
            key: Key::of(&info.subject_pki),
            signature_algorithm: x509::signature_algorithm(&parsed.signature_algorithm),
            spki_sha256: x509::hex(&Sha256::digest(info.subject_pki.raw)),
            key_usage: Vec::new(),
            extended_key_usage: Vec::new(),
            is_ca: false,
            challenge_password: false,
            unread_names: 0,
        };
        for attribute in info.iter_attributes() {
            match attribute.parsed_attribute() {
                ParsedCriAttribute::ChallengePassword(_) => csr.challenge_password = true,
                ParsedCriAttribute::ExtensionRequest(request) => {
                    for extension in &request.extensions {
                        csr.take(extension.parsed_extension());
                    }
                }
                _ => {}
            }
        }
        Ok(csr)
    }

    fn take(&mut self, extension: &ParsedExtension) {
        match extension {
            ParsedExtension::SubjectAlternativeName(san) => {
                let names = AlternativeNames::of(&san.general_names);
                self.dns_names = names.dns;
                self.ip_addresses = names.ip;
                self.other_names = names.other;
                self.unread_names = names.invalid + names.more;
            }
            ParsedExtension::KeyUsage(usage) => self.key_usage = x509::key_usages(usage),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usage = x509::extended_key_usages(usage)
            }
            ParsedExtension::BasicConstraints(constraints) => self.is_ca = constraints.ca,
            _ => {}
        }
    }
}

/// Reads the first request of a text.
pub fn parse(text: &str) -> Result<Reading<Csr>, NotThis> {
    let blocks = pem::blocks(text);
    let mut scribe = Scribe::new(text);
    let wanted = blocks
        .iter()
        .find(|block| block.label.is_empty() || LABELS.contains(&block.label));
    let block = wanted.ok_or(NOT_A_REQUEST)?;
    let csr = Csr::from_der(&block.der)?;
    for other in blocks
        .iter()
        .filter(|other| other.label.ends_with("PRIVATE KEY"))
    {
        scribe.flag(
            PRIVATE_KEY_INCLUDED,
            other.whole,
            "A private key was pasted along; treat it as disclosed and make a new one.",
        );
    }
    judge(&mut scribe, text, block, &csr);
    scribe.note("The signature is not verified here.");
    Ok(Reading::new(csr, scribe))
}

fn judge(scribe: &mut Scribe, text: &str, block: &pem::Block, csr: &Csr) {
    let parts = Layout::of(&block.der);
    let mut flag = |rule, der: &std::ops::Range<usize>, message: String| {
        scribe.flag_range(rule, block.locate(text, der.clone()), message);
    };
    if let Some(why) = x509::weakness(&csr.key) {
        flag(WEAK_KEY, &parts.key, why);
    }
    if x509::is_broken_signature(&csr.signature_algorithm) {
        flag(
            BROKEN_SIGNATURE,
            &parts.signature_algorithm,
            format!(
                "Signed with {}, whose hash is broken.",
                csr.signature_algorithm
            ),
        );
    }
    if csr.dns_names.is_empty() && csr.ip_addresses.is_empty() && csr.other_names.is_empty() {
        flag(
            NO_ALTERNATIVE_NAME,
            &parts.subject,
            "No subjectAltName is asked for; a certificate without one matches no host.".to_owned(),
        );
    } else if let Some(common) = csr.common_name.as_deref()
        && common.contains('.')
        && !csr
            .dns_names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(common))
        && !csr.ip_addresses.iter().any(|ip| ip.to_string() == common)
    {
        flag(
            COMMON_NAME_NOT_LISTED,
            &parts.subject,
            "The common name is not among the alternative names.".to_owned(),
        );
    }
    if csr.unread_names > 0 {
        flag(
            BROKEN_NAME,
            &parts.attributes,
            format!(
                "{} alternative names are malformed or too many to keep.",
                csr.unread_names
            ),
        );
    }
    if csr.is_ca {
        flag(
            ASKS_FOR_CA,
            &parts.attributes,
            "An issuing certificate is asked for.".to_owned(),
        );
    }
    if csr.challenge_password {
        flag(
            CHALLENGE_PASSWORD,
            &parts.attributes,
            "The request carries a challenge password in the clear; it is not repeated here."
                .to_owned(),
        );
    }
    if !block.closed {
        scribe.flag(
            NOT_CLOSED,
            block.whole,
            "The END line is missing or names another label.",
        );
    }
}

/// Where the parts of a request lie (RFC 2986 section 4).
struct Layout {
    subject: std::ops::Range<usize>,
    key: std::ops::Range<usize>,
    attributes: std::ops::Range<usize>,
    signature_algorithm: std::ops::Range<usize>,
}

impl Layout {
    fn of(request: &[u8]) -> Self {
        let outer = der::element(request, 0, request.len());
        let parts = outer.map_or_else(Vec::new, |outer| der::children(request, &outer.content));
        let info = parts
            .first()
            .map_or_else(Vec::new, |info| der::children(request, &info.content));
        let whole = 0..request.len();
        let of = |list: &[der::Element], nth: usize| {
            list.get(nth)
                .map_or(whole.clone(), |part| part.whole.clone())
        };
        Layout {
            subject: of(&info, 1),
            key: of(&info, 2),
            attributes: of(&info, 3),
            signature_algorithm: of(&parts, 1),
        }
    }
}

fn sniff(text: &str) -> u8 {
    if text.contains("-----BEGIN ") {
        let labelled = LABELS
            .iter()
            .any(|label| text.contains(&format!("-----BEGIN {label}-----")));
        return u8::from(labelled) * 99;
    }
    let is_request = |block: &pem::Block| der::outline(&block.der) == der::Outline::Request;
    let encoded =
        text.trim_start().starts_with('M') && pem::blocks(text).first().is_some_and(is_request);
    u8::from(encoded) * 97
}

/// RFC 7468 section 7.
const LABELS: &[&str] = &["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

const NOT_A_REQUEST: NotThis =
    NotThis("send PEM with BEGIN CERTIFICATE REQUEST lines, or the base64 of one DER request.");

rules! {
    WEAK_KEY = "csr.weak_key", High, "CA/Browser Forum Baseline Requirements section 6.1.5",
        "The key is too short or of a withdrawn type.";
    BROKEN_SIGNATURE = "csr.broken_signature", High, "RFC 9155 section 2",
        "The signature rests on MD2, MD5 or SHA-1.";
    PRIVATE_KEY_INCLUDED = "csr.private_key_included", High, "RFC 7468 section 10",
        "A private key stands beside the request.";
    NO_ALTERNATIVE_NAME = "csr.no_alternative_name", Medium, "RFC 9525 section 2",
        "No subjectAltName is asked for.";
    COMMON_NAME_NOT_LISTED = "csr.common_name_not_listed", Low, "RFC 9525 section 2",
        "The common name looks like a host and is no alternative name.";
    BROKEN_NAME = "csr.broken_name", Medium, "RFC 5280 section 4.2.1.6",
        "An alternative name is malformed.";
    ASKS_FOR_CA = "csr.asks_for_ca", Medium, "RFC 5280 section 4.2.1.9",
        "An issuing certificate is asked for.";
    CHALLENGE_PASSWORD = "csr.challenge_password", Medium, "RFC 2985 section 5.4.1",
        "A challenge password is carried in the clear.";
    NOT_CLOSED = "csr.not_closed", Medium, "RFC 7468 section 2",
        "The END line is missing or differs.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_read() {
        let csr = parse(FORMAT.example).unwrap().value;
        assert_eq!(csr.subject, "O=Example\\, Inc, CN=www.example.com");
        assert_eq!(csr.dns_names, ["example.com", "www.example.com"]);
        assert_eq!(csr.key.curve.as_deref(), Some("P-256"));
        assert!(csr.challenge_password);
    }

    #[test]
    fn a_challenge_password_is_never_repeated() {
        let reading = parse(FORMAT.example).unwrap();
        assert!(reading.has("csr.challenge_password"));
        let shown = serde_json::to_string(&reading.value).unwrap();
        assert!(!shown.contains("correct horse"));
    }

    #[test]
    fn a_certificate_is_no_request() {
        let certificate = super::super::certificate::FORMAT.example;
        assert!(parse(certificate).is_err());
        assert_eq!(sniff(certificate), 0);
    }
}
