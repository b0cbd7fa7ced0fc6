//! What the host's HTTPS records tell browsers (RFC 9460).

use super::{SERVICE, answered};
use crate::check::Case;
use crate::guard::text::clean;
use crate::probe::dns::Exchange;
use crate::probe::rdata::{Data, Param};
use crate::report::{Finding, Severity};

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(https) = answered(case, SERVICE, "https", findings) else {
        return;
    };
    let draft = match (fault(https), alias(https)) {
        (Some(fault), _) => case
            .warn(
                SERVICE,
                Severity::Low,
                format!("An HTTPS record is malformed ({fault}): browsers discard all that the host has."),
            )
            .fix("Correct the record's parameters."),
        (None, Some(".")) => case.info(
            SERVICE,
            "An HTTPS record says that the service is not there; browsers may try all the same.",
        ),
        (None, Some(target)) => case.info(
            SERVICE,
            format!("An HTTPS record makes the host an alias of {}.", clean(target, 120)),
        ),
        (None, None) => case.info(SERVICE, services(https)),
    };
    let draft = match https.data().next() {
        None => draft.evidence("/dns/https/status"),
        Some(_) => draft,
    };
    draft.evidence("/dns/https/records").add(findings);
}

fn services(https: &Exchange) -> String {
    if https.data().next().is_none() {
        return String::from("No HTTPS record.");
    }
    let usable = usable(https);
    if usable.is_empty() {
        return String::from(
            "The HTTPS record makes a parameter mandatory that is not registered: browsers that do not know it pass it over.",
        );
    }
    let mut told: Vec<String> = usable
        .into_iter()
        .flatten()
        .filter_map(|param| match param.key.as_str() {
            "alpn" => Some(clean(&param.value, 40)),
            "ech" => Some(String::from("Encrypted Client Hello")),
            _ => None,
        })
        .collect();
    told.sort();
    told.dedup();
    match told.as_slice() {
        [] => String::from("An HTTPS record is published."),
        told => format!("An HTTPS record tells browsers about {}.", told.join(", ")),
    }
}

/// The parameters of each record that a browser uses: none where one is
/// malformed or leads on (RFC 9460 sections 2.2 and 2.4.1), nor those that make
/// mandatory what is not registered (section 8).
pub(in crate::check) fn usable(https: &Exchange) -> Vec<&[Param]> {
    if fault(https).is_some() || alias(https).is_some() {
        return Vec::new();
    }
    https
        .data()
        .filter_map(|data| match data {
            Data::Svcb { params, .. } => Some(params.as_slice()),
            _ => None,
        })
        .filter(|params| !params.iter().any(is_beyond))
        .collect()
}

fn is_beyond(param: &Param) -> bool {
    let mut keys = param.value.split(',');
    param.key == "mandatory" && keys.any(|key| key.starts_with("key"))
}

/// Why the records are discarded, where they are.
fn fault(https: &Exchange) -> Option<&'static str> {
    https.data().find_map(|data| match data {
        Data::Svcb { fault, .. } => *fault,
        Data::Other { .. } => Some("its data breaks the wire format"),
        _ => None,
    })
}

/// Where a record leads that only leads on; it has precedence.
fn alias(https: &Exchange) -> Option<&str> {
    https.data().find_map(|data| match data {
        Data::Svcb {
            priority: 0,
            target,
            ..
        } => Some(target.as_str()),
        _ => None,
    })
}
