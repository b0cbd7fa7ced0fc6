//! The zone's signatures.

use std::collections::BTreeSet;

use super::{Case, zone};
use crate::probe::dns::{Exchange, Rtype, Status};
use crate::probe::rdata::{Data, algorithm_name};
use crate::probe::zone::Zone;
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    DNSSEC {
        id: "dns.dnssec",
        about: "Whether a validating resolver finds the answer signed and the signature good. A zone \
            whose signatures are wrong is told from one whose servers are broken by asking once more \
            without validation.",
        when: [
            Fail "The resolver answers SERVFAIL for a name that may be signed, and answers once validation is switched off; or \
                says itself that it is bogus.",
            Warn "The zone is not signed, or signed without a DS record, or has a DS record without signatures.",
            Pass "The resolver says that the answer validates.",
            Info "It is signed and the resolver does not say that it validates.",
        ],
        reference: "RFC 4035 section 3.2.3",
        reproduce: "dig {host} A +dnssec; dig {host} A +cd",
        also: [doh!("{host}", "A&do=1")],
        maps_to: ["internet.nl:web_dnssec_valid", "zonemaster:DNSSEC"],
    }

    ALGORITHM {
        id: "dns.dnssec_algorithm",
        about: "Whether the zone is signed with algorithms and keys that validators trust, and whether the \
            parent's DS record points to one of its keys.",
        when: [
            Fail "No DS record points to a key of the zone.",
            Warn "An algorithm or digest is no longer trusted, or hardly known, or an RSA key is shorter than 2048 bits.",
            Pass "Algorithms, key sizes and digests are current.",
        ],
        reference: "RFC 9904; RFC 9905",
        reproduce: "dig {zone} DNSKEY +short; dig {zone} DS +short",
        also: [doh!("{zone}", "DNSKEY")],
        maps_to: ["zonemaster:DNSSEC05"],
    }

    DENIAL {
        id: "dns.dnssec_denial",
        about: "How the zone proves that a name does not exist. Iterations and salt of NSEC3 protect \
            nothing and cost every resolver.",
        when: [
            Warn "NSEC3 with iterations or salt.",
            Pass "NSEC3 with neither, or NSEC made for each question, which names nothing else (RFC 9824).",
            Info "NSEC: the names of the zone can be listed.",
        ],
        reference: "RFC 9276 section 3.1",
        reproduce: "dig netrecon-nobody.{zone} A +dnssec",
        also: [doh!("netrecon-nobody.{zone}", "A&do=1")],
        maps_to: ["zonemaster:DNSSEC03"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.probes.url.name().is_some() {
        dnssec(case, findings);
    } else {
        case.not_applicable(DNSSEC, "The target is an address, not a name.")
            .add(findings);
    }
    let Some(zone) = zone::found(case, &[ALGORITHM, DENIAL], findings) else {
        return;
    };
    algorithm(case, zone, findings);
    denial(case, zone, findings);
}

fn dnssec(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(a) = case.probes.records("a") else {
        return case
            .inconclusive(DNSSEC, "no answer came in time")
            .add(findings);
    };
    if a.status == Status::ServFail {
        return bogus(case, a, findings);
    }
    if !a.is_conclusive() {
        return case
            .inconclusive(DNSSEC, a.clause())
            .evidence("/dns/a/status")
            .add(findings);
    }
    let ds = case.probes.zone.as_ref().map(|zone| &zone.ds);
    let has_ds = ds.is_some_and(|ds| ds.status == Status::Answer);
    let no_ds = ds.is_some_and(|ds| matches!(ds.status, Status::NoData | Status::NxDomain));
    let signed = !a.signatures.is_empty()
        || case
            .probes
            .zone
            .as_ref()
            .is_some_and(|zone| !zone.soa.signatures.is_empty());
    let draft = match (a.is_authenticated(), signed) {
        (true, _) => case.pass(DNSSEC, "The answer is signed and validates."),
        (false, true) if no_ds => case
            .warn(
                DNSSEC,
                Severity::Low,
                "The zone is signed, but its parent has no DS record: nobody can validate it.",
            )
            .evidence("/zone/ds/status")
            .fix("Have the registrar publish the zone's DS record."),
        (false, true) if only_the_alias_is_signed(a) => case.info(
            DNSSEC,
            "The alias is signed, what it leads to is not: nobody can validate the address.",
        ),
        (false, true) => case
            .info(
                DNSSEC,
                "The answer is signed; the resolver does not say that it validates.",
            )
            .confidence(Confidence::Medium),
        (false, false) if has_ds => case
            .warn(
                DNSSEC,
                Severity::Medium,
                "The parent has a DS record, but the answer is not signed.",
            )
            .evidence("/zone/ds/records")
            .fix("Sign the zone again, or have the DS record removed."),
        (false, false) => case
            .warn(DNSSEC, Severity::Low, "The zone is not signed.")
            .fix("Sign the zone with DNSSEC and have the registrar publish its DS record."),
    };
    draft.evidence("/dns/a/flags").add(findings);
}

/// Whether an alias brings signatures, and none of them is of an address.
fn only_the_alias_is_signed(a: &Exchange) -> bool {
    let covers = |wanted: &str| {
        a.signatures
            .iter()
            .any(|record| matches!(&record.data, Data::Rrsig { covered, .. } if covered == wanted))
    };
    a.status == Status::Answer && covers("CNAME") && !covers("A")
}

/// SERVFAIL: bogus when the resolver says so itself (RFC 8914 section 4), or
/// when the answer of what may be signed comes without validation; else broken.
fn bogus(case: &Case<'_>, a: &Exchange, findings: &mut Vec<Finding>) {
    let told = |is: fn(u16) -> bool| a.extended.iter().any(|error| is(error.code));
    let said = told(|code| matches!(code, 1 | 2 | 5..=12 | 25 | 27));
    // Servers that were out of reach may be there a moment later.
    let unreached = told(|code| matches!(code, 22 | 23));
    let unvalidated = case.probes.records("aUnvalidated");
    let comes = unvalidated.is_some_and(|exchange| exchange.is_conclusive());
    let suspect = unvalidated.is_some_and(|exchange| may_be_signed(case, exchange));
    if said || comes && suspect && !unreached {
        return case
            .fail(DNSSEC, Severity::High, format!("Validation fails: {}.", a.clause()))
            .evidence("/dns/a/rcode")
            .evidence("/dns/a/extended/0/purpose")
            .evidence("/dns/aUnvalidated/status")
            .confidence(if comes { Confidence::High } else { Confidence::Medium })
            .fix("Mend the zone's signatures or its DS record; validating resolvers refuse the name until then.")
            .add(findings);
    }
    case.inconclusive(DNSSEC, a.clause())
        .evidence("/dns/a/rcode")
        .add(findings);
}

/// Whether validation can have failed at all: not for a plain answer of a zone
/// that has no DS record.
fn may_be_signed(case: &Case<'_>, unvalidated: &Exchange) -> bool {
    let zone = case.probes.zone.as_ref();
    let no_ds =
        zone.is_some_and(|zone| matches!(zone.ds.status, Status::NoData | Status::NxDomain));
    !no_ds || !unvalidated.signatures.is_empty() || unvalidated.aliases().next().is_some()
}

fn algorithm(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let keys = zone.dnskey.iter().flat_map(|exchange| exchange.data());
    let mut used: BTreeSet<u8> = keys
        .filter_map(|data| match data {
            Data::Dnskey { algorithm, .. } => Some(*algorithm),
            _ => None,
        })
        .collect();
    let mut weak_digest = false;
    for data in zone.ds.data() {
        if let Data::Ds {
            algorithm,
            digest_type,
            ..
        } = data
        {
            used.insert(*algorithm);
            weak_digest |= *digest_type == 1;
        }
    }
    let named = |which: fn(u8) -> bool| -> Vec<&str> {
        let numbers = used.iter().copied().filter(|number| which(*number));
        numbers.map(algorithm_name).collect()
    };
    let names = named(|_| true);
    let weak = named(is_weak);
    let evidence = "/zone/dnskey/records";
    if let Some(unsure) = [Some(&zone.ds), zone.dnskey.as_ref()]
        .into_iter()
        .flatten()
        .find(|exchange| !exchange.is_conclusive())
    {
        return case
            .inconclusive(ALGORITHM, unsure.clause())
            .evidence("/zone/ds/status")
            .evidence("/zone/dnskey/status")
            .add(findings);
    }
    if used.is_empty() {
        return case
            .not_applicable(ALGORITHM, "The zone is not signed.")
            .evidence("/zone/ds/status")
            .add(findings);
    }
    let short = short_key(zone);
    let strange = used
        .iter()
        .copied()
        .find(|number| !is_weak(*number) && !is_current(*number));
    let draft = match (!weak.is_empty(), weak_digest) {
        _ if !points_to_a_key(zone) => case
            .fail(
                ALGORITHM,
                Severity::High,
                "No DS record of the parent points to a key of the zone.",
            )
            .fix("Have the registrar publish a DS record of the key that signs the zone's keys."),
        (true, _) => case
            .warn(
                ALGORITHM,
                Severity::Medium,
                format!(
                    "The zone is signed with {}, which validators no longer trust.",
                    weak.join(", ")
                ),
            )
            .fix("Roll the keys to ECDSAP256SHA256 or ED25519."),
        (false, _) if strange.is_some() => case
            .warn(
                ALGORITHM,
                Severity::Low,
                format!(
                    "The zone is signed with algorithm {}, which few validators know: to others it is not signed.",
                    strange.unwrap_or_default()
                ),
            )
            .fix("Roll the keys to ECDSAP256SHA256 or ED25519."),
        (false, true) => case
            .warn(
                ALGORITHM,
                Severity::Low,
                "The parent's DS record uses SHA-1.",
            )
            .fix("Publish a DS record with SHA-256."),
        (false, false) if short.is_some() => case
            .warn(
                ALGORITHM,
                Severity::Low,
                format!(
                    "An RSA key of the zone has {} bits; 2048 are advised.",
                    short.unwrap_or_default()
                ),
            )
            .fix("Roll the keys to ECDSAP256SHA256 or ED25519."),
        (false, false) => case.pass(
            ALGORITHM,
            format!("The zone is signed with {}.", names.join(", ")),
        ),
    };
    draft
        .evidence(evidence)
        .evidence("/zone/ds/records")
        .add(findings);
}

/// What must not be used to sign (RFC 9904, RFC 9905, RFC 9906).
fn is_weak(algorithm: u8) -> bool {
    matches!(algorithm, 1 | 3 | 5 | 6 | 7 | 12)
}

/// What validators know (RFC 9904).
fn is_current(algorithm: u8) -> bool {
    matches!(algorithm, 8 | 10 | 13..=16)
}

/// Bits of the shortest RSA key, where that is too short (NIST SP 800-57;
/// signatures live for weeks).
fn short_key(zone: &Zone) -> Option<u32> {
    let keys = zone.dnskey.iter().flat_map(|exchange| exchange.data());
    keys.filter_map(|data| match data {
        Data::Dnskey {
            algorithm: 1 | 5 | 7 | 8 | 10,
            bits,
            ..
        } => Some(*bits),
        _ => None,
    })
    .filter(|bits| (1..2048).contains(bits))
    .min()
}

/// Whether a DS record names a key of the zone by tag and algorithm; not
/// having one counts as yes. Whether the digest is right is the resolver's verdict.
fn points_to_a_key(zone: &Zone) -> bool {
    let Some(dnskey) = zone.dnskey.as_ref().filter(|keys| keys.is_conclusive()) else {
        return true;
    };
    let keys: BTreeSet<(u16, u8)> = dnskey
        .data()
        .filter_map(|data| match data {
            Data::Dnskey {
                key_tag, algorithm, ..
            } => Some((*key_tag, *algorithm)),
            _ => None,
        })
        .collect();
    let mut ds = zone
        .ds
        .data()
        .filter_map(|data| match data {
            Data::Ds {
                key_tag, algorithm, ..
            } => Some((*key_tag, *algorithm)),
            _ => None,
        })
        .peekable();
    ds.peek().is_none() || ds.any(|named| keys.contains(&named))
}

fn denial(case: &Case<'_>, zone: &Zone, findings: &mut Vec<Finding>) {
    let evidence = "/zone/wildcard/denial";
    let nsec3 = zone
        .wildcard
        .authority
        .iter()
        .find_map(|record| match &record.data {
            Data::Nsec3 {
                iterations,
                salt_length,
                opt_out,
                ..
            } => Some((*iterations, *salt_length, *opt_out)),
            _ => None,
        });
    let nsec = zone
        .wildcard
        .authority
        .iter()
        .any(|record| record.rtype == Rtype::NSEC);
    match nsec3 {
        Some((0, 0, _)) => case
            .pass(DENIAL, "NSEC3 without iterations or salt.")
            .evidence(evidence)
            .add(findings),
        Some((iterations, salt, _)) => case
            .warn(
                DENIAL,
                Severity::Low,
                format!(
                    "NSEC3 with {} and {} of salt.",
                    counted(iterations, "iteration", "iterations"),
                    counted(salt, "octet", "octets"),
                ),
            )
            .evidence(evidence)
            .fix("Set iterations to 0 and the salt to none.")
            .add(findings),
        None if zone.denies_alone() => case
            .pass(
                DENIAL,
                "NSEC made for each question: the names of the zone cannot be walked.",
            )
            .evidence(evidence)
            .add(findings),
        None if nsec => case
            .info(DENIAL, "NSEC: the names of the zone can be walked.")
            .evidence(evidence)
            .add(findings),
        None if zone.wildcard.is_conclusive() => {
            case.not_applicable(DENIAL, "No proof of absence was sent.")
                .evidence("/zone/wildcard/status")
                .add(findings);
        }
        None => case
            .inconclusive(DENIAL, zone.wildcard.clause())
            .evidence("/zone/wildcard/status")
            .add(findings),
    }
}
