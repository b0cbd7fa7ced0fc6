//! HTTP/1.1 (RFC 9112) as a diagnostic client speaks it: requests of ours,
//! pipelined on one connection, and a reader that survives whatever answers.
//!
//! Every cap is a number here: a head of 64 KiB and 128 fields, a body up to
//! what the request allows, four interim responses. The rest of a body that
//! is longer is read and forgotten up to 64 KiB more, because a connection
//! that goes on is cheaper for everybody than a new one. The reader touches
//! nothing but the stream it is given.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{Failure, coding};

/// Bytes of a response head.
pub const HEAD_CAP: usize = 64 * 1024;

/// Header fields of a response.
pub const FIELD_CAP: usize = 128;

/// Interim (1xx) responses before the final one.
const INTERIM_CAP: usize = 4;

/// Bytes of one chunk-size line or trailer section.
const LINE_CAP: usize = 8 * 1024;

/// Bytes of a body behind the cap that are read to keep the connection.
const DRAIN_CAP: u64 = 64 * 1024;

/// Bytes read at once.
const BLOCK: usize = 8 * 1024;

/// A `GET` of ours. Neither member ever comes from a caller unjudged: the
/// path is that of a `PublicUrl`, the fields are fixed.
#[derive(Clone, Debug)]
pub struct Request {
    /// Path and query in their serialized form.
    pub path: String,
    /// `Host`.
    pub authority: String,
    /// Further fields.
    pub fields: Vec<(&'static str, String)>,
    /// Bytes of decoded body to keep.
    pub cap: usize,
    /// Whether the server is asked to keep the connection.
    pub keep_alive: bool,
}

impl Request {
    fn wire(&self, out: &mut Vec<u8>) {
        let mut line = |parts: &[&str]| {
            parts
                .iter()
                .for_each(|part| out.extend_from_slice(part.as_bytes()));
            out.extend_from_slice(b"\r\n");
        };
        line(&["GET ", &self.path, " HTTP/1.1"]);
        line(&["Host: ", &self.authority]);
        for (name, value) in &self.fields {
            line(&[name, ": ", value]);
        }
        line(&[
            "Connection: ",
            if self.keep_alive {
                "keep-alive"
            } else {
                "close"
            },
        ]);
        line(&[]);
    }
}

/// A response, its body decoded and cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// `0` or `1`: the minor version of HTTP/1.
    pub minor_version: u8,
    /// The status code.
    pub status: u16,
    /// Fields in order of arrival, names in lower case, values as Latin-1 or
    /// UTF-8 text, uncleaned.
    pub fields: Vec<(String, String)>,
    /// At most the cap, content coding removed where it is gzip or deflate.
    pub body: Vec<u8>,
    /// Whether the body stands in a content coding that could not be removed.
    pub undecoded: bool,
    /// Whether the body went on behind the cap.
    pub truncated: bool,
    /// Whether the body was cut off before its announced end.
    pub incomplete: bool,
    /// Whether the connection can carry another response.
    pub reusable: bool,
    /// Whether the platform's own client fetched it, which does not tell the
    /// version and decodes by itself.
    pub by_platform: bool,
}

impl Response {
    /// Whether a client is to go on to another URL (RFC 9110 section 15.4).
    pub fn redirects(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a field as one (WHATWG Fetch, "get"): a field that may
    /// stand once alone is spoilt by a second.
    pub fn joined(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.fields_named(name).map(str::trim).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// Every value of a field, in order.
    pub fn fields_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The content codings of the body, in lower case (RFC 9110 section
    /// 8.4).
    pub fn codings(&self) -> Vec<String> {
        self.fields_named("content-encoding")
            .flat_map(|value| value.split(','))
            .map(|coding| coding.trim().to_ascii_lowercase())
            .filter(|coding| !coding.is_empty() && coding != "identity")
            .collect()
    }

    /// Removes the content coding, reading no more than `cap` bytes out of it,
    /// so that a small body cannot become a large one.
    pub fn finish(&mut self, cap: usize) {
        let codings = self.codings();
        if codings.is_empty() || self.body.is_empty() {
            return;
        }
        let undone = match codings.as_slice() {
            [one] => coding::undone(one, &self.body, cap as u64 + 1),
            _ => None,
        };
        let Some((content, is_whole)) =
            undone.filter(|(content, whole)| *whole || !content.is_empty())
        else {
            self.undecoded = true;
            return;
        };
        self.body = content;
        self.incomplete |= !is_whole && !self.truncated;
        if self.body.len() > cap {
            self.body.truncate(cap);
            self.truncated = true;
        }
    }

    /// Whether a comma-separated field has `token`.
    fn has_token(&self, name: &str, token: &str) -> bool {
        self.fields_named(name)
            .flat_map(|value| value.split(','))
            .any(|word| word.trim().eq_ignore_ascii_case(token))
    }
}

/// One connection with what was read ahead on it.
pub struct Connection<S> {
    stream: S,
    ahead: Vec<u8>,
}

/// How the body's end is known (RFC 9112 section 6.3).
enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// A connection on which nothing has been said.
    pub fn new(stream: S) -> Connection<S> {
        Connection {
            stream,
            ahead: Vec::new(),
        }
    }

    /// Sends requests back to back (RFC 9112 section 9.3.2); their responses
    /// are read in the same order.
    pub async fn send(&mut self, requests: &[Request]) -> Result<(), Failure> {
        let mut wire = Vec::with_capacity(requests.len() * 256);
        requests.iter().for_each(|request| request.wire(&mut wire));
        self.stream.write_all(&wire).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    /// Reads the head of the final response; interim ones are passed over.
    pub async fn head(&mut self) -> Result<Response, Failure> {
        for _ in 0..=INTERIM_CAP {
            let response = self.any_head().await?;
            if !(100..200).contains(&response.status) || response.status == 101 {
                return Ok(response);
            }
        }
        Err(Failure::malformed("interim responses without end"))
    }

    async fn any_head(&mut self) -> Result<Response, Failure> {
        let mut searched = 0;
        loop {
            if let Some((response, length)) = parse_head(&self.ahead, &mut searched)? {
                self.ahead.drain(..length);
                return Ok(response);
            }
            if self.ahead.len() >= HEAD_CAP {
                return Err(Failure::malformed("a response head of more than 64 KiB"));
            }
            if self.fill().await? == 0 {
                return Err(match self.ahead.is_empty() {
                    true => Failure::Unreachable(String::from("closed without a response")),
                    false => Failure::malformed("closed in the middle of the response head"),
                });
            }
        }
    }

    /// Reads the body into `response` as it arrives, so that what came before
    /// a deadline is kept; [`Response::finish`] has to follow. A body that
    /// breaks off is marked, not refused: its head is worth reporting.
    pub async fn body(
        &mut self,
        request: &Request,
        response: &mut Response,
    ) -> Result<(), Failure> {
        let framing = framing(response)?;
        let close = response.has_token("connection", "close")
            || (response.minor_version == 0 && !response.has_token("connection", "keep-alive"));
        response.incomplete = true;
        let end = match framing {
            Framing::Length(length) => self.counted(length, request.cap, &mut response.body).await,
            Framing::Chunked => self.chunked(request.cap, &mut response.body).await,
            Framing::UntilClose => self.until_close(request.cap, &mut response.body).await,
        };
        let end = end.unwrap_or(End::BrokenOff);
        response.truncated = matches!(end, End::BehindCap | End::Drained);
        response.incomplete = end == End::BrokenOff;
        response.reusable = matches!(end, End::Complete | End::Drained)
            && !close
            && !matches!(framing, Framing::UntilClose);
        Ok(())
    }

    /// Reads and forgets what lies behind the cap.
    async fn drained(&mut self, mut left: u64) -> Result<End, Failure> {
        if left > DRAIN_CAP {
            return Ok(End::BehindCap);
        }
        while left > 0 {
            if self.ahead.is_empty() && self.fill().await? == 0 {
                return Ok(End::BehindCap);
            }
            let take = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.ahead.len());
            self.ahead.drain(..take);
            left -= take as u64;
        }
        Ok(End::Drained)
    }

    async fn counted(
        &mut self,
        length: u64,
        cap: usize,
        body: &mut Vec<u8>,
    ) -> Result<End, Failure> {
        let mut left = length;
        while left > 0 {
            if body.len() >= cap {
                return self.drained(left).await;
            }
            if self.ahead.is_empty() && self.fill().await? == 0 {
                return Ok(End::BrokenOff);
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            left -= self.hand_over(most.min(cap - body.len()), body) as u64;
        }
        Ok(End::Complete)
    }

    async fn chunked(&mut self, cap: usize, body: &mut Vec<u8>) -> Result<End, Failure> {
        let (mut whole, mut drained) = (End::Complete, 0);
        loop {
            let line = self.line().await?;
            let size = line.split(|byte| *byte == b';').next().unwrap_or_default();
            let size = std::str::from_utf8(size)
                .ok()
                .and_then(|text| u64::from_str_radix(text.trim(), 16).ok())
                .ok_or_else(|| Failure::malformed("a chunk without a size"))?;
            if size == 0 {
                let mut trailers = 0;
                loop {
                    let line = self.line().await?;
                    trailers += line.len();
                    if line.is_empty() {
                        return Ok(whole);
                    }
                    if trailers > LINE_CAP {
                        return Ok(End::BehindCap);
                    }
                }
            }
            let had = body.len();
            match self.counted(size, cap, body).await? {
                End::Complete => {}
                End::Drained => {
                    whole = End::Drained;
                    drained += size.saturating_sub((body.len() - had) as u64);
                    if drained > DRAIN_CAP {
                        return Ok(End::BehindCap);
                    }
                }
                end => return Ok(end),
            }
            if !self.line().await?.is_empty() {
                return Err(Failure::malformed("a chunk longer than its size"));
            }
        }
    }

    async fn until_close(&mut self, cap: usize, body: &mut Vec<u8>) -> Result<End, Failure> {
        loop {
            self.hand_over(cap - body.len(), body);
            if body.len() >= cap {
                return Ok(End::BehindCap);
            }
            if self.fill().await? == 0 {
                return Ok(End::Complete);
            }
        }
    }

    /// Moves at most so many octets of what was read into `body`, and says how
    /// many: as one copy, where an iterator would go one by one.
    fn hand_over(&mut self, most: usize, body: &mut Vec<u8>) -> usize {
        let taken = most.min(self.ahead.len());
        let (part, _) = self.ahead.split_at(taken);
        body.extend_from_slice(part);
        self.ahead.drain(..taken);
        taken
    }

    /// One line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Failure> {
        let mut searched = 0;
        loop {
            let found = self
                .ahead
                .iter()
                .skip(searched)
                .position(|byte| *byte == b'\n');
            if let Some(at) = found.map(|at| at + searched) {
                let mut line: Vec<u8> = self.ahead.drain(..=at).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            searched = self.ahead.len();
            if searched > LINE_CAP {
                return Err(Failure::malformed("a line without end in a chunked body"));
            }
            if self.fill().await? == 0 {
                return Err(Failure::malformed("closed in the middle of a chunked body"));
            }
        }
    }

    async fn fill(&mut self) -> Result<usize, Failure> {
        self.ahead.reserve(BLOCK);
        self.stream.read_buf(&mut self.ahead).await.map_err(broken)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    /// Longer than the cap, and read to its end.
    Drained,
    BehindCap,
    BrokenOff,
}

fn broken(error: std::io::Error) -> Failure {
    Failure::from(crate::port::NetError::Failed(error.to_string()))
}

/// Whether a line that is not the first is empty. What follows it, other
/// responses mostly, is not looked at.
fn has_empty_line(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
        rest = &rest[at + 1..];
        if matches!(rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return true;
        }
    }
    false
}

/// The head at the start of `bytes` and its length; `None` until its empty
/// line is there. `searched` keeps a slow sender from making this quadratic.
fn parse_head(bytes: &[u8], searched: &mut usize) -> Result<Option<(Response, usize)>, Failure> {
    let from = searched.saturating_sub(3);
    let rest = bytes.get(from..).unwrap_or_default();
    *searched = bytes.len();
    if !has_empty_line(rest) {
        return Ok(None);
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELD_CAP];
    let mut head = httparse::Response::new(&mut fields);
    let mut lenient = httparse::ParserConfig::default();
    lenient
        .allow_obsolete_multiline_headers_in_responses(true)
        .allow_spaces_after_header_name_in_responses(true);
    let length = match lenient.parse_response(&mut head, bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => {
            return Err(Failure::malformed("more than 128 header fields"));
        }
        Err(error) => return Err(Failure::malformed(format!("not an HTTP response: {error}"))),
    };
    let response = Response {
        minor_version: head.version.unwrap_or_default(),
        status: head.code.unwrap_or_default(),
        fields: head
            .headers
            .iter()
            .map(|field| (field.name.to_ascii_lowercase(), text(field.value)))
            .collect(),
        ..Response::default()
    };
    Ok(Some((response, length)))
}

/// Field values are octets: UTF-8 where they are, else Latin-1. A fold stands
/// for a space (RFC 9112 section 5.2).
fn text(value: &[u8]) -> String {
    let text: String = match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    match text.contains('\n') {
        true => text.lines().map(str::trim).collect::<Vec<_>>().join(" "),
        false => text,
    }
}

fn framing(response: &Response) -> Result<Framing, Failure> {
    if matches!(response.status, 101 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    if response.field("transfer-encoding").is_some() {
        return Ok(match response.has_token("transfer-encoding", "chunked") {
            true => Framing::Chunked,
            false => Framing::UntilClose,
        });
    }
    let mut lengths = response
        .fields_named("content-length")
        .flat_map(|v| v.split(','))
        .map(str::trim);
    let Some(first) = lengths.next() else {
        return Ok(Framing::UntilClose);
    };
    if lengths.any(|other| other != first) {
        return Err(Failure::malformed("two different Content-Length values"));
    }
    match first
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| first.parse().ok())
        .flatten()
    {
        Some(length) => Ok(Framing::Length(length)),
        None => Err(Failure::malformed("a Content-Length that is not a number")),
    }
}
