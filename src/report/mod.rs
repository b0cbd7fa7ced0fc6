//! The report and its findings: what `analyze` answers, what a permalink
//! shows, what `diff` compares.

pub mod admit;
mod canonical;
mod counted;
pub mod diff;
mod finding;
pub mod narrate;
#[cfg(test)]
mod sample;
mod score;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use canonical::{Canonical, canonical, digest, is_id, new_id};
pub use counted::counted;
pub use finding::{Confidence, Evidence, Finding, Severity, State};
pub use score::{HeaderScore, ScoreRow};

/// Everything one `analyze` learned.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Report {
    /// 26 characters; opens `/r/{id}` until `expiresAt`. Absent when the
    /// report could not be stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When the stored copy is deleted, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What was asked about.
    pub target: Target,
    /// When the analysis began, RFC 3339.
    pub time: String,
    /// Where it was measured from.
    pub vantage: Vantage,
    /// How much of what was tried came back.
    pub coverage: Coverage,
    /// How many findings are in each state.
    pub summary: Summary,
    /// The score of the page's headers, where there is a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_score: Option<HeaderScore>,
    /// What was concluded, most severe first.
    pub findings: Vec<Finding>,
    /// What was measured: one member per probe. Findings point into it.
    pub probes: Value,
    /// Third parties that were asked about the target.
    pub third_parties: Vec<ThirdParty>,
    /// What was cut to keep the answer small and how to get it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omitted: Vec<String>,
}

impl Report {
    /// Reads a report as [`canonical`] wrote it: by way of a [`Value`], as
    /// pasted ones are read, so that there is one reader of so large a type.
    pub fn read(json: &str) -> serde_json::Result<Report> {
        serde_json::from_str::<Value>(json).and_then(serde_json::from_value)
    }
}

/// The target as given and as understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Target {
    /// The caller's text, cleaned.
    pub asked: String,
    /// The URL that was probed, in canonical form.
    pub used: String,
    /// Its host, in ASCII.
    pub host: String,
}

/// The place a report was made from; answers differ by place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Vantage {
    /// Name and version of this service.
    pub service: String,
    /// Cloudflare data centre, or `local`.
    pub colo: String,
    /// The host of the resolver that answered.
    pub resolver: String,
}

/// Probes tried and probes that gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Coverage {
    /// Probes started.
    pub attempted: u32,
    /// Probes that gave an answer, a negative one included.
    pub completed: u32,
    /// `completed / attempted`, to two places; 1 when nothing was attempted.
    pub ratio: f64,
}

impl Coverage {
    /// Counts `completed` of `attempted`.
    pub fn of(completed: u32, attempted: u32) -> Coverage {
        let ratio = match attempted {
            0 => 1.0,
            _ => (f64::from(completed) / f64::from(attempted) * 100.0).floor() / 100.0,
        };
        Coverage {
            attempted,
            completed,
            ratio,
        }
    }
}

/// Findings per state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Summary {
    /// As it should be.
    pub pass: u32,
    /// Could be better.
    pub warn: u32,
    /// Wrong.
    pub fail: u32,
    /// Neither good nor bad.
    pub info: u32,
    /// Could not be measured this time.
    pub inconclusive: u32,
    /// Does not apply here.
    #[serde(rename = "not_applicable")]
    pub not_applicable: u32,
}

impl Summary {
    /// Counts the states of `findings`.
    pub fn of(findings: &[Finding]) -> Summary {
        let mut summary = Summary::default();
        for finding in findings {
            *match finding.state {
                State::Pass => &mut summary.pass,
                State::Warn => &mut summary.warn,
                State::Fail => &mut summary.fail,
                State::Info => &mut summary.info,
                State::Inconclusive => &mut summary.inconclusive,
                State::NotApplicable => &mut summary.not_applicable,
            } += 1;
        }
        summary
    }
}

/// Somebody else who learned that this target was asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct ThirdParty {
    /// Its host.
    pub host: String,
    /// What it was asked.
    pub purpose: String,
}
