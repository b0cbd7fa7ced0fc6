// The gate in the built Worker: budgets, events and counts with real Durable Objects
// and KV. Nothing here needs a network: every target is refused before anything goes out.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Worker } from "./support/worker.mjs";

const REFUSED = { target: "http://127.0.0.1/" };
const today = () => new Date().toISOString().slice(0, 10);

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start({ vars: { COUNTER_FLUSH_SECONDS: "1" } })));
after(() => worker.stop());

for (const [first, second] of [["mcp", "api"], ["api", "mcp"]]) {
  test(`the 11th analyze in a minute is refused when ${first} spent the first ten, on both surfaces`, async () => {
    const ip = first === "mcp" ? "198.51.100.10" : "198.51.100.11";
    for (let n = 0; n < 10; n += 1) {
      const { status, body, result } = await worker[first]("analyze", REFUSED, { ip });
      const error = first === "mcp" ? JSON.parse(result.content[0].text) : body;
      assert.equal(error.error, "target_refused", `call ${n + 1} of ${first}`);
      assert.equal(status, first === "mcp" ? 200 : 403);
    }
    for (const surface of [second, first]) {
      const { status, headers, body, result } = await worker[surface]("analyze", REFUSED, { ip });
      const error = surface === "mcp" ? JSON.parse(result.content[0].text) : body;
      assert.equal(error.error, "rate_limited");
      assert.ok(Number.isInteger(error.retryAfter) && error.retryAfter >= 1 && error.retryAfter <= 6);
      assert.equal(headers.get("retry-after"), String(error.retryAfter));
      assert.match(headers.get("ratelimit-policy"), /^"analyze";q=10;w=60$/);
      assert.match(headers.get("ratelimit"), /^"analyze";r=0;t=\d+$/);
      if (surface === "mcp") assert.equal(result.isError, true);
      assert.equal(status, surface === "mcp" ? 200 : 429);
      if (surface === "api") assert.equal(headers.get("content-type"), "application/problem+json");
    }
  });
}

test("calls made at one instant are admitted exactly up to the limit", async () => {
  const ip = "198.51.100.12";
  const calls = Array.from({ length: 40 }, (_, n) => worker[n % 2 ? "api" : "mcp"]("analyze", REFUSED, { ip }));
  const answers = await Promise.all(calls);
  const codes = answers.map(({ body, result }) => (body ?? JSON.parse(result.content[0].text)).error);
  assert.equal(codes.filter((code) => code === "target_refused").length, 10);
  assert.equal(codes.filter((code) => code === "rate_limited").length, 30);
});

test("one IPv6 /64 is one caller, and a mapped address is the IPv4 it maps", async () => {
  const spend = async (ips, n) => {
    for (let i = 0; i < n; i += 1) await worker.api("analyze", REFUSED, { ip: ips[i % ips.length] });
    return (await worker.api("analyze", REFUSED, { ip: ips[0] })).body.error;
  };
  assert.equal(await spend(["2001:db8:9:9::1", "2001:db8:9:9:ffff::2"], 10), "rate_limited");
  assert.equal(await spend(["198.51.100.13", "::ffff:198.51.100.13"], 10), "rate_limited");
});

test("the client's object tells an agent that runs in circles, on both surfaces, and nobody else", async () => {
  const told = async (surface, target, ip) => {
    const { body, result } = await worker[surface]("analyze", { target }, { ip });
    return (body ?? JSON.parse(result.content[0].text)).message;
  };
  const ip = "198.51.100.14";
  const first = await told("api", "http://127.0.0.1/", ip);
  assert.equal(await told("mcp", "http://127.0.0.1:80/", ip), first);
  const third = await told("api", "http://127.0.0.1/a", ip);
  assert.ok(third.startsWith(first) && third.includes("The last 3 inputs were alike"), third);
  assert.equal(await told("api", "http://127.0.0.1/", "198.51.100.15"), first);
  assert.equal(worker.events.filter(({ alike, client }) => alike === 3 && client.ip === ip).length, 1);
});

test("health tells indicators, rates and how old they are", async () => {
  await worker.api("no_such_tool", {});
  await worker.countsOf(1);
  const { body } = await worker.get("/api/health");
  assert.deepEqual(body.stores, { kv: "ok", tally: "ok" });
  assert.ok(body.flush.ageSeconds < 60 && Number.isInteger(body.flush.due), JSON.stringify(body.flush));
  assert.ok(body.guard.address > 0, JSON.stringify(body.guard));
  const of = Object.fromEntries(body.indicators.map((indicator) => [indicator.id, indicator]));
  assert.ok(of.probing.value > 0 && of.probing.history.length === 1, JSON.stringify(of.probing));
  assert.ok(of["rejections.analyze"].why.endsWith("."));
  assert.ok(body.rates.analyze[today()].rejectionRate > 0);
});

test("scripts/tail reads what the Worker wrote, and sums it up", () => {
  const file = join(worker.state, "console.txt");
  writeFileSync(file, worker.output);
  const { status, stdout, stderr } = spawnSync("scripts/tail", ["--summary", file], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  const lines = stdout.split("\n");
  assert.equal(lines.filter((line) => / (api|mcp) analyze /.test(line)).length, worker.events.length);
  assert.ok(lines.some((line) => line.includes("LOOP of 3 from 198.51.100.14")), stdout);
  assert.ok(lines.some((line) => /^quiet {2}rejections\.analyze /.test(line)), stdout);
  assert.ok(lines.some((line) => /^client [0-9a-f]{16} looped in /.test(line)), stdout);
});

test("waiting as long as retryAfter says lets the next call pass", async () => {
  const other = await Worker.start({ vars: { BUDGETS: '{"decode":{"limit":2,"seconds":4}}' } });
  try {
    const call = () => other.api("decode", { text: '{"a":1}' });
    await Promise.all([call(), call()]);
    const refused = await call();
    assert.equal(refused.body.error, "rate_limited");
    await new Promise((resolve) => setTimeout(resolve, refused.body.retryAfter * 1000));
    assert.equal((await call()).status, 200);
  } finally {
    await other.stop();
  }
});

test("a budget is remembered by the object's storage across a kill", async () => {
  const first = await Worker.start();
  for (let n = 0; n < 10; n += 1) await first.api("analyze", REFUSED);
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // write-behind
  await first.kill();
  const second = await Worker.start({ state: first.state });
  try {
    // A refill every six seconds: of ten spent, at least six are still gone.
    const codes = [];
    for (let n = 0; n < 10; n += 1) codes.push((await second.api("analyze", REFUSED)).body.error);
    assert.ok(codes.includes("rate_limited"), codes.join(" "));
  } finally {
    await second.stop();
  }
});

test("every call is one event line and one count, whatever became of it", async () => {
  const fresh = await Worker.start({ vars: { COUNTER_FLUSH_SECONDS: "1", BUDGETS: '{"lookup":{"limit":3,"seconds":3600}}' } });
  try {
    const ip = "203.0.113.77";
    await fresh.api("decode", { text: '{"a":1}' }, { ip });
    await fresh.mcp("decode", { text: '{"a":1}' }, { ip });
    await fresh.api("decode", "not json", { ip });
    await fresh.mcp("decode", { wrong: 1 }, { ip });
    for (let n = 0; n < 5; n += 1) await fresh.mcp("lookup", { name: "" }, { ip });
    await fresh.api("analyze", { target: "https://user:s3cret@127.0.0.1/?t=s3cret#s3cret" }, { ip });
    await fresh.api("nothing_like_it", {}, { ip });

    const events = await fresh.eventsOf(10);
    const outcomes = events.map(({ surface, tool, outcome }) => `${surface} ${tool} ${outcome}`).sort();
    assert.deepEqual(outcomes, [
      "api analyze validation_rejected",
      "api decode success",
      "api decode validation_rejected",
      "mcp decode success",
      "mcp decode validation_rejected",
      "mcp lookup rate_limited",
      "mcp lookup rate_limited",
      "mcp lookup validation_rejected",
      "mcp lookup validation_rejected",
      "mcp lookup validation_rejected",
    ]);
    assert.ok(!fresh.output.includes("s3cret"));
    assert.ok(events.every(({ client }) => client.ip === ip));
    assert.equal(events.filter(({ client }) => client.name === "e2e").length, 7);

    const { sum, tools } = await fresh.countsOf(10);
    assert.equal(sum, 10);
    const { latencyMs, ...decode } = tools.decode[today()];
    assert.deepEqual(decode, { success: 2, validation_rejected: 2, rate_limited: 0, upstream_error: 0, internal_error: 0 });
    assert.equal(Object.values(latencyMs).reduce((a, b) => a + b), 4);
    assert.equal(tools.lookup[today()].rate_limited, 2);
  } finally {
    await fresh.stop();
  }
});

test("counts that were acknowledged survive a kill and are counted once", async () => {
  const first = await Worker.start({ vars: { COUNTER_FLUSH_SECONDS: "2" } });
  for (let n = 0; n < 25; n += 1) await first.api("decode", { text: '{"a":1}' }, { ip: `203.0.113.${n % 5}` });
  await new Promise((resolve) => setTimeout(resolve, 1_000)); // gathered and acknowledged
  await first.kill();
  const second = await Worker.start({ state: first.state, vars: { COUNTER_FLUSH_SECONDS: "1" } });
  try {
    // Waking the objects is enough: what they hold goes on by alarm.
    for (let n = 0; n < 5; n += 1) await second.api("decode", { text: '{"a":1}' }, { ip: `203.0.113.${n}` });
    assert.equal((await second.countsOf(30)).sum, 30);
  } finally {
    await second.stop();
  }
});

test("a Host that is not ours gets 403 naming the variable, and liveness needs nothing", async () => {
  const { request } = await import("node:http");
  const status = (host, path) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: "127.0.0.1", port: worker.port, path, headers: { host } }, (response) => {
        let body = "";
        response.on("data", (chunk) => (body += chunk));
        response.on("end", () => resolve({ status: response.statusCode, body }));
      });
      sent.on("error", reject).end();
    });
  const evil = await status("evil.example.com", "/api/tools");
  assert.equal(evil.status, 403);
  assert.match(evil.body, /PUBLIC_HOST/);
  assert.deepEqual(await status("evil.example.com", "/livez"), { status: 200, body: "ok" });
});

test("a bad variable stops the Worker with its name", async () => {
  const broken = await Worker.start({ vars: { PROBE_PORTS: "25" }, misconfigured: true });
  try {
    const { status, body } = await broken.get("/api/tools");
    assert.equal(status, 503);
    assert.match(body.message, /PROBE_PORTS/);
  } finally {
    await broken.stop();
  }
});
