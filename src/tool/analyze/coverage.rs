//! How much of what was tried came back. Questions that do not arise (a port
//! that is not probed) are not attempts.

use super::Coverage;
use crate::probe::Failure;
use crate::probe::dns::{Exchange, Rtype};
use crate::probe::exposure::Outcome;
use crate::probe::files;
use crate::probe::host::Resolution;
use crate::probe::http::{End, Journey};
use crate::probe::plan::{Probes, RECORDS};
use crate::probe::registration::Nothing;
use crate::probe::tls::Refused;
use crate::probe::transfer;

/// Counts every question once.
pub(super) fn of(probes: &Probes) -> Coverage {
    let mut count = Count::default();
    dns(probes, &mut count);
    address(probes, &mut count);
    mail(probes, &mut count);
    for outcome in probes.tls.outcomes() {
        match outcome {
            Some(Ok(()) | Err(Refused::Declined(_))) => count.had(true),
            Some(Err(Refused::Failed(failure))) => count.failed(failure),
            None => count.had(false),
        }
    }
    match &probes.ct {
        Some(Ok(_)) => count.had(true),
        Some(Err(failure)) => count.failed(failure),
        None => count.had(false),
    }
    for journey in [&probes.https, &probes.http] {
        match journey {
            Some(Ok(Journey {
                end: End::Failed(failure),
                ..
            })) => count.failed(failure),
            Some(Ok(_)) => count.had(true),
            Some(Err(failure)) => count.failed(failure),
            None => count.had(false),
        }
    }
    match &probes.exposure {
        Some(Ok(exposure)) => {
            for answer in std::iter::once(&exposure.control).chain(&exposure.paths) {
                count.had(matches!(answer.outcome, Outcome::Answered { .. }));
            }
        }
        Some(Err(failure)) => count.failed(failure),
        None => count.had(false),
    }
    match &probes.files {
        Some(Ok(files)) => {
            for answer in &files.0 {
                count.had(matches!(answer.outcome, files::Outcome::Answered(_)));
            }
        }
        Some(Err(failure)) => count.failed(failure),
        None => count.had(false),
    }
    match &probes.foreign {
        Some(foreign) => {
            for answer in [&foreign.any, &foreign.null, &foreign.lookalike] {
                match answer {
                    Err(failure) => count.failed(failure),
                    Ok(_) => count.had(true),
                }
            }
        }
        None => count.had(false),
    }
    registration(probes, &mut count);
    Coverage::of(count.completed, count.attempted)
}

fn registration(probes: &Probes, count: &mut Count) {
    let asked = [
        (probes.url.name().is_some(), &probes.registration.domain),
        (
            probes
                .resolution
                .as_ref()
                .and_then(Resolution::first)
                .is_some(),
            &probes.registration.network,
        ),
    ];
    for (_, found) in asked.iter().filter(|(arises, _)| *arises) {
        match found {
            Some(Ok(_) | Err(Nothing::NotFound)) => count.had(true),
            Some(Err(Nothing::Failed(failure))) => count.failed(failure),
            None => count.had(false),
        }
    }
}

fn dns(probes: &Probes, count: &mut Count) {
    if probes.url.name().is_none() {
        return;
    }
    for (member, _) in RECORDS.iter().chain([&("dmarc", Rtype::TXT)]) {
        count.had(probes.records(member).is_some_and(Exchange::is_conclusive));
    }
    match probes.caa.last() {
        Some(last) => count.had(last.is_conclusive()),
        None => count.had(false),
    }
    let Some(zone) = &probes.zone else {
        return count.had(false);
    };
    for exchange in [&zone.soa, &zone.ns, &zone.ds, &zone.wildcard]
        .into_iter()
        .chain(&zone.dnskey)
    {
        count.had(exchange.is_conclusive());
    }
    for server in &zone.servers {
        for exchange in std::iter::once(&server.v4).chain(&server.v6) {
            count.had(exchange.is_conclusive());
        }
        match server.direct.as_ref().map(|said| &said.outcome) {
            Some(transfer::Outcome::Failed(failure)) => count.failed(failure),
            Some(_) => count.had(true),
            None => {}
        }
    }
}

/// Lookups about mail that were made at all: which those are depends on what
/// the first ones said.
fn mail(probes: &Probes, count: &mut Count) {
    let mail = &probes.mail;
    for server in mail.servers.iter().flatten() {
        let asked = std::iter::once(&server.v4)
            .chain(&server.v6)
            .chain(&server.tlsa);
        for exchange in asked {
            count.had(exchange.is_conclusive());
        }
    }
    for exchange in mail.tls_rpt.iter().chain(&mail.bimi) {
        count.had(exchange.is_conclusive());
    }
    if let Some(walk) = &mail.spf {
        count.had(walk.unsure.is_none());
    }
    if let Some(found) = &mail.dmarc {
        count.had(found.unsure.is_none());
    }
    if let Some(keys) = mail.dkim.as_ref().filter(|keys| !keys.tried.is_empty()) {
        count.had(keys.unsure.is_none());
    }
    if let Some(sts) = &mail.sts {
        count.had(sts.record.is_conclusive());
        match &sts.policy {
            Some(Ok(_)) => count.had(true),
            Some(Err(failure)) => count.failed(failure),
            None => {}
        }
    }
}

fn address(probes: &Probes, count: &mut Count) {
    if let Some(reverse) = &probes.reverse {
        count.had(reverse.ptr.is_conclusive());
    }
    if let Some(origin) = &probes.origin {
        count.had(origin.is_ok());
    }
    if let Some(hop) = &probes.other_family {
        match &hop.outcome {
            Ok(_) => count.had(true),
            Err(failure) => count.failed(failure),
        }
    }
    for system in &probes.systems {
        count.had(system.is_ok());
    }
}

#[derive(Default)]
struct Count {
    attempted: u32,
    completed: u32,
}

impl Count {
    fn had(&mut self, answer: bool) {
        self.attempted += 1;
        self.completed += u32::from(answer);
    }

    fn failed(&mut self, failure: &Failure) {
        match failure {
            Failure::Skipped(_) => {}
            _ => self.had(false),
        }
    }
}
