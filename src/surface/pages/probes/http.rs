//! HTTP: the way from the first request to the page, and the page's header.

use maud::{Markup, html};
use serde_json::Value;

use crate::report::{Finding, State, counted};

use super::super::mark::{icon, scalar, state_name};
use super::{items, text, unmeasured};

/// The `http` member of a report.
pub(super) fn picture(probe: &Value, findings: &[&Finding]) -> Markup {
    html! {
        @for (member, from) in [("http", "From http://"), ("https", "From https://")] {
            @if let Some(journey) = probe.get(member) {
                h3 { (from) }
                @if let Some(failure) = journey.get("failure") { (unmeasured(failure)) }
                (way(journey))
                @if let Some(page) = journey.get("page") { (arrival(page, member, findings)) }
            }
        }
    }
}

/// Each hop with its status, drawn one under the other.
fn way(journey: &Value) -> Markup {
    html! {
        ol.hops {
            @for hop in items(&journey["hops"]) {
                li {
                    @match hop.get("status").and_then(Value::as_u64) {
                        Some(status) => { span.status.(class(status)) { (status) } }
                        None => { span.status { "–" } }
                    }
                    " " code { (text(hop, "url")) }
                    span.quiet {
                        @if let Some(address) = hop.get("address").and_then(Value::as_str) { " at " (address) }
                        @if let Some(ms) = hop.pointer("/timing/ms").and_then(Value::as_u64) { " · " (ms) " ms" }
                    }
                    @if let Some(failure) = hop.get("failure") { (unmeasured(failure)) }
                }
            }
            @if let Some((state, end)) = end(text(journey, "end")) {
                li.end {
                    (icon(state)) " " (end)
                    @if let Some(to) = journey.get("unfollowed").and_then(Value::as_str) { " " code { (to) } }
                }
            }
        }
    }
}

/// The state whose colour a status is shown in.
fn class(status: u64) -> &'static str {
    match status {
        200..300 => "pass",
        300..400 => "info",
        _ => "warn",
    }
}

/// Why the way did not end at a page, and whether that is as it should be.
fn end(end: &str) -> Option<(State, &str)> {
    Some(match end {
        "arrived" | "" | "failed" => return None,
        "met_https" => (State::Pass, "goes on as the way from https://"),
        "loop" => (State::Warn, "turns in a circle"),
        "too_many_redirects" => (State::Warn, "goes on and on"),
        "redirect_without_location" => (State::Warn, "redirects to nowhere"),
        "redirect_refused" => (State::Warn, "leads where we do not go:"),
        "redirect_unwanted" => (
            State::Info,
            "leads to a host whose owner wishes to be left alone:",
        ),
        "redirect_unresolved" => (State::Warn, "leads to a name without an address:"),
        other => (State::Info, other),
    })
}

fn arrival(page: &Value, member: &str, findings: &[&Finding]) -> Markup {
    let fields: Vec<(&String, &Value)> = page
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .collect();
    html! {
        p.page {
            @if let Some(title) = page.get("title").and_then(Value::as_str) { b { (title) } " " }
            span.quiet {
                @if page["httpVersion"].is_string() { "HTTP/" (text(page, "httpVersion")) }
                @else { "by the platform's client" }
                @if let Some(bytes) = page.get("bytes").and_then(Value::as_u64) {
                    " · " (counted(bytes as usize, "byte", "bytes")) " read"
                }
                @if page["truncated"] == true { ", more were left" }
                @if page["incomplete"] == true { ", the rest did not come" }
            }
        }
        @if !fields.is_empty() {
            div.scroll tabindex="0" role="group" aria-label="Header fields" {
                table.headers {
                    thead { tr { th scope="col" { "Field" } th scope="col" { "Value" } th scope="col" { "Judged" } } }
                    tbody {
                        @for (name, values) in fields {
                            tr {
                                th scope="row" { (name) }
                                td { @for value in lines(values) { div { code { (value) } } } }
                                td { (judged(&format!("/probes/http/{member}/page/headers/{name}"), findings)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn lines(values: &Value) -> Vec<String> {
    match values {
        Value::Array(values) => values.iter().map(scalar).collect(),
        value => vec![scalar(value)],
    }
}

/// What the findings that rest on a field came to.
fn judged(pointer: &str, findings: &[&Finding]) -> Markup {
    let rests = |finding: &&&Finding| {
        finding.evidence.iter().any(|evidence| {
            evidence
                .pointer
                .strip_prefix(pointer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    html! {
        @for finding in findings.iter().filter(rests) {
            a.verdict.(state_name(finding.state)) href={ "#finding-" (finding.id) } title=(finding.title) {
                (icon(finding.state)) span.unseen { (state_name(finding.state)) ": " (finding.title) }
            }
        }
    }
}
