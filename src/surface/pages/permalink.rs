//! `/r/{id}`: a stored report, and its exports.

use maud::html;

use crate::error::{Code, Error};
use crate::report::{Report, is_id};
use crate::surface::Reply;

use super::shell::Page;
use super::{Visit, analyze, export, file, not_found, problem, report};

/// Answers `/r/{rest}`.
pub(super) async fn answer(visit: &Visit<'_>, rest: &str) -> Reply {
    let (id, extension) = rest.split_once('.').unwrap_or((rest, ""));
    if !is_id(id) || !matches!(extension, "" | "csv" | "md") {
        return not_found();
    }
    match (load(visit, id).await, extension) {
        (Ok(report), "csv") => file(
            "text/csv; charset=utf-8",
            &name(&report, "csv"),
            export::csv(&report),
        ),
        (Ok(report), "md") => file(
            "text/markdown; charset=utf-8",
            &name(&report, "md"),
            export::markdown(&report),
        ),
        (Ok(report), _) => visit.page(200, page(visit, &report)),
        (Err(error), _) => visit.page(error.code.status(), missing(&error)),
    }
}

/// A stored report.
pub(super) async fn load(visit: &Visit<'_>, id: &str) -> Result<Report, Error> {
    let json = visit
        .site
        .gate
        .world
        .reports
        .get(id)
        .await?
        .ok_or_else(|| {
            Error::new(
                Code::NotFound,
                "No report has this address; it may have expired. Analyze the host for a new one.",
            )
        })?;
    Report::read(&json).map_err(|e| Error::internal(format!("stored report: {e}")))
}

fn page<'a>(visit: &Visit<'_>, report: &'a Report) -> Page<'a> {
    Page {
        path: "/r/",
        title: &report.target.host,
        summary: "A stored netrecon report: findings with their evidence, and what was measured.",
        indexed: false,
        main: html! {
            @if let Some(tool) = visit.tool("analyze") {
                div.again { (analyze::field(tool, "", None, false)) }
            }
            (report::view(report, &visit.origin))
        },
    }
}

fn missing(error: &Error) -> Page<'static> {
    Page {
        path: "/r/",
        title: "No such report",
        summary: "This report is not stored here.",
        indexed: false,
        main: html! {
            div.narrow {
                (problem::subject(error))
                p { a href="/" { "Analyze a host" } }
            }
        },
    }
}

/// A file name of letters, digits, dots and hyphens only.
fn name(report: &Report, extension: &str) -> String {
    let host: String = report
        .target
        .host
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    format!("netrecon-{host}.{extension}")
}
