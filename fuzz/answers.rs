//! What holds of the parsers that TLS servers and log searches feed, whatever
//! they are fed: one function per fuzz target. The targets call these under
//! libFuzzer; `tests/analyze/fuzzed.rs` calls them on the seeds, and on what is
//! bent from them, in every test run.

#![allow(dead_code)] // each target calls one of them

use netrecon::codec::ocsp::Ocsp;
use netrecon::codec::sct::Sct;
use netrecon::probe::ct;
use netrecon::probe::hello::{self, Listener, Offer};

const OFFERS: [&Offer; 4] = [
    &hello::UP_TO_12,
    &hello::UP_TO_11,
    &hello::DATED,
    &hello::POST_QUANTUM,
];

/// An answer is heard alike however it is cut, nothing in it was not offered,
/// and what is kept of it is bounded.
pub fn hello(octets: &[u8]) {
    for offer in OFFERS {
        let whole = Listener::new(offer).hear(octets);
        if let Ok(Some(answer)) = &whole {
            assert!(answer.version <= offer.version);
            assert!(!answer.suite.is_empty());
            assert!(answer.chain.len() <= 16 && answer.chain.len() <= answer.presented);
            assert!(answer.staple.len() <= 16 * 1024 && answer.scts.len() <= 16);
        }
        let mut listener = Listener::new(offer);
        let mut pieces = octets.chunks(7).map(|piece| listener.hear(piece));
        let cut = pieces
            .find(|heard| !matches!(heard, Ok(None)))
            .unwrap_or(Ok(None));
        // What stands behind the end is not heard when it comes later.
        if whole.is_ok() {
            assert_eq!(cut, whole);
        }
    }
}

/// A response is read or refused; its serial number stays short.
pub fn ocsp(octets: &[u8]) {
    if let Ok(ocsp) = Ocsp::from_der(octets) {
        assert!(ocsp.serial.len() <= 128);
        assert!(ocsp.serial.bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
}

/// At most sixteen timestamps, each with a whole log identifier.
pub fn sct(octets: &[u8]) {
    let list = Sct::list(octets);
    assert!(list.len() <= 16 && list.len() * 47 <= octets.len());
    assert!(list.iter().all(|sct| sct.log_id.len() == 44));
}

/// Entries are bounded and clean, and what is cut says so.
pub fn ct(octets: &[u8]) {
    for truncated in [false, true] {
        let Ok(logged) = ct::read(octets, truncated) else {
            continue;
        };
        assert!(logged.truncated || !truncated);
        assert!(logged.entries.len() <= 1000);
        for entry in &logged.entries {
            assert!(entry.names.len() <= 8 && !entry.serial.starts_with('0'));
            let texts = entry.names.iter().chain([&entry.issuer]);
            for text in texts {
                assert!(!text.chars().any(char::is_control), "{text:?}");
            }
        }
    }
}
