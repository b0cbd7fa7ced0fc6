//! Web pages, hop by hop, over connections of our own to judged addresses.
//!
//! Every hop is judged again from the beginning: its URL, then every answer
//! for its name. What a refused hop says is never read. Only where the
//! platform opens no sockets does its own client fetch the judged URL.

use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join;

use super::Failure;
use super::dns::Resolver;
use super::host::{self, Resolution};
use super::html::{self, Contents};
use super::http1::{Connection, Request, Response};
use super::net::Net;
use super::tls::{self, Refused};
use super::wishes::{self, Wish};
use crate::codec::set_cookie::{self, Cookie};
use crate::guard::{Guard, PublicAddr, PublicUrl, Refusal, Scheme};
use crate::port::{Fetched, Stream};

/// Bytes of a page that are kept.
pub const PAGE_CAP: usize = 256 * 1024;

/// Redirects that are followed.
pub const HOP_LIMIT: usize = 5;

/// Cookies of a journey that are read.
const COOKIE_LIMIT: usize = 64;

/// Until a TCP connection stands.
const CONNECT_LIMIT: Duration = Duration::from_secs(4);

/// Until a response's head is there.
const HEAD_LIMIT: Duration = Duration::from_secs(5);

/// Until its body is there.
const BODY_LIMIT: Duration = Duration::from_secs(3);

/// A connection that speaks HTTP/1.1, plain or inside TLS.
pub type Web = Connection<Box<dyn Stream>>;

/// One request of a journey.
#[derive(Clone, Debug)]
pub struct Hop {
    /// Where it went.
    pub url: PublicUrl,
    /// The address it went to; the platform's client does not tell.
    pub address: Option<PublicAddr>,
    /// What came back, its body only on the last hop.
    pub outcome: Result<Response, Failure>,
    /// Milliseconds from the request to its response.
    pub ms: u64,
}

/// How a journey ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// At a response that is no redirect.
    Arrived,
    /// At the URL that another journey of this call begins with.
    Met,
    /// At a redirect to a URL that was visited before.
    Loop,
    /// After [`HOP_LIMIT`] redirects, at one more.
    TooLong,
    /// At a redirect that does not say where to.
    Nowhere,
    /// At a redirect to something that may not be touched.
    Refused(Refusal),
    /// At a redirect to a host whose owner wishes to be left alone.
    Unwanted,
    /// At a redirect to a name that nobody could resolve.
    Unresolved(String),
    /// At a hop that gave no response.
    Failed(Failure),
}

/// A URL followed to where it leads.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Every request that was made.
    pub hops: Vec<Hop>,
    /// What the last redirect named, where it was not followed.
    pub unfollowed: Option<String>,
    /// How it ended.
    pub end: End,
    /// What the page it arrived at pulls in, where that is HTML.
    pub contents: Option<Contents>,
}

impl Journey {
    /// A journey that ended before its first step.
    pub fn failed(url: PublicUrl, address: Option<PublicAddr>, failure: Failure) -> Journey {
        let hop = Hop {
            url,
            address,
            outcome: Err(failure.clone()),
            ms: 0,
        };
        Journey {
            hops: vec![hop],
            unfollowed: None,
            end: End::Failed(failure),
            contents: None,
        }
    }

    /// The last hop that gave a response.
    pub fn last(&self) -> Option<(&Hop, &Response)> {
        self.hops
            .iter()
            .rev()
            .find_map(|hop| Some((hop, hop.outcome.as_ref().ok()?)))
    }

    /// What its requests were answered, in order.
    pub fn responses(&self) -> impl Iterator<Item = &Response> {
        self.hops.iter().filter_map(|hop| hop.outcome.as_ref().ok())
    }

    /// The page it arrived at.
    pub fn page(&self) -> Option<(&Hop, &Response)> {
        (self.end == End::Arrived).then(|| self.last()).flatten()
    }

    /// The cookies that its responses set or delete at `now` (Unix seconds),
    /// in order; what is no cookie at all is passed over.
    pub fn cookies(&self, now: i64) -> Vec<Cookie> {
        self.responses()
            .flat_map(|response| response.fields_named("set-cookie"))
            .take(COOKIE_LIMIT)
            .filter_map(|value| set_cookie::parse(value, now).ok())
            .flat_map(|reading| reading.value.cookies)
            .collect()
    }

    /// The response to its first request.
    pub fn first(&self) -> Option<&Response> {
        self.hops.first().and_then(|hop| hop.outcome.as_ref().ok())
    }
}

/// What follows links: one per call.
#[derive(Clone)]
pub struct Browser {
    /// The way out.
    pub net: Net,
    /// The call's resolver.
    pub resolver: Resolver,
    /// The judge.
    pub guard: Rc<Guard>,
}

impl Browser {
    /// A request for a judged URL with our fixed fields.
    pub fn request(&self, url: &PublicUrl, cap: usize) -> Request {
        Request {
            path: url.path_and_query().to_owned(),
            authority: url.authority().to_owned(),
            fields: self.fields(),
            cap,
            keep_alive: true,
        }
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("User-Agent", self.net.agent().to_owned()),
            (
                "Accept",
                String::from("text/html,application/xhtml+xml,*/*;q=0.8"),
            ),
            ("Accept-Encoding", String::from("gzip")),
        ]
    }

    /// Connects to a judged address as the URL's scheme wants.
    pub async fn connect(&self, url: &PublicUrl, to: &PublicAddr) -> Result<Web, Failure> {
        let stream: Box<dyn Stream> = match url.scheme() {
            Scheme::Http => Box::new(self.net.connect(to, CONNECT_LIMIT).await?),
            Scheme::Https => match tls::open(&self.net, to, url.host(), tls::PAGE).await {
                Ok((stream, _)) => Box::new(stream),
                Err(Refused::Failed(failure)) => return Err(failure),
                Err(Refused::Declined(how)) => {
                    return Err(Failure::Unreachable(format!("TLS was declined: {how}")));
                }
            },
        };
        Ok(Connection::new(stream))
    }

    /// One request on an open connection.
    pub async fn exchange(&self, web: &mut Web, request: &Request) -> Result<Response, Failure> {
        self.net
            .within(HEAD_LIMIT, web.send(std::slice::from_ref(request)))
            .await?;
        self.receive(web, request).await
    }

    /// The next response on an open connection. A body that does not arrive
    /// in time leaves the head and what came of it.
    pub async fn receive(&self, web: &mut Web, request: &Request) -> Result<Response, Failure> {
        let mut response = self.net.within(HEAD_LIMIT, web.head()).await?;
        match self
            .net
            .within(BODY_LIMIT, web.body(request, &mut response))
            .await
        {
            Ok(()) | Err(Failure::TimedOut) => {}
            Err(failure) => return Err(failure),
        }
        response.finish(request.cap);
        Ok(response)
    }

    /// GETs one URL at a judged address, on a connection of its own; the
    /// connection comes back where it can be used again.
    pub async fn get(
        &self,
        url: &PublicUrl,
        to: &PublicAddr,
    ) -> Result<(Response, Option<Web>), Failure> {
        if host::refuses_sockets(to) {
            return self
                .platform(url, PAGE_CAP)
                .await
                .map(|response| (response, None));
        }
        let mut web = self.connect(url, to).await?;
        let response = self
            .exchange(&mut web, &self.request(url, PAGE_CAP))
            .await?;
        let web = response.reusable.then_some(web);
        Ok((response, web))
    }

    /// GETs through the platform's own client.
    pub async fn platform(&self, url: &PublicUrl, cap: usize) -> Result<Response, Failure> {
        self.platform_as(url, &self.request(url, cap)).await
    }

    /// The same with the fields of `request`, up to its cap.
    pub async fn platform_as(
        &self,
        url: &PublicUrl,
        request: &Request,
    ) -> Result<Response, Failure> {
        let limit = HEAD_LIMIT + BODY_LIMIT;
        let fetched = self
            .net
            .fetch(url, &request.fields, request.cap, limit)
            .await?;
        Ok(from_platform(fetched))
    }

    /// Makes the first step of a journey.
    pub async fn step(&self, url: &PublicUrl, to: &PublicAddr) -> (Hop, Option<Web>) {
        let started = self.net.now_ms();
        let (outcome, web) = match self.get(url, to).await {
            Ok((response, web)) => (Ok(response), web),
            Err(failure) => (Err(failure), None),
        };
        let ms = self.net.now_ms().saturating_sub(started);
        (
            Hop {
                url: url.clone(),
                address: Some(*to),
                outcome,
                ms,
            },
            web,
        )
    }

    /// Follows redirects from `first` on; a URL in `known` ends the journey,
    /// because another one begins there.
    pub async fn follow(&self, first: Hop, known: Option<&PublicUrl>) -> Journey {
        let mut hops = vec![first];
        let (end, unfollowed) = loop {
            let (location, next) = match self.onward(&hops, known).await {
                Ok(onward) => onward,
                Err(end) => break (end, None),
            };
            match next {
                Ok(hop) => {
                    if let Some(Ok(passed)) = hops.last_mut().map(|hop| &mut hop.outcome) {
                        passed.body = Vec::new();
                    }
                    hops.push(hop);
                }
                Err(end) => break (end, Some(location)),
            }
        };
        let mut journey = Journey {
            hops,
            unfollowed,
            end,
            contents: None,
        };
        journey.contents = journey
            .page()
            .filter(|(_, response)| is_html(response))
            .map(|(hop, response)| {
                let media_type = response.field("content-type").unwrap_or_default();
                html::read(&response.body, media_type, hop.url.as_str())
            });
        journey
    }

    /// Where the last hop redirects to and what came of going there; `Err`
    /// when it does not redirect.
    async fn onward(
        &self,
        hops: &[Hop],
        known: Option<&PublicUrl>,
    ) -> Result<(String, Result<Hop, End>), End> {
        let last = hops.last().ok_or(End::Nowhere)?;
        let response = last
            .outcome
            .as_ref()
            .map_err(|failure| End::Failed(failure.clone()))?;
        if !response.redirects() {
            return Err(End::Arrived);
        }
        // Browsers pass over an empty one.
        let location = response
            .fields_named("location")
            .find(|location| !location.trim().is_empty())
            .ok_or(End::Nowhere)?;
        let next = self.next(hops, &last.url, location, known).await;
        Ok((location.to_owned(), next))
    }

    async fn next(
        &self,
        hops: &[Hop],
        from: &PublicUrl,
        location: &str,
        known: Option<&PublicUrl>,
    ) -> Result<Hop, End> {
        let url = self.guard.redirect(from, location).map_err(End::Refused)?;
        if hops.iter().any(|hop| hop.url == url) {
            return Err(End::Loop);
        }
        if known == Some(&url) {
            return Err(End::Met);
        }
        if hops.len() > HOP_LIMIT {
            return Err(End::TooLong);
        }
        let (resolution, wish) = join(
            host::resolve(&self.resolver, &self.guard, &url),
            self.wish_elsewhere(hops, &url),
        )
        .await;
        if wish != Wish::All {
            return Err(End::Unwanted);
        }
        match resolution {
            Resolution::Judged(addresses) => match addresses.first() {
                Some(to) => Ok(self.step(&url, to).await.0),
                None => Err(End::Nowhere),
            },
            Resolution::Refused(refusal) => Err(End::Refused(refusal)),
            Resolution::Unknown(clause) => Err(End::Unresolved(clause)),
            Resolution::Dangling(_) => {
                Err(End::Unresolved(String::from("the name has no address")))
            }
        }
    }

    /// What the owner of a host wishes that was not asked for: whoever asked
    /// for the first one knows its owner's wish.
    async fn wish_elsewhere(&self, hops: &[Hop], url: &PublicUrl) -> Wish {
        let elsewhere = hops.first().is_none_or(|hop| hop.url.host() != url.host());
        match url.name().filter(|_| elsewhere) {
            Some(name) => wishes::of(&self.resolver, name).await.0,
            None => Wish::All,
        }
    }
}

/// Whether a browser would show it as a page. A body without a type is
/// looked at by browsers, and is HTML where it looks like it.
fn is_html(response: &Response) -> bool {
    let media_type = response.field("content-type").map(|value| {
        let value = value.split(';').next().unwrap_or_default();
        value.trim().to_ascii_lowercase()
    });
    match media_type.as_deref() {
        Some("text/html" | "application/xhtml+xml") => true,
        Some(_) => false,
        None => response.body.trim_ascii_start().starts_with(b"<"),
    }
}

fn from_platform(fetched: Fetched) -> Response {
    Response {
        minor_version: 1,
        status: fetched.status,
        fields: fetched.headers,
        body: fetched.body,
        truncated: fetched.truncated,
        by_platform: true,
        ..Response::default()
    }
}
