//! Signed certificate timestamps (RFC 6962 section 3.2), as certificates
//! embed them and as the TLS extension carries them. Signatures are not
//! verified: which logs there are is not known here.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use x509_parser::extensions::{
    SignedCertificateTimestamp, parse_ct_signed_certificate_timestamp as timestamp,
};

/// Timestamps kept of one list.
const LIMIT: usize = 16;

/// One log's promise to publish a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sct {
    /// Base64 of the log's identifier, as log lists print it.
    pub log_id: String,
    /// Milliseconds since the Unix epoch.
    #[serde(skip)]
    pub at_ms: u64,
}

impl Sct {
    /// The timestamps of a list, up to the first that is broken; at most 16.
    pub fn list(octets: &[u8]) -> Vec<Sct> {
        let Some((length, rest)) = octets.split_first_chunk::<2>() else {
            return Vec::new();
        };
        let length = usize::from(u16::from_be_bytes(*length));
        let mut rest = rest.get(..length).unwrap_or(rest);
        let mut found = Vec::new();
        while found.len() < LIMIT
            && !rest.is_empty()
            && let Ok((behind, one)) = timestamp(rest)
        {
            found.push(Sct::of(&one));
            rest = behind;
        }
        found
    }

    /// Takes over a parsed one.
    pub(crate) fn of(parsed: &SignedCertificateTimestamp<'_>) -> Sct {
        Sct {
            log_id: STANDARD.encode(parsed.id.key_id),
            at_ms: parsed.timestamp,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(log: u8, at: u64) -> Vec<u8> {
        let mut sct = vec![0];
        sct.extend([log; 32]);
        sct.extend(at.to_be_bytes());
        sct.extend([0, 0, 4, 3, 0, 2, 0xAA, 0xBB]);
        [(sct.len() as u16).to_be_bytes().to_vec(), sct].concat()
    }

    fn list(of: &[Vec<u8>]) -> Vec<u8> {
        let all = of.concat();
        [(all.len() as u16).to_be_bytes().to_vec(), all].concat()
    }

    #[test]
    fn each_timestamp_names_its_log_and_moment() {
        let found = Sct::list(&list(&[one(1, 1_700_000_000_000), one(2, 5)]));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].at_ms, 1_700_000_000_000);
        assert_eq!(found[0].log_id, STANDARD.encode([1; 32]));
    }

    #[test]
    fn what_is_cut_off_or_endless_is_kept_to_what_is_whole() {
        let whole = list(&[one(1, 1), one(2, 2)]);
        assert_eq!(Sct::list(&whole[..whole.len() - 1]).len(), 1);
        assert_eq!(Sct::list(&list(&vec![one(3, 3); 100])).len(), LIMIT);
        assert!(Sct::list(&[]).is_empty());
        assert!(Sct::list(&[0, 2, 0, 0]).is_empty());
    }
}
