//! A fixed number of places, given to whoever waits with the most right.
//!
//! A plain queue would let twenty waiting DNS questions hold up the one
//! handshake that everything else waits for.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::oneshot;

/// Who goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Something waits for the answer.
    First,
    /// An answer that is wanted for itself.
    Normal,
    /// An answer that may be left out where a call has much to ask.
    Extra,
    /// An answer that is left out first.
    Last,
}

/// The places of one call.
#[derive(Clone)]
pub struct Slots(Rc<Inner>);

struct Inner {
    free: Cell<usize>,
    arrivals: Cell<u64>,
    waiting: RefCell<BTreeMap<(Priority, u64), oneshot::Sender<Slot>>>,
}

/// One place; dropping it gives it to the next. Empty once given on.
pub struct Slot(Option<Rc<Inner>>);

impl Slots {
    /// `n` places, all free.
    pub fn new(n: usize) -> Slots {
        Slots(Rc::new(Inner {
            free: Cell::new(n),
            arrivals: Cell::new(0),
            waiting: RefCell::default(),
        }))
    }

    /// Waits for a place. Giving up is dropping the future.
    pub async fn take(&self, priority: Priority) -> Slot {
        let inner = &self.0;
        if inner.free.get() > 0 {
            inner.free.set(inner.free.get() - 1);
            return Slot(Some(Rc::clone(inner)));
        }
        let (sender, receiver) = oneshot::channel();
        inner.arrivals.set(inner.arrivals.get() + 1);
        inner
            .waiting
            .borrow_mut()
            .insert((priority, inner.arrivals.get()), sender);
        match receiver.await {
            Ok(slot) => slot,
            // The sender lives in `waiting` until it has sent.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        loop {
            let first = inner.waiting.borrow_mut().pop_first();
            let Some((_, waiter)) = first else { break };
            match waiter.send(Slot(Some(Rc::clone(&inner)))) {
                Ok(()) => return,
                // Who gave up meanwhile leaves the place to the next.
                Err(mut unused) => drop(unused.0.take()),
            }
        }
        inner.free.set(inner.free.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_first_right_goes_first_and_a_place_is_never_lost() {
        let slots = Slots::new(1);
        let held = slots.take(Priority::Normal).now_or_never().unwrap();
        let mut extra = Box::pin(slots.take(Priority::Extra));
        let mut given_up = Box::pin(slots.take(Priority::First));
        let mut first = Box::pin(slots.take(Priority::First));
        assert!((&mut extra).now_or_never().is_none());
        assert!((&mut given_up).now_or_never().is_none());
        assert!((&mut first).now_or_never().is_none());
        drop(given_up);
        drop(held);
        assert!((&mut extra).now_or_never().is_none());
        let held = first.now_or_never().unwrap();
        drop(held);
        drop(extra.now_or_never().unwrap());
        assert!(slots.take(Priority::Extra).now_or_never().is_some());
    }

    #[test]
    fn a_place_given_to_someone_who_no_longer_looks_goes_on() {
        let slots = Slots::new(1);
        let held = slots.take(Priority::First).now_or_never().unwrap();
        let mut late = Box::pin(slots.take(Priority::First));
        assert!((&mut late).now_or_never().is_none());
        drop(held);
        // Sent, and never looked at.
        drop(late);
        assert!(slots.take(Priority::First).now_or_never().is_some());
    }
}
