//! `/connect`: how to tell each MCP client about this server, and a call to
//! look at in the raw.

use maud::{Markup, html};

use crate::surface::Reply;
use crate::surface::identity::SHORT_NAME;
use crate::surface::install::{Client, clients};

use super::Visit;
use super::mark::command;
use super::shell::Page;

/// A call that touches nothing, for people who want to see the protocol.
const TRIAL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"decode","arguments":{"text":"v=DMARC1; p=none"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

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
            p { "This is what a client sends and what comes back, byte for byte. It spends one " code { "decode" } " call." }
            form #trial data-url=(url) {
                div.field {
                    label for="trial-body" { "POST /mcp" }
                    textarea #trial-body rows="6" spellcheck="false" autocapitalize="off" autocomplete="off" { "\n" (TRIAL) }
                }
                button type="submit" hidden { "Send" }
            }
            output #trial-answer for="trial-body" {}
            p { "The same from a terminal:" }
            (command(&format!(
                "curl {url} -H 'Content-Type: application/json' -H 'MCP-Protocol-Version: 2026-07-28' -H 'Mcp-Method: tools/call' -H 'Mcp-Name: decode' -d '{TRIAL}'"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trial_is_a_call_of_a_tool_that_contacts_nothing() {
        let call: serde_json::Value = serde_json::from_str(TRIAL).unwrap();
        assert_eq!(call.pointer("/params/name").unwrap(), "decode");
    }

    #[test]
    fn the_trial_survives_the_quotes_of_a_shell() {
        assert!(!TRIAL.contains('\''));
    }

    #[test]
    fn a_hostile_host_cannot_leave_its_attribute() {
        for client in clients(SHORT_NAME, "https://x\"><script>/mcp") {
            assert!(!card(&client).into_string().contains("<script"));
        }
        assert!(!trial("\"><script>").into_string().contains("<script"));
    }
}
