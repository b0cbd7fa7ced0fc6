//! Budgets, asked of the Durable Object that bears the account's name.

use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use worker::Env;

use super::glue;
use crate::config::Rate;
use crate::gate::budget::Verdict;
use crate::gate::{Charge, Ledger};

/// The `CLIENTS` objects.
pub struct Objects(pub Rc<Env>);

impl Objects {
    /// One GET with everything in its path: no body, no header and no request
    /// object to build on either side.
    async fn ask(&self, account: &str, path: &str) -> Result<String, String> {
        match glue::ask(&self.0, account, path).await {
            Ok(verdict) => Ok(verdict.as_string().unwrap_or_default()),
            Err(why) => Err(worker::Error::from(why).to_string()),
        }
    }
}

impl Ledger for Objects {
    fn spend<'a>(
        &'a self,
        account: &'a str,
        charge: Charge,
    ) -> LocalBoxFuture<'a, Result<Verdict, String>> {
        Box::pin(async move {
            let Charge {
                budget,
                rate: Rate { limit, seconds },
                cost,
                refused,
            } = charge;
            let mut path = format!("spend/{budget}/{limit}/{seconds}/{cost}");
            if let Some(sketch) = refused {
                path.push('/');
                path.push_str(&sketch.hex());
            }
            let text = self.ask(account, &path).await?;
            Verdict::read(&text).ok_or_else(|| format!("CLIENTS answered {text:?}"))
        })
    }
}
