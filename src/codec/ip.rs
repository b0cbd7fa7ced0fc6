//! IP addresses in every spelling that some parser accepts (RFC 4291,
//! RFC 5952, and the forms of inet_aton).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::Serialize;

use super::blocks::{self, Block};
use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::verdict::Verdict;
use super::{Context, Kind};

/// What there is to know about the kind `ip`.
pub const FORMAT: Format = Format {
    kind: Kind::Ip,
    title: "IP address",
    reference: "RFC 5952",
    example: "::FFFF:192.168.0.1",
    fields: &[
        ("version", "4 or 6"),
        ("address", "in canonical form"),
        ("expanded", "IPv6 with all its digits"),
        ("reverse", "name of its PTR record"),
        (
            "block",
            "special-purpose block: `network`, `name`, `reference`, \
             `globallyReachable`; null for ordinary unicast",
        ),
        (
            "embedded",
            "an IPv4 address inside an IPv6 one: `address` and `how`",
        ),
        ("zone", "zone of a scoped address"),
        (
            "guard",
            "what the guard says about connecting to it: `decision`, `reason`, `rule`",
        ),
    ],
    rules: RULES,
    sniff: |text| match read(text.trim()) {
        Some((_, _, Spelling::Plain)) => 98,
        Some((_, _, Spelling::Odd(_))) if text.contains('.') => 70,
        Some(_) => 10,
        None => 0,
    },
    read: |text, context| parse(text, context).map(Reading::untyped),
};

/// One address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ip {
    version: u8,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expanded: Option<String>,
    reverse: String,
    block: Option<&'static Block>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedded: Option<Embedded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
    guard: Verdict,
}

/// An IPv4 address inside an IPv6 one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Embedded {
    address: Ipv4Addr,
    how: &'static str,
}

/// How an address is spelt.
enum Spelling {
    Plain,
    /// Only some parsers read it, or read it so.
    Odd(&'static str),
}

/// Reads one address.
pub fn parse(text: &str, context: &Context) -> Result<Reading<Ip>, NotThis> {
    let bare = text.trim();
    let (ip, zone, spelling) = read(bare).ok_or(NotThis(
        "send one IPv4 or IPv6 address, such as 192.0.2.1 or 2001:db8::1.",
    ))?;
    let mut scribe = Scribe::new(text);
    if let Spelling::Odd(how) = spelling {
        scribe.flag(
            ODD_FORM,
            bare,
            format!(
                "Written {how}: some parsers read it as {ip}, others refuse it or read \
                 another address."
            ),
        );
    }
    let plain = bare
        .trim_matches(['[', ']'])
        .split('%')
        .next()
        .unwrap_or(bare);
    if ip.is_ipv6() && plain != ip.to_string() {
        scribe.flag(NOT_CANONICAL, plain, format!("The canonical form is {ip}."));
    }
    let block = blocks::of(ip);
    if let Some(block) = block {
        let rule = if block.globally_reachable {
            SPECIAL
        } else {
            NOT_PUBLIC
        };
        scribe.flag(
            rule,
            bare,
            format!(
                "In {}, {} ({}).",
                block.network, block.name, block.reference
            ),
        );
    }
    let embedded = match ip {
        IpAddr::V6(ip) => embedded(ip),
        IpAddr::V4(_) => None,
    };
    if let Some(inner) = &embedded {
        scribe.flag(
            EMBEDDED,
            bare,
            format!(
                "Carries the IPv4 address {} ({}).",
                quoted(&inner.address.to_string()),
                inner.how
            ),
        );
    }
    let value = Ip {
        version: if ip.is_ipv4() { 4 } else { 6 },
        address: ip.to_string(),
        expanded: match ip {
            IpAddr::V6(ip) => Some(expanded(ip)),
            IpAddr::V4(_) => None,
        },
        reverse: reverse(ip),
        block,
        embedded,
        zone: zone.map(str::to_owned),
        guard: Verdict::of_address(ip, context),
    };
    Ok(Reading::new(value, scribe))
}

fn read(text: &str) -> Option<(IpAddr, Option<&str>, Spelling)> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some((ip, None, Spelling::Plain));
    }
    let inner = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if let Some((address, zone)) = inner.split_once('%')
        && let Ok(ip) = address.parse::<Ipv6Addr>()
        && !zone.is_empty()
        && zone.len() <= 32
        && zone
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
    {
        return Some((IpAddr::V6(ip), Some(zone), Spelling::Plain));
    }
    if let Ok(ip) = inner.parse::<Ipv6Addr>() {
        return Some((IpAddr::V6(ip), None, Spelling::Plain));
    }
    let (ip, how) = aton(text)?;
    Some((IpAddr::V4(ip), None, Spelling::Odd(how)))
}

/// The forms of inet_aton, which browsers still accept: one to four parts,
/// each decimal, octal or hexadecimal, the last filling what is left.
fn aton(text: &str) -> Option<(Ipv4Addr, &'static str)> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let parts: Vec<&str> = text.split('.').take(5).collect();
    if parts.len() > 4 {
        return None;
    }
    let mut how = if parts.len() == 4 {
        "with a trailing dot"
    } else {
        "with fewer than four parts"
    };
    let mut numbers = Vec::new();
    for part in &parts {
        let (digits, radix) = match part.get(..2) {
            Some("0x" | "0X") => (part.get(2..)?, 16),
            _ if part.len() > 1 && part.starts_with('0') => (part.get(1..)?, 8),
            _ => (*part, 10),
        };
        how = match radix {
            16 => "in hexadecimal",
            8 => "with leading zeros, which mean octal to some",
            _ => how,
        };
        let number = if digits.is_empty() && radix == 16 {
            0
        } else {
            u64::from_str_radix(digits, radix).ok()?
        };
        numbers.push(number);
    }
    let (last, first) = numbers.split_last()?;
    let room = 8 * (4 - first.len() as u32);
    if first.iter().any(|number| *number > 255)
        || *last >= 1u64 << room
        || parts.iter().any(|part| part.starts_with('+'))
    {
        return None;
    }
    let high = first.iter().fold(0u64, |sum, number| sum << 8 | number);
    Some((Ipv4Addr::from_bits((high << room | last) as u32), how))
}

fn embedded(ip: Ipv6Addr) -> Option<Embedded> {
    let bits = ip.to_bits();
    let low = Ipv4Addr::from_bits(bits as u32);
    let found = |address, how| Some(Embedded { address, how });
    match ip.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] => found(low, "IPv4-mapped, RFC 4291 section 2.5.5.2"),
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => found(low, "NAT64, RFC 6052"),
        [0x64, 0xff9b, 1, ..] => found(low, "NAT64 with a local prefix, RFC 8215"),
        [0x2002, ..] => found(Ipv4Addr::from_bits((bits >> 80) as u32), "6to4, RFC 3056"),
        [0x2001, 0, ..] => found(
            Ipv4Addr::from_bits(!(bits as u32)),
            "Teredo client, RFC 4380",
        ),
        [.., 0 | 0x200, 0x5efe, _, _] => found(low, "ISATAP, RFC 5214"),
        [0, 0, 0, 0, 0, 0, high, _] if high != 0 => {
            found(low, "IPv4-compatible, deprecated by RFC 4291")
        }
        _ => None,
    }
}

fn expanded(ip: Ipv6Addr) -> String {
    let groups: Vec<String> = ip
        .segments()
        .iter()
        .map(|group| format!("{group:04x}"))
        .collect();
    groups.join(":")
}

fn reverse(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(ip) => {
            let digits = format!("{:032x}", ip.to_bits());
            let mut name: String = digits
                .chars()
                .rev()
                .flat_map(|digit| [digit, '.'])
                .collect();
            name.push_str("ip6.arpa");
            name
        }
    }
}

rules! {
    ODD_FORM = "ip.odd_form", Medium, "RFC 6943 section 3.1.1",
        "The address is spelt in a way that parsers disagree on.";
    NOT_CANONICAL = "ip.not_canonical", Low, "RFC 5952 section 4",
        "An IPv6 address is not in canonical form.";
    NOT_PUBLIC = "ip.not_public", Info, "RFC 6890 section 2.2",
        "The address is in a block that is not reachable from the internet.";
    SPECIAL = "ip.special_purpose", Info, "RFC 6890 section 2.2",
        "The address is in a special-purpose block.";
    EMBEDDED = "ip.embedded_ipv4", Info, "RFC 4291 section 2.5.5",
        "The address carries an IPv4 address.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn ip(text: &str) -> Reading<Ip> {
        let guard = Guard::default();
        parse(
            text,
            &Context {
                guard: &guard,
                now_ms: 0,
            },
        )
        .unwrap()
    }

    #[test]
    fn odd_spellings_are_undone_and_flagged() {
        for text in [
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "0x7f.1",
            "127.0.0.1.",
        ] {
            let reading = ip(text);
            assert_eq!(reading.value.address, "127.0.0.1", "{text}");
            assert!(reading.has("ip.odd_form"), "{text}");
            assert_eq!(reading.value.guard.decision, "refuse");
        }
    }

    #[test]
    fn canonical_forms_follow_rfc_5952() {
        let reading = ip("2001:DB8:0:0:1:0:0:1");
        assert_eq!(reading.value.address, "2001:db8::1:0:0:1");
        assert!(reading.has("ip.not_canonical"));
        assert_eq!(ip("2001:db8::1").value.reverse.len(), 32 * 2 + 8);
        assert_eq!(ip("192.0.2.5").value.reverse, "5.2.0.192.in-addr.arpa");
    }

    #[test]
    fn carried_addresses_are_found() {
        for (text, inner) in [
            ("::ffff:10.0.0.1", "10.0.0.1"),
            ("64:ff9b::c000:0201", "192.0.2.1"),
            ("2002:c000:0204::1", "192.0.2.4"),
            ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "192.0.2.45"),
            ("fe80::5efe:192.0.2.1", "192.0.2.1"),
        ] {
            assert_eq!(
                ip(text).value.embedded.unwrap().address.to_string(),
                inner,
                "{text}"
            );
        }
        assert_eq!(ip("::1").value.embedded, None);
    }

    #[test]
    fn an_ordinary_address_is_allowed() {
        let reading = ip("8.8.8.8");
        assert_eq!(
            (reading.value.block, reading.value.guard.decision),
            (None, "allow")
        );
        assert_eq!(reading.problems, []);
    }
}
