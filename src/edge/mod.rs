//! The only room that knows Cloudflare: request and response, sockets,
//! Durable Objects, KV, console, clock. It translates and decides nothing.

mod client;
mod glue;
mod host;
mod incoming;
mod journal;
mod ledger;
mod mirror;
mod model;
mod network;
mod outbox;
mod outgoing;
mod reports;
mod signatures;
mod sql;
mod tally;
mod timers;

use std::cell::OnceCell;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;
use netrecon_memory as _;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use worker::web_sys::{Request, Response};
use worker::{Context, Env, Result, console_error, event, worker_sys};

use crate::config::Config;
use crate::error::{Code, Error};
use crate::gate::{Gate, Memory};
use crate::guard::Guard;
use crate::port::Random;
use crate::surface::{self, Prepared, Reply, Site};
use crate::tool::{Registry, World};

/// What an isolate makes once and keeps.
struct Isolate {
    config: Rc<Config>,
    guard: Rc<Guard>,
    registry: Rc<Registry>,
    prepared: Prepared,
    memory: Rc<Memory>,
    network: Rc<network::Platform>,
    random: Rc<host::Entropy>,
    signatures: Rc<signatures::WebCrypto>,
    backlog: Rc<journal::Backlog>,
}

thread_local! {
    static ISOLATE: OnceCell<std::result::Result<Rc<Isolate>, String>> = const { OnceCell::new() };
}

/// The isolate's state; made from the first request's environment, since
/// variables cannot be read before.
fn isolate(env: &Env) -> std::result::Result<Rc<Isolate>, String> {
    ISOLATE.with(|cell| {
        cell.get_or_init(|| Isolate::start(env).map(Rc::new))
            .clone()
    })
}

impl Isolate {
    fn start(env: &Env) -> std::result::Result<Isolate, String> {
        let config = host::config(env)?;
        let registry = Registry::new();
        Ok(Isolate {
            guard: Rc::new(Guard::new(config.policy.clone())),
            config: Rc::new(config),
            prepared: Prepared::new(&registry),
            registry: Rc::new(registry),
            memory: Rc::new(memory(env)),
            network: Rc::new(network::Platform),
            random: Rc::new(host::Entropy),
            signatures: Rc::new(signatures::WebCrypto),
            backlog: Rc::default(),
        })
    }
}

/// Hashes are keyed by `LOG_KEY`, or by what this isolate draws for itself.
fn memory(env: &Env) -> Memory {
    match env.secret("LOG_KEY") {
        Ok(secret) if !secret.to_string().is_empty() => {
            Memory::new(secret.to_string().into_bytes()).shared()
        }
        _ => {
            let mut key = vec![0; 32];
            host::Entropy.fill(&mut key);
            Memory::new(key)
        }
    }
}

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
    incoming::prepare(Box::new(answered));
}

/// The Worker's entry. Written out, and not with the platform crate's macro,
/// because that wraps every request, header list and answer, and promises
/// what is already known: most calls are answered without waiting.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env, context: worker_sys::Context) -> JsValue {
    glue::arrive(request, env, context)
}

/// A response where nothing has to be waited for, else a promise of one.
fn answered(
    request: Request,
    env: Env,
    context: worker_sys::Context,
    told: String,
    body: Option<Vec<u8>>,
) -> JsValue {
    let context = Rc::new(Context::new(context));
    let mut work = Box::pin(async move {
        let response = serve(incoming::Arrived::new(request, told, body), env, context).await;
        response.map(JsValue::from).map_err(JsValue::from)
    });
    match work.as_mut().now_or_never() {
        Some(Ok(response)) => response,
        Some(Err(why)) => js_sys::Promise::reject(&why).into(),
        None => future_to_promise(AssertUnwindSafe(work)).into(),
    }
}

async fn serve(request: incoming::Arrived, env: Env, context: Rc<Context>) -> Result<Response> {
    let reply = match isolate(&env) {
        Ok(isolate) => {
            let work = answer(&isolate, &request, Rc::new(env), Rc::clone(&context));
            // What panics outside the gate was no call, and leaves no event.
            let answered = AssertUnwindSafe(work).catch_unwind().await;
            answered.unwrap_or_else(|_| Reply::error(&Error::internal("a panic")))
        }
        Err(why) => {
            console_error!("netrecon cannot start: {why}");
            Reply::error(&Error::new(
                Code::Unavailable,
                format!("This server is misconfigured; its operator has to mend {why}."),
            ))
        }
    };
    outgoing::respond(reply, &context)
}

/// Bindings are looked up where they are used: most requests need none or one,
/// and each look-up is a crossing into JavaScript.
async fn answer(
    isolate: &Isolate,
    request: &incoming::Arrived,
    env: Rc<Env>,
    context: Rc<Context>,
) -> Reply {
    #[cfg(feature = "panic-injection")]
    assert_ne!(
        surface::Incoming::path(request),
        "/panic",
        "a test asked for it"
    );
    let world = World {
        config: Rc::clone(&isolate.config),
        guard: Rc::clone(&isolate.guard),
        network: isolate.network.clone(),
        clock: Rc::new(host::WallClock::default()),
        random: isolate.random.clone(),
        signatures: isolate.signatures.clone(),
        reports: Rc::new(reports::Shelf(Rc::clone(&env))),
        model: Rc::new(model::Bound(Rc::clone(&env))),
        colo: request.colo(),
    };
    let gate = Gate {
        registry: Rc::clone(&isolate.registry),
        world: Rc::new(world),
        ledger: Rc::new(ledger::Objects(Rc::clone(&env))),
        journal: Rc::new(journal::Console::new(
            Rc::clone(&env),
            context,
            Rc::clone(&isolate.backlog),
        )),
        memory: Rc::clone(&isolate.memory),
    };
    let counters = mirror::Mirror(env);
    let site = Site {
        gate: &gate,
        prepared: &isolate.prepared,
        counters: &counters,
    };
    surface::route(&site, request).await
}
