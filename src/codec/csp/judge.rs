//! What is wrong with a policy, or leaves it without effect.

use super::source::{self, Host, Source};
use super::{Found, Policy};
use crate::codec::format::{Scribe, quoted, rules};

/// Judges one policy read from `text`.
pub(super) fn policy(scribe: &mut Scribe, text: &str, found: &[Found], policy: &Policy) {
    for directive in found {
        name(scribe, directive);
        if source::lists_sources(&directive.lower) {
            sources(scribe, directive);
        } else {
            values(scribe, directive);
        }
    }
    if policy.governing("script-src").is_none() {
        scribe.flag(
            SCRIPTS_OPEN,
            text.trim(),
            "Neither `script-src` nor `default-src` is set: scripts may come from anywhere.",
        );
    } else if let Some(directive) = governing(found, policy, "script-src") {
        scripts(scribe, directive, policy);
    }
    open_ends(scribe, text, policy);
}

/// Directives without a fallback, or of weight, that the policy leaves open.
pub(super) fn missing(policy: &Policy) -> Vec<&'static str> {
    let open = |name: &&'static str| policy.governing(name).is_none();
    [
        "script-src",
        "object-src",
        "base-uri",
        "form-action",
        "frame-ancestors",
    ]
    .into_iter()
    .filter(open)
    .collect()
}

fn governing<'f, 'a>(found: &'f [Found<'a>], policy: &Policy, name: &str) -> Option<&'f Found<'a>> {
    let wanted = &policy.governing(name)?.name;
    found.iter().find(|found| found.lower == *wanted)
}

fn name(scribe: &mut Scribe, directive: &Found) {
    let name = directive.name;
    if let Some(advice) = source::replacement(&directive.lower) {
        scribe.flag(
            WITHDRAWN,
            name,
            format!("{} was withdrawn: {advice}.", quoted(name)),
        );
    } else if !source::is_directive(&directive.lower) {
        let hint = match Source::read(name) {
            Source::Keyword(_) | Source::Scheme(_) | Source::None => {
                "; a semicolon before it may be wrong"
            }
            _ if name.ends_with(':') => "; a directive name has no colon",
            _ => "",
        };
        scribe.flag(
            UNKNOWN_DIRECTIVE,
            name,
            format!("CSP has no directive {}{hint}.", quoted(name)),
        );
    } else if directive.lower == "report-uri" {
        scribe.flag(
            REPORT_URI,
            name,
            "`report-uri` is deprecated in favour of `report-to`; keep both while browsers change.",
        );
    }
}

/// The value of directives that list no sources.
fn values(scribe: &mut Scribe, directive: &Found) {
    match directive.lower.as_str() {
        "upgrade-insecure-requests" | "block-all-mixed-content" => {
            if let Some(first) = directive.values.first() {
                scribe.flag(
                    STRAY_VALUE,
                    first,
                    format!("{} takes no value.", quoted(directive.name)),
                );
            }
        }
        "sandbox" => {
            for flag in directive
                .values
                .iter()
                .filter(|flag| !flag.to_ascii_lowercase().starts_with("allow-"))
            {
                scribe.flag(
                    STRAY_VALUE,
                    flag,
                    format!("{} is no sandbox flag.", quoted(flag)),
                );
            }
            let has = |name: &str| {
                directive
                    .values
                    .iter()
                    .any(|flag| flag.eq_ignore_ascii_case(name))
            };
            if has("allow-scripts") && has("allow-same-origin") {
                scribe.flag(
                    SANDBOX_ESCAPE,
                    directive.whole,
                    "Scripts of the same origin can leave this sandbox.",
                );
            }
        }
        "require-trusted-types-for" if directive.values != ["'script'"] => {
            scribe.flag(
                STRAY_VALUE,
                directive.whole,
                "The only value of `require-trusted-types-for` is `'script'`.",
            );
        }
        "report-uri" | "report-to" if directive.values.is_empty() => {
            scribe.flag(NO_VALUE, directive.whole, "Names nowhere to report to.");
        }
        _ => {}
    }
}

fn sources(scribe: &mut Scribe, directive: &Found) {
    if directive.values.is_empty() {
        scribe.flag(
            NO_VALUE,
            directive.whole,
            format!("{} without sources means 'none'.", quoted(directive.name)),
        );
    }
    for value in &directive.values {
        if source::is_directive(&value.to_ascii_lowercase()) && value.contains('-') {
            scribe.flag(
                MISSING_SEMICOLON,
                value,
                format!(
                    "{} is a directive; a semicolon before it is missing.",
                    quoted(value)
                ),
            );
            continue;
        }
        match Source::read(value) {
            Source::Invalid(why) => scribe.flag(
                BAD_SOURCE,
                value,
                format!("{} is no source: {why}. Browsers ignore it.", quoted(value)),
            ),
            Source::None if directive.values.len() > 1 => {
                scribe.flag(
                    NONE_WITH_OTHERS,
                    value,
                    "'none' beside other sources is ignored.",
                );
            }
            Source::Nonce(length) if length < NONCE_CHARS => {
                scribe.flag(
                    SHORT_NONCE,
                    value,
                    "A nonce needs at least 128 bits, 22 characters of base64.",
                );
            }
            Source::Scheme(scheme) if scheme == "http:" => {
                scribe.flag(
                    PLAIN_SOURCE,
                    value,
                    "Allows everything over unencrypted connections.",
                );
            }
            Source::Host(host) => host_source(scribe, directive, value, &host),
            _ => {}
        }
    }
}

fn host_source(scribe: &mut Scribe, directive: &Found, value: &str, host: &Host) {
    if host.scheme.as_deref() == Some("http") {
        scribe.flag(
            PLAIN_SOURCE,
            value,
            "Allows this source over unencrypted connections.",
        );
    }
    let is_address = host.host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_address && host.host != "127.0.0.1" {
        scribe.flag(
            ADDRESS_SOURCE,
            value,
            "Browsers match no IP address but 127.0.0.1.",
        );
    }
    if directive.lower == "frame-ancestors" && host.host == "*" {
        scribe.flag(FRAMED_BY_ALL, value, "Every site may frame this page.");
    }
}

/// What defeats the protection against script injection.
fn scripts(scribe: &mut Scribe, directive: &Found, policy: &Policy) {
    let read: Vec<(&str, Source)> = directive
        .values
        .iter()
        .map(|value| (*value, Source::read(value)))
        .collect();
    let has = |wanted: &Source| read.iter().any(|(_, source)| source == wanted);
    let strict = has(&Source::Keyword("'strict-dynamic'"));
    let guarded = read
        .iter()
        .any(|(_, source)| matches!(source, Source::Nonce(_) | Source::Hash));
    for (value, source) in &read {
        match source {
            Source::Keyword("'unsafe-inline'") if policy.allows_inline_scripts() => {
                scribe.flag(
                    UNSAFE_INLINE,
                    value,
                    "Injected inline scripts run: the policy does not stop cross-site scripting.",
                );
            }
            Source::Keyword("'unsafe-eval'") => {
                scribe.flag(UNSAFE_EVAL, value, "Strings may be run as code.")
            }
            Source::Keyword("'unsafe-hashes'") => scribe.flag(
                UNSAFE_HASHES,
                value,
                "Hashed code may be used in event handlers.",
            ),
            Source::Keyword("'strict-dynamic'") if !guarded => {
                scribe.flag(
                    DYNAMIC_ALONE,
                    value,
                    "Without a nonce or hash no script at all can start.",
                );
            }
            _ if strict => {}
            Source::Scheme(scheme)
                if matches!(
                    scheme.as_str(),
                    "https:" | "http:" | "data:" | "blob:" | "filesystem:" | "ws:" | "wss:"
                ) =>
            {
                let message = match scheme.as_str() {
                    "data:" => "Injected markup can carry its script along in a data: URL.",
                    _ => "Scripts may come from any host of this scheme.",
                };
                scribe.flag(OPEN_SCRIPTS, value, message);
            }
            Source::Host(host) if host.host == "*" => {
                scribe.flag(OPEN_SCRIPTS, value, "Scripts may come from any host.")
            }
            Source::Host(host) if hosts_anything(&host.host) => {
                scribe.flag(
                    SHARED_HOST,
                    value,
                    "This host serves files or JSONP that anyone can choose; it can be used \
                     to get around the policy.",
                );
            }
            _ => {}
        }
    }
}

fn hosts_anything(host: &str) -> bool {
    SHARED_HOSTS.iter().any(|shared| {
        let below = host.strip_prefix("*.").unwrap_or(host);
        *shared == below
            || shared
                .strip_suffix(below)
                .is_some_and(|rest| host.starts_with("*.") && rest.ends_with('.'))
    })
}

/// What has no fallback and was left out.
fn open_ends(scribe: &mut Scribe, text: &str, policy: &Policy) {
    let whole = text.trim();
    if policy.governing("object-src").is_none() && policy.governing("script-src").is_some() {
        scribe.flag(
            OBJECTS_OPEN,
            whole,
            "Without `object-src` or `default-src`, plugins can run injected content.",
        );
    }
    let guarded = policy
        .sources("script-src")
        .is_some_and(|sources| sources.iter().any(Source::overrides_inline));
    if policy.directive("base-uri").is_none() {
        let why = if guarded {
            "an injected <base> redirects scripts that a nonce or hash admits"
        } else {
            "an injected <base> redirects relative addresses"
        };
        scribe.flag(
            if guarded { BASE_OPEN_STRICT } else { BASE_OPEN },
            whole,
            format!("Without `base-uri`, {why}."),
        );
    }
    if policy.directive("frame-ancestors").is_none() {
        scribe.flag(
            FRAMES_OPEN,
            whole,
            "Without `frame-ancestors`, the policy lets every site frame the page.",
        );
    }
    if policy.directive("form-action").is_none() {
        scribe.flag(
            FORMS_OPEN,
            whole,
            "Without `form-action`, injected forms can send data anywhere.",
        );
    }
}

/// 128 bits of base64.
const NONCE_CHARS: usize = 22;

/// Hosts that serve what their users upload or wrap answers in a callback.
const SHARED_HOSTS: &[&str] = &[
    "accounts.google.com",
    "ajax.googleapis.com",
    "cdn.jsdelivr.net",
    "cdnjs.cloudflare.com",
    "code.angularjs.org",
    "raw.githack.com",
    "rawgit.com",
    "storage.googleapis.com",
    "translate.googleapis.com",
    "unpkg.com",
    "www.google.com",
    "www.googleapis.com",
];

rules! {
    SCRIPTS_OPEN = "csp.scripts_open", High, "CSP Level 3 section 6.1.10",
        "Nothing governs scripts.";
    UNSAFE_INLINE = "csp.unsafe_inline", High, "CSP Level 3 section 6.7.3.2",
        "Inline scripts run.";
    OPEN_SCRIPTS = "csp.open_scripts", High, "CSP Level 3 section 6.7.2.8",
        "Scripts may come from anywhere, or from data: URLs.";
    UNSAFE_EVAL = "csp.unsafe_eval", Medium, "CSP Level 3 section 4.4",
        "Strings may be run as code.";
    SHARED_HOST = "csp.shared_host", Medium, "CSP Level 3 section 8.2",
        "A script source serves what anyone can choose.";
    DYNAMIC_ALONE = "csp.dynamic_alone", High, "CSP Level 3 section 8.2",
        "'strict-dynamic' has nothing to start from.";
    UNSAFE_HASHES = "csp.unsafe_hashes", Low, "CSP Level 3 section 8.3",
        "Hashes also admit event handlers.";
    OBJECTS_OPEN = "csp.objects_open", High, "CSP Level 3 section 6.1.9",
        "Nothing governs plugins.";
    BASE_OPEN_STRICT = "csp.base_open_strict", High, "CSP Level 3 section 6.3.1",
        "A policy of nonces or hashes leaves `base-uri` open.";
    BASE_OPEN = "csp.base_open", Low, "CSP Level 3 section 6.3.1",
        "`base-uri` is left open.";
    FRAMES_OPEN = "csp.frames_open", Low, "CSP Level 3 section 6.4.2",
        "`frame-ancestors` is left open.";
    FRAMED_BY_ALL = "csp.framed_by_all", Medium, "CSP Level 3 section 6.4.2",
        "`frame-ancestors` admits every site.";
    FORMS_OPEN = "csp.forms_open", Low, "CSP Level 3 section 6.4.1",
        "`form-action` is left open.";
    BAD_SOURCE = "csp.bad_source", Medium, "CSP Level 3 section 2.3.1",
        "A value is no source expression and ignored.";
    MISSING_SEMICOLON = "csp.missing_semicolon", High, "CSP Level 3 section 2.2.1",
        "A directive stands among the sources of another.";
    NONE_WITH_OTHERS = "csp.none_with_others", Medium, "CSP Level 3 section 6.7.2.7",
        "'none' is combined with other sources.";
    SHORT_NONCE = "csp.short_nonce", Medium, "CSP Level 3 section 7.1",
        "A nonce is too short to be unguessable.";
    PLAIN_SOURCE = "csp.plain_source", Medium, "CSP Level 3 section 6.7.2.8",
        "A source admits unencrypted connections.";
    ADDRESS_SOURCE = "csp.address_source", Low, "CSP Level 3 section 6.7.2.10",
        "A source is an IP address, which is never matched.";
    REPEATED = "csp.repeated_directive", Medium, "CSP Level 3 section 2.2.1",
        "A directive is given twice; the later one is ignored.";
    UNKNOWN_DIRECTIVE = "csp.unknown_directive", Medium, "CSP Level 3 section 2.2.1",
        "A directive does not exist and is ignored.";
    WITHDRAWN = "csp.withdrawn_directive", Low, "CSP Level 3 section 6",
        "A directive was withdrawn.";
    REPORT_URI = "csp.report_uri", Info, "CSP Level 3 section 6.5.1",
        "`report-uri` is deprecated.";
    STRAY_VALUE = "csp.stray_value", Low, "CSP Level 3 section 6.3",
        "A directive has a value that it does not take.";
    SANDBOX_ESCAPE = "csp.sandbox_escape", Medium, "CSP Level 3 section 6.3.2",
        "The sandbox can be left by its own scripts.";
    NO_VALUE = "csp.no_value", Low, "CSP Level 3 section 2.3",
        "A directive is empty.";
    TOO_MANY = "csp.too_many", Low, "CSP Level 3 section 2.2.1",
        "There are more directives than are read.";
}
