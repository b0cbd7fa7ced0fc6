//! What certificates and requests have in common (RFC 5280): names, keys,
//! algorithms, alternative names, usages.
//!
//! Text that an object carries is cleaned here, where it enters.

use std::fmt::Write;
use std::net::IpAddr;

use serde::Serialize;
use x509_parser::der_parser::asn1_rs::{Any, Oid, Tag};
use x509_parser::extensions::{ExtendedKeyUsage, GeneralName, KeyUsage};
use x509_parser::prelude::FromDer;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Name};

use crate::guard::text::clean;

/// Names kept of one list.
pub(crate) const NAME_LIMIT: usize = 256;

/// Characters kept of one attribute or name.
const TEXT_LIMIT: usize = 256;

/// Characters kept of a distinguished name.
const DN_LIMIT: usize = 1024;

/// A public key, described.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Key {
    /// `RSA`, `EC`, `Ed25519` ..., or the dotted object identifier.
    pub algorithm: String,
    /// Size in bits: of the modulus, of the curve's field; 0 when unknown.
    pub bits: u32,
    /// The named curve of an EC key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<String>,
    /// The public exponent of an RSA key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponent: Option<u64>,
}

impl Key {
    /// The key of a SubjectPublicKeyInfo.
    pub(crate) fn of(spki: &SubjectPublicKeyInfo) -> Self {
        let oid = oid_text(&spki.algorithm.algorithm);
        match oid.as_str() {
            "1.2.840.113549.1.1.1" => Key::rsa("RSA", &spki.subject_public_key.data),
            "1.2.840.113549.1.1.10" => Key::rsa("RSA-PSS", &spki.subject_public_key.data),
            "1.2.840.10045.2.1" => Key::elliptic(&spki.algorithm),
            _ => {
                let (name, bits) = KEY_TYPES
                    .iter()
                    .find(|(id, _, _)| *id == oid)
                    .map_or((oid.as_str(), 0), |(_, name, bits)| (*name, *bits));
                Key::plain(name, bits)
            }
        }
    }

    /// The key of an encoded SubjectPublicKeyInfo.
    pub(crate) fn of_spki(der: &[u8]) -> Option<Self> {
        let (_, spki) = SubjectPublicKeyInfo::from_der(der).ok()?;
        Some(Key::of(&spki))
    }

    /// A key without curve or exponent.
    pub(crate) fn plain(algorithm: &str, bits: u32) -> Self {
        Key {
            algorithm: algorithm.to_owned(),
            bits,
            curve: None,
            exponent: None,
        }
    }

    /// The key of an encoded RSAPublicKey (RFC 8017 appendix A.1.1).
    pub(crate) fn rsa(algorithm: &str, public_key: &[u8]) -> Self {
        let parts = super::der::element(public_key, 0, public_key.len())
            .map_or_else(Vec::new, |key| {
                super::der::children(public_key, &key.content)
            });
        let integer = |nth: usize| {
            let bytes = parts
                .get(nth)
                .and_then(|part| public_key.get(part.content.clone()));
            bytes.unwrap_or_default()
        };
        Key {
            algorithm: algorithm.to_owned(),
            bits: bit_length(integer(0)),
            curve: None,
            exponent: small_integer(integer(1)),
        }
    }

    fn elliptic(algorithm: &AlgorithmIdentifier) -> Self {
        let oid = algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.clone().oid().ok())
            .map(|oid| oid_text(&oid));
        let known = oid
            .as_deref()
            .and_then(|oid| CURVES.iter().find(|(id, _, _)| *id == oid));
        Key {
            algorithm: "EC".to_owned(),
            bits: known.map_or(0, |(_, _, bits)| *bits),
            curve: known.map(|(_, name, _)| (*name).to_owned()).or(oid),
            exponent: None,
        }
    }
}

/// Bits of an unsigned big-endian integer.
pub(crate) fn bit_length(integer: &[u8]) -> u32 {
    match integer.iter().position(|byte| *byte != 0) {
        Some(at) => {
            let rest = integer.len() - at;
            let top = integer.get(at).map_or(0, |byte| byte.leading_zeros());
            (rest as u32) * 8 - top
        }
        None => 0,
    }
}

/// An unsigned integer that fits 64 bits.
pub(crate) fn small_integer(integer: &[u8]) -> Option<u64> {
    if integer.is_empty() || bit_length(integer) > 64 {
        return None;
    }
    Some(
        integer
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

/// The usual name of a signature algorithm, or its object identifier.
pub(crate) fn signature_algorithm(algorithm: &AlgorithmIdentifier) -> String {
    let oid = oid_text(&algorithm.algorithm);
    SIGNATURES
        .iter()
        .find(|(id, _)| *id == oid)
        .map_or(oid.clone(), |(_, name)| (*name).to_owned())
}

/// Why a key is too weak for anyone to accept it.
pub(crate) fn weakness(key: &Key) -> Option<String> {
    match key.algorithm.as_str() {
        "RSA" | "RSA-PSS" if key.bits < 2048 => Some(format!(
            "An RSA key of {} bits; at least 2048 are needed.",
            key.bits
        )),
        "EC" if (1..256).contains(&key.bits) => Some(format!(
            "An elliptic curve of {} bits; at least 256 are needed.",
            key.bits
        )),
        "DSA" => Some("DSA keys are no longer accepted.".to_owned()),
        _ => None,
    }
}

/// Whether a signature of this name rests on a broken hash.
pub(crate) fn is_broken_signature(name: &str) -> bool {
    ["md2", "md5", "sha1"]
        .iter()
        .any(|hash| name.starts_with(hash))
        || name.ends_with("-with-SHA1")
}

/// A distinguished name in the order of the object, `C=US, O=Example, CN=a`;
/// separators inside values are escaped as RFC 4514 does.
pub(crate) fn name_text(name: &X509Name) -> String {
    let mut out = String::new();
    for rdn in name.iter_rdn() {
        for (nth, attribute) in rdn.iter().enumerate() {
            if !out.is_empty() {
                out.push_str(if nth == 0 { ", " } else { " + " });
            }
            out.push_str(&attribute_name(attribute.attr_type()));
            out.push('=');
            escape_into(&mut out, &attribute_text(attribute.attr_value()));
            if out.len() > DN_LIMIT {
                return clean(&out, DN_LIMIT);
            }
        }
    }
    out
}

/// The most specific common name.
pub(crate) fn common_name(name: &X509Name) -> Option<String> {
    name.iter_common_name()
        .last()
        .map(|attribute| attribute_text(attribute.attr_value()))
}

fn attribute_name(oid: &Oid) -> String {
    let oid = oid_text(oid);
    ATTRIBUTES
        .iter()
        .find(|(id, _)| *id == oid)
        .map_or_else(|| oid.clone(), |(_, name)| (*name).to_owned())
}

fn attribute_text(value: &Any) -> String {
    let text = match value.tag() {
        Tag::BmpString => utf16(value.data),
        Tag::T61String => value.data.iter().map(|byte| char::from(*byte)).collect(),
        Tag::Utf8String
        | Tag::PrintableString
        | Tag::Ia5String
        | Tag::NumericString
        | Tag::VisibleString
        | Tag::GeneralString => String::from_utf8_lossy(value.data).into_owned(),
        _ => format!("#{}", hex(value.data.get(..64).unwrap_or(value.data))),
    };
    clean(&text, TEXT_LIMIT)
}

fn utf16(data: &[u8]) -> String {
    let units = data.chunks_exact(2).map(|pair| {
        pair.iter()
            .fold(0u16, |sum, byte| sum << 8 | u16::from(*byte))
    });
    char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

fn escape_into(out: &mut String, value: &str) {
    for c in value.chars() {
        if matches!(c, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
            out.push('\\');
        }
        out.push(c);
    }
}

/// Alternative names, sorted by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AlternativeNames {
    pub(crate) dns: Vec<String>,
    pub(crate) ip: Vec<IpAddr>,
    /// `email:...`, `uri:...`, `dirname:...` and the like.
    pub(crate) other: Vec<String>,
    /// Names that could not be read.
    pub(crate) invalid: usize,
    /// Names beyond [`NAME_LIMIT`], counted only.
    pub(crate) more: usize,
}

impl AlternativeNames {
    /// The names of a SubjectAltName extension.
    pub(crate) fn of(names: &[GeneralName]) -> Self {
        let mut read = AlternativeNames {
            more: names.len().saturating_sub(NAME_LIMIT),
            ..AlternativeNames::default()
        };
        for name in names.iter().take(NAME_LIMIT) {
            read.add(name);
        }
        read
    }

    fn add(&mut self, name: &GeneralName) {
        match name {
            // Only what can be a host name may ever be matched: cleaning
            // `bank.example\0.evil.example` would otherwise make another name.
            GeneralName::DNSName(dns) if is_host_pattern(dns) => self.dns.push((*dns).to_owned()),
            GeneralName::DNSName(dns) => {
                self.invalid += 1;
                self.other.push(labelled("dns", dns));
            }
            GeneralName::IPAddress(bytes) => match ip(bytes) {
                Some(ip) => self.ip.push(ip),
                None => self.invalid += 1,
            },
            GeneralName::RFC822Name(mail) => self.other.push(labelled("email", mail)),
            GeneralName::URI(uri) => self.other.push(labelled("uri", uri)),
            GeneralName::DirectoryName(dn) => self.other.push(labelled("dirname", &name_text(dn))),
            GeneralName::RegisteredID(oid) => {
                self.other.push(labelled("rid", &oid_text(oid)));
            }
            GeneralName::OtherName(oid, _) => {
                self.other.push(labelled("othername", &oid_text(oid)));
            }
            _ => self.invalid += 1,
        }
    }
}

fn is_host_pattern(name: &str) -> bool {
    (1..=TEXT_LIMIT).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte))
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label}:{}", clean(text, TEXT_LIMIT))
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// The URIs among general names.
pub(crate) fn uris<'a>(names: impl Iterator<Item = &'a GeneralName<'a>>) -> Vec<String> {
    names
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(clean(uri, TEXT_LIMIT)),
            _ => None,
        })
        .take(8)
        .collect()
}

/// Key usages by their names in RFC 5280 section 4.2.1.3.
pub(crate) fn key_usages(usage: &KeyUsage) -> Vec<String> {
    [
        (usage.digital_signature(), "digitalSignature"),
        (usage.non_repudiation(), "contentCommitment"),
        (usage.key_encipherment(), "keyEncipherment"),
        (usage.data_encipherment(), "dataEncipherment"),
        (usage.key_agreement(), "keyAgreement"),
        (usage.key_cert_sign(), "keyCertSign"),
        (usage.crl_sign(), "cRLSign"),
        (usage.encipher_only(), "encipherOnly"),
        (usage.decipher_only(), "decipherOnly"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name.to_owned())
    .collect()
}

/// Extended key usages by their names in RFC 5280 section 4.2.1.12.
pub(crate) fn extended_key_usages(usage: &ExtendedKeyUsage) -> Vec<String> {
    let known = [
        (usage.any, "anyExtendedKeyUsage"),
        (usage.server_auth, "serverAuth"),
        (usage.client_auth, "clientAuth"),
        (usage.code_signing, "codeSigning"),
        (usage.email_protection, "emailProtection"),
        (usage.time_stamping, "timeStamping"),
        (usage.ocsp_signing, "OCSPSigning"),
    ]
    .into_iter()
    .filter(|(set, _)| *set)
    .map(|(_, name)| name.to_owned());
    let other = usage.other.iter().map(|oid| oid_text(oid));
    known.chain(other).take(32).collect()
}

/// Dotted form (X.690 section 8.19). Arcs beyond 128 bits, which is what UUIDs
/// need (X.667), are not spelled out.
pub(crate) fn oid_text(oid: &Oid) -> String {
    const SPELLED: usize = 40;
    const OVERSIZED: &str = "oversized object identifier";
    let octets = oid.as_bytes();
    if octets.len() > SPELLED {
        return OVERSIZED.to_owned();
    }
    let mut text = String::with_capacity(SPELLED);
    let mut arc: u128 = 0;
    for octet in octets {
        if arc.leading_zeros() < 7 {
            return OVERSIZED.to_owned();
        }
        arc = arc << 7 | u128::from(octet & 0x7F);
        if octet & 0x80 != 0 {
            continue;
        }
        // Writing into a string cannot fail.
        let _ = match (text.is_empty(), arc) {
            (false, _) => write!(text, ".{arc}"),
            // The first two arcs are one number.
            (true, ..80) => write!(text, "{}.{}", arc / 40, arc % 40),
            (true, _) => write!(text, "2.{}", arc - 80),
        };
        arc = 0;
    }
    text
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'?'));
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// RFC 4514 section 3 and the attributes that certificates use beside.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.15", "businessCategory"),
    ("2.5.4.17", "postalCode"),
    ("2.5.4.42", "GN"),
    ("2.5.4.46", "dnQualifier"),
    ("2.5.4.97", "organizationIdentifier"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("1.3.6.1.4.1.311.60.2.1.1", "jurisdictionL"),
    ("1.3.6.1.4.1.311.60.2.1.2", "jurisdictionST"),
    ("1.3.6.1.4.1.311.60.2.1.3", "jurisdictionC"),
];

/// Key types of one size (RFC 8410, RFC 9881), and DSA.
const KEY_TYPES: &[(&str, &str, u32)] = &[
    ("1.3.101.110", "X25519", 256),
    ("1.3.101.111", "X448", 448),
    ("1.3.101.112", "Ed25519", 256),
    ("1.3.101.113", "Ed448", 456),
    ("1.2.840.10040.4.1", "DSA", 0),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44", 0),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65", 0),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87", 0),
];

/// RFC 5480 section 2.1.1.1, RFC 5639 and SEC 2.
const CURVES: &[(&str, &str, u32)] = &[
    ("1.2.840.10045.3.1.1", "P-192", 192),
    ("1.3.132.0.33", "P-224", 224),
    ("1.2.840.10045.3.1.7", "P-256", 256),
    ("1.3.132.0.34", "P-384", 384),
    ("1.3.132.0.35", "P-521", 521),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// Names as OpenSSL prints them, which is what people search for.
const SIGNATURES: &[(&str, &str)] = &[
    ("1.2.840.113549.1.1.2", "md2WithRSAEncryption"),
    ("1.2.840.113549.1.1.4", "md5WithRSAEncryption"),
    ("1.2.840.113549.1.1.5", "sha1WithRSAEncryption"),
    ("1.2.840.113549.1.1.10", "rsassaPss"),
    ("1.2.840.113549.1.1.11", "sha256WithRSAEncryption"),
    ("1.2.840.113549.1.1.12", "sha384WithRSAEncryption"),
    ("1.2.840.113549.1.1.13", "sha512WithRSAEncryption"),
    ("1.2.840.113549.1.1.14", "sha224WithRSAEncryption"),
    ("1.2.840.10045.4.1", "ecdsa-with-SHA1"),
    ("1.2.840.10045.4.3.1", "ecdsa-with-SHA224"),
    ("1.2.840.10045.4.3.2", "ecdsa-with-SHA256"),
    ("1.2.840.10045.4.3.3", "ecdsa-with-SHA384"),
    ("1.2.840.10045.4.3.4", "ecdsa-with-SHA512"),
    ("1.2.840.10040.4.3", "dsa-with-SHA1"),
    ("2.16.840.1.101.3.4.3.2", "dsa_with_SHA256"),
    ("1.3.101.112", "ED25519"),
    ("1.3.101.113", "ED448"),
    ("2.16.840.1.101.3.4.3.17", "ML-DSA-44"),
    ("2.16.840.1.101.3.4.3.18", "ML-DSA-65"),
    ("2.16.840.1.101.3.4.3.19", "ML-DSA-87"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_without_leading_zeros() {
        assert_eq!(bit_length(&[0, 0x80, 0]), 16);
        assert_eq!(bit_length(&[0x01, 0, 1]), 17);
        assert_eq!(bit_length(&[0, 0]), 0);
    }

    #[test]
    fn an_identifier_is_spelled_with_dots_however_long_its_arcs_are() {
        let spelled = |octets: &[u8]| oid_text(&Oid::new(octets.into()));
        assert_eq!(
            spelled(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D]),
            "1.2.840.113549"
        );
        assert_eq!(spelled(&[0x09, 0x00]), "0.9.0");
        assert_eq!(spelled(&[0x88, 0x37, 3]), "2.999.3");
        // A UUID of ones only, and one bit more.
        let mut longest = [0xFF; 20];
        (longest[0], longest[1], longest[19]) = (0x69, 0x83, 0x7F);
        assert_eq!(spelled(&longest), format!("2.25.{}", u128::MAX));
        longest[1] = 0x84;
        assert_eq!(spelled(&longest), "oversized object identifier");
        assert_eq!(spelled(&[0x81; 41]), "oversized object identifier");
    }

    #[test]
    fn separators_in_values_cannot_forge_attributes() {
        let mut out = String::new();
        escape_into(&mut out, "a, CN=bank.example");
        assert_eq!(out, "a\\, CN=bank.example");
    }
}
