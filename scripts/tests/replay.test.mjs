import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { test } from "node:test";
import { callOf } from "../lib/replay.mjs";

const line = (tool, args) => JSON.stringify({ event: "tool_call", v: 1, tool, args });

test("analyze and lookup are called again with what the line tells", () => {
  assert.deepEqual(callOf(line("analyze", { target: "https://lab-good.com/a", detail: "full" })), {
    tool: "analyze",
    args: { target: "https://lab-good.com/a", detail: "full" },
  });
  assert.deepEqual(callOf(`[wrangler:info] ${line("lookup", { name: "lab-good.com", records: ["A", "MX"], unknownArguments: 2 })}`), {
    tool: "lookup",
    args: { name: "lab-good.com", records: ["A", "MX"] },
  });
});

test("what was never written down is not made up", () => {
  for (const [tool, args] of [
    ["decode", { text: { chars: 12 } }],
    ["diff", {}],
    ["analyze", { cut: true }],
    ["analyze", {}],
    ["analyze", { target: `${"a".repeat(120)}…` }],
    ["analyze", { target: { type: "object" } }],
    ["lookup", { name: "lab-good.com", records: ["(13 chars)"] }],
    ["constructor", {}],
  ]) {
    assert.throws(() => callOf(line(tool, args)), /replay: /, `${tool} ${JSON.stringify(args)}`);
  }
  for (const text of ["", "{", "null", "[]", '{"event":"other"}']) assert.throws(() => callOf(text), /not an event line/);
});

test("the call goes to the URL that was asked for, and the answer is printed", async () => {
  const seen = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk)).on("end", () => {
      seen.push(`${request.method} ${request.url} ${body}`);
      response.end('{"ok":true}');
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  try {
    const url = `http://127.0.0.1:${server.address().port}`;
    const replay = ["scripts/lib/replay.mjs", "--url", url];
    const printed = await new Promise((resolve, reject) => {
      const child = execFile(process.execPath, replay, (error, stdout) => (error ? reject(error) : resolve(stdout)));
      child.stdin.end(`${line("lookup", { name: "lab-good.com" })}\n`);
    });
    assert.deepEqual(seen, ['POST /api/lookup {"name":"lab-good.com"}']);
    assert.deepEqual(JSON.parse(printed), { ok: true });
  } finally {
    server.close();
  }
});
