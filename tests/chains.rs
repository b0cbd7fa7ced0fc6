//! analyze → diff → narrate, by ids and by pasted objects, on both surfaces;
//! and two callers who cannot tell that the other is there.

mod support;

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use netrecon::error::Error;
use netrecon::gate::{Call, Caller, Gate};
use netrecon::port::ReportStore;
use netrecon::tool::World;
use serde_json::{Value, json};
use support::{House, Request, Seen};

const GOOD: &str = include_str!("corpus/reports/good.json");
const LATER: &str = include_str!("corpus/reports/later.json");
const GOOD_ID: &str = "k5xwqv3n2m7rj4tz6bqhcd2yfa";
const LATER_ID: &str = "q7nmzv3n2m7rj4tz6bqhcd2yfb";
const NOBODYS_ID: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaa";

fn report(text: &str) -> Value {
    serde_json::from_str(text).expect("the corpus is JSON")
}

/// A house in which both reports of the corpus are stored.
fn house() -> House {
    let house = House::new();
    let reports = [(GOOD_ID, GOOD), (LATER_ID, LATER)];
    let stored = reports.map(|(id, json)| (id.to_owned(), json.to_owned()));
    house.reports.0.borrow_mut().extend(stored);
    house
}

fn api(house: &House, tool: &str, arguments: &Value) -> Seen {
    house.ask(&Request::post(&format!("/api/{tool}"), arguments))
}

/// What a good call answers; the same on both surfaces.
fn good(house: &House, tool: &str, arguments: &Value) -> Value {
    let seen = api(house, tool, arguments);
    assert_eq!(seen.status, 200, "{tool} {arguments}: {}", seen.body);
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments},
    });
    let request = Request::post("/mcp", &message)
        .with("accept", "application/json, text/event-stream")
        .with("mcp-protocol-version", "2025-11-25");
    let called = house.ask(&request).json();
    assert_eq!(called["result"]["structuredContent"], seen.json());
    seen.json()
}

#[test]
fn ids_and_pasted_reports_and_a_pasted_diff_tell_the_same_story() {
    let house = house();
    let by_ids = json!({"before": GOOD_ID, "after": LATER_ID});
    let pasted = json!({"before": report(GOOD), "after": report(LATER)});
    let mixed = json!({"before": report(GOOD), "after": LATER_ID});

    let diff = good(&house, "diff", &by_ids);
    assert_eq!(good(&house, "diff", &pasted), diff);
    assert_eq!(good(&house, "diff", &mixed), diff);

    let story = good(&house, "narrate", &by_ids);
    for arguments in [pasted, mixed, json!({ "diff": diff })] {
        assert_eq!(good(&house, "narrate", &arguments), story);
    }
    let texts: Vec<&str> = story["sentences"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|s| s["text"].as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "http.hsts got worse, from pass to fail (medium): \"No HSTS is sent\".",
            "tls.expiry got worse, from pass to warn (low): \"The certificate is valid for 6 days\".",
            "DNS MX: added \"10 mx.other.net.\"; removed \"10 mx.lab-good.com.\".",
            "TLS chain 0 issuer: changed from \"CN=Lab CA\" to \"CN=Other CA\".",
            "DNS A: added \"203.0.113.9\"; removed \"192.0.2.1\".",
            "https strict-transport-security: removed \"max-age=31536000\".",
            "TLS chain 0 notAfter: changed from \"2026-10-03T00:00:00Z\" to \"2026-08-14T00:00:00Z\".",
        ]
    );
}

#[test]
fn a_report_compared_with_itself_has_nothing_to_tell() {
    let house = house();
    let same = json!({"before": GOOD_ID, "after": report(GOOD)});
    let diff = good(&house, "diff", &same);
    assert_eq!(
        (&diff["equal"], &diff["changes"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(
        good(&house, "narrate", &same)["summary"],
        "Nothing changed."
    );
}

#[test]
fn what_is_no_report_is_refused_by_name() {
    let house = house();
    let mut broken = report(GOOD);
    broken["findings"][0]["state"] = json!("excellent");
    for (tool, arguments, status, field) in [
        ("diff", json!({"before": GOOD_ID}), 400, "after"),
        ("diff", json!({"before": GOOD_ID, "after": 7}), 400, "after"),
        (
            "diff",
            json!({"before": "x", "after": LATER_ID}),
            400,
            "before",
        ),
        (
            "diff",
            json!({"before": GOOD_ID.to_uppercase(), "after": LATER_ID}),
            400,
            "before",
        ),
        (
            "diff",
            json!({"before": "../../../../../../etc/passw", "after": LATER_ID}),
            400,
            "before",
        ),
        (
            "diff",
            json!({"before": GOOD_ID, "after": broken}),
            400,
            "after",
        ),
        (
            "diff",
            json!({"before": {}, "after": LATER_ID}),
            400,
            "before",
        ),
        (
            "diff",
            json!({"before": GOOD_ID, "after": NOBODYS_ID}),
            404,
            "after",
        ),
        (
            "diff",
            json!({"before": NOBODYS_ID, "after": NOBODYS_ID}),
            404,
            "before",
        ),
        (
            "narrate",
            json!({"before": GOOD_ID, "after": NOBODYS_ID}),
            404,
            "after",
        ),
        ("narrate", json!({}), 400, "before"),
        ("narrate", json!({"before": GOOD_ID}), 400, "after"),
        (
            "narrate",
            json!({"before": GOOD_ID, "diff": {"changes": []}}),
            400,
            "diff",
        ),
        ("narrate", json!({"diff": {"changes": 1}}), 400, "diff"),
    ] {
        let seen = api(&house, tool, &arguments);
        assert_eq!(seen.status, status, "{tool} {arguments}: {}", seen.body);
        assert_eq!(
            seen.json()["field"],
            field,
            "{tool} {arguments}: {}",
            seen.body
        );
    }
}

#[test]
fn the_event_says_nothing_of_the_reports() {
    let house = house();
    good(
        &house,
        "diff",
        &json!({"before": GOOD_ID, "after": report(LATER)}),
    );
    for event in house.journal.events() {
        assert_eq!(
            event["args"],
            json!({"before": {"chars": 26}, "after": {"members": 10}})
        );
        let line = event.to_string();
        assert!(
            !line.contains(GOOD_ID) && !line.contains("lab-good"),
            "{line}"
        );
    }
}

/// A store that answers late and writes down what it was asked.
struct SlowReports {
    stored: HashMap<String, String>,
    asked: RefCell<Vec<String>>,
    /// How often a read is not ready yet.
    delay: u32,
}

impl SlowReports {
    fn of(reports: &[(&str, Value)], delay: u32) -> Rc<SlowReports> {
        let stored = reports
            .iter()
            .map(|(id, report)| ((*id).to_owned(), report.to_string()));
        Rc::new(SlowReports {
            stored: stored.collect(),
            asked: RefCell::default(),
            delay,
        })
    }
}

impl ReportStore for SlowReports {
    fn put<'a>(
        &'a self,
        _: &'a str,
        _: String,
        _: Duration,
    ) -> LocalBoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn get<'a>(&'a self, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>, Error>> {
        self.asked.borrow_mut().push(id.to_owned());
        let mut delay = self.delay;
        let wait = poll_fn(move |_| match delay.checked_sub(1) {
            Some(less) => {
                delay = less;
                Poll::Pending
            }
            None => Poll::Ready(()),
        });
        Box::pin(wait.map(|()| Ok(self.stored.get(id).cloned())))
    }
}

/// One isolate over a store that others share.
struct Isolate<'h> {
    house: &'h House,
    gate: Gate,
}

impl<'h> Isolate<'h> {
    fn over(house: &'h House, store: &Rc<SlowReports>) -> Isolate<'h> {
        let gate = house.gate();
        let World {
            config,
            guard,
            network,
            clock,
            random,
            signatures,
            model,
            colo,
            ..
        } = &*gate.world;
        let world = World {
            config: Rc::clone(config),
            guard: Rc::clone(guard),
            network: Rc::clone(network),
            clock: Rc::clone(clock),
            random: Rc::clone(random),
            signatures: Rc::clone(signatures),
            reports: Rc::clone(store) as Rc<dyn ReportStore>,
            model: Rc::clone(model),
            colo: colo.clone(),
        };
        Isolate {
            gate: Gate {
                world: Rc::new(world),
                ..gate
            },
            house,
        }
    }

    /// What the caller at `ip` gets for a call: its answer or its error.
    async fn call(&self, ip: &str, tool: &str, arguments: Value) -> String {
        let caller = Caller::identify(|name| (name == "cf-connecting-ip").then(|| ip.into()));
        let call = Call {
            tool: self.house.registry.find(tool).expect("is a tool"),
            arguments,
            caller: &caller,
            surface: "api",
            era: "none",
            version: "",
            session: None,
            client_name: "",
            watch: None,
        };
        match self.gate.call(call).await.result {
            Ok(answer) => answer,
            Err(error) => serde_json::to_string(&error).expect("serializes"),
        }
    }
}

#[test]
fn a_missing_id_costs_what_a_present_one_does() {
    for (before, after) in [
        (GOOD_ID, LATER_ID),
        (GOOD_ID, NOBODYS_ID),
        (NOBODYS_ID, LATER_ID),
        (NOBODYS_ID, NOBODYS_ID),
    ] {
        let store = SlowReports::of(&[(GOOD_ID, report(GOOD)), (LATER_ID, report(LATER))], 0);
        let house = House::new();
        let isolate = Isolate::over(&house, &store);
        let arguments = json!({"before": before, "after": after});
        isolate
            .call("192.0.2.7", "diff", arguments)
            .now_or_never()
            .expect("nothing waits");
        assert_eq!(*store.asked.borrow(), [before, after]);
        assert_eq!(isolate.house.journal.last()["subrequests"], 2);
    }
}

/// SplitMix64: a round's choices follow from its number.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).expect("is small")
    }
}

/// Enough of a report for thousands of comparisons.
fn small(mut report: Value) -> Value {
    let probes = report["probes"].take();
    report["probes"] = json!({"dns": {"mx": probes["dns"]["mx"]}, "tls": probes["tls"]});
    report
}

const SHARED_ID: &str = "sharedsharedsharedshared22";

/// Two callers: where they call from, the ids they hold, what is stored under
/// them.
struct Party {
    ip: &'static str,
    ids: [&'static str; 2],
    marks: [&'static str; 2],
    /// An id of the other's but for its last character.
    guess: &'static str,
}

const PARTIES: [Party; 2] = [
    Party {
        ip: "192.0.2.1",
        ids: ["alicealicealicealicealice2", "alicealicealicealicealice3"],
        marks: ["alice-one.net", "alice-two.net"],
        guess: "bobbobbobbobbobbobbobbobb4",
    },
    Party {
        ip: "198.51.100.2",
        ids: ["bobbobbobbobbobbobbobbobb2", "bobbobbobbobbobbobbobbobb3"],
        marks: ["bob-one.net", "bob-two.net"],
        guess: "alicealicealicealicealice4",
    },
];

impl Party {
    /// Reports that name their owner.
    fn reports(&self) -> Vec<(&'static str, Value)> {
        let text = |mark: &str| LATER.replace("lab-good.com", mark);
        let report = |text: String| small(report(&text));
        self.ids
            .into_iter()
            .zip(self.marks)
            .map(|(id, mark)| (id, report(text(mark))))
            .collect()
    }

    /// Up to eight calls with the ids it holds, ids it made up, pasted
    /// reports and nonsense.
    fn script(&self, dice: &mut Dice) -> Vec<(&'static str, Value)> {
        let calls = 1 + dice.throw(8);
        (0..calls)
            .map(|_| {
                let tool = ["diff", "narrate", "decode"][dice.throw(3)];
                if tool == "decode" {
                    return (tool, json!({"text": format!("v=spf1 include:{} -all", self.marks[dice.throw(2)])}));
                }
                let pair = json!({"before": self.source(dice), "after": self.source(dice)});
                (tool, pair)
            })
            .collect()
    }

    fn source(&self, dice: &mut Dice) -> Value {
        match dice.throw(8) {
            0 => json!(NOBODYS_ID),
            1 => json!("not an id"),
            4 => json!(self.guess),
            2 => small(report(GOOD)),
            3 => json!(SHARED_ID),
            _ => json!(self.ids[dice.throw(2)]),
        }
    }
}

/// Makes the calls one after the other, each in an isolate of its choosing.
async fn play(
    party: &Party,
    script: Vec<(&'static str, Value)>,
    isolates: &[Isolate<'_>],
    turns: &[usize],
) -> Vec<String> {
    let mut answers = Vec::new();
    for ((tool, arguments), turn) in script.into_iter().zip(turns.iter().cycle()) {
        answers.push(isolates[*turn].call(party.ip, tool, arguments).await);
    }
    answers
}

/// Polls whichever the dice choose until all are done.
fn interleave<'a>(
    mut plays: Vec<LocalBoxFuture<'a, Vec<String>>>,
    dice: &mut Dice,
) -> Vec<Vec<String>> {
    let mut context = Context::from_waker(Waker::noop());
    let mut done: Vec<Option<Vec<String>>> = plays.iter().map(|_| None).collect();
    while done.iter().any(Option::is_none) {
        let at = dice.throw(plays.len());
        if done[at].is_none()
            && let Poll::Ready(answers) = plays[at].poll_unpin(&mut context)
        {
            done[at] = Some(answers);
        }
    }
    done.into_iter().flatten().collect()
}

#[test]
fn no_answer_depends_on_another_callers_calls() {
    let shared = (SHARED_ID, small(report(GOOD)));
    // Isolates live through all rounds, so that anything kept is seen.
    let own = [(); 2].map(|()| House::new());
    let mut common = [(); 3].map(|()| House::new());
    // A caller's object is the same wherever its calls come in.
    let [first, others @ ..] = &mut common;
    for house in others {
        house.ledger = Rc::clone(&first.ledger);
    }
    let mut told = 0;
    for round in 0..1_000 {
        let mut dice = Dice(round);
        let scripts = PARTIES.each_ref().map(|party| party.script(&mut dice));
        let turns: Vec<usize> = (0..8).map(|_| dice.throw(common.len())).collect();
        let delay = u32::try_from(dice.throw(4)).expect("is small");
        for house in own.iter().chain(&common) {
            house.clock.advance(Duration::from_secs(120));
        }

        let alone = [0, 1].map(|at| {
            let mut reports = PARTIES[at].reports();
            reports.push(shared.clone());
            let store = SlowReports::of(&reports, 0);
            let isolate = [Isolate::over(&own[at], &store)];
            let play = play(&PARTIES[at], scripts[at].clone(), &isolate, &[0]);
            play.now_or_never().expect("nothing waits")
        });

        let mut reports: Vec<(&str, Value)> = PARTIES.iter().flat_map(Party::reports).collect();
        reports.push(shared.clone());
        let store = SlowReports::of(&reports, delay);
        let isolates = common.each_ref().map(|house| Isolate::over(house, &store));
        let plays = PARTIES
            .iter()
            .zip(scripts)
            .map(|(party, script)| play(party, script, &isolates, &turns).boxed_local())
            .collect();
        let together = interleave(plays, &mut dice);

        assert_eq!(together, alone, "round {round}");
        let [alice, bob] = together.as_slice() else {
            panic!("two parties")
        };
        assert!(!alice.concat().contains("bob-"), "round {round}");
        assert!(!bob.concat().contains("alice-"), "round {round}");
        told += usize::from(alice.concat().contains("alice-") && bob.concat().contains("bob-"));
    }
    assert!(
        told > 500,
        "only in {told} rounds did both read of their own"
    );
}
