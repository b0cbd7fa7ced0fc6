//! Whether a browser would accept the certificate: trust, name, time. What
//! else there is to say of it is in `tls_chain` and `tls_proof`, of the
//! protocol in `tls_protocol`.

use super::{Case, Check};
use crate::codec::moment;
use crate::probe::Failure;
use crate::probe::tls::{Proof, Refused};
use crate::probe::trust::{Reason, Verdict, is_beyond_us, too_large};
use crate::report::{Confidence, Finding, Severity, counted};

pub(super) const DAY: i64 = 86_400;

checks! {
    TRUST {
        id: "tls.trust",
        about: "Whether the chain as presented leads to a root in Mozilla's list, every certificate valid \
            now; if not, the precise reason.",
        when: [
            Inconclusive "No certificate was presented, or one is signed in a way that browsers know and that is not verified here (P-521, or SHA-512 with ECDSA).",
        ],
        reference: "RFC 5280 section 6",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -showcerts </dev/null",
        also: ["curl -sSI https://{host}/"],
        maps_to: ["internet.nl:web_https_cert_chain", "cwe:295"],
    }

    NAME {
        id: "tls.name",
        about: "Whether the certificate is for this name.",
        reference: "RFC 9525 section 6",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -verify_hostname {host} </dev/null",
        also: ["curl -sSI https://{host}/"],
        maps_to: ["internet.nl:web_https_cert_domain", "cwe:297"],
    }

    EXPIRY {
        id: "tls.expiry",
        about: "How many days the certificate is still valid.",
        when: [
            Fail "It is not valid any more, or not yet.",
            Warn "It ends within a sixth of its validity, at most two weeks.",
        ],
        reference: "RFC 5280 section 4.1.2.5",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates",
        also: ["curl -skvI https://{host}/ 2>&1 | grep -E '(start|expire) date'"],
        maps_to: ["cwe:298"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if case.probes.tls.verdict.is_none() {
        for check in CHECKS {
            no_certificate(case, check, findings);
        }
        return;
    }
    trust(case, findings);
    name(case, findings);
    expiry(case, findings);
}

/// A check of a certificate, where none was presented that can be read.
pub(super) fn no_certificate(case: &Case<'_>, check: &Check, findings: &mut Vec<Finding>) {
    let draft = match &case.probes.tls.web {
        Some(Ok(_)) => case.inconclusive(check, "the certificate cannot be read"),
        // What the logs hold is said there, and not taken for this.
        Some(Err(Refused::Failed(Failure::NotMeasurable(why)))) => case.inconclusive(
            check,
            format!("{why}; what the transparency logs hold stands in tls.ct"),
        ),
        Some(Err(Refused::Failed(failure))) => case.unmeasured(check, failure),
        Some(Err(Refused::Declined(how))) => {
            case.inconclusive(check, format!("the server declined the handshake ({how})"))
        }
        None => case.unmeasured(check, &Failure::TimedOut),
    };
    draft
        .evidence("/tls/handshakes/best/failure")
        .evidence("/tls/handshakes/best/declined")
        .evidence("/tls/presented/certificates")
        .add(findings);
}

fn trust(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(verdict) = &case.probes.tls.verdict else {
        return;
    };
    let (reason, evidence) = (verdict.reason, "/tls/trust/reason");
    if let Some(Ok(done)) = &case.probes.tls.web
        && let Proof::Wrong(how) = &done.proof
    {
        return case
            .fail(
                TRUST,
                Severity::High,
                format!("The server does not prove that the certificate is its own ({how})."),
            )
            .evidence("/tls/handshakes/best/keyProven")
            .fix("Serve the certificate together with its own private key.")
            .add(findings);
    }
    if reason == Reason::Trusted {
        return case
            .pass(TRUST, "The chain leads to a root that browsers know.")
            .evidence(evidence)
            .add(findings);
    }
    if reason == Reason::NotVerified {
        let chain = &case.probes.tls.chain;
        let algorithm = chain.iter().find(|one| is_beyond_us(one));
        let algorithm = algorithm.map(|one| match one.key.curve.as_deref() {
            Some("P-521") => String::from("a key on P-521"),
            _ => one.signature_algorithm.clone(),
        });
        let key = || too_large(chain).next();
        let named = algorithm
            .or_else(|| Some(format!("an RSA key of {} bits", key()?.key.bits)))
            .unwrap_or_default();
        return case
            .inconclusive(TRUST, format!("{} ({named})", reason.clause()))
            .evidence(evidence)
            .evidence("/tls/chain/0/signatureAlgorithm")
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
        Reason::IncompleteChain => {
            "Send every certificate up to a root that browsers know (the \"full chain\" file); where there is none, use a certificate from an authority that browsers know."
        }
        _ => "Replace the certificate.",
    };
    let confidence = match reason {
        // Which certificate is missing rests on what the leaf says about its issuer.
        Reason::MissingIntermediate | Reason::IncompleteChain => Confidence::Medium,
        _ => Confidence::High,
    };
    case.fail(
        TRUST,
        Severity::High,
        format!(
            "Browsers refuse the certificate: {}.",
            clause(case, verdict)
        ),
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
    let now = case.probes.now();
    let evidence = "/tls/chain/0/notAfter";
    let days = (leaf.not_after - now).div_euclid(DAY);
    let lifetime = (leaf.not_after - leaf.not_before).div_euclid(DAY);
    // Half of the last third is when an automated renewal is clearly late.
    let soon = (lifetime / 6).clamp(1, 14);
    if leaf.not_before > now {
        case.fail(
            EXPIRY,
            Severity::High,
            format!(
                "The certificate is not valid yet; it will be in {}.",
                moment::span_text(leaf.not_before - now)
            ),
        )
        .evidence("/tls/chain/0/notBefore")
        .fix("Check the server's certificate and its clock.")
        .add(findings);
    } else if days < 0 {
        case.fail(
            EXPIRY,
            Severity::High,
            format!(
                "The certificate expired {} ago.",
                counted(-days, "day", "days")
            ),
        )
        .evidence(evidence)
        .fix("Renew it, and automate the next renewal.")
        .add(findings);
    } else if days < soon {
        case.warn(
            EXPIRY,
            Severity::Medium,
            format!(
                "The certificate expires in {}.",
                counted(days, "day", "days")
            ),
        )
        .evidence(evidence)
        .fix("Renew it now; an automated renewal would have happened by this time.")
        .add(findings);
    } else {
        case.pass(
            EXPIRY,
            format!(
                "The certificate is valid for {}.",
                counted(days, "more day", "more days")
            ),
        )
        .evidence(evidence)
        .add(findings);
    }
}

/// The precise reason, with whom it is about.
fn clause(case: &Case<'_>, verdict: &Verdict) -> String {
    let clause = verdict.reason.clause();
    let end = case
        .probes
        .tls
        .shape
        .as_ref()
        .and_then(|shape| shape.ends_at.as_ref());
    match (verdict.reason, end) {
        (
            Reason::UnknownIssuer | Reason::MissingIntermediate | Reason::IncompleteChain,
            Some(end),
        ) => {
            format!("{clause} ({})", end.issuer)
        }
        _ => String::from(clause),
    }
}
