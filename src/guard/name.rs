//! Names: what a host name must look like, and which lead outside.
//!
//! A name is judged in its ASCII form (UTS #46 mapped, lower case, no trailing
//! dot), never in the caller's spelling.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::address::judge_ip;
use super::recent::is_recent;
use super::refusal::{Class, Refusal};
use super::{special, text};

/// Bytes of a name that is not ASCII yet. An A-label spends one octet or more
/// on each character beside its `xn--`; names in use are far shorter.
const MAX_RAW_NAME: usize = 384;

/// The longest name without its trailing dot (RFC 1035 §2.3.4).
const MAX_NAME: usize = 253;
/// The longest label (RFC 1035 §2.3.4).
const MAX_LABEL: usize = 63;

/// What `lookup` may ask about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum LookupName {
    /// A name in the public DNS.
    Name(DnsName),
    /// A public address.
    Address(IpAddr),
}

/// A DNS name in canonical form: ASCII, lower case, no trailing dot, labels of
/// letters, digits, hyphens and underscores.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(String);

impl DnsName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }
}

impl std::fmt::Display for DnsName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Judges the argument of `lookup`: underscore labels, top-level names and
/// `arpa` are legal questions, names that must not leave a site are not.
pub(super) fn judge_lookup(raw: &str) -> Result<LookupName, Refusal> {
    if let Ok(ip) = raw.parse::<IpAddr>() {
        judge_ip(ip)?;
        return Ok(LookupName::Address(ip));
    }
    let name = to_ascii(raw)?;
    judge_question(&name)?;
    Ok(LookupName::Name(DnsName(name.into_owned())))
}

/// The canonical ASCII form of a name, underscores allowed.
pub(super) fn to_ascii(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    const UNDERSCORE_TOO: AsciiDenyList =
        AsciiDenyList::new(true, "!\"#$%&'()*+,/:;<=>?@[\\]^`{|}~");

    refuse_raw(raw)?;
    let mut ascii = Uts46::new()
        .to_ascii(
            raw.as_bytes(),
            UNDERSCORE_TOO,
            Hyphens::CheckFirstLast,
            DnsLength::VerifyAllowRootDot,
        )
        .map_err(|_| Refusal::new(Class::Malformed, "name.idna"))?;
    if ascii.ends_with('.') {
        ascii.to_mut().pop();
    }
    judge_labels(&ascii, Underscore::Allowed)?;
    Ok(ascii)
}

/// The rules on a name as it was sent: its length, no character that parsers
/// do not all know, and none that UTS #46 drops without a trace. Nobody types
/// those, and `exam\u{200B}ple.com` is not what its reader sees. The two
/// joiners are letters of some scripts, and IDNA judges their context.
pub(super) fn refuse_raw(raw: &str) -> Result<(), Refusal> {
    let ascii = raw.is_ascii();
    let longest = if ascii { MAX_NAME + 1 } else { MAX_RAW_NAME };
    if raw.is_empty() || raw.len() > longest {
        return Err(Refusal::new(Class::Malformed, "name.length"));
    }
    let vanishes = |c| text::is_invisible(c) && !matches!(c, '\u{200C}' | '\u{200D}');
    if !ascii && raw.chars().any(vanishes) {
        return Err(Refusal::new(Class::Malformed, "name.invisible"));
    }
    if !ascii && raw.chars().any(is_recent) {
        return Err(Refusal::new(Class::Malformed, "name.recent_character"));
    }
    Ok(())
}

/// Whether labels may hold underscores: in the DNS they may, in a host name
/// they may not (RFC 952, RFC 1123 §2.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Underscore {
    Allowed,
    Refused,
}

/// Lengths, letters, digits, hyphens: the form of a canonical name.
pub(super) fn judge_labels(name: &str, underscore: Underscore) -> Result<(), Refusal> {
    let refused = |rule| Err(Refusal::new(Class::Malformed, rule));
    if name.is_empty() || name.len() > MAX_NAME {
        return refused("name.length");
    }
    let mut last = name;
    for label in name.split('.') {
        if label.is_empty() || label.len() > MAX_LABEL {
            return refused("name.label_length");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return refused("name.hyphen");
        }
        let legal = |b: u8| match b {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => true,
            b'_' => underscore == Underscore::Allowed,
            _ => false,
        };
        if !label.bytes().all(legal) {
            return refused("name.ldh");
        }
        last = label;
    }
    if ends_in_number(last) {
        // The URL standard reads such a name as an IPv4 address.
        return Err(Refusal::new(Class::Address, "ipv4.spelling"));
    }
    match name.contains("xn--") {
        true => judge_encoded(name),
        false => Ok(()),
    }
}

/// The rules on what A-labels stand for. The URL standard does not ask whether
/// a label begins or ends with a hyphen once it is decoded; the registries do
/// (RFC 5891 §4.2.3.1).
fn judge_encoded(name: &str) -> Result<(), Refusal> {
    let refused = |rule| Err(Refusal::new(Class::Malformed, rule));
    let decoded = Uts46::new().to_unicode(
        name.as_bytes(),
        AsciiDenyList::EMPTY,
        Hyphens::CheckFirstLast,
    );
    match decoded {
        (_, Err(_)) => refused("name.idna"),
        (name, Ok(())) if name.chars().any(is_recent) => refused("name.recent_character"),
        _ => Ok(()),
    }
}

fn ends_in_number(last: &str) -> bool {
    let hex = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(hex)
}

/// Refuses a canonical name that is not a public web host.
pub(super) fn judge_target(name: &str) -> Result<(), Refusal> {
    judge_labels(name, Underscore::Refused)?;
    judge_top_level(name)?;
    if let Some(rule) = special::refuses_target(name) {
        return Err(Refusal::new(Class::Name, rule));
    }
    if !name.contains('.') {
        return Err(Refusal::new(Class::Name, "name.single_label"));
    }
    Ok(())
}

/// A top-level domain is letters only or an A-label (RFC 1123 §2.1, RFC 3696
/// §2); `0x7g` is what a misspelled address ends in.
fn judge_top_level(name: &str) -> Result<(), Refusal> {
    let top = name.rsplit('.').next().unwrap_or(name);
    if top.starts_with("xn--") || top.bytes().all(|b| b.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(Refusal::new(Class::Name, "name.top_level"))
}

/// Refuses a canonical name as a step between a target and its addresses.
/// Unlike a target it may hold underscores: no client types it.
pub(super) fn judge_alias(name: &str) -> Result<(), Refusal> {
    match special::refuses_target(name) {
        Some(rule) => Err(Refusal::new(Class::Name, rule)),
        None if !name.contains('.') => Err(Refusal::new(Class::Name, "name.single_label")),
        None => Ok(()),
    }
}

/// Refuses a canonical name that must not be asked of a public resolver.
fn judge_question(name: &str) -> Result<(), Refusal> {
    if let Some(rule) = special::refuses_question(name) {
        return Err(Refusal::new(Class::Name, rule));
    }
    match reversed_network(name) {
        Some(rule) => Err(Refusal::new(Class::Address, rule)),
        None => Ok(()),
    }
}

/// The rule that refuses the network which a reverse name stands for
/// (RFC 1035 §3.5, RFC 3596 §2.5); whole octets or nibbles from the right, so
/// that zone cuts and classless labels (RFC 2317) are judged as well.
fn reversed_network(name: &str) -> Option<&'static str> {
    if let Some(rest) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = [0u8; 4];
        let mut prefix = 0;
        for (octet, label) in octets.iter_mut().zip(rest.rsplit('.')) {
            let Ok(value) = label.parse() else { break };
            *octet = value;
            prefix += 8;
        }
        return special::refuses_v4_network(Ipv4Addr::from(octets), prefix);
    }
    let rest = name.strip_suffix(".ip6.arpa")?;
    let (mut bits, mut prefix) = (0u128, 0u8);
    for label in rest.rsplit('.').take(32) {
        let &[digit] = label.as_bytes() else { break };
        let Some(nibble) = char::from(digit).to_digit(16) else {
            break;
        };
        prefix += 4;
        bits |= u128::from(nibble) << (128 - prefix);
    }
    special::refuses_v6_network(Ipv6Addr::from_bits(bits), prefix)
}
