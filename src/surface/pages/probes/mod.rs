//! What was measured, one card per probe. A probe that has no picture of its
//! own is shown as the values it consists of.
//!
//! A stored report may be of another version of this service, so pictures
//! read what is there and miss nothing that is not.

pub(super) mod dns;
mod exposure;
mod http;
mod other;
mod tls;

use maud::{Markup, html};
use serde_json::Value;

use crate::report::{Finding, State, counted};

use super::mark::{icon, scalar, state_name};
use super::tree::tree;

/// The order in which a reader asks: where is it, who is it, what does it say.
const ORDER: [&str; 13] = [
    "dns",
    "caa",
    "zone",
    "mail",
    "addresses",
    "reverse",
    "origin",
    "tls",
    "ct",
    "http",
    "files",
    "exposure",
    "registration",
];

/// The probes of a report in the order they are shown: those we know, then
/// any other.
pub(super) fn ordered(probes: &Value) -> Vec<(&String, &Value)> {
    let mut probes: Vec<_> = probes.as_object().into_iter().flatten().collect();
    probes.sort_by_key(|(name, _)| {
        ORDER
            .iter()
            .position(|known| known == name)
            .unwrap_or(ORDER.len())
    });
    probes
}

/// What a probe is called on a page.
pub(super) fn title(name: &str) -> &str {
    match name {
        "dns" => "DNS",
        "caa" => "Who may issue certificates",
        "zone" => "Zone",
        "files" => "Well-known files",
        "reverse" => "Way back",
        "ct" => "Certificate transparency",
        "addresses" => "Addresses",
        "http" => "HTTP",
        "tls" => "TLS",
        "exposure" => "Exposure",
        "mail" => "Mail",
        "registration" => "Registration",
        "origin" => "Network",
        other => other,
    }
}

/// A probe: the findings that rest on it, its picture, and every value.
/// `time` is when the report was made, RFC 3339.
pub(super) fn card(name: &str, probe: &Value, findings: &[&Finding], time: &str) -> Markup {
    html! {
        section.probe id={ "probe-" (name) } aria-labelledby={ "probe-" (name) "-title" } {
            header {
                h2 id={ "probe-" (name) "-title" } { (title(name)) }
                (pointers(findings))
            }
            @if let Some(failure) = probe.get("failure") { (unmeasured(failure)) }
            @match name {
                "dns" => (dns::zone(probe)),
                "addresses" => (addresses(probe)),
                "tls" => (tls::picture(probe, time)),
                "http" => (http::picture(probe, findings)),
                "exposure" => (exposure::picture(probe)),
                "ct" => (logged(probe)),
                _ => (other::picture(probe)),
            }
            details.raw {
                summary { "All measured values" }
                (tree(probe, &format!("/probes/{name}")))
            }
        }
    }
}

/// Links to the findings that ask for something.
fn pointers(findings: &[&Finding]) -> Markup {
    let asking = findings
        .iter()
        .filter(|finding| matches!(finding.state, State::Fail | State::Warn));
    html! {
        ul.pointers {
            @for finding in asking {
                li {
                    a.(state_name(finding.state)) href={ "#finding-" (finding.id) } {
                        (icon(finding.state)) (finding.title)
                    }
                }
            }
        }
    }
}

/// `{"state", "detail"}` of a measurement that ended without a result.
fn unmeasured(failure: &Value) -> Markup {
    let state = text(failure, "state").replace('_', " ");
    let detail = text(failure, "detail");
    html! {
        p.unmeasured.inconclusive {
            (icon(State::Inconclusive)) "Not measured: " (state)
            @if !detail.is_empty() { " (" (detail) ")" }
        }
    }
}

/// What transparency logs hold: issued once, which is not to say served.
fn logged(probe: &Value) -> Markup {
    html! {
        @if let Some(n) = probe.get("count").and_then(Value::as_u64) {
            p {
                (counted(n as usize, "certificate that has not expired is", "certificates that have not expired are"))
                " logged for this host"
                @match probe.get("hasPresented").and_then(Value::as_bool) {
                    Some(true) => ", the one it presents among them.",
                    Some(false) => "; the one it presents is not among them.",
                    None => ".",
                }
            }
        }
    }
}

fn addresses(list: &Value) -> Markup {
    html! {
        ul.chips {
            @for address in items(list) {
                li {
                    code { (text(address, "ip")) }
                    " " span.quiet {
                        "IPv" (scalar(&address["family"]))
                        @if address["cloudflare"] == true { ", Cloudflare" }
                    }
                }
            }
        }
    }
}

/// A text member, or nothing.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of a list, or none.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_probe_of_any_shape_is_a_card() {
        let shapes = [
            json!(null),
            json!("text"),
            json!([1, [2]]),
            json!({"failure": {"state": "timed_out"}}),
            json!({"chain": 1, "handshakes": [], "trust": "x", "hops": {}, "https": 3, "paths": {}}),
            json!({"chain": [1, {"key": 2}], "handshakes": {"best": 1}, "https": {"hops": [1]}, "paths": [1]}),
        ];
        for name in ["dns", "addresses", "tls", "http", "exposure", "other"] {
            for shape in &shapes {
                let html = card(name, shape, &[], "never").into_string();
                assert!(html.contains("All measured values"), "{name} {shape}");
            }
        }
    }
}
