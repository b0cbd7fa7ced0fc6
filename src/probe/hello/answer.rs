//! What a server says to a hello, in the clear: ServerHello or
//! HelloRetryRequest, an alert, and before TLS 1.3 the rest of the first
//! flight. Pure, bounded in octets, records and messages; everything that
//! breaks the protocol ends it at once.

use rustls::pki_types::CertificateDer;

use super::registry::{self, Class, Version};
use super::{HANDSHAKE, Offer, ext};
use crate::codec::sct::Sct;
use crate::probe::Failure;
use crate::probe::tls::{CHAIN_LIMIT, Refused};

/// Octets of one answer: a hundred certificates fit.
const OCTET_LIMIT: usize = 256 * 1024;

/// Records of one answer.
const RECORD_LIMIT: usize = 256;

/// Handshake messages of one answer.
const MESSAGE_LIMIT: usize = 32;

/// Octets of one record's content (RFC 5246 section 6.2.3).
const CONTENT_LIMIT: usize = 16 * 1024 + 2048;

/// Certificates counted of a presented chain.
const COUNT_LIMIT: usize = 1000;

/// Octets kept of a staple.
const STAPLE_LIMIT: usize = 16 * 1024;

const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;

/// What was learned from one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The version that the server chose.
    pub version: Version,
    /// The suite's registered name.
    pub suite: &'static str,
    /// How that suite is regarded.
    pub class: Class,
    /// The key-exchange group's registered name, or `dh` with its size.
    pub group: Option<String>,
    /// The application protocol that the server chose.
    pub alpn: Option<String>,
    /// Whether the server asked for a second hello (RFC 8446 section 4.1.4).
    pub retry: bool,
    /// Whether a session ticket will follow (RFC 5077).
    pub ticket: bool,
    /// Whether the server gave the session an identifier.
    pub session_id: bool,
    /// RFC 7627.
    pub extended_master_secret: bool,
    /// RFC 5746.
    pub secure_renegotiation: bool,
    /// Whether a certificate was asked of the client.
    pub client_certificate: bool,
    /// The stapled OCSP response (RFC 6066 section 8), at most 16 KiB.
    pub staple: Vec<u8>,
    /// Timestamps in the TLS extension (RFC 6962 section 3.3).
    pub scts: Vec<Sct>,
    /// The chain as presented, leaf first, at most 16.
    pub chain: Vec<CertificateDer<'static>>,
    /// How many certificates were presented.
    pub presented: usize,
}

/// Listens to one server until its answer is whole.
pub struct Listener {
    offer: &'static Offer,
    heard: usize,
    records: usize,
    messages: usize,
    /// Octets of a record that is not whole yet.
    ahead: Vec<u8>,
    /// Content of handshake records, up to a message that is not whole yet.
    run: Vec<u8>,
    answer: Option<Answer>,
}

impl Listener {
    /// To the server that gets `offer`.
    pub fn new(offer: &'static Offer) -> Listener {
        Listener {
            offer,
            heard: 0,
            records: 0,
            messages: 0,
            ahead: Vec::new(),
            run: Vec::new(),
            answer: None,
        }
    }

    /// Takes what came; answers once there is nothing more to hear.
    pub fn hear(&mut self, octets: &[u8]) -> Result<Option<Answer>, Refused> {
        self.heard += octets.len();
        if self.heard > OCTET_LIMIT {
            return Err(malformed("more than 256 KiB of handshake"));
        }
        self.ahead.extend_from_slice(octets);
        let mut ahead = std::mem::take(&mut self.ahead);
        let mut used = 0;
        let ended = loop {
            let rest = ahead.get(used..).unwrap_or_default();
            match record(rest)? {
                None => break false,
                Some((kind, content)) => {
                    used += 5 + content.len();
                    if self.record(kind, content)? {
                        break true;
                    }
                }
            }
        };
        if ended {
            return Ok(self.answer.take());
        }
        ahead.drain(..used);
        self.ahead = ahead;
        Ok(None)
    }

    /// Whether this record was the last that is wanted.
    fn record(&mut self, kind: u8, content: &[u8]) -> Result<bool, Refused> {
        self.records += 1;
        if self.records > RECORD_LIMIT {
            return Err(malformed("records without end"));
        }
        match kind {
            HANDSHAKE => self.run.extend_from_slice(content),
            ALERT => return alert(content).map(|()| false),
            CHANGE_CIPHER_SPEC => return Ok(false),
            _ => return Err(malformed("data before the handshake is over")),
        }
        let run = std::mem::take(&mut self.run);
        let mut rest = run.as_slice();
        while let Some((kind, body, behind)) = message(rest)? {
            rest = behind;
            self.messages += 1;
            if self.messages > MESSAGE_LIMIT {
                return Err(malformed("handshake messages without end"));
            }
            if self.message(kind, body)? {
                return Ok(true);
            }
        }
        self.run = rest.to_vec();
        Ok(false)
    }

    fn message(&mut self, kind: u8, body: &[u8]) -> Result<bool, Refused> {
        const SERVER_HELLO: u8 = 2;
        const CERTIFICATE: u8 = 11;
        const SERVER_KEY_EXCHANGE: u8 = 12;
        const CERTIFICATE_REQUEST: u8 = 13;
        const SERVER_HELLO_DONE: u8 = 14;
        const CERTIFICATE_STATUS: u8 = 22;
        let Some(answer) = &mut self.answer else {
            if kind != SERVER_HELLO {
                return Err(malformed(
                    "a handshake that does not begin with ServerHello",
                ));
            }
            let answer = server_hello(body, self.offer)
                .ok_or_else(|| malformed("a ServerHello that breaks off"))??;
            let whole = !self.offer.flight || answer.version == Version::Tls13;
            self.answer = Some(answer);
            return Ok(whole);
        };
        match kind {
            CERTIFICATE => certificates(body, answer)
                .ok_or_else(|| malformed("a list of certificates that breaks off"))?,
            CERTIFICATE_STATUS => answer.staple = staple(body).unwrap_or_default(),
            SERVER_KEY_EXCHANGE => answer.group = exchange_group(body, answer.suite),
            CERTIFICATE_REQUEST => answer.client_certificate = true,
            SERVER_HELLO_DONE => return Ok(true),
            _ => {}
        }
        Ok(false)
    }
}

fn malformed(how: &str) -> Refused {
    Refused::Failed(Failure::malformed(how))
}

/// The whole record at the front: its type and content.
fn record(octets: &[u8]) -> Result<Option<(u8, &[u8])>, Refused> {
    // Told as soon as it shows, so that nobody waits for the rest of a page.
    let is_tls = octets.first().is_none_or(|kind| (20..=23).contains(kind))
        && octets.get(1).is_none_or(|major| *major == 3);
    if !is_tls {
        return Err(malformed("not a TLS record"));
    }
    let Some([kind, _, _, high, low]) = octets.first_chunk::<5>() else {
        return Ok(None);
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > CONTENT_LIMIT {
        return Err(malformed("a record longer than any may be"));
    }
    Ok(octets.get(5..5 + length).map(|content| (*kind, content)))
}

/// The whole message at the front: its type, its body, what stands behind.
#[allow(clippy::type_complexity)]
fn message(run: &[u8]) -> Result<Option<(u8, &[u8], &[u8])>, Refused> {
    let Some(([kind, a, b, c], rest)) = run.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
    if length > OCTET_LIMIT {
        return Err(malformed("a handshake message longer than 256 KiB"));
    }
    Ok(rest
        .split_at_checked(length)
        .map(|(body, behind)| (*kind, body, behind)))
}

/// A warning is passed over, anything else ends the conversation.
fn alert(content: &[u8]) -> Result<(), Refused> {
    const WARNING: u8 = 1;
    const CLOSE_NOTIFY: u8 = 0;
    match content {
        [_, CLOSE_NOTIFY] => {
            let how = String::from("closed during the handshake");
            Err(Refused::Failed(Failure::Unreachable(how)))
        }
        [WARNING, 112] => Ok(()),
        [_, code] => Err(Refused::Declined(registry::alert(*code))),
        _ => Err(malformed("an alert that is none")),
    }
}

/// Reads numbers and length-prefixed parts from the front.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (part, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(part)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        let (number, rest) = self.0.split_first_chunk::<2>()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*number))
    }

    /// A part with its length in front, in `width` octets.
    fn part(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = self
            .take(width)?
            .iter()
            .fold(0, |sum, octet| sum << 8 | usize::from(*octet));
        self.take(length)
    }
}

/// SHA-256 of `HelloRetryRequest` (RFC 8446 section 4.1.3).
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// `None` when it breaks off; an error when it says what it must not.
fn server_hello(body: &[u8], offer: &Offer) -> Option<Result<Answer, Refused>> {
    let mut body = Cursor(body);
    let mut version = body.u16()?;
    let random = body.take(32)?;
    let session = body.part(1)?;
    let suite = body.u16()?;
    let _compression = body.u8()?;
    let mut extensions = Cursor(match body.0 {
        [] => &[],
        _ => body.part(2)?,
    });
    let mut answer = Answer {
        version: offer.version,
        suite: "",
        class: Class::Strong,
        group: None,
        alpn: None,
        retry: random == RETRY,
        ticket: false,
        session_id: !session.is_empty(),
        extended_master_secret: false,
        secure_renegotiation: false,
        client_certificate: false,
        staple: Vec::new(),
        scts: Vec::new(),
        chain: Vec::new(),
        presented: 0,
    };
    let mut group = None;
    while !extensions.0.is_empty() {
        let kind = extensions.u16()?;
        let mut content = Cursor(extensions.part(2)?);
        match kind {
            ext::SUPPORTED_VERSIONS => version = content.u16()?,
            ext::KEY_SHARE => group = Some(content.u16()?),
            ext::ALPN => answer.alpn = Cursor(content.part(2)?).part(1).map(text),
            ext::SIGNED_CERTIFICATE_TIMESTAMP => answer.scts = Sct::list(content.0),
            ext::SESSION_TICKET => answer.ticket = true,
            ext::EXTENDED_MASTER_SECRET => answer.extended_master_secret = true,
            ext::RENEGOTIATION_INFO => answer.secure_renegotiation = true,
            _ => {}
        }
    }
    Some(settled(answer, offer, version, suite, group))
}

/// Nothing may be chosen that was not offered.
fn settled(
    mut answer: Answer,
    offer: &Offer,
    version: u16,
    suite: u16,
    group: Option<u16>,
) -> Result<Answer, Refused> {
    let is_13 = offer.version == Version::Tls13;
    answer.version = Version::of(version)
        .filter(|version| *version <= offer.version)
        .ok_or_else(|| malformed("a version that was not offered"))?;
    if is_13 && answer.version < Version::Tls13 {
        return Err(Refused::Declined(format!(
            "answered with {}",
            answer.version.name()
        )));
    }
    (answer.suite, answer.class) = match registry::suite(suite) {
        Some((name, class)) if offer.classes.contains(&class) => (name, class),
        _ => return Err(malformed("a cipher suite that was not offered")),
    };
    if let Some(code) = group {
        if !offer.groups.contains(&code) {
            return Err(malformed("a group that was not offered"));
        }
        answer.group = registry::group(code).map(str::to_owned);
    }
    if is_13 && answer.group.is_none() {
        return Err(malformed("no group chosen"));
    }
    Ok(answer)
}

fn text(octets: &[u8]) -> String {
    crate::guard::text::clean(&String::from_utf8_lossy(octets), 32)
}

fn certificates(body: &[u8], answer: &mut Answer) -> Option<()> {
    let mut list = Cursor(Cursor(body).part(3)?);
    while !list.0.is_empty() {
        let der = list.part(3)?;
        answer.presented += 1;
        if answer.presented > COUNT_LIMIT {
            return None;
        }
        if answer.chain.len() < CHAIN_LIMIT {
            answer.chain.push(CertificateDer::from(der.to_vec()));
        }
    }
    Some(())
}

fn staple(body: &[u8]) -> Option<Vec<u8>> {
    const OCSP: u8 = 1;
    let mut body = Cursor(body);
    (body.u8()? == OCSP)
        .then(|| body.part(3))?
        .filter(|response| response.len() <= STAPLE_LIMIT)
        .map(<[u8]>::to_vec)
}

/// The group of a ServerKeyExchange (RFC 8422 section 5.4, RFC 5246 section
/// 7.4.3).
fn exchange_group(body: &[u8], suite: &str) -> Option<String> {
    const NAMED_CURVE: u8 = 3;
    let mut body = Cursor(body);
    if suite.contains("_ECDH") {
        let named = body.u8()? == NAMED_CURVE;
        let code = body.u16()?;
        return registry::group(code).filter(|_| named).map(str::to_owned);
    }
    if !suite.contains("_DH") {
        return None;
    }
    let prime = body.part(2)?;
    let zeros = prime.iter().take_while(|octet| **octet == 0).count();
    let first = prime.get(zeros)?;
    let bits = (prime.len() - zeros) * 8 - first.leading_zeros() as usize;
    Some(format!("dh{bits}"))
}
