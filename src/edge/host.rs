//! Clock, randomness and variables.

use std::cell::RefCell;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use worker::Env;

use super::timers::Timers;
use crate::config::Config;
use crate::port::{Clock, Random};

/// The platform's clock, one per request: a timer belongs to the request that
/// sets it. It stands still between I/O, by design of the platform.
#[derive(Default)]
pub struct WallClock(Timers);

impl Clock for WallClock {
    fn now_ms(&self) -> u64 {
        now_ms()
    }

    fn sleep(&self, span: Duration) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.0.sleep(span))
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    js_sys::Date::now() as u64
}

/// The platform's generator. Every request draws a few bytes, so they are
/// drawn in advance: `crypto.getRandomValues` is a crossing with a buffer.
pub struct Entropy;

thread_local! {
    static DRAWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes drawn at once.
const DRAW: usize = 1024;

impl Random for Entropy {
    fn fill(&self, out: &mut [u8]) {
        // `crypto.getRandomValues` has no failure that could be answered
        // here; bytes left unfilled would only weaken one id.
        if out.len() > DRAW {
            let _ = getrandom::fill(out);
            return;
        }
        DRAWN.with_borrow_mut(|drawn| {
            if drawn.len() < out.len() {
                drawn.resize(DRAW, 0);
                let _ = getrandom::fill(drawn);
            }
            // Taken off the end: no byte is ever given out twice.
            let rest = drawn.len() - out.len();
            out.copy_from_slice(&drawn[rest..]);
            drawn.truncate(rest);
        });
    }
}

/// The variables of `env`.
pub fn config(env: &Env) -> Result<Config, String> {
    Config::from_vars(|name| env.var(name).ok().map(|value| value.to_string()))
}
