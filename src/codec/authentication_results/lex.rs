//! Tokens of a structured mail header (RFC 5322 section 3.2): words, quoted
//! strings, and comments anywhere between them, nested without recursion.

/// Walks over one header value.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    comment: Option<String>,
}

/// The value of a pair.
pub(super) struct Given<'a> {
    /// Quotes undone.
    pub(super) text: String,
    /// The slice it was read from.
    pub(super) part: &'a str,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(value: &'a str) -> Self {
        Lexer {
            rest: value,
            comment: None,
        }
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_blank();
        self.rest.is_empty()
    }

    /// A word up to white space, a semicolon, a quote or a comment. None at a
    /// semicolon or the end.
    pub(super) fn token(&mut self) -> Option<&'a str> {
        self.skip_blank();
        let end = self
            .rest
            .find([';', ' ', '\t', '\r', '\n', '(', '"'])
            .unwrap_or(self.rest.len());
        if end == 0 {
            // A stray quoted string is one token, so that the walk goes on.
            return self.rest.starts_with('"').then(|| self.quoted().part);
        }
        Some(self.split(end))
    }

    /// Completes a token to `name=value`, when an equals sign is in it or
    /// follows behind comments. A slash or dot may stand apart likewise.
    pub(super) fn pair(&mut self, token: &'a str) -> Option<(String, Given<'a>)> {
        if let Some((name, value)) = token.split_once('=') {
            let given = match value.is_empty() {
                true => self.value()?,
                false => Given {
                    text: value.to_owned(),
                    part: value,
                },
            };
            return Some((name.to_owned(), given));
        }
        let mut name = token.to_owned();
        loop {
            let mut ahead = self.clone();
            let next = ahead.token()?;
            let joins = next.starts_with(['/', '.', '=']) || name.ends_with(['/', '.']);
            if !joins || name.len() > NAME_LIMIT {
                return None;
            }
            *self = ahead;
            match next.split_once('=') {
                Some((more, "")) => {
                    name.push_str(more);
                    return Some((name, self.value()?));
                }
                Some((more, value)) => {
                    name.push_str(more);
                    return Some((
                        name,
                        Given {
                            text: value.to_owned(),
                            part: value,
                        },
                    ));
                }
                None => name.push_str(next),
            }
        }
    }

    fn value(&mut self) -> Option<Given<'a>> {
        self.skip_blank();
        if self.rest.starts_with('"') {
            return Some(self.quoted());
        }
        let part = self.token()?;
        Some(Given {
            text: part.to_owned(),
            part,
        })
    }

    fn quoted(&mut self) -> Given<'a> {
        let mut text = String::new();
        let mut end = self.rest.len();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c => text.push(c),
            }
        }
        Given {
            text,
            part: self.split(end),
        }
    }

    /// The last comment since it was asked for.
    pub(super) fn take_comment(&mut self) -> Option<String> {
        self.skip_blank();
        self.comment.take()
    }

    pub(super) fn skip_semicolon(&mut self) {
        self.skip_blank();
        self.rest = self.rest.strip_prefix(';').unwrap_or(self.rest);
    }

    pub(super) fn skip_to_semicolon(&mut self) {
        while self.token().is_some() {}
        self.skip_semicolon();
        self.comment = None;
    }

    /// White space and comments.
    fn skip_blank(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
            if !self.rest.starts_with('(') {
                return;
            }
            let end = comment_end(self.rest);
            let inside = self.split(end);
            let text = inside.get(1..).unwrap_or_default();
            let text = text.strip_suffix(')').unwrap_or(text);
            self.comment = Some(text.chars().take(COMMENT_LIMIT).collect());
        }
    }

    fn split(&mut self, at: usize) -> &'a str {
        let (part, rest) = self.rest.split_at(at);
        self.rest = rest;
        part
    }
}

/// Where the comment that `text` begins with ends, nested ones included.
fn comment_end(text: &str) -> usize {
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

const NAME_LIMIT: usize = 256;
const COMMENT_LIMIT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_nest_and_are_skipped() {
        let mut lexer = Lexer::new("(a (b) \\) c) word");
        assert_eq!(lexer.token(), Some("word"));
        assert_eq!(lexer.take_comment().as_deref(), Some("a (b) \\) c"));
    }

    #[test]
    fn a_deep_comment_ends_the_walk() {
        let deep = "(".repeat(60_000);
        assert!(Lexer::new(&deep).is_at_end());
    }

    #[test]
    fn pairs_are_put_together() {
        let mut lexer = Lexer::new("a . b = \"c d\"");
        let token = lexer.token().unwrap();
        let (name, given) = lexer.pair(token).unwrap();
        assert_eq!((name.as_str(), given.text.as_str()), ("a.b", "c d"));
    }
}
