//! Set-Cookie (RFC 6265bis): one or several fields.
//!
//! Values are measured and never repeated: a session cookie is a credential.

use serde::Serialize;

use super::format::{Format, NotThis, Reading, Rule, Scribe, quoted, rules};
use super::moment;
use super::{Kind, header};

/// What there is to know about the kind `set_cookie`.
pub const FORMAT: Format = Format {
    kind: Kind::SetCookie,
    title: "Set-Cookie header",
    reference: "RFC 6265bis",
    example: "Set-Cookie: __Host-session=38afes7a8; Path=/app; Domain=example.com; SameSite=None; HttpOnly",
    fields: &[(
        "cookies",
        "each cookie: `name`, `valueLength` (the value is not repeated), \
         `accepted` by browsers, `prefix`, `domain`, `path`, `expires`, `maxAge`, \
         `secure`, `httpOnly`, `sameSite`, `partitioned`, `session` (ends with \
         the browser)",
    )],
    rules: RULES,
    sniff,
    read: |text, context| parse(text, context.now()).map(Reading::untyped),
};

/// Several fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetCookie {
    /// In order; at most 64.
    pub cookies: Vec<Cookie>,
}

/// How cross-site requests carry a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Never.
    Strict,
    /// On top-level navigation only.
    Lax,
    /// Always.
    None,
}

/// One cookie without its value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cookie {
    /// As written.
    pub name: String,
    /// Octets.
    pub value_length: usize,
    /// Whether browsers store it.
    pub accepted: bool,
    /// `__Secure-`, `__Host-`, `__Http-` or `__Host-Http-`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<&'static str>,
    /// Without a leading dot; None binds it to the very host.
    pub domain: Option<String>,
    /// Path attribute when it begins with a slash.
    pub path: Option<String>,
    /// RFC 3339.
    pub expires: Option<String>,
    /// Seconds.
    pub max_age: Option<i64>,
    /// Secure.
    pub secure: bool,
    /// HttpOnly.
    pub http_only: bool,
    /// SameSite when valid; browsers take Lax otherwise.
    pub same_site: Option<SameSite>,
    /// Partitioned.
    pub partitioned: bool,
    /// Ends with the browser: neither Expires nor Max-Age.
    pub session: bool,
    /// Whether it only deletes one of its name. Max-Age goes before Expires.
    #[serde(skip)]
    pub deletes: bool,
}

/// Reads one or several fields, with or without their name; `now` in Unix
/// seconds.
///
/// # Errors
/// [`NotThis`] when there is no `name=value`.
pub fn parse(text: &str, now: i64) -> Result<Reading<SetCookie>, NotThis> {
    let mut scribe = Scribe::new(text);
    let mut cookies = Vec::new();
    if header::is_named(text, &["Cookie"]) {
        return Err(NOT_SENT_BACK);
    }
    for field in header::fields(text, HEADERS) {
        let mut reader = Reader {
            scribe: &mut scribe,
            cookie: Cookie::default(),
            now,
        };
        if field.name.is_none()
            && !field
                .value
                .split(';')
                .next()
                .unwrap_or_default()
                .contains('=')
        {
            return Err(NOT_A_COOKIE);
        }
        reader.field(field.value);
        cookies.push(reader.cookie);
    }
    scribe.note("Cookie values are not repeated; they may be credentials.");
    Ok(Reading::new(SetCookie { cookies }, scribe))
}

struct Reader<'s, 't> {
    scribe: &'s mut Scribe<'t>,
    cookie: Cookie,
    now: i64,
}

impl Reader<'_, '_> {
    fn field(&mut self, value: &str) {
        self.cookie.accepted = true;
        let mut parts = value.split(';');
        let pair = parts.next().unwrap_or_default();
        self.pair(pair);
        let mut given: Vec<String> = Vec::new();
        let mut same_site = None;
        for part in parts
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .take(ATTRIBUTE_LIMIT)
        {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), value.trim()),
                None => (part, ""),
            };
            let name = name.to_ascii_lowercase();
            if value.len() > ATTRIBUTE_OCTETS {
                self.scribe.flag(
                    LONG_ATTRIBUTE,
                    part,
                    "An attribute of more than 1024 octets is ignored.",
                );
                continue;
            }
            if name == "samesite" {
                same_site = Some(part);
            }
            self.attribute(part, &name, value);
            if given.contains(&name) {
                self.scribe.flag(
                    REPEATED,
                    part,
                    format!("{} is given twice; the last one counts.", quoted(&name)),
                );
            }
            given.push(name);
        }
        if let Some(age) = self.cookie.max_age {
            self.cookie.deletes = age <= 0;
        }
        self.cookie.session = !given
            .iter()
            .any(|name| name == "expires" || name == "max-age");
        self.judge(pair.trim(), same_site.unwrap_or(pair.trim()));
    }

    fn pair(&mut self, pair: &str) {
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name.trim(), value.trim()),
            None => ("", pair.trim()),
        };
        self.cookie.name = name.to_owned();
        self.cookie.value_length = value.len();
        let control = |c: char| c.is_ascii_control() && c != '\t';
        if name.is_empty() && value.is_empty() {
            self.reject(
                EMPTY,
                pair,
                "Neither name nor value: browsers ignore the field.",
            );
        } else if pair.contains(control) {
            self.reject(
                CONTROL,
                pair,
                "A control character makes browsers ignore the field.",
            );
        } else if name.len() + value.len() > PAIR_OCTETS {
            self.reject(
                TOO_LONG,
                pair.trim(),
                "More than 4096 octets of name and value: browsers ignore the field.",
            );
        } else if name.is_empty() {
            self.scribe.flag(
                NO_NAME,
                pair.trim(),
                "A cookie without a name is stored, but servers read it in different ways.",
            );
        }
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if let Some(at) = name.find(|c| !is_token(c)) {
            let rest = name.get(at..).unwrap_or(name);
            let part = rest
                .chars()
                .next()
                .and_then(|c| rest.get(..c.len_utf8()))
                .unwrap_or(name);
            self.scribe.flag(
                BAD_NAME,
                part,
                "A cookie name is a token; servers differ in how they read this.",
            );
        }
        let bare = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        if bare.contains(|c: char| matches!(c, ' ' | '"' | ',' | '\\') || !c.is_ascii()) {
            self.scribe.flag(
                BAD_VALUE,
                value,
                "The value has spaces, quotes, commas, backslashes or characters beyond \
                 ASCII; servers differ in how they read it.",
            );
        }
    }

    fn attribute(&mut self, part: &str, name: &str, value: &str) {
        match name {
            "secure" => self.cookie.secure = true,
            "httponly" => self.cookie.http_only = true,
            "partitioned" => self.cookie.partitioned = true,
            "path" => self.cookie.path = value.starts_with('/').then(|| value.to_owned()),
            "domain" => self.domain(part, value),
            "expires" => self.expires(part, value),
            "max-age" => self.max_age(part, value),
            "samesite" => {
                self.cookie.same_site = match value.to_ascii_lowercase().as_str() {
                    "strict" => Some(SameSite::Strict),
                    "lax" => Some(SameSite::Lax),
                    "none" => Some(SameSite::None),
                    _ => {
                        self.scribe.flag(
                            BAD_SAME_SITE,
                            part,
                            "SameSite is Strict, Lax or None; browsers take Lax.",
                        );
                        None
                    }
                };
            }
            "priority" => self.scribe.flag(
                UNKNOWN_ATTRIBUTE,
                part,
                "Priority is known to one browser only.",
            ),
            _ => self.scribe.flag(
                UNKNOWN_ATTRIBUTE,
                part,
                format!(
                    "{} is no attribute of cookies; it is ignored.",
                    quoted(name)
                ),
            ),
        }
    }

    fn domain(&mut self, part: &str, value: &str) {
        let bare = value.strip_prefix('.').unwrap_or(value);
        if bare.len() < value.len() {
            self.scribe.flag(
                LEADING_DOT,
                part,
                "The leading dot is ignored: names below are included either way.",
            );
        }
        if bare.is_empty() {
            self.scribe
                .flag(BAD_DOMAIN, part, "An empty domain is ignored.");
            return;
        }
        if !bare.contains('.') || bare.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            self.scribe.flag(
                BAD_DOMAIN,
                part,
                "A top-level name or an address is refused unless it is the very host.",
            );
        }
        self.cookie.domain = Some(bare.to_ascii_lowercase());
    }

    fn expires(&mut self, part: &str, value: &str) {
        match moment::from_cookie_date(value) {
            Some(at) => {
                self.cookie.expires = Some(moment::rfc3339(at));
                self.cookie.deletes = at <= self.now;
                if at <= self.now {
                    self.scribe
                        .flag(DELETES, part, "A date in the past deletes the cookie.");
                } else if at - self.now > LONGEST {
                    self.scribe.flag(
                        LONG_LIVED,
                        part,
                        "Browsers keep cookies for 400 days at the most.",
                    );
                }
            }
            None => self.scribe.flag(
                BAD_DATE,
                part,
                "Not a date such as `Wed, 21 Oct 2026 07:28:00 GMT`; browsers ignore it.",
            ),
        }
    }

    fn max_age(&mut self, part: &str, value: &str) {
        let digits = value.strip_prefix('-').unwrap_or(value);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            self.scribe.flag(
                BAD_DATE,
                part,
                "Max-Age is a number of seconds; browsers ignore this.",
            );
            return;
        }
        let saturated = if value.starts_with('-') {
            i64::MIN
        } else {
            i64::MAX
        };
        let age = value.parse().unwrap_or(saturated);
        self.cookie.max_age = Some(age);
        if age <= 0 {
            self.scribe
                .flag(DELETES, part, "Zero or less deletes the cookie.");
        } else if age > LONGEST {
            self.scribe.flag(
                LONG_LIVED,
                part,
                "Browsers keep cookies for 400 days at the most.",
            );
        }
    }

    /// What the attributes mean together.
    fn judge(&mut self, pair: &str, same_site: &str) {
        self.prefix(pair);
        let cookie = &self.cookie;
        let name = pair.split('=').next().unwrap_or(pair);
        let name = if name.is_empty() { pair } else { name };
        let (secure, http_only, site) = (cookie.secure, cookie.http_only, cookie.same_site);
        let sensitive = is_session_name(&cookie.name);
        let is_kept = !cookie.deletes;
        if site == Some(SameSite::None) && !secure {
            self.reject(
                NONE_WITHOUT_SECURE,
                same_site,
                "SameSite=None without Secure: browsers refuse the cookie.",
            );
        } else if !secure && is_kept {
            self.scribe.flag(
                NOT_SECURE,
                name,
                "Without Secure the cookie also travels over unencrypted connections.",
            );
        }
        if self.cookie.partitioned && !secure {
            self.reject(
                PARTITIONED_WITHOUT_SECURE,
                name,
                "Partitioned without Secure: browsers refuse the cookie.",
            );
        }
        if !http_only && is_kept {
            let rule = if sensitive {
                SESSION_READABLE
            } else {
                READABLE
            };
            self.scribe
                .flag(rule, name, "Without HttpOnly scripts can read the cookie.");
        }
        if site.is_none() && is_kept {
            self.scribe.flag(
                NO_SAME_SITE,
                name,
                "Without SameSite browsers take Lax, some with exceptions.",
            );
        }
    }

    /// Prefixes of RFC 6265bis section 4.1.3, case-insensitive to browsers.
    fn prefix(&mut self, pair: &str) {
        let lower = self.cookie.name.to_ascii_lowercase();
        let Some((prefix, host, http)) = PREFIXES
            .iter()
            .find(|(prefix, _, _)| lower.starts_with(&prefix.to_ascii_lowercase()))
        else {
            return;
        };
        self.cookie.prefix = Some(prefix);
        let part = pair.get(..prefix.len()).unwrap_or(pair);
        if !self.cookie.secure {
            self.reject(
                PREFIX,
                part,
                format!("{prefix} demands Secure: browsers refuse the cookie."),
            );
        }
        if *http && !self.cookie.http_only {
            self.reject(
                PREFIX,
                part,
                format!("{prefix} demands HttpOnly: browsers refuse the cookie."),
            );
        }
        if *host && (self.cookie.domain.is_some() || self.cookie.path.as_deref() != Some("/")) {
            self.reject(
                PREFIX,
                part,
                format!("{prefix} demands Path=/ and no Domain: browsers refuse the cookie."),
            );
        }
    }

    fn reject(&mut self, rule: &'static Rule, part: &str, message: impl Into<String>) {
        self.cookie.accepted = false;
        self.scribe.flag(rule, part, message);
    }
}

/// Whether a cookie of that name may let somebody act as the visitor.
pub(crate) fn is_session_name(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // Scripts have to read a token against forged requests, to send it along.
    if ["csrf", "xsrf"].iter().any(|word| lower.contains(word)) {
        return false;
    }
    ["sess", "sid", "auth", "token", "jwt", "login", "remember"]
        .iter()
        .any(|word| lower.contains(word))
}

fn sniff(text: &str) -> u8 {
    if header::is_named(text, HEADERS) {
        return 98;
    }
    let text = text.trim();
    let (pair, attributes) = text.split_once(';').unwrap_or((text, ""));
    if text.contains('\n') || !pair.contains('=') {
        return 0;
    }
    let known = attributes.split(';').filter(|part| {
        let name = part
            .split('=')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        matches!(
            name.as_str(),
            "path" | "domain" | "expires" | "secure" | "httponly" | "samesite" | "partitioned"
        )
    });
    match known.take(3).count() {
        0 => 0,
        1 => 75,
        _ => 90,
    }
}

const HEADERS: &[&str] = &["set-cookie"];
const ATTRIBUTE_LIMIT: usize = 64;
const ATTRIBUTE_OCTETS: usize = 1024;
const PAIR_OCTETS: usize = 4096;
const LONGEST: i64 = 400 * 86_400;
const NOT_A_COOKIE: NotThis = NotThis(
    "a cookie is `name=value`, with attributes such as `Path=/; Secure; HttpOnly` behind it.",
);

const NOT_SENT_BACK: NotThis = NotThis(
    "a Cookie field is what a browser sends back, without attributes; send the Set-Cookie field of the response.",
);

/// Prefix, whether it binds to the host, whether it demands HttpOnly. The
/// longer one stands before the one it begins with.
const PREFIXES: &[(&str, bool, bool)] = &[
    ("__Host-Http-", true, true),
    ("__Host-", true, false),
    ("__Http-", false, true),
    ("__Secure-", false, false),
];

rules! {
    PREFIX = "set_cookie.prefix", High, "RFC 6265bis section 4.1.3",
        "The cookie does not keep what its prefix promises and is refused.";
    NONE_WITHOUT_SECURE = "set_cookie.none_without_secure", High, "RFC 6265bis section 5.7",
        "SameSite=None without Secure is refused.";
    PARTITIONED_WITHOUT_SECURE = "set_cookie.partitioned_without_secure", High, "CHIPS draft section 2",
        "Partitioned without Secure is refused.";
    EMPTY = "set_cookie.empty", High, "RFC 6265bis section 5.6",
        "There is neither name nor value.";
    CONTROL = "set_cookie.control_character", High, "RFC 6265bis section 5.6",
        "There is a control character.";
    TOO_LONG = "set_cookie.too_long", High, "RFC 6265bis section 5.6",
        "Name and value are too long.";
    NOT_SECURE = "set_cookie.not_secure", Medium, "RFC 6265bis section 8.3",
        "The cookie is sent over unencrypted connections.";
    SESSION_READABLE = "set_cookie.session_readable", Medium, "RFC 6265bis section 4.1.2.6",
        "Scripts can read what looks like a session.";
    BAD_SAME_SITE = "set_cookie.bad_same_site", Medium, "RFC 6265bis section 5.6.7",
        "The SameSite value does not exist.";
    BAD_DATE = "set_cookie.bad_date", Medium, "RFC 6265bis section 5.6.1",
        "Expires or Max-Age cannot be read.";
    BAD_DOMAIN = "set_cookie.bad_domain", Medium, "RFC 6265bis section 5.6.3",
        "The domain is empty, a top-level name or an address.";
    LONG_ATTRIBUTE = "set_cookie.long_attribute", Low, "RFC 6265bis section 5.6",
        "An attribute is too long and ignored.";
    READABLE = "set_cookie.readable", Low, "RFC 6265bis section 4.1.2.6",
        "Scripts can read the cookie.";
    NO_SAME_SITE = "set_cookie.no_same_site", Low, "RFC 6265bis section 5.6.7.1",
        "SameSite is not given.";
    BAD_NAME = "set_cookie.bad_name", Low, "RFC 6265bis section 4.1.1",
        "The name has characters that servers read differently.";
    BAD_VALUE = "set_cookie.bad_value", Low, "RFC 6265bis section 4.1.1",
        "The value has characters that servers read differently.";
    NO_NAME = "set_cookie.no_name", Low, "RFC 6265bis section 5.6",
        "The cookie has no name.";
    LONG_LIVED = "set_cookie.long_lived", Low, "RFC 6265bis section 5.5",
        "The lifetime is beyond 400 days.";
    REPEATED = "set_cookie.repeated_attribute", Low, "RFC 6265bis section 5.6",
        "An attribute is given twice.";
    UNKNOWN_ATTRIBUTE = "set_cookie.unknown_attribute", Low, "RFC 6265bis section 5.6",
        "An attribute is not defined.";
    LEADING_DOT = "set_cookie.leading_dot", Info, "RFC 6265bis section 5.6.3",
        "The domain begins with a dot.";
    DELETES = "set_cookie.deletes", Info, "RFC 6265bis section 5.5",
        "The field deletes the cookie.";
}

#[cfg(test)]
mod tests;
