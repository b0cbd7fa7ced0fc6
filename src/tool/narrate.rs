//! `narrate`: what changed between two reports, in sentences. Touches nothing
//! but the store of reports.

use std::time::Duration;

use futures_util::future::{Either, select};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::compare::{self, Given, Source};
use super::{Errand, Log, Spec, World};
use crate::error::Error;
use crate::report::admit::{self, GivenDiff};
use crate::report::diff;
use crate::report::narrate::{self, Narration, reword};

/// How long the operator's model may think.
const PATIENCE: Duration = Duration::from_secs(4);

/// The tool.
pub(super) struct Narrate;

/// What the caller sends. None is required by itself, which some clients want
/// to read as an empty list.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("required" = Vec::<String>::new()))]
pub(super) struct Args {
    /// The earlier report: its id, or the whole object that analyze answered (at most 200 KiB). Goes with `after`.
    #[serde(default)]
    #[schemars(with = "Given")]
    before: Option<Given>,
    /// The later report, likewise. Goes with `before`.
    #[serde(default)]
    #[schemars(with = "Given")]
    after: Option<Given>,
    /// In place of both: the whole object that diff answered.
    #[serde(default)]
    #[schemars(with = "Whole")]
    diff: Option<Value>,
}

/// A diff as the caller gives it; its shape is judged by [`admit::diff`].
struct Whole;

impl JsonSchema for Whole {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "diff".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "object",
            "examples": [{ "changes": [{
                "path": "/probes/tls/alpn", "kind": "changed", "before": "http/1.1", "after": "h2", "weight": "churn",
            }]}],
        })
    }
}

/// What is told.
pub(super) enum Plan {
    /// The changes between two reports.
    Reports(Source, Source),
    /// These changes.
    Diff(Box<GivenDiff>),
}

impl Spec for Narrate {
    const NAME: &'static str = "narrate";
    const TITLE: &'static str = "Tell what changed";
    const DESCRIPTION: &'static str = "Tell in sentences what changed between two reports of analyze, most \
        severe first, each sentence with the changes it rests on. Contacts no host and changes nothing; where \
        the operator has set up a model, that is shown the sentences to reword. For the changes themselves \
        as data use diff.";
    const OPEN_WORLD: bool = false;
    const LOG: &'static [(&'static str, Log)] = &[
        ("before", Log::Length),
        ("after", Log::Length),
        ("diff", Log::Length),
    ];
    const EXAMPLE: &'static str =
        r#"{"before":"k5xwqv3n2m7rj4tz6bqhcd2yfa","after":"q2m7rj4tz6bqhcd2yfak5xwqv3"}"#;
    const SCHEMAS: &'static str = include_str!("schema/narrate.json");
    type Args = Args;
    type Plan = Plan;
    type Output = Narration;

    fn judge(args: Args, _: &World) -> Result<Plan, Error> {
        match (args.before, args.after, args.diff) {
            (Some(before), Some(after), None) => Ok(Plan::Reports(
                Source::judge(before, "before")?,
                Source::judge(after, "after")?,
            )),
            (None, None, Some(diff)) => Ok(Plan::Diff(Box::new(admit::diff(diff, "diff")?))),
            (before, after, diff) => {
                let field = match (before, after, diff) {
                    (_, _, Some(_)) => "diff",
                    (Some(_), None, None) => "after",
                    _ => "before",
                };
                Err(Error::invalid(
                    field,
                    "Send either \"before\" and \"after\", or \"diff\" alone.",
                ))
            }
        }
    }

    async fn run(plan: Plan, errand: Errand) -> Result<Narration, Error> {
        let (changes, counts, unlisted, sides) = match plan {
            Plan::Reports(before, after) => {
                let (before, after) = compare::both(before, after, &errand).await?;
                let diff = diff::between(&before, &after);
                let sides = Some((diff.before, diff.after));
                (diff.changes, Some(diff.counts), diff.unlisted, sides)
            }
            Plan::Diff(diff) => {
                let sides = diff.before.zip(diff.after);
                (diff.changes, diff.counts, diff.unlisted, sides)
            }
        };
        let notes = sides
            .map(|(before, after)| diff::notes(&before, &after))
            .unwrap_or_default();
        let mut narration = narrate::tell(&changes, counts, unlisted, notes);
        word(&mut narration, &errand).await;
        Ok(narration)
    }
}

/// Has the operator's model word the sentences, where one is bound.
async fn word(narration: &mut Narration, errand: &Errand) {
    let model = &errand.world.model;
    if narration.sentences.is_empty() || !model.is_bound() {
        return;
    }
    errand.subrequests.set(errand.subrequests.get() + 1);
    let asked = model.ask(reword::TASK, reword::text_of(&narration.sentences));
    let answer = match select(asked, errand.world.clock.sleep(PATIENCE)).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => None,
    };
    reword::take(narration, answer.as_deref());
}
