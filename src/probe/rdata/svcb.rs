//! The parameters of HTTPS and SVCB records (RFC 9460).

use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::{BLOB_LIMIT, cleaned, hex, lossy};

/// One parameter of an HTTPS or SVCB record (RFC 9460 section 14.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Param {
    /// `alpn`, `port`, `ipv4hint` ...; `key<n>` when unknown.
    pub key: String,
    /// Its value in presentation form; empty for flags.
    #[serde(serialize_with = "cleaned")]
    pub value: String,
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

fn param(key: u16, value: &[u8]) -> Param {
    let keys = |bytes: &[u8]| -> Vec<String> {
        bytes
            .chunks_exact(2)
            .map(|pair| key_name(u16::from_be_bytes([pair[0], pair[1]])))
            .collect()
    };
    let text = match key {
        0 => keys(value).join(","),
        1 => alpn(value).join(","),
        3 => match value {
            [high, low] => u16::from_be_bytes([*high, *low]).to_string(),
            _ => hex(value),
        },
        4 => hints::<4>(value),
        5 => STANDARD.encode(value),
        6 => hints::<16>(value),
        7 => lossy(value),
        _ => hex(value),
    };
    Param {
        key: key_name(key),
        value: capped_chars(text),
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

fn alpn(mut value: &[u8]) -> Vec<String> {
    let mut protocols = Vec::new();
    while let [length, rest @ ..] = value {
        let Some((protocol, rest)) = rest.split_at_checked(usize::from(*length)) else {
            break;
        };
        protocols.push(lossy(protocol));
        value = rest;
    }
    protocols
}

fn hints<const N: usize>(value: &[u8]) -> String {
    let address = |bytes: &[u8]| -> String {
        if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
            return Ipv4Addr::from(v4).to_string();
        }
        <[u8; 16]>::try_from(bytes).map_or_else(|_| hex(bytes), |v6| Ipv6Addr::from(v6).to_string())
    };
    value
        .chunks_exact(N)
        .map(address)
        .collect::<Vec<_>>()
        .join(",")
}
