//! The certificate and the protocol.

use super::Case;
use crate::probe::Failure;
use crate::probe::tls::{Handshake, Refused};
use crate::probe::trust::Reason;
use crate::report::{Confidence, Finding, Severity};

const DAY: i64 = 86_400;

checks! {
    TRUST {
        id: "tls.trust",
        about: "Whether the chain as presented leads to a root in Mozilla's list, every certificate valid \
            now; if not, the precise reason.",
        reference: "RFC 5280 section 6",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -showcerts </dev/null",
        maps_to: ["internet.nl:web_https_cert_chain", "cwe:295"],
    }

    NAME {
        id: "tls.name",
        about: "Whether the certificate is for this name.",
        reference: "RFC 9525 section 6",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host} </dev/null",
        maps_to: ["internet.nl:web_https_cert_domain", "cwe:297"],
    }

    EXPIRY {
        id: "tls.expiry",
        about: "How many days the certificate is still valid.",
        reference: "RFC 5280 section 4.1.2.5",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates",
        maps_to: ["cwe:298"],
    }

    TLS13 {
        id: "tls.version_13",
        about: "Whether TLS 1.3 is offered, seen by a handshake.",
        reference: "RFC 8446",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_3 </dev/null",
        maps_to: ["internet.nl:web_https_tls_version"],
    }

    TLS12 {
        id: "tls.version_12",
        about: "Whether TLS 1.2 is offered, seen by a handshake: older clients need it.",
        reference: "RFC 9325 section 3.1.1",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_2 </dev/null",
        maps_to: ["internet.nl:web_https_tls_version"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let done = match &case.probes.tls.web {
        Some(Ok(done)) => done,
        other => return undone(case, other.as_ref(), findings),
    };
    trust(case, findings);
    name(case, findings);
    expiry(case, findings);
    version_13(case, done, findings);
    version_12(case, done, findings);
}

/// Every check, without a handshake to judge.
fn undone(
    case: &Case<'_>,
    outcome: Option<&Result<Handshake, Refused>>,
    findings: &mut Vec<Finding>,
) {
    for check in CHECKS {
        let draft = match outcome {
            Some(Err(Refused::Failed(failure))) => case.unmeasured(check, failure),
            Some(Err(Refused::Declined(how))) => {
                case.inconclusive(check, format!("the server declined the handshake ({how})"))
            }
            _ => case.unmeasured(check, &Failure::TimedOut),
        };
        draft
            .evidence("/tls/handshakes/best/failure")
            .evidence("/tls/handshakes/best/declined")
            .add(findings);
    }
}

fn trust(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(verdict) = &case.probes.tls.verdict else {
        return;
    };
    let (reason, evidence) = (verdict.reason, "/tls/trust/reason");
    if reason == Reason::Trusted {
        return case
            .pass(TRUST, "The chain leads to a root that browsers know.")
            .evidence(evidence)
            .add(findings);
    }
    let fix = match reason {
        Reason::Expired => "Renew the certificate, and automate the next renewal.",
        Reason::NotYetValid => "Check the server's certificate and its clock.",
        Reason::SelfSigned | Reason::UnknownIssuer => {
            "Use a certificate from an authority that browsers know."
        }
        Reason::MissingIntermediate => {
            "Send the intermediate certificate after the leaf (the \"full chain\" file)."
        }
        _ => "Replace the certificate.",
    };
    let confidence = match reason {
        // Which certificate is missing rests on what the leaf says about its issuer.
        Reason::MissingIntermediate => Confidence::Medium,
        _ => Confidence::High,
    };
    case.fail(
        TRUST,
        Severity::High,
        format!("Browsers refuse the certificate: {}.", reason.clause()),
    )
    .evidence(evidence)
    .evidence("/tls/chain/0/issuer")
    .confidence(confidence)
    .fix(fix)
    .add(findings);
}

fn name(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(verdict) = &case.probes.tls.verdict else {
        return;
    };
    match verdict.name_matches {
        true => case.pass(NAME, "The certificate is for this name.").evidence("/tls/trust/nameMatches").add(findings),
        false => case
            .fail(NAME, Severity::High, "The certificate is not for this name.")
            .evidence("/tls/chain/0/dnsNames")
            .fix("Add this name to the certificate's subjectAltName, or serve the right certificate for it.")
            .add(findings),
    }
}

fn expiry(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(leaf) = case.probes.tls.chain.first() else {
        return case
            .inconclusive(EXPIRY, "the certificate cannot be read")
            .add(findings);
    };
    let now = i64::try_from(case.probes.now_ms / 1000).unwrap_or(i64::MAX);
    let evidence = "/tls/chain/0/notAfter";
    let days = (leaf.not_after - now).div_euclid(DAY);
    let lifetime = (leaf.not_after - leaf.not_before).div_euclid(DAY);
    // Half of the last third is when an automated renewal is clearly late.
    let soon = (lifetime / 6).clamp(1, 14);
    if days < 0 {
        case.fail(
            EXPIRY,
            Severity::High,
            format!("The certificate expired {} day(s) ago.", -days),
        )
        .evidence(evidence)
        .fix("Renew it, and automate the next renewal.")
        .add(findings);
    } else if days < soon {
        case.warn(
            EXPIRY,
            Severity::Medium,
            format!("The certificate expires in {days} day(s)."),
        )
        .evidence(evidence)
        .fix("Renew it now; an automated renewal would have happened by this time.")
        .add(findings);
    } else {
        case.pass(
            EXPIRY,
            format!("The certificate is valid for {days} more day(s)."),
        )
        .evidence(evidence)
        .add(findings);
    }
}

fn version_13(case: &Case<'_>, done: &Handshake, findings: &mut Vec<Finding>) {
    // Both were on offer, and a server that has 1.3 takes it.
    match done.version {
        "TLSv1.3" => case
            .pass(TLS13, "TLS 1.3 is offered.")
            .evidence("/tls/handshakes/best/version")
            .add(findings),
        _ => case
            .warn(TLS13, Severity::Medium, "TLS 1.3 is not offered.")
            .evidence("/tls/handshakes/best/version")
            .fix("Enable TLS 1.3.")
            .add(findings),
    }
}

fn version_12(case: &Case<'_>, done: &Handshake, findings: &mut Vec<Finding>) {
    let evidence = "/tls/handshakes/only12";
    match (&case.probes.tls.only_12, done.version) {
        (Some(Ok(_)), _) | (_, "TLSv1.2") => {
            case.info(TLS12, "TLS 1.2 is offered.")
                .evidence(format!("{evidence}/version"))
                .add(findings);
        }
        (Some(Err(Refused::Declined(_))), _) => {
            case.info(
                TLS12,
                "TLS 1.2 is declined; clients older than TLS 1.3 cannot connect.",
            )
            .evidence(format!("{evidence}/declined"))
            .add(findings);
        }
        (Some(Err(Refused::Failed(failure))), _) => {
            case.inconclusive(TLS12, failure.clause())
                .evidence(evidence)
                .add(findings);
        }
        (None, _) => case
            .inconclusive(TLS12, Failure::TimedOut.clause())
            .add(findings),
    }
}
