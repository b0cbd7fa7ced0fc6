//! Content Security Policies (CSP Level 3).
//!
//! [`parse`] reads a serialized policy list; [`Policy::sources`] answers what
//! governs a resource after fallbacks, for the HTTP checks.

use std::collections::BTreeSet;

use serde::Serialize;

use super::format::{Format, NotThis, Outcome, Reading, Scribe, quoted};
use super::{Context, Kind, header};

mod judge;
pub mod source;

use source::Source;

/// What there is to know about the kind `csp`.
pub const FORMAT: Format = Format {
    kind: Kind::Csp,
    title: "Content Security Policy",
    reference: "CSP Level 3",
    example: "default-src 'self'; script-src 'unsafe-inline' https: ; img-src *; report-uri /r",
    fields: &[
        (
            "policies",
            "each policy: `disposition` (`enforce`, `report`, or `unknown` for a bare \
             value) and `directives`, each with `name` and `values`; a resource must \
             pass every one",
        ),
        (
            "scripts",
            "what governs scripts in the first policy: `directive`, `sources`, and \
             whether `inline`, `eval` and `strictDynamic` hold",
        ),
        (
            "missing",
            "directives without a fallback that the first policy leaves open",
        ),
    ],
    rules: judge::RULES,
    sniff,
    read,
};

/// Whether violations are blocked or only reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Disposition {
    /// `Content-Security-Policy`.
    Enforce,
    /// `Content-Security-Policy-Report-Only`.
    Report,
    /// A value without its header name.
    Unknown,
}

/// One directive, the first of its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Directive {
    /// Lower case.
    pub name: String,
    /// As written.
    pub values: Vec<String>,
}

/// One policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Enforced or reported.
    pub disposition: Disposition,
    /// In order, repeated names dropped as browsers do; at most 64.
    pub directives: Vec<Directive>,
}

impl Policy {
    /// The directive of this very name.
    pub fn directive(&self, name: &str) -> Option<&Directive> {
        self.directives
            .iter()
            .find(|directive| directive.name == name)
    }

    /// The directive that governs `name` after fallbacks (CSP Level 3
    /// section 6.8.3), `default-src` last; None leaves it open.
    pub fn governing(&self, name: &str) -> Option<&Directive> {
        let chain: &[&str] = match name {
            "script-src-elem" | "script-src-attr" => &["script-src", "default-src"],
            "style-src-elem" | "style-src-attr" => &["style-src", "default-src"],
            "worker-src" => &["child-src", "script-src", "default-src"],
            "frame-src" => &["child-src", "default-src"],
            _ if source::is_fetch_directive(name) => &["default-src"],
            _ => &[],
        };
        self.directive(name)
            .or_else(|| chain.iter().find_map(|fallback| self.directive(fallback)))
    }

    /// The source expressions that govern `name` after fallbacks.
    pub fn sources(&self, name: &str) -> Option<Vec<Source>> {
        let governing = self.governing(name)?;
        Some(
            governing
                .values
                .iter()
                .map(|value| Source::read(value))
                .collect(),
        )
    }

    /// Whether inline scripts run: `'unsafe-inline'` without a nonce, hash or
    /// `'strict-dynamic'` that switches it off, or nothing governing scripts.
    pub fn allows_inline_scripts(&self) -> bool {
        self.allows_inline("script-src")
    }

    /// The same of the scripts that `name` is about: `script-src-elem`,
    /// `script-src-attr`.
    pub fn allows_inline(&self, name: &str) -> bool {
        match self.sources(name) {
            None => true,
            Some(sources) => {
                sources.contains(&Source::Keyword("'unsafe-inline'"))
                    && !sources.iter().any(Source::overrides_inline)
            }
        }
    }
}

/// A list of policies; a resource must pass every one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Csp {
    /// In order; at most 16.
    pub policies: Vec<Policy>,
    /// What governs scripts in the first policy.
    pub scripts: Option<Scripts>,
    /// Directives without a fallback that the first policy leaves open.
    pub missing: Vec<&'static str>,
}

/// What governs scripts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scripts {
    directive: String,
    sources: Vec<String>,
    inline: bool,
    eval: bool,
    strict_dynamic: bool,
}

/// A directive with the slices it was read from.
struct Found<'a> {
    name: &'a str,
    lower: String,
    values: Vec<&'a str>,
    whole: &'a str,
}

/// Reads a serialized policy list: the value of one header field, or whole
/// header lines.
///
/// # Errors
/// [`NotThis`] when no known directive is in it.
pub fn parse(text: &str) -> Result<Reading<Csp>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut policies = Vec::new();
    let mut known = false;
    for field in header::fields(text, HEADERS) {
        let disposition = match field.name {
            Some(name) if name.len() > "content-security-policy".len() => Disposition::Report,
            Some(_) => Disposition::Enforce,
            None => Disposition::Unknown,
        };
        for part in field.value.split(',').take(POLICY_LIMIT) {
            let found = directives(part, &mut scribe);
            known |= field.name.is_some()
                || found.iter().any(|found| source::is_directive(&found.lower));
            if found.is_empty() || policies.len() == POLICY_LIMIT {
                continue;
            }
            let policy = policy(disposition, &found);
            judge::policy(&mut scribe, part, &found, &policy);
            policies.push(policy);
        }
    }
    if !known || policies.is_empty() {
        return Err(NotThis(
            "a Content Security Policy is a list of directives such as `default-src \
             'self'; img-src *`.",
        ));
    }
    let first = policies.first();
    let csp = Csp {
        scripts: first.and_then(scripts),
        missing: first.map(judge::missing).unwrap_or_default(),
        policies,
    };
    if csp.policies.len() > 1 {
        scribe.note(format!(
            "{} policies: a resource must pass every one.",
            csp.policies.len()
        ));
    }
    Ok(Reading::new(csp, scribe))
}

/// Splits a serialized policy; repeated directives are flagged and dropped.
fn directives<'a>(policy: &'a str, scribe: &mut Scribe) -> Vec<Found<'a>> {
    let mut found: Vec<Found> = Vec::new();
    let mut names = BTreeSet::new();
    for part in policy.split(';') {
        let whole = part.trim_matches(is_space);
        let mut words = whole.split(is_space).filter(|word| !word.is_empty());
        let Some(name) = words.next() else {
            continue;
        };
        let lower = name.to_ascii_lowercase();
        if !names.insert(lower.clone()) {
            scribe.flag(
                judge::REPEATED,
                whole,
                format!("{} is given twice; browsers ignore this one.", quoted(name)),
            );
            continue;
        }
        if found.len() == DIRECTIVE_LIMIT {
            scribe.flag(
                judge::TOO_MANY,
                whole,
                "More than 64 directives; the rest was not read.",
            );
            break;
        }
        let values = words.take(VALUE_LIMIT).collect();
        found.push(Found {
            name,
            lower,
            values,
            whole,
        });
    }
    found
}

fn policy(disposition: Disposition, found: &[Found]) -> Policy {
    let directives = found
        .iter()
        .map(|found| Directive {
            name: found.lower.clone(),
            values: found
                .values
                .iter()
                .map(|value| (*value).to_owned())
                .collect(),
        })
        .collect();
    Policy {
        disposition,
        directives,
    }
}

fn scripts(policy: &Policy) -> Option<Scripts> {
    let governing = policy.governing("script-src")?;
    let sources = policy.sources("script-src")?;
    let has = |keyword: &'static str| sources.contains(&Source::Keyword(keyword));
    Some(Scripts {
        directive: governing.name.clone(),
        sources: governing.values.clone(),
        inline: policy.allows_inline_scripts(),
        eval: has("'unsafe-eval'"),
        strict_dynamic: has("'strict-dynamic'"),
    })
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c')
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let first = text
        .trim_start()
        .split(|c| is_space(c) || c == ';')
        .next()
        .unwrap_or_default();
    let lower = first.to_ascii_lowercase();
    match (source::is_directive(&lower), lower.contains('-')) {
        (true, true) => 95,
        (true, false) => 40,
        (false, _) => 0,
    }
}

fn read(text: &str, _: &Context) -> Outcome {
    parse(text).map(Reading::untyped)
}

const HEADERS: &[&str] = &[
    "content-security-policy",
    "content-security-policy-report-only",
];
const POLICY_LIMIT: usize = 16;
const DIRECTIVE_LIMIT: usize = 64;
const VALUE_LIMIT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        parse(text)
            .unwrap()
            .problems
            .iter()
            .map(|p| p.code)
            .collect()
    }

    #[test]
    fn a_strict_policy_has_no_problems() {
        let strict = "script-src 'nonce-r4nd0mr4nd0mr4nd0mr4nA==' 'strict-dynamic'; object-src \
            'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; \
            require-trusted-types-for 'script'; default-src 'none'";
        assert_eq!(codes(strict), [""; 0]);
    }

    #[test]
    fn inline_is_off_where_a_nonce_or_hash_is_given() {
        let policy = |text: &str| parse(text).unwrap().value.policies[0].clone();
        assert!(policy("script-src 'unsafe-inline'").allows_inline_scripts());
        assert!(policy("img-src *").allows_inline_scripts());
        assert!(
            !policy("script-src 'unsafe-inline' 'nonce-abcdefghijklmnop'").allows_inline_scripts()
        );
        assert!(!policy("default-src 'self'").allows_inline_scripts());
    }

    #[test]
    fn fallbacks_are_followed() {
        let csp = parse("default-src 'none'; child-src a.example; script-src 'self'")
            .unwrap()
            .value;
        let policy = &csp.policies[0];
        assert_eq!(policy.governing("worker-src").unwrap().name, "child-src");
        assert_eq!(
            policy.governing("script-src-elem").unwrap().name,
            "script-src"
        );
        assert_eq!(policy.governing("font-src").unwrap().name, "default-src");
        assert_eq!(policy.governing("form-action"), None);
    }

    #[test]
    fn header_lines_tell_the_disposition() {
        let csp = parse("Content-Security-Policy-Report-Only: img-src *, media-src *\r\nContent-Security-Policy: default-src 'self'").unwrap().value;
        let dispositions: Vec<_> = csp.policies.iter().map(|p| p.disposition).collect();
        assert_eq!(
            dispositions,
            [
                Disposition::Report,
                Disposition::Report,
                Disposition::Enforce
            ]
        );
    }

    #[test]
    fn ten_thousand_directives_are_bounded() {
        let text: String = (0..10_000).map(|n| format!("x{n} y;")).collect();
        let reading = parse(&format!("default-src 'self';{}", &text[..60_000])).unwrap();
        assert_eq!(reading.value.policies[0].directives.len(), DIRECTIVE_LIMIT);
        assert!(reading.problems.len() <= 100);
    }

    #[test]
    fn prose_is_no_policy() {
        assert!(parse("hello world; this is text").is_err());
    }
}
