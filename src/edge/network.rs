//! Sockets, and the platform's own HTTP client.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use worker::{
    AbortController, Fetch, Headers, Method, Request, RequestInit, RequestRedirect, Response,
    Socket,
};

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
            let fields = Headers::new();
            for (name, value) in headers {
                fields.set(name, value).map_err(failed)?;
            }
            let mut init = RequestInit::new();
            init.with_headers(fields);
            exchange(url.as_str(), init, cap).await
        })
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let fields = Headers::new();
            fields.set("accept", ask.media_type).map_err(failed)?;
            let mut init = RequestInit::new();
            if let Some(body) = ask.body {
                fields.set("content-type", ask.media_type).map_err(failed)?;
                init.with_method(Method::Post)
                    .with_body(Some(js_sys::Uint8Array::from(body).into()));
            }
            init.with_headers(fields);
            let url = format!("{}{}", ask.endpoint.as_str(), ask.suffix);
            exchange(&url, init, ask.cap).await
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
struct Abort(Option<AbortController>);

impl Drop for Abort {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// One request and its answer; redirects are answers.
async fn exchange(url: &str, mut init: RequestInit, cap: usize) -> Result<Fetched, NetError> {
    init.with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(url, &init).map_err(failed)?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let _abort = Abort(Some(controller));
    let mut response = Fetch::Request(request)
        .send_with_signal(&signal)
        .await
        .map_err(failed)?;
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

fn failed(error: worker::Error) -> NetError {
    NetError::Failed(error.to_string())
}

/// Tells the platform's own refusals from the target's.
fn refused(error: worker::Error) -> NetError {
    let text = error.to_string();
    match text.contains("cannot connect to the specified address") {
        true => NetError::NotMeasurable("the platform opens no socket to this address"),
        false => NetError::Failed(text),
    }
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
