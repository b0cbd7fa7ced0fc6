//! What a strict client would say of a presented chain: a verdict against the
//! Mozilla roots and the operator's anchors, with its precise reason.

use std::sync::LazyLock;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use serde::Serialize;
use webpki::{EndEntityCert, KeyUsage};

use crate::codec::certificate::Certificate;

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
    /// The path ends at an issuer that is not a known root.
    UnknownIssuer,
    /// A signature of the path is wrong.
    BadSignature,
    /// A signature or key of a kind that is no longer, or not yet, accepted.
    UnsupportedAlgorithm,
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
            Reason::UnknownIssuer => "the issuer is not a root that browsers know",
            Reason::BadSignature => "a signature on the path is wrong",
            Reason::UnsupportedAlgorithm => "a signature or key is of a kind that is not accepted",
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

fn path(
    chain: &[CertificateDer<'_>],
    time: UnixTime,
    anchors_pem: &str,
) -> Result<Anchor, Option<webpki::Error>> {
    static ALGORITHMS: LazyLock<rustls::crypto::WebPkiSupportedAlgorithms> =
        LazyLock::new(|| rustls_rustcrypto::provider().signature_verification_algorithms);
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
        ALGORITHMS.all,
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
    x509_parser::pem::Pem::iter_from_buffer(pem.as_bytes())
        .filter_map(Result::ok)
        .filter_map(|block| {
            let der = CertificateDer::from(block.contents);
            webpki::anchor_from_trusted_cert(&der)
                .ok()
                .map(|anchor| anchor.to_owned())
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
        E::InvalidSignatureForPublicKey => Reason::BadSignature,
        E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_)
        | E::SignatureAlgorithmMismatch => Reason::UnsupportedAlgorithm,
        E::RequiredEkuNotFoundContext(_)
        | E::EndEntityUsedAsCa
        | E::EmptyEkuExtension
        | E::NameConstraintViolation
        | E::PathLenConstraintViolated => Reason::WrongUsage,
        _ => Reason::Malformed,
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
    match issuer_sent || leaf.ca_issuers.is_empty() {
        true => Reason::UnknownIssuer,
        false => Reason::MissingIntermediate,
    }
}
