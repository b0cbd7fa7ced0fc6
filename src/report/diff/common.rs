//! What two reports both say: the part of them that can be compared.
//!
//! A measurement that failed in one of them took nothing away from the
//! target, and neither did the short form of `analyze`, which leaves out and
//! cuts. Both would read as changes; here they are taken out of the other
//! report as well.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

use super::rules::MEASURED;

/// How the short form of a report ends a text that it cut.
const CUT: char = '…';

/// Takes out of both reports what only one of them could say. Order does not
/// matter.
pub(super) fn reduce(one: &mut Value, other: &mut Value) {
    for (place, sign, words) in MEASURED {
        for member in members(place, [one, other]) {
            let (place, sign) = (place.replace('*', &member), sign.replace('*', &member));
            if is_signed(one, &sign, words) != is_signed(other, &sign, words) {
                remove(one, &place);
                remove(other, &place);
            }
        }
    }
    match (is_short(one), is_short(other)) {
        (true, false) => shorten(other, one),
        (false, true) => shorten(one, other),
        _ => {}
    }
}

/// Whether a report says that parts of it were left out.
fn is_short(report: &Value) -> bool {
    report
        .get("omitted")
        .and_then(Value::as_array)
        .is_some_and(|omitted| !omitted.is_empty())
}

/// The members that `*` stands for in either report, as parts of a pointer.
fn members(place: &str, reports: [&Value; 2]) -> BTreeSet<String> {
    let Some((parent, _)) = place.split_once("/*") else {
        return BTreeSet::from([String::new()]);
    };
    let objects = reports
        .into_iter()
        .filter_map(|report| report.pointer(parent)?.as_object());
    let names = objects.flat_map(|object| object.keys());
    names
        .map(|name| name.replace('~', "~0").replace('/', "~1"))
        .collect()
}

fn is_signed(report: &Value, sign: &str, words: &[&str]) -> bool {
    match report.pointer(sign) {
        None | Some(Value::Null) => false,
        Some(value) => words.is_empty() || value.as_str().is_some_and(|word| words.contains(&word)),
    }
}

fn remove(report: &mut Value, place: &str) {
    let Some((parent, name)) = place.rsplit_once('/') else {
        return;
    };
    if let Some(members) = report.pointer_mut(parent).and_then(Value::as_object_mut) {
        members.remove(name);
    }
}

/// Brings the measurements of `full` into the form of those of `short`.
fn shorten(full: &mut Value, short: &mut Value) {
    let (Some(full), Some(short)) = (full.get_mut("probes"), short.get_mut("probes")) else {
        return;
    };
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

    fn report(probes: Value, short: bool) -> Value {
        let omitted = if short { vec!["the rest"] } else { vec![] };
        json!({ "probes": probes, "omitted": omitted })
    }

    #[test]
    fn what_the_short_form_leaves_out_is_taken_out_of_the_full_one() {
        let long = "x".repeat(300);
        let mut full = report(
            json!({
                "dns": {"txt": {"name": "a.com", "records": [
                    {"type": "TXT", "data": {"value": long}, "text": long},
                    {"type": "TXT", "data": {"value": "b"}, "text": "b"},
                    {"type": "TXT", "data": {"value": "c"}, "text": "c"},
                ]}},
            }),
            false,
        );
        let cut = "x".repeat(200) + "…";
        let mut short = report(
            json!({"dns": {"txt": {"records": [{"type": "TXT", "text": "c"}, {"type": "TXT", "text": cut}]}}}),
            true,
        );
        reduce(&mut full, &mut short);
        let texts = full
            .pointer("/probes/dns/txt/records")
            .and_then(Value::as_array)
            .expect("is a list");
        assert_eq!(
            *texts,
            [
                json!({"type": "TXT", "text": cut}),
                json!({"type": "TXT", "text": "c"})
            ]
        );
        assert_eq!(full.pointer("/probes/dns/txt/name"), None);
    }

    #[test]
    fn a_handshake_that_failed_takes_no_chain_away() {
        let mut good = report(
            json!({"tls": {"handshakes": {"best": {"version": "TLSv1.3"}}, "chain": [1]}}),
            false,
        );
        let mut bad = report(
            json!({"tls": {"handshakes": {"best": {"failure": {"state": "timed_out"}}}, "chain": []}}),
            false,
        );
        reduce(&mut good, &mut bad);
        assert_eq!(
            (
                good.pointer("/probes/tls/chain"),
                bad.pointer("/probes/tls/chain")
            ),
            (None, None)
        );
        assert!(
            good.pointer("/probes/tls/handshakes/best/version")
                .is_some()
        );
    }
}
