//! Arguments that obey each tool's own schema, and their near misses. The
//! world has no network, so whatever is asked ends at once.

use std::collections::BTreeMap;

use netrecon::tool::Tool;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use super::dice::{Dice, number, seed};
use super::obeys::obeys;
use super::support::{House, Request};

const TOOLS: [&str; 5] = ["analyze", "lookup", "decode", "diff", "narrate"];

/// Texts that a schema allows and somebody downstream may stumble over.
const TEXTS: [&str; 24] = [
    "example.com",
    "https://example.com/a?b=c#d",
    "http://169.254.169.254/",
    "http://user:secret@example.com/",
    "xn--a.com",
    "\u{202e}moc.elpmaxe",
    "exa\u{200b}mple.com",
    "%65xample.com",
    "127.1",
    "0x7f000001",
    "::ffff:10.0.0.1",
    "a..b",
    "_dmarc.example.com",
    "\u{1b}[31m",
    "a\u{0}b",
    "\u{feff}v=spf1 -all",
    "v=spf1 include:example.com redirect=_spf.example.com",
    "v=DMARC1; p=none; p=reject; sp",
    "default-src 'self' 'unsafe-inline' data: *",
    "eyJhbGciOiJub25lIn0.e30.",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Secure",
    "{\"a\":[[[[[[[[1]]]]]]]]}",
    "308080808080808080",
];

/// Houses that are attacked side by side, each from a seed of its own: as many
/// on every machine, so that a seed repeats a run.
const HOUSES: u64 = 4;

type Outcomes = BTreeMap<(&'static str, String), u64>;

#[test]
fn whatever_is_sent_in_or_near_a_schema_ends_as_the_contract_says() {
    let calls = number("FUZZ_CALLS", 20_000);
    let seed = seed();
    println!("FUZZ_SEED={seed} FUZZ_CALLS={calls}");
    let mut outcomes = Outcomes::new();
    std::thread::scope(|scope| {
        let attacks: Vec<_> = (0..HOUSES)
            .map(|house| scope.spawn(move || attack(seed ^ house << 56, calls.div_ceil(HOUSES))))
            .collect();
        for attack in attacks {
            let ended = attack.join();
            for (key, count) in ended.unwrap_or_else(|e| std::panic::resume_unwind(e)) {
                *outcomes.entry(key).or_default() += count;
            }
        }
    });
    println!("{outcomes:#?}");
    for tool in TOOLS {
        let refused = (tool, String::from("invalid_input"));
        assert!(outcomes.contains_key(&refused), "{tool} refused nothing");
    }
    for some in ["success", "target_refused", "not_found"] {
        assert!(outcomes.keys().any(|(_, outcome)| outcome == some));
    }
    assert!(outcomes.values().sum::<u64>() >= calls);
}

/// So many calls of a house of its own, and what they ended in.
fn attack(seed: u64, calls: u64) -> Outcomes {
    let house = House::with_vars(&[("BUDGETS", &unlimited())]);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut dice = Dice(seed);
    let tools = house.registry.tools();
    let strategies: Vec<_> = tools
        .iter()
        .map(|tool| value_of(tool.input.json(), 0))
        .collect();

    let mut outcomes = Outcomes::new();
    for call in 0..calls {
        let which = dice.below(tools.len());
        let tree = strategies[which].new_tree(&mut runner).expect("a value");
        let mut arguments = tree.current();
        for _ in 0..dice.below(3) {
            arguments = near(arguments, &mut dice);
        }
        // A body too large to be read never says which tool it was for.
        let nameless = call % 2 == 0 && arguments.to_string().len() > 256 * 1024 - 200;
        let outcome = if call % 2 == 0 {
            over_mcp(&house, &tools[which], &arguments)
        } else {
            over_api(&house, &tools[which], &arguments)
        };
        let outcome = outcome.unwrap_or_else(|why| {
            panic!(
                "house {}, call {call}, {}: {why}\n{arguments}",
                seed >> 56,
                tools[which].name
            )
        });
        *outcomes.entry((tools[which].name, outcome)).or_default() += 1;
        assert_recorded(&house, call + 1, usize::from(!nameless));
    }
    outcomes
}

/// Exactly one event and one count for each call of a known tool; lines are
/// let go of again.
fn assert_recorded(house: &House, calls: u64, expected: usize) {
    let mut lines = house.journal.lines.borrow_mut();
    assert_eq!(lines.len(), expected, "events of call {calls}: {lines:?}");
    for line in lines.iter() {
        assert!(line.len() <= 2048, "{} bytes: {line}", line.len());
    }
    lines.clear();
    let mut counts = house.journal.counts.borrow_mut();
    assert_eq!(counts.len(), expected, "counts of call {calls}");
    counts.clear();
}

fn unlimited() -> String {
    let budgets: Map<String, Value> = TOOLS
        .iter()
        .chain(&["target"])
        .map(|name| {
            (
                (*name).to_owned(),
                json!({"limit": 1_000_000, "seconds": 1}),
            )
        })
        .collect();
    Value::Object(budgets).to_string()
}

// --- two surfaces, one contract ------------------------------------------------

fn over_mcp(house: &House, tool: &Tool, arguments: &Value) -> Result<String, String> {
    let message = json!({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": { "name": tool.name, "arguments": arguments },
    });
    let seen = house.ask(&Request::post("/mcp", &message));
    let answer = seen.json();
    if seen.status == 413 {
        return Ok(String::from("payload_too_large"));
    }
    if seen.status != 200 || answer["id"] != 7 {
        return Err(format!("{} {}", seen.status, seen.body));
    }
    if !arguments.is_object() && !arguments.is_null() {
        return Ok(String::from("invalid_input"));
    }
    let text = answer["result"]["content"][0]["text"]
        .as_str()
        .ok_or_else(|| seen.body.clone())?;
    let value = super::support::json(text);
    if answer["result"]["isError"] == true {
        return typed(&value, None);
    }
    obeys(&tool.output, &value, "")?;
    match answer["result"]["structuredContent"] == value {
        true => Ok(String::from("success")),
        false => Err(String::from("the text is not the structured content")),
    }
}

fn over_api(house: &House, tool: &Tool, arguments: &Value) -> Result<String, String> {
    let seen = house.ask(&Request::post(&format!("/api/{}", tool.name), arguments));
    let value = seen.json();
    if seen.status == 200 {
        obeys(&tool.output, &value, "")?;
        return Ok(String::from("success"));
    }
    typed(&value, Some(seen.status))
}

fn typed(error: &Value, status: Option<u16>) -> Result<String, String> {
    let code = error["error"].as_str().ok_or("an error without a code")?;
    let expected = match code {
        "invalid_input" => 400,
        "target_refused" => 403,
        "not_found" => 404,
        "payload_too_large" => 413,
        "upstream_error" => 502,
        "upstream_timeout" => 504,
        other => return Err(format!("the code {other}: {error}")),
    };
    let says = error["message"]
        .as_str()
        .is_some_and(|text| text.len() >= 10);
    if !says || status.is_some_and(|status| status != expected) {
        return Err(format!("{status:?}: {error}"));
    }
    Ok(code.to_owned())
}

// --- values from a schema --------------------------------------------------------

/// Values that obey `schema`.
fn value_of(schema: &Value, depth: usize) -> BoxedStrategy<Value> {
    if let Some(values) = schema["enum"].as_array() {
        return proptest::sample::select(values.clone()).boxed();
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec!["object", "string", "array", "boolean", "integer", "null"],
    };
    let strategies: Vec<_> = types
        .into_iter()
        .map(|name| of_type(schema, name, depth))
        .collect();
    proptest::strategy::Union::new(strategies).boxed()
}

fn of_type(schema: &Value, name: &str, depth: usize) -> BoxedStrategy<Value> {
    match name {
        "object" => object_of(schema, depth),
        "array" if depth < 3 => {
            let least = size(schema, "minItems", 0);
            let most = size(schema, "maxItems", least + 4);
            proptest::collection::vec(value_of(&schema["items"], depth + 1), least..=most)
                .prop_map(Value::Array)
                .boxed()
        }
        "string" => string_of(schema),
        "boolean" => any::<bool>().prop_map(Value::Bool).boxed(),
        "integer" | "number" => any::<i64>().prop_map(Value::from).boxed(),
        _ => Just(Value::Null).boxed(),
    }
}

fn object_of(schema: &Value, depth: usize) -> BoxedStrategy<Value> {
    let required: Vec<&str> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut whole = Just(Map::new()).boxed();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let name = name.clone();
        let value = value_of(member, depth + 1);
        let member = match required.contains(&name.as_str()) {
            true => value.prop_map(Some).boxed(),
            false => proptest::option::of(value).boxed(),
        };
        whole = (whole, member)
            .prop_map(move |(mut members, value)| {
                members.extend(value.map(|value| (name.clone(), value)));
                members
            })
            .boxed();
    }
    whole.prop_map(Value::Object).boxed()
}

fn string_of(schema: &Value) -> BoxedStrategy<Value> {
    let most = size(schema, "maxLength", 200).min(300);
    let free = proptest::collection::vec(any::<char>(), 1..=most)
        .prop_map(|chars| chars.into_iter().collect::<String>());
    let plain = proptest::string::string_regex("[a-z0-9.:/=; _-]{1,60}").expect("a pattern");
    let known = proptest::sample::select(TEXTS.to_vec()).prop_map(str::to_owned);
    let examples: Vec<String> = schema["examples"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|example| example.as_str().map(str::to_owned))
        .chain([String::from("a")])
        .collect();
    prop_oneof![free, plain, known, proptest::sample::select(examples)]
        .prop_map(Value::String)
        .boxed()
}

fn size(schema: &Value, keyword: &str, otherwise: usize) -> usize {
    schema[keyword]
        .as_u64()
        .and_then(|bound| usize::try_from(bound).ok())
        .unwrap_or(otherwise)
}

// --- near misses -----------------------------------------------------------------

/// One step away from `arguments`.
fn near(mut arguments: Value, dice: &mut Dice) -> Value {
    let Value::Object(members) = &mut arguments else {
        return arguments;
    };
    let names: Vec<String> = members.keys().cloned().collect();
    let name = match names.is_empty() {
        true => String::from("target"),
        false => dice.pick(&names).clone(),
    };
    match dice.below(9) {
        0 => drop(members.remove(&name)),
        1 => drop(members.insert(format!("{name}\u{200b}"), json!(1))),
        2 => drop(members.insert(String::from("extra"), json!(TEXTS[0]))),
        3 => drop(members.insert(name, odd(dice))),
        4 => drop(members.insert(name, json!("x".repeat(1 << (4 + dice.below(13)))))),
        5 => drop(members.insert(name, nested(dice.below(50)))),
        6 => {
            let value = members.get(&name).cloned().unwrap_or_default();
            members.insert(name, Value::Array(vec![value; dice.below(20)]));
        }
        7 => return Value::Array(vec![arguments]),
        _ => {
            if let Some(Value::String(text)) = members.get_mut(&name) {
                let at = text.floor_char_boundary(dice.below(text.len() + 1));
                let inner: &&str = dice.pick(&TEXTS);
                text.insert_str(at, inner);
            }
        }
    }
    arguments
}

fn odd(dice: &mut Dice) -> Value {
    let values = [
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5e300),
        json!(u64::MAX),
        json!({}),
        json!([]),
        json!(""),
        json!({"a": {"b": null}}),
    ];
    dice.pick(&values).clone()
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!("bottom"), |inner, _| json!([inner]))
}
