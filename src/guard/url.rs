//! URLs: rules on the caller's string first, then one parse, then rules on
//! what was parsed; and the type that proves it.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use std::sync::Arc;

use url::{Host, Position, Url};

use super::address::{judge_ip, judge_port};
use super::name::{self, judge_target};
use super::refusal::{Class, Refusal};
use super::text;

/// Bytes of a URL. Far more than a page needs; the platform's own limit is 16 KB.
pub const MAX_URL: usize = 2048;

/// Slashes in a path. A page is never that deep, and removing dot segments is
/// what a hostile path costs the most.
const MAX_SEGMENTS: usize = 256;

/// How a target is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// As it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
        }
    }
}

/// An http or https URL whose text the guard has judged: what may be fetched,
/// once its answers have been judged too.
///
/// It is the re-serialized form, never the caller's string: ASCII, no
/// user-info, no fragment, no default port, no trailing dot on the host. Only
/// the guard makes one.
#[derive(Clone)]
pub struct PublicUrl {
    url: Url,
    scheme: Scheme,
    /// What the guard that made it allows, so that its relatives obey it too.
    ports: Arc<[u16]>,
}

impl PublicUrl {
    /// The whole URL.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The canonical ASCII host, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().map_or("", unbracketed)
    }

    /// Host and, unless it is the scheme's own, port: the `Host` field
    /// (RFC 9110 §7.2).
    pub fn authority(&self) -> &str {
        &self.url[Position::BeforeHost..Position::AfterPort]
    }

    /// The host when it is a name.
    pub fn name(&self) -> Option<&str> {
        self.url.domain()
    }

    /// The host when it is an address.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.url.host()? {
            Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
            Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
            Host::Domain(_) => None,
        }
    }

    /// The port, written out or the scheme's own.
    pub fn port(&self) -> u16 {
        self.url.port().unwrap_or(self.scheme.default_port())
    }

    /// What goes into the request line (RFC 9112 §3.2.1).
    pub fn path_and_query(&self) -> &str {
        &self.url[Position::BeforePath..Position::AfterQuery]
    }

    /// Another `path`, query included, at the same host: `/robots.txt`.
    pub fn with_path(&self, path: &str) -> Result<PublicUrl, Refusal> {
        refuse_raw(path)?;
        refuse_path_and_query(path)?;
        if !path.starts_with('/') {
            return Err(Refusal::new(Class::Malformed, "url.path"));
        }
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path, None),
        };
        let mut url = self.url.clone();
        url.set_path(path);
        url.set_query(query);
        self.sibling(url, self.scheme)
    }

    /// The same place under the other scheme; a port that was the old scheme's
    /// own becomes the new one's.
    pub fn with_scheme(&self, scheme: Scheme) -> Result<PublicUrl, Refusal> {
        let mut url = self.url.clone();
        url.set_scheme(scheme.as_str())
            .map_err(|()| Refusal::new(Class::Scheme, "scheme.not_http"))?;
        self.sibling(url, scheme)
    }

    fn sibling(&self, url: Url, scheme: Scheme) -> Result<PublicUrl, Refusal> {
        if url.as_str().len() > MAX_URL {
            return Err(Refusal::new(Class::Malformed, "url.length"));
        }
        let sibling = PublicUrl {
            url,
            scheme,
            ports: self.ports.clone(),
        };
        judge_port(sibling.port(), &self.ports)?;
        Ok(sibling)
    }
}

impl PartialEq for PublicUrl {
    fn eq(&self, other: &Self) -> bool {
        self.url == other.url
    }
}

impl Eq for PublicUrl {}

impl Hash for PublicUrl {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.url.hash(state);
    }
}

impl std::fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for PublicUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicUrl({})", self.as_str())
    }
}

/// Judges a URL by its text alone; who may be a target is not decided here.
pub(super) fn judge(raw: &str, ports: &Arc<[u16]>) -> Result<PublicUrl, Refusal> {
    refuse_raw(raw)?;
    let raw = unfragmented(raw);
    let (scheme, spelled_host) = split(raw)?;
    let mut url = Url::parse(raw).map_err(|_| Refusal::new(Class::Malformed, "url.parse"))?;
    if url.scheme() != scheme.as_str() {
        return Err(Refusal::new(Class::Scheme, "scheme.not_http"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::new(Class::UserInfo, "url.user_info"));
    }
    judge_host(&mut url, spelled_host)?;
    if url.as_str().len() > MAX_URL {
        return Err(Refusal::new(Class::Malformed, "url.length"));
    }
    let judged = PublicUrl {
        url,
        scheme,
        ports: ports.clone(),
    };
    judge_port(judged.port(), ports)?;
    Ok(judged)
}

/// The rules on the caller's string. A parser would repair most of what they
/// refuse, each parser in its own way; nothing here is repaired.
fn split(raw: &str) -> Result<(Scheme, &str), Refusal> {
    let Some((scheme, rest)) = raw.split_once(':') else {
        return Err(Refusal::new(Class::Malformed, "url.relative"));
    };
    let scheme = if scheme.eq_ignore_ascii_case("https") {
        Scheme::Https
    } else if scheme.eq_ignore_ascii_case("http") {
        Scheme::Http
    } else {
        return Err(Refusal::new(Class::Scheme, "scheme.not_http"));
    };
    let Some(rest) = rest.strip_prefix("//") else {
        return Err(Refusal::new(Class::Malformed, "url.slashes"));
    };
    let authority = rest.find(['/', '?']).map_or(rest, |end| &rest[..end]);
    if authority.contains('@') {
        return Err(Refusal::new(Class::UserInfo, "url.user_info"));
    }
    // Percent-encoding has no place in a host that is a DNS name; parsers
    // decode it before they look, people do not.
    if authority.contains('%') {
        return Err(Refusal::new(Class::Malformed, "url.host_percent"));
    }
    let host = host_of(authority);
    name::refuse_raw(host)?;
    refuse_path_and_query(&rest[authority.len()..])?;
    Ok((scheme, host))
}

/// `location` (RFC 9110 §10.2.2) as an absolute URL, yet to be judged.
///
/// A parser resolves `http:path`, `///host` and backslashes in ways that
/// differ from the next parser, so a location is one of three plain things: an
/// absolute URL, `//authority...`, or a reference that stays at the same host.
pub(super) fn resolve(from: &PublicUrl, location: &str) -> Result<String, Refusal> {
    refuse_raw(location)?;
    let location = unfragmented(location);
    if has_scheme(location) {
        return Ok(location.to_owned());
    }
    if location.starts_with("//") {
        return Ok(format!("{}:{location}", from.scheme.as_str()));
    }
    refuse_path_and_query(location)?;
    let next = from
        .url
        .join(location)
        .map_err(|_| Refusal::new(Class::Malformed, "redirect.location"))?;
    if next[..Position::BeforePath] != from.url[..Position::BeforePath] {
        return Err(Refusal::new(Class::Malformed, "redirect.location"));
    }
    Ok(next.into())
}

/// Whether a reference begins with a scheme (RFC 3986 §3.1).
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else {
        return false;
    };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// What is refused wherever in the string it stands.
fn refuse_raw(raw: &str) -> Result<(), Refusal> {
    if raw.len() > MAX_URL {
        return Err(Refusal::new(Class::Malformed, "url.length"));
    }
    if raw.bytes().any(|b| b <= b' ' || b == 0x7f || b == b'\\') {
        return Err(Refusal::new(Class::Malformed, "url.character"));
    }
    Ok(())
}

/// The rules on what follows the authority, or on a reference. They bound the
/// work that the parser is given.
fn refuse_path_and_query(raw: &str) -> Result<(), Refusal> {
    let malformed = |rule| Err(Refusal::new(Class::Malformed, rule));
    let (path, query) = raw.split_once('?').unwrap_or((raw, ""));
    if path.bytes().filter(|b| *b == b'/').count() > MAX_SEGMENTS {
        return malformed("url.segments");
    }
    // What percent-encoding makes three times as long, by the URL standard's
    // sets for path and query. Dot segments count, though they would go.
    let path_swells = |b: &u8| !b.is_ascii() || b"\"<>`{}".contains(b);
    let query_swells = |b: &u8| !b.is_ascii() || b"\"<>'".contains(b);
    let swelling =
        path.bytes().filter(path_swells).count() + query.bytes().filter(query_swells).count();
    if raw.len() + 2 * swelling > MAX_URL {
        return malformed("url.length");
    }
    // Joiners and emoji variants are honest in a path; what turns the reading
    // direction or hides text is not.
    let honest = |c| matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE0E}' | '\u{FE0F}');
    if !raw.is_ascii() && raw.chars().any(|c| text::is_invisible(c) && !honest(c)) {
        return malformed("url.invisible");
    }
    Ok(())
}

/// `raw` without its fragment, which is never sent (RFC 9110 §7.1) and so not
/// even parsed.
fn unfragmented(raw: &str) -> &str {
    raw.find('#').map_or(raw, |at| &raw[..at])
}

/// The host in `host[:port]`, brackets kept.
fn host_of(authority: &str) -> &str {
    let port = match authority.rfind(']') {
        Some(bracket) => authority[bracket..].find(':').map(|at| bracket + at),
        None => authority.find(':'),
    };
    port.map_or(authority, |at| &authority[..at])
}

fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

/// The rules on the parsed host, held against the host as it was spelled.
fn judge_host(url: &mut Url, spelled: &str) -> Result<(), Refusal> {
    match url.host() {
        Some(Host::Ipv4(ip)) => {
            judge_ip(IpAddr::V4(ip))?;
            // `010.8.8.8` is 8.8.8.8 to one parser and 10.8.8.8 to the next.
            if Some(spelled.strip_suffix('.').unwrap_or(spelled)) != url.host_str() {
                return Err(Refusal::new(Class::Address, "ipv4.spelling"));
            }
            Ok(())
        }
        Some(Host::Ipv6(ip)) => judge_ip(IpAddr::V6(ip)),
        Some(Host::Domain(name)) => {
            if spelled.is_ascii() && !name.eq_ignore_ascii_case(spelled) {
                return Err(Refusal::new(Class::Malformed, "url.host_differs"));
            }
            let Some(bare) = name.strip_suffix('.') else {
                return judge_target(name);
            };
            judge_target(bare)?;
            let bare = bare.to_owned();
            url.set_host(Some(&bare))
                .map_err(|_| Refusal::new(Class::Malformed, "url.host"))
        }
        None => Err(Refusal::new(Class::Malformed, "url.host")),
    }
}
