//! Authentication-Results of mail (RFC 8601), and ARC's (RFC 8617).

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::{Kind, header};

mod lex;

use lex::Lexer;

/// What there is to know about the kind `authentication_results`.
pub const FORMAT: Format = Format {
    kind: Kind::AuthenticationResults,
    title: "Authentication-Results header",
    reference: "RFC 8601",
    example: "Authentication-Results: mx.example.com;\n dkim=pass (good signature) header.d=example.net header.s=k1;\n spf=softfail smtp.mailfrom=a@example.net; dmarc=fail (p=none) header.from=example.org",
    fields: &[
        ("instance", "ARC only: number of the set"),
        (
            "server",
            "authserv-id: who says so. Trust it only when it is your own receiving server",
        ),
        ("version", "version of the header, when given"),
        (
            "results",
            "each method: `method`, `result`, `reason`, `comment`, and `properties` \
             (`type`, `name`, `value`)",
        ),
        (
            "summary",
            "the results of `spf`, `dkim` and `dmarc`; several DKIM results give the best",
        ),
    ],
    rules: RULES,
    sniff,
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One header field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AuthenticationResults {
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<u32>,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    results: Vec<MethodResult>,
    summary: Summary,
}

/// What one method found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MethodResult {
    method: String,
    result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    properties: Vec<Property>,
}

/// What the method looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Property {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    value: String,
}

/// The methods that decide most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    spf: Option<String>,
    dkim: Option<String>,
    dmarc: Option<String>,
}

/// Reads one header field, with or without its name.
///
/// # Errors
/// [`NotThis`] when there is no authserv-id with results behind it.
pub fn parse(text: &str) -> Result<Reading<AuthenticationResults>, NotThis> {
    let fields = header::fields(text, HEADERS);
    let field = fields.first().ok_or(NOT_RESULTS)?;
    let mut scribe = Scribe::new(text);
    let mut lexer = Lexer::new(field.value);
    let mut value = AuthenticationResults::default();
    if let Some(other) = fields.get(1) {
        scribe.flag(
            SEVERAL,
            other.value,
            "Only the first field was read; those further down were added earlier, \
             perhaps by the sender.",
        );
    }
    instance(&mut lexer, &mut value);
    let server = lexer.token().ok_or(NOT_RESULTS)?;
    if server.contains('=') {
        scribe.flag(
            NO_SERVER,
            server,
            "The name of the server that checked is missing in front.",
        );
        lexer = Lexer::new(field.value);
    } else {
        value.server = server.to_ascii_lowercase();
        value.version = lexer.token().map(str::to_owned);
        lexer.skip_semicolon();
    }
    for _ in 0..PART_LIMIT {
        if lexer.is_at_end() || value.results.len() >= RESULT_LIMIT {
            break;
        }
        if let Some(result) = method(&mut scribe, &mut lexer) {
            value.results.push(result);
        }
        lexer.skip_to_semicolon();
    }
    if value.results.is_empty() && !field.value.to_ascii_lowercase().contains("none") {
        return Err(NOT_RESULTS);
    }
    value.summary = summary(&value.results);
    scribe.note(
        "Anyone can write this header into a message; it means something only \
         when your own receiving server added it.",
    );
    Ok(Reading::new(value, scribe))
}

/// `i=1;` in front of ARC's results.
fn instance(lexer: &mut Lexer, value: &mut AuthenticationResults) {
    let mut ahead = lexer.clone();
    let number = ahead
        .token()
        .and_then(|token| token.strip_prefix("i="))
        .and_then(|number| number.parse().ok());
    if number.is_some() {
        value.instance = number;
        ahead.skip_semicolon();
        *lexer = ahead;
    }
}

/// `method[/version]=result [reason=...] *(ptype.property=value)`.
fn method(scribe: &mut Scribe, lexer: &mut Lexer) -> Option<MethodResult> {
    let first = lexer.token()?;
    if first.eq_ignore_ascii_case("none") {
        scribe.flag(NONE, first, "No authentication was done.");
        return None;
    }
    let Some((name, outcome)) = lexer.pair(first) else {
        scribe.flag(
            SYNTAX,
            first,
            format!("{} is no `method=result`.", quoted(first)),
        );
        return None;
    };
    let method = name
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let mut result = MethodResult {
        result: outcome.text.to_ascii_lowercase(),
        method,
        ..MethodResult::default()
    };
    judge(scribe, &name, outcome.part, &result);
    while let Some(token) = lexer.token() {
        let Some((name, given)) = lexer.pair(token) else {
            scribe.flag(
                SYNTAX,
                token,
                format!("{} is no `type.property=value`.", quoted(token)),
            );
            continue;
        };
        match name.split_once('.') {
            _ if result.properties.len() >= PROPERTY_LIMIT => {}
            Some((kind, name)) => result.properties.push(Property {
                kind: kind.to_ascii_lowercase(),
                name: name.to_owned(),
                value: given.text,
            }),
            None if name.eq_ignore_ascii_case("reason") => result.reason = Some(given.text),
            None => scribe.flag(
                SYNTAX,
                token,
                format!(
                    "{} has no type in front, such as `header.` or `smtp.`.",
                    quoted(&name)
                ),
            ),
        }
    }
    result.comment = lexer.take_comment();
    Some(result)
}

fn judge(scribe: &mut Scribe, name: &str, outcome: &str, result: &MethodResult) {
    let Some((_, results)) = METHODS.iter().find(|(method, _)| *method == result.method) else {
        scribe.flag(
            UNKNOWN_METHOD,
            name,
            format!("{} is no registered method.", quoted(name)),
        );
        return;
    };
    if !results.contains(&result.result.as_str()) {
        scribe.flag(
            UNKNOWN_RESULT,
            outcome,
            format!("{} is no result of {}.", quoted(outcome), result.method),
        );
        return;
    }
    match (result.method.as_str(), result.result.as_str()) {
        ("spf" | "dkim" | "dmarc" | "arc", "fail") => scribe.flag(
            FAILED,
            outcome,
            format!("{} failed.", result.method.to_ascii_uppercase()),
        ),
        (_, "permerror") => scribe.flag(
            BROKEN,
            outcome,
            "The sender's record or signature is broken.",
        ),
        ("spf", "softfail") => {
            scribe.flag(DOUBTED, outcome, "The sender is probably not authorised.")
        }
        _ => {}
    }
}

fn summary(results: &[MethodResult]) -> Summary {
    let of = |method: &str| {
        let mut found = results.iter().filter(|result| result.method == method);
        let first = found.next()?;
        let passed = first.result == "pass" || found.any(|result| result.result == "pass");
        Some(if passed {
            "pass".to_owned()
        } else {
            first.result.clone()
        })
    };
    Summary {
        spf: of("spf"),
        dkim: of("dkim"),
        dmarc: of("dmarc"),
    }
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let lower: String = text
        .chars()
        .take(4_096)
        .collect::<String>()
        .to_ascii_lowercase();
    let behind = lower.split_once(';').map_or("", |(_, behind)| behind);
    let found = ["spf=", "dkim=", "dmarc=", "arc=", "auth="]
        .iter()
        .filter(|method| behind.contains(**method))
        .count();
    match found {
        0 => 0,
        1 => 70,
        _ => 90,
    }
}

const HEADERS: &[&str] = &["authentication-results", "arc-authentication-results"];
const RESULT_LIMIT: usize = 32;
/// Parts between semicolons looked at, results or not.
const PART_LIMIT: usize = 256;
const PROPERTY_LIMIT: usize = 16;
const NOT_RESULTS: NotThis = NotThis(
    "Authentication-Results is a server name, a semicolon and results such as \
     `spf=pass smtp.mailfrom=example.com`.",
);

const COMMON: &[&str] = &[
    "none",
    "pass",
    "fail",
    "policy",
    "neutral",
    "temperror",
    "permerror",
];

/// IANA "Email Authentication Methods" and "Email Authentication Result
/// Names".
const METHODS: &[(&str, &[&str])] = &[
    ("arc", &["none", "pass", "fail"]),
    ("auth", &["none", "pass", "fail", "temperror", "permerror"]),
    (
        "bimi",
        &["none", "pass", "fail", "temperror", "declined", "skipped"],
    ),
    ("dkim", COMMON),
    (
        "dkim-adsp",
        &[
            "none",
            "pass",
            "unknown",
            "fail",
            "discard",
            "nxdomain",
            "temperror",
            "permerror",
        ],
    ),
    (
        "dkim-atps",
        &["none", "pass", "fail", "temperror", "permerror"],
    ),
    (
        "dmarc",
        &[
            "none",
            "pass",
            "fail",
            "temperror",
            "permerror",
            "bestguesspass",
        ],
    ),
    ("dnswl", &["none", "pass", "temperror", "permerror"]),
    ("domainkeys", COMMON),
    ("iprev", &["pass", "fail", "temperror", "permerror"]),
    (
        "rrvs",
        &["none", "pass", "fail", "unknown", "temperror", "permerror"],
    ),
    (
        "sender-id",
        &[
            "none",
            "pass",
            "fail",
            "policy",
            "neutral",
            "softfail",
            "temperror",
            "permerror",
        ],
    ),
    ("smime", COMMON),
    (
        "spf",
        &[
            "none",
            "pass",
            "fail",
            "policy",
            "neutral",
            "softfail",
            "temperror",
            "permerror",
            "hardfail",
        ],
    ),
    ("vbr", &["none", "pass", "fail", "temperror", "permerror"]),
    ("compauth", &["pass", "fail", "softpass", "none"]),
];

rules! {
    FAILED = "authentication_results.failed", High, "RFC 8601 section 2.7",
        "A method failed.";
    BROKEN = "authentication_results.broken", Medium, "RFC 8601 section 2.7",
        "A method met a permanent error.";
    DOUBTED = "authentication_results.doubted", Medium, "RFC 8601 section 2.7.2",
        "SPF doubts the sender.";
    NO_SERVER = "authentication_results.no_server", High, "RFC 8601 section 2.5",
        "The server that checked is not named.";
    SYNTAX = "authentication_results.syntax", Medium, "RFC 8601 section 2.2",
        "Something does not follow the grammar.";
    UNKNOWN_METHOD = "authentication_results.unknown_method", Low, "RFC 8601 section 2.7",
        "A method is not registered.";
    UNKNOWN_RESULT = "authentication_results.unknown_result", Low, "RFC 8601 section 2.7",
        "A result is not registered for its method.";
    SEVERAL = "authentication_results.several_fields", Info, "RFC 8601 section 5",
        "There is more than one field.";
    NONE = "authentication_results.none", Info, "RFC 8601 section 2.2",
        "No authentication was done.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Reading<AuthenticationResults> {
        parse(text).unwrap()
    }

    #[test]
    fn the_examples_of_rfc_8601_appendix_b_are_read() {
        let none = read("Authentication-Results: example.org 1; none");
        assert_eq!(
            (none.value.server.as_str(), none.value.version.as_deref()),
            ("example.org", Some("1"))
        );
        assert!(none.has("authentication_results.none"));
        let spf = read(
            "Authentication-Results: example.com;\r\n          spf=pass smtp.mailfrom=example.net",
        );
        assert_eq!(spf.value.results[0].properties[0].value, "example.net");
        assert_eq!(spf.problems, []);
        let many = read(
            "Authentication-Results: example.com;\n dkim=pass reason=\"good signature\"\n   header.i=@mail-router.example.net;\n dkim=fail reason=\"bad signature\"\n   header.i=@newyork.example.com",
        );
        assert_eq!(
            many.value.results[0].reason.as_deref(),
            Some("good signature")
        );
        assert_eq!(many.value.summary.dkim.as_deref(), Some("pass"));
        let comments = read(
            "foo.example.net (foobar) 1 (baz);\n dkim (Because I like it) / 1 (One \
             yay) = (wait for it) fail\n   policy (A dot can go here) . (like that) \
             expired\n   (this surprised me) = (as I wasn't expecting it) 1362471462",
        );
        assert_eq!(comments.value.results[0].result, "fail");
        assert_eq!(
            comments.value.results[0].properties[0],
            Property {
                kind: "policy".into(),
                name: "expired".into(),
                value: "1362471462".into()
            }
        );
    }

    #[test]
    fn arc_sets_have_a_number() {
        let arc = read("ARC-Authentication-Results: i=2; mx.example.com; arc=pass");
        assert_eq!(
            (arc.value.instance, arc.value.server.as_str()),
            (Some(2), "mx.example.com")
        );
    }

    #[test]
    fn failures_are_pointed_at() {
        let text = "mx.example.com; spf=softfail smtp.mailfrom=a@b.example; dmarc=fail \
            header.from=b.example";
        let reading = read(text);
        let failed = reading
            .problems
            .iter()
            .find(|p| p.code == "authentication_results.failed")
            .unwrap();
        assert_eq!(
            &text[failed.span.start as usize..failed.span.end as usize],
            "fail"
        );
    }

    #[test]
    fn prose_is_no_result() {
        assert!(parse("hello world").is_err());
        assert!(parse("(((((").is_err());
    }
}
