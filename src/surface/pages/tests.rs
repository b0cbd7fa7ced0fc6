//! The pages over a site whose every outside is made up.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{LocalBoxFuture, pending, ready};
use serde_json::{Value, json};

use super::answer;
use crate::config::{Config, Rate};
use crate::error::Error;
use crate::gate::budget::Decision;
use crate::gate::{Gate, Journal, Ledger, Memory};
use crate::guard::{Guard, PublicAddr, PublicUrl};
use crate::port::{
    Ask, Clock, Fetched, NetError, Network, Random, ReportStore, Stream as NetStream,
};
use crate::pulse::{Count, Counter};
use crate::surface::{Body, Counters, Incoming, Prepared, Reply, Site};
use crate::tool::{Registry, World};

const ID: &str = "k5xwqv3n2m7rj4tz6bqhcd2yfa";
const NOON: u64 = 1_795_348_800_000;

/// Text that would leave any context it is put into unescaped.
const HOSTILE: &str =
    "\"'></textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>";

/// Knows one report, counts what is spent, and lets nothing out.
#[derive(Default)]
struct Outside {
    report: String,
    spent: RefCell<Vec<String>>,
    counters: BTreeMap<String, Counter>,
}

impl Network for Outside {
    fn connect<'a>(
        &'a self,
        _: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn NetStream>, NetError>> {
        ready(Err(NetError::TimedOut)).boxed_local()
    }

    fn fetch<'a>(
        &'a self,
        _: &'a PublicUrl,
        _: &'a [(&'static str, String)],
        _: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        ready(Err(NetError::TimedOut)).boxed_local()
    }

    fn ask<'a>(&'a self, _: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        ready(Err(NetError::TimedOut)).boxed_local()
    }
}

impl Clock for Outside {
    fn now_ms(&self) -> u64 {
        NOON
    }

    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        pending().boxed_local()
    }
}

impl Random for Outside {
    fn fill(&self, out: &mut [u8]) {
        out.fill(7);
    }
}

impl ReportStore for Outside {
    fn put<'a>(
        &'a self,
        _: &'a str,
        _: String,
        _: Duration,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        ready(Ok(())).boxed_local()
    }

    fn get<'a>(&'a self, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>, Error>> {
        ready(Ok((id == ID).then(|| self.report.clone()))).boxed_local()
    }
}

impl Ledger for Outside {
    fn spend<'a>(
        &'a self,
        _: &'a str,
        budget: &'a str,
        rate: Rate,
        _: u32,
    ) -> LocalBoxFuture<'a, Result<Decision, String>> {
        let mut spent = self.spent.borrow_mut();
        let used = spent.iter().filter(|name| *name == budget).count() as u32;
        let admitted = used < rate.limit;
        if admitted {
            spent.push(budget.to_owned());
        }
        let decision = Decision {
            admitted,
            remaining: rate.limit.saturating_sub(used + 1),
            reset_seconds: 6,
            wait_ms: if admitted { 0 } else { 4200 },
        };
        ready(Ok(decision)).boxed_local()
    }
}

impl Journal for Outside {
    fn line(&self, _: &str) {}
    fn count(&self, _: &str, _: Count) {}
}

impl Counters for Outside {
    fn read<'a>(
        &'a self,
        day: &'a str,
        tool: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Counter>, Error>> {
        ready(Ok(self.counters.get(&format!("{day}/{tool}")).cloned())).boxed_local()
    }
}

/// A visitor's request.
struct Visit<'a> {
    method: &'static str,
    url: &'a str,
    headers: &'a [(&'static str, &'a str)],
    body: &'a str,
}

impl Incoming for Visit<'_> {
    fn method(&self) -> &str {
        self.method
    }

    fn path(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    fn query(&self) -> Option<&str> {
        self.url.split_once('?').map(|(_, query)| query)
    }

    fn scheme(&self) -> &str {
        "https"
    }

    fn header(&self, name: &str) -> Option<String> {
        let all = self
            .headers
            .iter()
            .chain(&[("host", "netrecon.example.net")]);
        all.into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }

    fn body(&self, _: usize) -> LocalBoxFuture<'_, Result<Vec<u8>, Error>> {
        ready(Ok(self.body.as_bytes().to_vec())).boxed_local()
    }
}

fn visit(outside: &Rc<Outside>, request: &Visit<'_>) -> Reply {
    let config = Rc::new(Config::from_vars(|_| None).unwrap());
    let registry = Rc::new(Registry::new());
    let world = World {
        guard: Rc::new(Guard::new(config.policy.clone())),
        config,
        network: outside.clone(),
        clock: outside.clone(),
        random: outside.clone(),
        reports: outside.clone(),
        colo: String::from("local"),
    };
    let prepared = Prepared::new(&registry);
    let gate = Gate {
        registry,
        world: Rc::new(world),
        ledger: outside.clone(),
        journal: outside.clone(),
        memory: Rc::new(Memory::new(vec![1; 32])),
    };
    let site = Site {
        gate: &gate,
        prepared: &prepared,
        counters: &**outside,
    };
    answer(&site, request)
        .now_or_never()
        .expect("nothing here waits")
}

fn get(outside: &Rc<Outside>, url: &str) -> Reply {
    visit(
        outside,
        &Visit {
            method: "GET",
            url,
            headers: &[],
            body: "",
        },
    )
}

fn text(reply: &Reply) -> &str {
    match &reply.body {
        Body::Text(text) => text,
        other => panic!("not text: {other:?}"),
    }
}

fn field<'a>(reply: &'a Reply, name: &str) -> Option<&'a str> {
    reply
        .headers
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| &**value)
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

fn storing(report: &Value) -> Rc<Outside> {
    Rc::new(Outside {
        report: report.to_string(),
        ..Outside::default()
    })
}

/// What a browser would take for markup of ours, were it not escaped.
fn has_foreign_markup(html: &str) -> bool {
    [
        "<script>",
        "<img",
        "</textarea></script>",
        "\"'>",
        "onerror=alert(1)>",
    ]
    .iter()
    .any(|mark| html.contains(mark))
}

#[test]
fn a_report_of_hostile_text_is_a_page_of_text() {
    let reply = get(&storing(&report(HOSTILE)), &format!("/r/{ID}"));
    assert_eq!(reply.status, 200);
    let html = text(&reply);
    assert!(!has_foreign_markup(html), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

#[test]
fn a_permalink_is_not_indexed_and_says_until_when_it_is_kept() {
    let mut sample = report("lab-good.com");
    sample["expiresAt"] = json!("2026-11-23T12:00:00Z");
    let reply = get(&storing(&sample), &format!("/r/{ID}"));
    assert_eq!(field(&reply, "x-robots-tag"), Some("noindex"));
    assert!(text(&reply).contains("23 Nov 2026, 12:00 UTC"));
    assert!(text(&reply).contains("11 of 12 probes answered"));
}

#[test]
fn a_report_that_is_gone_is_said_to_be_gone() {
    let reply = get(&Rc::default(), "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa");
    assert_eq!(reply.status, 404);
    assert!(text(&reply).contains("it may have expired"));
}

#[test]
fn exports_are_files_with_a_harmless_name() {
    let outside = storing(&report("../../\"evil\r\n"));
    for (extension, media_type) in [("csv", "text/csv"), ("md", "text/markdown")] {
        let reply = get(&outside, &format!("/r/{ID}.{extension}"));
        assert!(
            field(&reply, "content-type")
                .unwrap()
                .starts_with(media_type)
        );
        assert_eq!(
            field(&reply, "content-disposition"),
            Some(format!("attachment; filename=\"netrecon-..-..--evil--.{extension}\"").as_str())
        );
    }
}

#[test]
fn whatever_is_no_page_is_a_json_404() {
    for url in [
        "/nope",
        "/r/",
        "/r/short",
        "/r/../about",
        "/assets/site.css",
        "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa.exe",
    ] {
        let reply = get(&Rc::default(), url);
        assert_eq!(reply.status, 404, "{url}");
        assert_eq!(
            field(&reply, "content-type"),
            Some("application/json"),
            "{url}"
        );
        assert!(
            text(&reply).starts_with("{\"error\":\"not_found\""),
            "{url}"
        );
    }
}

#[test]
fn a_page_answers_no_other_verb() {
    let request = Visit {
        method: "DELETE",
        url: "/about",
        headers: &[],
        body: "",
    };
    let reply = visit(&Rc::default(), &request);
    assert_eq!(reply.status, 405);
    assert_eq!(field(&reply, "allow"), Some("GET, HEAD"));
}

#[test]
fn what_is_not_here_is_missing_for_every_verb() {
    let request = Visit {
        method: "POST",
        url: "/nope",
        headers: &[],
        body: "",
    };
    assert_eq!(visit(&Rc::default(), &request).status, 404);
}

fn posting<'a>(body: &'a str, headers: &'a [(&'static str, &'a str)]) -> Visit<'a> {
    Visit {
        method: "POST",
        url: "/decode",
        headers,
        body,
    }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn a_posted_text_is_explained_without_any_script() {
    let outside = Rc::default();
    let reply = visit(
        &outside,
        &posting("text=%7B%22a%22%3A1%7D&kind=json", &[FORM]),
    );
    assert_eq!(reply.status, 200, "{}", text(&reply));
    assert!(text(&reply).contains("What it says"));
    assert_eq!(field(&reply, "cache-control"), Some("no-store"));
    assert_eq!(*outside.spent.borrow(), ["decode"]);
    assert!(field(&reply, "ratelimit").is_some());
}

#[test]
fn a_pasted_text_cannot_leave_its_field() {
    let body: String = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("text", HOSTILE)
        .append_pair("kind", HOSTILE)
        .finish();
    let reply = visit(&Rc::default(), &posting(&body, &[FORM]));
    assert_eq!(reply.status, 400);
    assert!(!has_foreign_markup(text(&reply)), "{}", text(&reply));
}

#[test]
fn another_site_cannot_spend_its_visitors_budget() {
    let outside: Rc<Outside> = Rc::default();
    for headers in [
        [
            FORM,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "document"),
        ],
        [
            FORM,
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-dest", "empty"),
        ],
        [
            FORM,
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-dest", "iframe"),
        ],
        [
            FORM,
            ("sec-fetch-site", "same-origin"),
            ("sec-purpose", "prefetch"),
        ],
    ] {
        let reply = visit(&outside, &posting("text=1", &headers));
        assert_eq!(reply.status, 503, "{headers:?}");
    }
    assert!(outside.spent.borrow().is_empty());
}

#[test]
fn a_spent_budget_says_when_to_come_back() {
    let outside = Rc::new(Outside::default());
    outside
        .spent
        .borrow_mut()
        .extend(std::iter::repeat_n(String::from("decode"), 120));
    let reply = visit(&outside, &posting("text=1", &[FORM]));
    assert_eq!(reply.status, 429);
    assert_eq!(field(&reply, "retry-after"), Some("5"));
    assert!(text(&reply).contains("data-retry-after=\"5\""));
}

#[test]
fn every_page_carries_the_fields_we_ask_of_others() {
    for url in [
        "/about",
        "/connect",
        "/nope",
        "/.well-known/security.txt",
        "/favicon.svg",
    ] {
        let reply = get(&Rc::default(), url);
        for name in [
            "content-security-policy",
            "strict-transport-security",
            "x-content-type-options",
            "referrer-policy",
            "permissions-policy",
            "cross-origin-opener-policy",
        ] {
            assert!(field(&reply, name).is_some(), "{url} lacks {name}");
        }
    }
}

#[test]
fn pages_load_our_own_files_only_and_hold_no_inline_code() {
    for url in ["/about", "/connect", "/decode"] {
        let reply = get(&Rc::default(), url);
        let html = text(&reply);
        for part in html.split("<script").skip(1) {
            assert!(
                part.contains("src=\"/assets/") && part.contains("></script>"),
                "{url}"
            );
        }
        assert!(
            !html.contains(" style=") && !html.contains("<style"),
            "{url}"
        );
        assert!(
            !html.contains(" onclick=") && !html.contains("javascript:"),
            "{url}"
        );
        for part in html.split("<link rel=\"stylesheet\" href=\"").skip(1) {
            assert!(part.starts_with("/assets/"), "{url}");
        }
    }
}

#[test]
fn the_security_contact_is_valid_for_half_a_year() {
    let reply = get(&Rc::default(), "/.well-known/security.txt");
    let text = text(&reply);
    assert!(
        text.starts_with("Contact: https://netrecon.example.net/about#complain\n"),
        "{text}"
    );
    assert!(text.contains("\nExpires: 2027-05-21T12:00:00Z\n"), "{text}");
}

#[test]
fn a_host_field_lends_the_page_its_name_and_a_number_only() {
    let request = Visit {
        method: "GET",
        url: "/connect",
        headers: &[("host", "localhost:\"><script>")],
        body: "",
    };
    let html = text(&visit(&Rc::default(), &request)).to_owned();
    assert!(html.contains("https://localhost/mcp"), "{html}");
    assert!(!has_foreign_markup(&html));
}
