//! The official Rust MCP client as a participant in a conversation.
//!
//! `netrecon-rmcp-client URL initialize|discover|auto ADDRESS` connects as the
//! documentation address ADDRESS, reads one JSON request per line from stdin
//! (`{"list":true}` or `{"call":"NAME","arguments":{}}`) and writes one JSON
//! answer per line, so that it is held to the same conversation as every
//! other client.

use std::collections::HashMap;
use std::io::{BufRead, Write, stdin, stdout};

use anyhow::{Context, Result, bail};
use reqwest::header::{HeaderName, HeaderValue};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RoleClient, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, mode, address] = arguments.as_slice() else {
        bail!("usage: netrecon-rmcp-client URL initialize|discover|auto ADDRESS");
    };
    let client = connect(url, mode, address).await?;
    for line in stdin().lock().lines() {
        let answer = answer(&client, &serde_json::from_str(&line?)?).await?;
        writeln!(stdout(), "{answer}")?;
    }
    client.cancel().await?;
    Ok(())
}

async fn connect(url: &str, mode: &str, address: &str) -> Result<RunningService<RoleClient, ()>> {
    let headers = HashMap::from([(
        HeaderName::from_static("cf-connecting-ip"),
        HeaderValue::from_str(address)?,
    )]);
    let config = StreamableHttpClientTransportConfig::with_uri(url).custom_headers(headers);
    let transport = StreamableHttpClientTransport::with_client(reqwest::Client::new(), config);
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let lifecycle = match mode {
        "initialize" => ClientLifecycleMode::Initialize,
        "discover" => ClientLifecycleMode::Discover { preferred_versions },
        "auto" => ClientLifecycleMode::Auto {
            preferred_versions,
            legacy_version: None,
        },
        other => bail!("there is no mode {other:?}"),
    };
    Ok(().serve_with_lifecycle(transport, lifecycle).await?)
}

async fn answer(client: &RunningService<RoleClient, ()>, request: &Value) -> Result<Value> {
    if request.get("list").is_some() {
        return Ok(json!({ "tools": client.list_all_tools().await? }));
    }
    let name = request
        .get("call")
        .and_then(Value::as_str)
        .context("neither list nor call")?;
    let mut params = CallToolRequestParams::new(name.to_owned());
    params.arguments = request.get("arguments").and_then(Value::as_object).cloned();
    Ok(serde_json::to_value(client.call_tool(params).await?)?)
}
