//! `/connect`: how to tell each MCP client about this server, and a call to
//! look at in the raw.

use maud::{Markup, html};

use crate::surface::Reply;
use crate::surface::identity::SHORT_NAME;
use crate::surface::install::{Client, clients};

use super::Visit;
use super::mark::command;
use super::shell::Page;

/// A request of the newest revision, which needs no session.
macro_rules! request {
    ($method:literal, $params:expr) => {
        concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":""#,
            $method,
            r#"","params":{"#,
            $params,
            r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#
        )
    };
}

macro_rules! call {
    ($tool:literal, $arguments:literal) => {
        request!(
            "tools/call",
            concat!(r#""name":""#, $tool, r#"","arguments":"#, $arguments, ",")
        )
    };
}

/// Requests to look at; the first is a call that touches nothing.
const TRIALS: [(&str, &str); 4] = [
    (
        "decode a DMARC record",
        call!("decode", r#"{"text":"v=DMARC1; p=none"}"#),
    ),
    (
        "look up mail servers",
        call!("lookup", r#"{"name":"example.com","records":["MX"]}"#),
    ),
    (
        "analyze a host",
        call!("analyze", r#"{"target":"example.com"}"#),
    ),
    ("list the tools", request!("tools/list", "")),
];

/// Answers the path.
pub(super) fn answer(visit: &Visit<'_>) -> Reply {
    visit.page(
        200,
        Page {
            path: "/connect",
            title: "Connect an agent",
            summary: "Give a language-model agent read-only network diagnostics: one address, no account, no key.",
            indexed: true,
            main: page(visit),
        },
    )
}

fn page(visit: &Visit<'_>) -> Markup {
    let url = format!("{}/mcp", visit.origin);
    html! {
        header.intro {
            h1 { "Connect an agent" }
            p.lede {
                "One address, no account and no key. Every tool only reads, and every caller has the same budget, whichever way it comes."
            }
            div.address { (command(&url)) }
        }
        section.clients aria-label="Clients" {
            @for client in clients(SHORT_NAME, &url) { (card(&client)) }
        }
        (tools(visit))
        (trial(&url))
    }
}

fn card(client: &Client) -> Markup {
    html! {
        section.client {
            h2 { (client.name) }
            p.quiet { (client.how) }
            @if let Some(link) = &client.link {
                a.button href=(link) rel="external noreferrer" { "Add to " (client.name) }
            }
            (command(&client.text))
        }
    }
}

fn tools(visit: &Visit<'_>) -> Markup {
    html! {
        section aria-labelledby="tools-title" {
            h2 #tools-title { "What it can then do" }
            dl.tools-list {
                @for tool in visit.site.gate.registry.tools() {
                    @let rate = visit.site.gate.world.config.rate(tool.name);
                    div {
                        dt { code { (tool.name) } }
                        dd {
                            (tool.description)
                            p.quiet {
                                (rate.limit) " calls per " (rate.seconds) " s"
                                @if tool.open_world { " · asks the outside" } @else { " · contacts nothing" }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn trial(url: &str) -> Markup {
    html! {
        section.trial aria-labelledby="trial-title" {
            h2 #trial-title { "Try a call" }
            p { "This is what a client sends and what comes back, indented. A call spends one of its tool's." }
            form #trial data-url=(url) {
                div.field hidden {
                    label for="trial-pick" { "Request" }
                    select #trial-pick { @for (name, body) in TRIALS { option value=(body) { (name) } } }
                }
                div.field {
                    label for="trial-body" { "POST /mcp" }
                    textarea #trial-body rows="6" spellcheck="false" autocapitalize="off" autocomplete="off" { "\n" (TRIALS[0].1) }
                }
                button type="submit" hidden { "Send" }
            }
            output #trial-answer for="trial-body" {}
            p { "The same from a terminal:" }
            (command(&format!(
                "curl {url} -H 'Content-Type: application/json' -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: decode' -d '{}'",
                TRIALS[0].1
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_trial_is_a_call_of_a_tool_that_contacts_nothing() {
        let [decode, ..] =
            TRIALS.map(|(_, body)| serde_json::from_str::<serde_json::Value>(body).unwrap());
        assert_eq!(decode.pointer("/params/name").unwrap(), "decode");
    }

    #[test]
    fn the_trial_survives_the_quotes_of_a_shell() {
        assert!(!TRIALS[0].1.contains('\''));
    }

    #[test]
    fn a_hostile_host_cannot_leave_its_attribute() {
        for client in clients(SHORT_NAME, "https://x\"><script>/mcp") {
            assert!(!card(&client).into_string().contains("<script"));
        }
        assert!(!trial("\"><script>").into_string().contains("<script"));
    }
}
