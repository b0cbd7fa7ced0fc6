//! The presentation form of zone files (RFC 1035 section 5.1).

use std::fmt::Write as _;

use super::{Data, TEXT_LIMIT};
use crate::guard::text::clean;

impl Data {
    /// The presentation form (RFC 1035 section 5.1), as `dig` prints it.
    pub fn text(&self) -> String {
        match self {
            Data::Address { address } => address.to_string(),
            Data::Name { target } => fqdn(target),
            Data::Mx {
                preference,
                exchange,
            } => format!("{preference} {}", fqdn(exchange)),
            Data::Txt { strings, .. } => strings
                .iter()
                .map(|s| quoted(s))
                .collect::<Vec<_>>()
                .join(" "),
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
                    let _ = match param.value.as_str() {
                        "" => write!(text, " {}", param.key),
                        value => write!(text, " {}={}", param.key, quoted(value)),
                    };
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
                key_tag,
                signer,
                inception,
                expiration,
            } => {
                format!(
                    "{covered} {algorithm} {inception} {expiration} {key_tag} {}",
                    fqdn(signer)
                )
            }
            Data::Nsec3 {
                hash,
                opt_out,
                iterations,
                salt_length,
            } => {
                format!(
                    "{hash} {} {iterations} ({salt_length} octets of salt)",
                    u8::from(*opt_out)
                )
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
            Data::Other { hex, .. } => format!("\\# {} {hex}", hex.len() / 2),
        }
    }
}

fn fqdn(name: &str) -> String {
    match name {
        "." => String::from("."),
        _ => format!("{name}."),
    }
}

/// Cleaned, in double quotes, with quotes and backslashes escaped.
fn quoted(text: &str) -> String {
    let text = clean(text, TEXT_LIMIT)
        .replace('\\', "\\\\")
        .replace('"', "\\\"");
    format!("\"{text}\"")
}
