//! One call's way out: at most six connections at once, at most forty
//! subrequests, every wait bounded.
//!
//! Six is what a Worker may hold open at once; forty leaves ten of the free
//! plan's fifty subrequests to budgets, counters and the report's storage.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::slots::{Priority, Slot, Slots};
use super::{Failure, agent};
use crate::config::Config;
use crate::guard::{PublicAddr, PublicUrl};
use crate::port::{Ask, Clock, Fetched, Network, Stream};

/// Connections open at once.
pub const CONNECTIONS: usize = 6;

/// Subrequests per call.
pub const SUBREQUESTS: u32 = 40;

/// Of these, what [`Priority::Extra`] leaves to the others.
const RESERVE: u32 = 4;

/// The network as one call may use it. Cheap to clone.
#[derive(Clone)]
pub struct Net(Rc<Inner>);

struct Inner {
    network: Rc<dyn Network>,
    clock: Rc<dyn Clock>,
    config: Rc<Config>,
    slots: Slots,
    spent: Rc<Cell<u32>>,
    agent: String,
}

impl Net {
    /// The way out of one call; what it spends is counted in `spent`.
    pub fn new(
        network: Rc<dyn Network>,
        clock: Rc<dyn Clock>,
        config: Rc<Config>,
        spent: Rc<Cell<u32>>,
    ) -> Net {
        let agent = agent::user_agent(&config);
        let slots = Slots::new(CONNECTIONS);
        Net(Rc::new(Inner {
            network,
            clock,
            config,
            slots,
            spent,
            agent,
        }))
    }

    /// The operator's variables.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// The one `User-Agent` of this service.
    pub fn agent(&self) -> &str {
        &self.0.agent
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// Ends `work` after `limit` as [`Failure::TimedOut`].
    pub async fn within<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let work = std::pin::pin!(work);
        match select(work, self.0.clock.sleep(limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(Failure::TimedOut),
        }
    }

    /// Asks an endpoint of the operator within `limit`, counted from when a
    /// connection is free.
    pub async fn ask(
        &self,
        ask: Ask<'_>,
        priority: Priority,
        limit: Duration,
    ) -> Result<Fetched, Failure> {
        let _slot = self.spend(priority).await?;
        let work = async { Ok(self.0.network.ask(ask).await?) };
        self.within(limit, work).await
    }

    /// Opens a connection to a judged address within `limit`. The slot is
    /// held until the line is dropped.
    pub async fn connect(&self, to: &PublicAddr, limit: Duration) -> Result<Line, Failure> {
        self.connect_as(to, Priority::First, limit).await
    }

    /// The same for those who may have to wait.
    pub async fn connect_as(
        &self,
        to: &PublicAddr,
        priority: Priority,
        limit: Duration,
    ) -> Result<Line, Failure> {
        let slot = self.spend(priority).await?;
        let work = async { Ok(self.0.network.connect(to).await?) };
        let stream = self.within(limit, work).await?;
        Ok(Line {
            stream,
            _slot: slot,
        })
    }

    /// GETs through the platform's own client, for addresses that refuse
    /// sockets.
    pub async fn fetch(
        &self,
        url: &PublicUrl,
        headers: &[(&'static str, String)],
        cap: usize,
        limit: Duration,
    ) -> Result<Fetched, Failure> {
        let _slot = self.spend(Priority::First).await?;
        let work = async { Ok(self.0.network.fetch(url, headers, cap).await?) };
        self.within(limit, work).await
    }

    /// Waits for a free connection and counts one subrequest.
    async fn spend(&self, priority: Priority) -> Result<Slot, Failure> {
        let slot = self.0.slots.take(priority).await;
        let share = match priority {
            Priority::First | Priority::Normal => SUBREQUESTS,
            Priority::Extra => SUBREQUESTS - RESERVE,
        };
        let spent = self.0.spent.get();
        if spent >= share {
            return Err(Failure::OutOfBudget);
        }
        self.0.spent.set(spent + 1);
        Ok(slot)
    }
}

/// An open connection with the slot it occupies.
pub struct Line {
    stream: Box<dyn Stream>,
    _slot: Slot,
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
