//! Budgets, asked of the Durable Object that bears the account's name.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use worker::Env;

use crate::config::Rate;
use crate::gate::Ledger;
use crate::gate::budget::Decision;

/// The `CLIENTS` objects.
pub struct Objects(pub Rc<Env>);

impl Objects {
    /// One GET with everything in its path: no body, no header and no request
    /// object to build on either side.
    async fn ask(&self, account: &str, path: &str) -> worker::Result<String> {
        let object = self.0.durable_object("CLIENTS")?.get_by_name(account)?;
        object
            .fetch_with_str(&format!("https://client/{path}"))
            .await?
            .text()
            .await
    }
}

impl Ledger for Objects {
    fn spend<'a>(
        &'a self,
        account: &'a str,
        budget: &'a str,
        rate: Rate,
        cost: u32,
    ) -> LocalBoxFuture<'a, Result<Decision, String>> {
        Box::pin(async move {
            let Rate { limit, seconds } = rate;
            let path = format!("spend/{budget}/{limit}/{seconds}/{cost}");
            let text = self.ask(account, &path).await.map_err(|e| e.to_string())?;
            serde_json::from_str(&text).map_err(|e| format!("CLIENTS answered {e}"))
        })
    }
}
