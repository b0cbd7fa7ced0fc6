//! What the server speaks: versions, suites, groups, sessions.

use super::{Case, Check};
use crate::probe::Failure;
use crate::probe::hello::registry::Class;
use crate::probe::hello::{Answer, Version};
use crate::probe::plan::{Heard, Tls};
use crate::probe::tls::Refused;
use crate::report::{Confidence, Finding, Severity};

checks! {
    TLS13 {
        id: "tls.version_13",
        about: "Whether TLS 1.3 is offered, seen by a handshake; where that is declined, by the answer to a hello \
            with everything that TLS 1.3 has.",
        reference: "RFC 8446",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_3 </dev/null",
        also: ["curl -sSI --tlsv1.3 https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_version"],
    }

    TLS12 {
        id: "tls.version_12",
        about: "Whether TLS 1.2 is offered, seen by the server's answer to a hello: older clients need it.",
        reference: "RFC 9325 section 3.1.1",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_2 </dev/null",
        also: ["curl -sSI --tlsv1.2 --tls-max 1.2 https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_version"],
    }

    TLS11 {
        id: "tls.version_11",
        about: "Whether TLS 1.1, which is withdrawn, is declined.",
        when: [
            Pass "an alert, or another version, answers a hello that offers TLS 1.1 at most",
            Fail "TLS 1.1 answers it",
        ],
        reference: "RFC 8996 section 5",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_1 -cipher 'ALL:@SECLEVEL=0' </dev/null",
        also: ["curl -sSI --tlsv1.1 --tls-max 1.1 --ciphers 'ALL:@SECLEVEL=0' https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_version", "cwe:327"],
    }

    TLS10 {
        id: "tls.version_10",
        about: "Whether TLS 1.0, which is withdrawn, is declined.",
        when: [
            Pass "an alert, or another version, answers a hello that offers TLS 1.0 alone, or one that offers TLS 1.1 at most is declined",
            Fail "TLS 1.0 answers it",
        ],
        reference: "RFC 8996 section 4",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1 -cipher 'ALL:@SECLEVEL=0' </dev/null",
        also: ["curl -sSI --tlsv1.0 --tls-max 1.0 --ciphers 'ALL:@SECLEVEL=0' https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_version", "cwe:327"],
    }

    SUITES {
        id: "tls.suites",
        about: "Whether cipher suites without forward secrecy or in CBC mode, or broken ones (RC4, DES, 3DES, \
            export grade, no encryption, no authentication) are accepted where nothing better is offered.",
        when: [
            Fail "a hello with broken suites only is answered, or one of TLS 1.1 or 1.0 with a broken one",
            Warn "a hello with weak and broken suites only, or of TLS 1.1 or 1.0, is answered with a weak one",
            Pass "all of them are declined",
        ],
        reference: "RFC 9325 section 4.1",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_2 -cipher \
            'ALL:eNULL:!ECDHE+AESGCM:!DHE+AESGCM:!ECDHE+AESCCM:!DHE+AESCCM:!ECDHE+ARIAGCM:!DHE+ARIAGCM:!CHACHA20:@SECLEVEL=0' </dev/null",
        also: ["curl -sSI --tls-max 1.2 --ciphers \
            'ALL:eNULL:!ECDHE+AESGCM:!DHE+AESGCM:!ECDHE+AESCCM:!DHE+AESCCM:!ECDHE+ARIAGCM:!DHE+ARIAGCM:!CHACHA20:@SECLEVEL=0' https://{host}/"],
        maps_to: ["internet.nl:web_https_tls_ciphers", "cwe:327"],
    }

    POST_QUANTUM {
        id: "tls.post_quantum",
        about: "Whether the key-exchange group X25519MLKEM768 is offered, so that what is recorded today \
            cannot be read with a quantum computer later; seen by the server asking for its share.",
        when: [
            Pass "a hello that offers X25519MLKEM768 alone, without a share, gets a HelloRetryRequest for it",
            Info "it is declined",
        ],
        reference: "RFC 8446 section 4.1.4; draft-ietf-tls-ecdhe-mlkem",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -tls1_3 -groups X25519MLKEM768 </dev/null",
        also: ["curl -sSI --tlsv1.3 --curves X25519MLKEM768 https://{host}/"],
        maps_to: [],
    }

    ALPN {
        id: "tls.alpn",
        about: "Which application protocols the server agrees to, HTTP/2 first.",
        reference: "RFC 7301 section 3.2",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -alpn h2,http/1.1 </dev/null",
        also: ["curl -sSI --http2 https://{host}/ | head -n 1"],
        maps_to: [],
    }

    RESUMPTION {
        id: "tls.resumption",
        about: "Whether the server offers to resume sessions, which makes later connections cheaper. Seen by the \
            tickets and identifiers it hands out; none is used.",
        reference: "RFC 8446 section 2.2",
        reproduce: "openssl s_client -connect {host}:443 -servername {host} -reconnect </dev/null",
        maps_to: [],
    }
}

const HANDSHAKES: &str = "/tls/handshakes";

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    version_13(case, findings);
    version_12(case, findings);
    withdrawn(
        case,
        TLS11,
        Version::Tls11,
        "only11",
        &tls.up_to_11,
        findings,
    );
    withdrawn(
        case,
        TLS10,
        Version::Tls10,
        "only10",
        &tls.only_10,
        findings,
    );
    suites(case, findings);
    post_quantum(case, findings);
    alpn(case, findings);
    resumption(case, findings);
}

/// What the handshake came to, for checks that have nothing else to go by.
fn undone(case: &Case<'_>, check: &Check, findings: &mut Vec<Finding>) {
    let draft = match &case.probes.tls.web {
        Some(Err(Refused::Failed(failure))) => case.unmeasured(check, failure),
        Some(Err(Refused::Declined(how))) => {
            case.inconclusive(check, format!("the server declined the handshake ({how})"))
        }
        _ => case.unmeasured(check, &Failure::TimedOut),
    };
    draft
        .evidence(format!("{HANDSHAKES}/best/failure"))
        .evidence(format!("{HANDSHAKES}/best/declined"))
        .add(findings);
}

fn web_version(tls: &Tls) -> Option<&'static str> {
    match &tls.web {
        Some(Ok(done)) => Some(done.version),
        _ => None,
    }
}

fn version_13(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    // Both were on offer, and a server that has 1.3 takes it.
    if let Some(Err(Refused::Failed(failure))) = &tls.any_13 {
        return case
            .unmeasured(TLS13, failure)
            .evidence(format!("{HANDSHAKES}/any13"))
            .add(findings);
    }
    match (web_version(tls), &tls.web, &tls.up_to_12) {
        _ if tls.has_13() => case
            .pass(TLS13, "TLS 1.3 is offered.")
            .evidence(format!("{HANDSHAKES}/best/version"))
            .evidence(format!("{HANDSHAKES}/any13"))
            .add(findings),
        (Some(_), ..) | (None, Some(Err(Refused::Declined(_))), Some(Ok(_))) => case
            .warn(TLS13, Severity::Medium, "TLS 1.3 is not offered.")
            .evidence(format!("{HANDSHAKES}/best/version"))
            .evidence(format!("{HANDSHAKES}/best/declined"))
            .evidence(format!("{HANDSHAKES}/any13"))
            .fix("Enable TLS 1.3.")
            .add(findings),
        _ => undone(case, TLS13, findings),
    }
}

fn version_12(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let draft = match (&tls.up_to_12, web_version(tls)) {
        (_, Some("TLSv1.2")) => case
            .info(TLS12, "TLS 1.2 is offered.")
            .evidence(format!("{HANDSHAKES}/best/version")),
        (Some(Ok(answer)), _) if answer.version == Version::Tls12 => {
            case.info(TLS12, "TLS 1.2 is offered.")
        }
        (Some(Ok(answer)), None) => case
            .fail(
                TLS12,
                Severity::High,
                format!("Nothing newer than {} is offered.", answer.version.name()),
            )
            .fix("Enable TLS 1.2 and 1.3: browsers refuse everything older."),
        (Some(Ok(_)), Some(_)) | (Some(Err(Refused::Declined(_))), _) if tls.has_13() => case.info(
            TLS12,
            "TLS 1.2 is declined; clients older than TLS 1.3 cannot connect.",
        ),
        (Some(Err(Refused::Failed(failure))), Some(_)) => case.unmeasured(TLS12, failure),
        _ => return undone(case, TLS12, findings),
    };
    draft
        .evidence(format!("{HANDSHAKES}/only12/version"))
        .evidence(format!("{HANDSHAKES}/only12/declined"))
        .evidence(format!("{HANDSHAKES}/only12/failure"))
        .add(findings);
}

/// How a question for something bad went.
enum Outcome<'a> {
    Accepted,
    Declined,
    /// The connection was closed instead, by a server that answers others.
    Closed,
    Unknown(&'a Failure),
}

impl<'a> Outcome<'a> {
    fn unknown(self) -> Option<&'a Failure> {
        match self {
            Outcome::Unknown(failure) => Some(failure),
            _ => None,
        }
    }
}

fn outcome<'a>(tls: &'a Tls, heard: &'a Heard) -> Outcome<'a> {
    match (heard, &tls.up_to_12) {
        // Who declines every suite of every version before 1.3 has none.
        (_, Some(Err(Refused::Declined(_)))) => Outcome::Declined,
        (Some(Ok(_)), _) => Outcome::Accepted,
        (Some(Err(Refused::Declined(_))), _) => Outcome::Declined,
        (Some(Err(Refused::Failed(Failure::Unreachable(_)))), Some(Ok(_))) => Outcome::Closed,
        (Some(Err(Refused::Failed(failure))), _) => Outcome::Unknown(failure),
        (None, _) => Outcome::Unknown(&Failure::TimedOut),
    }
}

fn withdrawn(
    case: &Case<'_>,
    check: &Check,
    version: Version,
    member: &str,
    heard: &Heard,
    findings: &mut Vec<Finding>,
) {
    let name = version.name().replace('v', " ");
    let other = matches!(heard, Some(Ok(answer)) if answer.version != version);
    let declined = || case.pass(check, format!("{name} is declined."));
    if !case.probes.tls.is_reached() {
        return undone(case, check, findings);
    }
    let draft = match outcome(&case.probes.tls, heard) {
        Outcome::Accepted if !other => case
            .fail(
                check,
                Severity::Medium,
                format!("{name} is still accepted."),
            )
            .fix(format!(
                "Switch {name} off; no browser has used it since 2020."
            )),
        Outcome::Accepted | Outcome::Declined => declined(),
        Outcome::Closed => declined().confidence(Confidence::Medium),
        Outcome::Unknown(failure) => case.unmeasured(check, failure),
    };
    draft
        .evidence(format!("{HANDSHAKES}/{member}"))
        .add(findings);
}

fn suites(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    if !tls.is_reached() {
        return undone(case, SUITES, findings);
    }
    let asked = [
        ("brokenSuites", &tls.broken),
        ("datedSuites", &tls.dated),
        // A version may have suites of its own.
        ("only11", &tls.up_to_11),
        ("only10", &tls.only_10),
    ];
    let accepted = |class: Class| {
        asked.iter().find_map(|(member, heard)| match heard {
            Some(Ok(answer)) if answer.class == class => Some((*member, answer)),
            _ => None,
        })
    };
    let mut outcomes = asked.iter().map(|(_, heard)| outcome(tls, heard));
    let is_broken_unknown = matches!(outcome(tls, &tls.broken), Outcome::Unknown(_));
    let (broken, weak) = (accepted(Class::Broken), accepted(Class::Weak));
    let draft = if let Some((_, answer)) = broken {
        let title = format!("A broken cipher suite is accepted: {}.", named(answer));
        case.fail(SUITES, Severity::High, title).fix(STRONG_ONLY)
    } else if let Some((_, answer)) = weak.filter(|_| !is_broken_unknown) {
        let title = format!("A weak cipher suite is accepted: {}.", named(answer));
        case.warn(SUITES, Severity::Low, title).fix(STRONG_ONLY)
    } else if let Some(failure) = outcomes.clone().find_map(Outcome::unknown) {
        case.unmeasured(SUITES, failure)
    } else {
        let sure = match outcomes.all(|outcome| matches!(outcome, Outcome::Declined)) {
            true => Confidence::High,
            false => Confidence::Medium,
        };
        case.pass(
            SUITES,
            "Only suites with forward secrecy and authenticated encryption are accepted.",
        )
        .confidence(sure)
    };
    let (member, version) = match broken.or(weak) {
        Some((member, answer)) => (Some(member), answer.version),
        None => (None, Version::Tls12),
    };
    let mut draft = draft
        // The command asks the version that the suite was accepted in.
        .fill_bare("tls1_2", option(version))
        .evidence(format!("{HANDSHAKES}/brokenSuites"))
        .evidence(format!("{HANDSHAKES}/datedSuites"));
    if let Some(member) = member.filter(|member| member.starts_with("only")) {
        draft = draft.evidence(format!("{HANDSHAKES}/{member}"));
    }
    draft.add(findings);
}

const STRONG_ONLY: &str = "Leave only suites with ECDHE and AES-GCM or ChaCha20-Poly1305.";

/// A suite with the version that it was accepted in, where that is a
/// withdrawn one.
fn named(answer: &Answer) -> String {
    match answer.version {
        Version::Tls10 | Version::Tls11 => {
            let version = answer.version.name().replace('v', " ");
            format!("{} ({version})", answer.suite)
        }
        _ => String::from(answer.suite),
    }
}

/// What OpenSSL calls a version on its command line.
fn option(version: Version) -> &'static str {
    match version {
        Version::Tls10 => "tls1",
        Version::Tls11 => "tls1_1",
        Version::Tls12 => "tls1_2",
        Version::Tls13 => "tls1_3",
    }
}

const NOT_OFFERED: &str = "The post-quantum key exchange X25519MLKEM768 is not offered.";

fn post_quantum(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let draft = match &tls.post_quantum {
        Some(Ok(_)) => case.pass(
            POST_QUANTUM,
            "The post-quantum key exchange X25519MLKEM768 is offered.",
        ),
        _ if !tls.is_reached() => return undone(case, POST_QUANTUM, findings),
        Some(Err(Refused::Declined(_))) => case.info(POST_QUANTUM, NOT_OFFERED),
        // By a server that answers others.
        Some(Err(Refused::Failed(Failure::Unreachable(_)))) => case
            .info(POST_QUANTUM, NOT_OFFERED)
            .confidence(Confidence::Medium),
        Some(Err(Refused::Failed(failure))) => case.unmeasured(POST_QUANTUM, failure),
        None => case.unmeasured(POST_QUANTUM, &Failure::TimedOut),
    };
    draft
        .evidence(format!("{HANDSHAKES}/postQuantum"))
        .add(findings);
}

fn alpn(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let (member, chosen) = match (&tls.up_to_12, &tls.only_13, &tls.web) {
        (Some(Ok(answer)), ..) => ("only12", answer.alpn.as_deref()),
        (_, Some(Ok(done)), _) => ("only13", done.alpn.as_deref()),
        // HTTP/2 was not on offer there.
        (.., Some(Ok(_))) => {
            return case
                .unmeasured(ALPN, &Failure::TimedOut)
                .evidence(format!("{HANDSHAKES}/only12/failure"))
                .evidence(format!("{HANDSHAKES}/only13/failure"))
                .add(findings);
        }
        _ => return undone(case, ALPN, findings),
    };
    let title = match chosen {
        Some("h2") => String::from("HTTP/2 is agreed to."),
        Some(other) => format!("HTTP/2 is not agreed to; {other} is."),
        None => String::from("No application protocol is agreed to; HTTP/1.1 is assumed."),
    };
    case.info(ALPN, title)
        .evidence(format!("{HANDSHAKES}/{member}/alpn"))
        .add(findings);
}

fn resumption(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let tls = &case.probes.tls;
    let ticket_13 = match &tls.web {
        Some(Ok(done)) => done.tickets.count() > 0,
        _ if !tls.is_reached() => return undone(case, RESUMPTION, findings),
        _ => false,
    };
    let (ticket_12, id_12) = match &tls.up_to_12 {
        Some(Ok(answer)) => (answer.ticket, answer.session_id),
        _ => (false, false),
    };
    // What a version offers that did not answer, nobody saw.
    let unseen = match (&tls.web, &tls.up_to_12) {
        (Some(Err(Refused::Failed(failure))), _) | (_, Some(Err(Refused::Failed(failure)))) => {
            Some(failure)
        }
        (None, _) | (_, None) => Some(&Failure::TimedOut),
        _ => None,
    };
    let title = match (ticket_13 || ticket_12, id_12, unseen) {
        (true, ..) => "The server hands out session tickets.",
        (false, true, _) => "The server gives sessions an identifier to resume them by.",
        (false, false, Some(failure)) => {
            return case
                .unmeasured(RESUMPTION, failure)
                .evidence(format!("{HANDSHAKES}/best/failure"))
                .evidence(format!("{HANDSHAKES}/only12/failure"))
                .add(findings);
        }
        (false, false, None) => {
            "The server offers no session to resume, so every connection is a full handshake."
        }
    };
    case.info(RESUMPTION, title)
        .evidence(format!("{HANDSHAKES}/best/ticketSeen"))
        .evidence(format!("{HANDSHAKES}/only12/ticket"))
        .evidence(format!("{HANDSHAKES}/only12/sessionId"))
        .add(findings);
}
