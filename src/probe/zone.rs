//! The zone that holds the host, and the servers that serve it.
//!
//! The apex is measured, not guessed from a list of suffixes: a zone's SOA
//! comes with the negative answer for a name below it (RFC 2308 section 2).

use std::net::IpAddr;
use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{join_all, join4};

use super::riders::{Rider, Riders};

use super::dns::{Exchange, Record, Resolver, Rtype, Status};
use super::net::Net;
use super::rdata::Data;
use super::transfer::{self, Transfer};
use crate::guard::Guard;

/// Name servers that are looked at.
const SERVER_LIMIT: usize = 3;

/// Name servers that are spoken to, and asked for their IPv6 address.
const TRANSFER_LIMIT: usize = 2;

/// Names asked for CAA; the zone's own server takes them all at once.
const CLIMB_LIMIT: usize = 8;

/// Names asked for the zone above an alias: a wildcard makes aliases of names
/// below each other.
const ALIAS_LIMIT: usize = 4;

/// A zone and what was asked about it.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name.
    pub apex: String,
    /// Its SOA.
    pub soa: Rc<Exchange>,
    /// Its name servers as it names them itself.
    pub ns: Rc<Exchange>,
    /// The first few of them.
    pub servers: Vec<Server>,
    /// The parent's DS.
    pub ds: Rc<Exchange>,
    /// Its keys; asked only where something is signed.
    pub dnskey: Option<Rc<Exchange>>,
    /// A name that nobody has, below the apex.
    pub wildcard: Rc<Exchange>,
}

impl Zone {
    /// Whether the name that nobody has is denied by a proof that was made for
    /// it and names no other (RFC 9824 section 3.1, RFC 4470 section 3).
    pub fn denies_alone(&self) -> bool {
        let made = |record: &Record| matches!(&record.data, Data::Nsec { next, .. } if next.starts_with("\\000"));
        self.wildcard.authority.iter().any(made)
    }

    /// Whether that name is there all the same, for all that was answered: by
    /// a record of some type, or by an alias.
    pub fn has_everything(&self) -> bool {
        let wildcard = &self.wildcard;
        // A compact proof stands at the very name that it denies.
        let denied = |record: &Record| record.rtype == Rtype::NSEC && record.name == wildcard.name;
        match wildcard.status {
            Status::Answer => true,
            Status::NoData => !wildcard.authority.iter().any(denied),
            Status::NxDomain => wildcard.aliases().next().is_some(),
            _ => false,
        }
    }
}

/// One name server.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its IPv4 addresses.
    pub v4: Rc<Exchange>,
    /// Its IPv6 addresses, where they were asked for.
    pub v6: Option<Rc<Exchange>>,
    /// What it said when asked about the zone directly, where it was.
    pub direct: Option<Transfer>,
}

/// The name of the zone that holds `host`; `None` when nobody could say.
pub async fn apex(resolver: &Resolver, host: &str) -> Option<String> {
    let mut exchange = resolver.ask_first(host, Rtype::NS).await;
    let is_alias = |exchange: &Exchange| exchange.aliases().next().is_some();
    if exchange.status == Status::Answer && !is_alias(&exchange) {
        return Some(host.to_owned());
    }
    // An alias leads to another zone's authority; then the names above are
    // asked, up to one that is none. An apex never is.
    let mut name = host;
    for _ in 0..ALIAS_LIMIT {
        if !is_alias(&exchange) {
            break;
        }
        (_, name) = name.split_once('.')?;
        exchange = resolver.ask_first(name, Rtype::SOA).await;
    }
    authority(&exchange, host)
}

/// The owner of the SOA in an answer or its authority section, if it is the
/// host or above it: anything else is no answer to this question.
fn authority(exchange: &Exchange, host: &str) -> Option<String> {
    let is_soa = |record: &&Record| matches!(record.data, Data::Soa { .. });
    let mut records = exchange.records.iter().chain(&exchange.authority);
    let apex = records.find(is_soa).map(|record| record.name.clone())?;
    is_within(host, &apex).then_some(apex)
}

/// Whether a name is `apex` or below it.
pub fn is_within(name: &str, apex: &str) -> bool {
    name.strip_suffix(apex)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// What a zone is probed with.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The way out.
    pub net: &'a Net,
    /// The call's resolver.
    pub resolver: &'a Resolver,
    /// The judge.
    pub guard: &'a Guard,
    /// What one of the servers is asked besides.
    pub riders: &'a Riders,
}

/// A name below `apex` that nobody has.
fn nobody(apex: &str, nonce: &str) -> String {
    format!("netrecon-{nonce}.{apex}")
}

/// What a zone's own server may be asked about the zone and `host` in it.
pub fn riders(host: &str, apex: &str, nonce: &str) -> Vec<Rider> {
    let climb = up_to(host, apex).map(|name| Rider::new(name, Rtype::CAA));
    [
        Rider::new(apex, Rtype::DNSKEY),
        Rider::new(nobody(apex, nonce), Rtype::A),
        Rider::new(host, Rtype::HTTPS),
    ]
    .into_iter()
    .chain(climb.take(CLIMB_LIMIT))
    .collect()
}

/// The host and what is above it, as far as the zone goes.
pub fn up_to<'a>(host: &'a str, apex: &str) -> impl Iterator<Item = &'a str> {
    let labels = apex.split('.').count();
    std::iter::successors(Some(host), |name| {
        name.split_once('.').map(|(_, parent)| parent)
    })
    .take_while(move |name| name.split('.').count() >= labels)
}

/// Asks everything about a zone. `direct` says, once it is known, whether its
/// servers may be spoken to.
pub async fn probe(
    place: Place<'_>,
    apex: &str,
    nonce: &str,
    direct: impl Future<Output = bool>,
) -> Zone {
    let resolver = place.resolver;
    let direct = direct.shared();
    let soa = async {
        place.riders.settled().await;
        resolver.ask(apex, Rtype::SOA).await
    };
    let servers = async {
        let ns = resolver.ask_first(apex, Rtype::NS).await;
        let names: Vec<String> = ns.targets().take(SERVER_LIMIT).map(str::to_owned).collect();
        place.riders.expect(names.len().min(TRANSFER_LIMIT));
        let servers = join_all(names.iter().enumerate().map(|(at, name)| {
            let direct = direct.clone();
            async move { server(place, apex, name, at, direct).await }
        }))
        .await;
        (ns, servers)
    };
    let keys = async {
        let ds = resolver.ask(apex, Rtype::DS).await;
        place.riders.settled().await;
        let signed = ds.status == Status::Answer
            || !resolver.ask(apex, Rtype::SOA).await.signatures.is_empty();
        let dnskey = match signed {
            true => Some(resolver.ask(apex, Rtype::DNSKEY).await),
            false => None,
        };
        (ds, dnskey)
    };
    let wildcard = async {
        place.riders.settled().await;
        resolver.ask(&nobody(apex, nonce), Rtype::A).await
    };
    let (soa, (ns, servers), (ds, dnskey), wildcard) = join4(soa, servers, keys, wildcard).await;
    Zone {
        apex: apex.to_owned(),
        soa,
        ns,
        servers,
        ds,
        dnskey,
        wildcard,
    }
}

/// The first address of each of the first `count` servers that have one.
pub async fn addresses(resolver: &Resolver, apex: &str, count: usize) -> Vec<IpAddr> {
    let ns = resolver.ask_first(apex, Rtype::NS).await;
    let names = ns.targets().take(count);
    let asked = join_all(names.map(|name| resolver.ask_first(name, Rtype::A))).await;
    asked
        .iter()
        .filter_map(|v4| v4.addresses().next())
        .collect()
}

async fn server(
    place: Place<'_>,
    apex: &str,
    name: &str,
    at: usize,
    direct: impl Future<Output = bool>,
) -> Server {
    if at >= TRANSFER_LIMIT {
        let v4 = place.resolver.ask_extra(name, Rtype::A).await;
        let v6 = match v4.leads_nowhere() {
            true => Some(place.resolver.ask_extra(name, Rtype::AAAA).await),
            false => None,
        };
        return Server {
            name: name.to_owned(),
            v4,
            v6,
            direct: None,
        };
    }
    let v4 = place.resolver.ask_first(name, Rtype::A).await;
    let said = match direct.await {
        true => {
            let server = (name, &*v4);
            Some(transfer::probe(place.net, place.guard, apex, server, place.riders).await)
        }
        false => None,
    };
    place.riders.leave();
    Server {
        name: name.to_owned(),
        v4,
        // It was asked itself, if it was asked anything.
        v6: Some(place.resolver.ask(name, Rtype::AAAA).await),
        direct: said,
    }
}

/// CAA from the host up (RFC 8659 section 3): the first name that has records
/// decides. The last exchange is the one that did, or that ended the climb.
pub async fn caa(resolver: &Resolver, host: &str) -> Vec<Rc<Exchange>> {
    let mut climb = Vec::new();
    let mut name = host;
    loop {
        let exchange = resolver.ask(name, Rtype::CAA).await;
        let goes_on = matches!(exchange.status, Status::NoData | Status::NxDomain);
        climb.push(exchange);
        match name.split_once('.') {
            Some((_, parent)) if goes_on && parent.contains('.') && climb.len() < CLIMB_LIMIT => {
                name = parent
            }
            _ => return climb,
        }
    }
}
