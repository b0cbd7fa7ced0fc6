//! data: URLs (RFC 2397).

use ::base64::Engine;
use ::base64::alphabet;
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Serialize;

use super::Kind;
use super::format::{Format, NotThis, Reading, Scribe, quoted, rules};
use super::octets::Octets;

/// What there is to know about the kind `data_uri`.
pub const FORMAT: Format = Format {
    kind: Kind::DataUri,
    title: "data: URL",
    reference: "RFC 2397",
    example: "data:image/svg+xml;charset=utf-8,%3Csvg%20onload=alert(1)%3E",
    fields: &[
        ("mediaType", "media type, or the default text/plain"),
        ("parameters", "parameters of the media type, as written"),
        ("base64", "whether the data is base 64"),
        ("bytes", "octets of data"),
        ("text", "the beginning, when the octets are UTF-8 text"),
        ("hex", "the beginning in hexadecimal, when they are not"),
        (
            "looksLike",
            "what the octets are by their beginning or structure",
        ),
        ("innerKind", "the kind that the text can be decoded as"),
    ],
    rules: RULES,
    sniff: |text| {
        if starts(text).is_some_and(|rest| rest.contains(',')) {
            98
        } else {
            0
        }
    },
    read: |text, _| parse(text).map(Reading::untyped),
};

/// One data: URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataUri {
    media_type: String,
    parameters: Vec<String>,
    base64: bool,
    #[serde(flatten)]
    octets: Octets,
}

/// Reads a data: URL.
pub fn parse(text: &str) -> Result<Reading<DataUri>, NotThis> {
    let (head, data) = starts(text)
        .and_then(|rest| rest.split_once(','))
        .ok_or(NotThis(
            "a data: URL is `data:`, a media type, perhaps `;base64`, a comma and the data.",
        ))?;
    let mut scribe = Scribe::new(text);
    let mut words = head.split(';');
    let named = words.next().unwrap_or_default().trim();
    let mut parameters: Vec<&str> = words.map(str::trim).take(PARAMETER_LIMIT).collect();
    let base64 = parameters
        .last()
        .is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    if base64 {
        parameters.pop();
    }
    let media_type = media_type(&mut scribe, head, named);
    let octets = if base64 {
        from_base64(&mut scribe, data)
    } else {
        from_escapes(&mut scribe, data)
    };
    let octets = Octets::of(&octets);
    judge(
        &mut scribe,
        if named.is_empty() { head } else { named },
        &media_type,
        &octets,
        data,
    );
    let uri = DataUri {
        media_type,
        parameters: parameters.into_iter().map(str::to_owned).collect(),
        base64,
        octets,
    };
    Ok(Reading::new(uri, scribe))
}

fn starts(text: &str) -> Option<&str> {
    let bare = text.trim();
    let head = bare.get(..5)?;
    head.eq_ignore_ascii_case("data:")
        .then(|| bare.get(5..))
        .flatten()
}

fn media_type(scribe: &mut Scribe, head: &str, named: &str) -> String {
    if named.is_empty() {
        scribe.flag(
            DEFAULT_TYPE,
            head,
            "No media type is given; text/plain in US-ASCII is meant.",
        );
        return "text/plain".to_owned();
    }
    let is_token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    if !named
        .split_once('/')
        .is_some_and(|(kind, sub)| is_token(kind) && is_token(sub))
    {
        scribe.flag(
            BAD_TYPE,
            named,
            format!(
                "{} is no media type; browsers take text/plain.",
                quoted(named)
            ),
        );
    }
    named.to_ascii_lowercase()
}

/// Percent-escapes undone, then base 64 forgiving of white space.
fn from_base64(scribe: &mut Scribe, data: &str) -> Vec<u8> {
    let plain = from_escapes(scribe, data);
    let chars: Vec<u8> = plain
        .into_iter()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    let end = chars
        .iter()
        .rposition(|b| *b != b'=')
        .map_or(0, |at| at + 1);
    match FORGIVING.decode(chars.get(..end).unwrap_or_default()) {
        Ok(octets) => octets,
        Err(_) => {
            scribe.flag(
                BAD_BASE64,
                data,
                "The data is not base 64; browsers show nothing.",
            );
            Vec::new()
        }
    }
}

fn from_escapes(scribe: &mut Scribe, data: &str) -> Vec<u8> {
    let bytes = data.as_bytes();
    let mut octets = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let pair = data
            .get(at + 1..at + 3)
            .filter(|pair| pair.bytes().all(|b| b.is_ascii_hexdigit()));
        match (
            byte,
            pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()),
        ) {
            (b'%', Some(octet)) => {
                octets.push(octet);
                at += 3;
                continue;
            }
            (b'%', None) => scribe.flag(
                BAD_ESCAPE,
                data.get(at..=at).unwrap_or(data),
                "A percent sign is followed by two hexadecimal digits.",
            ),
            (b'#', _) => {
                scribe.flag(
                    FRAGMENT,
                    data.get(at..).unwrap_or(data),
                    "An unescaped `#` begins a fragment: the data ends here.",
                );
                return octets;
            }
            _ => {}
        }
        octets.push(*byte);
        at += 1;
    }
    octets
}

fn judge(scribe: &mut Scribe, named: &str, media_type: &str, octets: &Octets, data: &str) {
    let active = matches!(
        media_type,
        "text/html" | "image/svg+xml" | "application/xhtml+xml" | "text/xml" | "application/xml"
    ) || media_type.ends_with("javascript");
    if active {
        scribe.flag(
            ACTIVE,
            named,
            "Content of this type can run scripts where it is opened or framed.",
        );
    }
    if octets.secret {
        scribe.flag(
            PRIVATE_KEY,
            data,
            "The data holds a private key; treat it as disclosed. It is not repeated here.",
        );
    }
    if let Some(caution) = octets.caution() {
        scribe.note(caution);
    }
    let contradicts = match octets.looks_like {
        Some("PNG image") => media_type != "image/png",
        Some("JPEG image") => media_type != "image/jpeg",
        Some("GIF image") => media_type != "image/gif",
        Some("PDF document") => media_type != "application/pdf",
        _ => false,
    };
    if contradicts {
        scribe.flag(
            OTHER_CONTENT,
            named,
            format!(
                "The data is a {}, not {media_type}.",
                octets.looks_like.unwrap_or("file")
            ),
        );
    }
}

/// The forgiving decode of WHATWG Infra: unused bits at the end are ignored.
const FORGIVING: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

const PARAMETER_LIMIT: usize = 16;

rules! {
    ACTIVE = "data_uri.active_content", Medium, "WHATWG Fetch section 6",
        "The type can run scripts.";
    BAD_TYPE = "data_uri.bad_type", Medium, "RFC 2397 section 3",
        "The media type is malformed.";
    DEFAULT_TYPE = "data_uri.default_type", Info, "RFC 2397 section 2",
        "No media type is given.";
    BAD_BASE64 = "data_uri.bad_base64", High, "RFC 2397 section 2",
        "The data is not the base 64 it is announced as.";
    BAD_ESCAPE = "data_uri.bad_escape", Low, "RFC 3986 section 2.1",
        "A percent-escape is malformed.";
    FRAGMENT = "data_uri.fragment", Medium, "RFC 3986 section 3.5",
        "An unescaped `#` cuts the data.";
    OTHER_CONTENT = "data_uri.other_content", Low, "WHATWG MIME Sniffing section 6",
        "The data is of another type than announced.";
    PRIVATE_KEY = "data_uri.private_key", High, "RFC 7468 section 10",
        "The data holds a private key.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_2397_are_read() {
        let note = parse("data:,A%20brief%20note").unwrap().value;
        assert_eq!(
            (note.media_type.as_str(), note.octets.text.as_deref()),
            ("text/plain", Some("A brief note"))
        );
        let greek = parse("data:text/plain;charset=iso-8859-7,%be%fg%be").unwrap();
        assert_eq!(greek.value.parameters, ["charset=iso-8859-7"]);
        assert!(greek.has("data_uri.bad_escape"));
    }

    #[test]
    fn the_announced_type_is_held_against_the_data() {
        let reading = parse("data:image/png;base64,R0lGODdhMAAwAPAAAAAAAP").unwrap();
        assert_eq!(reading.value.octets.looks_like, Some("GIF image"));
        assert!(reading.has("data_uri.other_content"));
    }

    #[test]
    fn broken_data_is_named() {
        assert!(
            parse("data:;base64,@@@")
                .unwrap()
                .has("data_uri.bad_base64")
        );
        assert!(
            parse("data:text/html,<b>#</b>")
                .unwrap()
                .has("data_uri.fragment")
        );
        assert!(parse("data:text/plain").is_err());
    }
}
