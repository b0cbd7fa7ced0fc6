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
use super::transfer::Rider;

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

/// Looks up the servers of an MX set.
pub async fn servers(resolver: &Resolver, mx: &Exchange) -> Vec<Server> {
    let mut names: Vec<&str> = exchangers(mx).into_iter().map(|(_, name)| name).collect();
    names.retain(|name| *name != ".");
    names.truncate(SERVER_LIMIT);
    let signed = mx.is_authenticated();
    join_all(
        names
            .into_iter()
            .enumerate()
            .map(|(at, name)| server(resolver, name, at < DEEP_LIMIT, signed)),
    )
    .await
}

async fn server(resolver: &Resolver, name: &str, deep: bool, signed: bool) -> Server {
    let addresses = async {
        let v4 = resolver.ask(name, Rtype::A);
        let v6 = async {
            match deep {
                true => Some(resolver.ask_extra(name, Rtype::AAAA).await),
                false => None,
            }
        };
        join(v4, v6).await
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

/// The names below a domain that say how its mail is to be treated: asked on
/// the connection that a name server of the zone holds open anyway, where
/// they cost nothing.
pub fn riders(domain: &str) -> Vec<Rider> {
    let texts = [tls_rpt_name(domain), bimi_name(domain), sts::name(domain)]
        .into_iter()
        .chain(dkim::names(domain))
        .map(|name| Rider {
            name,
            rtype: Rtype::TXT,
        });
    texts
        .chain(std::iter::once(Rider {
            name: sts::host(domain),
            rtype: Rtype::A,
        }))
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

/// Answers that came from the zone's own server, by question; where it gave
/// none the resolver is asked.
pub struct Answers<'a> {
    resolver: &'a Resolver,
    given: &'a [Exchange],
}

impl<'a> Answers<'a> {
    /// Over what a name server answered.
    pub fn new(resolver: &'a Resolver, given: &'a [Exchange]) -> Answers<'a> {
        Answers { resolver, given }
    }

    /// Whether the zone's own server answered at all.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty()
    }

    /// The server's own answer. One that leads elsewhere by an alias is no
    /// answer yet.
    pub fn given(&self, name: &str, rtype: Rtype) -> Option<&'a Exchange> {
        self.given.iter().find(|exchange| {
            exchange.name == name
                && exchange.rtype == rtype
                && exchange.is_conclusive()
                && (exchange.status == Status::Answer || exchange.aliases().next().is_none())
        })
    }

    /// The server's own answer, else the resolver's, if the call's share of
    /// subrequests allows.
    pub async fn ask(&self, name: &str, rtype: Rtype) -> Rc<Exchange> {
        match self.given(name, rtype) {
            Some(exchange) => Rc::new(exchange.clone()),
            None => self.resolver.ask_extra(name, rtype).await,
        }
    }

    /// Whether the server answered with an alias whose end it does not know.
    pub fn leads_elsewhere(&self, name: &str) -> bool {
        self.given.iter().any(|exchange| {
            exchange.name == name
                && exchange.status != Status::Answer
                && exchange.aliases().next().is_some()
        })
    }

    /// The resolver behind.
    pub fn resolver(&self) -> &Resolver {
        self.resolver
    }
}
