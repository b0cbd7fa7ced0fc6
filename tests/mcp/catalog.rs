//! The tool definitions, held against what directories and real clients ask
//! of them, and their bytes, which change only on purpose.

use netrecon::tool::{Registry, Tool};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{ask, legacy, modern};

/// SHA-256 of the answers to `tools/list` (modern, then legacy). Whoever
/// changes a tool's definition changes what every client has approved: look at
/// the difference, then write the new hash here.
const PINNED: &str = "114e08d727c19bbd91c6b9a566f96c05cfb859045426b78b2c0760ed817d1416";

#[test]
fn the_bytes_of_the_tool_list_are_pinned() {
    let list = |request| ask(&request).body;
    let hash = Sha256::new()
        .chain_update(list(modern("tools/list", json!({}))))
        .chain_update(list(legacy("2025-11-25", "tools/list", json!({}))))
        .finalize();
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hash, PINNED,
        "tools/list changed; if that was the purpose, pin the new hash"
    );
}

#[track_caller]
fn each(check: impl Fn(&Tool, &Value)) {
    let listed = ask(&modern("tools/list", json!({}))).json()["result"]["tools"].clone();
    let registry = Registry::new();
    assert_eq!(listed.as_array().unwrap().len(), registry.tools().len());
    for (tool, listed) in registry.tools().iter().zip(listed.as_array().unwrap()) {
        check(tool, listed);
    }
}

#[test]
fn names_are_what_the_strictest_client_takes() {
    each(|tool, listed| {
        assert_eq!(listed["name"], tool.name);
        assert!((1..=40).contains(&tool.name.len()));
        assert!(
            tool.name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')),
            "{}",
            tool.name
        );
    });
}

#[test]
fn every_tool_has_a_title_and_all_four_hints() {
    each(|tool, listed| {
        assert!(
            listed["title"]
                .as_str()
                .is_some_and(|title| (3..=60).contains(&title.len()))
        );
        let hints = &listed["annotations"];
        assert_eq!(hints["title"], listed["title"]);
        assert_eq!(hints["readOnlyHint"], true);
        assert_eq!(hints["destructiveHint"], false);
        assert_eq!(hints["idempotentHint"], true);
        assert_eq!(
            hints["openWorldHint"],
            matches!(tool.name, "analyze" | "lookup")
        );
    });
}

#[test]
fn a_description_is_short_and_names_a_sibling() {
    let names: Vec<&str> = Registry::new()
        .tools()
        .iter()
        .map(|tool| tool.name)
        .collect();
    each(|tool, _| {
        let text = tool.description;
        assert!(
            (60..=400).contains(&text.len()),
            "{}: {} characters",
            tool.name,
            text.len()
        );
        let sentences = text.matches(". ").count() + usize::from(text.ends_with('.'));
        assert!(
            text.ends_with('.') && (1..=4).contains(&sentences),
            "{}: {sentences} sentences",
            tool.name
        );
        let siblings = ["analyze", "lookup", "decode", "diff", "narrate"];
        assert!(
            words(text).any(|word| word != tool.name && siblings.contains(&word)),
            "{}: says when another tool is the right one (of {names:?})",
            tool.name
        );
    });
}

#[test]
fn no_definition_speaks_of_privilege_or_to_the_model() {
    const NEVER: [&str; 22] = [
        "admin",
        "administrator",
        "root",
        "sudo",
        "internal",
        "bypass",
        "force",
        "override",
        "unrestricted",
        "privileged",
        "secret",
        "hidden",
        "debug",
        "always",
        "must",
        "never",
        "ignore",
        "important",
        "system",
        "previous",
        "instead",
        "password",
    ];
    // What a tool does not do may be said with these.
    each(|tool, listed| {
        let mut texts = vec![tool.title.to_owned(), tool.description.to_owned()];
        properties(&listed["inputSchema"], &mut |_, schema| {
            texts.extend(schema["description"].as_str().map(str::to_owned));
        });
        for text in texts {
            let lower = text.to_lowercase();
            let found = words(&lower).find(|word| NEVER.contains(word));
            assert_eq!(found, None, "{}: {text:?}", tool.name);
        }
    });
}

#[test]
fn every_argument_is_described_with_an_example_that_its_schema_takes() {
    each(|tool, listed| {
        properties(&listed["inputSchema"], &mut |name, schema| {
            let at = format!("{}.{name}", tool.name);
            assert!(
                schema["description"]
                    .as_str()
                    .is_some_and(|text| text.len() >= 10 && !text.contains('\n')),
                "{at}: no description"
            );
            assert!(
                schema["examples"]
                    .as_array()
                    .is_some_and(|list| !list.is_empty()),
                "{at}: no example"
            );
        });
        let judged = tool
            .input
            .check(Value::Object(examples(&listed["inputSchema"])));
        assert!(judged.is_ok(), "{}: {judged:?}", tool.name);
    });
}

#[test]
fn a_default_is_a_value_that_its_schema_takes() {
    each(|tool, listed| {
        let mut defaults = examples(&listed["inputSchema"]);
        for (name, schema) in listed["inputSchema"]["properties"].as_object().unwrap() {
            if let Some(default) = schema.get("default") {
                assert!(
                    !default.is_null(),
                    "{}.{name}: null is no default",
                    tool.name
                );
                defaults.insert(name.clone(), default.clone());
            }
        }
        let judged = tool.input.check(Value::Object(defaults));
        assert!(judged.is_ok(), "{}: {judged:?}", tool.name);
    });
}

#[test]
fn an_input_schema_is_one_flat_closed_object() {
    each(|tool, listed| {
        let schema = &listed["inputSchema"];
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert_eq!(schema["additionalProperties"], false, "{}", tool.name);
        assert!(schema["required"].is_array(), "{}", tool.name);
        for keyword in [
            "$schema", "$id", "title", "oneOf", "anyOf", "allOf", "not", "if", "enum", "const",
        ] {
            assert!(
                schema.get(keyword).is_none(),
                "{}: {keyword} at the root",
                tool.name
            );
        }
        properties(schema, &mut |name, schema| {
            assert!((1..=64).contains(&name.len()));
            assert!(
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)),
                "{name}"
            );
            assert!(
                schema["type"].is_string() || schema["type"].is_array(),
                "{}.{name}: no type",
                tool.name
            );
            assert!(schema.get("x-mcp-header").is_none());
        });
    });
}

#[test]
fn an_output_schema_is_an_object_that_later_members_do_not_break() {
    each(|tool, listed| {
        let schema = &listed["outputSchema"];
        assert_eq!(schema["type"], "object", "{}", tool.name);
        for keyword in ["oneOf", "anyOf", "allOf", "not", "if"] {
            assert!(
                schema.get(keyword).is_none(),
                "{}: {keyword} at the root",
                tool.name
            );
        }
        nodes(schema, &mut |node| {
            assert_ne!(
                node.get("additionalProperties"),
                Some(&Value::Bool(false)),
                "{}",
                tool.name
            );
        });
    });
}

#[test]
fn no_schema_refers_anywhere() {
    each(|tool, listed| {
        for schema in ["inputSchema", "outputSchema"] {
            nodes(&listed[schema], &mut |node| {
                for keyword in ["$ref", "$defs", "definitions", "$dynamicRef", "$anchor"] {
                    assert!(
                        !node.contains_key(keyword),
                        "{}.{schema}: {keyword}",
                        tool.name
                    );
                }
            });
        }
    });
}

#[test]
fn the_whole_list_is_cheap_to_carry() {
    let bytes = ask(&legacy("2025-11-25", "tools/list", json!({})))
        .body
        .len();
    assert!(
        bytes < 32_000,
        "{bytes} bytes are part of every conversation"
    );
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

/// The first example of every argument.
fn examples(schema: &Value) -> Map<String, Value> {
    let properties = schema["properties"].as_object().unwrap();
    properties
        .iter()
        .map(|(name, schema)| (name.clone(), schema["examples"][0].clone()))
        .collect()
}

/// Visits every named property, at any depth.
fn properties(schema: &Value, visit: &mut impl FnMut(&str, &Value)) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        visit(name, property);
        properties(property, visit);
    }
}

/// Visits every object in a schema.
fn nodes(schema: &Value, visit: &mut impl FnMut(&Map<String, Value>)) {
    match schema {
        Value::Object(members) => {
            visit(members);
            members.values().for_each(|member| nodes(member, visit));
        }
        Value::Array(items) => items.iter().for_each(|item| nodes(item, visit)),
        _ => {}
    }
}
