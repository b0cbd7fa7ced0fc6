// analyze, diff and narrate in chains against the built Worker, of several callers at once, while
// between two steps something goes wrong: the resolver or the host stops answering, workerd is
// killed and started again, reports expire, a budget is spent, a report is bent on its way. Run by
// `scripts/test attack`; FUZZ_SEED repeats a run, CHAIN_ROUNDS makes it longer.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent } from "./agent.mjs";
import { Worker } from "../e2e/support/worker.mjs";

const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 1e9));
const ROUNDS = Number(process.env.CHAIN_ROUNDS ?? 2);
const STEPS = 6;
const HOST = "stage.lab-http.net";
const TTL_SECONDS = 12;
const CALLERS = ["198.51.100.61", "203.0.113.62", "2001:db8:63::1"];
const VARS = {
  REPORT_TTL_SECONDS: String(TTL_SECONDS),
  COUNTER_FLUSH_SECONDS: "1",
  BUDGETS: JSON.stringify({
    ...Object.fromEntries(["diff", "narrate"].map((name) => [name, { limit: 6, seconds: 4 }])),
    ...Object.fromEntries(["analyze", "target"].map((name) => [name, { limit: 1_000, seconds: 60 }])),
  }),
};
const TYPED = [
  ...["invalid_input", "target_refused", "rate_limited", "payload_too_large", "not_found"],
  ...["upstream_error", "upstream_timeout", "unavailable"],
];

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start({ vars: VARS })));
after(() => worker?.stop());

test(`chains with faults between their steps end typed and show nothing of others (seed ${SEED})`, { timeout: 600_000 }, async () => {
  const tally = new Map();
  let kills = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const chance = chanceOf(SEED + round);
    const chains = CALLERS.map((_, caller) => new Chain(caller, round));
    for (let step = 0; step < STEPS; step += 1) {
      await well();
      kills += await FAULTS[chance(FAULTS.length)](chains, chance);
      const next = chains.map((chain) => () => chain.next(step, chance));
      const outcomes = await Promise.all(next.map((make) => make()));
      for (const outcome of outcomes) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
    }
    await well();
    await sleep(4_500); // budgets are full again
    await new Chain(round % CALLERS.length, `well-${round}`).isWhole();
  }
  console.log(Object.fromEntries([...tally].sort()), `${kills} kills`);
  const ended = [...tally.values()].reduce((sum, n) => sum + n);
  assert.equal(ended, ROUNDS * STEPS * CALLERS.length, "every step ended typed; which of them succeeded is up to the faults");
  assertNothingInternal();
});

/** No event so far tells of a fault of our own. */
function assertNothingInternal() {
  assert.deepEqual(worker.events.filter(({ outcome }) => outcome === "internal_error"), []);
}

/** A number below another, the same for the same seed (mulberry32). */
function chanceOf(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

async function control(path, body) {
  const response = await fetch(new URL(path, process.env.LAB_CONTROL_URL), { method: "POST", body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${path}: ${response.status}`);
}

/** The host and the resolver as they should be. */
async function well() {
  await control("/reset");
  await control("/delay?ms=0");
  await control("/stage", { status: 200, headers: { "content-type": "text/html" }, body: "<p>hello" });
}

/** What goes wrong between two steps; each answers how often workerd was killed. */
const FAULTS = [
  async () => 0,
  async () => (await control("/answer", { name: HOST, turns: [[]] }), 0),
  async () => (await control("/delay?ms=900"), 0),
  async () => (await control("/stage", { status: 599, headers: { "content-length": "100000" }, body: "cut" }), 0),
  async (chains, chance) => {
    const chain = chains[chance(chains.length)];
    for (let call = 0; call < 8; call += 1) await chain.step("diff", {}, "api");
    return 0;
  },
  async (chains, chance) => {
    const chain = chains[chance(chains.length)];
    chain.reports = chain.reports.map((report) => bent(report, chance));
    return 0;
  },
  async () => (await sleep(TTL_SECONDS * 1_000), 0),
  async () => {
    assertNothingInternal();
    await worker.kill();
    worker = await Worker.start({ vars: VARS, state: worker.state });
    return 1;
  },
];

/** The report with one member gone or another; its id stays. */
function bent(report, chance) {
  const copy = structuredClone(report);
  const names = Object.keys(copy).filter((name) => name !== "id");
  copy[names[chance(names.length)]] = [null, "bent\u202e", [[{}]], 1e300][chance(4)];
  return copy;
}

/** One caller's chain. */
class Chain {
  reports = [];
  diff = null;

  constructor(caller, round) {
    this.caller = caller;
    this.mark = `mark-${caller}-${round}`;
  }

  /** The next step, over a surface of its choosing; answers what it was and what it ended in. */
  async next(step, chance) {
    const surface = ["api", "modern", "legacy"][chance(3)];
    const what = step < 2 ? 0 : chance(4);
    if (what === 0) return this.analyze(surface);
    if (what === 3) return this.step("narrate", { diff: this.diff }, surface);
    const source = () => {
      const report = this.reports[chance(this.reports.length || 1)];
      return report === undefined || chance(6) === 0 ? "a".repeat(26) : chance(2) ? report.id : report;
    };
    return this.step(what === 1 ? "diff" : "narrate", { before: source(), after: source() }, surface);
  }

  analyze(surface, target = `http://${HOST}/${this.mark}`) {
    return this.step("analyze", { target, detail: "full" }, surface);
  }

  async step(tool, args, surface) {
    const began = performance.now();
    const value = await this.#answer(tool, args, surface);
    const told = `seed ${SEED}, ${this.mark}, ${surface} ${tool}: ${JSON.stringify(value).slice(0, 500)}`;
    assert.ok(performance.now() - began < 20_000, told);
    const text = JSON.stringify(value);
    for (const other of CALLERS.keys()) {
      if (other !== this.caller) assert.ok(!text.includes(`mark-${other}-`), `of another's, ${told}`);
    }
    if (value.error !== undefined) {
      assert.ok(TYPED.includes(value.error), told);
      if (value.error === "rate_limited") assert.ok(value.retryAfter > 0, told);
      return `${tool} ${value.error}`;
    }
    if (tool === "analyze") this.reports.push(value);
    if (tool === "diff") this.diff = value;
    this.last = value;
    return `${tool} success`;
  }

  /** What a model reads, whatever the surface. */
  async #answer(tool, args, surface) {
    const ip = CALLERS[this.caller];
    if (surface === "api") {
      const { status, body } = await worker.api(tool, args, { ip });
      assert.equal(status === 200, body.error === undefined, `${status} ${JSON.stringify(body).slice(0, 300)}`);
      return body;
    }
    const { status, result, error } = await new Agent({ url: worker.url, era: surface, ip }).call(tool, args);
    assert.equal(status, 200, JSON.stringify(error));
    return JSON.parse(result.content[0].text);
  }

  /** A chain about a good host that nothing disturbs. */
  async isWhole() {
    for (const surface of ["modern", "legacy"]) assert.equal(await this.analyze(surface, "lab-good.com"), "analyze success", this.mark);
    const [before, after] = this.reports;
    const { body: stored } = await worker.get(`/api/report/${before.id}`);
    // On a busy machine a connection may be made twice; what is left out for it is no fault that stayed.
    const left = stored.findings.filter(({ state, title }) => state === "inconclusive" && !title.includes("subrequest budget"));
    const open = left.map(({ id, title }) => `${id}: ${title}`);
    assert.deepEqual(open, [], `seed ${SEED}, ${this.mark}: nothing is left open`);
    assert.equal(await this.step("diff", { before: before.id, after: after.id }, "api"), "diff success");
    const { regress, improve } = this.last.counts;
    assert.deepEqual([regress, improve], [0, 0], JSON.stringify(this.last).slice(0, 2_000));
    for (const args of [{ before: before.id, after: after.id }, { diff: this.diff }]) {
      assert.equal(await this.step("narrate", args, "modern"), "narrate success");
      assert.match(this.last.summary, /^(Nothing changed|Worse: 0\. Better: 0\.)/);
    }
  }
}
