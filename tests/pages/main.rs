//! The pages: HTML from the server over the same gate, budgets and errors as
//! every other surface, and nothing in it that a target or a caller wrote
//! becomes markup.

mod live;
#[path = "../support/mod.rs"]
mod support;

use serde_json::{Value, json};
use support::{House, Request, Seen};

const ID: &str = "k5xwqv3n2m7rj4tz6bqhcd2yfa";

/// Text that would leave any context it is put into unescaped.
const HOSTILE: &str =
    "\"'></textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>";

fn get(house: &House, target: &str) -> Seen {
    house.ask(&Request::new("GET", target))
}

/// A report in which every text that is free is `text`.
fn report(text: &str) -> Value {
    let finding = |id: &str, state: &str| {
        json!({
            "id": id, "state": state, "severity": if state == "fail" { "high" } else { "none" },
            "confidence": "high", "title": text,
            "evidence": [{"pointer": "/probes/http/headers/0", "value": text}],
            "fix": text, "reference": text, "reproduce": text, "mapsTo": [text],
        })
    };
    json!({
        "id": ID, "expiresAt": text,
        "target": {"asked": text, "used": text, "host": text},
        "time": text,
        "vantage": {"service": text, "colo": text, "resolver": text},
        "coverage": {"attempted": 12, "completed": 11, "ratio": 0.91},
        "summary": {"pass": 1, "warn": 0, "fail": 1, "info": 0, "inconclusive": 0, "not_applicable": 0},
        "findings": [finding("http.hsts", "fail"), finding(text, "pass")],
        "probes": {"http": {"headers": [text, {text: [text]}]}, "dns": {text: text}, "tls": text, text: {text: 1}},
        "thirdParties": [{"host": text, "purpose": text}],
        "omitted": [text],
    })
}

fn storing(report: &Value) -> House {
    let house = House::new();
    let stored = (ID.to_owned(), report.to_string());
    house.reports.0.borrow_mut().extend([stored]);
    house
}

/// What a browser would take for markup of ours, were it not escaped. The
/// head, where a script of ours stands, holds text of others in its title only.
fn has_foreign_markup(html: &str) -> bool {
    let (head, body) = html.split_once("</head>").expect("a page");
    let html = head.replacen("<script>", "", 1) + body;
    let marks = [
        "<script>",
        "<img",
        "</textarea></script>",
        "\"'>",
        "onerror=alert(1)>",
    ];
    marks.iter().any(|mark| html.contains(mark))
}

/// A form as a browser posts it.
fn posted(fields: &[(&str, &str)]) -> Request {
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish();
    Request::new("POST", "/decode")
        .with("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

#[test]
fn a_report_of_hostile_text_is_a_page_of_text() {
    let reply = get(&storing(&report(HOSTILE)), &format!("/r/{ID}"));
    assert_eq!(reply.status, 200);
    assert!(!has_foreign_markup(&reply.body), "{}", reply.body);
    assert!(reply.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn a_permalink_is_not_indexed_and_says_until_when_it_is_kept() {
    let mut sample = report("lab-good.com");
    sample["expiresAt"] = json!("2026-11-23T12:00:00Z");
    let reply = get(&storing(&sample), &format!("/r/{ID}"));
    assert_eq!(reply.header("x-robots-tag"), Some("noindex"));
    assert!(reply.body.contains("23 Nov 2026, 12:00 UTC"));
    assert!(reply.body.contains("11 of 12 probes answered"));
}

#[test]
fn a_report_that_is_gone_is_said_to_be_gone() {
    let reply = get(&House::new(), "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(reply.status, 404);
    assert!(reply.body.contains("it may have expired"));
}

#[test]
fn exports_are_files_with_a_harmless_name() {
    let house = storing(&report("../../\"evil\r\n"));
    for (extension, media_type) in [("csv", "text/csv"), ("md", "text/markdown")] {
        let reply = get(&house, &format!("/r/{ID}.{extension}"));
        assert!(
            reply
                .header("content-type")
                .unwrap()
                .starts_with(media_type)
        );
        let disposition = format!("attachment; filename=\"netrecon-..-..--evil--.{extension}\"");
        assert_eq!(
            reply.header("content-disposition"),
            Some(disposition.as_str())
        );
    }
}

#[test]
fn whatever_is_no_page_is_a_json_404() {
    let nowhere = [
        "/nope",
        "/r/",
        "/r/short",
        "/r/../about",
        "/assets/site.css",
        "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa.exe",
    ];
    for path in nowhere {
        let reply = get(&House::new(), path);
        assert_eq!(reply.status, 404, "{path}");
        assert_eq!(
            reply.header("content-type"),
            Some("application/json"),
            "{path}"
        );
        assert_eq!(reply.json()["error"], "not_found", "{path}");
    }
    assert_eq!(House::new().ask(&Request::new("POST", "/nope")).status, 404);
}

#[test]
fn a_page_answers_no_other_verb() {
    for (path, allowed) in [("/about", "GET, HEAD"), ("/decode", "GET, HEAD, POST")] {
        let reply = House::new().ask(&Request::new("DELETE", path));
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some(allowed)),
            "{path}"
        );
    }
}

#[test]
fn a_posted_text_is_explained_without_any_script() {
    let house = House::new();
    let reply = house.ask(&posted(&[("text", "{\"a\":1}"), ("kind", "json")]));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert!(reply.body.contains("What it says"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(reply.header("ratelimit").is_some());
    let event = house.journal.last();
    assert_eq!(
        (&event["tool"], &event["outcome"]),
        (&json!("decode"), &json!("success"))
    );
}

#[test]
fn a_pasted_text_cannot_leave_its_field() {
    for kind in ["auto", "csp", HOSTILE] {
        let reply = House::new().ask(&posted(&[("text", HOSTILE), ("kind", kind)]));
        assert!(!has_foreign_markup(&reply.body), "{kind}: {}", reply.body);
    }
}

#[test]
fn another_site_cannot_spend_its_visitors_budget() {
    let house = House::new();
    let embeddings = [
        [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "document"),
        ],
        [("sec-fetch-site", "same-site"), ("sec-fetch-dest", "empty")],
        [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-dest", "iframe"),
        ],
        [
            ("sec-fetch-site", "same-origin"),
            ("sec-purpose", "prefetch"),
        ],
    ];
    for fields in embeddings {
        let request = fields
            .into_iter()
            .fold(posted(&[("text", "1")]), |request, (name, value)| {
                request.with(name, value)
            });
        assert_eq!(house.ask(&request).status, 503, "{fields:?}");
    }
    assert!(house.journal.events().is_empty());
}

#[test]
fn a_spent_budget_says_when_to_come_back() {
    let house = House::with_vars(&[("BUDGETS", r#"{"decode":{"limit":1,"seconds":5}}"#)]);
    assert_eq!(house.ask(&posted(&[("text", "{}")])).status, 200);
    let reply = house.ask(&posted(&[("text", "{}")]));
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("5"))
    );
    assert!(reply.body.contains("data-retry-after=\"5\""));
}

/// Pages that anybody may open without a tool being run.
const QUIET: [&str; 4] = ["/about", "/connect", "/decode", "/health"];

#[test]
fn every_page_carries_the_fields_we_ask_of_others() {
    for path in QUIET
        .into_iter()
        .chain(["/nope", "/.well-known/security.txt", "/favicon.svg"])
    {
        let reply = get(&House::new(), path);
        for name in [
            "content-security-policy",
            "x-content-type-options",
            "x-frame-options",
            "referrer-policy",
            "permissions-policy",
            "cross-origin-opener-policy",
            "cross-origin-resource-policy",
        ] {
            assert!(reply.header(name).is_some(), "{path} lacks {name}");
        }
    }
}

#[test]
fn pages_load_our_own_files_and_hold_no_code_but_what_their_policy_names_by_hash() {
    for path in QUIET {
        let house = House::new();
        let reply = get(&house, path);
        let html = &reply.body;
        for never in [" style=", " onclick=", "javascript:", "rel=\"stylesheet\""] {
            assert!(!html.contains(never), "{path}: {never}");
        }
        let policy = reply.header("content-security-policy").unwrap();
        for (directive, open, close) in [
            ("style-src", "<style>", "</style>"),
            ("script-src 'self'", "<script>", "</script>"),
        ] {
            let text = html
                .split_once(open)
                .and_then(|(_, rest)| rest.split_once(close));
            let (text, _) = text.unwrap_or_else(|| panic!("{path} has no {open}"));
            let named = format!("{directive} 'sha256-{}';", digest(text));
            assert!(policy.contains(&named), "{path}: {policy}");
            assert_eq!(html.matches(open).count(), 1, "{path}");
        }
        let mark = "<script type=\"module\" src=\"";
        let file = html
            .split_once(mark)
            .and_then(|(_, rest)| rest.split('"').next());
        let reply = get(
            &house,
            file.unwrap_or_else(|| panic!("{path} has no {mark}")),
        );
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.header("cache-control").unwrap().contains("immutable"));
        assert_eq!(html.matches("<script").count(), 2, "{path}");
    }
}

fn digest(text: &str) -> String {
    use base64::Engine;
    use sha2::Digest;
    base64::engine::general_purpose::STANDARD.encode(sha2::Sha256::digest(text))
}

#[test]
fn all_that_a_page_loads_stays_well_under_60_kilobytes() {
    let house = House::new();
    let html = get(&storing(&report("lab-good.com")), &format!("/r/{ID}")).body;
    let files = html.split('"').filter(|part| part.starts_with("/assets/"));
    let files: usize = files.map(|file| compressed(&get(&house, file).body)).sum();
    let total = files + compressed(&html);
    assert!((1_000..30_000).contains(&total), "{total} bytes");
}

fn compressed(text: &str) -> usize {
    use flate2::{Compression, write::GzEncoder};
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
    encoder.finish().unwrap().len()
}

#[test]
fn the_origins_that_a_site_finds_in_its_log_are_those_that_about_names() {
    let html = get(&House::new(), "/about").body;
    for origin in [
        "https://netrecon.invalid",
        "null",
        "https://example.com.netreconexample.com",
    ] {
        assert!(html.contains(&format!("<code>{origin}</code>")), "{origin}");
    }
}

#[test]
fn the_security_contact_is_valid_for_half_a_year() {
    let text = get(&House::new(), "/.well-known/security.txt").body;
    assert!(
        text.starts_with("Contact: http://localhost:8787/about#complain\n"),
        "{text}"
    );
    assert!(text.contains("\nExpires: 2027-05-21T00:00:00Z\n"), "{text}");
}

#[test]
fn health_shows_what_was_counted_and_is_not_indexed() {
    use netrecon::pulse::{Counter, Outcome};
    let house = House::new();
    let mut counter = Counter::default();
    (0..4).for_each(|_| counter.add(Outcome::Success, 4));
    let key = (String::from("2026-11-22"), String::from("decode"));
    house.counters.0.borrow_mut().insert(key, counter);
    let reply = get(&house, "/health");
    assert_eq!(reply.header("x-robots-tag"), Some("noindex"));
    assert!(reply.body.contains("2026-11-22: 4 calls"), "{}", reply.body);
    assert!(reply.body.contains("100.0 %"));
}
