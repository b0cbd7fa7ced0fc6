//! A call that is answered while it is under way: its parts are sent on as
//! they come to their end, then the answer itself.
//!
//! It is the same call as any other, through the same gate: one budget, one
//! event, one counter. Whether it is admitted is known before the first byte
//! goes out, so a refusal keeps its own status.

use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::Error;
use crate::gate::{Answer, Budget, Caller, Gate, Watch};
use crate::tool::Tool;
use crate::tool::part::Part;

use super::{Body, Reply, api};

/// A body that is written while a call is under way.
pub struct Live {
    /// The text, piece by piece.
    pub chunks: LocalBoxStream<'static, String>,
    /// What is left of the call. It has to be driven for `chunks` to end, and
    /// comes to its end also when nobody reads them.
    pub work: Option<LocalBoxFuture<'static, ()>>,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

/// What a call says of itself, in this order.
pub(super) enum Said {
    /// It was judged and paid for.
    Admitted(Option<Budget>),
    /// A part stands differently now.
    Part(Part),
    /// It is over.
    Ended(Answer),
}

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Gets what the tool answers.
    Program,
    /// Gets the stored report where the tool's answer was cut to the bound
    /// that models need: a person scrolls.
    Person,
}

/// A call that was handed in.
pub(super) enum Started {
    /// It was over before it began.
    Refused(Answer),
    /// It is under way.
    Running(Running),
}

/// A call that was admitted.
pub(super) struct Running {
    /// What it left of the budget.
    pub(super) budget: Option<Budget>,
    said: UnboundedReceiver<Said>,
    work: Option<LocalBoxFuture<'static, ()>>,
}

impl Running {
    /// A reply that begins with `opening` and goes on with what `write` makes
    /// of everything that the call says.
    pub(super) fn reply(
        self,
        media_type: &'static str,
        opening: String,
        write: impl FnMut(Said) -> String + 'static,
    ) -> Reply {
        let said = stream::unfold(self.said, |mut said| async {
            said.recv().await.map(|message| (message, said))
        });
        let chunks = stream::iter([opening])
            .chain(said.map(write))
            .filter(|chunk| std::future::ready(!chunk.is_empty()));
        let live = Live {
            chunks: Box::pin(chunks),
            work: self.work,
        };
        let mut reply = Reply::new(200, media_type, Body::Live(live));
        reply.state_budget(self.budget);
        reply
    }
}

/// Hands in a call and waits until it is admitted or refused.
pub(super) async fn start(
    gate: &Gate,
    tool: &Tool,
    arguments: Value,
    caller: Caller,
    reader: Reader,
) -> Started {
    let (teller, mut said) = unbounded_channel();
    let call = run(gate.clone(), tool.name, arguments, caller, reader, teller);
    let mut work: LocalBoxFuture<'static, ()> = Box::pin(call);
    let mut over = false;
    let first = poll_fn(|cx| {
        over = over || work.as_mut().poll(cx).is_ready();
        said.poll_recv(cx)
    })
    .await;
    match first {
        Some(Said::Admitted(budget)) => Started::Running(Running {
            budget,
            said,
            work: (!over).then_some(work),
        }),
        Some(Said::Ended(answer)) => Started::Refused(answer),
        Some(Said::Part(_)) | None => Started::Refused(Answer {
            result: Err(Error::internal("a call that said nothing of itself")),
            budget: None,
        }),
    }
}

async fn run(
    gate: Gate,
    tool: &'static str,
    arguments: Value,
    caller: Caller,
    reader: Reader,
    teller: UnboundedSender<Said>,
) {
    let Some(tool) = gate.registry.find(tool) else {
        return;
    };
    let mut call = api::call(tool, arguments, &caller);
    call.watch = Some(Rc::new(Teller(teller.clone())));
    let mut answer = gate.call(call).await;
    if reader == Reader::Person {
        answer.result = whole(&gate, answer.result).await;
    }
    let _ = teller.send(Said::Ended(answer));
}

/// The stored report behind an answer that leaves something out.
async fn whole(gate: &Gate, answer: Result<String, Error>) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Cut {
        id: String,
        omitted: Vec<IgnoredAny>,
    }
    let json = answer?;
    let Ok(Cut { id, omitted }) = serde_json::from_str(&json) else {
        return Ok(json);
    };
    match gate.world.reports.get(&id).await {
        Ok(Some(report)) if !omitted.is_empty() => Ok(report),
        _ => Ok(json),
    }
}

/// Passes on what the gate says. A reader that has left is nobody's loss.
struct Teller(UnboundedSender<Said>);

impl Watch for Teller {
    fn admitted(&self, budget: Option<Budget>) {
        let _ = self.0.send(Said::Admitted(budget));
    }

    fn part(&self, part: Part) {
        let _ = self.0.send(Said::Part(part));
    }
}
