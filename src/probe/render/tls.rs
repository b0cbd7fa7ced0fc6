//! What TLS servers said, as the report shows it.

use serde_json::{Map, Value, json};

use super::{failed, rfc3339, unfinished};
use crate::codec::certificate::Certificate;
use crate::codec::ocsp::{Nothing, Ocsp};
use crate::codec::sct::Sct;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::ct::{Logged, SHOWN_LIMIT};
use crate::probe::hello::Answer;
use crate::probe::plan::{Heard, Tls};
use crate::probe::tls::{Handshake, Proof, Refused};

/// Everything of `tls`.
pub(super) fn tls(tls: &Tls) -> Value {
    let mut handshakes = Map::new();
    handshakes.insert("best".into(), asked(tls.web.as_ref(), handshake));
    if tls.only_13.is_some() {
        handshakes.insert("only13".into(), asked(tls.only_13.as_ref(), handshake));
    }
    if tls.any_13.is_some() {
        handshakes.insert("any13".into(), hello(&tls.any_13));
    }
    handshakes.insert("only12".into(), asked(tls.up_to_12.as_ref(), flight));
    for (member, heard) in [
        ("only11", &tls.up_to_11),
        ("only10", &tls.only_10),
        ("datedSuites", &tls.dated),
        ("brokenSuites", &tls.broken),
        ("postQuantum", &tls.post_quantum),
    ] {
        handshakes.insert(member.into(), hello(heard));
    }
    let in_the_clear = tls.web.as_ref().is_some_and(Result::is_err);
    members! {
        "handshakes": handshakes,
        "chain": tls.chain.iter().map(certificate).collect::<Value>(),
        "presented": json!({
            "certificates": tls.presented,
            "by": if in_the_clear { "only12" } else { "best" },
        }),
        "shape": json!(tls.shape),
        "trust": json!(tls.verdict),
        "staple": tls.staple.as_ref().map(|staple| self::staple(staple, tls)),
        "scts": scts(tls),
    }
}

fn asked<T>(outcome: Option<&Result<T, Refused>>, show: impl Fn(&T) -> Value) -> Value {
    match outcome {
        Some(Ok(done)) => show(done),
        Some(Err(Refused::Declined(how))) => json!({ "declined": clean(how, 120) }),
        Some(Err(Refused::Failed(failure))) => failed(failure),
        None => unfinished(),
    }
}

fn handshake(done: &Handshake) -> Value {
    json!({
        "version": done.version,
        "suite": done.suite,
        "group": done.group,
        "alpn": done.alpn.as_deref().map(|name| clean(name, 32)),
        "ocspStapled": !done.staple.is_empty(),
        "keyProven": match done.proof {
            Proof::Given => Some(true),
            Proof::Wrong(_) => Some(false),
            Proof::Unseen => None,
        },
        "ticketSeen": done.tickets.count() > 0,
    })
}

/// The answer to a hello that was heard to the end of the first flight.
fn flight(answer: &Answer) -> Value {
    json!({
        "version": answer.version.name(),
        "suite": answer.suite,
        "group": answer.group,
        "alpn": answer.alpn,
        "ocspStapled": !answer.staple.is_empty(),
        "ticket": answer.ticket,
        "sessionId": answer.session_id,
        "extendedMasterSecret": answer.extended_master_secret,
        "secureRenegotiation": answer.secure_renegotiation,
        "clientCertificate": answer.client_certificate,
    })
}

/// The answer to a hello that only asks what is accepted.
fn hello(heard: &Heard) -> Value {
    asked(heard.as_ref(), |answer| {
        let mut value = json!({ "version": answer.version.name(), "suite": answer.suite });
        if let Some(group) = &answer.group {
            value["group"] = group.as_str().into();
            value["retry"] = answer.retry.into();
        }
        value
    })
}

/// The members of a certificate that a reader of the report wants; `decode`
/// explains the rest.
fn certificate(certificate: &Certificate) -> Value {
    json!({
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": certificate.serial,
        "dnsNames": certificate.dns_names.iter().take(50).collect::<Vec<_>>(),
        "dnsNameCount": certificate.dns_names.len(),
        "ipAddresses": certificate.ip_addresses,
        "notBefore": rfc3339(certificate.not_before),
        "notAfter": rfc3339(certificate.not_after),
        "key": certificate.key,
        "signatureAlgorithm": certificate.signature_algorithm,
        "extendedKeyUsage": certificate.extended_key_usage,
        "caIssuers": certificate.ca_issuers,
        "sha256": certificate.sha256,
        "spkiSha256": certificate.spki_sha256,
        "isCa": certificate.is_ca,
        "sctCount": certificate.sct_count,
        "mustStaple": certificate.must_staple,
    })
}

fn staple(staple: &Result<Ocsp, Nothing>, tls: &Tls) -> Value {
    match staple {
        Ok(ocsp) => json!({
            "status": ocsp.status,
            "aboutLeaf": tls.chain.first().is_some_and(|leaf| leaf.serial == ocsp.serial),
            "thisUpdate": rfc3339(ocsp.this_update),
            "nextUpdate": ocsp.next_update.map(rfc3339),
            "produced": rfc3339(ocsp.produced),
        }),
        Err(Nothing::Error(error)) => json!({ "error": error }),
        Err(Nothing::Malformed) => json!({ "error": "unreadable" }),
    }
}

/// Timestamps by the way they came.
fn scts(tls: &Tls) -> Value {
    let show = |scts: &[Sct]| -> Vec<Value> {
        let at = |sct: &Sct| rfc3339(i64::try_from(sct.at_ms / 1000).unwrap_or(i64::MAX));
        scts.iter()
            .map(|sct| json!({ "logId": sct.log_id, "at": at(sct) }))
            .collect()
    };
    let extension = match &tls.up_to_12 {
        Some(Ok(answer)) => show(&answer.scts),
        _ => Vec::new(),
    };
    members! {
        "certificate": tls.chain.first().map(|leaf| show(&leaf.scts)).unwrap_or_default(),
        "extension": extension,
        "staple": match &tls.staple {
            Some(Ok(staple)) => show(&staple.scts),
            _ => Vec::new(),
        },
    }
}

/// What transparency logs hold: issued once, not necessarily served.
pub(super) fn logged(logged: Option<&Result<Logged, Failure>>, tls: &Tls) -> Value {
    let logged = match logged {
        Some(Ok(logged)) => logged,
        Some(Err(failure)) => return failed(failure),
        None => return unfinished(),
    };
    let shown = logged.entries.iter().take(SHOWN_LIMIT);
    json!({
        "count": logged.entries.len(),
        "truncated": logged.truncated,
        "hasPresented": tls.chain.first().map(|leaf| logged.has(&leaf.serial)),
        "entries": shown
            .map(|entry| json!({
                "issuer": entry.issuer,
                "serial": entry.serial,
                "names": entry.names,
                "notBefore": entry.not_before,
                "notAfter": entry.not_after,
            }))
            .collect::<Vec<_>>(),
    })
}
