// analyze -> diff -> narrate through the built Worker in the lab: by ids and by pasted
// objects, on both surfaces, for a host whose answer the test changes in between.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "../support/worker.mjs";

const HOST = "stage.lab-http.net";
/** Where the measurements have the header that is taken away. */
const HSTS = /^\/probes\/http\/.+\/strict-?transport-?security$/i;
const HEADERS = { "content-type": "text/html", "x-content-type-options": "nosniff" };

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker?.stop());

async function stage(headers) {
  const body = JSON.stringify({ status: 200, headers, body: "<p>hello" });
  const { status } = await fetch(new URL("/stage", process.env.LAB_CONTROL_URL), { method: "POST", body });
  assert.equal(status, 204);
}

/** What a good call answers; the same on both surfaces. */
async function good(tool, args) {
  const { status, body } = await worker.api(tool, args);
  assert.equal(status, 200, JSON.stringify(body).slice(0, 500));
  const { result } = await worker.mcp(tool, args);
  assert.deepEqual(result.structuredContent, body);
  return body;
}

/** The stored report of an analysis made now. */
async function analyzed(ip) {
  const { status, body } = await worker.api("analyze", { target: `https://${HOST}/` }, { ip });
  assert.equal(status, 200, JSON.stringify(body));
  const stored = await worker.get(`/api/report/${body.id}`);
  assert.equal(stored.status, 200);
  return stored.body;
}

test("a host that changed is compared and told alike by ids, by reports and by the diff", async () => {
  await stage({ ...HEADERS, "strict-transport-security": "max-age=31536000; includeSubDomains" });
  const before = await analyzed("198.51.100.21");
  await stage(HEADERS);
  const after = await analyzed("198.51.100.21");

  const byIds = { before: before.id, after: after.id };
  const diff = await good("diff", byIds);
  assert.deepEqual(await good("diff", { before, after }), diff);
  assert.deepEqual(await good("diff", { before: before.id, after }), diff);
  const lost = diff.changes.filter(({ path }) => HSTS.test(path));
  assert.ok(lost.length > 0 && lost.every(({ kind, after }) => kind === "removed" && after === null));
  assert.ok(lost.some(({ findings }) => findings?.includes("http.hsts")));
  assert.ok(diff.changes.some(({ path, weight }) => path === "/findings/http.hsts" && weight === "regress"));

  const story = await good("narrate", byIds);
  assert.deepEqual(await good("narrate", { before, after }), story);
  assert.deepEqual(await good("narrate", { diff }), story);
  const [first] = story.sentences;
  assert.match(first.text, /^http\.hsts got worse/);
  assert.ok(first.citations.some(({ path }) => HSTS.test(path)));
  const paths = new Set(diff.changes.map(({ path }) => path));
  for (const { citations } of story.sentences) for (const { path } of citations) assert.ok(paths.has(path), path);
});

test("a host that did not change has no changes, though everything that moves by itself moved", async () => {
  await stage({ ...HEADERS, "x-request-id": "one", age: "1", "set-cookie": "sid=one; Path=/; Secure" });
  const before = await analyzed("198.51.100.22");
  await stage({ ...HEADERS, "x-request-id": "two", age: "9", "set-cookie": "sid=two; Path=/; Secure" });
  const after = await analyzed("198.51.100.23");
  const diff = await good("diff", { before: before.id, after: after.id });
  assert.deepEqual(diff.changes, []);
  assert.equal(diff.equal, true);
  assert.equal((await good("narrate", { before: before.id, after: after.id })).summary, "Nothing changed.");
});

test("an id that nobody was given opens nothing", async () => {
  const report = await analyzed("198.51.100.24");
  const other = `${report.id.slice(0, -1)}${report.id.endsWith("a") ? "b" : "a"}`;
  for (const id of [other, "a".repeat(26), report.id.toUpperCase()]) {
    assert.equal((await worker.get(`/api/report/${id}`)).status, 404, id);
  }
  const { status, body } = await worker.api("diff", { before: report.id, after: other });
  assert.deepEqual([status, body.error, body.field], [404, "not_found", "after"]);
});

test("a report is gone when it said it would be", async () => {
  const brief = await Worker.start({ vars: { REPORT_TTL_SECONDS: "2" } });
  try {
    const { body } = await brief.api("analyze", { target: `https://${HOST}/` });
    await sleep(Math.max(0, Date.parse(body.expiresAt) - Date.now()) + 1_500);
    assert.equal((await brief.get(`/api/report/${body.id}`)).status, 404);
    const gone = await brief.api("diff", { before: body.id, after: body.id });
    assert.deepEqual([gone.status, gone.body.error, gone.body.field], [404, "not_found", "before"]);
  } finally {
    await brief.stop();
  }
});
