//! The Content-Security-Policy: what is enforced and what is only reported
//! on, graded by the same measure and never taken for each other.

use super::Case;
use super::http::{self, Page};
use crate::codec::csp::{self, Policy, source::Source};
use crate::report::{Finding, Severity};

checks! {
    CSP {
        id: "http.csp",
        about: "Whether a Content-Security-Policy is enforced, by header or by the page itself, and how much \
            it holds back. Weak is one under which injected scripts run; useful one that stops them and \
            leaves plug-ins, the base address or evaluated text open; strong one that leaves none of it. \
            A policy in report-only mode protects nobody and is not counted as one.",
        reference: "W3C CSP Level 3",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i content-security-policy",
        maps_to: [
            "mdn-observatory:content-security-policy",
            "internet.nl:web_appsecpriv_csp",
            "cwe:693",
        ],
    }

    REPORTED {
        id: "http.csp_report_only",
        about: "What a policy in report-only mode would be worth beside the one that is enforced, by the same \
            measure, and whether its reports go anywhere.",
        reference: "W3C CSP Level 3 section 3.2",
        reproduce: "curl -sSL -D - -o /dev/null {page} | grep -i content-security-policy-report-only",
        maps_to: ["mdn-observatory:content-security-policy"],
    }
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(page) = http::arrived(case, CHECKS, findings) else {
        return;
    };
    let header = policies(&page, "content-security-policy");
    let in_page = metas(&page);
    let enforced: Vec<Policy> = header.iter().chain(&in_page).cloned().collect();
    let reported = policies(&page, "content-security-policy-report-only");
    let grade = Grade::of(&enforced);
    enforced_one(case, &page, &grade, header.is_empty(), findings);
    reported_one(case, &page, &grade, &reported, findings);
}

/// How much a set of policies holds back.
struct Grade {
    word: &'static str,
    open: Vec<&'static str>,
}

impl Grade {
    /// A resource must pass every policy, so a hole is one that all have.
    fn of(policies: &[Policy]) -> Grade {
        let all = |hole: fn(&Policy) -> bool| policies.iter().all(hole);
        let mut open = Vec::new();
        // Elements and attributes may have sources of their own.
        let inline = |name| policies.iter().all(|policy| policy.allows_inline(name));
        if inline("script-src-elem") || inline("script-src-attr") {
            open.push("inline scripts run");
        }
        if all(|policy| anywhere(policy, "script-src-elem")) {
            open.push("scripts may come from anywhere");
        }
        let weak = !open.is_empty();
        if all(|policy| lists(policy, "script-src", "'unsafe-eval'")) {
            open.push("text can be evaluated as script");
        }
        if all(|policy| anywhere(policy, "object-src")) {
            open.push("plug-ins are not limited");
        }
        if all(|policy| anywhere(policy, "base-uri")) {
            open.push("the base address is not fixed");
        }
        Grade {
            word: match (policies.is_empty(), weak, open.is_empty()) {
                (true, _, _) => "none",
                (_, true, _) => "weak",
                (_, _, false) => "useful",
                (_, _, true) => "strong",
            },
            open: if policies.is_empty() {
                Vec::new()
            } else {
                open
            },
        }
    }

    fn is_weak(&self) -> bool {
        self.word == "weak"
    }

    /// `: a; b`, or nothing.
    fn particulars(&self) -> String {
        match self.open.is_empty() {
            true => String::new(),
            false => format!(": {}", self.open.join("; ")),
        }
    }
}

/// Nothing governs it, or a scheme or `*` is among its sources that no
/// `'strict-dynamic'`, a word about scripts alone (CSP Level 3 section
/// 6.7.1.1), makes browsers pass over. Whoever can make a `blob:` runs scripts
/// already.
fn anywhere(policy: &Policy, name: &str) -> bool {
    let Some(sources) = policy.sources(name) else {
        return true;
    };
    let is_strict =
        name.starts_with("script-src") && sources.contains(&Source::Keyword("'strict-dynamic'"));
    !is_strict
        && sources.iter().any(|source| match source {
            Source::Scheme(scheme) => ["http:", "https:", "data:"].contains(&scheme.as_str()),
            Source::Host(host) => host.host == "*",
            _ => false,
        })
}

fn lists(policy: &Policy, name: &str, keyword: &'static str) -> bool {
    policy
        .sources(name)
        .is_none_or(|sources| sources.contains(&Source::Keyword(keyword)))
}

fn policies(page: &Page<'_>, field: &str) -> Vec<Policy> {
    page.response
        .fields_named(field)
        .filter_map(|value| csp::parse(value).ok())
        .flat_map(|reading| reading.value.policies)
        .collect()
}

fn metas(page: &Page<'_>) -> Vec<Policy> {
    let texts = page.journey.contents.iter().flat_map(|c| &c.policies);
    texts
        .filter_map(|text| csp::parse(text).ok())
        .flat_map(|reading| reading.value.policies)
        .collect()
}

fn enforced_one(
    case: &Case<'_>,
    page: &Page<'_>,
    grade: &Grade,
    only_in_page: bool,
    findings: &mut Vec<Finding>,
) {
    const FIX: &str = "Send a Content-Security-Policy that allows only the sources your pages use, with nonces \
        or hashes for inline scripts.";
    let evidence = match only_in_page {
        true => page.at("contents/policies"),
        false => page.header("content-security-policy"),
    };
    let reported = page.field("content-security-policy-report-only").is_some();
    let sent = page.field("content-security-policy").is_some();
    let (word, particulars) = (grade.word, grade.particulars());
    match word {
        "none" if sent => case
            .fail(
                CSP,
                Severity::Medium,
                "The Content-Security-Policy has no directive that browsers know.",
            )
            .evidence(evidence)
            .fix(FIX),
        "none" if reported => case
            .warn(
                CSP,
                Severity::Low,
                "A Content-Security-Policy is only reported on, not enforced.",
            )
            .evidence(page.header("content-security-policy-report-only"))
            .fix("When its reports are clean, send the same policy as Content-Security-Policy."),
        "none" => case
            .warn(CSP, Severity::Medium, "No Content-Security-Policy is sent.")
            .evidence(page.at("status"))
            .fix(FIX),
        _ if grade.is_weak() => case
            .warn(
                CSP,
                Severity::Low,
                format!("The enforced Content-Security-Policy is weak{particulars}."),
            )
            .evidence(evidence)
            .fix(FIX),
        _ => case
            .pass(
                CSP,
                format!("A Content-Security-Policy is enforced; it is {word}{particulars}."),
            )
            .evidence(evidence),
    }
    .add(findings);
}

fn reported_one(
    case: &Case<'_>,
    page: &Page<'_>,
    enforced: &Grade,
    reported: &[Policy],
    findings: &mut Vec<Finding>,
) {
    let check = REPORTED;
    if page.field("content-security-policy-report-only").is_none() {
        return case
            .not_applicable(check, "No policy is in report-only mode.")
            .evidence(page.at("status"))
            .add(findings);
    }
    let evidence = page.header("content-security-policy-report-only");
    let endpoints: Vec<&str> = ["reporting-endpoints", "report-to"]
        .into_iter()
        .flat_map(|name| page.response.fields_named(name))
        .collect();
    // A name means an endpoint only where a header says which.
    let heard = reported.iter().any(|policy| {
        let named = policy
            .directive("report-to")
            .and_then(|to| to.values.first());
        policy.directive("report-uri").is_some()
            || named.is_some_and(|name| endpoints.iter().any(|field| field.contains(name.as_str())))
    });
    let grade = Grade::of(reported);
    let title = format!(
        "Enforced: {}. Report-only, which protects nobody: {}{}.",
        enforced.word,
        grade.word,
        grade.particulars()
    );
    match (grade.word, heard) {
        ("none", _) => case
            .warn(
                check,
                Severity::Low,
                "The report-only policy has no directive that browsers know.",
            )
            .fix("Correct the policy, or remove the header."),
        (_, false) => case
            .warn(
                check,
                Severity::Low,
                format!("{title} Its reports go nowhere."),
            )
            .fix("Name an endpoint in report-uri, and in report-to one that Reporting-Endpoints gives, or enforce the policy."),
        _ => case.info(check, title),
    }
    .evidence(evidence)
    .add(findings);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grade(texts: &[&str]) -> &'static str {
        let policies: Vec<Policy> = texts
            .iter()
            .flat_map(|text| csp::parse(text).unwrap().value.policies)
            .collect();
        Grade::of(&policies).word
    }

    #[test]
    fn a_policy_is_as_good_as_what_it_stops() {
        assert_eq!(grade(&[]), "none");
        assert_eq!(grade(&["default-src 'self'"]), "useful");
        assert_eq!(grade(&["default-src 'none'; base-uri 'none'"]), "strong");
        assert_eq!(grade(&["default-src 'self' 'unsafe-inline'"]), "weak");
        assert_eq!(
            grade(&["script-src https:; object-src 'none'; base-uri 'none'"]),
            "weak"
        );
        assert_eq!(grade(&["img-src 'self'"]), "weak");
        for (own, word) in [
            (
                "script-src 'self'; script-src-elem 'self' 'unsafe-inline'",
                "weak",
            ),
            (
                "script-src 'self'; script-src-elem *; script-src-attr 'none'",
                "weak",
            ),
            ("script-src 'self'; script-src-attr 'unsafe-inline'", "weak"),
            (
                "script-src 'unsafe-inline'; script-src-elem 'self'; script-src-attr 'none'",
                "strong",
            ),
        ] {
            let policy = format!("{own}; object-src 'none'; base-uri 'none'");
            assert_eq!(grade(&[&policy]), word, "{policy}");
        }
        let strict = "script-src 'nonce-r4nd0m' 'strict-dynamic' https: 'unsafe-inline'; object-src 'none'; base-uri 'none'";
        assert_eq!(grade(&[strict]), "strong");
    }

    #[test]
    fn a_hole_counts_only_where_every_policy_has_it() {
        assert_eq!(
            grade(&["default-src *", "script-src 'self'; base-uri 'none'"]),
            "useful"
        );
        assert_eq!(
            grade(&["default-src 'self'", "frame-ancestors 'none'"]),
            "useful"
        );
    }
}
