//! Exposure: the paths that should not answer, and what they answered.

use maud::{Markup, html};
use serde_json::Value;

use crate::report::State;

use super::super::mark::icon;
use super::{items, text, unmeasured};

/// The `exposure` member of a report.
pub(super) fn picture(probe: &Value) -> Markup {
    html! {
        @if probe["answersEverything"] == true {
            p.quiet { "This site answers 200 to paths that nobody has, so a 200 means nothing here; only content counts." }
        }
        ul.paths {
            @for answer in items(&probe["paths"]) {
                li {
                    @match (answer.get("failure"), answer["matches"] == true) {
                        (Some(failure), _) => { code { (text(answer, "path")) } (unmeasured(failure)) }
                        (None, true) => {
                            span.fail { (icon(State::Fail)) } code { (text(answer, "path")) } " " b { "is what its name says" }
                        }
                        (None, false) => {
                            span.pass { (icon(State::Pass)) } code { (text(answer, "path")) }
                            " " span.quiet { "nothing of the kind" }
                        }
                    }
                    @if let Some(status) = answer.get("status").and_then(Value::as_u64) {
                        " " span.quiet { "· status " (status) }
                    }
                }
            }
        }
    }
}
