//! What decoded octets are: a readable text, a known file, a secret. Shared
//! by base64, hex and data URIs.

use serde::Serialize;

use super::sweep::Secrets;
use super::{Kind, der};
use crate::guard::text::clean;

/// Characters shown of a text.
const SHOWN_CHARS: usize = 2_000;

/// Layers of encoding that are looked below for a secret.
const LAYERS: u32 = 4;

/// Octets shown of what is no text.
const SHOWN_OCTETS: usize = 64;

/// A description of octets that repeats no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Octets {
    /// How many there are.
    pub bytes: usize,
    /// The text they are in UTF-8, its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Their beginning in hexadecimal, when they are no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// What their beginning or structure says they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks_like: Option<&'static str>,
    /// The kind to decode the text as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inner_kind: Option<Kind>,
    /// Whether they hold a private key, and are therefore not shown.
    #[serde(skip)]
    pub secret: bool,
}

impl Octets {
    /// What can be told without asking the formats about the text, which is
    /// left out: they might ask back.
    pub(crate) fn glance(octets: &[u8]) -> Self {
        let text = readable(octets);
        let looks_like = known_file(octets).or_else(|| known_der(octets));
        Octets {
            bytes: octets.len(),
            text: text.map(|_| String::new()),
            hex: None,
            looks_like,
            inner_kind: None,
            secret: looks_like == Some(PRIVATE_KEY) || text.is_some_and(holds_key),
        }
    }

    /// Describes decoded octets.
    pub(crate) fn of(octets: &[u8]) -> Self {
        let text = readable(octets);
        let looks_like = known_file(octets).or_else(|| known_der(octets));
        let inner_kind = text.and_then(inner_kind);
        let secret = looks_like == Some(PRIVATE_KEY)
            || inner_kind == Some(Kind::PrivateKey)
            || text.is_some_and(holds_key);
        let wraps_secret = text.is_some_and(|text| wraps_secret(text, LAYERS));
        let shown = octets.get(..SHOWN_OCTETS).unwrap_or(octets);
        Octets {
            bytes: octets.len(),
            text: text
                .filter(|_| !secret && !wraps_secret)
                .map(|text| Secrets::of(text).sweep(clean(text, SHOWN_CHARS))),
            hex: (text.is_none() && !secret).then(|| super::x509::hex(shown)),
            looks_like: looks_like.or(secret.then_some(PRIVATE_KEY)),
            inner_kind: inner_kind
                .filter(|kind| !matches!(kind, Kind::Base64 | Kind::Hex) || octets.len() > 16),
            secret,
        }
    }

    /// What is to be feared of them, though it cannot be told.
    pub(crate) fn caution(&self) -> Option<&'static str> {
        (self.looks_like == Some(PKCS12)).then_some(
            "A PKCS #12 file usually holds a private key that only its passphrase protects: \
             treat it as disclosed unless the file is known to hold none.",
        )
    }
}

/// The text, when it is UTF-8 without control characters.
fn readable(octets: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(octets).ok()?;
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    (!text.is_empty() && !text.contains(is_odd)).then_some(text)
}

/// The kind the text looks like beyond doubt.
fn inner_kind(text: &str) -> Option<Kind> {
    let (likelihood, kind) = super::likelihoods(text)
        .max_by_key(|(likelihood, kind)| (*likelihood, std::cmp::Reverse(*kind)))?;
    (likelihood >= 80).then_some(kind)
}

/// Whether a secret lies below further layers of base 64 or hexadecimal.
fn wraps_secret(text: &str, layers: u32) -> bool {
    let (Some(below), Some(inner)) = (layers.checked_sub(1), unwrapped(text)) else {
        return false;
    };
    known_der(&inner) == Some(PRIVATE_KEY)
        || readable(&inner)
            .is_some_and(|text| !Secrets::of(text).is_empty() || wraps_secret(text, below))
}

/// The octets that the text writes in hexadecimal or base 64, if it does.
fn unwrapped(text: &str) -> Option<Vec<u8>> {
    super::hex::octets(text).or_else(|| super::base64::octets(text))
}

fn holds_key(text: &str) -> bool {
    text.contains("PRIVATE KEY-----") || text.contains("PRIVATE KEY BLOCK-----")
}

fn known_der(octets: &[u8]) -> Option<&'static str> {
    match der::outline(octets) {
        der::Outline::Certificate => Some("X.509 certificate"),
        der::Outline::Request => Some("certificate signing request"),
        der::Outline::Pkcs8
        | der::Outline::Pkcs1
        | der::Outline::Sec1
        | der::Outline::EncryptedPkcs8 => Some(PRIVATE_KEY),
        der::Outline::Pkcs12 => Some(PKCS12),
        der::Outline::Other => None,
    }
}

fn known_file(octets: &[u8]) -> Option<&'static str> {
    let found = MAGIC.iter().find(|(magic, _)| octets.starts_with(magic));
    found.map(|(_, name)| *name)
}

/// The name under which private keys are recognised.
pub(crate) const PRIVATE_KEY: &str = "private key";

/// The name of the files that Windows and Java keep keys in.
const PKCS12: &str = "PKCS #12 file";

/// First octets of common files.
const MAGIC: &[(&[u8], &str)] = &[
    (b"openssh-key-v1\0", PRIVATE_KEY),
    (b"\x89PNG\r\n\x1a\n", "PNG image"),
    (b"\xFF\xD8\xFF", "JPEG image"),
    (b"GIF8", "GIF image"),
    (b"RIFF", "RIFF container (WebP, WAV, AVI)"),
    (b"%PDF-", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1F\x8B", "gzip stream"),
    (b"\x28\xB5\x2F\xFD", "Zstandard stream"),
    (b"BZh", "bzip2 stream"),
    (b"\xFD7zXZ\0", "XZ stream"),
    (b"\x7FELF", "ELF binary"),
    (b"\0asm", "WebAssembly module"),
    (b"wOF2", "WOFF2 font"),
    (b"wOFF", "WOFF font"),
    (b"\0\x01\0\0\0", "TrueType font"),
    (b"SQLite format 3\0", "SQLite database"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_and_octets_are_named() {
        let octets = Octets::of("grüß dich".as_bytes());
        assert_eq!(octets.text.as_deref(), Some("grüß dich"));
        let octets = Octets::of(b"\x89PNG\r\n\x1a\n\0\0");
        assert_eq!((octets.text, octets.looks_like), (None, Some("PNG image")));
    }

    #[test]
    fn a_private_key_inside_is_not_shown() {
        let octets =
            Octets::of(b"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----");
        assert!(octets.secret && octets.text.is_none() && octets.hex.is_none());
    }
}
