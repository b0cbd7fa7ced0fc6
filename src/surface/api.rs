//! The JSON API: the same tools, arguments, gate and errors as MCP.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::error::{Code, Error};
use crate::gate::{Call, Caller};
use crate::tool::{Registry, Tool};

use super::live::{self, Reader, Said, Started};
use super::router::{method_not_allowed, not_found};
use super::{BODY_CAP, Body, Incoming, Reply, Site, json_text, parse_json};

/// Preflight and error replies alike may be read by any page: there is no
/// credential here that a page could borrow.
const CORS: &str = "*";

/// Answers everything under `/api/` but `/api/health`.
pub(super) async fn answer(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    let reply = match request.method() {
        "OPTIONS" => Reply::empty(204)
            .with("access-control-allow-methods", "GET, POST, OPTIONS")
            .with("access-control-allow-headers", "content-type")
            .with("access-control-max-age", "86400"),
        _ => dispatch(site, request).await,
    };
    reply.with("access-control-allow-origin", CORS).with(
        "access-control-expose-headers",
        "ratelimit, ratelimit-policy, retry-after",
    )
}

async fn dispatch(site: &Site<'_>, request: &dyn Incoming) -> Reply {
    let path = request.path().strip_prefix("/api/").unwrap_or_default();
    if path == "tools" {
        return match request.method() {
            "GET" | "HEAD" => Reply::new(
                200,
                "application/json",
                Body::Shared(site.prepared.tools.clone()),
            ),
            _ => method_not_allowed("GET, HEAD"),
        };
    }
    if let Some(id) = path.strip_prefix("report/") {
        return match request.method() {
            "GET" | "HEAD" => report(site, id).await,
            _ => method_not_allowed("GET, HEAD"),
        };
    }
    let Some(tool) = site.gate.registry.find(path) else {
        site.gate
            .probed(&Caller::identify(|name| request.header(name)));
        return not_found();
    };
    let arguments = match (request.method(), tool.open_world) {
        ("POST", _) => posted(request).await,
        ("GET", true) => queried(tool, request.query().unwrap_or_default()),
        (_, true) => return method_not_allowed("GET, POST, OPTIONS"),
        (_, false) => return method_not_allowed("POST, OPTIONS"),
    };
    let caller = Caller::identify(|name| request.header(name));
    let answer = match arguments {
        Ok(arguments) if takes_events(request) => {
            match live::start(site.gate, tool, arguments, caller, Reader::Program).await {
                Started::Refused(answer) => answer,
                Started::Running(running) => {
                    let mut reply = running.reply("text/event-stream", String::new(), event);
                    reply.set("cache-control", "no-store");
                    return reply;
                }
            }
        }
        Ok(arguments) => site.gate.call(call(tool, arguments, &caller)).await,
        // No arguments arrived, but the call named a known tool: it spends,
        // and is recorded, like one whose arguments are refused.
        Err(flaw) => {
            site.gate
                .refuse(call(tool, Value::Null, &caller), flaw)
                .await
        }
    };
    let mut reply = match answer.result {
        Ok(json) => Reply::json(200, json),
        Err(error) => Reply::error(&error),
    };
    reply.state_budget(answer.budget);
    reply.with("cache-control", "no-store")
}

/// A call of this surface, as the gate takes it.
pub(super) fn call<'a>(tool: &'a Tool, arguments: Value, caller: &'a Caller) -> Call<'a> {
    Call {
        tool,
        arguments,
        caller,
        surface: "api",
        era: "none",
        version: "",
        session: None,
        client_name: "",
        watch: None,
    }
}

/// Whether the client would rather hear of the work while it is done
/// (server-sent events) than of its end alone.
fn takes_events(request: &dyn Incoming) -> bool {
    request
        .header("accept")
        .is_some_and(|accept| accept.contains("text/event-stream"))
}

/// A message of a running call as a server-sent event: `progress` for a part,
/// then `result` with the very body of the plain answer, or `error`.
fn event(said: Said) -> String {
    let (name, data) = match said {
        Said::Admitted(_) => return String::new(),
        Said::Part(part) => ("progress", json_text(&part)),
        Said::Ended(answer) => match answer.result {
            Ok(json) => ("result", json),
            Err(error) => ("error", json_text(&error)),
        },
    };
    format!("event: {name}\ndata: {data}\n\n")
}

async fn posted(request: &dyn Incoming) -> Result<Value, Error> {
    if !is_json(request.header("content-type").as_deref()) {
        return Err(Error::new(
            Code::UnsupportedMediaType,
            "Send the arguments as a JSON object with Content-Type: application/json.",
        ));
    }
    let body = request.body(BODY_CAP).await?;
    parse_json(&body)
}

/// Whether a `Content-Type` is `application/json`, parameters aside.
pub(super) fn is_json(content_type: Option<&str>) -> bool {
    content_type
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

/// A query as arguments: a list argument may be repeated or comma-separated.
fn queried(tool: &Tool, query: &str) -> Result<Value, Error> {
    if query.len() > 8 * 1024 {
        return Err(Error::new(
            Code::PayloadTooLarge,
            "Send long arguments by POST.",
        ));
    }
    let lists = |name: &str| {
        tool.input
            .json()
            .pointer(&format!("/properties/{name}/type"))
            == Some(&json!("array"))
    };
    let mut arguments = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if lists(&name) {
            let list = arguments
                .entry(name.into_owned())
                .or_insert_with(|| json!([]));
            if let Value::Array(list) = list {
                list.extend(value.split(',').map(|item| json!(item.trim())));
            }
        } else if arguments.contains_key(&*name) {
            return Err(Error::invalid(
                name.clone(),
                format!("{name:?} is given twice; give it once."),
            ));
        } else {
            arguments.insert(name.into_owned(), json!(value));
        }
    }
    Ok(Value::Object(arguments))
}

async fn report(site: &Site<'_>, id: &str) -> Reply {
    let stored = match crate::report::is_id(id) {
        true => site.gate.world.reports.get(id).await,
        false => Ok(None),
    };
    match stored {
        Ok(Some(json)) => Reply::json(200, json)
            .with("cache-control", "private, max-age=60")
            .with("x-robots-tag", "noindex"),
        Ok(None) => Reply::error(&Error::new(
            Code::NotFound,
            "No report has this id; it may have expired. Call analyze for a new one.",
        )),
        Err(error) => Reply::error(&error),
    }
}

/// The registry as JSON.
pub(super) fn catalog(registry: &Registry) -> String {
    let tools: Vec<Value> = registry
        .tools()
        .iter()
        .map(|tool| {
            json!({
                "name": tool.name,
                "title": tool.title,
                "description": tool.description,
                "inputSchema": tool.input.json(),
                "outputSchema": tool.output,
                "annotations": tool.annotations(),
                "methods": if tool.open_world { vec!["POST", "GET"] } else { vec!["POST"] },
                "path": format!("/api/{}", tool.name),
            })
        })
        .collect();
    json_text(&json!({ "tools": tools }))
}
