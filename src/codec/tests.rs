//! What holds for every format.

use proptest::prelude::*;

use super::*;
use crate::guard::Policy;

mod corpus;
mod document;
mod hostile;
mod hostile_texts;
mod secrets;

const NOW_MS: u64 = 1_800_000_000_000;

fn guard() -> Guard {
    Guard::new(Policy::default())
}

fn decoded(text: &str, kind: Option<Kind>) -> Result<Decoded, Error> {
    let guard = guard();
    decode(
        text,
        kind,
        &Context {
            guard: &guard,
            now_ms: NOW_MS,
        },
    )
}

/// Every promise of an answer that does not depend on the format.
fn assert_sound(text: &str, answer: &Decoded) {
    let chars = text.chars().count() as u32;
    let format = answer.kind.format();
    for problem in &answer.problems {
        let span = problem.span;
        assert!(
            span.start <= span.end && span.end <= chars,
            "{problem:?} in {chars} characters"
        );
        let documented = answer.kind.rules().any(|rule| rule.code == problem.code);
        assert!(documented, "{} is not documented", problem.code);
    }
    for name in answer.fields.keys() {
        let documented = format.fields.iter().any(|(field, _)| field == name);
        assert!(
            documented,
            "field {name} of {} is not documented",
            answer.kind.as_str()
        );
    }
    assert!(
        answer
            .problems
            .is_sorted_by_key(|problem| problem.span.start)
    );
    let json = serde_json::to_string(answer).unwrap();
    assert!(json.len() <= OUTPUT_LIMIT, "{} bytes", json.len());
}

/// No object of a value names a member twice: two structs that are merged into
/// one may share a name, and the first would be lost without a word. Every
/// reading of every test passes here.
pub(super) fn assert_named_once(value: &impl serde::Serialize) {
    let text = serde_json::to_string(value).unwrap();
    let repeated = json::scan::scan(&text).repeated;
    assert!(repeated.is_empty(), "{:?}", &text[repeated[0].clone()]);
}

#[test]
#[should_panic(expected = "kind")]
fn a_name_in_both_of_two_merged_structs_is_seen() {
    #[derive(serde::Serialize)]
    struct Outer {
        kind: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    #[derive(serde::Serialize)]
    struct Inner {
        kind: u8,
    }
    assert_named_once(&Outer {
        kind: 1,
        inner: Inner { kind: 2 },
    });
}

#[test]
fn every_example_is_recognised_and_sound() {
    for kind in Kind::ALL {
        let format = kind.format();
        let answer =
            decoded(format.example, None).unwrap_or_else(|e| panic!("{}: {e}", kind.as_str()));
        assert_eq!(answer.kind, *kind);
        assert_sound(format.example, &answer);
        let named = decoded(format.example, Some(*kind)).unwrap();
        assert_eq!(named.confidence, Confidence::High);
    }
}

#[test]
fn every_format_is_documented_consistently() {
    for kind in Kind::ALL {
        let format = kind.format();
        assert_eq!(format.kind, *kind);
        assert_eq!(Kind::parse(kind.as_str()), Some(*kind));
        for rule in format.rules {
            assert!(
                rule.code.starts_with(&format!("{}.", kind.as_str())),
                "{}",
                rule.code
            );
            assert!(
                rule.about.ends_with('.') && !rule.reference.is_empty(),
                "{}",
                rule.code
            );
        }
        let codes: std::collections::BTreeSet<_> =
            format.rules.iter().map(|rule| rule.code).collect();
        assert_eq!(
            codes.len(),
            format.rules.len(),
            "a code of {} is used twice",
            kind.as_str()
        );
    }
}

#[test]
fn text_that_is_nothing_is_a_typed_error() {
    let error = decoded("  \n ", None).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("text"));
    let error = decoded("no known form of anything, is it?", None).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("text"));
    let error = decoded("hello", Some(Kind::Spf)).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("kind"));
    let error = decoded(&"a".repeat(TEXT_LIMIT + 1), None).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("text"));
}

#[test]
fn a_byte_order_mark_hides_nothing_and_moves_every_place() {
    for kind in Kind::ALL {
        let text = format!("\u{feff}{}", kind.format().example);
        for named in [None, Some(*kind)] {
            let answer = decoded(&text, named).unwrap_or_else(|e| panic!("{}: {e}", kind.as_str()));
            assert_eq!(answer.kind, *kind);
            assert_sound(&text, &answer);
        }
    }
    let marked = decoded("\u{feff}v=spf1 ?all", None).unwrap();
    let span = marked.problems[0].span;
    assert_eq!((span.start, span.end), (8, 12));
    assert!(
        marked
            .notes
            .iter()
            .any(|note| note.contains("byte order mark"))
    );
    assert!(
        decoded("\u{feff}", None)
            .unwrap_err()
            .message
            .contains("empty")
    );
}

#[test]
fn a_long_text_is_told_by_its_beginning_and_a_key_wherever_it_stands() {
    let long = |head: &str| format!("\n{head}{}", " a".repeat(20 * 1024));
    assert_eq!(decoded(&long("v=spf1"), None).unwrap().kind, Kind::Spf);
    let late = format!("{} v=spf1 -all", "?".repeat(HEAD));
    assert!(decoded(&late, None).is_err());
    let key = Kind::PrivateKey.format().example;
    let late = format!("{}\n{key}", "?\n".repeat(HEAD));
    assert_eq!(decoded(&late, None).unwrap().kind, Kind::PrivateKey);
}

/// Text near the formats: their examples, cut, repeated and mixed with noise.
fn near_formats() -> impl Strategy<Value = String> {
    let examples: Vec<&'static str> = Kind::ALL.iter().map(|kind| kind.format().example).collect();
    let piece = prop_oneof![
        prop::sample::select(examples.clone()).prop_map(str::to_owned),
        (prop::sample::select(examples), 0usize..200, 0usize..200)
            .prop_map(|(text, skip, take)| { text.chars().skip(skip).take(take).collect() }),
        "\\PC{0,20}",
        "[ -~]{0,40}",
        "[\\n\\r\\t\"';:,.=%{}()/\\\\<>\\[\\]-]{0,10}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn no_text_breaks_any_reader(text in near_formats()) {
        for kind in Kind::ALL.iter().copied().map(Some).chain([None]) {
            if let Ok(answer) = decoded(&text, kind) {
                assert_sound(&text, &answer);
            }
        }
    }

    #[test]
    fn arbitrary_text_is_answered(text in ".*") {
        for kind in Kind::ALL.iter().copied().map(Some).chain([None]) {
            if let Ok(answer) = decoded(&text, kind) {
                assert_sound(&text, &answer);
            }
        }
    }
}
