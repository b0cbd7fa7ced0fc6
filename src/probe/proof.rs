//! A server's proof that the certificate is its own: the signature in its
//! handshake, the dearest part of one. rustls and webpki say what it has to be
//! right of; whether it is the platform is asked first, whose code is native,
//! and what that does not call right is looked at here, which finds the reason.

use std::cell::RefCell;
use std::sync::OnceLock;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use rustls::{CertificateError, Error, SignatureScheme};

use super::tls::{Proof, provider};
use super::trust::is_too_large;
use crate::codec::x509::Key;
use crate::port::{Curve, Ecdsa, Signatures};

thread_local! {
    /// What [`Caught`] was asked last: rustls tells the outcome and not the
    /// question.
    static CAUGHT: RefCell<Option<Question>> = const { RefCell::new(None) };
}

/// Whether a signature is right.
#[derive(Clone, Debug)]
pub struct Question {
    algorithm: &'static dyn SignatureVerificationAlgorithm,
    key: Vec<u8>,
    message: Vec<u8>,
    signature: Vec<u8>,
}

/// What `verify`, one of rustls's own functions, comes to when it finds a
/// signature: everything but whether it is right.
pub fn question(
    verify: impl FnOnce(&WebPkiSupportedAlgorithms) -> Result<HandshakeSignatureValid, Error>,
) -> Result<Question, Error> {
    CAUGHT.take();
    verify(catching())?;
    CAUGHT.take().ok_or(CertificateError::BadSignature.into())
}

impl Question {
    /// Asks the platform, then ourselves.
    pub async fn answer(self, platform: &dyn Signatures) -> Proof {
        if let Some(asked) = self.for_platform()
            && platform.is_right(&asked).await == Some(true)
        {
            return Proof::Given;
        }
        let Question {
            algorithm,
            key,
            message,
            signature,
        } = self;
        match algorithm.verify_signature(&key, &message, &signature) {
            Ok(()) => Proof::Given,
            Err(_) if is_unknown(algorithm, &key) => Proof::Unseen,
            Err(_) => Proof::Wrong(Error::from(CertificateError::BadSignature).to_string()),
        }
    }

    /// The question where the platform has the curve and the hash, and the
    /// point as it takes it: uncompressed.
    fn for_platform(&self) -> Option<Ecdsa> {
        let algorithm = self.algorithm;
        let of = |key, signature| {
            algorithm.public_key_alg_id() == key && algorithm.signature_alg_id() == signature
        };
        let (curve, width) = match () {
            () if of(alg_id::ECDSA_P256, alg_id::ECDSA_SHA256) => (Curve::P256, 32),
            () if of(alg_id::ECDSA_P384, alg_id::ECDSA_SHA384) => (Curve::P384, 48),
            () => return None,
        };
        let uncompressed = self.key.len() == 1 + 2 * width && self.key.first() == Some(&4);
        uncompressed.then_some(())?;
        Some(Ecdsa {
            curve,
            point: self.key.clone(),
            signature: concatenated(&self.signature, width)?,
            message: self.message.clone(),
        })
    }
}

/// Whether what is not called right was not looked at.
fn is_unknown(algorithm: &dyn SignatureVerificationAlgorithm, key: &[u8]) -> bool {
    algorithm.public_key_alg_id() == alg_id::RSA_ENCRYPTION && is_too_large(&Key::rsa("RSA", key))
}

/// `r` and `s` of a signature in DER (RFC 3279 section 2.2.3), each as long as
/// a coordinate.
fn concatenated(der: &[u8], width: usize) -> Option<Vec<u8>> {
    let [0x30, length, integers @ ..] = der else {
        return None;
    };
    let mut rest = integers;
    (usize::from(*length) == rest.len() && rest.len() < 0x80).then_some(())?;
    let mut both = Vec::with_capacity(2 * width);
    for _ in 0..2 {
        let [0x02, length, behind @ ..] = rest else {
            return None;
        };
        let (octets, behind) = behind.split_at_checked(usize::from(*length))?;
        let number = match octets {
            [0, number @ ..] if number.first() >= Some(&0x80) => number,
            [1..0x80, ..] => octets,
            _ => return None,
        };
        both.resize(both.len() + width.checked_sub(number.len())?, 0);
        both.extend(number);
        rest = behind;
    }
    rest.is_empty().then_some(both)
}

/// The algorithms that we verify by, each catching its question.
fn catching() -> &'static WebPkiSupportedAlgorithms {
    static CATCHING: OnceLock<WebPkiSupportedAlgorithms> = OnceLock::new();
    CATCHING.get_or_init(|| {
        let known = &provider().signature_verification_algorithms;
        let caught = |algorithm: &&'static dyn SignatureVerificationAlgorithm| {
            Box::leak(Box::new(Caught(*algorithm))) as &dyn SignatureVerificationAlgorithm
        };
        let all = |algorithms: &[&'static dyn SignatureVerificationAlgorithm]| {
            Vec::leak(algorithms.iter().map(caught).collect()) as &[_]
        };
        let mapping: Vec<(SignatureScheme, &'static [_])> = known
            .mapping
            .iter()
            .map(|(scheme, algorithms)| (*scheme, all(algorithms)))
            .collect();
        WebPkiSupportedAlgorithms {
            all: all(known.all),
            mapping: Vec::leak(mapping),
        }
    })
}

/// Takes down what it is asked and calls it right for now.
#[derive(Debug)]
struct Caught(&'static dyn SignatureVerificationAlgorithm);

impl SignatureVerificationAlgorithm for Caught {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        CAUGHT.set(Some(Question {
            algorithm: self.0,
            key: public_key.to_vec(),
            message: message.to_vec(),
            signature: signature.to_vec(),
        }));
        Ok(())
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.0.public_key_alg_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.0.signature_alg_id()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_numbers_of_a_signature_are_as_long_as_a_coordinate() {
        let der = [0x30, 8, 0x02, 2, 0, 0x80, 0x02, 2, 1, 2];
        assert_eq!(concatenated(&der, 3), Some(vec![0, 0, 0x80, 0, 1, 2]));
        assert_eq!(concatenated(&der, 1), None, "too long for the curve");
    }

    #[test]
    fn a_signature_that_is_no_der_is_not_the_platforms_to_judge() {
        for (why, der) in [
            ("nothing", &[][..]),
            ("one number", &[0x30, 3, 0x02, 1, 1]),
            ("three numbers", &[0x30, 9, 2, 1, 1, 2, 1, 1, 2, 1, 1]),
            ("cut short", &[0x30, 6, 0x02, 1, 1, 0x02, 2, 1]),
            ("goes on", &[0x30, 6, 0x02, 1, 1, 0x02, 1, 1, 0]),
            ("negative", &[0x30, 6, 0x02, 1, 0x80, 0x02, 1, 1]),
            ("zero", &[0x30, 6, 0x02, 1, 0, 0x02, 1, 1]),
            ("padded", &[0x30, 7, 0x02, 2, 0, 1, 0x02, 1, 1]),
            ("empty", &[0x30, 5, 0x02, 0, 0x02, 1, 1]),
        ] {
            assert_eq!(concatenated(der, 32), None, "{why}");
        }
    }
}
