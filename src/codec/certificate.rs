//! X.509 certificates and chains (RFC 5280), as PEM or base64 of DER.
//!
//! [`Certificate::from_der`] serves the TLS probe too. Nothing is verified:
//! signatures and trust are the probe's business.

use std::net::IpAddr;

use serde::Serialize;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{DistributionPointName, ParsedExtension};
use x509_parser::prelude::FromDer;

use super::format::{Format, NotThis, Outcome, Reading, Scribe};
use super::sct::Sct;
use super::x509::{self, AlternativeNames, Key};
use super::{Context, Kind, der, pem};

mod judge;

pub(crate) use judge::lifetime_limit;

/// What there is to know about the kind `certificate`.
pub const FORMAT: Format = Format {
    kind: Kind::Certificate,
    title: "X.509 certificate or chain",
    reference: "RFC 5280",
    example: include_str!("certificate/example.pem"),
    fields: &[
        ("version", "1 to 3"),
        ("subject", "distinguished name, in the certificate's order"),
        (
            "commonName",
            "last common name of the subject; not used for matching",
        ),
        ("issuer", "distinguished name of the issuer"),
        ("serial", "serial number in hexadecimal"),
        ("dnsNames", "DNS names of the subjectAltName extension"),
        (
            "ipAddresses",
            "IP addresses of the subjectAltName extension",
        ),
        (
            "otherNames",
            "other alternative names, each with its type in front",
        ),
        ("notBefore", "start of validity, Unix seconds"),
        ("notAfter", "end of validity, Unix seconds"),
        (
            "validity",
            "`from`, `until` (RFC 3339), `days` in total and `daysLeft`",
        ),
        ("key", "`algorithm`, `bits`, and `curve` or `exponent`"),
        ("signatureAlgorithm", "how the issuer signed"),
        ("sha256", "fingerprint of the certificate, hexadecimal"),
        (
            "spkiSha256",
            "SHA-256 of the SubjectPublicKeyInfo, hexadecimal",
        ),
        ("isCa", "whether basicConstraints make it an issuer"),
        ("pathLength", "intermediates allowed below it"),
        ("selfIssued", "whether issuer and subject are the same name"),
        ("keyUsage", "key usages, RFC 5280 names"),
        (
            "extendedKeyUsage",
            "extended key usages, RFC 5280 names or object identifiers",
        ),
        ("caIssuers", "where the issuer's certificate can be fetched"),
        ("ocsp", "OCSP responders"),
        ("crl", "CRL distribution points"),
        ("sctCount", "embedded signed certificate timestamps"),
        (
            "mustStaple",
            "whether the TLS feature extension asks for OCSP stapling",
        ),
        (
            "validation",
            "`domain`, `organization`, `individual` or `extended`, by CA/Browser Forum policy",
        ),
        ("subjectKeyId", "subject key identifier, hexadecimal"),
        ("authorityKeyId", "authority key identifier, hexadecimal"),
        (
            "chain",
            "every certificate of the text: `subject`, `issuer`, `sha256`, `notAfter`, `isCa`",
        ),
        (
            "chainInOrder",
            "whether each certificate names the next as its issuer; null when none can be read",
        ),
    ],
    rules: judge::RULES,
    sniff,
    read,
};

/// An X.509 certificate, described. Text in it is cleaned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Certificate {
    /// 1 to 3.
    pub version: u32,
    /// `C=US, O=Example, CN=a`: in the certificate's order.
    pub subject: String,
    /// The last common name of the subject; never used for matching.
    pub common_name: Option<String>,
    /// The issuer's distinguished name.
    pub issuer: String,
    /// Lower-case hexadecimal, as encoded.
    pub serial: String,
    /// DNS names of the subjectAltName, as encoded; at most 256.
    pub dns_names: Vec<String>,
    /// IP addresses of the subjectAltName.
    pub ip_addresses: Vec<IpAddr>,
    /// Other alternative names: `email:`, `uri:`, `dirname:` ...
    pub other_names: Vec<String>,
    /// Unix seconds.
    pub not_before: i64,
    /// Unix seconds.
    pub not_after: i64,
    /// The public key.
    pub key: Key,
    /// `sha256WithRSAEncryption` and the like.
    pub signature_algorithm: String,
    /// SHA-256 of the certificate, lower-case hexadecimal.
    pub sha256: String,
    /// SHA-256 of the SubjectPublicKeyInfo, lower-case hexadecimal.
    pub spki_sha256: String,
    /// basicConstraints with cA true.
    pub is_ca: bool,
    /// pathLenConstraint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_length: Option<u32>,
    /// Issuer and subject are byte for byte the same name.
    pub self_issued: bool,
    /// RFC 5280 names.
    pub key_usage: Vec<String>,
    /// RFC 5280 names, or object identifiers.
    pub extended_key_usage: Vec<String>,
    /// authorityInfoAccess, id-ad-caIssuers.
    pub ca_issuers: Vec<String>,
    /// authorityInfoAccess, id-ad-ocsp.
    pub ocsp: Vec<String>,
    /// CRL distribution points.
    pub crl: Vec<String>,
    /// Embedded SCTs (RFC 6962).
    pub sct_count: usize,
    /// The first of them.
    #[serde(skip)]
    pub scts: Vec<Sct>,
    /// TLS feature status_request (RFC 7633).
    pub must_staple: bool,
    /// By CA/Browser Forum policy identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<&'static str>,
    /// Lower-case hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_key_id: Option<String>,
    /// Lower-case hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority_key_id: Option<String>,
    /// Alternative names that could not be read or kept.
    #[serde(skip)]
    pub(crate) unread_names: usize,
    /// Extensions that could not be parsed.
    #[serde(skip)]
    pub(crate) unread_extensions: usize,
}

impl Certificate {
    /// Describes one DER certificate; bytes behind it are ignored.
    ///
    /// # Errors
    /// [`NotThis`] when the bytes are no certificate.
    pub fn from_der(der: &[u8]) -> Result<Certificate, NotThis> {
        let (_, parsed) = X509Certificate::from_der(der).map_err(|_| NOT_A_CERTIFICATE)?;
        let mut certificate = Certificate::without_extensions(&parsed);
        for extension in parsed.extensions() {
            certificate.take(extension.parsed_extension());
            if extension.oid == TLS_FEATURE {
                certificate.must_staple = extension.value.windows(3).any(|w| w == [2, 1, 5]);
            }
        }
        Ok(certificate)
    }

    fn without_extensions(parsed: &X509Certificate) -> Self {
        let serial = parsed.raw_serial();
        Certificate {
            version: parsed.version().0 + 1,
            subject: x509::name_text(parsed.subject()),
            common_name: x509::common_name(parsed.subject()),
            issuer: x509::name_text(parsed.issuer()),
            serial: x509::hex(serial.get(..SERIAL_LIMIT).unwrap_or(serial)),
            dns_names: Vec::new(),
            ip_addresses: Vec::new(),
            other_names: Vec::new(),
            not_before: parsed.validity().not_before.timestamp(),
            not_after: parsed.validity().not_after.timestamp(),
            key: Key::of(parsed.public_key()),
            signature_algorithm: x509::signature_algorithm(&parsed.signature_algorithm),
            sha256: x509::hex(&Sha256::digest(parsed.as_raw())),
            spki_sha256: x509::hex(&Sha256::digest(parsed.public_key().raw)),
            is_ca: false,
            path_length: None,
            self_issued: parsed.subject().as_raw() == parsed.issuer().as_raw(),
            key_usage: Vec::new(),
            extended_key_usage: Vec::new(),
            ca_issuers: Vec::new(),
            ocsp: Vec::new(),
            crl: Vec::new(),
            sct_count: 0,
            scts: Vec::new(),
            must_staple: false,
            validation: None,
            subject_key_id: None,
            authority_key_id: None,
            unread_names: 0,
            unread_extensions: 0,
        }
    }

    /// Takes over what one extension says.
    fn take(&mut self, extension: &ParsedExtension) {
        match extension {
            ParsedExtension::SubjectAlternativeName(san) => {
                let names = AlternativeNames::of(&san.general_names);
                self.dns_names = names.dns;
                self.ip_addresses = names.ip;
                self.other_names = names.other;
                self.unread_names = names.invalid + names.more;
            }
            ParsedExtension::BasicConstraints(constraints) => {
                self.is_ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            ParsedExtension::KeyUsage(usage) => self.key_usage = x509::key_usages(usage),
            ParsedExtension::ExtendedKeyUsage(usage) => {
                self.extended_key_usage = x509::extended_key_usages(usage);
            }
            ParsedExtension::AuthorityInfoAccess(access) => {
                let by = |method: &str| {
                    let wanted = access
                        .iter()
                        .filter(|entry| x509::oid_text(&entry.access_method) == method);
                    x509::uris(wanted.map(|entry| &entry.access_location))
                };
                self.ocsp = by(AD_OCSP);
                self.ca_issuers = by(AD_CA_ISSUERS);
            }
            ParsedExtension::CRLDistributionPoints(points) => {
                let names = points
                    .iter()
                    .filter_map(|point| match &point.distribution_point {
                        Some(DistributionPointName::FullName(names)) => Some(names.iter()),
                        _ => None,
                    });
                self.crl = x509::uris(names.flatten());
            }
            ParsedExtension::CertificatePolicies(policies) => {
                self.validation = policies.iter().find_map(|policy| {
                    let oid = x509::oid_text(&policy.policy_id);
                    let known = VALIDATION.iter().find(|(id, _)| *id == oid);
                    known.map(|(_, validation)| *validation)
                });
            }
            ParsedExtension::SubjectKeyIdentifier(id) => {
                self.subject_key_id = Some(key_id(id.0));
            }
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| key_id(id.0));
            }
            ParsedExtension::SCT(timestamps) => {
                self.sct_count = timestamps.len();
                self.scts = timestamps.iter().take(16).map(Sct::of).collect();
            }
            ParsedExtension::ParseError { .. } => self.unread_extensions += 1,
            _ => {}
        }
    }

    /// Whether the certificate is for this host name or IP address, by
    /// RFC 9525: only subjectAltName counts, a wildcard stands for exactly
    /// one left-most label above at least two others.
    pub fn matches_name(&self, name: &str) -> bool {
        let bare = name
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Ok(ip) = bare.unwrap_or(name).parse::<IpAddr>() {
            return self.ip_addresses.contains(&ip);
        }
        let name = name.strip_suffix('.').unwrap_or(name);
        let Ok(name) = idna::domain_to_ascii(name) else {
            return false;
        };
        let is_host = !name.is_empty() && !name.split('.').any(str::is_empty);
        is_host && self.dns_names.iter().any(|pattern| matches(pattern, &name))
    }

    /// Whether `issuer` can be who issued this one, by name and key
    /// identifier. No signature is verified.
    pub fn names_as_issuer(&self, issuer: &Certificate) -> bool {
        let same_key = match (&self.authority_key_id, &issuer.subject_key_id) {
            (Some(wanted), Some(there)) => wanted == there,
            _ => true,
        };
        same_key && self.issuer == issuer.subject
    }
}

/// Whether a presented name covers a lower-case reference name.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.strip_suffix('.').unwrap_or(pattern);
    let Some(parent) = pattern.strip_prefix("*.") else {
        return pattern.eq_ignore_ascii_case(name);
    };
    let Some((_, above)) = name.split_once('.') else {
        return false;
    };
    !parent.contains('*') && parent.contains('.') && parent.eq_ignore_ascii_case(above)
}

fn key_id(bytes: &[u8]) -> String {
    x509::hex(bytes.get(..KEY_ID_LIMIT).unwrap_or(bytes))
}

fn sniff(text: &str) -> u8 {
    if text.contains("-----BEGIN ") {
        let labelled = LABELS
            .iter()
            .any(|label| text.contains(&format!("-----BEGIN {label}-----")));
        return if labelled { 99 } else { 0 };
    }
    if !text.trim_start().starts_with('M') {
        return 0;
    }
    let is_certificate = |block: &pem::Block| der::outline(&block.der) == der::Outline::Certificate;
    if pem::blocks(text).first().is_some_and(is_certificate) {
        97
    } else {
        0
    }
}

fn read(text: &str, context: &Context) -> Outcome {
    let blocks = pem::blocks(text);
    let mut scribe = Scribe::new(text);
    let mut chain: Vec<(Certificate, &pem::Block)> = Vec::new();
    for block in &blocks {
        let labelled = LABELS.contains(&block.label);
        match Certificate::from_der(&block.der) {
            Ok(certificate) if labelled || block.label.is_empty() => {
                chain.push((certificate, block))
            }
            _ if labelled => judge::unreadable(&mut scribe, block),
            _ => judge::other_block(&mut scribe, block),
        }
    }
    // What stands beside broken certificates alone is better told by its own kind.
    let all_labelled = || blocks.iter().all(|block| LABELS.contains(&block.label));
    if chain.is_empty() && (blocks.is_empty() || !all_labelled()) {
        return Err(NOT_A_CERTIFICATE);
    }
    judge::chain(&mut scribe, text, &chain, context);
    scribe.note("Signatures and trust are not verified here; analyze does that for a live host.");
    Ok(Reading::new(Explained::of(&chain, context), scribe).untyped())
}

/// The first certificate's members, and the chain around it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained<'a> {
    #[serde(flatten)]
    leaf: Option<&'a Certificate>,
    validity: Option<Validity>,
    chain: Vec<Link<'a>>,
    /// None without any certificate that could be read.
    chain_in_order: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Validity {
    from: String,
    until: String,
    days: i64,
    days_left: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    subject: &'a str,
    issuer: &'a str,
    sha256: &'a str,
    not_after: i64,
    is_ca: bool,
}

impl<'a> Explained<'a> {
    fn of(chain: &'a [(Certificate, &pem::Block)], context: &Context) -> Self {
        let leaf = chain.first().map(|(certificate, _)| certificate);
        Explained {
            leaf,
            validity: leaf.map(|leaf| Validity {
                from: super::moment::rfc3339(leaf.not_before),
                until: super::moment::rfc3339(leaf.not_after),
                days: leaf.not_after.saturating_sub(leaf.not_before) / DAY,
                days_left: leaf.not_after.saturating_sub(context.now()).div_euclid(DAY),
            }),
            chain: chain
                .iter()
                .map(|(certificate, _)| Link {
                    subject: &certificate.subject,
                    issuer: &certificate.issuer,
                    sha256: &certificate.sha256,
                    not_after: certificate.not_after,
                    is_ca: certificate.is_ca,
                })
                .collect(),
            chain_in_order: (!chain.is_empty()).then(|| judge::in_order(chain)),
        }
    }
}

const NOT_A_CERTIFICATE: NotThis =
    NotThis("send PEM with BEGIN CERTIFICATE lines, or the base64 of one DER certificate.");

/// RFC 7468 section 5.1 and what OpenSSL also writes.
const LABELS: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"];

const DAY: i64 = 86_400;
const KEY_ID_LIMIT: usize = 64;
const SERIAL_LIMIT: usize = 64;
const AD_OCSP: &str = "1.3.6.1.5.5.7.48.1";
const AD_CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
const TLS_FEATURE: x509_parser::der_parser::asn1_rs::Oid<'static> =
    x509_parser::der_parser::oid!(1.3.6.1.5.5.7.1.24);

/// CA/Browser Forum reserved certificate policies.
const VALIDATION: &[(&str, &str)] = &[
    ("2.23.140.1.1", "extended"),
    ("2.23.140.1.2.1", "domain"),
    ("2.23.140.1.2.2", "organization"),
    ("2.23.140.1.2.3", "individual"),
];
