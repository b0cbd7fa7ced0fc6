//! A report as a page: the verdict, the findings by what they ask of the
//! reader, what was measured, and how far all of it can be trusted.

use maud::{Markup, html};
use serde_json::Value;

use crate::check::{Place, ways};
use crate::report::{Finding, Report, Severity, State, counted};

use super::mark::{command, icon, instant, prose, reference, severity_name, state_name};
use super::probes;
use super::score;
use super::tree::anchor;

/// How findings are grouped: what asks for action stands first and open.
const GROUPS: [Group; 6] = [
    Group::new(State::Fail, "To fix", "to fix", true),
    Group::new(State::Warn, "To improve", "to improve", true),
    Group::new(
        State::Inconclusive,
        "Not measured this time",
        "not measured",
        false,
    ),
    Group::new(State::Info, "Good to know", "to know", false),
    Group::new(State::Pass, "As it should be", "as it should be", false),
    Group::new(
        State::NotApplicable,
        "Does not apply here",
        "not applicable",
        false,
    ),
];

struct Group {
    state: State,
    heading: &'static str,
    short: &'static str,
    open: bool,
}

impl Group {
    const fn new(state: State, heading: &'static str, short: &'static str, open: bool) -> Group {
        Group {
            state,
            heading,
            short,
            open,
        }
    }

    fn of<'a>(&self, report: &'a Report) -> Vec<&'a Finding> {
        report
            .findings
            .iter()
            .filter(|finding| finding.state == self.state)
            .collect()
    }
}

/// The whole report.
pub(super) fn view(report: &Report, origin: &str) -> Markup {
    html! {
        article.report data-report=[report.id.as_deref()] data-host=(report.target.host) data-time=(report.time) {
            (verdict(report, origin))
            div.columns {
                (contents(report))
                div.body {
                    (findings(report))
                    (measured(report))
                    (limits(report))
                }
            }
        }
    }
}

fn verdict(report: &Report, origin: &str) -> Markup {
    let target = &report.target;
    html! {
        header.verdict {
            p.eyebrow { "Report of " (instant(&report.time)) }
            h1 { (target.host) }
            p.used {
                code { (target.used) }
                @if target.asked != target.used && target.asked != target.host {
                    " asked as " code { (target.asked) }
                }
            }
            (tally(report))
            (facts(report))
            (actions(report, origin))
        }
    }
}

/// The states as a bar and as words; each word leads to its group.
fn tally(report: &Report) -> Markup {
    html! {
        svg.bar viewBox="0 0 100 2" preserveAspectRatio="none" aria-hidden="true" {
            @for (state, from, share) in shares(report) {
                rect.(state_name(state)) x=(format!("{from:.2}")) y="0" width=(format!("{share:.2}")) height="2" {}
            }
        }
        ul.tally {
            @for group in &GROUPS {
                @let n = group.of(report).len();
                @if n > 0 {
                    li {
                        a.(state_name(group.state)) href={ "#group-" (state_name(group.state)) } {
                            (icon(group.state)) b { (n) } " " (group.short)
                        }
                    }
                }
            }
        }
    }
}

/// Each state that occurs, with where its part of the bar begins and how wide
/// it is, both in percent.
fn shares(report: &Report) -> Vec<(State, f64, f64)> {
    let percent = |n: usize| n as f64 * 100.0 / report.findings.len().max(1) as f64;
    let mut before = 0;
    let mut shares = Vec::new();
    for group in &GROUPS {
        let n = group.of(report).len();
        if n > 0 {
            shares.push((group.state, percent(before), percent(n)));
        }
        before += n;
    }
    shares
}

fn facts(report: &Report) -> Markup {
    let coverage = report.coverage;
    html! {
        dl.facts {
            div {
                dt { "Coverage" }
                dd {
                    (coverage.completed) " of " (coverage.attempted) " probes answered"
                    meter min="0" max="1" low="0.8" optimum="1" value=(coverage.ratio) aria-label="Coverage" {}
                }
            }
            div { dt { "Seen from" } dd { (report.vantage.colo) } }
            div { dt { "Resolver" } dd { (report.vantage.resolver) } }
            @if let Some(score) = &report.header_score {
                (score::fact(score))
            }
            div {
                dt { "Kept until" }
                dd {
                    @match &report.expires_at {
                        Some(at) => (instant(at)),
                        None => "not stored",
                    }
                }
            }
        }
    }
}

fn actions(report: &Report, origin: &str) -> Markup {
    html! {
        div.actions {
            @if let Some(id) = &report.id {
                div.copy.link { code { (origin) "/r/" (id) } }
                ul.exports aria-label="Export" {
                    li { a href={ "/api/report/" (id) } download={ (report.target.host) ".json" } { "JSON" } }
                    li { a href={ "/r/" (id) ".csv" } download { "CSV" } }
                    li { a href={ "/r/" (id) ".md" } download { "Markdown" } }
                }
                a.button.quiet #compare href={ "/diff?after=" (id) } { "Compare" }
            }
            form action="/" data-run="analyze" {
                input type="hidden" name="target" value=(report.target.used);
                button.quiet { "Analyze again" }
            }
        }
    }
}

fn contents(report: &Report) -> Markup {
    html! {
        nav.contents aria-label="In this report" {
            ul {
                @for group in &GROUPS {
                    @let n = group.of(report).len();
                    @if n > 0 {
                        li {
                            a href={ "#group-" (state_name(group.state)) } {
                                (icon(group.state)) (group.heading) span.count { (n) }
                            }
                        }
                    }
                }
            }
            ul {
                @for (name, _) in probes::ordered(&report.probes) {
                    li { a href={ "#probe-" (name) } { (probes::title(name)) } }
                }
            }
        }
    }
}

fn findings(report: &Report) -> Markup {
    let place = place(report);
    html! {
        section #findings aria-labelledby="findings-title" {
            h2.unseen #findings-title { "Findings" }
            @if report.findings.is_empty() {
                p.nothing { "No check reached a conclusion." }
            }
            @for group in &GROUPS {
                @let members = group.of(report);
                @if !members.is_empty() {
                    details.group.(state_name(group.state)) id={ "group-" (state_name(group.state)) } open[group.open] {
                        summary {
                            h3 { (icon(group.state)) (group.heading) }
                            span.count { (counted(members.len(), "finding", "findings")) }
                        }
                        ol.findings {
                            @for finding in members { li { (card(finding, &place)) } }
                        }
                    }
                }
            }
        }
    }
}

/// What commands about a report name.
fn place(report: &Report) -> Place<'_> {
    let zone = report.probes.pointer("/zone/apex").and_then(Value::as_str);
    Place {
        host: &report.target.host,
        zone: zone.unwrap_or(&report.target.host),
        url: &report.target.used,
    }
}

/// One finding: its conclusion, and behind it how it is known, what to do
/// and how to see it oneself.
fn card(finding: &Finding, place: &Place<'_>) -> Markup {
    html! {
        details.finding.(state_name(finding.state)) id={ "finding-" (finding.id) } {
            (face(finding))
            (reasons(finding, place, true))
        }
    }
}

/// A finding that is opened and stands outside a report, so that its evidence
/// is nowhere to be linked to.
pub(super) fn example(finding: &Finding, place: &Place<'_>) -> Markup {
    html! {
        details.finding.(state_name(finding.state)) open {
            (face(finding))
            (reasons(finding, place, false))
        }
    }
}

fn face(finding: &Finding) -> Markup {
    html! {
        summary {
            (icon(finding.state))
            span.unseen { (state_name(finding.state)) ": " }
            span.title { (prose(&finding.title)) }
            @if finding.severity != Severity::None {
                span.severity.(severity_name(finding.severity)) { (severity_name(finding.severity)) }
            }
            code.id { (finding.id) }
        }
    }
}

fn reasons(finding: &Finding, place: &Place<'_>, linked: bool) -> Markup {
    let ways = ways(finding, place);
    html! {
        dl.why {
            @if let Some(fix) = &finding.fix {
                div.fix { dt { "Fix" } dd { (prose(fix)) } }
            }
            @if !finding.evidence.is_empty() {
                div {
                    dt { "Evidence" }
                    dd {
                        ul.evidence {
                            @for evidence in &finding.evidence {
                                li {
                                    @if linked {
                                        a href=(anchor(&evidence.pointer)) { code { (evidence.pointer) } }
                                    } @else {
                                        code { (evidence.pointer) }
                                    }
                                    (value(&evidence.value))
                                }
                            }
                        }
                    }
                }
            }
            @if !ways.is_empty() {
                div {
                    dt { "See it yourself" }
                    dd.ways { @for way in &ways { (command(way)) } }
                }
            }
            div {
                dt { "Rests on" }
                dd {
                    (reference(&finding.reference))
                    @for other in &finding.maps_to { " " span.chip { (other) } }
                }
            }
            div { dt { "Confidence" } dd.last { (confidence(finding)) } }
        }
    }
}

fn confidence(finding: &Finding) -> &'static str {
    use crate::report::Confidence;
    match finding.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low: treat it as a hint",
    }
}

fn value(value: &Value) -> Markup {
    html! {
        @match value {
            Value::Object(_) | Value::Array(_) => { code.value { (value.to_string()) } }
            Value::String(text) if text.is_empty() => { span.nothing { "empty" } }
            _ => { code.value { (super::mark::scalar(value)) } }
        }
    }
}

fn measured(report: &Report) -> Markup {
    html! {
        @for (name, probe) in probes::ordered(&report.probes) {
            (probes::card(name, probe, &about(report, name), &report.time))
            @if name == "http" {
                @if let Some(score) = &report.header_score { (score::card(score)) }
            }
        }
    }
}

/// The findings whose evidence lies in a probe.
fn about<'a>(report: &'a Report, probe: &str) -> Vec<&'a Finding> {
    let root = format!("/probes/{probe}");
    report
        .findings
        .iter()
        .filter(|finding| {
            finding.evidence.iter().any(|evidence| {
                evidence
                    .pointer
                    .strip_prefix(&root)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        })
        .collect()
}

fn limits(report: &Report) -> Markup {
    html! {
        section.limits aria-labelledby="limits-title" {
            h2 #limits-title { "How far this report goes" }
            @if report.coverage.completed < report.coverage.attempted {
                p {
                    (counted((report.coverage.attempted - report.coverage.completed.min(report.coverage.attempted)) as usize,
                        "probe gave", "probes gave"))
                    " no answer. What hangs on them is stated as not measured, never held against the target."
                }
            }
            @if !report.omitted.is_empty() {
                ul { @for omitted in &report.omitted { li { (omitted) } } }
            }
            @if !report.third_parties.is_empty() {
                p { "Others who learned that this target was asked about:" }
                ul {
                    @for party in &report.third_parties {
                        li { code { (party.host) } " " (party.purpose) }
                    }
                }
            }
            p.quiet { "Made by " (report.vantage.service) ". Answers differ by place and by minute." }
        }
    }
}
