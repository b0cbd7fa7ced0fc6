//! How severe a change is: the rubric that `docs/narrate.md` prints.

use super::phrase::Verdict;
use crate::report::Severity;
use crate::report::diff::rules;
use crate::report::diff::{Change, Kind, Weight};

/// Why a change is as severe as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// A finding got worse.
    Worse,
    /// A finding is bad now, and nobody knows what it was before.
    Bad,
    /// A measured value got worse.
    WorseValue,
    /// Who answers for the name changed.
    Control,
    /// Everything else.
    Other,
}

/// The rubric: when a ground applies and what severity it gives. The first
/// row that applies decides.
pub const RUBRIC: &[(Ground, &str, &str)] = &[
    (
        Ground::Worse,
        "a finding's state or severity got worse, or it is new as `warn` or `fail`",
        "the finding's severity now, at least `low`",
    ),
    (
        Ground::Bad,
        "a finding is `warn` or `fail` that was `inconclusive` or `not_applicable` before",
        "the finding's severity now, at least `low`",
    ),
    (Ground::WorseValue, "a measured value got worse", "`low`"),
    (
        Ground::Control,
        "who answers for the name changed (the places below), meant or not",
        "`low`",
    ),
    (
        Ground::Other,
        "anything else changed, improvements included",
        "`info`",
    ),
];

/// Places that say who answers for the name; patterns as in the tables of
/// `docs/diff.md`.
pub const CONTROL: &[&str] = &[
    "/probes/dns/ns/records",
    "/probes/dns/mx/records",
    "/probes/dns/ds/records",
    "/probes/dns/caa/records",
    "/probes/tls/chain/*/issuer",
    "/probes/registration/**/registrar",
];

/// The severity of a change, by the rubric.
pub(super) fn severity(change: &Change) -> Severity {
    match ground(change) {
        Ground::Worse | Ground::Bad => {
            let now = Verdict::of(&change.after).map_or(Severity::Low, |now| now.severity);
            now.max(Severity::Low)
        }
        Ground::WorseValue | Ground::Control => Severity::Low,
        Ground::Other => Severity::Info,
    }
}

fn ground(change: &Change) -> Ground {
    let is_finding = super::is_finding(change);
    let bad_now = Verdict::of(&change.after).is_some_and(|now| now.is_bad());
    match (change.weight, is_finding) {
        (Weight::Regress, true) => Ground::Worse,
        (Weight::Regress, false) => Ground::WorseValue,
        (Weight::Churn, true) if bad_now => Ground::Bad,
        (Weight::Churn, false) if is_control(change) => Ground::Control,
        _ => Ground::Other,
    }
}

fn is_control(change: &Change) -> bool {
    change.kind != Kind::Reordered
        && CONTROL
            .iter()
            .any(|pattern| rules::is_at(pattern, &change.path))
}
