// The gate under load and under kills: limits are exact, and what was acknowledged is
// counted once. The load is 10,000 calls of 50 clients, all under way together over 64
// connections.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import Ajv2020 from "ajv/dist/2020.js";
import { Bare, Kv, nowhere } from "./support/bare.mjs";

const CLIENTS = 50;
const CALLS = 10_000;
const LIMIT = 60;
// One is refilled every 24 minutes: none during the test.
const BUDGETS = JSON.stringify({ decode: { limit: LIMIT, seconds: 86_400 } });
const QUICK = { BUDGETS, COUNTER_FLUSH_SECONDS: "1" };
const ARGS = { text: "v=spf1 -all", kind: "spf" };

const ip = (n) => `203.0.113.${n % CLIENTS}`;
const outcomes = (answers) => {
  const counts = {};
  for (const { body } of answers) counts[body.error ?? "success"] = (counts[body.error ?? "success"] ?? 0) + 1;
  return counts;
};

/** @type {Kv} */
let kv;
before(async () => (kv = await new Kv().start()));
after(() => kv.stop());

test("10,000 calls of 50 clients: limits to the call, one line and one count each, KV written once a flush", async () => {
  const bare = await Bare.start({ kv, vars: QUICK });
  const started = Date.now();
  try {
    const answers = await Promise.all(Array.from({ length: CALLS }, (_, n) => bare.call("decode", ARGS, ip(n))));
    assert.deepEqual(outcomes(answers), { success: CLIENTS * LIMIT, rate_limited: CALLS - CLIENTS * LIMIT });
    for (const { status, headers, body } of answers.filter(({ body }) => body.error)) {
      assert.equal(status, 429);
      assert.ok(body.retryAfter >= 1 && headers["retry-after"] === String(body.retryAfter));
    }
    const counts = await kv.counted("decode", CALLS);
    assert.equal(counts.total, CALLS);
    assert.equal(counts.success, CLIENTS * LIMIT);
    assert.equal(counts.rate_limited, CALLS - CLIENTS * LIMIT);

    const schema = JSON.parse(readFileSync(new URL("../../docs/event.schema.json", import.meta.url), "utf8"));
    const obeys = new Ajv2020({ allErrors: true }).compile(schema);
    const { events } = bare;
    assert.equal(events.length, CALLS);
    assert.equal(new Set(events.map(({ id }) => id)).size, CALLS);
    for (const event of events) assert.ok(obeys(event), JSON.stringify(obeys.errors));
    const seconds = (Date.now() - started) / 1000;
    const perKey = Map.groupBy(kv.writes, ({ key }) => key);
    for (const key of perKey.keys()) assert.match(key, /^(pulse|count\/\d{4}-\d\d-\d\d\/decode)$/);
    for (const [key, writes] of perKey) assert.ok(writes.length <= seconds + 1, `${writes.length} writes of ${key} in ${seconds} s`);
  } finally {
    await bare.stop();
  }
});

test("killed under load and started again: limits still hold, and nothing acknowledged is lost or counted twice", async () => {
  kv.values.clear();
  // Slow enough that what comes in is still on its way when the kill comes.
  const first = await Bare.start({ kv, vars: { ...QUICK, COUNTER_FLUSH_SECONDS: "20" } });
  const acknowledged = 20 * CLIENTS;
  await Promise.all(Array.from({ length: acknowledged }, (_, n) => first.call("decode", ARGS, ip(n))));
  await sleep(3_000); // counts leave the isolate after a quarter second

  let answered = 0;
  const load = Array.from({ length: CALLS / 2 }, (_, n) =>
    first.call("decode", ARGS, ip(n)).then(() => (answered += 1), () => {}),
  );
  while (answered < CALLS / 10) await sleep(5);
  await first.kill();
  await Promise.all(load);

  const second = await Bare.start({ kv, vars: QUICK, folder: first.folder });
  try {
    // Enough to use up every budget: what had been admitted was written down.
    const answers = await Promise.all(Array.from({ length: LIMIT * CLIENTS }, (_, n) => second.call("decode", ARGS, ip(n))));
    const admitted = outcomes(answers).success ?? 0;
    const unacknowledged = admitted - (LIMIT * CLIENTS - acknowledged - answered);
    const least = acknowledged + answers.length;
    const { total } = await kv.settled("decode", least);
    const lost = acknowledged + answered + answers.length - total;
    console.log(`answered and not counted: ${Math.max(lost, 0)} of ${answered} during the kill; spent and not remembered: ${Math.max(unacknowledged, 0)}`);
    assert.ok(admitted <= LIMIT * CLIENTS - acknowledged, `${admitted} admitted beside ${acknowledged} acknowledged`);
    assert.ok(total >= least, `${total} counted of ${least} acknowledged`);
    assert.ok(total <= acknowledged + CALLS / 2 + answers.length, `${total} counted`);
  } finally {
    await second.stop();
  }
});

test("counts that were stored and whose sender never heard of it count once, also when their object ended before they came again", async () => {
  kv.values.clear();
  const message = "0123456789abcdef";
  const first = await Bare.start({ kv, vars: QUICK });
  assert.ok(await first.tell(ip(1), message, counts(3)));
  await first.kill();
  const second = await Bare.start({ kv, vars: QUICK, folder: first.folder });
  try {
    assert.ok(await second.tell(ip(1), message, counts(3)));
    assert.ok(await second.tell(ip(1), message, counts(3)));
    assert.ok(await second.tell(ip(1), "fedcba9876543210", counts(1)));
    assert.equal((await kv.settled("decode", 4)).total, 4);
  } finally {
    await second.stop();
  }
});

test("a target's budget is shared by all clients, and outlives a kill", async () => {
  const resolver = await nowhere(0);
  const vars = { DOH_URL: resolver.url, BUDGETS: '{"target":{"limit":2,"seconds":86400}}' };
  const first = await Bare.start({ kv, vars });
  const analyze = async (bare, target, n) => (await bare.call("analyze", { target }, ip(n))).body.error;
  for (const n of [1, 2]) assert.notEqual(await analyze(first, "lab-good.com", n), "rate_limited");
  assert.equal(await analyze(first, "lab-good.com", 3), "rate_limited");
  await first.kill();
  const second = await Bare.start({ kv, vars, folder: first.folder });
  try {
    assert.equal(await analyze(second, "lab-good.com", 4), "rate_limited");
    assert.notEqual(await analyze(second, "lab-bare.com", 4), "rate_limited");
  } finally {
    await second.stop();
    resolver.stop();
  }
});

test("retryAfter is the truth: a call after it passes, one a second earlier does not", async () => {
  const bare = await Bare.start({ kv, vars: { BUDGETS: '{"decode":{"limit":2,"seconds":6}}' } });
  try {
    const call = () => bare.call("decode", ARGS, "198.51.100.9");
    await Promise.all([call(), call()]);
    const refused = await call();
    const at = Date.now();
    assert.deepEqual([refused.body.error, refused.body.retryAfter], ["rate_limited", 3]);
    await sleep(at + refused.body.retryAfter * 1000 - 1_000 - Date.now());
    const early = await call();
    assert.deepEqual([early.body.error, early.body.retryAfter], ["rate_limited", 1]);
    await sleep(at + refused.body.retryAfter * 1000 - Date.now());
    assert.equal((await call()).status, 200);
  } finally {
    await bare.stop();
  }
});

test("an object that an older version left is brought up to date, with all it held", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  kv.values.clear();
  const first = await Bare.start({ kv, vars: QUICK });
  await Promise.all(Array.from({ length: 20 }, (_, n) => first.call("decode", ARGS, ip(n % 5))));
  assert.equal((await kv.counted("decode", 20)).total, 20);
  await first.kill();

  const stored = { ClientObject: asVersion1Client, TallyObject: asVersion1Tally };
  let batches = 0;
  for (const [name, rewrite] of Object.entries(stored)) {
    const folder = join(first.folder, "storage", `netrecon-${name}`);
    for (const file of readdirSync(folder).filter((file) => /^[0-9a-f]{64}\.sqlite$/.test(file))) {
      const db = new DatabaseSync(join(folder, file));
      batches += rewrite(db);
      db.close();
    }
  }
  assert.equal(batches, 5, "every client had something on its way");

  const second = await Bare.start({ kv, vars: QUICK, folder: first.folder });
  try {
    await Promise.all(Array.from({ length: 5 }, (_, n) => second.call("decode", ARGS, ip(n))));
    assert.equal((await kv.counted("decode", 20 + 5 * 3 + 5)).total, 20 + 5 * 3 + 5);
  } finally {
    await second.stop();
  }
});

/** `n` calls of `decode` today, as objects pass them on. */
function counts(n) {
  const day = new Date().toISOString().slice(0, 10);
  const outcomes = { success: n, validation_rejected: 0, rate_limited: 0, upstream_error: 0, internal_error: 0 };
  return { [day]: { decode: { ...outcomes, latencyMs: { 1: n } } } };
}

/** Takes back what came after version 1, and leaves a batch of three calls under way. */
function asVersion1Client(db) {
  db.exec("DROP TABLE heard; ALTER TABLE outbox DROP COLUMN receiver; DELETE FROM migration WHERE number > 1");
  const batch = db.prepare("INSERT INTO outbox (number, deltas) VALUES (?, ?)");
  batch.run(Date.now(), JSON.stringify(counts(3)));
  return 1;
}

function asVersion1Tally(db) {
  db.exec(`DROP TABLE pending; DROP TABLE outbox; DELETE FROM counter WHERE day = '';
    ALTER TABLE counter DROP COLUMN written_ms; DELETE FROM migration WHERE number > 1`);
  return 0;
}
