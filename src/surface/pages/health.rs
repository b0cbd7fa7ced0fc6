//! `/health`: what was called, how it ended and how long it took, from the
//! same document as `/api/health`.

use maud::{Markup, html};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::pulse::{Counter, Outcome};
use crate::report::State;
use crate::surface::{Reply, health};

use super::Visit;
use super::mark::{icon, instant, scalar};
use super::shell::Page;

/// Answers the path.
pub(super) async fn answer(visit: &Visit<'_>) -> Reply {
    let document = health::document(visit.site).await;
    let reply = visit.page(
        200,
        Page {
            path: "/health",
            title: "Health",
            summary: "Calls per tool and day, how they ended and how long they took.",
            indexed: false,
            main: page(&document),
        },
    );
    reply.with("cache-control", "no-store")
}

fn page(document: &Value) -> Markup {
    let text = |name: &str| text(document, name);
    let tools = document.get("tools").and_then(Value::as_object);
    html! {
        header.intro {
            h1 { "Health" }
            p.lede {
                @match text("status") {
                    "ok" => { span.pass { (icon(State::Pass)) " Everything that is counted can be read." } }
                    status => { span.warn { (icon(State::Warn)) " Status: " (status) "." } }
                }
                " As of " (instant(text("generatedAt"))) ". " (age(&document["flush"])) " Days are UTC."
            }
        }
        (indicators(document.get("indicators")))
        section.tools-health aria-label="Tools" {
            @for (name, days) in tools.into_iter().flatten() { (tool(name, days)) }
        }
        (refusals(document))
        (stores(document.get("stores")))
    }
}

/// How old the counts are.
fn age(flush: &Value) -> String {
    match flush.get("ageSeconds").and_then(Value::as_u64) {
        Some(seconds @ ..=120) => format!("The newest count is {seconds} s old."),
        Some(seconds) => format!("The newest count is {} min old.", seconds / 60),
        None => String::from("Counts arrive with a delay of a minute or two."),
    }
}

/// What was refused in the last days and why, and how often budgets were
/// kept without the object that keeps them.
fn refusals(document: &Value) -> Markup {
    let reasons: Vec<(&String, u64)> = document
        .get("guard")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(reason, n)| Some((reason, n.as_u64()?)))
        .collect();
    let fallbacks = document.get("fallbacks").and_then(Value::as_u64);
    html! {
        @if !reasons.is_empty() || fallbacks.is_some_and(|n| n > 0) {
            section.refusals aria-labelledby="refusals-title" {
                h2 #refusals-title { "Refused targets" }
                dl.facts {
                    @for (reason, n) in reasons { div { dt { (reason.replace('_', " ")) } dd { (n) } } }
                    @if let Some(n) = fallbacks { div { dt { "Calls on the fallback budget" } dd { (n) } } }
                }
            }
        }
    }
}

/// A tool's days, oldest first.
fn tool(name: &str, days: &Value) -> Markup {
    let days: Vec<(&String, Counter)> = days
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(day, counter)| Some((day, serde_json::from_value(counter.clone()).ok()?)))
        .collect();
    let mut whole = Counter::default();
    days.iter().for_each(|(_, counter)| whole.merge(counter));
    html! {
        section.tool-health {
            h2 { code { (name) } }
            @if days.is_empty() {
                p.nothing { "No call in the last days." }
            } @else {
                dl.facts {
                    div { dt { "Calls" } dd { (whole.total()) } }
                    div { dt { "Half within" } dd { (within(&whole, 0.5)) } }
                    div { dt { "95 % within" } dd { (within(&whole, 0.95)) } }
                }
                (outcomes(&whole))
                (chart(&days))
                details.raw {
                    summary { "As numbers" }
                    (numbers(&days))
                }
            }
        }
    }
}

/// How the calls ended, in shares.
fn outcomes(whole: &Counter) -> Markup {
    html! {
        ul.shares {
            @for outcome in Outcome::ALL {
                @if whole.of(outcome) > 0 {
                    li { (swatch(outcome)) (words(outcome)) " " b { (share(whole.of(outcome), whole.total())) } }
                }
            }
        }
    }
}

fn swatch(outcome: Outcome) -> Markup {
    html! { svg.swatch viewBox="0 0 10 10" aria-hidden="true" { rect.(outcome.as_str()) width="10" height="10" {} } }
}

fn share(part: u64, whole: u64) -> String {
    match whole {
        0 => String::from("none"),
        _ => format!("{:.1} %", part as f64 * 100.0 / whole as f64),
    }
}

fn within(counter: &Counter, quantile: f64) -> String {
    match counter.quantile(quantile) {
        Some(ms) => format!("{ms} ms"),
        None => String::from("over 5 s"),
    }
}

/// One bar a day, its parts stacked by outcome.
fn chart(days: &[(&String, Counter)]) -> Markup {
    let most = days
        .iter()
        .map(|(_, counter)| counter.total())
        .max()
        .unwrap_or(0)
        .max(1) as f64;
    html! {
        ol.days {
            @for (day, counter) in days {
                li title={ (day) ": " (counter.total()) " calls" } {
                    svg viewBox="0 0 10 40" preserveAspectRatio="none" aria-hidden="true" {
                        @for (outcome, from, height) in stack(counter, most) {
                            rect.(outcome.as_str()) x="0" width="10" y=(format!("{from:.2}")) height=(format!("{height:.2}")) {}
                        }
                    }
                    span.unseen { (day) ": " (counter.total()) " calls" }
                    span.day aria-hidden="true" { (day.get(8..).unwrap_or_default()) }
                }
            }
        }
    }
}

/// Outcomes from the bottom up, as top edge and height in a bar of 40.
fn stack(counter: &Counter, most: f64) -> Vec<(Outcome, f64, f64)> {
    let mut top = 40.0;
    let mut parts = Vec::new();
    for outcome in Outcome::ALL {
        let height = counter.of(outcome) as f64 * 40.0 / most;
        top -= height;
        if height > 0.0 {
            parts.push((outcome, top, height));
        }
    }
    parts
}

fn numbers(days: &[(&String, Counter)]) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label="Counts by day" {
            table {
                thead {
                    tr { th scope="col" { "Day" } @for outcome in Outcome::ALL { th scope="col" { (words(outcome)) } } }
                }
                tbody {
                    @for (day, counter) in days {
                        tr {
                            th scope="row" { (day) }
                            @for outcome in Outcome::ALL { td { (counter.of(outcome)) } }
                        }
                    }
                }
            }
        }
    }
}

const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "answered",
        Outcome::ValidationRejected => "refused input",
        Outcome::RateLimited => "over budget",
        Outcome::UpstreamError => "upstream failed",
        Outcome::InternalError => "our mistake",
    }
}

/// What stands out comes first.
fn indicators(list: Option<&Value>) -> Markup {
    let mut list: Vec<(State, &Value)> = list
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|indicator| (sign(text(indicator, "state")), indicator))
        .collect();
    let loudness = |sign: State| {
        [State::Fail, State::Warn]
            .iter()
            .position(|loud| *loud == sign)
    };
    list.sort_by_key(|(sign, _)| loudness(*sign).unwrap_or(2));
    html! {
        @if !list.is_empty() {
            section.indicators aria-labelledby="indicators-title" {
                h2 #indicators-title { "Indicators" }
                ul {
                    @for (sign, indicator) in list {
                        li.(super::mark::state_name(sign)) {
                            (icon(sign))
                            div {
                                p {
                                    b { (text(indicator, "id")) } ": " (text(indicator, "state"))
                                    @if !(indicator["value"].is_null() && indicator["baseline"].is_null()) {
                                        span.quiet {
                                            " · " (portion(&indicator["value"])) " of late, " (portion(&indicator["baseline"])) " before"
                                        }
                                    }
                                }
                                p { (text(indicator, "why")) }
                                (history(&indicator["history"]))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sign(state: &str) -> State {
    match state {
        "quiet" => State::Pass,
        "watch" => State::Warn,
        "alert" => State::Fail,
        _ => State::Inconclusive,
    }
}

/// A share in percent.
fn portion(value: &Value) -> String {
    match value.as_f64() {
        Some(share) => format!("{:.1} %", share * 100.0),
        None => String::from("no calls"),
    }
}

/// Hours in the drawing of a history.
const HOURS: i64 = 48;

/// An hour of a history: how many hours before the last one, and its share.
struct Hour<'a> {
    name: &'a str,
    ago: i64,
    share: f64,
    of: u64,
}

fn hours(history: &Value) -> Vec<Hour<'_>> {
    let points: Vec<(OffsetDateTime, &Value)> = history
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|point| {
            Some((
                OffsetDateTime::parse(text(point, "hour"), &Rfc3339).ok()?,
                point,
            ))
        })
        .collect();
    let last = points.iter().map(|(at, _)| *at).max();
    points
        .into_iter()
        .filter_map(|(at, point)| {
            let ago = (last? - at).whole_hours();
            (0..HOURS).contains(&ago).then(|| Hour {
                name: text(point, "hour"),
                ago,
                share: point
                    .get("value")
                    .and_then(Value::as_f64)
                    .unwrap_or(0.0)
                    .clamp(0.0, 1.0),
                of: point.get("of").and_then(Value::as_u64).unwrap_or(0),
            })
        })
        .collect()
}

/// The last hours with calls as bars under the highest share among them, and
/// the same as numbers.
fn history(history: &Value) -> Markup {
    let hours = hours(history);
    let most = hours.iter().map(|hour| hour.share).fold(0.0, f64::max);
    html! {
        @if !hours.is_empty() {
            details.raw {
                summary {
                    span { "By hour, at most " (portion(&Value::from(most))) }
                    svg.hours viewBox={ "0 0 " (HOURS) " 10" } preserveAspectRatio="none" aria-hidden="true" {
                        @for hour in &hours {
                            @let height = 0.4 + hour.share / most.max(0.01) * 9.6;
                            rect x=(HOURS - 1 - hour.ago) y=(format!("{:.2}", 10.0 - height)) width="0.8" height=(format!("{height:.2}")) {}
                        }
                    }
                }
                div.scroll tabindex="0" role="group" aria-label="Share by hour" {
                    table {
                        thead { tr { th scope="col" { "Hour" } th scope="col" { "Share" } th scope="col" { "Calls" } } }
                        tbody {
                            @for hour in hours.iter().rev() {
                                tr {
                                    th scope="row" { (instant(hour.name)) }
                                    td { (portion(&Value::from(hour.share))) }
                                    td { (hour.of) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn stores(stores: Option<&Value>) -> Markup {
    html! {
        p.quiet {
            "Stores:"
            @for (name, state) in stores.and_then(Value::as_object).into_iter().flatten() {
                " " code { (name) } " " (scalar(state))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_parts_of_a_bar_stand_on_one_another() {
        let mut counter = Counter::default();
        (0..3).for_each(|_| counter.add(Outcome::Success, 4));
        counter.add(Outcome::RateLimited, 0);
        assert_eq!(
            stack(&counter, 8.0),
            [
                (Outcome::Success, 25.0, 15.0),
                (Outcome::RateLimited, 20.0, 5.0)
            ]
        );
    }

    #[test]
    fn a_tool_is_told_in_shares_and_times() {
        let html = tool("decode", &json!({
            "2026-11-22": {"success": 3, "validation_rejected": 1, "rate_limited": 0, "upstream_error": 0,
                           "internal_error": 0, "latencyMs": {"2": 3, "inf": 1}},
        }))
        .into_string();
        assert!(
            html.contains("75.0 %") && html.contains("2 ms") && html.contains("over 5 s"),
            "{html}"
        );
    }

    #[test]
    fn an_indicator_is_told_with_its_history_and_the_loudest_comes_first() {
        let indicator = |id: &str, state: &str| {
            json!({
                "id": id, "state": state, "value": 0.25, "baseline": null, "why": "10 of 40 calls failed.",
                "history": [{"hour": "2026-11-22T10:00:00Z", "value": 0.1, "of": 30},
                            {"hour": "2026-11-22T12:00:00Z", "value": 0.5, "of": 4},
                            {"hour": "no hour", "value": 0.5, "of": 4}],
            })
        };
        let list = json!([indicator("a.calm", "quiet"), indicator("b.loud", "alert")]);
        let html = indicators(Some(&list)).into_string();
        assert!(html.find("b.loud") < html.find("a.calm"), "{html}");
        assert!(html.contains("25.0 % of late, no calls before"), "{html}");
        assert!(html.contains("10 of 40 calls failed."), "{html}");
        assert!(html.contains("By hour, at most 50.0 %"), "{html}");
        assert!(
            html.contains("<rect x=\"45\" y=\"7.68\"")
                && html.contains("<rect x=\"47\" y=\"0.00\""),
            "{html}"
        );
        assert_eq!(html.matches("<th scope=\"row\">").count(), 4, "{html}");
    }

    #[test]
    fn the_age_of_the_counts_and_the_reasons_of_refusals_are_told() {
        let html = page(&json!({
            "status": "ok", "tools": {}, "flush": {"ageSeconds": 43}, "guard": {"user_info": 3}, "fallbacks": 0,
        }))
        .into_string();
        assert!(html.contains("The newest count is 43 s old."), "{html}");
        assert!(html.contains("<dt>user info</dt><dd>3</dd>"), "{html}");
        assert!(age(&json!({"ageSeconds": 600})).contains("10 min"));
        assert!(!page(&json!({})).into_string().contains("Refused targets"));
    }

    #[test]
    fn a_store_that_cannot_be_read_is_not_called_healthy() {
        let html =
            page(&json!({"status": "degraded", "tools": {}, "stores": {"kv": "unreachable"}}))
                .into_string();
        assert!(
            html.contains("Status: degraded") && html.contains("unreachable"),
            "{html}"
        );
    }
}
