//! `docs/checks/`: a page per check and an index, written from the constants
//! that the findings themselves are made of. `scripts/check-pages` writes
//! them; the test here fails when one is missing, stale or left over.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use netrecon::check::{ALL, Check, place_of};
use netrecon::report::State;

/// Set to write the pages instead of comparing them.
const UPDATE: &str = "NETRECON_WRITE_CHECK_PAGES";

/// The states as reports name them, with what each says about the target.
const STATES: [(State, &str, &str); 6] = [
    (State::Pass, "pass", "It is as it should be."),
    (State::Warn, "warn", "It works and could be better."),
    (State::Fail, "fail", "It is wrong and should be mended."),
    (State::Info, "info", "A fact, neither good nor bad."),
    (
        State::Inconclusive,
        "inconclusive",
        "It could not be measured this time; the title says why. Nothing is held against the target.",
    ),
    (
        State::NotApplicable,
        "not_applicable",
        "The question does not arise here, or was not asked; the title says why.",
    ),
];

/// What the marks of a command stand for.
const MARKS: [(&str, &str); 12] = [
    ("{host}", "the host that was asked about"),
    ("{zone}", "the zone that holds it"),
    ("{url}", "the URL that was asked about"),
    ("{server}", "a name server of the zone"),
    ("{ip}", "the host's first address"),
    (
        "{origin}",
        "the host's first address in reverse under `origin.asn.cymru.com`",
    ),
    (
        "{page}",
        "the URL under which a page was found, with `-k` where browsers refuse the certificate",
    ),
    ("{secure}", "the URL over HTTPS, likewise"),
    ("{site}", "where the web server answered, likewise"),
    ("{path}", "the URL of the path, likewise"),
    ("{mx}", "a mail server of the domain"),
    (
        "{holder}",
        "the name whose records decide, or the last that was asked",
    ),
];

#[test]
fn every_check_has_its_page_as_the_code_has_it() {
    let folder = root().join("docs/checks");
    let pages = pages();
    if std::env::var_os(UPDATE).is_some() {
        write(&folder, &pages);
    }
    let mut there = names(&folder);
    for (name, text) in &pages {
        let found = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            found == *text,
            "docs/checks/{name} is missing or stale: run scripts/check-pages"
        );
        there.retain(|left| left != name);
    }
    assert!(there.is_empty(), "pages of no check: {there:?}");
}

#[test]
fn every_reference_to_an_rfc_becomes_a_link_to_its_section() {
    assert_eq!(
        linked("RFC 7208 section 4.6.4"),
        "[RFC 7208 section 4.6.4](https://www.rfc-editor.org/rfc/rfc7208#section-4.6.4)"
    );
    assert_eq!(
        linked("RFC 8446; RFC 7672 section 3"),
        "[RFC 8446](https://www.rfc-editor.org/rfc/rfc8446); \
         [RFC 7672 section 3](https://www.rfc-editor.org/rfc/rfc7672#section-3)"
    );
    for check in ALL.iter().copied().flatten() {
        let known = linked(check.reference);
        assert!(
            !check.reference.contains("RFC ") || known.contains("](https://"),
            "{}: {}",
            check.id,
            check.reference
        );
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn write(folder: &Path, pages: &BTreeMap<String, String>) {
    for name in names(folder) {
        if !pages.contains_key(&name) {
            fs::remove_file(folder.join(name)).expect("a page that can be removed");
        }
    }
    for (name, text) in pages {
        fs::write(folder.join(name), text).expect("a page that can be written");
    }
}

fn names(folder: &Path) -> Vec<String> {
    fs::create_dir_all(folder).expect("docs/checks");
    let entries = fs::read_dir(folder).expect("docs/checks");
    entries
        .map(|entry| {
            let name = entry.expect("a readable entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect()
}

/// Every page by its file name.
fn pages() -> BTreeMap<String, String> {
    let sources = sources();
    let mut pages: BTreeMap<String, String> = ALL
        .iter()
        .copied()
        .flatten()
        .map(|check| (format!("{}.md", check.id), page(check, &sources)))
        .collect();
    pages.insert(String::from("README.md"), index());
    pages
}

fn page(check: &Check, sources: &BTreeMap<String, String>) -> String {
    let mut page = format!("# {}\n\n{}\n\n", check.id, check.about);
    page.push_str("| | |\n|---|---|\n");
    let mut row = |name: &str, value: &str| {
        writeln!(page, "| {name} | {value} |").expect("a string");
    };
    row("Standard", &linked(check.reference));
    if !check.maps_to.is_empty() {
        let elsewhere: Vec<String> = check.maps_to.iter().map(|id| elsewhere(id)).collect();
        row("The same elsewhere", &elsewhere.join(", "));
    }
    let source = source_of(check, sources);
    row("Judged in", &format!("[`{source}`](../../{source})"));

    page.push_str("\n## How it ends\n| state | when |\n|---|---|\n");
    for (state, text) in check.when {
        writeln!(page, "| `{}` | {text} |", named(*state)).expect("a string");
    }
    for (state, name, meaning) in STATES {
        let said = check.when.iter().any(|(known, _)| *known == state);
        let always = matches!(state, State::Inconclusive | State::NotApplicable);
        if !said && (check.when.is_empty() || always) {
            writeln!(page, "| `{name}` | {meaning} |").expect("a string");
        }
    }

    let mut lines = vec![check.reproduce];
    lines.extend(check.also);
    let lines = lines.join("\n");
    write!(page, "\n## See for yourself\n```sh\n{lines}\n```\n").expect("a string");
    for (mark, meaning) in MARKS {
        if lines.contains(mark) {
            writeln!(page, "`{mark}` is {meaning}.").expect("a string");
        }
    }
    page.push_str("In a report the command is filled in.\n\n[All checks](README.md)\n");
    page
}

fn index() -> String {
    let count: usize = ALL.iter().map(|topic| topic.len()).sum();
    let mut index = format!(
        "# Checks\n\n{count} checks. Every `analyze` answers them, each in one of six states, \
         with how sure it is, what it rests on,\nwhat to mend, the standard and a command that shows \
         the same. Written by `scripts/check-pages` from the code.\n\n| state | what it says |\n|---|---|\n"
    );
    for (_, name, meaning) in STATES {
        writeln!(index, "| `{name}` | {meaning} |").expect("a string");
    }
    let mut topic = "";
    for check in ALL.iter().copied().flatten() {
        let (own, _) = check.id.split_once('.').expect("a dotted id");
        if own != topic {
            topic = own;
            write!(index, "\n## {topic}\n| check | what it asks |\n|---|---|\n").expect("a string");
        }
        let first = check
            .about
            .split_inclusive(". ")
            .next()
            .unwrap_or(check.about);
        writeln!(
            index,
            "| [{id}]({id}.md) | {} |",
            first.trim(),
            id = check.id
        )
        .expect("a string");
    }
    index
}

fn named(state: State) -> &'static str {
    STATES
        .iter()
        .find(|(known, _, _)| *known == state)
        .map_or("", |(_, name, _)| name)
}

/// A reference with its standards as links.
fn linked(reference: &str) -> String {
    let parts: Vec<String> = reference.split("; ").map(link).collect();
    parts.join("; ")
}

fn link(standard: &str) -> String {
    match place_of(standard) {
        Some(url) => format!("[{standard}]({url})"),
        None => standard.to_owned(),
    }
}

fn elsewhere(id: &str) -> String {
    match id.strip_prefix("cwe:") {
        Some(number) => format!("[{id}](https://cwe.mitre.org/data/definitions/{number}.html)"),
        None => format!("`{id}`"),
    }
}

/// The file that declares a check: the one that has its id, or that of its
/// topic where ids are composed.
fn source_of(check: &Check, sources: &BTreeMap<String, String>) -> String {
    let quoted = format!("id: \"{}\"", check.id);
    let topic = check.id.split('.').next().unwrap_or_default();
    sources
        .iter()
        .find(|(_, text)| text.contains(&quoted))
        .map(|(file, _)| file.clone())
        .unwrap_or_else(|| format!("src/check/{topic}.rs"))
}

/// The checks' sources by their path in the repository.
fn sources() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join("src/check")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the checks are there") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(root()).expect("below the root");
            let name = inside.to_string_lossy().replace('\\', "/");
            if name.ends_with(".rs") {
                found.insert(name, fs::read_to_string(&path).expect("a readable file"));
            }
        }
    }
    found
}
