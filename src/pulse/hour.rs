//! One hour of one tool: what the indicators compare.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Count, Outcome};

/// Alike refused inputs in a row from which a caller is said to loop.
pub const LOOP: u32 = 3;

/// Calls of one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hour {
    /// Calls per outcome, in the order of [`Outcome::ALL`].
    outcomes: [u64; 5],
    /// Refusals of the guard, by class.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    refused: BTreeMap<String, u64>,
    /// Calls that `BUDGET_FALLBACK` decided.
    #[serde(skip_serializing_if = "is_zero")]
    fallback: u64,
    /// Loops that began: clients whose inputs were refused and alike for the
    /// [`LOOP`]th time in a row.
    #[serde(skip_serializing_if = "is_zero")]
    loops: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Hour {
    /// Adds one call.
    pub fn count(&mut self, count: &Count) {
        if let Some(slot) = self.outcomes.get_mut(place(count.outcome)) {
            *slot += 1;
        }
        if let Some(class) = &count.refused {
            *self.refused.entry(class.clone()).or_default() += 1;
        }
        self.fallback += u64::from(count.fallback);
        self.loops += u64::from(count.alike == LOOP);
    }

    /// Adds another hour.
    pub fn merge(&mut self, other: &Hour) {
        for (own, others) in self.outcomes.iter_mut().zip(other.outcomes) {
            *own += others;
        }
        for (class, n) in &other.refused {
            *self.refused.entry(class.clone()).or_default() += n;
        }
        self.fallback += other.fallback;
        self.loops += other.loops;
    }

    /// Calls that ended as `outcome`.
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes
            .get(place(outcome))
            .copied()
            .unwrap_or_default()
    }

    /// All calls.
    pub fn total(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Refusals of the guard, by class.
    pub const fn refused(&self) -> &BTreeMap<String, u64> {
        &self.refused
    }

    /// Calls that `BUDGET_FALLBACK` decided.
    pub const fn fallback(&self) -> u64 {
        self.fallback
    }

    /// Loops that began.
    pub const fn loops(&self) -> u64 {
        self.loops
    }
}

fn place(outcome: Outcome) -> usize {
    Outcome::ALL
        .iter()
        .position(|known| *known == outcome)
        .unwrap_or_default()
}
