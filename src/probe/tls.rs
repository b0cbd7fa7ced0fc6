//! TLS handshakes of our own (RFC 8446, RFC 5246) over a socket to the judged
//! address: what is negotiated, and the chain as presented. One is made per
//! host, on the connection that also carries its page; what else a server
//! accepts is learned by [`super::hello`] for less.
//!
//! The verifier records instead of refusing, so that a broken certificate is
//! described rather than only rejected; [`super::trust`] says what a strict
//! client would make of it. Nothing secret is ever sent on these connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{
    ClientConfig, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::crypto::{CryptoProvider, KeyProvider, WebPkiSupportedAlgorithms};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, NamedGroup, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::Failure;
use super::net::{Line, Net};
use super::proof::{self, Question};
use crate::guard::PublicAddr;

/// One handshake's share of time, the TCP connection included.
const LIMIT: Duration = Duration::from_secs(5);

/// Certificates kept of a presented chain.
pub const CHAIN_LIMIT: usize = 16;

/// The primitives. Without those that sign: no client certificate is ever
/// presented, and what nobody can reach the linker leaves out, as long as it
/// sees the replacement: `LazyLock` calls its function out of its sight.
pub fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    if let Some(provider) = PROVIDER.get() {
        return provider;
    }
    let provider = CryptoProvider {
        cipher_suites: netrecon_gcm::SUITES.to_vec(),
        key_provider: &NoKeys,
        ..rustls_rustcrypto::provider()
    };
    PROVIDER.get_or_init(|| Arc::new(provider))
}

#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General(String::from("no key is ever loaded here")))
    }
}

/// What we offer a server.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    /// Protocol versions.
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// Application protocols (RFC 7301) by preference.
    pub alpn: &'static [&'static [u8]],
    /// Whether the server's proof of its key is looked at: a signature to be
    /// verified, the dearest part of a handshake.
    pub proof: bool,
}

/// The connection that also carries HTTP/1.1.
pub const WEB: Offer = Offer {
    versions: &[&rustls::version::TLS13, &rustls::version::TLS12],
    alpn: &[b"http/1.1"],
    proof: true,
};

/// A connection for what is served on it alone: whether the key is the
/// certificate's own is no matter of the report.
pub const PAGE: Offer = Offer {
    proof: false,
    ..WEB
};

/// TLS 1.3 alone, with HTTP/2 on offer.
pub const ONLY_13: Offer = Offer {
    versions: &[&rustls::version::TLS13],
    alpn: &[b"h2", b"http/1.1"],
    proof: false,
};

/// What was negotiated.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: &'static str,
    /// The cipher suite's registered name.
    pub suite: String,
    /// The key-exchange group's registered name.
    pub group: Option<String>,
    /// The application protocol that the server chose.
    pub alpn: Option<String>,
    /// The stapled OCSP response (RFC 6066 section 8); empty without one.
    pub staple: Vec<u8>,
    /// Whether the server's handshake signature proved possession of the
    /// leaf's key.
    pub proof: Proof,
    /// The chain as presented, leaf first, at most 16.
    pub chain: Vec<CertificateDer<'static>>,
    /// How many certificates were presented.
    pub presented: usize,
    /// Counts on while the connection is used: tickets arrive with the data.
    pub tickets: Tickets,
}

/// What became of the server's proof that the certificate is its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proof {
    /// Nobody looked at it.
    #[default]
    Unseen,
    /// It was right.
    Given,
    /// It was not, for this reason.
    Wrong(String),
}

/// How a handshake ended without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The server declined what we offered, with this alert or by answering
    /// with something that we had not offered.
    Declined(String),
    /// Nothing was learned about what the server offers.
    Failed(Failure),
}

/// Connects and shakes hands. An address literal is not named in SNI (RFC
/// 6066 section 3).
pub async fn open(
    net: &Net,
    to: &PublicAddr,
    host: &str,
    offer: Offer,
) -> Result<(TlsStream<Line>, Handshake), Refused> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| Refused::Failed(Failure::malformed("a host that TLS cannot name")))?;
    let line = net.connect(to, LIMIT).await.map_err(Refused::Failed)?;
    let recorder = Arc::new(Recorder {
        seen: Mutex::default(),
        proof: offer.proof,
    });
    let tickets = Tickets::default();
    let config = config(offer, net.now_ms(), Arc::clone(&recorder), &tickets).map_err(refused)?;
    let shaking = async {
        let connector = TlsConnector::from(Arc::new(config));
        let stream = match connector.connect(name, line).await {
            Ok(stream) => stream,
            Err(error) => return Ok(Err(error)),
        };
        let mut seen = recorder.take();
        if let Some(question) = seen.question.take() {
            seen.proof = question.answer(net.signatures()).await;
        }
        Ok(Ok((stream, seen)))
    };
    match net.within(LIMIT, shaking).await {
        Ok(Ok((stream, seen))) => {
            let handshake = describe(&stream, seen, tickets);
            Ok((stream, handshake))
        }
        Ok(Err(error)) => Err(from_io(&error)),
        Err(failure) => Err(Refused::Failed(failure)),
    }
}

fn config(
    offer: Offer,
    now_ms: u64,
    recorder: Arc<Recorder>,
    tickets: &Tickets,
) -> Result<ClientConfig, Error> {
    let clock = Arc::new(At(UnixTime::since_unix_epoch(Duration::from_millis(
        now_ms,
    ))));
    let mut config = ClientConfig::builder_with_details(Arc::clone(provider()), clock)
        .with_protocol_versions(offer.versions)?
        .dangerous()
        .with_custom_certificate_verifier(recorder)
        .with_no_client_auth();
    config.alpn_protocols = offer
        .alpn
        .iter()
        .map(|protocol| protocol.to_vec())
        .collect();
    config.resumption = Resumption::store(Arc::new(tickets.clone()));
    Ok(config)
}

fn describe(stream: &TlsStream<Line>, seen: Seen, tickets: Tickets) -> Handshake {
    let (_, session) = stream.get_ref();
    let registered = |debug: String| debug.replace("TLS13_", "TLS_");
    Handshake {
        version: match session.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            _ => "TLSv1.2",
        },
        suite: session
            .negotiated_cipher_suite()
            .map(|suite| registered(format!("{:?}", suite.suite())))
            .unwrap_or_default(),
        group: session
            .negotiated_key_exchange_group()
            .map(|group| format!("{:?}", group.name())),
        alpn: session
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
        staple: seen.staple,
        proof: seen.proof,
        presented: seen.presented,
        chain: seen.chain,
        tickets,
    }
}

fn from_io(error: &std::io::Error) -> Refused {
    match error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>())
    {
        Some(error) => refused(error.clone()),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => Refused::Failed(
            Failure::Unreachable(String::from("closed during the handshake")),
        ),
        None => Refused::Failed(crate::port::NetError::Failed(error.to_string()).into()),
    }
}

/// Octets that nobody foresees.
pub fn random() -> Result<[u8; 32], Failure> {
    let mut octets = [0; 32];
    provider()
        .secure_random
        .fill(&mut octets)
        .map_err(|_| Failure::Blocked("no randomness to be had"))?;
    Ok(octets)
}

/// Which of rustls's errors are the server's considered no, and which are
/// noise.
fn refused(error: Error) -> Refused {
    match error {
        Error::AlertReceived(alert) => Refused::Declined(alert_name(alert)),
        Error::PeerIncompatible(why) => Refused::Declined(format!("incompatible: {why:?}")),
        other => Refused::Failed(Failure::malformed(other.to_string())),
    }
}

/// `ProtocolVersion` as `protocol_version`: the names of RFC 8446 section 6.
fn alert_name(alert: rustls::AlertDescription) -> String {
    let mut name = String::new();
    for c in format!("{alert:?}").chars() {
        if c.is_ascii_uppercase()
            && !name.is_empty()
            && !name.ends_with(|c: char| c.is_ascii_uppercase())
        {
            name.push('_');
        }
        name.push(c);
    }
    name.to_ascii_lowercase()
}

#[derive(Clone, Debug, Default)]
struct Seen {
    chain: Vec<CertificateDer<'static>>,
    presented: usize,
    staple: Vec<u8>,
    proof: Proof,
    /// What is still to be asked to know of it.
    question: Option<Question>,
}

/// Takes down what the server presents and lets the handshake finish.
#[derive(Debug)]
struct Recorder {
    seen: Mutex<Seen>,
    proof: bool,
}

impl Recorder {
    fn take(&self) -> Seen {
        self.note(std::mem::take)
    }

    fn note<T>(&self, write: impl FnOnce(&mut Seen) -> T) -> T {
        // A panic while holding the lock leaves plain data: still readable.
        let mut seen = self
            .seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        write(&mut seen)
    }

    /// Only a signature that was checked and is wrong is held against the
    /// server: there are keys and schemes that are not known here.
    fn proof(
        &self,
        verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
    ) -> HandshakeSignatureValid {
        if self.proof {
            match proof::question(verify) {
                Ok(question) => self.note(|seen| seen.question = Some(question)),
                Err(Error::InvalidCertificate(why @ CertificateError::BadSignature)) => {
                    self.note(|seen| seen.proof = Proof::Wrong(why.to_string()));
                }
                Err(_) => {}
            }
        }
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp_response: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(end_entity)
            .chain(intermediates)
            .take(CHAIN_LIMIT);
        let chain = chain
            .map(|certificate| certificate.clone().into_owned())
            .collect();
        self.note(|seen| {
            seen.chain = chain;
            seen.presented = 1 + intermediates.len();
            seen.staple = ocsp_response.to_vec();
        });
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.proof(|known| rustls::crypto::verify_tls12_signature(message, cert, dss, known)))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(self.proof(|known| rustls::crypto::verify_tls13_signature(message, cert, dss, known)))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let known = &provider().signature_verification_algorithms;
        let mut schemes = known.supported_schemes();
        schemes.extend(UNVERIFIED);
        schemes
    }
}

/// Schemes that are offered though nobody here can verify them, the withdrawn
/// ones last: a server that has no other key would decline, and the page and
/// all else of it stay unseen.
const UNVERIFIED: [SignatureScheme; 7] = [
    SignatureScheme::ECDSA_NISTP521_SHA512,
    SignatureScheme::ED448,
    SignatureScheme::Unknown(0x0809), // rsa_pss_pss_sha256 and its sisters
    SignatureScheme::Unknown(0x080A),
    SignatureScheme::Unknown(0x080B),
    SignatureScheme::RSA_PKCS1_SHA1,
    SignatureScheme::ECDSA_SHA1_Legacy,
];

/// Counts the sessions that a server would resume, and keeps none of them:
/// no session is ever resumed here.
#[derive(Clone, Debug, Default)]
pub struct Tickets(Arc<AtomicUsize>);

impl Tickets {
    /// How many were offered so far.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl ClientSessionStore for Tickets {
    fn set_kx_hint(&self, _: ServerName<'static>, _: NamedGroup) {}

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _: ServerName<'static>, _: Tls12ClientSessionValue) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        None
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {}

    fn insert_tls13_ticket(&self, _: ServerName<'static>, _: Tls13ClientSessionValue) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        None
    }
}

/// The call's own clock: a Worker has no other.
#[derive(Debug)]
struct At(UnixTime);

impl TimeProvider for At {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}
