//! Clock, randomness and variables.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use worker::{Date, Delay, Env};

use crate::config::Config;
use crate::port::{Clock, Random};

/// The platform's clock. It stands still between I/O, by design of the
/// platform.
pub struct WallClock;

impl Clock for WallClock {
    fn now_ms(&self) -> u64 {
        now_ms()
    }

    fn sleep(&self, span: Duration) -> LocalBoxFuture<'static, ()> {
        Box::pin(Delay::from(span))
    }
}

/// Milliseconds since the Unix epoch.
pub fn now_ms() -> u64 {
    Date::now().as_millis()
}

/// The platform's generator.
pub struct Entropy;

impl Random for Entropy {
    fn fill(&self, out: &mut [u8]) {
        // `crypto.getRandomValues` has no failure that could be answered
        // here; bytes left unfilled would only weaken one id.
        let _ = getrandom::fill(out);
    }
}

/// The variables of `env`.
pub fn config(env: &Env) -> Result<Config, String> {
    Config::from_vars(|name| env.var(name).ok().map(|value| value.to_string()))
}
