//! One client's object: its budgets, in memory with write-behind, and the
//! counts of its calls until a shard of the tally has them; and, in memory
//! only, whether its refused inputs go in circles. A target has one too, for
//! the budget that all clients share.
//!
//! Spending touches memory only. Budgets are written together with the count
//! of the call they admitted, off the caller's path. Batch numbers grow with
//! the clock, so an object that went idle can delete all it knows.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use worker::{
    DurableObject, Env, Headers, Method, Request, Response, Result, SqlStorage, State,
    durable_object,
};

use super::{host, outbox, sql};
use crate::config::{Rate, TARGET_BUDGET};
use crate::gate::budget::{Account, Verdict};
use crate::gate::likeness::{Retries, Sketch};
use crate::pulse::{Deltas, Hearing, client_wait_ms, shard_of};

const MIGRATIONS: [&str; 3] = [
    include_str!("../../migrations/client/0001_budget_and_counts.sql"),
    include_str!("../../migrations/client/0002_receiver.sql"),
    include_str!("../../migrations/client/0003_heard.sql"),
];

/// How long an object keeps what it knows of a client that is silent, in
/// milliseconds.
const LINGER_MS: u64 = 600_000;

/// No alarm: later than any time.
const UNSET: u64 = u64::MAX;

/// The class behind `CLIENTS`.
#[durable_object(alarm)]
pub struct ClientObject {
    state: State,
    env: Env,
    sql: SqlStorage,
    accounts: RefCell<HashMap<String, Account>>,
    dirty: RefCell<Vec<String>>,
    retries: RefCell<Retries>,
    /// Messages of counts that were taken in, as they are stored.
    heard: RefCell<Hearing>,
    loaded: Cell<bool>,
    /// When the alarm rings, as far as this life of the object knows, in
    /// milliseconds since the Unix epoch.
    alarm_at: Cell<u64>,
}

// A panic in here leaves at worst a budget that is not yet written or an alarm
// believed to be set: what is stored was stored whole, and memory is read again
// from it when the object next wakes.
impl std::panic::RefUnwindSafe for ClientObject {}

impl DurableObject for ClientObject {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        ClientObject {
            state,
            env,
            sql,
            accounts: RefCell::default(),
            dirty: RefCell::default(),
            retries: RefCell::default(),
            heard: RefCell::default(),
            loaded: Cell::new(false),
            alarm_at: Cell::new(UNSET),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        match request.method() {
            Method::Get => {
                self.load()?;
                let answer = self.spend(&request.path())?;
                self.keep_target().await?;
                Ok(answer)
            }
            _ => {
                let message = request.path();
                // Parsed here: `Request::json` goes through JavaScript's objects,
                // whose keys are never numbers.
                let deltas: Deltas = serde_json::from_str(&request.text().await?)?;
                // Not before: while the body is read, an alarm may delete all that there is.
                self.load()?;
                self.count(&message, &deltas).await
            }
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.load()?;
        self.alarm_at.set(UNSET);
        let id = self.state.id().to_string();
        let quiet = outbox::is_empty(&self.sql)?;
        outbox::pack(&self.sql, &shard_of(&id))?;
        outbox::forward(&self.sql, &self.env, &id).await?;
        self.rest(quiet).await?;
        Response::empty()
    }
}

/// A verdict travels in a header field, so that nobody waits for a body.
fn verdict(text: &str) -> Result<Response> {
    let headers = Headers::new();
    headers.set("verdict", text)?;
    Ok(Response::empty()?.with_headers(headers))
}

#[derive(Deserialize)]
struct Budget {
    name: String,
    tat_us: i64,
}

impl ClientObject {
    /// Applies migrations and reads what is stored, once per life in memory.
    fn load(&self) -> Result<()> {
        if self.loaded.get() {
            return Ok(());
        }
        sql::migrate(&self.sql, &MIGRATIONS)?;
        let stored: Vec<Budget> = sql::rows(&self.sql, "SELECT name, tat_us FROM budget", vec![])?;
        let stored = stored
            .into_iter()
            .map(|row| (row.name, Account::from_stored(row.tat_us)));
        self.accounts.borrow_mut().extend(stored);
        let heard = sql::rows(&self.sql, "SELECT slot, message, at_ms FROM heard", vec![])?;
        self.heard.replace(Hearing::of(heard));
        self.loaded.set(true);
        Ok(())
    }

    /// `/spend/{budget}/{limit}/{seconds}/{cost}`, and behind it the sketch of
    /// an input that was refused.
    fn spend(&self, path: &str) -> Result<Response> {
        let mut parts = path.split('/').skip(2);
        let name = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|n| n.parse::<u32>().ok());
        let (Some(limit), Some(seconds), Some(cost)) = (number(), number(), number()) else {
            return Response::error("spend what?", 400);
        };
        let rate = Rate { limit, seconds };
        let now = host::now_ms();
        let decision = self
            .accounts
            .borrow_mut()
            .entry(name.to_owned())
            .or_default()
            .spend(rate, cost, now);
        let mut alike = 0;
        if decision.admitted {
            let refused = parts.next().and_then(Sketch::from_hex);
            alike = self.retries.borrow_mut().note(name, refused, now);
            let mut dirty = self.dirty.borrow_mut();
            if !dirty.iter().any(|known| known == name) {
                dirty.push(name.to_owned());
            }
        }
        verdict(&Verdict { decision, alike }.write())
    }

    /// Writes counts, the budgets behind them and the message's id in one go;
    /// once for each message. Its sender tries again when no acknowledgement
    /// reaches it, which does not say that the message was not taken in.
    async fn count(&self, message: &str, deltas: &Deltas) -> Result<Response> {
        if self.heard.borrow().knows(message) {
            return Response::empty();
        }
        outbox::gather(&self.sql, deltas)?;
        self.write_budgets()?;
        self.write_heard(message)?;
        self.wake_in(self.forward_after()).await?;
        Response::empty()
    }

    /// No counts come to a target's object, so nothing else would write its
    /// budget or wake it to delete itself. An analysis takes seconds; this
    /// takes one write.
    async fn keep_target(&self) -> Result<()> {
        let spent = self.dirty.borrow().iter().any(|name| name == TARGET_BUDGET);
        if spent {
            self.write_budgets()?;
            self.wake_in(Duration::from_millis(LINGER_MS)).await?;
        }
        Ok(())
    }

    fn write_heard(&self, message: &str) -> Result<()> {
        let heard = self.heard.borrow_mut().take_in(message, host::now_ms());
        sql::run(
            &self.sql,
            "INSERT INTO heard (slot, message, at_ms) VALUES (?, ?, ?)
             ON CONFLICT (slot) DO UPDATE SET message = excluded.message, at_ms = excluded.at_ms",
            vec![
                sql::integer(u64::from(heard.slot)),
                heard.message.into(),
                sql::integer(heard.at_ms),
            ],
        )
    }

    /// Writes the budgets that calls were taken out of; one that is full again
    /// by now is as good as none.
    fn write_budgets(&self) -> Result<()> {
        let (accounts, now) = (self.accounts.borrow(), host::now_ms());
        for name in self.dirty.borrow_mut().drain(..) {
            if let Some(account) = accounts.get(&name).filter(|account| !account.is_idle(now)) {
                sql::run(
                    &self.sql,
                    "INSERT INTO budget (name, tat_us) VALUES (?, ?)
                     ON CONFLICT (name) DO UPDATE SET tat_us = excluded.tat_us",
                    vec![name.into(), account.stored().into()],
                )?;
            }
        }
        Ok(())
    }

    /// After an alarm that had nothing to send, deletes all it knows of this
    /// client, if its budgets are full again; after another, waits for the
    /// next. A client that calls now and then keeps its object: making its
    /// tables anew for each call would cost more than the calls.
    async fn rest(&self, quiet: bool) -> Result<()> {
        if !outbox::is_empty(&self.sql)? {
            return self.wake_in(self.forward_after()).await;
        }
        let now = host::now_ms();
        let latest = {
            let mut accounts = self.accounts.borrow_mut();
            accounts.retain(|_, account| !account.is_idle(now));
            accounts.values().map(|account| account.full_at_ms()).max()
        };
        if latest.is_none() && quiet {
            self.loaded.set(false);
            return self.state.storage().delete_all().await;
        }
        let full_in = latest.map_or(0, |full_at| full_at.saturating_sub(now) + 1000);
        self.wake_in(Duration::from_millis(full_in.max(LINGER_MS)))
            .await
    }

    fn forward_after(&self) -> Duration {
        let flush = host::config(&self.env).map_or(60, |config| config.flush_seconds);
        Duration::from_millis(client_wait_ms(flush))
    }

    /// Sets the alarm, unless one is set that comes no later.
    async fn wake_in(&self, span: Duration) -> Result<()> {
        let at = host::now_ms().saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        if self.alarm_at.get() <= at {
            return Ok(());
        }
        self.alarm_at.set(at);
        self.state.storage().set_alarm(span).await
    }
}
