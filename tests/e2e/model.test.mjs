// `narrate` with a language model bound as `AI`: its wording stands beside a sentence when
// it holds, and whatever else the model does, the sentences are there and in time.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv } from "./support/bare.mjs";

/** Two changes; `mood` is a word that tells the model of the tests what to do. */
const diff = (mood) => ({
  changes: [
    { path: "/probes/http/https/headers/server", kind: "changed", before: mood, after: "nginx", weight: "churn" },
    { path: "/probes/tls/alpn", kind: "changed", before: "http/1.1", after: "h2", weight: "churn" },
  ],
});
const narrate = async (bare, mood) => {
  const { status, body } = await bare.call("narrate", { diff: diff(mood) }, "203.0.113.1");
  assert.equal(status, 200, JSON.stringify(body));
  return body;
};
const without = ({ reworded: _, sentences, ...rest }) => ({ ...rest, sentences: sentences.map(({ reworded: _, ...sentence }) => sentence) });

let kv, plain, bound;
before(async () => {
  kv = await new Kv().start();
  plain = await Bare.start({ kv });
  bound = await Bare.start({ kv, beside: { AI: "tests/e2e/support/model.js" } });
});
after(async () => {
  await plain?.stop();
  await bound?.stop();
  await kv?.stop();
});

test("without a model nothing is said of one", async () => {
  const told = await narrate(plain, "obliging");
  assert.ok(!("reworded" in told) && told.sentences.every((sentence) => !("reworded" in sentence)));
  assert.equal(told.sentences.length, 2);
});

test("a model's wording stands beside the sentences, which stay as they are", async () => {
  const told = await narrate(bound, "obliging");
  assert.equal(told.reworded, 2);
  for (const { text, reworded } of told.sentences) assert.equal(reworded, `The ${text}`);
  assert.deepEqual(without(told), await narrate(plain, "obliging"));
  for (let waited = 0; bound.events.length === 0 && waited < 5_000; waited += 50) await sleep(50);
  assert.equal(bound.events[0].subrequests, 1);
});

test("a sentence to which the model adds something stands alone", async () => {
  const told = await narrate(bound, "inventive");
  assert.equal(told.reworded, 1);
  assert.ok(!JSON.stringify(told).includes("X-Frame-Options"));
});

for (const mood of ["garbled", "broken", "silent"]) {
  test(`a model that is ${mood} costs the wording, not the answer`, async () => {
    const started = Date.now();
    const told = await narrate(bound, mood);
    assert.equal(told.reworded, 0);
    assert.deepEqual(without(told), await narrate(plain, mood));
    assert.ok(Date.now() - started < 10_000);
  });
}
