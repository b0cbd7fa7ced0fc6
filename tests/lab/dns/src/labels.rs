//! Labels a zone file cannot spell. The parser takes host names only, but a label on the wire may
//! hold any bytes (RFC 2181 section 11), and a hostile zone makes use of that. In the targets of
//! MX, PTR and CNAME records a label `hex--3c623e` stands for the bytes it spells, here `<b>`.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::{Context, Result};
use hickory_server::proto::rr::{
    Name, RData, Record, RecordSet, RrKey,
    rdata::{CNAME, MX, PTR},
};

const PREFIX: &[u8] = b"hex--";

/// Spells out every such label of a zone.
pub fn spell_out(records: &mut BTreeMap<RrKey, RecordSet>) -> Result<()> {
    for set in records.values_mut() {
        let mut spelt = Vec::new();
        let mut changed = false;
        for record in set.records_without_rrsigs() {
            let data = target(&record.data)?;
            changed |= data.is_some();
            let data = data.unwrap_or_else(|| record.data.clone());
            spelt.push(Record::from_rdata(record.name.clone(), record.ttl, data));
        }
        if changed {
            set.set_records(spelt);
        }
    }
    Ok(())
}

fn target(data: &RData) -> Result<Option<RData>> {
    Ok(match data {
        RData::MX(mx) => name(&mx.exchange)?.map(|name| RData::MX(MX::new(mx.preference, name))),
        RData::PTR(ptr) => name(&ptr.0)?.map(|name| RData::PTR(PTR(name))),
        RData::CNAME(cname) => name(&cname.0)?.map(|name| RData::CNAME(CNAME(name))),
        _ => None,
    })
}

fn name(name: &Name) -> Result<Option<Name>> {
    if !name.iter().any(|label| label.starts_with(PREFIX)) {
        return Ok(None);
    }
    let labels = name
        .iter()
        .map(|label| match label.strip_prefix(PREFIX) {
            Some(hex) => bytes(hex).map(Arc::from),
            None => Ok(Arc::from(label)),
        })
        .collect::<Result<Vec<Arc<[u8]>>>>()?;
    let mut spelt = Name::from_labels(labels.iter().map(AsRef::as_ref))?;
    spelt.set_fqdn(true);
    Ok(Some(spelt))
}

fn bytes(hex: &[u8]) -> Result<Vec<u8>> {
    let text = std::str::from_utf8(hex)?;
    (0..text.len())
        .step_by(2)
        .map(|at| {
            let pair = text.get(at..at + 2).context("hex digits come in pairs")?;
            u8::from_str_radix(pair, 16).context("not a hex digit")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelt_label_becomes_its_bytes_and_others_stay() {
        let before = Name::from_ascii("hex--3c623e.lab-hostile.com.").unwrap();
        let after = name(&before).unwrap().unwrap();
        let labels: Vec<&[u8]> = after.iter().collect();
        assert_eq!(labels, [b"<b>".as_slice(), b"lab-hostile", b"com"]);
        assert_eq!(
            name(&Name::from_ascii("plain.org.").unwrap()).unwrap(),
            None
        );
    }

    #[test]
    fn half_a_byte_is_an_error() {
        assert!(bytes(b"3c6").is_err());
    }
}
