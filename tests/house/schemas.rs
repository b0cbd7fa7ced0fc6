//! `src/tool/schema/`: the schemas of the tools, made from the types that
//! arguments are read into and results are written from. `scripts/schemas`
//! writes them; the test here fails when a type has moved on without.

use std::fs;
use std::path::Path;

use netrecon::tool;

/// Set to write the files instead of comparing them.
const UPDATE: &str = "NETRECON_WRITE_SCHEMAS";

#[test]
fn the_schemas_in_the_script_are_those_of_the_types() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tool/schema");
    for (name, made) in tool::schema_files() {
        let file = folder.join(format!("{name}.json"));
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&file, &made).unwrap();
        }
        let kept = fs::read_to_string(&file).unwrap();
        assert!(
            kept == made,
            "the types of {name} have another schema than {}: run scripts/schemas",
            file.display()
        );
    }
}
