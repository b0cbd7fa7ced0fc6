//! What a server accepts beside its best, how its chain is formed, and what
//! vouches for its certificate.

use futures_util::future::LocalBoxFuture;
use netrecon::port::{Curve, Ecdsa};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::internet::{self_signed_der, serving};

pub(super) fn good_stage() -> (Stage, Authority) {
    let authority = Authority::new();
    let stage = Stage::new().trusting(&authority);
    good_host(&stage.net, &authority);
    (stage, authority)
}

pub(super) fn title<'a>(report: &'a Value, id: &str) -> &'a str {
    finding(report, id)["title"].as_str().expect("a title")
}

#[test]
fn a_good_server_declines_what_is_old_and_says_what_it_has() {
    run(async {
        let (stage, _) = good_stage();
        let report = stage.analyze(HOST).await.unwrap();
        for (id, want) in [
            ("tls.version_13", "pass"),
            ("tls.version_12", "info"),
            ("tls.version_11", "pass"),
            ("tls.version_10", "pass"),
            ("tls.suites", "pass"),
            ("tls.post_quantum", "info"),
            ("tls.alpn", "info"),
            ("tls.resumption", "info"),
            ("tls.chain", "pass"),
            ("tls.key", "pass"),
            ("tls.signature", "pass"),
            ("tls.lifetime", "pass"),
            ("tls.usage", "pass"),
            ("tls.ocsp_staple", "info"),
            ("tls.must_staple", "not_applicable"),
            ("tls.sct", "info"),
            ("tls.ct", "info"),
        ] {
            assert_eq!(state(&report, id), want, "{}", finding(&report, id));
        }
        assert_eq!(title(&report, "tls.alpn"), "HTTP/2 is agreed to.");
        assert!(title(&report, "tls.resumption").contains("tickets"));
        let handshakes = &report["probes"]["tls"]["handshakes"];
        assert_eq!(handshakes["only12"]["group"], "X25519");
        assert_eq!(handshakes["only11"]["declined"], "protocol_version");
        assert_eq!(handshakes["datedSuites"]["declined"], "handshake_failure");
        assert_eq!(report["probes"]["tls"]["trust"]["anchor"], "operator");
    });
}

#[test]
fn one_host_costs_one_handshake_and_a_few_hellos() {
    run(async {
        let (stage, authority) = good_stage();
        stage.analyze(HOST).await.unwrap();
        // The page once more, over the other family, is no part of it.
        let secure = |at: &&std::net::SocketAddr| at.port() == 443 && at.is_ipv4();
        assert_eq!(
            stage.net.connected.borrow().iter().filter(secure).count(),
            5
        );

        // Who has nothing before 1.3 is asked for its protocols once more.
        let config = authority.serves_versions(&Leaf::of(HOST), &[&rustls::version::TLS13]);
        stage.net.https(&format!("{IP}:443"), config, good_site());
        stage.net.connected.borrow_mut().clear();
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(
            stage.net.connected.borrow().iter().filter(secure).count(),
            5
        );
        for id in ["tls.version_11", "tls.version_10", "tls.suites"] {
            assert_eq!(state(&report, id), "pass", "{}", finding(&report, id));
        }
        assert_eq!(title(&report, "tls.alpn"), "HTTP/2 is agreed to.");
        assert_eq!(report["coverage"]["ratio"], 1.0);
    });
}

/// A platform that says the same of every signature, and what it was asked.
struct Platform(Option<bool>, RefCell<Vec<Ecdsa>>);

impl Signatures for Platform {
    fn is_right<'a>(&'a self, asked: &'a Ecdsa) -> LocalBoxFuture<'a, Option<bool>> {
        self.1.borrow_mut().push(asked.clone());
        Box::pin(std::future::ready(self.0))
    }
}

#[test]
fn a_server_without_the_key_of_its_certificate_is_found_out_on_any_platform() {
    run(async {
        for says in [None, Some(false)] {
            let (mut stage, authority) = good_stage();
            stage.signatures = Rc::new(Platform(says, RefCell::default()));
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(
                report["probes"]["tls"]["handshakes"]["best"]["keyProven"],
                true
            );

            let config = authority.serves_by_another_key(&Leaf::of(HOST));
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(
                report["probes"]["tls"]["handshakes"]["best"]["keyProven"],
                false
            );
            assert_eq!(
                title(&report, "tls.trust"),
                "The server does not prove that the certificate is its own (invalid peer certificate: BadSignature)."
            );
        }
    });
}

#[test]
fn what_the_platform_calls_right_is_not_verified_again() {
    run(async {
        let (mut stage, authority) = good_stage();
        let platform = Rc::new(Platform(Some(true), RefCell::default()));
        stage.signatures = platform.clone();
        let config = authority.serves_by_another_key(&Leaf::of(HOST));
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(
            report["probes"]["tls"]["handshakes"]["best"]["keyProven"],
            true
        );

        let asked = platform.1.borrow();
        let [asked] = &asked[..] else {
            panic!("{} signatures were asked of", asked.len());
        };
        assert_eq!(asked.curve, Curve::P256);
        assert_eq!((asked.point.len(), asked.signature.len()), (65, 64));
        let context = [&[b' '; 64][..], b"TLS 1.3, server CertificateVerify\0"].concat();
        assert!(asked.message.starts_with(&context));
    });
}

/// A server that speaks TLS as it was, and only its first flight.
#[derive(Clone)]
pub(super) struct Old {
    pub(super) versions: std::ops::RangeInclusive<u16>,
    pub(super) suites: Vec<u16>,
    /// Those of TLS 1.1 and 1.0.
    pub(super) withdrawn_suites: Vec<u16>,
    pub(super) certificate: Vec<u8>,
}

impl Old {
    pub(super) async fn answer(self, mut stream: DuplexStream) {
        let mut head = [0; 5];
        if stream.read_exact(&mut head).await.is_err() {
            return;
        }
        let mut hello = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
        stream.read_exact(&mut hello).await.expect("a hello");
        self.reply(&hello, stream).await;
    }

    /// To a hello that was read.
    pub(super) async fn reply(self, hello: &[u8], mut stream: DuplexStream) {
        let word = |at: usize| u16::from_be_bytes([hello[at], hello[at + 1]]);
        let suites_at = 39 + usize::from(hello[38]);
        let count = usize::from(word(suites_at)) / 2;
        let offered: Vec<u16> = (0..count).map(|n| word(suites_at + 2 + 2 * n)).collect();
        let version = word(4).min(*self.versions.end());
        let suites = match version {
            0x0303.. => &self.suites,
            _ => &self.withdrawn_suites,
        };
        let suite = suites.iter().find(|suite| offered.contains(suite));
        let answer = match suite {
            _ if version < *self.versions.start() => vec![21, 3, 1, 0, 2, 2, 70],
            None => vec![21, 3, 1, 0, 2, 2, 40],
            Some(suite) => self.flight(version, *suite),
        };
        let _ = stream.write_all(&answer).await;
        std::future::pending::<()>().await;
    }

    fn flight(&self, version: u16, suite: u16) -> Vec<u8> {
        let message = |kind: u8, body: &[u8]| {
            let length = (body.len() as u32).to_be_bytes();
            [&[kind], &length[1..], body].concat()
        };
        let hello = [
            &version.to_be_bytes()[..],
            &[7; 32],
            &[0],
            &suite.to_be_bytes(),
            &[0],
        ];
        let length = |n: usize| (n as u32).to_be_bytes()[1..].to_vec();
        let der = &self.certificate;
        let list = [length(der.len() + 3), length(der.len()), der.clone()].concat();
        let run = [
            message(2, &hello.concat()),
            message(11, &list),
            message(14, &[]),
        ]
        .concat();
        let head = [&[22, 3, 1][..], &(run.len() as u16).to_be_bytes()].concat();
        [head, run].concat()
    }
}

pub(super) async fn old(versions: std::ops::RangeInclusive<u16>, suites: &[u16]) -> Value {
    old_by_version(versions, suites, suites).await
}

async fn old_by_version(
    versions: std::ops::RangeInclusive<u16>,
    suites: &[u16],
    withdrawn_suites: &[u16],
) -> Value {
    let stage = Stage::new();
    stage.net.address(HOST, IP);
    let server = Old {
        versions,
        suites: suites.to_vec(),
        withdrawn_suites: withdrawn_suites.to_vec(),
        certificate: self_signed_der(&Leaf::of(HOST)).to_vec(),
    };
    stage.net.serve(&format!("{IP}:443"), move |stream| {
        server.clone().answer(stream)
    });
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn withdrawn_versions_are_told_one_by_one() {
    run(async {
        let aes = [0x002F];
        for (versions, v12, v11, v10) in [
            (0x0301..=0x0303, "info", "fail", "fail"),
            (0x0302..=0x0303, "info", "fail", "pass"),
            (0x0303..=0x0303, "info", "pass", "pass"),
            (0x0301..=0x0302, "fail", "fail", "fail"),
            (0x0301..=0x0301, "fail", "pass", "fail"),
        ] {
            let report = old(versions.clone(), &aes).await;
            assert_eq!(state(&report, "tls.version_12"), v12, "{versions:x?}");
            assert_eq!(state(&report, "tls.version_11"), v11, "{versions:x?}");
            assert_eq!(state(&report, "tls.version_10"), v10, "{versions:x?}");
        }
    });
}

#[test]
fn a_withdrawn_version_with_a_list_of_suites_of_its_own_is_told() {
    run(async {
        let gcm = [0xC02F];
        for (versions, withdrawn_suites, v11, v10, suites) in [
            (0x0301..=0x0303, 0x002F, "fail", "fail", "warn"),
            (0x0302..=0x0303, 0x002F, "fail", "pass", "warn"),
            (0x0301..=0x0303, 0x0005, "fail", "fail", "fail"),
            (0x0303..=0x0303, 0x002F, "pass", "pass", "pass"),
        ] {
            let report = old_by_version(versions, &gcm, &[withdrawn_suites]).await;
            assert_eq!(state(&report, "tls.version_12"), "info");
            assert_eq!(state(&report, "tls.version_11"), v11);
            assert_eq!(state(&report, "tls.version_10"), v10);
            let found = finding(&report, "tls.suites");
            assert_eq!(state(&report, "tls.suites"), suites, "{found}");
        }
        let report = old_by_version(0x0301..=0x0303, &gcm, &[0x0005]).await;
        let title = title(&report, "tls.suites");
        assert!(
            title.contains("TLS_RSA_WITH_RC4_128_SHA") && title.contains("TLS 1.1"),
            "{title}"
        );
    });
}

#[test]
fn weak_and_broken_suites_are_told_apart_and_named() {
    run(async {
        let report = old(0x0303..=0x0303, &[0x002F]).await;
        assert_eq!(state(&report, "tls.suites"), "warn");
        assert!(title(&report, "tls.suites").contains("TLS_RSA_WITH_AES_128_CBC_SHA"));
        let report = old(0x0303..=0x0303, &[0xC02F, 0x002F, 0x0005]).await;
        assert_eq!(state(&report, "tls.suites"), "fail");
        assert!(title(&report, "tls.suites").contains("TLS_RSA_WITH_RC4_128_SHA"));
    });
}

#[test]
fn a_server_too_old_to_shake_hands_with_still_shows_its_certificate() {
    run(async {
        let report = old(0x0301..=0x0302, &[0x002F]).await;
        let tls = &report["probes"]["tls"];
        assert!(tls["handshakes"]["best"]["declined"].is_string());
        assert_eq!(
            tls["presented"],
            json!({ "certificates": 1, "by": "only12" })
        );
        assert_eq!(tls["trust"]["reason"], "self_signed");
        assert_eq!(state(&report, "tls.version_13"), "warn");
        assert_eq!(state(&report, "tls.name"), "pass");
        assert_eq!(state(&report, "tls.expiry"), "pass");
    });
}

#[test]
fn a_missing_intermediate_is_named_with_its_place_and_not_fetched() {
    run(async {
        let (stage, authority) = good_stage();
        let leaf = Leaf {
            with_intermediate: false,
            ..Leaf::of(HOST)
        };
        let config = authority.serves(&leaf);
        stage.net.https(&format!("{IP}:443"), config, good_site());
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.chain"), "fail");
        let title = title(&report, "tls.chain");
        assert!(
            title.contains("CN=Test Intermediate") && title.contains("http://ca.net/i.der"),
            "{title}"
        );
        assert!(stage.net.fetched.borrow().is_empty());
    });
}

/// Serves the chain that `change` makes of a sound one.
async fn with_chain(change: impl Fn(&mut Vec<CertificateDer<'static>>)) -> Value {
    let (stage, authority) = good_stage();
    let (mut chain, key) = authority.issues(&Leaf::of(HOST));
    change(&mut chain);
    let config = serving(chain, &key, Vec::new());
    stage.net.https(&format!("{IP}:443"), config, good_site());
    stage.analyze(HOST).await.unwrap()
}

#[test]
fn superfluous_certificates_do_no_harm_and_are_told() {
    run(async {
        let twice = with_chain(|chain| chain.push(chain[1].clone())).await;
        assert_eq!(state(&twice, "tls.chain"), "warn");
        assert_eq!(twice["probes"]["tls"]["shape"]["duplicates"], json!([2]));
        assert_eq!(state(&twice, "tls.trust"), "pass");

        let stranger = self_signed_der(&Leaf::of("stranger.net"));
        let extra = with_chain(|chain| chain.insert(1, stranger.clone())).await;
        assert_eq!(state(&extra, "tls.chain"), "warn");
        let shape = &extra["probes"]["tls"]["shape"];
        assert_eq!(
            (&shape["path"], &shape["unrelated"]),
            (&json!([0, 2]), &json!([1]))
        );
        assert_eq!(state(&extra, "tls.trust"), "pass");
    });
}

#[test]
fn a_hundred_certificates_are_counted_and_only_some_are_looked_at() {
    run(async {
        let stranger = self_signed_der(&Leaf::of("stranger.net"));
        let report = with_chain(|chain| {
            chain.extend(std::iter::repeat_n(stranger.clone(), 98));
        })
        .await;
        let tls = &report["probes"]["tls"];
        assert_eq!(tls["presented"]["certificates"], 100);
        assert_eq!(tls["chain"].as_array().unwrap().len(), 16);
        assert_eq!(
            title(&report, "tls.chain"),
            "98 of 100 certificates have no part in the chain."
        );
        assert_eq!(state(&report, "tls.trust"), "pass");
    });
}

/// DER with short contents.
pub(super) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len();
    let head = match length {
        0..128 => vec![tag, length as u8],
        128..256 => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content].concat()
}

/// An OCSP response about a serial number, valid until a day of November.
pub(super) fn staple(serial: &[u8], status: &[u8], until: u8) -> Vec<u8> {
    let time = |day: u8| der(0x18, &[format!("202611{day:02}000000Z").as_bytes()]);
    let hash = der(4, &[&[1; 20]]);
    let id = der(0x30, &[&der(0x30, &[]), &hash, &hash, &der(2, &[serial])]);
    let single = der(0x30, &[&id, status, &time(20), &der(0xA0, &[&time(until)])]);
    let data = der(
        0x30,
        &[&der(0xA2, &[&hash]), &time(20), &der(0x30, &[&single])],
    );
    let basic = der(0x30, &[&data, &der(0x30, &[]), &der(3, &[&[0, 9]])]);
    let bytes = der(
        0x30,
        &[
            &der(6, &[&[0x2B, 6, 1, 5, 5, 7, 48, 1, 1]]),
            &der(4, &[&basic]),
        ],
    );
    der(0x30, &[&[0x0A, 1, 0], &der(0xA0, &[&bytes])])
}

#[test]
fn a_staple_is_read_and_believed_only_about_this_certificate_and_this_time() {
    run(async {
        let (stage, authority) = good_stage();
        let (chain, key) = authority.issues(&Leaf::of(HOST));
        let own = x509_parser::parse_x509_certificate(&chain[0]).unwrap().1;
        let own = own.raw_serial().to_vec();
        let revoked = der(0xA1, &[&der(0x18, &[b"20261101000000Z"])]);
        for (response, want, word) in [
            (staple(&own, &[0x80, 0], 29), "pass", "not revoked"),
            (staple(&own, &[0x80, 0], 21), "warn", "run out"),
            (staple(&own, &revoked, 29), "fail", "is revoked"),
            (staple(&own, &[0x82, 0], 29), "warn", "does not know"),
            (
                staple(&[7, 7], &[0x80, 0], 29),
                "warn",
                "another certificate",
            ),
            (der(0x30, &[&[0x0A, 1, 3]]), "warn", "try_later"),
            (b"noise".to_vec(), "warn", "no OCSP response"),
        ] {
            let config = serving(chain.clone(), &key, response);
            stage.net.https(&format!("{IP}:443"), config, good_site());
            let report = stage.analyze(HOST).await.unwrap();
            assert_eq!(state(&report, "tls.ocsp_staple"), want, "{word}");
            assert!(title(&report, "tls.ocsp_staple").contains(word));
            // Whatever it says, nobody's handshake depends on it here.
            assert_eq!(state(&report, "tls.trust"), "pass");
        }
    });
}

fn entry(serial: &str, issuer: &str) -> String {
    json!([{
        "issuer_name": issuer,
        "name_value": "good.net\nwww.good.net",
        "not_before": "2026-11-01T00:00:00",
        "not_after": "2027-01-30T00:00:00",
        "serial_number": serial,
    }])
    .to_string()
}

#[test]
fn what_is_logged_is_compared_with_what_is_presented() {
    run(async {
        let (stage, _) = good_stage();
        stage
            .net
            .file(LOG_SEARCH, 200, &[], &entry("0abc", "CN=Log CA"));
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.ct"), "info");
        assert_eq!(finding(&report, "tls.ct")["confidence"], "low");
        assert_eq!(report["probes"]["ct"]["hasPresented"], false);

        let serial = report["probes"]["tls"]["chain"][0]["serial"]
            .as_str()
            .unwrap();
        stage
            .net
            .file(LOG_SEARCH, 200, &[], &entry(serial, "CN=Log CA"));
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.ct"), "pass");
        let parties = report["thirdParties"].as_array().unwrap();
        assert!(parties.iter().any(|party| party["host"] == "crt.sh"));
    });
}

#[test]
fn a_host_out_of_reach_gets_the_logs_word_beside_and_never_instead() {
    run(async {
        let stage = Stage::new();
        stage.net.address(HOST, "104.16.1.1");
        stage.net.file("https://good.net/", 200, &[], "hi");
        stage
            .net
            .file(LOG_SEARCH, 200, &[], &entry("0abc", "CN=Log CA"));
        let report = stage.analyze(HOST).await.unwrap();
        for id in ["tls.trust", "tls.name", "tls.expiry", "tls.chain"] {
            assert_eq!(state(&report, id), "inconclusive");
            assert!(title(&report, id).contains("stands in tls.ct"), "{id}");
        }
        assert_eq!(state(&report, "tls.ct"), "info");
        let title = title(&report, "tls.ct");
        assert!(title.starts_with("Logged, not seen served"), "{title}");
        assert!(
            title.contains("CN=Log CA") && title.contains("2027-01-30"),
            "{title}"
        );
        assert_eq!(report["probes"]["tls"]["chain"], json!([]));
    });
}

#[test]
fn a_search_that_fails_is_inconclusive_and_one_switched_off_is_not_asked() {
    run(async {
        let (stage, _) = good_stage();
        stage.net.file(LOG_SEARCH, 502, &[], "<html>busy</html>");
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.ct"), "inconclusive");

        let (stage, _) = good_stage();
        let stage = stage.with("CT_URL", "off");
        let report = stage.analyze(HOST).await.unwrap();
        assert_eq!(state(&report, "tls.ct"), "not_applicable");
        let parties = report["thirdParties"].as_array().unwrap();
        assert!(parties.iter().all(|party| party["host"] != "crt.sh"));
        assert_eq!(report["coverage"]["ratio"], 1.0);
    });
}

#[test]
fn servers_that_never_come_to_an_end_cost_their_deadline_and_no_more() {
    run(async {
        for first in [Vec::new(), vec![22, 3, 3, 0x40, 0]] {
            let stage = Stage::new();
            stage.net.address(HOST, IP);
            stage.net.serve(&format!("{IP}:443"), move |mut stream| {
                let first = first.clone();
                async move {
                    let _ = stream.read(&mut [0; 4096]).await;
                    let _ = stream.write_all(&first).await;
                    // Empty records, for as long as somebody listens.
                    while stream.write_all(&[22, 3, 3, 0, 0]).await.is_ok() {
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                    }
                }
            });
            let started = tokio::time::Instant::now();
            let report = stage.analyze(HOST).await.unwrap();
            assert!(started.elapsed().as_secs() <= 13);
            for id in [
                "tls.version_12",
                "tls.version_11",
                "tls.suites",
                "tls.post_quantum",
            ] {
                assert_eq!(state(&report, id), "inconclusive", "{id}");
            }
        }
    });
}
