//! Tag lists, `name=value; name=value` (RFC 6376 section 3.2), as DMARC,
//! DKIM, TLS-RPT, MTA-STS and BIMI records use them.

use super::format::{Rule, Scribe, quoted, range_within};

/// Tags kept of one record.
const TAG_LIMIT: usize = 64;

/// Parts between semicolons looked at; far more than make a record.
const PART_LIMIT: usize = 1_000;

/// Of a report address in a list.
pub(crate) const SPACED_URI: &str =
    "An address cannot have a space in it; addresses are separated by commas.";

/// One tag; all parts are slices of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tag<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a str,
    /// Name, equals sign and value.
    pub(crate) whole: &'a str,
}

/// The rules a format has for its tag list.
pub(crate) struct TagRules {
    pub(crate) malformed: &'static Rule,
    pub(crate) repeated: &'static Rule,
    /// Tags that may be given more than once; all of them are kept.
    pub(crate) several: &'static [&'static str],
}

/// Reads a tag list, flagging what is no tag and what is given twice (the
/// first one is kept).
pub(crate) fn read<'a>(text: &'a str, rules: &TagRules, scribe: &mut Scribe) -> Vec<Tag<'a>> {
    let mut tags: Vec<Tag> = Vec::new();
    let mut parts = text.split(';').take(PART_LIMIT).peekable();
    while let Some(part) = parts.next() {
        let whole = trimmed(part);
        let is_last = parts.peek().is_none();
        if whole.is_empty() && is_last {
            break;
        }
        let Some((name, value)) = whole.split_once('=') else {
            if whole.is_empty() {
                let semicolon = range_within(text, part).map_or(0, |range| range.end);
                scribe.flag(
                    rules.malformed,
                    text.get(semicolon..=semicolon).unwrap_or(part),
                    "A semicolon separates nothing.",
                );
            } else {
                let message = format!(
                    "{} is no `name=value` tag; a semicolon or an equals sign is missing.",
                    quoted(whole)
                );
                scribe.flag(rules.malformed, whole, message);
            }
            continue;
        };
        let tag = Tag {
            name: trimmed(name),
            value: trimmed(value),
            whole,
        };
        let is_name = tag
            .name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphabetic())
            && tag
                .name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            scribe.flag(
                rules.malformed,
                name,
                format!("{} is no tag name.", quoted(tag.name)),
            );
        } else if tags.iter().any(|other| other.name == tag.name)
            && !rules.several.contains(&tag.name)
        {
            scribe.flag(
                rules.repeated,
                whole,
                format!("The tag {} is given twice.", quoted(tag.name)),
            );
        } else if tags.len() < TAG_LIMIT {
            tags.push(tag);
        }
    }
    tags
}

/// The tag of this name.
pub(crate) fn find<'a>(tags: &[Tag<'a>], name: &str) -> Option<Tag<'a>> {
    tags.iter().copied().find(|tag| tag.name == name)
}

/// Whether `text` begins with the tag `v=` of this very value.
pub(crate) fn has_version(text: &str, version: &str) -> bool {
    let first = text.split(';').next().unwrap_or_default();
    first.split_once('=').is_some_and(|(name, value)| {
        trimmed(name).eq_ignore_ascii_case("v") && trimmed(value).eq_ignore_ascii_case(version)
    })
}

fn trimmed(part: &str) -> &str {
    part.trim_matches([' ', '\t', '\r', '\n'])
}
