// A client's object that has been silent for long enough deletes all that it knows. Its
// alarm may ring for that at any moment, also while a message of counts is on its way in.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv } from "./support/bare.mjs";

const CLIENT = "203.0.113.1";
const VARS = { COUNTER_FLUSH_SECONDS: "1" };

test("an object that lets go of its tables while a message is read takes the message in all the same", async () => {
  const kv = await new Kv().start();
  const first = await Bare.start({ kv, vars: VARS });
  assert.ok(await first.tell(CLIENT, "0123456789abcdef", counts(3)));
  assert.equal((await kv.counted("decode", 3)).total, 3);
  await first.kill();
  const storage = join(first.folder, "storage", "netrecon-ClientObject");
  const at = Date.now() + 5_000;
  ringAt(storage, at);

  const second = await Bare.start({ kv, vars: VARS, folder: first.folder });
  try {
    const message = slow(`${second.door}/count/fedcba9876543210?client=${CLIENT}`, JSON.stringify(counts(2)));
    await sleep(500); // half of it is there, and the object awake
    assert.deepEqual(tables(storage), ["budget", "heard", "migration", "outbox", "pending"]);
    assert.ok(Date.now() < at, "the message began before the alarm");
    // Seldom, and not while it is due: who reads the file as workerd empties it may be in its way.
    await sleep(at + 1_500 - Date.now());
    for (let waited = 0; tables(storage).length > 0 && waited < 15_000; waited += 2_500) await sleep(2_500);
    assert.deepEqual(tables(storage), [], "the alarm let go of everything");
    assert.equal(await message.end(), 200, second.lines.join("\n"));
    assert.ok(!/no such table/.test(second.lines.join("\n")));
    assert.equal((await kv.counted("decode", 5)).total, 5);
  } finally {
    await second.stop();
    await kv.stop();
  }
});

/** `n` calls of `decode` today, as isolates pass them on. */
function counts(n) {
  const day = new Date().toISOString().slice(0, 10);
  const outcomes = { success: n, validation_rejected: 0, rate_limited: 0, upstream_error: 0, internal_error: 0 };
  return { [day]: { decode: { ...outcomes, latencyMs: { 1: n } } } };
}

/** Brings the only object's alarm forward: it would ring after ten silent minutes. workerd
 * keeps the time in nanoseconds, in the object's storage and in the namespace's. */
function ringAt(storage, ms) {
  const at = BigInt(ms) * 1_000_000n;
  for (const [file, statement] of [
    [objectIn(storage), "UPDATE _cf_METADATA SET value = ? WHERE key = 1"],
    [join(storage, "metadata.sqlite"), "UPDATE _cf_ALARM SET scheduled_time = ?"],
  ]) {
    const db = new DatabaseSync(file);
    assert.equal(db.prepare(statement).run(at).changes, 1);
    db.close();
  }
}

function objectIn(storage) {
  const [file, ...more] = readdirSync(storage).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  assert.deepEqual(more, []);
  return join(storage, file);
}

/** The object's own tables. */
function tables(storage) {
  const db = new DatabaseSync(objectIn(storage), { readOnly: true });
  try {
    const all = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    return all.map(({ name }) => name).filter((name) => !name.startsWith("_cf_"));
  } finally {
    db.close();
  }
}

/** A POST of which half has been sent; `end` sends the rest and answers the status. */
function slow(url, text) {
  const half = text.length >> 1;
  const outgoing = request(url, { method: "POST" });
  const status = new Promise((resolve, reject) => {
    outgoing.on("error", reject).on("response", (response) => response.resume().on("end", () => resolve(response.statusCode)));
  });
  outgoing.write(text.slice(0, half));
  return { end: () => (outgoing.end(text.slice(half)), status) };
}
