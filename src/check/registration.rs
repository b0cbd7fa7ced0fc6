//! What the registries say of the domain, held against what the zone says,
//! and of the network that the host's address belongs to.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Case, Check};
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::dns::Status;
use crate::probe::registration::{Nothing, Registration};
use crate::probe::zone::is_within;
use crate::report::{Finding, Severity, counted};

checks! {
    REGISTRAR {
        id: "registration.registrar",
        about: "With whom the domain is registered, and since when.",
        reference: "RFC 9083 section 5.3",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}",
        maps_to: [],
    }

    EXPIRY {
        id: "registration.expiry",
        about: "How many days the registration still runs. After it everything that has this name is \
            somebody else's to have.",
        when: [
            Fail "It has ended.",
            Warn "Fewer than 30 days are left.",
        ],
        reference: "RFC 9083 section 4.5",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}",
        maps_to: ["cwe:672"],
    }

    LOCKS {
        id: "registration.status",
        about: "Whether the registration is locked against being moved away, and not on hold or about to be \
            deleted.",
        when: [
            Fail "It is on hold, in the redemption period or about to be deleted.",
            Warn "No status prohibits a transfer or locks the whole.",
        ],
        reference: "RFC 8056 section 2; ICANN EPP status codes",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}",
        maps_to: [],
    }

    SERVERS {
        id: "registration.name_servers",
        about: "Whether the registry names the same name servers as the zone itself.",
        reference: "RFC 9083 section 5.2; RFC 1034 section 4.2.2",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}; dig {zone} NS +short",
        maps_to: ["zonemaster:CONSISTENCY05"],
    }

    SIGNED {
        id: "registration.dnssec",
        about: "Whether the registry and DNS agree on the domain's DNSSEC delegation.",
        reference: "RFC 9083 section 5.3",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}; dig {zone} DS +short",
        maps_to: [],
    }

    ABUSE {
        id: "registration.abuse_contact",
        about: "Whether there is an address for complaints about the domain.",
        reference: "RFC 9083 section 5.1",
        reproduce: "curl -sSL https://rdap.org/domain/{zone}",
        maps_to: [],
    }

    NETWORK {
        id: "registration.network",
        about: "Whose network the host's first address belongs to, and in which country that is registered.",
        reference: "RFC 9083 section 5.4",
        reproduce: "curl -sSL https://rdap.org/ip/{ip}",
        maps_to: [],
    }
}

const DAY: i64 = 86_400;

/// Days of a year, as ages are told.
const YEAR: i64 = 365;

/// Days from which on a registration that ends deserves a word.
const SOON: i64 = 30;

/// Days after which a registration is no longer new.
const NEW: i64 = 30;

/// Checks that need the domain's registration.
const OF_DOMAIN: [&Check; 6] = [REGISTRAR, EXPIRY, LOCKS, SERVERS, SIGNED, ABUSE];

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    network(case, findings);
    if case.probes.url.name().is_none() {
        for check in OF_DOMAIN {
            case.not_applicable(check, "The target is an address, not a name.")
                .add(findings);
        }
        return;
    }
    let domain = match &case.probes.registration.domain {
        Some(Ok(domain)) => domain,
        other => {
            for check in OF_DOMAIN {
                unknown(case, check, other.as_ref(), findings);
            }
            return;
        }
    };
    let first = findings.len();
    registrar(case, domain, findings);
    expiry(case, domain, findings);
    locks(case, domain, findings);
    servers(case, domain, findings);
    signed(case, domain, findings);
    abuse(case, domain, findings);
    for finding in findings.iter_mut().skip(first) {
        at_its_place(case, domain, finding);
    }
}

/// Lets the command ask for the domain that was found: it may lie above the
/// zone.
fn at_its_place(case: &Case<'_>, domain: &Registration, finding: &mut Finding) {
    let name = domain.name.trim_end_matches('.').to_ascii_lowercase();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-.".contains(&b);
    if let Some(zone) = &case.probes.zone
        && is_within(&zone.apex, &name)
        && name.bytes().all(plain)
    {
        let (asked, found) = (&zone.apex, format!("/domain/{name}"));
        finding.reproduce = finding
            .reproduce
            .replace(&format!("/domain/{asked}"), &found);
    }
}

/// Why there is no registration. Registries without RDAP, and names of which
/// a registry knows nothing, are no fault of the target.
fn unknown(
    case: &Case<'_>,
    check: &Check,
    found: Option<&Result<Registration, Nothing>>,
    findings: &mut Vec<Finding>,
) {
    let draft = match found {
        Some(Err(Nothing::Failed(failure))) => case.unmeasured(check, failure),
        Some(Err(Nothing::NotFound)) => {
            case.inconclusive(check, "the registration service knows nothing of it")
        }
        _ => case.unmeasured(check, &Failure::TimedOut),
    };
    draft.fill("{ip}", &first_address(case)).add(findings);
}

fn first_address(case: &Case<'_>) -> String {
    let resolution = case.probes.resolution.as_ref();
    let first = resolution.and_then(|resolution| resolution.first());
    first.map_or(String::new(), |address| address.ip().to_string())
}

/// A moment in RFC 3339. Some registries leave out the offset, or the time of
/// day: they mean UTC.
fn read(moment: &str) -> Option<OffsetDateTime> {
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
    let moment = moment.replacen(' ', "T", 1);
    parse(&moment)
        .or_else(|| parse(&format!("{moment}Z")))
        .or_else(|| parse(&format!("{moment}T00:00:00Z")))
}

/// Days from now until a moment; negative when it has passed.
fn days_until(case: &Case<'_>, moment: &str) -> Option<i64> {
    let at = read(moment)?.unix_timestamp();
    let now = i64::try_from(case.probes.now_ms / 1000).ok()?;
    Some((at - now).div_euclid(DAY))
}

fn registrar(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    let registrar = domain
        .registrar
        .as_deref()
        .unwrap_or("a registrar that is not named");
    let age = domain
        .created
        .as_deref()
        .and_then(|created| days_until(case, created));
    let title = match age {
        Some(left) if left > -NEW => format!(
            "Registered with {registrar} {} ago: the domain is new.",
            counted(-left, "day", "days")
        ),
        Some(left) if left > -YEAR => format!(
            "Registered with {registrar} for {}.",
            counted(-left, "day", "days")
        ),
        Some(left) => format!(
            "Registered with {registrar} for {}.",
            counted(-left / YEAR, "year", "years")
        ),
        None => format!("Registered with {registrar}."),
    };
    case.info(REGISTRAR, title)
        .evidence("/registration/domain/registrar")
        .evidence("/registration/domain/created")
        .evidence("/registration/domain/changed")
        .add(findings);
}

fn expiry(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    let left = domain
        .expires
        .as_deref()
        .and_then(|expires| days_until(case, expires));
    let fix = "Renew the registration, and let it renew itself.";
    match left {
        None if domain.expires.is_some() => {
            case.inconclusive(EXPIRY, "the registry's date is not understandable")
        }
        None => case.inconclusive(EXPIRY, "the registry does not say when it ends"),
        Some(left) if left < 0 => case
            .fail(
                EXPIRY,
                Severity::High,
                format!(
                    "The registration ended {} ago.",
                    counted(-left, "day", "days")
                ),
            )
            .fix(fix),
        Some(left) if left < SOON => case
            .warn(
                EXPIRY,
                Severity::Medium,
                format!("The registration ends in {}.", counted(left, "day", "days")),
            )
            .fix(fix),
        Some(left) => case.pass(
            EXPIRY,
            format!(
                "The registration runs for another {}.",
                counted(left, "day", "days")
            ),
        ),
    }
    .evidence("/registration/domain/expires")
    .add(findings);
}

/// EPP writes `clientTransferProhibited`, RDAP `client transfer prohibited`.
fn is_status(status: &str, words: &str) -> bool {
    let bare = |text: &str| text.replace([' ', '-', '_'], "").to_ascii_lowercase();
    bare(status).contains(&bare(words))
}

fn locks(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    let has = |words: &str| {
        domain
            .object_status
            .iter()
            .any(|status| is_status(status, words))
    };
    let ending = ["pending delete", "redemption period"]
        .into_iter()
        .find(|words| has(words));
    let held = ["client hold", "server hold"]
        .into_iter()
        .find(|words| has(words));
    if let Some(words) = ending {
        case.fail(
            LOCKS,
            Severity::High,
            format!("The registration is about to be lost ({words})."),
        )
        .fix("Ask the registrar at once; in the redemption period it can still be brought back.")
    } else if let Some(words) = held {
        case.fail(
            LOCKS,
            Severity::High,
            format!("The registry keeps the domain out of DNS ({words})."),
        )
        .fix("Ask the registrar why.")
    } else if has("transfer prohibited") || domain.object_status.iter().any(|s| s == "locked") {
        case.pass(
            LOCKS,
            "The registration is locked against being moved to another registrar.",
        )
    } else if domain.object_status.is_empty() {
        case.inconclusive(LOCKS, "the registry names no status")
    } else {
        case.warn(
            LOCKS,
            Severity::Low,
            "Nothing keeps the registration from being moved to another registrar.",
        )
        .fix("Have the registrar set the transfer lock (clientTransferProhibited).")
    }
    .evidence("/registration/domain/objectStatus")
    .add(findings);
}

fn servers(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    let zone = match &case.probes.zone {
        Some(zone) if zone.ns.is_conclusive() => zone,
        _ => {
            return case
                .inconclusive(SERVERS, "the zone's own name servers are not known")
                .evidence("/registration/domain/nameServers")
                .add(findings);
        }
    };
    let registered: BTreeSet<&str> = domain.name_servers.iter().map(String::as_str).collect();
    let served: BTreeSet<String> = zone
        .ns
        .targets()
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    let served: BTreeSet<&str> = served.iter().map(String::as_str).collect();
    let listed = |names: Vec<&&str>| {
        let names: Vec<String> = names.iter().take(4).map(|name| clean(name, 80)).collect();
        names.join(", ")
    };
    let only_registered = listed(registered.difference(&served).collect());
    let only_served = listed(served.difference(&registered).collect());
    let same_zone = zone
        .apex
        .eq_ignore_ascii_case(domain.name.trim_end_matches('.'));
    let draft = if !same_zone {
        case.not_applicable(SERVERS, "The host's zone lies below the registered domain.")
    } else if registered.is_empty() {
        case.inconclusive(SERVERS, "the registry names no name servers")
    } else if registered == served {
        case.pass(SERVERS, "Registry and zone name the same name servers.")
    } else {
        let mut parts = Vec::new();
        if !only_registered.is_empty() {
            parts.push(format!("only the registry names {only_registered}"));
        }
        if !only_served.is_empty() {
            parts.push(format!("only the zone names {only_served}"));
        }
        case.warn(
            SERVERS,
            Severity::Medium,
            format!("Registry and zone differ: {}.", parts.join("; ")),
        )
        .fix("Name the same servers in the zone and at the registrar.")
    };
    draft
        .evidence("/registration/domain/nameServers")
        .evidence("/zone/ns/records")
        .add(findings);
}

fn signed(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    let ds = case.probes.zone.as_ref().map(|zone| &zone.ds);
    let in_dns = ds
        .filter(|ds| ds.is_conclusive())
        .map(|ds| ds.status == Status::Answer);
    let same_zone = case.probes.zone.as_ref().is_some_and(|zone| {
        zone.apex
            .eq_ignore_ascii_case(domain.name.trim_end_matches('.'))
    });
    match (domain.delegation_signed, in_dns) {
        (_, Some(_)) if !same_zone => {
            case.not_applicable(SIGNED, "The host's zone lies below the registered domain.")
        }
        (Some(true), Some(true)) => {
            case.pass(SIGNED, "Registry and DNS both have the DNSSEC delegation.")
        }
        (Some(false), Some(false)) => {
            case.info(SIGNED, "Neither registry nor DNS has a DNSSEC delegation.")
        }
        (Some(true), Some(false)) => case
            .warn(
                SIGNED,
                Severity::Medium,
                "The registry says that the delegation is signed, but DNS has no DS record.",
            )
            .fix("Ask the registrar why the DS record is not published."),
        (Some(false), Some(true)) => case
            .warn(
                SIGNED,
                Severity::Low,
                "DNS has a DS record that the registry does not mention.",
            )
            .fix("Wait for the registry's data to catch up, or ask the registrar."),
        (None, _) => case.inconclusive(SIGNED, "the registry does not say"),
        (_, None) => case.inconclusive(SIGNED, "nobody could say whether DNS has a DS record"),
    }
    .evidence("/registration/domain/delegationSigned")
    .evidence("/zone/ds/status")
    .add(findings);
}

fn abuse(case: &Case<'_>, domain: &Registration, findings: &mut Vec<Finding>) {
    match &domain.abuse {
        Some(contact) => case.info(ABUSE, format!("Complaints go to {contact}.")),
        None => case.info(ABUSE, "The registry names no address for complaints."),
    }
    .evidence("/registration/domain/abuse")
    .add(findings);
}

fn network(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let network = match &case.probes.registration.network {
        Some(Ok(network)) => network,
        other => return unknown(case, NETWORK, other.as_ref(), findings),
    };
    let holder = network
        .holder
        .as_deref()
        .unwrap_or("a holder that is not named");
    let country = network
        .country
        .as_deref()
        .map_or(String::new(), |code| format!(", registered in {code}"));
    case.info(
        NETWORK,
        format!(
            "The address belongs to {}, held by {holder}{country}.",
            network.name
        ),
    )
    .evidence("/registration/network/range")
    .evidence("/registration/network/holder")
    .evidence("/registration/network/country")
    .fill("{ip}", &first_address(case))
    .add(findings);
}

#[cfg(test)]
mod tests {
    use super::is_status;

    #[test]
    fn a_status_is_known_in_both_spellings() {
        assert!(is_status(
            "client transfer prohibited",
            "transfer prohibited"
        ));
        assert!(is_status("clientTransferProhibited", "transfer prohibited"));
        assert!(!is_status(
            "client update prohibited",
            "transfer prohibited"
        ));
    }
}
