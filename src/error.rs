//! The one set of error codes that every surface speaks.
//!
//! An [`Error`] has two faces: what the caller reads (code, message, field,
//! reason, retryAfter) and [`Error::internal`], which only the event line may
//! carry. No upstream body, path or stack ever enters the outward face.

use serde::Serialize;

/// What went wrong, as a caller may act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// An argument or message is not of the documented form (HTTP 400).
    InvalidInput,
    /// The guard will not let this target be touched (HTTP 403).
    TargetRefused,
    /// The caller's or the target's budget is spent (HTTP 429).
    RateLimited,
    /// The body is larger than 256 KiB (HTTP 413).
    PayloadTooLarge,
    /// The body is not `application/json` (HTTP 415).
    UnsupportedMediaType,
    /// No such path, tool or report (HTTP 404).
    NotFound,
    /// The path exists, the verb does not (HTTP 405).
    MethodNotAllowed,
    /// Something we asked answered wrongly or not at all (HTTP 502).
    UpstreamError,
    /// Nothing came back within the deadline (HTTP 504).
    UpstreamTimeout,
    /// A part of this service cannot be reached (HTTP 503).
    Unavailable,
    /// A defect of ours (HTTP 500).
    InternalError,
}

impl Code {
    /// The code as it stands in bodies and events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Code::InvalidInput => "invalid_input",
            Code::TargetRefused => "target_refused",
            Code::RateLimited => "rate_limited",
            Code::PayloadTooLarge => "payload_too_large",
            Code::UnsupportedMediaType => "unsupported_media_type",
            Code::NotFound => "not_found",
            Code::MethodNotAllowed => "method_not_allowed",
            Code::UpstreamError => "upstream_error",
            Code::UpstreamTimeout => "upstream_timeout",
            Code::Unavailable => "unavailable",
            Code::InternalError => "internal_error",
        }
    }

    /// The HTTP status the JSON API answers with.
    pub const fn status(self) -> u16 {
        match self {
            Code::InvalidInput => 400,
            Code::TargetRefused => 403,
            Code::RateLimited => 429,
            Code::PayloadTooLarge => 413,
            Code::UnsupportedMediaType => 415,
            Code::NotFound => 404,
            Code::MethodNotAllowed => 405,
            Code::UpstreamError => 502,
            Code::UpstreamTimeout => 504,
            Code::Unavailable => 503,
            Code::InternalError => 500,
        }
    }
}

/// A failure with an outward and an inward face.
///
/// Serializes to the outward body:
/// `{"error","message","field"?,"reason"?,"retryAfter"?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Error {
    /// The code, `error` in the body.
    #[serde(rename = "error")]
    pub code: Code,
    /// One sentence that says what to send instead.
    pub message: String,
    /// The argument at fault, for [`Code::InvalidInput`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The class of refusal, for [`Code::TargetRefused`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Whole seconds to wait, for [`Code::RateLimited`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// What only the event line may say.
    #[serde(skip)]
    pub internal: Option<String>,
}

impl Error {
    /// An error of `code` with its outward sentence.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Error {
            code,
            message: message.into(),
            field: None,
            reason: None,
            retry_after: None,
            internal: None,
        }
    }

    /// [`Code::InvalidInput`] about one argument.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error {
            field: Some(field.into()),
            ..Error::new(Code::InvalidInput, message)
        }
    }

    /// [`Code::InternalError`]: the cause goes to the event, not to the caller.
    pub fn internal(cause: impl Into<String>) -> Self {
        Error::new(
            Code::InternalError,
            "This call failed on our side; the same call may be tried once more.",
        )
        .because(cause)
    }

    /// Adds the inward cause.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.internal = Some(cause.into());
        self
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}
