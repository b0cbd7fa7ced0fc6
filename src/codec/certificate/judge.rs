//! What is wrong with a certificate or its chain, placed at the base64
//! characters that say it.

use super::{Certificate, DAY, matches};
use crate::codec::Context;
use crate::codec::der::{self, CertificateLayout, Outline};
use crate::codec::format::{Rule, Scribe, rules};
use crate::codec::moment::{rfc3339, span_text};
use crate::codec::pem::Block;
use crate::codec::x509::{is_broken_signature, weakness};

/// Takes down problems of one certificate.
struct Judge<'s, 't> {
    scribe: &'s mut Scribe<'t>,
    text: &'t str,
    block: &'s Block<'t>,
    layout: CertificateLayout,
}

impl Judge<'_, '_> {
    fn flag(
        &mut self,
        rule: &'static Rule,
        der: std::ops::Range<usize>,
        message: impl Into<String>,
    ) {
        let range = self.block.locate(self.text, der);
        self.scribe.flag_range(rule, range, message);
    }

    fn extension(&self, oid: &[u8]) -> std::ops::Range<usize> {
        self.layout.extension(&self.block.der, oid)
    }

    fn dates(&mut self, certificate: &Certificate, is_leaf: bool, now: i64) {
        let (from, until) = (certificate.not_before, certificate.not_after);
        let (start, end) = (
            self.layout.not_before.clone(),
            self.layout.not_after.clone(),
        );
        if until < from {
            self.flag(
                VALIDITY_REVERSED,
                end,
                "The validity ends before it begins.",
            );
        } else if now > until {
            let message = format!(
                "Expired {} ago, on {}.",
                span_text(now - until),
                rfc3339(until)
            );
            self.flag(EXPIRED, end, message);
        } else if now < from {
            let message = format!("Not valid before {}.", rfc3339(from));
            self.flag(NOT_YET_VALID, start, message);
        } else if until - now < EXPIRES_SOON && until - from > 3 * EXPIRES_SOON {
            let message = format!(
                "Expires in {}, on {}.",
                span_text(until - now),
                rfc3339(until)
            );
            self.flag(EXPIRES_SOON_RULE, end, message);
        }
        let (limit, since) = lifetime_limit(from);
        let days = (until.saturating_sub(from) + 1).max(0).div_euclid(DAY);
        if is_leaf && !certificate.is_ca && !certificate.self_issued && days > limit {
            let whole = self.layout.not_before.start..self.layout.not_after.end;
            self.flag(
                LONG_LIFETIME,
                whole,
                format!(
                    "Valid for {days} days; publicly trusted certificates issued {since} may \
                     have at most {limit}."
                ),
            );
        }
    }

    fn key_and_signature(&mut self, certificate: &Certificate) {
        let key = &certificate.key;
        let at = self.layout.key.clone();
        if let Some(why) = weakness(key) {
            self.flag(WEAK_KEY, at.clone(), why);
        }
        if key.exponent.is_some_and(|e| e < 3 || e % 2 == 0) {
            self.flag(
                BAD_EXPONENT,
                at,
                "The RSA public exponent must be an odd number of at least 3.",
            );
        }
        let broken = is_broken_signature(&certificate.signature_algorithm);
        if broken && !(certificate.self_issued && certificate.is_ca) {
            let at = self.layout.signature_algorithm.clone();
            self.flag(
                BROKEN_SIGNATURE,
                at,
                format!(
                    "Signed with {}, whose hash is broken.",
                    certificate.signature_algorithm
                ),
            );
        }
    }

    fn form(&mut self, certificate: &Certificate) {
        let has_extensions = !certificate.key_usage.is_empty() || !certificate.dns_names.is_empty();
        if certificate.version < 3 {
            let at = self.layout.version.clone();
            let with = if has_extensions {
                " although it has extensions"
            } else {
                ""
            };
            self.flag(
                OLD_VERSION,
                at,
                format!(
                    "A version {} certificate{with}; TLS needs version 3.",
                    certificate.version
                ),
            );
        }
        let at = self.layout.serial.clone();
        let octets = element_len(&self.block.der, &at);
        let negative = certificate
            .serial
            .starts_with(['8', '9', 'a', 'b', 'c', 'd', 'e', 'f']);
        if octets > 20 || negative || certificate.serial.bytes().all(|digit| digit == b'0') {
            self.flag(
                BAD_SERIAL,
                at,
                "The serial number must be positive and at most 20 octets long.",
            );
        }
        let whole = self.layout.whole.clone();
        if self.block.der.len() > whole.end {
            self.flag(
                TRAILING_BYTES,
                whole.end..self.block.der.len(),
                format!(
                    "{} bytes stand behind the certificate.",
                    self.block.der.len() - whole.end
                ),
            );
        }
        if certificate.unread_extensions > 0 {
            self.flag(
                BROKEN_EXTENSION,
                whole,
                format!(
                    "{} extensions do not follow their syntax.",
                    certificate.unread_extensions
                ),
            );
        }
    }

    fn names(&mut self, certificate: &Certificate) {
        let at = self.extension(SUBJECT_ALT_NAME);
        let none = certificate.dns_names.is_empty()
            && certificate.ip_addresses.is_empty()
            && certificate.other_names.is_empty();
        if none {
            self.flag(
                NO_ALTERNATIVE_NAME,
                self.layout.subject.clone(),
                "There is no subjectAltName; clients ignore the common name and will \
                 match no host.",
            );
        }
        if certificate.unread_names > 0 {
            self.flag(
                BROKEN_NAME,
                at.clone(),
                format!(
                    "{} alternative names are malformed or too many to keep.",
                    certificate.unread_names
                ),
            );
        }
        for name in &certificate.dns_names {
            if let Some(why) = name_fault(name) {
                self.flag(
                    BROKEN_NAME,
                    at.clone(),
                    format!("The DNS name `{name}` {why}."),
                );
            }
        }
        if let Some(common) = certificate.common_name.as_deref().filter(|_| !none)
            && common.contains('.')
            && !common.contains(' ')
            && !certificate.dns_names.iter().any(|name| {
                name.eq_ignore_ascii_case(common) || matches(name, &common.to_ascii_lowercase())
            })
            && !certificate
                .ip_addresses
                .iter()
                .any(|ip| ip.to_string() == common)
        {
            self.flag(
                COMMON_NAME_NOT_LISTED,
                self.layout.subject.clone(),
                "The common name is not among the alternative names, so no client matches it.",
            );
        }
    }

    fn usages(&mut self, certificate: &Certificate) {
        let extended = &certificate.extended_key_usage;
        if !extended.is_empty()
            && !extended
                .iter()
                .any(|usage| usage == "serverAuth" || usage == "anyExtendedKeyUsage")
        {
            self.flag(
                NOT_FOR_SERVERS,
                self.extension(EXTENDED_KEY_USAGE),
                "The extended key usage does not include serverAuth: no TLS client \
                 accepts it from a server.",
            );
        }
        if certificate.self_issued {
            self.flag(
                SELF_SIGNED,
                self.layout.issuer.clone(),
                "Subject and issuer are the same: nobody vouches for this certificate.",
            );
        }
    }

    fn issuer_form(&mut self, certificate: &Certificate) {
        let usage = &certificate.key_usage;
        if !usage.is_empty() && !usage.iter().any(|usage| usage == "keyCertSign") {
            self.flag(
                ISSUER_CANNOT_SIGN,
                self.extension(KEY_USAGE),
                "An issuer's key usage must include keyCertSign.",
            );
        }
    }
}

/// Judges every certificate by itself and the chain as a whole.
pub(super) fn chain<'t>(
    scribe: &mut Scribe<'t>,
    text: &'t str,
    chain: &[(Certificate, &Block<'t>)],
    context: &Context,
) {
    for (nth, (certificate, block)) in chain.iter().enumerate() {
        let layout = CertificateLayout::of(&block.der);
        let mut judge = Judge {
            scribe,
            text,
            block,
            layout,
        };
        judge.dates(certificate, nth == 0, context.now());
        judge.key_and_signature(certificate);
        judge.form(certificate);
        if certificate.is_ca {
            judge.issuer_form(certificate);
        }
        if nth == 0 && (!certificate.is_ca || names_host(certificate)) {
            judge.names(certificate);
            judge.usages(certificate);
        }
        if !block.closed {
            scribe.flag(
                NOT_CLOSED,
                block.whole,
                "The END line is missing or names another label.",
            );
        }
    }
    links(scribe, chain);
}

/// Whether a certificate, be it an issuer's, is made for a server: `openssl
/// req -x509` gives every certificate the form of an issuer.
fn names_host(certificate: &Certificate) -> bool {
    !certificate.dns_names.is_empty() || !certificate.ip_addresses.is_empty()
}

/// Whether each certificate names the next as its issuer.
pub(super) fn in_order(chain: &[(Certificate, &Block)]) -> bool {
    chain.windows(2).all(|pair| match pair {
        [(below, _), (above, _)] => below.names_as_issuer(above),
        _ => true,
    })
}

/// RFC 8446 section 4.4.2 no longer demands the order; many clients do.
fn links(scribe: &mut Scribe, chain: &[(Certificate, &Block)]) {
    for (nth, (certificate, block)) in chain.iter().enumerate() {
        let others = || {
            chain
                .iter()
                .enumerate()
                .filter(move |(other, _)| *other != nth)
        };
        if others().any(|(other, (twin, _))| other < nth && twin.sha256 == certificate.sha256) {
            scribe.flag(
                DUPLICATE,
                block.whole,
                "This certificate is already in the chain.",
            );
            continue;
        }
        let follows = nth == 0
            || chain
                .get(nth - 1)
                .is_some_and(|(below, _)| below.names_as_issuer(certificate));
        if !follows {
            let wanted = others().any(|(_, (below, _))| below.names_as_issuer(certificate));
            let (rule, message) = if wanted {
                (
                    OUT_OF_ORDER,
                    "This certificate issued another of the chain but does not stand directly \
                     behind it.",
                )
            } else {
                (
                    UNRELATED,
                    "No certificate of the chain names this one as its issuer.",
                )
            };
            scribe.flag(rule, block.whole, message);
        }
    }
    if let Some((first, block)) = chain.first()
        && chain.len() > 1
        && first.is_ca
        && chain.iter().any(|(other, _)| !other.is_ca)
    {
        scribe.flag(
            LEAF_NOT_FIRST,
            block.whole,
            "The server's own certificate must come first; this is an issuer's.",
        );
    }
    if let Some((last, block)) = chain.last()
        && chain.len() > 1
        && last.self_issued
        && last.is_ca
    {
        scribe.flag(
            ROOT_INCLUDED,
            block.whole,
            "The root is included; clients have it already, sending it costs every handshake.",
        );
    }
}

/// A block labelled as a certificate that is none.
pub(super) fn unreadable(scribe: &mut Scribe, block: &Block) {
    let message = match block.der.as_slice() {
        _ if block.body.trim().is_empty() => "The block is empty.",
        [] => "The block's content is not base64.",
        _ => "The block's content is not a certificate by RFC 5280, or it is cut off.",
    };
    scribe.flag(UNREADABLE, block.whole, message);
}

/// A block of another label between certificates; its content is not shown.
pub(super) fn other_block(scribe: &mut Scribe, block: &Block) {
    let private = block.label.ends_with("PRIVATE KEY")
        || matches!(
            der::outline(&block.der),
            Outline::Pkcs8 | Outline::Pkcs1 | Outline::Sec1
        );
    if private {
        scribe.flag(
            PRIVATE_KEY_INCLUDED,
            block.whole,
            "A private key was pasted along; treat it as disclosed and replace it.",
        );
    } else {
        scribe.flag(
            OTHER_BLOCK,
            block.whole,
            "This block is no certificate and was passed over.",
        );
    }
}

/// The longest validity, in days, that CA/Browser Forum rules (ballots 193,
/// SC31, SC081) allow for a certificate issued at `from`.
pub(crate) fn lifetime_limit(from: i64) -> (i64, &'static str) {
    match from {
        1_868_054_400.. => (47, "since 2029-03-15"),
        1_805_068_800.. => (100, "since 2027-03-15"),
        1_773_532_800.. => (200, "since 2026-03-15"),
        1_598_918_400.. => (398, "since 2020-09-01"),
        1_519_862_400.. => (825, "since 2018-03-01"),
        _ => (1_186, "before 2018-03-01"),
    }
}

/// Why a DNS alternative name can match nothing.
fn name_fault(name: &str) -> Option<&'static str> {
    let host = name.strip_prefix("*.").unwrap_or(name);
    if host.contains('*') {
        return Some("has a wildcard elsewhere than as the whole left-most label");
    }
    if name.starts_with('*') && !host.contains('.') {
        return Some("has a wildcard over a single label");
    }
    if host
        .split('.')
        .any(|label| label.is_empty() || label.len() > 63)
        || name.len() > 253
    {
        return Some("has an empty or overlong label");
    }
    if host
        .split('.')
        .all(|label| label.bytes().all(|byte| byte.is_ascii_digit()))
    {
        return Some("is an address; addresses belong into iPAddress entries");
    }
    host.contains('_')
        .then_some("has an underscore, which host names cannot have")
}

fn element_len(der: &[u8], at: &std::ops::Range<usize>) -> usize {
    der::element(der, at.start, at.end).map_or(0, |element| {
        let content = der.get(element.content).unwrap_or_default();
        content.len() - usize::from(content.len() > 1 && content.first() == Some(&0))
    })
}

const EXPIRES_SOON: i64 = 14 * DAY;

// Object identifiers of RFC 5280 section 4.2.1, as encoded.
const KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x0F];
const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1D, 0x11];
const EXTENDED_KEY_USAGE: &[u8] = &[0x55, 0x1D, 0x25];

rules! {
    EXPIRED = "certificate.expired", High, "RFC 5280 section 4.1.2.5",
        "The validity is over.";
    NOT_YET_VALID = "certificate.not_yet_valid", High, "RFC 5280 section 4.1.2.5",
        "The validity has not begun.";
    VALIDITY_REVERSED = "certificate.validity_reversed", High, "RFC 5280 section 4.1.2.5",
        "The validity ends before it begins.";
    EXPIRES_SOON_RULE = "certificate.expires_soon", Medium, "RFC 5280 section 4.1.2.5",
        "Less than 14 days of a long validity are left.";
    LONG_LIFETIME = "certificate.long_lifetime", Low, "CA/Browser Forum Baseline Requirements section 6.3.2",
        "The validity is longer than publicly trusted issuers may grant.";
    WEAK_KEY = "certificate.weak_key", High, "CA/Browser Forum Baseline Requirements section 6.1.5",
        "The key is too short or of a withdrawn type.";
    BAD_EXPONENT = "certificate.bad_exponent", High, "RFC 8017 section 3.1",
        "The RSA exponent is even or below 3.";
    BROKEN_SIGNATURE = "certificate.broken_signature", High, "RFC 9155 section 2",
        "The signature rests on MD2, MD5 or SHA-1.";
    OLD_VERSION = "certificate.old_version", Medium, "RFC 5280 section 4.1.2.1",
        "The certificate is not of version 3.";
    BAD_SERIAL = "certificate.bad_serial", Low, "RFC 5280 section 4.1.2.2",
        "The serial number is zero, negative or too long.";
    TRAILING_BYTES = "certificate.trailing_bytes", Low, "RFC 7468 section 2",
        "Bytes stand behind the DER object.";
    BROKEN_EXTENSION = "certificate.broken_extension", Medium, "RFC 5280 section 4.2",
        "An extension does not follow its syntax.";
    NO_ALTERNATIVE_NAME = "certificate.no_alternative_name", High, "RFC 9525 section 2",
        "The leaf has no subjectAltName.";
    BROKEN_NAME = "certificate.broken_name", Medium, "RFC 5280 section 4.2.1.6",
        "An alternative name can match no host.";
    COMMON_NAME_NOT_LISTED = "certificate.common_name_not_listed", Low, "RFC 9525 section 2",
        "The common name looks like a host and is no alternative name.";
    NOT_FOR_SERVERS = "certificate.not_for_servers", Medium, "RFC 5280 section 4.2.1.12",
        "The extended key usage leaves out TLS servers.";
    SELF_SIGNED = "certificate.self_signed", Medium, "RFC 5280 section 3.2",
        "The leaf is issued by itself.";
    ISSUER_CANNOT_SIGN = "certificate.issuer_cannot_sign", High, "RFC 5280 section 4.2.1.3",
        "An issuer's key usage does not allow signing certificates.";
    NOT_CLOSED = "certificate.not_closed", Medium, "RFC 7468 section 2",
        "The END line is missing or differs.";
    DUPLICATE = "certificate.duplicate", Low, "RFC 8446 section 4.4.2",
        "The chain holds a certificate twice.";
    OUT_OF_ORDER = "certificate.out_of_order", Medium, "RFC 5246 section 7.4.2",
        "An issuer does not stand directly behind what it issued.";
    UNRELATED = "certificate.unrelated", Medium, "RFC 8446 section 4.4.2",
        "A certificate has no place in the chain.";
    LEAF_NOT_FIRST = "certificate.leaf_not_first", High, "RFC 8446 section 4.4.2",
        "The first certificate is an issuer's.";
    ROOT_INCLUDED = "certificate.root_included", Info, "RFC 8446 section 4.4.2",
        "The chain includes its root.";
    UNREADABLE = "certificate.unreadable", High, "RFC 7468 section 5",
        "A block labelled certificate holds none.";
    PRIVATE_KEY_INCLUDED = "certificate.private_key_included", High, "RFC 7468 section 10",
        "A private key stands beside the certificates.";
    OTHER_BLOCK = "certificate.other_block", Info, "RFC 7468 section 2",
        "A block of another label was passed over.";
}
