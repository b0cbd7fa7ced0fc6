//! Source expressions and directive names (CSP Level 3 sections 2.3.1, 6).

use ::base64::Engine;

/// One source expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `'none'`.
    None,
    /// `'self'`, `'unsafe-inline'` ...: in quotes and lower case.
    Keyword(&'static str),
    /// `'nonce-...'`: the characters of the nonce.
    Nonce(usize),
    /// `'sha256-...'` of the right length.
    Hash,
    /// `https:`, in lower case with the colon.
    Scheme(String),
    /// A host, perhaps with scheme, port and path.
    Host(Host),
    /// No source expression, and why.
    Invalid(&'static str),
}

/// A host source, in lower case but for the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Without `://`.
    pub scheme: Option<String>,
    /// `*`, `*.example.com` or a name.
    pub host: String,
    /// Digits or `*`.
    pub port: Option<String>,
    /// From the slash on.
    pub path: Option<String>,
}

impl Source {
    /// Reads one expression.
    pub fn read(text: &str) -> Source {
        match text.strip_prefix('\'') {
            Some(rest) => quoted(rest),
            None => unquoted(text),
        }
    }

    /// Whether it makes browsers ignore `'unsafe-inline'`.
    pub fn overrides_inline(&self) -> bool {
        matches!(
            self,
            Source::Nonce(_) | Source::Hash | Source::Keyword("'strict-dynamic'")
        )
    }
}

fn quoted(rest: &str) -> Source {
    let Some(inside) = rest.strip_suffix('\'') else {
        return Source::Invalid("its closing quote is missing");
    };
    let lower = inside.to_ascii_lowercase();
    if lower == "none" {
        return Source::None;
    }
    if let Some(keyword) = KEYWORDS
        .iter()
        .find(|keyword| keyword.trim_matches('\'') == lower)
    {
        return Source::Keyword(keyword);
    }
    if lower.starts_with("nonce-") {
        let nonce = inside.get("nonce-".len()..).unwrap_or_default();
        return if is_base64_value(nonce) {
            Source::Nonce(nonce.trim_end_matches('=').len())
        } else {
            Source::Invalid("a nonce is base64 and not empty")
        };
    }
    for (prefix, length) in [("sha256-", 32), ("sha384-", 48), ("sha512-", 64)] {
        if lower.starts_with(prefix) {
            return hash(inside.get(prefix.len()..).unwrap_or_default(), length);
        }
    }
    Source::Invalid("no such keyword exists")
}

fn hash(value: &str, length: usize) -> Source {
    let standard = value.replace('-', "+").replace('_', "/");
    let bytes =
        ::base64::engine::general_purpose::STANDARD_NO_PAD.decode(standard.trim_end_matches('='));
    match bytes {
        Ok(bytes) if bytes.len() == length => Source::Hash,
        Ok(_) => Source::Invalid("the hash has the wrong length"),
        Err(_) => Source::Invalid("a hash is base64"),
    }
}

fn is_base64_value(text: &str) -> bool {
    let bare = text.trim_end_matches('=');
    !bare.is_empty()
        && text.len() - bare.len() <= 2
        && bare
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+/-_".contains(&b))
}

fn unquoted(text: &str) -> Source {
    let lower = text.to_ascii_lowercase();
    let bare = KEYWORDS
        .iter()
        .any(|keyword| keyword.trim_matches('\'') == lower);
    if lower == "none" || bare || lower.starts_with("nonce-") || lower.starts_with("sha256-") {
        return Source::Invalid("keywords, nonces and hashes stand in single quotes");
    }
    if let Some(scheme) = lower.strip_suffix(':')
        && is_scheme(scheme)
    {
        return Source::Scheme(lower);
    }
    host(text)
}

fn host(text: &str) -> Source {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme.to_ascii_lowercase()), rest),
        Some(_) => return Source::Invalid("its scheme is malformed"),
        None => (None, text),
    };
    let (authority, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_name = |name: &str| {
        let name = name.strip_suffix('.').unwrap_or(name);
        name.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
    };
    if host != "*" && !is_name(name) {
        return Source::Invalid("it is neither a keyword, a scheme nor a host");
    }
    if port.is_some_and(|port| {
        port != "*" && (port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()))
    }) {
        return Source::Invalid("its port is no number");
    }
    if path.starts_with("//") {
        return Source::Invalid("its colon before the slashes is missing");
    }
    if path.contains(['?', '#']) {
        return Source::Invalid("a path in a source has no query and no fragment");
    }
    Source::Host(Host {
        scheme,
        host: host.to_ascii_lowercase(),
        port: port.map(str::to_owned),
        path: (!path.is_empty()).then(|| path.to_owned()),
    })
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Whether a directive of this lower-case name exists or existed.
pub fn is_directive(name: &str) -> bool {
    is_fetch_directive(name) || OTHER.contains(&name) || replacement(name).is_some()
}

/// Whether the directive lists sources of resources and falls back on
/// `default-src`.
pub fn is_fetch_directive(name: &str) -> bool {
    FETCH.contains(&name)
}

/// Whether the directive's values are source expressions.
pub(super) fn lists_sources(name: &str) -> bool {
    is_fetch_directive(name) || matches!(name, "base-uri" | "form-action" | "frame-ancestors")
}

/// What to use instead of a directive that was withdrawn.
pub(super) fn replacement(name: &str) -> Option<&'static str> {
    WITHDRAWN
        .iter()
        .find(|(old, _)| *old == name)
        .map(|(_, advice)| *advice)
}

const KEYWORDS: &[&str] = &[
    "'self'",
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    "'wasm-unsafe-eval'",
    "'trusted-types-eval'",
    "'strict-dynamic'",
    "'report-sample'",
    "'report-sha256'",
    "'report-sha384'",
    "'report-sha512'",
    "'inline-speculation-rules'",
    "'unsafe-allow-redirects'",
];

const FETCH: &[&str] = &[
    "default-src",
    "child-src",
    "connect-src",
    "fenced-frame-src",
    "font-src",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
];

const OTHER: &[&str] = &[
    "base-uri",
    "form-action",
    "frame-ancestors",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "trusted-types",
    "upgrade-insecure-requests",
    "webrtc",
];

const WITHDRAWN: &[(&str, &str)] = &[
    (
        "block-all-mixed-content",
        "browsers block mixed content by themselves",
    ),
    ("navigate-to", "it was never shipped"),
    ("plugin-types", "plugins are gone; use `object-src 'none'`"),
    ("prefetch-src", "prefetching is governed by `default-src`"),
    ("referrer", "use the header Referrer-Policy"),
    ("reflected-xss", "browsers have no such filter any more"),
    (
        "require-sri-for",
        "it was never finished; use the header Integrity-Policy",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_told_apart() {
        assert_eq!(Source::read("'Self'"), Source::Keyword("'self'"));
        assert_eq!(Source::read("'NONE'"), Source::None);
        assert_eq!(Source::read("HTTPS:"), Source::Scheme("https:".to_owned()));
        assert_eq!(Source::read("'nonce-abc='"), Source::Nonce(3));
        assert_eq!(
            Source::read("'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"),
            Source::Hash
        );
        assert!(matches!(Source::read("*"), Source::Host(host) if host.host == "*"));
        assert!(
            matches!(Source::read("https://*.example.com:*/a/"), Source::Host(host) if host.port.as_deref() == Some("*"))
        );
    }

    #[test]
    fn what_is_no_expression_says_why() {
        for text in [
            "self",
            "unsafe-inline",
            "'self",
            "'selfie'",
            "'nonce-'",
            "'sha256-abc='",
            "https//x",
            "a..b",
            "x:80a",
            "/path",
            "https://a/?q",
            "**",
            "a.*.b",
        ] {
            assert!(matches!(Source::read(text), Source::Invalid(_)), "{text}");
        }
    }
}
