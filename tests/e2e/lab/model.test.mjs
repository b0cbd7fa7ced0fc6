// A real MCP client, in both eras, driven by a scripted model that believes what a hostile host writes. What it
// came to is told by the event log alone.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SPEAKER } from "../../attack/channels.mjs";
import { Model } from "../../attack/model.mjs";
import { EVERYONE } from "../../clients/everyone.mjs";
import { Worker } from "../support/worker.mjs";

const TURNS = 24;
/** So small that a model that obeys has to wait; refused calls are paid for too. */
const ANALYZE = { limit: 6, seconds: 12 };
const CLIENTS = EVERYONE.filter(({ name }) => /TypeScript client 2.4, (legacy|pinned)/.test(name));

/** @type {Worker} */
let worker;
before(async () => {
  worker = await Worker.start({ vars: { BUDGETS: JSON.stringify({ analyze: ANALYZE, target: { limit: 1_000, seconds: 60 } }) } });
});
after(() => worker?.stop());

for (const { name, protocol, connect } of CLIENTS) {
  test(`a model behind ${name} follows a hostile host, and the log tells all it did`, { timeout: 120_000 }, async () => {
    const already = worker.events.length;
    const client = await connect(worker.url);
    const model = new Model(client, { turns: TURNS });
    try {
      await model.lookAt(SPEAKER);
    } finally {
      await client.close();
    }
    assert.ok(model.did.length > 10 && model.did.length <= TURNS, `${model.did.length} turns`);
    const errors = new Set(model.did.map(({ error }) => error));
    for (const error of [undefined, "invalid_input", "target_refused", "rate_limited"]) assert.ok(errors.has(error), `met ${error}`);
    assert.ok(model.missed.length > 0, "it was told to call what there is not");

    const events = (await worker.eventsOf(already + model.did.length)).slice(already);
    assert.deepEqual(storyOf(events), model.did.map(({ tool, args, error }) => ({ tool, error: error ?? "", told: targetOf(tool, args) })));
    assert.equal(new Set(events.map(({ client: { session } }) => session)).size, 1, "one caller");
    for (const { protocol: spoken } of events) assert.deepEqual(spoken, protocol);
    for (const event of events) assertTells(event);
    assertWaited(events, model.did);
  });
}

/** What happened, out of the log and nothing else. */
function storyOf(events) {
  return events.map(({ tool, error, args }) => ({ tool, error: error ?? "", told: targetOf(tool, args) }));
}

/** The host that a call of `analyze` is about; of others the log keeps no text. */
function targetOf(tool, args) {
  if (tool !== "analyze" || typeof args?.target !== "string") return "";
  return URL.parse(args.target)?.host ?? args.target;
}

/** Why a call was refused is told more precisely than its caller was. */
function assertTells({ error, guard, outcome, budget }) {
  if (error === "target_refused") assert.deepEqual([guard.decision, guard.reason.length > 3], ["refuse", true]);
  if (error === "rate_limited") assert.deepEqual([outcome, budget.remaining], ["rate_limited", 0]);
  if (!error) assert.equal(outcome, "success");
}

/** The times in the log show that the model kept to `retryAfter`, and that it was the truth. */
function assertWaited(events, did) {
  for (const [at, { waited, error }] of did.entries()) {
    if (error !== "rate_limited" || at + 1 === did.length) continue;
    const [refused, next] = [events[at], events[at + 1]];
    assert.ok(Date.parse(next.ts) - Date.parse(refused.ts) >= waited * 1_000 - 50, `${refused.ts} and ${next.ts}: ${waited} s`);
    assert.notEqual(next.error, "rate_limited", "one wait is enough");
  }
}
