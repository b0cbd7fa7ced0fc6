//! The zone that holds the host, and the servers that serve it.
//!
//! The apex is measured, not guessed from a list of suffixes: a zone's SOA
//! comes with the negative answer for a name below it (RFC 2308 section 2).

use std::rc::Rc;

use futures_util::FutureExt;
use futures_util::future::{join, join_all, join4};

use super::dns::{Exchange, Resolver, Rtype, Status};
use super::net::Net;
use super::rdata::Data;
use super::transfer::{self, Rider, Transfer};
use crate::guard::Guard;

/// Name servers that are looked at.
const SERVER_LIMIT: usize = 3;

/// Name servers that are asked for their IPv6 address.
const V6_LIMIT: usize = 2;

/// Name servers that are spoken to.
const TRANSFER_LIMIT: usize = 2;

/// Labels climbed for CAA.
const CLIMB_LIMIT: usize = 3;

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
    /// Which autonomous systems announce the servers that were looked at, by
    /// server; empty when nobody was asked.
    pub systems: Vec<Result<u32, String>>,
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
    let ns = resolver.ask(host, Rtype::NS).await;
    if ns.status == Status::Answer && ns.aliases().next().is_none() {
        return Some(host.to_owned());
    }
    // An alias leads to another zone's authority; then the parent is asked,
    // where no alias can stand (RFC 1034 section 3.6.2).
    if ns.aliases().next().is_some() {
        let (_, parent) = host.split_once('.')?;
        let soa = resolver.ask(parent, Rtype::SOA).await;
        return authority(&soa, host);
    }
    authority(&ns, host)
}

/// The owner of the SOA in an answer or its authority section, if it is the
/// host or above it: anything else is no answer to this question.
fn authority(exchange: &Exchange, host: &str) -> Option<String> {
    let is_soa = |record: &&super::dns::Record| matches!(record.data, Data::Soa { .. });
    let mut records = exchange.records.iter().chain(&exchange.authority);
    let apex = records.find(is_soa).map(|record| record.name.clone())?;
    let above = host
        .strip_suffix(apex.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    above.then_some(apex)
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
    /// What the first server is asked besides.
    pub riders: &'a [Rider],
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
    let soa = resolver.ask(apex, Rtype::SOA);
    let servers = async {
        let ns = resolver.ask(apex, Rtype::NS).await;
        let names: Vec<String> = ns.targets().take(SERVER_LIMIT).map(str::to_owned).collect();
        let servers = join_all(names.iter().enumerate().map(|(at, name)| {
            let direct = direct.clone();
            async move { server(place, apex, name, at, direct).await }
        }))
        .await;
        (ns, servers)
    };
    let keys = async {
        let ds = resolver.ask(apex, Rtype::DS).await;
        let signed = ds.status == Status::Answer
            || !resolver.ask(apex, Rtype::SOA).await.signatures.is_empty();
        let dnskey = match signed {
            true => Some(resolver.ask(apex, Rtype::DNSKEY).await),
            false => None,
        };
        (ds, dnskey)
    };
    let nobody = format!("netrecon-{nonce}.{apex}");
    let wildcard = resolver.ask(&nobody, Rtype::A);
    let (soa, (ns, servers), (ds, dnskey), wildcard) = join4(soa, servers, keys, wildcard).await;
    Zone {
        apex: apex.to_owned(),
        soa,
        ns,
        servers,
        ds,
        dnskey,
        wildcard,
        systems: Vec::new(),
    }
}

async fn server(
    place: Place<'_>,
    apex: &str,
    name: &str,
    at: usize,
    direct: impl Future<Output = bool>,
) -> Server {
    let v6 = async {
        match at < V6_LIMIT {
            true => Some(place.resolver.ask(name, Rtype::AAAA).await),
            false => None,
        }
    };
    let direct = async {
        let v4 = place.resolver.ask(name, Rtype::A).await;
        let riders = if at == 0 { place.riders } else { &[] };
        let said = match at < TRANSFER_LIMIT && direct.await {
            true => {
                let server = (name, &*v4);
                Some(transfer::probe(place.net, place.guard, apex, server, riders).await)
            }
            false => None,
        };
        (v4, said)
    };
    let ((v4, direct), v6) = join(direct, v6).await;
    Server {
        name: name.to_owned(),
        v4,
        v6,
        direct,
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
