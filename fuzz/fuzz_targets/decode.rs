//! Every kind: the first line names one (anything else means `auto`), the
//! rest is the text. Whatever is answered has its spans inside the text, its
//! codes and members in the documentation, its size within bounds, and is the
//! same when asked again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use netrecon::codec::{Context, Kind, OUTPUT_LIMIT, decode};
use netrecon::guard::Guard;

fuzz_target!(|raw: &str| {
    let Some((kind, text)) = raw.split_once('\n') else {
        return;
    };
    let guard = Guard::default();
    let context = Context {
        guard: &guard,
        now_ms: 1_800_000_000_000,
    };
    let Ok(answer) = decode(text, Kind::parse(kind), &context) else {
        return;
    };
    let chars = u32::try_from(text.chars().count()).expect("is short");
    for problem in &answer.problems {
        assert!(problem.span.start <= problem.span.end && problem.span.end <= chars);
        assert!(answer.kind.rules().any(|rule| rule.code == problem.code));
    }
    let format = answer.kind.format();
    for name in answer.fields.keys() {
        assert!(format.fields.iter().any(|(field, _)| field == name));
    }
    let json = serde_json::to_string(&answer).expect("serializes");
    assert!(json.len() <= OUTPUT_LIMIT);
    assert_eq!(decode(text, Kind::parse(kind), &context).as_ref(), Ok(&answer));
});
