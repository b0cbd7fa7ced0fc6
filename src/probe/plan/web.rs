//! Everything that connects to the host: once its addresses are known and its
//! owner does not mind.

use futures_util::future::join;

use super::Run;
use crate::guard::{PublicAddr, PublicUrl, Scheme};
use crate::probe::Failure;
use crate::probe::errands;
use crate::probe::host::{self, Resolution};
use crate::probe::http::{Hop, PAGE_CAP, Web};
use crate::probe::http1::Connection;
use crate::probe::tls::{self, Refused};
use crate::probe::wishes::Wish;

/// Why a scheme was left out: not an attempt that failed.
pub const NOT_PROBED: &str = "this port is not probed";

/// What an owner who allows DNS only keeps us from.
const UNWANTED: Failure = Failure::Skipped(NOT_WANTED);

/// Why nothing connected: the owner's wish.
pub const NOT_WANTED: &str = "the owner allows DNS questions only";

pub(super) const NO_SOCKETS: Failure =
    Failure::NotMeasurable("the address is Cloudflare's own, where a Worker may not open sockets");

const fn default_port(scheme: Scheme) -> u16 {
    match scheme {
        Scheme::Http => 80,
        Scheme::Https => 443,
    }
}

/// Why the host, and what others know of it, is left alone.
pub(super) fn in_the_way(resolution: &Resolution, wish: Wish) -> Option<Failure> {
    match resolution {
        _ if wish != Wish::All => Some(UNWANTED),
        Resolution::Judged(_) => None,
        Resolution::Dangling(_) => Some(Failure::Skipped("the name leads to no address")),
        Resolution::Refused(_) | Resolution::Unknown(_) => {
            Some(Failure::Blocked("the host's addresses are not known"))
        }
    }
}

impl Run {
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

    pub(super) async fn web(&self) {
        let (resolution, wish) = join(
            host::resolve(&self.resolver, &self.guard, &self.url),
            self.wish(),
        )
        .await;
        let obstacle = in_the_way(&resolution, wish);
        self.note(|probes| probes.resolution = Some(resolution));
        if let Some(failure) = obstacle {
            return self.note(|probes| probes.set_out(failure));
        }
        let (secure, plain) = (self.url_for(Scheme::Https), self.url_for(Scheme::Http));
        let ((over_https, over_http), ()) = join(
            join(
                self.https(secure.clone()),
                self.http(plain.clone(), secure.clone().ok()),
            ),
            self.other_family(secure.or(plain)),
        )
        .await;
        if over_https {
            return;
        }
        let errands = match over_http {
            Some((url, to, web)) => {
                Ok(errands::run(&self.browser, &url, &to, web, &self.nonce).await)
            }
            None => Err(Failure::Blocked("no web server answered")),
        };
        self.note(|probes| probes.set_errands(errands));
    }

    /// Everything over TLS. Answers whether a web server was reached there.
    async fn https(&self, url: Result<PublicUrl, Failure>) -> bool {
        let (url, to) = match self.reach(url).await {
            Ok(reached) => reached,
            Err(failure) => {
                self.note(|probes| {
                    probes.tls.set_out(&failure);
                    probes.https = Some(Err(failure));
                });
                return false;
            }
        };
        let pages = async {
            let reached = self.secure_pages(&url, &to).await;
            self.any_13(&url, &to).await;
            reached
        };
        let (reached, ()) = join(pages, self.hellos(&url, &to)).await;
        self.note_bare_chain();
        reached
    }

    async fn reach(
        &self,
        url: Result<PublicUrl, Failure>,
    ) -> Result<(PublicUrl, PublicAddr), Failure> {
        let url = url?;
        // Asked before, so this costs no query.
        match host::resolve(&self.browser.resolver, &self.guard, &url)
            .await
            .first()
        {
            Some(to) => Ok((url, *to)),
            None => Err(Failure::Blocked("no address may be connected to")),
        }
    }

    /// One connection for the handshake, the page and the listed paths.
    async fn secure_pages(&self, url: &PublicUrl, to: &PublicAddr) -> bool {
        let started = self.net.now_ms();
        let opened = match host::refuses_sockets(to) {
            true => Err(Refused::Failed(NO_SOCKETS)),
            false => tls::open(&self.net, to, url.host(), tls::WEB).await,
        };
        let (outcome, web) = match opened {
            Ok((stream, handshake)) => {
                self.note_handshake(handshake);
                let mut web: Web = Connection::new(Box::new(stream));
                let page = self.browser.request(url, PAGE_CAP);
                let outcome = self.browser.exchange(&mut web, &page).await;
                (outcome, Some(web))
            }
            Err(refused) => {
                let failure = match &refused {
                    Refused::Failed(failure) => failure.clone(),
                    Refused::Declined(how) => {
                        Failure::Unreachable(format!("TLS was declined: {how}"))
                    }
                };
                self.note(|probes| probes.tls.web = Some(Err(refused)));
                match failure {
                    Failure::NotMeasurable(_) => (self.browser.platform(url, PAGE_CAP).await, None),
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
            let journey = self.browser.follow(hop, None).await;
            self.note(|probes| probes.https = Some(Ok(journey)));
        };
        let paths = async {
            if reached {
                let errands = errands::run(&self.browser, url, to, web, &self.nonce).await;
                self.note(|probes| probes.set_errands(Ok(errands)));
            }
        };
        join(pages, paths).await;
        reached
    }

    /// The journey from plain HTTP; it ends where the secure one begins.
    /// Answers what the listed paths may be asked over.
    async fn http(
        &self,
        url: Result<PublicUrl, Failure>,
        secure: Option<PublicUrl>,
    ) -> Option<(PublicUrl, PublicAddr, Option<Web>)> {
        let (url, to) = match self.reach(url).await {
            Ok(reached) => reached,
            Err(failure) => {
                self.note(|probes| probes.http = Some(Err(failure)));
                return None;
            }
        };
        let (hop, web) = self.browser.step(&url, &to).await;
        let reached = hop.outcome.is_ok();
        // One that only leads on gives its place to others: the listed paths
        // are asked here only where nothing answers over TLS.
        let stays = hop.outcome.as_ref().is_ok_and(|first| !first.redirects());
        let web = web.filter(|_| stays);
        let journey = self.browser.follow(hop, secure.as_ref()).await;
        self.note(|probes| probes.http = Some(Ok(journey)));
        reached.then_some((url, to, web))
    }

    /// The first request again, to an address of the other family: what a
    /// client in the other network would see.
    async fn other_family(&self, url: Result<PublicUrl, Failure>) {
        let Ok(url) = url else { return };
        let resolution = host::resolve(&self.browser.resolver, &self.guard, &url).await;
        let Resolution::Judged(addresses) = resolution else {
            return;
        };
        let Some(first) = addresses.first().map(|to| to.ip().is_ipv4()) else {
            return;
        };
        let other = addresses.iter().find(|to| to.ip().is_ipv4() != first);
        if let Some(other) = other.filter(|other| !host::refuses_sockets(other)) {
            let (hop, _) = self.browser.step(&url, other).await;
            self.note(|probes| probes.other_family = Some(hop));
        }
    }
}
