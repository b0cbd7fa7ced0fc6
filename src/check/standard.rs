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

/// `9110 section 5.1` as the place where that section stands.
fn rfc(rest: &str) -> Option<String> {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (number, rest) = rest.split_at_checked(end)?;
    if !(1..=5).contains(&number.len()) {
        return None;
    }
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
        "" => format!("https://www.rfc-editor.org/rfc/rfc{number}"),
        section => format!("https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"),
    })
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
            at("W3C CSP Level 3 section 6.4.2"),
            "https://www.w3.org/TR/CSP3/"
        );
        assert_eq!(place_of("nobody's standard"), None);
        assert_eq!(place_of("RFC 1234567"), None);
    }
}
