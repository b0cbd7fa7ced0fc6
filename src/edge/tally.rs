//! The tally: applies batches of counts once each and mirrors the sums into
//! KV by alarm only.
//!
//! One class, two roles. A *shard* takes the batches of the clients that hash
//! to it and sends what they add up to on to the *collector*, in numbered
//! batches of its own. The collector keeps the sums and alone writes KV. What
//! an object is follows from what it is sent; its alarm does both, and finds
//! nothing to do for the role it does not have.

use std::cell::Cell;
use std::time::Duration;

use serde::Deserialize;
use worker::{
    DurableObject, Env, Method, Request, Response, Result, SqlStorage, State, durable_object,
};

use super::{host, outbox, sql};
use crate::config::Rate;
use crate::gate::budget::Account;
use crate::pulse::{Batch, COLLECTOR, Counter, Deltas, Record, UNKNOWN, day_of, shard_wait_ms};

const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/tally/0001_counters.sql"),
    include_str!("../../migrations/tally/0002_shards.sql"),
];

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

/// KV's key of the last hours.
pub const RECORD_KEY: &str = "pulse";

/// KV's key of a day's counter.
pub fn key(day: &str, tool: &str) -> String {
    format!("count/{day}/{tool}")
}

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
        self.load()?;
        if request.method() == Method::Get {
            return Response::ok(self.due()?.len().to_string());
        }
        let is_shard = request.path() == "/shard";
        let batch: Batch = serde_json::from_str(&request.text().await?)?;
        if self.is_new(&batch)? {
            match is_shard {
                true => outbox::gather(&self.sql, &batch.deltas)?,
                false => self.add(&batch.deltas)?,
            }
        }
        self.wake(is_shard).await?;
        Ok(Response::empty()?.with_status(204))
    }

    async fn alarm(&self) -> Result<Response> {
        self.load()?;
        self.alarm_set.set(false);
        outbox::pack(&self.sql, COLLECTOR)?;
        outbox::forward(&self.sql, &self.env, &self.state.id().to_string()).await?;
        self.mirror(host::now_ms()).await?;
        self.forget()?;
        if !outbox::pending(&self.sql)?.is_empty() {
            self.wake(true).await?;
        } else if !self.due()?.is_empty() {
            self.wake(false).await?;
        }
        Response::empty()
    }
}

#[derive(Deserialize)]
struct Applied {
    number: u64,
}

/// A row of `counter`. An empty day stands for the record of the last hours,
/// and then `counter` is a revision number.
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

    /// Whether a batch was not applied before; remembers its number. What the
    /// caller adds without awaiting is stored together with it or not at all.
    fn is_new(&self, batch: &Batch) -> Result<bool> {
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
            return Ok(false);
        }
        sql::run(
            &self.sql,
            "INSERT INTO applied (sender, number) VALUES (?, ?)
             ON CONFLICT (sender) DO UPDATE SET number = excluded.number",
            vec![sender.into(), sql::integer(batch.number)],
        )?;
        Ok(true)
    }

    /// Adds to the sums; those that KV shows are due from now on.
    fn add(&self, deltas: &Deltas) -> Result<()> {
        for (day, tool, delta) in deltas.iter() {
            let mut counter = self.counter(day, tool)?;
            counter.merge(delta);
            let text = serde_json::to_string(&counter)?;
            self.put(day, tool, text, tool != UNKNOWN)?;
        }
        let rows = self.rows("SELECT day, tool, counter FROM counter WHERE day = ''")?;
        let revision = rows
            .first()
            .and_then(|row| row.counter.parse::<u64>().ok())
            .unwrap_or_default();
        self.put("", "", (revision + 1).to_string(), true)
    }

    fn put(&self, day: &str, tool: &str, counter: String, due: bool) -> Result<()> {
        sql::run(
            &self.sql,
            "INSERT INTO counter (day, tool, counter, dirty) VALUES (?, ?, ?, ?)
             ON CONFLICT (day, tool) DO UPDATE SET counter = excluded.counter, dirty = excluded.dirty",
            vec![
                day.into(),
                tool.into(),
                counter.into(),
                sql::integer(u64::from(due)),
            ],
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

    fn rows(&self, query: &str) -> Result<Vec<Row>> {
        sql::rows(&self.sql, query, vec![])
    }

    /// What KV is behind with, those written longest ago first.
    fn due(&self) -> Result<Vec<Row>> {
        self.rows(
            "SELECT day, tool, counter FROM counter WHERE dirty = 1
             ORDER BY written_ms, day DESC, tool",
        )
    }

    /// Writes what changed into KV, as far as the day's writes allow and each
    /// key at most once per alarm. `now` is when the alarm rang.
    async fn mirror(&self, now: u64) -> Result<()> {
        let kv = self.env.kv("COUNTERS")?;
        for Row { day, tool, counter } in self.due()? {
            if !self.may_write()? {
                return Ok(());
            }
            let write = match day.is_empty() {
                true => kv.put(RECORD_KEY, serde_json::to_string(&self.record(now)?)?)?,
                false => {
                    let counter: Counter = serde_json::from_str(&counter)?;
                    let text = serde_json::to_string(&counter.published())?;
                    kv.put(&key(&day, &tool), text)?
                }
            };
            write.expiration_ttl(KV_KEEP).execute().await?;
            // Counts that came in while KV was being written keep it due.
            sql::run(
                &self.sql,
                "UPDATE counter SET written_ms = ?, dirty = (counter <> ?) WHERE day = ? AND tool = ?",
                vec![sql::integer(now), counter.into(), day.into(), tool.into()],
            )?;
        }
        Ok(())
    }

    /// The last hours of all tools.
    fn record(&self, now: u64) -> Result<Record> {
        let mut record = Record::at(now);
        for row in self.rows("SELECT day, tool, counter FROM counter WHERE day <> ''")? {
            record.add(&row.tool, &serde_json::from_str(&row.counter)?);
        }
        Ok(record)
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
            "DELETE FROM counter WHERE dirty = 0 AND day <> '' AND day < ?",
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

    /// Sets the alarm, unless one is set: also by an earlier life.
    async fn wake(&self, is_shard: bool) -> Result<()> {
        let storage = self.state.storage();
        if self.alarm_set.replace(true) || storage.get_alarm().await?.is_some() {
            return Ok(());
        }
        let span = match is_shard {
            true => Duration::from_millis(shard_wait_ms(self.flush_seconds())),
            false => Duration::from_secs(u64::from(self.flush_seconds())),
        };
        storage.set_alarm(span).await
    }
}
