//! The last step of every decode: text from outside is cleaned and the whole
//! is brought under [`OUTPUT_LIMIT`], saying what was cut.
//!
//! One place for all formats, so that none can forget it. Readers keep the
//! nesting of what they hand over under [`super::json::DEPTH_LIMIT`], which
//! bounds the recursion here.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::format::PROBLEM_LIMIT;
use super::sweep::{Names, Secrets};
use super::{Confidence, Decoded, Kind, Problem, Reading};
use crate::guard::text;

/// The most bytes an answer may have as compact JSON.
pub const OUTPUT_LIMIT: usize = 24 * 1024;

/// The share of [`OUTPUT_LIMIT`] that problems may take.
const PROBLEMS_LIMIT: usize = 12 * 1024;

/// The share that notes may take.
const NOTES_LIMIT: usize = 2 * 1024;

/// A message is a sentence, not a copy of the text.
const MESSAGE_LIMIT: usize = 300;

/// What is cut step by step until the fields fit: members per list or object,
/// characters per string.
const STEPS: &[(usize, usize)] = &[
    (100, 1024),
    (64, 512),
    (32, 256),
    (16, 128),
    (8, 96),
    (4, 64),
    (2, 48),
    (1, 32),
];

/// The finished answer.
pub(super) fn decoded(
    text: &str,
    kind: Kind,
    (confidence, runner_up): (Confidence, Option<Kind>),
    reading: Reading<Map<String, Value>>,
) -> Decoded {
    let mut cuts = Cuts::default();
    let problems = fit_problems(reading.problems, &mut cuts);
    let notes = fit_notes(reading.notes);
    let spent = json_len(&problems) + NOTES_LIMIT + 256;
    let fields = fit_fields(reading.value, OUTPUT_LIMIT.saturating_sub(spent), &mut cuts);
    let (fields, problems, mut notes) = swept(&Secrets::of(text), fields, problems, notes);
    notes.extend(cuts.into_note());
    Decoded {
        kind,
        confidence,
        runner_up,
        fields,
        problems,
        notes,
    }
}

/// What had to go.
#[derive(Default)]
struct Cuts {
    /// Path of a list or object, and how many members it had.
    lists: BTreeMap<String, usize>,
    strings: usize,
    problems: usize,
}

impl Cuts {
    /// One sentence about everything that was cut, if anything was.
    fn into_note(self) -> Option<String> {
        const NAMED: usize = 8;
        let mut parts: Vec<String> = self
            .lists
            .iter()
            .take(NAMED)
            .map(|(path, had)| format!("{} had {had} members", clip(path, 60)))
            .collect();
        if self.lists.len() > NAMED {
            parts.push(format!("{} more lists", self.lists.len() - NAMED));
        }
        if self.strings > 0 {
            parts.push(format!("{} long texts", self.strings));
        }
        if self.problems > 0 {
            parts.push(format!("{} lesser problems", self.problems));
        }
        (!parts.is_empty()).then(|| format!("Cut to keep the answer short: {}.", parts.join(", ")))
    }
}

/// Problems by position; the gravest are kept when not all fit.
fn fit_problems(mut problems: Vec<Problem>, cuts: &mut Cuts) -> Vec<Problem> {
    for problem in &mut problems {
        problem.message = text::clean(&problem.message, MESSAGE_LIMIT);
    }
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
    let found = problems.len();
    let mut left = PROBLEMS_LIMIT;
    problems.truncate(PROBLEM_LIMIT);
    problems.retain(|problem| match left.checked_sub(json_len(problem) + 1) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    });
    cuts.problems = found - problems.len();
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems
}

fn fit_notes(notes: Vec<String>) -> Vec<String> {
    let mut left = NOTES_LIMIT.saturating_sub(1024);
    notes
        .iter()
        .map(|note| text::clean(note, MESSAGE_LIMIT))
        .take_while(|note| {
            left = left.saturating_sub(json_len(note) + 1);
            left > 0
        })
        .collect()
}

/// Cleans every string and cuts, step by step, until the fields fit.
fn fit_fields(mut fields: Map<String, Value>, limit: usize, cuts: &mut Cuts) -> Map<String, Value> {
    clean_members(&mut fields);
    if longest(&fields) <= limit {
        return fields;
    }
    for (members, chars) in STEPS {
        if json_len(&fields) <= limit {
            break;
        }
        for (name, value) in &mut fields {
            prune(value, name, *members, *chars, cuts);
        }
    }
    fields
}

/// Everything that is answered, without the secrets of the text.
fn swept(
    secrets: &Secrets,
    fields: Map<String, Value>,
    problems: Vec<Problem>,
    notes: Vec<String>,
) -> (Map<String, Value>, Vec<Problem>, Vec<String>) {
    if secrets.is_empty() {
        return (fields, problems, notes);
    }
    let problems = problems.into_iter().map(|problem| Problem {
        message: secrets.sweep(problem.message),
        ..problem
    });
    let notes = notes.into_iter().map(|note| secrets.sweep(note));
    (
        secrets.sweep_members(fields, Names::Ours),
        problems.collect(),
        notes.collect(),
    )
}

fn clean_members(members: &mut Map<String, Value>) {
    if !members.keys().all(|name| text::is_plain(name)) {
        let named = std::mem::take(members).into_iter();
        *members = named
            .map(|(name, value)| (text::clean(&name, usize::MAX), value))
            .collect();
    }
    members.values_mut().for_each(clean_value);
}

fn clean_value(value: &mut Value) {
    match value {
        Value::String(string) if !text::is_plain(string) => {
            *string = text::clean(string, usize::MAX);
        }
        Value::Array(items) => items.iter_mut().for_each(clean_value),
        Value::Object(members) => clean_members(members),
        _ => {}
    }
}

fn prune(value: &mut Value, path: &str, members: usize, chars: usize, cuts: &mut Cuts) {
    match value {
        Value::String(string) => {
            let short = clip(string, chars);
            if short.len() < string.len() {
                *string = short;
                cuts.strings += 1;
            }
        }
        Value::Array(items) => {
            if items.len() > members {
                cuts.lists.entry(path.to_owned()).or_insert(items.len());
                items.truncate(members);
            }
            for item in items {
                prune(item, path, members, chars, cuts);
            }
        }
        Value::Object(object) => {
            // Our own members are fewer than any step; only a pasted JSON
            // object or a long map is cut here.
            let room = members.max(32);
            if object.len() > room {
                cuts.lists.entry(path.to_owned()).or_insert(object.len());
                *object = std::mem::take(object).into_iter().take(room).collect();
            }
            for (name, item) in object.iter_mut() {
                prune(
                    item,
                    &format!("{path}.{}", clip(name, 40)),
                    members,
                    chars,
                    cuts,
                );
            }
        }
        _ => {}
    }
}

/// At most `chars` characters, the cut marked.
fn clip(string: &str, chars: usize) -> String {
    match string.char_indices().nth(chars) {
        Some((cut, _)) => format!("{}…", string.get(..cut).unwrap_or_default()),
        None => string.to_owned(),
    }
}

/// Bytes that members have as compact JSON if every one of their characters
/// has to be escaped: a walk that spares most answers being written twice.
fn longest(members: &Map<String, Value>) -> usize {
    let member = |(name, value): (&String, &Value)| string_longest(name) + 2 + value_longest(value);
    2 + members.iter().map(member).sum::<usize>()
}

fn value_longest(value: &Value) -> usize {
    match value {
        Value::String(string) => string_longest(string),
        Value::Array(items) => {
            2 + items
                .iter()
                .map(|item| 1 + value_longest(item))
                .sum::<usize>()
        }
        Value::Object(members) => longest(members),
        // No number, `true`, `false` or `null` is longer.
        _ => 32,
    }
}

fn string_longest(string: &str) -> usize {
    "\\u0000".len() * string.len() + 2
}

/// Bytes of a value as compact JSON.
fn json_len(value: &impl serde::Serialize) -> usize {
    text::json::length(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn no_members_are_longer_than_the_longest(
            names in prop::collection::vec(".*", 0..4),
            number: f64,
            integer: i64,
            text in "[\\x00-\\x20\"\\\\é😀]*",
        ) {
            let value = json!({"n": number, "i": [integer, u64::MAX, null, false], "t": text});
            let members: Map<String, Value> = names.into_iter().map(|name| (name, value.clone())).collect();
            prop_assert!(json_len(&members) <= longest(&members));
        }
    }
}
