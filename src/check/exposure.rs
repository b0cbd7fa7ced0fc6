//! Paths that should not answer.

use super::{Case, Check};
use crate::probe::Failure;
use crate::probe::exposure::{LIST, Listed, Outcome};
use crate::report::{Finding, Severity};

macro_rules! exposed {
    ($($name:ident = $id:literal, $what:literal;)*) => {
        $(const $name: &Check = &Check {
            id: concat!("exposure.", $id),
            about: concat!("Whether ", $what, " can be downloaded, judged by its content: a site that \
                answers every path alike gives no finding."),
            when: &[],
            reference: "OWASP WSTG-CONF-04",
            reproduce: "curl -sS {path} | head -c 200",
            maps_to: &["cwe:538"],
        };)*
        pub(super) const CHECKS: &[&Check] = &[$($name),*];
    };
}

exposed! {
    GIT = "git", "a Git repository";
    ENV = "env", "a file of environment variables";
}

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    for (at, listed) in LIST.iter().enumerate() {
        let Some(check) = CHECKS
            .iter()
            .find(|check| check.id.strip_prefix("exposure.") == Some(listed.id))
        else {
            continue;
        };
        one(case, check, at, listed, findings);
    }
}

fn one(case: &Case<'_>, check: &Check, at: usize, listed: &Listed, findings: &mut Vec<Finding>) {
    let place = case.place(listed.path);
    let exposure = match &case.probes.exposure {
        Some(Ok(exposure)) => exposure,
        other => {
            let failure = match other {
                Some(Err(failure)) => failure,
                _ => &Failure::TimedOut,
            };
            return case
                .unmeasured(check, failure)
                .fill("{path}", &place)
                .add(findings);
        }
    };
    let evidence = format!("/exposure/paths/{at}");
    let draft = match exposure.paths.get(at).map(|answer| &answer.outcome) {
        Some(Outcome::Answered { matches: true, .. }) => case
            .fail(check, Severity::High, format!("{} is open to everyone.", capitalised(listed.what)))
            .fix("Remove it from what the web server serves, deny the path, and change every secret in it."),
        Some(Outcome::Answered { .. }) => {
            case.pass(check, format!("{} does not give away {}.", listed.path, listed.what))
        }
        Some(Outcome::Failed { failure }) => case.unmeasured(check, failure),
        None => case.inconclusive(check, "the path was not asked for"),
    };
    draft
        .evidence(evidence)
        .fill("{path}", &place)
        .add(findings);
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
