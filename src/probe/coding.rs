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

/// At most `limit` bytes of what `body` is the coded form of; `None` for a coding that is
/// neither `gzip` nor `deflate`.
pub fn undone(coding: &str, body: &[u8], limit: u64) -> Option<Vec<u8>> {
    let (stream, zlib) = if coding.eq_ignore_ascii_case("gzip") {
        (behind_header(body).unwrap_or_default(), false)
    } else if coding.eq_ignore_ascii_case("deflate") {
        (body, true)
    } else {
        return None;
    };
    let mut content = Vec::new();
    // A stream that breaks off gives what came before.
    let _ = ZlibDecoder::new_with_decompress(stream, Decompress::new(zlib))
        .take(limit)
        .read_to_end(&mut content);
    Some(content)
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
            assert_eq!(undone("GZIP", &member, 1_000).unwrap(), TEXT);
        }
    }

    #[test]
    fn what_came_before_a_break_is_the_content() {
        let member = gzipped(GzBuilder::new());
        let checksum = member.len() - 8;
        assert_eq!(undone("gzip", &member[..checksum], 1_000).unwrap(), TEXT);
        let mut wrong = member.clone();
        wrong[checksum] ^= 1;
        assert_eq!(undone("gzip", &wrong, 1_000).unwrap(), TEXT);
        assert_eq!(undone("gzip", &member, 4).unwrap(), b"what");
    }

    #[test]
    fn what_is_no_gzip_has_no_content_and_ends_nowhere_else() {
        let member = gzipped(GzBuilder::new().extra(b"more".as_slice()).filename("name"));
        let header = member.len() - gzipped(GzBuilder::new()).len() + 10;
        for end in 0..=header {
            assert_eq!(undone("gzip", &member[..end], 1_000).unwrap(), b"", "{end}");
        }
        let mut reserved = member;
        reserved[3] |= 1 << 7;
        assert_eq!(undone("gzip", &reserved, 1_000).unwrap(), b"");
    }

    #[test]
    fn deflate_is_zlib_and_other_codings_stay() {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(TEXT).unwrap();
        let stream = encoder.finish().unwrap();
        assert_eq!(undone("deflate", &stream, 1_000).unwrap(), TEXT);
        assert_eq!(undone("br", &stream, 1_000), None);
    }
}
