//! Certificate transparency (RFC 6962): which certificates the logs hold for
//! a name, asked of the operator's search in the form of crt.sh. What a log
//! holds was issued; whether it is what a server presents is another question,
//! and the two are never mixed.

use std::cell::RefCell;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};

use super::Failure;
use super::net::Net;
use super::slots::Priority;
use crate::guard::text::clean;
use crate::port::Ask;

/// The search's share of time: those that are public are slow.
const LIMIT: Duration = Duration::from_secs(4);

/// Octets of an answer; what stands behind is left out.
const CAP: usize = 256 * 1024;

/// Entries read of one answer.
const ENTRY_LIMIT: usize = 1000;

/// Entries shown of them.
pub const SHOWN_LIMIT: usize = 4;

/// Characters kept of one text.
const TEXT_LIMIT: usize = 160;

/// Names kept of one certificate.
const NAME_LIMIT: usize = 8;

/// Why nothing was asked.
pub const SWITCHED_OFF: &str = "the search for logged certificates is switched off";

/// One logged certificate, or precertificate: both promise the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// Lower-case hexadecimal without leading zeros.
    pub serial: String,
    /// Names it is for.
    pub names: Vec<String>,
    /// As the search says it, `2026-11-22T00:00:00`, UTC.
    pub not_before: String,
    /// Likewise.
    pub not_after: String,
}

/// What the logs hold for a name, newest first, each certificate once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there was more than could be read.
    pub truncated: bool,
}

impl Logged {
    /// Whether a certificate with this serial number is logged.
    pub fn has(&self, serial: &str) -> bool {
        let serial = bare(serial);
        self.entries.iter().any(|entry| entry.serial == serial)
    }
}

/// Asks what is logged for a host name and not expired.
pub async fn search(net: &Net, host: &str) -> Result<Logged, Failure> {
    let Some(endpoint) = &net.config().ct else {
        return Err(Failure::Skipped(SWITCHED_OFF));
    };
    let ask = Ask {
        endpoint,
        suffix: &format!("?q={host}&output=json&exclude=expired&deduplicate=Y"),
        media_type: "application/json",
        body: None,
        cap: CAP,
    };
    let answer = net.ask(ask, Priority::Extra, LIMIT).await?;
    match answer.status {
        200 => read(&answer.body, answer.truncated),
        404 => Ok(Logged {
            entries: Vec::new(),
            truncated: false,
        }),
        status => Err(Failure::Unreachable(format!(
            "HTTP status {status} from the certificate search"
        ))),
    }
}

/// Reads an answer; one that was cut keeps what is whole.
pub fn read(body: &[u8], truncated: bool) -> Result<Logged, Failure> {
    let rows = RefCell::new(Vec::new());
    let mut json = serde_json::Deserializer::from_slice(body);
    let whole = Rows(&rows).deserialize(&mut json);
    let rows = rows.into_inner();
    let cut = truncated || rows.len() >= ENTRY_LIMIT;
    if whole.is_err() && (!cut || rows.is_empty()) {
        return Err(Failure::malformed("not the JSON of a certificate search"));
    }
    let mut entries: Vec<Entry> = rows.into_iter().map(Entry::of).collect();
    entries.sort_by(|one, other| other.not_before.cmp(&one.not_before));
    let mut seen = std::collections::BTreeSet::new();
    entries.retain(|entry| seen.insert((entry.serial.clone(), entry.issuer.clone())));
    Ok(Logged {
        entries,
        truncated: cut,
    })
}

/// A row as crt.sh writes it.
#[derive(Deserialize)]
struct Row {
    #[serde(default)]
    issuer_name: String,
    #[serde(default)]
    name_value: String,
    #[serde(default)]
    not_before: String,
    #[serde(default)]
    not_after: String,
    serial_number: String,
}

impl Entry {
    fn of(row: Row) -> Entry {
        Entry {
            issuer: clean(&row.issuer_name, TEXT_LIMIT),
            serial: bare(&clean(&row.serial_number, 64)),
            names: row
                .name_value
                .lines()
                .take(NAME_LIMIT)
                .map(|name| clean(name, TEXT_LIMIT))
                .collect(),
            not_before: clean(&row.not_before, 32),
            not_after: clean(&row.not_after, 32),
        }
    }
}

fn bare(serial: &str) -> String {
    serial.trim_start_matches('0').to_ascii_lowercase()
}

/// Puts rows aside one by one, so that those before a break are kept.
struct Rows<'a>(&'a RefCell<Vec<Row>>);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a list of certificates")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(row) = list.next_element()? {
            let mut rows = self.0.borrow_mut();
            if rows.len() >= ENTRY_LIMIT {
                return Err(serde::de::Error::custom("more rows than are read"));
            }
            rows.push(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = r#"[
        {"issuer_name":"CN=A","name_value":"a.net\n*.a.net","not_before":"2026-01-01T00:00:00",
         "not_after":"2026-04-01T00:00:00","serial_number":"00ABC1","id":1},
        {"issuer_name":"CN=A","name_value":"a.net","not_before":"2026-03-01T00:00:00",
         "not_after":"2026-06-01T00:00:00","serial_number":"0abc2"},
        {"issuer_name":"CN=A","name_value":"a.net","not_before":"2026-03-01T00:00:00",
         "not_after":"2026-06-01T00:00:00","serial_number":"0abc2"}]"#;

    #[test]
    fn entries_come_newest_first_and_each_certificate_once() {
        let logged = read(TWO.as_bytes(), false).unwrap();
        assert_eq!(logged.entries.len(), 2);
        assert_eq!(logged.entries[0].serial, "abc2");
        assert_eq!(logged.entries[1].names, ["a.net", "*.a.net"]);
        assert!(logged.has("00abc1") && !logged.has("abc3"));
    }

    #[test]
    fn a_cut_answer_keeps_what_is_whole_and_says_so() {
        let cut = &TWO.as_bytes()[..TWO.len() - 30];
        let logged = read(cut, true).unwrap();
        assert_eq!(logged.entries.len(), 2);
        assert!(logged.truncated);
        assert!(read(cut, false).is_err());
        assert!(read(b"<html>busy</html>", true).is_err());
        assert_eq!(read(b"[]", false).unwrap().entries, []);
    }

    #[test]
    fn no_answer_is_read_without_end() {
        let row = r#"{"serial_number":"1"}"#;
        let many = format!("[{}]", vec![row; ENTRY_LIMIT * 3].join(","));
        let logged = read(many.as_bytes(), false).unwrap();
        assert!(logged.truncated && logged.entries.len() == 1);
    }
}
