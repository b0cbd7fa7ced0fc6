// The official conformance suite against the built Worker, once per revision it
// scores. A baseline file names what a server with nothing but read-only tools cannot be
// asked, each entry with its reason; the suite fails on any other failure or warning, and
// also on an entry that passes, so a baseline can only shrink.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Worker } from "./support/worker.mjs";

const SUITE = "node_modules/@modelcontextprotocol/conformance/dist/index.js";
const BASELINES = "tests/e2e/conformance";

/** @type {Worker} */
let worker;
before(async () => {
  // The suite calls as one client, more often than one client may.
  const plenty = { limit: 100_000, seconds: 1 };
  const tools = ["analyze", "lookup", "decode", "diff", "narrate"];
  const BUDGETS = JSON.stringify(Object.fromEntries(tools.map((tool) => [tool, plenty])));
  worker = await Worker.start({ vars: { BUDGETS } });
});
after(() => worker?.stop());

for (const revision of ["2026-07-28", "2025-11-25"]) {
  test(`what revision ${revision} requires holds, but for the listed scenarios`, async () => {
    const baseline = join(BASELINES, `${revision}.yml`);
    const { code, output } = await suite("--requirements", revision, "--expected-failures", baseline);
    assert.equal(code, 0, output);
    assert.match(output, /server-initialize|server-stateless/, "the suite ran");
  });
}

test("header fields are held against the body as the pending scenario asks", async () => {
  const { code, output } = await suite("--scenario", "http-header-validation", "--spec-version", "2026-07-28");
  assert.equal(code, 0, output);
});

for (const scenario of ["server-initialize", "ping", "tools-list"]) {
  test(`${scenario} holds for revision 2025-06-18`, async () => {
    const { code, output } = await suite("--scenario", scenario, "--spec-version", "2025-06-18");
    assert.equal(code, 0, output);
  });
}

test("every baseline entry says why it is there", () => {
  for (const revision of ["2026-07-28", "2025-11-25"]) {
    const lines = readFileSync(join(BASELINES, `${revision}.yml`), "utf8").split("\n");
    const entries = lines.filter((line) => /^\s+- /.test(line));
    assert.ok(entries.length > 0);
    for (const entry of entries) assert.match(entry, / # \S.{10,}$/, entry);
  }
});

/** Runs the suite's server mode; answers its exit code and what it said. */
async function suite(...args) {
  const results = mkdtempSync(join(tmpdir(), "netrecon-conformance-"));
  const command = [SUITE, "server", "--url", `${worker.url}/mcp`, "-o", results, ...args];
  const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  rmSync(results, { recursive: true, force: true });
  return { code, output };
}
