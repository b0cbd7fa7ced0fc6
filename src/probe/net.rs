//! One call's way out: at most six connections at once, at most forty
//! subrequests, every wait bounded.
//!
//! Six is what a Worker may hold open at once; forty leaves ten of the free
//! plan's fifty subrequests to budgets, counters and the report's storage.
//!
//! Forty do not always suffice for everything that could be asked, so a share
//! of them is kept for the web server ([`WEB_SHARE`]) until it is done with,
//! one for what the zone's own server may leave unanswered ([`ZONE_SHARE`]),
//! one for the mail policy, which is asked for last ([`POLICY_SHARE`]), and
//! one for all but the least ([`TAIL_SHARE`]). Who finds no room waits for
//! that; who finds none then ends as [`Failure::OutOfBudget`], which is a
//! finding's stated reason.

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
use crate::port::{Ask, Clock, Fetched, Network, Signatures, Stream};

/// Connections open at once.
pub const CONNECTIONS: usize = 6;

/// Subrequests per call: with the one that stores the report, forty.
pub const SUBREQUESTS: u32 = 39;

/// Of these, what [`Priority::Extra`] leaves to the web server's connections,
/// as long as they may still come.
const WEB_SHARE: u32 = 14;

/// What it leaves to [`Priority::Normal`], until [`Net::zone_known`].
const ZONE_SHARE: u32 = 6;

/// What all but [`Priority::First`] leave to the policy of MTA-STS (its record,
/// its host's address, one connection), until [`Net::policy_known`]: nothing
/// before it in the line waits for those who wait here.
const POLICY_SHARE: u32 = 3;

/// What [`Priority::Last`] leaves besides, until [`Net::finish`].
const TAIL_SHARE: u32 = 3;

/// The network as one call may use it. Cheap to clone.
#[derive(Clone)]
pub struct Net(Rc<Inner>);

struct Inner {
    network: Rc<dyn Network>,
    clock: Rc<dyn Clock>,
    signatures: Rc<dyn Signatures>,
    config: Rc<Config>,
    slots: Slots,
    spent: Rc<Cell<u32>>,
    /// What of [`WEB_SHARE`] is still kept.
    kept: Cell<u32>,
    /// [`ZONE_SHARE`], as long as it may be needed.
    zone: Cell<u32>,
    /// [`POLICY_SHARE`], as long as it may be needed.
    policy: Cell<u32>,
    /// [`TAIL_SHARE`], as long as others may need it.
    tail: Cell<u32>,
    released: Notify,
    agent: String,
}

impl Net {
    /// The way out of one call; what it spends is counted in `spent`.
    pub fn new(
        network: Rc<dyn Network>,
        clock: Rc<dyn Clock>,
        signatures: Rc<dyn Signatures>,
        config: Rc<Config>,
        spent: Rc<Cell<u32>>,
    ) -> Net {
        let agent = agent::user_agent(&config);
        let slots = Slots::new(CONNECTIONS);
        Net(Rc::new(Inner {
            network,
            clock,
            signatures,
            config,
            slots,
            spent,
            kept: Cell::new(0),
            zone: Cell::new(0),
            policy: Cell::new(0),
            tail: Cell::new(0),
            released: Notify::new(),
            agent,
        }))
    }

    /// The operator's variables.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Who verifies signatures for us.
    pub fn signatures(&self) -> &dyn Signatures {
        &*self.0.signatures
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

    /// Resolves once `span` has passed.
    pub async fn sleep(&self, span: Duration) {
        self.0.clock.sleep(span).await;
    }

    /// Keeps a share each: for the web server until [`Net::release`], for the
    /// zone until [`Net::zone_known`], for the mail policy until
    /// [`Net::policy_known`], for all but the least until [`Net::finish`].
    pub fn keep(&self) {
        self.0.kept.set(WEB_SHARE);
        self.0.zone.set(ZONE_SHARE);
        self.0.policy.set(POLICY_SHARE);
        self.0.tail.set(TAIL_SHARE);
    }

    /// The web server is done with: what it left is everybody's.
    pub fn release(&self) {
        self.0.kept.set(0);
        self.0.released.notify_waiters();
    }

    /// What the zone's own server left unanswered is there.
    pub fn zone_known(&self) {
        self.0.zone.set(0);
        self.0.released.notify_waiters();
    }

    /// The policy of MTA-STS is there, or there is none.
    pub fn policy_known(&self) {
        self.0.policy.set(0);
        self.0.released.notify_waiters();
    }

    /// Everything is there but what may be left out first.
    pub fn finish(&self) {
        self.0.tail.set(0);
        self.release();
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
        self.open(to, slot, limit).await
    }

    /// Opens one that is no matter of the web server's share.
    pub async fn connect_beside(&self, to: &PublicAddr, limit: Duration) -> Result<Line, Failure> {
        let slot = self.spend(Priority::First).await?;
        self.open(to, slot, limit).await
    }

    async fn open(&self, to: &PublicAddr, slot: Slot, limit: Duration) -> Result<Line, Failure> {
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

    /// What somebody has to leave to others for now.
    fn left_to_others(&self, priority: Priority) -> u32 {
        let policy = self.0.policy.get();
        let extra = policy + self.0.kept.get() + self.0.zone.get();
        match priority {
            Priority::First => 0,
            Priority::Normal => policy,
            Priority::Extra => extra,
            Priority::Last => extra + self.0.tail.get(),
        }
    }

    /// Waits for a free connection and counts one subrequest. Who has to leave
    /// a share to others waits for room too, and whoever a share is kept for
    /// must not wait for its release.
    async fn spend(&self, priority: Priority) -> Result<Slot, Failure> {
        loop {
            let slot = self.0.slots.take(priority).await;
            let spent = self.0.spent.get();
            let left = self.left_to_others(priority);
            if spent + left < SUBREQUESTS {
                self.0.spent.set(spent + 1);
                return Ok(slot);
            }
            // Others may have the place meanwhile.
            drop(slot);
            if left == 0 {
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
