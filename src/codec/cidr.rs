//! Address blocks in prefix notation (RFC 4632, RFC 4291 section 2.3).

use std::net::{IpAddr, Ipv4Addr};

use ipnet::IpNet;
use serde::Serialize;

use super::Kind;
use super::blocks::{self, Block};
use super::format::{Format, NotThis, Reading, Scribe, rules};

/// What there is to know about the kind `cidr`.
pub const FORMAT: Format = Format {
    kind: Kind::Cidr,
    title: "address block",
    reference: "RFC 4632",
    example: "192.0.2.77/24",
    fields: &[
        ("version", "4 or 6"),
        ("network", "the block without host bits"),
        ("prefixLength", "bits of the network"),
        ("netmask", "IPv4 only"),
        ("first", "lowest address"),
        ("last", "highest address"),
        ("addresses", "how many, in decimal digits"),
        (
            "specialBlocks",
            "special-purpose blocks that share addresses with it",
        ),
    ],
    rules: RULES,
    sniff: |text| if read(text.trim()).is_some() { 97 } else { 0 },
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cidr {
    version: u8,
    network: String,
    prefix_length: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    netmask: Option<Ipv4Addr>,
    first: IpAddr,
    last: IpAddr,
    addresses: String,
    special_blocks: Vec<&'static Block>,
}

/// Reads one block.
pub fn parse(text: &str) -> Result<Reading<Cidr>, NotThis> {
    let bare = text.trim();
    let (given, length, by_mask) = read(bare).ok_or(NotThis(
        "send an address and a prefix length, such as 192.0.2.0/24 or 2001:db8::/32.",
    ))?;
    let mut scribe = Scribe::new(text);
    let network = given.trunc();
    let address = bare.split('/').next().unwrap_or(bare);
    if network.addr() != given.addr() {
        scribe.flag(
            HOST_BITS,
            address,
            format!("Host bits are set; the block is {network}. Some parsers refuse this."),
        );
    }
    if by_mask {
        scribe.flag(
            NETMASK,
            length,
            format!(
                "A netmask instead of a prefix length; {} is meant.",
                network.prefix_len()
            ),
        );
    } else if length.len() > 1 && length.starts_with('0') {
        scribe.flag(
            LEADING_ZERO,
            length,
            "A prefix length has no leading zeros.",
        );
    }
    if network.prefix_len() == 0 {
        scribe.flag(EVERYTHING, bare, "This is every address there is.");
    }
    let special = blocks::overlapping(&network);
    if let Some(around) = special.iter().find(|block| {
        block
            .network
            .parse::<IpNet>()
            .is_ok_and(|block| block.contains(&network))
    }) {
        scribe.flag(
            SPECIAL,
            bare,
            format!(
                "Lies in {}, {} ({}).",
                around.network, around.name, around.reference
            ),
        );
    }
    let bits = network.max_prefix_len() - network.prefix_len();
    let value = Cidr {
        version: if network.addr().is_ipv4() { 4 } else { 6 },
        network: network.to_string(),
        prefix_length: network.prefix_len(),
        netmask: match network {
            IpNet::V4(network) => Some(network.netmask()),
            IpNet::V6(_) => None,
        },
        first: network.network(),
        last: network.broadcast(),
        addresses: 1u128
            .checked_shl(u32::from(bits))
            .map_or_else(|| TWO_TO_128.to_owned(), |count| count.to_string()),
        special_blocks: special,
    };
    Ok(Reading::new(value, scribe))
}

/// The block with its host bits, the length as written, and whether that is
/// a netmask.
fn read(text: &str) -> Option<(IpNet, &str, bool)> {
    let (address, length) = text.split_once('/')?;
    let address: IpAddr = address.parse().ok()?;
    if let (IpAddr::V4(_), Ok(mask)) = (address, length.parse::<Ipv4Addr>()) {
        let prefix = ipnet::ip_mask_to_prefix(IpAddr::V4(mask)).ok()?;
        return Some((IpNet::new(address, prefix).ok()?, length, true));
    }
    let is_number = (1..=3).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
    let prefix = length.parse().ok().filter(|_| is_number)?;
    Some((IpNet::new(address, prefix).ok()?, length, false))
}

const TWO_TO_128: &str = "340282366920938463463374607431768211456";

rules! {
    HOST_BITS = "cidr.host_bits", Medium, "RFC 4632 section 3.1",
        "Bits beyond the prefix are set.";
    NETMASK = "cidr.netmask", Low, "RFC 4632 section 3.1",
        "A netmask is given instead of a prefix length.";
    LEADING_ZERO = "cidr.leading_zero", Low, "RFC 4632 section 3.1",
        "The prefix length has a leading zero.";
    EVERYTHING = "cidr.everything", Medium, "RFC 4632 section 5.1",
        "The block holds every address.";
    SPECIAL = "cidr.special_purpose", Info, "RFC 6890 section 2.2",
        "The block lies in a special-purpose block.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_measured() {
        let cidr = parse("10.1.2.3/30").unwrap();
        assert!(cidr.has("cidr.host_bits") && cidr.has("cidr.special_purpose"));
        assert_eq!(
            (cidr.value.network.as_str(), cidr.value.addresses.as_str()),
            ("10.1.2.0/30", "4")
        );
        assert_eq!(parse("::/0").unwrap().value.addresses, TWO_TO_128);
        assert_eq!(parse("0.0.0.0/0").unwrap().value.addresses, "4294967296");
        assert_eq!(
            parse("192.0.2.0/255.255.255.0")
                .unwrap()
                .value
                .prefix_length,
            24
        );
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for text in [
            "10.0.0.0",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/+8",
            "10.0.0.0/",
            "10.0.0.0/255.0.255.0",
            "a/8",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
