//! Everything that is asked of a TLS server: one handshake, which also carries
//! the page, and beside it hellos that learn what else is accepted. At most
//! seven connections, and one more where the handshake is declined:
//!
//! ```text
//! handshake ─┬► page
//!            └► 1.3 hello with everything   where it is declined
//! 1.2 hello ─┬► 1.3 handshake for ALPN    where nothing so old is accepted
//!            └► 1.1 hello ──► 1.0 hello   where 1.2 is; the latter where 1.1 is
//! dated suites ──► broken ones            where weak ones are
//! post-quantum hello
//! ```
//!
//! What a server declines of TLS 1.2 says nothing of the versions before it:
//! some have a list of suites for each version.

use futures_util::future::join;
use rustls::pki_types::CertificateDer;

use super::Run;
use crate::codec::certificate::Certificate;
use crate::codec::ocsp::{self, Ocsp};
use crate::guard::{PublicAddr, PublicUrl};
use crate::probe::chain::Shape;
use crate::probe::ct::{self, Logged};
use crate::probe::hello::registry::Class;
use crate::probe::hello::{self, Answer, Offer, Version};
use crate::probe::tls::{self, Handshake, Refused};
use crate::probe::trust::{self, Verdict};
use crate::probe::{Failure, host};

/// How one hello ended; `None` when it was not finished in time.
pub type Heard = Option<Result<Answer, Refused>>;

/// What nobody who declines TLS 1.2 and everything below it can be asked.
const NOTHING_OLD: Failure = Failure::Skipped("no version before TLS 1.3 is accepted");

/// Every handshake, and the chain of the one that came to an end.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// With both current versions on offer.
    pub web: Option<Result<Handshake, Refused>>,
    /// With TLS 1.3 alone and HTTP/2; asked only where 1.2 is declined, whose
    /// answer tells about HTTP/2 otherwise.
    pub only_13: Option<Result<Handshake, Refused>>,
    /// With everything of TLS 1.3; asked only where the handshake is
    /// declined, which has not every group and suite.
    pub any_13: Heard,
    /// With TLS 1.2 at most.
    pub up_to_12: Heard,
    /// With TLS 1.1 at most.
    pub up_to_11: Heard,
    /// With TLS 1.0.
    pub only_10: Heard,
    /// With weak and broken suites only.
    pub dated: Heard,
    /// With broken suites only.
    pub broken: Heard,
    /// With X25519MLKEM768 only.
    pub post_quantum: Heard,
    /// How many certificates were presented.
    pub presented: usize,
    /// The presented chain, described; a certificate that cannot be read
    /// ends it.
    pub chain: Vec<Certificate>,
    /// The presented chain, put in order.
    pub shape: Option<Shape>,
    /// What a strict client says of the chain.
    pub verdict: Option<Verdict>,
    /// What was stapled.
    pub staple: Option<Result<Ocsp, ocsp::Nothing>>,
}

impl Tls {
    /// Leaves out everything, for one reason.
    pub(super) fn set_out(&mut self, failure: &Failure) {
        let refused = Refused::Failed(failure.clone());
        self.web = Some(Err(refused.clone()));
        for heard in self.hellos_mut() {
            *heard = Some(Err(refused.clone()));
        }
    }

    /// How each question ended, for those who count.
    pub fn outcomes(&self) -> impl Iterator<Item = Option<Result<(), &Refused>>> {
        fn end<T>(outcome: &Result<T, Refused>) -> Result<(), &Refused> {
            outcome.as_ref().map(|_| ())
        }
        let hellos = [
            &self.up_to_12,
            &self.up_to_11,
            &self.only_10,
            &self.dated,
            &self.broken,
            &self.post_quantum,
        ];
        std::iter::once(self.web.as_ref().map(end))
            .chain(hellos.into_iter().map(|heard| heard.as_ref().map(end)))
    }

    /// Whether anything was learned from a TLS server at all.
    pub fn is_reached(&self) -> bool {
        matches!(self.web, Some(Ok(_)))
            || matches!(self.up_to_12, Some(Ok(_)))
            || matches!(self.any_13, Some(Ok(_)))
    }

    /// Whether TLS 1.3 was seen.
    pub fn has_13(&self) -> bool {
        matches!(&self.web, Some(Ok(done)) if done.version == "TLSv1.3")
            || matches!(self.any_13, Some(Ok(_)))
    }

    fn hellos_mut(&mut self) -> [&mut Heard; 6] {
        [
            &mut self.up_to_12,
            &mut self.up_to_11,
            &mut self.only_10,
            &mut self.dated,
            &mut self.broken,
            &mut self.post_quantum,
        ]
    }
}

impl Run {
    /// What else the server accepts, while the page is fetched.
    pub(super) async fn hellos(&self, url: &PublicUrl, to: &PublicAddr) {
        let post_quantum = async {
            let heard = self.hello(url, to, &hello::POST_QUANTUM).await;
            self.note(|probes| probes.tls.post_quantum = Some(heard));
        };
        join(self.older(url, to), post_quantum).await;
    }

    /// Whether a server that declined our handshake has TLS 1.3 in a way of
    /// its own. Who named the version as the reason has not.
    pub(super) async fn any_13(&self, url: &PublicUrl, to: &PublicAddr) {
        let is_open = self.note(|probes| match &probes.tls.web {
            Some(Err(Refused::Declined(how))) => how != "protocol_version",
            _ => false,
        });
        if is_open {
            let heard = self.hello(url, to, &hello::ANY_13).await;
            self.note(|probes| probes.tls.any_13 = Some(heard));
        }
    }

    async fn hello(
        &self,
        url: &PublicUrl,
        to: &PublicAddr,
        offer: &'static Offer,
    ) -> Result<Answer, Refused> {
        match host::refuses_sockets(to) {
            true => Err(Refused::Failed(super::NO_SOCKETS)),
            false => hello::ask(&self.net, to, url.host(), offer).await,
        }
    }

    /// Versions before 1.3 and their suites: each answer says which questions
    /// are left.
    async fn older(&self, url: &PublicUrl, to: &PublicAddr) {
        let versions = async {
            let heard = self.hello(url, to, &hello::UP_TO_12).await;
            self.note(|probes| probes.tls.up_to_12 = Some(heard.clone()));
            match &heard {
                Ok(answer) => self.withdrawn(url, to, answer.version).await,
                Err(Refused::Declined(_)) => {
                    let only_13 = tls::open(&self.net, to, url.host(), tls::ONLY_13).await;
                    self.note(|probes| probes.tls.only_13 = Some(only_13.map(|open| open.1)));
                }
                Err(Refused::Failed(_)) => {}
            }
            heard
        };
        let suites = async {
            let heard = self.hello(url, to, &hello::DATED).await;
            self.note(|probes| probes.tls.dated = Some(heard.clone()));
            self.broken(url, to, &heard).await;
        };
        let (versions, ()) = join(versions, suites).await;
        match versions {
            Ok(_) => {}
            Err(Refused::Declined(_)) => self.none_older(&NOTHING_OLD),
            Err(Refused::Failed(failure)) => self.none_older(&failure),
        }
    }

    /// Suites that are broken, alone where the answer to all that are dated
    /// says only that weak ones are accepted.
    async fn broken(&self, url: &PublicUrl, to: &PublicAddr, dated: &Result<Answer, Refused>) {
        let broken = match dated {
            Ok(answer) if answer.class == Class::Weak => self.hello(url, to, &hello::BROKEN).await,
            heard => heard.clone(),
        };
        self.note(|probes| probes.tls.broken = Some(broken));
    }

    /// TLS 1.1 and 1.0, where `accepted` is what the hello up to 1.2 got.
    async fn withdrawn(&self, url: &PublicUrl, to: &PublicAddr, accepted: Version) {
        let up_to_11 = match accepted {
            // The answer would be the same one.
            Version::Tls10 | Version::Tls11 => {
                self.note(|probes| probes.tls.up_to_11 = probes.tls.up_to_12.clone());
                Some(accepted)
            }
            _ => {
                let heard = self.hello(url, to, &hello::UP_TO_11).await;
                let version = heard.as_ref().ok().map(|answer| answer.version);
                self.note(|probes| probes.tls.up_to_11 = Some(heard));
                version
            }
        };
        match up_to_11 {
            Some(Version::Tls11) => {
                let heard = self.hello(url, to, &hello::ONLY_10).await;
                self.note(|probes| probes.tls.only_10 = Some(heard));
            }
            // It took 1.0, or nothing that old.
            _ => self.note(|probes| probes.tls.only_10 = probes.tls.up_to_11.clone()),
        }
    }

    fn none_older(&self, failure: &Failure) {
        let refused = Refused::Failed(failure.clone());
        self.note(|probes| {
            for heard in [
                &mut probes.tls.up_to_11,
                &mut probes.tls.only_10,
                &mut probes.tls.dated,
                &mut probes.tls.broken,
            ] {
                *heard = Some(Err(refused.clone()));
            }
        });
    }

    /// What transparency logs hold for a host that may be probed; nobody else
    /// learns that it was asked about.
    pub(super) async fn logged(&self, name: Option<&str>) {
        let logged = match name {
            Some(host) => self.search_logs(host).await,
            None => Err(Failure::Skipped("certificates are searched by name")),
        };
        self.note(|probes| probes.ct = Some(logged));
    }

    async fn search_logs(&self, host: &str) -> Result<Logged, Failure> {
        let (resolution, wish) = join(
            host::resolve(&self.resolver, &self.guard, &self.url),
            self.wish(),
        )
        .await;
        match super::in_the_way(&resolution, wish) {
            Some(failure) => Err(failure),
            None => ct::search(&self.net, host).await,
        }
    }

    /// The handshake's own chain.
    pub(super) fn note_handshake(&self, handshake: Handshake) {
        self.note_chain(&handshake.chain, handshake.presented, &handshake.staple);
        self.note(|probes| probes.tls.web = Some(Ok(handshake)));
    }

    /// The chain that a hello up to 1.2 was sent, where no handshake came to
    /// an end: servers too old for us still present one in the clear.
    pub(super) fn note_bare_chain(&self) {
        let heard = self.note(|probes| match (&probes.tls.web, &probes.tls.up_to_12) {
            (Some(Err(_)), Some(Ok(answer))) if !answer.chain.is_empty() => Some(answer.clone()),
            _ => None,
        });
        if let Some(answer) = heard {
            self.note_chain(&answer.chain, answer.presented, &answer.staple);
        }
    }

    fn note_chain(&self, presented: &[CertificateDer<'static>], count: usize, staple: &[u8]) {
        let chain: Vec<Certificate> = presented
            .iter()
            .map_while(|der: &CertificateDer<'_>| Certificate::from_der(der).ok())
            .collect();
        let verdict = trust::judge(
            presented,
            &chain,
            self.url.host(),
            self.net.now_ms(),
            &self.net.config().trust_anchors,
        );
        self.note(|probes| {
            let tls = &mut probes.tls;
            tls.presented = count;
            tls.shape = Shape::of(&chain);
            tls.chain = chain;
            tls.verdict = Some(verdict);
            tls.staple = (!staple.is_empty()).then(|| Ocsp::from_der(staple));
        });
    }
}
