//! The head of an HTTP message (RFC 9110, RFC 9112): status or request line
//! and fields, as curl or a browser shows them.
//!
//! Fields that are a kind of their own are read as that kind, and their
//! problems point into this text. Credentials are masked.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::format::{Format, NotThis, Outcome, Reading, Scribe, quoted, range_within};
use super::{
    Context, Kind, Problem, alt_svc, authentication_results, csp, hsts, permissions_policy, secret,
    set_cookie,
};

mod judge;

/// What there is to know about the kind `http_head`.
pub const FORMAT: Format = Format {
    kind: Kind::HttpHead,
    title: "HTTP message head",
    reference: "RFC 9112",
    example: "HTTP/1.1 200 OK\r\nServer: Apache/2.4.1\r\nX-Frame-Options: ALLOW-FROM \
        https://a.example\r\nStrict-Transport-Security: \
        max-age=300\r\nSet-Cookie: id=1; Secure; HttpOnly; SameSite=Lax\r\n\r\n",
    fields: &[
        (
            "message",
            "`response` or `request`; null when the first line is already a field",
        ),
        ("version", "`HTTP/1.1`, `HTTP/2` ..."),
        ("status", "responses: status code"),
        ("reason", "responses: reason phrase"),
        ("method", "requests: method"),
        ("target", "requests: target; its query is not repeated"),
        (
            "headers",
            "each field: `name` in lower case and `value`; credentials are masked",
        ),
        (
            "decoded",
            "fields that are a kind of their own: `kind` and `fields`, as `decode` of \
             that kind gives",
        ),
        ("missing", "responses: security headers that are not there"),
    ],
    rules: judge::RULES,
    sniff,
    read,
};

/// The kinds that fields are read as; their problems may appear too.
pub(crate) const BORROWED: &[Kind] = &[
    Kind::Csp,
    Kind::Hsts,
    Kind::SetCookie,
    Kind::PermissionsPolicy,
    Kind::AltSvc,
    Kind::AuthenticationResults,
];

/// A message head.
#[derive(Debug, Default, Serialize)]
struct Head {
    message: Option<&'static str>,
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<String>,
    headers: Vec<Shown>,
    decoded: Vec<Decoded>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<&'static str>,
}

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Decoded {
    kind: Kind,
    fields: Map<String, Value>,
}

/// One field; all are slices of the text.
#[derive(Clone, Copy)]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
    /// The field with everything folded onto it.
    line: &'a str,
}

fn read(text: &str, context: &Context) -> Outcome {
    let mut scribe = Scribe::new(text);
    let mut head = Head::default();
    let sent = Sent::last(text);
    let (first, rest) = sent.text.split_once('\n').unwrap_or((sent.text, ""));
    let first = sent.unmarked(first).unwrap_or(first).trim_end();
    let rest = match start_line(&mut scribe, first, &mut head) {
        true => rest,
        false => sent.text,
    };
    let fields = fields(&mut scribe, rest, &sent);
    if fields.is_empty() && head.message.is_none() {
        return Err(NotThis(
            "an HTTP head is a line such as `HTTP/1.1 200 OK` or `GET / HTTP/1.1` \
             with fields `Name: value` below it.",
        ));
    }
    if head.message.is_none() && fields.len() < 2 {
        return Err(NotThis(
            "a single field is decoded by its own kind; send the whole head.",
        ));
    }
    if sent.earlier > 0 {
        scribe.note(format!(
            "Of {} response heads the last is read: what the client ended with.",
            sent.earlier + 1
        ));
    }
    judge::head(&mut scribe, &head, &fields);
    head.missing = if head.message == Some("request") {
        Vec::new()
    } else {
        judge::missing(&fields)
    };
    let mut borrowed = Vec::new();
    for field in fields.iter().take(DECODED_LIMIT) {
        if let Some((kind, reading)) = decoded(field, context) {
            borrowed.extend(moved(text, field.line, reading.problems));
            head.decoded.push(Decoded {
                kind,
                fields: reading.value,
            });
        }
    }
    head.headers = fields.iter().map(shown).collect();
    let mut reading = Reading::new(head, scribe).untyped();
    reading.problems.extend(borrowed);
    Ok(reading)
}

/// What `curl -v` puts before each line of a response's head.
const MARK: &str = "<";

/// The head that is read, and all that stands behind it.
struct Sent<'a> {
    text: &'a str,
    is_marked: bool,
    /// Heads before it, such as those of redirects.
    earlier: usize,
}

impl<'a> Sent<'a> {
    /// Of several response heads the last: what `curl -IL` and `curl -v` show
    /// is one for each hop.
    fn last(text: &'a str) -> Self {
        let marked: Vec<usize> = text
            .match_indices("< HTTP/")
            .map(|(at, _)| at)
            .filter(|at| *at == 0 || text[..*at].ends_with('\n'))
            .collect();
        if let Some((at, earlier)) = marked.split_last() {
            return Sent {
                text: &text[*at..],
                is_marked: true,
                earlier: earlier.len(),
            };
        }
        let mut sent = Sent {
            text: text.trim_start_matches(['\r', '\n']),
            is_marked: false,
            earlier: 0,
        };
        while let Some(next) = next_response(sent.text) {
            sent.text = next;
            sent.earlier += 1;
        }
        sent
    }

    /// A line of the head without its mark; nothing for one that is no part
    /// of it.
    fn unmarked<'l>(&self, line: &'l str) -> Option<&'l str> {
        if !self.is_marked {
            return Some(line);
        }
        let line = line.strip_prefix(MARK)?;
        Some(line.strip_prefix(' ').unwrap_or(line))
    }
}

/// The response that stands right behind the head of another one.
fn next_response(text: &str) -> Option<&str> {
    let is_response = |text: &str| text.split(' ').next().is_some_and(is_version);
    if !is_response(text) {
        return None;
    }
    let ends = ["\n\r\n", "\n\n"].map(|end| text.find(end));
    let end = ends.into_iter().flatten().min()?;
    let next = text[end..].trim_start_matches(['\r', '\n']);
    is_response(next).then_some(next)
}

/// A status line or request line (RFC 9112 sections 3 and 4).
fn start_line(scribe: &mut Scribe, line: &str, head: &mut Head) -> bool {
    let words: Vec<&str> = line.splitn(3, ' ').collect();
    if let [version, status, ..] = words.as_slice()
        && is_version(version)
    {
        head.message = Some("response");
        head.version = Some((*version).to_owned());
        head.status = status.parse().ok().filter(|code| (100..600).contains(code));
        head.reason = words
            .get(2)
            .map(|reason| (*reason).to_owned())
            .filter(|reason| !reason.is_empty());
        if head.status.is_none() {
            scribe.flag(
                judge::BAD_START,
                status,
                format!("{} is no status code.", quoted(status)),
            );
        }
        return true;
    }
    if let [method, target, version] = words.as_slice()
        && is_version(version)
        && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-')
    {
        head.message = Some("request");
        head.version = Some((*version).to_owned());
        head.method = Some((*method).to_owned());
        head.target = Some(without_query(target));
        return true;
    }
    false
}

fn without_query(target: &str) -> String {
    match target.split_once('?') {
        Some((path, _)) => format!("{path}?{}", secret::MASK),
        None => target.to_owned(),
    }
}

fn is_version(word: &str) -> bool {
    word.strip_prefix("HTTP/").is_some_and(|version| {
        !version.is_empty()
            && version.len() <= 3
            && version.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    })
}

/// The fields up to the empty line.
fn fields<'a>(scribe: &mut Scribe, text: &'a str, sent: &Sent) -> Vec<Field<'a>> {
    let mut found = Vec::new();
    for line in super::header::lines(text).map_while(|line| sent.unmarked(line)) {
        let line = line.trim_end_matches(['\r', '\n']);
        if line.trim().is_empty() {
            break;
        }
        if found.len() == FIELD_LIMIT {
            scribe.flag(
                judge::TOO_MANY,
                line,
                "More than 200 fields; the rest was not read.",
            );
            break;
        }
        match line.split_once(':') {
            Some((name, value)) if !name.is_empty() => {
                judge::form(scribe, name, value, line);
                found.push(Field {
                    name: name.trim(),
                    value: value.trim(),
                    line,
                });
            }
            // HTTP/2 tools write pseudo-fields such as `:status: 200`.
            Some(_) => {}
            None => scribe.flag(
                judge::NO_COLON,
                line,
                "A field is a name, a colon and a value.",
            ),
        }
    }
    found
}

/// The field read as a kind of its own.
fn decoded(field: &Field, context: &Context) -> Option<(Kind, Reading<Map<String, Value>>)> {
    let now = context.now();
    let line = field.line;
    let (kind, reading) = match field.name.to_ascii_lowercase().as_str() {
        "content-security-policy" | "content-security-policy-report-only" => {
            (Kind::Csp, csp::parse(line).map(Reading::untyped))
        }
        "strict-transport-security" => (Kind::Hsts, hsts::parse(line).map(Reading::untyped)),
        "set-cookie" => (
            Kind::SetCookie,
            set_cookie::parse(line, now).map(Reading::untyped),
        ),
        "permissions-policy" => (
            Kind::PermissionsPolicy,
            permissions_policy::parse(line).map(Reading::untyped),
        ),
        "alt-svc" => (Kind::AltSvc, alt_svc::parse(line).map(Reading::untyped)),
        "authentication-results" => (
            Kind::AuthenticationResults,
            authentication_results::parse(line).map(Reading::untyped),
        ),
        _ => return None,
    };
    Some((kind, reading.ok()?))
}

/// Problems of a line as problems of the text around it.
fn moved(text: &str, line: &str, mut problems: Vec<Problem>) -> Vec<Problem> {
    let before = range_within(text, line)
        .and_then(|range| text.get(..range.start))
        .unwrap_or_default();
    let offset = before.chars().count() as u32;
    for problem in &mut problems {
        problem.span.start += offset;
        problem.span.end += offset;
    }
    problems
}

/// The field without credentials.
fn shown(field: &Field) -> Shown {
    let name = field.name.to_ascii_lowercase();
    let value = match name.as_str() {
        "authorization" | "proxy-authorization" => {
            let scheme = field.value.split(' ').next().unwrap_or_default();
            let scheme = if scheme.len() < field.value.len() {
                scheme
            } else {
                ""
            };
            format!("{scheme} {}", secret::MASK)
        }
        "cookie" => secret::MASK.to_owned(),
        "set-cookie" => {
            let (pair, attributes) = field.value.split_once(';').unwrap_or((field.value, ""));
            let cookie = pair.split('=').next().unwrap_or_default();
            format!("{cookie}={};{attributes}", secret::MASK)
        }
        _ if judge::is_credential(&name) => secret::MASK.to_owned(),
        "location" | "referer" | "content-location" => without_query(field.value),
        _ => field.value.to_owned(),
    };
    Shown { name, value }
}

fn sniff(text: &str) -> u8 {
    let body = text.trim_start();
    if Sent::last(text).is_marked {
        return 99;
    }
    let first = body.lines().next().unwrap_or_default().trim_end();
    if start_line(&mut Scribe::new(first), first, &mut Head::default()) {
        return 99;
    }
    // Several fields of one name are that field's kind; of two names, a head.
    let names = body
        .lines()
        .take(60)
        .filter_map(|line| line.split_once(": "));
    let common: BTreeSet<String> = names
        .map(|(name, _)| name.to_ascii_lowercase())
        .filter(|name| judge::COMMON.contains(&name.as_str()))
        .collect();
    u8::from(common.len() > 1) * 99
}

const FIELD_LIMIT: usize = 200;
const DECODED_LIMIT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guard::Guard;

    fn head(text: &str) -> Reading<Map<String, Value>> {
        let guard = Guard::default();
        read(
            text,
            &Context {
                guard: &guard,
                now_ms: 1_800_000_000_000,
            },
        )
        .unwrap()
    }

    #[test]
    fn fields_of_known_kinds_are_read_as_such() {
        let reading = head(FORMAT.example);
        assert_eq!(reading.value["status"], 200);
        assert_eq!(reading.value["decoded"][0]["kind"], "hsts");
        let short = reading
            .problems
            .iter()
            .find(|p| p.code == "hsts.short")
            .unwrap();
        let part: String = FORMAT
            .example
            .chars()
            .skip(short.span.start as usize)
            .take((short.span.end - short.span.start) as usize)
            .collect();
        assert_eq!(part, "max-age=300");
    }

    #[test]
    fn credentials_are_masked() {
        let text = "GET /x?token=s3cr3t HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer \
            s3cr3t\r\nCookie: sid=s3cr3t\r\nX-Api-Key: s3cr3t\r\n";
        let reading = head(text);
        let shown = format!(
            "{}{:?}",
            Value::Object(reading.value.clone()),
            reading.problems
        );
        assert!(!shown.contains("s3cr3t"), "{shown}");
        assert!(reading.has("http_head.credential"));
        let set = head("HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cr3t; Path=/\r\n");
        assert!(
            !Value::Object(set.value.clone())
                .to_string()
                .contains("s3cr3t")
        );
    }

    #[test]
    fn of_a_transcript_of_curl_the_last_head_is_read_and_its_credentials_are_masked() {
        let verbose = "* Trying 192.0.2.1:80...\n> GET / HTTP/1.1\n> Host: a.example\n>\n\
            < HTTP/1.1 301 Moved\n< Location: https://a.example/\n<\n* Ignoring the body\n\
            > GET / HTTP/2\n>\n< HTTP/2 200 \n< server: nginx\n< strict-transport-security: max-age=300\n\
            < set-cookie: sid=s3cr3t; Secure\n< \n{ [5 bytes data]\nx-body: 1\n";
        let followed = "HTTP/1.1 301 Moved\r\nLocation: https://a.example/\r\n\r\n\
            HTTP/2 200\r\nserver: nginx\r\nstrict-transport-security: max-age=300\r\n\
            set-cookie: sid=s3cr3t; Secure\r\n\r\n";
        for text in [verbose, followed] {
            let reading = head(text);
            assert_eq!(reading.value["status"], 200, "{text}");
            let names: Vec<&Value> = reading.value["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|field| &field["name"])
                .collect();
            assert_eq!(names, ["server", "strict-transport-security", "set-cookie"]);
            assert!(!format!("{:?}", reading.value).contains("s3cr3t"));
            assert!(!reading.has("http_head.bad_name"));
            assert!(reading.notes.iter().any(|note| note.contains("Of 2 ")));
            let short = reading.problems.iter().find(|p| p.code == "hsts.short");
            let span = short.unwrap().span;
            let part = text.chars().skip(span.start as usize);
            let part: String = part.take((span.end - span.start) as usize).collect();
            assert_eq!(part, "max-age=300");
            assert_eq!(sniff(text), 99);
        }
        // A page that speaks of HTTP is a body.
        let page = head("HTTP/1.1 200 OK\r\nServer: a\r\n\r\n<pre>\n\nHTTP/1.1 500 No\r\n");
        assert_eq!(page.value["status"], 200);
    }

    #[test]
    fn what_smuggles_requests_is_grave() {
        for (text, code) in [
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                "http_head.two_lengths",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n",
                "http_head.two_lengths",
            ),
            (
                "POST / HTTP/1.1\r\nContent-Length : 5\r\nHost: a\r\n",
                "http_head.space_before_colon",
            ),
            ("GET / HTTP/1.1\r\nHost: a\r\n b\r\n", "http_head.folded"),
        ] {
            assert!(head(text).has(code), "{text}: {:?}", head(text).problems);
        }
    }

    #[test]
    fn prose_is_no_head() {
        let guard = Guard::default();
        let context = Context {
            guard: &guard,
            now_ms: 0,
        };
        assert!(read("hello", &context).is_err());
        assert!(read("Note: this is one line", &context).is_err());
    }
}
