//! The parts of a call's work, for callers who watch it happen.

use serde::Serialize;

/// The parts of an `analyze`, in the order in which a reader asks.
pub const ANALYZE: [&str; 11] = [
    "addresses",
    "records",
    "zone",
    "mail",
    "network",
    "tls",
    "https",
    "http",
    "exposure",
    "ct",
    "registration",
];

/// One part, as it stands now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Part {
    /// Which part; the same ids, in the same order, in every call of a tool.
    pub id: &'static str,
    /// How it stands.
    pub state: Standing,
    /// When it came to stand so, in milliseconds since the work began.
    pub ms: u64,
    /// What was learned, or what stood in the way, in a few words. Text that
    /// came from outside is cleaned and capped.
    pub note: String,
}

/// How a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not at its end yet.
    Waiting,
    /// Something was learned.
    Done,
    /// Nothing was learned, and asking again may help.
    Failed,
    /// Not asked: the question does not arise here.
    Skipped,
    /// Given up at the deadline.
    Unfinished,
}

impl Standing {
    /// The name as callers read it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Done => "done",
            Standing::Failed => "failed",
            Standing::Skipped => "skipped",
            Standing::Unfinished => "unfinished",
        }
    }
}
