//! What vouches for the certificate beside its chain: revocation staples and
//! transparency logs. None of it is required of anybody.

use super::Case;
use super::tls::no_certificate;
use crate::codec::certificate::Certificate;
use crate::codec::ocsp::{Nothing, Ocsp, Status};
use crate::probe::Failure;
use crate::probe::tls::Refused;
use crate::probe::trust::Anchor;
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    STAPLE {
        id: "tls.ocsp_staple",
        about: "Whether the server staples an OCSP response, and what it says until when. Its signature is not \
            verified. Stapling is not required, and several issuers no longer run OCSP.",
        when: [
            Info "nothing is stapled",
            Fail "it says revoked",
            Warn "it is unreadable, an error, about another certificate, run out, or of unknown status",
            Pass "it says good, of this certificate, now",
        ],
        reference: "RFC 6066 section 8",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -status </dev/null",
        also: ["curl -sSI --cert-status https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_ocsp", "cwe:299"],
    }

    MUST_STAPLE {
        id: "tls.must_staple",
        about: "Whether a certificate that promises a staple comes with one: strict clients refuse it otherwise.",
        reference: "RFC 7633 section 4.2.3.1",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -status </dev/null",
        also: ["curl -sSI --cert-status https://{host}/"],
        maps_to: [],
    }

    SCT {
        id: "tls.sct",
        about: "Whether timestamps of transparency logs come with the certificate: embedded, in the TLS \
            extension (seen in TLS 1.2 alone) or in the staple. Some browsers want two from public issuers.",
        when: [
            Pass "two or more come with it",
            Warn "fewer, and the chain leads to a root in Mozilla's list",
            Info "fewer, and it does not",
        ],
        reference: "RFC 6962 section 3.3",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -ext ct_precert_scts",
        maps_to: [],
    }

    CT {
        id: "tls.ct",
        about: "What transparency logs hold for the name, and whether the certificate presented is among it. \
            What is logged was issued once; it is never taken for what a server presents.",
        when: [
            Pass "the certificate presented is among what is logged for the name",
            Info "it is not, which may be the search's lag; or none was presented; or nothing is logged",
            Inconclusive "the search failed",
            NotApplicable "the search is switched off (`CT_URL`), or the host has no name",
        ],
        reference: "RFC 6962 section 1",
        reproduce: "curl 'https://crt.sh/?q={host}&output=json&exclude=expired'",
        maps_to: [],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.probes.tls.chain.is_empty() {
        for check in [STAPLE, MUST_STAPLE, SCT] {
            no_certificate(case, check, findings);
        }
    } else {
        staple(case, findings);
        must_staple(case, findings);
        sct(case, findings);
    }
    logged(case, findings);
}

fn staple(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let leaf = tls.chain.first().map(|leaf| leaf.serial.as_str());
    let draft = match &tls.staple {
        None => case.info(STAPLE, "No OCSP response is stapled, which is not required."),
        Some(Err(Nothing::Malformed)) => case
            .warn(STAPLE, Severity::Low, "What is stapled is no OCSP response.")
            .fix("Have the server fetch the staple anew, or switch stapling off."),
        Some(Err(Nothing::Error(error))) => case
            .warn(
                STAPLE,
                Severity::Low,
                format!("What is stapled is an error of the responder ({error})."),
            )
            .fix("Have the server fetch the staple anew, or switch stapling off."),
        Some(Ok(ocsp)) if leaf != Some(ocsp.serial.as_str()) => case
            .warn(STAPLE, Severity::Low, "The staple is about another certificate.")
            .fix("Restart the server after the certificate changes, so that it fetches the right staple."),
        Some(Ok(ocsp)) => stapled(case, ocsp),
    };
    draft
        .evidence("/tls/staple")
        .evidence("/tls/handshakes/best/ocspStapled")
        .add(findings);
}

fn has_run_out(case: &Case<'_>, ocsp: &Ocsp) -> bool {
    ocsp.next_update
        .is_some_and(|until| until < case.probes.now())
}

fn stapled<'c, 'a>(case: &'c Case<'a>, ocsp: &Ocsp) -> super::Draft<'c, 'a> {
    let over = has_run_out(case, ocsp);
    match ocsp.status {
        Status::Revoked => case
            .fail(
                STAPLE,
                Severity::High,
                "The stapled OCSP response says that the certificate is revoked.",
            )
            .fix("Replace the certificate."),
        Status::Unknown => case
            .warn(
                STAPLE,
                Severity::Low,
                "The responder does not know the certificate.",
            )
            .fix("Ask the issuer; strict clients refuse this."),
        Status::Good if over => case
            .warn(
                STAPLE,
                Severity::Low,
                "The stapled OCSP response has run out.",
            )
            .fix("Have the server fetch the staple anew; strict clients refuse an old one."),
        Status::Good => case.pass(
            STAPLE,
            "The stapled OCSP response says that the certificate is not revoked.",
        ),
    }
}

fn must_staple(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let promised = tls.chain.first().is_some_and(|leaf| leaf.must_staple);
    let draft = match (promised, &tls.staple) {
        (false, _) => case.not_applicable(MUST_STAPLE, "The certificate promises no staple."),
        (true, Some(Ok(ocsp))) if is_taken(case, ocsp) => {
            case.pass(MUST_STAPLE, "The promised staple is there.")
        }
        (true, _) => case
            .fail(
                MUST_STAPLE,
                Severity::Medium,
                "The certificate promises an OCSP staple, and none that a strict client takes is there.",
            )
            .fix("Switch OCSP stapling on, or have the certificate issued without the TLS feature extension."),
    };
    draft
        .evidence("/tls/handshakes/best/ocspStapled")
        .add(findings);
}

/// Whether a staple says good, of this certificate, now.
fn is_taken(case: &Case<'_>, ocsp: &Ocsp) -> bool {
    let leaf = case.probes.tls.chain.first();
    leaf.is_some_and(|leaf| leaf.serial == ocsp.serial)
        && ocsp.status == Status::Good
        && !has_run_out(case, ocsp)
}

fn sct(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let embedded = tls.chain.first().map_or(0, |leaf| leaf.sct_count);
    let extension = match &tls.up_to_12 {
        Some(Ok(answer)) => answer.scts.len(),
        _ => 0,
    };
    let public = tls
        .verdict
        .as_ref()
        .is_some_and(|verdict| verdict.anchor == Some(Anchor::Mozilla));
    let stapled = match &tls.staple {
        Some(Ok(staple)) => staple.scts.len(),
        _ => 0,
    };
    let most = embedded.max(extension).max(stapled);
    let come = counted(
        most,
        "timestamp of a transparency log comes",
        "timestamps of transparency logs come",
    );
    let draft = match (most, public) {
        (2.., _) => case.pass(
            SCT,
            format!("{embedded} timestamps of transparency logs are embedded, {extension} in the TLS extension, {stapled} in the staple."),
        ),
        // TLS 1.3 encrypts the extension, and it is not looked into there.
        (_, true) => case
            .warn(
                SCT,
                Severity::Low,
                format!("{come} with the certificate; some browsers want two."),
            )
            .confidence(Confidence::Medium)
            .fix("Have the certificate issued with embedded timestamps, as public issuers do by default."),
        (_, false) => case.info(
            SCT,
            format!("{come} with the certificate; only public issuers need any."),
        ),
    };
    draft
        .evidence("/tls/scts/certificate")
        .evidence("/tls/scts/extension")
        .evidence("/tls/scts/staple")
        .add(findings);
}

fn logged(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let probes = case.probes;
    let logged = match &probes.ct {
        Some(Ok(logged)) => logged,
        Some(Err(failure)) => {
            return case
                .unmeasured(CT, failure)
                .evidence("/ct/failure")
                .add(findings);
        }
        None => {
            return case
                .unmeasured(CT, &Failure::TimedOut)
                .evidence("/ct/failure")
                .add(findings);
        }
    };
    let out_of_reach = matches!(
        &probes.tls.web,
        Some(Err(Refused::Failed(Failure::NotMeasurable(_))))
    );
    let presented = probes.tls.chain.first();
    let newest = logged.entries.first();
    let draft = match (presented, newest) {
        (Some(leaf), _) if logged.has(&leaf.serial) => case.pass(
            CT,
            "The certificate presented is in the transparency logs.",
        ),
        (_, None) => case.info(CT, "The log search knows no current certificate for this name."),
        (Some(leaf), Some(_))
            if !names_itself(leaf, probes.url.host())
                && probes.tls.verdict.as_ref().is_some_and(|verdict| verdict.name_matches) =>
        case
            .info(
                CT,
                "The certificate presented covers this name by a wildcard; the logs were searched for the name itself.",
            )
            .confidence(Confidence::Low),
        // Searches lag behind the logs by hours, and answers are cut.
        (Some(_), Some(_)) => case
            .info(
                CT,
                "The certificate presented is not among those that the log search knows for this name.",
            )
            .confidence(Confidence::Low),
        (None, Some(entry)) => {
            let why = match out_of_reach {
                true => "Logged, not seen served: the address cannot be connected to from here",
                false => "Logged, not seen served: no certificate was presented",
            };
            case.info(
                CT,
                format!(
                    "{why}. The newest certificate in the transparency logs is by {}, valid until {}.",
                    entry.issuer, entry.not_after
                ),
            )
        }
    };
    draft
        .evidence("/ct/hasPresented")
        .evidence("/ct/count")
        .evidence("/ct/entries/0")
        .add(findings);
}

/// Whether the certificate has the name as such, and would be found by it.
fn names_itself(leaf: &Certificate, host: &str) -> bool {
    leaf.dns_names
        .iter()
        .any(|name| name.eq_ignore_ascii_case(host))
}
