//! How each client is told about this server: links and lines made from one
//! name and one URL, for the connect page and the README.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

/// One client and how it is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What people call it.
    pub name: &'static str,
    /// What to do with `text`, or with the link.
    pub how: &'static str,
    /// A link that opens the client with everything filled in.
    pub link: Option<String>,
    /// A command line or a piece of a settings file.
    pub text: String,
}

/// All clients for the server called `name` at `url`, in a stable order.
pub fn clients(name: &str, url: &str) -> Vec<Client> {
    let settings = |member: &str| json!({ "mcpServers": { name: { member: url } } });
    let vs_code = json!({ "name": name, "type": "http", "url": url }).to_string();
    let cursor = STANDARD.encode(json!({ "url": url }).to_string());
    vec![
        Client {
            name: "Claude",
            how: "Open the link, or add a custom connector with this address under Customize, Connectors.",
            link: Some(format!(
                "https://claude.ai/customize/connectors?modal=add-custom-connector&connectorName={}&connectorUrl={}",
                encode(name),
                encode(url)
            )),
            text: url.to_owned(),
        },
        Client {
            name: "Claude Code",
            how: "Run this in a terminal.",
            link: None,
            text: format!(
                "claude mcp add --transport http {} {}",
                word(name),
                word(url)
            ),
        },
        Client {
            name: "Cursor",
            how: "Open the link, or put this into .cursor/mcp.json.",
            link: Some(format!(
                "https://cursor.com/install-mcp?name={}&config={}",
                encode(name),
                encode(&cursor)
            )),
            text: pretty(&settings("url")),
        },
        Client {
            name: "VS Code",
            how: "Open the link, or run this in a terminal.",
            link: Some(format!("vscode:mcp/install?{}", encode(&vs_code))),
            text: format!("code --add-mcp {}", word(&vs_code)),
        },
        Client {
            name: "Codex",
            how: "Run this in a terminal.",
            link: None,
            text: format!("codex mcp add {} --url {}", word(name), word(url)),
        },
        Client {
            name: "Gemini CLI",
            how: "Run this in a terminal.",
            link: None,
            text: format!(
                "gemini mcp add --scope user --transport http {} {}",
                word(name),
                word(url)
            ),
        },
        Client {
            name: "Another client",
            how: "Most read a settings file of this form; the transport is Streamable HTTP, without authentication.",
            link: None,
            text: pretty(&json!({ "mcpServers": { name: { "type": "http", "url": url } } })),
        },
    ]
}

/// Percent-encoded for one component of a URL. Form encoding would write a
/// space as `+`, which not every reader of a URL takes for one.
fn encode(text: &str) -> String {
    byte_serialize(text.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

/// One word of a POSIX command line.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':');
    match !text.is_empty() && text.chars().all(plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

fn pretty(value: &serde_json::Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use url::{Url, form_urlencoded};

    use super::*;

    /// A name and a URL with everything in them that encoding could break.
    const NAME: &str = "net recon & 'co'";
    const ADDRESS: &str = "https://netrecon.example.org:8443/mcp?a=1&b=%20+#x";

    fn client(name: &str) -> Client {
        clients(NAME, ADDRESS)
            .into_iter()
            .find(|client| client.name == name)
            .unwrap()
    }

    fn query(link: &str, wanted: &str) -> String {
        let url = Url::parse(link).unwrap();
        let mut pairs = url.query_pairs();
        pairs
            .find(|(name, _)| name == wanted)
            .unwrap()
            .1
            .into_owned()
    }

    /// What a POSIX shell makes of a line.
    fn shell(line: &str) -> Vec<String> {
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("printf '%s\\0' {line}")])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    #[test]
    fn the_claude_link_carries_name_and_address() {
        let link = client("Claude").link.unwrap();
        assert_eq!(query(&link, "modal"), "add-custom-connector");
        assert_eq!(query(&link, "connectorName"), NAME);
        assert_eq!(query(&link, "connectorUrl"), ADDRESS);
    }

    #[test]
    fn the_cursor_link_carries_name_and_base64_settings() {
        let link = client("Cursor").link.unwrap();
        assert_eq!(query(&link, "name"), NAME);
        let config = STANDARD.decode(query(&link, "config")).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&config).unwrap(),
            json!({ "url": ADDRESS })
        );
    }

    #[test]
    fn the_vs_code_link_and_command_carry_the_same_settings() {
        let settings = json!({ "name": NAME, "type": "http", "url": ADDRESS });
        let client = client("VS Code");
        let link = client.link.unwrap();
        let query = link.strip_prefix("vscode:mcp/install?").unwrap();
        let pair = format!("v={query}");
        let (_, decoded) = form_urlencoded::parse(pair.as_bytes()).next().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&decoded).unwrap(), settings);
        let words = shell(&client.text);
        assert_eq!(words[..2], ["code", "--add-mcp"]);
        assert_eq!(serde_json::from_str::<Value>(&words[2]).unwrap(), settings);
    }

    #[test]
    fn every_command_line_reaches_its_program_whole() {
        assert_eq!(
            shell(&client("Claude Code").text),
            ["claude", "mcp", "add", "--transport", "http", NAME, ADDRESS]
        );
        assert_eq!(
            shell(&client("Codex").text),
            ["codex", "mcp", "add", NAME, "--url", ADDRESS]
        );
        assert_eq!(
            shell(&client("Gemini CLI").text),
            [
                "gemini",
                "mcp",
                "add",
                "--scope",
                "user",
                "--transport",
                "http",
                NAME,
                ADDRESS
            ]
        );
    }

    #[test]
    fn settings_files_name_the_address_where_their_client_reads_it() {
        for (client_name, pointer) in [
            ("Cursor", "/mcpServers/netrecon/url"),
            ("Another client", "/mcpServers/netrecon/url"),
        ] {
            let all = clients("netrecon", ADDRESS);
            let client = all
                .iter()
                .find(|client| client.name == client_name)
                .unwrap();
            let settings: Value = serde_json::from_str(&client.text).unwrap();
            assert_eq!(settings.pointer(pointer).unwrap(), ADDRESS);
        }
    }

    #[test]
    fn an_ordinary_name_and_address_need_no_quotes() {
        let all = clients("netrecon", "https://netrecon.example.org/mcp");
        let text = &all
            .iter()
            .find(|client| client.name == "Claude Code")
            .unwrap()
            .text;
        assert_eq!(
            text,
            "claude mcp add --transport http netrecon https://netrecon.example.org/mcp"
        );
    }
}
