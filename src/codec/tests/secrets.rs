//! Secrets are recognised and not repeated: wherever one is pasted and
//! whatever it is taken for, no sixteen characters of it come back.

use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use proptest::sample::select;

use super::corpus::lines;
use super::*;

/// How much of a secret may be seen, in characters.
const RUN: usize = 16;

/// A text, and the secrets that are in it.
#[derive(Clone, Debug)]
struct Pasted {
    text: String,
    secrets: Vec<String>,
}

/// Keys and tokens of the corpus, and others made up.
fn pasted() -> Vec<Pasted> {
    let tokens = lines(Kind::Jwt).into_iter().filter_map(|line| {
        let token = line.text.rsplit(' ').next()?;
        let signature = token.rsplit('.').next().filter(|part| part.len() >= RUN)?;
        Some(Pasted {
            secrets: vec![signature.to_owned()],
            text: token.to_owned(),
        })
    });
    let keys = lines(Kind::PrivateKey).into_iter().filter_map(|line| {
        let body = key_body(&line.text);
        (body.len() >= RUN).then(|| Pasted {
            secrets: vec![body],
            text: line.text,
        })
    });
    tokens.chain(keys).collect()
}

/// The base64 of the first private key block, without line breaks.
fn key_body(text: &str) -> String {
    let lines = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN"));
    lines
        .skip(1)
        .take_while(|line| !line.starts_with("-----END"))
        .filter(|line| !line.contains(':'))
        .collect()
}

/// Where people paste secrets.
const PLACES: &[&str] = &[
    "{}",
    "  {}\n",
    "look: {}",
    "HTTP/1.1 200 OK\r\nServer: x\r\nX-Api-Key: {}\r\n\r\n",
    "GET /a HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {}\r\n\r\n",
    "Set-Cookie: sid={}; Path=/; Secure; HttpOnly; SameSite=Lax",
    "https://a.example/?access_token={}",
    "https://user:{}@a.example/",
    "https://a.example/#access_token={}",
    "data:text/plain,{}",
    "{\"kty\":\"oct\",\"k\":\"{}\"}",
    "{\"access_token\":\"{}\"}",
    "{\"{}\":{\"{}\":1}}",
    "Contact: mailto:a@b.example\nExpires: 2027-06-01T00:00:00Z\n{}\n",
    "v=spf1 mx -all\n{}",
];

fn assert_unsaid(secrets: &[String], text: &str, kind: Option<Kind>) {
    let shown = match decoded(text, kind) {
        Ok(answer) => serde_json::to_string(&answer).expect("serializes"),
        Err(error) => serde_json::to_string(&error).expect("serializes"),
    };
    for secret in secrets {
        let runs = secret.as_bytes().windows(RUN);
        let said = runs
            .map(|run| String::from_utf8_lossy(run))
            .find(|run| shown.contains(&**run));
        assert_eq!(said, None, "as {kind:?}:\n{text}\n{shown}");
    }
}

fn every_kind() -> impl Iterator<Item = Option<Kind>> {
    Kind::ALL.iter().copied().map(Some).chain([None])
}

#[test]
fn a_secret_is_not_repeated_whatever_it_is_taken_for() {
    for Pasted { text, secrets } in pasted() {
        for kind in every_kind() {
            assert_unsaid(&secrets, &text, kind);
        }
    }
}

#[test]
fn a_secret_is_not_repeated_from_inside_another_encoding() {
    for Pasted { text, secrets } in pasted() {
        let secrets: Vec<String> = secrets
            .iter()
            .flat_map(|secret| [secret.clone(), STANDARD.encode(secret), hex_of(secret)])
            .collect();
        for wrapped in [
            STANDARD.encode(&text),
            URL_SAFE_NO_PAD.encode(&text),
            STANDARD.encode(STANDARD.encode(&text)),
            hex_of(&text),
            format!("data:text/plain;base64,{}", STANDARD.encode(&text)),
        ] {
            for kind in [
                None,
                Some(Kind::Base64),
                Some(Kind::Hex),
                Some(Kind::DataUri),
            ] {
                assert_unsaid(&secrets, &wrapped, kind);
            }
        }
    }
}

fn hex_of(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_secret_is_not_repeated_wherever_it_is_pasted(
        pasted in select(pasted()),
        place in select(PLACES.to_vec()),
        before in "\\PC{0,12}",
        after in "[ -~]{0,12}",
    ) {
        let text = format!("{before}{}{after}", place.replace("{}", &pasted.text));
        for kind in every_kind() {
            assert_unsaid(&pasted.secrets, &text, kind);
        }
    }
}
