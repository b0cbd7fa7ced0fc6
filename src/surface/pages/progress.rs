//! The parts of a running analysis as rows of a list. A row that waits is
//! written first and hidden by the style sheet once the row of the same part
//! that has ended follows it, so that no script is needed.

use maud::{Markup, html};
use url::form_urlencoded;

use crate::report::State;
use crate::tool::part::{ANALYZE, Part, Standing};

use super::mark::icon;

/// The place of the parts while an analysis of `target` is under way.
pub(super) fn frame(target: &str, parts: Markup) -> Markup {
    html! {
        section.progress aria-labelledby="progress-title" {
            p #progress-title { "Asking about " b { (target) } }
            div.sweep {}
            ol.parts aria-live="polite" { (parts) }
        }
    }
}

/// The same with every part waiting, for the script to take a copy of.
pub(super) fn template() -> Markup {
    let waiting = html! {
        @for id in ANALYZE {
            (row(&Part { id, state: Standing::Waiting, ms: 0, note: String::new() }, ""))
        }
    };
    html! { template #progress-template { (frame("", waiting)) } }
}

/// The part as it stands, and how to ask again where that may help: by one
/// more analysis, since a report is one measurement.
pub(super) fn row(part: &Part, target: &str) -> Markup {
    html! {
        li.part.{ "is-" (part.id) }.(part.state.as_str()) {
            @match sign(part.state) {
                Some(sign) => (icon(sign)),
                None => span.pending aria-hidden="true" {},
            }
            span.what { (title(part.id)) }
            span.note {
                @match (part.state, part.note.as_str()) {
                    (Standing::Waiting, _) => "…",
                    (Standing::Unfinished, _) => "no answer in time",
                    (Standing::Failed | Standing::Skipped, note) => { (part.state.as_str()) ": " (note) }
                    (Standing::Done, note) => (note),
                }
            }
            @if part.state != Standing::Waiting { span.ms { (span(part.ms)) } }
            @if matches!(part.state, Standing::Failed | Standing::Unfinished) {
                a href=(again(target)) { "Ask again" span.unseen { " for " (title(part.id)) } }
            }
        }
    }
}

/// What a part is called.
fn title(id: &str) -> &str {
    match id {
        "addresses" => "Addresses",
        "records" => "DNS records",
        "zone" => "Zone",
        "network" => "Network",
        "mail" => "Mail",
        "registration" => "Registration",
        "tls" => "TLS",
        "https" => "Page over https",
        "http" => "Page over http",
        "exposure" => "Listed paths",
        "ct" => "Certificate logs",
        other => other,
    }
}

fn sign(state: Standing) -> Option<State> {
    match state {
        Standing::Waiting => None,
        Standing::Done => Some(State::Pass),
        Standing::Skipped => Some(State::NotApplicable),
        Standing::Failed | Standing::Unfinished => Some(State::Inconclusive),
    }
}

fn span(ms: u64) -> String {
    match ms {
        ..1000 => format!("{ms} ms"),
        _ => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}

/// The address that analyzes `target` once more.
pub(super) fn again(target: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("target", target)
        .finish();
    format!("/?{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &'static str, state: Standing) -> Part {
        Part {
            id,
            state,
            ms: 1234,
            note: String::from("</li><script>"),
        }
    }

    #[test]
    fn a_part_that_ended_says_when_and_stays_text() {
        let html = row(&part("tls", Standing::Done), "lab-good.com").into_string();
        assert!(
            html.contains("1.2 s") && html.contains("&lt;/li&gt;"),
            "{html}"
        );
        assert!(!html.contains("<script") && !html.contains("<a "), "{html}");
    }

    #[test]
    fn a_part_that_failed_can_be_asked_for_again_by_another_analysis() {
        let html = row(
            &part("zone", Standing::Failed),
            "https://lab-good.com:8443/a b",
        )
        .into_string();
        let link = "href=\"/?target=https%3A%2F%2Flab-good.com%3A8443%2Fa+b\">Ask again<span class=\"unseen\"> for Zone";
        assert!(html.contains(link), "{html}");
    }

    #[test]
    fn every_part_has_a_name_and_a_rule_that_hides_its_waiting_row() {
        let css = include_str!("assets/site.css");
        for id in ANALYZE {
            assert_ne!(title(id), id);
            let rule = format!(".progress:has(.is-{id}:not(.waiting)) .is-{id}.waiting");
            assert!(css.contains(&rule), "{rule}");
        }
    }
}
