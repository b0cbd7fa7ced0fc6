//! The platform's request, as a surface sees it.

use std::ops::Range;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use worker::{ByteStream, Request};

use crate::error::{Code, Error};
use crate::surface::Incoming;

/// A request that arrived here. Its URL is cut once; header fields are copied
/// over only when somebody asks.
pub struct Arrived {
    request: Request,
    method: String,
    url: String,
    path: Range<usize>,
}

impl Arrived {
    pub fn new(request: Request) -> Arrived {
        let url = request.inner().url();
        let authority = url.find("://").map_or(0, |at| at + 3);
        let start = url[authority..]
            .find('/')
            .map_or(url.len(), |at| authority + at);
        let end = url[start..]
            .find(['?', '#'])
            .map_or(url.len(), |at| start + at);
        Arrived {
            method: request.inner().method(),
            request,
            path: start..end,
            url,
        }
    }

    /// The data centre, which the ray's id ends in.
    pub fn colo(&self) -> String {
        self.header("cf-ray")
            .and_then(|ray| ray.rsplit_once('-').map(|(_, colo)| colo.to_owned()))
            .filter(|colo| colo.len() == 3)
            .unwrap_or_else(|| String::from("local"))
    }
}

impl Incoming for Arrived {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.url[self.path.clone()]
    }

    fn query(&self) -> Option<&str> {
        let rest = self.url[self.path.end..].strip_prefix('?')?;
        rest.split('#').next()
    }

    fn scheme(&self) -> &str {
        self.url.split(':').next().unwrap_or("https")
    }

    fn header(&self, name: &str) -> Option<String> {
        self.request.headers().get(name).ok().flatten()
    }

    fn body(&self, cap: usize) -> LocalBoxFuture<'_, Result<Vec<u8>, Error>> {
        Box::pin(async move {
            let stated = self
                .header("content-length")
                .and_then(|n| n.parse::<usize>().ok());
            if stated.is_some_and(|length| length > cap) {
                return Err(too_large(cap));
            }
            let Some(stream) = self.request.inner().body() else {
                return Ok(Vec::new());
            };
            let mut stream = ByteStream::from(stream);
            let mut body = Vec::with_capacity(stated.unwrap_or(0));
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map_err(|e| broken(&e.to_string()))?;
                if body.len() + chunk.len() > cap {
                    return Err(too_large(cap));
                }
                body.extend_from_slice(&chunk);
            }
            Ok(body)
        })
    }
}

fn broken(why: &str) -> Error {
    Error::new(Code::InvalidInput, "The body broke off; send it whole.").because(why)
}

fn too_large(cap: usize) -> Error {
    let message = format!("Send a body of at most {} KiB.", cap / 1024);
    Error::new(Code::PayloadTooLarge, message)
}
