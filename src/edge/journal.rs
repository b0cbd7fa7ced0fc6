//! Evidence: the console line, and counts on their way to the client's
//! object. Neither keeps the caller waiting.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use worker::{
    Context, Delay, Env, Method, ObjectNamespace, Request, RequestInit, console_error, console_log,
};

use crate::gate::Journal;
use crate::pulse::Count;

/// How long counts of one client are gathered in the isolate, so that a loop
/// of refused calls becomes one message to its object and not thousands.
const GATHER: Duration = Duration::from_millis(250);
/// Most counts in one message.
const MESSAGE: usize = 500;
/// Attempts at a message before its counts are given up, loudly.
const ATTEMPTS: u32 = 3;

/// Counts that have not been sent, by account. Shared by an isolate's
/// requests; whoever opens an entry sends it.
pub type Backlog = RefCell<HashMap<String, Vec<Count>>>;

/// Console and client objects.
pub struct Console {
    clients: Rc<worker::Result<ObjectNamespace>>,
    context: Context,
    backlog: Rc<Backlog>,
}

impl Console {
    pub fn new(env: &Env, context: Context, backlog: Rc<Backlog>) -> Console {
        Console {
            clients: Rc::new(env.durable_object("CLIENTS")),
            context,
            backlog,
        }
    }
}

impl Journal for Console {
    fn line(&self, line: &str) {
        console_log!("{line}");
    }

    fn count(&self, account: &str, count: Count) {
        let mut backlog = self.backlog.borrow_mut();
        if let Some(gathered) = backlog.get_mut(account) {
            gathered.push(count);
            return;
        }
        backlog.insert(account.to_owned(), vec![count]);
        let (account, clients) = (account.to_owned(), Rc::clone(&self.clients));
        let backlog = Rc::clone(&self.backlog);
        self.context.wait_until(async move {
            Delay::from(GATHER).await;
            let counts = backlog.borrow_mut().remove(&account).unwrap_or_default();
            for chunk in counts.chunks(MESSAGE) {
                if let Err(why) = send(&clients, &account, chunk).await {
                    console_error!("{} counts were not recorded: {why}", chunk.len());
                }
            }
        });
    }
}

async fn send(
    clients: &worker::Result<ObjectNamespace>,
    account: &str,
    counts: &[Count],
) -> Result<(), String> {
    let clients = clients.as_ref().map_err(|e| e.to_string())?;
    let body = serde_json::to_string(counts).map_err(|e| e.to_string())?;
    let mut attempt = 1;
    loop {
        match post(clients, account, &body).await {
            Ok(()) => return Ok(()),
            Err(why) if attempt == ATTEMPTS => return Err(why.to_string()),
            Err(_) => Delay::from(Duration::from_millis(400) * attempt).await,
        }
        attempt += 1;
    }
}

async fn post(clients: &ObjectNamespace, account: &str, body: &str) -> worker::Result<()> {
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_body(Some(body.into()));
    let request = Request::new_with_init("https://client/count", &init)?;
    let response = clients
        .get_by_name(account)?
        .fetch_with_request(request)
        .await?;
    match response.status_code() {
        200..=299 => Ok(()),
        status => Err(worker::Error::RustError(format!("status {status}"))),
    }
}
