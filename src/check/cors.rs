//! What scripts from other sites may read, asked for with requests that carry
//! strangers' `Origin`.

use super::Case;
use crate::probe::Failure;
use crate::probe::errands::{FOREIGN_ORIGIN, Foreign, NULL_ORIGIN, lookalike};
use crate::probe::http1::Response;
use crate::report::{Confidence, Finding, Severity};

checks! {
    CORS {
        id: "http.cors",
        about: "Whether the page lets an origin that it has no reason to trust read it with the visitor's cookies. \
            The URL is asked for once more with an Origin that nobody has, and where the server goes on answering \
            with the origin null and with one that begins and ends like the site's own. Other origins, other \
            methods and other paths are not tried.",
        when: [
            Fail "One of the three may read with credentials.",
            Warn "The server allows one of them by name without credentials, or every origin with credentials, which browsers refuse; or a redirect allows any origin that asks, with credentials.",
            Info "Every origin may read, without credentials.",
            NotApplicable "The URL only redirects, and what it leads to was not asked for.",
            Inconclusive "The server fails or keeps us out.",
        ],
        reference: "WHATWG Fetch section 3.3",
        reproduce: "curl -sS -o /dev/null -D - -H 'Origin: https://netrecon.invalid' {page} | grep -i access-control",
        also: [
            "curl -sS -o /dev/null -D - -H 'Origin: null' {url} | grep -i access-control",
            "curl -sS -o /dev/null -D - -H 'Origin: https://{host}.netrecon{host}' {url} | grep -i access-control",
        ],
        maps_to: ["mdn-observatory:cross-origin-resource-sharing", "cwe:942", "cwe:346"],
    }
}

/// What an answer allows, as browsers read it: of a field that stands twice
/// they make one value that is no origin (WHATWG Fetch, "CORS check").
struct Grant<'a> {
    response: &'a Response,
    origin: Option<String>,
    credentials: bool,
}

impl Grant<'_> {
    /// Of an answer that says anything of the page.
    fn tried(answer: &Result<Response, Failure>) -> Option<Grant<'_>> {
        let answer = answer.as_ref().ok();
        answer.map(Grant::of).filter(Grant::is_pages)
    }

    fn of(response: &Response) -> Grant<'_> {
        Grant {
            response,
            origin: response.joined("access-control-allow-origin"),
            credentials: response
                .joined("access-control-allow-credentials")
                .as_deref()
                == Some("true"),
        }
    }

    fn is_to(&self, origin: &str) -> bool {
        self.origin.as_deref() == Some(origin)
    }

    /// Whether it says anything of the page: not of an error, or of a
    /// redirect.
    fn is_pages(&self) -> bool {
        !self.response.redirects() && !is_unclear(self.response.status)
    }
}

fn is_unclear(status: u16) -> bool {
    matches!(status, 429 | 500..)
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let foreign = match &case.probes.foreign {
        Some(foreign) => foreign,
        None => return case.unmeasured(CORS, &Failure::TimedOut).add(findings),
    };
    let any = match &foreign.any {
        Ok(response) => Grant::of(response),
        Err(failure) => return case.unmeasured(CORS, failure).add(findings),
    };
    let mut draft = judged(case, foreign, &any);
    for member in ["foreignOrigin", "nullOrigin", "lookalikeOrigin"] {
        draft = draft
            .evidence(format!("/http/{member}/allowOrigin"))
            .evidence(format!("/http/{member}/allowCredentials"));
    }
    draft.evidence("/http/foreignOrigin/status").add(findings);
}

fn judged<'c, 'a>(case: &'c Case<'a>, foreign: &Foreign, any: &Grant<'_>) -> super::Draft<'c, 'a> {
    const FIX: &str = "Allow only origins from a list of your own, compared whole, and credentials only to those.";
    const PUBLIC: &str = "Send \"Access-Control-Allow-Origin: *\" where content is public, and nothing where it is not.";
    let (null, alike) = (
        Grant::tried(&foreign.null),
        Grant::tried(&foreign.lookalike),
    );
    let own = lookalike(&case.probes.url).unwrap_or_default();
    let nulls = || {
        null.iter()
            .chain(any.is_pages().then_some(any))
            .filter(|grant| grant.is_to(NULL_ORIGIN))
    };
    let alikes = || alike.iter().filter(|grant| grant.is_to(&own));
    let fail = |severity, title: &str| case.fail(CORS, severity, title).fix(FIX);
    if any.response.redirects() {
        return match any.is_to(FOREIGN_ORIGIN) && any.credentials {
            true => case
                .warn(CORS, Severity::Medium, "The server repeats the Origin it is asked with and allows credentials, here with a redirect; what the page behind it allows was not asked.")
                .fix(FIX),
            false => case.not_applicable(CORS, "The URL only redirects; what the page behind it allows was not asked."),
        };
    }
    if any.is_to(FOREIGN_ORIGIN) && any.credentials {
        return fail(
            Severity::High,
            "Any site may read the page with the visitor's cookies: the server repeats the Origin it is asked with and allows credentials.",
        );
    }
    if alikes().any(|grant| grant.credentials) {
        return fail(
            Severity::High,
            "Sites with a name that begins and ends like this one's may read the page with the visitor's cookies: the server compares a part of the Origin.",
        );
    }
    if nulls().any(|grant| grant.credentials) {
        return fail(
            Severity::Medium,
            "Sandboxed frames of any site may read the page with the visitor's cookies: the origin null is allowed, with credentials.",
        );
    }
    if any.is_to(FOREIGN_ORIGIN) {
        return case
            .warn(CORS, Severity::Low, "The server repeats the Origin it is asked with; without credentials that is the same as allowing everybody.")
            .fix(PUBLIC);
    }
    if any.is_to("*") {
        return match any.credentials {
            true => case
                .warn(
                    CORS,
                    Severity::Low,
                    "Every origin is allowed together with credentials, which browsers refuse.",
                )
                .fix(FIX),
            false => case.info(CORS, "Every origin may read the page, without cookies."),
        };
    }
    if alikes().next().is_some() || nulls().next().is_some() {
        return case
            .warn(CORS, Severity::Low, "The server allows an origin that anybody can take, null or one that only looks like its own; without credentials that is the same as allowing everybody.")
            .fix(PUBLIC);
    }
    if any.origin.is_none() && is_unclear(any.response.status) {
        let status = any.response.status;
        return case.inconclusive(
            CORS,
            format!("a request with an Origin is answered with status {status}"),
        );
    }
    let title = match any.origin {
        Some(_) => "Only other origins than those that were tried are named as readers of the page",
        None => "No origin that was tried may read the page",
    };
    match null.is_some() && (alike.is_some() || case.probes.url.ip().is_some()) {
        true => case.pass(CORS, format!("{title}.")),
        false => case
            .pass(
                CORS,
                format!("{title}; the origin null, or one like the site's own, was not tried."),
            )
            .confidence(Confidence::Medium),
    }
}
