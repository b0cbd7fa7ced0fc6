//! SPF: who may send the domain's mail, and what finding out costs receivers.

use super::Case;
use super::dns::answered;
use super::mail::nameless;
use crate::codec::spf::{Name, Qualifier, Spf};
use crate::guard::text::clean;
use crate::probe::mail::spf::{Fault, LOOKUP_LIMIT, VOID_LIMIT, Walk, records};
use crate::report::{Finding, Severity};

checks! {
    SPF {
        id: "mail.spf",
        about: "Whether one valid SPF record says which servers send mail for this domain, and ends in a \
            rule for all others.",
        when: [
            Fail "There are several records, the record has errors, or it lets every server send (`+all`).",
            Warn "There is none, or it ends in `?all` or in no rule at all.",
            Pass "It ends in `-all` or `~all`, itself or by `redirect`.",
        ],
        reference: "RFC 7208 section 3",
        reproduce: "dig {host} TXT +short",
        also: [doh!("{host}", "TXT")],
        maps_to: ["internet.nl:mail_auth_spf_exist", "internet.nl:mail_auth_spf_policy"],
    }

    LOOKUPS {
        id: "mail.spf_lookups",
        about: "What evaluating the record costs, over everything that it includes: receivers give up after \
            ten DNS lookups, or two that come to nothing, and then treat the record as broken. \
            Every term is followed, as for a sender that matches none.",
        when: [
            Fail "More than ten lookups; or an included record is missing, double, broken or includes itself; or `mx` leads \
                to more than ten mail servers.",
            Warn "More than two lookups come to nothing, or the deprecated `ptr` is used.",
            Pass "Ten lookups or fewer, and everything included is there.",
        ],
        reference: "RFC 7208 section 4.6.4",
        reproduce: "dig {host} TXT +short",
        also: [doh!("{host}", "TXT")],
        maps_to: ["internet.nl:mail_auth_spf_policy"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if nameless(case, CHECKS, findings) {
        return;
    }
    policy(case, findings);
    lookups(case, findings);
}

const EVIDENCE: &str = "/dns/txt/records";

fn policy(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(txt) = answered(case, SPF, "txt", findings) else {
        return;
    };
    let records = records(txt);
    let draft = match records.as_slice() {
        [] => case
            .warn(SPF, Severity::Medium, "No SPF record says which servers send mail for this name.")
            .fix("Publish a TXT record: \"v=spf1 -all\" for a name that sends no mail, else one that lists its servers."),
        [record] if is_too_dear(record) => case
            .fail(SPF, Severity::Medium, format!("The SPF record alone needs {} DNS lookups; receivers stop after {LOOKUP_LIMIT} and treat it as broken.", record.lookups))
            .fix(FEWER_LOOKUPS),
        [record] if !record.valid => case
            .fail(SPF, Severity::Medium, "The SPF record has errors that make receivers ignore it.")
            .fix("Decode the record to see what is wrong at which place."),
        [record] => return ending(case, record, findings),
        several => {
            let count = several.len();
            let title = format!("{count} SPF records are published; receivers treat that as an error.");
            case.fail(SPF, Severity::High, title).fix("Merge them into one record.")
        }
    };
    draft.evidence(EVIDENCE).add(findings);
}

/// The rule for everybody whom no term names.
fn ending(case: &Case<'_>, record: &Spf, findings: &mut Vec<Finding>) {
    let redirected = case
        .probes
        .mail
        .spf
        .as_ref()
        .and_then(|walk| walk.redirected(record));
    let draft = match record.all.or(redirected) {
        Some(Qualifier::Fail | Qualifier::Softfail) => {
            case.pass(SPF, "One SPF record ends in a rule for all other servers.")
        }
        Some(Qualifier::Pass) => case
            .fail(
                SPF,
                Severity::High,
                "The SPF record lets every server send (+all).",
            )
            .fix("End the record with -all or ~all."),
        Some(Qualifier::Neutral) => case
            .warn(
                SPF,
                Severity::Medium,
                "The SPF record says nothing about other servers (?all).",
            )
            .fix("End the record with -all or ~all."),
        None if record.redirect.is_some() => case.info(
            SPF,
            "The SPF record redirects to another domain's, whose end is not known.",
        ),
        None => case
            .warn(
                SPF,
                Severity::Medium,
                "The SPF record has no rule for other servers.",
            )
            .fix("End the record with -all or ~all."),
    };
    draft.evidence(EVIDENCE).add(findings);
}

fn lookups(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(txt) = answered(case, LOOKUPS, "txt", findings) else {
        return;
    };
    let records = records(txt);
    let [record] = records.as_slice() else {
        return case
            .not_applicable(LOOKUPS, "There is no single SPF record to evaluate.")
            .evidence("/dns/txt/status")
            .add(findings);
    };
    if is_too_dear(record) {
        return too_many(case, record.lookups)
            .evidence(EVIDENCE)
            .add(findings);
    }
    if !record.valid {
        return case
            .not_applicable(LOOKUPS, "The SPF record cannot be evaluated.")
            .evidence(EVIDENCE)
            .add(findings);
    }
    let Some(walk) = &case.probes.mail.spf else {
        return case
            .inconclusive(LOOKUPS, "what the record includes did not come in time")
            .evidence(EVIDENCE)
            .add(findings);
    };
    let pointer = record.terms.iter().any(|term| term.name == Name::Ptr);
    let draft = judged(case, walk, pointer);
    draft
        .evidence("/mail/spf/lookups")
        .evidence("/mail/spf/void")
        .evidence("/mail/spf/records")
        .add(findings);
}

const FEWER_LOOKUPS: &str =
    "Take out services that no longer send, or give each its own subdomain.";

/// Whether nothing that the record includes matters: it is beyond the limit by
/// itself.
fn is_too_dear(record: &Spf) -> bool {
    record.lookups > LOOKUP_LIMIT
}

fn too_many<'c, 'a>(case: &'c Case<'a>, count: usize) -> super::Draft<'c, 'a> {
    let title = format!(
        "The record needs {count} DNS lookups or more; receivers stop after {LOOKUP_LIMIT}."
    );
    case.fail(LOOKUPS, Severity::Medium, title)
        .fix(FEWER_LOOKUPS)
}

fn judged<'c, 'a>(case: &'c Case<'a>, walk: &Walk, pointer: bool) -> super::Draft<'c, 'a> {
    let count = walk.lookups;
    if let Some(fault) = walk.faults.first() {
        return case
            .fail(
                LOOKUPS,
                Severity::Medium,
                format!("Evaluation fails: {}.", clean(&fault.clause(), 200)),
            )
            .fix(match fault {
                Fault::Servers(_) => "Name the servers by ip4 or ip6 instead of mx.",
                _ => "Take the term out, or publish one valid SPF record where it leads.",
            });
    }
    if count > LOOKUP_LIMIT {
        return too_many(case, count);
    }
    if let Some(why) = &walk.unsure {
        return case.inconclusive(LOOKUPS, why);
    }
    if walk.void.len() > VOID_LIMIT {
        let title = format!(
            "{} lookups come to nothing: {}; receivers stop after {VOID_LIMIT}.",
            walk.void.len(),
            clean(&walk.void.join(", "), 160)
        );
        return case
            .warn(LOOKUPS, Severity::Medium, title)
            .fix("Take out the terms whose names do not exist.");
    }
    if pointer {
        return case
            .warn(LOOKUPS, Severity::Low, "The record uses ptr, which is slow, unreliable and deprecated (RFC 7208 section 5.5).")
            .fix("Name the servers by a, mx, ip4 or ip6 instead.");
    }
    let sender = match walk.dynamic {
        0 => String::new(),
        n => format!(", {n} of them under a name that depends on the sender"),
    };
    case.pass(
        LOOKUPS,
        format!("Evaluation needs {count} of {LOOKUP_LIMIT} DNS lookups{sender}."),
    )
}
