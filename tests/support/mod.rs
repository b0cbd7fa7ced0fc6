//! A world for native tests: everything a surface needs to answer, with a
//! clock, ledger and journal that the test owns and a network that refuses.
//!
//! `House` is the Worker without Cloudflare: build one, ask it, read what
//! came back and what was written down.

#![allow(dead_code)]

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt, StreamExt};
use netrecon::config::Config;
use netrecon::error::{Code, Error};
use netrecon::gate::budget::{Account, Verdict};
use netrecon::gate::likeness::Retries;
use netrecon::gate::{Charge, Gate, Journal, Ledger, Memory};
use netrecon::guard::{Guard, PublicAddr, PublicUrl};
use netrecon::port::{
    Ask, Clock, Ecdsa, Fetched, Model, NetError, Network, Random, ReportStore, Signatures, Stream,
};
use netrecon::pulse::{Count, Counter, Record};
use netrecon::surface::{Body, Counters, Incoming, Live, Prepared, Reply, Site, route};
use netrecon::tool::{Registry, World};
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The instant every test begins at: 2026-11-22T00:00:00Z.
pub const MIDNIGHT: u64 = 1_795_305_600_000;

/// The Worker without Cloudflare.
pub struct House {
    pub registry: Rc<Registry>,
    pub prepared: Prepared,
    pub clock: Rc<FixedClock>,
    pub ledger: Rc<MemoryLedger>,
    pub journal: Rc<Lines>,
    pub reports: Rc<MemoryReports>,
    pub counters: MemoryCounters,
    pub memory: Rc<Memory>,
    config: Rc<Config>,
    network: Rc<dyn Network>,
}

/// What comes of a future without waiting for the world: it is asked again
/// as long as one part of it wakes another.
pub fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = std::pin::pin!(future);
    while woken.0.swap(false, Ordering::Relaxed) {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
    }
    None
}

impl House {
    /// With the documented defaults and a network that refuses everything.
    pub fn new() -> House {
        House::with(&[], Rc::new(NoNetwork))
    }

    /// With these variables set.
    pub fn with_vars(vars: &[(&str, &str)]) -> House {
        House::with(vars, Rc::new(NoNetwork))
    }

    /// With these variables and this network.
    pub fn with(vars: &[(&str, &str)], network: Rc<dyn Network>) -> House {
        let config = Config::from_vars(|name| {
            vars.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .expect("the test's variables are valid");
        let registry = Rc::new(Registry::new());
        let clock = Rc::new(FixedClock(Cell::new(MIDNIGHT)));
        House {
            prepared: Prepared::new(&registry),
            registry,
            ledger: Rc::new(MemoryLedger::over(Rc::clone(&clock))),
            clock,
            journal: Rc::default(),
            reports: Rc::default(),
            counters: MemoryCounters::default(),
            memory: Rc::new(Memory::new(b"a key of the tests".to_vec())),
            config: Rc::new(config),
            network,
        }
    }

    /// Answers one request. Nothing in a test's world waits for anything but
    /// its own parts, so an answer that nobody wakes never comes.
    pub fn ask(&self, request: &Request) -> Seen {
        let gate = self.gate();
        let site = Site {
            gate: &gate,
            prepared: &self.prepared,
            counters: &self.counters,
        };
        let reply = at_once(route(&site, request)).expect("the answer waits for something");
        Seen::of(reply)
    }

    /// The gate of one request.
    pub fn gate(&self) -> Gate {
        Gate {
            registry: Rc::clone(&self.registry),
            world: self.world(),
            ledger: self.ledger.clone(),
            journal: self.journal.clone(),
            memory: Rc::clone(&self.memory),
        }
    }

    /// What tools run in.
    pub fn world(&self) -> Rc<World> {
        Rc::new(World {
            config: Rc::clone(&self.config),
            guard: Rc::new(Guard::new(self.config.policy.clone())),
            network: Rc::clone(&self.network),
            clock: self.clock.clone(),
            random: Rc::new(CountingRandom::default()),
            signatures: Rc::new(NoSignatures),
            reports: self.reports.clone(),
            model: Rc::new(NoModel),
            colo: String::from("TST"),
        })
    }
}

/// One request, built up by the test.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    secure: bool,
}

impl Request {
    /// A request from a documentation address to `localhost`.
    pub fn new(method: &str, target: &str) -> Request {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let headers = [
            ("host", "localhost:8787"),
            ("cf-connecting-ip", "198.51.100.7"),
            ("user-agent", "tests/1"),
            ("cf-ray", "8f0c1d2e3f4a5b6c-TST"),
        ];
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: Vec::new(),
            secure: false,
        }
    }

    /// As it arrives over TLS.
    pub fn over_https(mut self) -> Request {
        self.secure = true;
        self
    }

    /// A POST of JSON.
    pub fn post(path: &str, body: &Value) -> Request {
        Request::new("POST", path)
            .with("content-type", "application/json")
            .body(body.to_string())
    }

    /// Sets a header field.
    pub fn with(self, name: &str, value: &str) -> Request {
        let mut request = self.without(name);
        request.headers.push((name.to_owned(), value.to_owned()));
        request
    }

    /// Takes a header field away.
    pub fn without(mut self, name: &str) -> Request {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Request {
        self.body = body.into();
        self
    }
}

impl Incoming for Request {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    fn scheme(&self) -> &str {
        if self.secure { "https" } else { "http" }
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", ").into())
    }

    fn body(&self, cap: usize) -> LocalBoxFuture<'_, Result<Vec<u8>, Error>> {
        let body = match self.body.len() > cap {
            true => Err(Error::new(Code::PayloadTooLarge, "Send less.")),
            false => Ok(self.body.clone()),
        };
        Box::pin(async move { body })
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Seen {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Seen {
    fn of(reply: Reply) -> Seen {
        let body = match reply.body {
            Body::Empty => String::new(),
            Body::Static(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            Body::Text(text) => text,
            Body::Shared(text) => text.to_string(),
            Body::Live(live) => whole(live),
        };
        let headers = reply
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.into_owned()))
            .collect();
        Seen {
            status: reply.status,
            headers,
            body,
        }
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        json(&self.body)
    }
}

/// Text as JSON in which no object names a member twice: parsers keep the
/// last one and say nothing, so two structs merged into one would go unseen.
pub fn json(text: &str) -> Value {
    let Once(value) = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text:?}"));
    value
}

/// A JSON value whose objects name each member once.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Once, D::Error> {
        deserializer.deserialize_any(OnceVisitor).map(Once)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Once(value))) = members.next_entry::<String, Once>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("{name:?} is named twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

/// All that a live body comes to.
fn whole(live: Live) -> String {
    if let Some(work) = live.work {
        work.now_or_never().expect("the work waits for something");
    }
    let chunks = live.chunks.collect::<String>();
    chunks.now_or_never().expect("the work has ended")
}

/// A clock that stands until the test moves it. Nothing ever times out.
pub struct FixedClock(pub Cell<u64>);

impl FixedClock {
    /// Moves on.
    pub fn advance(&self, span: Duration) {
        let span = u64::try_from(span.as_millis()).expect("a short span");
        self.0.set(self.0.get() + span);
    }
}

impl Clock for FixedClock {
    fn now_ms(&self) -> u64 {
        self.0.get()
    }

    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

/// Bytes that differ from call to call and not from run to run.
#[derive(Default)]
pub struct CountingRandom(Cell<u8>);

impl Random for CountingRandom {
    fn fill(&self, out: &mut [u8]) {
        for byte in out {
            self.0.set(self.0.get().wrapping_add(1));
            *byte = self.0.get();
        }
    }
}

/// A platform that verifies nothing for us.
pub struct NoSignatures;

impl Signatures for NoSignatures {
    fn is_right<'a>(&'a self, _: &'a Ecdsa) -> LocalBoxFuture<'a, Option<bool>> {
        Box::pin(std::future::ready(None))
    }
}

/// No model is bound, as in the default deployment.
pub struct NoModel;

impl Model for NoModel {
    fn is_bound(&self) -> bool {
        false
    }

    fn ask(&self, _: &'static str, _: String) -> LocalBoxFuture<'static, Option<String>> {
        unreachable!("nobody is asked")
    }
}

/// Budgets in memory, over the test's clock.
pub struct MemoryLedger {
    clock: Rc<FixedClock>,
    accounts: RefCell<HashMap<(String, &'static str), Account>>,
    retries: RefCell<HashMap<String, Retries>>,
    /// While this is set, no account can be reached.
    pub broken: Cell<bool>,
}

impl MemoryLedger {
    /// Empty.
    pub fn over(clock: Rc<FixedClock>) -> MemoryLedger {
        MemoryLedger {
            clock,
            accounts: RefCell::default(),
            retries: RefCell::default(),
            broken: Cell::new(false),
        }
    }
}

impl MemoryLedger {
    /// What a client's object does with a call.
    fn judge(&self, account: &str, charge: Charge) -> Verdict {
        let now = self.clock.now_ms();
        let decision = self
            .accounts
            .borrow_mut()
            .entry((account.to_owned(), charge.budget))
            .or_default()
            .spend(charge.rate, charge.cost, now);
        let mut retries = self.retries.borrow_mut();
        let retries = retries.entry(account.to_owned()).or_default();
        let alike = match decision.admitted {
            true => retries.note(charge.budget, charge.refused, now),
            false => 0,
        };
        Verdict { decision, alike }
    }
}

impl Ledger for MemoryLedger {
    fn spend<'a>(
        &'a self,
        account: &'a str,
        charge: Charge,
    ) -> LocalBoxFuture<'a, Result<Verdict, String>> {
        let result = match self.broken.get() {
            true => Err(String::from("the test broke the ledger")),
            false => Ok(self.judge(account, charge)),
        };
        Box::pin(async move { result })
    }
}

/// Everything that was written down.
#[derive(Default)]
pub struct Lines {
    pub lines: RefCell<Vec<String>>,
    pub counts: RefCell<Vec<(String, Count)>>,
}

impl Lines {
    /// The events, read back.
    pub fn events(&self) -> Vec<Value> {
        self.lines
            .borrow()
            .iter()
            .map(|line| serde_json::from_str(line).expect("an event is JSON"))
            .collect()
    }

    /// The last event.
    pub fn last(&self) -> Value {
        self.events().pop().expect("an event was written")
    }
}

impl Journal for Lines {
    fn line(&self, line: &str) {
        self.lines.borrow_mut().push(line.to_owned());
    }

    fn count(&self, account: &str, count: Count) {
        self.counts.borrow_mut().push((account.to_owned(), count));
    }
}

/// Reports in memory; they do not expire by themselves.
#[derive(Default)]
pub struct MemoryReports(pub RefCell<HashMap<String, String>>);

impl ReportStore for MemoryReports {
    fn put<'a>(
        &'a self,
        id: &'a str,
        json: String,
        _: Duration,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        self.0.borrow_mut().insert(id.to_owned(), json);
        Box::pin(async { Ok(()) })
    }

    fn get<'a>(&'a self, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>, Error>> {
        let found = self.0.borrow().get(id).cloned();
        Box::pin(async move { Ok(found) })
    }
}

/// Flushed counters, as the test sets them.
#[derive(Default)]
pub struct MemoryCounters(
    pub RefCell<HashMap<(String, String), Counter>>,
    pub RefCell<Option<Record>>,
);

impl Counters for MemoryCounters {
    fn read<'a>(
        &'a self,
        day: &'a str,
        tool: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Counter>, Error>> {
        let found = self
            .0
            .borrow()
            .get(&(day.to_owned(), tool.to_owned()))
            .cloned();
        Box::pin(async move { Ok(found) })
    }

    fn record(&self) -> LocalBoxFuture<'_, Result<Option<Record>, Error>> {
        let record = self.1.borrow().clone();
        Box::pin(async move { Ok(record) })
    }

    fn due(&self) -> LocalBoxFuture<'_, Result<u64, Error>> {
        Box::pin(async { Ok(0) })
    }
}

/// Nothing is reachable.
pub struct NoNetwork;

impl Network for NoNetwork {
    fn connect<'a>(
        &'a self,
        _: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>> {
        Box::pin(async { Err(NetError::Failed(String::from("no network in this test"))) })
    }

    fn fetch<'a>(
        &'a self,
        _: &'a PublicUrl,
        _: &'a [(&'static str, String)],
        _: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async { Err(NetError::Failed(String::from("no network in this test"))) })
    }

    fn ask<'a>(&'a self, _: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async { Err(NetError::Failed(String::from("no network in this test"))) })
    }
}
