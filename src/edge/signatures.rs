//! Signatures, verified by the platform's Web Crypto.

use futures_util::future::LocalBoxFuture;

use super::glue;
use crate::port::{Curve, Ecdsa, Signatures};

/// What the platform offers.
pub struct WebCrypto;

impl Signatures for WebCrypto {
    fn is_right<'a>(&'a self, asked: &'a Ecdsa) -> LocalBoxFuture<'a, Option<bool>> {
        let (curve, hash) = match asked.curve {
            Curve::P256 => ("P-256", "SHA-256"),
            Curve::P384 => ("P-384", "SHA-384"),
        };
        Box::pin(async move {
            let (point, signature, message) = (&asked.point, &asked.signature, &asked.message);
            let right = glue::verify(curve, hash, point, signature, message).await;
            right.ok()?.as_bool()
        })
    }
}
