//! DNS as a tree: names, under them record types, under them records.

use maud::{Markup, html};
use serde_json::Value;

use super::{items, text, unmeasured};

/// The `dns` member of a report.
pub(super) fn zone(probe: &Value) -> Markup {
    let exchanges: Vec<&Value> = probe
        .as_object()
        .into_iter()
        .flat_map(|all| all.values())
        .collect();
    tree(&exchanges)
}

/// Questions with their answers, grouped by the name that was asked for.
pub(in super::super) fn tree(exchanges: &[&Value]) -> Markup {
    let mut names: Vec<&str> = Vec::new();
    for exchange in exchanges {
        let name = text(exchange, "name");
        if exchange.get("records").is_some() && !names.contains(&name) {
            names.push(name);
        }
    }
    html! {
        ul.zone {
            @for name in names {
                li {
                    b.name { (name) }
                    ul {
                        @for exchange in exchanges.iter().filter(|exchange| text(exchange, "name") == name) {
                            (branch(exchange, name))
                        }
                    }
                }
            }
        }
    }
}

fn branch(exchange: &Value, name: &str) -> Markup {
    let asked = text(exchange, "type");
    html! {
        li {
            span.type { (asked) }
            @match text(exchange, "status") {
                "answer" => {
                    ul {
                        @for record in items(&exchange["records"]) { (leaf(record, asked, name)) }
                    }
                }
                status => { " " span.nothing { (outcome(status)) } }
            }
            @for error in items(&exchange["extended"]) {
                " " span.nothing { (text(error, "purpose")) " " (text(error, "text")) }
            }
            @if let Some(failure) = exchange.get("failure") { (unmeasured(failure)) }
        }
    }
}

/// A record; one of another type than asked for is a step on the way (an
/// alias), and its owner is only worth saying when it is another name.
fn leaf(record: &Value, asked: &str, name: &str) -> Markup {
    let (kind, owner) = (text(record, "type"), text(record, "name"));
    html! {
        li {
            @if owner != name { span.quiet { (owner) " " } }
            @if kind != asked { span.type { (kind) } " " }
            code { (text(record, "text")) }
            @if let Some(ttl) = record.get("ttl").and_then(Value::as_u64) { " " span.ttl { (lifetime(ttl)) } }
        }
    }
}

fn outcome(status: &str) -> &str {
    match status {
        "no_data" => "no record of this type",
        "nx_domain" => "the name does not exist",
        "serv_fail" => "the resolver could not find out (SERVFAIL)",
        "refused" => "refused",
        "truncated" => "only a part came back",
        "unanswered" => "no answer",
        other => other,
    }
}

/// Seconds in the largest unit that is exact.
fn lifetime(seconds: u64) -> String {
    match seconds {
        s if s >= 86_400 && s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s >= 3600 && s % 3600 == 0 => format!("{} h", s / 3600),
        s if s >= 60 && s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alias_is_shown_on_the_way_to_the_address() {
        let html = zone(&json!({"a": {
            "name": "www.lab-good.com", "type": "A", "status": "answer",
            "records": [
                {"name": "www.lab-good.com", "type": "CNAME", "ttl": 3600, "text": "lab-good.com"},
                {"name": "lab-good.com", "type": "A", "ttl": 90, "text": "93.184.215.14"},
            ],
        }}))
        .into_string();
        assert!(html.contains("<span class=\"type\">CNAME</span> <code>lab-good.com</code> <span class=\"ttl\">1 h</span>"), "{html}");
        assert!(html.contains("<span class=\"quiet\">lab-good.com </span><code>93.184.215.14</code> <span class=\"ttl\">90 s</span>"), "{html}");
    }

    #[test]
    fn a_failed_question_is_not_shown_as_no_record() {
        let html = zone(&json!({"mx": {
            "name": "lab-good.com", "type": "MX", "status": "unanswered", "records": [],
            "failure": {"state": "timed_out"},
        }}))
        .into_string();
        assert!(
            html.contains("no answer") && html.contains("Not measured: timed out"),
            "{html}"
        );
        assert!(!html.contains("no record"), "{html}");
    }
}
