//! `/decode`: a pasted text, explained; what is wrong with it is marked at
//! the very characters.
//!
//! The text is posted, never put into an address: people paste tokens.

use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{Code, Error};
use crate::surface::{BODY_CAP, Reply};
use crate::tool::Tool;

use super::mark::{prose, reference};
use super::shell::Page;
use super::tree::tree;
use super::{Visit, budget, form, not_found, problem};
use crate::report::counted;

/// What `decode` answers, as far as the page shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decoded {
    kind: String,
    confidence: String,
    runner_up: Option<String>,
    fields: Value,
    problems: Vec<Problem>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: String,
    severity: String,
    message: String,
    span: Span,
    reference: String,
}

#[derive(Clone, Copy, Deserialize)]
struct Span {
    start: usize,
    end: usize,
}

/// Answers the path: the form, and for a posted text its explanation.
pub(super) async fn answer(visit: &Visit<'_>) -> Reply {
    let Some(tool) = visit.tool("decode") else {
        return not_found();
    };
    if visit.request.method() != "POST" {
        return page(visit, 200, form(tool, &Map::new(), html! {}, None), true);
    }
    let given = match posted(visit, tool).await {
        Ok(given) => given,
        Err(error) => {
            let body = form(tool, &Map::new(), problem::notice(&error), None);
            return page(visit, error.code.status(), body, false);
        }
    };
    let answer = visit.call(tool, given.clone()).await;
    let decoded = answer.result.and_then(|json| {
        serde_json::from_str::<Decoded>(&json)
            .map_err(|e| Error::internal(format!("own answer: {e}")))
    });
    let text = given
        .get("text")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let (status, body) = match &decoded {
        Ok(decoded) => (200, explained(text, decoded)),
        Err(error) => (error.code.status(), problem::notice(error)),
    };
    let mut reply = page(
        visit,
        status,
        form(tool, &given, body, budget(answer.budget).as_deref()),
        false,
    );
    reply.state_budget(answer.budget);
    // Neither a cache nor the way back may keep what was pasted.
    reply.with("cache-control", "no-store")
}

/// The posted arguments. A browser sends every line end of a text field as
/// CR LF (HTML, "constructing the entry list"); the text had none.
async fn posted(visit: &Visit<'_>, tool: &Tool) -> Result<Map<String, Value>, Error> {
    let media_type = visit.request.header("content-type").unwrap_or_default();
    if !media_type.starts_with("application/x-www-form-urlencoded") {
        return Err(Error::new(
            Code::UnsupportedMediaType,
            "This page reads its own form; send JSON to /api/decode.",
        ));
    }
    let body = visit.request.body(BODY_CAP).await?;
    let mut given = form::arguments(tool.input.json(), &body);
    if let Some(Value::String(text)) = given.get_mut("text") {
        *text = text.replace("\r\n", "\n");
    }
    Ok(given)
}

fn page(visit: &Visit<'_>, status: u16, main: Markup, indexed: bool) -> Reply {
    visit.page(
        status,
        Page {
            path: "/decode",
            title: "Decode a text",
            summary: "Explains a pasted certificate, token, policy or record, and marks each problem at its characters. Contacts nothing.",
            indexed,
            main,
        },
    )
}

fn form(tool: &Tool, given: &Map<String, Value>, result: Markup, left: Option<&str>) -> Markup {
    html! {
        header.intro {
            h1 { "Decode" }
            p.lede { (tool.description) }
        }
        form.stack #decode action="/decode" method="post" {
            (form::fields(tool.input.json(), given))
            div.line {
                button { "Decode" }
                @if let Some(left) = left { span.note { (left) } }
            }
        }
        div #decoded { (result) }
    }
}

fn explained(text: &str, decoded: &Decoded) -> Markup {
    html! {
        section.decoded aria-labelledby="decoded-title" {
            h2 #decoded-title { (decoded.kind.replace('_', " ")) }
            p.quiet {
                "Recognised with " (decoded.confidence) " confidence"
                @if let Some(other) = &decoded.runner_up { "; the next guess was " (other.replace('_', " ")) }
                ". " (counted(decoded.problems.len(), "problem", "problems")) "."
            }
            div.marked tabindex="0" role="group" aria-label="The text with its problems marked" { (marked(text, &decoded.problems)) }
            @if !decoded.problems.is_empty() {
                ol.problems {
                    @for problem in &decoded.problems {
                        li.(tone(&problem.severity)) {
                            p { b { (problem.severity) } " " (prose(&problem.message)) }
                            p.quiet {
                                code { (problem.code) } " · characters " (problem.span.start) " to " (problem.span.end)
                                " · " (reference(&problem.reference))
                            }
                        }
                    }
                }
            }
            @for note in &decoded.notes { p { (prose(note)) } }
            h3 { "What it says" }
            div.fields { (tree(&decoded.fields, "/fields")) }
        }
    }
}

/// The text cut at every edge of a span; pieces inside one are marked with
/// the worst of what covers them.
fn marked(text: &str, problems: &[Problem]) -> Markup {
    let mut edges: Vec<usize> = problems
        .iter()
        .flat_map(|problem| [problem.span.start, problem.span.end])
        .collect();
    edges.sort_unstable();
    edges.dedup();
    let mut pieces: Vec<(usize, String)> = vec![(0, String::new())];
    let mut edges = edges.into_iter().skip_while(|edge| *edge == 0).peekable();
    for (at, c) in text.chars().enumerate() {
        if edges.next_if_eq(&at).is_some() {
            pieces.push((at, String::new()));
        }
        if let Some((_, piece)) = pieces.last_mut() {
            piece.push(c);
        }
    }
    html! {
        @for (start, piece) in &pieces {
            @match worst(problems, *start) {
                Some((problem, number)) => {
                    mark.(tone(&problem.severity)) title={ (number) ". " (problem.message) } { (piece) }
                }
                None => (piece),
            }
        }
    }
}

/// The worst problem that covers the character at `at`, with its number.
fn worst(problems: &[Problem], at: usize) -> Option<(&Problem, usize)> {
    problems
        .iter()
        .zip(1..)
        .filter(|(problem, _)| problem.span.start <= at && at < problem.span.end)
        .max_by_key(|(problem, _)| rank(&problem.severity))
}

fn rank(severity: &str) -> usize {
    ["none", "info", "low", "medium", "high"]
        .iter()
        .position(|word| *word == severity)
        .unwrap_or(0)
}

/// The state whose colour a severity is shown in.
fn tone(severity: &str) -> &'static str {
    match severity {
        "high" => "fail",
        "medium" | "low" => "warn",
        _ => "info",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(severity: &str, start: usize, end: usize) -> Problem {
        serde_json::from_value(json!({
            "code": "x", "severity": severity, "message": "m", "reference": "RFC 1",
            "span": {"start": start, "end": end},
        }))
        .unwrap()
    }

    #[test]
    fn a_problem_is_marked_at_its_characters_not_bytes() {
        let html = marked("é=🦀;x", &[problem("high", 2, 3)]).into_string();
        assert_eq!(html, "é=<mark class=\"fail\" title=\"1. m\">🦀</mark>;x");
    }

    #[test]
    fn overlapping_problems_show_the_worst_of_each_piece() {
        let html = marked("abcd", &[problem("low", 0, 3), problem("high", 2, 4)]).into_string();
        assert_eq!(
            html,
            "<mark class=\"warn\" title=\"1. m\">ab</mark><mark class=\"fail\" title=\"2. m\">c</mark>\
             <mark class=\"fail\" title=\"2. m\">d</mark>"
        );
    }

    #[test]
    fn the_text_is_whole_and_escaped_whatever_the_spans_say() {
        let problems = [
            problem("low", 3, 3),
            problem("low", 2, 99),
            problem("info", 50, 60),
        ];
        let html = marked("<b>&", &problems).into_string();
        assert_eq!(
            html,
            "&lt;b<mark class=\"warn\" title=\"2. m\">&gt;</mark><mark class=\"warn\" title=\"2. m\">&amp;</mark>"
        );
    }
}
