//! `lookup`: single questions about a public name or address.

use std::net::IpAddr;
use std::rc::Rc;

use futures_util::future::{join, join_all, join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Errand, Log, Spec, World};
use crate::error::{Code, Error};
use crate::guard::{DnsName, LookupName};
use crate::probe::Failure;
use crate::probe::dns::{Exchange, Resolver, Rtype, Status};
use crate::probe::net::Net;
use crate::probe::origin::{self, Origin};
use crate::probe::registration::{self, Nothing, Registration};
use crate::probe::slots::Priority;
use crate::probe::zone;
use crate::report::ThirdParty;

/// The tool.
pub(super) struct Lookup;

/// Bytes of the answer as compact JSON, above which records are left out.
const LIMIT: usize = 24_000;

/// Addresses of a name whose origin is asked.
const ORIGIN_LIMIT: usize = 4;

/// What the caller sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Args {
    /// A name in the public DNS, or a public IP address.
    #[schemars(length(min = 1, max = 255), extend("examples" = ["example.com", "93.184.215.14"]))]
    name: String,
    /// What to ask for, 1 to 8 of them. RDAP is the registration, ASN the
    /// network that announces the address. By default A, AAAA, MX, NS and
    /// TXT of a name, and PTR, RDAP and ASN of an address.
    #[serde(default)]
    #[schemars(length(min = 1, max = 8), extend("uniqueItems" = true, "examples" = [["A", "AAAA", "MX"]]))]
    records: Vec<Kind>,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
enum Kind {
    A,
    Aaaa,
    Cname,
    Mx,
    Ns,
    Txt,
    Soa,
    Caa,
    Srv,
    Https,
    Svcb,
    Tlsa,
    Ds,
    Dnskey,
    Naptr,
    Ptr,
    Rdap,
    Asn,
}

impl Kind {
    const OF_A_NAME: [Kind; 5] = [Kind::A, Kind::Aaaa, Kind::Mx, Kind::Ns, Kind::Txt];
    const OF_AN_ADDRESS: [Kind; 3] = [Kind::Ptr, Kind::Rdap, Kind::Asn];

    /// The record type, for those that are one.
    const fn rtype(self) -> Option<Rtype> {
        Some(match self {
            Kind::A => Rtype::A,
            Kind::Aaaa => Rtype::AAAA,
            Kind::Cname => Rtype::CNAME,
            Kind::Mx => Rtype::MX,
            Kind::Ns => Rtype::NS,
            Kind::Txt => Rtype::TXT,
            Kind::Soa => Rtype::SOA,
            Kind::Caa => Rtype::CAA,
            Kind::Srv => Rtype::SRV,
            Kind::Https => Rtype::HTTPS,
            Kind::Svcb => Rtype::SVCB,
            Kind::Tlsa => Rtype::TLSA,
            Kind::Ds => Rtype::DS,
            Kind::Dnskey => Rtype::DNSKEY,
            Kind::Naptr => Rtype::NAPTR,
            Kind::Ptr => Rtype::PTR,
            Kind::Rdap | Kind::Asn => return None,
        })
    }
}

/// What is run.
pub(super) struct Plan {
    name: LookupName,
    records: Vec<Kind>,
}

/// What was found out.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    /// The name or address in canonical form.
    name: String,
    /// The host of the resolver that was asked.
    resolver: String,
    /// One entry per record type, in the order asked.
    answers: Vec<Exchange>,
    /// Registration data, when RDAP was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    registration: Option<Registered>,
    /// Origin networks, when ASN was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Vec<Announced>>,
    /// What an address cannot have, and what this deployment does not ask.
    not_applicable: Vec<Kind>,
    /// Everyone who learned of this question.
    third_parties: Vec<ThirdParty>,
    /// What was cut to keep the answer small.
    omitted: Vec<String>,
}

/// Registration data, or why there is none.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
struct Registered {
    /// `found`, `not_found`, `inconclusive`, or `not_applicable` where the
    /// operator asks no registry.
    status: &'static str,
    /// The data.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    data: Option<Registration>,
    /// Why nothing could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// One address's origin, or why it is not known.
#[derive(Serialize, JsonSchema)]
#[schemars(inline)]
struct Announced {
    /// `found`, `not_announced` or `inconclusive`.
    status: &'static str,
    /// The network.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    /// Why nothing could be found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

impl Spec for Lookup {
    const NAME: &'static str = "lookup";
    const TITLE: &'static str = "Look up records";
    const DESCRIPTION: &'static str = "Look up DNS records, registration data (RDAP) or the origin \
        network (ASN) of a public name or IP address. Contacts a public DNS resolver and, for RDAP, a \
        registry, but not the host. Changes nothing; to examine the host itself use analyze.";
    const OPEN_WORLD: bool = true;
    const LOG: &'static [(&'static str, Log)] = &[("name", Log::Target), ("records", Log::Word)];
    const EXAMPLE: &'static str = r#"{"name":"example.com","records":["A","MX"]}"#;
    const SCHEMAS: &'static str = include_str!("schema/lookup.json");
    type Args = Args;
    type Plan = Plan;
    type Output = Output;

    fn judge(args: Args, world: &World) -> Result<Plan, Error> {
        let name = world.guard.validate_lookup_name(&args.name)?;
        let records = match (args.records.is_empty(), &name) {
            (false, _) => args.records,
            (true, LookupName::Name(_)) => Kind::OF_A_NAME.to_vec(),
            (true, LookupName::Address(_)) => Kind::OF_AN_ADDRESS.to_vec(),
        };
        Ok(Plan { name, records })
    }

    async fn run(plan: Plan, errand: Errand) -> Result<Output, Error> {
        let world = &errand.world;
        let net = Net::new(
            Rc::clone(&world.network),
            Rc::clone(&world.clock),
            Rc::clone(&world.signatures),
            Rc::clone(&world.config),
            Rc::clone(&errand.subrequests),
        );
        let asker = Asker {
            resolver: Resolver::new(net.clone()),
            net,
            world,
        };
        let output = asker.output(plan).await;
        nothing_at_all(&output)?;
        Ok(fitted(output))
    }
}

struct Asker<'a> {
    resolver: Resolver,
    net: Net,
    world: &'a World,
}

impl Asker<'_> {
    async fn output(&self, plan: Plan) -> Output {
        let (types, mut not_applicable) = questions(&plan);
        let name = match &plan.name {
            LookupName::Name(name) => name.as_str().to_owned(),
            LookupName::Address(ip) => origin::reverse_name(*ip),
        };
        let wants = |kind: Kind| plan.records.contains(&kind);
        let asks_origin = wants(Kind::Asn) && self.world.config.asks_origin;
        if wants(Kind::Asn) && !asks_origin {
            not_applicable.push(Kind::Asn);
        }
        let answers = join_all(types.iter().map(|rtype| self.resolver.ask(&name, *rtype)));
        let registration = async {
            match wants(Kind::Rdap) {
                true => Some(self.registration(&plan.name).await),
                false => None,
            }
        };
        let origin = async {
            match asks_origin {
                true => Some(self.origin(&plan.name).await),
                false => None,
            }
        };
        let (answers, registration, origin) = join3(answers, registration, origin).await;
        Output {
            name: match &plan.name {
                LookupName::Name(name) => name.as_str().to_owned(),
                LookupName::Address(ip) => ip.to_string(),
            },
            resolver: self.world.config.doh.host().to_owned(),
            answers: answers.into_iter().map(Rc::unwrap_or_clone).collect(),
            registration,
            third_parties: self.third_parties(origin.is_some(), wants(Kind::Rdap)),
            origin,
            not_applicable,
            omitted: Vec::new(),
        }
    }

    fn third_parties(&self, origin: bool, registration: bool) -> Vec<ThirdParty> {
        let party = |host: &str, purpose: &str| ThirdParty {
            host: host.into(),
            purpose: purpose.into(),
        };
        let mut parties = vec![party(self.world.config.doh.host(), "DNS over HTTPS")];
        if origin {
            parties.push(party(origin::SERVICE, "origin network, over DNS"));
        }
        if let (true, Some(rdap)) = (registration, &self.world.config.rdap) {
            parties.push(party(rdap.host(), "registration data"));
        }
        parties
    }

    async fn registration(&self, name: &LookupName) -> Registered {
        let found = match name {
            LookupName::Address(ip) => {
                registration::network(&self.net, &self.world.guard, *ip, Priority::Normal).await
            }
            LookupName::Name(name) => {
                let from = self.registered_at(name.as_str()).await;
                registration::enclosing(&self.net, &self.world.guard, &from, Priority::Normal).await
            }
        };
        match found {
            Ok(data) => Registered {
                status: "found",
                data: Some(data),
                why: None,
            },
            Err(Nothing::NotFound) => Registered {
                status: "not_found",
                data: None,
                why: None,
            },
            Err(Nothing::Failed(failure)) => Registered {
                status: match failure {
                    Failure::Skipped(_) => "not_applicable",
                    _ => "inconclusive",
                },
                data: None,
                why: Some(failure.clause()),
            },
        }
    }

    /// The longest name that may be the registered one. Registered domains are
    /// zones, so the zone that holds the name needs no list of public suffixes.
    /// A name that is gone may have been taken out of its registry's zone; and
    /// where DNS is broken, nothing is known but the name.
    async fn registered_at(&self, name: &str) -> String {
        let Some(apex) = zone::apex(&self.resolver, name).await else {
            return name.to_owned();
        };
        let ns = self.resolver.ask(name, Rtype::NS).await;
        let gone = ns.status == Status::NxDomain && ns.aliases().next().is_none();
        match gone || !apex.contains('.') {
            true => one_below(name, &apex).to_owned(),
            false => apex,
        }
    }

    async fn origin(&self, name: &LookupName) -> Vec<Announced> {
        let addresses = match name {
            LookupName::Address(ip) => vec![*ip],
            LookupName::Name(name) => match self.addresses(name).await {
                Ok(addresses) => addresses,
                Err(why) => {
                    return vec![Announced {
                        status: "inconclusive",
                        origin: None,
                        why: Some(why),
                    }];
                }
            },
        };
        let origins = origin::of(&self.resolver, &addresses).await;
        let announced = |origin: Result<Origin, String>| match origin {
            Ok(origin) if origin.asn == 0 => Announced {
                status: "not_announced",
                origin: Some(origin),
                why: None,
            },
            Ok(origin) => Announced {
                status: "found",
                origin: Some(origin),
                why: None,
            },
            Err(why) => Announced {
                status: "inconclusive",
                origin: None,
                why: Some(why),
            },
        };
        origins.into_iter().map(announced).collect()
    }

    /// Addresses of a name. One that is not public is not told to anybody.
    async fn addresses(&self, name: &DnsName) -> Result<Vec<IpAddr>, String> {
        let ask = |rtype| self.resolver.ask(name.as_str(), rtype);
        let (v4, v6) = join(ask(Rtype::A), ask(Rtype::AAAA)).await;
        let public = |ip: &IpAddr| {
            self.world
                .guard
                .validate_lookup_name(&ip.to_string())
                .is_ok()
        };
        let addresses: Vec<IpAddr> = v4
            .addresses()
            .chain(v6.addresses())
            .filter(public)
            .take(ORIGIN_LIMIT)
            .collect();
        match [&v4, &v6]
            .into_iter()
            .find(|exchange| !exchange.is_conclusive())
        {
            Some(unsure) if addresses.is_empty() => Err(unsure.clause()),
            _ => Ok(addresses),
        }
    }
}

/// The name one label below `apex` that `name` is, or is below.
fn one_below<'a>(name: &'a str, apex: &str) -> &'a str {
    let labels = apex.split('.').count();
    let mut dots = name.rmatch_indices('.').skip(labels);
    dots.next().map_or(name, |(at, _)| &name[at + 1..])
}

/// The record types to ask for, and those that an address cannot have.
fn questions(plan: &Plan) -> (Vec<Rtype>, Vec<Kind>) {
    let is_address = matches!(plan.name, LookupName::Address(_));
    let fits = |kind: &&Kind| !is_address || matches!(kind, Kind::Ptr | Kind::Rdap | Kind::Asn);
    let (fitting, other): (Vec<&Kind>, Vec<&Kind>) = plan.records.iter().partition(fits);
    let types = fitting
        .into_iter()
        .filter_map(|kind| kind.rtype())
        .collect();
    (types, other.into_iter().copied().collect())
}

/// A resolver that said nothing at all is the call's own end.
fn nothing_at_all(output: &Output) -> Result<(), Error> {
    let silent = |exchange: &Exchange| exchange.status == Status::Unanswered;
    if output.answers.is_empty() || !output.answers.iter().all(silent) {
        return Ok(());
    }
    let late = output
        .answers
        .iter()
        .all(|exchange| exchange.failure == Some(crate::probe::Failure::TimedOut));
    let (code, message) = match late {
        true => (
            Code::UpstreamTimeout,
            "The DNS resolver did not answer in time; try again in a minute.",
        ),
        false => (
            Code::UpstreamError,
            "The DNS resolver gave no usable answer; try again in a minute.",
        ),
    };
    let cause = output
        .answers
        .first()
        .map(Exchange::clause)
        .unwrap_or_default();
    Err(Error::new(code, message).because(cause))
}

/// Leaves out records, longest lists first, until the answer fits.
fn fitted(mut output: Output) -> Output {
    let size = |output: &Output| serde_json::to_string(output).map_or(0, |json| json.len());
    while size(&output) > LIMIT {
        let lists = output.answers.iter_mut().flat_map(|exchange| {
            let rtype = exchange.rtype;
            [
                ("records", &mut exchange.records),
                ("signatures", &mut exchange.signatures),
                ("authority", &mut exchange.authority),
            ]
            .map(|(member, list)| (rtype, member, list))
        });
        let Some((rtype, member, longest)) = lists.max_by_key(|(_, _, list)| list.len()) else {
            break;
        };
        let had = longest.len();
        if had < 2 {
            break;
        }
        longest.truncate(had / 2);
        let note = format!("{member} of {rtype}: {} left out", had - had / 2);
        output.omitted.push(note);
    }
    output
}
