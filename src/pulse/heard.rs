//! Which messages of counts an object has taken in, so that none counts twice.
//!
//! An isolate that gets no acknowledgement sends a message again: it cannot
//! know whether the object ended before it had stored the counts or after. So
//! the object stores the message's id together with its counts, in one go, and
//! reads the ids again when it next wakes.

use std::collections::{HashSet, VecDeque};

use serde::Deserialize;

/// How long an id is kept, in milliseconds. What an isolate does after its
/// answer is cancelled by the platform after 30 seconds, so nobody can send a
/// message for longer than that.
const KEEP_MS: u64 = 120_000;

/// An id, as it is stored.
#[derive(Clone, Debug, Deserialize)]
pub struct Heard {
    /// The row it stands in. Rows are used again, so that forgetting is no
    /// write of its own.
    pub slot: u32,
    /// The message's id.
    pub message: String,
    /// When it was taken in, in milliseconds since the Unix epoch.
    pub at_ms: u64,
}

/// The ids that are stored.
#[derive(Debug, Default)]
pub struct Hearing {
    known: HashSet<String>,
    /// Oldest first.
    rows: VecDeque<Heard>,
}

impl Hearing {
    /// What the rows of storage say.
    pub fn of(mut rows: Vec<Heard>) -> Hearing {
        rows.sort_by_key(|row| row.at_ms);
        Hearing {
            known: rows.iter().map(|row| row.message.clone()).collect(),
            rows: rows.into(),
        }
    }

    /// Whether a message has been taken in.
    pub fn knows(&self, message: &str) -> bool {
        self.known.contains(message)
    }

    /// The row that has to be stored together with what `message` brings.
    pub fn take_in(&mut self, message: &str, now_ms: u64) -> Heard {
        let past = |row: &Heard| row.at_ms + KEEP_MS < now_ms;
        let slot = match self.rows.front().is_some_and(past) {
            true => self.forget_oldest(),
            false => None,
        };
        let slot = slot.unwrap_or_else(|| u32::try_from(self.rows.len()).unwrap_or(u32::MAX));
        let row = Heard {
            slot,
            message: message.to_owned(),
            at_ms: now_ms,
        };
        self.known.insert(row.message.clone());
        self.rows.push_back(row.clone());
        row
    }

    /// Gives back the row that is free now.
    fn forget_oldest(&mut self) -> Option<u32> {
        let oldest = self.rows.pop_front()?;
        self.known.remove(&oldest.message);
        Some(oldest.slot)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// An object: what it stores, and what it has in memory.
    #[derive(Default)]
    struct Object {
        stored: BTreeMap<u32, Heard>,
        counted: u64,
        memory: Hearing,
    }

    impl Object {
        /// Storage takes row and counts in one go, or neither.
        fn deliver(&mut self, message: &str, counts: u64, now_ms: u64) {
            if !self.memory.knows(message) {
                let row = self.memory.take_in(message, now_ms);
                self.stored.insert(row.slot, row);
                self.counted += counts;
            }
        }

        fn end(&mut self) {
            self.memory = Hearing::of(self.stored.values().cloned().collect());
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        /// The clock moves by milliseconds.
        Clock(u64),
        /// A message with so many counts; it arrives.
        Send(u64),
        /// One of the last messages is sent again, acknowledged or not.
        Again(usize),
        /// The object ends; storage is all that is left.
        End,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0_u64..20_000).prop_map(Step::Clock),
            (1_u64..500).prop_map(Step::Send),
            (0_usize..8).prop_map(Step::Again),
            Just(Step::End),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_sent_again_and_whenever_the_object_ends_each_message_counts_once(
            steps in prop::collection::vec(step(), 1..300),
        ) {
            let (mut object, mut now, mut made) = (Object::default(), 1_800_000_000_000, 0);
            let mut sent: Vec<(String, u64, u64)> = Vec::new();
            for step in steps {
                match step {
                    Step::Clock(ms) => now += ms,
                    Step::End => object.end(),
                    Step::Send(counts) => {
                        let message = format!("{:016x}", sent.len());
                        object.deliver(&message, counts, now);
                        sent.push((message, counts, now));
                        made += counts;
                    }
                    Step::Again(back) => {
                        let lives = |at: u64| now - at <= 30_000;
                        if let Some((message, counts, at)) = sent.iter().rev().nth(back)
                            && lives(*at)
                        {
                            object.deliver(message, *counts, now);
                        }
                    }
                }
                prop_assert_eq!(object.counted, made);
                prop_assert_eq!(object.stored.len(), object.memory.rows.len());
            }
        }
    }

    #[test]
    fn rows_are_used_again_once_nobody_can_send_their_message_any_more() {
        let mut object = Object::default();
        for second in 0..10_000 {
            object.deliver(&second.to_string(), 1, 1_800_000_000_000 + second * 1000);
        }
        assert_eq!(object.counted, 10_000);
        assert!(object.stored.len() <= 122, "{}", object.stored.len());
    }

    #[test]
    fn a_clock_that_steps_back_forgets_nothing() {
        let mut object = Object::default();
        object.deliver("a", 1, 1_800_000_100_000);
        object.deliver("b", 1, 1_800_000_000_000);
        object.end();
        object.deliver("a", 1, 1_800_000_000_001);
        object.deliver("b", 1, 1_800_000_000_001);
        assert_eq!(object.counted, 2);
    }
}
