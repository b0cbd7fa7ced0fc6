//! The records of a connection, against the provider whose suites they are:
//! what one side seals the other opens, and nothing else.

use std::sync::Arc;

use netrecon_gcm::SUITES;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, Error, ServerConfig,
    ServerConnection, SignatureScheme, SupportedCipherSuite,
};

/// The most that a record holds (RFC 8446 section 5.1).
const LONG: usize = 16_384;

#[test]
fn every_suite_of_the_provider_is_there_in_its_order() {
    let given = rustls_rustcrypto::provider().cipher_suites;
    let names = |suites: &[SupportedCipherSuite]| {
        let names = suites.iter().map(|suite| (suite.version(), suite.suite()));
        names.map(|name| format!("{name:?}")).collect::<Vec<_>>()
    };
    assert_eq!(names(SUITES), names(&given));
}

#[test]
fn the_provider_opens_what_we_seal_and_we_open_what_it_seals() {
    for (client, server) in &mut pairs() {
        let suite = client.negotiated_cipher_suite().unwrap().suite();
        for length in [0, 1, 15, 16, 17, 255, LONG] {
            let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            assert!(
                sent(client, server, &text, |_| {}).unwrap() == text,
                "to {suite:?}"
            );
            assert!(
                sent(server, client, &text, |_| {}).unwrap() == text,
                "from {suite:?}"
            );
        }
    }
}

#[test]
fn a_record_with_one_wrong_bit_is_not_opened() {
    // Behind its head of five octets come text and tag, in TLS 1.2 a nonce before them.
    for place in [5, 14, 25, 36] {
        for (client, server) in &mut pairs() {
            let wrong = |wire: &mut [u8]| wire[place] ^= 0x10;
            let opened = sent(server, client, b"sixteen octets..", wrong);
            assert_eq!(opened, Err(Error::DecryptError), "{place}");
        }
    }
}

#[test]
fn a_record_too_short_for_its_tag_is_not_opened() {
    for length in [0, 1, 15, 23] {
        for (client, _) in &mut pairs() {
            let mut wire = vec![23, 3, 3, 0, length];
            wire.extend(vec![7; length.into()]);
            client.read_tls(&mut wire.as_slice()).unwrap();
            let opened = client.process_new_packets().map(drop);
            assert_eq!(opened, Err(Error::DecryptError), "{length}");
        }
    }
}

/// A connection of each suite that has AES-GCM and a key on P-256: we are the
/// client, the provider is the server.
fn pairs() -> Vec<(ClientConnection, ServerConnection)> {
    let wanted = |suite: &&SupportedCipherSuite| {
        let name = format!("{:?}", suite.suite());
        name.contains("GCM") && !name.contains("RSA")
    };
    let pairs: Vec<_> = SUITES.iter().filter(wanted).map(pair).collect();
    assert_eq!(pairs.len(), 4);
    pairs
}

fn pair(ours: &SupportedCipherSuite) -> (ClientConnection, ServerConnection) {
    let given = rustls_rustcrypto::provider();
    let of_suite = |suites: &[SupportedCipherSuite]| {
        let same = suites.iter().filter(|suite| suite.suite() == ours.suite());
        same.copied().collect::<Vec<_>>()
    };
    let provider = |cipher_suites| {
        Arc::new(CryptoProvider {
            cipher_suites,
            ..rustls_rustcrypto::provider()
        })
    };
    let client = ClientConfig::builder_with_provider(provider(of_suite(SUITES)))
        .with_protocol_versions(&[ours.version()])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Trusting))
        .with_no_client_auth();
    let issued = rcgen::generate_simple_self_signed([String::from("good.net")]).unwrap();
    let key = PrivateKeyDer::try_from(issued.signing_key.serialize_der()).unwrap();
    let server = ServerConfig::builder_with_provider(provider(of_suite(&given.cipher_suites)))
        .with_protocol_versions(&[ours.version()])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .unwrap();
    let name = ServerName::try_from("good.net").unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::new(server)).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        passed(&mut client, &mut server, |_| {}).unwrap();
        passed(&mut server, &mut client, |_| {}).unwrap();
    }
    assert_eq!(
        client.negotiated_cipher_suite().unwrap().suite(),
        ours.suite()
    );
    (client, server)
}

/// What arrives of a text.
fn sent<A, B>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    text: &[u8],
    change: impl Fn(&mut [u8]),
) -> Result<Vec<u8>, Error> {
    use std::io::{Read, Write};
    from.writer().write_all(text).unwrap();
    passed(from, to, change)?;
    let mut arrived = vec![0; text.len()];
    to.reader().read_exact(&mut arrived).unwrap();
    Ok(arrived)
}

/// Lets everything go over the wire that one side has to say.
fn passed<A, B>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
    change: impl Fn(&mut [u8]),
) -> Result<(), Error> {
    let mut wire = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut wire).unwrap();
    }
    change(&mut wire);
    let mut left = wire.as_slice();
    while !left.is_empty() {
        to.read_tls(&mut left).unwrap();
        to.process_new_packets()?;
    }
    Ok(())
}

/// Takes every certificate: what is looked at here comes after it.
#[derive(Debug)]
struct Trusting;

impl ServerCertVerifier for Trusting {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
