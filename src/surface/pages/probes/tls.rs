//! TLS: what was agreed, and the chain drawn from the leaf to its root.

use maud::{Markup, html};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::report::{State, counted};

use super::super::mark::{icon, instant, scalar};
use super::{items, text, unmeasured};

/// What each handshake was offered.
const HANDSHAKES: [(&str, &str); 8] = [
    ("best", "Best offer"),
    ("only13", "TLS 1.3 only"),
    ("only12", "TLS 1.2 at most"),
    ("only11", "TLS 1.1 at most"),
    ("only10", "TLS 1.0 only"),
    ("datedSuites", "Weak and broken suites only"),
    ("brokenSuites", "Broken suites only"),
    ("postQuantum", "X25519MLKEM768 only"),
];

/// The `tls` member of a report, made at `time`.
pub(super) fn picture(probe: &Value, time: &str) -> Markup {
    html! {
        @if let Some(Value::Object(handshakes)) = probe.get("handshakes") {
            h3 { "Handshakes" }
            dl.handshakes {
                @for (member, offer) in HANDSHAKES {
                    @if let Some(handshake) = handshakes.get(member) {
                        div { dt { (offer) } dd { (agreed(handshake)) } }
                    }
                }
            }
        }
        @if items(&probe["chain"]).next().is_some() {
            h3 { "Chain as presented" }
            ol.chain {
                @for (at, certificate) in items(&probe["chain"]).enumerate() {
                    li { (link(certificate, at, time)) }
                }
                li.end { (verdict(&probe["trust"])) }
            }
        }
    }
}

fn agreed(handshake: &Value) -> Markup {
    html! {
        @if let Some(failure) = handshake.get("failure") {
            (unmeasured(failure))
        } @else if let Some(declined) = handshake.get("declined") {
            "declined " span.quiet { "(" (scalar(declined)) ")" }
        } @else {
            b { (version(text(handshake, "version"))) } " " code { (text(handshake, "suite")) }
            @for (member, label) in [("group", "key exchange"), ("alpn", "speaks")] {
                @if let Some(value) = handshake.get(member).and_then(Value::as_str) {
                    " · " (label) " " code { (value) }
                }
            }
            @if handshake["ocspStapled"] == true { " · OCSP stapled" }
        }
    }
}

/// `1.3` as people write it; whatever else is there as it is.
fn version(version: &str) -> String {
    match version.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("TLS {version}"),
        false => version.to_owned(),
    }
}

fn link(certificate: &Value, at: usize, time: &str) -> Markup {
    let names: Vec<&str> = items(&certificate["dnsNames"])
        .filter_map(Value::as_str)
        .collect();
    let more = certificate
        .get("dnsNameCount")
        .and_then(Value::as_u64)
        .unwrap_or(0)
        .saturating_sub(names.len() as u64);
    html! {
        p.role { @if at == 0 { "Leaf" } @else { "Issuer " (at) } }
        p.subject { (text(certificate, "subject")) }
        @if !names.is_empty() {
            p.names {
                @for name in &names { code { (name) } " " }
                @if more > 0 { span.quiet { "and " (more) " more" } }
            }
        }
        (life(text(certificate, "notBefore"), text(certificate, "notAfter"), time))
        p.quiet {
            (key(&certificate["key"])) " · " (text(certificate, "signatureAlgorithm"))
            @if let Some(n) = certificate.get("sctCount").and_then(Value::as_u64) {
                @if at == 0 { " · " (counted(n as usize, "timestamp", "timestamps")) " of transparency logs" }
            }
        }
        p.fingerprint { span.quiet { "SHA-256 " } code { (text(certificate, "sha256")) } }
    }
}

fn key(key: &Value) -> String {
    let algorithm = text(key, "algorithm");
    match (text(key, "curve"), key.get("bits").and_then(Value::as_u64)) {
        ("", Some(bits)) if bits > 0 => format!("{algorithm} {bits}"),
        ("", _) => algorithm.to_owned(),
        (curve, _) => format!("{algorithm} {curve}"),
    }
}

/// The validity as a line with today on it.
fn life(from: &str, to: &str, now: &str) -> Markup {
    html! {
        div.life {
            @if let Some((used, days)) = used(from, to, now) {
                svg.span viewBox="0 0 100 3" preserveAspectRatio="none" aria-hidden="true" {
                    rect.whole width="100" height="3" {}
                    rect.used width=(format!("{used:.1}")) height="3" {}
                }
                p {
                    (instant(from)) " to " (instant(to)) " · "
                    b {
                        @if days < 0 { "expired " (counted(days.unsigned_abs() as usize, "day", "days")) " before" }
                        @else { (counted(days.unsigned_abs() as usize, "day", "days")) " left" }
                    }
                }
            }
        }
    }
}

/// The part of a validity that had passed, in percent, and whole days left.
fn used(from: &str, to: &str, now: &str) -> Option<(f64, i64)> {
    let [from, to, now] = [from, to, now].map(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    let (from, to, now) = (from?, to?, now?);
    let whole = (to - from).as_seconds_f64();
    let used = (now - from).as_seconds_f64();
    (whole > 0.0).then(|| {
        (
            (used / whole * 100.0).clamp(0.0, 100.0),
            (to - now).whole_days(),
        )
    })
}

fn verdict(trust: &Value) -> Markup {
    let holds = |name: &str| trust.get(name).and_then(Value::as_bool);
    html! {
        @match holds("trusted") {
            Some(true) => { p.pass { (icon(State::Pass)) b { "Trusted" } " by the roots that browsers know, for this host" } }
            Some(false) => {
                p.fail {
                    (icon(State::Fail)) b { "Not trusted" } ": "
                    @match (text(trust, "reason"), holds("nameMatches")) {
                        ("trusted", Some(false)) => "the certificate is for another name",
                        (reason, Some(false)) => { (reason.replace('_', " ")) ", and for another name" }
                        (reason, _) => (reason.replace('_', " ")),
                    }
                }
            }
            None => { p.inconclusive { (icon(State::Inconclusive)) "Trust was not judged" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_validity_shows_how_much_of_it_is_used() {
        let at = |day: u8| format!("2026-11-{day:02}T00:00:00Z");
        assert_eq!(used(&at(1), &at(21), &at(6)), Some((25.0, 15)));
        assert_eq!(used(&at(1), &at(11), &at(21)), Some((100.0, -10)));
        assert_eq!(used(&at(2), &at(1), &at(1)), None);
        assert_eq!(used("soon", &at(1), &at(1)), None);
    }

    #[test]
    fn a_chain_for_another_name_says_so() {
        let html = verdict(&json!({"trusted": false, "reason": "trusted", "nameMatches": false}))
            .into_string();
        assert!(
            html.contains("the certificate is for another name"),
            "{html}"
        );
        let html =
            verdict(&json!({"trusted": false, "reason": "unknown_issuer", "nameMatches": true}))
                .into_string();
        assert!(html.ends_with(": unknown issuer</p>"), "{html}");
    }
}
