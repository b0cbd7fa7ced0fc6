//! What a domain says about its mail: who takes it, who may send it, how it is
//! signed and how it travels. Only DNS is asked, and the one policy file of
//! MTA-STS; no mail server is spoken to (port 25 is closed to Workers).

pub mod dkim;
pub mod dmarc;
pub mod spf;
pub mod sts;

use std::rc::Rc;

use futures_util::future::{join, join_all};

use super::dns::{Exchange, Resolver, Rtype, Status};
use super::rdata::Data;
use super::riders::{Rider, Riders};
use super::zone;

/// Mail servers that are looked up.
const SERVER_LIMIT: usize = 3;

/// Of these, how many are asked for IPv6 and TLSA.
const DEEP_LIMIT: usize = 2;

/// Everything about one domain's mail. A member that is `None` was not
/// finished in time, or does not arise.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    /// The first few servers of the MX set.
    pub servers: Option<Vec<Server>>,
    /// SPF with everything it includes.
    pub spf: Option<spf::Walk>,
    /// DMARC from the domain up.
    pub dmarc: Option<dmarc::Found>,
    /// Keys under common selectors.
    pub dkim: Option<dkim::Keys>,
    /// MTA-STS: record and policy.
    pub sts: Option<sts::Sts>,
    /// TLS reporting.
    pub tls_rpt: Option<Rc<Exchange>>,
    /// The brand indicator.
    pub bimi: Option<Rc<Exchange>>,
}

/// One server of the MX set.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its IPv4 addresses.
    pub v4: Rc<Exchange>,
    /// Its IPv6 addresses, where they were asked for.
    pub v6: Option<Rc<Exchange>>,
    /// Its pinned keys; asked only where the MX set itself is validated (RFC
    /// 7672 section 2.2.1).
    pub tlsa: Option<Rc<Exchange>>,
}

/// The MX set as preference and name, most preferred first.
pub fn exchangers(mx: &Exchange) -> Vec<(u16, &str)> {
    let mut set: Vec<(u16, &str)> = mx
        .data()
        .filter_map(|data| match data {
            Data::Mx {
                preference,
                exchange,
            } => Some((*preference, exchange.as_str())),
            _ => None,
        })
        .collect();
    set.sort_unstable();
    set
}

/// Whether the domain says that it takes no mail (RFC 7505).
pub fn is_null(mx: &Exchange) -> bool {
    matches!(exchangers(mx).as_slice(), [(_, ".")])
}

/// Whether the domain names servers that take its mail.
pub fn takes_mail(mx: &Exchange) -> bool {
    mx.status == Status::Answer && !is_null(mx)
}

/// The names of an MX set that are looked up.
fn looked_up(mx: &Exchange) -> Vec<&str> {
    let mut names: Vec<&str> = exchangers(mx).into_iter().map(|(_, name)| name).collect();
    names.retain(|name| *name != ".");
    names.truncate(SERVER_LIMIT);
    names
}

/// Looks up the servers of an MX set; those in the zone `apex` once its riders
/// are `settled`.
pub async fn servers(
    resolver: &Resolver,
    mx: &Exchange,
    apex: Option<&str>,
    riders: &Riders,
) -> Vec<Server> {
    let signed = mx.is_authenticated();
    join_all(looked_up(mx).into_iter().enumerate().map(|(at, name)| {
        let ridden = apex.is_some_and(|apex| zone::is_within(name, apex));
        server(
            resolver,
            name,
            at < DEEP_LIMIT,
            signed,
            ridden.then_some(riders),
        )
    }))
    .await
}

async fn server(
    resolver: &Resolver,
    name: &str,
    deep: bool,
    signed: bool,
    riders: Option<&Riders>,
) -> Server {
    let addresses = async {
        if let Some(riders) = riders {
            riders.settled().await;
        }
        if deep {
            let v6 = resolver.ask(name, Rtype::AAAA);
            let (v4, v6) = join(resolver.ask(name, Rtype::A), v6).await;
            return (v4, Some(v6));
        }
        let v4 = resolver.ask(name, Rtype::A).await;
        let v6 = match v4.leads_nowhere() && v4.status != Status::NxDomain {
            true => Some(resolver.ask_extra(name, Rtype::AAAA).await),
            false => None,
        };
        (v4, v6)
    };
    let tlsa = async {
        match deep && signed {
            true => Some(
                resolver
                    .ask_extra(&format!("_25._tcp.{name}"), Rtype::TLSA)
                    .await,
            ),
            false => None,
        }
    };
    let ((v4, v6), tlsa) = join(addresses, tlsa).await;
    Server {
        name: name.to_owned(),
        v4,
        v6,
        tlsa,
    }
}

/// The names below a domain that say how its mail is to be treated, and the
/// policies above it in its zone.
pub fn riders(domain: &str, apex: &str) -> Vec<Rider> {
    let policies = zone::up_to(domain, apex).map(|name| format!("_dmarc.{name}"));
    [tls_rpt_name(domain), bimi_name(domain), sts::name(domain)]
        .into_iter()
        .chain(policies)
        .chain(dkim::names(domain))
        .map(|name| Rider::new(name, Rtype::TXT))
        .chain([Rider::new(sts::host(domain), Rtype::A)])
        .collect()
}

/// The addresses of those servers of an MX set that are in the zone.
pub fn server_riders(mx: &Exchange, apex: &str) -> Vec<Rider> {
    looked_up(mx)
        .into_iter()
        .filter(|name| zone::is_within(name, apex))
        .flat_map(|name| [Rtype::A, Rtype::AAAA].map(|rtype| Rider::new(name, rtype)))
        .collect()
}

/// Where TLS reporting stands (RFC 8460 section 3).
pub fn tls_rpt_name(domain: &str) -> String {
    format!("_smtp._tls.{domain}")
}

/// Where the default brand indicator stands.
pub fn bimi_name(domain: &str) -> String {
    format!("default._bimi.{domain}")
}
