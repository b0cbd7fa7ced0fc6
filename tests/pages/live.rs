//! An analysis that is told of while it runs: as events to a program, as a
//! page that grows to a person. Both are the one call they stand for.

use netrecon::surface::{Body, Site, route};
use serde_json::{Value, json};

use super::support::{House, Request};

/// A literal address: nothing has to be resolved, so that the analysis ends
/// in a report even where no network is.
const TARGET: &str = "http://93.184.215.14/";

fn analyze(target: &str) -> Request {
    Request::post("/api/analyze", &json!({ "target": target }))
}

fn with_events(target: &str) -> Request {
    analyze(target).with("accept", "application/json, text/event-stream")
}

/// Names and data of server-sent events.
fn events(body: &str) -> Vec<(&str, Value)> {
    let blocks = body.split_terminator("\n\n");
    blocks
        .map(|block| {
            let (name, data) = block.split_once('\n').expect("two lines");
            (
                name.strip_prefix("event: ").expect("a name"),
                serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON"),
            )
        })
        .collect()
}

#[test]
fn an_analysis_tells_of_each_part_once_and_ends_with_the_plain_answer() {
    let house = House::new();
    let reply = house.ask(&with_events(TARGET));
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    let events = events(&reply.body);
    let ((last, result), progress) = events.split_last().unwrap();
    let of = |wanted: fn(&str) -> bool| -> Vec<&str> {
        let parts = progress
            .iter()
            .filter(|(_, part)| wanted(part["state"].as_str().unwrap()));
        parts
            .map(|(_, part)| part["id"].as_str().unwrap())
            .collect()
    };
    assert!(progress.iter().all(|(name, _)| *name == "progress"));
    let begun = of(|state| state == "waiting");
    assert_eq!(begun, netrecon::tool::part::ANALYZE);
    let mut ended = of(|state| state != "waiting");
    ended.sort_unstable();
    let mut all = begun.clone();
    all.sort_unstable();
    assert_eq!(ended, all);
    assert_eq!(*last, "result");
    assert_eq!(*result, House::new().ask(&analyze(TARGET)).json());
}

#[test]
fn a_watched_analysis_is_one_call_of_one_budget_with_one_event() {
    let house = House::new();
    let watched = house.ask(&with_events(TARGET));
    let page = house.ask(&Request::new("GET", &format!("/?target={TARGET}")));
    let plain = house.ask(&analyze(TARGET));
    let left = [watched, page, plain].map(|reply| reply.header("ratelimit").unwrap().to_owned());
    let told = left.map(|field| field.split(';').nth(1).unwrap().to_owned());
    assert_eq!(told, ["r=9", "r=8", "r=7"]);
    let outcomes: Vec<Value> = house
        .journal
        .events()
        .iter()
        .map(|event| event["outcome"].clone())
        .collect();
    assert_eq!(outcomes, ["success", "success", "success"]);
    assert_eq!(house.journal.counts.borrow().len(), 3);
}

#[test]
fn a_refusal_keeps_its_own_status_and_form_whatever_was_accepted() {
    let house = House::with_vars(&[("BUDGETS", r#"{"analyze":{"limit":1,"seconds":9}}"#)]);
    let refused = house.ask(&with_events("http://169.254.169.254/"));
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (403, &json!("target_refused"))
    );
    let limited = house.ask(&with_events(TARGET));
    assert_eq!(
        (limited.status, limited.header("retry-after")),
        (429, Some("9"))
    );
    assert_eq!(
        limited.header("content-type"),
        Some("application/problem+json")
    );
}

#[test]
fn an_analysis_that_fails_late_ends_with_its_error() {
    let reply = House::new().ask(&with_events("example.com"));
    let events = events(&reply.body);
    let (name, error) = events.last().unwrap();
    assert_eq!(
        (*name, &error["error"]),
        ("error", &json!("upstream_error"))
    );
    let page = House::new().ask(&Request::new("GET", "/?target=example.com"));
    assert!(
        page.body.contains("Nothing usable came back"),
        "{}",
        page.body
    );
    assert!(
        page.body
            .contains("href=\"/?target=example.com\">Ask again")
    );
}

#[test]
fn a_reader_that_leaves_does_not_end_the_call() {
    use futures_util::FutureExt;
    let house = House::new();
    let gate = house.gate();
    let site = Site {
        gate: &gate,
        prepared: &house.prepared,
        counters: &house.counters,
    };
    let reply = route(&site, &with_events(TARGET)).now_or_never().unwrap();
    let Body::Live(live) = reply.body else {
        panic!("not live")
    };
    drop(live.chunks);
    if let Some(work) = live.work {
        work.now_or_never().unwrap();
    }
    assert_eq!(house.journal.last()["outcome"], "success");
}

#[test]
fn the_page_grows_in_order_and_is_whole_at_its_end() {
    let html = House::new()
        .ask(&Request::new("GET", &format!("/?target={TARGET}")))
        .body;
    let at = |what: &str| {
        html.find(what)
            .unwrap_or_else(|| panic!("no {what} in {html}"))
    };
    assert!(at("part is-tls waiting") < at("part is-tls failed"));
    assert!(at("part is-tls failed") < at("<article class=\"report\""));
    assert!(at("<article class=\"report\"") < at("<footer"));
    assert_eq!(html.matches("<h1").count(), 1);
    assert_eq!(html.matches("</main>").count(), 1);
    assert!(
        html.ends_with("</html>") && !html.contains("seam"),
        "{html}"
    );
}
