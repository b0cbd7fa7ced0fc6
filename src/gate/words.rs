//! What the gate says when a call gets no answer: over budget, in circles, or
//! broken on our side.

use crate::config::{Rate, TARGET_BUDGET};
use crate::error::{Code, Error};
use crate::pulse::{LOOP, Outcome};
use crate::tool::Tool;

use super::budget::Decision;

/// The refusal of a spent budget.
pub(super) fn over_budget(name: &str, rate: Rate, decision: Decision) -> Error {
    let seconds = decision.retry_after();
    let whose = match name {
        TARGET_BUDGET => "All callers together may analyze one target",
        _ => "This client may call this tool",
    };
    let mut error = Error::new(
        Code::RateLimited,
        format!(
            "{whose} {} times per {} seconds; wait {seconds} seconds, then make the same call once.",
            rate.limit, rate.seconds
        ),
    );
    error.retry_after = Some(seconds);
    error
}

/// Tells a caller that keeps sending alike inputs which are refused that it
/// does, and what a right one looks like.
pub(super) fn heeding_loops(mut flaw: Error, tool: &Tool, alike: u32) -> Error {
    if alike >= LOOP && Outcome::of(flaw.code) == Outcome::ValidationRejected {
        flaw.message = format!(
            "{} The last {alike} inputs were alike and all refused: send a different one or stop. \
             A right one looks like {}.",
            flaw.message,
            tool.input.example(),
        );
    }
    flaw
}

/// What a panic said, for the event.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text");
    format!("panic: {text}")
}
