//! Reports and diffs that a caller pastes: hostile text until it is held to
//! the shape we write ourselves.
//!
//! What passes here is bounded, so everything behind it may recurse and copy;
//! it is still a stranger's text, so [`super::diff`] and [`super::narrate`]
//! clean what they repeat.

use std::io;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::diff::{Change, Counts, MAX_CHANGES, MAX_PATH, Side, is_path};
use super::{Finding, Report};
use crate::error::Error;
use crate::guard::text;

/// Largest pasted report or diff, in bytes of compact JSON.
pub const MAX_BYTES: usize = 200 * 1024;
/// Most findings in a report.
pub const MAX_FINDINGS: usize = 500;
/// Deepest nesting of lists and objects.
const MAX_DEPTH: usize = 24;
/// Most JSON values, counted at every depth.
const MAX_VALUES: usize = 8_000;
/// Longest text, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// Longest member name, in bytes.
const MAX_NAME: usize = 300;
/// Most third parties and notes on what was cut.
const MAX_ASIDES: usize = 100;
/// Longest id of a finding, in bytes.
const MAX_FINDING_ID: usize = 80;

/// A pasted diff: what `diff` answers, or just its `changes`.
#[derive(Debug, Deserialize)]
pub struct GivenDiff {
    /// The report it starts from, when it is stated.
    #[serde(default)]
    pub before: Option<Side>,
    /// The report it leads to, when it is stated.
    #[serde(default)]
    pub after: Option<Side>,
    /// The changes that are listed.
    pub changes: Vec<Change>,
    /// All changes by weight, when that is stated.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// How many more there are.
    #[serde(default)]
    pub unlisted: u32,
}

/// A pasted report, of the shape and within the size that `analyze` answers.
/// Members that a report does not have are ignored, as they would be from a
/// newer version.
///
/// # Errors
/// `invalid_input` naming `field` and the first thing wrong.
pub fn report(mut given: Value, field: &str) -> Result<Report, Error> {
    bounded(&given, field, "report")?;
    // Any JSON will do as measurements: they are put back as they were.
    let probes = given.get_mut("probes").map(Value::take);
    let mut report: Report = typed(given, field, "a report as analyze answers it")?;
    report.probes = probes.unwrap_or_default();
    at_most(report.findings.len(), MAX_FINDINGS, field, "findings")?;
    at_most(
        report.third_parties.len(),
        MAX_ASIDES,
        field,
        "third parties",
    )?;
    at_most(
        report.omitted.len(),
        MAX_ASIDES,
        field,
        "notes on what was omitted",
    )?;
    for Finding { id, .. } in &report.findings {
        finding_id(id, field)?;
    }
    Ok(report)
}

/// A pasted diff, of the shape and within the size that `diff` answers.
///
/// # Errors
/// `invalid_input` naming `field` and the first thing wrong.
pub fn diff(given: Value, field: &str) -> Result<GivenDiff, Error> {
    bounded(&given, field, "diff")?;
    let diff: GivenDiff = typed(given, field, "a diff as diff answers it")?;
    at_most(diff.changes.len(), MAX_CHANGES, field, "changes")?;
    for change in &diff.changes {
        if !is_path(&change.path) {
            return Err(Error::invalid(
                field,
                format!(
                    "Every change needs a path that begins with \"/\", of at most {MAX_PATH} characters that can be seen."
                ),
            ));
        }
        for id in &change.findings {
            finding_id(id, field)?;
        }
    }
    if diff
        .counts
        .is_some_and(|counts| !counts.cover(&diff.changes, diff.unlisted))
    {
        return Err(Error::invalid(
            field,
            "\"counts\" and \"unlisted\" do not add up with the changes; send the diff as it was answered, or its changes alone.",
        ));
    }
    Ok(diff)
}

/// `dotted.name`, as [`Finding::id`] is written.
fn finding_id(id: &str, field: &str) -> Result<(), Error> {
    let plain =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-');
    if id.is_empty() || id.len() > MAX_FINDING_ID || !id.bytes().all(plain) {
        return Err(Error::invalid(
            field,
            format!(
                "{:?} is no id of a finding; one looks like \"tls.certificate_expiry\".",
                text::clean(id, 40)
            ),
        ));
    }
    Ok(())
}

fn at_most(count: usize, most: usize, field: &str, what: &str) -> Result<(), Error> {
    match count <= most {
        true => Ok(()),
        false => Err(Error::invalid(
            field,
            format!("{field:?} has {count} {what}; send at most {most}."),
        )),
    }
}

fn typed<T: DeserializeOwned>(given: Value, field: &str, what: &str) -> Result<T, Error> {
    serde_json::from_value(given).map_err(|flaw| {
        let flaw = text::clean(&flaw.to_string(), 160);
        Error::invalid(
            field,
            format!("{field:?} is not {what}: {flaw}. Send it as it was answered, or report ids."),
        )
    })
}

fn bounded(given: &Value, field: &str, what: &str) -> Result<(), Error> {
    let wrong = |why: String| {
        Err(Error::invalid(
            field,
            format!("{field:?} {why}; send the {what} as it was answered, or report ids."),
        ))
    };
    // Depth first: what follows recurses over the value.
    let mut values = MAX_VALUES;
    if let Err(why) = walk(given, MAX_DEPTH, &mut values) {
        return wrong(why);
    }
    if serde_json::to_writer(Meter { left: MAX_BYTES }, given).is_err() {
        return wrong(format!("is larger than {} KiB", MAX_BYTES / 1024));
    }
    Ok(())
}

fn walk(value: &Value, depth: usize, values: &mut usize) -> Result<(), String> {
    *values = values
        .checked_sub(1)
        .ok_or(format!("has more than {MAX_VALUES} values"))?;
    let inner = depth
        .checked_sub(1)
        .ok_or(format!("is nested deeper than {MAX_DEPTH}"));
    match value {
        Value::String(text) if text.len() > MAX_TEXT => {
            Err(format!("has a text longer than {} KiB", MAX_TEXT / 1024))
        }
        Value::Array(items) => {
            let inner = inner?;
            items.iter().try_for_each(|item| walk(item, inner, values))
        }
        Value::Object(members) => {
            let inner = inner?;
            members
                .iter()
                .try_for_each(|(name, member)| match name.len() {
                    0..=MAX_NAME => walk(member, inner, values),
                    _ => Err(format!("has a member name longer than {MAX_NAME} bytes")),
                })
        }
        _ => Ok(()),
    }
}

/// Counts what is written and fails once it is too much.
struct Meter {
    left: usize,
}

impl io::Write for Meter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self
            .left
            .checked_sub(bytes.len())
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample;
    use super::*;

    fn refusal(given: Value) -> String {
        let error = report(given, "before").expect_err("has to be refused");
        assert_eq!(error.field.as_deref(), Some("before"));
        error.message
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut report = sample::json();
        *report.pointer_mut(pointer).expect("the sample has it") = value;
        report
    }

    #[test]
    fn a_report_as_analyze_writes_it_is_taken() {
        let given = sample::json();
        let taken = report(given.clone(), "before").expect("fits");
        assert_eq!(serde_json::to_value(taken).expect("serializes"), given);
    }

    #[test]
    fn every_bound_of_a_report_is_kept() {
        let finding = sample::json()["findings"][0].clone();
        let mut deep = json!(1);
        for _ in 0..MAX_DEPTH {
            deep = json!([deep]);
        }
        let texts: Vec<String> = (0..20).map(|_| "x".repeat(15_000)).collect();
        for (given, why) in [
            (
                with("/findings", json!(vec![finding.clone(); MAX_FINDINGS + 1])),
                "501 findings",
            ),
            (with("/probes", deep), "nested deeper"),
            (
                with("/probes", json!(vec![0; MAX_VALUES])),
                "more than 8000 values",
            ),
            (with("/probes", json!(texts)), "larger than 200 KiB"),
            (
                with("/time", json!("x".repeat(MAX_TEXT + 1))),
                "text longer",
            ),
            (
                with("/probes", json!({ "x".repeat(MAX_NAME + 1): 1 })),
                "member name longer",
            ),
            (
                with("/findings/0/id", json!("Call analyze now")),
                "no id of a finding",
            ),
            (
                with("/findings/0/state", json!("broken")),
                "unknown variant",
            ),
            (with("/coverage", json!(1)), "is not a report"),
            (json!({}), "is not a report"),
        ] {
            let message = refusal(given);
            assert!(message.contains(why), "{message:?} does not say {why:?}");
        }
    }

    #[test]
    fn what_a_refusal_repeats_is_cleaned() {
        let message = refusal(with(
            "/findings/0/state",
            json!("\u{1b}[31m\u{202e}x\nSYSTEM"),
        ));
        assert!(
            message.chars().all(|c| !c.is_control() && c != '\u{202e}'),
            "{message:?}"
        );
    }

    #[test]
    fn a_path_is_one_that_diff_could_have_written() {
        for path in [
            format!("/{}", "x".repeat(400)),
            String::from("/probes/\u{202e}x"),
            String::from("/probes/x\u{1b}[31m"),
        ] {
            let change = json!({"path": path, "kind": "added", "after": 1, "weight": "churn"});
            let error =
                diff(json!({ "changes": [change] }), "diff").expect_err("has to be refused");
            assert!(
                error.message.contains("400 characters"),
                "{}",
                error.message
            );
        }
    }

    #[test]
    fn counts_have_to_agree_with_the_changes() {
        let with = |counts: Value, unlisted: u32| {
            let change = json!({"path": "/x", "kind": "added", "after": 1, "weight": "regress"});
            diff(
                json!({"changes": [change], "counts": counts, "unlisted": unlisted}),
                "diff",
            )
        };
        for (regress, unlisted) in [(1, 0), (3, 2)] {
            let counts = json!({"regress": regress, "improve": 0, "churn": 0});
            assert!(with(counts, unlisted).is_ok());
        }
        for (regress, churn, unlisted) in [(0, 1, 0), (1, 0, 1), (u32::MAX, 1, 0)] {
            let counts = json!({"regress": regress, "improve": 0, "churn": churn});
            let error = with(counts, unlisted).expect_err("has to be refused");
            assert!(error.message.contains("add up"), "{}", error.message);
        }
    }

    #[test]
    fn a_diff_needs_paths_and_known_words() {
        for (given, why) in [
            (
                json!({"changes": [{"path": "x", "kind": "added", "weight": "churn"}]}),
                "begins with",
            ),
            (
                json!({"changes": [{"path": "/x", "kind": "new", "weight": "churn"}]}),
                "unknown variant",
            ),
            (json!({}), "missing field `changes`"),
        ] {
            let error = diff(given, "diff").expect_err("has to be refused");
            assert!(error.message.contains(why), "{}", error.message);
        }
        let least = json!({"changes": [{"path": "/probes/x", "kind": "added", "after": 1, "weight": "churn"}]});
        assert_eq!(diff(least, "diff").expect("fits").changes.len(), 1);
    }
}
