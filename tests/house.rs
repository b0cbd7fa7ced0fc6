//! The house keeps its order: only `edge` knows the platform, and arrows
//! between rooms point down.

#[path = "house/check_pages.rs"]
mod check_pages;
#[path = "house/schemas.rs"]
mod schemas;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms from top to bottom. A room may use those after it.
const ROOMS: [&str; 13] = [
    "edge", "surface", "gate", "tool", "check", "probe", "report", "codec", "pulse", "config",
    "port", "guard", "error",
];

/// Crates that are the platform, or stand for it.
const PLATFORM: [&str; 6] = [
    "worker",
    "worker_sys",
    "js_sys",
    "web_sys",
    "wasm_bindgen",
    "wasm_bindgen_futures",
];

/// What a test may build on, which production code may not reach past a port for.
const OUTSIDE: [&str; 5] = [
    "std::time::SystemTime",
    "std::time::Instant",
    "std::net::TcpStream",
    "std::net::UdpSocket",
    "std::fs::",
];

#[test]
fn only_edge_imports_the_platform() {
    for (room, file, text) in sources() {
        for name in PLATFORM {
            let used = words(&text).any(|word| word == format!("{name}::"));
            assert!(!used || room == "edge", "{} uses {name}", file.display());
        }
    }
}

#[test]
fn time_files_and_sockets_come_in_through_ports() {
    for (_, file, text) in sources() {
        for name in OUTSIDE {
            assert!(!text.contains(name), "{} uses {name}", file.display());
        }
    }
}

#[test]
fn arrows_between_rooms_point_down() {
    let mut seen = BTreeSet::new();
    for (room, file, text) in sources() {
        let from =
            floor(&room).unwrap_or_else(|| panic!("{} stands in no known room", file.display()));
        for other in ROOMS {
            if text.contains(&format!("crate::{other}")) && other != room {
                seen.insert((room.clone(), other));
                let to = floor(other).expect("a known room");
                assert!(
                    from < to,
                    "{} looks up from {room} to {other}",
                    file.display()
                );
            }
        }
    }
    assert!(
        seen.contains(&(String::from("surface"), "gate")),
        "the walk over the sources saw nothing"
    );
}

#[test]
fn every_migration_is_embedded_in_the_order_of_its_number() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for class in ["client", "report", "tally"] {
        let mut names: Vec<String> = fs::read_dir(root.join("migrations").join(class))
            .expect("a folder per class")
            .map(|entry| entry.expect("a readable entry").file_name())
            .map(|name| name.into_string().expect("a plain name"))
            .collect();
        names.sort();
        let texts: String = sources()
            .into_iter()
            .filter(|(room, ..)| room == "edge")
            .map(|(.., text)| text)
            .collect();
        let mut last = 0;
        for (at, name) in names.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", at + 1)), "{name}");
            let embedded = texts.find(&format!("migrations/{class}/{name}\""));
            let here = embedded.unwrap_or_else(|| panic!("{class}/{name} is not embedded"));
            assert!(here > last, "{class}/{name} comes too early");
            last = here;
            seen += 1;
        }
    }
    assert!(seen >= 5, "only {seen} migrations were found");
}

fn floor(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

/// Path-like words of a text: `worker::` out of `use worker::Env;`.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.match_indices("::").map(|(at, _)| {
        let head = &text[..at];
        let start = head
            .rfind(|c: char| !c.is_alphanumeric() && c != '_')
            .map_or(0, |before| before + 1);
        format!("{}::", &head[start..])
    })
}

/// Every source file with its room and its production text: comments and
/// unit tests are not the house.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the sources are there") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") && !is_test(&path) {
                let inside = path.strip_prefix(&root).expect("below src");
                let room = inside
                    .components()
                    .next()
                    .expect("a name")
                    .as_os_str()
                    .to_string_lossy();
                let room = room.trim_end_matches(".rs").to_owned();
                if room != "lib" {
                    let text = production(&fs::read_to_string(&path).expect("a readable file"));
                    found.push((room, path, text));
                }
            }
        }
    }
    assert!(found.len() > 30, "only {} sources were found", found.len());
    found
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name();
    let folder = path.parent().and_then(Path::file_name);
    folder.is_some_and(|folder| folder == "tests")
        || name.is_some_and(|name| name == "tests.rs" || name == "testing.rs")
}

fn production(text: &str) -> String {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end]
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}
