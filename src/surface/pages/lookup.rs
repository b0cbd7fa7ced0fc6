//! `/lookup`: single questions about a name or an address.

use maud::{Markup, html};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::report::{State, counted};
use crate::surface::Reply;
use crate::tool::Tool;

use super::mark::{icon, instant, scalar};
use super::probes::dns;
use super::shell::Page;
use super::{Visit, budget, form, not_found, problem};

/// Members of a registration in the order a reader asks for them.
const REGISTRATION: [(&str, &str); 12] = [
    ("class", "What"),
    ("name", "Name"),
    ("range", "Range"),
    ("holder", "Holder"),
    ("country", "Country"),
    ("registrar", "Registrar"),
    ("created", "Created"),
    ("changed", "Changed"),
    ("expires", "Expires"),
    ("objectStatus", "Status"),
    ("nameServers", "Name servers"),
    ("abuse", "Abuse contact"),
];

/// Answers the path: the form, and what the query asked for.
pub(super) async fn answer(visit: &Visit<'_>) -> Reply {
    let Some(tool) = visit.tool("lookup") else {
        return not_found();
    };
    let Some(given) = visit.arguments(tool) else {
        return page(
            visit,
            200,
            "Look up records",
            form(tool, &Map::new(), html! {}, None),
            true,
        );
    };
    let answer = visit.call(tool, given.clone()).await;
    let found = answer.result.and_then(|json| {
        serde_json::from_str::<Value>(&json)
            .map_err(|e| Error::internal(format!("own answer: {e}")))
    });
    let (status, title, body) = match &found {
        Ok(found) => (200, text(found, "name"), picture(found)),
        Err(error) => (error.code.status(), "No answer", problem::notice(error)),
    };
    let left = budget(answer.budget);
    let mut reply = page(
        visit,
        status,
        title,
        form(tool, &given, body, left.as_deref()),
        false,
    );
    reply.state_budget(answer.budget);
    reply
}

fn page(visit: &Visit<'_>, status: u16, title: &str, main: Markup, indexed: bool) -> Reply {
    visit.page(
        status,
        Page {
            path: "/lookup",
            title,
            summary: "DNS records, registration data and the origin network of a public name or address.",
            indexed,
            main,
        },
    )
}

fn form(tool: &Tool, given: &Map<String, Value>, result: Markup, left: Option<&str>) -> Markup {
    html! {
        header.intro {
            h1 { "Lookup" }
            p.lede { (tool.description) }
        }
        form.stack action="/lookup" data-run="lookup" {
            (form::fields(tool.input.json(), given))
            div.line {
                button { "Look up" }
                @if let Some(left) = left { span.note { (left) } }
            }
        }
        (result)
    }
}

fn picture(found: &Value) -> Markup {
    let answers: Vec<&Value> = list(found, "answers").collect();
    html! {
        section.result aria-labelledby="result-title" {
            h2 #result-title { (text(found, "name")) }
            @if !answers.is_empty() {
                h3 { "Records" }
                (dns::tree(&answers))
            }
            @if let Some(registered) = found.get("registration") { (registration(registered)) }
            @if let Some(Value::Array(networks)) = found.get("origin") {
                h3 { "Origin network" }
                @for network in networks { (origin(network)) }
                @if networks.is_empty() { p.nothing { "no public address to ask about" } }
            }
            (limits(found))
        }
    }
}

fn registration(registered: &Value) -> Markup {
    html! {
        h3 { "Registration" }
        @match text(registered, "status") {
            "inconclusive" => (unknown(registered)),
            "not_found" => { p.nothing { "The registry knows nothing of this name." } }
            _ => {
                dl.handshakes {
                    @for (member, label) in REGISTRATION {
                        @if let Some(value) = registered.get(member).filter(|value| **value != "") {
                            div { dt { (label) } dd { (shown(member, value)) } }
                        }
                    }
                    @if let Some(signed) = registered.get("delegationSigned").and_then(Value::as_bool) {
                        div { dt { "DNSSEC" } dd { @if signed { "delegation is signed" } @else { "delegation is not signed" } } }
                    }
                }
            }
        }
    }
}

fn shown(member: &str, value: &Value) -> Markup {
    html! {
        @match (member, value) {
            ("created" | "changed" | "expires", Value::String(at)) => (instant(at)),
            (_, Value::Array(items)) => { ul { @for item in items { li { (scalar(item)) } } } }
            _ => (scalar(value)),
        }
    }
}

fn origin(network: &Value) -> Markup {
    html! {
        @match text(network, "status") {
            "inconclusive" => (unknown(network)),
            "not_announced" => { p { code { (text(network, "ip")) } " is not announced by any network" } }
            _ => {
                p {
                    code { (text(network, "ip")) } " in " code { (text(network, "prefix")) }
                    " is announced by AS" (scalar(&network["asn"])) " " b { (text(network, "holder")) }
                    span.quiet { " · " (text(network, "country")) " · " (text(network, "registry")) }
                }
            }
        }
    }
}

fn unknown(value: &Value) -> Markup {
    html! {
        p.unmeasured.inconclusive { (icon(State::Inconclusive)) "Could not be found out: " (text(value, "why")) }
    }
}

fn limits(found: &Value) -> Markup {
    let not_applicable: Vec<String> = list(found, "notApplicable").map(scalar).collect();
    let parties: Vec<&Value> = list(found, "thirdParties").collect();
    html! {
        div.limits {
            @if !not_applicable.is_empty() {
                p { "An address cannot have " (not_applicable.join(", ")) "." }
            }
            @for omitted in list(found, "omitted") { p { (scalar(omitted)) } }
            p.quiet {
                (counted(parties.len(), "other party", "other parties")) " learned of this question:"
                @for party in parties { " " code { (text(party, "host")) } " (" (text(party, "purpose")) ")" }
            }
        }
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(name)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_could_not_be_found_out_is_not_shown_as_absent() {
        let html = picture(&json!({
            "name": "lab-good.com", "answers": [],
            "registration": {"status": "inconclusive", "why": "nothing came back in time"},
            "origin": [{"status": "inconclusive", "why": "nothing came back in time"}],
        }))
        .into_string();
        assert_eq!(
            html.matches("Could not be found out: nothing came back in time")
                .count(),
            2
        );
        assert!(
            !html.contains("knows nothing") && !html.contains("not announced"),
            "{html}"
        );
    }

    #[test]
    fn registration_data_is_told_in_the_readers_words() {
        let html = picture(&json!({
            "name": "lab-good.com", "answers": [],
            "registration": {"status": "found", "class": "domain", "expires": "2027-01-02T00:00:00Z",
                             "objectStatus": ["client transfer prohibited"],
                             "nameServers": ["ns1.lab-good.com"], "delegationSigned": true},
        }))
        .into_string();
        assert!(html.contains("client transfer prohibited"), "{html}");
        assert!(html.contains("2 Jan 2027, 00:00 UTC"), "{html}");
        assert!(html.contains("delegation is signed"), "{html}");
    }
}
