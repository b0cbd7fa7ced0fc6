//! The presentation form of zone files (RFC 1035 section 5.1).

use std::fmt::Write as _;

use time::OffsetDateTime;

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
            Data::Txt { strings, .. } => strings.iter().map(quoted).collect::<Vec<_>>().join(" "),
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
        _ => format!("{name}."),
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
    const FORM: &[time::format_description::BorrowedFormatItem<'_>] =
        time::macros::format_description!("[year][month][day][hour][minute][second]");
    OffsetDateTime::from_unix_timestamp(unix_seconds.into())
        .ok()
        .and_then(|at| at.format(FORM).ok())
        .unwrap_or_default()
}

/// A character-string in double quotes: those, backslashes and what is no
/// printable ASCII are escaped.
pub(super) fn quoted(octets: impl AsRef<[u8]>) -> String {
    let mut text = String::from("\"");
    for octet in octets.as_ref() {
        let _ = match octet {
            b'"' | b'\\' => write!(text, "\\{}", char::from(*octet)),
            b' '..=b'~' => write!(text, "{}", char::from(*octet)),
            _ => write!(text, "\\{octet:03}"),
        };
    }
    text + "\""
}
