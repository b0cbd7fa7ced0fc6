//! The tally: applies batches of counts once each, keeps the sums, and
//! mirrors them into KV by alarm only.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use worker::{DurableObject, Env, Request, Response, Result, SqlStorage, State, durable_object};

use super::{host, sql};
use crate::config::Rate;
use crate::error::{Code, Error};
use crate::gate::budget::Account;
use crate::pulse::{Batch, Counter, day_of};
use crate::surface::Counters;

/// The one tally's name.
pub const NAME: &str = "tally";

const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/tally/0001_counters.sql")];

/// The free plan has 1,000 KV writes a day: a burst of 450 and a refill of
/// 450 a day stay below that on every day.
const KV_WRITES: Rate = Rate {
    limit: 450,
    seconds: 86_400,
};
/// An operator who asks for a quicker mirror than the default has a plan that
/// allows it.
const DEFAULT_FLUSH_SECONDS: u32 = 60;
/// How long KV keeps a day's counter, in seconds.
const KV_KEEP: u64 = 400 * 86_400;
/// How long a sum stays in the tally's own storage, in milliseconds.
const KEEP_MS: u64 = 8 * 86_400_000;

/// The class behind `TALLY`.
#[durable_object(alarm)]
pub struct TallyObject {
    state: State,
    env: Env,
    sql: SqlStorage,
    loaded: Cell<bool>,
    alarm_set: Cell<bool>,
}

// A panic in here leaves at worst a budget that is not yet written or an alarm
// believed to be set: what is stored was stored whole, and memory is read again
// from it when the object next wakes.
impl std::panic::RefUnwindSafe for TallyObject {}

impl DurableObject for TallyObject {
    fn new(state: State, env: Env) -> Self {
        let sql = state.storage().sql();
        TallyObject {
            state,
            env,
            sql,
            loaded: Cell::new(false),
            alarm_set: Cell::new(false),
        }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let batch: Batch = request.json().await?;
        self.load()?;
        self.apply(&batch)?;
        self.wake().await?;
        Ok(Response::empty()?.with_status(204))
    }

    async fn alarm(&self) -> Result<Response> {
        self.load()?;
        self.alarm_set.set(false);
        self.mirror().await?;
        self.forget()?;
        if !self.dirty()?.is_empty() {
            self.wake().await?;
        }
        Response::empty()
    }
}

#[derive(Deserialize)]
struct Applied {
    number: u64,
}

#[derive(Deserialize)]
struct Row {
    day: String,
    tool: String,
    counter: String,
}

#[derive(Deserialize)]
struct Spent {
    tat_us: i64,
}

impl TallyObject {
    fn load(&self) -> Result<()> {
        if !self.loaded.get() {
            sql::migrate(&self.sql, &MIGRATIONS)?;
            self.loaded.set(true);
        }
        Ok(())
    }

    /// Adds a batch and remembers its number in one turn, so that they are
    /// stored together or not at all.
    fn apply(&self, batch: &Batch) -> Result<()> {
        let sender = batch.sender.as_str();
        let applied: Vec<Applied> = sql::rows(
            &self.sql,
            "SELECT number FROM applied WHERE sender = ?",
            vec![sender.into()],
        )?;
        if applied
            .first()
            .is_some_and(|last| batch.number <= last.number)
        {
            return Ok(());
        }
        for (day, tool, delta) in batch.deltas.iter() {
            let mut counter = self.counter(day, tool)?;
            counter.merge(delta);
            sql::run(
                &self.sql,
                "INSERT INTO counter (day, tool, counter, dirty) VALUES (?, ?, ?, 1)
                 ON CONFLICT (day, tool) DO UPDATE SET counter = excluded.counter, dirty = 1",
                vec![
                    day.into(),
                    tool.into(),
                    serde_json::to_string(&counter)?.into(),
                ],
            )?;
        }
        sql::run(
            &self.sql,
            "INSERT INTO applied (sender, number) VALUES (?, ?)
             ON CONFLICT (sender) DO UPDATE SET number = excluded.number",
            vec![sender.into(), sql::integer(batch.number)],
        )
    }

    fn counter(&self, day: &str, tool: &str) -> Result<Counter> {
        let stored: Vec<Row> = sql::rows(
            &self.sql,
            "SELECT day, tool, counter FROM counter WHERE day = ? AND tool = ?",
            vec![day.into(), tool.into()],
        )?;
        match stored.first() {
            Some(row) => Ok(serde_json::from_str(&row.counter)?),
            None => Ok(Counter::default()),
        }
    }

    fn dirty(&self) -> Result<Vec<Row>> {
        sql::rows(
            &self.sql,
            "SELECT day, tool, counter FROM counter WHERE dirty = 1 ORDER BY day, tool",
            vec![],
        )
    }

    /// Writes what changed into KV, as far as the day's writes allow.
    async fn mirror(&self) -> Result<()> {
        let kv = self.env.kv("COUNTERS")?;
        for Row { day, tool, counter } in self.dirty()? {
            if !self.may_write()? {
                return Ok(());
            }
            let write = kv.put(&key(&day, &tool), counter.as_str())?;
            write.expiration_ttl(KV_KEEP).execute().await?;
            // Counts that came in while KV was being written keep it dirty.
            sql::run(
                &self.sql,
                "UPDATE counter SET dirty = 0 WHERE day = ? AND tool = ? AND counter = ?",
                vec![day.into(), tool.into(), counter.into()],
            )?;
        }
        Ok(())
    }

    /// Takes one KV write out of the day's budget.
    fn may_write(&self) -> Result<bool> {
        if self.flush_seconds() < DEFAULT_FLUSH_SECONDS {
            return Ok(true);
        }
        let spent: Vec<Spent> = sql::rows(&self.sql, "SELECT tat_us FROM kv_budget", vec![])?;
        let mut account = spent
            .first()
            .map_or_else(Account::default, |row| Account::from_stored(row.tat_us));
        let admitted = account.spend(KV_WRITES, 1, host::now_ms()).admitted;
        if admitted {
            sql::run(
                &self.sql,
                "INSERT INTO kv_budget (name, tat_us) VALUES ('kv', ?)
                 ON CONFLICT (name) DO UPDATE SET tat_us = excluded.tat_us",
                vec![account.stored().into()],
            )?;
        }
        Ok(admitted)
    }

    /// Lets go of days that KV has, and of senders silent for as long: batch
    /// numbers are times, so an old one needs no memory.
    fn forget(&self) -> Result<()> {
        let edge = host::now_ms().saturating_sub(KEEP_MS);
        sql::run(
            &self.sql,
            "DELETE FROM counter WHERE dirty = 0 AND day < ?",
            vec![day_of(edge).into()],
        )?;
        sql::run(
            &self.sql,
            "DELETE FROM applied WHERE number < ?",
            vec![sql::integer(edge)],
        )
    }

    fn flush_seconds(&self) -> u32 {
        host::config(&self.env).map_or(DEFAULT_FLUSH_SECONDS, |config| config.flush_seconds)
    }

    async fn wake(&self) -> Result<()> {
        if self.alarm_set.replace(true) {
            return Ok(());
        }
        let span = Duration::from_secs(u64::from(self.flush_seconds()));
        self.state.storage().set_alarm(span).await
    }
}

fn key(day: &str, tool: &str) -> String {
    format!("count/{day}/{tool}")
}

/// The counters as KV mirrors them.
pub struct Mirror(pub Rc<Env>);

impl Mirror {
    async fn counter(&self, key: &str) -> std::result::Result<Option<Counter>, String> {
        let kv = self.0.kv("COUNTERS").map_err(|e| e.to_string())?;
        let text = kv.get(key).text().await.map_err(|e| e.to_string())?;
        text.map(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
            .transpose()
    }
}

impl Counters for Mirror {
    fn read<'a>(
        &'a self,
        day: &'a str,
        tool: &'a str,
    ) -> LocalBoxFuture<'a, std::result::Result<Option<Counter>, Error>> {
        Box::pin(async move {
            self.counter(&key(day, tool)).await.map_err(|why| {
                Error::new(Code::Unavailable, "Counters cannot be read just now.").because(why)
            })
        })
    }
}
