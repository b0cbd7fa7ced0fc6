//! The certificates as presented: their order, keys, signatures and purpose.

use super::Case;
use super::tls::{DAY, no_certificate};
use crate::codec::certificate::{Certificate, lifetime_limit};
use crate::codec::x509::{Key, is_broken_signature, weakness};
use crate::probe::trust::{Anchor, Reason};
use crate::report::{Confidence, Finding, Severity};

checks! {
    CHAIN {
        id: "tls.chain",
        about: "Whether the certificates are sent in order, each issued by the next, none missing between \
            the leaf and a known root, none twice, none that has no part in it, and no root.",
        when: [
            Fail "a certificate cannot be read, or the leaf's issuer is not sent",
            Warn "certificates are duplicate, unrelated or out of order, or the chain ends at an issuer who is neither sent nor known",
            Info "the root is sent along",
            Pass "none of these",
        ],
        reference: "RFC 8446 section 4.4.2",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -showcerts </dev/null",
        also: ["curl -sSI https://{host}/"],
        maps_to: ["internet.nl:web_https_cert_chain"],
    }

    KEY {
        id: "tls.key",
        about: "Whether every key of the chain is of a kind and size that is still accepted: RSA of at least \
            2048 bits, elliptic curves P-256, P-384 and P-521.",
        when: [
            Fail "A key is too short, or of a kind that is broken.",
            Warn "A key is of another kind, which browsers do not take.",
        ],
        reference: "CA/Browser Forum Baseline Requirements section 6.1.5",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -text",
        maps_to: ["internet.nl:web_https_cert_pubkey", "cwe:326"],
    }

    SIGNATURE {
        id: "tls.signature",
        about: "Whether every signature of the chain but a root's own rests on a hash that is not broken.",
        reference: "RFC 9155 section 2",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -text",
        maps_to: ["internet.nl:web_https_cert_sig", "cwe:328"],
    }

    LIFETIME {
        id: "tls.lifetime",
        about: "Whether the leaf's validity is no longer than public issuers may grant.",
        when: [
            Warn "it is longer, and the issuer is public or unknown",
            Info "it is longer, and the issuer is one of the operator's own anchors",
            Pass "it is not",
        ],
        reference: "CA/Browser Forum Baseline Requirements section 6.3.2",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -dates",
        also: ["curl -skvI https://{host}/ 2>&1 | grep -E '(start|expire) date'"],
        maps_to: [],
    }

    USAGE {
        id: "tls.usage",
        about: "Whether the leaf was issued for TLS servers, and is no issuer's certificate.",
        reference: "RFC 5280 section 4.2.1.12",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} </dev/null | openssl x509 -noout -ext extendedKeyUsage,basicConstraints",
        maps_to: [],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(leaf) = case.probes.tls.chain.first() else {
        for check in CHECKS {
            no_certificate(case, check, findings);
        }
        return;
    };
    chain(case, findings);
    key(case, findings);
    signature(case, findings);
    lifetime(case, leaf, findings);
    usage(case, leaf, findings);
}

fn chain(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let Some(shape) = &tls.shape else {
        return no_certificate(case, CHAIN, findings);
    };
    let reason = tls.verdict.as_ref().map(|verdict| verdict.reason);
    let count = tls.presented;
    let draft = if tls.chain.len() < count.min(crate::probe::tls::CHAIN_LIMIT) {
        case.fail(
            CHAIN,
            Severity::Medium,
            format!(
                "Certificate {} of {count} cannot be read.",
                tls.chain.len() + 1
            ),
        )
        .fix("Serve each certificate whole.")
    } else if let (Some(Reason::MissingIntermediate), Some(end)) = (reason, &shape.ends_at) {
        let at = match end.ca_issuers.first() {
            Some(url) => format!("; it can be had at {url}"),
            None => String::new(),
        };
        case.fail(
            CHAIN,
            Severity::High,
            format!(
                "The certificate of the issuer ({}) is not sent{at}.",
                end.issuer
            ),
        )
        .fix("Send the intermediate certificate after the leaf (the \"full chain\" file).")
    } else if let (Some(Reason::IncompleteChain), Some(end)) = (reason, &shape.ends_at) {
        let at = end.ca_issuers.first().map_or("", String::as_str);
        case.warn(
            CHAIN,
            Severity::Medium,
            format!(
                "The chain ends at an issuer ({}) whose certificate is not sent and who is no root that browsers know; it can be had at {at}.",
                end.issuer
            ),
        )
        .confidence(Confidence::Medium)
        .fix("Send every certificate up to a root that browsers know (the \"full chain\" file).")
    } else if !shape.duplicates.is_empty() || !shape.unrelated.is_empty() {
        let extra = count.saturating_sub(shape.path.len());
        case.warn(
            CHAIN,
            Severity::Low,
            format!("{extra} of {count} certificates have no part in the chain."),
        )
        .fix("Send the leaf and its intermediates, nothing else.")
    } else if !shape.in_order {
        case.warn(
            CHAIN,
            Severity::Low,
            "The certificates are not sent in the order of their issue.",
        )
        .fix("Send the leaf first, then each certificate's issuer.")
    } else if shape.root.is_some() && reason == Some(Reason::Trusted) {
        case.info(
            CHAIN,
            "The chain is in order, with a root that every client has already.",
        )
    } else {
        let title = match count {
            1 => String::from("One certificate is sent, with nothing superfluous."),
            _ => format!("{count} certificates are sent in order, with nothing superfluous."),
        };
        case.pass(CHAIN, title)
    };
    draft
        .evidence("/tls/presented/certificates")
        .evidence("/tls/shape/path")
        .evidence("/tls/shape/endsAt")
        .add(findings);
}

/// The certificates that count, each with its name in the title: a root's own
/// key and signature are the client's business.
fn on_the_path<'a>(case: &'a Case<'_>) -> impl Iterator<Item = (usize, &'a Certificate)> {
    let tls = &case.probes.tls;
    let path = tls.shape.iter().flat_map(|shape| shape.path.iter());
    path.filter_map(|place| Some((*place, tls.chain.get(*place)?)))
}

fn whose(place: usize, certificate: &Certificate) -> String {
    match place {
        0 => String::from("The leaf"),
        _ => format!("The issuer's certificate ({})", certificate.subject),
    }
}

fn key(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let weak = on_the_path(case).find_map(|(place, one)| Some((place, one, weakness(&one.key)?)));
    let strange = on_the_path(case).find(|(_, one)| !is_taken(&one.key));
    if let (None, Some((place, certificate))) = (&weak, strange) {
        let key = &certificate.key;
        let kind = key.curve.as_deref().unwrap_or(&key.algorithm);
        return case
            .warn(
                KEY,
                Severity::Medium,
                format!(
                    "{} has a key that browsers do not take ({kind}).",
                    whose(place, certificate)
                ),
            )
            .evidence(format!("/tls/chain/{place}/key"))
            .fix("Have a certificate issued for a key on P-256, or for RSA of 2048 bits or more.")
            .add(findings);
    }
    match weak {
        Some((place, certificate, why)) => case
            .fail(
                KEY,
                Severity::High,
                format!("{} has a weak key. {why}", whose(place, certificate)),
            )
            .evidence(format!("/tls/chain/{place}/key"))
            .fix("Have a certificate issued for a key on P-256, or for RSA of 2048 bits or more.")
            .add(findings),
        None => case
            .pass(
                KEY,
                "Every key of the chain is of an accepted kind and size.",
            )
            .evidence("/tls/chain/0/key")
            .add(findings),
    }
}

/// Whether public issuers may certify a key of this kind.
fn is_taken(key: &Key) -> bool {
    match key.algorithm.as_str() {
        "RSA" => true,
        "EC" => matches!(key.curve.as_deref(), Some("P-256" | "P-384" | "P-521")),
        _ => false,
    }
}

fn signature(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let broken = on_the_path(case).find(|(_, one)| {
        is_broken_signature(&one.signature_algorithm) && !(one.self_issued && one.is_ca)
    });
    match broken {
        Some((place, certificate)) => case
            .fail(
                SIGNATURE,
                Severity::High,
                format!(
                    "{} is signed with {}, whose hash is broken.",
                    whose(place, certificate),
                    certificate.signature_algorithm
                ),
            )
            .evidence(format!("/tls/chain/{place}/signatureAlgorithm"))
            .fix("Have it issued anew; no public issuer signs like this any more.")
            .add(findings),
        None => case
            .pass(
                SIGNATURE,
                "No signature of the chain rests on a broken hash.",
            )
            .evidence("/tls/chain/0/signatureAlgorithm")
            .add(findings),
    }
}

fn lifetime(case: &Case<'_>, leaf: &Certificate, findings: &mut Vec<Finding>) {
    let (limit, since) = lifetime_limit(leaf.not_before);
    // The last second of a validity is part of it.
    let days = (leaf.not_after.saturating_sub(leaf.not_before) + 1)
        .max(0)
        .div_euclid(DAY);
    let public = case
        .probes
        .tls
        .verdict
        .as_ref()
        .is_none_or(|verdict| verdict.anchor != Some(Anchor::Operator));
    let draft = match (days > limit, public) {
        (false, _) => case.pass(LIFETIME, format!("The certificate is valid for {days} days in all.")),
        (true, true) => case
            .warn(
                LIFETIME,
                Severity::Low,
                format!(
                    "The certificate is valid for {days} days; public issuers may grant {limit} {since}."
                ),
            )
            .fix("Have certificates issued for a shorter time, and automate the renewal."),
        (true, false) => case.info(
            LIFETIME,
            format!("A private issuer granted {days} days; public ones may grant {limit} {since}."),
        ),
    };
    draft
        .evidence("/tls/chain/0/notBefore")
        .evidence("/tls/chain/0/notAfter")
        .add(findings);
}

fn usage(case: &Case<'_>, leaf: &Certificate, findings: &mut Vec<Finding>) {
    let usages = &leaf.extended_key_usage;
    let for_servers = usages.is_empty()
        || usages
            .iter()
            .any(|usage| usage == "serverAuth" || usage == "anyExtendedKeyUsage");
    let wrong = |title: &'static str| {
        case.fail(USAGE, Severity::Medium, title)
            .fix("Use a certificate that was issued for a TLS server.")
    };
    let draft = match (for_servers, leaf.is_ca) {
        (false, _) => wrong("The certificate was not issued for TLS servers."),
        (true, true) => wrong("The certificate presented first is an issuer's."),
        (true, false) => case.pass(USAGE, "The certificate was issued for TLS servers."),
    };
    draft
        .evidence("/tls/chain/0/extendedKeyUsage")
        .evidence("/tls/chain/0/isCa")
        .add(findings);
}
