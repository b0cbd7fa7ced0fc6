//! Where the host and its servers stand in the network: both address families,
//! the systems that announce them, and what the resolver said besides.

use std::collections::BTreeSet;

use super::{Case, zone};
use crate::guard::Scheme;
use crate::guard::text::clean;
use crate::probe::dns::{Exchange, ExtendedError};
use crate::probe::host::Resolution;
use crate::probe::http::Hop;
use crate::report::{Confidence, Finding, Severity};

mod anycast;

checks! {
    PARITY {
        id: "dns.ipv6_parity",
        about: "Whether the web server answers the same over IPv4 and IPv6. The first request \
            is made to one address of each family; status, redirect and server are compared.",
        when: [
            Fail "It answers over one family and not over the other.",
            Warn "It answers differently.",
            Pass "It answers alike.",
        ],
        reference: "RFC 6555 section 1",
        reproduce: "curl -4 -sSI {url}; curl -6 -sSI {url}",
        maps_to: ["internet.nl:web_ipv6_ws_similar"],
    }

    ANYCAST {
        id: "dns.anycast",
        about: "Whether the host's first address probably stands in many places at once: a guess by the \
            network that announces it, from a list kept in `src/check/data/anycast.txt`. Other places may \
            measure other things.",
        when: [
            Info "The network is known for it, or is not on the list.",
        ],
        reference: "RFC 4786 section 2",
        reproduce: "dig {origin} TXT +short",
        maps_to: [],
    }

    SYSTEMS {
        id: "dns.name_server_as",
        about: "Whether the zone's name servers are announced by different autonomous systems, so that one \
            routing mistake does not take all of them away. The first two are looked at.",
        when: [
            Pass "Two systems announce them.",
            Info "One system announces both: usual with a single provider, whose anycast may make up for it.",
        ],
        reference: "RFC 2182 section 3.1",
        reproduce: "for a in $(dig +short $(dig +short {zone} NS)); do \
            dig $(echo $a | sed -E 's/(.+)\\.(.+)\\.(.+)\\.(.+)/\\4.\\3.\\2.\\1/').origin.asn.cymru.com TXT +short; done",
        maps_to: ["zonemaster:CONNECTIVITY03"],
    }

    EXTENDED {
        id: "dns.extended_errors",
        about: "What the resolver added to its answers about this name (RFC 8914): stale data, filtering, \
            validation that fails, authorities that do not answer.",
        when: [
            Warn "It added something that says an answer is old, made up, filtered, or could not be validated.",
            Info "It added something else.",
            Pass "It added nothing.",
        ],
        reference: "RFC 8914 section 4",
        reproduce: "dig {host} A",
        also: [doh!("{host}", "A")],
        maps_to: [],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    parity(case, findings);
    anycast(case, findings);
    if zone::found(case, &[SYSTEMS], findings).is_some() {
        systems(case, &case.probes.systems, findings);
    }
    extended(case, findings);
}

fn parity(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let families: BTreeSet<bool> = match &case.probes.resolution {
        Some(Resolution::Judged(addresses)) => {
            addresses.iter().map(|to| to.ip().is_ipv4()).collect()
        }
        _ => BTreeSet::new(),
    };
    if families.len() == 1 {
        return case
            .not_applicable(PARITY, "The host has addresses of one family only.")
            .evidence("/addresses")
            .add(findings);
    }
    let secure = case
        .probes
        .other_family
        .as_ref()
        .is_none_or(|hop| hop.url.scheme() == Scheme::Https);
    let (journey, member) = match secure {
        true => (&case.probes.https, "/http/https"),
        false => (&case.probes.http, "/http/http"),
    };
    let first = match journey {
        Some(Ok(journey)) => journey.hops.first(),
        Some(Err(failure)) => {
            return case
                .unmeasured(PARITY, failure)
                .evidence(member)
                .add(findings);
        }
        None => None,
    };
    let draft = match (first, &case.probes.other_family) {
        (Some(first), Some(other)) => compared(case, first, other),
        (Some(_), None) => case.inconclusive(PARITY, "the other family's address was not asked"),
        (None, _) => case.inconclusive(PARITY, "no answer came in time"),
    };
    draft
        .evidence(format!("{member}/hops/0"))
        .evidence("/http/otherFamily")
        .add(findings);
}

fn compared<'c, 'a>(case: &'c Case<'a>, first: &Hop, other: &Hop) -> super::Draft<'c, 'a> {
    let is_v4 = |hop: &Hop| hop.address.is_some_and(|to| to.ip().is_ipv4());
    let (four, six) = match is_v4(first) {
        true => (first, other),
        false => (other, first),
    };
    match (&four.outcome, &six.outcome) {
        (Ok(a), Ok(b)) => {
            let told = |field| (a.field(field), b.field(field));
            let differing: Vec<&str> = [
                ("status", a.status != b.status),
                ("redirect", told("location").0 != told("location").1),
                ("server", told("server").0 != told("server").1),
            ]
            .into_iter()
            .filter_map(|(what, differs)| differs.then_some(what))
            .collect();
            match differing.is_empty() {
                true => case.pass(PARITY, "The web server answers alike over IPv4 and IPv6."),
                false => case
                    .warn(
                        PARITY,
                        Severity::Low,
                        format!(
                            "The web server answers differently over IPv4 and IPv6: {}.",
                            differing.join(", ")
                        ),
                    )
                    .confidence(Confidence::Medium)
                    .fix("Serve the same site on both addresses."),
            }
        }
        (Ok(_), Err(failure)) if is_silence(failure) => case
            .fail(
                PARITY,
                Severity::Medium,
                format!(
                    "The web server answers over IPv4; over IPv6 {}.",
                    failure.clause()
                ),
            )
            .confidence(Confidence::Medium)
            .fix("Let the web server listen on its IPv6 address, or take the AAAA record away."),
        (Err(failure), Ok(_)) if is_silence(failure) => case
            .fail(
                PARITY,
                Severity::Medium,
                format!(
                    "The web server answers over IPv6; over IPv4 {}.",
                    failure.clause()
                ),
            )
            .confidence(Confidence::Medium)
            .fix("Let the web server listen on its IPv4 address, or take the A record away."),
        (Err(failure), _) | (_, Err(failure)) => case.unmeasured(PARITY, failure),
    }
}

/// Whether the server was there to be asked and did not answer.
fn is_silence(failure: &crate::probe::Failure) -> bool {
    use crate::probe::Failure;
    matches!(failure, Failure::Unreachable(_) | Failure::TimedOut)
}

fn anycast(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let draft = match &case.probes.origin {
        _ if !case.probes.asks_origin => case.not_applicable(ANYCAST, super::dns::NO_ORIGIN),
        Some(Ok(origin)) => match anycast::network(origin.asn) {
            Some(network) => case
                .info(
                    ANYCAST,
                    format!("The address is announced by {network}, which serves from many places at once."),
                )
                .confidence(Confidence::Medium),
            None => case
                .info(ANYCAST, "The network that announces the address is not known for anycast.")
                .confidence(Confidence::Low),
        },
        Some(Err(why)) => case.inconclusive(ANYCAST, why),
        None => case.inconclusive(ANYCAST, "no address is known"),
    };
    draft
        .evidence("/origin")
        .fill_bare("{origin}", &super::dns::mapping(case))
        .add(findings);
}

fn systems(case: &Case<'_>, systems: &[Result<u32, String>], findings: &mut Vec<Finding>) {
    let numbers: BTreeSet<u32> = systems
        .iter()
        .filter_map(|system| system.as_ref().ok().copied())
        .filter(|number| *number != 0)
        .collect();
    let unsure = systems.iter().find_map(|system| system.as_ref().err());
    let draft = match (systems.len(), unsure, numbers.len()) {
        _ if !case.probes.asks_origin => case.not_applicable(SYSTEMS, super::dns::NO_ORIGIN),
        (0, _, _) => case.inconclusive(
            SYSTEMS,
            "fewer than two name servers with an IPv4 address are known",
        ),
        (_, Some(why), _) => case.inconclusive(SYSTEMS, why),
        (_, _, 0) => case.inconclusive(
            SYSTEMS,
            "nobody is known to announce the servers' addresses",
        ),
        (_, _, 1) if systems.contains(&Ok(0)) => case.inconclusive(
            SYSTEMS,
            "nobody is known to announce one of the servers' addresses",
        ),
        (_, _, 1) => case.info(
            SYSTEMS,
            "One autonomous system announces the first name servers.",
        ),
        (_, _, n) => case.pass(
            SYSTEMS,
            format!("{n} autonomous systems announce the first name servers."),
        ),
    };
    draft
        .evidence("/zone/systems")
        .evidence("/zone/servers")
        .add(findings);
}

fn extended(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.probes.url.name().is_none() {
        return case
            .not_applicable(EXTENDED, "The target is an address, not a name.")
            .add(findings);
    }
    let answered = |(_, exchange): &(&&str, &std::rc::Rc<Exchange>)| exchange.failure.is_none();
    let mut asked = case.probes.dns.iter().filter(answered).peekable();
    if asked.peek().is_none() {
        return case
            .inconclusive(EXTENDED, "no answer came in time")
            .add(findings);
    }
    let first = case.probes.dns.keys().next().copied().unwrap_or("a");
    let mut told: Vec<(&str, usize, &ExtendedError)> = asked
        .flat_map(|(member, exchange)| {
            let errors = exchange.extended.iter().enumerate();
            errors.map(move |(at, error)| (*member, at, error))
        })
        .collect();
    told.sort_by_key(|(_, _, error)| (!is_worrying(error.code), error.code));
    let Some((member, at, error)) = told.first() else {
        return case
            .pass(EXTENDED, "The resolver added no error to its answers.")
            .evidence(format!("/dns/{first}/flags"))
            .add(findings);
    };
    let text = match error.text.as_str() {
        "" => String::new(),
        text => format!(" ({})", clean(text, 120)),
    };
    let title = format!(
        "The resolver added: {} {}{text}.",
        error.code, error.purpose
    );
    match is_worrying(error.code) {
        true => case.warn(EXTENDED, Severity::Low, title).fix(
            "Look at the zone's servers and signatures, and ask another resolver for comparison.",
        ),
        false => case.info(EXTENDED, title),
    }
    .evidence(format!("/dns/{member}/extended"))
    .evidence(format!("/dns/{member}/extended/{at}/purpose"))
    .add(findings);
}

/// Codes by which an answer is old, made up, withheld, or not to be trusted.
fn is_worrying(code: u16) -> bool {
    matches!(code, 1..=12 | 15..=17 | 19 | 22 | 23 | 25..=27)
}
