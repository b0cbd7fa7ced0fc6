//! What never changes within an isolate, as JSON text: the tool list in both
//! shapes, `server/discover`, and the parts that frame other results. A
//! request only splices in its id.

use serde::Serialize;
use serde_json::{Value, json};

use crate::surface::identity;
use crate::tool::{Registry, Tool};

use super::revision::SUPPORTED;

/// How long clients and intermediaries may keep the catalog, in milliseconds.
const TTL_MS: u32 = 3_600_000;

/// The prepared texts.
pub(crate) struct Catalog {
    /// Result of `server/discover`.
    pub(super) discover: String,
    /// Result of `tools/list`, modern.
    pub(super) modern_list: String,
    /// Result of `tools/list`, legacy.
    pub(super) legacy_list: String,
    /// What follows `"protocolVersion":"..."` in the result of `initialize`.
    pub(super) initialize_tail: String,
    /// `,"_meta":{...}}`, which ends every modern result.
    pub(super) meta_tail: String,
    /// The tools' names, for whoever asked for another.
    pub(super) names: String,
}

/// One tool as MCP lists it, members in the order a person reads them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    description: &'a str,
    input_schema: &'a Value,
    output_schema: &'a Value,
    annotations: Value,
}

impl Catalog {
    /// Makes them from the registry.
    pub(crate) fn new(registry: &Registry) -> Catalog {
        let listed: Vec<Listed> = registry.tools().iter().map(Listed::of).collect();
        let tools = text(&listed);
        let server = json!({
            "name": identity::NAME,
            "title": identity::TITLE,
            "version": identity::VERSION,
        });
        let capabilities = json!({ "tools": {} });
        let meta_tail = format!(
            ",\"_meta\":{}}}",
            json!({ "io.modelcontextprotocol/serverInfo": server })
        );
        let cache = format!("\"ttlMs\":{TTL_MS},\"cacheScope\":\"public\"{meta_tail}");
        Catalog {
            discover: format!(
                "{{\"resultType\":\"complete\",\"supportedVersions\":{},\"capabilities\":{capabilities},\
                 \"instructions\":{},{cache}",
                json!(SUPPORTED),
                json!(identity::INSTRUCTIONS),
            ),
            modern_list: format!("{{\"resultType\":\"complete\",\"tools\":{tools},{cache}"),
            legacy_list: format!("{{\"tools\":{tools}}}"),
            initialize_tail: format!(
                ",\"capabilities\":{capabilities},\"serverInfo\":{server},\"instructions\":{}}}",
                json!(identity::INSTRUCTIONS),
            ),
            meta_tail,
            names: registry
                .tools()
                .iter()
                .map(|tool| tool.name)
                .collect::<Vec<_>>()
                .join(", "),
        }
    }
}

impl<'a> Listed<'a> {
    fn of(tool: &'a Tool) -> Listed<'a> {
        Listed {
            name: tool.name,
            title: tool.title,
            description: tool.description,
            input_schema: tool.input.json(),
            output_schema: &tool.output,
            annotations: tool.annotations(),
        }
    }
}

fn text(value: &impl Serialize) -> String {
    super::super::json_text(value)
}
