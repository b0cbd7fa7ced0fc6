//! Input schemas, and the judge of shape that is made from them.
//!
//! The schema a model reads and the rules a call is held to are the same
//! JSON: [`InputSchema::check`] walks the schema that was generated from the
//! argument type. It knows just the keywords our schemas use and refuses to
//! start with one it does not know, so no cap can be stated and then not
//! enforced.
//!
//! The schemas are files, beside this one: the script needs them and not what
//! makes them. A test holds them to the types (`tests/house/schemas.rs`).

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::error::Error;

/// What a tool's schema file holds.
#[derive(Deserialize)]
struct Stored {
    input: Value,
    output: Value,
}

/// A tool's two schemas, out of the file that was made from their types.
///
/// # Panics
/// When the file is none, or the input schema uses a keyword this file does
/// not enforce. That is a defect of ours, seen by the first test that builds
/// the registry, never by a caller.
pub(super) fn read(file: &str) -> (InputSchema, Value) {
    match serde_json::from_str(file) {
        Ok(Stored { input, output }) => (InputSchema::new(input), output),
        Err(why) => panic!("a schema file cannot be read: {why}"),
    }
}

/// The file of a tool with these arguments and this output.
pub(super) fn file<Args: JsonSchema, Output: JsonSchema>() -> String {
    let (input, output) = (flat::<Args>(), flat::<Output>());
    json!({ "input": input, "output": output }).to_string() + "\n"
}

/// The schema of `T` with every sub-schema inlined: many clients drop tools
/// whose schema has a `$ref`.
fn flat<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value();
    if let Some(root) = schema.as_object_mut() {
        root.remove("title");
        root.remove("description");
    }
    tidy(&mut schema);
    schema
}

/// Drops what generation leaves behind and no client needs: Rust's integer
/// formats, defaults that only mean "left out" (and that their own schema
/// would refuse), and the line breaks of doc comments.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let format = members.get("format").and_then(Value::as_str);
            if format.is_some_and(is_rust_format) {
                members.remove("format");
            }
            if members.get("default").is_some_and(is_nothing) {
                members.remove("default");
            }
            if let Some(Value::String(text)) = members.get_mut("description") {
                *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            for (keyword, member) in members.iter_mut() {
                // Examples are values, not schemas.
                if keyword != "examples" {
                    tidy(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

fn is_nothing(default: &Value) -> bool {
    match default {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn is_rust_format(format: &str) -> bool {
    matches!(
        format,
        "uint8"
            | "uint16"
            | "uint32"
            | "uint64"
            | "uint"
            | "int8"
            | "int16"
            | "int32"
            | "int64"
            | "int"
            | "float"
            | "double"
    )
}

/// Keywords that carry a rule; [`Rule::new`] reads each of them.
const RULES: [&str; 11] = [
    "type",
    "enum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "items",
    "properties",
    "required",
    "additionalProperties",
];

/// Keywords that only explain.
const NOTES: [&str; 5] = ["title", "description", "examples", "default", "$comment"];

/// A tool's input schema.
pub struct InputSchema {
    json: Value,
    root: Rule,
}

impl InputSchema {
    fn new(json: Value) -> InputSchema {
        let root = Rule::new(&json);
        InputSchema { json, root }
    }

    /// The schema as published.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Arguments as a right call would send them: an example of each that is
    /// required, or of the first when none is.
    pub fn example(&self) -> Value {
        let some_required = !self.root.required.is_empty();
        self.root
            .properties
            .iter()
            .filter(|(name, _)| !some_required || self.root.required.contains(name))
            .filter_map(|(name, rule)| Some((name.clone(), rule.example.clone()?)))
            .take(if some_required { usize::MAX } else { 1 })
            .collect::<Map<_, _>>()
            .into()
    }

    /// Whether `word` is in the fixed list of an argument, or of its items.
    pub fn lists(&self, argument: &str, word: &str) -> bool {
        self.root.property(argument).is_some_and(|rule| {
            let mut words = rule.item.as_deref().unwrap_or(rule).words.iter();
            words.any(|known| known == word)
        })
    }

    /// Arguments of the right shape, or the first thing wrong with them. An
    /// absent value counts as no arguments.
    pub fn check(&self, arguments: Value) -> Result<Map<String, Value>, Error> {
        let mut arguments = match arguments {
            Value::Null => Map::new(),
            Value::Object(members) => members,
            other => {
                return Err(Error::invalid(
                    "arguments",
                    format!(
                        "Send the arguments as a JSON object, not as {}.",
                        one(kind(&other))
                    ),
                ));
            }
        };
        // A model that means "left out" often writes null.
        arguments.retain(|_, value| !value.is_null());
        self.root.members(&arguments, "")?;
        Ok(arguments)
    }
}

/// One schema node, read once.
struct Rule {
    types: Vec<String>,
    words: Vec<String>,
    length: (usize, usize),
    items: (usize, usize),
    unique: bool,
    item: Option<Box<Rule>>,
    properties: Vec<(String, Rule)>,
    required: Vec<String>,
    closed: bool,
    example: Option<Value>,
}

impl Rule {
    fn new(schema: &Value) -> Rule {
        let empty = Map::new();
        let node = schema.as_object().unwrap_or(&empty);
        for keyword in node.keys() {
            assert!(
                RULES.contains(&keyword.as_str()) || NOTES.contains(&keyword.as_str()),
                "input schemas may not use {keyword:?}: nothing here enforces it"
            );
        }
        let size = |name: &str, default: usize| {
            node.get(name)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
                .unwrap_or(default)
        };
        Rule {
            types: strings(node.get("type")),
            words: strings(node.get("enum")),
            length: (size("minLength", 0), size("maxLength", usize::MAX)),
            items: (size("minItems", 0), size("maxItems", usize::MAX)),
            unique: node.get("uniqueItems") == Some(&Value::Bool(true)),
            item: node.get("items").map(|items| Box::new(Rule::new(items))),
            properties: node
                .get("properties")
                .and_then(Value::as_object)
                .unwrap_or(&empty)
                .iter()
                .map(|(name, schema)| (name.clone(), Rule::new(schema)))
                .collect(),
            required: strings(node.get("required")),
            closed: node.get("additionalProperties") == Some(&Value::Bool(false)),
            example: node
                .get("examples")
                .and_then(|list| list.get(0))
                .or_else(|| node.get("default"))
                .cloned(),
        }
    }

    fn members(&self, given: &Map<String, Value>, path: &str) -> Result<(), Error> {
        if self.closed {
            self.known(given, path)?;
        }
        for name in &self.required {
            if !given.contains_key(name) {
                let example = self.property(name).map(Rule::example).unwrap_or_default();
                return Err(Error::invalid(
                    join(path, name),
                    format!("The argument {name:?} is missing{example}."),
                ));
            }
        }
        // In the schema's order, so that the same mistake gets the same answer.
        for (name, rule) in &self.properties {
            if let Some(value) = given.get(name) {
                rule.value(value, &join(path, name))?;
            }
        }
        Ok(())
    }

    /// Names every argument back that does not exist, up to a handful.
    fn known(&self, given: &Map<String, Value>, path: &str) -> Result<(), Error> {
        const MOST: usize = 5;
        let unknown: Vec<String> = given
            .keys()
            .filter(|name| self.property(name).is_none())
            .take(MOST)
            .map(|name| crate::guard::text::clean(name, 40))
            .collect();
        let Some(first) = unknown.first() else {
            return Ok(());
        };
        let named: Vec<String> = unknown.iter().map(|name| format!("{name:?}")).collect();
        let known: Vec<&str> = self
            .properties
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let message = format!(
            "There is no argument {}; the arguments are {}.",
            named.join(" or "),
            known.join(", ")
        );
        Err(Error::invalid(join(path, first), message))
    }

    fn value(&self, value: &Value, path: &str) -> Result<(), Error> {
        let wrong = |what: String| {
            Err(Error::invalid(
                path,
                format!("{path:?} {what}{}.", self.example()),
            ))
        };
        if !self.types.is_empty() && !self.types.iter().any(|name| is(value, name)) {
            let types: Vec<String> = self.types.iter().map(|name| one(name)).collect();
            return wrong(format!(
                "has to be {}, not {}",
                types.join(" or "),
                one(kind(value))
            ));
        }
        match value {
            Value::String(text) => {
                let (least, most) = self.length;
                // Bytes bound characters from above, so long text is refused
                // without being counted through.
                if text.len() > most.saturating_mul(4) || text.chars().count() > most {
                    return wrong(format!("is longer than {most} characters"));
                }
                if text.chars().take(least).count() < least {
                    return wrong(match text.is_empty() {
                        true => String::from("is empty"),
                        false => format!("is shorter than {least} characters"),
                    });
                }
                if !self.words.is_empty() && !self.words.contains(text) {
                    return wrong(format!("has to be one of {}", self.words.join(", ")));
                }
            }
            Value::Array(list) => {
                let (least, most) = self.items;
                if list.len() < least || list.len() > most {
                    return wrong(format!("has to have {least} to {most} items"));
                }
                if let Some(rule) = &self.item {
                    for (at, item) in list.iter().enumerate() {
                        rule.value(item, &format!("{path}[{at}]"))?;
                    }
                }
                if self.unique
                    && list
                        .iter()
                        .enumerate()
                        .any(|(at, item)| list[..at].contains(item))
                {
                    return wrong(String::from("names the same item twice"));
                }
            }
            Value::Object(members) if !self.properties.is_empty() => self.members(members, path)?,
            _ => {}
        }
        Ok(())
    }

    fn property(&self, name: &str) -> Option<&Rule> {
        self.properties
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, rule)| rule)
    }

    fn example(&self) -> String {
        match &self.example {
            Some(example) => format!("; for example {example}"),
            None => String::new(),
        }
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        _ => kind(value) == name,
    }
}

/// A type's name in a sentence.
fn one(kind: &str) -> String {
    match kind {
        "null" => String::from(kind),
        _ if kind.starts_with(['a', 'i', 'o']) => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
