//! The schedule of one `analyze`: what can start starts, what needs an answer
//! waits for that one alone, and what is not there at the deadline is missing
//! from the result rather than holding it up.
//!
//! The longest chain of needs: addresses, page, listed paths. Records, the
//! zone, mail and the other handshakes run beside it, in the places it leaves
//! free. `docs/architecture.md` counts it out.

mod handshakes;
mod web;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::{join, join_all, join3, join4, join5, select};

use super::Failure;
use super::ct::Logged;
use super::dns::{Exchange, Resolver, Rtype, Status};
use super::errands::{Errands, Foreign};
use super::exposure::Exposure;
use super::files::Files;
use super::host::{self, Resolution};
use super::http::{Browser, Hop, Journey};
use super::mail::{self, Mail};
use super::net::Net;
use super::origin::{self, Origin, Reverse};
use super::registration::{self, Nothing, Registration};
use super::riders::Riders;
use super::slots::Priority;
use super::wishes::{self, Wish};
use super::zone::{self, Zone};
use crate::guard::{Guard, PublicUrl};
pub use handshakes::{Heard, Tls};
use web::{NO_SOCKETS, in_the_way};
pub use web::{NOT_PROBED, NOT_WANTED};

/// The whole analysis; the gate's own deadline is later.
pub const DEADLINE: Duration = Duration::from_secs(12);

/// How long answers of the zone's own server are waited for before the
/// resolver is asked for them: a server that is alive is done long before.
const RIDE_LIMIT: Duration = Duration::from_millis(2_500);

/// Name servers whose networks are compared.
const NEIGHBOURS: usize = 2;

/// Records asked for at the host: the member of the report, the type.
pub const RECORDS: [(&str, Rtype); 6] = [
    ("a", Rtype::A),
    ("aaaa", Rtype::AAAA),
    ("ns", Rtype::NS),
    ("mx", Rtype::MX),
    ("txt", Rtype::TXT),
    ("https", Rtype::HTTPS),
];

/// What was measured. A member that is `None` was not finished in time, or
/// does not arise; a failure says what stood in the way.
#[derive(Clone, Debug)]
pub struct Probes {
    /// The URL as judged.
    pub url: PublicUrl,
    /// When the analysis began, milliseconds since the Unix epoch.
    pub now_ms: u64,
    /// What the owner allows, once asked.
    pub wish: Option<Wish>,
    /// Answers by the report's member name.
    pub dns: BTreeMap<&'static str, Rc<Exchange>>,
    /// CAA from the host up.
    pub caa: Vec<Rc<Exchange>>,
    /// The zone that holds the host.
    pub zone: Option<Zone>,
    /// Which autonomous systems announce the first of its servers, by server;
    /// empty when nobody was asked.
    pub systems: Vec<Result<u32, String>>,
    /// Where the host may be reached.
    pub resolution: Option<Resolution>,
    /// What the domain says about its mail.
    pub mail: Mail,
    /// The way back from the first address.
    pub reverse: Option<Reverse>,
    /// Who announces the first address.
    pub origin: Option<Result<Origin, String>>,
    /// Whether the operator lets us ask who announces an address.
    pub asks_origin: bool,
    /// The certificate and what was negotiated.
    pub tls: Tls,
    /// What transparency logs hold for the host.
    pub ct: Option<Result<Logged, Failure>>,
    /// From `https://` on.
    pub https: Option<Result<Journey, Failure>>,
    /// From `http://` on.
    pub http: Option<Result<Journey, Failure>>,
    /// The first request of a journey again, to an address of the other
    /// family.
    pub other_family: Option<Hop>,
    /// The listed paths.
    pub exposure: Option<Result<Exposure, Failure>>,
    /// The files that the site publishes for others.
    pub files: Option<Result<Files, Failure>>,
    /// The page's head as scripts from elsewhere are given it.
    pub foreign: Option<Foreign>,
    /// What the registries say.
    pub registration: Registrations,
}

/// What the registries say of the domain and of the first address's network.
#[derive(Clone, Debug, Default)]
pub struct Registrations {
    /// The registered domain.
    pub domain: Option<Result<Registration, Nothing>>,
    /// The network.
    pub network: Option<Result<Registration, Nothing>>,
}

impl Probes {
    fn new(url: PublicUrl, now_ms: u64) -> Probes {
        Probes {
            url,
            now_ms,
            wish: None,
            dns: BTreeMap::new(),
            caa: Vec::new(),
            zone: None,
            systems: Vec::new(),
            resolution: None,
            mail: Mail::default(),
            reverse: None,
            origin: None,
            asks_origin: true,
            tls: Tls::default(),
            ct: None,
            https: None,
            http: None,
            other_family: None,
            exposure: None,
            files: None,
            foreign: None,
            registration: Registrations::default(),
        }
    }

    /// Leaves out everything that connects to the host.
    fn set_out(&mut self, failure: Failure) {
        self.tls.set_out(&failure);
        self.https = Some(Err(failure.clone()));
        self.http = Some(Err(failure.clone()));
        self.set_errands(Err(failure));
    }

    /// What was asked beside the page.
    fn set_errands(&mut self, errands: Result<Errands, Failure>) {
        match errands {
            Ok(errands) => {
                self.exposure = Some(Ok(errands.exposure));
                self.files = Some(Ok(errands.files));
                self.foreign = Some(errands.foreign);
            }
            Err(failure) => {
                self.exposure = Some(Err(failure.clone()));
                self.files = Some(Err(failure.clone()));
                self.foreign = Some(Foreign::failed(&failure));
            }
        }
    }

    /// The call's time in Unix seconds.
    pub fn now(&self) -> i64 {
        i64::try_from(self.now_ms / 1000).unwrap_or(i64::MAX)
    }

    /// The host as asked about.
    pub fn host(&self) -> &str {
        self.url.host()
    }

    /// An answer by the report's member name.
    pub fn records(&self, member: &str) -> Option<&Exchange> {
        self.dns.get(member).map(Rc::as_ref)
    }

    /// Whether the host is the apex of its zone; unknown counts as yes.
    pub fn is_apex(&self) -> bool {
        self.zone
            .as_ref()
            .is_none_or(|zone| zone.apex == self.url.host())
    }
}

/// Told of the board each time that something was written on it.
pub type Watch = Rc<dyn Fn(&Probes)>;

/// One analysis.
pub struct Run {
    net: Net,
    guard: Rc<Guard>,
    url: PublicUrl,
    nonce: String,
    resolver: Resolver,
    browser: Browser,
    riders: Riders,
    board: RefCell<Probes>,
    watch: Option<Watch>,
}

impl Run {
    /// Of `url`; `nonce` is unpredictable hex for names and paths that nobody
    /// has.
    pub fn new(net: Net, guard: Rc<Guard>, url: PublicUrl, nonce: String) -> Run {
        let resolver = Resolver::new(net.clone());
        let mut board = Probes::new(url.clone(), net.now_ms());
        board.asks_origin = net.config().asks_origin;
        Run {
            browser: Browser {
                net: net.clone(),
                resolver: resolver.clone(),
                guard: Rc::clone(&guard),
            },
            riders: Riders::new(resolver.clone()),
            board: RefCell::new(board),
            resolver,
            net,
            guard,
            url,
            nonce,
            watch: None,
        }
    }

    /// Lets `watch` see what is learned as it is learned.
    pub fn watched(self, watch: Option<Watch>) -> Run {
        Run { watch, ..self }
    }

    /// Runs every probe, at most until the deadline. Whatever is missing then
    /// is missing from the result.
    pub async fn go(self) -> Probes {
        self.net.keep();
        let work = async {
            match self.url.name() {
                // Addresses first in line: everything that connects waits.
                Some(host) => {
                    let known = async {
                        join4(
                            self.zone(host),
                            self.records(host),
                            self.climb(host),
                            self.policy(host),
                        )
                        .await;
                        self.net.zone_known();
                    };
                    let named = join5(
                        self.web_server(),
                        self.below(host),
                        self.mail(host),
                        known,
                        join3(
                            self.back(),
                            self.logged(Some(host)),
                            self.registrations(Some(host)),
                        ),
                    );
                    let named = async {
                        named.await;
                        self.net.finish();
                    };
                    let all = join3(named, self.systems(host), self.holder());
                    let unwanted = Box::pin(self.unwanted());
                    let _ = select(Box::pin(all), unwanted).await;
                }
                None => {
                    self.net.zone_known();
                    self.net.policy_known();
                    let named = async {
                        join4(
                            self.web_server(),
                            self.back(),
                            self.registrations(None),
                            self.logged(None),
                        )
                        .await;
                        self.net.finish();
                    };
                    join(named, self.holder()).await;
                }
            }
            Ok(())
        };
        let _ = self.net.within(DEADLINE, work).await;
        self.board.into_inner()
    }

    /// The web server; then its share of subrequests is everybody's.
    async fn web_server(&self) {
        self.web().await;
        self.net.release();
    }

    fn note<T>(&self, write: impl FnOnce(&mut Probes) -> T) -> T {
        let written = write(&mut self.board.borrow_mut());
        if let Some(watch) = &self.watch {
            watch(&self.board.borrow());
        }
        written
    }

    fn note_exchange(&self, member: &'static str, exchange: Rc<Exchange>) {
        self.note(|probes| probes.dns.insert(member, exchange));
    }

    /// What the owner allows. Asked once, known to all who wait for it.
    async fn wish(&self) -> Wish {
        let wish = match self.url.name() {
            Some(host) => wishes::of(&self.resolver, host).await.0,
            None => Wish::All,
        };
        self.note(|probes| probes.wish = Some(wish));
        wish
    }

    /// Comes to an end only when the owner wants no probes at all.
    async fn unwanted(&self) {
        if self.wish().await != Wish::None {
            std::future::pending::<()>().await;
        }
    }

    async fn records(&self, host: &str) {
        join_all(RECORDS.iter().map(|(member, rtype)| async move {
            // Nothing rests on this one: the zone's own server may tell.
            if *rtype == Rtype::HTTPS {
                self.riders.settled().await;
            }
            let exchange = self.resolver.ask(host, *rtype).await;
            self.note_exchange(member, Rc::clone(&exchange));
            // Bogus or broken? Without validation a bogus name is answered.
            if *rtype == Rtype::A && exchange.status == Status::ServFail {
                let exchange = self.resolver.ask_unvalidated(host, *rtype).await;
                self.note_exchange("aUnvalidated", exchange);
            }
        }))
        .await;
    }

    async fn zone(&self, host: &str) {
        let zone = async {
            match zone::apex(&self.resolver, host).await {
                Some(apex) => self.zone_at(host, &apex).await,
                None => self.riders.settle(),
            }
        };
        let impatience = async {
            self.net.sleep(RIDE_LIMIT).await;
            self.riders.settle();
            std::future::pending::<()>().await;
        };
        let _ = select(Box::pin(zone), Box::pin(impatience)).await;
    }

    /// Who may issue certificates.
    async fn climb(&self, host: &str) {
        self.riders.settled().await;
        let climb = zone::caa(&self.resolver, host).await;
        self.note(|probes| probes.caa = climb);
    }

    async fn zone_at(&self, host: &str, apex: &str) {
        self.riders.add(zone::riders(host, apex, &self.nonce));
        self.riders.add(mail::riders(host, apex));
        let servers = async {
            let mx = self.resolver.ask_first(host, Rtype::MX).await;
            self.riders.add(mail::server_riders(&mx, apex));
        };
        let direct = async {
            let direct = self.wish().await == Wish::All;
            if !direct {
                self.riders.settle();
            }
            direct
        };
        let place = zone::Place {
            net: &self.net,
            resolver: &self.resolver,
            guard: &self.guard,
            riders: &self.riders,
        };
        let (zone, ()) = join(zone::probe(place, apex, &self.nonce, direct), servers).await;
        self.note(|probes| probes.zone = Some(zone));
    }

    /// Who announces the zone's servers.
    async fn systems(&self, host: &str) {
        if !self.net.config().asks_origin {
            return;
        }
        let Some(apex) = zone::apex(&self.resolver, host).await else {
            return;
        };
        let addresses = zone::addresses(&self.resolver, &apex, NEIGHBOURS).await;
        // One alone has no neighbour to differ from.
        if addresses.len() < NEIGHBOURS {
            return;
        }
        let systems = origin::numbers(&self.resolver, &addresses).await;
        self.note(|probes| probes.systems = systems);
    }

    /// Who takes the domain's mail, and who may send it.
    async fn mail(&self, host: &str) {
        let servers = async {
            let mx = self.resolver.ask_first(host, Rtype::MX).await;
            if mx.is_conclusive() {
                let apex = zone::apex(&self.resolver, host).await;
                let apex = apex.as_deref();
                let servers = mail::servers(&self.resolver, &mx, apex, &self.riders).await;
                self.note(|probes| probes.mail.servers = Some(servers));
            }
        };
        let senders = async {
            let txt = self.resolver.ask_first(host, Rtype::TXT).await;
            let walk = mail::spf::walk(&self.resolver, host, &txt).await;
            self.note(|probes| probes.mail.spf = walk);
        };
        join(servers, senders).await;
    }

    /// What becomes of mail that is not the domain's.
    async fn policy(&self, host: &str) {
        self.riders.settled().await;
        let own = format!("_dmarc.{host}");
        let exchange = self.resolver.ask_first(&own, Rtype::TXT).await;
        self.note_exchange("dmarc", exchange);
        let apex = zone::apex(&self.resolver, host).await;
        let found = mail::dmarc::find(&self.resolver, host, apex.as_deref()).await;
        self.note(|probes| probes.mail.dmarc = Some(found));
    }

    /// Mail's records at names below the host. Most were asked on the
    /// connection to the zone's own server; the rest is asked for where it
    /// matters: at a domain that takes mail, or at an apex.
    async fn below(&self, host: &str) {
        self.riders.settled().await;
        let mx = self.resolver.ask_first(host, Rtype::MX).await;
        let takes_mail = mail::takes_mail(&mx);
        let apex = zone::apex(&self.resolver, host).await;
        let wanted = takes_mail || apex.is_none_or(|apex| apex == host);
        let text = async |asked: bool, name: String| match asked {
            true => Some(self.resolver.ask_extra(&name, Rtype::TXT).await),
            false => None,
        };
        let texts = async {
            let (tls_rpt, bimi) = join(
                text(takes_mail, mail::tls_rpt_name(host)),
                text(wanted, mail::bimi_name(host)),
            )
            .await;
            self.note(|probes| {
                probes.mail.tls_rpt = tls_rpt;
                probes.mail.bimi = bimi;
            });
        };
        let keys = async {
            let keys = mail::dkim::find(&self.resolver, &self.riders, host, wanted).await;
            self.note(|probes| probes.mail.dkim = Some(keys));
        };
        let strict = async {
            if takes_mail {
                let direct = self.wish().await == Wish::All;
                let sts = mail::sts::find(&self.browser, host, direct).await;
                self.note(|probes| probes.mail.sts = Some(sts));
            }
            self.net.policy_known();
        };
        // The longest chain of the three goes first.
        join3(strict, texts, keys).await;
    }

    /// What the registries say of the domain and the first address.
    async fn registrations(&self, host: Option<&str>) {
        let domain = async {
            let apex = zone::apex(&self.resolver, host?).await?;
            let found =
                registration::enclosing(&self.net, &self.guard, &apex, Priority::Extra).await;
            self.note(|probes| probes.registration.domain = Some(found));
            Some(())
        };
        let network = async {
            let resolution = host::resolve(&self.resolver, &self.guard, &self.url).await;
            let ip = resolution.first()?.ip();
            let found = registration::network(&self.net, &self.guard, ip, Priority::Extra).await;
            self.note(|probes| probes.registration.network = Some(found));
            Some(())
        };
        join(domain, network).await;
    }

    /// From the first address back to a name and to who announces it.
    async fn back(&self) {
        let resolution = host::resolve(&self.resolver, &self.guard, &self.url).await;
        let Some(ip) = resolution.first().map(|address| address.ip()) else {
            return;
        };
        let reverse = async {
            let reverse = origin::reverse(&self.resolver, ip).await;
            self.note(|probes| probes.reverse = Some(reverse));
        };
        let origin = async {
            if self.net.config().asks_origin {
                let origin = origin::mapping(&self.resolver, ip).await;
                self.note(|probes| probes.origin = Some(origin));
            }
        };
        join(reverse, origin).await;
    }

    /// Who the system is that announces the first address.
    async fn holder(&self) {
        let resolution = host::resolve(&self.resolver, &self.guard, &self.url).await;
        let Some(ip) = resolution.first().map(|address| address.ip()) else {
            return;
        };
        if !self.net.config().asks_origin {
            return;
        }
        let Ok(mut origin) = origin::mapping(&self.resolver, ip).await else {
            return;
        };
        origin::name(&self.resolver, &mut origin).await;
        self.note(|probes| probes.origin = Some(Ok(origin)));
    }
}
