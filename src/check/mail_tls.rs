//! Mail on its way: whether senders know that they must encrypt, to whom, and
//! where to report what goes wrong. The servers themselves cannot be spoken
//! to: port 25 is closed to Workers.

use super::Case;
use super::mail::{mail_taken, nameless};
use crate::codec::mta_sts::{self, Mode};
use crate::codec::tls_rpt;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::mail::sts::{self, Policy, Sts};
use crate::probe::mail::{exchangers, takes_mail};
use crate::probe::rdata::Data;
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    STS {
        id: "mail.mta_sts",
        about: "Whether a policy, announced in DNS and served over HTTPS, makes senders deliver only over TLS \
            with a valid certificate, and whether it allows every server of the MX set.",
        when: [
            Fail "The policy cannot be had as the standard asks (status, certificate, redirect, form, \
                a host without an address), or a \
                server of the MX set matches none of its patterns.",
            Warn "The policy is in testing mode or off, is to be kept for less than a day, or is not served as \
                text/plain.",
            Pass "The policy is enforced and allows every server.",
            Info "No policy is announced.",
        ],
        reference: "RFC 8461 section 3",
        reproduce: "dig _mta-sts.{host} TXT +short; curl -sS https://mta-sts.{host}/.well-known/mta-sts.txt",
        maps_to: ["internet.nl:mail_starttls"],
    }

    REPORTS {
        id: "mail.tls_rpt",
        about: "Whether senders are told where to report failures of encryption. Without it a broken \
            MTA-STS or DANE setting loses mail silently.",
        when: [
            Pass "A valid record names an address.",
            Warn "A record is there that senders cannot use.",
            Info "There is no record.",
        ],
        reference: "RFC 8460 section 3",
        reproduce: "dig _smtp._tls.{host} TXT +short",
        also: [doh!("_smtp._tls.{host}", "TXT")],
        maps_to: [],
    }

    DANE {
        id: "mail.dane",
        about: "Whether the mail servers' keys are pinned in signed DNS. Only records that validate count; \
            whether they match the servers' certificates is not measured, because port 25 is closed to \
            this service.",
        when: [
            Fail "A server's TLSA records are all of a kind that senders cannot use.",
            Warn "Some servers have usable TLSA records and others have none.",
            Pass "Every server that was looked up has usable, validated TLSA records.",
            Info "There are none, or the MX set is not signed.",
        ],
        reference: "RFC 7672 section 3.1",
        reproduce: "dig _25._tcp.{mx} TLSA +dnssec",
        maps_to: ["internet.nl:mail_starttls_dane_exist"],
    }
}

/// Seconds below which a policy protects little (RFC 8461 section 3.2 advises
/// weeks or more).
const SHORT_AGE: u64 = 86_400;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if nameless(case, CHECKS, findings) {
        return;
    }
    strict(case, findings);
    reports(case, findings);
    dane(case, findings);
}

fn strict(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(mx) = mail_taken(case, STS, findings) else {
        return;
    };
    let servers: Vec<&str> = exchangers(mx).into_iter().map(|(_, name)| name).collect();
    let draft = match &case.probes.mail.sts {
        None => case.inconclusive(STS, "no answer came in time"),
        Some(Sts { record, .. }) if !record.is_conclusive() => {
            case.inconclusive(STS, record.clause())
        }
        Some(Sts {
            record,
            policy: None,
        }) if record.texts().next().is_none() => case.info(STS, "No MTA-STS policy is announced."),
        Some(Sts { record, policy }) => {
            let records: Vec<_> = record
                .texts()
                .filter_map(|text| mta_sts::parse_record(text).ok())
                .collect();
            match (records.as_slice(), policy) {
                ([], _) => case.info(STS, "No MTA-STS policy is announced."),
                ([one], Some(Ok(policy))) if one.value.valid => file(case, policy, &servers),
                ([one], Some(Err(Failure::Blocked(sts::NO_HOST)))) if one.value.valid => case
                    .fail(
                        STS,
                        Severity::Medium,
                        "An MTA-STS policy is announced, and its host has no address.",
                    )
                    .fix(
                        "Serve the policy from mta-sts. below the domain, or take the record away.",
                    ),
                ([one], Some(Err(failure))) if one.value.valid => case.unmeasured(STS, failure),
                ([_], _) => case
                    .fail(
                        STS,
                        Severity::Low,
                        "The MTA-STS record has errors that make senders ignore it.",
                    )
                    .fix("Publish exactly \"v=STSv1; id=\" with a new id of letters and digits."),
                _ => case
                    .fail(
                        STS,
                        Severity::Low,
                        "Several MTA-STS records are published; senders then use none.",
                    )
                    .fix("Keep one record."),
            }
        }
    };
    draft
        .evidence("/mail/mtaSts/record/status")
        .evidence("/mail/mtaSts/record/records")
        .evidence("/mail/mtaSts/policy")
        .add(findings);
}

/// The policy file as senders take it (RFC 8461 sections 3.2 and 3.3).
fn file<'c, 'a>(case: &'c Case<'a>, policy: &Policy, servers: &[&str]) -> super::Draft<'c, 'a> {
    let wrong = |title: String| {
        case.fail(STS, Severity::Medium, title)
            .fix("Serve the policy at that very address with status 200, as text/plain, under a valid certificate.")
    };
    if let Some(why) = policy.untrusted {
        return wrong(format!("The MTA-STS policy's host is not trusted: {why}."));
    }
    match policy.status {
        200 => {}
        300..=399 => {
            return wrong(String::from(
                "The MTA-STS policy is behind a redirect, which senders do not follow.",
            ));
        }
        status => {
            return wrong(format!(
                "The MTA-STS policy is announced and answers {status}."
            ));
        }
    }
    let read = match mta_sts::parse_policy(&policy.text) {
        Ok(reading) if reading.value.valid => reading.value,
        _ => {
            return wrong(String::from(
                "The MTA-STS policy has errors that make senders ignore it.",
            ));
        }
    };
    let refused: Vec<&str> = match read.mode {
        Some(Mode::None) => Vec::new(),
        _ => servers
            .iter()
            .copied()
            .filter(|server| !read.allows(server))
            .collect(),
    };
    if !refused.is_empty() {
        let names = clean(&refused.join(", "), 160);
        let severity = match read.mode {
            Some(Mode::Enforce) => Severity::High,
            _ => Severity::Medium,
        };
        return case
            .fail(
                STS,
                severity,
                format!("The MTA-STS policy does not allow {names}, which take mail."),
            )
            .fix("Add the servers to the policy's mx lines, and change the id in DNS.");
    }
    let typed = policy.content_type.to_ascii_lowercase();
    if !typed.starts_with("text/plain") {
        return case
            .warn(
                STS,
                Severity::Low,
                "The MTA-STS policy is not served as text/plain, which senders should ask for.",
            )
            .fix("Serve it as text/plain.");
    }
    let age = read.max_age.unwrap_or_default();
    match read.mode {
        Some(Mode::Enforce) if age < SHORT_AGE => case
            .warn(
                STS,
                Severity::Low,
                format!("The MTA-STS policy is forgotten after {age} s."),
            )
            .fix("Set max_age to weeks."),
        Some(Mode::Enforce) => case.pass(
            STS,
            "An MTA-STS policy is enforced and allows every mail server.",
        ),
        Some(Mode::Testing) => case
            .warn(
                STS,
                Severity::Low,
                "The MTA-STS policy is in testing mode: senders deliver without TLS too.",
            )
            .fix("Set mode to enforce once reports show no failures."),
        _ => case
            .warn(
                STS,
                Severity::Low,
                "The MTA-STS policy is switched off (mode none).",
            )
            .fix("Set mode to testing or enforce, or take the record away."),
    }
}

fn reports(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if mail_taken(case, REPORTS, findings).is_none() {
        return;
    }
    let Some(exchange) = &case.probes.mail.tls_rpt else {
        return case
            .inconclusive(REPORTS, "no answer came in time")
            .add(findings);
    };
    let records: Vec<_> = exchange
        .texts()
        .filter_map(|text| tls_rpt::parse(text).ok())
        .collect();
    let draft = match records.as_slice() {
        _ if !exchange.is_conclusive() => case.inconclusive(REPORTS, exchange.clause()),
        [] => case
            .info(
                REPORTS,
                "Nobody is told where to report failures of encryption.",
            )
            .fix("Publish \"v=TLSRPTv1; rua=mailto:...\" at _smtp._tls."),
        [one] if one.value.valid => case.pass(
            REPORTS,
            format!(
                "Senders report failures of encryption to {}.",
                counted(one.value.reports.len(), "address", "addresses")
            ),
        ),
        [_] => case
            .warn(
                REPORTS,
                Severity::Low,
                "The TLS reporting record has errors that make senders ignore it.",
            )
            .fix("Publish \"v=TLSRPTv1; rua=\" with a mailto: or https: address."),
        _ => case
            .warn(
                REPORTS,
                Severity::Low,
                "Several TLS reporting records are published; senders then use none.",
            )
            .fix("Keep one record."),
    };
    draft
        .evidence("/mail/tlsRpt/status")
        .evidence("/mail/tlsRpt/records")
        .add(findings);
}

/// How one server's TLSA records look to a sender.
#[derive(PartialEq)]
enum Pinned {
    Usable,
    Useless,
    Absent,
}

fn dane(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let servers = case.probes.mail.servers.as_deref().unwrap_or_default();
    let first = servers.first().map_or_else(
        || case.probes.host().to_owned(),
        |server| server.name.clone(),
    );
    let mx = match case.probes.records("mx") {
        Some(mx) if mx.is_conclusive() => mx,
        other => {
            let why =
                other.map_or_else(|| String::from("no answer came in time"), |mx| mx.clause());
            return case
                .inconclusive(DANE, why)
                .fill_bare("{mx}", &first)
                .evidence("/dns/mx/status")
                .add(findings);
        }
    };
    if !takes_mail(mx) {
        return case
            .not_applicable(DANE, "The domain names no server that takes its mail.")
            .fill_bare("{mx}", &first)
            .evidence("/dns/mx/status")
            .add(findings);
    }
    let asked: Vec<_> = servers
        .iter()
        .enumerate()
        .filter_map(|(at, server)| Some((at, server, server.tlsa.as_deref()?)))
        .collect();
    let unsure = asked.iter().find(|(_, _, tlsa)| !tlsa.is_conclusive());
    if !mx.is_authenticated() {
        return case
            .info(
                DANE,
                "The MX set is not signed, so that no key can be pinned for its servers.",
            )
            .fill_bare("{mx}", &first)
            .evidence("/dns/mx/flags")
            .evidence("/dns/mx/status")
            .add(findings);
    }
    if let Some((at, _, tlsa)) = unsure {
        return case
            .inconclusive(DANE, tlsa.clause())
            .fill_bare("{mx}", &first)
            .evidence(format!("/mail/servers/{at}/tlsa/status"))
            .add(findings);
    }
    let pinned: Vec<_> = asked
        .iter()
        .map(|(at, server, tlsa)| (*at, *server, judged(tlsa)))
        .collect();
    let find = |wanted: Pinned| pinned.iter().find(|(_, _, found)| *found == wanted);
    let (useless, absent, usable) = (
        find(Pinned::Useless),
        find(Pinned::Absent),
        find(Pinned::Usable),
    );
    let (at, name, draft) = match (useless, absent, usable) {
        (Some((at, server, _)), _, _) => (
            *at,
            server.name.as_str(),
            case.fail(
                DANE,
                Severity::Medium,
                format!(
                    "The TLSA records of {} are of kinds that senders of mail cannot use.",
                    clean(&server.name, 80)
                ),
            )
            .fix("Publish \"3 1 1\" with the SHA-256 of the server's public key."),
        ),
        (None, Some((at, server, _)), Some(_)) => (
            *at,
            server.name.as_str(),
            case.warn(
                DANE,
                Severity::Low,
                format!(
                    "{} has no validated TLSA record, other mail servers have.",
                    clean(&server.name, 80)
                ),
            )
            .fix("Publish TLSA records for every mail server, in a signed zone."),
        ),
        (None, None, Some((at, server, _))) => (
            *at,
            server.name.as_str(),
            case.pass(
                DANE,
                format!(
                    "{} usable TLSA records; whether they match is not measured.",
                    counted(pinned.len(), "mail server has", "mail servers have")
                ),
            )
            .confidence(Confidence::Medium),
        ),
        (None, Some((at, server, _)), None) => (
            *at,
            server.name.as_str(),
            case.info(DANE, "No mail server's key is pinned."),
        ),
        (None, None, None) => (
            0,
            first.as_str(),
            case.inconclusive(DANE, "no answer came in time"),
        ),
    };
    draft
        .fill_bare("{mx}", name)
        .evidence(format!("/mail/servers/{at}/tlsa"))
        .evidence(format!("/mail/servers/{at}/tlsa/records"))
        .evidence("/dns/mx/flags")
        .add(findings);
}

/// Usages 2 and 3 with known selectors and matchings; the others are not for
/// mail (RFC 7672 section 3.1.3). Records that do not validate are none.
fn judged(tlsa: &crate::probe::dns::Exchange) -> Pinned {
    let usable = |data: &Data| match data {
        Data::Tlsa {
            usage,
            selector,
            matching,
            data,
        } => {
            let whole = match matching {
                1 => data.len() == 64,
                2 => data.len() == 128,
                _ => *matching == 0,
            };
            matches!(usage, 2 | 3) && *selector <= 1 && whole
        }
        _ => false,
    };
    match (tlsa.is_authenticated(), tlsa.data().next().is_some()) {
        (true, true) if tlsa.data().any(usable) => Pinned::Usable,
        (true, true) => Pinned::Useless,
        _ => Pinned::Absent,
    }
}
