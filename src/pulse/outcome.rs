//! How a call ended, as counters and dashboards group it.

use serde::{Deserialize, Serialize};

use crate::error::Code;

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The tool answered.
    Success,
    /// Arguments, target or report id were refused.
    ValidationRejected,
    /// A budget was spent.
    RateLimited,
    /// What we asked did not answer.
    UpstreamError,
    /// A defect of ours.
    InternalError,
}

impl Outcome {
    /// All of them, in the order of the counters.
    pub const ALL: [Outcome; 5] = [
        Outcome::Success,
        Outcome::ValidationRejected,
        Outcome::RateLimited,
        Outcome::UpstreamError,
        Outcome::InternalError,
    ];

    /// The name in events and counters.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Success => "success",
            Outcome::ValidationRejected => "validation_rejected",
            Outcome::RateLimited => "rate_limited",
            Outcome::UpstreamError => "upstream_error",
            Outcome::InternalError => "internal_error",
        }
    }

    /// The group an error belongs to.
    pub const fn of(code: Code) -> Outcome {
        match code {
            Code::InvalidInput
            | Code::TargetRefused
            | Code::PayloadTooLarge
            | Code::UnsupportedMediaType
            | Code::NotFound
            | Code::MethodNotAllowed => Outcome::ValidationRejected,
            Code::RateLimited => Outcome::RateLimited,
            Code::UpstreamError | Code::UpstreamTimeout => Outcome::UpstreamError,
            Code::Unavailable | Code::InternalError => Outcome::InternalError,
        }
    }
}
