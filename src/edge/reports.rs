//! Stored reports: one object per id, which deletes itself on expiry.

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

const MIGRATIONS: [&str; 1] = [include_str!("../../migrations/report/0001_report.sql")];

/// The class behind `REPORTS`.
#[durable_object(alarm)]
pub struct ReportObject {
    state: State,
    sql: SqlStorage,
}

#[derive(Deserialize)]
struct Stored {
    json: String,
    expires_ms: u64,
}

impl DurableObject for ReportObject {
    fn new(state: State, _: Env) -> Self {
        let sql = state.storage().sql();
        ReportObject { state, sql }
    }

    async fn fetch(&self, request: Request) -> Result<Response> {
        if request.method() == Method::Post {
            let path = request.path();
            let expires_ms = path.trim_start_matches('/').parse().ok();
            let expires_ms = expires_ms.ok_or("no time of expiry")?;
            // It goes through as it is: large, and nothing of ours reads it.
            let json = JsFuture::from(request.inner().text()?).await?;
            return self.keep(json, expires_ms).await;
        }
        match self.stored()? {
            Some(report) if report.expires_ms > host::now_ms() => Response::ok(report.json),
            _ => Ok(Response::empty()?.with_status(404)),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        self.state.storage().delete_all().await?;
        Response::empty()
    }
}

impl ReportObject {
    async fn keep(&self, json: JsValue, expires_ms: u64) -> Result<Response> {
        sql::migrate(&self.sql, &MIGRATIONS)?;
        let statements = "DELETE FROM report;\nINSERT INTO report (json, expires_ms) VALUES (?, ?)";
        let bindings = vec![json, JsValue::from(expires_ms as f64)];
        self.sql.exec_raw(statements, bindings)?;
        let span = expires_ms.saturating_sub(host::now_ms());
        self.state
            .storage()
            .set_alarm(Duration::from_millis(span))
            .await?;
        Ok(Response::empty()?.with_status(204))
    }

    /// Reading creates nothing: asking for an id that does not exist leaves no
    /// storage behind.
    fn stored(&self) -> Result<Option<Stored>> {
        #[derive(Deserialize)]
        struct Table {
            n: u32,
        }
        let query = "SELECT COUNT(*) AS n FROM sqlite_master WHERE name = 'report'";
        let tables: Vec<Table> = sql::rows(&self.sql, query, vec![])?;
        if tables.first().is_none_or(|table| table.n == 0) {
            return Ok(None);
        }
        let rows: Vec<Stored> =
            sql::rows(&self.sql, "SELECT json, expires_ms FROM report", vec![])?;
        Ok(rows.into_iter().next())
    }
}

/// The `REPORTS` objects.
pub struct Shelf(pub Rc<Env>);

impl Shelf {
    async fn write(&self, id: &str, json: &str, expires_ms: u64) -> Result<()> {
        let url = format!("https://report/{expires_ms}");
        glue::post(&self.0, "REPORTS", id, &url, json).await
    }

    async fn read(&self, id: &str) -> Result<Option<String>> {
        let object = self.0.durable_object("REPORTS")?.get_by_name(id)?;
        let mut response = object.fetch_with_str("https://report/").await?;
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
