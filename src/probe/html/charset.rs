//! The characters of a page: what its octets mean.

use std::borrow::Cow;

/// The text of a page. A mark at its beginning decides, then the header
/// (WHATWG Encoding section 6). Whatever else pages come in has ASCII where
/// their tags are, except for UTF-16.
pub(super) fn decoded<'b>(body: &'b [u8], media_type: &str) -> Cow<'b, str> {
    let units = match body {
        [0xEF, 0xBB, 0xBF, text @ ..] => return String::from_utf8_lossy(text),
        [0xFF, 0xFE, units @ ..] => Some((units, false)),
        [0xFE, 0xFF, units @ ..] => Some((units, true)),
        _ => utf_16(media_type).map(|is_big| (body, is_big)),
    };
    let Some((units, is_big)) = units else {
        return String::from_utf8_lossy(body);
    };
    let (pairs, _) = units.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match is_big {
        true => u16::from_be_bytes(*pair),
        false => u16::from_le_bytes(*pair),
    });
    char::decode_utf16(units)
        .map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

/// Whether the type says UTF-16, and if so whether the high octet comes first:
/// the labels of WHATWG Encoding section 4.2.
fn utf_16(media_type: &str) -> Option<bool> {
    let charset = media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    })?;
    let label = charset.trim().trim_matches('"').to_ascii_lowercase();
    match label.as_str() {
        "utf-16" | "utf-16le" | "unicode" | "unicodefeff" | "ucs-2" | "iso-10646-ucs-2"
        | "csunicode" => Some(false),
        "utf-16be" | "unicodefffe" => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;

    fn utf16(text: &str, mark: bool, is_little: bool) -> Vec<u8> {
        let units = mark
            .then_some(0xFEFF)
            .into_iter()
            .chain(text.encode_utf16());
        units
            .flat_map(|unit| match is_little {
                true => unit.to_le_bytes(),
                false => unit.to_be_bytes(),
            })
            .collect()
    }

    #[test]
    fn a_page_in_utf_16_is_read_as_browsers_read_it() {
        let text = "<title>é</title><script src=https://cdn.net/a.js></script>";
        for (body, media_type) in [
            (utf16(text, true, true), "text/html; charset=utf-8"),
            (utf16(text, true, false), "text/html"),
            (utf16(text, false, true), "text/html; charset=\"UTF-16\""),
            (utf16(text, false, false), "text/html;charset=utf-16be"),
            (
                [b"\xEF\xBB\xBF", text.as_bytes()].concat(),
                "text/html; charset=utf-16",
            ),
        ] {
            let contents = read(&body, media_type, "https://good.net/");
            assert_eq!(contents.scripts.len(), 1, "{media_type}");
            assert_eq!(contents.title.as_deref(), Some("é"), "{media_type}");
        }
    }
}
