//! GCRA, the generic cell rate algorithm: a burst of `limit`, refilled evenly.
//!
//! Pure: a state, a rate and a time go in, a decision comes out. The state is
//! one number, the *theoretical arrival time* (TAT): the instant at which the
//! budget would be full again.

use serde::{Deserialize, Serialize};

use crate::config::Rate;

/// Microseconds since the Unix epoch. `u128` so that no product of limit,
/// window and time can overflow. Nothing here is finer, so that what an object
/// stores is exactly what it knew: SQLite is reached through JavaScript's
/// numbers, which hold no nanoseconds.
type Micros = u128;

const SECOND: Micros = 1_000_000;
const MILLI: Micros = 1_000;

/// What one (client, tool) pair has used, as its object keeps it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Account {
    /// The theoretical arrival time; 0 for a client never seen.
    tat: u64,
}

/// What the budget says of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether the call may run.
    pub admitted: bool,
    /// Calls that could still be made at this instant.
    pub remaining: u32,
    /// Whole seconds until the budget is full again.
    pub reset_seconds: u64,
    /// Milliseconds until a refused call would pass; 0 when admitted.
    pub wait_ms: u64,
}

impl Decision {
    /// Whole seconds to wait: a call made after them passes, and one made a
    /// second earlier does not.
    pub fn retry_after(&self) -> u64 {
        self.wait_ms.div_ceil(1000)
    }
}

/// What a client's object says of one call: its budget, and whether the
/// caller runs in circles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The budget's decision.
    pub decision: Decision,
    /// How many refused inputs in a row were alike, this one included.
    pub alike: u32,
}

impl Verdict {
    /// Five numbers: the answer of an object to every call.
    pub fn write(&self) -> String {
        let Decision {
            admitted,
            remaining,
            reset_seconds,
            wait_ms,
        } = self.decision;
        let (admitted, alike) = (u8::from(admitted), self.alike);
        format!("{admitted} {remaining} {reset_seconds} {wait_ms} {alike}")
    }

    /// Reads what [`Verdict::write`] wrote.
    pub fn read(text: &str) -> Option<Verdict> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Verdict {
            decision: Decision {
                admitted: next()? == 1,
                remaining: u32::try_from(next()?).ok()?,
                reset_seconds: next()?,
                wait_ms: next()?,
            },
            alike: u32::try_from(next()?).ok()?,
        })
    }
}

impl Account {
    /// Reads a stored state: microseconds since the Unix epoch.
    pub fn from_stored(tat_us: i64) -> Account {
        Account {
            tat: u64::try_from(tat_us).unwrap_or(0),
        }
    }

    /// The state to store, in microseconds since the Unix epoch.
    pub fn stored(self) -> i64 {
        i64::try_from(self.tat).unwrap_or(i64::MAX)
    }

    /// When the budget is full again, in milliseconds since the Unix epoch.
    pub fn full_at_ms(self) -> u64 {
        self.tat.div_ceil(1_000)
    }

    /// Whether this account is as good as new at `now_ms`, so that its state
    /// need not be kept.
    pub fn is_idle(self, now_ms: u64) -> bool {
        Micros::from(self.tat) <= Micros::from(now_ms) * MILLI
    }

    /// Takes `cost` out of the budget at `now_ms`, or says how long to wait.
    ///
    /// A clock that steps back can never lock a client out for longer than
    /// one full window: a TAT further ahead than that is pulled in.
    pub fn spend(&mut self, rate: Rate, cost: u32, now_ms: u64) -> Decision {
        let now = Micros::from(now_ms) * MILLI;
        let window = Micros::from(rate.seconds) * SECOND;
        let interval = (window / Micros::from(rate.limit.max(1))).max(1);
        // The window that whole intervals make up, so that `limit` calls at
        // one instant are admitted exactly, whatever the division rounds off.
        let full = interval * Micros::from(rate.limit);
        let tat = Micros::from(self.tat).clamp(now, now + full);
        let after = tat + interval * Micros::from(cost);
        let admitted = after <= now + full;
        let tat = if admitted { after } else { tat };
        self.tat = u64::try_from(tat).unwrap_or(u64::MAX);
        let free = now + full - tat;
        Decision {
            admitted,
            remaining: u32::try_from(free / interval).unwrap_or(u32::MAX),
            reset_seconds: narrow((tat - now).div_ceil(SECOND)),
            wait_ms: match admitted {
                true => 0,
                false => narrow((after - now - full).div_ceil(MILLI)),
            },
        }
    }
}

fn narrow(value: Micros) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEN: Rate = Rate {
        limit: 10,
        seconds: 60,
    };
    const NOON: u64 = 1_800_000_000_000;

    fn spend_times(account: &mut Account, rate: Rate, times: u32) {
        for _ in 0..times {
            account.spend(rate, 1, NOON);
        }
    }

    #[test]
    fn a_burst_of_the_limit_passes_and_one_more_does_not() {
        let mut account = Account::default();
        for left in (0..10).rev() {
            let decision = account.spend(TEN, 1, NOON);
            assert!(decision.admitted);
            assert_eq!(decision.remaining, left);
        }
        let refused = account.spend(TEN, 1, NOON);
        assert!(!refused.admitted);
        assert_eq!(refused.wait_ms, 6000);
        assert_eq!(refused.retry_after(), 6);
    }

    #[test]
    fn a_refused_call_costs_nothing() {
        let mut account = Account::default();
        spend_times(&mut account, TEN, 10);
        let before = account;
        assert!(!account.spend(TEN, 1, NOON + 1).admitted);
        assert_eq!(account, before);
    }

    #[test]
    fn a_clock_that_steps_back_locks_nobody_out_for_longer_than_a_window() {
        let mut account = Account::default();
        spend_times(&mut account, TEN, 10);
        let day_before = NOON - 86_400_000;
        let refused = account.spend(TEN, 1, day_before);
        assert_eq!(refused.retry_after(), 6);
        assert!(account.spend(TEN, 1, day_before + 6000).admitted);
    }

    #[test]
    fn an_account_is_idle_once_its_budget_is_full_again() {
        let mut account = Account::default();
        account.spend(TEN, 1, NOON);
        assert!(!account.is_idle(NOON + 5999));
        assert!(account.is_idle(NOON + 6000));
    }

    #[test]
    fn a_verdict_survives_its_journey() {
        let verdict = Verdict {
            decision: Account::default().spend(TEN, 1, NOON),
            alike: 3,
        };
        assert_eq!(verdict.write(), "1 9 6 0 3");
        assert_eq!(Verdict::read(&verdict.write()), Some(verdict));
        for text in ["", "spend what?", "1 2 3 4", "1 -2 3 4 5"] {
            assert_eq!(Verdict::read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn retry_after_is_the_truth(limit in 1_u32..200, seconds in 1_u32..3600, used in 0_u32..200, late in 0_u64..5000) {
            let rate = Rate { limit, seconds };
            let mut account = Account::default();
            spend_times(&mut account, rate, used.max(limit));
            let refused = account.spend(rate, 1, NOON + late);
            prop_assume!(!refused.admitted);
            let wait = refused.retry_after() * 1000;
            let (mut early, mut punctual) = (account, account);
            prop_assert!(punctual.spend(rate, 1, NOON + late + wait).admitted);
            prop_assert!(!early.spend(rate, 1, NOON + late + wait - 1000).admitted);
        }

        /// A naive exact log: the virtual queue drained one call an interval.
        #[test]
        fn it_admits_what_an_exact_log_admits(limit in 1_u32..20, gaps in prop::collection::vec(0_u64..20_000, 1..200)) {
            let rate = Rate { limit, seconds: 60 };
            let interval = 60 * SECOND / Micros::from(limit);
            let mut account = Account::default();
            let mut queue: Vec<Micros> = Vec::new();
            let mut now = NOON;
            for gap in gaps {
                now += gap;
                let at = Micros::from(now) * MILLI;
                queue.retain(|leaves| *leaves > at);
                let room = queue.len() < usize::try_from(limit).unwrap();
                if room {
                    let last = queue.last().copied().unwrap_or(at);
                    queue.push(last + interval);
                }
                prop_assert_eq!(account.spend(rate, 1, now).admitted, room);
            }
        }

        #[test]
        fn no_sequence_admits_more_than_the_burst_plus_the_refill(gaps in prop::collection::vec(0_u64..3000, 1..300)) {
            let mut account = Account::default();
            let mut now = NOON;
            let mut admitted = 0_u64;
            for gap in gaps {
                now += gap;
                admitted += u64::from(account.spend(TEN, 1, now).admitted);
            }
            prop_assert!(admitted <= 10 + (now - NOON) / 6000);
        }
    }
}
