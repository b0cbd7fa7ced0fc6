//! Addresses: for every IPv4 and IPv6 address, whatever way it is spelled or
//! carried, the guard says what it says to the plain form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netrecon::guard::{Class, Guard, PublicUrl, Refusal};
use proptest::prelude::*;

fn by_url(host: &str) -> Result<PublicUrl, Refusal> {
    Guard::default().validate_fetch_url(&format!("http://{host}/"))
}

fn by_address(ip: impl Into<IpAddr>) -> Result<(), Refusal> {
    Guard::default().judge_address(ip.into(), 80).map(drop)
}

/// Addresses at random, with the special blocks and their edges as likely as
/// all the rest together.
fn any_v4() -> impl Strategy<Value = Ipv4Addr> {
    let near_an_edge = (0..EDGES.len(), -2i64..=2).prop_map(|(edge, off)| {
        let edge: Ipv4Addr = EDGES[edge].parse().unwrap();
        Ipv4Addr::from_bits((i64::from(edge.to_bits()) + off) as u32)
    });
    prop_oneof![any::<u32>().prop_map(Ipv4Addr::from_bits), near_an_edge]
}

const EDGES: &[&str] = &[
    "0.0.0.0",
    "1.0.0.0",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "100.100.100.200",
    "127.0.0.0",
    "127.255.255.255",
    "168.63.129.16",
    "169.254.0.0",
    "169.254.169.254",
    "169.254.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.0",
    "192.0.2.0",
    "192.88.99.0",
    "192.168.0.0",
    "192.168.255.255",
    "198.18.0.0",
    "198.19.255.255",
    "198.51.100.0",
    "203.0.113.0",
    "224.0.0.0",
    "239.255.255.255",
    "240.0.0.0",
    "255.255.255.255",
];

/// One number as `inet_aton` reads it.
fn number(value: u32, base: u8, zeros: usize, upper: bool) -> String {
    let zeros = "0".repeat(zeros);
    match (base, upper) {
        (0, _) => format!("{value}"),
        (1, _) => format!("0{zeros}{value:o}"),
        (_, false) => format!("0x{zeros}{value:x}"),
        (_, true) => format!("0X{zeros}{value:X}"),
    }
}

/// `ip` in 1 to 4 parts, the last of which fills what is left.
fn spell(ip: Ipv4Addr, parts: usize, styles: &[(u8, usize, bool)]) -> String {
    let octets = ip.octets();
    let mut spelled: Vec<u32> = octets[..parts - 1].iter().map(|o| u32::from(*o)).collect();
    let rest = octets[parts - 1..]
        .iter()
        .fold(0u32, |sum, o| (sum << 8) | u32::from(*o));
    spelled.push(rest);
    let numbers = spelled
        .iter()
        .zip(styles)
        .map(|(n, (base, zeros, upper))| number(*n, *base, *zeros, *upper));
    numbers.collect::<Vec<_>>().join(".")
}

/// The same text in letters that UTS #46 maps to ASCII.
fn dressed(text: &str, dress: u8) -> String {
    let shift =
        |c: char, first: char, to: u32| char::from_u32(to + c as u32 - first as u32).unwrap();
    text.chars()
        .map(|c| match (dress, c) {
            (1, '!'..='~') => shift(c, '!', 0xFF01),
            (2, '.') => '。',
            (3, '.') => '｡',
            (4, '0'..='9') => shift(c, '0', 0x1D7CE),
            (5, '1'..='9') => shift(c, '1', 0x2460),
            (6, '0'..='9') => shift(c, '0', 0x1D7F6),
            _ => c,
        })
        .collect()
}

/// What the guard must say to `spelled`, given what it says to plain `ip`.
fn agrees(spelled: &str, ip: Ipv4Addr) -> Result<(), TestCaseError> {
    let verdict = by_url(spelled);
    match by_url(&ip.to_string()) {
        Err(refusal) => prop_assert_eq!(verdict.unwrap_err(), refusal, "{}", spelled),
        Ok(url) if spelled.strip_suffix('.').unwrap_or(spelled) == ip.to_string() => {
            prop_assert_eq!(verdict.unwrap(), url)
        }
        // A public address: the one thing wrong is how it is written.
        Ok(_) => {
            let refusal = verdict.unwrap_err();
            prop_assert_eq!(
                refusal,
                Refusal {
                    class: Class::Address,
                    rule: "ipv4.spelling"
                }
            )
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_ipv4_spelling_gets_the_verdict_of_the_plain_form(
        ip in any_v4(),
        parts in 1..=4usize,
        styles in prop::collection::vec((0..3u8, 0..3usize, any::<bool>()), 4),
        dress in 0..7u8,
        dot in any::<bool>(),
    ) {
        let spelled = dressed(&spell(ip, parts, &styles), dress);
        agrees(&spelled, ip)?;
        if dot {
            agrees(&format!("{spelled}."), ip)?;
        }
    }

    #[test]
    fn a_percent_encoded_address_is_refused_whatever_it_is(
        ip in any_v4(),
        at in 0..7usize,
    ) {
        let plain = ip.to_string();
        let at = at.min(plain.len() - 1);
        let spelled = format!("{}%{:02x}{}", &plain[..at], plain.as_bytes()[at], &plain[at + 1..]);
        prop_assert_eq!(by_url(&spelled).unwrap_err().class, Class::Malformed);
    }

    #[test]
    fn an_address_is_judged_alike_in_a_url_and_in_an_answer(ip in any_v4()) {
        prop_assert_eq!(by_url(&ip.to_string()).map(drop), by_address(ip));
    }

    #[test]
    fn no_standard_form_carries_an_ipv4_address_past_the_guard(
        ip in any_v4(),
        noise in any::<u64>(),
    ) {
        for (what, carrier) in carriers(ip, noise) {
            prop_assert!(by_address(carrier).is_err(), "{} {}", what, carrier);
            prop_assert!(by_url(&format!("[{carrier}]")).is_err(), "{} {}", what, carrier);
        }
    }

    #[test]
    fn an_isatap_identifier_gets_the_verdict_of_the_address_inside(
        ip in any_v4(),
        universal in any::<bool>(),
    ) {
        let marker = if universal { 0x0200_5efe } else { 0x0000_5efe_u128 };
        let prefix = 0x2a00_1450_4001_0800_u128 << 64;
        let carrier = Ipv6Addr::from_bits(prefix | marker << 32 | u128::from(ip.to_bits()));
        prop_assert_eq!(by_address(carrier).is_ok(), by_address(ip).is_ok(), "{} in {}", ip, carrier);
    }

    #[test]
    fn nothing_outside_2000_3_is_public(bits in any::<u128>()) {
        let ip = Ipv6Addr::from_bits(bits);
        if bits >> 125 != 1 {
            prop_assert!(by_address(ip).is_err(), "{}", ip);
        }
    }

    #[test]
    fn every_ipv6_spelling_gets_the_verdict_of_the_plain_form(
        bits in prop_oneof![any::<u128>(), any::<u128>().prop_map(|b| (b >> 3) | (1 << 125))],
        upper in any::<bool>(),
    ) {
        let ip = Ipv6Addr::from_bits(bits);
        let groups: Vec<_> = ip.segments().iter().map(|s| format!("{s:04x}")).collect();
        let mut spelled = groups.join(":");
        if upper {
            spelled.make_ascii_uppercase();
        }
        let verdict = by_url(&format!("[{spelled}]"));
        prop_assert_eq!(&verdict, &by_url(&format!("[{ip}]")));
        prop_assert_eq!(verdict.map(drop), by_address(ip));
    }

    #[test]
    fn what_the_standard_library_calls_special_is_refused(ip in any_v4()) {
        let special = ip.is_private() || ip.is_loopback() || ip.is_link_local()
            || ip.is_broadcast() || ip.is_documentation() || ip.is_multicast()
            || ip.is_unspecified();
        prop_assert!(!special || by_address(ip).is_err(), "{}", ip);
    }

    #[test]
    fn a_reverse_name_gets_the_verdict_of_its_address(ip in any_v4()) {
        let [a, b, c, d] = ip.octets();
        let name = format!("{d}.{c}.{b}.{a}.in-addr.arpa");
        let verdict = Guard::default().validate_lookup_name(&name).map(drop);
        prop_assert_eq!(verdict, by_address(ip));
    }

    #[test]
    fn an_ipv6_reverse_name_gets_the_verdict_of_its_address(bits in any::<u128>()) {
        let ip = Ipv6Addr::from_bits(bits);
        let nibbles: Vec<_> = (0..32).map(|i| format!("{:x}", (bits >> (4 * i)) & 15)).collect();
        let name = format!("{}.ip6.arpa", nibbles.join("."));
        let verdict = Guard::default().validate_lookup_name(&name);
        prop_assert_eq!(verdict.is_ok(), by_address(ip).is_ok(), "{}", name);
    }
}

/// Every form with an IPv4 address inside that a standard defines.
fn carriers(ip: Ipv4Addr, noise: u64) -> Vec<(&'static str, Ipv6Addr)> {
    let v4 = u128::from(ip.to_bits());
    let noise = u128::from(noise);
    let local_nat64 = (0x0064_ff9b_0001_u128 << 80) | (v4 >> 16 << 64) | ((v4 & 0xffff) << 40);
    [
        ("mapped", (0xffff << 32) | v4),
        ("compatible", v4),
        ("translated", (0xffff << 48) | v4),
        ("nat64", (0x0064_ff9b << 96) | v4),
        ("local nat64", local_nat64),
        ("local nat64, /96", (0x0064_ff9b_0001 << 80) | v4),
        ("6to4", (0x2002 << 112) | (v4 << 80) | noise),
        (
            "teredo client",
            (0x2001_0000 << 96) | (noise << 32) | (!v4 & 0xffff_ffff),
        ),
        ("teredo server", (0x2001_0000 << 96) | (v4 << 64) | noise),
    ]
    .map(|(what, bits)| (what, Ipv6Addr::from_bits(bits)))
    .to_vec()
}

/// First and last address of each refused block, and whether the neighbours
/// outside are public; written down a second time so that an edit of the
/// guard's table that moves an edge is seen.
#[test]
fn every_block_is_refused_to_its_edges_and_not_beyond() {
    // (first, last, is the one before public, is the one behind public)
    let blocks = [
        ("0.0.0.0", "0.255.255.255", false, true),
        ("10.0.0.0", "10.255.255.255", true, true),
        ("100.64.0.0", "100.127.255.255", true, true),
        ("127.0.0.0", "127.255.255.255", true, true),
        ("168.63.129.16", "168.63.129.16", true, true),
        ("169.254.0.0", "169.254.255.255", true, true),
        ("172.16.0.0", "172.31.255.255", true, true),
        ("192.0.0.0", "192.0.0.255", true, true),
        ("192.0.2.0", "192.0.2.255", true, true),
        ("192.31.196.0", "192.31.196.255", true, true),
        ("192.52.193.0", "192.52.193.255", true, true),
        ("192.88.99.0", "192.88.99.255", true, true),
        ("192.168.0.0", "192.168.255.255", true, true),
        ("192.175.48.0", "192.175.48.255", true, true),
        ("198.18.0.0", "198.19.255.255", true, true),
        ("198.51.100.0", "198.51.100.255", true, true),
        ("203.0.113.0", "203.0.113.255", true, true),
        ("224.0.0.0", "239.255.255.255", true, false),
        ("240.0.0.0", "255.255.255.255", false, false),
    ];
    for (first, last, before, behind) in blocks {
        let bits = |ip: &str| ip.parse::<Ipv4Addr>().unwrap().to_bits();
        let public = |bits| by_address(Ipv4Addr::from_bits(bits)).is_ok();
        assert!(!public(bits(first)), "{first}");
        assert!(!public(bits(last)), "{last}");
        let outside = [
            (bits(first).checked_sub(1), before),
            (bits(last).checked_add(1), behind),
        ];
        for (neighbour, expected) in outside {
            if let Some(neighbour) = neighbour {
                assert_eq!(
                    public(neighbour),
                    expected,
                    "{}",
                    Ipv4Addr::from_bits(neighbour)
                );
            }
        }
    }
    let blocks = [
        ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
        ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff"),
        ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ];
    for (first, last) in blocks {
        let bits = |ip: &str| ip.parse::<Ipv6Addr>().unwrap().to_bits();
        let public = |bits| by_address(Ipv6Addr::from_bits(bits)).is_ok();
        assert!(!public(bits(first)), "{first}");
        assert!(!public(bits(last)), "{last}");
        assert!(public(bits(first) - 1), "before {first}");
        assert!(public(bits(last) + 1), "behind {last}");
    }
}

#[test]
fn metadata_services_are_named_as_such() {
    for ip in [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "169.254.42.42",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
        "fd00:100::100:200",
        "fd00:c1::a9fe:a9fe",
        "fd00:42::42",
        "fd00:a9fe:a9fe::1",
        "fe80::a9fe:a9fe",
    ] {
        let refusal = by_address(ip.parse::<IpAddr>().unwrap()).unwrap_err();
        assert!(
            refusal.rule.ends_with("cloud_metadata"),
            "{ip}: {}",
            refusal.rule
        );
    }
}

#[test]
fn the_large_public_resolvers_are_public() {
    for ip in [
        "1.1.1.1",
        "8.8.8.8",
        "9.9.9.9",
        "2606:4700:4700::1111",
        "2001:4860:4860::8888",
        "2620:fe::fe",
    ] {
        assert_eq!(by_address(ip.parse::<IpAddr>().unwrap()), Ok(()), "{ip}");
    }
}
