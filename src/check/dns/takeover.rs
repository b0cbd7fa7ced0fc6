//! Providers where a name that a customer gave up can be claimed by the next:
//! data in `data/takeover.txt`.

/// The provider under whose names `name` lies.
pub(super) fn provider(name: &str) -> Option<&'static str> {
    entries()
        .find(|(suffix, _)| is_under(name, suffix))
        .map(|(_, provider)| provider)
}

/// Suffix and provider of each line.
fn entries() -> impl Iterator<Item = (&'static str, &'static str)> {
    include_str!("../data/takeover.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once('|'))
        .map(|(suffix, provider)| (suffix.trim(), provider.trim()))
}

fn is_under(name: &str, suffix: &str) -> bool {
    name.strip_suffix(suffix)
        .is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_plain_suffix_with_a_provider() {
        assert!(entries().count() > 20);
        for (suffix, provider) in entries() {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
            assert!(
                suffix.contains('.') && suffix.bytes().all(plain),
                "{suffix}"
            );
            assert!(!provider.is_empty(), "{suffix}");
        }
    }

    #[test]
    fn suffixes_match_at_a_dot() {
        assert_eq!(provider("shop.herokuapp.com"), Some("Heroku"));
        assert_eq!(provider("herokuapp.com"), None);
        assert_eq!(provider("notherokuapp.com"), None);
    }
}
