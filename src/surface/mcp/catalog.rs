//! What never changes within an isolate, as JSON text: the tool list in both
//! shapes, `server/discover`, and the parts that frame other results. A
//! request only splices in its id.

use std::cell::OnceCell;
use std::rc::Rc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::surface::identity;
use crate::tool::{Registry, Tool};

use super::Answer;
use super::revision::SUPPORTED;
use super::rpc::{self, Id};

/// How long clients and intermediaries may keep the catalog, in milliseconds.
const TTL_MS: u32 = 3_600_000;

/// A result that never changes.
pub(super) struct Constant {
    result: String,
    /// Whole answers to requests whose id is one digit: clients count from
    /// there, and large answers are then written once.
    whole: [OnceCell<Rc<str>>; 10],
}

impl Constant {
    fn new(result: String) -> Constant {
        Constant {
            result,
            whole: Default::default(),
        }
    }

    /// The answer to the request `id`.
    pub(super) fn answer(&self, id: &Id) -> Answer {
        let write = || rpc::success(id, &[&self.result]);
        let kept = match id.json().as_bytes() {
            [digit @ b'0'..=b'9'] => self.whole.get(usize::from(digit - b'0')),
            _ => None,
        };
        match kept {
            Some(kept) => Answer::Kept(Rc::clone(kept.get_or_init(|| write().into()))),
            None => Answer::Written(write()),
        }
    }
}

/// The prepared texts.
pub(crate) struct Catalog {
    /// Result of `server/discover`.
    pub(super) discover: Constant,
    /// Result of `tools/list`, modern.
    pub(super) modern_list: Constant,
    /// Result of `tools/list`, legacy.
    pub(super) legacy_list: Constant,
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
            discover: Constant::new(format!(
                "{{\"resultType\":\"complete\",\"supportedVersions\":{},\"capabilities\":{capabilities},\
                 \"instructions\":{},{cache}",
                json!(SUPPORTED),
                json!(identity::INSTRUCTIONS),
            )),
            modern_list: Constant::new(format!(
                "{{\"resultType\":\"complete\",\"tools\":{tools},{cache}"
            )),
            legacy_list: Constant::new(format!("{{\"tools\":{tools}}}")),
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
