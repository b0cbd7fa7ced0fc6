//! One look at each octet of a text. Nearly no text of a report has anything
//! in it that the detector goes by, and then this look is all it takes.

use std::sync::LazyLock;

use super::{
    ADDRESS, AMOUNT, Classes, ENOUGH, FEWEST_APART, LEXICON, RULES, TOOL, letter_of, marks,
};

/// Whether `s` certainly does not speak to a model; `false` means that only a
/// closer look can tell.
pub(super) fn is_silent(s: &str) -> bool {
    let glance = Glance::at(s.as_bytes());
    glance.seen.all & ODD == 0
        && glance.apart < FEWEST_APART
        && !glance.has_a_rule()
        && marks::weight_of(s, &glance.seen) < ENOUGH
}

/// Which characters are in a text.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    all: Characters,
    /// Those before a sign.
    ends: Characters,
    last: Characters,
}

/// A set of characters: a bit for each letter, in whatever case, for each of
/// [`SIGNS`], and two for everything else.
type Characters = u64;

/// The signs in marks, and those that can make a word what it is.
const SIGNS: &[u8] = b" !\"#$(-./:<>@[]_|~";

/// Any other printable ASCII character.
const OTHER_BIT: u8 = 62;

const ODD_BIT: u8 = 63;

/// What is no printable ASCII.
const ODD: Characters = 1 << ODD_BIT;

/// What is in `bytes`.
pub(super) const fn seen(bytes: &[u8]) -> Seen {
    let (mut seen, mut at) = (Seen::NOTHING, 0);
    while at < bytes.len() {
        seen.add(OCTETS[bytes[at] as usize]);
        at += 1;
    }
    seen
}

impl Seen {
    const NOTHING: Seen = Seen {
        all: 0,
        ends: 0,
        last: 0,
    };

    const fn add(&mut self, octet: Octet) {
        if octet.letter == 0 {
            self.ends |= self.last;
        }
        self.last = 1 << octet.bit;
        self.all |= self.last;
    }

    /// Whether there is a character in both.
    pub(super) const fn shares(&self, other: &Seen) -> bool {
        self.all & other.all != 0
    }

    /// Whether a text in which `other` is seen may hold one in which this is.
    pub(super) const fn is_within(&self, other: &Seen) -> bool {
        self.all & !other.all == 0 && self.ends & !other.ends == 0
    }
}

/// What there is to know about an octet.
#[derive(Clone, Copy)]
struct Octet {
    /// Its place in [`Seen`].
    bit: u8,
    /// In a word, the letter that it is or stands for, or the digit; else 0.
    letter: u8,
}

const OCTETS: [Octet; 256] = {
    let mut octets = [Octet {
        bit: ODD_BIT,
        letter: 0,
    }; 256];
    let mut byte = b' ';
    while byte <= b'~' {
        octets[byte as usize] = Octet {
            bit: bit_of(byte.to_ascii_lowercase()),
            letter: match letter_of(byte.to_ascii_lowercase() as char) {
                _ if !byte.is_ascii_alphanumeric() => 0,
                Some(letter) => letter as u8,
                None => byte,
            },
        };
        byte += 1;
    }
    octets
};

const fn bit_of(lower: u8) -> u8 {
    const LETTERS: u8 = 26;
    if lower.is_ascii_lowercase() {
        return lower - b'a';
    }
    let mut at = 0;
    while at < SIGNS.len() as u8 {
        if SIGNS[at as usize] == lower {
            return LETTERS + at;
        }
        at += 1;
    }
    OTHER_BIT
}

/// What is to be seen in a text.
struct Glance {
    seen: Seen,
    /// The classes of its words, and maybe others.
    present: Classes,
    /// How many letters and digits stand alone.
    apart: usize,
}

impl Glance {
    fn at(bytes: &[u8]) -> Glance {
        let sieve = &*SIEVE;
        let mut glance = Glance {
            seen: Seen::NOTHING,
            present: 0,
            apart: 0,
        };
        let mut word = 0;
        for byte in bytes {
            let octet = OCTETS[usize::from(*byte)];
            glance.seen.add(octet);
            if octet.letter != 0 {
                word = hash(word, octet.letter);
            } else {
                glance.take(word, sieve);
                word = 0;
            }
        }
        glance.take(word, sieve);
        for (sign, class) in [('_', TOOL), ('@', ADDRESS), ('$', AMOUNT)] {
            if glance.seen.all & (1 << OCTETS[sign as usize].bit) != 0 {
                glance.present |= class;
            }
        }
        glance
    }

    /// One word more, unless it is none.
    fn take(&mut self, word: u32, sieve: &Sieve) {
        if word != 0 {
            self.present |= sieve.classes_of(word);
            self.apart += usize::from(word <= u32::from(b'z'));
        }
    }

    /// Whether some rule has a word for each of its steps.
    fn has_a_rule(&self) -> bool {
        self.present != 0 && RULES.iter().any(|rule| rule.may_match(self.present))
    }
}

/// Of a word and one letter more. That of a letter alone is the letter.
fn hash(word: u32, letter: u8) -> u32 {
    const FACTOR: u32 = 0x0100_0193;
    word.wrapping_mul(FACTOR) ^ u32::from(letter)
}

/// The hashes of the lexicon's words.
struct Sieve {
    /// A bit for some of each hash: most words fall through here.
    bits: [u64; Sieve::ROWS],
    /// In order.
    words: Vec<(u32, Classes)>,
}

static SIEVE: LazyLock<Sieve> = LazyLock::new(|| {
    let mut sieve = Sieve {
        bits: [0; Sieve::ROWS],
        words: Vec::new(),
    };
    for (class, words) in LEXICON {
        for word in words.iter().filter(|word| word.is_ascii()) {
            let letters = word.bytes().map(|byte| OCTETS[usize::from(byte)].letter);
            let word = letters.fold(0, hash);
            let (row, bit) = Sieve::place(word);
            sieve.bits[row] |= bit;
            sieve.words.push((word, *class));
        }
    }
    sieve.words.sort_unstable();
    sieve
});

impl Sieve {
    const ROWS: usize = 128;

    fn place(word: u32) -> (usize, u64) {
        let mixed = word ^ (word >> 15);
        (mixed as usize / 64 % Sieve::ROWS, 1 << (mixed % 64))
    }

    /// At least the classes of the words with this hash.
    fn classes_of(&self, word: u32) -> Classes {
        let (row, bit) = Sieve::place(word);
        if self.bits[row] & bit == 0 {
            return 0;
        }
        let from = self.words.partition_point(|(known, _)| *known < word);
        let same = self.words[from..]
            .iter()
            .take_while(|(known, _)| *known == word);
        same.fold(0, |all, (_, classes)| all | classes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::{addresses_a_model, speaks};
    use super::*;

    const TEXTS: &str = include_str!("../../../../tests/corpus/texts.jsonl");

    fn corpus() -> Vec<String> {
        let texts = TEXTS.lines().map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line["text"].as_str().unwrap().to_owned()
        });
        texts.collect()
    }

    /// Words of the lexicon, masked or not, marks, parts of either, and what
    /// may stand between.
    fn pieces() -> impl Strategy<Value = Vec<String>> {
        let words: Vec<&str> = LEXICON
            .iter()
            .flat_map(|(_, words)| *words)
            .copied()
            .collect();
        let masked = |word: &str| {
            let masks = [
                ('a', '4'),
                ('e', '3'),
                ('o', '0'),
                ('i', '1'),
                ('s', '5'),
                ('t', '7'),
            ];
            word.chars()
                .map(|c| {
                    masks
                        .iter()
                        .find(|(plain, _)| *plain == c)
                        .map_or(c, |(_, mask)| *mask)
                })
                .collect::<String>()
        };
        let apart = |word: &str| word.chars().map(|c| format!("{c} ")).collect::<String>();
        let piece = prop_oneof![
            6 => select(words.clone()).prop_map(str::to_owned),
            1 => select(words.clone()).prop_map(str::to_uppercase),
            1 => select(words.clone()).prop_map(masked),
            1 => select(words).prop_map(apart),
            2 => select(marks::all()).prop_map(str::to_owned),
            1 => select(marks::all()).prop_map(str::to_uppercase),
            1 => select(vec!["a@b.net", "$5", "_", "u", "x_y", "lab-good.com", "0123456789abcdef"])
                .prop_map(str::to_owned),
            1 => "[ -~]{1,4}",
            1 => any::<char>().prop_map(String::from),
        ];
        let gap = prop_oneof![
            6 => Just(String::from(" ")),
            1 => select(vec!["", "_", "-", ".", "\n", "\u{200B}"]).prop_map(str::to_owned),
        ];
        prop::collection::vec((piece, gap).prop_map(|(piece, gap)| piece + &gap), 0..9)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) })]

        #[test]
        fn what_is_silent_at_a_glance_is_silent_at_a_closer_look(pieces in pieces()) {
            let text = pieces.concat();
            prop_assert_eq!(addresses_a_model(&text), speaks(&text), "{:?}", text);
        }

        #[test]
        fn so_is_a_part_of_what_is_known_to_speak(
            text in select(corpus()),
            from in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
            other in any::<char>(),
        ) {
            let chars: Vec<char> = text.chars().chain([other]).collect();
            let (from, to) = (from.index(chars.len()), to.index(chars.len()));
            let part: String = chars[from.min(to)..=from.max(to)].iter().collect();
            prop_assert_eq!(addresses_a_model(&part), speaks(&part), "{:?}", part);
            let mut changed = chars;
            changed[from] = other;
            let changed: String = changed.into_iter().collect();
            prop_assert_eq!(addresses_a_model(&changed), speaks(&changed), "{:?}", changed);
        }
    }

    #[test]
    fn a_glance_sees_every_text_of_the_corpus_that_speaks() {
        for text in corpus() {
            assert_eq!(addresses_a_model(&text), speaks(&text), "{text:?}");
            let shouted = text.to_ascii_uppercase();
            assert_eq!(addresses_a_model(&shouted), speaks(&shouted), "{shouted:?}");
        }
    }

    #[test]
    fn a_glance_sees_every_word_of_the_lexicon() {
        for (class, words) in LEXICON {
            for word in words.iter().filter(|word| word.is_ascii()) {
                for word in [(*word).to_owned(), word.to_uppercase(), format!("({word})")] {
                    let present = Glance::at(word.as_bytes()).present;
                    assert_eq!(present & class, *class, "{word}");
                }
            }
        }
    }

    #[test]
    fn a_glance_sees_what_a_sign_makes_of_a_word() {
        for text in [
            "before using foo_bar never invoking it",
            "before using foo bar never invoking it",
        ] {
            assert_eq!(addresses_a_model(text), text.contains('_'), "{text}");
            assert_eq!(speaks(text), text.contains('_'), "{text}");
        }
    }

    #[test]
    fn a_glance_is_enough_for_what_most_texts_of_a_report_are() {
        for text in [
            "lab-good.com",
            "ns1.lab-hoster.net.",
            "2027-06-15T02:20:18Z",
            "max-age=63072000; includeSubDomains; preload",
            "STQ8G5u0NpVLCRJNWCNUFzmpIXxVDCdF45Qfwgqg6xQ=",
            "a second text record, so that nobody takes the first one for SPF",
            "v=DMARC1; p=reject; sp=reject; adkim=s; rua=mailto:dmarc@lab-good.com",
        ] {
            assert!(is_silent(text), "{text}");
        }
    }
}
