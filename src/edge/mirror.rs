//! What the health page reads: counters and record out of KV, and how far KV
//! is behind, asked of the collector.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use worker::Env;

use super::host;
use super::tally::{RECORD_KEY, key};
use crate::error::{Code, Error};
use crate::pulse::{COLLECTOR, Counter, Record};
use crate::surface::Counters;

/// How long an isolate goes by what the collector said, so that nobody can
/// load it through the health page.
const REMEMBER_MS: u64 = 5_000;

thread_local! {
    /// When the collector was asked, and what it said.
    static ASKED: Cell<Option<(u64, u64)>> = const { Cell::new(None) };
}

/// The counters as KV mirrors them.
pub struct Mirror(pub Rc<Env>);

impl Mirror {
    async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let read = async {
            let kv = self.0.kv("COUNTERS").map_err(|e| e.to_string())?;
            let text = kv.get(key).text().await.map_err(|e| e.to_string())?;
            text.map(|text| serde_json::from_str(&text).map_err(|e| e.to_string()))
                .transpose()
        };
        read.await.map_err(unreadable)
    }

    async fn ask_collector(&self) -> Result<u64, Error> {
        let now = host::now_ms();
        if let Some((asked, due)) = ASKED.get()
            && now.saturating_sub(asked) < REMEMBER_MS
        {
            return Ok(due);
        }
        let ask = async {
            let object = self.0.durable_object("TALLY")?.get_by_name(COLLECTOR)?;
            let mut answer = object.fetch_with_str("https://tally/due").await?;
            answer.text().await
        };
        let text = ask.await.map_err(|e| unreadable(e.to_string()))?;
        let due = text.parse().map_err(|_| unreadable(text))?;
        ASKED.set(Some((now, due)));
        Ok(due)
    }
}

fn unreadable(why: String) -> Error {
    Error::new(Code::Unavailable, "Counters cannot be read just now.").because(why)
}

impl Counters for Mirror {
    fn read<'a>(
        &'a self,
        day: &'a str,
        tool: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Counter>, Error>> {
        Box::pin(async move { self.get(&key(day, tool)).await })
    }

    fn record(&self) -> LocalBoxFuture<'_, Result<Option<Record>, Error>> {
        Box::pin(self.get(RECORD_KEY))
    }

    fn due(&self) -> LocalBoxFuture<'_, Result<u64, Error>> {
        Box::pin(self.ask_collector())
    }
}
