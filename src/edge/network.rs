//! Sockets, and the platform's own HTTP client.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasm_bindgen::JsValue;
use worker::web_sys::{self, AbortController};
use worker::{Response, Socket};

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
            let socket = Socket::builder()
                .connect(host(to), to.port())
                .map_err(refused)?;
            let connection = Connection(Some(socket));
            if let Some(socket) = &connection.0 {
                socket.opened().await.map_err(refused)?;
            }
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

/// Aborts its exchange when dropped: an answer nobody waits for any longer
/// must not hold one of the six connections.
struct Abort(AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// One request and its answer; redirects are answers.
async fn exchange(
    url: &str,
    lines: &str,
    body: Option<&[u8]>,
    cap: usize,
) -> Result<Fetched, NetError> {
    let abort = Abort(AbortController::new().map_err(thrown)?);
    let answer = glue::send(url, lines, body, &abort.0.signal()).await;
    let answer: web_sys::Response = answer.map_err(thrown)?.into();
    let mut response = Response::from(answer);
    let headers = response.headers().entries().collect();
    let (body, truncated) = read(&mut response, cap).await?;
    Ok(Fetched {
        status: response.status_code(),
        headers,
        body,
        truncated,
    })
}

/// Reads at most `cap` bytes, counted after the runtime has decoded them.
async fn read(response: &mut Response, cap: usize) -> Result<(Vec<u8>, bool), NetError> {
    let Ok(mut stream) = response.stream() else {
        return Ok((Vec::new(), false));
    };
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(failed)?;
        let room = cap - body.len();
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn thrown(error: JsValue) -> NetError {
    failed(error.into())
}

fn failed(error: worker::Error) -> NetError {
    NetError::Failed(error.to_string())
}

/// The platform says the same of an address where nobody accepts and of one
/// that it does not connect to, and advises `fetch`: that would ask by name,
/// and whoever answers then is not whom the guard has judged.
fn refused(error: worker::Error) -> NetError {
    let text = error.to_string();
    NetError::Failed(
        match text.contains("cannot connect to the specified address") {
            true => String::from("no connection could be made"),
            false => text,
        },
    )
}

/// A socket that is closed when dropped.
struct Connection(Option<Socket>);

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(mut socket) = self.0.take() {
            wasm_bindgen_futures::spawn_local(async move {
                // It may be closed already, and there is nobody left to tell.
                let _ = socket.close().await;
            });
        }
    }
}

impl Connection {
    fn socket(&mut self) -> std::io::Result<Pin<&mut Socket>> {
        self.0
            .as_mut()
            .map(Pin::new)
            .ok_or_else(|| std::io::ErrorKind::NotConnected.into())
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.socket()?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.socket()?.poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.socket()?.poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.socket()?.poll_shutdown(context)
    }
}
