//! `decode`: explains a pasted text. Touches nothing.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Errand, Log, Spec, World};
use crate::codec::{self, Context, Decoded, Kind};
use crate::error::Error;

/// The tool.
pub(super) struct Decode;

/// What the caller sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Args {
    /// The text to explain, as it was pasted: at most 65536 characters.
    #[schemars(length(min = 1, max = 65536), extend("examples" = ["v=DMARC1; p=none; rua=mailto:dmarc@lab-good.com"]))]
    text: String,
    /// Its format, or `auto` to have it recognised.
    #[serde(default)]
    #[schemars(extend("default" = "auto", "examples" = ["auto"]))]
    kind: Choice,
}

/// `auto` or one format.
#[derive(Default)]
struct Choice(Option<Kind>);

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Ok(Choice(Kind::parse(&word)))
    }
}

impl JsonSchema for Choice {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "kind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let words: Vec<&str> = std::iter::once("auto")
            .chain(Kind::ALL.iter().map(|kind| kind.as_str()))
            .collect();
        schemars::json_schema!({ "type": "string", "enum": words })
    }
}

impl Spec for Decode {
    const NAME: &'static str = "decode";
    const TITLE: &'static str = "Decode a text";
    const DESCRIPTION: &'static str = "Explain a pasted certificate, token, policy, record or address: \
        its fields, and each problem with the place it stands at. Contacts nothing and changes nothing; \
        to ask about a live name use lookup or analyze.";
    const OPEN_WORLD: bool = false;
    const LOG: &'static [(&'static str, Log)] = &[("text", Log::Length), ("kind", Log::Word)];
    const EXAMPLE: &'static str = r#"{"text":"v=spf1 -all"}"#;
    const SCHEMAS: &'static str = include_str!("schema/decode.json");
    type Args = Args;
    type Plan = Plan;
    type Output = Decoded;

    fn judge(args: Args, _: &World) -> Result<Plan, Error> {
        Ok(Plan {
            text: args.text,
            kind: args.kind.0,
        })
    }

    async fn run(plan: Plan, errand: Errand) -> Result<Decoded, Error> {
        let context = Context {
            guard: &errand.world.guard,
            now_ms: errand.world.clock.now_ms(),
        };
        codec::decode(&plan.text, plan.kind, &context)
    }
}

/// What is run.
pub(super) struct Plan {
    text: String,
    kind: Option<Kind>,
}
