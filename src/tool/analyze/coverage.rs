//! How much of what was tried came back. Questions that do not arise (a port
//! that is not probed) are not attempts.

use super::Coverage;
use crate::probe::Failure;
use crate::probe::exposure::Outcome;
use crate::probe::http::{End, Journey};
use crate::probe::plan::{NOT_PROBED, Probes, RECORDS};
use crate::probe::tls::Refused;

/// Counts every question once.
pub(super) fn of(probes: &Probes) -> Coverage {
    let mut count = Count::default();
    dns(probes, &mut count);
    for handshake in [&probes.tls.web, &probes.tls.only_12] {
        match handshake {
            Some(Ok(_) | Err(Refused::Declined(_))) => count.had(true),
            Some(Err(Refused::Failed(failure))) => count.failed(failure),
            None => count.had(false),
        }
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
        Some(Err(_)) | None => count.had(false),
    }
    Coverage::of(count.completed, count.attempted)
}

fn dns(probes: &Probes, count: &mut Count) {
    if probes.url.name().is_none() {
        return;
    }
    let members = RECORDS.iter().map(|(member, _)| *member).chain(["dmarc"]);
    for member in members {
        count.had(
            probes
                .records(member)
                .is_some_and(|exchange| exchange.is_conclusive()),
        );
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
            Failure::Skipped(NOT_PROBED) => {}
            _ => self.had(false),
        }
    }
}
