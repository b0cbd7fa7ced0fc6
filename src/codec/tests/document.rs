//! `docs/decode.md` is what the formats say about themselves.

use std::fmt::Write;

use super::*;

const DOCUMENT: &str = "docs/decode.md";

/// Stands above the generated part.
const MARK: &str = "<!-- From here on: written by the code, see src/codec/tests/document.rs -->\n";

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "none",
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
    }
}

fn section(kind: Kind) -> String {
    let format = kind.format();
    let cell = |text: &str| text.replace('|', "\\|");
    let mut text = format!(
        "\n## {}\n\n{}. Read by {}.\n\n| Field | Meaning |\n|---|---|\n",
        kind.as_str(),
        first_upper(format.title),
        format.reference
    );
    for (name, meaning) in format.fields {
        writeln!(text, "| `{name}` | {} |", cell(meaning)).expect("is memory");
    }
    text += "\n| Problem | Severity | What it means | By |\n|---|---|---|---|\n";
    for rule in format.rules {
        let (about, by) = (cell(rule.about), cell(rule.reference));
        let severity = word(rule.severity);
        writeln!(text, "| `{}` | {severity} | {about} | {by} |", rule.code).expect("is memory");
    }
    text
}

fn first_upper(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `scripts/decode-pages` has it written instead.
#[test]
fn the_document_says_what_the_formats_say() {
    let path = format!("{}/{DOCUMENT}", env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(&path).expect("is there");
    let (prose, written) = document.split_once(MARK).expect("has the mark");
    let expected: String = Kind::ALL.iter().map(|kind| section(*kind)).collect();
    if std::env::var_os("NETRECON_WRITE_DECODE_PAGES").is_some() {
        std::fs::write(&path, format!("{prose}{MARK}{expected}")).expect("can be written");
    } else {
        assert!(
            written == expected,
            "run scripts/decode-pages and look at {DOCUMENT}"
        );
    }
}
