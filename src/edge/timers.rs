//! The deadlines of one request, on as few of the platform's timers as will do.
//!
//! An analysis waits for some sixty things, each with a deadline that is
//! hardly ever met: the platform is asked for a timer only when one is due
//! before the next that is set, and those that were not needed cost nothing.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasm_bindgen::prelude::*;

use super::host::now_ms;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Closure<dyn FnMut()>, ms: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
}

/// The timers of one request.
#[derive(Default)]
pub struct Timers(Rc<Inner>);

/// When something is due, milliseconds since the Unix epoch, and a number
/// that no other has.
type Due = (u64, u64);

#[derive(Default)]
struct Inner {
    waiting: RefCell<BTreeMap<Due, Waker>>,
    given: Cell<u64>,
    set: RefCell<Option<Set>>,
}

/// A timer of the platform's. Dropped, it is cleared.
struct Set {
    due_ms: u64,
    id: JsValue,
    _then: Closure<dyn FnMut()>,
}

impl Drop for Set {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

impl Timers {
    /// Resolves once `span` has passed, counted from when it is first polled.
    pub fn sleep(&self, span: Duration) -> Sleep {
        Sleep {
            timers: Rc::clone(&self.0),
            span,
            due: None,
        }
    }
}

impl Inner {
    fn add(self: &Rc<Self>, span: Duration, waker: Waker) -> Due {
        let now = now_ms();
        let due = now.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        let number = self.given.get();
        self.given.set(number + 1);
        self.waiting.borrow_mut().insert((due, number), waker);
        self.set(now);
        (due, number)
    }

    /// Sets a timer for what is due first, unless one is set that is no later.
    fn set(self: &Rc<Self>, now: u64) {
        let first = self
            .waiting
            .borrow()
            .first_key_value()
            .map(|(due, _)| due.0);
        let Some(due_ms) = first else { return };
        let mut set = self.set.borrow_mut();
        if set.as_ref().is_some_and(|set| set.due_ms <= due_ms) {
            return;
        }
        let timers: Weak<Inner> = Rc::downgrade(self);
        let then = Closure::wrap_assert_unwind_safe(Box::new(move || {
            if let Some(timers) = timers.upgrade() {
                timers.ring();
            }
        }) as Box<dyn FnMut()>);
        // The platform's clock may be behind its timers by a part of a
        // millisecond: never ask for less than one.
        let ms = due_ms.saturating_sub(now).max(1);
        *set = Some(Set {
            due_ms,
            id: set_timeout(&then, ms as f64),
            _then: then,
        });
    }

    /// Wakes who is due, and sets the next timer.
    fn ring(self: &Rc<Self>) {
        let now = now_ms();
        let rest = self.waiting.borrow_mut().split_off(&(now + 1, 0));
        let due = self.waiting.replace(rest);
        due.into_values().for_each(Waker::wake);
        // This one has rung; it is dropped after its closure has returned.
        let rung = self.set.take();
        wasm_bindgen_futures::spawn_local(async move { drop(rung) });
        self.set(now);
    }
}

/// What [`Timers::sleep`] gives.
pub struct Sleep {
    timers: Rc<Inner>,
    span: Duration,
    due: Option<Due>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let Some(due) = this.due else {
            this.due = Some(this.timers.add(this.span, context.waker().clone()));
            return Poll::Pending;
        };
        match this.timers.waiting.borrow_mut().get_mut(&due) {
            Some(waker) => {
                waker.clone_from(context.waker());
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(due) = self.due {
            self.timers.waiting.borrow_mut().remove(&due);
        }
    }
}
