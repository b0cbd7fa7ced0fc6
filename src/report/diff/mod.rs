//! What changed between two reports.
//!
//! Steps, each a file: [`common`] takes out what only one report could say,
//! [`node`] brings both into a form in which equal means the same fact (noise
//! gone, sets sorted), [`walk`] lists where the two forms differ, [`link`]
//! names the findings that rest there, and this file bounds and orders the
//! list. What counts as noise, as a set and as better or worse is data, in
//! [`rules`], printed in `docs/diff.md`.
//!
//! Pure. `between(a, b)` mirrors `between(b, a)`: the same paths, `added` for
//! `removed`, `regress` for `improve`, also where the list is cut.

mod common;
mod link;
mod mask;
mod node;
pub mod rules;
mod show;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Coverage, Finding, Report, Target, Vantage};
use crate::guard::text;
use mask::Hosts;
use node::Node;
pub use show::{MAX_PATH, is_path};
use walk::Walk;

/// Most changes listed.
pub const MAX_CHANGES: usize = 200;
/// Most bytes of paths and values in the list; well under what a model can
/// afford to read.
const MAX_BYTES: usize = 24 * 1024;
/// What a change costs besides its path and values: member names, weight.
const CHANGE_BYTES: usize = 90;

/// What changed from one report to another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Diff {
    /// Whether nothing that counts differs.
    pub equal: bool,
    /// The report it starts from.
    pub before: Side,
    /// The report it leads to.
    pub after: Side,
    /// What differs: worse first, then better, then the rest, each by path.
    pub changes: Vec<Change>,
    /// All changes by weight, those that are not listed included.
    pub counts: Counts,
    /// Changes left out to keep the answer small.
    #[serde(default)]
    pub unlisted: u32,
    /// What to know before the changes are put down to the target.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Which report, of what, from where, and how much of it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Side {
    /// What was asked about.
    pub target: Target,
    /// When the analysis began, RFC 3339.
    pub time: String,
    /// Where it was measured from.
    pub vantage: Vantage,
    /// How much of what was tried came back.
    pub coverage: Coverage,
    /// Whether it is the short form of a report.
    #[serde(default)]
    pub short: bool,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Change {
    /// Where: a JSON pointer (RFC 6901) into the reports, in which an item of
    /// a list that has no order stands under its name (`/findings/tls.expiry`)
    /// or, having none, under the list itself.
    pub path: String,
    /// What happened there.
    pub kind: Kind,
    /// The value before, shortened where it is long; null when there was none.
    #[serde(default)]
    pub before: Value,
    /// The value after, likewise.
    #[serde(default)]
    pub after: Value,
    /// For better or for worse.
    pub weight: Weight,
    /// Ids of the findings that rest on this place in either report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

/// What happened at a path.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// Only the later report has it.
    Added,
    /// Only the earlier report has it.
    Removed,
    /// Both have it, with different values.
    Changed,
    /// The same items in another order, where order matters.
    Reordered,
}

/// For better or for worse.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Weight {
    /// Worse.
    Regress,
    /// Better.
    Improve,
    /// Neither, or nobody can say.
    Churn,
}

/// Changes by weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Counts {
    /// Worse.
    pub regress: u32,
    /// Better.
    pub improve: u32,
    /// Neither.
    pub churn: u32,
}

/// Compares two reports, of one target or of two.
pub fn between(before: &Report, after: &Report) -> Diff {
    let hosts = Hosts::between(&before.target.host, &after.target.host);
    let mut walk = Walk::default();
    {
        let (old, new) = (verdicts(before, after), verdicts(after, before));
        let node = |value| Node::of("findings", value, &hosts);
        walk.compare("findings", &node(&old), &node(&new));
    }
    let short = [before, after].map(|report| !report.omitted.is_empty());
    {
        let [old, new] = common::parts(&before.probes, &after.probes, short);
        let node = |value| Node::of("probes", value, &hosts);
        walk.compare("probes", &node(&old), &node(&new));
    }
    others(&mut walk, [rest(before), rest(after)], short, &hosts);
    let Walk {
        directed,
        churn,
        counts,
        ..
    } = walk;
    let mut changes = fitting(directed.into_iter().chain(churn));
    link::findings(&mut changes, [before, after], &hosts);
    changes.sort_by_cached_key(|c| {
        (
            c.weight,
            c.path.clone(),
            c.kind,
            c.before.to_string(),
            c.after.to_string(),
        )
    });
    let (before, after) = (Side::of(before), Side::of(after));
    Diff {
        equal: counts.all() == 0,
        notes: notes(&before, &after),
        before,
        after,
        counts,
        unlisted: counts.all() - u32::try_from(changes.len()).unwrap_or(u32::MAX),
        changes,
    }
}

/// Findings by what of them is compared or shown. Those that a short `other`
/// may merely have left out are not compared.
fn verdicts(report: &Report, other: &Report) -> Value {
    let short = !other.omitted.is_empty();
    let says = |id: &str| !short || other.findings.iter().any(|known| known.id == id);
    let verdict = |finding: &Finding| {
        let Finding {
            id,
            state,
            severity,
            title,
            ..
        } = finding;
        json!({"id": id, "state": state, "severity": severity, "title": title})
    };
    let compared = report.findings.iter().filter(|finding| says(&finding.id));
    compared.map(verdict).collect()
}

/// Members of a report that are compared by themselves, are stated beside the
/// changes, or follow from what is compared.
const KNOWN: &[&str] = &[
    "id",
    "expiresAt",
    "target",
    "time",
    "vantage",
    "coverage",
    "summary",
    "findings",
    "probes",
    "thirdParties",
    "omitted",
];

/// All others, so that what is added to reports is compared from its first
/// day.
fn rest(report: &Report) -> Map<String, Value> {
    // Without the measurements, which are large and compared already.
    let slim = Report {
        probes: Value::Null,
        findings: Vec::new(),
        ..report.clone()
    };
    match serde_json::to_value(slim) {
        Ok(Value::Object(mut members)) => {
            members.retain(|name, _| !KNOWN.contains(&name.as_str()));
            members
        }
        _ => Map::new(),
    }
}

/// Adds the differences of such members.
fn others(walk: &mut Walk, rest: [Map<String, Value>; 2], short: [bool; 2], hosts: &Hosts) {
    let [old, new] = common::rest(rest, short);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let node = |value| Node::of(name, value, hosts);
        let (old, new) = (old.get(name).map(node), new.get(name).map(node));
        walk.compare_if_there(name, old.as_ref(), new.as_ref());
    }
}

/// The first changes that fit into the bounds together.
fn fitting(changes: impl Iterator<Item = Change>) -> Vec<Change> {
    let mut left = MAX_BYTES;
    let fits = |change: &Change| {
        let values = change.before.to_string().len() + change.after.to_string().len();
        let rest = left.checked_sub(CHANGE_BYTES + change.path.len() + values);
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    changes.take(MAX_CHANGES).take_while(fits).collect()
}

/// What two sides alone say about how far a comparison of them carries.
pub fn notes(before: &Side, after: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    if before.target.host != after.target.host {
        notes.push(String::from(
            "The reports are about two hosts; each host's own name counts as the same text.",
        ));
    } else if before.target.used != after.target.used {
        notes.push(String::from(
            "The reports are about two URLs of one host; what their pages say may differ without a change.",
        ));
    }
    if before.vantage != after.vantage {
        notes.push(String::from(
            "The reports were made from different places or resolvers; answers that vary by place may differ without a change.",
        ));
    }
    if before.short || after.short {
        notes.push(String::from(
            "Not both reports are whole, and what the short form leaves out was not compared; report ids name whole reports.",
        ));
    }
    if before.coverage.ratio < 1.0 || after.coverage.ratio < 1.0 {
        notes.push(String::from(
            "Not everything was measured; what is missing on one side may not have changed.",
        ));
    }
    notes
}

impl Side {
    fn of(report: &Report) -> Side {
        let Report {
            target, vantage, ..
        } = report;
        Side {
            target: Target {
                asked: text::clean(&target.asked, 300),
                used: text::clean(&target.used, 300),
                host: text::clean(&target.host, 253),
            },
            time: text::clean(&report.time, 40),
            vantage: Vantage {
                service: text::clean(&vantage.service, 60),
                colo: text::clean(&vantage.colo, 20),
                resolver: text::clean(&vantage.resolver, 253),
            },
            coverage: report.coverage,
            short: !report.omitted.is_empty(),
        }
    }
}

impl Counts {
    /// Counts `changes`.
    pub fn of(changes: &[Change]) -> Counts {
        let mut counts = Counts::default();
        for change in changes {
            *match change.weight {
                Weight::Regress => &mut counts.regress,
                Weight::Improve => &mut counts.improve,
                Weight::Churn => &mut counts.churn,
            } += 1;
        }
        counts
    }

    /// Whether these are `changes` and as many more as are `unlisted`.
    pub fn cover(self, changes: &[Change], unlisted: u32) -> bool {
        let listed = Counts::of(changes);
        let more = [
            (self.regress, listed.regress),
            (self.improve, listed.improve),
            (self.churn, listed.churn),
        ];
        let more = more.map(|(all, listed)| all.checked_sub(listed).map(u64::from));
        more.into_iter().sum::<Option<u64>>() == Some(unlisted.into())
    }

    fn all(self) -> u32 {
        self.regress + self.improve + self.churn
    }
}
