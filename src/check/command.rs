//! Commands that show what a finding says, ready for a shell.

use std::borrow::Cow;

use super::ALL;
use crate::report::Finding;

/// What commands name of every target.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The host.
    pub host: &'a str,
    /// The zone that holds it, or the host where that is not known.
    pub zone: &'a str,
    /// The URL.
    pub url: &'a str,
}

impl Place<'_> {
    /// Fills in the marks of a template.
    pub(super) fn fill(&self, template: &str) -> String {
        filled(template, |mark| self.word(mark))
    }

    /// What stands for a mark. The host and its zone are judged names;
    /// everything else goes in quotes.
    pub(super) fn word(&self, mark: &str) -> Option<Cow<'_, str>> {
        Some(match mark {
            "{host}" => Cow::Borrowed(self.host),
            "{zone}" => Cow::Borrowed(self.zone),
            "{url}" => Cow::Owned(quoted(self.url)),
            _ => return None,
        })
    }

    /// Whether both names are what a shell takes as they stand.
    fn is_plain(&self) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        [self.host, self.zone]
            .iter()
            .all(|name| !name.starts_with('-') && name.chars().all(plain))
    }
}

/// `template` with a word in place of each mark that has one. What comes in is
/// not looked at for marks again.
pub(super) fn filled<'w>(template: &str, word_of: impl Fn(&str) -> Option<Cow<'w, str>>) -> String {
    let mut text = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        text.push_str(before);
        let length = behind.find('}').map_or(0, |end| end + 2);
        let mark = &rest[before.len()..][..length];
        match word_of(mark) {
            Some(word) => {
                text.push_str(&word);
                rest = &behind[length - 1..];
            }
            None => {
                text.push('{');
                rest = behind;
            }
        }
    }
    text.push_str(rest);
    text
}

/// Every command that shows what a finding of `place` says: its own, one by
/// one where it is several, then those of the check's other tools.
pub fn ways(finding: &Finding, place: &Place<'_>) -> Vec<String> {
    let mut ways = apart(&finding.reproduce);
    let check = ALL
        .iter()
        .copied()
        .flatten()
        .find(|check| check.id == finding.id);
    if let Some(check) = check.filter(|_| place.is_plain()) {
        ways.extend(check.also.iter().map(|template| place.fill(template)));
    }
    ways
}

/// Commands in a row, one by one. A semicolon in quotes, or inside a loop,
/// parts nothing.
fn apart(line: &str) -> Vec<String> {
    const TOOLS: [&str; 3] = ["dig ", "curl ", "openssl "];
    let mut commands = Vec::new();
    let mut from = 0;
    for (at, _) in line.match_indices("; ") {
        let next = at + "; ".len();
        let begins = TOOLS.iter().any(|tool| line[next..].starts_with(tool));
        if begins && is_outside_quotes(&line[from..at]) {
            commands.push(line[from..at].to_owned());
            from = next;
        }
    }
    if !line[from..].is_empty() {
        commands.push(line[from..].to_owned());
    }
    commands
}

/// Whether a shell has closed every single quote at the end of `text`.
fn is_outside_quotes(text: &str) -> bool {
    let mut inside = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, inside) {
            ('\'', _) => inside = !inside,
            ('\\', false) => {
                chars.next();
            }
            _ => {}
        }
    }
    !inside
}

/// For a shell: in single quotes, where nothing is special but the quote.
pub(super) fn quoted(word: &str) -> String {
    let mut text = String::with_capacity(word.len() + 2);
    text.push('\'');
    for (at, piece) in word.split('\'').enumerate() {
        if at > 0 {
            text.push_str(r"'\''");
        }
        text.push_str(piece);
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Confidence, Severity, State};

    const PLACE: Place<'_> = Place {
        host: "www.good.net",
        zone: "good.net",
        url: "https://www.good.net/",
    };

    fn finding(id: &str, reproduce: &str) -> Finding {
        Finding {
            id: id.to_owned(),
            state: State::Pass,
            severity: Severity::None,
            confidence: Confidence::High,
            title: String::new(),
            evidence: Vec::new(),
            fix: None,
            reference: String::new(),
            reproduce: reproduce.to_owned(),
            maps_to: Vec::new(),
        }
    }

    #[test]
    fn a_word_for_a_shell_cannot_leave_its_quotes() {
        assert_eq!(
            quoted("https://a.net/'$(id)'"),
            r"'https://a.net/'\''$(id)'\'''"
        );
    }

    #[test]
    fn commands_in_a_row_are_told_apart_and_loops_and_quotes_stay_whole() {
        assert_eq!(
            apart("dig a.net A +short; curl -sSI 'https://a.net/'"),
            ["dig a.net A +short", "curl -sSI 'https://a.net/'"]
        );
        for whole in [
            "for s in $(dig a.net NS +short); do dig $s A +short; done",
            r"dig 'a; dig b'\''; dig c' TXT +short",
        ] {
            assert_eq!(apart(whole), [whole]);
        }
        assert!(apart("").is_empty());
    }

    #[test]
    fn a_fact_that_two_tools_show_comes_with_both() {
        let own = "openssl s_client -connect www.good.net:443 </dev/null";
        assert_eq!(
            ways(&finding("tls.version_13", own), &PLACE),
            [own, "curl -sSI --tlsv1.3 https://www.good.net/"]
        );
        assert_eq!(ways(&finding("of.tomorrow", own), &PLACE), [own]);
    }

    #[test]
    fn a_name_that_a_shell_would_read_as_more_gets_no_other_command() {
        let odd = Place {
            host: "a.net;id",
            ..PLACE
        };
        assert_eq!(ways(&finding("tls.version_13", "dig"), &odd), ["dig"]);
    }

    #[test]
    fn every_check_is_shown_by_dig_curl_or_openssl() {
        let begins = |line: &str| {
            let first = line.strip_prefix("for a in $(").unwrap_or(line);
            let first = first.strip_prefix("for s in $(").unwrap_or(first);
            ["dig ", "curl ", "openssl "]
                .iter()
                .any(|tool| first.starts_with(tool))
        };
        for check in ALL.iter().copied().flatten() {
            for line in check.also.iter().chain([&check.reproduce]) {
                assert!(begins(line), "{}: {line}", check.id);
            }
            for line in check.also {
                let filled = PLACE.fill(line);
                assert!(!filled.contains(['{', '}']), "{}: {filled}", check.id);
            }
        }
    }
}
