//! URLs by the WHATWG standard, and what the guard would say about fetching
//! them.
//!
//! Passwords, tokens and the like in a URL are recognised and not repeated.

use ::url::Url as Parsed;
use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::verdict::Verdict;
use super::{Context, Kind, secret};
use crate::guard::text::has_invisible;

/// What there is to know about the kind `url`.
pub const FORMAT: Format = Format {
    kind: Kind::Url,
    title: "URL",
    reference: "WHATWG URL",
    example: "http://user@0x7f.1:8080/a/%2e%2e/b?access_token=abc#top",
    fields: &[
        (
            "href",
            "the URL as browsers write it, without user information and with secrets masked",
        ),
        ("scheme", "without the colon"),
        ("user", "whether a user name is given"),
        ("password", "whether a password is given"),
        ("host", "as browsers read it; null when the scheme has none"),
        (
            "port",
            "given or default port; null when the scheme has none",
        ),
        ("path", "with dot segments resolved"),
        (
            "query",
            "parameters in order: `name` and `value`, secrets masked",
        ),
        ("fragment", "behind the number sign"),
        ("origin", "scheme, host and port, or `null`"),
        (
            "guard",
            "what the guard says about fetching it: `decision` allow or refuse, \
             `reason` its class, `rule` the precise one",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context).map(Reading::untyped),
};

/// One URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Url {
    href: String,
    scheme: String,
    user: bool,
    password: bool,
    host: Option<String>,
    port: Option<u16>,
    path: String,
    query: Vec<Parameter>,
    fragment: Option<String>,
    origin: String,
    /// The guard's answer.
    pub guard: Verdict,
}

/// One parameter of the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parameter {
    name: String,
    value: String,
}

/// Reads one URL.
pub fn parse(text: &str, context: &Context) -> Result<Reading<Url>, NotThis> {
    let bare = text.trim();
    let mut parsed = Parsed::parse(bare).map_err(|_| NOT_A_URL)?;
    let mut scribe = Scribe::new(text);
    spelling(&mut scribe, bare);
    authority(&mut scribe, bare, &parsed);
    query(&mut scribe, bare);
    let (user, password) = (!parsed.username().is_empty(), parsed.password().is_some());
    // A cannot-be-a-base URL has no user information to take away.
    let _ = parsed.set_username("");
    let _ = parsed.set_password(None);
    let query: Vec<Parameter> = parsed
        .query_pairs()
        .take(PARAMETER_LIMIT)
        .map(parameter)
        .collect();
    let url = Url {
        href: masked_href(&parsed),
        scheme: parsed.scheme().to_owned(),
        user,
        password,
        host: parsed.host_str().map(str::to_owned),
        port: parsed.port_or_known_default(),
        path: parsed.path().to_owned(),
        fragment: parsed.fragment().map(|fragment| {
            if holds_secret(fragment) {
                secret::MASK.to_owned()
            } else {
                fragment.to_owned()
            }
        }),
        origin: parsed.origin().ascii_serialization(),
        query,
        guard: Verdict::of_url(bare, context),
    };
    Ok(Reading::new(url, scribe))
}

fn parameter((name, value): (std::borrow::Cow<str>, std::borrow::Cow<str>)) -> Parameter {
    let masked = is_secret_parameter(&name);
    Parameter {
        value: if masked && !value.is_empty() {
            secret::MASK.to_owned()
        } else {
            value.into_owned()
        },
        name: name.into_owned(),
    }
}

/// The URL with the values of secret parameters masked.
fn masked_href(parsed: &Parsed) -> String {
    let mut masked = parsed.clone();
    if parsed.query().is_some_and(holds_secret) {
        let pairs: Vec<String> = parsed
            .query()
            .unwrap_or_default()
            .split('&')
            .take(PARAMETER_LIMIT)
            .map(|pair| match pair.split_once('=') {
                Some((name, _)) if is_secret_parameter(name) => format!("{name}=***"),
                _ => pair.to_owned(),
            })
            .collect();
        masked.set_query(Some(&pairs.join("&")));
    }
    if parsed.fragment().is_some_and(holds_secret) {
        masked.set_fragment(Some("***"));
    }
    masked.into()
}

fn holds_secret(query: &str) -> bool {
    query.split('&').take(PARAMETER_LIMIT).any(|pair| {
        pair.split_once('=')
            .is_some_and(|(name, value)| !value.is_empty() && is_secret_parameter(name))
    })
}

fn is_secret_parameter(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    secret::is_secret_name(name) || SECRET_PARAMETERS.contains(&lower.as_str())
}

/// What parsers read differently or people do not see.
fn spelling(scribe: &mut Scribe, bare: &str) {
    for (at, c) in bare.char_indices() {
        let part = bare.get(at..at + c.len_utf8()).unwrap_or(bare);
        match c {
            '\t' | '\n' | '\r' => scribe.flag(
                REMOVED,
                part,
                "Browsers remove tabs and line breaks; other parsers do not.",
            ),
            '\\' => scribe.flag(
                BACKSLASH,
                part,
                "Browsers read a backslash as a slash; other parsers do not.",
            ),
            ' ' => scribe.flag(SPACE, part, "A space must be escaped as %20."),
            '%' => escape(scribe, bare, at),
            _ if c.is_control() || (!c.is_ascii() && has_invisible(part)) => {
                scribe.flag(INVISIBLE, part, "This character cannot be seen.");
            }
            _ => {}
        }
    }
}

fn escape(scribe: &mut Scribe, bare: &str, at: usize) {
    let pair = bare
        .get(at + 1..at + 3)
        .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
    match pair {
        None => scribe.flag(
            BAD_ESCAPE,
            bare.get(at..=at).unwrap_or(bare),
            "A percent sign is followed by two hexadecimal digits.",
        ),
        Some("25")
            if bare
                .get(at + 3..at + 5)
                .is_some_and(|next| next.bytes().all(|b| b.is_ascii_hexdigit())) =>
        {
            scribe.flag(
                DOUBLE_ESCAPE,
                bare.get(at..at + 5).unwrap_or(bare),
                "Escaped twice: decoders that decode once or twice read different URLs.",
            );
        }
        Some(pair)
            if pair.eq_ignore_ascii_case("2e")
                || pair.eq_ignore_ascii_case("2f")
                || pair.eq_ignore_ascii_case("5c") =>
        {
            scribe.flag(
                ESCAPED_DELIMITER,
                bare.get(at..at + 3).unwrap_or(bare),
                "An escaped dot, slash or backslash is resolved by some parsers and kept \
                 by others.",
            );
        }
        Some("00") => scribe.flag(
            NULL,
            bare.get(at..at + 3).unwrap_or(bare),
            "An escaped NUL ends the text for some programs.",
        ),
        Some(_) => {}
    }
}

/// Scheme, user information, host and port.
fn authority(scribe: &mut Scribe, bare: &str, parsed: &Parsed) {
    let scheme = bare.get(..parsed.scheme().len()).unwrap_or(bare);
    match parsed.scheme() {
        "https" | "wss" => {}
        "http" | "ws" | "ftp" => scribe.flag(PLAIN, scheme, "The connection is not encrypted."),
        "javascript" | "vbscript" => scribe.flag(ACTIVE, bare, "Opening this runs a script."),
        "data" => scribe.flag(
            ACTIVE,
            scheme,
            "The content is in the URL itself; decode it as kind data_uri.",
        ),
        "file" => scribe.flag(
            LOCAL_FILE,
            scheme,
            "Names a file of the machine that opens it.",
        ),
        _ => {}
    }
    let Some((_, rest)) = bare.split_once("//") else {
        return;
    };
    let end = rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or(rest);
    let host_and_port = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let (rule, message) = match user.contains(':') {
                true => (
                    PASSWORD,
                    "A password is in the URL: treat it as disclosed. It is not repeated here.",
                ),
                false => (
                    USER,
                    "What stands before the at sign is a user name, not the host.",
                ),
            };
            scribe.flag(rule, user, message);
            host
        }
        None => authority,
    };
    host(scribe, host_and_port, parsed);
}

fn host(scribe: &mut Scribe, given: &str, parsed: &Parsed) {
    let is_v6 = given.starts_with('[');
    let (name, port) = match given.rsplit_once(':') {
        Some((name, port)) if !is_v6 || name.ends_with(']') => (name, Some(port)),
        _ => (given, None),
    };
    match parsed.host() {
        Some(::url::Host::Ipv4(ip)) if name != ip.to_string() => {
            scribe.flag(
                ODD_ADDRESS,
                name,
                format!("Browsers read this as the address {ip}; other parsers may not."),
            );
        }
        Some(::url::Host::Ipv4(_) | ::url::Host::Ipv6(_)) => {
            scribe.flag(
                ADDRESS,
                name,
                "The host is an address: certificates rarely name one.",
            );
        }
        Some(::url::Host::Domain(ascii)) if !name.is_ascii() || ascii.contains("xn--") => {
            scribe.flag(
                INTERNATIONAL,
                name,
                format!(
                    "DNS knows the host as {}; decode it as kind host for look-alikes.",
                    quoted(ascii)
                ),
            );
        }
        _ => {}
    }
    if let Some(port) = port.filter(|port| !port.is_empty()) {
        let rule = if parsed.port().is_some() {
            OTHER_PORT
        } else {
            DEFAULT_PORT
        };
        scribe.flag(
            rule,
            port,
            match parsed.port() {
                Some(_) => "Not the default port of the scheme.",
                None => "The default port need not be written.",
            },
        );
    }
}

fn query(scribe: &mut Scribe, bare: &str) {
    let before = bare.split('#').next().unwrap_or(bare);
    let query = before.split_once('?').map(|(_, query)| query);
    let fragment = bare.split_once('#').map(|(_, fragment)| fragment);
    let pairs = query
        .into_iter()
        .chain(fragment)
        .flat_map(|part| part.split('&'))
        .take(PARAMETER_LIMIT);
    for pair in pairs {
        let Some((name, value)) = pair.split_once('=').filter(|(_, value)| !value.is_empty())
        else {
            continue;
        };
        if is_secret_parameter(name) {
            scribe.flag(
                SECRET,
                pair,
                format!(
                    "The parameter {} holds a secret: URLs end up in logs and histories. It \
                     is not repeated here.",
                    quoted(name)
                ),
            );
        } else if value.starts_with("http%3A")
            || value.starts_with("https%3A")
            || value.starts_with("http://")
            || value.starts_with("https://")
            || value.starts_with("//")
        {
            scribe.flag(
                INNER_URL,
                pair,
                "The parameter holds another URL: a redirect perhaps.",
            );
        }
    }
}

fn sniff(text: &str) -> u8 {
    let bare = text.trim();
    let Some((scheme, rest)) = bare.split_once(':') else {
        return 0;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    if !is_scheme || bare.contains('\n') {
        return 0;
    }
    let lower = scheme.to_ascii_lowercase();
    match rest.starts_with("//") && !rest.starts_with("// ") {
        true if !bare.contains(' ') => 96,
        true => 60,
        false
            if matches!(
                lower.as_str(),
                "mailto" | "javascript" | "tel" | "urn" | "blob"
            ) =>
        {
            80
        }
        false => 0,
    }
}

const PARAMETER_LIMIT: usize = 128;

const NOT_A_URL: NotThis =
    NotThis("a URL begins with a scheme, such as https://www.example.com/path.");

/// Parameters that carry credentials, beside the names in [`secret`].
const SECRET_PARAMETERS: &[&str] = &[
    "auth",
    "code",
    "id_token",
    "jwt",
    "key",
    "pass",
    "sid",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-signature",
];

rules! {
    PASSWORD = "url.password", High, "RFC 3986 section 3.2.1",
        "The URL carries a password.";
    SECRET = "url.secret_parameter", High, "RFC 6750 section 5.3",
        "A parameter carries a secret.";
    USER = "url.user", Medium, "RFC 3986 section 7.6",
        "A user name stands where readers expect the host.";
    ODD_ADDRESS = "url.odd_address", Medium, "WHATWG URL section 3.5",
        "The host is an address in disguise.";
    ADDRESS = "url.address", Low, "RFC 3986 section 3.2.2",
        "The host is an address.";
    INTERNATIONAL = "url.international_host", Info, "RFC 5890",
        "The host has letters beyond ASCII.";
    PLAIN = "url.unencrypted", Low, "RFC 9110 section 4.2.1",
        "The scheme does not encrypt.";
    ACTIVE = "url.active", High, "WHATWG HTML section 7.4.2.3.2",
        "Opening the URL runs or shows what it contains.";
    LOCAL_FILE = "url.local_file", Medium, "RFC 8089 section 4",
        "The URL names a local file.";
    BACKSLASH = "url.backslash", Medium, "WHATWG URL section 4.4",
        "A backslash is read as a slash by some parsers only.";
    REMOVED = "url.removed_character", Medium, "WHATWG URL section 4.4",
        "A tab or line break is removed by some parsers only.";
    INVISIBLE = "url.invisible", Medium, "UTS #46 section 4",
        "The URL has invisible characters.";
    SPACE = "url.space", Low, "RFC 3986 section 2",
        "The URL has a space.";
    BAD_ESCAPE = "url.bad_escape", Low, "RFC 3986 section 2.1",
        "A percent-escape is malformed.";
    DOUBLE_ESCAPE = "url.double_escape", Low, "RFC 3986 section 2.4",
        "A percent-escape is escaped again.";
    ESCAPED_DELIMITER = "url.escaped_delimiter", Low, "RFC 3986 section 2.2",
        "A dot, slash or backslash is escaped.";
    NULL = "url.null", Medium, "RFC 3986 section 7.3",
        "The URL has an escaped NUL.";
    OTHER_PORT = "url.other_port", Info, "RFC 3986 section 3.2.3",
        "The port is not the default one.";
    DEFAULT_PORT = "url.default_port", Info, "RFC 3986 section 3.2.3",
        "The default port is written out.";
    INNER_URL = "url.inner_url", Info, "CWE-601",
        "A parameter holds another URL.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn url(text: &str) -> Reading<Url> {
        let guard = Guard::default();
        parse(
            text,
            &Context {
                guard: &guard,
                now_ms: 0,
            },
        )
        .unwrap()
    }

    #[test]
    fn the_guard_speaks_with_class_and_rule() {
        let refused = url("http://169.254.169.254/latest/meta-data").value.guard;
        assert_eq!(
            (refused.decision, refused.reason),
            ("refuse", Some("address"))
        );
        assert_eq!(refused.rule, Some("ipv4.cloud_metadata"));
        let allowed = url("https://www.example.com/").value.guard;
        assert_eq!(
            (allowed.decision, allowed.reason, allowed.rule),
            ("allow", None, None)
        );
    }

    #[test]
    fn secrets_are_not_repeated() {
        let reading =
            url("https://bob:hunter2@www.example.com/?access_token=s3cr3t&x=1#id_token=t0k3n");
        let shown = serde_json::to_string(&reading.value).unwrap();
        for secret in ["hunter2", "s3cr3t", "t0k3n", "bob"] {
            assert!(!shown.contains(secret), "{shown}");
            assert!(reading.problems.iter().all(|p| !p.message.contains(secret)));
        }
        assert!(reading.has("url.password") && reading.has("url.secret_parameter"));
    }

    #[test]
    fn addresses_in_disguise_are_named() {
        for text in [
            "http://0x7f.1/",
            "http://2130706433/",
            "http://127.1/",
            "http://0177.0.0.1/",
        ] {
            let reading = url(text);
            assert!(reading.has("url.odd_address"), "{text}");
            assert_eq!(reading.value.host.as_deref(), Some("127.0.0.1"));
            assert_eq!(reading.value.guard.decision, "refuse");
        }
    }

    #[test]
    fn what_parsers_disagree_on_is_pointed_at() {
        for (text, code, at) in [
            ("https://a.example\\@b.example/", "url.backslash", 17),
            ("https://a.example/%252e", "url.double_escape", 18),
            ("https://a.example/%2e%2e/x", "url.escaped_delimiter", 18),
            ("https://a.example/%zz", "url.bad_escape", 18),
            ("https://a.ex\tample/", "url.removed_character", 12),
            ("https://user@a.example/", "url.user", 8),
            ("https://a.example:443/", "url.default_port", 18),
        ] {
            let reading = url(text);
            let problem = reading.problems.iter().find(|p| p.code == code);
            assert_eq!(
                problem.map(|p| p.span.start),
                Some(at),
                "{text}: {:?}",
                reading.problems
            );
        }
    }

    #[test]
    fn text_without_scheme_is_no_url() {
        let guard = Guard::default();
        assert!(
            parse(
                "www.example.com/x",
                &Context {
                    guard: &guard,
                    now_ms: 0
                }
            )
            .is_err()
        );
    }
}
