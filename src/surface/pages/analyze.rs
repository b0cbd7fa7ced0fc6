//! `/`: the field, and under it the report of what was asked with `?target=`.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::error::{Code, Error};
use crate::guard::text::clean;
use crate::report::Report;
use crate::surface::Reply;
use crate::surface::live::Running;
use crate::tool::Tool;

use super::form::{example, property};
use super::mark::command;
use super::progress;
use super::shell::{self, Page};
use super::{HTML, Said, Started, Visit, budget, not_found, problem, report};

const SUMMARY: &str = "A netrecon report: findings with their evidence, and what was measured.";

/// Answers the path.
pub(super) async fn answer(visit: &Visit<'_>) -> Reply {
    let Some(tool) = visit.tool("analyze") else {
        return not_found();
    };
    match visit.arguments(tool) {
        Some(arguments) => analyzed(visit, tool, arguments).await,
        None => visit.page(
            200,
            Page {
                path: "/",
                title: "Look at a host the way the internet does",
                summary: "DNS, HTTP, TLS and exposure of a public host in one report: what is wrong, how it is known, and the command that shows it.",
                indexed: true,
                main: start(visit, tool),
            },
        ),
    }
}

async fn analyzed(visit: &Visit<'_>, tool: &Tool, mut arguments: Map<String, Value>) -> Reply {
    let target = arguments
        .get("target")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    // A person scrolls; only a model has to be spared the details.
    arguments.entry("detail").or_insert_with(|| json!("full"));
    match visit.start(tool, arguments).await {
        Started::Running(running) => underway(visit, tool, &target, running),
        Started::Refused(answer) => {
            let error = answer
                .result
                .err()
                .unwrap_or_else(|| Error::internal("an answer before the call"));
            let left = budget(answer.budget);
            let mut reply = refused(visit, tool, &target, left.as_deref(), &error);
            reply.state_budget(answer.budget);
            reply
        }
    }
}

fn refused(
    visit: &Visit<'_>,
    tool: &Tool,
    target: &str,
    left: Option<&str>,
    error: &Error,
) -> Reply {
    let page = Page {
        path: "/",
        title: "No report",
        summary: SUMMARY,
        indexed: false,
        main: html! {
            div.again { (field(tool, target, left, false)) }
            (problem::subject(error))
        },
    };
    let reply = visit.page(error.code.status(), page);
    match error.retry_after {
        Some(seconds) => reply.with("retry-after", seconds.to_string()),
        None => reply,
    }
}

/// The page of an analysis that has begun: it is sent while it is made, part
/// by part, and ends with the report. No script is needed for that. (A proxy
/// that compresses in one piece, as wrangler's does, holds it back until its
/// end; with scripts the parts come as events, which nobody compresses.)
fn underway(visit: &Visit<'_>, tool: &Tool, target: &str, running: Running) -> Reply {
    let left = budget(running.budget);
    let title = clean(target, 80);
    let page = Page {
        path: "/",
        title: &title,
        summary: SUMMARY,
        indexed: false,
        main: html! {
            div.again { (field(tool, target, left.as_deref(), false)) }
            (progress::frame(&title, html! { (shell::seam()) }))
            (shell::seam())
        },
    };
    let mut pieces = shell::cut(&visit.origin, page);
    let opening = pieces.next().unwrap_or_default();
    let ending = [pieces.next(), pieces.next()].map(Option::unwrap_or_default);
    let (origin, target) = (visit.origin.clone(), target.to_owned());
    running
        .reply(HTML, opening, move |said| match said {
            Said::Admitted(_) => String::new(),
            Said::Part(part) => progress::row(&part, &target).into_string(),
            Said::Ended(answer) => {
                let [after_parts, after_report] = &ending;
                let shown = shown(answer.result, &origin, &target).into_string();
                [after_parts, &shown, after_report]
                    .map(String::as_str)
                    .concat()
            }
        })
        .with("cache-control", "private, no-cache")
        .with("x-robots-tag", "noindex")
}

/// Whether the same call may end differently in a minute.
const fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::UpstreamError | Code::UpstreamTimeout | Code::Unavailable | Code::InternalError
    )
}

/// What an analysis came to.
fn shown(result: Result<String, Error>, origin: &str, target: &str) -> Markup {
    let parsed = result.and_then(|json| {
        Report::read(&json).map_err(|e| Error::internal(format!("own report: {e}")))
    });
    match parsed {
        Ok(found) => report::view(&found, origin),
        Err(error) => html! {
            (problem::subject(&error))
            @if may_pass(error.code) {
                p { a href=(progress::again(target)) { "Ask again" } ", which spends one more call." }
            }
        },
    }
}

/// The one field: `first` on the start page, where one begins in it; on a
/// report's page it asks about the next host.
pub(super) fn field(tool: &Tool, target: &str, left: Option<&str>, first: bool) -> Markup {
    let schema = property(tool, "target");
    html! {
        form.ask action="/" role="search" data-run="analyze" {
            label.unseen for="target" { "Host name or URL" }
            div.line {
                input #target name="target" type="text" required inputmode="url" enterkeyhint="go"
                    autocapitalize="off" autocomplete="off" spellcheck="false" autofocus[first]
                    maxlength=[schema.get("maxLength").and_then(Value::as_u64)]
                    placeholder=(example(schema)) value=(target) aria-describedby="ask-note";
                button { (tool.title) }
            }
            p.note #ask-note {
                @match left {
                    Some(left) => (left),
                    None => { "A host name or an http(s) URL. Only public hosts; nothing is changed there." }
                }
            }
        }
        (progress::template())
    }
}

fn start(visit: &Visit<'_>, tool: &Tool) -> Markup {
    let url = format!("{}/mcp", visit.origin);
    html! {
        section.hero {
            h1 { "Look at a host the way the internet does." }
            p.lede {
                "DNS, HTTP, TLS and exposure in one report: what is wrong, how it is known, and the command that shows it."
            }
            (field(tool, "", None, true))
            div #recent hidden {}
        }
        (specimen())
        section.others aria-labelledby="others-title" {
            h2 #others-title { "Narrower questions" }
            ul.cards {
                @for tool in visit.site.gate.registry.tools() {
                    @if let Some(href) = page_of(tool.name) {
                        li {
                            a href=(href) { (tool.title) }
                            p { (tool.description) }
                        }
                    }
                }
            }
        }
        section.agents aria-labelledby="agents-title" {
            h2 #agents-title { "For agents" }
            p {
                "The same tools over MCP, without account or key. "
                a href="/connect" { "Connect Claude, Cursor, VS Code, Codex, Gemini and others" } "."
            }
            (command(&url))
        }
    }
}

/// The page that runs a tool, beside this one.
fn page_of(tool: &str) -> Option<&'static str> {
    match tool {
        "lookup" => Some("/lookup"),
        "decode" => Some("/decode"),
        "diff" => Some("/diff"),
        _ => None,
    }
}

/// What a finding looks like, on a name that exists for examples.
fn specimen() -> Markup {
    use crate::check::Place;
    use crate::report::{Confidence, Evidence, Finding, Severity, State};
    let place = Place {
        host: "example.com",
        zone: "example.com",
        url: "https://example.com/",
    };
    let finding = Finding {
        id: String::from("tls.expiry"),
        state: State::Warn,
        severity: Severity::Medium,
        confidence: Confidence::High,
        title: String::from("The certificate expires in 9 days"),
        evidence: vec![Evidence {
            pointer: String::from("/probes/tls/chain/0/notAfter"),
            value: json!("2026-12-01T23:59:59Z"),
        }],
        fix: Some(String::from(
            "Renew it now, and let an automatic renewal run well before the last 30 days.",
        )),
        reference: String::from("RFC 5280 section 4.1.2.5"),
        reproduce: String::from(
            "openssl s_client -connect example.com:443 -servername example.com </dev/null | openssl x509 -noout -dates",
        ),
        maps_to: Vec::new(),
    };
    html! {
        section.specimen aria-labelledby="specimen-title" {
            div {
                h2 #specimen-title { "Nothing to take on trust" }
                p {
                    "Every finding names the value it rests on, the standard that says so, and a command that shows the same fact from your own machine. "
                    "What could not be measured is called that, and is never held against the host."
                }
            }
            div.example aria-label="Example of a finding" role="group" { (report::example(&finding, &place)) }
        }
    }
}
