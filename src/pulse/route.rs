//! How a count travels: which object takes it, and how long it is gathered on
//! the way.
//!
//! Client object → shard → collector → KV. A client's object sends at most one
//! batch every ten seconds, however much it is called, so a million clients
//! that are all busy send 100,000 batches a second: 195 to each of [`SHARDS`]
//! shards. A shard sends one batch every fifteen seconds whatever it takes in,
//! so the collector sees 34 a second. `docs/scale.md` simulates it.

/// Shards between clients and collector. A batch keeps the shard it was first
/// sent to, so the number may change between two versions.
pub const SHARDS: u64 = 512;

/// The object that adds up all shards, the only writer of KV. Before there
/// were shards it took the batches of the clients, and still takes what is
/// left of them.
pub const COLLECTOR: &str = "tally";

/// The shard that takes the batches of the object `id`.
pub fn shard_of(id: &str) -> String {
    // FNV-1a: even enough over ids, and stable.
    let hash = id.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{COLLECTOR}:{}", (hash ^ (hash >> 32)) % SHARDS)
}

/// Milliseconds that a client's object gathers counts.
pub fn client_wait_ms(flush_seconds: u32) -> u64 {
    (u64::from(flush_seconds) * 250).min(10_000)
}

/// Milliseconds that a shard gathers batches.
pub fn shard_wait_ms(flush_seconds: u32) -> u64 {
    (u64::from(flush_seconds) * 250).min(15_000)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn shards_share_evenly() {
        let mut taken: BTreeMap<String, u64> = BTreeMap::new();
        for n in 0..SHARDS * 1000 {
            *taken.entry(shard_of(&format!("{n:064x}"))).or_default() += 1;
        }
        assert_eq!(taken.len() as u64, SHARDS);
        // Four deviations of a fair throw.
        let (least, most) = (taken.values().min(), taken.values().max());
        assert!(
            least > Some(&850) && most < Some(&1150),
            "{least:?} {most:?}"
        );
    }

    #[test]
    fn no_object_sees_more_than_two_hundred_a_second_of_a_million_busy_clients() {
        let batches = 1_000_000 * 1000 / client_wait_ms(60);
        assert!(batches / SHARDS <= 200);
        assert!(SHARDS * 1000 / shard_wait_ms(60) <= 200);
    }
}
