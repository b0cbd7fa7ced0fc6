//! An agent that retries a refused input with small variations is told so.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::House;
use super::{call, mcp};

const IP: &str = "198.51.100.7";

fn message(answer: &Value) -> String {
    answer["message"].as_str().expect("a message").to_owned()
}

fn analyze(house: &House, ip: &str, target: &str) -> String {
    message(&call(house, ip, "analyze", &json!({ "target": target })).json())
}

#[test]
fn the_third_alike_refusal_says_so_and_shows_a_right_one() {
    let house = House::new();
    let first = analyze(&house, IP, "http://127.0.0.1/");
    let second = analyze(&house, IP, "http://127.0.0.1:80/");
    let third = analyze(&house, IP, "http://127.0.0.1/a");
    assert_eq!(first, second);
    let hint = third.strip_prefix(&first).expect("the refusal stays");
    assert!(
        hint.contains("The last 3 inputs were alike and all refused"),
        "{hint}"
    );
    let example = &hint[hint.find('{').unwrap()..=hint.rfind('}').unwrap()];
    let example: Value = serde_json::from_str(example).expect("an example is JSON");
    let tool = house.registry.find("analyze").unwrap();
    assert!(tool.input.check(example).is_ok());
    assert_eq!(house.journal.last()["alike"], 3);
    let counts = house.journal.counts.borrow();
    let alike: Vec<u32> = counts.iter().map(|(_, count)| count.alike).collect();
    assert_eq!(alike, [1, 2, 3]);
}

#[test]
fn both_surfaces_are_one_loop() {
    let house = House::new();
    analyze(&house, IP, "http://127.0.0.1/");
    mcp(&house, "analyze", &json!({"target": "http://127.0.0.1"}));
    let seen = mcp(&house, "analyze", &json!({"target": "http://127.0.0.1:80"})).json();
    let text = seen["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("The last 3 inputs were alike"), "{text}");
}

#[test]
fn arguments_that_never_arrived_loop_too() {
    let house = House::new();
    for _ in 0..3 {
        let request = super::Request::post("/api/decode", &json!({})).body("{nothing");
        house.ask(&request);
    }
    assert_eq!(house.journal.last()["alike"], 3);
}

#[test]
fn no_caller_hears_of_anothers_loop() {
    let house = House::new();
    for _ in 0..4 {
        analyze(&house, IP, "http://127.0.0.1/");
    }
    let other = analyze(&house, "203.0.113.9", "http://127.0.0.1/");
    assert!(!other.contains("alike"), "{other}");
    assert_eq!(house.journal.last().get("alike"), None);
}

#[test]
fn an_accepted_input_ends_a_loop_and_its_answer_is_untouched() {
    let house = House::new();
    let good = json!({"text": "v=spf1 -all", "kind": "spf"});
    let untouched = call(&House::new(), IP, "decode", &good).body;
    for _ in 0..5 {
        call(
            &house,
            IP,
            "decode",
            &json!({"text": "v=spf1 -all", "kind": "spv"}),
        );
    }
    assert_eq!(house.journal.last()["alike"], 5);
    assert_eq!(call(&house, IP, "decode", &good).body, untouched);
    assert_eq!(house.journal.last().get("alike"), None);
    call(
        &house,
        IP,
        "decode",
        &json!({"text": "v=spf1 -all", "kind": "spv"}),
    );
    assert_eq!(house.journal.last().get("alike"), None);
}

#[test]
fn different_questions_are_no_loop() {
    let house = House::new();
    for target in [
        "10.0.0.1",
        "localhost",
        "ftp://files.lab-good.com/",
        "intranet.corp",
    ] {
        assert!(!analyze(&house, IP, target).contains("alike"), "{target}");
    }
}

#[test]
fn whoever_comes_back_later_is_not_in_a_loop() {
    let house = House::new();
    for _ in 0..4 {
        assert!(!analyze(&house, IP, "http://127.0.0.1/").contains("alike"));
        house.clock.advance(Duration::from_secs(601));
    }
}

/// A refusal for the budget is not one of the input, and an isolate that
/// repeats one asks nobody: neither may change the count.
#[test]
fn being_over_budget_is_no_loop() {
    let house = House::with_vars(&[("BUDGETS", r#"{"analyze":{"limit":2,"seconds":60}}"#)]);
    for _ in 0..6 {
        analyze(&house, IP, "http://127.0.0.1/");
    }
    let counts = house.journal.counts.borrow();
    let alike: Vec<u32> = counts.iter().map(|(_, count)| count.alike).collect();
    assert_eq!(alike, [1, 2, 0, 0, 0, 0]);
}
