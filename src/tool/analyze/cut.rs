//! Measurements cut to what a reader wants first. Pure; what is cut is the
//! copy, never what is stored.

use serde_json::{Map, Value, json};

use super::summary::size;

/// How much of the measurements stays.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Items per list, DNS records included.
    pub items: usize,
    /// Header fields beside those that findings speak about.
    pub fields: usize,
    /// Characters per text.
    pub characters: usize,
    /// Whether records and certificates lose the members that repeat others.
    pub plain: bool,
}

/// The measurements within `cut`.
pub(super) fn measurements(probes: &Value, cut: Cut) -> Value {
    let mut probes = probes.clone();
    if cut.plain {
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
    }
    for journey in ["/http/https/page/headers", "/http/http/page/headers"] {
        if let Some(headers) = probes.pointer_mut(journey).and_then(Value::as_object_mut) {
            shorten_fields(headers, cut.fields);
        }
    }
    shorten(&mut probes, cut);
    probes
}

/// Takes the largest parts out, two levels down, until the rest has at most
/// `room` bytes; answers where they stood.
pub(super) fn shed(probes: &mut Value, room: usize) -> Vec<String> {
    let mut parts: Vec<(usize, String, String)> = Vec::new();
    for (topic, members) in probes.as_object().into_iter().flatten() {
        for (name, part) in members.as_object().into_iter().flatten() {
            parts.push((size(part) + name.len() + 4, topic.clone(), name.clone()));
        }
    }
    // By size, and where that is the same by place: the same report is always
    // cut the same way.
    parts.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.cmp(other)));
    let mut left = size(probes);
    let mut gone = Vec::new();
    for (bytes, topic, name) in parts {
        if left <= room {
            return gone;
        }
        if let Some(members) = probes.get_mut(&topic).and_then(Value::as_object_mut) {
            members.remove(&name);
            left = left.saturating_sub(bytes);
            gone.push(format!("{topic}.{name}"));
        }
    }
    if size(probes) > room {
        *probes = json!({});
        return vec![String::from("all of them")];
    }
    gone
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
    list.truncate(cut.items);
    for record in list.iter_mut() {
        *record = json!({ "type": record["type"], "ttl": record["ttl"], "text": record["text"] });
    }
    if had > cut.items {
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

/// Holds every list and every text to its bound.
fn shorten(value: &mut Value, cut: Cut) {
    match value {
        Value::String(text) => shorten_text(text, cut.characters),
        Value::Array(items) => {
            items.truncate(cut.items);
            items.iter_mut().for_each(|item| shorten(item, cut));
        }
        Value::Object(members) => members.values_mut().for_each(|item| shorten(item, cut)),
        _ => {}
    }
}

/// Ends a longer text in `…` after so many characters.
pub(super) fn shorten_text(text: &mut String, characters: usize) {
    // Bytes bound characters from above.
    if text.len() <= characters {
        return;
    }
    if let Some((cut, _)) = text.char_indices().nth(characters) {
        text.truncate(cut);
        text.push('…');
    }
}
