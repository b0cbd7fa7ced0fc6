//! The way to the page: plain HTTP to HTTPS, redirects, and the promise to
//! stay on HTTPS.

use super::score::HALF_A_YEAR;
use super::{Case, Check};
use crate::codec::hsts;
use crate::guard::{Class, PublicUrl, Scheme};
use crate::probe::Failure;
use crate::probe::http::{End, Hop, Journey};
use crate::probe::http1::Response;
use crate::report::{Finding, Severity, counted};

checks! {
    HTTPS {
        id: "http.https_redirect",
        about: "Whether a visitor who types the bare name over plain HTTP ends on HTTPS.",
        when: [
            Info "Nothing answers on plain HTTP.",
            Fail "A page over plain HTTP is where the visitor ends.",
            Warn "An error is the answer, and nothing leads to HTTPS.",
            Inconclusive "The redirects lead to no page.",
        ],
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
            be followed. No cookie is kept on the way.",
        when: [
            Inconclusive "They lead in a circle that sets a cookie, or to a port, a host or a form of URL that is not probed here, \
                or to a host whose owner wishes to be left alone.",
        ],
        reference: "RFC 9110 section 15.4",
        reproduce: "curl -sSIL {url}",
        maps_to: ["cwe:601"],
    }

    HSTS {
        id: "http.hsts",
        about: "Whether the host tells browsers to use HTTPS only, for at least half a year.",
        when: [
            Fail "The header is missing or invalid, or its max-age of 0 has browsers forget the host.",
            NotApplicable "The host is an address.",
            Warn "The time is shorter, or browsers refuse the certificate and so ignore the header.",
        ],
        reference: "RFC 6797 section 6.1",
        reproduce: "curl -sSI {secure} | grep -i strict-transport-security",
        maps_to: [
            "mdn-observatory:strict-transport-security",
            "internet.nl:web_https_http_hsts",
            "cwe:319",
        ],
    }

    PRELOAD {
        id: "http.hsts_preload",
        about: "Whether the host meets what browsers' preload list asks for: a year, sub-domains included, \
            the word preload, and plain HTTP that leads to HTTPS on the same host first. Whether it is on \
            the list is not looked up. A host that does not ask to be listed owes none of it.",
        when: [
            NotApplicable "The header lacks the word preload.",
            Inconclusive "What plain HTTP answers is not known.",
        ],
        reference: "RFC 6797 section 12.3",
        reproduce: "curl -sSI {secure} | grep -i strict-transport-security",
        also: ["curl -sS 'https://hstspreload.org/api/v2/status?domain={host}'"],
        maps_to: ["mdn-observatory:strict-transport-security"],
    }
}

/// What the preload list asks for.
const YEAR: u64 = 31_536_000;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    https(case, findings);
    redirects(case, findings);
    if case.probes.url.ip().is_some() {
        for check in [HSTS, PRELOAD] {
            let why = "Browsers keep no such promise of an address (RFC 6797 section 8.1.1).";
            case.not_applicable(check, why).add(findings);
        }
        return;
    }
    hsts(case, findings);
    preload(case, findings);
}

/// The journey of a member, or why there is none.
pub(super) fn journey<'a>(case: &Case<'a>, member: &str) -> Result<&'a Journey, Failure> {
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
pub(super) fn page<'a>(case: &Case<'a>) -> Option<Page<'a>> {
    ["https", "http"].into_iter().find_map(|member| {
        let journey = journey(case, member).ok()?;
        let (hop, response) = journey.page()?;
        Some(Page {
            member,
            hop,
            response,
            journey,
        })
    })
}

/// A page with where it stands in the report.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    /// `https` or `http`.
    pub member: &'static str,
    /// The request it answered.
    pub hop: &'a Hop,
    /// What came.
    pub response: &'a Response,
    /// The way to it.
    pub journey: &'a Journey,
}

impl Page<'_> {
    /// The place of a member of the page in the probes.
    pub fn at(&self, member: &str) -> String {
        format!("/http/{}/page/{member}", self.member)
    }

    /// The place of a header field.
    pub fn header(&self, name: &str) -> String {
        self.at(&format!("headers/{name}"))
    }

    /// A field's first value, trimmed; an empty one counts as none.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.response
            .field(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }
}

/// The page, or `None` after noting for every check why there is none.
pub(super) fn arrived<'a>(
    case: &Case<'a>,
    checks: &[&Check],
    findings: &mut Vec<Finding>,
) -> Option<Page<'a>> {
    let page = page(case);
    if page.is_none() {
        let why = no_page(case);
        for check in checks {
            case.unmeasured(check, &why).add(findings);
        }
    }
    page
}

/// Why there is no page to judge.
pub(super) fn no_page(case: &Case<'_>) -> Failure {
    match journey(case, "https") {
        Err(failure) => failure,
        Ok(Journey {
            end: End::Failed(failure),
            ..
        }) => failure.clone(),
        Ok(_) => Failure::Blocked(NO_PAGE),
    }
}

fn https(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let plain = match journey(case, "http") {
        Ok(journey) => journey,
        Err(failure) => return case.unmeasured(HTTPS, &failure).add(findings),
    };
    let evidence = "/http/http/hops";
    const FIX: &str =
        "Answer every plain HTTP request with a permanent redirect to the same URL over HTTPS.";
    let met = (plain.end == End::Met)
        .then(|| journey(case, "https").ok())
        .flatten();
    if let Some(secure) = met {
        return from_there(case, secure, findings);
    }
    let arrived = plain.last().filter(|_| plain.end == End::Arrived);
    match (&plain.end, arrived) {
        (End::Met, _) => case.pass(HTTPS, LEADS_ON).evidence(evidence).add(findings),
        (_, Some((hop, _))) if hop.url.scheme() == Scheme::Https => {
            case.pass(HTTPS, LEADS_ON).evidence(evidence).add(findings);
        }
        (_, Some((_, response))) if response.status >= 400 => case
            .warn(
                HTTPS,
                Severity::Low,
                format!(
                    "Plain HTTP is answered with status {}; nothing leads to HTTPS.",
                    response.status
                ),
            )
            .evidence(evidence)
            .fix(FIX)
            .add(findings),
        (_, Some(_)) => case
            .fail(
                HTTPS,
                Severity::Medium,
                "Plain HTTP serves a page instead of redirecting to HTTPS.",
            )
            .evidence(evidence)
            .fix(FIX)
            .add(findings),
        (End::Failed(Failure::Unreachable(_)), _) if plain.hops.len() == 1 => case
            .info(HTTPS, "Nothing answers on plain HTTP.")
            .evidence("/http/http/hops/0/failure")
            .add(findings),
        (End::Failed(failure), _) => {
            case.inconclusive(HTTPS, failure.clause())
                .evidence(evidence)
                .add(findings);
        }
        _ => case
            .inconclusive(HTTPS, NO_PAGE)
            .evidence("/http/http/end")
            .add(findings),
    }
}

const LEADS_ON: &str = "Plain HTTP redirects to HTTPS.";

/// Where plain HTTP leads to the URL that `secure` begins with: how it goes on
/// there.
fn from_there(case: &Case<'_>, secure: &Journey, findings: &mut Vec<Finding>) {
    let back = secure
        .page()
        .is_some_and(|(hop, _)| hop.url.scheme() == Scheme::Http);
    let draft = match &secure.end {
        End::Arrived if back => case
            .fail(
                HTTPS,
                Severity::Medium,
                "Plain HTTP redirects to HTTPS, which leads back to a page over plain HTTP.",
            )
            .fix("Keep every hop after the first HTTPS one on HTTPS."),
        // Whether anybody answers there is not what is asked.
        End::Arrived | End::Met | End::Failed(_) => case.pass(HTTPS, LEADS_ON),
        _ => case.inconclusive(HTTPS, NO_PAGE),
    };
    draft
        .evidence("/http/http/hops")
        .evidence("/http/https/end")
        .add(findings);
}

const NO_PAGE: &str = "the redirects lead to no page";

fn redirects(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let first = match case.probes.url.scheme() {
        Scheme::Https => "https",
        Scheme::Http => "http",
    };
    let Way { hops, last, member } = match way(case, first) {
        Ok(way) => way,
        Err(failure) => return case.unmeasured(REDIRECTS, &failure).add(findings),
    };
    let end = format!("/http/{member}/end");
    let unfollowed = format!("/http/{member}/unfollowed");
    let places = format!("/http/{member}/hops");
    let fail = |severity, title: &str| {
        case.fail(REDIRECTS, severity, title)
            .evidence(&end)
            .evidence(&unfollowed)
    };
    if let End::Refused(refusal) = &last.end
        && let Some(why) = not_followed(refusal.class)
    {
        return case
            .inconclusive(REDIRECTS, why)
            .evidence(&end)
            .evidence(&unfollowed)
            .add(findings);
    }
    match &last.end {
        End::Loop if sets_cookie(&hops) => case
            .inconclusive(
                REDIRECTS,
                "the redirects lead in a circle for who keeps no cookie, and one is set on the way",
            )
            .evidence(&end)
            .evidence(format!("/http/{member}/cookies"))
            .add(findings),
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
        End::Unwanted => case
            .inconclusive(
                REDIRECTS,
                "they lead to a host whose owner wishes to be left alone",
            )
            .evidence(&end)
            .evidence(&unfollowed)
            .add(findings),
        End::Unresolved(why) => case
            .inconclusive(REDIRECTS, why)
            .evidence(&unfollowed)
            .add(findings),
        End::Failed(failure) => case
            .inconclusive(REDIRECTS, failure.clause())
            .evidence(&places)
            .add(findings),
        End::Arrived | End::Met if downgrades(&hops) => case
            .fail(
                REDIRECTS,
                Severity::High,
                "A redirect leads from HTTPS back to plain HTTP.",
            )
            .evidence(&places)
            .fix("Keep every hop after the first HTTPS one on HTTPS.")
            .add(findings),
        End::Arrived | End::Met => {
            let away = off_host(&hops);
            let title = match (hops.len() - 1, away) {
                (0, _) => String::from("The URL answers without a redirect."),
                (n, None) => {
                    counted(n, "redirect leads", "redirects lead") + " to a page of the same host."
                }
                (n, Some(host)) => {
                    counted(n, "redirect leads", "redirects lead")
                        + &format!(" to a page of another host, {host}.")
                }
            };
            let draft = case.pass(REDIRECTS, title);
            let draft = match member == first {
                true => draft,
                false => draft.evidence(format!("/http/{first}/hops")),
            };
            draft.evidence(&places).add(findings);
        }
    }
}

/// Why a redirect was not followed, where it may be a good one all the same.
const fn not_followed(class: Class) -> Option<&'static str> {
    match class {
        Class::Port => Some("a redirect leads to a port that is not probed"),
        Class::UserInfo => {
            Some("a redirect leads to a URL with a user name, which is not followed")
        }
        Class::Malformed => Some(
            "a redirect leads to a URL in a form that clients read in different ways, which is not followed",
        ),
        Class::Allowlist | Class::Owner => Some("a redirect leads to a host that is not probed"),
        Class::Scheme | Class::Name | Class::Address | Class::Resolution => None,
    }
}

/// Everything that was asked for on the way from the URL.
struct Way<'a> {
    hops: Vec<&'a Hop>,
    /// The journey that it ended with, and which of the two that is.
    last: &'a Journey,
    member: &'static str,
}

/// The way that begins a journey, and goes on in the one that this meets.
fn way<'a>(case: &Case<'a>, member: &'static str) -> Result<Way<'a>, Failure> {
    let last = journey(case, member)?;
    let mut way = Way {
        hops: last.hops.iter().collect(),
        last,
        member,
    };
    if last.end == End::Met {
        way.member = "https";
        way.last = journey(case, way.member)?;
        way.hops.extend(&way.last.hops);
    }
    Ok(way)
}

fn sets_cookie(hops: &[&Hop]) -> bool {
    hops.iter()
        .filter_map(|hop| hop.outcome.as_ref().ok())
        .filter(|response| response.redirects())
        .any(|response| response.field("set-cookie").is_some())
}

fn downgrades(hops: &[&Hop]) -> bool {
    hops.windows(2).any(|pair| match pair {
        [from, to] => from.url.scheme() == Scheme::Https && to.url.scheme() == Scheme::Http,
        _ => false,
    })
}

fn off_host<'a>(hops: &[&'a Hop]) -> Option<&'a str> {
    let first = hops.first()?.url.host();
    let last = hops.last()?.url.host();
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
    let refused = case.is_refused();
    match max_age(value) {
        Some(0) => case
            .fail(
                HSTS,
                Severity::Medium,
                "The Strict-Transport-Security header has browsers forget the host: its max-age is 0.",
            )
            .evidence(evidence)
            .fix(fix)
            .add(findings),
        Some(_) if refused => case
            .warn(
                HSTS,
                Severity::Low,
                "Strict-Transport-Security is sent, and ignored by browsers, which refuse the certificate.",
            )
            .evidence(evidence)
            .evidence("/tls/trust/reason")
            .fix("Use a certificate that browsers accept.")
            .add(findings),
        Some(age) if age >= HALF_A_YEAR => case
            .pass(
                HSTS,
                format!(
                    "Browsers are told to use HTTPS only, for {}.",
                    counted(age / 86_400, "day", "days")
                ),
            )
            .evidence(evidence)
            .add(findings),
        Some(age) => case
            .warn(
                HSTS,
                Severity::Low,
                format!(
                    "HTTPS only is asked for just {}.",
                    match age / 86_400 {
                        0 => counted(age, "second", "seconds"),
                        days => counted(days, "day", "days"),
                    }
                ),
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

/// `max-age` in seconds, where browsers take the header at all.
fn max_age(value: &str) -> Option<u64> {
    let hsts = hsts::parse(value).ok()?.value;
    hsts.max_age.filter(|_| hsts.valid)
}

fn preload(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let first = match journey(case, "https") {
        Ok(journey) => journey.first(),
        Err(failure) => return case.unmeasured(PRELOAD, &failure).add(findings),
    };
    let Some(first) = first else {
        return case.unmeasured(PRELOAD, &no_page(case)).add(findings);
    };
    let evidence = "/http/https/hops/0/strictTransportSecurity";
    let hsts = first
        .field("strict-transport-security")
        .and_then(|value| hsts::parse(value).ok())
        .map(|reading| reading.value);
    let Some(hsts) = hsts.filter(|hsts| hsts.preload) else {
        return case
            .not_applicable(PRELOAD, "The host does not ask to be preloaded.")
            .evidence(evidence)
            .add(findings);
    };
    let mut missing = Vec::new();
    if !hsts.valid {
        missing.push("the header is not valid");
    }
    if case.is_refused() {
        missing.push("browsers refuse the certificate");
    }
    if hsts.max_age.is_none_or(|age| age < YEAR) {
        missing.push("max-age is shorter than a year");
    }
    if !hsts.include_sub_domains {
        missing.push("includeSubDomains is missing");
    }
    if !case.probes.is_apex() {
        missing.push("only a registered domain can be listed, not a name below it");
    }
    let first_step = leads_to_https_first(case);
    if first_step == Ok(false) {
        missing.push("plain HTTP does not lead to HTTPS on the same host first");
    }
    match (missing.is_empty(), first_step) {
        (true, Ok(_)) => case.pass(PRELOAD, "The host meets what the preload list asks for."),
        (true, Err(failure)) => case
            .unmeasured(PRELOAD, &failure)
            .evidence("/http/http/hops/0/failure"),
        (false, _) => case
            .warn(
                PRELOAD,
                Severity::Low,
                format!("The host asks to be preloaded, but {}.", missing.join("; ")),
            )
            .fix("Meet every demand of the list, or leave out the word preload."),
    }
    .evidence(evidence)
    .add(findings);
}

/// Nobody listening on plain HTTP is as good: there is nothing to lead away
/// from.
fn leads_to_https_first(case: &Case<'_>) -> Result<bool, Failure> {
    let plain = journey(case, "http")?;
    let same_host = |url: &PublicUrl| url.host() == case.probes.host();
    match (plain.hops.get(1), &plain.end) {
        (Some(second), _) => Ok(second.url.scheme() == Scheme::Https && same_host(&second.url)),
        (None, End::Met | End::Failed(Failure::Unreachable(_))) => Ok(true),
        (None, End::Failed(failure)) => Err(failure.clone()),
        (None, _) => Ok(false),
    }
}
