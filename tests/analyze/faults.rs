//! Every port fails at random, call after call: the resolver, sockets, the
//! platform's client, budgets, the report store. Each call still ends in time
//! and typed, is one event and one count; and when the world is well again,
//! so is the next call.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use netrecon::error::Code;
use netrecon::gate::budget::Verdict;
use netrecon::gate::{Charge, Gate, Ledger, Memory};
use netrecon::guard::{PublicAddr, PublicUrl};
use netrecon::port::{Ask, Clock, Fetched, NetError, Network, ReportStore, Stream};
use netrecon::surface::{Body, Prepared, Site, route};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::dice::{Dice, number, seed};
use super::support::{FixedClock, Lines, MemoryCounters, MemoryLedger, Request};
use super::*;

/// What `analyze` and `lookup` promise, and a breath for the rest.
pub const LONGEST: Duration = Duration::from_millis(15_000);

#[test]
fn whatever_fails_every_call_ends_typed_in_time_and_once_on_record() {
    run(async {
        let calls = number("FAULT_CALLS", 300);
        let authority = Authority::new();
        let plenty = json!({"limit": 100_000, "seconds": 1});
        let budgets =
            json!({"analyze": plenty, "lookup": plenty, "diff": plenty, "target": plenty});
        let world = FailingWorld::new(&authority, &budgets);
        let mut dice = Dice(seed());
        let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
        for call in 1..=calls {
            world.sicken(dice.below(4) > 0);
            let request = request(&mut dice);
            let began = Instant::now();
            let (status, body) = world.ask(&request).await;
            let told = || format!("seed {}, call {call}: {status} {body}", seed());
            assert!(
                began.elapsed() <= LONGEST,
                "{:?}, {}",
                began.elapsed(),
                told()
            );
            let code = match body["error"].as_str() {
                None => "success",
                Some("internal_error") => panic!("{}", told()),
                Some(code) => code,
            };
            assert_eq!(status == 200, code == "success", "{}", told());
            *outcomes.entry(code.to_owned()).or_default() += 1;
            let recorded = (
                world.journal.lines.borrow().len() as u64,
                world.journal.counts.borrow().len() as u64,
            );
            assert_eq!(recorded, (call, call), "{}", told());
        }
        println!("seed {}: {outcomes:?}", seed());
        assert!(
            outcomes["success"] > 20 && outcomes.len() > 2,
            "{outcomes:?}"
        );

        world.sicken(false);
        let (status, report) = world.ask(&analyze()).await;
        assert_eq!(status, 200, "{report}");
        assert_eq!(
            report["coverage"]["ratio"], 1.0,
            "well again: {}",
            report["coverage"]
        );
        assert_eq!(state(&report, "tls.trust"), "pass");
    });
}

fn analyze() -> Request {
    Request::post("/api/analyze", &json!({ "target": HOST, "detail": "full" }))
}

fn request(dice: &mut Dice) -> Request {
    match dice.below(4) {
        0 => Request::post(
            "/api/lookup",
            &json!({ "name": HOST, "records": ["A", "MX", "NS", "TXT", "RDAP"] }),
        ),
        1 => {
            let id = "aaaaaaaaaaaaaaaaaaaaaaaaaa";
            Request::post("/api/diff", &json!({ "before": id, "after": id }))
        }
        _ => analyze(),
    }
}

/// A good host in a world where anything may fail.
pub struct FailingWorld {
    registry: Rc<Registry>,
    prepared: Prepared,
    counters: MemoryCounters,
    world: Rc<World>,
    ledger: Rc<FailingLedger>,
    ledger_clock: Rc<FixedClock>,
    reports: Rc<FailingReports>,
    pub journal: Rc<Lines>,
    memory: Rc<Memory>,
    trouble: Rc<Trouble>,
}

impl FailingWorld {
    pub fn new(authority: &Authority, budgets: &Value) -> FailingWorld {
        let net: Rc<Internet> = Rc::default();
        good_host(&net, authority);
        let clock = Rc::new(TokioClock::new());
        let trouble = Rc::new(Trouble {
            sick: Cell::new(false),
            dice: RefCell::new(Dice(seed() ^ 1)),
            clock: clock.clone(),
        });
        let config = Config::from_vars(|name| match name {
            "TRUST_ANCHORS" => Some(authority.pem.clone()),
            "BUDGETS" => Some(budgets.to_string()),
            _ => None,
        });
        let config = Rc::new(config.expect("valid variables"));
        let registry = Rc::new(Registry::new());
        let reports = Rc::new(FailingReports(
            MemoryReports::default(),
            Rc::clone(&trouble),
        ));
        let ledger_clock = Rc::new(FixedClock(Cell::new(MIDNIGHT)));
        let world = Rc::new(World {
            guard: Rc::new(Guard::new(config.policy.clone())),
            config,
            network: Rc::new(FailingNetwork(net, Rc::clone(&trouble))),
            clock: clock.clone(),
            random: Rc::new(CountingRandom::default()),
            signatures: Rc::new(NoSignatures),
            reports: reports.clone(),
            model: Rc::new(NoModel),
            colo: String::from("TST"),
        });
        FailingWorld {
            prepared: Prepared::new(&registry),
            registry,
            counters: MemoryCounters::default(),
            world,
            ledger: Rc::new(FailingLedger(
                MemoryLedger::over(Rc::clone(&ledger_clock)),
                Rc::clone(&trouble),
            )),
            ledger_clock,
            reports,
            journal: Rc::default(),
            memory: Rc::new(Memory::new(b"a key of the tests".to_vec())),
            trouble,
        }
    }

    /// From now on, things fail or do not.
    pub fn sicken(&self, sick: bool) {
        self.trouble.sick.set(sick);
    }

    /// A stored report is no longer there.
    pub fn expire(&self, id: &str) {
        self.reports.0.0.borrow_mut().remove(id);
    }

    /// Everything is well again, and so much later that budgets are full.
    pub async fn recover(&self, span: Duration) {
        self.sicken(false);
        self.ledger_clock.advance(span);
        tokio::time::advance(span).await;
    }

    /// Status and body of one request.
    pub async fn ask(&self, request: &Request) -> (u16, Value) {
        let gate = Gate {
            registry: Rc::clone(&self.registry),
            world: Rc::clone(&self.world),
            ledger: self.ledger.clone(),
            journal: self.journal.clone(),
            memory: Rc::clone(&self.memory),
        };
        let site = Site {
            gate: &gate,
            prepared: &self.prepared,
            counters: &self.counters,
        };
        let reply = route(&site, request).await;
        let body = match reply.body {
            Body::Text(text) => text,
            Body::Shared(text) => text.to_string(),
            Body::Static(bytes) => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
            Body::Empty | Body::Live(_) => String::from("null"),
        };
        (reply.status, support::json(&body))
    }
}

// --- trouble -----------------------------------------------------------------

/// What goes wrong with one use of a port.
enum Fault {
    None,
    Refused,
    TimedOut,
    Exhausted,
    Silent,
    Late(Duration),
    Partial(usize),
}

struct Trouble {
    sick: Cell<bool>,
    dice: RefCell<Dice>,
    clock: Rc<TokioClock>,
}

impl Trouble {
    fn next(&self) -> Fault {
        let mut dice = self.dice.borrow_mut();
        if !self.sick.get() || dice.below(4) > 0 {
            return Fault::None;
        }
        match dice.below(6) {
            0 => Fault::Refused,
            1 => Fault::TimedOut,
            2 => Fault::Exhausted,
            3 => Fault::Silent,
            4 => Fault::Late(Duration::from_millis(dice.next() % 9_000)),
            _ => Fault::Partial(dice.below(2_000)),
        }
    }

    /// Waits and fails as the fault says; `Ok(n)` goes on, with `n` bytes at most.
    async fn befall(&self) -> Result<usize, NetError> {
        match self.next() {
            Fault::None => Ok(usize::MAX),
            Fault::Refused => Err(NetError::Failed(String::from("the world is sick"))),
            Fault::TimedOut => Err(NetError::TimedOut),
            Fault::Exhausted => Err(NetError::Exhausted),
            Fault::Silent => std::future::pending().await,
            Fault::Late(span) => {
                self.clock.sleep(span).await;
                Ok(usize::MAX)
            }
            Fault::Partial(bytes) => Ok(bytes),
        }
    }
}

struct FailingNetwork(Rc<Internet>, Rc<Trouble>);

impl Network for FailingNetwork {
    fn connect<'a>(
        &'a self,
        to: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>> {
        Box::pin(async move {
            let left = self.1.befall().await?;
            let stream = self.0.connect(to).await?;
            Ok(Box::new(Broken { stream, left }) as Box<dyn Stream>)
        })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a PublicUrl,
        headers: &'a [(&'static str, String)],
        cap: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let left = self.1.befall().await?;
            self.0
                .fetch(url, headers, cap)
                .await
                .map(|whole| cut(whole, left))
        })
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let left = self.1.befall().await?;
            self.0.ask(ask).await.map(|whole| cut(whole, left))
        })
    }
}

fn cut(mut whole: Fetched, left: usize) -> Fetched {
    whole.body.truncate(left);
    whole
}

/// A connection that ends after so many bytes.
struct Broken {
    stream: Box<dyn Stream>,
    left: usize,
}

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let mut room = vec![0; buffer.remaining().min(self.left)];
        let mut part = ReadBuf::new(&mut room);
        let polled = Pin::new(&mut self.stream).poll_read(context, &mut part);
        let bytes = part.filled();
        buffer.put_slice(bytes);
        self.left -= bytes.len();
        polled
    }
}

impl AsyncWrite for Broken {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Budgets that cannot always be reached.
struct FailingLedger(MemoryLedger, Rc<Trouble>);

impl Ledger for FailingLedger {
    fn spend<'a>(
        &'a self,
        account: &'a str,
        charge: Charge,
    ) -> LocalBoxFuture<'a, Result<Verdict, String>> {
        // The platform ends a call to an object that is gone; it does not hang.
        let gone = matches!(self.1.next(), Fault::Refused | Fault::TimedOut);
        self.0.broken.set(gone);
        self.0.spend(account, charge)
    }
}

/// A store that loses its object now and then.
struct FailingReports(MemoryReports, Rc<Trouble>);

impl FailingReports {
    async fn befall(&self) -> Result<(), Error> {
        let lost = |_| Error::new(Code::Unavailable, "Reports cannot be kept just now.");
        self.1.befall().await.map(|_| ()).map_err(lost)
    }
}

impl ReportStore for FailingReports {
    fn put<'a>(
        &'a self,
        id: &'a str,
        json: String,
        ttl: Duration,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            self.befall().await?;
            self.0.put(id, json, ttl).await
        })
    }

    fn get<'a>(&'a self, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>, Error>> {
        Box::pin(async move {
            self.befall().await?;
            self.0.get(id).await
        })
    }
}
