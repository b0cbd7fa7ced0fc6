//! One call's way out: at most six connections at once, at most forty
//! subrequests, every wait bounded.
//!
//! Six is what a Worker may hold open at once; forty leaves ten of the free
//! plan's fifty subrequests to budgets, counters and the report's storage.
//!
//! Forty do not always suffice for everything that could be asked, so a share
//! of them is kept for the web server ([`WEB_SHARE`]) until it is done with.
//! Who finds no room waits for that; who finds none then ends as
//! [`Failure::OutOfBudget`], which is a finding's stated reason.

use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, select};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::Notify;

use super::slots::{Priority, Slot, Slots};
use super::{Failure, agent};
use crate::config::Config;
use crate::guard::{PublicAddr, PublicUrl};
use crate::port::{Ask, Clock, Fetched, Network, Stream};

/// Connections open at once.
pub const CONNECTIONS: usize = 6;

/// Subrequests per call: with the one that stores the report, forty.
pub const SUBREQUESTS: u32 = 39;

/// Of these, what [`Priority::Extra`] leaves to connections, and to the
/// questions that come before them, as long as they may still come.
const WEB_SHARE: u32 = 18;

/// The network as one call may use it. Cheap to clone.
#[derive(Clone)]
pub struct Net(Rc<Inner>);

struct Inner {
    network: Rc<dyn Network>,
    clock: Rc<dyn Clock>,
    config: Rc<Config>,
    slots: Slots,
    spent: Rc<Cell<u32>>,
    /// What of [`WEB_SHARE`] is still kept.
    kept: Cell<u32>,
    released: Notify,
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
            kept: Cell::new(0),
            released: Notify::new(),
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
        if priority == Priority::First {
            self.used();
        }
        let work = async { Ok(self.0.network.ask(ask).await?) };
        self.within(limit, work).await
    }

    /// Keeps a share for the web server, until [`Net::release`].
    pub fn keep(&self) {
        self.0.kept.set(WEB_SHARE);
    }

    /// The web server is done with: what it left is everybody's.
    pub fn release(&self) {
        self.0.kept.set(0);
        self.0.released.notify_waiters();
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
        self.used();
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
        self.used();
        let work = async { Ok(self.0.network.fetch(url, headers, cap).await?) };
        self.within(limit, work).await
    }

    /// Waits for a free connection and counts one subrequest. Only what may
    /// be left out waits for room too: whoever the web server's share is kept
    /// for must not wait for its release.
    async fn spend(&self, priority: Priority) -> Result<Slot, Failure> {
        loop {
            let slot = self.0.slots.take(priority).await;
            let spent = self.0.spent.get();
            let kept = self.0.kept.get();
            let room = match priority {
                Priority::Extra => SUBREQUESTS.saturating_sub(kept),
                Priority::First | Priority::Normal => SUBREQUESTS,
            };
            if spent < room {
                self.0.spent.set(spent + 1);
                return Ok(slot);
            }
            // Others may have the place meanwhile.
            drop(slot);
            if priority != Priority::Extra || kept == 0 {
                return Err(Failure::OutOfBudget);
            }
            self.0.released.notified().await;
        }
    }

    /// One of the web server's share is in use.
    fn used(&self) {
        self.0.kept.set(self.0.kept.get().saturating_sub(1));
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
