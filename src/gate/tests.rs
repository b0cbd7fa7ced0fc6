//! Budgets held against a naive exact log, for random callers and arrivals,
//! with objects that are evicted in between; and what a clock that steps back
//! can and cannot do to them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use super::budget::Account;
use super::caller::Caller;
use crate::config::Rate;

const NOON: u64 = 1_800_000_000_000;
const MILLI: u128 = 1_000;

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// The clock moves by milliseconds.
    Clock(u64),
    /// A call comes in from this address.
    Call(IpAddr),
    /// An object is evicted: only what it stored is left.
    Evict(usize),
}

/// Six addresses, of four clients: two of one /64, one mapped.
fn address() -> impl Strategy<Value = IpAddr> {
    let v6 = |text: &str| IpAddr::V6(text.parse::<Ipv6Addr>().expect("an address"));
    prop::sample::select(vec![
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7)),
        v6("::ffff:198.51.100.7"),
        IpAddr::V4(Ipv4Addr::new(198, 51, 100, 8)),
        v6("2001:db8:1:2::1"),
        v6("2001:db8:1:2:ffff::9"),
        v6("2001:db8:1:3::1"),
    ])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => address().prop_map(Step::Call),
        3 => (0_u64..12_000).prop_map(Step::Clock),
        1 => (0_usize..4).prop_map(Step::Evict),
    ]
}

/// The exact log of one client: when each admitted call leaves a queue that
/// lets one go per interval. A call is admitted while fewer than `limit` wait.
#[derive(Default)]
struct Log(Vec<u128>);

impl Log {
    fn admits(&mut self, rate: Rate, now_ms: u64) -> bool {
        let interval = u128::from(rate.seconds) * 1_000_000 / u128::from(rate.limit);
        let now = u128::from(now_ms) * MILLI;
        self.0.retain(|leaves| *leaves > now);
        let room = self.0.len() < usize::try_from(rate.limit).expect("is small");
        if room {
            let last = self.0.last().copied().unwrap_or(now);
            self.0.push(last + interval);
        }
        room
    }
}

fn client(ip: IpAddr) -> String {
    Caller::identify(|name| (name == "cf-connecting-ip").then(|| ip.to_string().into())).key
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn objects_admit_what_an_exact_log_admits(
        limit in 1_u32..20,
        seconds in 1_u32..120,
        steps in prop::collection::vec(step(), 1..200),
    ) {
        let rate = Rate { limit, seconds };
        let mut now = NOON;
        let mut objects: BTreeMap<String, Account> = BTreeMap::new();
        let mut logs: BTreeMap<String, Log> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Clock(span) => now += span,
                Step::Call(ip) => {
                    let key = client(ip);
                    let decision = objects.entry(key.clone()).or_default().spend(rate, 1, now);
                    let admitted = logs.entry(key).or_default().admits(rate, now);
                    prop_assert_eq!(decision.admitted, admitted);
                }
                Step::Evict(at) => {
                    if let Some(key) = objects.keys().nth(at).cloned() {
                        let account = objects.entry(key).or_default();
                        *account = Account::from_stored(account.stored());
                    }
                }
            }
        }
        prop_assert!(objects.len() <= 4);
    }

    /// However the clock jumps: no more is admitted than the burst and what
    /// its forward moves refill, and whoever waits as long as a refusal says
    /// passes.
    #[test]
    fn a_clock_that_steps_back_gives_nothing_away_and_locks_nobody_out(
        limit in 1_u32..20,
        seconds in 1_u32..120,
        moves in prop::collection::vec(-90_000_i64..20_000, 1..200),
    ) {
        let rate = Rate { limit, seconds };
        let interval = u128::from(seconds) * 1_000_000 / u128::from(limit);
        let (mut now, mut forward, mut admitted) = (NOON, 0_u128, 0_u128);
        let mut account = Account::default();
        for span in moves {
            now = now.saturating_add_signed(span);
            forward += u128::from(span.max(0).unsigned_abs()) * MILLI;
            let decision = account.spend(rate, 1, now);
            admitted += u128::from(decision.admitted);
            prop_assert!(admitted <= u128::from(limit) + forward / interval);
            let waited = now + decision.retry_after() * 1000;
            prop_assert!(decision.retry_after() <= u64::from(seconds));
            if !decision.admitted {
                let mut later = account;
                prop_assert!(later.spend(rate, 1, waited).admitted);
            }
        }
    }

    /// What an object deletes because it is idle would have changed nothing.
    #[test]
    fn an_idle_account_is_as_good_as_a_new_one(
        limit in 1_u32..20,
        seconds in 1_u32..120,
        used in 1_u32..20,
        later in 0_u64..200_000,
    ) {
        let rate = Rate { limit, seconds };
        let mut old = Account::default();
        for _ in 0..used {
            old.spend(rate, 1, NOON);
        }
        prop_assume!(old.is_idle(NOON + later));
        let mut new = Account::default();
        for _ in 0..limit + 1 {
            prop_assert_eq!(old.spend(rate, 1, NOON + later), new.spend(rate, 1, NOON + later));
        }
    }
}
