//! Who is calling: the key that budgets are kept under.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

use crate::guard::text;

/// Longest `User-Agent` kept, in characters.
const AGENT_CAP: usize = 120;

/// The key of everybody whose address is not known.
const NOBODY: &str = "unknown";

/// A caller, as the platform vouches for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The budget key: an IPv4 address, an IPv6 /64, or one shared key for
    /// callers without a usable address.
    pub key: String,
    /// The address, IPv4-mapped IPv6 unmapped.
    pub ip: Option<IpAddr>,
    /// `User-Agent`, cleaned and capped.
    pub agent: String,
    /// Cloudflare's request id, `cf-ray`.
    pub ray: String,
}

impl Caller {
    /// Reads `cf-connecting-ip`, `user-agent` and `cf-ray` through `header`.
    /// No other header names a client: `x-forwarded-for` is the caller's text.
    pub fn identify<'a>(header: impl Fn(&str) -> Option<Cow<'a, str>>) -> Caller {
        let ip = header("cf-connecting-ip")
            .and_then(|text| text.trim().parse::<IpAddr>().ok())
            .map(|ip| ip.to_canonical());
        Caller {
            key: match ip {
                Some(IpAddr::V4(v4)) => v4.to_string(),
                Some(IpAddr::V6(v6)) => format!("{}/64", prefix(v6, 64)),
                None => NOBODY.to_owned(),
            },
            ip,
            agent: header("user-agent")
                .map(|agent| text::clean(&agent, AGENT_CAP))
                .unwrap_or_default(),
            ray: header("cf-ray")
                .map(|ray| text::clean(&ray, 40))
                .unwrap_or_default(),
        }
    }

    /// The data centre that the call came in at.
    pub fn colo(&self) -> &str {
        data_centre(&self.ray)
    }
}

/// The data centre, three letters that `cf-ray` ends in, or `local`.
pub fn data_centre(ray: &str) -> &str {
    match ray.rsplit_once('-') {
        Some((_, colo)) if colo.len() == 3 => colo,
        _ => "local",
    }
}

/// The first `bits` of `ip`, the rest zero.
pub(super) fn prefix(ip: Ipv6Addr, bits: u32) -> Ipv6Addr {
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    Ipv6Addr::from(u128::from(ip) & mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calling_from(ip: &str) -> Caller {
        Caller::identify(|name| (name == "cf-connecting-ip").then(|| ip.into()))
    }

    #[test]
    fn an_ipv4_caller_is_one_address() {
        assert_eq!(calling_from("198.51.100.7").key, "198.51.100.7");
    }

    #[test]
    fn a_mapped_address_is_the_ipv4_it_maps() {
        assert_eq!(
            calling_from("::ffff:198.51.100.7"),
            calling_from("198.51.100.7")
        );
        assert_eq!(calling_from("::ffff:c633:6407").key, "198.51.100.7");
    }

    #[test]
    fn an_ipv6_caller_is_its_64() {
        let key = "2001:db8:1:2::/64";
        assert_eq!(calling_from("2001:db8:1:2::1").key, key);
        assert_eq!(calling_from("2001:db8:1:2:ffff:ffff:ffff:ffff").key, key);
        assert_ne!(calling_from("2001:db8:1:3::1").key, key);
    }

    #[test]
    fn whoever_has_no_usable_address_shares_one_key() {
        let nobody = Caller::identify(|_| None).key;
        for text in ["", "x", "1.2.3", "198.51.100.7, 10.0.0.1"] {
            assert_eq!(calling_from(text).key, nobody);
        }
    }

    #[test]
    fn a_forwarded_header_names_nobody() {
        let caller = Caller::identify(|name| {
            (name == "x-forwarded-for").then_some(Cow::Borrowed("198.51.100.7"))
        });
        assert_eq!(caller.ip, None);
    }

    #[test]
    fn the_data_centre_is_the_end_of_the_ray() {
        let caller =
            Caller::identify(|name| (name == "cf-ray").then(|| "8f0c1d2e3f4a5b6c-FRA".into()));
        assert_eq!(caller.colo(), "FRA");
        for ray in ["", "8f0c1d2e3f4a5b6c", "8f0c1d2e3f4a5b6c-", "x-anywhere"] {
            assert_eq!(data_centre(ray), "local", "{ray}");
        }
    }
}
