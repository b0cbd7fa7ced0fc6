//! A probe without a picture of its own, drawn by what it consists of:
//! questions with their answers as a tree, plain values as a list.

use maud::{Markup, html};
use serde_json::Value;

use super::super::mark::{instant, scalar};
use super::{dns, items, text, unmeasured};

/// How deep questions are looked for.
const DEPTH: usize = 3;

/// Whatever can be drawn of `probe`.
pub(super) fn picture(probe: &Value) -> Markup {
    let mut questions = Vec::new();
    gather(probe, DEPTH, &mut questions);
    html! {
        (values(probe))
        @for (name, member) in probe.as_object().into_iter().flatten() {
            @if member.is_object() && !is_question(member) && name != "failure" { (group(name, member)) }
        }
        @if !questions.is_empty() { (dns::tree(&questions)) }
        (servers(&probe["servers"]))
    }
}

/// A member that has plain values of its own, or the reason why not.
fn group(name: &str, member: &Value) -> Markup {
    html! {
        @if let Some(failure) = member.get("failure").filter(|failure| !failure.is_null()) {
            h3 { (words(name)) }
            (unmeasured(failure))
        } @else {
            @let values = values(member);
            @if !values.0.is_empty() { h3 { (words(name)) } (values) }
        }
    }
}

fn is_question(value: &Value) -> bool {
    ["name", "type", "status", "records"]
        .iter()
        .all(|member| value.get(member).is_some())
}

/// Every question with its answer below `value`.
fn gather<'a>(value: &'a Value, depth: usize, questions: &mut Vec<&'a Value>) {
    match value {
        _ if is_question(value) => questions.push(value),
        _ if depth == 0 => {}
        Value::Object(members) => {
            for member in members.values() {
                gather(member, depth - 1, questions);
            }
        }
        Value::Array(list) => {
            for item in list {
                gather(item, depth - 1, questions);
            }
        }
        _ => {}
    }
}

/// Members that are a plain value, or a list of them.
fn values(probe: &Value) -> Markup {
    let plain: Vec<(&String, String)> = probe
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name, shown(value)?)))
        .collect();
    html! {
        @if !plain.is_empty() {
            dl.facts {
                @for (name, value) in plain { div { dt { (words(name)) } dd { (instant(&value)) } } }
            }
        }
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Array(list) => {
            let plain = |item: &Value| !item.is_object() && !item.is_array();
            let named = !list.is_empty() && list.iter().all(plain);
            named.then(|| list.iter().map(scalar).collect::<Vec<_>>().join(", "))
        }
        value => Some(scalar(value)).filter(|text| !text.is_empty()),
    }
}

/// `nameServers` as `Name servers`.
fn words(name: &str) -> String {
    match name {
        "asn" | "bimi" | "dkim" | "dmarc" | "ip" | "spf" => return name.to_ascii_uppercase(),
        "sts" => return String::from("MTA-STS"),
        "tlsRpt" => return String::from("TLS reporting"),
        _ => {}
    }
    let mut words = String::with_capacity(name.len() + 4);
    for (at, c) in name.chars().enumerate() {
        match (at, c.is_ascii_uppercase()) {
            (0, _) => words.push(c.to_ascii_uppercase()),
            (_, true) => words.extend([' ', c.to_ascii_lowercase()]),
            _ => words.push(c),
        }
    }
    words
}

/// The servers of a zone or of its mail, each with where it is.
fn servers(list: &Value) -> Markup {
    let addresses = |server: &Value| -> Vec<String> {
        let both = items(&server["v4"]).chain(items(&server["v6"]));
        both.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    html! {
        @if items(list).next().is_some() {
            h3 { "Servers" }
            ul.chips {
                @for server in items(list) {
                    li {
                        code { (text(server, "name")) }
                        @for address in addresses(server) { " " span.quiet { (address) } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(name: &str, kind: &str) -> Value {
        json!({"name": name, "type": kind, "status": "no_data", "records": []})
    }

    #[test]
    fn questions_are_found_wherever_they_stand() {
        let list = json!([question("a.example", "CAA"), question("example", "CAA")]);
        let html = picture(&list).into_string();
        assert!(
            html.contains(">a.example<") && html.contains(">example<"),
            "{html}"
        );
        let members = json!({"apex": "example", "ns": question("example", "NS"), "more": {"ds": question("example", "DS")}});
        let html = picture(&members).into_string();
        assert!(html.contains(">NS<") && html.contains(">DS<"), "{html}");
        assert!(html.contains("<dt>Apex</dt><dd>example</dd>"), "{html}");
    }

    #[test]
    fn plain_values_are_listed_in_words_and_stay_text() {
        let html = picture(&json!({
            "nameServers": ["ns1.example", "<b>"], "daysLeft": 12, "asn": null, "nested": {"a": 1}, "none": [],
            "lost": {"failure": {"state": "timed_out"}},
        }))
        .into_string();
        assert!(
            html.contains("<dt>Name servers</dt><dd>ns1.example, &lt;b&gt;</dd>"),
            "{html}"
        );
        assert!(html.contains("<dt>Days left</dt><dd>12</dd>"), "{html}");
        assert!(!html.contains("ASN") && !html.contains("None"), "{html}");
        assert!(
            html.contains("<h3>Nested</h3>") && html.contains("<dt>A</dt><dd>1</dd>"),
            "{html}"
        );
        assert!(
            html.contains("<h3>Lost</h3>") && html.contains("Not measured: timed out"),
            "{html}"
        );
    }

    #[test]
    fn a_name_server_stands_with_its_addresses() {
        let html = picture(
            &json!({"servers": [{"name": "ns1.example", "v4": ["192.0.2.1"], "v6": null}]}),
        )
        .into_string();
        assert!(
            html.contains("<code>ns1.example</code> <span class=\"quiet\">192.0.2.1</span>"),
            "{html}"
        );
    }
}
