//! The zone: addresses in both families, validation, who may issue
//! certificates.

use super::{Case, Check};
use crate::probe::dns::{Exchange, Status};
use crate::probe::host::Resolution;
use crate::probe::rdata::Data;
use crate::report::{Finding, Severity};

const RESOLVES: &Check = &Check {
    id: "dns.resolves",
    about: "Whether the name leads to public addresses, and to those alone. Without one nothing \
        else can be measured; one that is not public would let a browser be led into its own network.",
    reference: "RFC 1035 section 3.4.1",
    reproduce: "dig {host} A +short; dig {host} AAAA +short",
    maps_to: &[],
};

const IPV6: &Check = &Check {
    id: "dns.ipv6",
    about: "Whether the host has an IPv6 address: clients in IPv6-only networks reach it directly \
        only then.",
    reference: "RFC 3596 section 2.1",
    reproduce: "dig {host} AAAA +short",
    maps_to: &["internet.nl:web_ipv6_ws_address"],
};

const DNSSEC: &Check = &Check {
    id: "dns.dnssec",
    about: "Whether a validating resolver finds the answer signed and the signature good. Without it \
        answers can be forged on the way.",
    reference: "RFC 4035 section 3.2.3",
    reproduce: "dig {host} A +dnssec",
    maps_to: &["internet.nl:web_dnssec_valid", "zonemaster:DNSSEC"],
};

const CAA: &Check = &Check {
    id: "dns.caa",
    about: "Whether a CAA record names the authorities that may issue certificates for this name.",
    reference: "RFC 8659 section 3",
    reproduce: "dig {host} CAA +short",
    maps_to: &["internet.nl:web_caa"],
};

pub(super) const CHECKS: &[&Check] = &[RESOLVES, IPV6, DNSSEC, CAA];

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    resolves(case, findings);
    if case.probes.url.name().is_none() {
        for check in [IPV6, DNSSEC, CAA] {
            case.not_applicable(check, "The target is an address, not a name.")
                .add(findings);
        }
        return;
    }
    ipv6(case, findings);
    dnssec(case, findings);
    caa(case, findings);
}

fn resolves(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let check = RESOLVES;
    match &case.probes.resolution {
        Some(Resolution::Judged(addresses)) => {
            let title = format!("The host has {} public address(es).", addresses.len());
            case.pass(check, title).evidence("/addresses").add(findings);
        }
        Some(Resolution::Unknown(why)) => {
            case.inconclusive(check, why)
                .evidence("/dns/a/rcode")
                .add(findings);
        }
        // A refused host ends the call before any check runs.
        Some(Resolution::Refused(_)) | None => {
            case.inconclusive(check, "no answer came in time")
                .add(findings);
        }
    }
}

fn ipv6(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(aaaa) = answered(case, IPV6, "aaaa", findings) else {
        return;
    };
    match aaaa.addresses().count() {
        0 => case
            .warn(IPV6, Severity::Low, "The host has no IPv6 address.")
            .evidence("/dns/aaaa/status")
            .fix("Give the server an IPv6 address and publish it as an AAAA record.")
            .add(findings),
        n => case
            .pass(IPV6, format!("The host has {n} IPv6 address(es)."))
            .evidence("/dns/aaaa/records")
            .add(findings),
    }
}

fn dnssec(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(a) = case.probes.records("a") else {
        return case
            .inconclusive(DNSSEC, "no answer came in time")
            .add(findings);
    };
    // RFC 8914 section 4: DNSSEC Bogus and what leads to it.
    let bogus = a.extended.iter().any(|error| matches!(error.code, 6..=12));
    if a.status == Status::ServFail && bogus {
        return case
            .fail(DNSSEC, Severity::High, format!("Validation fails: {}.", a.clause()))
            .evidence("/dns/a/extended/0/purpose")
            .fix("Mend the zone's signatures or its DS record; validating resolvers refuse the name until then.")
            .add(findings);
    }
    if !a.is_conclusive() {
        return case
            .inconclusive(DNSSEC, a.clause())
            .evidence("/dns/a/status")
            .add(findings);
    }
    match (a.is_authenticated(), a.signatures.is_empty()) {
        (true, _) => case
            .pass(DNSSEC, "The answer is signed and validates.")
            .evidence("/dns/a/flags")
            .add(findings),
        (false, false) => case
            .info(
                DNSSEC,
                "The answer is signed, and the resolver does not say that it validates.",
            )
            .evidence("/dns/a/flags")
            .add(findings),
        (false, true) => case
            .warn(DNSSEC, Severity::Low, "The zone is not signed.")
            .evidence("/dns/a/flags")
            .fix("Sign the zone with DNSSEC and have the registrar publish its DS record.")
            .add(findings),
    }
}

fn caa(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(caa) = answered(case, CAA, "caa", findings) else {
        return;
    };
    let issuers: Vec<&str> = caa
        .data()
        .filter_map(|data| match data {
            Data::Caa { tag, value, .. } if tag == "issue" => {
                Some(value.split(';').next().unwrap_or_default().trim())
            }
            _ => None,
        })
        .collect();
    match issuers.as_slice() {
        [] => case
            .info(CAA, "No CAA record at this name says who may issue certificates; one at a parent name would apply.")
            .evidence("/dns/caa/status")
            .fix("Publish a CAA record that names the authorities you use.")
            .add(findings),
        issuers => {
            let named: Vec<&str> = issuers.iter().copied().filter(|name| !name.is_empty()).take(6).collect();
            let title = match named.is_empty() {
                true => String::from("CAA records forbid every authority to issue certificates."),
                false => format!("CAA records let {} issue certificates.", crate::guard::text::clean(&named.join(", "), 160)),
            };
            case.pass(CAA, title).evidence("/dns/caa/records").add(findings);
        }
    }
}

/// The exchange, or `None` after noting that nobody could say.
pub(super) fn answered<'a>(
    case: &Case<'a>,
    check: &Check,
    member: &str,
    findings: &mut Vec<Finding>,
) -> Option<&'a Exchange> {
    match case.probes.records(member) {
        Some(exchange) if exchange.is_conclusive() => Some(exchange),
        Some(exchange) => {
            case.inconclusive(check, exchange.clause())
                .evidence(format!("/dns/{member}/status"))
                .add(findings);
            None
        }
        None => {
            case.inconclusive(check, "no answer came in time")
                .add(findings);
            None
        }
    }
}
