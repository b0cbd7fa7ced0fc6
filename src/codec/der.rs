//! Just enough DER (X.690) to know where things lie: one element at a time,
//! never descending by itself, so that no nesting can hurt.

use std::ops::Range;

/// Elements listed of one container.
const CHILDREN_LIMIT: usize = 128;

/// One element; ranges are offsets into the whole DER text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) tag: u8,
    /// Tag, length and content.
    pub(crate) whole: Range<usize>,
    pub(crate) content: Range<usize>,
}

/// The element that begins at `at` and ends within `limit`.
pub(crate) fn element(der: &[u8], at: usize, limit: usize) -> Option<Element> {
    let tag = *der.get(at)?;
    let (mut content, first) = (at + 2, *der.get(at + 1)?);
    let length = match first {
        ..=0x7F => usize::from(first),
        0x81..=0x84 => {
            let bytes = der.get(at + 2..at + 2 + usize::from(first & 0x7F))?;
            content += bytes.len();
            bytes
                .iter()
                .fold(0usize, |sum, byte| sum << 8 | usize::from(*byte))
        }
        _ => return None,
    };
    let end = content.checked_add(length)?;
    (end <= limit.min(der.len())).then_some(Element {
        tag,
        whole: at..end,
        content: content..end,
    })
}

/// The elements of a container, up to the first that is broken.
pub(crate) fn children(der: &[u8], of: &Range<usize>) -> Vec<Element> {
    let mut at = of.start;
    let mut found = Vec::new();
    while at < of.end
        && found.len() < CHILDREN_LIMIT
        && let Some(child) = element(der, at, of.end)
    {
        at = child.whole.end;
        found.push(child);
    }
    found
}

/// An element with this tag around the parts.
pub(crate) fn wrapped(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let from = length.iter().position(|byte| *byte != 0).unwrap_or(0);
            let digits = length.get(from..).unwrap_or_default();
            out.push(0x80 | digits.len() as u8);
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(&content);
    out
}

/// Tag numbers in use here.
pub(crate) mod tag {
    pub(crate) const INTEGER: u8 = 0x02;
    pub(crate) const BIT_STRING: u8 = 0x03;
    pub(crate) const OCTET_STRING: u8 = 0x04;
    pub(crate) const OID: u8 = 0x06;
    pub(crate) const SEQUENCE: u8 = 0x30;
}

/// What a DER object is by its outline, which tells apart everything that is
/// pasted as base64 beginning with `MI`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outline {
    Certificate,
    Request,
    /// PKCS #8 (RFC 5958).
    Pkcs8,
    /// PKCS #8, encrypted.
    EncryptedPkcs8,
    /// RSAPrivateKey of PKCS #1 (RFC 8017).
    Pkcs1,
    /// ECPrivateKey (RFC 5915).
    Sec1,
    /// PFX of PKCS #12 (RFC 7292).
    Pkcs12,
    Other,
}

/// The outline of the object that `der` begins with.
pub(crate) fn outline(der: &[u8]) -> Outline {
    use tag::{BIT_STRING, INTEGER, OCTET_STRING, SEQUENCE};
    let Some(outer) = element(der, 0, der.len()).filter(|outer| outer.tag == SEQUENCE) else {
        return Outline::Other;
    };
    let parts = children(der, &outer.content);
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    match tags.as_slice() {
        [SEQUENCE, SEQUENCE, BIT_STRING] => match parts.first() {
            Some(inner) if children(der, &inner.content).len() >= 6 => Outline::Certificate,
            Some(_) => Outline::Request,
            None => Outline::Other,
        },
        [INTEGER, SEQUENCE, OCTET_STRING, ..] => Outline::Pkcs8,
        [SEQUENCE, OCTET_STRING] => Outline::EncryptedPkcs8,
        [INTEGER, OCTET_STRING, ..] => Outline::Sec1,
        [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => match parts.get(1) {
            Some(safe) if holds_pkcs7(der, safe) => Outline::Pkcs12,
            _ => Outline::Other,
        },
        [
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            INTEGER,
            ..,
        ] => Outline::Pkcs1,
        _ => Outline::Other,
    }
}

/// Whether a ContentInfo of PKCS #7 data or signed data is in it.
fn holds_pkcs7(der: &[u8], info: &Element) -> bool {
    /// 1.2.840.113549.1.7, as encoded.
    const PKCS7: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
    let parts = children(der, &info.content);
    let first = parts.first().filter(|part| part.tag == tag::OID);
    first
        .and_then(|oid| der.get(oid.content.clone()))
        .is_some_and(|oid| oid.starts_with(PKCS7))
}

/// Where the parts of a certificate lie (RFC 5280 section 4.1), each falling
/// back on the whole when it cannot be found.
#[derive(Debug)]
pub(crate) struct CertificateLayout {
    pub(crate) whole: Range<usize>,
    pub(crate) version: Range<usize>,
    pub(crate) serial: Range<usize>,
    pub(crate) signature_algorithm: Range<usize>,
    pub(crate) issuer: Range<usize>,
    pub(crate) not_before: Range<usize>,
    pub(crate) not_after: Range<usize>,
    pub(crate) subject: Range<usize>,
    pub(crate) key: Range<usize>,
    extensions: Vec<(Range<usize>, Range<usize>)>,
}

impl CertificateLayout {
    /// The layout of a DER certificate.
    pub(crate) fn of(der: &[u8]) -> Self {
        let outer = element(der, 0, der.len());
        let whole = outer
            .as_ref()
            .map_or(0..der.len(), |outer| outer.whole.clone());
        let tbs = outer.and_then(|outer| children(der, &outer.content).into_iter().next());
        let parts = tbs.map_or_else(Vec::new, |tbs| children(der, &tbs.content));
        let has_version = parts.first().is_some_and(|part| part.tag == 0xA0);
        let part = |nth: usize| parts.get(nth + usize::from(has_version));
        let whole_of = |nth: usize| part(nth).map_or(whole.clone(), |part| part.whole.clone());
        let dates = part(3).map_or_else(Vec::new, |part| children(der, &part.content));
        let date = |nth: usize| {
            dates
                .get(nth)
                .map_or(whole_of(3), |date| date.whole.clone())
        };
        CertificateLayout {
            version: if has_version {
                parts
                    .first()
                    .map_or(whole.clone(), |part| part.whole.clone())
            } else {
                whole.clone()
            },
            serial: whole_of(0),
            signature_algorithm: whole_of(1),
            issuer: whole_of(2),
            not_before: date(0),
            not_after: date(1),
            subject: whole_of(4),
            key: whole_of(5),
            extensions: extensions(der, &parts),
            whole,
        }
    }

    /// Where the extension of this object identifier (DER content bytes)
    /// lies, or the whole certificate.
    pub(crate) fn extension(&self, der: &[u8], oid: &[u8]) -> Range<usize> {
        self.extensions
            .iter()
            .find(|(id, _)| der.get(id.clone()) == Some(oid))
            .map_or(self.whole.clone(), |(_, whole)| whole.clone())
    }
}

fn extensions(der: &[u8], parts: &[Element]) -> Vec<(Range<usize>, Range<usize>)> {
    let list = parts
        .iter()
        .find(|part| part.tag == 0xA3)
        .and_then(|part| element(der, part.content.start, part.content.end));
    list.map_or_else(Vec::new, |list| {
        children(der, &list.content)
            .into_iter()
            .filter_map(|extension| {
                let id = children(der, &extension.content).into_iter().next()?;
                (id.tag == tag::OID).then_some((id.content, extension.whole))
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_longer_than_its_container_is_none() {
        assert_eq!(element(&[0x30, 0x05, 1, 2], 0, 4), None);
        assert_eq!(element(&[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], 0, 6), None);
        assert_eq!(element(&[0x30, 0x80, 0, 0], 0, 4), None);
    }

    #[test]
    fn what_is_wrapped_is_read_back() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let der = wrapped(tag::SEQUENCE, &[&vec![7; length]]);
            let outer = element(&der, 0, der.len()).unwrap();
            assert_eq!((outer.content.len(), outer.whole.end), (length, der.len()));
        }
    }

    #[test]
    fn children_stop_at_what_is_broken() {
        let der = [0x30, 0x06, 0x02, 0x01, 0x05, 0x02, 0x7F, 0x00];
        let outer = element(&der, 0, der.len()).unwrap();
        assert_eq!(children(&der, &outer.content).len(), 1);
    }
}
