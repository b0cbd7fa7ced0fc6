//! How the page is served: status, protocol, compression, caching, and what
//! the server tells about itself.

use serde_json::Value;

use super::Case;
use super::dns::service::usable;
use super::http::{self, Page};
use crate::codec::{alt_svc, moment};
use crate::guard::text::clean;
use crate::report::{Confidence, Finding, Severity};

checks! {
    STATUS {
        id: "http.status",
        about: "What status the page has at the end of the redirects. How long each request took stands with \
            its hop as timing, outside of what reports are compared by.",
        reference: "RFC 9110 section 15",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -iE '^(HTTP|location)'",
        maps_to: [],
    }

    PROTOCOL {
        id: "http.protocol",
        about: "Which versions of HTTP a browser can speak over TCP. The page is read over HTTP/1.1; HTTP/2 is \
            told by the protocol that the server chooses in the handshake (ALPN).",
        when: [
            Pass "It chose HTTP/2.",
            Warn "It answers with HTTP/1.0.",
            Info "It chose no HTTP/2, or the page comes over plain HTTP.",
            Inconclusive "The platform's own client fetched the page, or no handshake with HTTP/2 on offer came to an end.",
        ],
        reference: "RFC 9113 section 3.2",
        reproduce: "curl -sSI --http2 {page} | head -n 1",
        also: ["openssl s_client -connect {host}:443 -servername {host} -alpn h2,http/1.1 </dev/null"],
        maps_to: [],
    }

    HTTP3 {
        id: "http.http3",
        about: "Whether HTTP/3 is advertised, by the Alt-Svc header or the HTTPS record. No QUIC connection is \
            made: a Worker cannot.",
        when: [
            Inconclusive "Neither says so, and the record could not be had.",
        ],
        reference: "RFC 9114 section 3.1.1",
        reproduce: "curl -sSIL {page} | grep -i alt-svc; dig {host} HTTPS +short",
        maps_to: [],
    }

    COMPRESSION {
        id: "http.compression",
        about: "Whether the page comes compressed to a client that takes gzip.",
        when: [
            Inconclusive "The platform's own client fetched the page, and decodes by itself; or a short page broke off.",
            Pass "It comes compressed, or is shorter than 1,400 bytes.",
        ],
        reference: "RFC 9110 section 8.4",
        reproduce: "curl -sSL -o /dev/null -D - -H 'Accept-Encoding: gzip' {page} | grep -i content-encoding",
        maps_to: [],
    }

    BANNER {
        id: "http.banner",
        about: "Whether headers or the page tell which software in which version serves it. That opens nothing \
            by itself; it tells which known holes to try.",
        reference: "RFC 9110 section 10.2.4",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -iE '^(server|x-powered-by|x-aspnet|x-generator)'",
        maps_to: ["cwe:200", "owasp:WSTG-INFO-02"],
    }

    CACHE {
        id: "http.cache",
        about: "Whether an answer that sets cookies, or asks who is there, is kept out of caches that several \
            people share. A Set-Cookie alone does not do that.",
        when: [
            Warn "Shared caches may keep it: public, max-age or s-maxage without private, no-store or no-cache (medium), or nothing is said and the status is one that caches guess for (low).",
            NotApplicable "No cookie is set and the status is not 401.",
        ],
        reference: "RFC 9111 sections 3 and 7.3",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -iE '^(cache-control|set-cookie|expires|pragma|vary)'",
        maps_to: ["cwe:524", "cwe:525"],
    }

    DEPRECATED {
        id: "http.deprecated_headers",
        about: "Whether headers are sent that browsers have given up, some of them harmful where they still \
            work.",
        reference: "MDN, HTTP headers, deprecated",
        reproduce: "curl -sSL -o /dev/null -D - {page} | grep -iE '^(x-xss-protection|expect-ct|public-key-pins|feature-policy|p3p|x-webkit-csp|x-content-security-policy)'",
        maps_to: [],
    }
}

/// Bytes below which compressing gains nothing.
const WORTH_COMPRESSING: usize = 1_400;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    let Some(page) = http::arrived(case, CHECKS, findings) else {
        return;
    };
    status(case, &page, findings);
    protocol(case, &page, findings);
    http3(case, &page, findings);
    compression(case, &page, findings);
    banner(case, &page, findings);
    cache(case, &page, findings);
    deprecated(case, &page, findings);
}

fn status(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let status = page.response.status;
    let draft = match status {
        200..=299 => case.pass(STATUS, format!("The page answers with status {status}.")),
        401 | 403 | 407 => case.info(STATUS, format!("The page asks who is there (status {status}).")),
        429 | 503 => case
            .info(STATUS, format!("The server is busy or keeps us out (status {status}); what is said of its headers is said of that answer."))
            .confidence(Confidence::Medium),
        500..=599 => case
            .fail(STATUS, Severity::Medium, format!("The server fails (status {status})."))
            .fix("Look into the server's log at the time of this report."),
        _ => case.warn(STATUS, Severity::Low, format!("The page answers with status {status}."))
            .fix("Answer the address that people type with a page."),
    };
    draft.evidence(page.at("status")).add(findings);
}

fn protocol(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let handshakes = case
        .rendered
        .pointer("/tls/handshakes")
        .and_then(Value::as_object);
    let chosen = handshakes
        .into_iter()
        .flatten()
        .find_map(|(member, handshake)| {
            (handshake["alpn"] == "h2").then(|| format!("/tls/handshakes/{member}/alpn"))
        });
    let tls = &case.probes.tls;
    let was_offered = matches!(tls.up_to_12, Some(Ok(_))) || matches!(tls.only_13, Some(Ok(_)));
    let evidence = page.at("httpVersion");
    match (chosen, page.response.minor_version) {
        (Some(pointer), _) => case
            .pass(PROTOCOL, "The server speaks HTTP/2 and HTTP/1.1.")
            .evidence(pointer),
        (None, _) if page.response.by_platform => case.inconclusive(
            PROTOCOL,
            "the platform's client fetched the page, and does not tell the version",
        ),
        (None, 0) => case
            .warn(
                PROTOCOL,
                Severity::Low,
                "The server answers with HTTP/1.0: every request needs a connection of its own.",
            )
            .fix("Serve HTTP/1.1 and HTTP/2."),
        (None, _) if page.member == "http" => {
            case.info(PROTOCOL, "The page comes over plain HTTP/1.1.")
        }
        (None, _) if !was_offered => case.inconclusive(
            PROTOCOL,
            "no handshake with HTTP/2 on offer came to an end; the page came over HTTP/1.1",
        ),
        (None, _) => case
            .info(
                PROTOCOL,
                "The server chose no HTTP/2 in the handshakes made; it speaks HTTP/1.1.",
            )
            .confidence(Confidence::Medium),
    }
    .evidence(evidence)
    .add(findings);
}

fn http3(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let by_header = page
        .field("alt-svc")
        .and_then(|value| alt_svc::parse(value).ok())
        .is_some_and(|reading| reading.value.http3);
    let https = case.probes.records("https");
    let by_record = https.is_some_and(|https| {
        let mut params = usable(https).into_iter().flatten();
        params.any(|param| param.key == "alpn" && param.value.split(',').any(|name| name == "h3"))
    });
    // An address has no such record.
    let asked =
        case.probes.url.ip().is_some() || https.is_some_and(|exchange| exchange.is_conclusive());
    match (by_header, by_record) {
        (true, true) => case.pass(
            HTTP3,
            "HTTP/3 is advertised by Alt-Svc and by the HTTPS record.",
        ),
        (true, false) => case.pass(HTTP3, "HTTP/3 is advertised by Alt-Svc."),
        (false, true) => case.pass(HTTP3, "HTTP/3 is advertised by the HTTPS record."),
        (false, false) if !asked => case.inconclusive(
            HTTP3,
            "the HTTPS record could not be had, and no header tells",
        ),
        (false, false) => case.info(HTTP3, "HTTP/3 is not advertised."),
    }
    .evidence(page.header("alt-svc"))
    .evidence("/dns/https/status")
    .add(findings);
}

fn compression(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let by_platform = page.response.by_platform;
    let codings = page.response.codings().join(", ");
    let text = page.field("content-type").is_none_or(|media_type| {
        let media_type = media_type.to_ascii_lowercase();
        ["text/", "json", "xml", "javascript"]
            .iter()
            .any(|word| media_type.contains(word))
    });
    let bytes = page.response.body.len();
    match codings.as_str() {
        "" if by_platform => case.inconclusive(
            COMPRESSION,
            "the platform's client fetched the page, and decodes by itself",
        ),
        "" if !text => case.not_applicable(COMPRESSION, "The answer is no text."),
        "" if bytes < WORTH_COMPRESSING && page.response.incomplete => {
            case.inconclusive(COMPRESSION, "the page broke off before its end")
        }
        "" if bytes < WORTH_COMPRESSING => case.pass(
            COMPRESSION,
            "The page is too short to be worth compressing.",
        ),
        "" => case
            .warn(COMPRESSION, Severity::Low, "The page comes uncompressed.")
            .fix("Compress text for clients that take gzip or br."),
        codings => case.pass(
            COMPRESSION,
            format!("The page comes compressed ({}).", clean(codings, 40)),
        ),
    }
    .evidence(page.header("content-encoding"))
    .evidence(page.at("bytes"))
    .add(findings);
}

fn banner(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    const FIELDS: [&str; 6] = [
        "server",
        "x-powered-by",
        "x-aspnet-version",
        "x-aspnetmvc-version",
        "x-generator",
        "x-drupal-dynamic-cache",
    ];
    let mut telling: Vec<(String, String)> = FIELDS
        .iter()
        .filter_map(|name| Some((page.header(name), page.field(name)?.to_owned())))
        .collect();
    let generator = page
        .journey
        .contents
        .as_ref()
        .and_then(|c| c.generator.clone());
    telling.extend(generator.map(|text| (page.at("contents/generator"), text)));
    let versioned: Vec<&(String, String)> = telling
        .iter()
        .filter(|(_, text)| has_version(text))
        .collect();
    let mut draft = match (telling.is_empty(), versioned.as_slice()) {
        (_, [(_, first), ..]) => case
            .warn(BANNER, Severity::Low, format!("The server tells its version: {}.", clean(first, 80)))
            .fix("Switch off version numbers (ServerTokens Prod, server_tokens off, expose_php Off), and keep the software current."),
        (false, []) => case.pass(BANNER, "The server names itself without a version."),
        (true, []) => case.pass(BANNER, "The server does not name itself."),
    };
    let shown: Vec<&String> = match versioned.is_empty() {
        true => telling.iter().map(|(place, _)| place).collect(),
        false => versioned.iter().map(|(place, _)| place).collect(),
    };
    for place in shown.into_iter().take(3) {
        draft = draft.evidence(place);
    }
    draft.add(findings);
}

/// Digits around a dot, as in `nginx/1.25` and `PHP 8.1.2`.
fn has_version(text: &str) -> bool {
    text.as_bytes()
        .windows(3)
        .any(|three| matches!(three, [a, b'.', b] if a.is_ascii_digit() && b.is_ascii_digit()))
}

fn cache(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    let personal = page.field("set-cookie").is_some();
    let asks = page.response.status == 401;
    if !personal && !asks {
        return case
            .not_applicable(
                CACHE,
                "The page sets no cookie and does not ask who is there.",
            )
            .evidence(page.header("cache-control"))
            .add(findings);
    }
    let directives: Vec<String> = page
        .response
        .fields_named("cache-control")
        .flat_map(listed)
        .map(|word| word.trim().to_ascii_lowercase())
        .collect();
    // no-cache="set-cookie" keeps the field out, the answer in.
    let has = |name: &str| directives.iter().any(|word| word == name);
    let kept_out = has("no-store") || has("private") || has("no-cache");
    let age = |name: &str| {
        directives.iter().find_map(|word| {
            let (known, seconds) = word.split_once('=')?;
            let seconds = seconds.trim().trim_matches('"').parse::<u64>().ok()?;
            (known.trim() == name).then_some(seconds)
        })
    };
    // Shared caches heed their own age first, and a date only without any; one
    // that is none has passed (RFC 9111 sections 5.2.2.10 and 5.3).
    let left = age("s-maxage").or(age("max-age"));
    let until = page.field("expires").filter(|_| left.is_none());
    let left = left.map(|seconds| seconds > 0).or(until
        .map(|date| moment::from_cookie_date(date).is_some_and(|until| until > case.probes.now())));
    let stale = left == Some(false);
    let fix = "Send \"Cache-Control: private\" or \"no-store\" with every answer that is meant for one person.";
    if kept_out || stale {
        case.pass(CACHE, "Shared caches keep no copy to give to others.")
    } else if has("public") || left == Some(true) {
        case.warn(CACHE, Severity::Medium, "Shared caches may keep an answer that is meant for one person.").fix(fix)
    } else if !GUESSED.contains(&page.response.status) {
        case.pass(CACHE, format!("Shared caches keep no answer of status {} that does not say how long.", page.response.status))
    } else {
        case.warn(CACHE, Severity::Low, "Nothing is said to caches about an answer that is meant for one person; they may guess.").fix(fix)
    }
    .evidence(page.header("cache-control"))
    .evidence(page.header("expires"))
    .evidence(page.header("set-cookie"))
    .add(findings);
}

/// Statuses of which caches may guess how long to keep an answer (RFC 9110
/// section 15.1).
const GUESSED: [u16; 12] = [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501];

/// The members of a list whose commas may stand in quotes.
fn listed(value: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    value.split(move |c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    })
}

fn deprecated(case: &Case<'_>, page: &Page<'_>, findings: &mut Vec<Finding>) {
    const GIVEN_UP: [&str; 8] = [
        "x-xss-protection",
        "expect-ct",
        "public-key-pins",
        "public-key-pins-report-only",
        "feature-policy",
        "p3p",
        "x-webkit-csp",
        "x-content-security-policy",
    ];
    // Zero switches the filter off, which is what is recommended.
    let sent: Vec<&str> = GIVEN_UP
        .into_iter()
        .filter(|name| {
            page.field(name)
                .is_some_and(|value| *name != "x-xss-protection" || !value.starts_with('0'))
        })
        .collect();
    let mut draft = match sent.is_empty() {
        true => case.pass(DEPRECATED, "No header is sent that browsers have given up."),
        false => case
            .warn(
                DEPRECATED,
                Severity::Info,
                format!("Headers that browsers have given up: {}.", sent.join(", ")),
            )
            .fix("Remove them; Content-Security-Policy and Permissions-Policy do their work."),
    };
    for name in sent.iter().take(3) {
        draft = draft.evidence(page.header(name));
    }
    draft.add(findings);
}

#[cfg(test)]
mod tests {
    use super::has_version;

    #[test]
    fn a_version_is_told_from_a_name() {
        for text in ["Apache/2.2.3 (CentOS)", "PHP/5.4.45", "WordPress 6.1"] {
            assert!(has_version(text), "{text}");
        }
        for text in ["nginx", "cloudflare", "Apache", "IIS 10", "x.y"] {
            assert!(!has_version(text), "{text}");
        }
    }
}
