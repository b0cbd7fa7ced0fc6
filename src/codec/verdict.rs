//! What the guard would say about a target, as a member of `fields`.

use std::net::IpAddr;

use serde::Serialize;

use super::Context;
use crate::guard::Refusal;

/// The guard's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// `allow` or `refuse`.
    pub decision: &'static str,
    /// Class of the refusal.
    pub reason: Option<&'static str>,
    /// The rule that refused.
    pub rule: Option<&'static str>,
}

impl Verdict {
    /// About a URL as `analyze` would take it.
    pub(crate) fn of_url(url: &str, context: &Context) -> Self {
        Verdict::of(context.guard.validate_fetch_url(url).err())
    }

    /// About a host name or URL as `analyze` would take it.
    pub(crate) fn of_target(target: &str, context: &Context) -> Self {
        Verdict::of(context.guard.validate_target(target).err())
    }

    /// About an address, on the port that everyone may use.
    pub(crate) fn of_address(ip: IpAddr, context: &Context) -> Self {
        Verdict::of(context.guard.judge_address(ip, 443).err())
    }

    fn of(refusal: Option<Refusal>) -> Self {
        Verdict {
            decision: if refusal.is_some() { "refuse" } else { "allow" },
            reason: refusal.as_ref().map(|refusal| refusal.class.as_str()),
            rule: refusal.as_ref().map(|refusal| refusal.rule),
        }
    }
}
