//! Alt-Svc (RFC 7838).

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::{Kind, header};

/// What there is to know about the kind `alt_svc`.
pub const FORMAT: Format = Format {
    kind: Kind::AltSvc,
    title: "Alt-Svc header",
    reference: "RFC 7838",
    example: "h3=\":443\"; ma=86400, h3-29=\":443\", h2=\"alt.example.net:8443\"; persist=1",
    fields: &[
        ("clear", "whether all alternatives are withdrawn"),
        (
            "services",
            "each alternative: `protocol`, `host` (null for the same), `port`, \
             `maxAge` in seconds, `persist`",
        ),
        ("http3", "whether HTTP/3 is offered"),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AltSvc {
    /// `clear`.
    pub clear: bool,
    /// In order of preference; at most 64.
    pub services: Vec<Service>,
    /// Whether `h3` is among them.
    pub http3: bool,
}

/// One alternative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// ALPN name, percent-escapes undone.
    pub protocol: String,
    /// None for the same host.
    pub host: Option<String>,
    /// TCP or UDP port.
    pub port: u16,
    /// Seconds; a day when not given.
    pub max_age: u64,
    /// Whether it survives a change of network.
    pub persist: bool,
}

/// Reads one field, with or without its name.
///
/// # Errors
/// [`NotThis`] when no alternative can be read and it is not `clear`.
pub fn parse(text: &str) -> Result<Reading<AltSvc>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut alt_svc = AltSvc {
        clear: false,
        services: Vec::new(),
        http3: false,
    };
    for field in header::fields(text, HEADERS) {
        for part in split_outside_quotes(field.value, ',')
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .take(SERVICE_LIMIT)
        {
            if part == "clear" {
                alt_svc.clear = true;
            } else if let Some(service) = service(&mut scribe, part) {
                alt_svc.services.push(service);
            }
        }
        if alt_svc.clear && !alt_svc.services.is_empty() {
            scribe.flag(CLEAR_WITH_OTHERS, field.value, "`clear` stands alone.");
        }
    }
    if !alt_svc.clear && alt_svc.services.is_empty() {
        return Err(NotThis(
            "Alt-Svc is `clear` or a list such as `h3=\":443\"; ma=86400`.",
        ));
    }
    alt_svc.http3 = alt_svc
        .services
        .iter()
        .any(|service| service.protocol == "h3");
    Ok(Reading::new(alt_svc, scribe))
}

/// `protocol-id "=" quoted-authority *(";" parameter)`.
fn service(scribe: &mut Scribe, part: &str) -> Option<Service> {
    let pieces = split_outside_quotes(part, ';');
    let alternative = pieces.first()?.trim();
    let Some((protocol, authority)) = alternative.split_once('=') else {
        scribe.flag(
            SYNTAX,
            alternative,
            format!("{} is no `protocol=\"host:port\"`.", quoted(alternative)),
        );
        return None;
    };
    let quoted_authority = authority
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if quoted_authority.is_none() {
        scribe.flag(SYNTAX, authority, "The authority stands in double quotes.");
    }
    let bare = quoted_authority.unwrap_or(authority).trim_matches('"');
    let port = bare
        .rsplit_once(':')
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    let Some((host, port)) = port else {
        scribe.flag(
            NO_PORT,
            if bare.is_empty() { authority } else { bare },
            "The port is missing or no number.",
        );
        return None;
    };
    judge(scribe, protocol, bare, host);
    let mut service = Service {
        protocol: protocol.replace("%2D", "-").replace("%25", "%"),
        host: (!host.is_empty()).then(|| host.to_ascii_lowercase()),
        port,
        max_age: 86_400,
        persist: false,
    };
    for parameter in pieces
        .iter()
        .skip(1)
        .map(|piece| piece.trim())
        .filter(|piece| !piece.is_empty())
        .take(16)
    {
        self::parameter(scribe, parameter, &mut service);
    }
    Some(service)
}

fn judge(scribe: &mut Scribe, protocol: &str, authority: &str, host: &str) {
    if protocol.starts_with("h3-") || protocol == "quic" || protocol.starts_with("hq") {
        scribe.flag(
            DRAFT_PROTOCOL,
            protocol,
            "A protocol of the time before HTTP/3; browsers no longer use it.",
        );
    } else if !matches!(protocol, "h3" | "h2" | "h2c" | "http%2F1.1" | "http/1.1") {
        scribe.flag(
            UNKNOWN_PROTOCOL,
            protocol,
            format!(
                "{} is no protocol that browsers use here.",
                quoted(protocol)
            ),
        );
    }
    if !host.is_empty() {
        scribe.flag(
            OTHER_HOST,
            authority,
            "Another host: it must hold a certificate for the original one.",
        );
    }
}

fn parameter(scribe: &mut Scribe, parameter: &str, service: &mut Service) {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let bare = value.trim_matches('"');
    match name {
        "ma" => match bare.parse() {
            Ok(age) => {
                service.max_age = age;
                if age == 0 {
                    scribe.flag(
                        ZERO_AGE,
                        parameter,
                        "Zero seconds: the alternative is forgotten at once.",
                    );
                }
            }
            Err(_) => scribe.flag(BAD_PARAMETER, parameter, "`ma` is a number of seconds."),
        },
        "persist" if bare == "1" => service.persist = true,
        "persist" => scribe.flag(
            BAD_PARAMETER,
            parameter,
            "The only value of `persist` is 1.",
        ),
        "v" => scribe.flag(BAD_PARAMETER, parameter, "`v` belonged to Google QUIC."),
        _ => scribe.flag(
            BAD_PARAMETER,
            parameter,
            format!("{} is not defined and ignored.", quoted(name)),
        ),
    }
}

/// Splits at a character, but not inside double quotes.
fn split_outside_quotes(text: &str, at: char) -> Vec<&str> {
    let mut quoted = false;
    let is_cut = move |c: char| {
        quoted ^= c == '"';
        c == at && !quoted
    };
    text.split(is_cut).collect()
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let value = text.trim();
    let protocol = value.split('=').next().unwrap_or_default();
    let known = protocol.starts_with("h3") || protocol.starts_with("h2") || protocol == "quic";
    u8::from(known && value.contains("=\"") && value.contains(':')) * 93
}

const HEADERS: &[&str] = &["alt-svc"];
const SERVICE_LIMIT: usize = 64;

rules! {
    SYNTAX = "alt_svc.syntax", High, "RFC 7838 section 3",
        "An alternative does not follow the grammar.";
    NO_PORT = "alt_svc.no_port", High, "RFC 7838 section 3",
        "An alternative has no port.";
    CLEAR_WITH_OTHERS = "alt_svc.clear_with_others", Medium, "RFC 7838 section 3",
        "`clear` stands beside alternatives.";
    BAD_PARAMETER = "alt_svc.bad_parameter", Low, "RFC 7838 section 3.1",
        "A parameter is malformed or unknown.";
    DRAFT_PROTOCOL = "alt_svc.draft_protocol", Low, "RFC 9114 section 3.1",
        "A protocol version is outdated.";
    UNKNOWN_PROTOCOL = "alt_svc.unknown_protocol", Low, "RFC 7838 section 3",
        "A protocol is not known.";
    ZERO_AGE = "alt_svc.zero_age", Low, "RFC 7838 section 3.1",
        "The alternative is forgotten at once.";
    OTHER_HOST = "alt_svc.other_host", Info, "RFC 7838 section 2.1",
        "The alternative is another host.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alternatives_are_read() {
        let reading =
            parse("Alt-Svc: h2=\"alt.example.com:8000\"; ma=60; persist=1, h3=\":443\"").unwrap();
        let services = &reading.value.services;
        assert_eq!(
            services[0],
            Service {
                protocol: "h2".into(),
                host: Some("alt.example.com".into()),
                port: 8000,
                max_age: 60,
                persist: true
            }
        );
        assert_eq!(
            (
                services[1].host.as_deref(),
                services[1].max_age,
                reading.value.http3
            ),
            (None, 86_400, true)
        );
        assert!(parse("clear").unwrap().value.clear);
    }

    #[test]
    fn faults_are_named() {
        for (text, code) in [
            ("h3=:443", "alt_svc.syntax"),
            ("h3=\"x\", h2=\":1\"", "alt_svc.no_port"),
            ("h3=\":443\", clear", "alt_svc.clear_with_others"),
            ("h3-29=\":443\"", "alt_svc.draft_protocol"),
            ("h3=\":443\"; ma=x", "alt_svc.bad_parameter"),
        ] {
            assert!(parse(text).unwrap().has(code), "{text}");
        }
        assert!(parse("nothing").is_err());
    }
}
