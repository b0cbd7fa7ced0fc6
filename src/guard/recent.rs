//! Characters that the parser of host names here knows and that of the runtime
//! does not know yet: what Unicode 18 added. One reads a host where the other
//! sees none, so no name with such a character passes.
//!
//! The ranges hold nothing that Unicode 17 assigned. `tests/e2e/differential`
//! tries every character in both parsers and fails when they part elsewhere.

/// First and last of each range, ascending.
#[rustfmt::skip]
const RECENT: &[(u32, u32)] = &[
    (0x00558, 0x00558), (0x0058b, 0x0058c), (0x005c8, 0x005c9), (0x00b53, 0x00b54),
    (0x01ade, 0x01adf), (0x01aec, 0x01af0), (0x0208f, 0x0208f), (0x0209d, 0x0209f),
    (0x020c2, 0x020c4), (0x02e60, 0x02e63), (0x0a7dd, 0x0a7e2), (0x0ab6c, 0x0ab6d),
    (0x107bb, 0x107bf), (0x10ecb, 0x10ecf), (0x10ef0, 0x10ef9), (0x11b0a, 0x11b0a),
    (0x11df0, 0x11df1), (0x1246f, 0x1246f), (0x12475, 0x1247f), (0x12550, 0x12686),
    (0x18cd6, 0x18cda), (0x18d1f, 0x18d20), (0x18e00, 0x191d2), (0x1b123, 0x1b128),
    (0x1b168, 0x1b168), (0x1ced2, 0x1cedf), (0x1cef1, 0x1cefd), (0x1d127, 0x1d128),
    (0x1d1eb, 0x1d1ff), (0x1d250, 0x1d281), (0x1d6a6, 0x1d6a6), (0x1db00, 0x1db1c),
    (0x1df1f, 0x1df24), (0x1df2b, 0x1dfff), (0x1f1ae, 0x1f1ae), (0x1f6d9, 0x1f6d9),
    (0x1f7da, 0x1f7db), (0x1f7f1, 0x1f7ff), (0x1fa8b, 0x1fa8d), (0x1facc, 0x1facc),
    (0x1fadd, 0x1fadd), (0x1faeb, 0x1faeb), (0x1faf9, 0x1fafa), (0x2b81e, 0x2b81e),
];

/// Whether the runtime's parser does not know `c` yet.
pub(super) fn is_recent(c: char) -> bool {
    let code = u32::from(c);
    let after = RECENT.partition_point(|(first, _)| *first <= code);
    after
        .checked_sub(1)
        .and_then(|at| RECENT.get(at))
        .is_some_and(|(_, last)| code <= *last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_ascending_and_hold_their_edges_only() {
        assert!(RECENT.is_sorted_by(|a, b| a.1 < b.0));
        for c in ['\u{558}', '\u{58c}', '\u{191d2}', '\u{2b81e}'] {
            assert!(is_recent(c), "{c:?}");
        }
        for c in [
            'a',
            '\u{557}',
            '\u{559}',
            '\u{58a}',
            '\u{58d}',
            '\u{191d3}',
            '\u{2b81f}',
            '語',
        ] {
            assert!(!is_recent(c), "{c:?}");
        }
    }
}
