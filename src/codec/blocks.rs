//! The IANA special-purpose address registries (RFC 6890), as they describe
//! blocks. What may be touched is the guard's table and decision, not this.
//!
//! Registry dates: IPv4 and IPv6 special-purpose 2025-10-09.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Serialize;

/// One registered block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// In prefix notation.
    pub network: &'static str,
    /// What it is for.
    pub name: &'static str,
    /// The document that set it apart.
    pub reference: &'static str,
    /// Whether the registry calls it reachable from the internet.
    pub globally_reachable: bool,
}

/// The most specific block that holds `ip`.
pub(crate) fn of(ip: IpAddr) -> Option<&'static Block> {
    let holding = BLOCKS.iter().filter_map(|block| {
        let network: IpNet = block.network.parse().ok()?;
        network
            .contains(&ip)
            .then_some((network.prefix_len(), block))
    });
    holding
        .max_by_key(|(prefix, _)| *prefix)
        .map(|(_, block)| block)
}

/// The blocks that share an address with `network`.
pub(crate) fn overlapping(network: &IpNet) -> Vec<&'static Block> {
    let shares = |block: &&Block| {
        let other = block.network.parse::<IpNet>();
        other.is_ok_and(|other| other.contains(network) || network.contains(&other))
    };
    BLOCKS.iter().filter(shares).collect()
}

const fn block(
    network: &'static str,
    name: &'static str,
    reference: &'static str,
    globally_reachable: bool,
) -> Block {
    Block {
        network,
        name,
        reference,
        globally_reachable,
    }
}

#[rustfmt::skip]
const BLOCKS: &[Block] = &[
    block("0.0.0.0/8", "this network", "RFC 791 section 3.2", false),
    block("10.0.0.0/8", "private use", "RFC 1918", false),
    block("100.64.0.0/10", "shared address space", "RFC 6598", false),
    block("127.0.0.0/8", "loopback", "RFC 1122 section 3.2.1.3", false),
    block("169.254.0.0/16", "link local", "RFC 3927", false),
    block("172.16.0.0/12", "private use", "RFC 1918", false),
    block("192.0.0.0/24", "IETF protocol assignments", "RFC 6890 section 2.1", false),
    block("192.0.0.0/29", "IPv4 service continuity prefix", "RFC 7335", false),
    block("192.0.0.8/32", "IPv4 dummy address", "RFC 7600", false),
    block("192.0.0.9/32", "Port Control Protocol anycast", "RFC 7723", true),
    block("192.0.0.10/32", "TURN anycast", "RFC 8155", true),
    block("192.0.0.170/32", "NAT64/DNS64 discovery", "RFC 8880", false),
    block("192.0.0.171/32", "NAT64/DNS64 discovery", "RFC 8880", false),
    block("192.0.2.0/24", "documentation (TEST-NET-1)", "RFC 5737", false),
    block("192.31.196.0/24", "AS112-v4", "RFC 7535", true),
    block("192.52.193.0/24", "AMT", "RFC 7450", true),
    block("192.88.99.0/24", "deprecated 6to4 relay anycast", "RFC 7526", false),
    block("192.168.0.0/16", "private use", "RFC 1918", false),
    block("192.175.48.0/24", "direct delegation AS112 service", "RFC 7534", true),
    block("198.18.0.0/15", "benchmarking", "RFC 2544", false),
    block("198.51.100.0/24", "documentation (TEST-NET-2)", "RFC 5737", false),
    block("203.0.113.0/24", "documentation (TEST-NET-3)", "RFC 5737", false),
    block("224.0.0.0/4", "multicast", "RFC 5771", false),
    block("240.0.0.0/4", "reserved", "RFC 1112 section 4", false),
    block("255.255.255.255/32", "limited broadcast", "RFC 8190", false),
    block("::/128", "unspecified address", "RFC 4291", false),
    block("::1/128", "loopback address", "RFC 4291", false),
    block("::ffff:0:0/96", "IPv4-mapped address", "RFC 4291", false),
    block("64:ff9b::/96", "IPv4-IPv6 translation (NAT64)", "RFC 6052", true),
    block("64:ff9b:1::/48", "IPv4-IPv6 translation, local use", "RFC 8215", false),
    block("100::/64", "discard-only", "RFC 6666", false),
    block("100:0:0:1::/64", "dummy prefix", "RFC 9780", false),
    block("2001::/23", "IETF protocol assignments", "RFC 2928", false),
    block("2001::/32", "Teredo", "RFC 4380", false),
    block("2001:1::1/128", "Port Control Protocol anycast", "RFC 7723", true),
    block("2001:1::2/128", "TURN anycast", "RFC 8155", true),
    block("2001:1::3/128", "DNS-SD SRP anycast", "RFC 9665", true),
    block("2001:2::/48", "benchmarking", "RFC 5180", false),
    block("2001:3::/32", "AMT", "RFC 7450", true),
    block("2001:4:112::/48", "AS112-v6", "RFC 7535", true),
    block("2001:10::/28", "deprecated ORCHID", "RFC 4843", false),
    block("2001:20::/28", "ORCHIDv2", "RFC 7343", true),
    block("2001:30::/28", "drone remote ID", "RFC 9374", true),
    block("2001:db8::/32", "documentation", "RFC 3849", false),
    block("2002::/16", "6to4", "RFC 3056", false),
    block("2620:4f:8000::/48", "direct delegation AS112 service", "RFC 7534", true),
    block("3fff::/20", "documentation", "RFC 9637", false),
    block("5f00::/16", "segment routing SIDs", "RFC 9602", false),
    block("fc00::/7", "unique local", "RFC 4193", false),
    block("fe80::/10", "link local", "RFC 4291", false),
    block("fec0::/10", "deprecated site local", "RFC 3879", false),
    block("ff00::/8", "multicast", "RFC 4291", false),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_a_network_without_host_bits() {
        for block in BLOCKS {
            let network: IpNet = block.network.parse().expect(block.network);
            assert_eq!(network, network.trunc(), "{}", block.network);
        }
    }

    #[test]
    fn the_most_specific_block_speaks() {
        let name = |ip: &str| of(ip.parse().unwrap()).map(|block| block.name);
        assert_eq!(name("192.0.0.9"), Some("Port Control Protocol anycast"));
        assert_eq!(name("2001:db8::1"), Some("documentation"));
        assert_eq!(name("8.8.8.8"), None);
    }
}
