// Servers and resolvers that misbehave, met by the built Worker: every analysis ends
// within the call's deadline, in a report whose findings are typed or in a typed error,
// and the Worker lives on. Nothing of a broken answer is held against the target.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AT_ONCE, WORLDS, eachOnce } from "../../lab/worlds.mjs";
import { Worker } from "../support/worker.mjs";

/** The gate's own deadline, and a second for a machine that is busy. */
const DEADLINE_MS = 15_500;

const STATES = ["pass", "warn", "fail", "info", "inconclusive", "not_applicable"];
const ERRORS = ["target_refused", "upstream_error", "upstream_timeout"];

/** @type {Worker} */
let worker;
before(async () => {
  const plenty = { limit: 1_000, seconds: 1 };
  worker = await Worker.start({ vars: { BUDGETS: JSON.stringify({ analyze: plenty, target: plenty }) } });
});
after(() => worker.stop());

test("each bad world ends in typed states or a typed error within the deadline", async () => {
  await eachOnce(WORLDS, AT_ONCE, judge);
});

test("after all of them the Worker still answers, and no call ended in a panic", async () => {
  const { status, body } = await worker.api("analyze", { target: "lab-v4.net" });
  assert.equal(status, 200);
  assert.equal(body.target.host, "lab-v4.net");
  const ends = worker.events.map(({ outcome }) => outcome);
  assert.ok(ends.length >= WORLDS.length, `${ends.length} events`);
  assert.ok(!ends.includes("internal_error"), "a call ended in internal_error");
  assert.ok(!/panicked|RuntimeError|exceeded/.test(worker.output), worker.output.slice(-2_000));
});

async function judge(target) {
  const began = performance.now();
  const { status, body: answer } = await worker.api("analyze", { target });
  const took = performance.now() - began;
  const { body } = answer.id ? await worker.get(`/api/report/${answer.id}`) : { body: answer };
  assert.ok(took < DEADLINE_MS, `${target} took ${took.toFixed(0)} ms`);
  if (body.error) {
    assert.ok(ERRORS.includes(body.error), `${target}: ${status} ${body.error}`);
    return;
  }
  assert.equal(status, 200, target);
  assert.ok(body.findings.length > 40, target);
  for (const { id, state } of body.findings) assert.ok(STATES.includes(state), `${target}: ${id} is ${state}`);
  const [, zone] = target.match(/^[^.]+\.(.+)$/) ?? [];
  if (zone === "lab-garbled.net") notBlamed(target, body.findings);
}

/** What the resolver garbled says nothing about the host: no finding may fail by it. */
function notBlamed(target, findings) {
  const blamed = findings.filter(({ id, state }) => state === "fail" && /^(dns|mail)\./.test(id));
  assert.deepEqual(blamed.map(({ id }) => id), [], target);
}
