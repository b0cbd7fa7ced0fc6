//! Tags and their attributes out of a text, as the HTML standard's tokenizer
//! (section 13.2.5) sees them.

use std::borrow::Cow;

/// Attributes kept of one tag.
const ATTRIBUTE_LIMIT: usize = 32;

/// The start tags of a text, one after the other.
pub(super) struct Tags<'a> {
    text: &'a str,
    at: usize,
    last: &'static str,
}

/// The attributes of one tag as written.
#[derive(Default)]
pub(super) struct Attributes<'a>(Vec<(&'a str, &'a str)>);

impl Attributes<'_> {
    /// The value of the first attribute with this name, references resolved.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| unescaped(value))
    }
}

/// Names that matter here; every other tag is passed over.
const NAMES: [&str; 23] = [
    "script",
    "style",
    "title",
    "textarea",
    "noscript",
    "xmp",
    "noembed",
    "noframes",
    "meta",
    "base",
    "link",
    "iframe",
    "frame",
    "embed",
    "object",
    "img",
    "audio",
    "video",
    "source",
    "form",
    "input",
    "button",
    "plaintext",
];

/// Whether the content of an element is text up to its end tag. `noscript` is
/// among them as for every browser that runs scripts.
pub(super) fn holds_text(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "title"
            | "textarea"
            | "noscript"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "plaintext"
    )
}

impl<'a> Tags<'a> {
    pub(super) fn new(text: &'a str) -> Tags<'a> {
        Tags {
            text,
            at: 0,
            last: "",
        }
    }

    /// The next start tag that matters.
    pub(super) fn next_tag(&mut self) -> Option<(&'static str, Attributes<'a>)> {
        loop {
            self.at += self.rest().find('<')? + 1;
            let rest = self.rest();
            if rest.starts_with("!--") {
                // From the second hyphen on, so that `<!-->` ends where it begins.
                self.at += 1;
                self.at += self.rest().find("-->")? + 3;
            } else if rest.starts_with(['!', '?']) {
                self.at += rest.find('>')? + 1;
            } else if let Some(end) = rest.strip_prefix('/') {
                if end.starts_with(|c: char| c.is_ascii_alphabetic()) {
                    self.at += 1;
                    self.name();
                    self.attributes()?;
                }
            } else if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
                let name = self.name();
                let attributes = self.attributes()?;
                if let Some(name) = NAMES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                    self.last = name;
                    return Some((name, attributes));
                }
            }
        }
    }

    /// The text up to the end tag of the element that came last, which is
    /// left for the next search; all of it where there is none.
    pub(super) fn raw_text(&mut self) -> &'a str {
        let (from, text) = (self.at, self.text);
        let ends = |rest: &str| {
            let behind = rest.get(2..2 + self.last.len());
            let next = rest.as_bytes().get(2 + self.last.len());
            behind.is_some_and(|name| name.eq_ignore_ascii_case(self.last))
                && next.is_none_or(|b| b.is_ascii_whitespace() || b"/>".contains(b))
        };
        while let Some(found) = self.rest().find("</") {
            self.at += found;
            if ends(self.rest()) {
                return text.get(from..self.at).unwrap_or_default();
            }
            self.at += 2;
        }
        self.at = text.len();
        text.get(from..).unwrap_or_default()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// What comes before the first of `ends`, or everything.
    fn until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let part = rest.get(..rest.find(ends).unwrap_or(rest.len()));
        let part = part.unwrap_or_default();
        self.at += part.len();
        part
    }

    fn name(&mut self) -> &'a str {
        self.until(|c| is_space(c) || matches!(c, '/' | '>'))
    }

    /// Everything up to the end of the tag; `None` when the text ends before,
    /// which makes it no tag.
    fn attributes(&mut self) -> Option<Attributes<'a>> {
        let mut attributes = Attributes::default();
        loop {
            self.until(|c| !is_space(c) && c != '/');
            match self.rest().chars().next()? {
                '>' => {
                    self.at += 1;
                    return Some(attributes);
                }
                first => {
                    let start = self.at;
                    // An equals sign in the first place belongs to the name.
                    self.at += first.len_utf8();
                    self.until(|c| is_space(c) || matches!(c, '/' | '>' | '='));
                    let name = self.text.get(start..self.at).unwrap_or_default();
                    let value = self.attribute_value()?;
                    if attributes.0.len() < ATTRIBUTE_LIMIT {
                        attributes.0.push((name, value));
                    }
                }
            }
        }
    }

    fn attribute_value(&mut self) -> Option<&'a str> {
        self.until(|c| !is_space(c));
        if !self.rest().starts_with('=') {
            return Some("");
        }
        self.at += 1;
        self.until(|c| !is_space(c));
        match self.rest().chars().next()? {
            quote @ ('"' | '\'') => {
                self.at += 1;
                let value = self.until(|c| c == quote);
                self.rest().chars().next()?;
                self.at += 1;
                Some(value)
            }
            _ => Some(self.until(|c| is_space(c) || c == '>')),
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}

/// Character references that occur in addresses and policies: numbers, and
/// the names that stand for ASCII.
fn unescaped(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        // The longest reference read here is `&#x10FFFF;`.
        let end = behind.bytes().take(10).position(|b| b == b';');
        let read = end.and_then(|end| Some((character(behind.get(..end)?)?, end + 1)));
        match read {
            Some((c, length)) => {
                out.push(c);
                rest = behind.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

fn character(reference: &str) -> Option<char> {
    let number =
        reference
            .strip_prefix('#')
            .and_then(|digits| match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok(),
                None => digits.parse().ok(),
            });
    match reference {
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "colon" => Some(':'),
        "sol" => Some('/'),
        _ => char::from_u32(number?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_as_browsers_read_them() {
        let mut tags = Tags::new("<IMG a=1 b = '2>' \n c d=\"3\"/ e=f/ a=9 =x=y><img src");
        let (name, attributes) = tags.next_tag().unwrap();
        assert_eq!(name, "img");
        let read: Vec<_> = ["a", "B", "c", "d", "e", "=x"]
            .map(|name| attributes.value(name).unwrap().into_owned())
            .to_vec();
        assert_eq!(read, ["1", "2>", "", "3", "f/", "y"]);
        assert!(tags.next_tag().is_none(), "cut off in the tag");
    }

    #[test]
    fn an_end_tag_of_another_name_ends_no_text() {
        let mut tags = Tags::new("<script>a</scripty></p></SCRIPT ><img src=x>");
        tags.next_tag().unwrap();
        assert_eq!(tags.raw_text(), "a</scripty></p>");
        assert_eq!(tags.next_tag().unwrap().0, "img");
    }

    #[test]
    fn references_are_resolved_once() {
        assert_eq!(
            unescaped("a&amp;amp;b&#58;&#x2F;&nope;&"),
            "a&amp;b:/&nope;&"
        );
        assert_eq!(unescaped("&#x110000;&#;"), "&#x110000;&#;");
    }
}
