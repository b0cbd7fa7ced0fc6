//! `/diff`: what changed between two reports, told and listed.
//!
//! A host in place of a report is analyzed first. That takes a visit of its
//! own for each, passed on by a redirect: every analysis keeps the whole
//! share of connections of one request, and the address one ends at names
//! two stored reports and can be sent to others.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::error::{Code, Error};
use crate::report::{Report, counted, is_id};
use crate::surface::Reply;

use super::mark::{icon, instant, scalar};
use super::shell::Page;
use super::tree::anchor;
use super::{Visit, budget, not_found, problem};
use crate::report::State;

/// Longest text taken for a report or a host.
const SIDE_LIMIT: usize = 2048;

/// Answers the path.
pub(super) async fn answer(visit: &Visit<'_>) -> Reply {
    if visit.tool("diff").is_none() {
        return not_found();
    }
    let (before, after) = sides(visit.request.query().unwrap_or_default());
    if before.is_empty() || after.is_empty() {
        return page(
            visit,
            200,
            form(&before, &after, None),
            html! {},
            before.is_empty() && after.is_empty(),
        );
    }
    match step(visit, &before, &after).await {
        Ok(Step::Go { before, after }) => {
            let query = form_urlencoded::Serializer::new(String::new())
                .append_pair("before", &before)
                .append_pair("after", &after)
                .finish();
            Reply::empty(303)
                .with("location", format!("/diff?{query}"))
                .with("cache-control", "no-store")
        }
        Ok(Step::Show(told)) => page(
            visit,
            200,
            form(&before, &after, told.left.as_deref()),
            told.view,
            false,
        ),
        Err(error) => {
            let reply = page(
                visit,
                error.code.status(),
                form(&before, &after, None),
                problem::notice(&error),
                false,
            );
            match error.retry_after {
                Some(seconds) => reply.with("retry-after", seconds.to_string()),
                None => reply,
            }
        }
    }
}

/// What is done with the two sides that were given.
enum Step {
    /// A report was made; its id takes the host's place.
    Go { before: String, after: String },
    /// Both are reports.
    Show(Told),
}

struct Told {
    view: Markup,
    left: Option<String>,
}

async fn step(visit: &Visit<'_>, before: &str, after: &str) -> Result<Step, Error> {
    if !is_id(before) {
        let before = analyzed(visit, before, "before").await?;
        return Ok(Step::Go {
            before,
            after: after.to_owned(),
        });
    }
    if !is_id(after) {
        let after = analyzed(visit, after, "after").await?;
        return Ok(Step::Go {
            before: before.to_owned(),
            after,
        });
    }
    told(visit, before, after).await.map(Step::Show)
}

/// Analyzes a host; the answer is the id of its report.
async fn analyzed(visit: &Visit<'_>, target: &str, field: &str) -> Result<String, Error> {
    let analyze = visit
        .tool("analyze")
        .ok_or_else(|| Error::internal("no tool analyze"))?;
    let arguments = Map::from_iter([(String::from("target"), json!(target))]);
    let json = visit
        .call(analyze, arguments)
        .await
        .result
        .map_err(|error| Error {
            field: error.field.as_ref().map(|_| field.to_owned()),
            ..error
        })?;
    let report = Report::read(&json).map_err(|e| Error::internal(format!("own report: {e}")))?;
    report.id.ok_or_else(|| {
        Error::new(
            Code::Unavailable,
            "The report could not be stored, so it cannot be compared; try again.",
        )
    })
}

/// Both sides as given; the address of a report counts as its id.
fn sides(query: &str) -> (String, String) {
    let mut sides = [String::new(), String::new()];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let side = match &*name {
            "before" => &mut sides[0],
            "after" => &mut sides[1],
            _ => continue,
        };
        *side = side_of(&value);
    }
    let [before, after] = sides;
    (before, after)
}

fn side_of(value: &str) -> String {
    let value: String = value.trim().chars().take(SIDE_LIMIT).collect();
    let id = value
        .rsplit_once("/r/")
        .map(|(_, rest)| rest)
        .filter(|id| is_id(id));
    id.map(str::to_owned).unwrap_or(value)
}

/// What the page shows of `diff`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Diff {
    equal: bool,
    before: Value,
    after: Value,
    changes: Vec<Change>,
    #[serde(default)]
    unlisted: u32,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Change {
    path: String,
    kind: String,
    #[serde(default)]
    before: Value,
    #[serde(default)]
    after: Value,
    weight: String,
}

/// What the page shows of `narrate`.
#[derive(Deserialize)]
struct Narration {
    summary: String,
    sentences: Vec<Sentence>,
    #[serde(default)]
    untold: u32,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    severity: String,
    citations: Vec<Citation>,
}

#[derive(Deserialize)]
struct Citation {
    path: String,
}

async fn told(visit: &Visit<'_>, before: &str, after: &str) -> Result<Told, Error> {
    let (diff, left) = asked::<Diff>(visit, "diff", before, after).await?;
    let (narration, _) = asked::<Narration>(visit, "narrate", before, after).await?;
    Ok(Told {
        view: view(&diff, &narration, before, after),
        left,
    })
}

async fn asked<T: for<'de> Deserialize<'de>>(
    visit: &Visit<'_>,
    name: &str,
    before: &str,
    after: &str,
) -> Result<(T, Option<String>), Error> {
    let tool = visit
        .tool(name)
        .ok_or_else(|| Error::internal(format!("no tool {name}")))?;
    let pair = [("before", before), ("after", after)];
    let arguments = pair
        .into_iter()
        .map(|(name, id)| (name.to_owned(), json!(id)))
        .collect();
    let answer = visit.call(tool, arguments).await;
    let left = budget(answer.budget);
    let parsed = serde_json::from_str(&answer.result?);
    Ok((
        parsed.map_err(|e| Error::internal(format!("own {name}: {e}")))?,
        left,
    ))
}

fn page(visit: &Visit<'_>, status: u16, form: Markup, result: Markup, indexed: bool) -> Reply {
    visit.page(
        status,
        Page {
            path: "/diff",
            title: "Compare two reports",
            summary: "What changed between two reports of a host, in sentences that cite what they rest on.",
            indexed,
            main: html! {
                header.intro {
                    h1 { "Diff" }
                    p.lede { "What changed between two reports. A host in place of a report is analyzed first." }
                }
                (form)
                (result)
            },
        },
    )
}

fn form(before: &str, after: &str, left: Option<&str>) -> Markup {
    html! {
        form.stack.pair action="/diff" data-run="diff" {
            (side("before", "Earlier", before))
            (side("after", "Later", after))
            datalist #known-reports {}
            div.line {
                button { "Compare" }
                @if let Some(left) = left { span.note { (left) } }
            }
        }
    }
}

fn side(name: &str, label: &str, value: &str) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type="text" value=(value) required maxlength=(SIDE_LIMIT)
                list="known-reports" spellcheck="false" autocapitalize="off" autocomplete="off"
                placeholder="report id, its link, or a host";
        }
    }
}

fn view(diff: &Diff, narration: &Narration, before: &str, after: &str) -> Markup {
    html! {
        section.result aria-labelledby="result-title" {
            div.versus { (face(&diff.before, before)) span.arrow aria-hidden="true" { "→" } (face(&diff.after, after)) }
            h2 #result-title { @if diff.equal { "Nothing that counts changed" } @else { (narration.summary) } }
            @for note in &diff.notes { p.quiet { (note) } }
            @if !narration.sentences.is_empty() {
                (sentences(&narration.sentences))
            }
            @if narration.untold > 0 {
                p.quiet { (counted(narration.untold as usize, "change is", "changes are")) " listed below without a sentence." }
            }
            @if !diff.changes.is_empty() { (changes(diff)) }
        }
    }
}

/// What is worth a look first; the rest is folded away when there is much.
fn sentences(all: &[Sentence]) -> Markup {
    const FEW: usize = 8;
    let grave = |sentence: &&Sentence| matches!(&*sentence.severity, "high" | "medium" | "low");
    let (graver, plain): (Vec<&Sentence>, Vec<&Sentence>) = all.iter().partition(grave);
    html! {
        ol.sentences { @for sentence in &graver { (said(sentence)) } }
        @if !plain.is_empty() {
            details.raw open[plain.len() <= FEW] {
                summary { (counted(plain.len(), "change is", "changes are")) " of no weight, or of next to none" }
                ol.sentences { @for sentence in plain { (said(sentence)) } }
            }
        }
    }
}

fn face(side: &Value, id: &str) -> Markup {
    let text = |pointer: &str| {
        side.pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    html! {
        div {
            a href={ "/r/" (id) } { b { (text("/target/host")) } }
            p.quiet { (instant(text("/time"))) " · seen from " (text("/vantage/colo")) }
        }
    }
}

fn said(sentence: &Sentence) -> Markup {
    html! {
        li.(tone(&sentence.severity)) {
            (icon(sign(&sentence.severity)))
            div {
                p { (sentence.text) @if sentence.severity != "none" { " " span.severity { (sentence.severity) } } }
                p.cited {
                    @for citation in &sentence.citations {
                        a href=(anchor(&citation.path)) { code { (citation.path) } } " "
                    }
                }
            }
        }
    }
}

fn changes(diff: &Diff) -> Markup {
    html! {
        details.raw open[diff.changes.len() <= 12] {
            summary { (counted(diff.changes.len(), "change", "changes")) ", one by one" }
            div.scroll tabindex="0" role="group" aria-label="Changes" {
                table.changes {
                    thead { tr { th scope="col" { "Where" } th scope="col" { "Before" } th scope="col" { "After" } th scope="col" { "Weight" } } }
                    tbody { @for change in &diff.changes { (row(change)) } }
                }
            }
        }
        @if diff.unlisted > 0 {
            p.quiet { (counted(diff.unlisted as usize, "more change is", "more changes are")) " not listed." }
        }
    }
}

fn row(change: &Change) -> Markup {
    html! {
        tr id=(change.path) {
            th scope="row" { (change.path) }
            td { (value(&change.before, change.kind == "added")) }
            td { (value(&change.after, change.kind == "removed")) }
            td { (weight(&change.weight)) }
        }
    }
}

fn value(value: &Value, absent: bool) -> Markup {
    html! {
        @if absent { span.nothing { "absent" } }
        @else if value.is_object() || value.is_array() { code { (value.to_string()) } }
        @else { code { (scalar(value)) } }
    }
}

fn weight(weight: &str) -> Markup {
    html! {
        @match weight {
            "regress" => { span.fail { (icon(State::Fail)) " worse" } }
            "improve" => { span.pass { (icon(State::Pass)) " better" } }
            _ => { span.quiet { "neither" } }
        }
    }
}

fn sign(severity: &str) -> State {
    match severity {
        "high" | "medium" => State::Fail,
        "low" => State::Warn,
        _ => State::Info,
    }
}

fn tone(severity: &str) -> &'static str {
    super::mark::state_name(sign(severity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_report_counts_as_its_id() {
        let id = "k5xwqv3n2m7rj4tz6bqhcd2yfa";
        let query =
            format!("before=https%3A%2F%2Fnetrecon.example%2Fr%2F{id}&after=+lab-good.com+&x=1");
        assert_eq!(sides(&query), (id.to_owned(), String::from("lab-good.com")));
        assert_eq!(
            side_of("https://a.example/r/short"),
            "https://a.example/r/short"
        );
    }

    #[test]
    fn a_sentence_leads_to_the_changes_it_rests_on() {
        let diff: Diff = serde_json::from_value(json!({
            "equal": false, "before": {}, "after": {},
            "changes": [{"path": "/findings/tls.expiry", "kind": "changed", "before": "<b>", "after": 2, "weight": "regress"}],
        }))
        .unwrap();
        let narration: Narration = serde_json::from_value(json!({
            "severity": "high", "summary": "1 change for the worse",
            "sentences": [{"text": "It expired.", "severity": "high", "citations": [{"path": "/findings/tls.expiry"}], "findings": []}],
        }))
        .unwrap();
        let html = view(&diff, &narration, "a", "b").into_string();
        assert!(html.contains("href=\"#/findings/tls.expiry\""), "{html}");
        assert!(html.contains("<tr id=\"/findings/tls.expiry\">"), "{html}");
        assert!(
            html.contains("&lt;b&gt;") && !html.contains("<code><b>"),
            "{html}"
        );
    }
}
