//! Probes as the report's `probes` member. Findings point into this, so a
//! member that moves here moves there.

/// An object of members that are values already: `json!` would copy each of them, and with
/// them all that is inside.
macro_rules! members {
    ($($name:literal: $value:expr),* $(,)?) => {
        [$(($name, serde_json::Value::from($value))),*].into_iter().collect::<serde_json::Value>()
    };
}

mod mail;
mod tls;
mod web;

use serde_json::{Value, json};

use super::Failure;
use super::dns::Rtype;
use super::errands::{FOREIGN_ORIGIN, Foreign, NULL_ORIGIN, lookalike};
use super::exposure::Exposure;
use super::files::Files;
use super::host::Resolution;
use super::http::{End, Hop, Journey};
use super::http1::Response;
use super::plan::Probes;
use super::rdata::Data;
use super::zone::{Server, Zone};
use crate::guard::text::clean;
use crate::probe::cloudflare;

/// Characters shown of a header field.
const VALUE_LIMIT: usize = 1024;

/// Characters shown of a URL.
const URL_LIMIT: usize = 512;

/// Everything that was measured.
pub fn probes(probes: &Probes) -> Value {
    let dns = probes.dns.iter();
    members! {
        "dns": dns.map(|(member, exchange)| (*member, json!(**exchange))).collect::<Value>(),
        "caa": probes.caa.iter().map(|exchange| json!(**exchange)).collect::<Value>(),
        "zone": probes.zone.as_ref().map(|held| zone(held, &probes.systems)),
        "mail": mail::rendered(&probes.mail),
        "addresses": addresses(probes.resolution.as_ref()),
        "reverse": probes.reverse.as_ref().map(|reverse| json!({
            "ptr": &*reverse.ptr,
            "forward": reverse.forward.as_deref(),
            "confirmed": reverse.confirmed,
        })),
        "origin": probes.origin.as_ref().map(|origin| match origin {
            Ok(origin) => json!(origin),
            Err(why) => json!({ "unknown": why }),
        }),
        "tls": tls::tls(&probes.tls),
        "ct": tls::logged(probes.ct.as_ref(), &probes.tls),
        "http": members! {
            "https": journey(probes.https.as_ref(), probes.now()),
            "http": journey(probes.http.as_ref(), probes.now()),
            "foreignOrigin": foreign(probes, |foreign| &foreign.any, FOREIGN_ORIGIN),
            "nullOrigin": foreign(probes, |foreign| &foreign.null, NULL_ORIGIN),
            "lookalikeOrigin": foreign(
                probes,
                |foreign| &foreign.lookalike,
                &lookalike(&probes.url).unwrap_or_default(),
            ),
            "otherFamily": probes.other_family.as_ref().map(hop),
        },
        "exposure": exposure(probes.exposure.as_ref()),
        "files": files(probes.files.as_ref()),
        "registration": members! {
            "domain": web::registration(probes.registration.domain.as_ref()),
            "network": web::registration(probes.registration.network.as_ref()),
        },
    }
}

/// The page as it was given to `origin`.
fn foreign(
    probes: &Probes,
    of: impl Fn(&Foreign) -> &Result<Response, Failure>,
    origin: &str,
) -> Value {
    web::foreign(probes.foreign.as_ref().map(of), origin)
}

fn unfinished() -> Value {
    json!({ "failure": Failure::TimedOut })
}

fn failed(failure: &Failure) -> Value {
    json!({ "failure": failure })
}

fn addresses(resolution: Option<&Resolution>) -> Value {
    match resolution {
        Some(Resolution::Judged(addresses)) => addresses
            .iter()
            .map(|address| {
                json!({
                    "ip": address.ip().to_string(),
                    "family": if address.ip().is_ipv4() { 4 } else { 6 },
                    "cloudflare": cloudflare::owns(address.ip()),
                })
            })
            .collect(),
        _ => json!([]),
    }
}

/// The zone.
fn zone(zone: &Zone, systems: &[Result<u32, String>]) -> Value {
    members! {
        "apex": zone.apex.as_str(),
        "soa": json!(*zone.soa),
        "ns": json!(*zone.ns),
        "servers": zone.servers.iter().map(server).collect::<Value>(),
        "ds": json!(*zone.ds),
        "dnskey": json!(zone.dnskey.as_deref()),
        "wildcard": nobody(zone),
        "systems": systems.iter().map(|system| match system {
            Ok(number) => json!(number),
            Err(why) => json!({ "unknown": why }),
        }).collect::<Value>(),
    }
}

fn server(server: &Server) -> Value {
    json!({
        "name": clean(&server.name, 255),
        "v4": server.v4.addresses().map(|ip| ip.to_string()).collect::<Vec<_>>(),
        "v4Status": server.v4.status,
        "alias": server.v4.aliases().next().map(|target| clean(target, 255)),
        "v6": server.v6.as_ref().map(|v6| v6.addresses().map(|ip| ip.to_string()).collect::<Vec<_>>()),
        "direct": server.direct,
    })
}

/// The answer for a name that nobody has, without what depends on that name:
/// it is random, and would make two equal reports differ.
fn nobody(zone: &Zone) -> Value {
    let exchange = &zone.wildcard;
    let denial = exchange
        .authority
        .iter()
        .find_map(|record| match &record.data {
            Data::Nsec3 {
                hash,
                opt_out,
                iterations,
                salt_length,
                ..
            } => Some(json!({
                "type": "NSEC3",
                "data": {
                    "hash": hash,
                    "optOut": opt_out,
                    "iterations": iterations,
                    "saltLength": salt_length,
                },
            })),
            _ if record.rtype == Rtype::NSEC => Some(json!({
                "type": "NSEC",
                "namesNoOther": zone.denies_alone(),
            })),
            _ => None,
        });
    json!({
        "status": exchange.status,
        "rcode": exchange.rcode,
        "answers": exchange.records.iter().map(|record| record.text.as_str()).collect::<Vec<_>>(),
        "denial": denial,
        "failure": exchange.failure,
    })
}

/// RFC 3339 in UTC, whole seconds.
pub fn rfc3339(unix_seconds: i64) -> String {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from_unix_timestamp(unix_seconds)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_default()
}

fn journey(journey: Option<&Result<Journey, Failure>>, now: i64) -> Value {
    let journey = match journey {
        Some(Ok(journey)) => journey,
        Some(Err(failure)) => return failed(failure),
        None => return unfinished(),
    };
    let mut value = members! {
        "hops": journey.hops.iter().map(hop).collect::<Value>(),
        "end": end(&journey.end),
    };
    if let Some(location) = &journey.unfollowed {
        value["unfollowed"] = clean(location, URL_LIMIT).into();
    }
    if let Some((hop, response)) = journey.page() {
        value["page"] = web::page(hop, response, journey);
    }
    value["cookies"] = web::cookies(&journey.cookies(now));
    value
}

fn hop(hop: &Hop) -> Value {
    let mut value = json!({
        "url": clean(hop.url.as_str(), URL_LIMIT),
        "address": hop.address.map(|address| address.ip().to_string()),
        "timing": { "ms": hop.ms },
    });
    match &hop.outcome {
        Ok(response) => {
            value["status"] = response.status.into();
            if let Some(location) = response.field("location") {
                value["location"] = clean(location, URL_LIMIT).into();
            }
            if let Some(hsts) = response.field("strict-transport-security") {
                value["strictTransportSecurity"] = clean(hsts, VALUE_LIMIT).into();
            }
        }
        Err(failure) => value["failure"] = json!(failure),
    }
    value
}

fn end(end: &End) -> Value {
    match end {
        End::Arrived => "arrived".into(),
        End::Met => "met_https".into(),
        End::Loop => "loop".into(),
        End::TooLong => "too_many_redirects".into(),
        End::Nowhere => "redirect_without_location".into(),
        End::Refused(_) => "redirect_refused".into(),
        End::Unwanted => "redirect_unwanted".into(),
        End::Unresolved(_) => "redirect_unresolved".into(),
        End::Failed(_) => "failed".into(),
    }
}

fn exposure(exposure: Option<&Result<Exposure, Failure>>) -> Value {
    match exposure {
        Some(Ok(exposure)) => json!({
            // The control path is random; it would make two equal reports
            // differ.
            "answersEverything": exposure.answers_everything,
            "control": exposure.control.outcome,
            "paths": exposure.paths,
        }),
        Some(Err(failure)) => failed(failure),
        None => unfinished(),
    }
}

fn files(files: Option<&Result<Files, Failure>>) -> Value {
    match files {
        Some(Ok(files)) => json!(files),
        Some(Err(failure)) => failed(failure),
        None => unfinished(),
    }
}
