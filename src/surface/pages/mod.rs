//! Pages for people: readable HTML from the server, with or without
//! JavaScript, over the same gate and budgets as every other surface.
//!
//! May use the gate, the report store, the counters, and the commands and
//! standards of the checks; knows nothing of probes beyond the JSON of a report.

mod about;
mod analyze;
mod assets;
mod connect;
mod decode;
mod diff;
mod export;
mod form;
mod headers;
mod health;
mod lookup;
mod mark;
mod permalink;
mod probes;
mod problem;
mod progress;
mod report;
mod score;
mod shell;
mod tree;

use std::borrow::Cow;

use maud::Markup;
use serde_json::{Map, Value};

use crate::error::{Code, Error};
use crate::gate::{Answer, Budget, Caller};
use crate::tool::Tool;

use super::live::{self, Reader, Said, Started};
use super::router::{base_url, method_not_allowed, not_found};
use super::{Body, Incoming, Reply, Site, api};
use shell::Page;

/// One visit: the site, the request, and the origin the visitor sees.
struct Visit<'a> {
    site: &'a Site<'a>,
    request: &'a dyn Incoming,
    origin: String,
}

/// What every page is.
const HTML: &str = "text/html; charset=utf-8";

/// Answers every path that no other surface answers.
pub(super) async fn answer(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    let visit = Visit {
        site,
        request,
        origin: base_url(request),
    };
    let reply = dispatch(&visit).await;
    headers::protect(reply, request.scheme())
}

async fn dispatch(visit: &Visit<'_>) -> Reply {
    let path = visit.request.path();
    match (visit.request.method(), path) {
        ("GET" | "HEAD", _) | ("POST", "/decode") => answered(visit, path).await,
        (_, "/decode") => method_not_allowed("GET, HEAD, POST"),
        _ if is_known(path) => method_not_allowed("GET, HEAD"),
        _ => not_found(),
    }
}

async fn answered(visit: &Visit<'_>, path: &str) -> Reply {
    match path {
        "/" => analyze::answer(visit).await,
        "/lookup" => lookup::answer(visit).await,
        "/decode" => decode::answer(visit).await,
        "/diff" => diff::answer(visit).await,
        "/health" => health::answer(visit).await,
        "/connect" => connect::answer(visit),
        "/about" => about::answer(visit),
        "/favicon.svg" => assets::ICON.unversioned(),
        "/.well-known/security.txt" => about::security_txt(visit),
        _ => match path.strip_prefix("/r/") {
            Some(rest) => permalink::answer(visit, rest).await,
            None => assets::answer(path).unwrap_or_else(not_found),
        },
    }
}

/// Whether a path has a page, for callers with the wrong verb.
fn is_known(path: &str) -> bool {
    matches!(
        path,
        "/about" | "/favicon.svg" | "/.well-known/security.txt"
    ) || shell::NAVIGATION.iter().any(|(known, _)| *known == path)
        || path.starts_with("/r/")
        || assets::answer(path).is_some()
}

impl Visit<'_> {
    /// A framed page that is kept nowhere but in the visitor's own browser.
    fn page(&self, status: u16, page: Page<'_>) -> Reply {
        let indexed = page.indexed;
        let document: Markup = shell::document(&self.origin, page);
        let reply = Reply::new(status, HTML, Body::Text(document.into_string()))
            .with("cache-control", "private, no-cache");
        match indexed {
            true => reply,
            false => reply.with("x-robots-tag", "noindex"),
        }
    }

    /// Calls a tool like [`Visit::call`], but lets what it learns be sent on
    /// while it runs.
    async fn start(&self, tool: &Tool, arguments: Map<String, Value>) -> Started {
        match self.meant() {
            Ok(()) => {
                let caller = Caller::identify(|name| self.request.header(name));
                let arguments = Value::Object(arguments);
                live::start(self.site.gate, tool, arguments, caller, Reader::Person).await
            }
            Err(refusal) => Started::Refused(Answer {
                result: Err(refusal),
                budget: None,
            }),
        }
    }

    /// A tool of the registry.
    fn tool(&self, name: &str) -> Option<&Tool> {
        self.site.gate.registry.find(name)
    }

    /// The arguments that the query gives this tool, or `None` when it gives
    /// none. What is no argument (a tracking parameter, say) is dropped.
    fn arguments(&self, tool: &Tool) -> Option<Map<String, Value>> {
        let query = self.request.query().unwrap_or_default();
        let arguments = form::arguments(tool.input.json(), query.as_bytes());
        (!arguments.is_empty()).then_some(arguments)
    }

    /// Calls a tool for this visitor, out of the visitor's budget.
    async fn call(&self, tool: &Tool, arguments: Map<String, Value>) -> Answer {
        if let Err(refusal) = self.meant() {
            return Answer {
                result: Err(refusal),
                budget: None,
            };
        }
        let caller = Caller::identify(|name| self.request.header(name));
        self.site
            .gate
            .call(api::call(tool, Value::Object(arguments), &caller))
            .await
    }

    /// Whether a person asked for this. A link that a browser fetches ahead,
    /// or that another site embeds as an image or a frame, must neither spend
    /// its visitor's budget nor send anything to a target (Fetch Metadata).
    fn meant(&self) -> Result<(), Error> {
        let header = |name| self.request.header(name).unwrap_or_default();
        let destination = header("sec-fetch-dest");
        let embedded = !matches!(&*destination, "" | "document" | "empty");
        // A link from elsewhere may be followed; a script or a form of
        // another site may not act here.
        let followed = destination == "document" && self.request.method() == "GET";
        let foreign =
            !followed && !matches!(&*header("sec-fetch-site"), "" | "same-origin" | "none");
        let ahead = header("sec-purpose").contains("prefetch");
        match self.request.method() == "HEAD" || embedded || foreign || ahead {
            false => Ok(()),
            true => Err(Error::new(
                Code::Unavailable,
                "Nothing is run for a page that is only fetched ahead or embedded; open it.",
            )),
        }
    }
}

/// What is left of a budget, in words.
fn budget(budget: Option<Budget>) -> Option<String> {
    let Budget {
        name,
        rate,
        decision,
    } = budget?;
    Some(format!(
        "{} of {} {name} calls left, full again in {} s.",
        decision.remaining, rate.limit, decision.reset_seconds
    ))
}

/// Bytes of text that carry their own media type and are no page.
fn file(media_type: &'static str, name: &str, text: String) -> Reply {
    Reply::new(200, media_type, Body::Text(text))
        .with(
            "content-disposition",
            Cow::Owned(format!("attachment; filename=\"{name}\"")),
        )
        .with("cache-control", "private, no-cache")
        .with("x-robots-tag", "noindex")
}
