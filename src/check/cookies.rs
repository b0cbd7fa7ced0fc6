//! Cookies that the page and the way to it set, attribute by attribute.

use super::http;
use super::{Case, Check};
use crate::codec::set_cookie::{Cookie, SameSite, is_session_name};
use crate::guard::Scheme;
use crate::guard::text::clean;
use crate::report::{Confidence, Finding, Severity};

checks! {
    SECURE {
        id: "http.cookie_secure",
        about: "Whether every cookie is kept from unencrypted connections. Cookies that look like a session's \
            (their names say so) weigh more.",
        reference: "RFC 6265 section 4.1.2.5",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -i set-cookie",
        maps_to: ["mdn-observatory:cookies", "cwe:614"],
    }

    HTTP_ONLY {
        id: "http.cookie_http_only",
        about: "Whether cookies that look like a session's are kept from scripts.",
        reference: "RFC 6265 section 4.1.2.6",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -i set-cookie",
        maps_to: ["mdn-observatory:cookies", "cwe:1004"],
    }

    SAME_SITE {
        id: "http.cookie_same_site",
        about: "Whether cookies say if other sites' requests may carry them. SameSite=None without Secure is \
            refused by browsers.",
        reference: "RFC 6265bis section 4.1.2.7",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -i set-cookie",
        maps_to: ["mdn-observatory:cookies", "cwe:1275"],
    }

    PREFIX {
        id: "http.cookie_prefix",
        about: "Whether cookies keep what the prefixes __Secure- and __Host- of their names promise; browsers \
            refuse those that do not.",
        reference: "RFC 6265bis section 4.1.3",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -i set-cookie",
        maps_to: ["cwe:565"],
    }
}

/// Names listed in a title.
const NAMED: usize = 4;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(page) = http::arrived(case, CHECKS, findings) else {
        return;
    };
    let mut cookies = page.journey.cookies(case.probes.now());
    cookies.retain(|cookie| !cookie.deletes);
    let evidence = format!("/http/{}/cookies", page.member);
    if cookies.is_empty() {
        for check in CHECKS {
            case.not_applicable(check, "No cookie is set.")
                .add(findings);
        }
        return;
    }
    let jar = Jar {
        case,
        cookies: &cookies,
        evidence: &evidence,
    };
    jar.secure(page.hop.url.scheme() == Scheme::Https, findings);
    jar.http_only(findings);
    jar.same_site(findings);
    jar.prefix(findings);
}

struct Jar<'j, 'a> {
    case: &'j Case<'a>,
    cookies: &'j [Cookie],
    evidence: &'j str,
}

impl Jar<'_, '_> {
    fn with(&self, fault: impl Fn(&Cookie) -> bool) -> Vec<&Cookie> {
        self.cookies.iter().filter(|cookie| fault(cookie)).collect()
    }

    fn well(&self, check: &Check, title: &str, findings: &mut Vec<Finding>) {
        self.case
            .pass(check, title)
            .evidence(self.evidence)
            .add(findings);
    }

    /// Nothing is wrong with the cookies that browsers keep, if they keep any:
    /// what they refuse is sent and read by nobody.
    fn kept_well(&self, check: &Check, title: &str, findings: &mut Vec<Finding>) {
        let refused = self.with(|cookie| !cookie.accepted);
        if refused.is_empty() {
            return self.well(check, title, findings);
        }
        let named = names(&refused);
        let draft = match refused.len() == self.cookies.len() {
            true => self.case.not_applicable(
                check,
                format!("Browsers refuse every cookie that is set: {named}."),
            ),
            false => self
                .case
                .pass(check, format!("{title} Browsers refuse others: {named}.")),
        };
        draft.evidence(self.evidence).add(findings);
    }

    fn warn(
        &self,
        check: &Check,
        severity: Severity,
        title: String,
        fix: &'static str,
        findings: &mut Vec<Finding>,
    ) {
        // Which cookie is a session's is told by its name alone.
        self.case
            .warn(check, severity, title)
            .confidence(Confidence::Medium)
            .evidence(self.evidence)
            .fix(fix)
            .add(findings);
    }

    fn secure(&self, over_https: bool, findings: &mut Vec<Finding>) {
        let open = self.with(|cookie| cookie.accepted && !cookie.secure);
        let severity = match open.iter().any(|cookie| is_session(cookie)) {
            true => Severity::Medium,
            false => Severity::Low,
        };
        if open.is_empty() {
            self.kept_well(SECURE, "Every cookie is Secure.", findings);
        } else if over_https {
            let title = format!("Also sent over unencrypted connections: {}.", names(&open));
            let fix = "Set Secure on every cookie.";
            self.warn(SECURE, severity, title, fix, findings);
        } else {
            let title = format!("Set by a page over plain HTTP: {}.", names(&open));
            let fix = "Serve the page over HTTPS, and set Secure on every cookie.";
            self.warn(SECURE, severity, title, fix, findings);
        }
    }

    fn http_only(&self, findings: &mut Vec<Finding>) {
        let sessions = self.with(|cookie| cookie.accepted && is_session(cookie));
        let open: Vec<&Cookie> = sessions
            .iter()
            .copied()
            .filter(|cookie| !cookie.http_only)
            .collect();
        if !open.is_empty() {
            let title = format!(
                "Scripts can read what looks like a session: {}.",
                names(&open)
            );
            let fix = "Set HttpOnly on every cookie that no script needs.";
            self.warn(HTTP_ONLY, Severity::Medium, title, fix, findings);
        } else if sessions.is_empty() {
            self.kept_well(HTTP_ONLY, "No cookie looks like a session's.", findings);
        } else {
            self.kept_well(
                HTTP_ONLY,
                "Cookies that look like a session's are kept from scripts.",
                findings,
            );
        }
    }

    fn same_site(&self, findings: &mut Vec<Finding>) {
        let refused =
            self.with(|cookie| cookie.same_site == Some(SameSite::None) && !cookie.secure);
        let silent = self.with(|cookie| cookie.accepted && cookie.same_site.is_none());
        if !refused.is_empty() {
            let title = format!(
                "SameSite=None without Secure, which browsers refuse: {}.",
                names(&refused)
            );
            let fix = "Add Secure, or choose SameSite=Lax.";
            self.warn(SAME_SITE, Severity::Medium, title, fix, findings);
        } else if silent.is_empty() {
            self.kept_well(
                SAME_SITE,
                "Every cookie says whether other sites' requests carry it.",
                findings,
            );
        } else {
            let severity = match silent.iter().any(|cookie| is_session(cookie)) {
                true => Severity::Low,
                false => Severity::Info,
            };
            let title = format!(
                "Without a valid SameSite, so that browsers decide: {}.",
                names(&silent)
            );
            let fix = "Set SameSite=Lax or Strict; None only where other sites embed you.";
            self.warn(SAME_SITE, severity, title, fix, findings);
        }
    }

    fn prefix(&self, findings: &mut Vec<Finding>) {
        let prefixed = self.with(|cookie| cookie.prefix.is_some());
        let broken = self.with(|cookie| cookie.prefix.is_some_and(|prefix| breaks(cookie, prefix)));
        if prefixed.is_empty() {
            self.case
                .not_applicable(PREFIX, "No cookie's name has such a prefix.")
                .evidence(self.evidence)
                .add(findings);
        } else if broken.is_empty() {
            self.well(
                PREFIX,
                "Cookies keep what their prefixes promise.",
                findings,
            );
        } else {
            let title = format!(
                "Refused by browsers, for breaking their prefix: {}.",
                names(&broken)
            );
            self.case
                .fail(PREFIX, Severity::Low, title)
                .evidence(self.evidence)
                .fix("Set Secure; with __Host- also Path=/ and no Domain.")
                .add(findings);
        }
    }
}

/// Whether a cookie misses what its prefix demands.
fn breaks(cookie: &Cookie, prefix: &str) -> bool {
    let host = prefix.contains("Host-");
    let http = prefix.contains("Http-");
    !cookie.secure
        || (http && !cookie.http_only)
        || (host && (cookie.domain.is_some() || cookie.path.as_deref() != Some("/")))
}

fn is_session(cookie: &Cookie) -> bool {
    is_session_name(&cookie.name)
}

fn names(cookies: &[&Cookie]) -> String {
    let mut names: Vec<String> = cookies
        .iter()
        .take(NAMED)
        .map(|cookie| clean(&cookie.name, 40))
        .collect();
    if cookies.len() > NAMED {
        names.push(format!("{} more", cookies.len() - NAMED));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::set_cookie;

    fn cookie(field: &str) -> Cookie {
        set_cookie::parse(field, 0).unwrap().value.cookies.remove(0)
    }

    #[test]
    fn a_prefix_is_broken_as_browsers_see_it() {
        for (field, broken) in [
            ("__Host-a=1; Path=/; Secure", false),
            ("__Host-a=1; Path=/app; Secure", true),
            ("__Host-a=1; Path=/; Secure; Domain=a.net", true),
            ("__Secure-a=1; Path=/app; Secure", false),
            ("__Secure-a=1", true),
        ] {
            let cookie = cookie(field);
            assert_eq!(breaks(&cookie, cookie.prefix.unwrap()), broken, "{field}");
        }
    }

    #[test]
    fn a_session_is_known_by_its_name() {
        assert!(is_session(&cookie("PHPSESSID=1")));
        assert!(!is_session(&cookie("theme=dark")));
    }
}
