//! Budgets, asked of the Durable Object that bears the account's name.

use futures_util::future::LocalBoxFuture;
use worker::{Env, ObjectNamespace};

use crate::config::Rate;
use crate::gate::Ledger;
use crate::gate::budget::Decision;

/// The `CLIENTS` objects.
pub struct Objects {
    clients: Result<ObjectNamespace, String>,
}

impl Objects {
    pub fn new(env: &Env) -> Objects {
        Objects {
            clients: env.durable_object("CLIENTS").map_err(|e| e.to_string()),
        }
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
            let clients = self.clients.as_ref().map_err(Clone::clone)?;
            let stub = clients.get_by_name(account).map_err(|e| e.to_string())?;
            // One GET with everything in its path: no body, no header and no
            // request object to build on either side.
            let Rate { limit, seconds } = rate;
            let url = format!("https://client/spend/{budget}/{limit}/{seconds}/{cost}");
            let mut response = stub.fetch_with_str(&url).await.map_err(|e| e.to_string())?;
            let text = response.text().await.map_err(|e| e.to_string())?;
            serde_json::from_str(&text).map_err(|e| format!("CLIENTS answered {e}"))
        })
    }
}
