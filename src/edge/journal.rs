//! Evidence: the console line, and counts on their way to the client's
//! object. Neither keeps the caller waiting.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use worker::{Context, Delay, Env, console_error};

use super::{glue, host};
use crate::gate::Journal;
use crate::port::Random;
use crate::pulse::{Count, Deltas};

/// How long counts of one client are gathered in the isolate, so that a loop
/// of refused calls becomes one message to its object and not thousands.
const GATHER: Duration = Duration::from_millis(250);
/// Attempts at a message before its counts are given up, loudly.
const ATTEMPTS: u32 = 3;

/// After this long without being sent, counts are sent by whoever comes next:
/// the request that had promised to may have been cancelled.
const STALE_MS: u64 = 2_000;

/// Counts that have not been sent, by account. Shared by an isolate's
/// requests; whoever opens an entry sends it.
pub type Backlog = RefCell<HashMap<String, Gathering>>;

/// Counts of one account on their way.
#[derive(Default)]
pub struct Gathering {
    since_ms: u64,
    calls: u64,
    deltas: Deltas,
}

/// Console and client objects.
pub struct Console {
    env: Rc<Env>,
    context: Rc<Context>,
    backlog: Rc<Backlog>,
}

impl Console {
    pub fn new(env: Rc<Env>, context: Rc<Context>, backlog: Rc<Backlog>) -> Console {
        Console {
            env,
            context,
            backlog,
        }
    }
}

impl Journal for Console {
    fn line(&self, line: &str) {
        glue::line(line);
    }

    fn count(&self, account: &str, count: Count) {
        let now = host::now_ms();
        {
            let mut backlog = self.backlog.borrow_mut();
            let gathering = match backlog.get_mut(account) {
                Some(gathering) => gathering,
                None => backlog.entry(account.to_owned()).or_default(),
            };
            gathering.calls += 1;
            gathering.deltas.count(&count);
            if now < gathering.since_ms + STALE_MS {
                return;
            }
            gathering.since_ms = now;
        }
        let (account, env) = (account.to_owned(), Rc::clone(&self.env));
        let backlog = Rc::clone(&self.backlog);
        self.context.wait_until(async move {
            Delay::from(GATHER).await;
            // Nothing, when somebody else has sent it by now.
            let Some(gathering) = backlog.borrow_mut().remove(&account) else {
                return;
            };
            if let Err(why) = send(&env, &account, &gathering.deltas).await {
                console_error!("{} counts were not recorded: {why}", gathering.calls);
            }
        });
    }
}

async fn send(env: &Env, account: &str, deltas: &Deltas) -> Result<(), String> {
    let body = serde_json::to_string(deltas).map_err(|e| e.to_string())?;
    // A message that is sent again bears the same id, and counts once.
    let mut id = [0_u8; 8];
    host::Entropy.fill(&mut id);
    let url = format!("https://client/count/{:016x}", u64::from_be_bytes(id));
    let mut attempt = 1;
    loop {
        match glue::post(env, "CLIENTS", account, &url, &body).await {
            Ok(()) => return Ok(()),
            Err(why) if attempt == ATTEMPTS => return Err(why.to_string()),
            Err(_) => Delay::from(Duration::from_millis(400) * attempt).await,
        }
        attempt += 1;
    }
}
