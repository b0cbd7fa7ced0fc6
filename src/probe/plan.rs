//! The schedule of one `analyze`: what can start starts, what needs an answer
//! waits for that one alone, and what is not there at the deadline is missing
//! from the result rather than holding it up.
//!
//! The longest chain of needs: addresses, TLS handshake, page, listed paths.
//! Records, the second handshake and the plain-HTTP journey run beside it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use rustls::pki_types::CertificateDer;

use super::Failure;
use super::dns::{Exchange, Resolver, Rtype};
use super::exposure::{self, Exposure};
use super::host::{self, Resolution};
use super::http::{Browser, Hop, Journey, Web};
use super::http1::Connection;
use super::net::Net;
use super::tls::{self, Handshake, Refused};
use super::trust::{self, Verdict};
use crate::codec::certificate::Certificate;
use crate::guard::{Guard, PublicAddr, PublicUrl, Scheme};

/// The whole analysis; the gate's own deadline is later.
pub const DEADLINE: Duration = Duration::from_secs(12);

/// Records asked for at the host: the member of the report, the type.
pub const RECORDS: [(&str, Rtype); 8] = [
    ("a", Rtype::A),
    ("aaaa", Rtype::AAAA),
    ("https", Rtype::HTTPS),
    ("mx", Rtype::MX),
    ("txt", Rtype::TXT),
    ("caa", Rtype::CAA),
    ("ns", Rtype::NS),
    ("soa", Rtype::SOA),
];

/// What was measured. A member that is `None` was not finished in time; a
/// failure says what stood in the way.
#[derive(Clone, Debug)]
pub struct Probes {
    /// The URL as judged.
    pub url: PublicUrl,
    /// When the analysis began, milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// Answers by the report's member name.
    pub dns: BTreeMap<&'static str, Rc<Exchange>>,
    /// Where the host may be reached.
    pub resolution: Option<Resolution>,
    /// The certificate and what was negotiated.
    pub tls: Tls,
    /// From `https://` on.
    pub https: Option<Result<Journey, Failure>>,
    /// From `http://` on.
    pub http: Option<Result<Journey, Failure>>,
    /// The listed paths.
    pub exposure: Option<Result<Exposure, Failure>>,
}

/// Every handshake, and the chain of the one that came to an end.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// With both versions on offer.
    pub web: Option<Result<Handshake, Refused>>,
    /// With TLS 1.2 alone.
    pub only_12: Option<Result<Handshake, Refused>>,
    /// With TLS 1.3 alone; asked only where 1.2 was declined.
    pub only_13: Option<Result<Handshake, Refused>>,
    /// The presented chain, described; a certificate that cannot be read
    /// ends it.
    pub chain: Vec<Certificate>,
    /// What a strict client says of the chain.
    pub verdict: Option<Verdict>,
}

impl Probes {
    /// The host as asked about.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// An answer by the report's member name.
    pub fn records(&self, member: &str) -> Option<&Exchange> {
        self.dns.get(member).map(Rc::as_ref)
    }
}

/// What a run needs.
pub struct Run {
    /// The way out.
    pub net: Net,
    /// The judge.
    pub guard: Rc<Guard>,
    /// The URL to analyze.
    pub url: PublicUrl,
    /// Unpredictable hex for the control path.
    pub nonce: String,
}

/// Results as they come in.
struct Board(RefCell<Probes>);

impl Board {
    fn write<T>(&self, write: impl FnOnce(&mut Probes) -> T) -> T {
        write(&mut self.0.borrow_mut())
    }
}

impl Run {
    /// Runs every probe, at most until the deadline.
    pub async fn go(self) -> Probes {
        let probes = Probes {
            url: self.url.clone(),
            now_ms: self.net.now_ms(),
            dns: BTreeMap::new(),
            resolution: None,
            tls: Tls::default(),
            https: None,
            http: None,
            exposure: None,
        };
        let board = Board(RefCell::new(probes));
        let resolver = Resolver::new(self.net.clone());
        let browser = Browser {
            net: self.net.clone(),
            resolver: resolver.clone(),
            guard: Rc::clone(&self.guard),
        };
        let work = async {
            // Addresses first in line: everything that connects waits for them.
            join(self.web(&browser, &board), self.records(&resolver, &board)).await;
            Ok(())
        };
        // Whatever is missing at the deadline is missing on the board.
        let _ = self.net.within(DEADLINE, work).await;
        board.0.into_inner()
    }

    async fn records(&self, resolver: &Resolver, board: &Board) {
        let Some(host) = self.url.name() else { return };
        let policy = format!("_dmarc.{host}");
        let questions = RECORDS
            .iter()
            .map(|(member, rtype)| (*member, host, *rtype))
            .chain([("dmarc", policy.as_str(), Rtype::TXT)]);
        join_all(questions.map(|(member, name, rtype)| async move {
            let exchange = resolver.ask(name, rtype).await;
            board.write(|probes| probes.dns.insert(member, exchange));
        }))
        .await;
    }

    /// The URL under a scheme: the asked one itself, or its sibling on the
    /// default port.
    fn url_for(&self, scheme: Scheme) -> Result<PublicUrl, Failure> {
        if self.url.scheme() == scheme {
            return Ok(self.url.clone());
        }
        let on_default_port = self.url.port() == default_port(self.url.scheme());
        match self.url.with_scheme(scheme) {
            Ok(url) if on_default_port => Ok(url),
            _ => Err(Failure::Skipped(NOT_PROBED)),
        }
    }

    async fn web(&self, browser: &Browser, board: &Board) {
        let resolution = host::resolve(&browser.resolver, &self.guard, &self.url).await;
        let connectable = matches!(resolution, Resolution::Judged(_));
        board.write(|probes| probes.resolution = Some(resolution));
        if !connectable {
            return;
        }
        let (secure, plain) = (self.url_for(Scheme::Https), self.url_for(Scheme::Http));
        let (over_https, over_http) = join(
            self.https(browser, board, secure.clone()),
            self.http(browser, board, plain, secure.ok()),
        )
        .await;
        if over_https {
            return;
        }
        let exposure = match over_http {
            Some((url, to, web)) => Ok(exposure::probe(browser, &url, &to, web, &self.nonce).await),
            None => Err(Failure::Skipped("no web server answered")),
        };
        board.write(|probes| probes.exposure = Some(exposure));
    }

    /// Everything over TLS. Answers whether a web server was reached there.
    async fn https(
        &self,
        browser: &Browser,
        board: &Board,
        url: Result<PublicUrl, Failure>,
    ) -> bool {
        let (url, to) = match self.reach(browser, url).await {
            Ok(reached) => reached,
            Err(failure) => {
                board.write(|probes| {
                    let refused = Refused::Failed(failure.clone());
                    probes.tls.web = Some(Err(refused.clone()));
                    probes.tls.only_12 = Some(Err(refused));
                    probes.https = Some(Err(failure));
                });
                return false;
            }
        };
        join(
            self.versions(board, &url, &to),
            self.secure_pages(browser, board, &url, &to),
        )
        .await
        .1
    }

    async fn reach(
        &self,
        browser: &Browser,
        url: Result<PublicUrl, Failure>,
    ) -> Result<(PublicUrl, PublicAddr), Failure> {
        let url = url?;
        // Asked before, so this costs no query.
        match host::resolve(&browser.resolver, &self.guard, &url)
            .await
            .first()
        {
            Some(to) => Ok((url, *to)),
            None => Err(Failure::Skipped("no address may be connected to")),
        }
    }

    /// TLS 1.2 by itself, and 1.3 by itself where 1.2 is declined.
    async fn versions(&self, board: &Board, url: &PublicUrl, to: &PublicAddr) {
        if host::refuses_sockets(to) {
            let refused = Refused::Failed(NO_SOCKETS);
            board.write(|probes| probes.tls.only_12 = Some(Err(refused)));
            return;
        }
        let only_12 = tls::open(&self.net, to, url.host(), tls::ONLY_12)
            .await
            .map(|open| open.1);
        let declined = matches!(only_12, Err(Refused::Declined(_)));
        board.write(|probes| probes.tls.only_12 = Some(only_12));
        if declined {
            let only_13 = tls::open(&self.net, to, url.host(), tls::ONLY_13)
                .await
                .map(|open| open.1);
            board.write(|probes| probes.tls.only_13 = Some(only_13));
        }
    }

    /// One connection for the handshake, the page and the listed paths.
    async fn secure_pages(
        &self,
        browser: &Browser,
        board: &Board,
        url: &PublicUrl,
        to: &PublicAddr,
    ) -> bool {
        let started = self.net.now_ms();
        let opened = match host::refuses_sockets(to) {
            true => Err(Refused::Failed(NO_SOCKETS)),
            false => tls::open(&self.net, to, url.host(), tls::WEB).await,
        };
        let (outcome, web) = match opened {
            Ok((stream, handshake)) => {
                self.note_handshake(board, handshake);
                let mut web: Web = Connection::new(Box::new(stream));
                let page = browser.request(url, super::http::PAGE_CAP);
                let outcome = browser.exchange(&mut web, &page).await;
                (outcome, Some(web))
            }
            Err(refused) => {
                let failure = match &refused {
                    Refused::Failed(failure) => failure.clone(),
                    Refused::Declined(how) => {
                        Failure::Unreachable(format!("TLS was declined: {how}"))
                    }
                };
                board.write(|probes| probes.tls.web = Some(Err(refused)));
                match failure {
                    Failure::NotMeasurable(_) => {
                        (browser.platform(url, super::http::PAGE_CAP).await, None)
                    }
                    failure => (Err(failure), None),
                }
            }
        };
        let web = web.filter(|_| outcome.as_ref().is_ok_and(|response| response.reusable));
        let ms = self.net.now_ms().saturating_sub(started);
        let hop = Hop {
            url: url.clone(),
            address: Some(*to),
            outcome,
            ms,
        };
        let reached = hop.outcome.is_ok();
        let pages = async {
            let journey = browser.follow(hop, None).await;
            board.write(|probes| probes.https = Some(Ok(journey)));
        };
        let paths = async {
            if reached {
                let exposure = exposure::probe(browser, url, to, web, &self.nonce).await;
                board.write(|probes| probes.exposure = Some(Ok(exposure)));
            }
        };
        join(pages, paths).await;
        reached
    }

    fn note_handshake(&self, board: &Board, handshake: Handshake) {
        let chain: Vec<Certificate> = handshake
            .chain
            .iter()
            .map_while(|der: &CertificateDer<'_>| Certificate::from_der(der).ok())
            .collect();
        let verdict = trust::judge(
            &handshake.chain,
            &chain,
            self.url.host(),
            self.net.now_ms(),
            &self.net.config().trust_anchors,
        );
        board.write(|probes| {
            probes.tls.web = Some(Ok(handshake));
            probes.tls.chain = chain;
            probes.tls.verdict = Some(verdict);
        });
    }

    /// The journey from plain HTTP; it ends where the secure one begins.
    /// Answers what the listed paths may be asked over.
    async fn http(
        &self,
        browser: &Browser,
        board: &Board,
        url: Result<PublicUrl, Failure>,
        secure: Option<PublicUrl>,
    ) -> Option<(PublicUrl, PublicAddr, Option<Web>)> {
        let (url, to) = match self.reach(browser, url).await {
            Ok(reached) => reached,
            Err(failure) => {
                board.write(|probes| probes.http = Some(Err(failure)));
                return None;
            }
        };
        let (hop, web) = browser.step(&url, &to).await;
        let reached = hop.outcome.is_ok();
        let journey = browser.follow(hop, secure.as_ref()).await;
        board.write(|probes| probes.http = Some(Ok(journey)));
        reached.then_some((url, to, web))
    }
}

/// Why a scheme was left out: not an attempt that failed.
pub const NOT_PROBED: &str = "this port is not probed";

const NO_SOCKETS: Failure =
    Failure::NotMeasurable("the address is Cloudflare's own, where a Worker may not open sockets");

const fn default_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}
