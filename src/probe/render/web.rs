//! What the web server said, as members of the report.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::codec::set_cookie::Cookie;
use crate::guard::text::clean;
use crate::probe::Failure;
use crate::probe::html::Script;
use crate::probe::http::{Hop, Journey};
use crate::probe::http1::Response;
use crate::probe::registration::{Nothing, Registration};

use super::{failed, unfinished};

/// Header fields shown of a page.
const FIELD_LIMIT: usize = 64;

/// Characters shown of a header field.
const VALUE_LIMIT: usize = 1024;

/// Cookies shown of a journey.
const COOKIE_LIMIT: usize = 16;

/// Scripts shown that come from other hosts.
const SCRIPT_LIMIT: usize = 8;

/// The page a journey arrived at.
pub(super) fn page(hop: &Hop, response: &Response, journey: &Journey) -> Value {
    let mut headers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in response.fields.iter().take(FIELD_LIMIT) {
        headers
            .entry(name)
            .or_default()
            .push(clean(value, VALUE_LIMIT));
    }
    let mut page = json!({
        "httpVersion": (!response.by_platform).then(|| format!("1.{}", response.minor_version)),
        "status": response.status,
        "headers": headers,
        "title": journey.contents.as_ref().and_then(|contents| contents.title.as_deref()),
        "bytes": response.body.len(),
        "truncated": response.truncated,
        "incomplete": response.incomplete,
    });
    if let Some(contents) = &journey.contents {
        page["contents"] = json!(contents);
        page["contents"]["foreignScripts"] = contents
            .scripts
            .iter()
            .filter(|script| is_elsewhere(script, hop.url.host()))
            .take(SCRIPT_LIMIT)
            .map(|script| json!({ "url": script.url, "integrity": script.integrity }))
            .collect();
    }
    page
}

fn is_elsewhere(script: &Script, host: &str) -> bool {
    script.host.as_deref().is_some_and(|other| other != host)
}

/// Cookies without their values.
pub(super) fn cookies(cookies: &[Cookie]) -> Value {
    cookies
        .iter()
        .take(COOKIE_LIMIT)
        .map(|cookie| {
            json!({
                "name": clean(&cookie.name, 80),
                "accepted": cookie.accepted,
                "secure": cookie.secure,
                "httpOnly": cookie.http_only,
                "sameSite": cookie.same_site,
                "prefix": cookie.prefix,
                "deletes": cookie.deletes,
            })
        })
        .collect()
}

/// The page as a script of `origin` is given it.
pub(super) fn foreign(foreign: Option<&Result<Response, Failure>>, origin: &str) -> Value {
    let response = match foreign {
        Some(Ok(response)) => response,
        Some(Err(failure)) => return failed(failure),
        None => return unfinished(),
    };
    let field = |name: &str| {
        response
            .joined(name)
            .map(|value| clean(&value, VALUE_LIMIT))
    };
    json!({
        "origin": origin,
        "status": response.status,
        "allowOrigin": field("access-control-allow-origin"),
        "allowCredentials": field("access-control-allow-credentials"),
    })
}

/// One registration, or why there is none.
pub(super) fn registration(found: Option<&Result<Registration, Nothing>>) -> Value {
    match found {
        Some(Ok(registration)) => json!(registration),
        Some(Err(Nothing::NotFound)) => json!({ "notFound": true }),
        Some(Err(Nothing::Failed(failure))) => failed(failure),
        None => unfinished(),
    }
}
