//! Header fields as people paste them: the bare value, or whole lines
//! `Name: value`, several of them, folded or not.

/// Fields looked at in one text.
const FIELD_LIMIT: usize = 64;

/// Lines looked at for a field: `auto` asks for seven kinds of them.
const LINE_LIMIT: usize = 500;

/// One field; both parts are slices of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// The name, when it was pasted along.
    pub(crate) name: Option<&'a str>,
    /// The value without surrounding white space; folded lines included.
    pub(crate) value: &'a str,
}

/// The values of the fields with one of these names, or the whole text as
/// one bare value when no line begins with such a name.
pub(crate) fn fields<'a>(text: &'a str, names: &[&str]) -> Vec<Field<'a>> {
    let found: Vec<Field> = lines(text)
        .take(LINE_LIMIT)
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim();
            let wanted = names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
            wanted.then_some(Field {
                name: Some(name),
                value: value.trim(),
            })
        })
        .take(FIELD_LIMIT)
        .collect();
    if found.is_empty() {
        return vec![Field {
            name: None,
            value: text.trim(),
        }];
    }
    found
}

/// Whether a line of the text begins with one of these names.
pub(crate) fn is_named(text: &str, names: &[&str]) -> bool {
    fields(text, names).iter().any(|field| field.name.is_some())
}

/// Lines, those that begin with white space joined to the one before.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (line, behind) = rest.split_at(line_end(rest));
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// Where the first line ends, with the line break and what is folded onto it.
fn line_end(text: &str) -> usize {
    let mut breaks = text.match_indices('\n').map(|(at, _)| at + 1);
    breaks
        .find(|end| {
            !text
                .get(*end..)
                .is_some_and(|behind| behind.starts_with([' ', '\t']))
        })
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_lines_are_found_among_others() {
        let text = "Server: x\nX-Test: a\n  b\r\nx-test: c";
        let values: Vec<_> = fields(text, &["x-test"])
            .into_iter()
            .map(|f| f.value)
            .collect();
        assert_eq!(values, ["a\n  b", "c"]);
    }

    #[test]
    fn a_text_without_the_name_is_the_value() {
        assert_eq!(
            fields(" max-age=1\n", &["x"])[0],
            Field {
                name: None,
                value: "max-age=1"
            }
        );
    }

    #[test]
    fn folding_at_the_end_of_the_text_loses_nothing() {
        assert_eq!(lines("a\n b").collect::<Vec<_>>(), ["a\n b"]);
        assert_eq!(lines("a\n b\nc").collect::<Vec<_>>(), ["a\n b\n", "c"]);
        assert_eq!(lines("a\nb\n").collect::<Vec<_>>(), ["a\n", "b\n"]);
    }
}
