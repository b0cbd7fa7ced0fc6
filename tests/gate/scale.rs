//! `docs/scale.md` says what the simulation says.

#[path = "../../examples/scale.rs"]
mod simulation;

const PAGE: &str = include_str!("../../docs/scale.md");

/// Tables by their rows.
fn rows(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with('|')).collect()
}

#[test]
fn the_page_has_the_tables_of_the_simulation() {
    let tables = simulation::tables();
    assert_eq!(rows(PAGE), rows(&tables), "{tables}");
}
