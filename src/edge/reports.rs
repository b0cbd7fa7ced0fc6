//! Stored reports: shelves of them, each an object with a row per report. What
//! is over is no longer told, and a sweep deletes it within the minute.
//!
//! An object for each report would be a database of its own to make, migrate
//! and delete again, and in production a name that nobody has heard of, which
//! is looked for around the world.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use worker::{
    DurableObject, Env, Method, Request, Response, Result, SqlStorage, State, durable_object,
};

use super::{glue, host, sql};
use crate::error::{Code, Error};
use crate::port::ReportStore;

const MIGRATIONS: [&str; 2] = [
    include_str!("../../migrations/report/0001_report.sql"),
    include_str!("../../migrations/report/0002_shelf.sql"),
];

/// How long the shelf waits with a sweep after a report has expired, in
/// milliseconds: so many sweeps at most, however many reports.
const SWEEP_MS: u64 = 60_000;

/// Reports that one sweep deletes at most, a few megabytes.
const SWEPT_AT_ONCE: u64 = 256;

/// No alarm: later than any time.
const UNSET: u64 = u64::MAX;

/// The class behind `REPORTS`.
#[durable_object(alarm)]
pub struct ReportObject {
    state: State,
    sql: SqlStorage,
    loaded: Cell<bool>,
    /// The expiry that the alarm is set for, as far as this life of the object
    /// knows.
    sweep_of: Cell<u64>,
}

// A panic in here leaves at worst an alarm believed to be set: what is stored
// was stored whole.
impl std::panic::RefUnwindSafe for ReportObject {}

#[derive(Deserialize)]
struct Kept {
    json: String,
}

#[derive(Deserialize)]
struct Number {
    n: Option<u64>,
}

impl DurableObject for ReportObject {
    fn new(state: State, _: Env) -> Self {
        let sql = state.storage().sql();
        ReportObject {
            state,
            sql,
            loaded: Cell::new(false),
            sweep_of: Cell::new(UNSET),
        }
    }

    /// `POST /{id}/{expires_ms}` keeps a report, `GET /{id}` tells it.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let path = request.path();
        let mut parts = path.split('/').skip(1);
        let id = parts.next().unwrap_or_default();
        if request.method() == Method::Post {
            let expires_ms = parts.next().and_then(|ms| ms.parse().ok());
            let expires_ms = expires_ms.ok_or("no time of expiry")?;
            // It goes through as it is: large, and nothing of ours reads it.
            let json = JsFuture::from(request.inner().array_buffer()?).await?;
            return self.keep(id, json, expires_ms).await;
        }
        match self.kept(id)? {
            Some(report) => Response::ok(report.json),
            None => Ok(Response::empty()?.with_status(404)),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.sweep_of.set(UNSET);
        // An object of the earlier layout has nothing that it is to keep.
        if self.has_shelf()? {
            self.sweep()?;
            if let Some(earliest) = self.earliest()? {
                self.sweep_after(earliest).await?;
                return Response::empty();
            }
        }
        self.loaded.set(false);
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl ReportObject {
    async fn keep(&self, id: &str, json: JsValue, expires_ms: u64) -> Result<Response> {
        // Not before: while the body is read, an alarm may delete all that there is.
        if !self.loaded.replace(true) {
            sql::migrate(&self.sql, &MIGRATIONS)?;
        }
        let statement = "INSERT INTO kept (id, json, expires_ms) VALUES (?, CAST(? AS TEXT), ?)";
        let bindings = vec![JsValue::from(id), json, JsValue::from(expires_ms as f64)];
        self.sql.exec_raw(statement, bindings)?;
        if expires_ms < self.sweep_of.get() {
            // An earlier life may have left an alarm, for what expires before.
            let earliest = self.earliest()?.unwrap_or(expires_ms);
            self.sweep_after(earliest).await?;
        }
        Ok(Response::empty()?.with_status(204))
    }

    fn kept(&self, id: &str) -> Result<Option<Kept>> {
        if !self.has_shelf()? {
            return Ok(None);
        }
        let query = "SELECT json FROM kept WHERE id = ? AND expires_ms > ?";
        let bindings = vec![id.into(), sql::integer(host::now_ms())];
        let rows: Vec<Kept> = sql::rows(&self.sql, query, bindings)?;
        Ok(rows.into_iter().next())
    }

    /// Reading creates nothing: asking for an id that does not exist leaves no
    /// storage behind.
    fn has_shelf(&self) -> Result<bool> {
        let query = "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = 'kept'";
        Ok(self.number(query)? == Some(1))
    }

    /// When the first report of all expires.
    fn earliest(&self) -> Result<Option<u64>> {
        self.number("SELECT MIN(expires_ms) AS n FROM kept")
    }

    fn number(&self, query: &str) -> Result<Option<u64>> {
        let rows: Vec<Number> = sql::rows(&self.sql, query, vec![])?;
        Ok(rows.first().and_then(|row| row.n))
    }

    /// Deletes what is over, those that are it the longest first. What is more
    /// than one sweep may take is left to the next, which follows at once.
    fn sweep(&self) -> Result<()> {
        sql::run(
            &self.sql,
            "DELETE FROM kept WHERE id IN
             (SELECT id FROM kept WHERE expires_ms <= ? ORDER BY expires_ms LIMIT ?)",
            vec![sql::integer(host::now_ms()), sql::integer(SWEPT_AT_ONCE)],
        )
    }

    async fn sweep_after(&self, expires_ms: u64) -> Result<()> {
        self.sweep_of.set(expires_ms);
        let wait = expires_ms
            .saturating_add(SWEEP_MS)
            .saturating_sub(host::now_ms());
        self.state
            .storage()
            .set_alarm(Duration::from_millis(wait))
            .await
    }
}

/// The `REPORTS` objects.
pub struct Shelf(pub Rc<Env>);

/// The object that keeps the report `id`: by its first character, which is as
/// good as drawn, one of thirty-two.
fn shelf_of(id: &str) -> String {
    format!("shelf:{}", id.chars().next().unwrap_or_default())
}

impl Shelf {
    async fn write(&self, id: &str, json: &str, expires_ms: u64) -> Result<()> {
        let url = format!("https://report/{id}/{expires_ms}");
        glue::post(&self.0, "REPORTS", &shelf_of(id), &url, json).await
    }

    async fn read(&self, id: &str) -> Result<Option<String>> {
        let object = self
            .0
            .durable_object("REPORTS")?
            .get_by_name(&shelf_of(id))?;
        let url = format!("https://report/{id}");
        let mut response = object.fetch_with_str(&url).await?;
        match response.status_code() {
            404 => Ok(None),
            200 => response.text().await.map(Some),
            got => Err(worker::Error::RustError(format!("REPORTS answered {got}"))),
        }
    }
}

fn down(why: worker::Error) -> Error {
    Error::new(
        Code::Unavailable,
        "Stored reports cannot be reached just now; try again in a minute.",
    )
    .because(why.to_string())
}

impl ReportStore for Shelf {
    fn put<'a>(
        &'a self,
        id: &'a str,
        json: String,
        ttl: Duration,
    ) -> LocalBoxFuture<'a, std::result::Result<(), Error>> {
        let ttl_ms = u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX);
        let expires_ms = host::now_ms().saturating_add(ttl_ms);
        Box::pin(async move { self.write(id, &json, expires_ms).await.map_err(down) })
    }

    fn get<'a>(
        &'a self,
        id: &'a str,
    ) -> LocalBoxFuture<'a, std::result::Result<Option<String>, Error>> {
        Box::pin(async move { self.read(id).await.map_err(down) })
    }
}
