//! The header score: a number that can be compared, row by row, with the one
//! of MDN's HTTP Observatory.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The score of the page's headers, by MDN's table. Where it differs from
/// MDN's own is in `docs/header-score.md`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct HeaderScore {
    /// The table: MDN's package, its version and its algorithm's.
    pub version: String,
    /// 100 and the modifiers, never below 0; bonuses count from 90 on.
    pub score: u32,
    /// `A+` to `F`.
    pub grade: String,
    /// One per rule, in MDN's order.
    pub rows: Vec<ScoreRow>,
}

/// One rule's outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ScoreRow {
    /// MDN's name of the rule.
    pub rule: String,
    /// MDN's name of the outcome; `not-measured` is ours.
    pub result: String,
    /// What it adds.
    pub modifier: i32,
    /// What the outcome means.
    pub why: String,
}
