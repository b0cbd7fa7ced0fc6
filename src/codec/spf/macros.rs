//! Domain specifications and macro strings (RFC 7208 section 7.1).

use super::term::Fault;

/// `domain-spec`: a macro string that ends in a top label or an expansion.
pub(super) fn check_domain(text: &str) -> Result<(), Fault<'_>> {
    check_string(text)?;
    if text.is_empty() {
        return Err((text, "is no domain"));
    }
    let bare = text.strip_suffix('.').unwrap_or(text);
    if text.ends_with('}') || text.ends_with("%%") || text.ends_with("%_") || text.ends_with("%-") {
        return Ok(());
    }
    let top = match bare.rsplit_once('.') {
        Some((_, top)) => top,
        None => return Err((text, "is no domain name: it has a single label")),
    };
    if bare.starts_with('.') || bare.contains("..") {
        return Err((text, "has an empty label"));
    }
    let is_top = !top.is_empty()
        && top.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !top.starts_with('-')
        && !top.ends_with('-')
        && !top.bytes().all(|b| b.is_ascii_digit());
    if !is_top {
        return Err((text, "does not end in a top-level label"));
    }
    let overlong = |label: &str| !label.contains('%') && label.len() > 63;
    if bare.split('.').any(overlong) {
        return Err((text, "has a label of more than 63 octets"));
    }
    Ok(())
}

/// `macro-string`: visible characters and well-formed expansions.
pub(super) fn check_string(text: &str) -> Result<(), Fault<'_>> {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (used, well_formed) = match c {
            '%' => expansion(rest),
            '!'..='~' => (1, true),
            _ => (c.len_utf8(), false),
        };
        let (part, behind) = rest.split_at(used);
        if !well_formed {
            let why = match c {
                '%' => "is no macro that SPF has",
                _ => "is a character that SPF does not allow",
            };
            return Err((part, why));
        }
        rest = behind;
    }
    Ok(())
}

/// Length of the expansion that `text` begins with, and whether it is one.
fn expansion(text: &str) -> (usize, bool) {
    match text.as_bytes().get(1) {
        Some(b'%' | b'_' | b'-') => (2, true),
        Some(b'{') => match text.find('}') {
            Some(end) => (end + 1, is_macro(text.get(2..end).unwrap_or_default())),
            None => (text.len(), false),
        },
        _ => (1, false),
    }
}

/// `macro-letter transformers *delimiter`. The letters `c`, `r` and `t`
/// belong to explanations only, but the grammar admits them everywhere.
fn is_macro(inside: &str) -> bool {
    let Some(letter) = inside.chars().next().map(|c| c.to_ascii_lowercase()) else {
        return false;
    };
    let rest = inside.get(letter.len_utf8()..).unwrap_or_default();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = inside.len() - letter.len_utf8() - rest.len();
    let count = inside.get(1..1 + digits).unwrap_or_default();
    let rest = rest.strip_prefix(['r', 'R']).unwrap_or(rest);
    "slodiphcrtv".contains(letter)
        && (digits == 0 || !count.trim_start_matches('0').is_empty())
        && rest.chars().all(|c| ".-+,/_=".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expansions_of_rfc_7208_section_7_4_are_macros() {
        for text in [
            "%{s}",
            "%{d4}",
            "%{dr}",
            "%{d2r}",
            "%{l-}",
            "%{lr-}",
            "%{ir}.%{v}._spf.%{d2}",
            "%{i}.in-addr.arpa",
            "%%a%_b%-c",
        ] {
            assert_eq!(check_string(text), Ok(()), "{text}");
        }
        for text in [
            "%", "%a", "%{", "%{}", "%{x}", "%{d0}", "%{dr2}", "a b", "é",
        ] {
            assert!(check_string(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_domain_ends_in_a_name_or_an_expansion() {
        for text in [
            "example.com",
            "example.com.",
            "_spf.example.com",
            "%{d}",
            "a.%{d2}",
        ] {
            assert_eq!(check_domain(text), Ok(()), "{text}");
        }
        for text in [
            "",
            "example",
            "example.123",
            "example.-a",
            "a..b",
            ".example.com",
            "example.com/24",
        ] {
            assert!(check_domain(text).is_err(), "{text}");
        }
    }
}
