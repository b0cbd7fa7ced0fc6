//! Which findings rest on what changed.

use serde_json::Value;

use super::mask::Hosts;
use super::node::key;
use super::rules::{self, Treat};
use super::{Change, show};
use crate::report::Report;

/// Most finding ids named at one change.
const MAX_IDS: usize = 8;

/// Segments that an evidence pointer needs before it also speaks for what
/// lies below or above it: `/probes/dns` alone speaks for nothing.
const NEAR: usize = 3;

/// Fills in [`Change::findings`] from both reports' evidence.
pub(super) fn findings(changes: &mut [Change], reports: [&Report; 2], hosts: &Hosts) {
    let evidence = evidence(reports, hosts);
    for change in changes {
        if let Some(id) = change.path.strip_prefix("/findings/") {
            change.findings = vec![id.to_owned()];
            continue;
        }
        let ids = evidence
            .iter()
            .filter(|(path, _)| is_near(path, &change.path));
        let mut ids: Vec<String> = ids.map(|(_, id)| id.clone()).collect();
        ids.sort();
        ids.dedup();
        ids.truncate(MAX_IDS);
        change.findings = ids;
    }
}

/// Every place that a finding rests on, as changes name places, with the
/// finding's id.
fn evidence(reports: [&Report; 2], hosts: &Hosts) -> Vec<(String, String)> {
    let mut places = Vec::new();
    for report in reports {
        for finding in &report.findings {
            let id = show::segment(&finding.id);
            let pointers = finding.evidence.iter().map(|evidence| &evidence.pointer);
            places.extend(
                pointers.map(|pointer| (locate(&report.probes, pointer, hosts), id.clone())),
            );
        }
    }
    places.sort();
    places.dedup();
    places
}

/// A pointer into a report as a change would name the place: by name where
/// the list is taken apart by name, the list itself where it is a set.
fn locate(probes: &Value, pointer: &str, hosts: &Hosts) -> String {
    let mut tokens = pointer.split('/').skip(1);
    let mut path: Vec<String> = tokens.next().map(str::to_owned).into_iter().collect();
    let mut here = path
        .first()
        .filter(|root| *root == "probes")
        .map(|_| probes);
    for token in tokens {
        let token = token.replace("~1", "/").replace("~0", "~");
        let next = match here {
            Some(Value::Array(items)) => token.parse().ok().and_then(|at: usize| items.get(at)),
            Some(Value::Object(members)) => members.get(&token),
            _ => None,
        };
        let name = match (here, rules::treat(&path)) {
            (Some(Value::Array(_)), Some(Treat::Set | Treat::Values)) => break,
            (Some(Value::Array(_)), Some(Treat::Keyed(names))) => {
                next.map_or(token, |item| key(item, names, hosts))
            }
            _ => token,
        };
        path.push(name);
        here = next;
    }
    show::pointer(&path)
}

/// Whether one path is the other, or begins it and says enough.
fn is_near(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() {
        (one, other)
    } else {
        (other, one)
    };
    match long.strip_prefix(short) {
        Some("") => true,
        Some(rest) => rest.starts_with('/') && short.matches('/').count() >= NEAR,
        None => false,
    }
}
