//! A diff in plain sentences.
//!
//! No model and no clock: the same changes give the same bytes. ([`reword`]
//! puts a model's wording beside them, where one is bound.) A sentence
//! says one change of a finding, or all changes at one place, and cites the
//! paths it rests on; how severe it is follows [`rubric`], printed in
//! `docs/narrate.md`.

mod phrase;
pub mod reword;
pub mod rubric;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Severity;
use super::diff::{Change, Counts, Weight};

/// Most sentences.
pub const MAX_SENTENCES: usize = 60;
/// Most paths cited by one sentence.
const MAX_CITATIONS: usize = 8;
/// Most finding ids named by one sentence.
const MAX_IDS: usize = 8;

/// The change in plain sentences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Narration {
    /// That of the most severe sentence; `none` when nothing changed.
    pub severity: Severity,
    /// How many changes of which kind, in one line.
    pub summary: String,
    /// Most severe first.
    pub sentences: Vec<Sentence>,
    /// Changes that no sentence tells.
    pub untold: u32,
    /// What to know before the changes are put down to the target.
    pub notes: Vec<String>,
    /// Sentences with a model's wording beside them; absent where the operator bound no model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reworded: Option<u32>,
}

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Sentence {
    /// The sentence.
    pub text: String,
    /// How much it matters, by the rubric.
    pub severity: Severity,
    /// The changes it rests on.
    pub citations: Vec<Citation>,
    /// Ids of the findings behind it.
    pub findings: Vec<String>,
    /// The same in a model's words, which say nothing that `text` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reworded: Option<String>,
}

/// A change, by the path it has in the diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Citation {
    /// The change's path.
    pub path: String,
}

/// Tells `changes`, of which `unlisted` more exist; `counts` are of all of
/// them, where that is known; `notes` are passed on.
pub fn tell(
    changes: &[Change],
    counts: Option<Counts>,
    unlisted: u32,
    notes: Vec<String>,
) -> Narration {
    let mut told: Vec<Told> = groups(changes)
        .into_iter()
        .map(|group| Told::of(group, changes))
        .collect();
    // By path within one severity and weight, so that equal input in another
    // order is told the same.
    told.sort_by(|a, b| a.rank().cmp(&b.rank()));
    let severity = told
        .iter()
        .map(|told| told.sentence.severity)
        .max()
        .unwrap_or(Severity::None);
    let kept: usize = told
        .iter()
        .take(MAX_SENTENCES)
        .map(|told| told.changes)
        .sum();
    let untold = u32::try_from(changes.len() - kept)
        .unwrap_or(u32::MAX)
        .saturating_add(unlisted);
    told.truncate(MAX_SENTENCES);
    // What is not listed has a weight of which nobody here was told.
    let unknown = if counts.is_none() { unlisted } else { 0 };
    let counts = counts.unwrap_or_else(|| Counts::of(changes));
    Narration {
        severity,
        summary: summary(counts, unknown, untold, severity),
        sentences: told.into_iter().map(|told| told.sentence).collect(),
        untold,
        notes,
        reworded: None,
    }
}

/// A sentence on its way to its place.
struct Told {
    sentence: Sentence,
    weight: Weight,
    /// How many changes it tells.
    changes: usize,
}

impl Told {
    fn of(group: Vec<&Change>, all: &[Change]) -> Told {
        let finding = group.first().filter(|change| is_finding(change));
        let text = match finding {
            Some(change) => phrase::finding(change),
            None => phrase::place(&group),
        };
        let mut paths = BTreeSet::from_iter(group.iter().map(|change| change.path.as_str()));
        if let Some(id) = finding.and_then(|change| change.findings.first()) {
            let evidence = all.iter().filter(|change| change.findings.contains(id));
            paths.extend(evidence.map(|change| change.path.as_str()));
        }
        let ids: BTreeSet<&String> = group.iter().flat_map(|change| &change.findings).collect();
        Told {
            weight: group
                .iter()
                .map(|change| change.weight)
                .min()
                .unwrap_or(Weight::Churn),
            changes: group.len(),
            sentence: Sentence {
                text,
                severity: group
                    .iter()
                    .map(|change| rubric::severity(change))
                    .max()
                    .unwrap_or(Severity::None),
                citations: cite(paths),
                findings: ids.into_iter().take(MAX_IDS).cloned().collect(),
                reworded: None,
            },
        }
    }

    /// Most severe first, then worse before better before neither, then by
    /// path.
    fn rank(&self) -> impl Ord {
        let path = self
            .sentence
            .citations
            .first()
            .map(|citation| citation.path.clone());
        (
            std::cmp::Reverse(self.sentence.severity),
            self.weight,
            path,
            self.sentence.text.clone(),
        )
    }
}

fn cite(paths: BTreeSet<&str>) -> Vec<Citation> {
    paths
        .into_iter()
        .take(MAX_CITATIONS)
        .map(|path| Citation {
            path: path.to_owned(),
        })
        .collect()
}

/// Each change of a finding by itself, all others by place.
fn groups(changes: &[Change]) -> Vec<Vec<&Change>> {
    let mut alone = Vec::new();
    let mut places: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes {
        match is_finding(change) {
            true => alone.push(vec![change]),
            false => places.entry(&change.path).or_default().push(change),
        }
    }
    for group in places.values_mut() {
        group.sort_by_cached_key(|c| (c.kind, c.before.to_string(), c.after.to_string(), c.weight));
    }
    alone.extend(places.into_values());
    alone
}

fn is_finding(change: &Change) -> bool {
    change.path.starts_with("/findings/")
}

fn summary(counts: Counts, unknown: u32, untold: u32, severity: Severity) -> String {
    if counts == Counts::default() && unknown == 0 {
        return String::from("Nothing changed.");
    }
    let Counts {
        regress,
        improve,
        churn,
    } = counts;
    let mut summary = format!("Worse: {regress}. Better: {improve}. Neither: {churn}.");
    if unknown > 0 {
        summary.push_str(&format!(" Unknown: {unknown}."));
    }
    if untold > 0 {
        summary.push_str(&format!(" Not told: {untold}."));
    }
    let word = match severity {
        Severity::None => "none",
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    };
    summary + &format!(" Most severe: {word}.")
}
