//! ClientHellos of our own making (RFC 5246, RFC 8446), and what a server says
//! to them in the clear. No key is exchanged, nothing is verified and nothing
//! secret exists on these connections: a version, a suite or a group is
//! learned for the price of a few hundred bytes instead of a handshake.
//!
//! [`answer`] reads what comes back; [`registry`] knows the numbers.

pub mod answer;
pub mod registry;

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

pub use answer::{Answer, Listener};
use registry::Class;
pub use registry::Version;

use super::Failure;
use super::net::Net;
use super::slots::Priority;
use super::tls::{self, Refused};
use crate::guard::PublicAddr;

/// One hello's share of time, the TCP connection included.
const LIMIT: Duration = Duration::from_secs(5);

/// Bytes read at once.
const BLOCK: usize = 8 * 1024;

/// What one hello offers.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// The highest version. Below 1.3 a server may answer with a lower one.
    pub version: Version,
    /// Classes of cipher suites, the better first.
    pub classes: &'static [Class],
    /// Key-exchange groups.
    pub groups: &'static [u16],
    /// Application protocols (RFC 7301) by preference.
    pub alpn: &'static [&'static [u8]],
    /// Whether to listen on behind the ServerHello, to what servers before
    /// TLS 1.3 send in the clear: certificates, staple, key-exchange group.
    pub flight: bool,
}

const CURVES: &[u16] = &[
    registry::X25519,
    registry::SECP256R1,
    registry::SECP384R1,
    registry::SECP521R1,
];

/// TLS 1.2 at most, with every suite ever in use: who declines this has no
/// version before TLS 1.3.
pub const UP_TO_12: Offer = Offer {
    version: Version::Tls12,
    classes: &[Class::Strong, Class::Weak, Class::Broken],
    groups: CURVES,
    alpn: &[b"h2", b"http/1.1"],
    flight: true,
};

/// TLS 1.1 at most, with every suite that it can have: what is not dated
/// needs TLS 1.2 (RFC 9325 section 4.2). The broken ones come first, for
/// servers that follow the client.
pub const UP_TO_11: Offer = Offer {
    version: Version::Tls11,
    ..DATED
};

/// TLS 1.0 alone.
pub const ONLY_10: Offer = Offer {
    version: Version::Tls10,
    ..UP_TO_11
};

/// No suite with both forward secrecy and authenticated encryption. Who has
/// nothing but such declines; the broken ones come first, for servers that
/// follow the client.
pub const DATED: Offer = Offer {
    classes: &[Class::Broken, Class::Weak],
    flight: false,
    ..UP_TO_12
};

/// Suites that are broken: RC4, single and triple DES, export grade, without
/// encryption or without authentication.
pub const BROKEN: Offer = Offer {
    classes: &[Class::Broken],
    ..DATED
};

/// TLS 1.3 with X25519MLKEM768 as its only group and no share for it (RFC
/// 8446 section 4.2.8): a server that has the group asks for its share with a
/// HelloRetryRequest, and that settles it without a key exchange.
pub const POST_QUANTUM: Offer = Offer {
    version: Version::Tls13,
    classes: &[Class::Tls13],
    groups: &[registry::X25519MLKEM768],
    alpn: &[b"h2", b"http/1.1"],
    flight: false,
};

/// TLS 1.3 with everything that there is of it: for servers that decline our
/// handshake, which has not every group and suite.
pub const ANY_13: Offer = Offer {
    groups: registry::GROUPS_13,
    ..POST_QUANTUM
};

/// Sends one hello and listens to the answer. An address literal is not named
/// in SNI (RFC 6066 section 3).
pub async fn ask(
    net: &Net,
    to: &PublicAddr,
    host: &str,
    offer: &'static Offer,
) -> Result<Answer, Refused> {
    let work = async { Ok(converse(net, to, host, offer).await) };
    match net.within(LIMIT, work).await {
        Ok(outcome) => outcome,
        Err(failure) => Err(Refused::Failed(failure)),
    }
}

async fn converse(
    net: &Net,
    to: &PublicAddr,
    host: &str,
    offer: &'static Offer,
) -> Result<Answer, Refused> {
    let hello = wire(offer, host, &tls::random().map_err(Refused::Failed)?);
    let broken = |error: std::io::Error| {
        Refused::Failed(crate::port::NetError::Failed(error.to_string()).into())
    };
    let mut line = net
        .connect_as(to, Priority::Normal, LIMIT)
        .await
        .map_err(Refused::Failed)?;
    line.write_all(&hello).await.map_err(broken)?;
    line.flush().await.map_err(broken)?;
    let mut listener = Listener::new(offer);
    let mut block = vec![0_u8; BLOCK];
    loop {
        let read = line.read(&mut block).await.map_err(broken)?;
        if read == 0 {
            let how = String::from("closed during the handshake");
            return Err(Refused::Failed(Failure::Unreachable(how)));
        }
        let heard = block.get(..read).unwrap_or_default();
        if let Some(answer) = listener.hear(heard)? {
            return Ok(answer);
        }
    }
}

/// The hello as one record. One of 256 to 511 octets is filled up: there are
/// load balancers that never answer it (RFC 7685 section 1).
pub fn wire(offer: &Offer, host: &str, random: &[u8; 32]) -> Vec<u8> {
    let bare = record(offer, host, random, 0);
    match bare.len() - RECORD_HEAD {
        length @ 256..512 => {
            let padding = 512_usize.saturating_sub(length + EXTENSION_HEAD).max(1);
            record(offer, host, random, padding)
        }
        _ => bare,
    }
}

const RECORD_HEAD: usize = 5;
const EXTENSION_HEAD: usize = 4;

fn record(offer: &Offer, host: &str, random: &[u8; 32], padding: usize) -> Vec<u8> {
    let mut out = vec![HANDSHAKE, 3, 1];
    prefixed(&mut out, 2, |out| {
        out.push(CLIENT_HELLO);
        prefixed(out, 3, |out| body(out, offer, host, random, padding));
    });
    out
}

fn body(out: &mut Vec<u8>, offer: &Offer, host: &str, random: &[u8; 32], padding: usize) {
    let legacy = offer.version.min(Version::Tls12);
    out.extend(legacy.code().to_be_bytes());
    out.extend(random);
    // A session to be resumed that nobody has: the compatibility mode of RFC
    // 8446 appendix D.4.
    prefixed(out, 1, |out| {
        if offer.version == Version::Tls13 {
            out.extend(random);
        }
    });
    prefixed(out, 2, |out| {
        for code in registry::suites(offer.classes) {
            out.extend(code.to_be_bytes());
        }
    });
    out.extend([1, 0]); // no compression
    prefixed(out, 2, |out| {
        extensions(out, offer, host);
        if padding > 0 {
            let end = |out: &mut Vec<u8>| out.resize(out.len() + padding, 0);
            extension(out, ext::PADDING, end);
        }
    });
}

/// None that is empty stands last: some servers break off there.
fn extensions(out: &mut Vec<u8>, offer: &Offer, host: &str) {
    if host.parse::<std::net::IpAddr>().is_err() {
        extension(out, ext::SERVER_NAME, |out| {
            prefixed(out, 2, |out| {
                out.push(0);
                prefixed(out, 2, |out| out.extend(host.as_bytes()));
            });
        });
    }
    extension(out, ext::EXTENDED_MASTER_SECRET, |_| {});
    extension(out, ext::RENEGOTIATION_INFO, |out| out.push(0));
    extension(out, ext::SUPPORTED_GROUPS, |out| numbers(out, offer.groups));
    extension(out, ext::EC_POINT_FORMATS, |out| out.extend([1, 0]));
    extension(out, ext::SESSION_TICKET, |_| {});
    extension(out, ext::ALPN, |out| {
        prefixed(out, 2, |out| {
            for protocol in offer.alpn {
                prefixed(out, 1, |out| out.extend(*protocol));
            }
        });
    });
    extension(out, ext::STATUS_REQUEST, |out| {
        out.extend([1, 0, 0, 0, 0]); // OCSP, any responder, no extensions
    });
    extension(out, ext::SIGNED_CERTIFICATE_TIMESTAMP, |_| {});
    extension(out, ext::SIGNATURE_ALGORITHMS, |out| {
        numbers(out, registry::SIGNATURE_SCHEMES);
    });
    if offer.version == Version::Tls13 {
        extension(out, ext::SUPPORTED_VERSIONS, |out| {
            prefixed(out, 1, |out| {
                out.extend(Version::Tls13.code().to_be_bytes());
            });
        });
        extension(out, ext::PSK_KEY_EXCHANGE_MODES, |out| out.extend([1, 1]));
        extension(out, ext::KEY_SHARE, |out| out.extend([0, 0]));
    }
}

fn extension(out: &mut Vec<u8>, kind: u16, content: impl FnOnce(&mut Vec<u8>)) {
    out.extend(kind.to_be_bytes());
    prefixed(out, 2, content);
}

fn numbers(out: &mut Vec<u8>, numbers: &[u16]) {
    prefixed(out, 2, |out| {
        for number in numbers {
            out.extend(number.to_be_bytes());
        }
    });
}

/// Content with its length in front, in `width` octets.
fn prefixed(out: &mut Vec<u8>, width: usize, content: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.resize(at + width, 0);
    content(out);
    let length = (out.len() - at - width).to_be_bytes();
    let digits = length.iter().skip(length.len() - width);
    for (place, digit) in out.iter_mut().skip(at).zip(digits) {
        *place = *digit;
    }
}

/// Record and message types.
pub(crate) const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;

/// Extension types (RFC 8446 section 4.2 and its registry).
pub(crate) mod ext {
    pub(crate) const SERVER_NAME: u16 = 0;
    pub(crate) const STATUS_REQUEST: u16 = 5;
    pub(crate) const SUPPORTED_GROUPS: u16 = 10;
    pub(crate) const EC_POINT_FORMATS: u16 = 11;
    pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(crate) const ALPN: u16 = 16;
    pub(crate) const SIGNED_CERTIFICATE_TIMESTAMP: u16 = 18;
    pub(crate) const PADDING: u16 = 21;
    pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
    pub(crate) const SESSION_TICKET: u16 = 35;
    pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
    pub(crate) const PSK_KEY_EXCHANGE_MODES: u16 = 45;
    pub(crate) const KEY_SHARE: u16 = 51;
    pub(crate) const RENEGOTIATION_INFO: u16 = 0xFF01;
}

#[cfg(test)]
mod tests;
