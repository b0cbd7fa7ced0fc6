//! The registry: five read-only tools, each one value from which the MCP
//! catalog, the JSON API, the forms, `llms.txt` and the README table are made.

mod analyze;
mod compare;
mod decode;
mod diff;
mod lookup;
mod narrate;
pub mod part;
pub mod schema;

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::error::{Code, Error};
use crate::guard::Guard;
use crate::port::{Clock, Model, Network, Random, ReportStore, Signatures};
use part::Part;
use schema::InputSchema;

/// What a running tool may use. Made by `edge` once per request.
pub struct World {
    /// The operator's variables.
    pub config: Rc<Config>,
    /// Judges everything a caller names.
    pub guard: Rc<Guard>,
    /// Everything outbound.
    pub network: Rc<dyn Network>,
    /// Time.
    pub clock: Rc<dyn Clock>,
    /// Randomness.
    pub random: Rc<dyn Random>,
    /// Signatures.
    pub signatures: Rc<dyn Signatures>,
    /// Stored reports.
    pub reports: Rc<dyn ReportStore>,
    /// Words what `narrate` tells, where the operator wants it.
    pub model: Rc<dyn Model>,
    /// The data centre this request is served from, or `local`.
    pub colo: String,
}

/// One call's own view of the world: what it used is counted here.
#[derive(Clone)]
pub struct Errand {
    /// The world it runs in.
    pub world: Rc<World>,
    /// Subrequests made so far.
    pub subrequests: Rc<Cell<u32>>,
    /// Told of each part of the work as it comes to its end, if somebody
    /// watches.
    pub watcher: Option<Rc<dyn Fn(Part)>>,
}

/// How an argument may appear in the event line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// Canonical text, capped; a URL without user-info, query and fragment.
    Target,
    /// As it is where the schema lists it, else only how long it is.
    Word,
    /// Only how long it is.
    Length,
}

/// Arguments that passed the judge, ready to run.
pub struct Planned {
    /// The host that shares the per-target budget, for tools that probe.
    pub target: Option<String>,
    /// The work. Its output is JSON text that obeys the output schema.
    pub run: Box<dyn FnOnce(Errand) -> LocalBoxFuture<'static, Result<String, Error>>>,
}

type Judge = Box<dyn Fn(&World, Map<String, Value>) -> Result<Planned, Error>>;

/// One tool, as everything else sees it.
pub struct Tool {
    /// `[a-z_]`, at most 40 characters.
    pub name: &'static str,
    /// What a person reads on a button.
    pub title: &'static str,
    /// The whole social contract: what it does, contacts and leaves alone.
    pub description: &'static str,
    /// Whether it contacts the outside.
    pub open_world: bool,
    /// What one call takes out of the budget.
    pub cost: u32,
    /// Arguments of a right call, as JSON text: what a caller who sent wrong
    /// ones is shown.
    pub example: &'static str,
    /// How each argument may be logged.
    pub log: &'static [(&'static str, Log)],
    /// The input schema, and the judge of shape made from it.
    pub input: InputSchema,
    /// The output schema; every success obeys it.
    pub output: Value,
    judge: Judge,
}

impl Tool {
    fn of<S: Spec>() -> Tool {
        let (input, output) = schema::read(S::SCHEMAS);
        Tool {
            name: S::NAME,
            title: S::TITLE,
            description: S::DESCRIPTION,
            open_world: S::OPEN_WORLD,
            cost: 1,
            example: S::EXAMPLE,
            log: S::LOG,
            input,
            output,
            judge: Box::new(|world, arguments| {
                // The shape was judged against the same type's schema, so a
                // mismatch here is a defect of ours, not of the caller.
                let args = serde_json::from_value(Value::Object(arguments))
                    .map_err(|e| Error::internal(format!("{}: schema and type: {e}", S::NAME)))?;
                let plan = S::judge(args, world)?;
                Ok(Planned {
                    target: S::target(&plan),
                    run: Box::new(move |errand| {
                        Box::pin(async move {
                            let output = S::run(plan, errand).await;
                            let output = output.map_err(|error| shown(S::EXAMPLE, error))?;
                            serde_json::to_string(&output)
                                .map_err(|e| Error::internal(format!("{}: {e}", S::NAME)))
                        })
                    }),
                })
            }),
        }
    }

    /// Judges arguments: first their shape (caps, types, names), then what
    /// they ask to be touched. Nothing has gone out when this fails.
    pub fn judge(&self, world: &World, arguments: Value) -> Result<Planned, Error> {
        self.input
            .check(arguments)
            .and_then(|arguments| (self.judge)(world, arguments))
            .map_err(|error| shown(self.example, error))
    }

    /// How an argument may be logged; `None` when there is no such argument.
    pub fn log_of(&self, argument: &str) -> Option<Log> {
        let (_, log) = self.log.iter().find(|(name, _)| *name == argument)?;
        Some(*log)
    }

    /// The four hints of MCP, all stated.
    pub fn annotations(&self) -> Value {
        json!({
            "title": self.title,
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            "openWorldHint": self.open_world,
        })
    }
}

/// A refusal of arguments shows right ones: if not of the argument at fault
/// then of the whole call.
fn shown(example: &str, mut error: Error) -> Error {
    if error.code == Code::InvalidInput && !error.message.contains("for example") {
        error.message.push_str(" A right call has, for example, ");
        error.message.push_str(example);
        error.message.push('.');
    }
    error
}

/// What a tool's own file supplies.
trait Spec: 'static {
    const NAME: &'static str;
    const TITLE: &'static str;
    const DESCRIPTION: &'static str;
    const OPEN_WORLD: bool;
    const LOG: &'static [(&'static str, Log)];
    /// Arguments of a right call, as JSON text.
    const EXAMPLE: &'static str;
    /// The schemas of `Args` and `Output`, as [`schema_files`] makes them.
    const SCHEMAS: &'static str;
    type Args: DeserializeOwned + JsonSchema;
    type Plan: 'static;
    type Output: Serialize + JsonSchema;

    /// Turns well-shaped arguments into something that may be run.
    fn judge(args: Self::Args, world: &World) -> Result<Self::Plan, Error>;

    /// The host that the per-target budget is kept for.
    fn target(_plan: &Self::Plan) -> Option<String> {
        None
    }

    /// Does the work.
    fn run(
        plan: Self::Plan,
        errand: Errand,
    ) -> impl Future<Output = Result<Self::Output, Error>> + 'static;
}

/// The schema files by tool, as the types have them now. Made for a test: the
/// script has the files.
pub fn schema_files() -> [(&'static str, String); 5] {
    fn of<S: Spec>() -> (&'static str, String) {
        (S::NAME, schema::file::<S::Args, S::Output>())
    }
    [
        of::<analyze::Analyze>(),
        of::<lookup::Lookup>(),
        of::<decode::Decode>(),
        of::<diff::Diff>(),
        of::<narrate::Narrate>(),
    ]
}

/// The five tools in their stable order.
pub struct Registry {
    tools: Vec<Tool>,
}

impl Registry {
    /// Builds all five; schemas are read here, once per isolate.
    pub fn new() -> Registry {
        Registry {
            tools: vec![
                Tool::of::<analyze::Analyze>(),
                Tool::of::<lookup::Lookup>(),
                Tool::of::<decode::Decode>(),
                Tool::of::<diff::Diff>(),
                Tool::of::<narrate::Narrate>(),
            ],
        }
    }

    /// In their stable order.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// By exact name.
    pub fn find(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Registry::new()
    }
}
