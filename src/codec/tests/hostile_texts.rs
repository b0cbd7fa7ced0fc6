//! Texts that try to cost more than they should: as long as they may be,
//! nested, repeated, bottomless. Shared by the tests and `benches/decode.rs`.

use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;

/// The longest text that is read, in bytes.
const TEXT_LIMIT: usize = 64 * 1024;

const CERTIFICATE: &str = include_str!("../certificate/example.pem");
const REQUEST: &str = include_str!("../csr/example.pem");

/// `piece` over and over, up to the limit.
fn full_of(piece: &str) -> String {
    piece.repeat(TEXT_LIMIT / piece.len())
}

/// `head`, then `piece` over and over, then `tail`.
fn filled(head: &str, piece: &str, tail: &str) -> String {
    let room = TEXT_LIMIT - head.len() - tail.len();
    format!("{head}{}{tail}", piece.repeat(room / piece.len()))
}

/// DER: `depth` sequences of indefinite promise, one inside the other.
fn nested_der(depth: usize) -> Vec<u8> {
    let mut der = vec![5, 0];
    for _ in 0..depth {
        let length = der.len();
        let mut header = vec![0x30];
        match length {
            0..=127 => header.push(length as u8),
            128..=255 => header.extend([0x81, length as u8]),
            _ => header.extend([0x82, (length >> 8) as u8, length as u8]),
        }
        header.extend(der);
        der = header;
    }
    der
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// JSON inside base64 inside base64 ... as often as it fits.
fn nested_base64() -> String {
    let mut text = String::from("{\"a\":1}");
    while text.len() * 4 / 3 + 4 <= TEXT_LIMIT {
        text = STANDARD.encode(&text);
    }
    text
}

pub fn texts() -> Vec<(&'static str, String)> {
    let claims_more = [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x02, 0x01];
    let endless_oid: Vec<u8> = [0x30, 0x82, 0x80, 0x04, 0x06, 0x82, 0x80, 0x00]
        .into_iter()
        .chain([0xff; 32 * 1024])
        .collect();
    vec![
        ("zeroes", full_of("\0")),
        ("letters", full_of("a")),
        ("digits", full_of("9")),
        ("spaces", filled("v", " ", "=")),
        ("line breaks", filled("a", "\n", "b")),
        ("emoji", full_of("😀")),
        ("invisible", full_of("\u{202e}\u{200b}")),
        ("dots", full_of(".")),
        ("labels", full_of("a.")),
        ("semicolons", filled("v=DMARC1", ";", "")),
        ("tags", filled("v=DMARC1; p=none", ";a=1", "")),
        ("other tags", filled("v=DKIM1; p=", ";b=", "")),
        (
            "rua",
            filled("v=DMARC1; p=none; rua=", "mailto:a@b.example,", ""),
        ),
        ("spf terms", filled("v=spf1", " include:a.example", " -all")),
        ("spf macros", filled("v=spf1 exists:", "%{i}", "")),
        ("txt strings", full_of("\"v=spf1 -all\"\n")),
        (
            "csp directives",
            filled("default-src 'self'", ";a-src x", ""),
        ),
        (
            "csp repeats",
            filled("default-src 'self'", ";img-src *", ""),
        ),
        ("csp sources", filled("script-src", " 'nonce-a'", "")),
        (
            "csp policies",
            filled("default-src 'self'", ",img-src *", ""),
        ),
        ("hsts", filled("max-age=1", ";preload", "")),
        ("cookies", full_of("Set-Cookie: a=b; Secure\n")),
        ("cookie attributes", filled("a=b", "; Path=/", "")),
        ("features", filled("camera=()", ", camera=*", "")),
        ("members", filled("camera=(", "self ", ")")),
        ("security.txt", full_of("Contact: mailto:a@b.example\n")),
        ("alternatives", filled("h3=\":443\"", ",h3=\":443\"", "")),
        (
            "results",
            filled("a.example", "; spf=fail smtp.mailfrom=a", ""),
        ),
        ("comments", filled("a.example; spf", "(", "=pass")),
        ("fields", filled("HTTP/1.1 200 OK\r\n", "a: b\r\n", "")),
        (
            "policies in a head",
            filled("HTTP/1.1 200 OK\r\n", "Content-Security-Policy: a\r\n", ""),
        ),
        ("escapes", filled("https://a.example/", "%25", "")),
        (
            "parameters",
            filled("https://a.example/?", "a=https://b.example&", ""),
        ),
        ("dot segments", filled("https://a.example/", "a/../", "")),
        ("at signs", filled("https://", "a@", "b.example/")),
        ("punycode", filled("xn--", "z", ".com")),
        ("data", filled("data:text/html,", "%3C", "")),
        ("hex", full_of("0:")),
        ("brackets", full_of("[")),
        (
            "closed brackets",
            "[".repeat(TEXT_LIMIT / 2) + &"]".repeat(TEXT_LIMIT / 2),
        ),
        ("braces", full_of("{\"a\":")),
        ("members twice", filled("{\"a\":1", ",\"a\":1", "}")),
        ("members each", {
            let members: Vec<String> = (0..6_000).map(|n| format!("\"m{n}\":1")).collect();
            format!("{{{}}}", members.join(","))
        }),
        ("escaped string", filled("\"", "\\u0000", "\"")),
        ("open string", filled("\"", "\\\\", "")),
        ("huge number", full_of("1")),
        ("token", filled("eyJhbGciOiJub25lIn0.", "W", ".")),
        (
            "token of brackets",
            format!(
                "eyJhbGciOiJub25lIn0.{}.",
                STANDARD.encode("[".repeat(40_000))
            ),
        ),
        ("keys", filled("{\"keys\":[", "{\"kty\":\"oct\"},", "1]}")),
        ("begin lines", full_of("-----BEGIN CERTIFICATE-----\n")),
        (
            "empty blocks",
            full_of("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        ),
        (
            "key blocks",
            full_of("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
        ),
        ("certificates", full_of(CERTIFICATE)),
        ("requests", full_of(REQUEST)),
        ("nested DER", pem("CERTIFICATE", &nested_der(10_000))),
        (
            "nested DER as a key",
            pem("PRIVATE KEY", &nested_der(10_000)),
        ),
        (
            "nested DER as a request",
            pem("CERTIFICATE REQUEST", &nested_der(10_000)),
        ),
        ("DER that claims more", pem("CERTIFICATE", &claims_more)),
        ("an endless identifier", pem("CERTIFICATE", &endless_oid)),
        ("bare DER", STANDARD.encode(nested_der(10_000))),
        ("nested base64", nested_base64()),
        ("caa", full_of("0 issue \"a.example\"\n")),
        (
            "caa parameters",
            filled("0 issue \"a.example", "; a=b", "\""),
        ),
        ("tlsa", full_of("3 1 1 ab\n")),
        ("sts", filled("version: STSv1\n", "mx: a.example\n", "")),
    ]
}
