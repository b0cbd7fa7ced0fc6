//! The presentation form of zone files (RFC 1035 section 5.1).

use std::fmt::Write as _;

use time::{Date, OffsetDateTime, Time};

use super::{BLOB_LIMIT, Data, TEXT_LIMIT};

/// Characters kept of one record.
const LIMIT: usize = 2 * TEXT_LIMIT;

impl Data {
    /// The presentation form (RFC 1035 section 5.1), as `dig` prints it, but
    /// for hexadecimal digits in lower case. What is no printable ASCII stands
    /// there by its number, so that nothing in it needs cleaning.
    pub fn text(&self) -> String {
        let mut text = self.whole();
        if text.len() > LIMIT {
            text.truncate(LIMIT);
            text.push('…');
        }
        text
    }

    fn whole(&self) -> String {
        match self {
            Data::Address { address } => address.to_string(),
            Data::Name { target } => fqdn(target),
            Data::Mx {
                preference,
                exchange,
            } => format!("{preference} {}", fqdn(exchange)),
            Data::Txt { strings, .. } => all_quoted(strings),
            Data::Soa {
                primary,
                responsible,
                serial,
                refresh,
                retry,
                expire,
                minimum,
            } => format!(
                "{} {} {serial} {refresh} {retry} {expire} {minimum}",
                fqdn(primary),
                fqdn(responsible)
            ),
            Data::Srv {
                priority,
                weight,
                port,
                target,
            } => {
                format!("{priority} {weight} {port} {}", fqdn(target))
            }
            Data::Caa {
                flags, tag, value, ..
            } => format!("{flags} {tag} {}", quoted(value)),
            Data::Svcb {
                priority,
                target,
                params,
                ..
            } => {
                let mut text = format!("{priority} {}", fqdn(target));
                for param in params {
                    let _ = write!(text, " {}", param.text);
                }
                text
            }
            Data::Tlsa {
                usage,
                selector,
                matching,
                data,
            } => {
                format!("{usage} {selector} {matching} {data}")
            }
            Data::Ds {
                key_tag,
                algorithm,
                digest_type,
                digest,
                ..
            } => {
                format!("{key_tag} {algorithm} {digest_type} {digest}")
            }
            Data::Dnskey {
                flags,
                protocol,
                algorithm,
                public_key,
                ..
            } => {
                format!("{flags} {protocol} {algorithm} {public_key}")
            }
            Data::Rrsig {
                covered,
                algorithm,
                labels,
                original_ttl,
                key_tag,
                signer,
                inception,
                expiration,
                signature,
            } => {
                format!(
                    "{covered} {algorithm} {labels} {original_ttl} {} {} {key_tag} {} {signature}",
                    moment(*expiration),
                    moment(*inception),
                    fqdn(signer)
                )
            }
            Data::Nsec { next, types } => listed(fqdn(next), types),
            Data::Nsec3 {
                hash,
                opt_out,
                iterations,
                salt,
                next,
                types,
                ..
            } => {
                let salt = if salt.is_empty() { "-" } else { salt };
                let head = format!("{hash} {} {iterations} {salt} {next}", u8::from(*opt_out));
                listed(head, types)
            }
            Data::Naptr {
                order,
                preference,
                naptr_flags,
                services,
                regexp,
                replacement,
            } => format!(
                "{order} {preference} {} {} {} {}",
                quoted(naptr_flags),
                quoted(services),
                quoted(regexp),
                fqdn(replacement)
            ),
            Data::Other { octets: 0, .. } => String::from("\\# 0"),
            Data::Other { hex, octets, .. } => {
                let cut = if octets * 2 > BLOB_LIMIT { "…" } else { "" };
                format!("\\# {octets} {hex}{cut}")
            }
        }
    }
}

fn fqdn(name: &str) -> String {
    match name {
        "." => String::from("."),
        _ => [name, "."].concat(),
    }
}

/// The types of NSEC and NSEC3 behind what stands before them.
fn listed(head: String, types: &[String]) -> String {
    types
        .iter()
        .fold(head, |text, rtype| text + " " + rtype.as_str())
}

/// `YYYYMMDDHHmmSS` in UTC (RFC 4034 section 3.2).
fn moment(unix_seconds: u32) -> String {
    let at = OffsetDateTime::from_unix_timestamp(unix_seconds.into());
    let (date, time) = at.map_or((Date::MIN, Time::MIDNIGHT), |at| (at.date(), at.time()));
    let parts = [
        u8::from(date.month()),
        date.day(),
        time.hour(),
        time.minute(),
        time.second(),
    ];
    let year = i64::from(date.year());
    let digits = parts
        .iter()
        .fold(year, |all, part| 100 * all + i64::from(*part));
    digits.to_string()
}

/// Character-strings in a row.
fn all_quoted(strings: &[Vec<u8>]) -> String {
    let octets: usize = strings.iter().map(Vec::len).sum();
    let mut text = String::with_capacity(octets + 3 * strings.len());
    for string in strings {
        if !text.is_empty() {
            text.push(' ');
        }
        push_quoted(&mut text, string);
    }
    text
}

/// A character-string in double quotes: those, backslashes and what is no
/// printable ASCII are escaped.
pub(super) fn quoted(octets: impl AsRef<[u8]>) -> String {
    let octets = octets.as_ref();
    let mut text = String::with_capacity(octets.len() + 2);
    push_quoted(&mut text, octets);
    text
}

fn push_quoted(text: &mut String, octets: &[u8]) {
    text.push('"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => text.extend(['\\', char::from(*octet)]),
            b' '..=b'~' => text.push(char::from(*octet)),
            _ => push_number(text, *octet),
        }
    }
    text.push('"');
}

/// An octet by its number.
pub(super) fn push_number(text: &mut String, octet: u8) {
    let _ = write!(text, "\\{octet:03}");
}
