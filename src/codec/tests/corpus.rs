//! The corpus of `tests/corpus/decode`: per kind, good texts, each problem,
//! and edges. What is said about every line is written beside it, every
//! problem that exists is raised by some line, and whatever happens to a line
//! on its way here, answers stay sound and secrets stay unsaid.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Deserialize;

use super::*;

/// A line of the corpus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) name: String,
    pub(super) text: String,
    /// The codes in order; of a long list each once.
    #[serde(default)]
    problems: Vec<String>,
    /// The text is not of this kind.
    #[serde(default)]
    refused: bool,
    /// What `auto` takes it for where that is something else.
    #[serde(default, deserialize_with = "Option::deserialize")]
    auto: Option<Kind>,
    /// Whether `auto` recognises it at all.
    #[serde(default)]
    unrecognised: bool,
}

pub(super) fn lines(kind: Kind) -> Vec<Line> {
    let name = kind.as_str();
    let file = format!(
        "{}/tests/corpus/decode/{name}.jsonl",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&file).expect("every kind has a corpus");
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{file}: {e}: {line}"));
    text.lines().map(parse).collect()
}

fn all() -> Vec<(Kind, Line)> {
    let of = |&kind: &Kind| lines(kind).into_iter().map(move |line| (kind, line));
    Kind::ALL.iter().flat_map(of).collect()
}

#[test]
fn every_line_is_answered_as_is_written_beside_it() {
    for (kind, line) in all() {
        let at = format!("{} of {}", line.name, kind.as_str());
        let answer = match decoded(&line.text, Some(kind)) {
            Ok(answer) => answer,
            Err(error) => {
                assert!(line.refused, "{at}: {}", error.message);
                continue;
            }
        };
        assert!(!line.refused, "{at} was not refused");
        assert_sound(&line.text, &answer);
        let mut codes: Vec<&str> = answer.problems.iter().map(|p| p.code).collect();
        if codes.len() > 12 {
            codes.sort_unstable();
            codes.dedup();
        }
        assert_eq!(codes, line.problems, "{at}");
    }
}

#[test]
fn auto_recognises_every_line_or_the_corpus_says_what_it_takes_it_for() {
    for (kind, line) in all().into_iter().filter(|(_, line)| !line.refused) {
        let guess = decoded(&line.text, None).ok().map(|answer| answer.kind);
        let expected = match line.unrecognised {
            true => None,
            false => Some(line.auto.unwrap_or(kind)),
        };
        assert_eq!(guess, expected, "{} of {}", line.name, kind.as_str());
    }
}

#[test]
fn every_problem_that_exists_is_raised_by_a_line() {
    let raised: Vec<String> = all()
        .into_iter()
        .flat_map(|(_, line)| line.problems)
        .collect();
    for kind in Kind::ALL {
        for rule in kind.format().rules {
            let is_raised = raised.iter().any(|code| code == rule.code);
            assert!(is_raised, "no line of the corpus raises {}", rule.code);
        }
    }
}

/// What can happen to a text: cut, doubled, mixed, noise anywhere.
#[derive(Clone, Debug)]
enum Mishap {
    Cut(Index, Index),
    Doubled(Index, Index),
    Noise(Index, String),
    Swapped(Index, char),
}

fn mishap() -> impl Strategy<Value = Mishap> {
    prop_oneof![
        any::<(Index, Index)>().prop_map(|(a, b)| Mishap::Cut(a, b)),
        any::<(Index, Index)>().prop_map(|(a, b)| Mishap::Doubled(a, b)),
        (any::<Index>(), "\\PC{1,8}").prop_map(|(at, noise)| Mishap::Noise(at, noise)),
        (
            any::<Index>(),
            select(vec![
                ' ', '\n', ';', '=', '"', 'ž', '\u{200b}', '\0', '😀', '-'
            ])
        )
            .prop_map(|(at, c)| Mishap::Swapped(at, c)),
    ]
}

impl Mishap {
    fn befall(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let span = |a: &Index, b: &Index| {
            let (a, b) = (a.index(chars.len() + 1), b.index(chars.len() + 1));
            a.min(b)..a.max(b)
        };
        let joined = |front: &[char], middle: &[char], back: &[char]| -> String {
            front.iter().chain(middle).chain(back).collect()
        };
        match self {
            Mishap::Cut(a, b) => joined(&chars[..span(a, b).start], &[], &chars[span(a, b).end..]),
            Mishap::Doubled(a, b) => {
                let (end, part) = (span(a, b).end, &chars[span(a, b)]);
                joined(&chars[..end], part, &chars[end..])
            }
            Mishap::Noise(at, noise) => {
                let at = at.index(chars.len() + 1);
                let noise: Vec<char> = noise.chars().collect();
                joined(&chars[..at], &noise, &chars[at..])
            }
            Mishap::Swapped(at, c) => {
                let at = at.index(chars.len());
                joined(&chars[..at], &[*c], &chars[at + 1..])
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn no_mishap_unsettles_a_reader_or_its_spans(
        (kind, line) in select(all()),
        mishaps in prop::collection::vec(mishap(), 1..4),
        other in select(Kind::ALL.to_vec()),
    ) {
        let text = mishaps.iter().fold(line.text, |text, mishap| match text.is_empty() {
            true => text,
            false => mishap.befall(&text),
        });
        for kind in [Some(kind), Some(other), None] {
            if let Ok(answer) = decoded(&text, kind) {
                assert_sound(&text, &answer);
            }
        }
    }
}
