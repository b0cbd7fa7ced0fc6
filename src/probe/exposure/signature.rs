//! What the real thing looks like, path by path. Each answers what it was
//! recognised by, and never a word of the content itself.

use std::borrow::Cow;

use serde_json::Value;

/// What came for a path.
pub(super) struct Sample<'a> {
    status: u16,
    body: &'a [u8],
    text: Cow<'a, str>,
}

impl<'a> Sample<'a> {
    pub(super) fn new(status: u16, body: &'a [u8]) -> Sample<'a> {
        Sample {
            status,
            body,
            text: String::from_utf8_lossy(body),
        }
    }

    /// The text of an answer that gives what was asked for.
    fn given(&self) -> Option<&str> {
        (self.status == 200).then_some(&*self.text)
    }

    fn is_page(&self) -> bool {
        let start = self.text.trim_start();
        let start = start
            .get(..start.floor_char_boundary(15))
            .unwrap_or_default();
        let start = start.to_ascii_lowercase();
        start.starts_with("<!doctype") || start.starts_with("<html")
    }
}

/// `ref: refs/heads/main`, or a bare object name (gitrepository-layout(5)).
pub(super) fn git_head(sample: &Sample<'_>) -> Option<&'static str> {
    let line = sample.given()?.trim_end();
    let is_object = matches!(line.len(), 40 | 64) && line.bytes().all(|b| b.is_ascii_hexdigit());
    if line.starts_with("ref: refs/") {
        Some("the name of a branch")
    } else {
        is_object.then_some("the name of a commit")
    }
}

/// Lines of `NAME=value`, comments aside, and at least one of them. A value in
/// quotes may go on over lines, as keys do.
pub(super) fn env_file(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?.trim_start_matches('\u{feff}');
    let is_cut = sample.body.len() >= super::BODY_CAP;
    let text = match text.rfind('\n') {
        // Half a line tells nothing.
        Some(end) if is_cut => text.get(..end)?,
        _ => text,
    };
    let (mut assignments, mut is_loud, mut open) = (0, false, None);
    for line in text.lines() {
        if let Some(quote) = open {
            open = open.filter(|_| !closes(line, quote));
            continue;
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=')?;
        let name = name.trim_start_matches("export ").trim();
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !is_name {
            return None;
        }
        is_loud |= name.bytes().any(|b| b.is_ascii_uppercase());
        let mut value = value.trim_start().chars();
        open = value
            .next()
            .filter(|first| matches!(first, '"' | '\'' | '`') && !closes(value.as_str(), *first));
        assignments += 1;
    }
    // One small name alone may be anything.
    let is_file = (is_loud || assignments > 1) && (open.is_none() || is_cut);
    (assignments > 0 && is_file).then_some("assignments of variables")
}

/// Whether the quote stands in `text` without a backslash before it.
fn closes(text: &str, quote: char) -> bool {
    let mut escaped = false;
    text.chars().any(|c| {
        let ends = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })
}

/// The alignment word and the buddy allocator's magic that macOS begins the
/// file with.
pub(super) fn ds_store(sample: &Sample<'_>) -> Option<&'static str> {
    sample.given()?;
    sample
        .body
        .starts_with(b"\0\0\0\x01Bud1")
        .then_some("the magic number of the file")
}

/// The page of Apache's mod_status.
pub(super) fn server_status(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?;
    let is_status = text.contains("<title>Apache Status</title>")
        || text.contains("<h1>Apache Server Status for ");
    is_status.then_some("the heading of Apache's status page")
}

/// The index of Spring Boot's management endpoints.
pub(super) fn actuator(sample: &Sample<'_>) -> Option<&'static str> {
    let object: Value = serde_json::from_str(sample.given()?).ok()?;
    let own = object["_links"]["self"]["href"].as_str()?;
    own.trim_end_matches('/')
        .ends_with("/actuator")
        .then_some("the index of Spring Boot's endpoints")
}

/// The page that `phpinfo()` prints.
pub(super) fn phpinfo(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?;
    let titled = text.contains("phpinfo()</title>") && text.contains("PHP Version ");
    titled.then_some("the heading of phpinfo()")
}

/// Prometheus' text format: a `HELP` or `TYPE` comment that names a metric,
/// and a sample of it.
pub(super) fn metrics(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?;
    let name = text.lines().find_map(|line| {
        let words = line.strip_prefix("# TYPE ")?;
        let (name, kind) = words.trim().split_once(' ')?;
        let kinds = [
            "counter",
            "gauge",
            "histogram",
            "summary",
            "untyped",
            "unknown",
            "info",
        ];
        kinds.contains(&kind.trim()).then_some(name)
    })?;
    text.lines()
        .any(|line| line.starts_with(name))
        .then_some("metrics in Prometheus' format")
}

/// An OpenAPI or Swagger description. It is often longer than what is looked
/// at, so it is not parsed whole.
pub(super) fn openapi(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?.trim_start();
    let version = |member: &str| {
        let (_, behind) = text.split_once(member)?;
        let value = behind.trim_start().strip_prefix(':')?.trim_start();
        value.strip_prefix('"')?.chars().next()
    };
    if !text.starts_with('{') {
        return None;
    }
    match (version("\"openapi\""), version("\"swagger\"")) {
        (Some('3'), _) => Some("an OpenAPI description"),
        (_, Some('1' | '2')) => Some("a Swagger description"),
        _ => None,
    }
}

/// A GraphQL answer: data of the schema, or errors about the query
/// (GraphQL section 7.1). Servers refuse with 400 or 405 in this form too.
pub(super) fn graphql(sample: &Sample<'_>) -> Option<&'static str> {
    if !matches!(sample.status, 200 | 400 | 403 | 405) {
        return None;
    }
    let object: Value = serde_json::from_str(&sample.text).ok()?;
    if object["data"]["__schema"]["queryType"].is_object() {
        return Some("introspection, which is on");
    }
    let message = object["errors"][0]["message"]
        .as_str()?
        .to_ascii_lowercase();
    ["query", "introspection", "graphql", "operation"]
        .iter()
        .any(|word| message.contains(word))
        .then_some("an error in the form of GraphQL")
}

/// A dump by one of the usual tools, or statements as they write them.
pub(super) fn sql_dump(sample: &Sample<'_>) -> Option<&'static str> {
    let text = sample.given()?;
    if sample.is_page() {
        return None;
    }
    let tools = [
        "-- MySQL dump",
        "-- MariaDB dump",
        "-- PostgreSQL database dump",
        "-- phpMyAdmin SQL Dump",
    ];
    let by_tool = tools.iter().any(|tool| text.contains(tool));
    let statements = ["CREATE TABLE ", "INSERT INTO ", "DROP TABLE IF EXISTS "];
    let by_hand = text
        .lines()
        .filter(|line| statements.iter().any(|start| line.starts_with(start)))
        .count();
    (by_tool || by_hand > 1).then_some("statements of a database dump")
}

/// The header of a local file (PKWARE APPNOTE 4.3.7).
pub(super) fn zip(sample: &Sample<'_>) -> Option<&'static str> {
    sample.given()?;
    sample
        .body
        .starts_with(b"PK\x03\x04")
        .then_some("the magic number of an archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Recognise = fn(&Sample<'_>) -> Option<&'static str>;

    fn by(recognise: Recognise, status: u16, body: &str) -> bool {
        recognise(&Sample::new(status, body.as_bytes())).is_some()
    }

    /// Pages that sites answer to every path with, the path among their words.
    const PAGES: &[&str] = &[
        "",
        "not found",
        "<!doctype html><title>404 Not Found</title>",
        "<html><p>No results for /.git/HEAD ref: refs/heads/main</html>",
        "<html><p>/phpinfo.php phpinfo() PHP Version</html>",
        "<!DOCTYPE html>\nINSERT INTO a\nCREATE TABLE b\n-- MySQL dump",
        "{\"error\":\"no such path\"}",
        "{\"errors\":[{\"message\":\"Not found\"}]}",
        "# Metrics\n\nHow we measure # TYPE things",
        "PK",
        "key: value\nother=1",
    ];

    #[test]
    fn no_page_is_taken_for_the_real_thing() {
        let all: &[Recognise] = &[
            git_head,
            env_file,
            ds_store,
            server_status,
            actuator,
            phpinfo,
            metrics,
            openapi,
            graphql,
            sql_dump,
            zip,
        ];
        for page in PAGES {
            for (at, recognise) in all.iter().enumerate() {
                assert!(!by(*recognise, 200, page), "{at}: {page}");
            }
        }
    }

    #[test]
    fn the_real_thing_is_recognised_and_not_by_another_status() {
        let real: &[(Recognise, &str)] = &[
            (git_head, "ref: refs/heads/main\n"),
            (git_head, "4b825dc642cb6eb9a060e54bf8d69288fbee4904\n"),
            (
                env_file,
                "# local\nAPP_KEY=base64:abc=\nexport DB_HOST=db\n",
            ),
            (ds_store, "\0\0\0\u{1}Bud1\0"),
            (server_status, "<html><head><title>Apache Status</title>"),
            (
                actuator,
                r#"{"_links":{"self":{"href":"https://a.net/actuator"}}}"#,
            ),
            (
                phpinfo,
                "<title>PHP 8.1.2 - phpinfo()</title><h1>PHP Version 8.1.2</h1>",
            ),
            (metrics, "# HELP a b\n# TYPE a_total counter\na_total 12\n"),
            (openapi, "{\n \"openapi\" : \"3.1.0\", \"info\": {"),
            (openapi, r#"{"swagger":"2.0""#),
            (sql_dump, "-- MySQL dump 10.13\n"),
            (
                sql_dump,
                "CREATE TABLE a (b int);\nINSERT INTO a VALUES (1);\n",
            ),
            (zip, "PK\u{3}\u{4}"),
        ];
        for (recognise, body) in real {
            assert!(by(*recognise, 200, body), "{body}");
            assert!(!by(*recognise, 404, body), "{body}");
        }
    }

    #[test]
    fn graphql_is_told_with_and_without_introspection() {
        let open = r#"{"data":{"__schema":{"queryType":{"name":"Query"}}}}"#;
        let seen = graphql(&Sample::new(200, open.as_bytes()));
        assert_eq!(seen, Some("introspection, which is on"));
        let shut = r#"{"errors":[{"message":"GraphQL introspection is not allowed"}]}"#;
        assert!(by(graphql, 400, shut));
        assert!(!by(graphql, 404, shut));
    }

    #[test]
    fn a_comment_or_a_page_is_no_file_of_variables() {
        assert!(!by(env_file, 200, "<html><a href=x=y>"));
        assert!(!by(env_file, 200, "# only a comment\n"));
    }
}
