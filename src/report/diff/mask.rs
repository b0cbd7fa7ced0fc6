//! Parts of a text that do not count: what a rule names, and each host's own
//! name where two hosts are compared.

use std::borrow::Cow;

use super::rules::Masked;

/// What stands in place of a masked part.
const MASK: &str = "*";

/// `text` without the part that `masked` names.
pub(super) fn apply(masked: Masked, text: &str) -> Cow<'_, str> {
    match masked {
        Masked::Serial => without_serial(text),
        Masked::Cookie => without_cookie(text),
        Masked::Nonce => without_nonces(text),
    }
}

/// The third of seven fields.
fn without_serial(soa: &str) -> Cow<'_, str> {
    let mut fields: Vec<&str> = soa.split(' ').collect();
    match fields.as_mut_slice() {
        [_, _, serial, _, _, _, _] => {
            *serial = MASK;
            fields.join(" ").into()
        }
        _ => soa.into(),
    }
}

fn without_cookie(cookie: &str) -> Cow<'_, str> {
    let mut parts = cookie.split(';');
    let (name, _) = parts
        .next()
        .unwrap_or_default()
        .split_once('=')
        .unwrap_or_default();
    let is_expiry = |part: &&str| {
        part.trim_start()
            .get(..8)
            .is_some_and(|start| start.eq_ignore_ascii_case("expires="))
    };
    let rest = parts.filter(|part| !is_expiry(part));
    let kept = std::iter::once(format!("{name}={MASK}")).chain(rest.map(str::to_owned));
    Cow::Owned(kept.collect::<Vec<_>>().join(";"))
}

fn without_nonces(policy: &str) -> Cow<'_, str> {
    const MARK: &str = "'nonce-";
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let mut pieces = policy.split(MARK);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(MARK);
        out.push_str(MASK);
        out.push_str(piece.trim_start_matches(is_base64));
    }
    Cow::Owned(out)
}

/// The hosts whose names are masked.
pub(super) struct Hosts(Vec<String>);

impl Hosts {
    /// Both hosts when they differ; for one host no name is masked.
    pub fn between(one: &str, other: &str) -> Hosts {
        let mut hosts = vec![one.to_owned(), other.to_owned()];
        hosts.retain(|host| one != other && host.contains('.'));
        // The longer first, lest a name inside it be masked before it.
        hosts.sort_by_key(|host| (std::cmp::Reverse(host.len()), host.clone()));
        Hosts(hosts)
    }

    /// `text` without the names.
    pub fn apply<'t>(&self, text: Cow<'t, str>) -> Cow<'t, str> {
        self.0
            .iter()
            .fold(text, |text, host| match without_host(&text, host) {
                Some(masked) => Cow::Owned(masked),
                None => text,
            })
    }
}

/// `text` with `host` masked wherever it stands as a whole name or as the end
/// of one; `None` when it does not occur.
fn without_host(text: &str, host: &str) -> Option<String> {
    let in_label = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut out = String::new();
    let mut done = 0;
    for (at, found) in text.match_indices(host) {
        let (front, rest) = (&text[..at], &text[at + found.len()..]);
        let goes_on = rest.starts_with(in_label)
            || rest
                .strip_prefix('.')
                .is_some_and(|next| next.starts_with(in_label));
        if front.ends_with(in_label) || goes_on {
            continue;
        }
        out.push_str(&text[done..at]);
        out.push_str(MASK);
        done = at + found.len();
    }
    (done > 0).then(|| out + &text[done..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_masked_and_nothing_else_is() {
        assert_eq!(
            without_nonces("script-src 'nonce-r4nd0m+/=' 'self'; style-src 'nonce-x'"),
            "script-src 'nonce-*' 'self'; style-src 'nonce-*'"
        );
        assert_eq!(without_nonces("nonce-abc"), "nonce-abc");
    }

    #[test]
    fn the_serial_of_an_soa_record_is_masked() {
        let masked = "ns.lab-good.com. host.lab-good.com. * 7200 3600 1209600 300";
        assert_eq!(without_serial(&masked.replace('*', "2026080101")), masked);
        assert_eq!(without_serial("192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn of_a_cookie_its_name_and_attributes_remain() {
        for (cookie, masked) in [
            ("sid=s3cret=; Path=/; Secure", "sid=*; Path=/; Secure"),
            (
                "sid=x; Expires=Sat, 01 Aug 2026 10:00:00 GMT; HttpOnly",
                "sid=*; HttpOnly",
            ),
            ("sid", "=*"),
        ] {
            assert_eq!(without_cookie(cookie), masked);
        }
    }

    #[test]
    fn a_host_is_masked_as_a_name_and_not_inside_another() {
        for (text, masked) in [
            ("https://a.com/x", Some("https://*/x")),
            ("_dmarc.a.com", Some("_dmarc.*")),
            ("a.com.", Some("*.")),
            ("a.com, www.a.com", Some("*, www.*")),
            ("a.com.evil.net", None),
            ("ba.com", None),
            ("x-a.com", None),
            ("a.community", None),
        ] {
            assert_eq!(without_host(text, "a.com").as_deref(), masked, "{text}");
        }
    }

    #[test]
    fn one_host_is_not_masked_and_of_two_the_longer_is_first() {
        assert_eq!(
            Hosts::between("a.com", "a.com").apply("a.com".into()),
            "a.com"
        );
        let hosts = Hosts::between("a.com", "www.a.com");
        assert_eq!(hosts.apply("www.a.com".into()), hosts.apply("a.com".into()));
    }
}
