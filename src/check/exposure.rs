//! Paths that should not answer.

use super::{Case, Check};
use crate::probe::Failure;
use crate::probe::exposure::{LIST, Listed, Outcome};
use crate::report::{Confidence, Finding, Severity, State};

macro_rules! exposed {
    ($($name:ident = $id:literal, $what:literal, $weight:expr, $fix:literal;)*) => {
        $(const $name: &Check = &Check {
            id: concat!("exposure.", $id),
            about: concat!("Whether ", $what, " can be had from everywhere, judged by its content: a site that \
                answers every path alike gives no finding."),
            when: &[
                (State::Pass, "What comes is not the real thing, whatever its status."),
                (State::Info, "A redirect leads to the same path elsewhere, which is not asked for."),
                (State::Inconclusive, "The path could not be asked for, the server fails there or keeps us out for now (429, 5xx), or it closed its connections too soon."),
            ],
            reference: "OWASP WSTG-CONF-04",
            reproduce: "curl -sS {path} | head -c 200",
            also: &[],
            maps_to: &["cwe:538"],
        };)*
        pub(super) const CHECKS: &[&Check] = &[$($name),*];
        /// What each check is about, how much it weighs and what mends it.
        const PARTICULARS: &[Particulars] = &[$(Particulars {
            id: $id,
            what: $what,
            weight: $weight,
            fix: $fix,
        }),*];
    };
}

/// What is said when the real thing is there.
struct Particulars {
    id: &'static str,
    what: &'static str,
    /// None for what many publish on purpose.
    weight: Option<Severity>,
    fix: &'static str,
}

exposed! {
    GIT = "git", "a Git repository", Some(Severity::High),
        "Remove it from what the web server serves, deny the path, and change every secret in it.";
    ENV = "env", "a file of environment variables", Some(Severity::High),
        "Remove it from what the web server serves, deny the path, and change every secret in it.";
    DS_STORE = "ds_store", "a directory listing of macOS", Some(Severity::Low),
        "Remove such files and deny paths that begin with a dot.";
    SERVER_STATUS = "server_status", "the status page of Apache", Some(Severity::Medium),
        "Limit /server-status to the machine itself (Require local).";
    ACTUATOR = "actuator", "the index of Spring Boot's management endpoints", Some(Severity::Medium),
        "Put the management endpoints on a port of their own, or ask for credentials.";
    PHPINFO = "phpinfo", "the output of phpinfo()", Some(Severity::Medium),
        "Remove the script.";
    METRICS = "metrics", "metrics of the server", Some(Severity::Low),
        "Serve metrics only to the machine that collects them.";
    OPENAPI = "openapi", "a description of the API", None,
        "Nothing, where the API is meant for the public.";
    GRAPHQL = "graphql", "a GraphQL endpoint", None,
        "Switch off introspection where the API is not meant for the public.";
    BACKUP_SQL = "backup_sql", "a dump of a database", Some(Severity::High),
        "Remove it, and change every secret in it.";
    BACKUP_ZIP = "backup_zip", "an archive named like a backup", Some(Severity::High),
        "Remove it, and change every secret in it.";
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for (at, listed) in LIST.iter().enumerate() {
        let named = format!("exposure.{}", listed.id);
        let check = CHECKS.iter().find(|check| check.id == named);
        let particulars = PARTICULARS.iter().find(|known| known.id == listed.id);
        if let (Some(check), Some(particulars)) = (check, particulars) {
            one(case, check, at, listed, particulars, findings);
        }
    }
}

fn one(
    case: &Case<'_>,
    check: &Check,
    at: usize,
    listed: &Listed,
    particulars: &Particulars,
    findings: &mut Vec<Finding>,
) {
    let exposure = match &case.probes.exposure {
        Some(Ok(exposure)) => exposure,
        other => {
            let failure = match other {
                Some(Err(failure)) => failure,
                _ => &Failure::TimedOut,
            };
            return case
                .unmeasured(check, failure)
                .path(listed.path)
                .add(findings);
        }
    };
    let what = particulars.what;
    let controlled = matches!(exposure.control.outcome, Outcome::Answered { .. });
    let draft = match exposure.paths.get(at).map(|answer| &answer.outcome) {
        Some(Outcome::Answered {
            matches: true,
            recognised,
            ..
        }) => {
            let by = recognised.map_or(String::new(), |by| format!(", by {by}"));
            let title = format!("{} is open to everyone{by}.", capitalised(what));
            let draft = match particulars.weight {
                Some(weight) => case.fail(check, weight, title),
                None if by.contains("introspection") => case.warn(check, Severity::Low, title),
                None => case.info(check, title),
            };
            // Without the control nobody knows what else looks like this.
            let draft = match controlled {
                true => draft,
                false => draft.confidence(Confidence::Medium),
            };
            draft.fix(particulars.fix)
        }
        Some(Outcome::Answered { status, .. }) if matches!(status, 429 | 500..) => {
            case.inconclusive(check, format!("the server answers with status {status}"))
        }
        Some(Outcome::Answered {
            leads_to: Some(url),
            ..
        }) => case.info(
            check,
            format!(
                "{} leads to {url}, where it was not asked for.",
                path_of(listed)
            ),
        ),
        Some(Outcome::Answered { .. }) => case.pass(
            check,
            format!("{} does not give away {what}.", path_of(listed)),
        ),
        Some(Outcome::Failed { failure }) => case.unmeasured(check, failure),
        None => case.inconclusive(check, "the path was not asked for"),
    };
    draft
        .evidence(format!("/exposure/paths/{at}"))
        .evidence("/exposure/control/status")
        .path(listed.path)
        .add(findings);
}

/// Without the query.
fn path_of(listed: &Listed) -> &str {
    listed.path.split('?').next().unwrap_or_default()
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_path_has_its_check() {
        assert_eq!(LIST.len(), CHECKS.len());
        for listed in LIST {
            assert!(
                CHECKS
                    .iter()
                    .any(|check| check.id == format!("exposure.{}", listed.id)),
                "{}",
                listed.id
            );
        }
    }
}
