//! `diff`: what changed between two reports. Touches nothing but the store of
//! reports.

use schemars::JsonSchema;
use serde::Deserialize;

use super::compare::{self, Given, Source};
use super::{Errand, Log, Spec, World};
use crate::error::Error;
use crate::report::diff;

/// The tool.
pub(super) struct Diff;

/// What the caller sends.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Args {
    /// The earlier report: its id, or the whole object that analyze answered (at most 200 KiB).
    before: Given,
    /// The later report, likewise; it may be about another host.
    after: Given,
}

impl Spec for Diff {
    const NAME: &'static str = "diff";
    const TITLE: &'static str = "Compare two reports";
    const DESCRIPTION: &'static str = "List what changed between two reports of analyze, each change with \
        its path, both values and whether it is worse, better or neither. Contacts nothing and changes \
        nothing; to have the changes told in sentences use narrate.";
    const OPEN_WORLD: bool = false;
    const LOG: &'static [(&'static str, Log)] = &[("before", Log::Length), ("after", Log::Length)];
    const EXAMPLE: &'static str =
        r#"{"before":"k5xwqv3n2m7rj4tz6bqhcd2yfa","after":"q2m7rj4tz6bqhcd2yfak5xwqv3"}"#;
    const SCHEMAS: &'static str = include_str!("schema/diff.json");
    type Args = Args;
    type Plan = (Source, Source);
    type Output = diff::Diff;

    fn judge(args: Args, _: &World) -> Result<Self::Plan, Error> {
        Ok((
            Source::judge(args.before, "before")?,
            Source::judge(args.after, "after")?,
        ))
    }

    async fn run((before, after): Self::Plan, errand: Errand) -> Result<diff::Diff, Error> {
        let (before, after) = compare::both(before, after, &errand).await?;
        Ok(diff::between(&before, &after))
    }
}
