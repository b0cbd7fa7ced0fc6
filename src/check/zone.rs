//! The zone: its servers, its timers, what it gives away.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::{Case, Check};
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::dns::{Exchange, Status};
use crate::probe::plan::NOT_WANTED;
use crate::probe::rdata::Data;
use crate::probe::transfer::Outcome;
use crate::probe::wishes::Wish;
use crate::probe::zone::{Server, Zone};
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    SERVERS {
        id: "dns.name_servers",
        about: "Whether at least two name servers are named, each with a public address, so that one \
            may fail.",
        when: [
            Warn "Fewer than two are named, one has no address or one that is not public, or is named by an alias, \
                which not every resolver follows (RFC 2181 section 10.3).",
            Pass "Two or more are named, and the first three have addresses.",
        ],
        reference: "RFC 1034 section 4.1",
        reproduce: "dig {zone} NS +short",
        also: [doh!("{zone}", "NS")],
        maps_to: ["zonemaster:DELEGATION01", "zonemaster:NAMESERVER"],
    }

    DIVERSITY {
        id: "dns.name_server_networks",
        about: "Whether the name servers stand in different networks.",
        when: [
            Warn "The IPv4 addresses of the first three lie in one /24.",
            Pass "They lie in different ones.",
        ],
        reference: "RFC 2182 section 3.1",
        reproduce: "for s in $(dig {zone} NS +short); do dig $s A +short; done",
        maps_to: ["zonemaster:CONNECTIVITY03"],
    }

    SERVERS_V6 {
        id: "dns.name_server_ipv6",
        about: "Whether a name server can be reached over IPv6.",
        when: [
            Pass "One of the first two servers has an IPv6 address.",
            Warn "None of them has.",
        ],
        reference: "RFC 3901 section 4",
        reproduce: "for s in $(dig {zone} NS +short); do dig $s AAAA +short; done",
        maps_to: ["internet.nl:web_ipv6_ns_address"],
    }

    LAME {
        id: "dns.lame",
        about: "Whether each name server that was spoken to knows the zone with authority.",
        when: [
            Fail "A server answers without authority, or with an error.",
            Pass "Each one that was asked answers with authority.",
        ],
        reference: "RFC 1912 section 2.8",
        reproduce: "dig @{server} {zone} SOA +norecurse +tcp",
        maps_to: ["zonemaster:DELEGATION05"],
    }

    TRANSFER {
        id: "dns.zone_transfer",
        about: "Whether the name servers refuse to hand the whole zone to anyone who asks. Two of them are \
            asked over TCP; what comes is counted and forgotten.",
        when: [
            Fail "A server sent more than one record of the zone.",
            Pass "Each one that was asked declined, by a code or by closing.",
        ],
        reference: "RFC 5936 section 6",
        reproduce: "dig @{server} {zone} AXFR",
        maps_to: ["cwe:200", "zonemaster:NAMESERVER03"],
    }

    SOA {
        id: "dns.soa",
        about: "Whether the zone's timers are in the ranges that work.",
        when: [
            Warn "A timer is outside the range that the standard advises.",
            Pass "All are inside.",
        ],
        reference: "RFC 1912 section 2.2",
        reproduce: "dig {zone} SOA +short",
        also: [doh!("{zone}", "SOA")],
        maps_to: ["zonemaster:ZONE"],
    }

    WILDCARD {
        id: "dns.wildcard",
        about: "Whether the zone answers for names that nobody created. Then an answer for a name below \
            it proves nothing.",
        when: [
            Info "A random name below the zone was answered, or exists without an address.",
            Pass "It does not exist.",
        ],
        reference: "RFC 4592 section 2",
        reproduce: "dig netrecon-nobody.{zone} A +short",
        also: [doh!("netrecon-nobody.{zone}", "A")],
        maps_to: [],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(zone) = found(case, CHECKS, findings) else {
        return;
    };
    servers(case, zone, findings);
    diversity(case, zone, findings);
    servers_v6(case, zone, findings);
    lame(case, zone, findings);
    transfer(case, zone, findings);
    soa(case, zone, findings);
    wildcard(case, zone, findings);
}

/// The zone, or `None` after noting for every check why there is none.
pub(super) fn found<'a>(
    case: &Case<'a>,
    checks: &[&Check],
    findings: &mut Vec<Finding>,
) -> Option<&'a Zone> {
    for check in checks {
        if case.probes.url.name().is_none() {
            case.not_applicable(check, "The target is an address, not a name.")
                .fill("{server}", case.probes.host())
                .add(findings);
        } else if case.probes.zone.is_none() {
            let why = "the zone that holds the name could not be found";
            case.inconclusive(check, why)
                .fill("{server}", case.probes.host())
                .add(findings);
        }
    }
    case.probes.zone.as_ref()
}

fn servers(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    if !zone.ns.is_conclusive() {
        return case
            .inconclusive(SERVERS, zone.ns.clause())
            .evidence("/zone/ns/status")
            .add(findings);
    }
    let named = zone.ns.targets().count();
    let nowhere: Vec<String> = zone
        .servers
        .iter()
        .filter(|server| {
            let v6 = server.v6.as_ref().is_some_and(|v6| v6.leads_nowhere());
            server.v4.leads_nowhere() && v6
        })
        .map(|server| clean(&server.name, 80))
        .collect();
    let alias = zone
        .servers
        .iter()
        .find(|server| server.v4.aliases().next().is_some());
    let inside = zone
        .servers
        .iter()
        .find(|server| server.v4.addresses().any(is_private));
    let evidence = "/zone/servers";
    if let Some(server) = inside {
        case.warn(
            SERVERS,
            Severity::Medium,
            format!(
                "The name server {} has an address that is not public.",
                clean(&server.name, 80)
            ),
        )
        .evidence(evidence)
        .fix("Name only servers that everyone can reach.")
        .add(findings);
    } else if !nowhere.is_empty() {
        case.warn(
            SERVERS,
            Severity::Medium,
            format!("{} has no address.", nowhere.join(", ")),
        )
        .evidence(evidence)
        .fix("Publish its address, or take it out of the NS records of the zone and its parent.")
        .add(findings);
    } else if let Some(server) = alias {
        case.warn(
            SERVERS,
            Severity::Low,
            format!("The name server {} is an alias.", clean(&server.name, 80)),
        )
        .evidence(evidence)
        .fix("Name the server itself in the NS records of the zone and its parent.")
        .add(findings);
    } else if named < 2 {
        case.warn(
            SERVERS,
            Severity::Medium,
            format!(
                "The zone names {}.",
                counted(named, "name server", "name servers")
            ),
        )
        .evidence("/zone/ns/records")
        .fix("Add a second name server in another network.")
        .add(findings);
    } else if let Some(why) = zone.servers.iter().find_map(unknown) {
        case.inconclusive(SERVERS, why)
            .evidence(evidence)
            .add(findings);
    } else {
        case.pass(SERVERS, format!("The zone names {named} name servers."))
            .evidence("/zone/ns/records")
            .add(findings);
    }
}

/// Why no address of a server is known, though it may have one.
fn unknown(server: &Server) -> Option<String> {
    Exchange::why_unknown(&server.v4, server.v6.as_deref())
}

/// Private, loopback or link-local: a plain statement about what is
/// published; nothing connects by it.
pub(super) fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn diversity(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let addresses: Vec<IpAddr> = zone
        .servers
        .iter()
        .filter_map(|server| server.v4.addresses().next())
        .collect();
    let networks: BTreeSet<[u8; 3]> = addresses
        .iter()
        .filter_map(|ip| match ip {
            IpAddr::V4(v4) => {
                let [a, b, c, _] = v4.octets();
                Some([a, b, c])
            }
            IpAddr::V6(_) => None,
        })
        .collect();
    let evidence = "/zone/servers";
    match (addresses.len(), networks.len()) {
        (0 | 1, _) => case
            .inconclusive(
                DIVERSITY,
                "fewer than two name servers with an IPv4 address are known",
            )
            .evidence(evidence)
            .add(findings),
        (n, 1) => case
            .warn(
                DIVERSITY,
                Severity::Low,
                match zone.ns.targets().count() {
                    named if named > n => format!(
                        "{n} of {named} name servers stand in one /24; the others were not compared."
                    ),
                    _ => format!("All {n} name servers stand in one /24."),
                },
            )
            .evidence(evidence)
            .confidence(match zone.ns.targets().count() > n {
                true => Confidence::Low,
                false => Confidence::Medium,
            })
            .fix(
                "Add a name server in another network; anycast alone hides behind one address too.",
            )
            .add(findings),
        (n, networks) => case
            .pass(
                DIVERSITY,
                format!("{n} name servers stand in {networks} networks."),
            )
            .evidence(evidence)
            .add(findings),
    }
}

fn servers_v6(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let asked: Vec<_> = zone
        .servers
        .iter()
        .filter_map(|server| server.v6.as_ref())
        .collect();
    let found = asked.iter().any(|v6| v6.addresses().next().is_some());
    let evidence = "/zone/servers";
    if found {
        case.pass(SERVERS_V6, "A name server has an IPv6 address.")
            .evidence(evidence)
            .add(findings);
    } else if asked.is_empty() || asked.iter().any(|v6| !v6.is_conclusive()) {
        case.inconclusive(
            SERVERS_V6,
            "not every name server's address could be asked for",
        )
        .evidence(evidence)
        .add(findings);
    } else {
        case.warn(
            SERVERS_V6,
            Severity::Low,
            match asked.len() {
                1 => String::from("The first name server has no IPv6 address."),
                n => format!("None of the first {n} name servers has an IPv6 address."),
            },
        )
        .evidence(evidence)
        .fix("Use name servers that can be reached over IPv6.")
        .add(findings);
    }
}

fn lame(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let asked: Vec<_> = zone
        .servers
        .iter()
        .enumerate()
        .filter_map(|(at, server)| Some((at, server, server.direct.as_ref()?.authoritative?)))
        .collect();
    let first = zone
        .servers
        .first()
        .map(|server| server.name.as_str())
        .unwrap_or_default();
    if let Some((at, server, _)) = asked.iter().find(|(_, _, knows)| !knows) {
        return case
            .fail(
                LAME,
                Severity::Medium,
                format!(
                    "The name server {} does not know the zone.",
                    clean(&server.name, 80)
                ),
            )
            .evidence(format!("/zone/servers/{at}/direct/rcode"))
            .fill("{server}", &server.name)
            .fix("Set the zone up on that server, or take it out of the NS records.")
            .add(findings);
    }
    match asked.as_slice() {
        [] => case
            .unmeasured(LAME, &unspoken(case, zone))
            .evidence("/zone/servers/0/direct/outcome")
            .fill("{server}", first)
            .add(findings),
        [(at, server, _), ..] => case
            .pass(
                LAME,
                counted(
                    asked.len(),
                    "name server was asked and knows the zone.",
                    "name servers were asked and know the zone.",
                ),
            )
            .evidence(format!("/zone/servers/{at}/direct/authoritative"))
            .fill("{server}", &server.name)
            .add(findings),
    }
}

/// Why no name server was spoken to.
fn unspoken(case: &Case<'_>, zone: &Zone) -> Failure {
    if case.probes.wish == Some(Wish::Passive) {
        return Failure::Skipped(NOT_WANTED);
    }
    let failure = zone
        .servers
        .iter()
        .find_map(|server| match &server.direct.as_ref()?.outcome {
            Outcome::Failed(failure) => Some(failure.clone()),
            _ => None,
        });
    failure.unwrap_or(Failure::Blocked("no name server could be spoken to"))
}

fn transfer(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let first = zone
        .servers
        .first()
        .map(|server| server.name.as_str())
        .unwrap_or_default();
    let mut closed = Vec::new();
    for (at, server) in zone.servers.iter().enumerate() {
        match server.direct.as_ref().map(|said| &said.outcome) {
            Some(Outcome::Open(records)) => {
                return case
                    .fail(
                        TRANSFER,
                        Severity::High,
                        format!(
                            "{} hands the whole zone to anyone: {records} or more records.",
                            clean(&server.name, 80)
                        ),
                    )
                    .evidence(format!("/zone/servers/{at}/direct/outcome"))
                    .fill("{server}", &server.name)
                    .fix("Allow zone transfers only from your secondary servers.")
                    .add(findings);
            }
            Some(Outcome::Closed(_)) => closed.push((at, server)),
            Some(Outcome::Failed(_)) | None => {}
        }
    }
    match closed.as_slice() {
        [] => case
            .unmeasured(TRANSFER, &unspoken(case, zone))
            .evidence("/zone/servers/0/direct/outcome")
            .fill("{server}", first)
            .add(findings),
        [(at, server), ..] => case
            .pass(
                TRANSFER,
                counted(
                    closed.len(),
                    "name server refuses to transfer the zone.",
                    "name servers refuse to transfer the zone.",
                ),
            )
            .evidence(format!("/zone/servers/{at}/direct/outcome"))
            .fill("{server}", &server.name)
            .add(findings),
    }
}

fn soa(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let timers = zone.soa.data().find_map(|data| match data {
        Data::Soa {
            refresh,
            retry,
            expire,
            minimum,
            ..
        } => Some((*refresh, *retry, *expire, *minimum)),
        _ => None,
    });
    let Some((refresh, retry, expire, minimum)) = timers else {
        return case
            .inconclusive(SOA, zone.soa.clause())
            .evidence("/zone/soa/status")
            .add(findings);
    };
    // RFC 1912 section 2.2; RFC 2308 section 5 for the negative answers.
    let mut odd = Vec::new();
    if !(1_200..=86_400).contains(&refresh) {
        odd.push(format!(
            "refresh {refresh} s is outside 20 minutes to a day"
        ));
    }
    if retry >= refresh {
        odd.push(format!("retry {retry} s is not shorter than refresh"));
    }
    if !(604_800..=2_419_200).contains(&expire) {
        odd.push(format!("expire {expire} s is outside one to four weeks"));
    }
    if minimum > 86_400 {
        odd.push(format!("absent names are remembered for {minimum} s"));
    }
    let evidence = "/zone/soa/records";
    match odd.is_empty() {
        true => case.pass(SOA, "The zone's timers are in the usual ranges.").evidence(evidence).add(findings),
        false => case
            .warn(SOA, Severity::Low, format!("Unusual timers: {}.", odd.join("; ")))
            .evidence(evidence)
            .fix("Set refresh to hours, retry below it, expire to weeks, and minimum to an hour or less.")
            .add(findings),
    }
}

fn wildcard(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let evidence = "/zone/wildcard/status";
    let has = zone.has_everything();
    let draft = match zone.wildcard.status {
        Status::Answer => case
            .info(WILDCARD, "The zone answers for names that nobody created.")
            .evidence("/zone/wildcard/answers"),
        _ if has => case
            .info(
                WILDCARD,
                "To the zone, names that nobody created exist, though without an address.",
            )
            .evidence("/zone/wildcard/answers"),
        Status::NoData | Status::NxDomain => {
            case.pass(WILDCARD, "The zone answers only for names that exist.")
        }
        _ => case.inconclusive(WILDCARD, zone.wildcard.clause()),
    };
    draft.evidence(evidence).add(findings);
}
