//! What was measured, one card per probe. A probe that has no picture of its
//! own is shown as the values it consists of.

use maud::{Markup, html};
use serde_json::Value;

use crate::report::{Finding, State};

use super::mark::{icon, state_name};
use super::tree::tree;

/// What a probe is called on a page.
pub(super) fn title(name: &str) -> &str {
    match name {
        "dns" => "DNS",
        "http" => "HTTP",
        "tls" => "TLS",
        "exposure" => "Exposure",
        "mail" => "Mail",
        "registration" => "Registration",
        "origin" => "Network",
        other => other,
    }
}

/// A probe: its picture, the findings that rest on it, and every value.
pub(super) fn card(name: &str, probe: &Value, findings: &[&Finding]) -> Markup {
    html! {
        section.probe id={ "probe-" (name) } aria-labelledby={ "probe-" (name) "-title" } {
            header {
                h2 id={ "probe-" (name) "-title" } { (title(name)) }
                (pointers(findings))
            }
            details.raw {
                summary { "All measured values" }
                (tree(probe, &format!("/probes/{name}")))
            }
        }
    }
}

/// Links to the findings that ask for something.
fn pointers(findings: &[&Finding]) -> Markup {
    html! {
        ul.pointers {
            @for finding in findings.iter().filter(|finding| matches!(finding.state, State::Fail | State::Warn)) {
                li {
                    a.(state_name(finding.state)) href={ "#finding-" (finding.id) } {
                        (icon(finding.state)) (finding.title)
                    }
                }
            }
        }
    }
}
