//! The grammar of one term (RFC 7208 section 12).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::macros;
use super::{Name, Qualifier, Term};

/// The part at fault and what is wrong with it.
pub(super) type Fault<'a> = (&'a str, &'static str);

/// One term by the grammar of RFC 7208 section 12; the error names the
/// part at fault.
pub(super) fn read(text: &str) -> Result<Term, Fault<'_>> {
    if let Some((name, value)) = modifier(text) {
        return read_modifier(text, name, value);
    }
    let (qualifier, rest) = qualifier(text);
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, arguments) = rest.split_at(end);
    let name = MECHANISMS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, name)| *name)
        .ok_or_else(|| {
            (
                text,
                if name.eq_ignore_ascii_case("ip") {
                    "is no mechanism; `ip4` or `ip6` is meant"
                } else {
                    "is no mechanism that SPF has"
                },
            )
        })?;
    let mut term = blank(text, name);
    term.qualifier = Some(qualifier);
    if arguments.is_empty()
        && let Some(why) = lacking(term.name)
    {
        return Err((rest, why));
    }
    read_arguments(&mut term, arguments)?;
    term.meaning = meaning(&term);
    Ok(term)
}

/// `name=value`, when the equals sign comes before any colon or slash.
fn modifier(text: &str) -> Option<(&str, &str)> {
    let at = text.find(['=', ':', '/'])?;
    let (name, value) = text.split_at(at);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    Some((name, value.strip_prefix('=')?)).filter(|_| is_name)
}

fn read_modifier<'a>(text: &'a str, name: &'a str, value: &'a str) -> Result<Term, Fault<'a>> {
    let known = match name.to_ascii_lowercase().as_str() {
        "redirect" => Name::Redirect,
        "exp" => Name::Exp,
        _ => Name::Unknown,
    };
    if MECHANISMS
        .iter()
        .any(|(mechanism, _)| mechanism.eq_ignore_ascii_case(name))
    {
        return Err((text, "has an equals sign where a mechanism takes a colon"));
    }
    match known {
        Name::Unknown => macros::check_string(value)?,
        _ => macros::check_domain(if value.is_empty() { text } else { value })?,
    }
    let mut term = blank(text, known);
    term.domain = Some(value.to_owned());
    term.lookup = known == Name::Redirect;
    term.meaning = meaning(&term);
    Ok(term)
}

fn qualifier(text: &str) -> (Qualifier, &str) {
    let known = [
        ('+', Qualifier::Pass),
        ('-', Qualifier::Fail),
        ('~', Qualifier::Softfail),
        ('?', Qualifier::Neutral),
    ];
    known
        .into_iter()
        .find_map(|(sign, qualifier)| Some((qualifier, text.strip_prefix(sign)?)))
        .unwrap_or((Qualifier::Pass, text))
}

/// What a mechanism that cannot stand alone needs.
fn lacking(name: Name) -> Option<&'static str> {
    match name {
        Name::Ip4 => Some("needs a colon and an IPv4 address behind it"),
        Name::Ip6 => Some("needs a colon and an IPv6 address behind it"),
        Name::Include | Name::Exists => Some("needs a colon and a domain behind it"),
        _ => None,
    }
}

/// What stands behind a mechanism's name.
fn read_arguments<'a>(term: &mut Term, arguments: &'a str) -> Result<(), Fault<'a>> {
    match term.name {
        Name::All if arguments.is_empty() => Ok(()),
        Name::All => Err((arguments, "stands behind `all`, which takes nothing")),
        Name::Ip4 => read_ip4(term, arguments),
        Name::Ip6 => read_ip6(term, arguments),
        Name::Include | Name::Exists => {
            let domain = arguments
                .strip_prefix(':')
                .ok_or((arguments, "must be a colon and a domain"))?;
            macros::check_domain(domain)?;
            term.domain = Some(domain.to_owned());
            Ok(())
        }
        Name::Ptr => match arguments.strip_prefix(':') {
            None if arguments.is_empty() => Ok(()),
            None => Err((arguments, "must be a colon and a domain")),
            Some(domain) => {
                macros::check_domain(domain)?;
                term.domain = Some(domain.to_owned());
                Ok(())
            }
        },
        _ => read_host(term, arguments),
    }
}

/// `a` and `mx`: `[":" domain-spec] [dual-cidr-length]`.
fn read_host<'a>(term: &mut Term, arguments: &'a str) -> Result<(), Fault<'a>> {
    let (domain, lengths) = split_lengths(arguments);
    match domain.strip_prefix(':') {
        None if domain.is_empty() => {}
        None => return Err((domain, "must be a colon and a domain")),
        Some(domain) => {
            macros::check_domain(domain)?;
            term.domain = Some(domain.to_owned());
        }
    }
    let (four, six) = match lengths.find("//") {
        Some(at) => (lengths.get(..at).unwrap_or_default(), lengths.get(at + 2..)),
        None => (lengths, None),
    };
    if let Some(length) = four.strip_prefix('/') {
        term.prefix4 = Some(prefix_length(length, 32)?);
    }
    if let Some(length) = six {
        term.prefix6 = Some(prefix_length(length, 128)?);
    }
    Ok(())
}

/// Splits where the prefix lengths begin; a slash inside a macro is none.
fn split_lengths(arguments: &str) -> (&str, &str) {
    let behind_macros = arguments.rfind('}').map_or(0, |at| at + 1);
    let tail = arguments.get(behind_macros..).unwrap_or_default();
    let at = tail
        .find('/')
        .map_or(arguments.len(), |at| behind_macros + at);
    arguments.split_at(at)
}

fn read_ip4<'a>(term: &mut Term, arguments: &'a str) -> Result<(), Fault<'a>> {
    let value = arguments
        .strip_prefix(':')
        .ok_or((arguments, "must be a colon and an IPv4 address"))?;
    let (address, length) = split_network(value);
    address
        .parse::<Ipv4Addr>()
        .map_err(|_| (value, "is no IPv4 address"))?;
    term.network = Some(address.to_owned());
    term.prefix4 = length.map(|length| prefix_length(length, 32)).transpose()?;
    Ok(())
}

fn read_ip6<'a>(term: &mut Term, arguments: &'a str) -> Result<(), Fault<'a>> {
    let value = arguments
        .strip_prefix(':')
        .ok_or((arguments, "must be a colon and an IPv6 address"))?;
    let (address, length) = split_network(value);
    address
        .parse::<Ipv6Addr>()
        .map_err(|_| (value, "is no IPv6 address"))?;
    term.network = Some(address.to_owned());
    term.prefix6 = length
        .map(|length| prefix_length(length, 128))
        .transpose()?;
    Ok(())
}

fn split_network(value: &str) -> (&str, Option<&str>) {
    match value.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (value, None),
    }
}

/// A prefix length without needless zeros (RFC 7208 section 5.6).
fn prefix_length(text: &str, most: u8) -> Result<u8, Fault<'_>> {
    let plain = !text.is_empty()
        && text.bytes().all(|b| b.is_ascii_digit())
        && (text == "0" || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|length| plain && *length <= most)
        .ok_or((text, "is no prefix length"))
}

fn blank(text: &str, name: Name) -> Term {
    Term {
        text: text.to_owned(),
        name,
        qualifier: None,
        domain: None,
        network: None,
        prefix4: None,
        prefix6: None,
        lookup: matches!(
            name,
            Name::Include | Name::A | Name::Mx | Name::Ptr | Name::Exists
        ),
        meaning: String::new(),
    }
}

fn meaning(term: &Term) -> String {
    let domain = term.domain.as_deref().unwrap_or("this domain");
    let verdict = match term.qualifier {
        Some(Qualifier::Fail) => "fail",
        Some(Qualifier::Softfail) => "softfail",
        Some(Qualifier::Neutral) => "neutral",
        _ => "pass",
    };
    match term.name {
        Name::All => format!("every other sender: {verdict}"),
        Name::Include => format!("senders that the record of {domain} passes: {verdict}"),
        Name::A => format!("the addresses of {domain}: {verdict}"),
        Name::Mx => format!("the mail servers of {domain}: {verdict}"),
        Name::Ptr => format!("senders whose reverse name is below {domain}: {verdict}"),
        Name::Ip4 | Name::Ip6 => {
            let network = term.network.as_deref().unwrap_or_default();
            match term.prefix4.or(term.prefix6) {
                Some(length) => format!("the network {network}/{length}: {verdict}"),
                None => format!("the address {network}: {verdict}"),
            }
        }
        Name::Exists => format!("senders for which {domain} has an address: {verdict}"),
        Name::Redirect => format!("the record of {domain} decides instead"),
        Name::Exp => format!("{domain} holds the explanation of a fail"),
        Name::Unknown => "ignored".to_owned(),
    }
}

const MECHANISMS: &[(&str, Name)] = &[
    ("all", Name::All),
    ("include", Name::Include),
    ("a", Name::A),
    ("mx", Name::Mx),
    ("ptr", Name::Ptr),
    ("ip4", Name::Ip4),
    ("ip6", Name::Ip6),
    ("exists", Name::Exists),
];
