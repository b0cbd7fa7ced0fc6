//! DMARC: what receivers do with mail that only claims to come from here.

use super::Case;
use super::dns::answered;
use super::mail::nameless;
use crate::codec::dmarc::{Dmarc, Policy};
use crate::guard::text::clean;
use crate::probe::mail::dmarc::{Found, Receiver};
use crate::report::{Finding, Severity, counted};

checks! {
    DMARC {
        id: "mail.dmarc",
        about: "Whether a DMARC record tells receivers what to do with mail that only claims to come from \
            this domain: its own, or the one that the tree walk finds above it.",
        when: [
            Fail "There are several records at the domain, or the record has errors that make receivers \
                ignore it.",
            Warn "There is no record, it only asks for reports (`p=none`), or it is being tested (`t=y`).",
            Pass "Receivers quarantine or reject.",
        ],
        reference: "RFC 9989 section 4.10",
        reproduce: "dig _dmarc.{host} TXT +short",
        also: [doh!("_dmarc.{host}", "TXT")],
        maps_to: ["internet.nl:mail_auth_dmarc_exist", "internet.nl:mail_auth_dmarc_policy"],
    }

    RECORD {
        id: "mail.dmarc_record",
        about: "Whether the record that holds is written by the current standard: tags that it removed \
            (`pct`, `rf`, `ri`) do nothing, and what is misspelt does nothing either.",
        when: [
            Warn "A tag has no effect, a value is not what it should be, or subdomains are treated more \
                mildly than the domain.",
            Pass "Every tag is defined and well-formed.",
        ],
        reference: "RFC 9989 section 4.7",
        reproduce: "dig _dmarc.{host} TXT +short",
        also: [doh!("_dmarc.{host}", "TXT")],
        maps_to: [],
    }

    REPORTS {
        id: "mail.dmarc_reports",
        about: "Whether reports are asked for, and whether receivers in other organizations have agreed to \
            get them: without a record of theirs, no report is sent.",
        when: [
            Fail "A receiver in another organization has not agreed.",
            Warn "No aggregate report is asked for.",
            Pass "Reports go to the domain itself, or to somebody who has agreed.",
        ],
        reference: "RFC 9990 section 3",
        reproduce: "dig {receiver} TXT +short",
        maps_to: [],
    }
}

const EVIDENCE: &str = "/mail/dmarc/record";

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if nameless(case, CHECKS, findings) {
        return;
    }
    policy(case, findings);
    let record = case.probes.mail.dmarc.as_ref().and_then(|found| {
        let record = found.record.as_ref()?;
        Some((found, record))
    });
    let Some((found, record)) = record else {
        return absent(case, findings);
    };
    tags(case, found, findings);
    reports(case, found, record, findings);
}

/// Nothing to say about a record that is not there, or not known.
fn absent(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let unsure = match &case.probes.mail.dmarc {
        Some(found) => found.unsure.clone(),
        None => Some(String::from("no answer came in time")),
    };
    for check in [RECORD, REPORTS] {
        let draft = match &unsure {
            Some(why) => case.inconclusive(check, why),
            None => case.not_applicable(check, "There is no single DMARC record."),
        };
        draft
            .fill("{receiver}", &format!("_dmarc.{}", case.probes.host()))
            .evidence("/dns/dmarc/status")
            .add(findings);
    }
}

fn policy(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if answered(case, DMARC, "dmarc", findings).is_none() {
        return;
    }
    let Some(found) = &case.probes.mail.dmarc else {
        return case
            .inconclusive(DMARC, "no answer came in time")
            .evidence("/dns/dmarc/status")
            .add(findings);
    };
    if found.own > 1 {
        let title = format!(
            "{} DMARC records are published; receivers then use none.",
            found.own
        );
        return case
            .fail(DMARC, Severity::Medium, title)
            .evidence("/dns/dmarc/records")
            .fix("Keep one record.")
            .add(findings);
    }
    let host = case.probes.host();
    let testing = found.record.as_ref().is_some_and(|record| record.testing);
    let from = match (&found.domain, found.is_inherited(host)) {
        (Some(at), true) => format!(" The record is that of {}.", clean(at, 80)),
        _ => String::new(),
    };
    let draft = match (&found.record, found.policy(host)) {
        (None, _) => match &found.unsure {
            Some(why) => case.inconclusive(DMARC, why),
            None => case
                .warn(DMARC, Severity::Medium, "No DMARC record holds for this name.")
                .fix("Publish a TXT record at _dmarc: begin with \"v=DMARC1; p=none; rua=mailto:...\", then move to reject."),
        },
        (Some(_), None) => case
            .fail(DMARC, Severity::Medium, "The DMARC record has errors that make receivers ignore it.")
            .fix("Decode the record to see what is wrong at which place."),
        (Some(_), Some(_)) if testing => case
            .warn(DMARC, Severity::Low, format!("The DMARC policy is being tested (t=y): receivers apply the next weaker one.{from}"))
            .fix("Take t=y away once the reports show that your own mail passes."),
        (Some(_), Some(Policy::None)) => case
            .warn(DMARC, Severity::Low, format!("DMARC only asks for reports, mail that fails is delivered.{from}"))
            .fix("When the reports show that your own mail passes, move to p=quarantine or p=reject."),
        (Some(_), Some(Policy::Quarantine)) => {
            case.pass(DMARC, format!("DMARC asks receivers to quarantine mail that fails.{from}"))
        }
        (Some(_), Some(Policy::Reject)) => {
            case.pass(DMARC, format!("DMARC asks receivers to reject mail that fails.{from}"))
        }
    };
    at_its_place(case, found, draft)
        .evidence("/dns/dmarc/status")
        .evidence(EVIDENCE)
        .add(findings);
}

/// Lets the command ask where the record stands.
fn at_its_place<'c, 'a>(
    case: &Case<'_>,
    found: &Found,
    draft: super::Draft<'c, 'a>,
) -> super::Draft<'c, 'a> {
    let place = |name: &str| format!("_dmarc.{name}");
    match &found.domain {
        Some(at) => draft.fill_bare(&place(case.probes.host()), &place(at)),
        None => draft,
    }
}

fn tags(case: &Case<'_>, found: &Found, findings: &mut Vec<Finding>) {
    let draft = match found.problems.first() {
        None => case.pass(
            RECORD,
            "Every tag of the DMARC record is defined and well-formed.",
        ),
        Some((_, message)) => {
            let more = match found.problems.len() {
                1 => String::new(),
                n => format!(" ({} more)", n - 1),
            };
            let message = clean(message, 160);
            case.warn(
                RECORD,
                Severity::Low,
                format!("In the DMARC record: {message}{more}"),
            )
            .evidence("/mail/dmarc/problems")
            .fix("Take out tags without effect and correct the others.")
        }
    };
    at_its_place(case, found, draft)
        .evidence(EVIDENCE)
        .add(findings);
}

fn reports(case: &Case<'_>, found: &Found, record: &Dmarc, findings: &mut Vec<Finding>) {
    let of = |authorised: Option<bool>| -> Vec<&Receiver> {
        let receivers = found.receivers.iter();
        receivers
            .filter(|receiver| receiver.authorised == authorised)
            .collect()
    };
    let (denied, unsure, agreed) = (of(Some(false)), of(None), of(Some(true)));
    let shown = [&denied, &unsure, &agreed]
        .into_iter()
        .find_map(|receivers| receivers.first())
        .map_or_else(
            || format!("_dmarc.{}", found.domain.as_deref().unwrap_or_default()),
            |receiver| receiver.asked.clone(),
        );
    let draft = match (record.aggregate_reports.is_empty(), denied.as_slice(), unsure.as_slice()) {
        (_, [_, ..], _) => {
            let mut title = format!("{} not agreed to get reports about this domain", who(&denied));
            if !agreed.is_empty() {
                title.push_str(&format!("; {}", who(&agreed)));
            }
            if !unsure.is_empty() {
                title.push_str(&format!("; it is not known whether {}", who(&unsure)));
            }
            let places: Vec<&str> = denied.iter().map(|receiver| receiver.asked.as_str()).collect();
            case.fail(REPORTS, Severity::Low, title + ".").fix(format!(
                "Have a TXT record \"v=DMARC1\" published at {}, or send the reports elsewhere.",
                places.join(" and at ")
            ))
        }
        (true, ..) => case
            .warn(REPORTS, Severity::Low, "No aggregate report is asked for: nobody learns what DMARC does to the domain's mail.")
            .fix("Add rua=mailto: with an address that reads the reports."),
        (_, _, [_, ..]) => {
            let mut why = format!("it is not known whether {} agreed to get reports", who(&unsure));
            if !agreed.is_empty() {
                why.push_str(&format!("; {}", who(&agreed)));
            }
            case.inconclusive(REPORTS, why)
        }
        _ => match agreed.len() {
            0 => case.pass(REPORTS, "Reports go to the domain's own organization."),
            count => case.pass(
                REPORTS,
                format!("{} agreed to get reports.", counted(count, "receiver in another organization has", "receivers in other organizations have")),
            ),
        },
    };
    draft
        .fill("{receiver}", &shown)
        .evidence("/mail/dmarc/receivers")
        .evidence(EVIDENCE)
        .add(findings);
}

/// Their names and the verb.
fn who(receivers: &[&Receiver]) -> String {
    let names: Vec<&str> = receivers
        .iter()
        .map(|receiver| receiver.domain.as_str())
        .collect();
    let verb = if names.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", names.join(", "))
}
