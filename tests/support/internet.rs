//! An internet inside one process: a resolver that answers wire format, and
//! servers on public-looking addresses that speak over in-memory pipes.
//!
//! Time is tokio's paused clock: a deadline passes as soon as nothing else
//! can happen, so slow servers make no slow tests.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};
use domain::base::message_builder::RecordSectionBuilder;
use domain::base::{Message, MessageBuilder, Name, UnknownRecordData};
use domain::rdata::{A, Aaaa, Caa, Cname, Mx, Ns, Ptr, Soa, Txt};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use netrecon::guard::{PublicAddr, PublicUrl};
use netrecon::port::{Ask, Clock, Fetched, NetError, Network, Stream};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use super::MIDNIGHT;

type Handler = Rc<dyn Fn(DuplexStream) -> LocalBoxFuture<'static, ()>>;

/// What a resolver says to one question.
#[derive(Clone)]
pub enum Says {
    /// These records.
    Records(Vec<Data>),
    /// This code, with extended errors.
    Code(Rcode, Vec<u16>),
    /// These bytes, whatever they are.
    Bytes(Vec<u8>),
    /// An alias of a name that ends with this code.
    Alias(String, Rcode),
    /// These records, but only to those who switch validation off; others are
    /// told that it failed, with extended errors.
    Bogus(Vec<Data>, Vec<u16>),
    /// No records, and this in the authority section: owner and data.
    Denied(Rcode, Vec<(String, Data)>),
    /// Nothing, ever.
    Nothing,
}

/// One record's data.
#[derive(Clone)]
pub enum Data {
    /// A or AAAA.
    Ip(IpAddr),
    /// CNAME at the asked name, then what stands at its target.
    Alias(String, Box<Data>),
    /// CNAME at the asked name.
    Cname(String),
    /// NS.
    Ns(String),
    /// PTR.
    Ptr(String),
    /// SOA: refresh, retry, expire, minimum.
    Soa([u32; 4]),
    /// MX.
    Mx(u16, String),
    /// TXT.
    Txt(String),
    /// CAA issue.
    Issue(String),
    /// Any type, with its data as hexadecimal digits.
    Hex(Rtype, &'static str),
}

type Records = Rc<RefCell<HashMap<(String, Rtype), Says>>>;

/// What every upstream answer is held back by.
type Delay = Rc<Cell<Duration>>;

/// The whole of it.
#[derive(Default)]
pub struct Internet {
    zone: Records,
    delay: Delay,
    /// Connections and exchanges open at this moment, and at most.
    pub open: Rc<Cell<(usize, usize)>>,
    servers: RefCell<HashMap<SocketAddr, Handler>>,
    files: RefCell<HashMap<String, Fetched>>,
    /// Every question asked of the resolver.
    pub asked: RefCell<Vec<(String, Rtype)>>,
    /// Every address connected to.
    pub connected: RefCell<Vec<SocketAddr>>,
    /// Every URL fetched through the platform's client.
    pub fetched: RefCell<Vec<String>>,
    /// Whether the resolver cannot be reached at all.
    pub resolver_down: RefCell<Option<NetError>>,
}

impl Internet {
    /// Holds every upstream answer back: one of the resolver, of an
    /// operator's endpoint, the first on a connection, and each that is
    /// asked for later on it.
    pub fn delay(&self, by: Duration) {
        self.delay.set(by);
    }

    fn enter(&self) -> Open {
        let (now, most) = self.open.get();
        self.open.set((now + 1, most.max(now + 1)));
        Open(Rc::clone(&self.open))
    }

    /// Sets the answer to one question.
    pub fn says(&self, name: &str, rtype: Rtype, says: Says) {
        self.zone
            .borrow_mut()
            .insert((name.to_owned(), rtype), says);
    }

    /// Publishes an address.
    pub fn address(&self, name: &str, ip: &str) {
        let ip: IpAddr = ip.parse().expect("an address");
        let rtype = if ip.is_ipv4() { Rtype::A } else { Rtype::AAAA };
        self.says(name, rtype, Says::Records(vec![Data::Ip(ip)]));
    }

    /// Publishes texts.
    pub fn texts(&self, name: &str, texts: &[&str]) {
        let texts = texts
            .iter()
            .map(|text| Data::Txt((*text).to_owned()))
            .collect();
        self.says(name, Rtype::TXT, Says::Records(texts));
    }

    /// Answers a URL of the platform's client or of an operator's endpoint.
    pub fn file(&self, url: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let fetched = Fetched {
            status,
            headers: headers
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
            truncated: false,
        };
        self.files.borrow_mut().insert(url.to_owned(), fetched);
    }

    /// Serves raw bytes: `handler` gets each connection.
    pub fn serve<F>(&self, at: &str, handler: impl Fn(DuplexStream) -> F + 'static)
    where
        F: Future<Output = ()> + 'static,
    {
        let at: SocketAddr = at.parse().expect("an address and port");
        let handler: Handler = Rc::new(move |stream| handler(stream).boxed_local());
        self.servers.borrow_mut().insert(at, handler);
    }

    /// Serves plain HTTP.
    pub fn http(&self, at: &str, site: Site) {
        let (site, delay) = (Rc::new(site), Rc::clone(&self.delay));
        self.serve(at, move |stream| {
            answer(stream, Rc::clone(&site), Rc::clone(&delay))
        });
    }

    /// Serves HTTP over TLS.
    pub fn https(&self, at: &str, config: ServerConfig, site: Site) {
        let (site, acceptor) = (Rc::new(site), TlsAcceptor::from(Arc::new(config)));
        let delay = Rc::clone(&self.delay);
        self.serve(at, move |stream| {
            let (site, acceptor) = (Rc::clone(&site), acceptor.clone());
            let delay = Rc::clone(&delay);
            async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream, site, delay).await;
                }
            }
        });
    }

    /// Serves one zone over TCP.
    pub fn name_server(&self, at: &str, zone: &str, kind: Zone) {
        let (zone, records) = (zone.to_owned(), Rc::clone(&self.zone));
        self.serve(at, move |stream| {
            authority(stream, zone.clone(), kind, Rc::clone(&records))
        });
    }

    fn resolve(&self, query: &[u8]) -> Option<Vec<u8>> {
        let query = Message::from_octets(query.to_vec()).expect("a DNS message");
        let question = query.sole_question().expect("one question");
        let name = question.qname().to_string();
        let key = (name.clone(), question.qtype());
        self.asked.borrow_mut().push(key.clone());
        let says = match self.zone.borrow().get(&key) {
            Some(says) => says.clone(),
            None => Says::Records(Vec::new()),
        };
        match says {
            Says::Bytes(bytes) => Some(bytes),
            Says::Nothing => None,
            Says::Records(records) => Some(message(&query, &name, Rcode::NOERROR, &records, &[])),
            Says::Alias(target, code) => {
                Some(message(&query, &name, code, &[Data::Cname(target)], &[]))
            }
            Says::Bogus(records, _) if query.header().cd() => {
                Some(message(&query, &name, Rcode::NOERROR, &records, &[]))
            }
            Says::Bogus(_, extended) => {
                Some(message(&query, &name, Rcode::SERVFAIL, &[], &extended))
            }
            Says::Code(code, extended) => Some(message(&query, &name, code, &[], &extended)),
            Says::Denied(code, proof) => Some(denial(&query, &name, code, &proof)),
        }
    }
}

/// Builds an answer to `query`.
pub fn message(
    query: &Message<Vec<u8>>,
    name: &str,
    code: Rcode,
    records: &[Data],
    extended: &[u16],
) -> Vec<u8> {
    whole(query, name, code, (records, &[]), extended)
}

/// An answer that there is none, with its proof.
fn denial(query: &Message<Vec<u8>>, name: &str, code: Rcode, proof: &[(String, Data)]) -> Vec<u8> {
    whole(query, name, code, (&[], proof), &[])
}

fn whole(
    query: &Message<Vec<u8>>,
    name: &str,
    code: Rcode,
    (records, proof): (&[Data], &[(String, Data)]),
    extended: &[u16],
) -> Vec<u8> {
    let mut answer = MessageBuilder::new_vec()
        .start_answer(query, code)
        .expect("an answer");
    answer.header_mut().set_ra(true);
    for record in records {
        push(&mut answer, name, record);
    }
    let mut authority = answer.authority();
    let tells = proof.iter().any(|(_, data)| matches!(data, Data::Soa(_)));
    if records.is_empty() && !tells && code != Rcode::SERVFAIL {
        let zone = named(name.rsplit_once('.').map_or(name, |_| zone_of(name)));
        authority
            .push((zone, 300, soa([7200, 3600, 1_209_600, 300])))
            .expect("room");
    }
    for (owner, data) in proof {
        push(&mut authority, owner, data);
    }
    let mut additional = authority.additional();
    additional
        .opt(|opt| {
            for code in extended {
                opt.push_raw_option(15.into(), 2, |target| {
                    use domain::dep::octseq::OctetsBuilder;
                    target.append_slice(&code.to_be_bytes())
                })?;
            }
            Ok(())
        })
        .expect("room");
    additional.finish()
}

fn soa([refresh, retry, expire, minimum]: [u32; 4]) -> Soa<Name<Vec<u8>>> {
    let seconds = domain::base::Ttl::from_secs;
    Soa::new(
        named("ns.zone.net"),
        named("admin.zone.net"),
        1.into(),
        seconds(refresh),
        seconds(retry),
        seconds(expire),
        seconds(minimum),
    )
}

/// The last two labels: good enough for the tests' names.
fn zone_of(name: &str) -> &str {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(_), Some(at)) => &name[at + 1..],
        _ => name,
    }
}

fn push(answer: &mut impl RecordSectionBuilder<Vec<u8>>, name: &str, data: &Data) {
    let owner = named(name);
    let pushed = match data {
        Data::Ip(IpAddr::V4(ip)) => answer.push((owner, 60, A::new(*ip))),
        Data::Ip(IpAddr::V6(ip)) => answer.push((owner, 60, Aaaa::new(*ip))),
        Data::Alias(target, then) => {
            answer
                .push((owner, 60, Cname::new(named(target))))
                .expect("room");
            return push(answer, target, then);
        }
        Data::Cname(target) => answer.push((owner, 60, Cname::new(named(target)))),
        Data::Ns(target) => answer.push((owner, 60, Ns::new(named(target)))),
        Data::Ptr(target) => answer.push((owner, 60, Ptr::new(named(target)))),
        Data::Soa(timers) => answer.push((owner, 60, soa(*timers))),
        Data::Mx(preference, target) => {
            answer.push((owner, 60, Mx::new(*preference, named(target))))
        }
        Data::Txt(text) => {
            let txt: Txt<Vec<u8>> = Txt::build_from_slice(text.as_bytes()).expect("a text");
            answer.push((owner, 60, txt))
        }
        Data::Issue(issuer) => {
            let caa = Caa::try_new(
                domain::rdata::caa::CaaFlags::new(0),
                domain::rdata::caa::CaaTag::from_octets(b"issue".to_vec()).expect("a tag"),
                issuer.as_bytes().to_vec(),
            );
            answer.push((owner, 60, caa.expect("a CAA record")))
        }
        Data::Hex(rtype, digits) => {
            let octets = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16);
            let data: Result<Vec<u8>, _> = (0..digits.len()).step_by(2).map(octets).collect();
            let data = UnknownRecordData::from_octets(*rtype, data.expect("digits"));
            answer.push((owner, 60, data.expect("short data")))
        }
    };
    pushed.expect("room");
}

fn named(name: &str) -> Name<Vec<u8>> {
    Name::from_str(name).expect("a name")
}

impl Network for Internet {
    fn connect<'a>(
        &'a self,
        to: &'a PublicAddr,
    ) -> LocalBoxFuture<'a, Result<Box<dyn Stream>, NetError>> {
        Box::pin(async move {
            let open = self.enter();
            self.connected.borrow_mut().push(to.socket());
            let handler = self.servers.borrow().get(&to.socket()).cloned();
            let Some(handler) = handler else {
                return Err(NetError::Failed(String::from("connection refused")));
            };
            let (ours, theirs) = tokio::io::duplex(64 * 1024);
            let delay = self.delay.get();
            tokio::task::spawn_local(async move {
                tokio::time::sleep(delay).await;
                handler(theirs).await;
            });
            Ok(Box::new(Held(ours, open)) as Box<dyn Stream>)
        })
    }

    fn fetch<'a>(
        &'a self,
        url: &'a PublicUrl,
        _: &'a [(&'static str, String)],
        _: usize,
    ) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let _open = self.enter();
            self.fetched.borrow_mut().push(url.as_str().to_owned());
            tokio::time::sleep(self.delay.get()).await;
            let found = self.files.borrow().get(url.as_str()).cloned();
            found.ok_or_else(|| NetError::Failed(String::from("nothing there")))
        })
    }

    fn ask<'a>(&'a self, ask: Ask<'a>) -> LocalBoxFuture<'a, Result<Fetched, NetError>> {
        Box::pin(async move {
            let _open = self.enter();
            tokio::time::sleep(self.delay.get()).await;
            let Some(query) = ask.body else {
                let url = format!("{}{}", ask.endpoint.as_str(), ask.suffix);
                let found = self.files.borrow().get(&url).cloned();
                return found.ok_or_else(|| NetError::Failed(String::from("nothing there")));
            };
            if let Some(error) = self.resolver_down.borrow().clone() {
                return Err(error);
            }
            match self.resolve(query) {
                Some(body) => Ok(Fetched {
                    status: 200,
                    body,
                    ..Fetched::default()
                }),
                None => std::future::pending().await,
            }
        })
    }
}

/// Something open; closed when dropped.
struct Open(Rc<Cell<(usize, usize)>>);

impl Drop for Open {
    fn drop(&mut self) {
        let (now, most) = self.0.get();
        self.0.set((now - 1, most));
    }
}

/// A connection that is counted while it is open.
struct Held(DuplexStream, #[allow(dead_code)] Open);

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Held {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// How a name server treats those who ask it directly.
#[derive(Clone, Copy, PartialEq)]
pub enum Zone {
    /// Knows the zone and refuses to transfer it.
    Closed,
    /// Hands it over in one message.
    Open,
    /// Hands it over record by record.
    OpenInPieces,
    /// Refuses everything: it does not know the zone.
    Lame,
    /// Closes the connection when asked for the zone.
    Closing,
    /// Takes the connection and says nothing.
    Silent,
    /// Keeps the zone, and knows these texts in it.
    Telling(&'static [(&'static str, &'static str)]),
    /// Keeps the zone, and knows all that the resolver does.
    Knowing,
}

/// Answers length-prefixed questions for SOA and AXFR.
async fn authority(mut stream: DuplexStream, zone: String, kind: Zone, known: Records) {
    while let Ok(length) = stream.read_u16().await {
        let mut query = vec![0; usize::from(length)];
        if stream.read_exact(&mut query).await.is_err() {
            return;
        }
        let query = Message::from_octets(query).expect("a DNS message");
        let question = query.sole_question().expect("one question");
        let timers = Data::Soa([7200, 3600, 1_209_600, 300]);
        let host = Data::Ip("93.184.215.14".parse().expect("an address"));
        let refused = vec![(Rcode::REFUSED, vec![])];
        let key = (question.qname().to_string(), question.qtype());
        let proof = match known.borrow().get(&key) {
            Some(Says::Denied(code, proof)) if kind == Zone::Knowing => {
                Some((*code, proof.clone()))
            }
            _ => None,
        };
        let answers = match (question.qtype(), kind) {
            (_, Zone::Lame) => refused,
            (_, Zone::Silent) => Vec::new(),
            (Rtype::AXFR, Zone::Knowing) => refused,
            (_, Zone::Knowing) => match known.borrow().get(&key) {
                Some(Says::Records(records)) => vec![(Rcode::NOERROR, records.clone())],
                Some(Says::Code(code, _)) => vec![(*code, vec![])],
                _ => vec![(Rcode::NOERROR, vec![])],
            },
            (Rtype::SOA, _) => match known.borrow().get(&key) {
                Some(Says::Records(records)) => vec![(Rcode::NOERROR, records.clone())],
                _ => vec![(Rcode::NOERROR, vec![timers])],
            },
            (Rtype::TXT | Rtype::A, Zone::Telling(texts)) => {
                let asked = question.qname().to_string();
                let told = texts.iter().filter(|(name, _)| *name == asked);
                let told = told.map(|(_, text)| Data::Txt((*text).to_owned()));
                vec![(Rcode::NOERROR, told.collect())]
            }
            (Rtype::TXT | Rtype::A, Zone::Closed | Zone::Open | Zone::OpenInPieces) => refused,
            (_, Zone::Closing) => return,
            (_, Zone::Open) => vec![(
                Rcode::NOERROR,
                vec![timers.clone(), host.clone(), host, timers],
            )],
            (_, Zone::OpenInPieces) => [timers.clone(), host, timers]
                .into_iter()
                .map(|record| (Rcode::NOERROR, vec![record]))
                .collect(),
            (_, Zone::Closed | Zone::Telling(_)) => refused,
        };
        for (code, records) in answers {
            let owner = match (question.qtype(), kind) {
                (Rtype::TXT, _) | (_, Zone::Knowing) => question.qname().to_string(),
                _ => zone.clone(),
            };
            let mut answer = match &proof {
                Some((code, proof)) => denial(&query, &owner, *code, proof),
                None => message(&query, &owner, code, &records, &[]),
            };
            answer[2] |= 0x04;
            let length = u16::try_from(answer.len()).expect("a short answer");
            let wire = [length.to_be_bytes().as_slice(), &answer].concat();
            if stream.write_all(&wire).await.is_err() {
                return;
            }
        }
    }
}

/// Paths and what they answer, heads included.
#[derive(Default)]
pub struct Site {
    routes: Vec<(String, String)>,
    fallback: String,
    strangers: Option<String>,
    origins: Vec<(String, String)>,
    /// Requests answered before the connection is closed.
    pub patience: Option<usize>,
}

impl Site {
    /// 404 everywhere.
    pub fn new() -> Site {
        Site {
            fallback: response("404 Not Found", &[], "not here"),
            ..Site::default()
        }
    }

    /// One path's answer.
    pub fn on(mut self, path: &str, response: String) -> Site {
        self.routes.push((path.to_owned(), response));
        self
    }

    /// Every other path's answer.
    pub fn otherwise(mut self, response: String) -> Site {
        self.fallback = response;
        self
    }

    /// The answer to whoever sends an `Origin`.
    pub fn for_strangers(mut self, response: String) -> Site {
        self.strangers = Some(response);
        self
    }

    /// The answer to whoever sends this `Origin`.
    pub fn for_origin(mut self, origin: &str, response: String) -> Site {
        let line = format!("\r\nOrigin: {origin}\r\n");
        self.origins.push((line, response));
        self
    }

    /// Closes the connection after `n` answers.
    pub fn closing_after(mut self, n: usize) -> Site {
        self.patience = Some(n);
        self
    }

    fn answer(&self, path: &str, head: &str) -> &str {
        if let Some(answer) = &self.strangers
            && head.contains("\r\nOrigin: ")
        {
            return answer;
        }
        let by_origin = self.origins.iter().find(|(line, _)| head.contains(line));
        by_origin
            .or_else(|| self.routes.iter().find(|(known, _)| known == path))
            .map_or(&self.fallback, |(_, answer)| answer)
    }
}

/// A response with its length.
pub fn response(status: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    format!("{head}\r\n{body}")
}

/// Answers requests one after another, pipelined ones too.
async fn answer(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    site: Rc<Site>,
    delay: Delay,
) {
    let (mut seen, mut answered) = (Vec::new(), 0);
    loop {
        // The first answer waited with the connection.
        if answered > 0 && !seen.is_empty() {
            tokio::time::sleep(delay.get()).await;
        }
        while let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(seen.drain(..end + 4).collect()).expect("ASCII");
            let path = head.split(' ').nth(1).expect("a path").to_owned();
            if stream
                .write_all(site.answer(&path, &head).as_bytes())
                .await
                .is_err()
            {
                return;
            }
            let _ = stream.flush().await;
            answered += 1;
            if site.patience == Some(answered) {
                let _ = stream.shutdown().await;
                return;
            }
        }
        let mut block = [0_u8; 4096];
        match stream.read(&mut block).await {
            Ok(read) if read > 0 => seen.extend_from_slice(&block[..read]),
            _ => return,
        }
    }
}

/// tokio's clock, beginning at [`MIDNIGHT`].
pub struct TokioClock(Instant);

impl TokioClock {
    /// Begins now.
    pub fn new() -> TokioClock {
        TokioClock(Instant::now())
    }
}

impl Clock for TokioClock {
    fn now_ms(&self) -> u64 {
        MIDNIGHT + u64::try_from(self.0.elapsed().as_millis()).expect("a short test")
    }

    fn sleep(&self, span: Duration) -> LocalBoxFuture<'static, ()> {
        tokio::time::sleep(span).boxed_local()
    }
}

/// A certificate authority of the test.
pub struct Authority {
    /// The root as PEM, for `TRUST_ANCHORS`.
    pub pem: String,
    middle: Issuer<'static, KeyPair>,
    middle_der: CertificateDer<'static>,
}

/// How a server's certificate is made.
pub struct Leaf {
    /// Its names.
    pub names: Vec<String>,
    /// Days from [`MIDNIGHT`] until it begins and ends.
    pub days: (i64, i64),
    /// Whether the intermediate is sent with it.
    pub with_intermediate: bool,
    /// Whether it says where its issuer's certificate is.
    pub with_aia: bool,
    /// Whether it promises a staple (RFC 7633).
    pub must_staple: bool,
}

impl Leaf {
    /// A good one.
    pub fn of(name: &str) -> Leaf {
        Leaf {
            names: vec![name.to_owned()],
            days: (-10, 80),
            with_intermediate: true,
            with_aia: true,
            must_staple: false,
        }
    }
}

impl Authority {
    /// A fresh root and intermediate.
    pub fn new() -> Authority {
        let root = root();
        Authority::below(&root.1, root.0.pem(), "Test Intermediate", false)
    }

    /// One whose intermediate has another one above it, which is never sent.
    pub fn deep() -> Authority {
        let root = root();
        let (params, key) = ca("Test Upper");
        Authority::below(
            &Issuer::new(params, key),
            root.0.pem(),
            "Test Intermediate",
            true,
        )
    }

    fn below(above: &Issuer<'_, KeyPair>, pem: String, name: &str, with_aia: bool) -> Authority {
        let (mut params, key) = ca(name);
        if with_aia {
            params.custom_extensions.push(ca_issuers());
        }
        let certificate = params.signed_by(&key, above).expect("an intermediate");
        Authority {
            pem,
            middle: Issuer::new(params, key),
            middle_der: certificate.der().clone(),
        }
    }

    /// A server's configuration with a leaf of this authority.
    pub fn serves(&self, leaf: &Leaf) -> ServerConfig {
        self.serves_versions(leaf, &[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    /// The same for some versions only.
    pub fn serves_versions(
        &self,
        leaf: &Leaf,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> ServerConfig {
        let (chain, key) = self.issues(leaf);
        server(chain, &key, versions, Vec::new())
    }

    /// One that has the chain and not the key of its leaf.
    pub fn serves_by_another_key(&self, leaf: &Leaf) -> ServerConfig {
        let (chain, _) = self.issues(leaf);
        let other = KeyPair::generate().expect("a key");
        let other = PrivateKeyDer::try_from(other.serialize_der()).expect("a key");
        let provider = rustls_rustcrypto::provider();
        let other = provider.key_provider.load_private_key(other);
        let pair = CertifiedKey::new(chain, other.expect("a key that signs"));
        ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)))
    }

    /// A chain and the key of its leaf.
    pub fn issues(&self, leaf: &Leaf) -> (Vec<CertificateDer<'static>>, KeyPair) {
        let (mut params, key) = leaf_params(leaf);
        if leaf.with_aia {
            params.custom_extensions.push(ca_issuers());
        }
        if leaf.must_staple {
            let feature = rcgen::CustomExtension::from_oid_content(
                &[1, 3, 6, 1, 5, 5, 7, 1, 24],
                vec![0x30, 3, 2, 1, 5],
            );
            params.custom_extensions.push(feature);
        }
        let certificate = params.signed_by(&key, &self.middle).expect("a leaf");
        let mut chain = vec![certificate.der().clone()];
        if leaf.with_intermediate {
            chain.push(self.middle_der.clone());
        }
        (chain, key)
    }
}

fn ca(name: &str) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("parameters");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (moment(-1000), moment(1000));
    (params, KeyPair::generate().expect("a key"))
}

fn root() -> (rcgen::Certificate, Issuer<'static, KeyPair>) {
    let (params, key) = ca("Test Root");
    let certificate = params.self_signed(&key).expect("a root");
    (certificate, Issuer::new(params, key))
}

/// authorityInfoAccess: one caIssuers URL (RFC 5280 section 4.2.2.1).
fn ca_issuers() -> rcgen::CustomExtension {
    let url = b"http://ca.net/i.der";
    let access = [
        &[6, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2, 0x86, url.len() as u8][..],
        url,
    ]
    .concat();
    let head = [0x30, access.len() as u8 + 2, 0x30, access.len() as u8];
    let der = [&head[..], &access].concat();
    rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], der)
}

/// A server whose certificate is signed by itself.
pub fn self_signed(leaf: &Leaf) -> ServerConfig {
    let (params, key) = leaf_params(leaf);
    let certificate = params.self_signed(&key).expect("a certificate");
    serving(vec![certificate.der().clone()], &key, Vec::new())
}

/// A certificate signed by itself.
pub fn self_signed_der(leaf: &Leaf) -> CertificateDer<'static> {
    let (_, key) = leaf_params(leaf);
    self_signed_by(leaf, &key)
}

/// The same with this key.
pub fn self_signed_by(leaf: &Leaf, key: &KeyPair) -> CertificateDer<'static> {
    let (params, _) = leaf_params(leaf);
    let certificate = params.self_signed(key).expect("a certificate");
    certificate.der().clone()
}

/// A server that presents this chain, with this OCSP response unless empty.
pub fn serving(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    staple: Vec<u8>,
) -> ServerConfig {
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    server(chain, key, &versions, staple)
}

fn leaf_params(leaf: &Leaf) -> (CertificateParams, KeyPair) {
    let mut params = CertificateParams::new(leaf.names.clone()).expect("parameters");
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, "a leaf");
    (params.not_before, params.not_after) = (moment(leaf.days.0), moment(leaf.days.1));
    params.use_authority_key_identifier_extension = true;
    (params, KeyPair::generate().expect("a key"))
}

fn server(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    versions: &[&'static rustls::SupportedProtocolVersion],
    staple: Vec<u8>,
) -> ServerConfig {
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls_rustcrypto::provider()))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert_with_ocsp(chain, key, staple)
        .expect("a chain with its key");
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn moment(days: i64) -> time::OffsetDateTime {
    let midnight = i64::try_from(MIDNIGHT / 1000).expect("seconds");
    time::OffsetDateTime::from_unix_timestamp(midnight + days * 86_400).expect("a moment")
}
