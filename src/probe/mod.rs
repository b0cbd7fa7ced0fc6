//! One file per thing we ask the outside. Probes measure and say how the
//! measuring went; what the measurements mean is `check`'s business.
//!
//! Everything outbound goes through [`net`], which bounds one call to six open
//! connections and forty subrequests.

pub mod agent;
pub mod chain;
pub mod cloudflare;
pub mod coding;
pub mod ct;
pub mod dns;
pub mod errands;
pub mod exposure;
pub mod files;
pub mod hello;
pub mod host;
pub mod html;
pub mod http;
pub mod http1;
pub mod mail;
pub mod net;
pub mod origin;
pub mod plan;
pub mod proof;
pub mod rdata;
pub mod registration;
pub mod render;
pub mod riders;
pub mod slots;
pub mod tls;
pub mod transfer;
pub mod trust;
pub mod wishes;
pub mod zone;

use schemars::JsonSchema;
use serde::Serialize;

use crate::guard::text::clean;
use crate::port::NetError;

/// Characters kept of a cause that the network names.
const DETAIL_LIMIT: usize = 120;

/// How a measurement ended without a result. None of these says anything
/// about the target's quality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
#[schemars(inline)]
pub enum Failure {
    /// Nothing came back within the deadline.
    TimedOut,
    /// The platform does not open this connection.
    NotMeasurable(&'static str),
    /// Refused, reset, or closed in the middle.
    Unreachable(String),
    /// The answer broke the protocol.
    Malformed(String),
    /// This call's share of subrequests was used up before.
    OutOfBudget,
    /// What had to be known first could not be learned.
    Blocked(&'static str),
    /// Not asked: the question does not arise, or the answer is not wanted.
    Skipped(&'static str),
}

impl Failure {
    /// The state as it stands in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Failure::TimedOut => "timed_out",
            Failure::NotMeasurable(_) => "not_measurable",
            Failure::Unreachable(_) => "unreachable",
            Failure::Malformed(_) => "malformed",
            Failure::OutOfBudget => "out_of_budget",
            Failure::Blocked(_) => "blocked",
            Failure::Skipped(_) => "skipped",
        }
    }

    /// The answer broke the protocol in this way.
    pub fn malformed(how: impl AsRef<str>) -> Failure {
        Failure::Malformed(clean(how.as_ref(), DETAIL_LIMIT))
    }

    /// A clause for a finding's title: "could not be measured: ...".
    pub fn clause(&self) -> String {
        match self {
            Failure::TimedOut => String::from("nothing came back in time"),
            Failure::NotMeasurable(why) | Failure::Blocked(why) | Failure::Skipped(why) => {
                String::from(*why)
            }
            Failure::Unreachable(how) => format!("the connection failed ({how})"),
            Failure::Malformed(how) => format!("the answer was not understandable ({how})"),
            Failure::OutOfBudget => String::from("this call's subrequest budget was used up"),
        }
    }
}

impl From<NetError> for Failure {
    fn from(error: NetError) -> Failure {
        match error {
            NetError::TimedOut => Failure::TimedOut,
            NetError::Failed(how) => Failure::Unreachable(clean(&how, DETAIL_LIMIT)),
            NetError::Exhausted => Failure::OutOfBudget,
        }
    }
}
