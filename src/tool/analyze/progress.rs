//! What of an analysis is there already, for callers who watch it happen:
//! the board of the plan, read as parts that each end once.

use std::cell::Cell;
use std::rc::Rc;

use crate::guard::text::clean;
use crate::port::Clock;
use crate::probe::Failure;
use crate::probe::dns::{Exchange, Rtype};
use crate::probe::host::Resolution;
use crate::probe::http::{End, Journey};
use crate::probe::mail::{self, Mail};
use crate::probe::plan::{Probes, RECORDS, Watch};
use crate::probe::registration::Nothing;
use crate::probe::tls::Refused;
use crate::report::counted;
use crate::tool::Errand;
use crate::tool::part::{ANALYZE, Part, Standing};

/// Characters of a note.
const NOTE_LIMIT: usize = 96;

/// How a part ended, or `None` while it has not.
type Seen = Option<(Standing, String)>;

/// How each of [`ANALYZE`] is read off the board.
const SEEN: [fn(&Probes) -> Seen; ANALYZE.len()] = [
    addresses,
    |probes| of_a_name(probes, records),
    |probes| of_a_name(probes, zone),
    |probes| of_a_name(probes, mail),
    network,
    tls,
    |probes| journey(probes.https.as_ref()),
    |probes| journey(probes.http.as_ref()),
    exposure,
    logged,
    registered,
];

/// Tells a watcher of each part once, when it ends.
pub(super) struct Progress {
    clock: Rc<dyn Clock>,
    began: u64,
    tell: Rc<dyn Fn(Part)>,
    ended: [Cell<bool>; ANALYZE.len()],
}

impl Progress {
    /// Names every part to whoever watches `errand`; `None` when nobody does.
    pub(super) fn begin(errand: &Errand) -> Option<Rc<Progress>> {
        let tell = errand.watcher.clone()?;
        let clock = Rc::clone(&errand.world.clock);
        let progress = Progress {
            began: clock.now_ms(),
            clock,
            tell,
            ended: Default::default(),
        };
        for id in ANALYZE {
            progress.tell(id, Standing::Waiting, String::new());
        }
        Some(Rc::new(progress))
    }

    /// What the plan calls after each note on its board.
    pub(super) fn watch(self: &Rc<Progress>) -> Watch {
        let progress = Rc::clone(self);
        Rc::new(move |probes| progress.look(probes))
    }

    /// Nothing is told before it is known whether the host may be touched, and
    /// nothing more when it may not: what a name resolves to, if not to public
    /// addresses, is nobody's to learn here.
    fn look(&self, probes: &Probes) {
        let Some(resolution) = &probes.resolution else {
            return;
        };
        if matches!(resolution, Resolution::Refused(_)) {
            return self.rest(Standing::Skipped, "no public address");
        }
        for ((id, seen), ended) in ANALYZE.iter().zip(SEEN).zip(&self.ended) {
            if ended.get() {
                continue;
            }
            if let Some((standing, note)) = seen(probes) {
                ended.set(true);
                self.tell(id, standing, note);
            }
        }
    }

    /// The work is over: what has not ended by now was given up.
    pub(super) fn close(&self) {
        self.rest(Standing::Unfinished, "");
    }

    /// Ends every part that has not ended.
    fn rest(&self, standing: Standing, note: &str) {
        for (id, ended) in ANALYZE.iter().zip(&self.ended) {
            if !ended.replace(true) {
                self.tell(id, standing, note.to_owned());
            }
        }
    }

    fn tell(&self, id: &'static str, state: Standing, note: String) {
        (self.tell)(Part {
            id,
            state,
            ms: self.clock.now_ms().saturating_sub(self.began),
            note: clean(&note, NOTE_LIMIT),
        });
    }
}

fn addresses(probes: &Probes) -> Seen {
    Some(match probes.resolution.as_ref()? {
        Resolution::Judged(found) if found.is_empty() => (Standing::Done, String::from("none")),
        Resolution::Judged(found) => {
            let shown: Vec<String> = found.iter().map(|at| at.ip().to_string()).collect();
            (Standing::Done, shown.join(", "))
        }
        Resolution::Refused(_) => return None,
        Resolution::Unknown(why) => (Standing::Failed, why.clone()),
        Resolution::Dangling(name) => {
            (Standing::Done, format!("an alias of {name}, which is gone"))
        }
    })
}

/// What is only asked about a name.
fn of_a_name(probes: &Probes, seen: fn(&Probes) -> Seen) -> Seen {
    match probes.url.name() {
        Some(_) => seen(probes),
        None => skipped("an address has none"),
    }
}

/// The questions about the host itself, once each has its answer.
fn records(probes: &Probes) -> Seen {
    let mut answers = Vec::new();
    for (member, _) in RECORDS.iter().chain([&("dmarc", Rtype::TXT)]) {
        answers.push(probes.records(member)?);
    }
    let answered = answers
        .iter()
        .filter(|answer| answer.is_conclusive())
        .count();
    let found: usize = answers.iter().map(|answer| answer.records.len()).sum();
    Some(match answered {
        0 => (Standing::Failed, String::from("no question was answered")),
        n if n < answers.len() => (
            Standing::Done,
            format!("{n} of {} questions answered", answers.len()),
        ),
        _ => (Standing::Done, format!("{found} found")),
    })
}

fn zone(probes: &Probes) -> Seen {
    let zone = probes.zone.as_ref()?;
    let answered = zone.servers.iter().filter(|server| {
        server.v4.is_conclusive() || server.v6.as_ref().is_some_and(|v6| v6.is_conclusive())
    });
    let signed = zone
        .ds
        .records
        .iter()
        .any(|record| record.rtype == Rtype::DS);
    let note = format!(
        "{}, {}, {}",
        zone.apex,
        counted(answered.count(), "name server", "name servers"),
        if signed { "signed" } else { "not signed" }
    );
    Some(match Exchange::is_conclusive(&zone.ns) {
        true => (Standing::Done, note),
        false => (
            Standing::Failed,
            String::from("the name servers were not learned"),
        ),
    })
}

/// What the domain says about its mail, once all that arises has its answer.
fn mail(probes: &Probes) -> Seen {
    let Mail {
        servers,
        spf,
        dmarc,
        dkim,
        sts,
        ..
    } = &probes.mail;
    let (mx, txt) = (probes.records("mx")?, probes.records("txt")?);
    let (dmarc, dkim) = (dmarc.as_ref()?, dkim.as_ref()?);
    let takes_mail = mail::takes_mail(mx);
    let walked = spf.is_some() || !mail::spf::is_walked(txt);
    let met = servers.is_some() || !mx.is_conclusive();
    if !walked || !met || takes_mail && sts.is_none() {
        return None;
    }
    if ![mx, txt].iter().any(|asked| asked.is_conclusive()) && dmarc.unsure.is_some() {
        return Some((Standing::Failed, String::from("no question was answered")));
    }
    let taken = match servers.as_ref().map_or(0, Vec::len) {
        _ if !mx.is_conclusive() => String::from("servers not learned"),
        _ if !takes_mail => String::from("takes no mail"),
        n => counted(n, "server", "servers") + " looked up",
    };
    let said = [
        ("SPF", spf.is_some()),
        ("DMARC", dmarc.record.is_some()),
        ("DKIM", !dkim.found.is_empty()),
        (
            "MTA-STS",
            sts.as_ref().is_some_and(|sts| sts.policy.is_some()),
        ),
    ];
    let said: Vec<&str> = said
        .iter()
        .filter(|(_, found)| *found)
        .map(|(name, _)| *name)
        .collect();
    Some((
        Standing::Done,
        match said.is_empty() {
            true => taken,
            false => format!("{taken}; {}", said.join(", ")),
        },
    ))
}

fn network(probes: &Probes) -> Seen {
    if !probes.asks_origin {
        return skipped("this installation does not ask who announces an address");
    }
    if probes.resolution.as_ref()?.first().is_none() {
        return skipped("no address to ask about");
    }
    Some(match probes.origin.as_ref()? {
        Ok(origin) if origin.asn == 0 => (Standing::Done, String::from("not announced")),
        Ok(origin) => (
            Standing::Done,
            format!("AS{} {}", origin.asn, origin.holder),
        ),
        Err(why) => (Standing::Failed, why.clone()),
    })
}

fn tls(probes: &Probes) -> Seen {
    let handshake = match probes.tls.web.as_ref()? {
        Ok(handshake) => handshake,
        Err(Refused::Declined(how)) => return Some((Standing::Done, format!("declined: {how}"))),
        Err(Refused::Failed(failure)) => return Some(failed(failure)),
    };
    let verdict = probes.tls.verdict.as_ref();
    let trust = match verdict.map(|verdict| verdict.trusted && verdict.name_matches) {
        Some(true) => ", trusted",
        Some(false) => ", not trusted",
        None => "",
    };
    Some((Standing::Done, format!("{}{trust}", handshake.version)))
}

fn journey(journey: Option<&Result<Journey, Failure>>) -> Seen {
    let journey = match journey? {
        Ok(journey) => journey,
        Err(failure) => return Some(failed(failure)),
    };
    if let End::Failed(failure) = &journey.end {
        return Some(failed(failure));
    }
    let status = journey.last().map(|(_, response)| response.status);
    let steps = match journey.hops.len() {
        1 => String::new(),
        n => format!(" after {n} requests"),
    };
    Some((
        Standing::Done,
        match (&journey.end, status) {
            (End::Met, _) => String::from("leads to https"),
            (_, Some(status)) => format!("{status}{steps}"),
            (_, None) => steps,
        },
    ))
}

fn exposure(probes: &Probes) -> Seen {
    Some(match probes.exposure.as_ref()? {
        Ok(exposure) => (
            Standing::Done,
            counted(exposure.paths.len(), "listed path", "listed paths") + " asked",
        ),
        Err(failure) => failed(failure),
    })
}

fn logged(probes: &Probes) -> Seen {
    Some(match probes.ct.as_ref()? {
        Ok(logged) => (
            Standing::Done,
            counted(logged.entries.len(), "certificate", "certificates") + " logged",
        ),
        Err(failure) => failed(failure),
    })
}

/// The domain's registration; of a literal address, the network's.
fn registered(probes: &Probes) -> Seen {
    let asked = match probes.url.name() {
        Some(_) => &probes.registration.domain,
        None => &probes.registration.network,
    };
    Some(match asked.as_ref()? {
        Ok(found) => (
            Standing::Done,
            found
                .registrar
                .clone()
                .unwrap_or_else(|| found.name.clone()),
        ),
        Err(Nothing::NotFound) => (Standing::Done, String::from("the registry knows none")),
        Err(Nothing::Failed(failure)) => failed(failure),
    })
}

fn skipped(why: &str) -> Seen {
    Some((Standing::Skipped, why.to_owned()))
}

fn failed(failure: &Failure) -> (Standing, String) {
    let standing = match failure {
        Failure::Skipped(_) | Failure::NotMeasurable(_) => Standing::Skipped,
        _ => Standing::Failed,
    };
    (standing, failure.clause())
}
