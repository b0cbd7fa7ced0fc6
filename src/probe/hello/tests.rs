//! The hello that we send, and answers good and bad.

use super::answer::Listener;
use super::*;

/// A record with one handshake message.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![HANDSHAKE, 3, 3];
    prefixed(&mut out, 2, |out| message(out, kind, body));
    out
}

fn message(out: &mut Vec<u8>, kind: u8, body: &[u8]) {
    out.push(kind);
    prefixed(out, 3, |out| out.extend(body));
}

/// A ServerHello with these extensions.
fn server_hello(
    version: u16,
    suite: u16,
    random: [u8; 32],
    extensions: &[(u16, &[u8])],
) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend(random);
    prefixed(&mut body, 1, |out| out.extend([9; 32]));
    body.extend(suite.to_be_bytes());
    body.push(0);
    prefixed(&mut body, 2, |out| {
        for (kind, content) in extensions {
            extension(out, *kind, |out| out.extend(*content));
        }
    });
    record(2, &body)
}

const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

fn heard(offer: &'static Offer, octets: &[u8]) -> Result<Option<Answer>, Refused> {
    Listener::new(offer).hear(octets)
}

fn malformed(outcome: Result<Option<Answer>, Refused>) -> bool {
    matches!(outcome, Err(Refused::Failed(Failure::Malformed(_))))
}

#[test]
fn no_hello_is_as_long_as_those_that_hang_servers_or_ends_with_an_empty_extension() {
    let label = "a".repeat(60);
    for offer in [
        &UP_TO_12,
        &UP_TO_11,
        &ONLY_10,
        &DATED,
        &BROKEN,
        &POST_QUANTUM,
        &ANY_13,
    ] {
        for host in [
            String::from("a.net"),
            String::from("93.184.215.14"),
            format!("{label}.net"),
            format!("{label}.{label}.{label}.net"),
        ] {
            let hello = wire(offer, &host, &[7; 32]);
            assert!(!(256..512).contains(&(hello.len() - 5)), "{offer:?}");
            let extensions = 44 + usize::from(hello[43]);
            let suites = usize::from(u16::from_be_bytes([
                hello[extensions],
                hello[extensions + 1],
            ]));
            let mut at = extensions + 2 + suites + 2 + 2;
            let mut last = 0;
            while at < hello.len() {
                last = usize::from(u16::from_be_bytes([hello[at + 2], hello[at + 3]]));
                at += 4 + last;
            }
            assert_eq!(at, hello.len());
            assert!(last > 0, "{offer:?} for {host}");
        }
    }
}

#[test]
fn a_hello_names_the_host_but_no_address() {
    let named = wire(&UP_TO_12, "good.net", &[7; 32]);
    assert!(named.windows(8).any(|part| part == b"good.net"));
    assert_eq!(
        usize::from(u16::from_be_bytes([named[3], named[4]])),
        named.len() - 5
    );
    let literal = wire(&UP_TO_12, "93.184.215.14", &[7; 32]);
    assert!(!literal.windows(6).any(|part| part == b"93.184"));
}

#[test]
fn another_library_reads_every_hello_and_finds_what_it_offers() {
    for (offer, newest) in [(&UP_TO_12, 0x0303), (&UP_TO_11, 0x0302), (&ONLY_10, 0x0301)] {
        let hello = wire(offer, "good.net", &[7; 32]);
        assert_eq!(u16::from_be_bytes([hello[9], hello[10]]), newest);
    }
    for offer in [&UP_TO_12, &POST_QUANTUM] {
        let mut acceptor = rustls::server::Acceptor::default();
        let hello = wire(offer, "good.net", &[7; 32]);
        acceptor.read_tls(&mut hello.as_slice()).unwrap();
        let accepted = acceptor.accept().unwrap().expect("a whole hello");
        let hello = accepted.client_hello();
        assert_eq!(hello.server_name(), Some("good.net"));
        let alpn: Vec<&[u8]> = hello.alpn().unwrap().collect();
        assert_eq!(alpn, [b"h2".as_slice(), b"http/1.1"]);
        let suites: Vec<u16> = hello
            .cipher_suites()
            .iter()
            .map(|&suite| suite.into())
            .collect();
        assert_eq!(suites, registry::suites(offer.classes).collect::<Vec<_>>());
        let groups: Vec<u16> = hello
            .named_groups()
            .unwrap()
            .iter()
            .map(|&group| group.into())
            .collect();
        assert_eq!(groups, offer.groups);
    }
}

#[test]
fn a_retry_for_the_post_quantum_group_is_an_offer_of_it() {
    let extensions: [(u16, &[u8]); 2] = [
        (ext::SUPPORTED_VERSIONS, &[3, 4]),
        (ext::KEY_SHARE, &[0x11, 0xEC]),
    ];
    let answer = server_hello(0x0303, 0x1301, RETRY, &extensions);
    let answer = heard(&POST_QUANTUM, &answer).unwrap().unwrap();
    assert_eq!(answer.version, Version::Tls13);
    assert_eq!(answer.group.as_deref(), Some("X25519MLKEM768"));
    assert!(answer.retry);
}

#[test]
fn a_server_before_tls_13_declines_what_only_tls_13_has() {
    let old = server_hello(0x0303, 0x1301, [5; 32], &[]);
    assert_eq!(
        heard(&POST_QUANTUM, &old),
        Err(Refused::Declined(String::from("answered with TLSv1.2")))
    );
    let alert = [21, 3, 3, 0, 2, 2, 70];
    assert_eq!(
        heard(&POST_QUANTUM, &alert),
        Err(Refused::Declined(String::from("protocol_version")))
    );
}

/// A flight of TLS 1.2 in one record after another.
fn flight() -> Vec<u8> {
    let extensions: [(u16, &[u8]); 4] = [
        (ext::ALPN, &[0, 3, 2, b'h', b'2']),
        (ext::SESSION_TICKET, &[]),
        (ext::RENEGOTIATION_INFO, &[0]),
        (ext::STATUS_REQUEST, &[]),
    ];
    let certificates = [0, 0, 9, 0, 0, 2, 0xAA, 0xBB, 0, 0, 1, 0xCC];
    [
        server_hello(0x0303, 0xC02F, [5; 32], &extensions),
        record(11, &certificates),
        record(22, &[1, 0, 0, 3, 1, 2, 3]),
        record(12, &[3, 0, 0x1D, 1, 0xFF]),
        record(14, &[]),
    ]
    .concat()
}

#[test]
fn a_flight_is_heard_to_its_end_however_it_is_cut() {
    let whole = heard(&UP_TO_12, &flight()).unwrap().unwrap();
    assert_eq!(whole.version, Version::Tls12);
    assert_eq!(whole.suite, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    assert_eq!(whole.group.as_deref(), Some("X25519"));
    assert_eq!(whole.alpn.as_deref(), Some("h2"));
    assert!(whole.ticket && whole.session_id && whole.secure_renegotiation);
    assert_eq!((whole.presented, whole.chain.len()), (2, 2));
    assert_eq!(whole.staple, [1, 2, 3]);

    let mut listener = Listener::new(&UP_TO_12);
    let (last, rest) = flight()
        .split_last()
        .map(|(last, rest)| (*last, rest.to_vec()))
        .unwrap();
    for octet in rest {
        assert_eq!(listener.hear(&[octet]), Ok(None));
    }
    assert_eq!(listener.hear(&[last]), Ok(Some(whole)));
}

#[test]
fn what_was_not_offered_is_not_believed() {
    let hello = |version, suite| server_hello(version, suite, [5; 32], &[]);
    assert!(
        malformed(heard(&UP_TO_11, &hello(0x0303, 0x002F))),
        "a higher version"
    );
    assert!(
        malformed(heard(&UP_TO_12, &hello(0x0300, 0x002F))),
        "SSL 3.0"
    );
    assert!(
        malformed(heard(&UP_TO_12, &hello(0x0303, 0x1301))),
        "a suite of TLS 1.3"
    );
    assert!(
        malformed(heard(&DATED, &hello(0x0303, 0xC02F))),
        "a strong suite"
    );
    let group: [(u16, &[u8]); 2] = [
        (ext::SUPPORTED_VERSIONS, &[3, 4]),
        (ext::KEY_SHARE, &[0, 0x1D]),
    ];
    let answer = server_hello(0x0303, 0x1301, RETRY, &group);
    assert!(malformed(heard(&POST_QUANTUM, &answer)), "another group");
    let older = heard(&UP_TO_12, &server_hello(0x0301, 0x002F, [5; 32], &[]));
    assert_eq!(older, Ok(None), "a lower version is an answer, and goes on");
}

#[test]
fn noise_and_what_has_no_end_is_refused_at_once() {
    assert!(malformed(heard(
        &UP_TO_12,
        b"HTTP/1.1 400 Bad Request\r\n\r\n"
    )));
    assert!(
        malformed(heard(&UP_TO_12, &[22, 3, 3, 0xFF, 0xFF])),
        "a huge record"
    );
    assert!(
        malformed(heard(&UP_TO_12, &[22, 3, 3, 0, 4, 2, 0xFF, 0xFF, 0xFF])),
        "a huge message"
    );
    assert!(malformed(heard(&UP_TO_12, &[23, 3, 3, 0, 1, 0])), "data");
    assert!(
        malformed(heard(&UP_TO_12, &record(14, &[]))),
        "no ServerHello"
    );
    assert!(
        malformed(heard(&UP_TO_12, &[22, 3, 3, 0, 0].repeat(1000))),
        "empty records"
    );
    let start = server_hello(0x0303, 0xC02F, [5; 32], &[]);
    let messages = [start.clone(), record(4, &[]).repeat(100)].concat();
    assert!(malformed(heard(&UP_TO_12, &messages)), "messages");
    let mut listener = Listener::new(&UP_TO_12);
    assert_eq!(listener.hear(&start), Ok(None));
    let block = record(99, &vec![0; 16_000]);
    let ended = (0..100).map(|_| listener.hear(&block)).find(Result::is_err);
    assert!(malformed(ended.expect("an end")), "octets");
    let crowd = [[0, 0x27, 0x10].as_slice(), &[0; 10_000]].concat();
    assert!(
        malformed(heard(&UP_TO_12, &[start, record(11, &crowd)].concat())),
        "certificates"
    );
}

#[test]
fn an_answer_cut_anywhere_is_waited_for() {
    let flight = flight();
    for end in 0..flight.len() {
        assert_eq!(heard(&UP_TO_12, &flight[..end]), Ok(None), "{end}");
    }
}

#[test]
fn no_version_before_1_2_has_a_suite_that_is_not_dated() {
    // What these stand for came with TLS 1.2 (RFC 5246 section 6.2.3.3).
    let authenticated = ["_GCM_", "_CCM", "_CHACHA20_POLY1305"];
    let strong: Vec<u16> = registry::suites(&[Class::Strong]).collect();
    assert!(!strong.is_empty());
    for code in strong {
        let (name, _) = registry::suite(code).unwrap();
        assert!(
            authenticated.iter().any(|mode| name.contains(mode)),
            "{name}"
        );
    }
}
