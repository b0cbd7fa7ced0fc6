//! Small pieces that every page is made of.
//!
//! Text enters a page only through the templates of `maud`, which escape it;
//! nothing in these files makes markup out of a string.

use maud::{Markup, html};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::check::place_of;
use crate::report::{Severity, State};

/// The shapes that pages refer to by `#i-…`: each state has its own outline,
/// so that colour is never the only sign.
pub(super) fn sprite() -> Markup {
    html! {
        svg.sprite aria-hidden="true" width="0" height="0" {
            symbol #i-fail viewBox="0 0 16 16" {
                path fill="currentColor" fill-rule="evenodd" d="M4.9.8h6.2l4.1 4.1v6.2l-4.1 4.1H4.9L.8 11.1V4.9zM5 6.1 6.9 8 5 9.9 6.1 11 8 9.1 9.9 11 11 9.9 9.1 8 11 6.1 9.9 5 8 6.9 6.1 5z" {}
            }
            symbol #i-warn viewBox="0 0 16 16" {
                path fill="currentColor" fill-rule="evenodd" d="M8 1 15.6 14.6H.4zM7.2 6v4.4h1.6V6zm0 5.4V13h1.6v-1.6z" {}
            }
            symbol #i-pass viewBox="0 0 16 16" {
                path fill="currentColor" fill-rule="evenodd" d="M8 .8a7.2 7.2 0 1 1 0 14.4A7.2 7.2 0 0 1 8 .8zm-.9 10.5 4.8-5.2-1.1-1-3.7 4-1.8-1.8-1.1 1z" {}
            }
            symbol #i-info viewBox="0 0 16 16" {
                path fill="currentColor" fill-rule="evenodd" d="M2.5 1h11A1.5 1.5 0 0 1 15 2.5v11a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 1 13.5v-11A1.5 1.5 0 0 1 2.5 1zm4.7 2.6v1.7h1.6V3.6zm0 3.1v5.7h1.6V6.7z" {}
            }
            symbol #i-inconclusive viewBox="0 0 16 16" {
                circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.6 1.42" {}
                path fill="none" stroke="currentColor" stroke-width="1.5" d="M6 6.4a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1M8 10.6v1.4" {}
            }
            symbol #i-not_applicable viewBox="0 0 16 16" {
                circle cx="8" cy="8" r="6.4" fill="none" stroke="currentColor" stroke-width="1.5" {}
                path stroke="currentColor" stroke-width="1.5" d="M5 8h6" {}
            }
            symbol #i-logo viewBox="0 0 32 32" {
                g fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" {
                    path d="M27.5 10.2A13 13 0 1 1 16 3" {}
                    path d="M21.6 12.2A7 7 0 1 1 16 9" {}
                }
                circle.dot cx="24.5" cy="7.5" r="3.5" {}
            }
            symbol #i-theme viewBox="0 0 16 16" {
                path fill="currentColor" fill-rule="evenodd" d="M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1zm0 1.5v11a5.5 5.5 0 0 0 0-11z" {}
            }
        }
    }
}

/// The icon of a state; the word stands beside it for those who do not see.
pub(super) fn icon(state: State) -> Markup {
    html! { svg.icon.{ (state_name(state)) } aria-hidden="true" { use href={ "#i-" (state_name(state)) } {} } }
}

/// The name of a state in reports.
pub(super) const fn state_name(state: State) -> &'static str {
    match state {
        State::Fail => "fail",
        State::Warn => "warn",
        State::Info => "info",
        State::Inconclusive => "inconclusive",
        State::Pass => "pass",
        State::NotApplicable => "not_applicable",
    }
}

/// The name of a severity in reports.
pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "none",
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

/// An instant for people, with the exact one for machines. The script turns
/// it into the reader's own time.
pub(super) fn instant(rfc3339: &str) -> Markup {
    let shown = OffsetDateTime::parse(rfc3339, &Rfc3339)
        .ok()
        .and_then(|at| {
            at.format(format_description!(
                "[day padding:none] [month repr:short] [year], [hour]:[minute] UTC"
            ))
            .ok()
        });
    html! {
        @match shown {
            Some(shown) => { time datetime=(rfc3339) { (shown) } }
            None => (rfc3339),
        }
    }
}

/// A line to be copied and run.
pub(super) fn command(line: &str) -> Markup {
    html! { div.copy { code { (line) } } }
}

/// A sentence in which `backticks` hold code.
pub(super) fn prose(text: &str) -> Markup {
    html! {
        @for (at, part) in text.split('`').enumerate() {
            @if at % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A reference, each standard in it linked where it stands.
pub(super) fn reference(text: &str) -> Markup {
    html! {
        @for (at, standard) in text.split("; ").enumerate() {
            @if at > 0 { "; " }
            @match place_of(standard) {
                Some(href) => { a href=(href) rel="external noreferrer" { (standard) } }
                None => (standard),
            }
        }
    }
}

/// A JSON value that is not a list, as text.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::from("none"),
        Value::Bool(true) => String::from("yes"),
        Value::Bool(false) => String::from("no"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_standard_of_a_reference_leads_to_its_own_place() {
        let html = reference("RFC 8446; nobody's standard; RFC 7672 section 3").into_string();
        assert_eq!(html.matches("<a ").count(), 2, "{html}");
        assert!(
            html.contains("rfc7672#section-3\" rel=\"external noreferrer\">RFC 7672 section 3</a>")
        );
        assert!(html.contains("</a>; nobody's standard; <a"), "{html}");
    }

    #[test]
    fn an_instant_is_readable_and_exact() {
        let html = instant("2026-11-22T08:14:05.123Z").into_string();
        assert_eq!(
            html,
            "<time datetime=\"2026-11-22T08:14:05.123Z\">22 Nov 2026, 08:14 UTC</time>"
        );
        assert_eq!(instant("<b>soon").into_string(), "&lt;b&gt;soon");
    }
}
