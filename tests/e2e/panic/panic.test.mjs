// A call that panics, in a build that lets a test ask for one: it ends as that call's
// typed error, event and count, and calls under way beside it do not notice.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv, nowhere } from "../support/bare.mjs";

const DIR = "build/panic-injection";
const { recipe } = JSON.parse(readFileSync(`${DIR}/.built-from`, "utf8"));
const skip = recipe.unwinding ? false : "nightly Rust is not to be had here: the stable build aborts on a panic";

let kv, resolver, bare;
before(async () => {
  kv = await new Kv().start();
  resolver = await nowhere(1_500);
  bare = await Bare.start({ kv, dir: DIR, vars: { DOH_URL: resolver.url, COUNTER_FLUSH_SECONDS: "1" } });
});
after(async () => {
  await bare?.stop();
  resolver?.stop();
  await kv?.stop();
});

test("a call that panics is one typed error, one line and one count, and ends alone", { skip }, async () => {
  const beside = [1, 2, 3].map((n) => bare.call("lookup", { name: `lab-${n}.com`, records: ["A"] }, `198.51.100.${n}`));
  await sleep(300);
  for (const text of ["panic at work", "panic when judged"]) {
    const { status, body } = await bare.call("decode", { text }, "198.51.100.9");
    assert.equal(status, 500);
    assert.equal(body.error, "internal_error");
    assert.ok(!JSON.stringify(body).includes("a test asked for it"), "the caller is not told");
  }
  for (const { status, body } of await Promise.all(beside)) assert.equal(status, 200, JSON.stringify(body));
  assert.equal((await bare.call("decode", { text: "v=spf1 -all" }, "198.51.100.9")).status, 200);

  const { total, internal_error, success } = await kv.counted("decode", 3);
  assert.deepEqual({ total, internal_error, success }, { total: 3, internal_error: 2, success: 1 });
  const told = bare.events.map(({ tool, outcome, cause }) => `${tool} ${outcome} ${cause ?? ""}`.trim()).sort();
  assert.deepEqual(told, [
    "decode internal_error panic: a test asked for it",
    "decode internal_error panic: a test asked for it",
    "decode success",
    "lookup success",
    "lookup success",
    "lookup success",
  ]);
});

test("a request that panics outside a call gets a typed error too", { skip }, async () => {
  const response = await fetch(`http://localhost:${bare.port}/panic`);
  assert.equal(response.status, 500);
  assert.equal((await response.json()).error, "internal_error");
});
