//! What a strict client would say of a presented chain: a verdict against the
//! Mozilla roots and the operator's anchors, with its precise reason.

use std::collections::BTreeSet;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{
    AlgorithmIdentifier, CertificateDer, InvalidSignature, ServerName,
    SignatureVerificationAlgorithm, TrustAnchor, UnixTime,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use webpki::{EndEntityCert, KeyUsage};

use super::chain::Shape;
use crate::codec::certificate::Certificate;
use crate::codec::x509::{Key, is_broken_signature};

/// Intermediates that path building may use: enough for every real chain, and
/// a bound on the signatures a hostile one can make us check.
const PATH_LIMIT: usize = 8;

/// What a chain comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A path to a known root, every certificate valid now.
    Trusted,
    /// A certificate of the path is no longer valid.
    Expired,
    /// A certificate of the path is not valid yet.
    NotYetValid,
    /// The leaf signs itself.
    SelfSigned,
    /// The leaf came alone, and names where its issuer's certificate is.
    MissingIntermediate,
    /// The path ends above the leaf, at an issuer who is neither sent nor a
    /// known root; the last certificate names where the issuer's own is.
    IncompleteChain,
    /// The path ends at an issuer that is not a known root.
    UnknownIssuer,
    /// A signature of the path is wrong.
    BadSignature,
    /// A signature or key of a kind that is no longer, or not yet, accepted.
    UnsupportedAlgorithm,
    /// A signature or key that browsers accept and that is not verified here.
    NotVerified,
    /// A certificate is used for something it was not issued for.
    WrongUsage,
    /// The certificate cannot be read by a strict client.
    Malformed,
    /// Nothing was presented.
    NoCertificate,
}

impl Reason {
    /// A clause: "the chain is not trusted: ...".
    pub const fn clause(self) -> &'static str {
        match self {
            Reason::Trusted => "a path leads to a known root",
            Reason::Expired => "a certificate on the path has expired",
            Reason::NotYetValid => "a certificate on the path is not valid yet",
            Reason::SelfSigned => "the certificate is signed by its own key",
            Reason::MissingIntermediate => "the server does not send the intermediate certificate",
            Reason::IncompleteChain => "the chain ends before a root that browsers know",
            Reason::UnknownIssuer => "the issuer is not a root that browsers know",
            Reason::BadSignature => "a signature on the path is wrong",
            Reason::UnsupportedAlgorithm => "a signature or key is of a kind that is not accepted",
            Reason::NotVerified => "a signature on the path is of a kind that is not verified here",
            Reason::WrongUsage => "a certificate is used for something it was not issued for",
            Reason::Malformed => "the certificate cannot be read",
            Reason::NoCertificate => "no certificate was presented",
        }
    }
}

/// Whose list the root of a trusted path stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// Mozilla's: the path is publicly trusted.
    Mozilla,
    /// The operator's own (`TRUST_ANCHORS`).
    Operator,
}

/// The verdict on one chain for one host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Whether a browser with these roots would connect without a warning.
    pub trusted: bool,
    /// Why the path is, or is not, trusted; the name is judged apart.
    pub reason: Reason,
    /// Whose root the path leads to, where it leads to one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<Anchor>,
    /// What the verifier said, where it said more.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Whether the leaf is for this host (RFC 9525).
    pub name_matches: bool,
    /// Whether each certificate names the next as its issuer.
    pub in_order: bool,
}

impl Verdict {
    /// Whether a browser is known to refuse the certificate.
    pub fn is_refused(&self) -> bool {
        !self.name_matches || !matches!(self.reason, Reason::Trusted | Reason::NotVerified)
    }
}

/// Judges `chain` (leaf first) for `host` at `now_ms`.
pub fn judge(
    chain: &[CertificateDer<'_>],
    described: &[Certificate],
    host: &str,
    now_ms: u64,
    anchors_pem: &str,
) -> Verdict {
    let time = UnixTime::since_unix_epoch(Duration::from_millis(now_ms));
    let (anchor, reason, detail) = match path(chain, time, anchors_pem) {
        Ok(anchor) => (Some(anchor), Reason::Trusted, String::new()),
        Err(None) => (None, Reason::NoCertificate, String::new()),
        Err(Some(error)) => (None, reason(&error, described), format!("{error:?}")),
    };
    let name_matches = matches_name(chain, host);
    Verdict {
        trusted: reason == Reason::Trusted && name_matches,
        reason,
        anchor,
        detail: crate::guard::text::clean(&detail, 160),
        name_matches,
        in_order: described
            .windows(2)
            .all(|pair| matches!(pair, [one, next] if one.issuer == next.subject)),
    }
}

static ALGORITHMS: LazyLock<Vec<&'static dyn SignatureVerificationAlgorithm>> =
    LazyLock::new(|| {
        let known = &super::tls::provider().signature_verification_algorithms;
        let remembering = |algorithm| -> &'static dyn SignatureVerificationAlgorithm {
            Box::leak(Box::new(Remembering(algorithm)))
        };
        known.all.iter().copied().map(remembering).collect()
    });

/// Verifies what it has not verified before. The same few intermediates stand
/// behind most leaves, and their signatures cost more than all the rest of a
/// judgement; a signature that was right once is right for ever.
#[derive(Debug)]
struct Remembering(&'static dyn SignatureVerificationAlgorithm);

/// Signatures remembered by an isolate, 32 octets each.
const MEMORY_LIMIT: usize = 512;

static MEMORY: LazyLock<Mutex<BTreeSet<[u8; 32]>>> = LazyLock::new(Mutex::default);

impl SignatureVerificationAlgorithm for Remembering {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let mut seal = Sha256::new();
        for part in [
            self.0.public_key_alg_id().as_ref(),
            self.0.signature_alg_id().as_ref(),
            public_key,
            message,
            signature,
        ] {
            seal.update((part.len() as u64).to_be_bytes());
            seal.update(part);
        }
        let seal: [u8; 32] = seal.finalize().into();
        // A panic while holding the lock leaves a plain set: still readable.
        let memory = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
        if memory().contains(&seal) {
            return Ok(());
        }
        self.0.verify_signature(public_key, message, signature)?;
        let mut memory = memory();
        if memory.len() >= MEMORY_LIMIT {
            memory.clear();
        }
        memory.insert(seal);
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

fn path(
    chain: &[CertificateDer<'_>],
    time: UnixTime,
    anchors_pem: &str,
) -> Result<Anchor, Option<webpki::Error>> {
    let (leaf, rest) = chain.split_first().ok_or(None)?;
    let leaf = EndEntityCert::try_from(leaf).map_err(Some)?;
    let intermediates: Vec<CertificateDer<'_>> = rest
        .iter()
        .take(PATH_LIMIT)
        .map(|der| CertificateDer::from(der.as_ref()))
        .collect();
    let own = own_anchors(anchors_pem);
    let anchors: Vec<TrustAnchor<'_>> = webpki_roots::TLS_SERVER_ROOTS
        .iter()
        .chain(&own)
        .cloned()
        .collect();
    leaf.verify_for_usage(
        &ALGORITHMS,
        &anchors,
        &intermediates,
        time,
        KeyUsage::server_auth(),
        None,
        None,
    )
    .map(|path| match own.contains(path.anchor()) {
        true => Anchor::Operator,
        false => Anchor::Mozilla,
    })
    .map_err(Some)
}

/// The operator's anchors; the configuration checked that they parse.
fn own_anchors(pem: &str) -> Vec<TrustAnchor<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .filter_map(Result::ok)
        .filter_map(|der| {
            let anchor = webpki::anchor_from_trusted_cert(&der).ok()?;
            Some(anchor.to_owned())
        })
        .collect()
}

fn matches_name(chain: &[CertificateDer<'_>], host: &str) -> bool {
    let leaf = chain
        .first()
        .and_then(|leaf| EndEntityCert::try_from(leaf).ok());
    match (leaf, ServerName::try_from(host)) {
        (Some(leaf), Ok(name)) => leaf.verify_is_valid_for_subject_name(&name).is_ok(),
        _ => false,
    }
}

fn reason(error: &webpki::Error, described: &[Certificate]) -> Reason {
    use webpki::Error as E;
    match error {
        E::CertExpired { .. } => Reason::Expired,
        E::CertNotValidYet { .. } => Reason::NotYetValid,
        E::UnknownIssuer | E::CaUsedAsEndEntity => unknown_issuer(error, described),
        E::InvalidSignatureForPublicKey => unproven(described),
        E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => unsupported(described),
        E::SignatureAlgorithmMismatch => Reason::UnsupportedAlgorithm,
        // Without extensions no name and no authority can be told: whoever
        // issued it is none of today's.
        E::UnsupportedCertVersion => unknown_issuer(error, described),
        E::RequiredEkuNotFoundContext(_)
        | E::EndEntityUsedAsCa
        | E::EmptyEkuExtension
        | E::NameConstraintViolation
        | E::PathLenConstraintViolated => Reason::WrongUsage,
        _ => Reason::Malformed,
    }
}

/// Whether an algorithm that is not verified here is one that browsers accept:
/// P-521, and SHA-512 with ECDSA.
pub fn is_beyond_us(certificate: &Certificate) -> bool {
    certificate.signature_algorithm == "ecdsa-with-SHA512"
        || certificate.key.curve.as_deref() == Some("P-521")
}

/// Bits of an RSA key by which signatures are verified here: the `rsa` crate
/// calls those by a larger one wrong without looking.
const RSA_LIMIT: u32 = 4096;

/// Whether it is an RSA key by which nothing is verified here.
pub fn is_too_large(key: &Key) -> bool {
    key.algorithm == "RSA" && key.bits > RSA_LIMIT
}

/// The issuers of the chain by whose keys nothing is verified here.
pub fn too_large(described: &[Certificate]) -> impl Iterator<Item = &Certificate> {
    let issues = |issuer: &Certificate| described.iter().any(|one| one.issuer == issuer.subject);
    described
        .iter()
        .filter(move |one| is_too_large(&one.key) && issues(one))
}

/// A signature that did not verify: wrong, unless it may be one that is not
/// looked at.
fn unproven(described: &[Certificate]) -> Reason {
    match too_large(described).next() {
        Some(_) => Reason::NotVerified,
        None => Reason::BadSignature,
    }
}

fn unsupported(described: &[Certificate]) -> Reason {
    let is_broken =
        |certificate: &Certificate| is_broken_signature(&certificate.signature_algorithm);
    match described.iter().any(is_beyond_us) && !described.iter().any(is_broken) {
        true => Reason::NotVerified,
        false => Reason::UnsupportedAlgorithm,
    }
}

/// Why no path was found: follow the chain from the leaf to where it stops.
fn unknown_issuer(error: &webpki::Error, described: &[Certificate]) -> Reason {
    let Some(leaf) = described.first() else {
        return Reason::Malformed;
    };
    if leaf.self_issued {
        return Reason::SelfSigned;
    }
    if matches!(error, webpki::Error::CaUsedAsEndEntity) {
        return Reason::WrongUsage;
    }
    let issuer_sent = described
        .iter()
        .skip(1)
        .any(|other| other.subject == leaf.issuer);
    if !issuer_sent && !leaf.ca_issuers.is_empty() {
        return Reason::MissingIntermediate;
    }
    // Further up it may be a root of somebody's own, too.
    let end = Shape::of(described).and_then(|shape| shape.ends_at);
    match end.is_some_and(|end| end.place > 0 && !end.ca_issuers.is_empty()) {
        true => Reason::IncompleteChain,
        false => Reason::UnknownIssuer,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use rustls::pki_types::alg_id;

    use super::*;

    /// Holds a signature for right when it repeats the message.
    #[derive(Debug, Default)]
    struct Echo(AtomicUsize);

    impl SignatureVerificationAlgorithm for Echo {
        fn verify_signature(
            &self,
            _: &[u8],
            message: &[u8],
            signature: &[u8],
        ) -> Result<(), InvalidSignature> {
            self.0.fetch_add(1, Ordering::Relaxed);
            match message == signature {
                true => Ok(()),
                false => Err(InvalidSignature),
            }
        }

        fn public_key_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ED25519
        }

        fn signature_alg_id(&self) -> AlgorithmIdentifier {
            alg_id::ED25519
        }
    }

    #[test]
    fn a_right_signature_is_verified_once_and_a_wrong_one_always() {
        let echo: &'static Echo = Box::leak(Box::default());
        let remembering = Remembering(echo);
        let verify = |key: &[u8], message: &[u8], signature: &[u8]| {
            remembering
                .verify_signature(key, message, signature)
                .is_ok()
        };
        assert!(verify(b"key", b"message", b"message"));
        assert!(verify(b"key", b"message", b"message"));
        assert_eq!(echo.0.load(Ordering::Relaxed), 1);
        assert!(!verify(b"key", b"message", b"other"));
        assert!(!verify(b"key", b"message", b"other"));
        assert!(!verify(b"key", b"messag", b"emessage"), "cut elsewhere");
        assert!(verify(b"another", b"message", b"message"));
        assert_eq!(echo.0.load(Ordering::Relaxed), 5);
    }
}
