//! What one isolate remembers between requests: who is over budget until
//! when, and budgets kept here while their object cannot be reached.

use std::cell::RefCell;
use std::collections::HashMap;

use sha2::{Digest, Sha256};
use siphasher::sip::SipHasher24;

use crate::config::Rate;

use super::budget::{Account, Decision};

/// Entries kept per map; a flood of addresses cannot grow an isolate.
const CAP: usize = 10_000;

type Key = (String, &'static str);

/// Isolate-wide state of the gate.
pub struct Memory {
    /// The key of every keyed hash: `LOG_KEY`, or random per isolate.
    log_key: Vec<u8>,
    /// SipHash-2-4 under that key: made for short texts and 64 bits, a tenth of
    /// what HMAC-SHA-256 costs.
    keyed: SipHasher24,
    shared: bool,
    limited: RefCell<HashMap<Key, Limit>>,
    fallback: RefCell<HashMap<Key, Account>>,
}

#[derive(Clone, Copy)]
struct Limit {
    since_ms: u64,
    until_ms: u64,
    full_ms: u64,
}

impl Memory {
    /// Remembers nothing yet.
    pub fn new(log_key: Vec<u8>) -> Memory {
        Memory {
            keyed: keyed(&log_key),
            log_key,
            shared: false,
            limited: RefCell::default(),
            fallback: RefCell::default(),
        }
    }

    /// Says that every isolate has this key: it is the secret `LOG_KEY`.
    pub fn shared(self) -> Memory {
        Memory {
            shared: true,
            ..self
        }
    }

    /// A text's hash under the key.
    pub(super) fn hash(&self, text: &str) -> u64 {
        self.keyed.hash(text.as_bytes())
    }

    /// The key of a client's sketches. All isolates have to agree on it, so
    /// where the key of hashes is not shared it is the client's alone.
    pub(super) fn sketch_key(&self, client: &str) -> Vec<u8> {
        let secret = if self.shared { &*self.log_key } else { &[] };
        [secret, b"|", client.as_bytes()].concat()
    }

    /// The refusal that still holds for this client and tool, so that the
    /// object need not be woken to repeat it.
    pub(super) fn still_limited(
        &self,
        key: &str,
        tool: &'static str,
        now_ms: u64,
    ) -> Option<Decision> {
        let limited = self.limited.borrow();
        if limited.is_empty() {
            return None;
        }
        let limit = limited.get(&(key.to_owned(), tool))?;
        // A clock that stepped back makes the memory worthless: ask again.
        if now_ms < limit.since_ms {
            return None;
        }
        let wait_ms = limit
            .until_ms
            .checked_sub(now_ms)
            .filter(|wait| *wait > 0)?;
        let span = limit.full_ms.checked_sub(now_ms)?;
        Some(Decision {
            admitted: false,
            remaining: 0,
            reset_seconds: span.div_ceil(1000),
            wait_ms,
        })
    }

    /// Remembers a refusal until its time has come.
    pub(super) fn remember_limited(
        &self,
        key: &str,
        tool: &'static str,
        refused: Decision,
        now_ms: u64,
    ) {
        let mut limited = self.limited.borrow_mut();
        if limited.len() >= CAP {
            limited.retain(|_, limit| limit.until_ms > now_ms);
        }
        if limited.len() < CAP {
            let limit = Limit {
                since_ms: now_ms,
                until_ms: now_ms + refused.wait_ms,
                full_ms: now_ms + refused.reset_seconds * 1000,
            };
            limited.insert((key.to_owned(), tool), limit);
        }
    }

    /// The strict policy: a tenth of the budget, at least one call, counted
    /// here.
    pub(super) fn spend_fallback(
        &self,
        account: &str,
        name: &'static str,
        rate: Rate,
        cost: u32,
        now_ms: u64,
    ) -> Decision {
        let tenth = Rate {
            limit: (rate.limit / 10).max(1),
            ..rate
        };
        let mut accounts = self.fallback.borrow_mut();
        if accounts.len() >= CAP {
            accounts.retain(|_, account| !account.is_idle(now_ms));
            if accounts.len() >= CAP {
                accounts.clear();
            }
        }
        accounts
            .entry((account.to_owned(), name))
            .or_default()
            .spend(tenth, cost, now_ms)
    }
}

/// SipHash takes 128 bits of key: the first of the SHA-256 of one of any length.
fn keyed(log_key: &[u8]) -> SipHasher24 {
    let digest = Sha256::digest(log_key);
    let mut key = [0; 16];
    key.copy_from_slice(&digest[..16]);
    SipHasher24::new_with_key(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_siphash_2_4_under_half_the_sha_256_of_the_key() {
        // printf %s operator | sha256sum, and the reference implementation of SipHash.
        let memory = Memory::new(b"operator".to_vec());
        assert_eq!(memory.hash("v=spf1 -all"), 0x83c9_3bdb_2b1b_2772);
        let other = Memory::new(b"other".to_vec());
        assert_ne!(other.hash("v=spf1 -all"), 0x83c9_3bdb_2b1b_2772);
    }

    const REFUSED: Decision = Decision {
        admitted: false,
        remaining: 0,
        reset_seconds: 60,
        wait_ms: 6000,
    };

    #[test]
    fn a_refusal_is_repeated_until_its_time_has_come() {
        let memory = Memory::new(Vec::new());
        memory.remember_limited("198.51.100.7", "analyze", REFUSED, 1_000_000);
        let later = memory
            .still_limited("198.51.100.7", "analyze", 1_002_000)
            .unwrap();
        assert_eq!(later.retry_after(), 4);
        assert_eq!(
            memory.still_limited("198.51.100.7", "analyze", 1_006_000),
            None
        );
    }

    #[test]
    fn a_clock_that_steps_back_ends_a_remembered_refusal() {
        let memory = Memory::new(Vec::new());
        memory.remember_limited("198.51.100.7", "analyze", REFUSED, 10_000_000);
        assert_eq!(
            memory.still_limited("198.51.100.7", "analyze", 9_000_000),
            None
        );
    }

    #[test]
    fn a_refusal_holds_for_one_client_and_one_tool() {
        let memory = Memory::new(Vec::new());
        memory.remember_limited("198.51.100.7", "analyze", REFUSED, 1_000_000);
        assert_eq!(
            memory.still_limited("198.51.100.8", "analyze", 1_000_000),
            None
        );
        assert_eq!(
            memory.still_limited("198.51.100.7", "lookup", 1_000_000),
            None
        );
    }

    #[test]
    fn without_its_object_a_client_has_a_tenth_of_the_budget() {
        let memory = Memory::new(Vec::new());
        let rate = Rate {
            limit: 20,
            seconds: 60,
        };
        let admitted = (0..20)
            .filter(|_| {
                memory
                    .spend_fallback("198.51.100.7", "analyze", rate, 1, 1_000_000)
                    .admitted
            })
            .count();
        assert_eq!(admitted, 2);
    }

    #[test]
    fn a_flood_of_addresses_cannot_grow_the_memory() {
        let memory = Memory::new(Vec::new());
        for n in 0..CAP + 10 {
            memory.remember_limited(&n.to_string(), "analyze", REFUSED, 1_000_000);
        }
        assert_eq!(memory.limited.borrow().len(), CAP);
        // What has run out makes room.
        let later = 1_000_000 + REFUSED.wait_ms;
        memory.remember_limited("198.51.100.7", "analyze", REFUSED, later);
        assert_eq!(memory.limited.borrow().len(), 1);
    }
}
