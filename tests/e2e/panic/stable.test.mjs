// The build of stable Rust, which a machine without nightly gets: it answers like the other as
// long as nothing panics. A panic ends the calls under way, and what comes next finds a new instance.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv, nowhere } from "../support/bare.mjs";

let kv, resolver, bare, url;
before(async () => {
  kv = await new Kv().start();
  resolver = await nowhere(1_500);
  const vars = { DOH_URL: resolver.url, COUNTER_FLUSH_SECONDS: "1" };
  bare = await Bare.start({ kv, dir: "build/panic-injection-stable", vars });
  url = `http://localhost:${bare.port}`;
});
after(async () => {
  await bare?.stop();
  resolver?.stop();
  await kv?.stop();
});

/** A call of the JSON API: its status and whatever text came back. */
async function call(tool, args, ip) {
  const headers = { "content-type": "application/json", "cf-connecting-ip": ip };
  const response = await fetch(`${url}/api/${tool}`, { method: "POST", headers, body: JSON.stringify(args) });
  return { status: response.status, text: await response.text() };
}

/** A message of MCP: what it says of the one revision in which all stands in the body. */
async function mcp(method, params = {}) {
  const headers = { "content-type": "application/json", "cf-connecting-ip": "198.51.100.1" };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  return (await fetch(`${url}/mcp`, { method: "POST", headers, body })).text();
}

/** What every instance answers alike, and keeps. */
const constants = async () => [await mcp("tools/list"), await (await fetch(`${url}/api/tools`)).text()];

test("all five tools answer over both surfaces", async () => {
  const diff = { changes: [{ path: "/probes/tls/alpn", kind: "changed", before: "http/1.1", after: "h2", weight: "churn" }] };
  for (const [tool, args, status, said] of [
    ["decode", { text: "v=spf1 -all" }, 200, '"kind":"spf"'],
    ["lookup", { name: "lab-good.com", records: ["A"] }, 200, '"status":"nx_domain"'],
    ["analyze", { target: "lab-good.com" }, 403, '"reason":"resolution"'],
    ["diff", { before: "x".repeat(26), after: "y".repeat(26) }, 404, '"error":"not_found"'],
    ["narrate", { diff }, 200, '"sentences":[{'],
  ]) {
    const answer = await call(tool, args, "198.51.100.1");
    assert.equal(answer.status, status, answer.text);
    assert.ok(answer.text.includes(said), answer.text);
    const { result } = JSON.parse(await mcp("tools/call", { name: tool, arguments: args }));
    assert.equal(result.isError, status !== 200);
    assert.ok(result.content[0].text.includes(said), result.content[0].text);
  }
  assert.equal(bare.events.length, 10);
});

test("a panic ends the calls under way, and the next finds all as it was", async () => {
  const asked = await constants();
  for (let round = 1; round <= 3; round++) {
    const beside = [1, 2, 3].map((n) => call("lookup", { name: `lab-${round}${n}.com`, records: ["A"] }, `198.51.100.${n}`));
    await sleep(300);
    const ended = await Promise.all([call("decode", { text: "panic at work" }, "198.51.100.9"), ...beside]);
    assert.deepEqual(ended.map(({ status }) => status), [500, 500, 500, 500]);
    assert.ok(!JSON.stringify(ended).includes("a test asked for it"), "the caller is not told");

    assert.deepEqual(await constants(), asked);
    const answer = await call("decode", { text: "v=spf1 -all" }, "198.51.100.9");
    assert.equal(answer.status, 200, answer.text);
  }
  const { total, success } = await kv.counted("decode", 5);
  assert.deepEqual({ total, success }, { total: 5, success: 5 }, "what panicked is neither on record nor counted");
});
