//! Where the standards that checks name can be read.

/// Those without a number, by the beginning of their name.
const UNNUMBERED: [(&str, &str); 7] = [
    ("W3C CSP", "https://www.w3.org/TR/CSP3/"),
    ("WHATWG Fetch", "https://fetch.spec.whatwg.org/"),
    ("WHATWG HTML", "https://html.spec.whatwg.org/"),
    ("W3C SRI", "https://www.w3.org/TR/SRI/"),
    (
        "OWASP WSTG",
        "https://owasp.org/www-project-web-security-testing-guide/stable/",
    ),
    (
        "OWASP LLM01",
        "https://genai.owasp.org/llmrisk/llm01-prompt-injection/",
    ),
    (
        "draft-",
        "https://datatracker.ietf.org/doc/draft-brand-indicators-for-message-identification/",
    ),
];

/// The address of a standard, at the section that is named with it.
pub fn place_of(standard: &str) -> Option<String> {
    match standard.strip_prefix("RFC ") {
        Some(rest) => rfc(rest),
        None => UNNUMBERED
            .iter()
            .find(|(name, _)| standard.starts_with(name))
            .map(|(_, url)| (*url).to_owned()),
    }
}

/// What is to replace RFC 6265, and is cited by that name.
const COOKIES: &str = "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis";

/// `9110 section 5.1` as the place where that section stands.
fn rfc(text: &str) -> Option<String> {
    let (base, rest) = match text.strip_prefix("6265bis") {
        Some(rest) => (String::from(COOKIES), rest),
        None => numbered(text)?,
    };
    let section = rest
        .trim_start_matches([' ', ',', '§'])
        .trim_start_matches("section")
        .trim_start_matches("Section")
        .trim_start();
    let section: String = section
        .chars()
        .take_while(|c| c.is_ascii_digit() || *c == '.')
        .collect();
    Some(match section.trim_matches('.') {
        "" => base,
        section => format!("{base}#section-{section}"),
    })
}

/// The address of an RFC, and what follows its number.
fn numbered(text: &str) -> Option<(String, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, rest) = text.split_at_checked(end)?;
    (1..=5)
        .contains(&number.len())
        .then(|| (format!("https://www.rfc-editor.org/rfc/rfc{number}"), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standard_leads_to_the_section_it_names() {
        let at = |text| place_of(text).unwrap_or_default();
        assert_eq!(
            at("RFC 9110 section 5.1"),
            "https://www.rfc-editor.org/rfc/rfc9110#section-5.1"
        );
        assert_eq!(
            at("RFC 8446, section 4.2."),
            "https://www.rfc-editor.org/rfc/rfc8446#section-4.2"
        );
        assert_eq!(
            at("RFC 7208 §4.6.4"),
            "https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4"
        );
        assert_eq!(at("RFC 9116"), "https://www.rfc-editor.org/rfc/rfc9116");
        assert_eq!(
            at("RFC 6265bis section 4.1.3"),
            "https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3"
        );
        assert_eq!(
            at("W3C CSP Level 3 section 6.4.2"),
            "https://www.w3.org/TR/CSP3/"
        );
        assert_eq!(place_of("nobody's standard"), None);
        assert_eq!(place_of("RFC 1234567"), None);
    }
}
