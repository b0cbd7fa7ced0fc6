//! The static files of the pages: part of the script, named by their content,
//! cached for good; and what stands in the pages themselves.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::PreEscaped;
use sha2::{Digest, Sha256};

use crate::surface::{Body, Reply};

/// One embedded file.
pub(super) struct Asset {
    stem: &'static str,
    extension: &'static str,
    media_type: &'static str,
    bytes: &'static [u8],
    digest: u64,
}

impl Asset {
    const fn new(
        stem: &'static str,
        extension: &'static str,
        media_type: &'static str,
        bytes: &'static [u8],
    ) -> Asset {
        Asset {
            stem,
            extension,
            media_type,
            bytes,
            digest: fnv1a(bytes),
        }
    }

    /// The path that names this very content.
    pub(super) fn path(&self) -> String {
        format!(
            "/assets/{}.{:016x}.{}",
            self.stem, self.digest, self.extension
        )
    }

    /// The bytes under a path that may change with the next release.
    pub(super) fn unversioned(&self) -> Reply {
        self.reply().with("cache-control", "public, max-age=86400")
    }

    fn reply(&self) -> Reply {
        Reply::new(200, self.media_type, Body::Static(self.bytes))
    }
}

/// A piece of every page's head that stands in the page itself, so that a
/// first paint waits for one answer only. The policy names it by its hash.
pub(super) struct Inline(&'static str);

impl Inline {
    /// The text, for the element it stands in.
    pub(super) const fn text(&self) -> PreEscaped<&'static str> {
        PreEscaped(self.0)
    }

    /// The source expression that allows this very text (CSP3 section 2.3.1).
    pub(super) fn source(&self) -> String {
        format!("'sha256-{}'", STANDARD.encode(Sha256::digest(self.0)))
    }
}

/// The style sheet of every page.
pub(super) static STYLE: Inline = Inline(include_str!("assets/site.css"));

/// Sets a chosen theme before the first paint.
pub(super) static THEME: Inline = Inline(include_str!("assets/theme.js"));

/// What JavaScript adds to pages that work without it.
pub(super) static SCRIPT: Asset = Asset::new(
    "site",
    "js",
    "text/javascript; charset=utf-8",
    include_bytes!("assets/site.js"),
);

/// The mark, in both themes.
pub(super) static ICON: Asset = Asset::new(
    "favicon",
    "svg",
    "image/svg+xml",
    include_bytes!("assets/favicon.svg"),
);

/// What a shared link shows.
pub(super) static CARD: Asset = Asset::new(
    "card",
    "png",
    "image/png",
    include_bytes!("assets/card.png"),
);

/// Answers `/assets/…`; a name with another digest is of another release and
/// is not found here.
pub(super) fn answer(path: &str) -> Option<Reply> {
    let asset = [&SCRIPT, &ICON, &CARD]
        .into_iter()
        .find(|asset| asset.path() == path)?;
    Some(
        asset
            .reply()
            .with("cache-control", "public, max-age=31536000, immutable"),
    )
}

/// FNV-1a, 64 bits: tells releases apart, which is all a cache asks of a name.
const fn fnv1a(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut rest = bytes;
    while let [byte, tail @ ..] = rest {
        hash = (hash ^ *byte as u64).wrapping_mul(0x0000_0100_0000_01b3);
        rest = tail;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_agrees_with_the_published_vectors_of_fnv_1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn what_stands_in_the_page_cannot_end_its_element() {
        for inline in [&STYLE, &THEME] {
            assert!(!inline.0.contains("</") && !inline.0.contains("<!--"));
        }
    }

    #[test]
    fn an_asset_answers_under_its_own_digest_only() {
        let path = SCRIPT.path();
        assert_eq!(answer(&path).map(|reply| reply.status), Some(200));
        assert!(answer("/assets/site.js").is_none());
        assert!(answer("/assets/site.0000000000000000.js").is_none());
    }
}
