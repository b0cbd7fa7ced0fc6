//! Content codings (RFC 9110 section 8.4.1) as a diagnostic client undoes them: what a
//! stream gives until it breaks is the content.
//!
//! So its checksum has no say, and is not counted: the tables for that are 16 KiB that do
//! not compress.

use std::io::Read;

use flate2::Decompress;
use flate2::bufread::ZlibDecoder;

// Flags of a gzip header (RFC 1952 section 2.3.1).
const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

/// At most `limit` bytes of what `body` is the coded form of, and whether nothing broke
/// off before; `None` for a coding that is neither `gzip` nor `deflate`.
pub fn undone(coding: &str, body: &[u8], limit: u64) -> Option<(Vec<u8>, bool)> {
    let inflated = |stream: &[u8], zlib| {
        let mut content = Vec::new();
        // A stream that breaks off gives what came before.
        let end = ZlibDecoder::new_with_decompress(stream, Decompress::new(zlib))
            .take(limit)
            .read_to_end(&mut content);
        (content, end.is_ok())
    };
    if ["gzip", "x-gzip"]
        .iter()
        .any(|name| coding.eq_ignore_ascii_case(name))
    {
        let stream = behind_header(body);
        return Some(stream.map_or((Vec::new(), false), |stream| inflated(stream, false)));
    }
    if !coding.eq_ignore_ascii_case("deflate") {
        return None;
    }
    match inflated(body, true) {
        // Some leave out the wrapper of RFC 1950, and browsers read it.
        (content, false) if content.is_empty() => Some(inflated(body, false)),
        read => Some(read),
    }
}

/// What follows the header of a gzip member; `None` when there is no whole one.
fn behind_header(member: &[u8]) -> Option<&[u8]> {
    // Magic number, method, flags; time, what the compressor did, its system.
    let [0x1F, 0x8B, 8, flags, _, _, _, _, _, _, rest @ ..] = member else {
        return None;
    };
    if flags & RESERVED != 0 {
        return None;
    }
    let mut rest = rest;
    if flags & EXTRA != 0 {
        let (length, behind) = rest.split_first_chunk()?;
        rest = behind.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = &rest[end + 1..];
        }
    }
    match flags & HEADER_CHECKSUM {
        0 => Some(rest),
        _ => rest.get(2..),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder};

    use super::*;

    const TEXT: &[u8] = b"what was meant, what was meant, what was meant";

    fn content(coding: &str, body: &[u8], limit: u64) -> Vec<u8> {
        undone(coding, body, limit).unwrap().0
    }

    fn gzipped(header: GzBuilder) -> Vec<u8> {
        let mut encoder = header.write(Vec::new(), Compression::default());
        encoder.write_all(TEXT).unwrap();
        encoder.finish().unwrap()
    }

    /// The header's own checksum, which no encoder of ours writes.
    fn with_header_checksum(mut member: Vec<u8>) -> Vec<u8> {
        member[3] |= HEADER_CHECKSUM;
        member.splice(10..10, [0xAB, 0xCD]);
        member
    }

    #[test]
    fn a_gzip_header_may_carry_all_that_the_format_has() {
        let full = GzBuilder::new()
            .extra(b"more".as_slice())
            .filename("name")
            .comment("words");
        for member in [
            gzipped(GzBuilder::new()),
            gzipped(GzBuilder::new().filename("name")),
            gzipped(full),
            with_header_checksum(gzipped(GzBuilder::new())),
        ] {
            assert_eq!(content("GZIP", &member, 1_000), TEXT);
        }
    }

    #[test]
    fn what_came_before_a_break_is_the_content() {
        let member = gzipped(GzBuilder::new());
        let checksum = member.len() - 8;
        assert_eq!(content("gzip", &member[..checksum], 1_000), TEXT);
        let mut wrong = member.clone();
        wrong[checksum] ^= 1;
        assert_eq!(content("gzip", &wrong, 1_000), TEXT);
        assert_eq!(content("gzip", &member, 4), b"what");
    }

    #[test]
    fn what_is_no_gzip_has_no_content_and_ends_nowhere_else() {
        let member = gzipped(GzBuilder::new().extra(b"more".as_slice()).filename("name"));
        let header = member.len() - gzipped(GzBuilder::new()).len() + 10;
        for end in 0..=header {
            assert_eq!(content("gzip", &member[..end], 1_000), b"", "{end}");
        }
        let mut reserved = member;
        reserved[3] |= 1 << 7;
        assert_eq!(content("gzip", &reserved, 1_000), b"");
    }

    #[test]
    fn deflate_is_zlib_and_other_codings_stay() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(TEXT).unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(content("deflate", &stream, 1_000), TEXT);
        assert_eq!(
            content("deflate", &stream[2..], 1_000),
            TEXT,
            "without its wrapper"
        );
        assert_eq!(undone("br", &stream, 1_000), None);
    }

    #[test]
    fn what_broke_off_is_told_from_what_is_whole() {
        let member = gzipped(GzBuilder::new());
        let whole = |body: &[u8]| undone("x-gzip", body, 1_000).unwrap().1;
        assert!(whole(&member));
        assert!(!whole(&member[..member.len() - 12]));
        assert!(!whole(b"no gzip at all"));
        let mut nothing = GzBuilder::new().write(Vec::new(), Compression::default());
        nothing.flush().unwrap();
        assert_eq!(
            undone("gzip", &nothing.finish().unwrap(), 9),
            Some((Vec::new(), true))
        );
    }
}
