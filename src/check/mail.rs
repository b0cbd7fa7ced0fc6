//! Mail: whether others can send as this domain.

use super::Case;
use super::dns::answered;
use crate::codec::dmarc::{self, Policy};
use crate::codec::spf::{self, Qualifier};
use crate::report::{Finding, Severity};

checks! {
    SPF {
        id: "mail.spf",
        about: "Whether one valid SPF record says which servers send mail for this domain, and ends in a \
            rule for all others.",
        reference: "RFC 7208 section 3",
        reproduce: "dig {host} TXT +short",
        maps_to: ["internet.nl:mail_auth_spf_exist"],
    }

    DMARC {
        id: "mail.dmarc",
        about: "Whether a DMARC record tells receivers what to do with mail that only claims to come from \
            this domain.",
        reference: "RFC 9989 section 4",
        reproduce: "dig _dmarc.{host} TXT +short",
        maps_to: ["internet.nl:mail_auth_dmarc_exist"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.probes.url.name().is_none() {
        for check in CHECKS {
            case.not_applicable(check, "The target is an address, not a name.")
                .add(findings);
        }
        return;
    }
    spf(case, findings);
    dmarc(case, findings);
}

fn spf(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(txt) = answered(case, SPF, "txt", findings) else {
        return;
    };
    let records: Vec<_> = txt
        .texts()
        .filter_map(|text| spf::parse(text).ok())
        .collect();
    let evidence = "/dns/txt/records";
    let record = match records.as_slice() {
        [] => {
            return case
                .warn(SPF, Severity::Medium, "No SPF record says which servers send mail for this name.")
                .evidence(evidence)
                .fix("Publish a TXT record: \"v=spf1 -all\" for a name that sends no mail, else one that lists its servers.")
                .add(findings);
        }
        [one] => &one.value,
        several => {
            let title = format!(
                "{} SPF records are published; receivers treat that as an error.",
                several.len()
            );
            return case
                .fail(SPF, Severity::High, title)
                .evidence(evidence)
                .fix("Merge them into one record.")
                .add(findings);
        }
    };
    if !record.valid {
        return case
            .fail(
                SPF,
                Severity::Medium,
                "The SPF record has errors that make receivers ignore it.",
            )
            .evidence(evidence)
            .fix("Decode the record to see what is wrong at which place.")
            .add(findings);
    }
    match record.all {
        Some(Qualifier::Fail | Qualifier::Softfail) => {
            case.pass(SPF, "One SPF record ends in a rule for all other servers.")
                .evidence(evidence)
                .add(findings);
        }
        Some(Qualifier::Pass) => case
            .fail(
                SPF,
                Severity::High,
                "The SPF record lets every server send (+all).",
            )
            .evidence(evidence)
            .fix("End the record with -all or ~all.")
            .add(findings),
        Some(Qualifier::Neutral) => case
            .warn(
                SPF,
                Severity::Medium,
                "The SPF record says nothing about other servers (?all).",
            )
            .evidence(evidence)
            .fix("End the record with -all or ~all.")
            .add(findings),
        None if record.redirect.is_some() => {
            case.info(SPF, "The SPF record redirects to another domain's.")
                .evidence(evidence)
                .add(findings);
        }
        None => case
            .warn(
                SPF,
                Severity::Medium,
                "The SPF record has no rule for other servers.",
            )
            .evidence(evidence)
            .fix("End the record with -all or ~all.")
            .add(findings),
    }
}

fn dmarc(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(txt) = answered(case, DMARC, "dmarc", findings) else {
        return;
    };
    let records: Vec<_> = txt
        .texts()
        .filter_map(|text| dmarc::parse(text).ok())
        .collect();
    let evidence = "/dns/dmarc/records";
    let record = match records.as_slice() {
        [] => {
            return case
                .warn(DMARC, Severity::Medium, "No DMARC record at this name; one at a parent name would apply.")
                .evidence("/dns/dmarc/status")
                .fix("Publish a TXT record at _dmarc: begin with \"v=DMARC1; p=none; rua=mailto:...\", then move to reject.")
                .add(findings);
        }
        [one] => &one.value,
        several => {
            let title = format!(
                "{} DMARC records are published; receivers then use none.",
                several.len()
            );
            return case
                .fail(DMARC, Severity::Medium, title)
                .evidence(evidence)
                .fix("Keep one record.")
                .add(findings);
        }
    };
    match record.effective.as_ref().map(|effective| effective.domain) {
        Some(Policy::Reject | Policy::Quarantine) => {
            case.pass(DMARC, "DMARC asks receivers to act on mail that fails.").evidence(evidence).add(findings);
        }
        Some(Policy::None) => case
            .warn(DMARC, Severity::Low, "DMARC only asks for reports (p=none).")
            .evidence(evidence)
            .fix("When the reports show that your own mail passes, move to p=quarantine or p=reject.")
            .add(findings),
        None => case
            .fail(DMARC, Severity::Medium, "The DMARC record has errors that make receivers ignore it.")
            .evidence(evidence)
            .fix("Decode the record to see what is wrong at which place.")
            .add(findings),
    }
}
