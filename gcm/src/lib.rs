//! AES-GCM for the records of a handshake's cipher suites (RFC 8446 section
//! 5.2, RFC 5288 section 3): nearly everything comes in through it, and a page
//! may be 256 KiB. The provider's own is of an earlier `aes-gcm`, which counts
//! in 32 bits wherever pointers have as many; WebAssembly has 64.

use std::marker::PhantomData;

use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, Nonce, OutboundOpaqueMessage, OutboundPlainMessage, PrefixedPayload,
    Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError, make_tls12_aad,
    make_tls13_aad,
};
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion, SupportedCipherSuite,
    Tls12CipherSuite, Tls13CipherSuite,
};
use rustls_rustcrypto as given;

/// Octets of the tag behind a record's text.
const TAG: usize = 16;

/// Octets before a record's text in TLS 1.2: its own part of the nonce.
const EXPLICIT: usize = 8;

/// The provider's suites in its order, those of AES-GCM with this one.
pub static SUITES: &[SupportedCipherSuite] = &[
    SupportedCipherSuite::Tls12(&tls12(
        given::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        &AES_128,
    )),
    SupportedCipherSuite::Tls12(&tls12(
        given::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        &AES_256,
    )),
    given::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    SupportedCipherSuite::Tls12(&tls12(
        given::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        &AES_128,
    )),
    SupportedCipherSuite::Tls12(&tls12(
        given::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        &AES_256,
    )),
    given::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    SupportedCipherSuite::Tls13(&tls13(given::TLS13_AES_128_GCM_SHA256, &AES_128)),
    SupportedCipherSuite::Tls13(&tls13(given::TLS13_AES_256_GCM_SHA384, &AES_256)),
    given::TLS13_CHACHA20_POLY1305_SHA256,
];

static AES_128: Gcm<Aes128Gcm> = Gcm(PhantomData);
static AES_256: Gcm<Aes256Gcm> = Gcm(PhantomData);

const fn tls12(
    given: SupportedCipherSuite,
    aead_alg: &'static dyn Tls12AeadAlgorithm,
) -> Tls12CipherSuite {
    match given {
        SupportedCipherSuite::Tls12(suite) => Tls12CipherSuite {
            common: common(&suite.common),
            aead_alg,
            ..*suite
        },
        SupportedCipherSuite::Tls13(_) => panic!("a suite of another version"),
    }
}

const fn tls13(
    given: SupportedCipherSuite,
    aead_alg: &'static dyn Tls13AeadAlgorithm,
) -> Tls13CipherSuite {
    match given {
        SupportedCipherSuite::Tls13(suite) => Tls13CipherSuite {
            common: common(&suite.common),
            aead_alg,
            ..*suite
        },
        SupportedCipherSuite::Tls12(_) => panic!("a suite of another version"),
    }
}

const fn common(given: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon { ..*given }
}

/// The algorithm of a key's length.
struct Gcm<A>(PhantomData<fn() -> A>);

/// What `aes-gcm` makes of a key.
trait Cipher: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + Sync + 'static {}

impl<A: AeadInOut<NonceSize = U12, TagSize = U16> + KeyInit + Send + Sync + 'static> Cipher for A {}

impl<A: Cipher> Gcm<A> {
    /// rustls gives keys of the length that it was told: there is always a
    /// cipher, and without one every record would be refused.
    fn cipher(key: &AeadKey) -> Sealing<A> {
        Sealing(A::new_from_slice(key.as_ref()).ok())
    }
}

/// Seals and opens texts in their place.
struct Sealing<A>(Option<A>);

impl<A: Cipher> Sealing<A> {
    fn seal(&self, nonce: Nonce, about: &[u8], text: &mut [u8]) -> Result<[u8; TAG], Error> {
        let cipher = self.0.as_ref().ok_or(Error::EncryptError)?;
        let tag = cipher.encrypt_inout_detached(&nonce.0.into(), about, text.into());
        tag.map(Into::into).map_err(|_| Error::EncryptError)
    }

    /// Opens a text with its tag; gives the text's length.
    fn open(&self, nonce: Nonce, about: &[u8], sealed: &mut [u8]) -> Result<usize, Error> {
        let cipher = self.0.as_ref().ok_or(Error::DecryptError)?;
        let (text, tag) = sealed
            .split_last_chunk_mut::<TAG>()
            .ok_or(Error::DecryptError)?;
        let tag = (*tag).into();
        let opened =
            cipher.decrypt_inout_detached(&nonce.0.into(), about, (&mut *text).into(), &tag);
        opened.map(|()| text.len()).map_err(|_| Error::DecryptError)
    }
}

impl<A: Cipher> Tls13AeadAlgorithm for Gcm<A> {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        Box::new(Tls13(Self::cipher(&key), iv))
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(Tls13(Self::cipher(&key), iv))
    }

    fn key_len(&self) -> usize {
        A::key_size()
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// One direction of a TLS 1.3 connection: the nonce is the record's number
/// over the other half of the key (RFC 8446 section 5.3).
struct Tls13<A>(Sealing<A>, Iv);

impl<A: Cipher> MessageEncrypter for Tls13<A> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        number: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let length = self.encrypted_payload_len(message.payload.len());
        let mut payload = PrefixedPayload::with_capacity(length);
        payload.extend_from_chunks(&message.payload);
        payload.extend_from_slice(&message.typ.to_array());
        let nonce = Nonce::new(&self.1, number);
        let tag = self
            .0
            .seal(nonce, &make_tls13_aad(length), payload.as_mut())?;
        payload.extend_from_slice(&tag);
        let (kind, version) = (ContentType::ApplicationData, ProtocolVersion::TLSv1_2);
        Ok(OutboundOpaqueMessage::new(kind, version, payload))
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        length + 1 + TAG
    }
}

impl<A: Cipher> MessageDecrypter for Tls13<A> {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let nonce = Nonce::new(&self.1, number);
        let about = make_tls13_aad(message.payload.len());
        let length = self.0.open(nonce, &about, &mut message.payload)?;
        message.payload.truncate(length);
        message.into_tls13_unpadded_message()
    }
}

impl<A: Cipher> Tls12AeadAlgorithm for Gcm<A> {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        Box::new(Tls12(Self::cipher(&key), nonce(iv, extra)))
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(Tls12(Self::cipher(&key), nonce(iv, &[])))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        KeyBlockShape {
            enc_key_len: A::key_size(),
            fixed_iv_len: 12 - EXPLICIT,
            explicit_nonce_len: EXPLICIT,
        }
    }

    fn extract_keys(
        &self,
        _: AeadKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        Err(UnsupportedOperationError)
    }
}

/// One direction of a TLS 1.2 connection: a part of the nonce comes with each
/// record (RFC 5288 section 3). Ours is the record's number over one drawn.
struct Tls12<A>(Sealing<A>, [u8; 12]);

/// The parts one after the other, zeros behind.
fn nonce(fixed: &[u8], explicit: &[u8]) -> [u8; 12] {
    let mut octets = fixed.iter().chain(explicit).copied();
    std::array::from_fn(|_| octets.next().unwrap_or_default())
}

impl<A: Cipher> MessageEncrypter for Tls12<A> {
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        number: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let (kind, version, length) = (message.typ, message.version, message.payload.len());
        let mut payload = PrefixedPayload::with_capacity(self.encrypted_payload_len(length));
        let nonce = Nonce::new(&Iv::new(self.1), number);
        payload.extend_from_slice(&nonce.0[12 - EXPLICIT..]);
        payload.extend_from_chunks(&message.payload);
        let text = payload.as_mut().get_mut(EXPLICIT..).unwrap_or_default();
        let tag = self
            .0
            .seal(nonce, &make_tls12_aad(number, kind, version, length), text)?;
        payload.extend_from_slice(&tag);
        Ok(OutboundOpaqueMessage::new(kind, version, payload))
    }

    fn encrypted_payload_len(&self, length: usize) -> usize {
        EXPLICIT + length + TAG
    }
}

impl<A: Cipher> MessageDecrypter for Tls12<A> {
    fn decrypt<'a>(
        &mut self,
        mut message: InboundOpaqueMessage<'a>,
        number: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let length = message
            .payload
            .len()
            .checked_sub(EXPLICIT + TAG)
            .ok_or(Error::DecryptError)?;
        let about = make_tls12_aad(number, message.typ, message.version, length);
        let (explicit, sealed) = message.payload.split_at_mut(EXPLICIT);
        let nonce = Nonce(nonce(&self.1[..12 - EXPLICIT], explicit));
        self.0.open(nonce, &about, sealed)?;
        Ok(message.into_plain_message_range(EXPLICIT..EXPLICIT + length))
    }
}
