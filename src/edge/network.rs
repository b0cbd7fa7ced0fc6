//! Sockets, and the platform's own HTTP client.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use js_sys::Uint8Array;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::glue;
use crate::guard::{PublicAddr, PublicUrl};
use crate::port::{Ask, Fetched, NetError, Network, Stream};

/// What the platform offers.
pub struct Platform;

impl Network for Platform {
    fn connect<'a>(
        &'a self,
        to: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>> {
        Box::pin(async move {
            let line = glue::Line::new(&host(to), to.port()).map_err(refused)?;
            let connection = Connection::new(line);
            JsFuture::from(connection.line.opened())
                .await
                .map_err(refused)?;
            Ok(Box::new(connection) as Box<dyn Stream>)
        })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a PublicUrl,
        headers: &'a [(&'static str, String)],
        cap: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let fields = headers.iter();
            let lines = glue::lines(fields.map(|(name, value)| (*name, value.as_str())));
            exchange(url.as_str(), &lines, None, cap).await
        })
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let url = format!("{}{}", ask.endpoint.as_str(), ask.suffix);
            let fields = ["accept", "content-type"].map(|name| (name, ask.media_type));
            let fields = fields.into_iter().take(1 + usize::from(ask.body.is_some()));
            exchange(&url, &glue::lines(fields), ask.body, ask.cap).await
        })
    }
}

/// The host as `connect` takes it: IPv6 in brackets.
fn host(to: &PublicAddr) -> String {
    match to.ip() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    }
}

/// An exchange that is given up when dropped before its end: an answer nobody
/// waits for any longer must not hold one of the six connections.
struct Waited {
    exchange: glue::Exchange,
    ended: bool,
}

impl Drop for Waited {
    fn drop(&mut self) {
        if !self.ended {
            self.exchange.give_up();
        }
    }
}

/// One request and its answer; redirects are answers.
async fn exchange(
    url: &str,
    lines: &str,
    body: Option<&[u8]>,
    cap: usize,
) -> Result<Fetched, NetError> {
    let exchange = glue::Exchange::new(url, lines, body, cap).map_err(thrown)?;
    let ended = JsFuture::from(exchange.ended());
    let mut waited = Waited {
        exchange,
        ended: false,
    };
    let outcome = ended.await;
    waited.ended = true;
    outcome.map_err(thrown)?;
    let answer = &waited.exchange;
    Ok(Fetched {
        status: answer.status(),
        // Only DNS is asked by POST, and nobody reads its answers' fields.
        headers: match body {
            Some(_) => Vec::new(),
            None => fields(&answer.lines()),
        },
        body: answer.body(),
        truncated: answer.truncated(),
    })
}

/// Names and values as they cross: a line each, in turn.
fn fields(lines: &str) -> Vec<(String, String)> {
    let mut lines = lines.lines();
    std::iter::from_fn(|| Some((lines.next()?.to_owned(), lines.next()?.to_owned()))).collect()
}

fn thrown(error: JsValue) -> NetError {
    NetError::Failed(worker::Error::from(error).to_string())
}

/// The platform says the same of an address where nobody accepts and of one
/// that it does not connect to, and advises `fetch`: that would ask by name,
/// and whoever answers then is not whom the guard has judged.
fn refused(error: JsValue) -> NetError {
    let text = worker::Error::from(error).to_string();
    NetError::Failed(
        match text.contains("cannot connect to the specified address") {
            true => String::from("no connection could be made"),
            false => text,
        },
    )
}

/// A connection that is closed when dropped.
struct Connection {
    line: glue::Line,
    reading: Option<JsFuture>,
    /// What was read and not yet taken, and how much of it was.
    read: (Vec<u8>, usize),
    /// What is to be written and was not yet sent.
    written: Vec<u8>,
    shutting: Option<JsFuture>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.line.close();
    }
}

impl Connection {
    fn new(line: glue::Line) -> Connection {
        Connection {
            line,
            reading: None,
            read: (Vec::new(), 0),
            written: Vec::new(),
            shutting: None,
        }
    }

    /// Gives what was read before, as far as there is room.
    fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let (bytes, taken) = &mut self.read;
        let rest = bytes.get(*taken..).unwrap_or_default();
        let part = rest.get(..buffer.remaining()).unwrap_or(rest);
        buffer.put_slice(part);
        *taken += part.len();
        !part.is_empty()
    }

    /// Sends what was written, as one piece. Nobody waits until it has left: it
    /// is little, and of a connection that broke the next read tells.
    fn send(&mut self) {
        if !self.written.is_empty() {
            self.line.write(&self.written);
            self.written.clear();
        }
    }
}

fn broken(error: JsValue) -> std::io::Error {
    std::io::Error::other(worker::Error::from(error).to_string())
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        if buffer.remaining() == 0 || this.give(buffer) {
            return Poll::Ready(Ok(()));
        }
        this.send();
        let line = &this.line;
        let reading = this
            .reading
            .get_or_insert_with(|| JsFuture::from(line.read()));
        let outcome = ready!(reading.poll_unpin(context));
        this.reading = None;
        let bytes: Uint8Array = outcome.map_err(broken)?.unchecked_into();
        this.read = (bytes.to_vec(), 0);
        this.give(buffer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.written.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.send();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let this = self.get_mut();
        this.send();
        let line = &this.line;
        let shutting = this
            .shutting
            .get_or_insert_with(|| JsFuture::from(line.shut()));
        let outcome = ready!(shutting.poll_unpin(context));
        this.shutting = None;
        Poll::Ready(outcome.map(drop).map_err(broken))
    }
}
