//! The one way to a tool: identify, judge, spend, run, record.
//!
//! Both surfaces call [`Gate::call`] and nothing else can run a tool, so no
//! call escapes budget, event or counter.

pub mod budget;
mod caller;
pub mod event;
pub mod likeness;
mod memory;
mod redact;
mod words;

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture, select};
use serde_json::Value;

use crate::config::{Fallback, LogIp, Rate, TARGET_BUDGET};
use crate::error::{Code, Error};
use crate::guard::text;
use crate::pulse::{Count, LOOP, Outcome, UNKNOWN};
use crate::tool::part::Part;
use crate::tool::{Errand, Planned, Registry, Tool, World};
use budget::{Decision, Verdict};
pub use caller::{Caller, data_centre};
use event::{Client, Event, Judgement, Protocol, Spent};
use likeness::Sketch;
pub use memory::Memory;
use words::{heeding_loops, over_budget, panic_text};

/// The longest any call may take. Tools that probe stop themselves earlier
/// and answer with what they have.
pub const CALL_DEADLINE: Duration = Duration::from_millis(14_500);

/// What one call takes out of an account.
#[derive(Clone, Copy, Debug)]
pub struct Charge {
    /// The budget's name: the tool, or `target`.
    pub budget: &'static str,
    /// Its rate.
    pub rate: Rate,
    /// How much.
    pub cost: u32,
    /// The shape of the input, when it was refused.
    pub refused: Option<Sketch>,
}

/// Where budgets are kept: one account per name, one state per budget in it.
pub trait Ledger {
    /// Takes `charge` out of `account`. `Err` says why the account could not
    /// be reached.
    fn spend<'a>(
        &'a self,
        account: &'a str,
        charge: Charge,
    ) -> LocalBoxFuture<'a, Result<Verdict, String>>;
}

/// Where calls are written down. Neither method makes the caller wait.
pub trait Journal {
    /// One event line.
    fn line(&self, line: &str);
    /// One count on `account`.
    fn count(&self, account: &str, count: Count);
}

/// One call to a tool, as a surface hands it in.
pub struct Call<'a> {
    /// The tool.
    pub tool: &'a Tool,
    /// Its arguments, unjudged.
    pub arguments: Value,
    /// Who calls.
    pub caller: &'a Caller,
    /// `mcp` or `api`.
    pub surface: &'static str,
    /// `modern`, `legacy` or `none`.
    pub era: &'static str,
    /// The MCP revision, or empty.
    pub version: &'a str,
    /// `Mcp-Session-Id`, where the client still sends one.
    pub session: Option<&'a str>,
    /// `clientInfo.name`, or empty.
    pub client_name: &'a str,
    /// Who follows the call while it is under way.
    pub watch: Option<Rc<dyn Watch>>,
}

/// Somebody who follows a call while it is under way.
pub trait Watch {
    /// The call was judged and paid for, and begins.
    fn admitted(&self, budget: Option<Budget>);
    /// A part of its work came to an end.
    fn part(&self, part: Part);
}

/// What a call came to.
#[derive(Debug)]
pub struct Answer {
    /// JSON text that obeys the tool's output schema, or the typed error.
    pub result: Result<String, Error>,
    /// The state of the caller's budget after the call.
    pub budget: Option<Budget>,
}

/// The facts of the `RateLimit-Policy` and `RateLimit` fields.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The budget's name: the tool, or `target`.
    pub name: &'static str,
    /// Its rate.
    pub rate: Rate,
    /// What is left of it.
    pub decision: Decision,
}

/// The gate of one request.
#[derive(Clone)]
pub struct Gate {
    /// The tools.
    pub registry: Rc<Registry>,
    /// What tools run in.
    pub world: Rc<World>,
    /// Budgets.
    pub ledger: Rc<dyn Ledger>,
    /// Evidence.
    pub journal: Rc<dyn Journal>,
    /// What this isolate remembers between requests.
    pub memory: Rc<Memory>,
}

/// What the budgets said of a call.
#[derive(Clone, Copy, Default)]
struct Spending {
    budget: Option<Budget>,
    cost: u32,
    fallback: bool,
    alike: u32,
}

impl Gate {
    /// Judges, spends, runs and records one call of an identified caller.
    pub async fn call(&self, call: Call<'_>) -> Answer {
        self.pass(call, None).await
    }

    /// Spends and records a call whose arguments never arrived: it named a
    /// known tool, so it counts, and `flaw` is its answer.
    pub async fn refuse(&self, call: Call<'_>, flaw: Error) -> Answer {
        self.pass(call, Some(flaw)).await
    }

    /// Counts a call of a tool or method that does not exist. It names nothing
    /// that could be budgeted or put into an event.
    pub fn probed(&self, caller: &Caller) {
        let now = self.world.clock.now_ms();
        let count = Count::new(now, UNKNOWN, Outcome::ValidationRejected, 0);
        self.journal.count(&caller.key, count);
    }

    async fn pass(&self, call: Call<'_>, flaw: Option<Error>) -> Answer {
        let started = self.world.clock.now_ms();
        let args = redact::arguments(call.tool, &call.arguments);
        let digest = self.keyed(&redact::canonical(call.tool, &call.arguments).to_string());
        let errand = Errand {
            world: Rc::clone(&self.world),
            subrequests: Rc::new(Cell::new(0)),
            watcher: call
                .watch
                .clone()
                .map(|watch| Rc::new(move |part| watch.part(part)) as Rc<dyn Fn(Part)>),
        };

        let mut spending = Spending::default();
        let result = match self.admit(&call, flaw, started, &mut spending).await {
            Ok(planned) => {
                if let Some(watch) = &call.watch {
                    watch.admitted(spending.budget);
                }
                self.run(planned, errand.clone()).await
            }
            Err(refusal) => Err(refusal),
        };

        self.record(
            &call,
            started,
            args,
            digest,
            &result,
            &spending,
            errand.subrequests.get(),
        );
        Answer {
            result,
            budget: spending.budget,
        }
    }

    /// Judge and spend. A known tool spends also when its arguments are
    /// refused, so that an agent looping on bad input is limited too.
    async fn admit(
        &self,
        call: &Call<'_>,
        flaw: Option<Error>,
        now_ms: u64,
        spending: &mut Spending,
    ) -> Result<Planned, Error> {
        let (tool, key) = (call.tool, call.caller.key.as_str());
        let rate = self.world.config.rate(tool.name);
        if let Some(decision) = self.memory.still_limited(key, tool.name, now_ms) {
            spending.budget = Some(Budget {
                name: tool.name,
                rate,
                decision,
            });
            return Err(over_budget(tool.name, rate, decision));
        }
        let planned = match flaw {
            Some(flaw) => Err(flaw),
            None => self.judged(call),
        };
        let charge = Charge {
            budget: tool.name,
            rate,
            cost: tool.cost,
            refused: planned.as_ref().err().and_then(|flaw| {
                let refused = Outcome::of(flaw.code) == Outcome::ValidationRejected;
                refused.then(|| Sketch::of(&call.arguments, &self.memory.sketch_key(key)))
            }),
        };
        self.spend(key, charge, spending).await?;
        let planned = planned.map_err(|flaw| heeding_loops(flaw, tool, spending.alike))?;
        if let Some(host) = &planned.target {
            self.spend_target(host, tool.cost, spending).await?;
        }
        #[cfg(feature = "panic-injection")]
        let planned = injected(planned, call.arguments.clone());
        Ok(planned)
    }

    /// Judges arguments. A panic over them is this call's typed error, which
    /// is paid for and written down like any other.
    fn judged(&self, call: &Call<'_>) -> Result<Planned, Error> {
        let judge = AssertUnwindSafe(|| {
            #[cfg(feature = "panic-injection")]
            panic_if_asked(&call.arguments, "panic when judged");
            call.tool.judge(&self.world, call.arguments.clone())
        });
        catch_unwind(judge).unwrap_or_else(|panic| Err(Error::internal(panic_text(&*panic))))
    }

    /// Takes an analysis out of what all clients share of its target. What
    /// the caller is told of its budget stays its own.
    async fn spend_target(
        &self,
        host: &str,
        cost: u32,
        spending: &mut Spending,
    ) -> Result<(), Error> {
        let account = format!("{TARGET_BUDGET}:{host}");
        let rate = self.world.config.rate(TARGET_BUDGET);
        let own = *spending;
        let now_ms = self.world.clock.now_ms();
        if let Some(decision) = self.memory.still_limited(&account, TARGET_BUDGET, now_ms) {
            spending.cost = 0;
            spending.budget = Some(Budget {
                name: TARGET_BUDGET,
                rate,
                decision,
            });
            return Err(over_budget(TARGET_BUDGET, rate, decision));
        }
        let charge = Charge {
            budget: TARGET_BUDGET,
            rate,
            cost,
            refused: None,
        };
        self.spend(&account, charge, spending).await?;
        spending.budget = own.budget;
        Ok(())
    }

    async fn spend(
        &self,
        account: &str,
        charge: Charge,
        spending: &mut Spending,
    ) -> Result<(), Error> {
        let Charge {
            budget: name,
            rate,
            cost,
            ..
        } = charge;
        let now_ms = self.world.clock.now_ms();
        let decision = match self.ledger.spend(account, charge).await {
            Ok(verdict) => {
                spending.alike = spending.alike.max(verdict.alike);
                verdict.decision
            }
            Err(why) => {
                spending.fallback = true;
                match self.world.config.fallback {
                    Fallback::Strict => self
                        .memory
                        .spend_fallback(account, name, rate, cost, now_ms),
                    Fallback::Closed => {
                        return Err(Error::new(
                            Code::Unavailable,
                            "Budgets cannot be checked just now; call again in a minute.",
                        )
                        .because(why));
                    }
                }
            }
        };
        spending.budget = Some(Budget {
            name,
            rate,
            decision,
        });
        if decision.admitted {
            spending.cost = cost;
            return Ok(());
        }
        spending.cost = 0;
        self.memory
            .remember_limited(account, name, decision, now_ms);
        Err(over_budget(name, rate, decision))
    }

    /// Runs admitted work inside its deadline. A panic of a tool is that
    /// call's typed error; other calls of the isolate go on.
    async fn run(&self, planned: Planned, errand: Errand) -> Result<String, Error> {
        let work = AssertUnwindSafe(async move { (planned.run)(errand).await }).catch_unwind();
        let deadline = self.world.clock.sleep(CALL_DEADLINE);
        match select(Box::pin(work), deadline).await {
            Either::Left((Ok(result), _)) => result,
            Either::Left((Err(panic), _)) => Err(Error::internal(panic_text(&*panic))),
            Either::Right(_) => Err(Error::new(
                Code::UpstreamTimeout,
                "Nothing came back within 15 seconds; try again later.",
            )),
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn record(
        &self,
        call: &Call<'_>,
        started: u64,
        args: Value,
        args_digest: String,
        result: &Result<String, Error>,
        spending: &Spending,
        subrequests: u32,
    ) {
        let error = result.as_ref().err();
        let outcome = error.map_or(Outcome::Success, |error| Outcome::of(error.code));
        let latency_ms = self.world.clock.now_ms().saturating_sub(started);
        let caller = call.caller;
        let event = Event {
            ts: rfc3339(started),
            id: self.request_id(),
            surface: call.surface,
            tool: call.tool.name,
            args,
            args_digest,
            outcome,
            error: error.map(|error| error.code),
            cause: error
                .and_then(|error| error.internal.as_deref())
                .map(|cause| text::clean(cause, 160)),
            latency_ms,
            alike: (spending.alike >= LOOP).then_some(spending.alike),
            subrequests,
            client: Client {
                ip: self.logged_ip(caller),
                ua: &caller.agent,
                session: self.keyed(&match call.session {
                    Some(session) => text::canonical(session),
                    None => format!("{}|{}", caller.key, caller.agent).into(),
                }),
                name: call.client_name,
            },
            protocol: Protocol {
                era: call.era,
                version: call.version,
            },
            guard: Judgement::of(error),
            budget: Spent {
                cost: spending.cost,
                remaining: spending.budget.map(|budget| budget.decision.remaining),
                fallback: spending.fallback,
            },
            colo: caller.colo(),
            ray: &caller.ray,
        };
        self.journal.line(&event.line());
        self.journal.count(
            &caller.key,
            Count {
                refused: error
                    .filter(|error| error.code == Code::TargetRefused)
                    .and_then(|error| error.reason)
                    .map(str::to_owned),
                fallback: spending.fallback,
                alike: spending.alike,
                ..Count::new(started, call.tool.name, outcome, latency_ms)
            },
        );
    }

    fn request_id(&self) -> String {
        let mut bytes = [0_u8; 8];
        self.world.random.fill(&mut bytes);
        hex(u64::from_be_bytes(bytes))
    }

    fn logged_ip(&self, caller: &Caller) -> String {
        let Some(ip) = caller.ip else {
            return String::new();
        };
        match (self.world.config.log_ip, ip) {
            (LogIp::Full, ip) => ip.to_string(),
            (LogIp::Prefix, std::net::IpAddr::V4(v4)) => {
                let [a, b, c, _] = v4.octets();
                format!("{a}.{b}.{c}.0/24")
            }
            (LogIp::Prefix, std::net::IpAddr::V6(v6)) => format!("{}/48", caller::prefix(v6, 48)),
            (LogIp::Hash, ip) => self.keyed(&ip.to_string()),
        }
    }

    /// A keyed hash of 64 bits, in hex: equal texts are recognised, and without
    /// `LOG_KEY` nobody can try texts against it.
    fn keyed(&self, text: &str) -> String {
        hex(self.memory.hash(text))
    }
}

/// Work that panics first, when a test's arguments ask for it.
#[cfg(feature = "panic-injection")]
fn injected(planned: Planned, arguments: Value) -> Planned {
    Planned {
        run: Box::new(move |errand| {
            Box::pin(async move {
                panic_if_asked(&arguments, "panic at work");
                (planned.run)(errand).await
            })
        }),
        ..planned
    }
}

#[cfg(feature = "panic-injection")]
fn panic_if_asked(arguments: &Value, how: &str) {
    let asked = arguments.get("text").and_then(Value::as_str) == Some(how);
    assert!(!asked, "a test asked for it");
}

/// Sixteen digits. By hand: each call writes three of these.
fn hex(bits: u64) -> String {
    let digit = |at: u32| char::from(b"0123456789abcdef"[(bits >> at & 15) as usize]);
    (0..16).rev().map(|at| digit(4 * at)).collect()
}

/// RFC 3339 in UTC with milliseconds.
pub fn rfc3339(unix_ms: u64) -> String {
    use time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(unix_ms) * 1_000_000)
        .ok()
        .and_then(|at| at.format(&Rfc3339).ok())
        .unwrap_or_else(|| String::from("1970-01-01T00:00:00Z"))
}

#[cfg(test)]
mod tests;
