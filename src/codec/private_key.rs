//! Private keys: recognised, named and warned about, never repeated.
//!
//! What is said of a key is public: its type, its size, and the digest of the
//! public key where that can be told, so that the owner finds every
//! certificate that has to be replaced.

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::der::{self, Outline, tag};
use super::format::{Format, NotThis, Reading, Scribe, rules};
use super::x509::{self, Key};
use super::{Kind, pem};

mod openssh;

/// What there is to know about the kind `private_key`.
pub const FORMAT: Format = Format {
    kind: Kind::PrivateKey,
    title: "private key",
    reference: "RFC 5958",
    // The key that RFC 8410 section 10.3 publishes.
    example: "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n",
    fields: &[
        (
            "format",
            "`pkcs8`, `pkcs1`, `sec1`, `openssh`, `pgp`, `putty`, `age` or `unknown`",
        ),
        ("encrypted", "whether a passphrase protects it"),
        (
            "key",
            "`algorithm`, `bits`, and `curve` or `exponent`; null when it cannot be told",
        ),
        (
            "spkiSha256",
            "SHA-256 of the public key's SubjectPublicKeyInfo, hexadecimal, where it \
             can be told: certificates have the same",
        ),
        (
            "count",
            "private keys in the text; the fields are those of the first",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// What may be said about a private key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateKey {
    format: &'static str,
    encrypted: bool,
    key: Option<Key>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spki_sha256: Option<String>,
    count: usize,
}

/// Recognises a private key.
pub fn parse(text: &str) -> Result<Reading<PrivateKey>, NotThis> {
    let mut scribe = Scribe::new(text);
    let blocks = pem::blocks(text);
    let keys: Vec<&pem::Block> = blocks.iter().filter(|block| is_private(block)).collect();
    let mut described = match (keys.first(), foreign(text)) {
        (Some(block), _) => described(block),
        (None, Some(format)) => blank(format),
        (None, None) => return Err(NOT_A_KEY),
    };
    described.count = keys.len().max(1);
    for block in &keys {
        scribe.flag(
            DISCLOSED,
            block.whole,
            "A private key was pasted: treat it as disclosed, replace it and revoke \
             what rests on it. It is not repeated here.",
        );
    }
    if keys.is_empty() {
        scribe.flag(
            DISCLOSED,
            text.trim(),
            "A private key was pasted: treat it as disclosed and replace it. It is \
             not repeated here.",
        );
    }
    if let Some(block) = keys.first() {
        judge(&mut scribe, block, &described);
    }
    Ok(Reading::new(described, scribe))
}

fn judge(scribe: &mut Scribe, block: &pem::Block, key: &PrivateKey) {
    if !key.encrypted {
        scribe.flag(NOT_ENCRYPTED, block.whole, "No passphrase protects it.");
    }
    if block.has_headers {
        scribe.flag(
            OLD_ENCRYPTION,
            block.whole,
            "Encrypted the way of RFC 1421: the passphrase is hashed once with MD5 \
             and quickly guessed.",
        );
    }
    if let Some(why) = key.key.as_ref().and_then(x509::weakness) {
        scribe.flag(WEAK_KEY, block.whole, why);
    }
    if !block.closed {
        scribe.flag(
            NOT_CLOSED,
            block.whole,
            "The END line is missing or names another label.",
        );
    }
}

/// What can be told from the block without decrypting anything.
fn described(block: &pem::Block) -> PrivateKey {
    let der = &block.der;
    if block.has_headers {
        let format = if block.label == "EC PRIVATE KEY" {
            "sec1"
        } else {
            "pkcs1"
        };
        return PrivateKey {
            encrypted: true,
            ..blank(format)
        };
    }
    match der::outline(der) {
        Outline::EncryptedPkcs8 => PrivateKey {
            encrypted: true,
            ..blank("pkcs8")
        },
        Outline::Pkcs8 => pkcs8(der).unwrap_or(blank("pkcs8")),
        Outline::Pkcs1 => with_public("pkcs1", pkcs1_public(der)),
        Outline::Sec1 => with_public("sec1", sec1_public(der, None)),
        _ if block.label == "OPENSSH PRIVATE KEY" => openssh::described(der),
        _ if block.label.starts_with("PGP") => blank("pgp"),
        _ => blank("unknown"),
    }
}

/// PrivateKeyInfo: version, algorithm, and the key of that algorithm inside.
fn pkcs8(info: &[u8]) -> Option<PrivateKey> {
    let outer = der::element(info, 0, info.len())?;
    let parts = der::children(info, &outer.content);
    let algorithm = parts.get(1)?;
    let identifiers = der::children(info, &algorithm.content);
    let oid = info.get(identifiers.first()?.content.clone())?;
    let inner = info.get(parts.get(2)?.content.clone())?;
    let known = match oid {
        RSA => with_public("pkcs8", pkcs1_public(inner)),
        RSA_PSS => {
            let algorithm = info.get(algorithm.whole.clone())?;
            with_public("pkcs8", rsa_public(inner, algorithm))
        }
        EC => {
            let curve = identifiers
                .get(1)
                .and_then(|curve| info.get(curve.whole.clone()));
            with_public("pkcs8", sec1_public(inner, curve))
        }
        _ => {
            let key = EDWARDS
                .iter()
                .find(|(id, _, _)| *id == oid)
                .map(|(_, name, bits)| Key::plain(name, *bits));
            PrivateKey {
                key,
                ..blank("pkcs8")
            }
        }
    };
    Some(known)
}

/// The SubjectPublicKeyInfo of an RSAPrivateKey that is for any use.
fn pkcs1_public(key: &[u8]) -> Option<Vec<u8>> {
    let null: &[u8] = &[0x05, 0x00];
    let algorithm = der::wrapped(tag::SEQUENCE, &[&der::wrapped(tag::OID, &[RSA]), null]);
    rsa_public(key, &algorithm)
}

/// The same with its AlgorithmIdentifier; the key holds modulus and exponent.
fn rsa_public(key: &[u8], algorithm: &[u8]) -> Option<Vec<u8>> {
    let outer = der::element(key, 0, key.len())?;
    let parts = der::children(key, &outer.content);
    let modulus = key.get(parts.get(1)?.whole.clone())?;
    let exponent = key.get(parts.get(2)?.whole.clone())?;
    let public = der::wrapped(tag::SEQUENCE, &[modulus, exponent]);
    Some(spki(algorithm, &public))
}

/// The SubjectPublicKeyInfo of an ECPrivateKey, when it holds the point; the
/// curve comes from it or from the PrivateKeyInfo around it.
fn sec1_public(key: &[u8], curve: Option<&[u8]>) -> Option<Vec<u8>> {
    let outer = der::element(key, 0, key.len())?;
    let parts = der::children(key, &outer.content);
    let tagged = |tag: u8| {
        parts
            .iter()
            .find(|part| part.tag == tag)
            .and_then(|part| key.get(part.content.clone()))
    };
    let curve = tagged(0xA0).or(curve)?;
    let point = tagged(0xA1)?;
    let bits = der::element(point, 0, point.len()).filter(|bits| bits.tag == tag::BIT_STRING)?;
    let algorithm = der::wrapped(tag::SEQUENCE, &[&der::wrapped(tag::OID, &[EC]), curve]);
    Some(der::wrapped(
        tag::SEQUENCE,
        &[&algorithm, point.get(bits.whole)?],
    ))
}

fn spki(algorithm: &[u8], public: &[u8]) -> Vec<u8> {
    let bits = der::wrapped(tag::BIT_STRING, &[&[0], public]);
    der::wrapped(tag::SEQUENCE, &[algorithm, &bits])
}

fn with_public(format: &'static str, spki: Option<Vec<u8>>) -> PrivateKey {
    let spki = spki.unwrap_or_default();
    PrivateKey {
        key: Key::of_spki(&spki),
        spki_sha256: (!spki.is_empty()).then(|| x509::hex(&Sha256::digest(&spki))),
        ..blank(format)
    }
}

const fn blank(format: &'static str) -> PrivateKey {
    PrivateKey {
        format,
        encrypted: false,
        key: None,
        spki_sha256: None,
        count: 1,
    }
}

fn is_private(block: &pem::Block) -> bool {
    let keyed = matches!(
        der::outline(&block.der),
        Outline::Pkcs8 | Outline::Pkcs1 | Outline::Sec1
    );
    block.label.ends_with("PRIVATE KEY")
        || block.label == "PGP PRIVATE KEY BLOCK"
        || keyed
        || (block.label.is_empty() && der::outline(&block.der) == Outline::EncryptedPkcs8)
}

/// Key files without PEM.
fn foreign(text: &str) -> Option<&'static str> {
    let bare = text.trim_start();
    if bare.starts_with("PuTTY-User-Key-File-") {
        return Some("putty");
    }
    let is_age = text
        .lines()
        .any(|line| line.starts_with("AGE-SECRET-KEY-1") && line.trim_end().len() == 74);
    is_age.then_some("age")
}

fn sniff(text: &str) -> u8 {
    if text.contains("PRIVATE KEY-----")
        || text.contains("PRIVATE KEY BLOCK-----")
        || foreign(text).is_some()
    {
        return 99;
    }
    let encoded =
        text.trim_start().starts_with('M') && pem::blocks(text).first().is_some_and(is_private);
    u8::from(encoded) * 97
}

const NOT_A_KEY: NotThis = NotThis(
    "a private key is PEM with a BEGIN PRIVATE KEY line (PKCS #8, PKCS #1, \
     SEC 1, OpenSSH, PGP), or the base64 of its DER.",
);

/// 1.2.840.113549.1.1.1, as encoded.
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
/// 1.2.840.113549.1.1.10, as encoded.
const RSA_PSS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x0A];
/// 1.2.840.10045.2.1, as encoded.
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];

/// RFC 8410 section 3 and RFC 9881, as encoded.
const EDWARDS: &[(&[u8], &str, u32)] = &[
    (&[0x2B, 0x65, 0x6E], "X25519", 256),
    (&[0x2B, 0x65, 0x6F], "X448", 448),
    (&[0x2B, 0x65, 0x70], "Ed25519", 256),
    (&[0x2B, 0x65, 0x71], "Ed448", 456),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x11],
        "ML-DSA-44",
        0,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x12],
        "ML-DSA-65",
        0,
    ),
    (
        &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x13],
        "ML-DSA-87",
        0,
    ),
];

rules! {
    DISCLOSED = "private_key.disclosed", High, "RFC 7468 section 10",
        "A private key was pasted and must be replaced.";
    NOT_ENCRYPTED = "private_key.not_encrypted", Medium, "RFC 5958 section 3",
        "No passphrase protects the key.";
    OLD_ENCRYPTION = "private_key.old_encryption", Medium, "RFC 1421 section 4.6.1.3",
        "The passphrase protects the key poorly.";
    WEAK_KEY = "private_key.weak_key", High, "CA/Browser Forum Baseline Requirements section 6.1.5",
        "The key is too short or of a withdrawn type.";
    NOT_CLOSED = "private_key.not_closed", Low, "RFC 7468 section 2",
        "The END line is missing or differs.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::base64::Engine;
    use ::base64::engine::general_purpose::STANDARD;

    /// Nobody's key: the parts have the right shape and no relation.
    fn rsa(bits: usize) -> Vec<u8> {
        let modulus = der::wrapped(tag::INTEGER, &[&[0], &vec![0xC1; bits / 8]]);
        let small = der::wrapped(tag::INTEGER, &[&[1, 0, 1]]);
        let zero = der::wrapped(tag::INTEGER, &[&[0]]);
        der::wrapped(
            tag::SEQUENCE,
            &[
                &zero, &modulus, &small, &small, &small, &small, &small, &small, &small,
            ],
        )
    }

    fn pem(label: &str, der: &[u8]) -> String {
        format!(
            "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
            STANDARD.encode(der)
        )
    }

    #[test]
    fn nothing_of_the_key_is_repeated() {
        let text = pem("RSA PRIVATE KEY", &rsa(2048));
        let reading = parse(&text).unwrap();
        let shown = format!(
            "{}{:?}",
            serde_json::to_string(&reading.value).unwrap(),
            reading.problems
        );
        let body = text.lines().nth(1).unwrap();
        for window in body.as_bytes().windows(12) {
            assert!(!shown.contains(std::str::from_utf8(window).unwrap()));
        }
        assert!(reading.has("private_key.disclosed") && reading.has("private_key.not_encrypted"));
    }

    #[test]
    fn type_and_size_are_told() {
        let key = parse(&pem("RSA PRIVATE KEY", &rsa(1024))).unwrap();
        assert_eq!(
            key.value.key.as_ref().map(|key| (key.bits, key.exponent)),
            Some((1024, Some(65537)))
        );
        assert!(key.has("private_key.weak_key") && key.value.spki_sha256.is_some());
        let ed = parse(FORMAT.example).unwrap().value;
        assert_eq!(ed.key.unwrap().algorithm, "Ed25519");
    }

    #[test]
    fn the_curve_comes_from_the_info_around() {
        let point = der::wrapped(tag::BIT_STRING, &[&[0, 4], &[9; 64]]);
        let one = der::wrapped(tag::INTEGER, &[&[1]]);
        let secret = der::wrapped(tag::OCTET_STRING, &[&[7; 32]]);
        let inner = der::wrapped(
            tag::SEQUENCE,
            &[&one, &secret, &der::wrapped(0xA1, &[&point])],
        );
        let p256 = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
        let algorithm = der::wrapped(tag::SEQUENCE, &[&der::wrapped(tag::OID, &[EC]), &p256]);
        let zero = der::wrapped(tag::INTEGER, &[&[0]]);
        let info = der::wrapped(
            tag::SEQUENCE,
            &[
                &zero,
                &algorithm,
                &der::wrapped(tag::OCTET_STRING, &[&inner]),
            ],
        );
        let key = parse(&pem("PRIVATE KEY", &info)).unwrap().value;
        assert_eq!(
            (key.format, key.key.unwrap().curve.as_deref()),
            ("pkcs8", Some("P-256"))
        );
    }

    #[test]
    fn a_key_for_pss_alone_is_measured_as_rsa_is() {
        let bare = der::wrapped(tag::OID, &[RSA_PSS]);
        for (bits, weak) in [(1024, true), (3072, false)] {
            let algorithm = der::wrapped(tag::SEQUENCE, &[&bare]);
            let inner = der::wrapped(tag::OCTET_STRING, &[&rsa(bits)]);
            let zero = der::wrapped(tag::INTEGER, &[&[0]]);
            let info = der::wrapped(tag::SEQUENCE, &[&zero, &algorithm, &inner]);
            let reading = parse(&pem("PRIVATE KEY", &info)).unwrap();
            let key = reading.value.key.as_ref().expect("is told");
            assert_eq!((key.algorithm.as_str(), key.bits), ("RSA-PSS", bits as u32));
            assert_eq!(reading.has("private_key.weak_key"), weak);
            assert!(reading.value.spki_sha256.is_some());
        }
    }

    #[test]
    fn encrypted_keys_are_recognised() {
        let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----";
        let reading = parse(legacy).unwrap();
        assert!(reading.value.encrypted && reading.has("private_key.old_encryption"));
        assert!(!reading.has("private_key.not_encrypted"));
    }

    #[test]
    fn keys_of_other_programs_are_recognised() {
        assert_eq!(
            parse("PuTTY-User-Key-File-3: ssh-ed25519\n")
                .unwrap()
                .value
                .format,
            "putty"
        );
        let age = format!("AGE-SECRET-KEY-1{}", "Q".repeat(58));
        assert_eq!(parse(&age).unwrap().value.format, "age");
        assert!(parse("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----").is_err());
    }
}
