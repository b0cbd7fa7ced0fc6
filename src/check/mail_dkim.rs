//! DKIM: the keys that the domain's mail is signed with.

use super::Case;
use super::mail::nameless;
use crate::codec::x509;
use crate::guard::text::clean;
use crate::probe::mail::dkim::{Key, Keys};
use crate::report::{Confidence, Finding, Severity, counted};

checks! {
    DKIM {
        id: "mail.dkim",
        about: "Whether the keys under common selectors can be used and are strong enough. A selector cannot \
            be found out by asking DNS, and `analyze` is given none, so that an absent key proves nothing; \
            `lookup` shows any other, as TXT of `selector._domainkey.domain`. The zone's own server is asked \
            for default, google, selector1, selector2, s1, s2, k1, k2, mail, dkim, fm1, protonmail, zoho and \
            20230601; where it does not answer, the resolver is asked for the first three.",
        when: [
            Fail "A key is shorter than 1024 bits, or a record is no key record.",
            Warn "A key is shorter than 2048 bits, or in test mode.",
            Pass "Every key that was found and is not revoked is an RSA key of 2048 bits or more, or an Ed25519 key.",
            Info "There is no key under the selectors that were tried, there are revoked ones alone, or nothing at \
                all stands below `_domainkey`.",
        ],
        reference: "RFC 8301 section 3.2",
        reproduce: "dig {selector} TXT +short",
        maps_to: ["internet.nl:mail_auth_dkim_exist", "cwe:326"],
    }
}

/// RSA keys that verifiers must not accept (RFC 8301 section 3.2).
const REFUSED_BITS: u32 = 1024;

/// RSA keys that signers should not use.
const SHORT_BITS: u32 = 2048;

pub(super) fn run(case: &Case<'_>, findings: &mut Vec<Finding>) {
    if nameless(case, CHECKS, findings) {
        return;
    }
    let Some(keys) = &case.probes.mail.dkim else {
        return case
            .inconclusive(DKIM, "no answer came in time")
            .fill("{selector}", &place(case, "default"))
            .add(findings);
    };
    let worst = keys
        .found
        .iter()
        .enumerate()
        .max_by_key(|(_, key)| fault(key).0);
    match worst {
        Some((at, key)) => found(case, keys, (at, key), findings),
        None => absent(case, keys, findings),
    }
}

fn place(case: &Case<'_>, selector: &str) -> String {
    format!("{selector}._domainkey.{}", case.probes.host())
}

fn absent(case: &Case<'_>, keys: &Keys, findings: &mut Vec<Finding>) {
    let draft = match (&keys.unsure, keys.none_at_all, keys.tried.len()) {
        // Some servers deny a name that has others below it (RFC 8020).
        (_, true, _) => case
            .info(
                DKIM,
                "Nothing stands below _domainkey: the domain has no DKIM key.",
            )
            .confidence(Confidence::Medium),
        (Some(why), _, _) => case.inconclusive(DKIM, why),
        (None, _, 0) => case.not_applicable(
            DKIM,
            "The host is neither a domain that takes mail nor the apex of its zone.",
        ),
        (None, _, tried) => case
            .info(
                DKIM,
                format!(
                    "No key under {}; it may stand under another one.",
                    counted(tried, "common selector", "common selectors")
                ),
            )
            .confidence(Confidence::Low),
    };
    draft
        .fill("{selector}", &place(case, "default"))
        .evidence("/mail/dkim")
        .evidence("/mail/dkim/tried")
        .add(findings);
}

fn found(case: &Case<'_>, keys: &Keys, (at, key): (usize, &Key), findings: &mut Vec<Finding>) {
    let selector = clean(key.selector, 40);
    let evidence = format!("/mail/dkim/found/{at}");
    let usable = keys.found.iter().any(|key| fault(key).0 < REVOKED);
    let draft = match fault(key) {
        (BROKEN, what) => case
            .fail(
                DKIM,
                Severity::Medium,
                format!("The DKIM record {selector} {what}."),
            )
            .fix("Publish the key again, or remove the record."),
        (WEAK, what) => case
            .fail(
                DKIM,
                Severity::High,
                format!("The DKIM key {selector} {what}."),
            )
            .fix("Sign with an RSA key of 2048 bits under a new selector."),
        (SHORT, what) => case
            .warn(
                DKIM,
                Severity::Low,
                format!("The DKIM key {selector} {what}."),
            )
            .fix("Sign with an RSA key of 2048 bits under a new selector."),
        (TESTING, what) => case
            .warn(
                DKIM,
                Severity::Low,
                format!("The DKIM key {selector} {what}."),
            )
            .fix("Take t=y out of the record once signing works."),
        (REVOKED, _) if !usable => case.info(
            DKIM,
            format!("The DKIM key {selector} is revoked, and no other was found."),
        ),
        _ => {
            let in_use = keys.found.iter().filter(|key| fault(key).0 < REVOKED);
            let names: Vec<String> = in_use.map(described).collect();
            case.pass(
                DKIM,
                format!(
                    "{}: {}.",
                    counted(names.len(), "DKIM key", "DKIM keys"),
                    clean(&names.join(", "), 160)
                ),
            )
        }
    };
    draft
        .fill("{selector}", &place(case, key.selector))
        .evidence(evidence)
        .add(findings);
}

/// Ranks of what can be wrong with a key, the worst highest.
const REVOKED: u8 = 1;
const TESTING: u8 = 2;
const SHORT: u8 = 3;
const WEAK: u8 = 4;
const BROKEN: u8 = 5;

fn fault(key: &Key) -> (u8, String) {
    let Some(record) = &key.record else {
        return (BROKEN, String::from("is no key record"));
    };
    if record.revoked {
        return (REVOKED, String::from("is revoked"));
    }
    if !record.valid {
        return (
            BROKEN,
            String::from("has errors that make verifiers ignore it"),
        );
    }
    match rsa_bits(record.key.as_ref()) {
        Some(bits) if bits < REFUSED_BITS => {
            return (WEAK, format!("has {bits} bits; verifiers must refuse it"));
        }
        Some(bits) if bits < SHORT_BITS => {
            return (SHORT, format!("has {bits} bits; 2048 are advised"));
        }
        _ => {}
    }
    match record.testing {
        true => (
            TESTING,
            String::from("is in test mode (t=y): verifiers may ignore it"),
        ),
        false => (0, String::new()),
    }
}

fn rsa_bits(key: Option<&x509::Key>) -> Option<u32> {
    key.filter(|key| key.algorithm.eq_ignore_ascii_case("rsa"))
        .map(|key| key.bits)
}

fn described(key: &Key) -> String {
    let kind = key.record.as_ref().and_then(|record| record.key.as_ref());
    match kind {
        Some(kind) if kind.algorithm.eq_ignore_ascii_case("rsa") => {
            format!("{} (RSA {})", key.selector, kind.bits)
        }
        Some(kind) => format!("{} ({})", key.selector, kind.algorithm),
        None => key.selector.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::mail::dkim::SELECTORS;

    #[test]
    fn the_page_names_every_selector_that_is_tried() {
        let words: Vec<&str> = DKIM.about.split([' ', ',', ';']).collect();
        for selector in SELECTORS {
            assert!(words.contains(&selector), "{selector}");
        }
    }
}
