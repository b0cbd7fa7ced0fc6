//! What `diff` and `narrate` share: a report named by id or pasted whole.

use std::borrow::Cow;

use futures_util::future;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;

use super::Errand;
use crate::error::{Code, Error};
use crate::report::{self, Report, admit};

/// Characters of a report id.
const ID_LENGTH: usize = 26;

/// A report as the caller gives it: text or an object, as the schema says.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Given(Value);

impl JsonSchema for Given {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "report".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "object"],
            "minLength": ID_LENGTH,
            "maxLength": ID_LENGTH,
            "examples": ["k5xwqv3n2m7rj4tz6bqhcd2yfa"],
        })
    }
}

/// A report whose form was judged.
pub(super) enum Source {
    /// To be read from the store.
    Stored(String),
    /// As it was pasted.
    Pasted(Box<Report>),
}

impl Source {
    /// Judges the form of an id, or the shape and size of a report.
    pub(super) fn judge(given: Given, field: &str) -> Result<Source, Error> {
        match given.0 {
            Value::String(id) if report::is_id(&id) => Ok(Source::Stored(id)),
            Value::String(_) => Err(Error::invalid(
                field,
                format!(
                    "{field:?} is no report id: an id is {ID_LENGTH} characters out of a-z and 2-7, as analyze answers it in \"id\"."
                ),
            )),
            whole => Ok(Source::Pasted(Box::new(admit::report(whole, field)?))),
        }
    }

    async fn read(self, field: &str, errand: &Errand) -> Result<Report, Error> {
        let id = match self {
            Source::Stored(id) => id,
            Source::Pasted(report) => return Ok(*report),
        };
        errand.subrequests.set(errand.subrequests.get() + 1);
        let stored = errand.world.reports.get(&id).await?;
        let missing = || Error {
            field: Some(field.to_owned()),
            ..Error::new(
                Code::NotFound,
                format!(
                    "No report has the id in {field:?}; it may have expired. Call analyze for a new one."
                ),
            )
        };
        let json = stored.ok_or_else(missing)?;
        // Written by another version of this service: as good as expired.
        Report::read(&json).map_err(|flaw| missing().because(format!("stored report: {flaw}")))
    }
}

/// Reads both. Each is read whatever the other gives, so that neither the
/// answer nor its time tells which ids exist beyond the one that is named.
pub(super) async fn both(
    before: Source,
    after: Source,
    errand: &Errand,
) -> Result<(Report, Report), Error> {
    let (before, after) =
        future::join(before.read("before", errand), after.read("after", errand)).await;
    Ok((before?, after?))
}
