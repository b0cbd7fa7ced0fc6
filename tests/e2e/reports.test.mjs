// Where reports are kept: shelves, each a Durable Object with a row per report. Nobody is
// told what is over, and a sweep deletes it; a shelf with nothing left lets go of all it has.

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv } from "./support/bare.mjs";

/** Thirty-two shelves, by an id's first character. */
const id = (first, rest) => first + rest.repeat(25);
const [ONE, OTHER, ELSEWHERE] = [id("a", "b"), id("a", "c"), id("b", "b")];

test("a shelf keeps many reports and tells each under its own id alone", async () => {
  await onShelves(async (worker) => {
    for (const [which, name] of [[ONE, "one"], [OTHER, "other"], [ELSEWHERE, "elsewhere"]]) {
      assert.equal(await worker.put(which, `{"name":"${name}"}`, Date.now() + 60_000), 204);
    }
    assert.deepEqual(shelves(worker).map(rows).sort(), [1, 2]);
    for (const [which, name] of [[ONE, "one"], [OTHER, "other"], [ELSEWHERE, "elsewhere"]]) {
      assert.deepEqual(await worker.report(which), [200, { name }]);
    }
    for (const wrong of [id("a", "d"), ONE.replace(/b$/, "c"), `${ONE.slice(0, 25)}%25`]) {
      assert.equal((await worker.report(wrong))[0], 404, wrong);
    }
  });
});

test("asking for what nobody stored makes no shelf's tables", async () => {
  await onShelves(async (worker) => {
    for (const first of "abcdefgh") assert.equal((await worker.report(id(first, "z")))[0], 404);
    assert.deepEqual(shelves(worker).flatMap(tables), []);
  });
});

test("what is over is not told, is swept away, and an empty shelf lets go of its tables", async () => {
  const kv = await new Kv().start();
  const first = await Shelves.start({ kv });
  const now = Date.now();
  await first.put(ONE, '{"name":"over"}', now + 500);
  await first.put(OTHER, '{"name":"kept"}', now + 3_600_000);
  await first.put(ELSEWHERE, '{"name":"over"}', now + 500);
  await sleep(now + 600 - Date.now());
  for (const over of [ONE, ELSEWHERE]) assert.equal((await first.report(over))[0], 404);
  assert.deepEqual(shelves(first).map(rows).sort(), [1, 2], "they are told no longer and there still");
  await first.kill();
  const files = shelves(first);
  for (const file of files) assert.ok(alarmOf(file) - now <= 60_600 && alarmOf(file) > now, "the sweep is set within the minute");
  ringAt(first, files, Date.now() + 3_000);

  const second = await Shelves.start({ kv, folder: first.folder });
  try {
    const swept = () => files.map((file) => (tables(file).length === 0 ? "nothing" : rows(file))).sort();
    for (let waited = 0; swept().join() !== "1,nothing" && waited < 15_000; waited += 2_500) await sleep(2_500);
    assert.deepEqual(swept(), [1, "nothing"], second.lines.join("\n"));
    assert.deepEqual(await second.report(OTHER), [200, { name: "kept" }]);
    assert.equal(await second.put(ELSEWHERE, '{"name":"again"}', Date.now() + 60_000), 204, "a shelf that let go begins anew");
    assert.deepEqual(await second.report(ELSEWHERE), [200, { name: "again" }]);
  } finally {
    await second.stop();
    await kv.stop();
  }
});

test("an object of a single report, as earlier versions made them, is deleted by its alarm", async () => {
  const kv = await new Kv().start();
  const first = await Shelves.start({ kv });
  // The alarm of a shelf stands for its own: only what it finds differs.
  await first.put(ONE, '{"name":"new"}', Date.now() + 3_600_000);
  await first.kill();
  const [file] = shelves(first);
  const db = new DatabaseSync(file);
  db.exec(`DROP TABLE kept; DELETE FROM migration WHERE number > 1;
    CREATE TABLE report (json TEXT NOT NULL, expires_ms INTEGER NOT NULL);
    INSERT INTO report VALUES ('{"name":"old"}', 1)`);
  db.close();
  ringAt(first, [file], Date.now() + 3_000);

  const second = await Shelves.start({ kv, folder: first.folder });
  try {
    assert.equal((await second.report(ONE))[0], 404);
    for (let waited = 0; tables(file).length > 0 && waited < 15_000; waited += 2_500) await sleep(2_500);
    assert.deepEqual(tables(file), [], second.lines.join("\n"));
  } finally {
    await second.stop();
    await kv.stop();
  }
});

/** workerd with the built Worker, and with a door to its shelves. */
class Shelves extends Bare {
  /** Stores a report as the Worker itself does; its status. */
  async put(which, json, expiresMs) {
    const url = `${this.door}/${which}/${expiresMs}?shelf=shelf:${which[0]}`;
    return (await fetch(url, { method: "POST", body: json })).status;
  }

  /** What `/api/report` says of an id: status and body. */
  async report(which) {
    const response = await fetch(`http://127.0.0.1:${this.port}/api/report/${which}`);
    return [response.status, await response.json()];
  }
}

async function onShelves(work) {
  const kv = await new Kv().start();
  const worker = await Shelves.start({ kv });
  try {
    await work(worker);
  } finally {
    await worker.stop();
    await kv.stop();
  }
}

function storageOf(worker) {
  return join(worker.folder, "storage", "netrecon-ReportObject");
}

/** The files of all shelves that exist. */
function shelves(worker) {
  const folder = storageOf(worker);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => /^[0-9a-f]{64}\.sqlite$/.test(name));
  return files.map((name) => join(folder, name));
}

function read(file, query) {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return db.prepare(query).all();
  } finally {
    db.close();
  }
}

function tables(file) {
  const all = read(file, "SELECT name FROM sqlite_master WHERE type = 'table'");
  return all.map(({ name }) => name).filter((name) => !name.startsWith("_cf_"));
}

function rows(file) {
  return read(file, "SELECT COUNT(*) AS n FROM kept")[0].n;
}

/** When a shelf's alarm rings, in milliseconds. */
function alarmOf(file) {
  return Number(read(file, "SELECT CAST(value AS TEXT) AS value FROM _cf_METADATA WHERE key = 1")[0].value.slice(0, -6));
}

/** Brings the alarms forward. workerd keeps their times in nanoseconds, in the object's
 * storage and in the namespace's. */
function ringAt(worker, files, ms) {
  const at = BigInt(ms) * 1_000_000n;
  const all = files.map((file) => [file, "UPDATE _cf_METADATA SET value = ? WHERE key = 1"]);
  for (const [file, statement] of [...all, [join(storageOf(worker), "metadata.sqlite"), "UPDATE _cf_ALARM SET scheduled_time = ?"]]) {
    const db = new DatabaseSync(file);
    assert.ok(db.prepare(statement).run(at).changes >= 1, file);
    db.close();
  }
}
