//! From a judged URL to judged addresses: both families are asked, every
//! answer and alias is judged, and only then may anything connect.

use std::net::IpAddr;
use std::rc::Rc;

use futures_util::future::join;

use super::cloudflare;
use super::dns::{Exchange, Resolver, Rtype};
use crate::guard::{Guard, PublicAddr, PublicUrl, Refusal};

/// Where a URL's host may be reached.
#[derive(Clone, Debug)]
pub enum Resolution {
    /// At these addresses, IPv4 first.
    Judged(Vec<PublicAddr>),
    /// Nowhere that may be touched.
    Refused(Refusal),
    /// Nobody could say; the clause tells why.
    Unknown(String),
    /// Nowhere: it is an alias of a name that is not there (any more).
    Dangling(String),
}

impl Resolution {
    /// The address to connect to.
    pub fn first(&self) -> Option<&PublicAddr> {
        match self {
            Resolution::Judged(addresses) => addresses.first(),
            _ => None,
        }
    }
}

/// Asks for both families and judges what comes back. A literal address asks
/// nothing.
pub async fn resolve(resolver: &Resolver, guard: &Guard, url: &PublicUrl) -> Resolution {
    if let Some(ip) = url.ip() {
        return match guard.judge_address(ip, url.port()) {
            Ok(address) => Resolution::Judged(vec![address]),
            Err(refusal) => Resolution::Refused(refusal),
        };
    }
    let host = url.host();
    let (v4, v6) = join(
        resolver.ask_first(host, Rtype::A),
        resolver.ask_first(host, Rtype::AAAA),
    )
    .await;
    judge(guard, url, &v4, &v6)
}

fn judge(guard: &Guard, url: &PublicUrl, v4: &Rc<Exchange>, v6: &Rc<Exchange>) -> Resolution {
    let addresses: Vec<IpAddr> = v4.addresses().chain(v6.addresses()).collect();
    let mut aliases: Vec<String> = v4
        .aliases()
        .chain(v6.aliases())
        .map(str::to_owned)
        .collect();
    aliases.sort_unstable();
    aliases.dedup();
    // A name that leads inside is refused, whether or not anybody could say
    // what is there.
    let outside = guard.judge_aliases(&aliases).is_ok();
    if outside
        && addresses.is_empty()
        && let Some(unsure) = [v4, v6]
            .into_iter()
            .find(|exchange| !exchange.is_conclusive())
    {
        return Resolution::Unknown(unsure.clause());
    }
    if outside
        && addresses.is_empty()
        && let Some(end) = v4.aliases().last()
    {
        return Resolution::Dangling(end.to_owned());
    }
    match guard.judge_answers(url, &addresses, &aliases) {
        Ok(judged) => Resolution::Judged(judged),
        Err(refusal) => Resolution::Refused(refusal),
    }
}

/// Whether the platform refuses sockets to this address.
pub fn refuses_sockets(address: &PublicAddr) -> bool {
    cloudflare::owns(address.ip())
}
