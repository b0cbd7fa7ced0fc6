//! Formats people paste: one file each, text in, an explanation out.
//! (The formats land one by one; the shape is here first.)

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::guard::Guard;

/// A format that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Kind {
    /// JSON.
    Json,
}

impl Kind {
    /// Every kind.
    pub const ALL: &[Kind] = &[Kind::Json];

    /// The name used in arguments and answers.
    pub const fn as_str(self) -> &'static str {
        "json"
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }
}

/// What reading may draw on.
pub struct Context<'a> {
    /// The guard.
    pub guard: &'a Guard,
    /// Milliseconds since the Unix epoch.
    pub now_ms: u64,
}

/// Explains JSON.
pub fn decode(text: &str, _: Option<Kind>, _: &Context) -> Result<Decoded, Error> {
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => Ok(Decoded {
            kind: Kind::Json,
            confidence: Confidence::High,
            runner_up: None,
            fields,
            problems: Vec::new(),
            notes: Vec::new(),
        }),
        _ => Err(Error::invalid("text", "Send a JSON object.")),
    }
}

/// How much something matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Severity {
    /// Nothing to act on.
    None,
    /// Worth knowing.
    Info,
    /// Should be tidied up.
    Low,
    /// Weakens or partly breaks what the text is for.
    Medium,
    /// Breaks it, or endangers someone.
    High,
}

/// How sure a statement is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Confidence {
    /// A guess among several that fit.
    Low,
    /// Probably so.
    Medium,
    /// Unmistakable, or named by the caller.
    High,
}

/// A stretch of the text as given, in Unicode characters (not bytes):
/// `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Span {
    /// Characters before it.
    pub start: u32,
    /// Characters before its end.
    pub end: u32,
}

/// Something wrong at a place in the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Problem {
    /// Dotted code, listed in `docs/decode.md`.
    pub code: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where in the text as given.
    pub span: Span,
    /// The section of the standard that says so.
    pub reference: &'static str,
}

/// What a text says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Decoded {
    /// What the text was read as.
    pub kind: Kind,
    /// How sure that is.
    pub confidence: Confidence,
    /// The next best guess of `auto`.
    pub runner_up: Option<Kind>,
    /// The members of the format.
    pub fields: Map<String, Value>,
    /// What is wrong, in order of position.
    pub problems: Vec<Problem>,
    /// What a reader should know that is not wrong.
    pub notes: Vec<String>,
}
