//! One client's object: its budgets, in memory with write-behind, and the
//! counts of its calls until the tally has them. A target has one too, for
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
    DurableObject, Env, Method, Request, RequestInit, Response, Result, SqlStorage, State,
    durable_object,
};

use super::{host, sql, tally};
use crate::config::Rate;
use crate::gate::budget::Account;
use crate::pulse::{Batch, Count, Counter, Deltas};

const MIGRATIONS: [&str; 1] = [include_str!(
    "../../migrations/client/0001_budget_and_counts.sql"
)];

/// Longest a count waits here before it is sent on, in milliseconds.
const FORWARD_MS: u64 = 10_000;

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
            loaded: Cell::new(false),
            alarm_at: Cell::new(UNSET),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        self.load()?;
        match request.method() {
            Method::Get => self.spend(&request.path()),
            _ => {
                let counts: Vec<Count> = request.json().await?;
                self.count(&counts).await
            }
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.load()?;
        self.alarm_at.set(UNSET);
        self.pack()?;
        self.forward().await?;
        self.rest().await?;
        Response::empty()
    }
}

#[derive(Deserialize)]
struct Budget {
    name: String,
    tat_us: i64,
}

#[derive(Deserialize)]
struct Pending {
    day: String,
    tool: String,
    counter: String,
}

#[derive(Deserialize)]
struct Outgoing {
    number: u64,
    deltas: String,
}

impl ClientObject {
    /// Applies migrations and reads the budgets, once per life in memory.
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
        self.loaded.set(true);
        Ok(())
    }

    /// `/spend/{budget}/{limit}/{seconds}/{cost}`
    fn spend(&self, path: &str) -> Result<Response> {
        let mut parts = path.split('/').skip(2);
        let name = parts.next().unwrap_or_default();
        let mut number = || parts.next().and_then(|n| n.parse::<u32>().ok());
        let (Some(limit), Some(seconds), Some(cost)) = (number(), number(), number()) else {
            return Response::error("spend what?", 400);
        };
        let rate = Rate { limit, seconds };
        let decision = self
            .accounts
            .borrow_mut()
            .entry(name.to_owned())
            .or_default()
            .spend(rate, cost, host::now_ms());
        let mut dirty = self.dirty.borrow_mut();
        if decision.admitted && !dirty.iter().any(|known| known == name) {
            dirty.push(name.to_owned());
        }
        Response::ok(serde_json::to_string(&decision)?)
    }

    /// Writes counts, and the budgets behind them, in one go.
    async fn count(&self, counts: &[Count]) -> Result<Response> {
        let mut deltas = self.pending()?;
        counts.iter().for_each(|count| deltas.count(count));
        for (day, tool, counter) in deltas.iter() {
            sql::run(
                &self.sql,
                "INSERT INTO pending (day, tool, counter) VALUES (?, ?, ?)
                 ON CONFLICT (day, tool) DO UPDATE SET counter = excluded.counter",
                vec![
                    day.into(),
                    tool.into(),
                    serde_json::to_string(counter)?.into(),
                ],
            )?;
        }
        self.write_budgets()?;
        self.wake_in(self.forward_after()).await?;
        Response::empty()
    }

    fn write_budgets(&self) -> Result<()> {
        let accounts = self.accounts.borrow();
        for name in self.dirty.borrow_mut().drain(..) {
            if let Some(account) = accounts.get(&name) {
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

    fn pending(&self) -> Result<Deltas> {
        let rows: Vec<Pending> =
            sql::rows(&self.sql, "SELECT day, tool, counter FROM pending", vec![])?;
        let mut deltas = Deltas::default();
        for row in rows {
            deltas.add(
                &row.day,
                &row.tool,
                &serde_json::from_str::<Counter>(&row.counter)?,
            );
        }
        Ok(deltas)
    }

    /// Moves what is pending into a numbered batch.
    fn pack(&self) -> Result<()> {
        let deltas = self.pending()?;
        if deltas.is_empty() {
            return Ok(());
        }
        let last = self.outbox()?.last().map_or(0, |batch| batch.number);
        sql::run(
            &self.sql,
            "INSERT INTO outbox (number, deltas) VALUES (?, ?)",
            vec![
                sql::integer(host::now_ms().max(last + 1)),
                serde_json::to_string(&deltas)?.into(),
            ],
        )?;
        sql::run(&self.sql, "DELETE FROM pending", vec![])
    }

    fn outbox(&self) -> Result<Vec<Outgoing>> {
        sql::rows(
            &self.sql,
            "SELECT number, deltas FROM outbox ORDER BY number",
            vec![],
        )
    }

    /// Sends every batch in order. One that is not acknowledged stays and is
    /// sent again under the same number: a failed alarm is run again by the
    /// platform.
    async fn forward(&self) -> Result<()> {
        for Outgoing { number, deltas } in self.outbox()? {
            let batch = Batch {
                sender: self.state.id().to_string(),
                number,
                deltas: serde_json::from_str(&deltas)?,
            };
            let mut init = RequestInit::new();
            init.with_method(Method::Post)
                .with_body(Some(serde_json::to_string(&batch)?.into()));
            let request = Request::new_with_init("https://tally/batch", &init)?;
            let tally = self.env.durable_object("TALLY")?.get_by_name(tally::NAME)?;
            let status = tally.fetch_with_request(request).await?.status_code();
            if status != 204 {
                return Err(worker::Error::RustError(format!(
                    "the tally answered {status}"
                )));
            }
            sql::run(
                &self.sql,
                "DELETE FROM outbox WHERE number = ?",
                vec![sql::integer(number)],
            )?;
        }
        Ok(())
    }

    /// With nothing left to send, lets go of budgets that are full again;
    /// with none left either, deletes all it knows of this client.
    async fn rest(&self) -> Result<()> {
        if !self.pending()?.is_empty() {
            return self.wake_in(self.forward_after()).await;
        }
        let now = host::now_ms();
        let latest = {
            let mut accounts = self.accounts.borrow_mut();
            accounts.retain(|_, account| !account.is_idle(now));
            accounts.values().map(|account| account.full_at_ms()).max()
        };
        match latest {
            Some(full_at) => {
                let span = full_at.saturating_sub(now) + 1000;
                self.wake_in(Duration::from_millis(span)).await
            }
            None => {
                self.loaded.set(false);
                self.state.storage().delete_all().await
            }
        }
    }

    fn forward_after(&self) -> Duration {
        let flush = host::config(&self.env).map_or(60, |config| config.flush_seconds);
        Duration::from_millis((u64::from(flush) * 250).min(FORWARD_MS))
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
