//! What a test may turn while the lab runs, and what it may read back: the delay, the flipping
//! names' position, and the log of every question asked. Pure state; `doh` serves it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result};
use hickory_server::proto::rr::{LowerName, RData, RecordType};
use serde::Serialize;

/// State shared by all faces.
#[derive(Default)]
pub struct Control {
    delay_ms: AtomicU64,
    log: Mutex<Vec<Question>>,
    flips: Mutex<Flips>,
    staged: Mutex<HashMap<LowerName, Arc<Turns>>>,
}

/// What a staged name answers: the sets of its successive turns, the last of which stays.
pub type Turns = Vec<Vec<RData>>;

/// How often each flipping name was asked, and which names are held at one position.
#[derive(Default)]
struct Flips {
    asked: HashMap<(LowerName, RecordType), usize>,
    held: HashMap<LowerName, usize>,
}

/// One question as it arrived.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// `doh`, `stub`, `root`, `registry` or `hoster`.
    pub face: &'static str,
    /// `https`, `udp` or `tcp`.
    pub transport: &'static str,
    /// The name in lower case, without the final dot (`.` for the root).
    pub name: String,
    /// The record type's mnemonic.
    pub r#type: String,
    /// DNSSEC OK, RFC 3225.
    pub dnssec_ok: bool,
    /// Checking Disabled, RFC 4035 section 3.2.2.
    pub checking_disabled: bool,
}

impl Control {
    /// Starts with the delay of `LAB_DELAY_MS` (whole milliseconds, none by default).
    pub fn from_env() -> Result<Self> {
        let control = Self::default();
        if let Ok(text) = std::env::var("LAB_DELAY_MS") {
            let ms = text
                .parse()
                .context("LAB_DELAY_MS takes whole milliseconds")?;
            control.set_delay(ms);
        }
        Ok(control)
    }

    /// How long every upstream answer is held back.
    pub fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Ordering::Relaxed))
    }

    /// Changes the delay from the next answer on.
    pub fn set_delay(&self, ms: u64) {
        self.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// Appends a question to the log.
    pub fn record(&self, question: Question) {
        lock(&self.log).push(question);
    }

    /// The questions since the start or the last reset, oldest first.
    pub fn questions(&self) -> Vec<Question> {
        lock(&self.log).clone()
    }

    /// Forgets the questions and the staged names, and rewinds every flipping name.
    pub fn reset(&self) {
        lock(&self.log).clear();
        lock(&self.staged).clear();
        *lock(&self.flips) = Flips::default();
    }

    /// Counts one more question for a flipping name and says how many came before it, or the
    /// position a test holds the name at.
    pub fn turn(&self, name: &LowerName, record_type: RecordType) -> usize {
        let mut flips = lock(&self.flips);
        if let Some(position) = flips.held.get(name) {
            return *position;
        }
        let asked = flips.asked.entry((name.clone(), record_type)).or_default();
        let turn = *asked;
        *asked += 1;
        turn
    }

    /// Lets the resolver answer for a name what a test wants, whatever any zone says of it.
    pub fn stage(&self, name: LowerName, turns: Turns) {
        let mut flips = lock(&self.flips);
        flips.asked.retain(|(asked, _), _| *asked != name);
        drop(flips);
        lock(&self.staged).insert(name, Arc::new(turns));
    }

    /// What is staged for a name.
    pub fn staged(&self, name: &LowerName) -> Option<Arc<Turns>> {
        lock(&self.staged).get(name).cloned()
    }

    /// Holds a flipping name at one position, or lets it flip again with `None`.
    pub fn hold(&self, name: LowerName, position: Option<usize>) {
        let mut flips = lock(&self.flips);
        match position {
            Some(position) => flips.held.insert(name, position),
            None => flips.held.remove(&name),
        };
    }
}

/// A panic elsewhere does not make counters less true.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
