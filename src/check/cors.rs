//! What a script from any other site may read, asked for with one request
//! that carries a stranger's `Origin`.

use super::Case;
use crate::probe::Failure;
use crate::probe::errands::FOREIGN_ORIGIN;
use crate::report::{Finding, Severity};

checks! {
    CORS {
        id: "http.cors",
        about: "Whether the page lets any origin that asks read it with the visitor's cookies. The URL is asked \
            for once more with an Origin that nobody has; a server that repeats it and allows credentials \
            trusts every site there is.",
        when: [
            Fail "Any origin, or the origin null, may read with credentials.",
            Warn "The server repeats any origin without credentials, or allows every origin with credentials, which browsers refuse.",
            Info "Every origin may read, without credentials.",
            NotApplicable "The URL only redirects, and shares nothing.",
            Inconclusive "The server fails or keeps us out.",
        ],
        reference: "WHATWG Fetch section 3.3",
        reproduce: "curl -sS -o /dev/null -D - -H 'Origin: https://netrecon.invalid' {page} | grep -i access-control",
        maps_to: ["mdn-observatory:cross-origin-resource-sharing", "cwe:942", "cwe:346"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let response = match &case.probes.foreign {
        Some(Ok(response)) => response,
        Some(Err(failure)) => return case.unmeasured(CORS, failure).add(findings),
        None => return case.unmeasured(CORS, &Failure::TimedOut).add(findings),
    };
    let credentials = response
        .field("access-control-allow-credentials")
        .is_some_and(|value| value.trim() == "true");
    let allowed = response.field("access-control-allow-origin").map(str::trim);
    let fix = "Allow only origins from a list of your own, and credentials only to those.";
    let draft = match (allowed, credentials) {
        (Some(FOREIGN_ORIGIN), true) => case
            .fail(CORS, Severity::High, "Any site may read the page with the visitor's cookies: the server repeats the Origin it is asked with and allows credentials.")
            .fix(fix),
        (Some("null"), true) => case
            .fail(CORS, Severity::Medium, "Sandboxed frames of any site may read the page with the visitor's cookies: the origin null is allowed, with credentials.")
            .fix(fix),
        (Some(FOREIGN_ORIGIN), false) => case
            .warn(CORS, Severity::Low, "The server repeats the Origin it is asked with; without credentials that is the same as allowing everybody.")
            .fix("Send \"Access-Control-Allow-Origin: *\" where content is public, and nothing where it is not."),
        (Some("*"), true) => case
            .warn(CORS, Severity::Low, "Every origin is allowed together with credentials, which browsers refuse.")
            .fix(fix),
        (Some("*"), false) => case.info(CORS, "Every origin may read the page, without cookies."),
        (Some(_), _) => case.pass(CORS, "Only chosen origins may read the page."),
        (None, _) if (300..400).contains(&response.status) => {
            case.not_applicable(CORS, "The URL only redirects, and shares nothing.")
        }
        (None, _) if matches!(response.status, 429 | 500..) => case.inconclusive(
            CORS,
            format!("a request with an Origin is answered with status {}", response.status),
        ),
        (None, _) => case.pass(CORS, "No other origin may read the page."),
    };
    draft
        .evidence("/http/foreignOrigin/status")
        .evidence("/http/foreignOrigin/allowOrigin")
        .evidence("/http/foreignOrigin/allowCredentials")
        .add(findings);
}
