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

/// The parameters of an HTTPS or SVCB record: key, length, value, repeated.
pub(super) fn params(mut wire: &[u8]) -> Vec<Param> {
    let mut params = Vec::new();
    while let [k0, k1, l0, l1, rest @ ..] = wire {
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        let Some((value, rest)) = rest.split_at_checked(length) else {
            break;
        };
        params.push(param(u16::from_be_bytes([*k0, *k1]), value));
        wire = rest;
    }
    params
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
