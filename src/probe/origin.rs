//! Behind an address: the name it leads back to, and the autonomous system
//! that announces it, asked over DNS at Team Cymru's mapping service.

use std::net::IpAddr;
use std::rc::Rc;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::Serialize;

use super::dns::{Exchange, Resolver, Rtype};
use crate::guard::text::clean;

/// The zones that hold the mapping; the report names them as third party.
pub const SERVICE: &str = "cymru.com";

/// Names of an address that are followed.
const NAME_LIMIT: usize = 3;

/// Where an address is announced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Origin {
    /// The address.
    pub ip: String,
    /// The autonomous system's number; 0 when it is not announced.
    pub asn: u32,
    /// Its name and country, e.g. `EXAMPLE-AS, US`.
    pub holder: String,
    /// The announced prefix.
    pub prefix: String,
    /// The country the prefix is registered in.
    pub country: String,
    /// The registry that allocated it.
    pub registry: String,
}

/// The way back from an address.
#[derive(Clone, Debug)]
pub struct Reverse {
    /// Its PTR records.
    pub ptr: Rc<Exchange>,
    /// The addresses of a name they give: of one that leads back, else of one
    /// that may, else of the first.
    pub forward: Option<Rc<Exchange>>,
    /// Whether that name leads to the address again; `None` when nobody could
    /// say.
    pub confirmed: Option<bool>,
}

/// Asks for an address's names, and whether one of the first few leads back.
pub async fn reverse(resolver: &Resolver, ip: IpAddr) -> Reverse {
    let ptr = resolver.ask(&reverse_name(ip), Rtype::PTR).await;
    let mut reverse = Reverse {
        confirmed: ptr.is_conclusive().then_some(false),
        forward: None,
        ptr: Rc::clone(&ptr),
    };
    let rtype = if ip.is_ipv4() { Rtype::A } else { Rtype::AAAA };
    for name in ptr.targets().take(NAME_LIMIT) {
        let forward = resolver.ask_extra(name, rtype).await;
        let confirmed = forward
            .is_conclusive()
            .then(|| forward.addresses().any(|address| address == ip));
        if reverse.forward.is_none() || confirmed != Some(false) {
            reverse.forward = Some(forward);
            reverse.confirmed = confirmed;
        }
        if confirmed == Some(true) {
            break;
        }
    }
    reverse
}

/// Asks for the origins of some addresses, with their holders; the clause says
/// why one is missing.
pub async fn of(resolver: &Resolver, addresses: &[IpAddr]) -> Vec<Result<Origin, String>> {
    join_all(addresses.iter().map(|ip| async move {
        let mut origin = mapping(resolver, *ip).await?;
        name(resolver, &mut origin).await;
        Ok(origin)
    }))
    .await
}

/// The number alone, of some addresses; 0 when nobody announces one.
pub async fn numbers(resolver: &Resolver, addresses: &[IpAddr]) -> Vec<Result<u32, String>> {
    join_all(addresses.iter().map(|ip| async move {
        let mapping = resolver.ask_last(&question(*ip), Rtype::TXT).await;
        match narrowest(*ip, &mapping) {
            Some(origin) => Ok(origin.asn),
            None if mapping.is_conclusive() => Ok(0),
            None => Err(mapping.clause()),
        }
    }))
    .await
}

/// Asks for the origin of an address, without its holder.
pub async fn mapping(resolver: &Resolver, ip: IpAddr) -> Result<Origin, String> {
    let mapping = resolver.ask(&question(ip), Rtype::TXT).await;
    match narrowest(ip, &mapping) {
        Some(origin) => Ok(origin),
        None if mapping.is_conclusive() => Ok(unannounced(ip)),
        None => Err(mapping.clause()),
    }
}

/// Asks for the holder of an origin that is announced, if there is room.
pub async fn name(resolver: &Resolver, origin: &mut Origin) {
    if origin.asn != 0 {
        let system = format!("as{}.asn.cymru.com", origin.asn);
        origin.holder = holder(&*resolver.ask_last(&system, Rtype::TXT).await);
    }
}

fn unannounced(ip: IpAddr) -> Origin {
    Origin {
        ip: ip.to_string(),
        asn: 0,
        holder: String::new(),
        prefix: String::new(),
        country: String::new(),
        registry: String::new(),
    }
}

/// `215.14.184.93.origin.asn.cymru.com`, or by nibbles under `origin6`.
pub fn question(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(_) => format!("{}.origin.asn.cymru.com", reversed(ip)),
        IpAddr::V6(_) => format!("{}.origin6.asn.cymru.com", reversed(ip)),
    }
}

/// The labels of an address in reverse, as under `in-addr.arpa` and
/// `ip6.arpa` (RFC 1035 section 3.5, RFC 3596 section 2.5).
pub fn reversed(ip: IpAddr) -> String {
    let labels: Vec<String> = match ip {
        IpAddr::V4(v4) => v4.octets().iter().rev().map(u8::to_string).collect(),
        IpAddr::V6(v6) => v6
            .octets()
            .iter()
            .rev()
            .flat_map(|octet| [format!("{:x}", octet & 15), format!("{:x}", octet >> 4)])
            .collect(),
    };
    labels.join(".")
}

/// The name that PTR records of an address stand at.
pub fn reverse_name(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(_) => format!("{}.in-addr.arpa", reversed(ip)),
        IpAddr::V6(_) => format!("{}.ip6.arpa", reversed(ip)),
    }
}

/// Of several announcements the one that routers follow.
fn narrowest(ip: IpAddr, mapping: &Exchange) -> Option<Origin> {
    let length = |origin: &Origin| -> u8 {
        let length = origin.prefix.rsplit('/').next();
        length.and_then(|bits| bits.parse().ok()).unwrap_or(0)
    };
    let origins = mapping.texts().filter_map(|text| read(ip, text));
    origins.max_by_key(length)
}

/// `15133 | 93.184.215.0/24 | US | arin | 2008-06-02`; several systems are
/// separated by spaces, the first counts.
fn read(ip: IpAddr, text: &str) -> Option<Origin> {
    let mut parts = text.split('|').map(|part| clean(part, 64));
    let asn = parts.next()?.split(' ').next()?.parse().ok()?;
    let mut part = || parts.next().unwrap_or_default();
    Some(Origin {
        ip: ip.to_string(),
        asn,
        prefix: part(),
        country: part(),
        registry: part(),
        holder: String::new(),
    })
}

/// The last part of `15133 | US | arin | 2007-03-19 | EDGECAST, US`.
fn holder(system: &Exchange) -> String {
    let text = system.texts().next().unwrap_or_default();
    clean(text.rsplit('|').next().unwrap_or_default(), 120)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reversed_by_octet_and_by_nibble() {
        assert_eq!(
            reverse_name("93.184.215.14".parse().unwrap()),
            "14.215.184.93.in-addr.arpa"
        );
        let v6 = reverse_name("2001:db8::1".parse().unwrap());
        assert_eq!(v6, format!("1.{}8.b.d.0.1.0.0.2.ip6.arpa", "0.".repeat(23)));
    }

    #[test]
    fn a_mapping_is_read_and_nonsense_is_not() {
        let ip = "93.184.215.14".parse().unwrap();
        let origin = read(ip, "15133 14153 | 93.184.215.0/24 | US | arin | 2008-06-02").unwrap();
        assert_eq!(
            (origin.asn, origin.prefix.as_str()),
            (15133, "93.184.215.0/24")
        );
        assert_eq!(
            (origin.country.as_str(), origin.registry.as_str()),
            ("US", "arin")
        );
        assert_eq!(read(ip, "v=spf1 -all"), None);
    }
}
