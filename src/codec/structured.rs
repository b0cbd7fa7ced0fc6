//! Structured field dictionaries (RFC 9651), which Permissions-Policy uses.
//!
//! One syntax error makes the whole field void, so the parser stops at the
//! first and says where it stands.

/// Members kept of one dictionary, and items of one inner list.
const MEMBER_LIMIT: usize = 128;

/// A bare item; all are slices of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    /// `self`, `*`, `?1` and numbers count as tokens here: as written.
    Token(&'a str),
    /// Between its quotes, escapes undone.
    Text(String, &'a str),
}

impl<'a> Item<'a> {
    /// The slice it was read from.
    pub(crate) fn part(&self) -> &'a str {
        match self {
            Item::Token(part) | Item::Text(_, part) => part,
        }
    }
}

/// What a member holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Member<'a> {
    /// One item, or the implied `?1` of a key alone.
    Item(Item<'a>),
    /// Items in parentheses.
    List(Vec<Item<'a>>),
}

/// A key with its member; the last one of a key counts.
pub(crate) type Entry<'a> = (&'a str, Member<'a>);

/// Where the syntax breaks, and what was expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'a> {
    pub(crate) part: &'a str,
    pub(crate) why: &'static str,
}

/// Reads a dictionary; parameters are checked and dropped.
pub(crate) fn dictionary(text: &str) -> Result<Vec<Entry<'_>>, Fault<'_>> {
    let mut reader = Reader {
        rest: text.trim_matches(' '),
    };
    let mut entries = Vec::new();
    while !reader.rest.is_empty() {
        let key = reader.key()?;
        let member = if reader.take('=') {
            reader.member()?
        } else {
            Member::Item(Item::Token(key))
        };
        reader.parameters()?;
        if entries.len() < MEMBER_LIMIT {
            entries.push((key, member));
        }
        reader.space();
        if reader.rest.is_empty() {
            break;
        }
        if !reader.take(',') {
            return Err(reader.fault("a comma must separate members"));
        }
        reader.space();
        if reader.rest.is_empty() {
            return Err(reader.fault("a member is missing behind the comma"));
        }
    }
    Ok(entries)
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn member(&mut self) -> Result<Member<'a>, Fault<'a>> {
        if !self.take('(') {
            return self.item().map(Member::Item);
        }
        let mut items = Vec::new();
        loop {
            self.spaces();
            if self.take(')') {
                return Ok(Member::List(items));
            }
            let item = self.item()?;
            self.parameters()?;
            if items.len() < MEMBER_LIMIT {
                items.push(item);
            }
            if !self.rest.starts_with([' ', ')']) {
                return Err(self
                    .fault("items of a list are separated by spaces and end with a parenthesis"));
            }
        }
    }

    fn item(&mut self) -> Result<Item<'a>, Fault<'a>> {
        if self.rest.starts_with('"') {
            return self.text();
        }
        let starts =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '?' | '-' | ':' | '@');
        let inside = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/?=@".contains(c);
        if !self.rest.starts_with(starts) {
            return Err(self.fault("a token, a quoted string or a list in parentheses is expected"));
        }
        let end = self.rest.find(|c| !inside(c)).unwrap_or(self.rest.len());
        Ok(Item::Token(self.split(end)))
    }

    fn text(&mut self) -> Result<Item<'a>, Fault<'a>> {
        let mut value = String::new();
        let mut chars = self.rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Ok(Item::Text(value, self.split(at + 1))),
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => value.push(c),
                    _ => return Err(self.fault("a string escapes only quotes and backslashes")),
                },
                ' '..='~' => value.push(c),
                _ => return Err(self.fault("a string holds printable US-ASCII only")),
            }
        }
        Err(self.fault("a string is not closed"))
    }

    fn parameters(&mut self) -> Result<(), Fault<'a>> {
        while self.take(';') {
            self.spaces();
            self.key()?;
            if self.take('=') {
                self.item()?;
            }
        }
        Ok(())
    }

    fn key(&mut self) -> Result<&'a str, Fault<'a>> {
        let starts = |c: char| c.is_ascii_lowercase() || c == '*';
        let inside = |c: char| starts(c) || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
        if !self.rest.starts_with(starts) {
            return Err(self.fault("a key begins with a lower-case letter"));
        }
        let end = self.rest.find(|c| !inside(c)).unwrap_or(self.rest.len());
        Ok(self.split(end))
    }

    fn take(&mut self, c: char) -> bool {
        match self.rest.strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
    }

    fn split(&mut self, at: usize) -> &'a str {
        let (part, rest) = self.rest.split_at(at);
        self.rest = rest;
        part
    }

    fn fault(&self, why: &'static str) -> Fault<'a> {
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        Fault {
            part: self.rest.get(..first).unwrap_or(self.rest),
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_items_or_lists() {
        let entries = dictionary(r#"a=(self "https://x.example" ), b=*;p=1, c, d=()"#).unwrap();
        assert_eq!(entries.len(), 4);
        assert!(matches!(&entries[0].1, Member::List(items) if items.len() == 2));
        assert_eq!(entries[1], ("b", Member::Item(Item::Token("*"))));
        assert_eq!(entries[3], ("d", Member::List(vec![])));
    }

    #[test]
    fn the_first_fault_is_where_the_field_becomes_void() {
        for (text, at) in [
            ("geolocation 'none'", "'"),
            ("a=(self", ""),
            ("a=(self'x\"", "\""),
            ("A=1", "A"),
            ("a=1,", ""),
            ("a=\"x", "\""),
            ("a='self'", "'"),
            ("a=(x,y)", ","),
        ] {
            assert_eq!(dictionary(text).unwrap_err().part, at, "{text}");
        }
    }
}
