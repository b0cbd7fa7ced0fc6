//! TLS servers with tastes of their own: suites, groups and keys that our
//! handshake has not, certificates of old, promises that are half kept. What
//! they have is told, and what cannot be verified here is not held against
//! them.

use std::sync::Arc;

use rcgen::{KeyPair, PKCS_ED25519};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::tls::{Old, der, good_stage, old, staple, title};
use super::*;
use crate::internet::{self_signed_by, self_signed_der, serving};

#[test]
fn a_server_with_uncommon_suites_alone_has_a_version_all_the_same() {
    run(async {
        for (suite, name, class) in [
            (0xC0AC, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", "pass"),
            (0xC0AF, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", "pass"),
            (0xC09F, "TLS_DHE_RSA_WITH_AES_256_CCM", "pass"),
            (0xC05D, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384", "pass"),
            (0xC060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256", "pass"),
            (0xC08A, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", "pass"),
            (0xC09C, "TLS_RSA_WITH_AES_128_CCM", "warn"),
            (0xC076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", "warn"),
            (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", "warn"),
            (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", "warn"),
            (0xC004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", "warn"),
            (0x0096, "TLS_RSA_WITH_SEED_CBC_SHA", "warn"),
            (0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA", "fail"),
            (0x0001, "TLS_RSA_WITH_NULL_MD5", "fail"),
        ] {
            let report = old(0x0303..=0x0303, &[suite]).await;
            assert_eq!(state(&report, "tls.version_12"), "info", "{name}");
            assert_eq!(state(&report, "tls.suites"), class, "{name}");
            let chosen = &report["probes"]["tls"]["handshakes"]["only12"]["suite"];
            assert_eq!(chosen, name);
        }
    });
}

/// The numbers in an extension of a hello.
fn numbers(hello: &[u8], extension: u16) -> Vec<u16> {
    let word = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
    let mut at = 39 + usize::from(hello[38]);
    at += 2 + usize::from(word(at));
    at += 1 + usize::from(hello[at]) + 2;
    while at < hello.len() {
        let length = usize::from(word(at + 2));
        if word(at) == extension {
            // What stands last may end in half a pair.
            let pairs = hello[at + 6..at + 4 + length].chunks(2);
            let number = |pair: &[u8]| pair.iter().fold(0, |n, octet| n << 8 | u16::from(*octet));
            return pairs.map(number).collect();
        }
        at += 4 + length;
    }
    Vec::new()
}

/// Speaks TLS 1.3 over P-521 alone, as far as asking for a share of it, and
/// TLS 1.2.
async fn over_p521(old: Old, mut stream: DuplexStream) {
    const P521: u16 = 0x0019;
    let mut head = [0; 5];
    if stream.read_exact(&mut head).await.is_err() {
        return;
    }
    let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut hello).await.expect("a hello");
    if numbers(&hello, 43).is_empty() {
        return old.reply(&hello, stream).await;
    }
    let answer = match numbers(&hello, 10).contains(&P521) {
        false => vec![21, 3, 3, 0, 2, 2, 40],
        true => {
            let random = [
                0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65,
                0xB8, 0x91, 0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2,
                0xC8, 0xA8, 0x33, 0x9C,
            ];
            let extensions = [0, 43, 0, 2, 3, 4, 0, 51, 0, 2, 0, 0x19];
            let body = [
                &[3, 3][..],
                &random,
                &[32],
                &hello[39..71],
                &[0x13, 0x02, 0, 0, 12],
                &extensions,
            ]
            .concat();
            let message = [&[2, 0, 0, body.len() as u8][..], &body].concat();
            [&[22, 3, 3, 0, message.len() as u8][..], &message].concat()
        }
    };
    let _ = stream.write_all(&answer).await;
    std::future::pending::<()>().await;
}

#[test]
fn a_group_that_our_handshake_has_not_does_not_hide_the_version() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, IP);
        let server = Old {
            versions: 0x0303..=0x0303,
            suites: vec![0xC02F],
            withdrawn_suites: Vec::new(),
            certificate: self_signed_der(&Leaf::of(HOST)).to_vec(),
        };
        stage.net.serve(&format!("{IP}:443"), move |stream| {
            over_p521(server.clone(), stream)
        });
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "tls.version_13");
        assert_eq!(state(&report, "tls.version_13"), "pass", "{found}");
        assert_eq!(state(&report, "tls.version_12"), "info");
        assert_eq!(state(&report, "tls.post_quantum"), "info");
        let asked = &report["probes"]["tls"]["handshakes"]["any13"];
        assert_eq!(asked["group"], "secp521r1", "{asked}");
        assert!(found["evidence"].to_string().contains("any13"), "{found}");
    });
}

#[test]
fn a_certificate_of_tomorrow_is_not_valid_for_days_yet() {
    run(async {
        let (stage, authority) = good_stage();
        let leaf = Leaf {
            days: (2, 60),
            ..Leaf::of(HOST)
        };
        let config = authority.serves(&leaf);
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.trust"), "fail");
        assert_eq!(state(&report, "tls.expiry"), "fail");
        let title = title(&report, "tls.expiry");
        assert!(title.contains("not valid yet"), "{title}");
    });
}

/// The elements of a DER text, one after the other.
fn elements(der: &[u8]) -> Vec<&[u8]> {
    let (mut at, mut found) = (0, Vec::new());
    while at < der.len() {
        let (head, length) = match der[at + 1] {
            short @ 0..=0x7F => (2, usize::from(short)),
            0x81 => (3, usize::from(der[at + 2])),
            _ => (4, usize::from(der[at + 2]) << 8 | usize::from(der[at + 3])),
        };
        found.push(&der[at..at + head + length]);
        at += head + length;
    }
    found
}

fn content(der: &[u8]) -> &[u8] {
    match der[1] {
        0..=0x7F => &der[2..],
        0x81 => &der[3..],
        _ => &der[4..],
    }
}

/// The certificate without its version and extensions: one of X.509 v1.
fn of_old(certificate: &[u8]) -> Vec<u8> {
    let parts = elements(content(certificate));
    let inner = elements(content(parts[0]));
    let kept: Vec<&[u8]> = inner
        .into_iter()
        .filter(|part| !matches!(part[0], 0xA0 | 0xA3))
        .collect();
    der(0x30, &[&der(0x30, &kept), parts[1], parts[2]])
}

/// What is said of a server of TLS 1.2 that presents this.
async fn presenting(certificate: Vec<u8>) -> Value {
    let stage = Stage::new();
    stage.net.address(HOST, IP);
    let server = Old {
        versions: 0x0303..=0x0303,
        suites: vec![0xC02B],
        withdrawn_suites: Vec::new(),
        certificate,
    };
    stage.net.serve(&format!("{IP}:443"), move |stream| {
        server.clone().answer(stream)
    });
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn a_certificate_without_extensions_is_read_and_called_what_it_is() {
    run(async {
        let report = presenting(of_old(&self_signed_der(&Leaf::of(HOST)))).await;
        assert_eq!(report["probes"]["tls"]["trust"]["reason"], "self_signed");
        let title = title(&report, "tls.trust");
        assert!(title.contains("signed by its own key"), "{title}");
        // RFC 9525 section 6.3: the subject is no place for a name.
        assert_eq!(state(&report, "tls.name"), "fail");
    });
}

#[test]
fn a_key_of_a_kind_that_browsers_do_not_take_is_told() {
    run(async {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let report = presenting(self_signed_by(&Leaf::of(HOST), &key).to_vec()).await;
        assert_eq!(
            report["probes"]["tls"]["chain"][0]["key"]["algorithm"],
            "Ed25519"
        );
        assert_eq!(state(&report, "tls.key"), "warn");
    });
}

/// The same certificate, said to be signed with SHA-512 over P-256.
fn signed_otherwise(certificate: &CertificateDer<'_>) -> CertificateDer<'static> {
    let mut der = certificate.to_vec();
    let sha256 = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2];
    let mut changed = 0;
    for at in 0..der.len() - sha256.len() {
        if der[at..].starts_with(&sha256) {
            der[at + 7] = 4;
            changed += 1;
        }
    }
    assert_eq!(changed, 2);
    CertificateDer::from(der)
}

#[test]
fn a_signature_that_is_not_verified_here_says_nothing_against_the_chain() {
    run(async {
        let (stage, authority) = good_stage();
        let (mut chain, key) = authority.issues(&Leaf::of(HOST));
        chain[0] = signed_otherwise(&chain[0]);
        let config = serving(chain, &key, Vec::new());
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.trust"), "inconclusive");
        let title = title(&report, "tls.trust");
        assert!(title.contains("ecdsa-with-SHA512"), "{title}");
        assert_eq!(state(&report, "tls.name"), "pass");
    });
}

#[test]
fn a_promised_staple_has_to_be_one_that_a_strict_client_takes() {
    run(async {
        let (stage, authority) = good_stage();
        let leaf = Leaf {
            must_staple: true,
            ..Leaf::of(HOST)
        };
        let (chain, key) = authority.issues(&leaf);
        let own = x509_parser::parse_x509_certificate(&chain[0]).unwrap().1;
        let own = own.raw_serial().to_vec();
        for (response, expected) in [
            (staple(&own, &[0x80, 0], 29), "pass"),
            (staple(&own, &[0x80, 0], 21), "fail"),
            (staple(&[7, 7], &[0x80, 0], 29), "fail"),
            (b"noise".to_vec(), "fail"),
            (Vec::new(), "fail"),
        ] {
            let config = serving(chain.clone(), &key, response);
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            let found = finding(&report, "tls.must_staple");
            assert_eq!(state(&report, "tls.must_staple"), expected, "{found}");
        }
    });
}

#[test]
fn the_purpose_of_a_certificate_is_shown_where_it_is_judged() {
    run(async {
        let (stage, _) = good_stage();
        let report = stage.analyze(HOST).await.unwrap();
        let evidence = finding(&report, "tls.usage")["evidence"].to_string();
        assert!(
            evidence.contains("/tls/chain/0/extendedKeyUsage"),
            "{evidence}"
        );
        assert!(evidence.contains("/tls/chain/0/isCa"), "{evidence}");
    });
}

/// An RSA key of this many bits whose owner signs without it.
#[derive(Debug)]
struct Wide(Vec<u8>, usize);

impl Wide {
    fn of(bits: usize) -> Wide {
        let number = |octets: &[u8]| {
            let length = u16::try_from(octets.len()).unwrap().to_be_bytes();
            [&[0x02, 0x82], &length[..], octets].concat()
        };
        let mut modulus = vec![0xAB; bits / 8 + 1];
        modulus[0] = 0;
        let both = [number(&modulus), vec![0x02, 3, 1, 0, 1]].concat();
        let length = u16::try_from(both.len()).unwrap().to_be_bytes();
        Wide([&[0x30, 0x82], &length[..], &both].concat(), bits / 8)
    }
}

impl rcgen::PublicKeyData for Wide {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl rcgen::SigningKey for Wide {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        Ok(vec![7; self.1])
    }
}

impl rustls::sign::SigningKey for Wide {
    fn choose_scheme(
        &self,
        _: &[rustls::SignatureScheme],
    ) -> Option<Box<dyn rustls::sign::Signer>> {
        Some(Box::new(Wide(Vec::new(), self.1)))
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        rustls::SignatureAlgorithm::RSA
    }
}

impl rustls::sign::Signer for Wide {
    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        Ok(vec![7; self.1])
    }

    fn scheme(&self) -> rustls::SignatureScheme {
        rustls::SignatureScheme::RSA_PSS_SHA256
    }
}

fn params(name: &str, is_ca: bool) -> rcgen::CertificateParams {
    let mut params = rcgen::CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    params
        .distinguished_name
        .push(rcgen::DnType::CommonName, name);
    if is_ca {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    params
}

/// A root, and a stage that trusts it.
fn rooted() -> (Stage, rcgen::Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let root = params("Root", true);
    let pem = root.self_signed(&key).unwrap().pem();
    let stage = Stage::new().with("TRUST_ANCHORS", &pem);
    good_zone(&stage.net);
    stage.net.address(HOST, IP);
    (stage, rcgen::Issuer::new(root, key))
}

#[test]
fn a_signature_by_an_rsa_key_that_is_too_large_for_us_is_not_called_wrong() {
    run(async {
        for (bits, reason, expected) in [
            (2048, "bad_signature", "fail"),
            (8192, "not_verified", "inconclusive"),
        ] {
            let (stage, root) = rooted();
            let middle = params("Middle", true);
            let certificate = middle.signed_by(&Wide::of(bits), &root).unwrap();
            let middle = rcgen::Issuer::new(middle, Wide::of(bits));
            let key = KeyPair::generate().unwrap();
            let leaf = params("leaf", false).signed_by(&key, &middle).unwrap();
            let chain = vec![leaf.der().clone(), certificate.der().clone()];
            let config = serving(chain, &key, Vec::new());
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(report["probes"]["tls"]["trust"]["reason"], reason);
            let trust = finding(&report, "tls.trust");
            assert_eq!(trust["state"], expected, "{trust}");
            let title = title(&report, "tls.trust");
            assert_eq!(title.contains("8192 bits"), bits == 8192, "{title}");
        }
    });
}

#[test]
fn a_proof_by_an_rsa_key_that_is_too_large_for_us_is_unseen() {
    run(async {
        for (bits, proven, expected) in [(2048, json!(false), "fail"), (8192, Value::Null, "pass")]
        {
            let (stage, root) = rooted();
            let leaf = params("leaf", false);
            let leaf = leaf.signed_by(&Wide::of(bits), &root).unwrap();
            let chain = vec![leaf.der().clone()];
            let pair = rustls::sign::CertifiedKey::new(chain, Arc::new(Wide::of(bits)));
            let provider = Arc::new(rustls_rustcrypto::provider());
            let config = rustls::ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(pair)));
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            let best = &report["probes"]["tls"]["handshakes"]["best"];
            assert_eq!(best["keyProven"], proven, "{best}");
            let trust = finding(&report, "tls.trust");
            assert_eq!(trust["state"], expected, "{trust}");
        }
    });
}

#[test]
fn that_no_session_is_offered_is_said_only_where_every_version_was_asked() {
    run(async {
        // No ticket by TLS 1.3, and TLS 1.2 goes unanswered.
        let (stage, authority) = good_stage();
        let mut config = authority.serves(&Leaf::of(HOST));
        config.send_tls13_tickets = 0;
        let config = Arc::new(config);
        let only_13 = move |stream: DuplexStream| {
            let config = Arc::clone(&config);
            async move {
                let acceptor = rustls::server::Acceptor::default();
                let hello = tokio_rustls::LazyConfigAcceptor::new(acceptor, stream).await;
                let Ok(hello) = hello else { return };
                let heard = hello.client_hello();
                let mut suites = heard.cipher_suites().iter();
                if suites.any(|suite| u16::from(*suite) >> 8 == 0x13) {
                    let _open = hello.into_stream(config).await;
                    std::future::pending::<()>().await;
                }
                std::future::pending::<()>().await;
            }
        };
        stage.net.serve(&format!("{IP}:443"), only_13);
        let report = stage.analyze(HOST).await.unwrap();
        let found = finding(&report, "tls.resumption");
        assert_eq!(state(&report, "tls.version_13"), "pass", "{found}");
        assert_eq!(state(&report, "tls.version_12"), "inconclusive", "{found}");
        assert_eq!(found["state"], "inconclusive", "{found}");
    });
}
