//! OCSP responses (RFC 6960 section 4.2.1), as servers staple them: what is
//! said of which certificate, and for how long. The signature is not
//! verified, so nothing here vouches for a certificate.

use serde::Serialize;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::der::{self, Element, tag};
use super::sct::Sct;
use super::x509;

/// Octets shown of a serial number.
const SERIAL_LIMIT: usize = 64;

/// What a responder says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not revoked.
    Good,
    /// Revoked.
    Revoked,
    /// The responder does not know the certificate.
    Unknown,
}

/// The first single response of a successful OCSP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ocsp {
    /// The verdict.
    pub status: Status,
    /// Lower-case hexadecimal of the serial number it is about, as encoded.
    pub serial: String,
    /// Unix seconds: when the verdict was known to be right.
    pub this_update: i64,
    /// Unix seconds: when a newer one will be there.
    pub next_update: Option<i64>,
    /// Unix seconds: when the response was signed.
    pub produced: i64,
    /// Timestamps of transparency logs (RFC 6962 section 3.3).
    pub scts: Vec<Sct>,
}

/// Why there is no verdict in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// The responder reports an error instead (RFC 6960 section 4.2.2.3).
    Error(&'static str),
    /// Not an OCSP response.
    Malformed,
}

impl Ocsp {
    /// Reads a response in DER.
    ///
    /// # Errors
    /// [`Nothing`] when it holds no verdict.
    pub fn from_der(response: &[u8]) -> Result<Ocsp, Nothing> {
        let outer = inside(response, 0..response.len(), tag::SEQUENCE)?;
        let parts = der::children(response, &outer);
        if let Some(error) = parts.first().and_then(|status| error(response, status)) {
            return Err(Nothing::Error(error));
        }
        let typed = explicit(response, parts.get(1))?;
        let basic = der::children(response, &typed)
            .into_iter()
            .find(|part| part.tag == tag::OCTET_STRING)
            .ok_or(Nothing::Malformed)?;
        let signed = inside(response, basic.content, tag::SEQUENCE)?;
        let data = inside(response, signed, tag::SEQUENCE)?;
        read(response, &der::children(response, &data)).ok_or(Nothing::Malformed)
    }
}

/// ResponseData: version and responder first, both tagged by their context.
fn read(response: &[u8], data: &[Element]) -> Option<Ocsp> {
    let mut data = data.iter().skip_while(|part| part.tag & 0xC0 == 0x80);
    let produced = moment(response, data.next()?)?;
    let list = data.next().filter(|list| list.tag == tag::SEQUENCE)?;
    let single = der::element(response, list.content.start, list.content.end)?;
    let single = der::children(response, &single.content);
    let [id, status, this_update, rest @ ..] = single.as_slice() else {
        return None;
    };
    let id = der::children(response, &id.content);
    let serial = id.get(3).filter(|part| part.tag == tag::INTEGER)?;
    let serial = response.get(serial.content.clone())?;
    Some(Ocsp {
        status: match status.tag & 0x1F {
            0 => Status::Good,
            1 => Status::Revoked,
            _ => Status::Unknown,
        },
        serial: x509::hex(serial.get(..SERIAL_LIMIT).unwrap_or(serial)),
        this_update: moment(response, this_update)?,
        next_update: rest
            .iter()
            .find(|part| part.tag == NEXT_UPDATE)
            .and_then(|tagged| der::element(response, tagged.content.start, tagged.content.end))
            .and_then(|time| moment(response, &time)),
        produced,
        scts: scts(response, rest).unwrap_or_default(),
    })
}

/// Of the extensions of a single response: an octet string in another.
fn scts(response: &[u8], rest: &[Element]) -> Option<Vec<Sct>> {
    let tagged = rest.iter().find(|part| part.tag == SINGLE_EXTENSIONS)?;
    let list = inside(response, tagged.content.clone(), tag::SEQUENCE).ok()?;
    der::children(response, &list).iter().find_map(|extension| {
        let parts = der::children(response, &extension.content);
        let is_list = response.get(parts.first()?.content.clone())? == SCT_LIST;
        let outer = parts.last().filter(|_| is_list)?.content.clone();
        let inner = inside(response, outer, tag::OCTET_STRING).ok()?;
        Some(Sct::list(response.get(inner)?))
    })
}

const SINGLE_EXTENSIONS: u8 = 0xA1;

/// 1.3.6.1.4.1.11129.2.4.5
const SCT_LIST: [u8; 10] = [0x2B, 6, 1, 4, 1, 0xD6, 0x79, 2, 4, 5];

const ENUMERATED: u8 = 0x0A;
const RESPONSE_BYTES: u8 = 0xA0;
const NEXT_UPDATE: u8 = 0xA0;

/// The error that a response consists of.
fn error(response: &[u8], status: &Element) -> Option<&'static str> {
    if status.tag != ENUMERATED {
        return Some("unreadable");
    }
    match response.get(status.content.clone()) {
        Some([0]) => None,
        Some([1]) => Some("malformed_request"),
        Some([2]) => Some("internal_error"),
        Some([3]) => Some("try_later"),
        Some([5]) => Some("signature_required"),
        Some([6]) => Some("unauthorized"),
        _ => Some("unreadable"),
    }
}

/// The content of the element with this tag at the front of a range.
fn inside(
    response: &[u8],
    range: std::ops::Range<usize>,
    tag: u8,
) -> Result<std::ops::Range<usize>, Nothing> {
    der::element(response, range.start, range.end)
        .filter(|element| element.tag == tag)
        .map(|element| element.content)
        .ok_or(Nothing::Malformed)
}

fn explicit(response: &[u8], tagged: Option<&Element>) -> Result<std::ops::Range<usize>, Nothing> {
    let tagged = tagged
        .filter(|part| part.tag == RESPONSE_BYTES)
        .ok_or(Nothing::Malformed)?;
    inside(response, tagged.content.clone(), tag::SEQUENCE)
}

fn moment(response: &[u8], element: &Element) -> Option<i64> {
    let der = response.get(element.whole.clone())?;
    let (_, time) = ASN1Time::from_der(der).ok()?;
    Some(time.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Vec<u8> {
        der::wrapped(0x18, &[text.as_bytes()])
    }

    fn response(status: &[u8], next: Option<&str>) -> Vec<u8> {
        response_with(status, next, &[])
    }

    fn response_with(status: &[u8], next: Option<&str>, extensions: &[u8]) -> Vec<u8> {
        let sequence = |parts: &[&[u8]]| der::wrapped(tag::SEQUENCE, parts);
        let id = sequence(&[
            &sequence(&[&der::wrapped(tag::OID, &[&[0x2B, 14, 3, 2, 26]])]),
            &der::wrapped(tag::OCTET_STRING, &[&[1; 20]]),
            &der::wrapped(tag::OCTET_STRING, &[&[2; 20]]),
            &der::wrapped(tag::INTEGER, &[&[0x0A, 0xBC]]),
        ]);
        let next = next.map_or_else(Vec::new, |at| der::wrapped(NEXT_UPDATE, &[&time(at)]));
        let single = sequence(&[&id, status, &time("20261120000000Z"), &next, extensions]);
        let data = sequence(&[
            &der::wrapped(0xA2, &[&der::wrapped(tag::OCTET_STRING, &[&[3; 20]])]),
            &time("20261121000000Z"),
            &sequence(&[&single]),
        ]);
        let basic = sequence(&[
            &data,
            &sequence(&[]),
            &der::wrapped(tag::BIT_STRING, &[&[0, 9]]),
        ]);
        let bytes = sequence(&[
            &der::wrapped(tag::OID, &[&[0x2B, 6, 1, 5, 5, 7, 48, 1, 1]]),
            &der::wrapped(tag::OCTET_STRING, &[&basic]),
        ]);
        sequence(&[
            &[ENUMERATED, 1, 0],
            &der::wrapped(RESPONSE_BYTES, &[&bytes]),
        ])
    }

    #[test]
    fn a_response_says_what_of_whom_and_until_when() {
        let good = Ocsp::from_der(&response(&[0x80, 0], Some("20261127000000Z"))).unwrap();
        assert_eq!((good.status, good.serial.as_str()), (Status::Good, "0abc"));
        assert_eq!(good.next_update.unwrap() - good.this_update, 7 * 86_400);
        assert_eq!(good.produced - good.this_update, 86_400);

        let revoked = der::wrapped(0xA1, &[&time("20261101000000Z")]);
        let revoked = Ocsp::from_der(&response(&revoked, None)).unwrap();
        assert_eq!(
            (revoked.status, revoked.next_update),
            (Status::Revoked, None)
        );
        let unknown = Ocsp::from_der(&response(&[0x82, 0], None)).unwrap();
        assert_eq!(unknown.status, Status::Unknown);
    }

    #[test]
    fn timestamps_of_logs_in_a_response_are_read() {
        let sct = |log: u8| [&[0, 47, 0][..], &[log; 32], &[0; 10], &[4, 3, 0, 0]].concat();
        let all = [sct(1), sct(2)].concat();
        let list = [(all.len() as u16).to_be_bytes().as_slice(), &all].concat();
        let value = der::wrapped(
            tag::OCTET_STRING,
            &[&der::wrapped(tag::OCTET_STRING, &[&list])],
        );
        let id = der::wrapped(tag::OID, &[&SCT_LIST]);
        let extension = der::wrapped(tag::SEQUENCE, &[&id, &value]);
        let other = der::wrapped(
            tag::SEQUENCE,
            &[&der::wrapped(tag::OID, &[&[0x2B, 7]]), &value],
        );
        let tagged =
            |list: &[&[u8]]| der::wrapped(SINGLE_EXTENSIONS, &[&der::wrapped(tag::SEQUENCE, list)]);
        for (extensions, count) in [
            (tagged(&[&other, &extension]), 2),
            (tagged(&[&other]), 0),
            (Vec::new(), 0),
        ] {
            let read = Ocsp::from_der(&response_with(&[0x80, 0], None, &extensions)).unwrap();
            assert_eq!(read.scts.len(), count);
        }
    }

    #[test]
    fn an_error_is_told_from_noise() {
        let later = der::wrapped(tag::SEQUENCE, &[&[ENUMERATED, 1, 3]]);
        assert_eq!(Ocsp::from_der(&later), Err(Nothing::Error("try_later")));
        assert_eq!(Ocsp::from_der(b"no"), Err(Nothing::Malformed));
    }

    #[test]
    fn a_response_cut_anywhere_is_refused_without_harm() {
        let whole = response(&[0x80, 0], Some("20261127000000Z"));
        for end in 0..whole.len() {
            assert!(Ocsp::from_der(&whole[..end]).is_err(), "{end}");
        }
    }
}
