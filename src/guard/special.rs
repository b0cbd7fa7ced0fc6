//! What is not public: the registries' special addresses and names, as data.
//!
//! Nothing but tables and the lookups on them; no parsing, no policy. Sources
//! and dates, to be compared again before a release:
//!
//! - IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890),
//!   registry date 2025-10-09.
//! - IANA IPv6 Global Unicast Address Assignments, registry date 2025-10-10:
//!   everything assigned lies in 2000::/3.
//! - IANA IPv4 Multicast Address Space (RFC 5771), IPv6 Multicast (RFC 4291).
//! - IANA Special-Use Domain Names (RFC 6761), as listed 2026-09-27, and the
//!   ICANN Board's reservation of `internal` of 2024-07-29.
//! - Cloud providers' own documentation for instance metadata.
//!
//! The few blocks that the registries call globally reachable (AS112, AMT,
//! PCP and TURN anycast, ORCHIDv2 ...) are infrastructure, not web servers;
//! refusing them costs a caller nothing, so they are refused too.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address block and the rule id under which the event names it.
struct Block<T> {
    network: T,
    prefix: u8,
    rule: &'static str,
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8, rule: &'static str) -> Block<u32> {
    Block {
        network: u32::from_be_bytes([a, b, c, d]),
        prefix,
        rule,
    }
}

const fn v6(network: u128, prefix: u8, rule: &'static str) -> Block<u128> {
    Block {
        network,
        prefix,
        rule,
    }
}

/// Every IPv4 block that is refused. The single addresses stand first so that
/// the event names the endpoint and not only the block around it, and so that
/// an edit of a block cannot open a metadata service.
#[rustfmt::skip]
const REFUSED_V4: &[Block<u32>] = &[
    v4(169, 254, 169, 254, 32, "ipv4.cloud_metadata"),  // AWS, Azure, GCP, OCI, DO, OpenStack ...
    v4(169, 254, 170,   2, 32, "ipv4.cloud_metadata"),  // AWS ECS task metadata
    v4(169, 254, 170,  23, 32, "ipv4.cloud_metadata"),  // AWS EKS pod identity
    v4(169, 254, 169, 253, 32, "ipv4.cloud_metadata"),  // AWS DNS
    v4(169, 254, 169, 123, 32, "ipv4.cloud_metadata"),  // AWS NTP
    v4(169, 254,  42,  42, 32, "ipv4.cloud_metadata"),  // Scaleway
    v4(169, 254,   0,  23, 32, "ipv4.cloud_metadata"),  // Tencent
    v4(169, 254,  10,  10, 32, "ipv4.cloud_metadata"),  // Tencent
    v4(100, 100, 100, 200, 32, "ipv4.cloud_metadata"),  // Alibaba
    v4(192,   0,   0, 192, 32, "ipv4.cloud_metadata"),  // Oracle, first generation
    v4(168,  63, 129,  16, 32, "ipv4.cloud_metadata"),  // Azure WireServer: looks public, is virtual
    v4(  0,   0,   0,   0,  8, "ipv4.this_network"),    // RFC 791, RFC 1122
    v4( 10,   0,   0,   0,  8, "ipv4.private"),         // RFC 1918
    v4(100,  64,   0,   0, 10, "ipv4.shared"),          // RFC 6598
    v4(127,   0,   0,   0,  8, "ipv4.loopback"),        // RFC 1122
    v4(169, 254,   0,   0, 16, "ipv4.link_local"),      // RFC 3927
    v4(172,  16,   0,   0, 12, "ipv4.private"),         // RFC 1918
    v4(192,   0,   0,   0, 24, "ipv4.protocol"),        // RFC 6890
    v4(192,   0,   2,   0, 24, "ipv4.documentation"),   // RFC 5737
    v4(192,  31, 196,   0, 24, "ipv4.as112"),           // RFC 7535
    v4(192,  52, 193,   0, 24, "ipv4.amt"),             // RFC 7450
    v4(192,  88,  99,   0, 24, "ipv4.6to4_relay"),      // RFC 7526, terminated
    v4(192, 168,   0,   0, 16, "ipv4.private"),         // RFC 1918
    v4(192, 175,  48,   0, 24, "ipv4.as112"),           // RFC 7534
    v4(198,  18,   0,   0, 15, "ipv4.benchmarking"),    // RFC 2544
    v4(198,  51, 100,   0, 24, "ipv4.documentation"),   // RFC 5737
    v4(203,   0, 113,   0, 24, "ipv4.documentation"),   // RFC 5737
    v4(224,   0,   0,   0,  4, "ipv4.multicast"),       // RFC 5771
    v4(240,   0,   0,   0,  4, "ipv4.reserved"),        // RFC 1112, RFC 919
];

/// The only IPv6 space that has ever been assigned for unicast (RFC 4291).
const GLOBAL_UNICAST: Block<u128> = v6(0x2000 << 112, 3, "ipv6.outside_global_unicast");

/// What is refused inside 2000::/3.
#[rustfmt::skip]
const REFUSED_V6: &[Block<u128>] = &[
    v6(0x2001_0000 << 96,           32, "ipv6.teredo"),        // RFC 4380
    v6(0x2001_0002_0000 << 80,      48, "ipv6.benchmarking"),  // RFC 5180
    v6(0x2001_0010 << 96,           28, "ipv6.orchid"),        // RFC 4843, terminated
    v6(0x2001_0020 << 96,           28, "ipv6.orchid"),        // RFC 7343
    v6(0x2001_0000 << 96,           23, "ipv6.protocol"),      // RFC 2928, all the rest of it
    v6(0x2001_0db8 << 96,           32, "ipv6.documentation"), // RFC 3849
    v6(0x2002 << 112,               16, "ipv6.6to4"),          // RFC 3056
    v6(0x2620_004f_8000 << 80,      48, "ipv6.as112"),         // RFC 7534
    v6(0x3fff << 112,               20, "ipv6.documentation"), // RFC 9637
];

/// Names for the parts outside 2000::/3, so that an event says more than
/// "outside". What matches none of them is refused all the same.
#[rustfmt::skip]
const NAMED_V6: &[Block<u128>] = &[
    v6(0xfd00_0ec2 << 96,           32, "ipv6.cloud_metadata"), // AWS fd00:ec2::254, ::23, ::253, ::123
    v6(0xfd20_00ce << 96,           32, "ipv6.cloud_metadata"), // GCP fd20:ce::254
    v6((0xfd00_0100 << 96) | 0x0100_0200, 128, "ipv6.cloud_metadata"), // Alibaba
    v6(0xfd00_00c1 << 96,           32, "ipv6.cloud_metadata"), // Oracle fd00:c1::a9fe:a9fe
    v6(0xfd00_0042 << 96,           32, "ipv6.cloud_metadata"), // Scaleway fd00:42::42
    v6(0xfd00_a9fe_a9fe << 80,      48, "ipv6.cloud_metadata"), // Akamai
    v6((0xfe80 << 112) | 0xa9fe_a9fe, 128, "ipv6.cloud_metadata"), // OpenStack
    v6(0,                          128, "ipv6.unspecified"),    // RFC 4291
    v6(1,                          128, "ipv6.loopback"),       // RFC 4291
    v6(0xffff << 32,                96, "ipv6.v4_mapped"),      // RFC 4291
    v6(0xffff << 48,                96, "ipv6.v4_translated"),  // RFC 2765
    v6(0,                           96, "ipv6.v4_compatible"),  // RFC 4291, deprecated
    v6(0x0064_ff9b << 96,           96, "ipv6.nat64"),          // RFC 6052
    v6(0x0064_ff9b_0001 << 80,      48, "ipv6.nat64_local"),    // RFC 8215
    v6(0x0100 << 112,               64, "ipv6.discard"),        // RFC 6666
    v6((0x0100 << 112) | (1 << 64), 64, "ipv6.dummy"),          // RFC 9780
    v6(0x5f00 << 112,               16, "ipv6.srv6_sid"),       // RFC 9602
    v6(0xfc00 << 112,                7, "ipv6.unique_local"),   // RFC 4193
    v6(0xfe80 << 112,               10, "ipv6.link_local"),     // RFC 4291
    v6(0xfec0 << 112,               10, "ipv6.site_local"),     // RFC 3879, deprecated
    v6(0xff00 << 112,                8, "ipv6.multicast"),      // RFC 4291
];

/// The rule that refuses `ip`, or `None` when it is public.
pub(super) fn refuses_v4(ip: Ipv4Addr) -> Option<&'static str> {
    refuses_v4_network(ip, 32)
}

/// The rule that refuses every address of `network`/`prefix`.
pub(super) fn refuses_v4_network(network: Ipv4Addr, prefix: u8) -> Option<&'static str> {
    let bits = network.to_bits();
    REFUSED_V4
        .iter()
        .find(|block| block.prefix <= prefix && (bits ^ block.network) >> (32 - block.prefix) == 0)
        .map(|block| block.rule)
}

/// The rule that refuses `ip`, or `None` when it is public.
///
/// Every form that carries an IPv4 address by standard (mapped, compatible,
/// translated, NAT64, 6to4, Teredo) is refused as a whole, whatever it
/// carries: none of them names a host on the public internet that its plain
/// IPv4 address does not name better. ISATAP (RFC 5214) hides an IPv4 address
/// in any prefix at all, so there the carried address is judged.
pub(super) fn refuses_v6(ip: Ipv6Addr) -> Option<&'static str> {
    if let Some(rule) = refuses_v6_network(ip, 128) {
        return Some(rule);
    }
    let carried = isatap(ip)?;
    refuses_v4(carried).map(|_| "ipv6.isatap")
}

/// The rule that refuses every address of `network`/`prefix`.
pub(super) fn refuses_v6_network(network: Ipv6Addr, prefix: u8) -> Option<&'static str> {
    let bits = network.to_bits();
    let inside = |block: &&Block<u128>| {
        block.prefix <= prefix && (bits ^ block.network) >> (128 - block.prefix) == 0
    };
    if inside(&&GLOBAL_UNICAST) {
        return REFUSED_V6.iter().find(inside).map(|block| block.rule);
    }
    match NAMED_V6.iter().find(inside) {
        Some(block) => Some(block.rule),
        // A prefix shorter than /3 may still contain public space.
        None if prefix < GLOBAL_UNICAST.prefix => None,
        None => Some(GLOBAL_UNICAST.rule),
    }
}

/// The IPv4 address in an ISATAP interface identifier, `[02]00:5efe:a.b.c.d`.
fn isatap(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = ip.to_bits();
    let marker = (bits >> 32) as u32;
    (marker & !0x0200_0000 == 0x0000_5efe).then(|| Ipv4Addr::from_bits(bits as u32))
}

/// Names that are refused with all that lies under them, as a target and as a
/// question to a public resolver: they are not in the public DNS, and asking
/// for them tells the resolver what is used inside (RFC 6761). Canonical
/// ASCII, no trailing dot.
#[rustfmt::skip]
const REFUSED_NAMES: &[(&str, &str)] = &[
    // Special use. example.com, .net and .org are in the registry too, but are
    // real hosts on the public internet.
    ("alt", "name.special_use"),          // RFC 9476
    ("example", "name.special_use"),
    ("invalid", "name.special_use"),
    ("local", "name.special_use"),        // RFC 6762
    ("localhost", "name.special_use"),
    ("onion", "name.special_use"),        // RFC 7686
    ("test", "name.special_use"),
    ("internal", "name.special_use"),     // ICANN, for private use
    // Never delegated and in use inside (RFC 6762 appendix G, ICANN's name
    // collision list, container platforms).
    ("corp", "name.never_delegated"),
    ("home", "name.never_delegated"),
    ("intranet", "name.never_delegated"),
    ("lan", "name.never_delegated"),
    ("localdomain", "name.never_delegated"),
    ("mail", "name.never_delegated"),
    ("private", "name.never_delegated"),
    ("svc", "name.never_delegated"),
    // Instance metadata.
    ("instance-data", "name.cloud_metadata"),
    ("metadata", "name.cloud_metadata"),
    ("metadata.goog", "name.cloud_metadata"),
    ("metadata.packet.net", "name.cloud_metadata"),
    ("metadata.platformequinix.com", "name.cloud_metadata"),
    ("metadata.tencentyun.com", "name.cloud_metadata"),
    ("rancher-metadata", "name.cloud_metadata"),
];

/// Refused as a target only: a resolver may well be asked about them.
#[rustfmt::skip]
const REFUSED_TARGETS: &[(&str, &str)] = &[
    // Infrastructure; reverse lookups live here.
    ("arpa", "name.special_use"),
    // Names that answer with whatever address stands in the question, or with
    // loopback. A courtesy: anyone may run such a zone, and only the judgement
    // of the answers covers that.
    ("1u.ms", "name.wildcard_dns"),
    ("bugbounty.dod.network", "name.wildcard_dns"),
    ("lacolhost.com", "name.wildcard_dns"),
    ("local.gd", "name.wildcard_dns"),
    ("localdomain.pw", "name.wildcard_dns"),
    ("localtest.me", "name.wildcard_dns"),
    ("lvh.me", "name.wildcard_dns"),
    ("nip.io", "name.wildcard_dns"),
    ("rbndr.us", "name.wildcard_dns"),
    ("rebind.network", "name.wildcard_dns"),
    ("sslip.io", "name.wildcard_dns"),
    ("traefik.me", "name.wildcard_dns"),
    ("vcap.me", "name.wildcard_dns"),
    ("xip.io", "name.wildcard_dns"),
];

/// Refused as a question only, because [`REFUSED_TARGETS`] has all of `arpa`.
const REFUSED_QUESTIONS: &[(&str, &str)] = &[
    ("home.arpa", "name.special_use"), // RFC 8375
];

/// The rule that refuses `name` as a target.
pub(super) fn refuses_target(name: &str) -> Option<&'static str> {
    find(REFUSED_NAMES, name).or_else(|| find(REFUSED_TARGETS, name))
}

/// The rule that refuses `name` in a question to a public resolver.
pub(super) fn refuses_question(name: &str) -> Option<&'static str> {
    find(REFUSED_NAMES, name).or_else(|| find(REFUSED_QUESTIONS, name))
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(suffix, _)| is_under(name, suffix))
        .map(|(_, rule)| *rule)
}

/// Whether `name` is `suffix` or lies under it, label by label. Both are
/// canonical.
pub(super) fn is_under(name: &str, suffix: &str) -> bool {
    match name.strip_suffix(suffix) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    }
}
