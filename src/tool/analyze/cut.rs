//! Measurements cut to what a reader wants first. Pure; what is cut is the
//! copy, never what is stored, and most of what goes is not copied first.

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
    let mut probes = shortened_value(probes, cut);
    if cut.plain
        && let Some(chain) = probes
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

/// A copy with every list and every text held to its bound.
fn shortened_value(value: &Value, cut: Cut) -> Value {
    match value {
        Value::String(text) => Value::String(shortened(text, cut.characters)),
        Value::Array(items) => shortened_list(items, cut, |item| shortened_value(item, cut)),
        Value::Object(members) if cut.plain && is_exchange(members) => {
            shortened_exchange(members, cut)
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.as_str(), shortened_value(member, cut)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn shortened_list(items: &[Value], cut: Cut, copied: impl Fn(&Value) -> Value) -> Value {
    items.iter().take(cut.items).map(copied).collect()
}

/// A DNS answer, wherever it stands.
fn is_exchange(members: &Map<String, Value>) -> bool {
    members.contains_key("records") && members.contains_key("status")
}

/// Keeps type, lifetime and presentation form of each record.
fn shortened_exchange(members: &Map<String, Value>, cut: Cut) -> Value {
    let mut kept = Map::new();
    for (name, member) in members {
        let member = match (name.as_str(), member) {
            ("authority" | "signatures" | "name" | "type", _) => continue,
            ("records", Value::Array(records)) => {
                if records.len() > cut.items {
                    kept.insert("recordCount".into(), records.len().into());
                }
                shortened_list(records, cut, |record| shortened_record(record, cut))
            }
            (_, member) => shortened_value(member, cut),
        };
        kept.insert(name.clone(), member);
    }
    Value::Object(kept)
}

fn shortened_record(record: &Value, cut: Cut) -> Value {
    ["type", "ttl", "text"]
        .into_iter()
        .map(|member| (member, shortened_value(&record[member], cut)))
        .collect()
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

/// The text, or its beginning of so many characters and `…`.
pub(super) fn shortened(text: &str, characters: usize) -> String {
    // Bytes bound characters from above.
    if text.len() <= characters {
        return text.to_owned();
    }
    match text.char_indices().nth(characters) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
