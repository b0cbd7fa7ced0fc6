//! The short form of a report: findings whole, measurements cut to what a
//! reader wants first, the whole under 14 KB wherever findings leave room.

use serde_json::{Map, Value, json};

use crate::report::{Report, State};

/// Bytes of the answer as compact JSON.
const LIMIT: usize = 14_000;

/// How much of the measurements stays.
#[derive(Clone, Copy)]
struct Cut {
    /// Records per answer.
    records: usize,
    /// Header fields beside those that findings speak about.
    fields: usize,
    /// Characters per text.
    characters: usize,
}

/// Tried in turn until the answer fits.
const CUTS: [Cut; 3] = [
    Cut {
        records: 8,
        fields: 24,
        characters: 200,
    },
    Cut {
        records: 4,
        fields: 8,
        characters: 120,
    },
    Cut {
        records: 2,
        fields: 0,
        characters: 80,
    },
];

/// When even the gravest findings leave no room.
const LAST_CUT: Cut = Cut {
    records: 0,
    fields: 0,
    characters: 48,
};

/// States whose findings are named instead of shown where they do not fit,
/// least telling first.
const DISPENSABLE: [(State, &str); 4] = [
    (State::NotApplicable, "that do not apply"),
    (State::Pass, "that pass"),
    (State::Info, "that are facts only"),
    (State::Inconclusive, "that are inconclusive"),
];

/// Cuts measurements, then findings; what is cut is named in `omitted`.
pub(super) fn of(mut report: Report) -> Report {
    let whole = std::mem::take(&mut report.probes);
    report.omitted = vec![omission(report.id.as_deref())];
    for cut in CUTS {
        report.probes = essentials(&whole, cut);
        if size(&report) <= LIMIT {
            return report;
        }
    }
    if let Some(score) = &mut report.header_score {
        score.rows.clear();
        report
            .omitted
            .push(String::from("rows of the header score"));
    }
    for (state, which) in DISPENSABLE {
        leave_out(&mut report, state, which);
        if size(&report) <= LIMIT {
            return report;
        }
    }
    report.probes = essentials(&whole, LAST_CUT);
    report
}

/// Names findings of a state instead of showing them, from the last on, until
/// the rest fits.
fn leave_out(report: &mut Report, state: State, which: &str) {
    let mut named: Vec<String> = Vec::new();
    while size(report) + named.iter().map(|id| id.len() + 2).sum::<usize>() + 64 > LIMIT {
        let Some(at) = report
            .findings
            .iter()
            .rposition(|finding| finding.state == state)
        else {
            break;
        };
        named.push(report.findings.remove(at).id);
    }
    if !named.is_empty() {
        named.reverse();
        report
            .omitted
            .push(format!("findings {which}: {}", named.join(", ")));
    }
}

fn omission(id: Option<&str>) -> String {
    let more = "the whole of each record, header and certificate";
    match id {
        Some(id) => format!("{more}: call again with detail \"full\", or open /api/report/{id}"),
        None => format!("{more}: call again with detail \"full\""),
    }
}

fn size(report: &Report) -> usize {
    serde_json::to_string(report).map_or(0, |json| json.len())
}

fn essentials(probes: &Value, cut: Cut) -> Value {
    let mut probes = probes.clone();
    shorten_exchanges(&mut probes, cut);
    if let Some(chain) = probes
        .pointer_mut("/tls/chain")
        .and_then(Value::as_array_mut)
    {
        chain.truncate(4);
        for (at, certificate) in chain.iter_mut().enumerate() {
            shorten_certificate(certificate, at == 0);
        }
    }
    for journey in ["/http/https/page/headers", "/http/http/page/headers"] {
        if let Some(headers) = probes.pointer_mut(journey).and_then(Value::as_object_mut) {
            shorten_fields(headers, cut.fields);
        }
    }
    cut_texts(&mut probes, cut.characters);
    probes
}

/// Finds DNS answers wherever they stand: by their records and status.
fn shorten_exchanges(value: &mut Value, cut: Cut) {
    match value {
        Value::Object(members)
            if members.contains_key("records") && members.contains_key("status") =>
        {
            shorten_exchange(members, cut);
        }
        Value::Object(members) => members
            .values_mut()
            .for_each(|item| shorten_exchanges(item, cut)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| shorten_exchanges(item, cut)),
        _ => {}
    }
}

/// Keeps type, lifetime and presentation form of each record.
fn shorten_exchange(members: &mut Map<String, Value>, cut: Cut) {
    for member in ["authority", "signatures", "name", "type"] {
        members.remove(member);
    }
    let Some(list) = members.get_mut("records").and_then(Value::as_array_mut) else {
        return;
    };
    let had = list.len();
    list.truncate(cut.records);
    for record in list.iter_mut() {
        *record = json!({ "type": record["type"], "ttl": record["ttl"], "text": record["text"] });
    }
    if had > cut.records {
        members.insert("recordCount".into(), had.into());
    }
}

fn shorten_certificate(certificate: &mut Value, leaf: bool) {
    const EVERY: [&str; 4] = ["subject", "issuer", "notAfter", "key"];
    const LEAF: [&str; 5] = [
        "dnsNames",
        "dnsNameCount",
        "notBefore",
        "signatureAlgorithm",
        "sha256",
    ];
    let Some(members) = certificate.as_object_mut() else {
        return;
    };
    members.retain(|name, _| {
        EVERY.contains(&name.as_str()) || (leaf && LEAF.contains(&name.as_str()))
    });
    if let Some(names) = members.get_mut("dnsNames").and_then(Value::as_array_mut) {
        names.truncate(8);
    }
}

/// Keeps the fields that findings speak about before any other.
fn shorten_fields(headers: &mut Map<String, Value>, fields: usize) {
    const FIRST: [&str; 16] = [
        "strict-transport-security",
        "content-security-policy",
        "content-security-policy-report-only",
        "x-content-type-options",
        "x-frame-options",
        "referrer-policy",
        "permissions-policy",
        "cross-origin-resource-policy",
        "cross-origin-embedder-policy",
        "cross-origin-opener-policy",
        "access-control-allow-origin",
        "set-cookie",
        "server",
        "content-type",
        "cache-control",
        "alt-svc",
    ];
    let mut kept = 0;
    headers.retain(|name, _| {
        let first = FIRST.contains(&name.as_str());
        kept += usize::from(!first);
        first || kept <= fields
    });
}

fn cut_texts(value: &mut Value, characters: usize) {
    match value {
        Value::String(text) => {
            if let Some((cut, _)) = text.char_indices().nth(characters) {
                text.truncate(cut);
                text.push('…');
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| cut_texts(item, characters)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|item| cut_texts(item, characters)),
        _ => {}
    }
}
