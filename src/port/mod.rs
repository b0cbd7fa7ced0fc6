//! What the world lends us, as small traits: network, clock, randomness,
//! signatures, report storage and, where there is one, a language model.
//!
//! `edge` implements them on Workers; tests implement them natively. The
//! [`Network`] takes only what the guard has judged ([`PublicAddr`],
//! [`PublicUrl`]) or what the operator configured ([`OperatorUrl`]), so no
//! outbound byte can skip the guard.

use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::Error;
use crate::guard::{OperatorUrl, PublicAddr, PublicUrl};

/// A byte stream to a judged address.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Why the network gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NetError {
    /// The deadline passed.
    TimedOut,
    /// Connection refused, reset, or closed in the middle; the text is for
    /// the event and never leaves unclean.
    Failed(String),
    /// This call's share of subrequests is used up.
    Exhausted,
}

/// A whole answer, its body cut at the cap that was asked for.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    /// The status code.
    pub status: u16,
    /// Header fields in order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most the requested number of bytes, after content decoding.
    pub body: Vec<u8>,
    /// Whether the body went on behind the cap.
    pub truncated: bool,
}

/// One request to an endpoint that the operator configured.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The endpoint as configured and checked at start.
    pub endpoint: &'a OperatorUrl,
    /// Appended to the endpoint's URL; percent-encoded by the caller of the
    /// port. Empty for DNS over HTTPS.
    pub suffix: &'a str,
    /// `Accept`, and `Content-Type` when there is a body.
    pub media_type: &'static str,
    /// POST with this body, or GET. The header fields of what answers a POST
    /// are not told.
    pub body: Option<&'a [u8]>,
    /// Bytes of body to read at the most.
    pub cap: usize,
}

/// Everything that leaves this process.
pub trait Network {
    /// Opens a TCP connection to the very address that was judged.
    fn connect<'a>(
        &'a self,
        to: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>>;

    /// GETs a judged URL through the platform's own client, which resolves
    /// the name by itself; for targets whose address refuses sockets.
    /// Redirects are returned, never followed.
    fn fetch<'a>(
        &'a self,
        url: &'a PublicUrl,
        headers: &'a [(&'static str, String)],
        cap: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>>;

    /// Asks an operator-configured endpoint (DNS over HTTPS, RDAP, CT).
    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>>;
}

/// Time, injected so that tests own it.
pub trait Clock {
    /// Milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
    /// Resolves once `span` has passed.
    fn sleep(&self, span: Duration) -> LocalBoxFuture<'static, ()>;
}

/// Unpredictable bytes.
pub trait Random {
    /// Fills `out`.
    fn fill(&self, out: &mut [u8]);
}

/// A curve that the platform verifies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// With SHA-256.
    P256,
    /// With SHA-384.
    P384,
}

/// A signature by ECDSA, and what it has to be right of.
#[derive(Clone, Debug)]
pub struct Ecdsa {
    /// The key's curve, and the hash that goes with it.
    pub curve: Curve,
    /// The public key: a point in its uncompressed form.
    pub point: Vec<u8>,
    /// `r` and `s`, each as long as a coordinate.
    pub signature: Vec<u8>,
    /// What was signed.
    pub message: Vec<u8>,
}

/// Signatures, which the platform verifies in a tenth of our time.
pub trait Signatures {
    /// Whether it is right; `None` where the platform does not tell.
    fn is_right<'a>(&'a self, asked: &'a Ecdsa) -> LocalBoxFuture<'a, Option<bool>>;
}

/// A language model that the operator may have bound.
pub trait Model {
    /// Whether there is one; otherwise nobody is asked.
    fn is_bound(&self) -> bool;

    /// What it answers to `text` when told to do `task`; `None` when it
    /// fails. It may take for ever.
    fn ask(&self, task: &'static str, text: String) -> LocalBoxFuture<'static, Option<String>>;
}

/// Where finished reports wait for their permalink to be opened.
pub trait ReportStore {
    /// Keeps canonical `json` under `id` for `ttl`.
    fn put<'a>(
        &'a self,
        id: &'a str,
        json: String,
        ttl: Duration,
    ) -> LocalBoxFuture<'a, Result<(), Error>>;

    /// The report, or `None` when it never was or has expired.
    fn get<'a>(&'a self, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>, Error>>;
}
