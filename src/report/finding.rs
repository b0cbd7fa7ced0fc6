//! One conclusion, with how it is known and what to do about it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::codec::{Confidence, Severity};

/// How a check ended. A measurement that failed is `inconclusive`: it is
/// never held against the target.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum State {
    /// Wrong: should be mended.
    Fail,
    /// Works, could be better.
    Warn,
    /// A fact, neither good nor bad.
    Info,
    /// Could not be measured this time.
    Inconclusive,
    /// As it should be.
    Pass,
    /// The question does not arise for this target.
    NotApplicable,
}

/// What a finding rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Evidence {
    /// JSON pointer (RFC 6901) into the report, beginning with `/probes`.
    pub pointer: String,
    /// The value found there, shortened where it is long.
    pub value: Value,
}

/// One conclusion about the target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Finding {
    /// `topic.subject`, stable across versions.
    pub id: String,
    /// How the check ended.
    pub state: State,
    /// How bad it is; `none` unless the state is `warn` or `fail`.
    pub severity: Severity,
    /// How sure the check is of its state.
    pub confidence: Confidence,
    /// The conclusion in one sentence.
    pub title: String,
    /// What it rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Evidence>,
    /// What to change; absent when nothing has to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// RFC section or standard; absent where the answer was cut.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reference: String,
    /// A command that shows the same fact; absent where the answer was cut.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reproduce: String,
    /// The same check elsewhere: `mdn-observatory:…`, `internet.nl:…`,
    /// `zonemaster:…`, `cwe:…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub maps_to: Vec<String>,
}
