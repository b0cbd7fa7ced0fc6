//! The web server's answers: the way to https, and what its headers ask of a
//! browser.

use super::Case;
use crate::guard::Scheme;
use crate::probe::Failure;
use crate::probe::http::{End, Journey};
use crate::probe::http1::Response;
use crate::report::{Finding, Severity};

checks! {
    HTTPS {
        id: "http.https_redirect",
        about: "Whether a visitor who types the bare name over plain HTTP ends on HTTPS.",
        reference: "RFC 6797 section 7.2",
        reproduce: "curl -sSIL http://{host}/",
        maps_to: [
            "mdn-observatory:redirection",
            "internet.nl:web_https_http_redirect",
        ],
    }

    REDIRECTS {
        id: "http.redirects",
        about: "Whether redirects lead to a page: no loop, no way back to plain HTTP, nothing that may not \
            be followed.",
        reference: "RFC 9110 section 15.4",
        reproduce: "curl -sSIL {url}",
        maps_to: ["cwe:601"],
    }

    HSTS {
        id: "http.hsts",
        about: "Whether the host tells browsers to use HTTPS only, for at least half a year.",
        reference: "RFC 6797 section 6.1",
        reproduce: "curl -sSI https://{host}/ | grep -i strict-transport-security",
        maps_to: [
            "mdn-observatory:strict-transport-security",
            "internet.nl:web_https_http_hsts",
            "cwe:319",
        ],
    }

    NOSNIFF {
        id: "http.content_type_options",
        about: "Whether browsers are told not to guess content types.",
        reference: "WHATWG Fetch, X-Content-Type-Options",
        reproduce: "curl -sSI {url} | grep -i x-content-type-options",
        maps_to: [
            "mdn-observatory:x-content-type-options",
            "internet.nl:web_appsecpriv_x_content_type_options",
        ],
    }

    CSP {
        id: "http.csp",
        about: "Whether a Content-Security-Policy is enforced. One in report-only mode protects nobody and \
            is not counted as one.",
        reference: "W3C CSP Level 3",
        reproduce: "curl -sSI {url} | grep -i content-security-policy",
        maps_to: [
            "mdn-observatory:content-security-policy",
            "internet.nl:web_appsecpriv_csp",
        ],
    }
}

/// Half a year of 365 days, what MDN's table asks for.
const HALF_A_YEAR: u64 = 15_768_000;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    https(case, findings);
    redirects(case, findings);
    hsts(case, findings);
    let Some((member, response)) = page(case) else {
        for check in [NOSNIFF, CSP] {
            case.unmeasured(check, &no_page(case)).add(findings);
        }
        return;
    };
    nosniff(case, member, response, findings);
    csp(case, member, response, findings);
}

/// The journey of a member, or why there is none.
fn journey<'a>(case: &Case<'a>, member: &str) -> Result<&'a Journey, Failure> {
    let journey = match member {
        "https" => &case.probes.https,
        _ => &case.probes.http,
    };
    match journey {
        Some(Ok(journey)) => Ok(journey),
        Some(Err(failure)) => Err(failure.clone()),
        None => Err(Failure::TimedOut),
    }
}

/// The page a visitor sees: over HTTPS where there is one.
fn page<'a>(case: &Case<'a>) -> Option<(&'static str, &'a Response)> {
    ["https", "http"].into_iter().find_map(|member| {
        let (_, response) = journey(case, member).ok()?.page()?;
        Some((member, response))
    })
}

/// Why there is no page to judge.
fn no_page(case: &Case<'_>) -> Failure {
    match journey(case, "https") {
        Err(failure) => failure,
        Ok(Journey {
            end: End::Failed(failure),
            ..
        }) => failure.clone(),
        Ok(_) => Failure::Blocked("the redirects lead to no page"),
    }
}

fn https(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let plain = match journey(case, "http") {
        Ok(journey) => journey,
        Err(failure) => return case.unmeasured(HTTPS, &failure).add(findings),
    };
    let evidence = "/http/http/hops";
    let on_https = plain
        .last()
        .is_some_and(|(hop, _)| hop.url.scheme() == Scheme::Https);
    match &plain.end {
        End::Met => case.pass(HTTPS, "Plain HTTP redirects to HTTPS.").evidence(evidence).add(findings),
        End::Arrived if on_https => {
            case.pass(HTTPS, "Plain HTTP redirects to HTTPS.").evidence(evidence).add(findings);
        }
        End::Arrived => case
            .fail(HTTPS, Severity::Medium, "Plain HTTP serves a page instead of redirecting to HTTPS.")
            .evidence(evidence)
            .fix("Answer every plain HTTP request with a permanent redirect to the same URL over HTTPS.")
            .add(findings),
        End::Failed(Failure::Unreachable(_)) if plain.hops.len() == 1 => case
            .info(HTTPS, "Nothing answers on plain HTTP.")
            .evidence("/http/http/hops/0/failure")
            .add(findings),
        End::Failed(failure) => {
            case.inconclusive(HTTPS, failure.clause()).evidence(evidence).add(findings);
        }
        _ => case.inconclusive(HTTPS, "the redirects lead to no page").evidence("/http/http/end").add(findings),
    }
}

fn redirects(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let member = match case.probes.url.scheme() {
        Scheme::Https => "https",
        Scheme::Http => "http",
    };
    let journey = match journey(case, member) {
        Ok(journey) => journey,
        Err(failure) => return case.unmeasured(REDIRECTS, &failure).add(findings),
    };
    let end = format!("/http/{member}/end");
    let unfollowed = format!("/http/{member}/unfollowed");
    let hops = format!("/http/{member}/hops");
    let fail = |severity, title: &str| {
        case.fail(REDIRECTS, severity, title)
            .evidence(&end)
            .evidence(&unfollowed)
    };
    match &journey.end {
        End::Loop => {
            fail(Severity::High, "The redirects lead in a circle.")
                .fix("Let the chain end at a page.")
                .add(findings);
        }
        End::TooLong => fail(
            Severity::Medium,
            "More than five redirects follow each other.",
        )
        .fix("Redirect straight to the final URL.")
        .add(findings),
        End::Nowhere => fail(Severity::Medium, "A redirect does not say where to.")
            .fix("Send a Location header with every redirect.")
            .add(findings),
        End::Refused(_) => fail(
            Severity::Medium,
            "A redirect leads to something that is not a public web address.",
        )
        .fix("Redirect only to public http and https URLs.")
        .add(findings),
        End::Unresolved(why) => case
            .inconclusive(REDIRECTS, why)
            .evidence(&unfollowed)
            .add(findings),
        End::Failed(failure) => case
            .inconclusive(REDIRECTS, failure.clause())
            .evidence(&hops)
            .add(findings),
        End::Arrived | End::Met if downgrades(journey) => case
            .fail(
                REDIRECTS,
                Severity::High,
                "A redirect leads from HTTPS back to plain HTTP.",
            )
            .evidence(&hops)
            .fix("Keep every hop after the first HTTPS one on HTTPS.")
            .add(findings),
        End::Arrived | End::Met => {
            let away = off_host(journey);
            let title = match (journey.hops.len() - 1, away) {
                (0, _) => String::from("The URL answers without a redirect."),
                (n, None) => format!("{n} redirect(s) lead to a page of the same host."),
                (n, Some(host)) => {
                    format!("{n} redirect(s) lead to a page of another host, {host}.")
                }
            };
            case.pass(REDIRECTS, title).evidence(&hops).add(findings);
        }
    }
}

fn downgrades(journey: &Journey) -> bool {
    journey.hops.windows(2).any(|pair| match pair {
        [from, to] => from.url.scheme() == Scheme::Https && to.url.scheme() == Scheme::Http,
        _ => false,
    })
}

fn off_host(journey: &Journey) -> Option<&str> {
    let first = journey.hops.first()?.url.host();
    let last = journey.hops.last()?.url.host();
    (first != last).then_some(last)
}

fn hsts(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let first = match journey(case, "https") {
        Ok(journey) => journey.first(),
        Err(failure) => return case.unmeasured(HSTS, &failure).add(findings),
    };
    let Some(first) = first else {
        return case.unmeasured(HSTS, &no_page(case)).add(findings);
    };
    let fix = "Send \"Strict-Transport-Security: max-age=31536000; includeSubDomains\" with every HTTPS response.";
    let evidence = "/http/https/hops/0/strictTransportSecurity";
    let Some(value) = first.field("strict-transport-security") else {
        return case
            .fail(
                HSTS,
                Severity::Medium,
                "No Strict-Transport-Security header is sent.",
            )
            .evidence("/http/https/hops/0")
            .fix(fix)
            .add(findings);
    };
    match max_age(value) {
        Some(age) if age >= HALF_A_YEAR => case
            .pass(
                HSTS,
                format!(
                    "Browsers are told to use HTTPS only, for {} days.",
                    age / 86_400
                ),
            )
            .evidence(evidence)
            .add(findings),
        Some(age) => case
            .warn(
                HSTS,
                Severity::Low,
                format!("HTTPS only is asked for just {} days.", age / 86_400),
            )
            .evidence(evidence)
            .fix(fix)
            .add(findings),
        None => case
            .fail(
                HSTS,
                Severity::Medium,
                "The Strict-Transport-Security header has no valid max-age; browsers ignore it.",
            )
            .evidence(evidence)
            .fix(fix)
            .add(findings),
    }
}

/// `max-age` in seconds (RFC 6797 section 6.1.1): a directive's value may be
/// quoted, its name has no case.
fn max_age(value: &str) -> Option<u64> {
    value.split(';').find_map(|directive| {
        let (name, value) = directive.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("max-age")
            .then(|| value.trim().trim_matches('"').parse().ok())?
    })
}

fn nosniff(case: &Case<'_>, member: &str, response: &Response, findings: &mut Vec<Finding>) {
    let value = response.field("x-content-type-options");
    let first = value
        .and_then(|value| value.split(',').next())
        .map(str::trim);
    match first {
        Some(word) if word.eq_ignore_ascii_case("nosniff") => case
            .pass(NOSNIFF, "Browsers are told not to guess content types.")
            .evidence(format!(
                "/http/{member}/page/headers/x-content-type-options"
            ))
            .add(findings),
        _ => case
            .warn(NOSNIFF, Severity::Low, "Browsers may guess content types.")
            .evidence(format!("/http/{member}/page/status"))
            .evidence(format!(
                "/http/{member}/page/headers/x-content-type-options"
            ))
            .fix("Send \"X-Content-Type-Options: nosniff\".")
            .add(findings),
    }
}

fn csp(case: &Case<'_>, member: &str, response: &Response, findings: &mut Vec<Finding>) {
    let enforced = response.field("content-security-policy").is_some();
    let reported = response
        .field("content-security-policy-report-only")
        .is_some();
    let headers = format!("/http/{member}/page/headers");
    let fix = "Send a Content-Security-Policy that allows only the sources your pages use.";
    match (enforced, reported) {
        (true, _) => case
            .pass(CSP, "A Content-Security-Policy is enforced.")
            .evidence(format!("{headers}/content-security-policy"))
            .add(findings),
        (false, true) => case
            .warn(
                CSP,
                Severity::Low,
                "A Content-Security-Policy is only reported on, not enforced.",
            )
            .evidence(format!("{headers}/content-security-policy-report-only"))
            .fix("When its reports are clean, send the same policy as Content-Security-Policy.")
            .add(findings),
        (false, false) => case
            .warn(CSP, Severity::Medium, "No Content-Security-Policy is sent.")
            .evidence(format!("/http/{member}/page/status"))
            .fix(fix)
            .add(findings),
    }
}
