//! The parameters of HTTPS and SVCB records (RFC 9460).

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::text::quoted;
use super::{BLOB_LIMIT, cleaned};

/// One parameter of an HTTPS or SVCB record (RFC 9460 section 14.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Param {
    /// `alpn`, `port`, `ipv4hint` ...; `key<n>` when unknown.
    pub key: String,
    /// Its value as it stands behind the equals sign, without quotes; empty
    /// for flags.
    #[serde(serialize_with = "cleaned")]
    pub value: String,
    /// Key and value in presentation form.
    #[serde(skip)]
    pub(super) text: String,
}

/// The parameters of an HTTPS or SVCB record.
pub(super) fn params(wire: &[u8]) -> Vec<Param> {
    pairs(wire).map(|(key, value)| param(key, value)).collect()
}

/// Key, length, value, repeated.
fn pairs(mut wire: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let [k0, k1, l0, l1, rest @ ..] = wire else {
            return None;
        };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let (value, rest) = rest.split_at_checked(length)?;
        wire = rest;
        Some((u16::from_be_bytes([*k0, *k1]), value))
    })
}

/// What makes clients call a record malformed (RFC 9460 sections 2.2 and 8);
/// one that only leads on has no parameters that count (section 2.4.2). That
/// its keys stand in order was seen when it was read.
pub(super) fn fault(priority: u16, wire: &[u8]) -> Option<&'static str> {
    if priority == 0 {
        return None;
    }
    let breaks = |(key, value): (u16, &[u8])| match key {
        // A protocol's name may be any octets.
        1 if std::str::from_utf8(value).is_err() => false,
        0..=6 => known(key, value).is_none(),
        _ => false,
    };
    if pairs(wire).any(breaks) {
        return Some("a parameter's value breaks its format");
    }
    let (_, listed) = pairs(wire).find(|(key, _)| *key == 0)?;
    let listed = || {
        let pairs = listed.chunks_exact(2);
        pairs.map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
    };
    if listed().any(|key| key == 0) {
        return Some("mandatory lists itself");
    }
    if listed()
        .zip(listed().skip(1))
        .any(|(one, next)| one >= next)
    {
        return Some("mandatory lists a key twice or out of order");
    }
    let is_there = |wanted: u16| pairs(wire).any(|(key, _)| key == wanted);
    (!listed().all(is_there)).then_some("mandatory lists a key that is not there")
}

fn param(key: u16, wire: &[u8]) -> Param {
    let name = key_name(key);
    let (value, text) = match (known(key, wire), wire) {
        (Some(value), []) => (value, name.clone()),
        // Those that may hold what a zone file reads as something else.
        (Some(value), _) if matches!(key, 1 | 7) => {
            let text = format!("{name}={}", quoted(&value));
            (value, text)
        }
        (Some(value), _) => {
            let text = format!("{name}={value}");
            (value, text)
        }
        (None, []) => (String::new(), format!("key{key}")),
        // RFC 9460 section 2.1: any value can be written behind its number.
        (None, wire) => {
            let value = quoted(wire);
            let text = format!("key{key}={value}");
            let bare = value.get(1..value.len() - 1).unwrap_or_default();
            (bare.to_owned(), text)
        }
    };
    Param {
        key: name,
        value: capped_chars(value),
        text,
    }
}

/// The value of a known parameter; `None` when there is no such key here, or
/// its value breaks its format.
fn known(key: u16, wire: &[u8]) -> Option<String> {
    let listed = |item: fn(u16) -> String| {
        let pairs = wire.chunks_exact(2);
        let whole = pairs.remainder().is_empty() && !wire.is_empty();
        let items = pairs.map(|pair| item(u16::from_be_bytes([pair[0], pair[1]])));
        whole.then(|| items.collect::<Vec<_>>().join(","))
    };
    match (key, wire) {
        (0, _) => listed(key_name),
        (1, _) => alpn(wire),
        (2 | 8, []) => Some(String::new()),
        (3, [high, low]) => Some(u16::from_be_bytes([*high, *low]).to_string()),
        (4, _) => hints::<4>(wire),
        (5, [_, ..]) => Some(STANDARD.encode(wire)),
        (6, _) => hints::<16>(wire),
        (7, [_, ..]) => String::from_utf8(wire.to_vec()).ok(),
        (9, _) => listed(|group| group.to_string()),
        _ => None,
    }
}

fn capped_chars(text: String) -> String {
    text.chars().take(BLOB_LIMIT).collect()
}

fn key_name(key: u16) -> String {
    const NAMES: [&str; 10] = [
        "mandatory",
        "alpn",
        "no-default-alpn",
        "port",
        "ipv4hint",
        "ech",
        "ipv6hint",
        "dohpath",
        "ohttp",
        "tls-supported-groups",
    ];
    match NAMES.get(usize::from(key)) {
        Some(name) => String::from(*name),
        None => format!("key{key}"),
    }
}

/// Protocol names; commas and backslashes in them are escaped (RFC 9460
/// appendix A.1).
fn alpn(mut wire: &[u8]) -> Option<String> {
    let mut protocols = Vec::new();
    while let [length, rest @ ..] = wire {
        let (protocol, rest) = rest.split_at_checked(usize::from(*length))?;
        let protocol = std::str::from_utf8(protocol).ok()?;
        protocols.push(protocol.replace('\\', r"\\").replace(',', r"\,"));
        wire = rest;
    }
    (!protocols.is_empty()).then(|| protocols.join(","))
}

fn hints<const N: usize>(wire: &[u8]) -> Option<String> {
    let address = |octets: &[u8]| match <[u8; 4]>::try_from(octets) {
        Ok(v4) => Some(Ipv4Addr::from(v4).to_string()),
        Err(_) => Some(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?).to_string()),
    };
    let addresses = wire.chunks_exact(N);
    let whole = addresses.remainder().is_empty() && !wire.is_empty();
    let addresses: Option<Vec<String>> = addresses.map(address).collect();
    addresses.filter(|_| whole).map(|all| all.join(","))
}
