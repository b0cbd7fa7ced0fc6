//! The short form of a report: findings whole, measurements cut to what a
//! reader wants first, the whole under 14 KB wherever findings leave room.

use serde_json::{Map, Value, json};

use crate::report::Report;

/// Bytes of the answer as compact JSON.
const LIMIT: usize = 14_000;

/// What is cut step by step until the answer fits: records per answer, header
/// fields, characters per text.
const STEPS: [(usize, usize, usize); 4] = [(8, 40, 200), (4, 24, 120), (2, 12, 80), (0, 0, 48)];

/// Cuts `probes`; pointers of findings keep leading somewhere as long as
/// there is room for what they lead to.
pub(super) fn of(mut report: Report) -> Report {
    let whole = std::mem::take(&mut report.probes);
    report.omitted = vec![omission(report.id.as_deref())];
    for (records, fields, characters) in STEPS {
        report.probes = essentials(&whole, records, fields, characters);
        if size(&report) <= LIMIT {
            break;
        }
    }
    report
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

fn essentials(probes: &Value, records: usize, fields: usize, characters: usize) -> Value {
    let mut probes = probes.clone();
    if let Some(dns) = probes.get_mut("dns").and_then(Value::as_object_mut) {
        for exchange in dns.values_mut() {
            shorten_exchange(exchange, records, characters);
        }
    }
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
            shorten_fields(headers, fields);
        }
    }
    cut_texts(&mut probes, characters);
    probes
}

/// Keeps type, lifetime and presentation form of each record.
fn shorten_exchange(exchange: &mut Value, records: usize, characters: usize) {
    let Some(members) = exchange.as_object_mut() else {
        return;
    };
    for member in ["authority", "signatures", "name", "type"] {
        members.remove(member);
    }
    let Some(list) = members.get_mut("records").and_then(Value::as_array_mut) else {
        return;
    };
    let had = list.len();
    list.truncate(records);
    for record in list.iter_mut() {
        *record = json!({ "type": record["type"], "ttl": record["ttl"], "text": record["text"] });
        cut_texts(record, characters);
    }
    if had > records {
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
        first || kept <= fields.saturating_sub(FIRST.len())
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
