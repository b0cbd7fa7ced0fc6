//! The platform's request, as a surface sees it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use wasm_bindgen::prelude::Closure;
use worker::ByteStream;
use worker::web_sys::Request;

use super::glue;
use crate::error::{Code, Error};
use crate::gate::data_centre;
use crate::surface::Incoming;

/// The header fields that calls ask for. They come over together, with a POST
/// or the first time that one of them is wanted; any other is fetched by itself.
const FIELDS: [&str; 11] = [
    "host",
    "origin",
    "content-type",
    "accept",
    "mcp-protocol-version",
    "mcp-method",
    "mcp-name",
    "mcp-session-id",
    "cf-connecting-ip",
    "user-agent",
    "cf-ray",
];

/// Tells the other side of the glue which fields to send and whom to call,
/// once per isolate.
pub fn prepare(handler: Box<glue::Handler>) {
    // A panic that a tool does not catch ends its own request only; nothing
    // that outlives a request is left half-written by one.
    let handler = Closure::wrap_assert_unwind_safe(handler);
    glue::prepare(&FIELDS.join("\n"), handler.into_js_value());
}

/// A request that arrived here.
pub struct Arrived {
    request: Request,
    /// Verb, a space, URL.
    place: String,
    method: usize,
    path: Range<usize>,
    fields: OnceCell<Fields>,
    /// The body, where it was read ahead.
    body: Option<Vec<u8>>,
}

/// The values of [`FIELDS`], in one text, and where each of them stands.
struct Fields {
    text: String,
    values: [Option<Range<usize>>; FIELDS.len()],
}

impl Fields {
    /// Reads what [`glue::fields`] answers.
    fn read(text: String) -> Fields {
        let mut values = [const { None }; FIELDS.len()];
        let mut start = 0;
        for (value, line) in values.iter_mut().zip(text.split('\n')) {
            let end = start + line.len();
            *value = line.starts_with(':').then_some(start + 1..end);
            start = end + 1;
        }
        Fields { text, values }
    }

    fn get(&self, at: usize) -> Option<&str> {
        self.values[at].clone().map(|value| &self.text[value])
    }
}

impl Arrived {
    /// `told` and `body` are what a [`glue::Handler`] gets.
    pub fn new(request: Request, told: String, body: Option<Vec<u8>>) -> Arrived {
        let mut place = told;
        let fields = place.find('\n').map(|end| {
            let fields = place.split_off(end + 1);
            place.truncate(end);
            fields
        });
        let method = place.find(' ').unwrap_or(place.len());
        let authority = place.find("://").map_or(method, |at| at + 3);
        let start = place[authority..]
            .find('/')
            .map_or(place.len(), |at| authority + at);
        let end = place[start..]
            .find(['?', '#'])
            .map_or(place.len(), |at| start + at);
        Arrived {
            request,
            method,
            path: start..end,
            place,
            fields: fields
                .map(Fields::read)
                .map_or_else(OnceCell::new, OnceCell::from),
            body,
        }
    }

    /// One of [`FIELDS`].
    fn field(&self, at: usize) -> Option<&str> {
        let fields = || Fields::read(glue::fields(&self.request));
        self.fields.get_or_init(fields).get(at)
    }

    /// What `Content-Length` says, or nothing.
    fn stated_length(&self) -> usize {
        let stated = self.header("content-length");
        stated.and_then(|n| n.parse().ok()).unwrap_or_default()
    }

    /// A body that was not read ahead, no further than `cap` bytes.
    async fn streamed(&self, cap: usize) -> Result<Vec<u8>, Error> {
        let Some(stream) = self.request.body() else {
            return Ok(Vec::new());
        };
        let mut stream = ByteStream::from(stream);
        let mut body = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(|e| broken(&e.to_string()))?;
            if body.len() + chunk.len() > cap {
                return Err(too_large(cap));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The data centre that it came in at.
    pub fn colo(&self) -> String {
        data_centre(&self.header("cf-ray").unwrap_or_default()).to_owned()
    }
}

impl Incoming for Arrived {
    fn method(&self) -> &str {
        &self.place[..self.method]
    }

    fn path(&self) -> &str {
        &self.place[self.path.clone()]
    }

    fn query(&self) -> Option<&str> {
        let rest = self.place[self.path.end..].strip_prefix('?')?;
        rest.split('#').next()
    }

    fn scheme(&self) -> &str {
        let url = self.place[self.method..].trim_start();
        url.split(':').next().unwrap_or("https")
    }

    fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        match FIELDS.iter().position(|known| *known == name) {
            Some(at) => self.field(at).map(Cow::Borrowed),
            None => {
                let field = self.request.headers().get(name).ok().flatten();
                field.map(Cow::Owned)
            }
        }
    }

    fn body(&self, cap: usize) -> LocalBoxFuture<'_, Result<Vec<u8>, Error>> {
        Box::pin(async move {
            match &self.body {
                Some(body) if body.len() > cap => Err(too_large(cap)),
                Some(body) => Ok(body.clone()),
                None if self.stated_length() > cap => Err(too_large(cap)),
                None => self.streamed(cap).await,
            }
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
