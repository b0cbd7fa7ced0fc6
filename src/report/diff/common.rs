//! What two reports both say: the part of them that can be compared.
//!
//! A measurement that failed in one of them took nothing away from the
//! target, and neither did the short form of `analyze`, which leaves out and
//! cuts. Both would read as changes; here they are taken out of the other
//! report as well.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::rules::MEASURED;

/// Where the measurements stand in a report.
const PROBES: &str = "/probes";

/// How the short form of a report ends a text that it cut.
const CUT: char = '…';

/// The measurements of two reports without what only one of them could say;
/// `short` tells which of them is the short form. Order does not matter.
pub(super) fn parts<'v>(one: &'v Value, other: &'v Value, short: [bool; 2]) -> [Cow<'v, Value>; 2] {
    let mut parts = [Cow::Borrowed(one), Cow::Borrowed(other)];
    for (place, sign, words) in MEASURED {
        let (parent, name) = place.rsplit_once('/').unwrap_or_default();
        match (parent.strip_suffix("/*"), sign.rsplit_once('/')) {
            (Some(parent), Some((_, sign))) => {
                let signed = [one, other].map(|probes| signed(at(probes, parent), sign, words));
                let differ: Vec<&String> = signed[0]
                    .symmetric_difference(&signed[1])
                    .copied()
                    .collect();
                for probes in parts.iter_mut().filter(|_| !differ.is_empty()) {
                    let members = at_mut(probes.to_mut(), parent).and_then(Value::as_object_mut);
                    let Some(members) = members else { continue };
                    differ
                        .iter()
                        .for_each(|member| remove(members.get_mut(*member), name));
                }
            }
            _ if is_signed(at(one, sign), words) != is_signed(at(other, sign), words) => {
                parts
                    .iter_mut()
                    .for_each(|probes| remove(at_mut(probes.to_mut(), parent), name));
            }
            _ => {}
        }
    }
    let [one, other] = &mut parts;
    match short {
        [true, false] => shorten(other.to_mut(), one.to_mut()),
        [false, true] => shorten(one.to_mut(), other.to_mut()),
        _ => {}
    }
    parts
}

/// Members of two reports without those that a short form alone may have left
/// out.
pub(super) fn rest(
    [mut one, mut other]: [Map<String, Value>; 2],
    short: [bool; 2],
) -> [Map<String, Value>; 2] {
    if short[0] {
        other.retain(|name, _| one.contains_key(name));
    }
    if short[1] {
        one.retain(|name, _| other.contains_key(name));
    }
    [one, other]
}

/// The members of an object that have the sign.
fn signed<'v>(object: Option<&'v Value>, sign: &str, words: &[&str]) -> BTreeSet<&'v String> {
    let members = object.and_then(Value::as_object).into_iter().flatten();
    members
        .filter(|(_, member)| is_signed(member.get(sign), words))
        .map(|(name, _)| name)
        .collect()
}

fn is_signed(sign: Option<&Value>, words: &[&str]) -> bool {
    match sign {
        None | Some(Value::Null) => false,
        Some(value) => words.is_empty() || value.as_str().is_some_and(|word| words.contains(&word)),
    }
}

/// What stands at a place of the tables, in the measurements.
fn at<'v>(probes: &'v Value, place: &str) -> Option<&'v Value> {
    probes.pointer(place.strip_prefix(PROBES)?)
}

fn at_mut<'v>(probes: &'v mut Value, place: &str) -> Option<&'v mut Value> {
    probes.pointer_mut(place.strip_prefix(PROBES)?)
}

fn remove(object: Option<&mut Value>, name: &str) {
    if let Some(Value::Object(members)) = object {
        members.remove(name);
    }
}

/// Brings the measurements `full` into the form of `short`.
fn shorten(full: &mut Value, short: &mut Value) {
    if let Some(limit) = shortest_cut(short) {
        cut_texts(full, limit);
        cut_texts(short, limit);
    }
    *full = like(full, short);
}

/// The fewest characters left of a text that was cut. Texts are also cut
/// elsewhere, at various lengths; the fewest is safe for all.
fn shortest_cut(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => text.strip_suffix(CUT).map(|kept| kept.chars().count()),
        Value::Array(items) => items.iter().filter_map(shortest_cut).min(),
        Value::Object(members) => members.values().filter_map(shortest_cut).min(),
        _ => None,
    }
}

fn cut_texts(value: &mut Value, limit: usize) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(limit) {
                text.truncate(end);
                text.push(CUT);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, limit)),
        Value::Object(members) => members.values_mut().for_each(|item| cut_texts(item, limit)),
        _ => {}
    }
}

/// `full` without members that `short` does not have, and without the items
/// by which its lists are longer.
fn like(full: &Value, short: &Value) -> Value {
    match (full, short) {
        (Value::Object(full), Value::Object(short)) => {
            let both = short
                .iter()
                .filter_map(|(name, short)| Some((name.clone(), like(full.get(name)?, short))));
            Value::Object(both.collect::<Map<_, _>>())
        }
        (Value::Array(full), Value::Array(short)) => {
            let shape = |at: usize| short.get(at).or(short.last());
            let items = full.iter().enumerate().map(|(at, item)| match shape(at) {
                Some(shape) => like(item, shape),
                None => item.clone(),
            });
            if full.len() <= short.len() {
                return items.collect();
            }
            let known: HashSet<String> = short.iter().map(Value::to_string).collect();
            items
                .filter(|item| known.contains(&item.to_string()))
                .collect()
        }
        _ => full.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_short_form_leaves_out_is_taken_out_of_the_full_one() {
        let long = "x".repeat(300);
        let full = json!({
            "dns": {"txt": {"name": "a.com", "records": [
                {"type": "TXT", "data": {"value": long}, "text": long},
                {"type": "TXT", "data": {"value": "b"}, "text": "b"},
                {"type": "TXT", "data": {"value": "c"}, "text": "c"},
            ]}},
        });
        let cut = json!({"type": "TXT", "text": "x".repeat(200) + "…"});
        let other = json!({"type": "TXT", "text": "c"});
        let short = json!({"dns": {"txt": {"records": [other, cut]}}});
        let [full, _] = parts(&full, &short, [false, true]);
        assert_eq!(*full, json!({"dns": {"txt": {"records": [cut, other]}}}));
    }

    #[test]
    fn a_handshake_that_failed_takes_no_chain_away() {
        let best = |value| json!({"handshakes": {"best": value}, "chain": [1]});
        let good = json!({"tls": best(json!({"version": "TLSv1.3"}))});
        let bad = json!({"tls": best(json!({"failure": {"state": "timed_out"}}))});
        for (one, other) in [(&good, &bad), (&bad, &good)] {
            let parts = parts(one, other, [false, false]);
            assert!(
                parts
                    .iter()
                    .all(|probes| probes.pointer("/tls/chain").is_none())
            );
        }
        let parts = parts(&bad, &bad, [false, false]);
        assert!(
            parts
                .iter()
                .all(|probes| probes.pointer("/tls/chain").is_some())
        );
    }
}
