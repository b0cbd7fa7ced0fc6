//! A call that is answered while it is under way: its parts are sent on as
//! they come to their end, then the answer itself.
//!
//! It is the same call as any other, through the same gate: one budget, one
//! event, one counter. Whether it is admitted is known before the first byte
//! goes out, so a refusal keeps its own status.

use std::fmt;
use std::future::poll_fn;
use std::io::Write;
use std::rc::Rc;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::{self, LocalBoxStream};
use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::error::Error;
use crate::gate::{Answer, Budget, Caller, Gate, Watch};
use crate::tool::Tool;
use crate::tool::part::Part;

use super::{Body, Reply, api};

/// A body that is written while a call is under way.
pub struct Live {
    /// The text, piece by piece, in the reply's `Content-Encoding`.
    pub chunks: LocalBoxStream<'static, Vec<u8>>,
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
        mut packer: Packer,
        opening: String,
        mut write: impl FnMut(Said) -> String + 'static,
    ) -> Reply {
        let encoding = packer.encoding();
        let said = stream::unfold(self.said, |mut said| async {
            said.recv().await.map(|message| (message, said))
        });
        let chunks = stream::iter([Some(opening)])
            .chain(said.map(move |message| Some(write(message))))
            .chain(stream::iter([None]))
            .map(move |text| match text {
                Some(text) => packer.pack(text),
                None => packer.end(),
            })
            .filter(|chunk| std::future::ready(!chunk.is_empty()));
        let live = Live {
            chunks: Box::pin(chunks),
            work: self.work,
        };
        let mut reply = Reply::new(200, media_type, Body::Live(live));
        if let Some(encoding) = encoding {
            reply.set("content-encoding", encoding);
        }
        reply.state_budget(self.budget);
        reply
    }
}

/// Makes a live text smaller on its way. The platform would do so as well,
/// but may hold back what it compresses until the end; here every piece can
/// be read when it arrives.
pub(super) struct Packer(Option<GzEncoder<Vec<u8>>>);

impl Packer {
    /// Leaves the text as it is.
    pub(super) const PLAIN: Packer = Packer(None);

    /// Compresses when the client takes that.
    pub(super) fn accepted(accept_encoding: &str) -> Packer {
        let takes = accept_encoding.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            parts.next() == Some("gzip") && parts.next() != Some("q=0")
        });
        Packer(takes.then(|| GzEncoder::new(Vec::new(), Compression::fast())))
    }

    fn encoding(&self) -> Option<&'static str> {
        self.0.as_ref().map(|_| "gzip")
    }

    fn pack(&mut self, text: String) -> Vec<u8> {
        match &mut self.0 {
            None => text.into_bytes(),
            Some(_) if text.is_empty() => Vec::new(),
            Some(gzip) => {
                // Writing to a vector cannot fail.
                let _ = gzip.write_all(text.as_bytes()).and_then(|()| gzip.flush());
                std::mem::take(gzip.get_mut())
            }
        }
    }

    fn end(&mut self) -> Vec<u8> {
        let last = self.0.take().map(GzEncoder::finish);
        last.and_then(Result::ok).unwrap_or_default()
    }
}

/// Hands in a call and waits until it is admitted or refused.
pub(super) async fn start(gate: &Gate, tool: &Tool, arguments: Value, caller: Caller) -> Started {
    let (teller, mut said) = unbounded_channel();
    let call = run(gate.clone(), tool.name, arguments, caller, teller);
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
    teller: UnboundedSender<Said>,
) {
    let Some(tool) = gate.registry.find(tool) else {
        return;
    };
    let mut call = api::call(tool, arguments, &caller);
    call.watch = Some(Rc::new(Teller(teller.clone())));
    let answer = gate.call(call).await;
    let _ = teller.send(Said::Ended(answer));
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

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn every_piece_can_be_read_when_it_arrives() {
        let mut packer = Packer::accepted("br, gzip;q=0.5");
        assert_eq!(packer.encoding(), Some("gzip"));
        let mut arrived = packer.pack(String::from("one "));
        let mut read = [0; 4];
        flate2::read::GzDecoder::new(&arrived[..])
            .read_exact(&mut read)
            .unwrap();
        assert_eq!(&read, b"one ");
        arrived.extend(packer.pack(String::new()));
        arrived.extend(packer.pack(String::from("two")));
        arrived.extend(packer.end());
        let mut whole = String::new();
        flate2::read::GzDecoder::new(&arrived[..])
            .read_to_string(&mut whole)
            .unwrap();
        assert_eq!(whole, "one two");
    }

    #[test]
    fn nothing_is_packed_for_a_client_that_does_not_ask_for_it() {
        for field in ["", "br", "gzip;q=0", "x-gzip"] {
            assert_eq!(Packer::accepted(field).encoding(), None, "{field}");
        }
        assert_eq!(Packer::accepted("").pack(String::from("one")), b"one");
    }
}
