//! Questions about names in a zone that one of its servers is asked on the
//! connection that is there anyway: a subrequest each is dear.
//!
//! Whoever wants such an answer waits until the riders are settled and then
//! asks the resolver, which has learned by then what was said. Nothing is
//! validated on this way: what rests on validation asks the resolver at once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use futures_util::FutureExt;
use futures_util::future::Shared;
use tokio::sync::oneshot;

use super::dns::{Exchange, Resolver, Rtype, Status};

/// A question that rides on a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rider {
    /// The name.
    pub name: String,
    /// The type.
    pub rtype: Rtype,
}

impl Rider {
    /// Asks for this type at this name.
    pub fn new(name: impl Into<String>, rtype: Rtype) -> Rider {
        Rider {
            name: name.into(),
            rtype,
        }
    }
}

/// The riders of one call.
pub struct Riders {
    resolver: Resolver,
    waiting: RefCell<Vec<Rider>>,
    /// Conversations that may still take them.
    talks: Cell<usize>,
    open: RefCell<Option<oneshot::Sender<()>>>,
    settled: Shared<oneshot::Receiver<()>>,
    answered: Cell<bool>,
    elsewhere: RefCell<BTreeSet<String>>,
}

impl Riders {
    /// None yet; `resolver` is to learn what they bring.
    pub fn new(resolver: Resolver) -> Riders {
        let (open, settled) = oneshot::channel();
        Riders {
            resolver,
            waiting: RefCell::default(),
            talks: Cell::new(0),
            open: RefCell::new(Some(open)),
            settled: settled.shared(),
            answered: Cell::new(false),
            elsewhere: RefCell::default(),
        }
    }

    /// More questions, for a conversation that has not begun.
    pub fn add(&self, riders: impl IntoIterator<Item = Rider>) {
        self.waiting.borrow_mut().extend(riders);
    }

    /// How many conversations there will be: the first that stands takes all.
    pub fn expect(&self, talks: usize) {
        self.talks.set(talks);
        if talks == 0 {
            self.settle();
        }
    }

    /// One of them is over.
    pub fn leave(&self) {
        self.expect(self.talks.get().saturating_sub(1));
    }

    /// All that are waiting.
    pub fn take(&self) -> Vec<Rider> {
        std::mem::take(&mut self.waiting.borrow_mut())
    }

    /// An answer with authority. One that leads elsewhere by an alias is none
    /// yet: the resolver has to follow it.
    pub fn hear(&self, exchange: Exchange) {
        if exchange.rtype == Rtype::TXT {
            self.answered.set(true);
        }
        if exchange.status != Status::Answer && exchange.aliases().next().is_some() {
            self.elsewhere.borrow_mut().insert(exchange.name);
            return;
        }
        self.resolver.learn(exchange);
    }

    /// Nothing more will be heard.
    pub fn settle(&self) {
        self.open.take();
    }

    /// Waits until nothing more will be heard.
    pub async fn settled(&self) {
        // The sender says nothing but that it is gone.
        let _ = self.settled.clone().await;
    }

    /// Whether the zone's own server answered for texts.
    pub fn told_texts(&self) -> bool {
        self.answered.get()
    }

    /// Whether it answered with an alias whose end it does not know.
    pub fn leads_elsewhere(&self, name: &str) -> bool {
        self.elsewhere.borrow().contains(name)
    }
}
