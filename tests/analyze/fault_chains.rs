//! analyze, diff, narrate in chains of several callers at once, over every
//! surface, while between two steps something goes wrong: the world falls
//! ill, reports expire, a budget is spent, a report is bent on its way. Each
//! step still ends in time and typed, shows nothing of another caller's, and
//! is one event and one count; and the next chain of a healthy world is whole.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::dice::{Dice, number, seed};
use super::faults::{FailingWorld, LONGEST};
use super::support::Request;
use super::*;

/// Who calls at the same time.
const CALLERS: [&str; 3] = ["198.51.100.31", "203.0.113.32", "2001:db8:33::1"];

/// Codes in which a step may end besides a success.
const TYPED: [&str; 8] = [
    "invalid_input",
    "target_refused",
    "rate_limited",
    "payload_too_large",
    "not_found",
    "upstream_error",
    "upstream_timeout",
    "unavailable",
];

/// Each budget is full again after so long.
const MINUTES: Duration = Duration::from_secs(240);

#[test]
fn a_chain_with_faults_between_its_steps_ends_typed_and_shows_nothing_of_others() {
    run(async {
        let rounds = number("CHAIN_ROUNDS", 3);
        println!("FUZZ_SEED={} CHAIN_ROUNDS={rounds}", seed());
        let rate = |limit: u32| json!({"limit": limit, "seconds": 60});
        let budgets = json!({"analyze": rate(12), "diff": rate(8), "narrate": rate(8), "target": rate(1_000)});
        let world = &FailingWorld::new(&Authority::new(), &budgets);
        let mut steps = BTreeMap::new();
        for round in 0..rounds {
            let chains = (0..CALLERS.len()).map(|caller| async move {
                let mut chain = Chain::of(world, caller, round);
                chain.play().await;
                chain.steps
            });
            for (step, count) in join_all(chains).await.into_iter().flatten() {
                *steps.entry(step).or_insert(0) += count;
            }
            world.recover(MINUTES).await;
            let mut healthy = Chain::of(world, 0, round);
            healthy.play_well().await;
            for (step, count) in healthy.steps {
                *steps.entry(step).or_insert(0) += count;
            }
            let made: usize = steps.values().sum();
            let recorded = (
                world.journal.lines.borrow().len(),
                world.journal.counts.borrow().len(),
            );
            assert_eq!(
                recorded,
                (made, made),
                "events and counts after round {round}"
            );
            world.recover(MINUTES).await;
        }
        println!("{steps:#?}");
        for wanted in ["analyze success", "diff success", "narrate success"] {
            assert!(steps.contains_key(wanted), "no step ended in {wanted}");
        }
        let spent = |step: &String| step.ends_with("rate_limited");
        assert!(steps.keys().any(spent), "no budget was spent");
    });
}

/// A caller's chain: what it made, and what became of its steps.
struct Chain<'w> {
    world: &'w FailingWorld,
    caller: usize,
    /// Stands in every target of this caller, and in nobody else's.
    mark: String,
    dice: Dice,
    reports: Vec<Value>,
    diff: Value,
    steps: BTreeMap<String, usize>,
}

impl<'w> Chain<'w> {
    fn of(world: &'w FailingWorld, caller: usize, round: u64) -> Chain<'w> {
        Chain {
            world,
            caller,
            mark: format!("mark-{caller}-{round}"),
            dice: Dice(seed() ^ (round << 8 | caller as u64)),
            reports: Vec::new(),
            diff: Value::Null,
            steps: BTreeMap::new(),
        }
    }

    async fn play(&mut self) {
        for step in 0..8 {
            self.meet_trouble().await;
            match self.dice.below(4) {
                _ if step < 2 => self.analyze().await,
                0 => self.analyze().await,
                1 => {
                    let pair = self.pair();
                    if let Some(diff) = self.step("diff", pair).await {
                        self.diff = diff;
                    }
                }
                2 => {
                    let pair = self.pair();
                    self.step("narrate", pair).await;
                }
                _ => {
                    let diff = json!({ "diff": bent(self.diff.clone(), &mut self.dice) });
                    self.step("narrate", diff).await;
                }
            }
        }
    }

    /// A chain that nothing disturbs.
    async fn play_well(&mut self) {
        self.analyze().await;
        self.analyze().await;
        let [before, after] = &self.reports[..] else {
            panic!(
                "{} of 2 analyses: {:?}, {}",
                self.reports.len(),
                self.steps,
                self.told()
            );
        };
        assert_eq!(
            before["coverage"]["ratio"],
            1.0,
            "{}: {}",
            self.told(),
            before["coverage"]
        );
        let ids = json!({"before": before["id"], "after": after["id"]});
        let pasted = json!({"before": before["id"], "after": after});
        let diff = self.step("diff", ids.clone()).await.expect("a diff");
        // The name that nobody has is another each time, and this world knows one of them.
        let counts = (&diff["counts"]["regress"], &diff["counts"]["improve"]);
        assert_eq!(counts, (&json!(0), &json!(0)), "{}: {diff}", self.told());
        for arguments in [ids, pasted, json!({ "diff": diff })] {
            let story = self.step("narrate", arguments).await.expect("a story");
            let summary = story["summary"].as_str().expect("a sentence");
            let quiet = ["Nothing changed.", "Worse: 0. Better: 0."];
            assert!(
                quiet.iter().any(|start| summary.starts_with(start)),
                "{}: {story}",
                self.told()
            );
        }
    }

    /// What goes wrong before the next step.
    async fn meet_trouble(&mut self) {
        match self.dice.below(8) {
            0 => self.world.sicken(true),
            1 | 2 => self.world.sicken(false),
            3 => {
                if let Some(id) = self.reports.last().and_then(|report| report["id"].as_str()) {
                    self.world.expire(id);
                }
            }
            4 => {
                let tool = *self.dice.pick(&["diff", "narrate"]);
                for _ in 0..9 {
                    self.step(tool, json!({})).await;
                }
            }
            5 => {
                if let Some(report) = self.reports.pop() {
                    self.reports.push(bent(report, &mut self.dice));
                }
            }
            _ => {}
        }
    }

    async fn analyze(&mut self) {
        let detail = *self.dice.pick(&["summary", "full"]);
        let target = format!("https://{HOST}/{}", self.mark);
        let arguments = json!({"target": target, "detail": detail});
        if let Some(report) = self.step("analyze", arguments).await {
            self.reports.push(report);
        }
    }

    /// Two reports, each by its id or whole; now and then one that there is not.
    fn pair(&mut self) -> Value {
        let mut source = || match self.reports.as_slice() {
            some @ [_, ..] if self.dice.below(6) > 0 => {
                let report = self.dice.pick(some);
                match self.dice.below(2) {
                    0 => report["id"].clone(),
                    _ => report.clone(),
                }
            }
            _ => json!("aaaaaaaaaaaaaaaaaaaaaaaaaa"),
        };
        json!({"before": source(), "after": source()})
    }

    /// One call over a surface of its choosing; answers what a success held.
    async fn step(&mut self, tool: &str, arguments: Value) -> Option<Value> {
        let surface = self.dice.below(3);
        let request =
            request(surface, tool, &arguments).with("cf-connecting-ip", CALLERS[self.caller]);
        let began = Instant::now();
        let (status, body) = self.world.ask(&request).await;
        let text = body.to_string();
        let told = || format!("{}, {tool}: {status} {text}", self.told());
        assert!(
            began.elapsed() <= LONGEST,
            "{:?}, {}",
            began.elapsed(),
            told()
        );
        for other in (0..CALLERS.len()).filter(|other| *other != self.caller) {
            assert!(
                !text.contains(&format!("mark-{other}-")),
                "of another's, {}",
                told()
            );
        }
        let value = match surface {
            0 => body.clone(),
            _ => support::json(
                body["result"]["content"][0]["text"]
                    .as_str()
                    .unwrap_or_else(|| panic!("{}", told())),
            ),
        };
        let Some(code) = value["error"].as_str() else {
            assert_eq!(status, 200, "{}", told());
            *self.steps.entry(format!("{tool} success")).or_default() += 1;
            return Some(value);
        };
        assert!(TYPED.contains(&code), "{}", told());
        assert!(
            surface == 0 || (status, &body["result"]["isError"]) == (200, &json!(true)),
            "{}",
            told()
        );
        assert!(
            code != "rate_limited" || value["retryAfter"].as_u64() > Some(0),
            "{}",
            told()
        );
        *self.steps.entry(format!("{tool} {code}")).or_default() += 1;
        None
    }

    fn told(&self) -> String {
        format!("seed {}, {}", seed(), self.mark)
    }
}

/// The JSON API, or MCP of either era.
fn request(surface: usize, tool: &str, arguments: &Value) -> Request {
    if surface == 0 {
        return Request::post(&format!("/api/{tool}"), arguments);
    }
    let version = ["2025-11-25", "2026-07-28"][surface - 1];
    let mut message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    });
    if surface == 2 {
        message["params"]["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientCapabilities": {},
        });
    }
    Request::post("/mcp", &message)
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", version)
        .with("mcp-method", "tools/call")
        .with("mcp-name", tool)
}

/// One member, somewhere, is gone or another; its id stays, for it is the stored one's.
fn bent(mut value: Value, dice: &mut Dice) -> Value {
    let mut at = &mut value;
    for _ in 0..=dice.below(4) {
        let keys: Vec<String> = match at {
            Value::Object(members) => members.keys().filter(|key| *key != "id").cloned().collect(),
            Value::Array(items) => (0..items.len()).map(|index| index.to_string()).collect(),
            _ => break,
        };
        if keys.is_empty() {
            break;
        }
        let key = dice.pick(&keys);
        at = at
            .pointer_mut(&format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            .expect("a member");
    }
    *at = match dice.below(4) {
        0 => Value::Null,
        1 => json!("bent\u{202e}"),
        2 => json!(u64::MAX),
        _ => json!([{"bent": [[]]}]),
    };
    value
}
