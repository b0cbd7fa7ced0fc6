// Arguments from each tool's own schema, and their near misses, thrown at the built Worker over
// both surfaces. Whatever comes in ends in a success that obeys the output schema or in a typed
// error, is one event and one count. Run by `scripts/test attack`; FUZZ_SEED repeats a run,
// FUZZ_CALLS makes it longer.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import Ajv2020 from "ajv/dist/2020.js";
import { ROOT } from "../../scripts/lib/shell.mjs";
import { Worker } from "../e2e/support/worker.mjs";

const VENV = join(ROOT, ".venv", "bin");
const SEED = process.env.FUZZ_SEED ?? String(Math.floor(Math.random() * 1e9));
const CALLS = Number(process.env.FUZZ_CALLS ?? 20_000);
const AT_ONCE = 16;
const UNLIMITED = { limit: 1_000_000, seconds: 60 };
/** A body of more bytes is refused unread, so nobody knows which tool it would have named. */
const BODY_CAP = 256 * 1024;
const NAMES = ["analyze", "lookup", "decode", "diff", "narrate", "target"];
const VARS = {
  BUDGETS: JSON.stringify(Object.fromEntries(NAMES.map((name) => [name, UNLIMITED]))),
  COUNTER_FLUSH_SECONDS: "1",
};

/** DESIGN's codes and their statuses; what an admitted call with odd arguments may end in. */
const STATUS = {
  invalid_input: 400,
  target_refused: 403,
  payload_too_large: 413,
  not_found: 404,
  upstream_error: 502,
  upstream_timeout: 504,
};

const skip = existsSync(join(VENV, "mcp-fuzzer")) ? false : "no Python environment: scripts/test python makes it";

/** @type {Worker} */
let worker;
before(async () => {
  if (!skip) worker = await Worker.start({ vars: VARS });
});
after(() => worker?.stop());

test(`${CALLS} calls in and near each schema end in what the contract says (seed ${SEED})`, { skip, timeout: 600_000 }, async () => {
  const { tools } = (await rpc("tools/list", {})).result;
  const ajv = new Ajv2020({ strict: false, formats: { "date-time": true, uri: true }, validateFormats: false });
  const obeys = new Map(tools.map((tool) => [tool.name, ajv.compile(tool.outputSchema)]));
  const generator = spawn(join(VENV, "python"), ["tests/attack/generate.py", SEED, String(CALLS)], { cwd: ROOT });
  generator.stderr.pipe(process.stderr);
  generator.stdin.end(JSON.stringify({ tools }));

  const tally = new Map();
  let made = 0;
  let unread = 0;
  const waiting = new Set();
  for await (const line of createInterface({ input: generator.stdout })) {
    const call = JSON.parse(line);
    const surface = (made += 1) % 2 ? overMcp : overApi;
    const work = surface(call)
      .then((outcome) => {
        assertContract(call, outcome, obeys.get(call.tool));
        if (outcome.unread) unread += 1;
        const key = `${call.tool} ${outcome.error?.error ?? "success"}`;
        tally.set(key, (tally.get(key) ?? 0) + 1);
      })
      .finally(() => waiting.delete(work));
    waiting.add(work);
    if (waiting.size >= AT_ONCE) await Promise.race(waiting);
  }
  await Promise.all(waiting);
  console.log(Object.fromEntries([...tally].sort()));
  assert.ok(made >= CALLS, `${made} calls were made`);
  made -= unread;
  for (const { name } of tools) {
    assert.ok([...tally.keys()].some((key) => key === `${name} invalid_input`), `${name} refused something`);
  }

  const events = await worker.eventsOf(made);
  assert.equal(events.length, made, "one event for every call");
  assert.deepEqual(events.filter(({ outcome }) => outcome === "internal_error"), []);
  const { sum, tools: counted } = await worker.countsOf(made);
  assert.equal(sum, made, "one count for every call");
  const told = (tool, outcome) => events.filter((event) => event.tool === tool && event.outcome === outcome).length;
  for (const { name } of tools) {
    const days = Object.values(counted[name]);
    for (const outcome of ["success", "validation_rejected", "upstream_error"]) {
      const total = days.reduce((n, day) => n + day[outcome], 0);
      assert.equal(total, told(name, outcome), `${name} ${outcome}: counters and events agree`);
    }
  }
});

// Its protocol mode ends with a fault of its own (0.7.0) once it has sent what it has; what it
// makes of the answers is no oracle, what the Worker wrote down is.
const MODES = [
  ["tools", ["--phase", "both", "--runs", "40"]],
  ["protocol", ["--protocol-phase", "aggressive", "--runs-per-type", "10", "--no-spec-guard"]],
];

for (const [mode, options] of MODES) {
  test(`mcp-fuzzer in ${mode} mode finds nothing that ends untyped`, { skip, timeout: 300_000 }, async () => {
    const already = worker.events.length;
    const printed = worker.output.length;
    const out = join(ROOT, "tests", ".out", "mcp-fuzzer");
    const args = [
      ...["--mode", mode, ...options, "--seed", String(Number(SEED) % 2 ** 31), "--timeout", "20"],
      ...["--protocol", "streamablehttp", "--endpoint", `${worker.url.replace("localhost", "127.0.0.1")}/mcp`],
      ...["--no-network", "--allow-host", "127.0.0.1", "--output-dir", out, "--fs-root", join(out, "root")],
      ...["--log-level", "CRITICAL", "--fail-if-no-tools"],
    ];
    const fuzzer = spawn(join(VENV, "mcp-fuzzer"), args, { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [fuzzer.stdout, fuzzer.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
    const code = await new Promise((resolve) => fuzzer.on("close", resolve));
    assert.equal(code, 0, said.slice(-3_000));
    if (mode === "tools") {
      assert.match(said, / 0 crashes/);
      assert.doesNotMatch(said, /[1-9]\d* (?:transport\/protocol anomalies|crashes)/, said.slice(-3_000));
    }
    const events = (await worker.eventsOf(already + 1)).slice(already);
    assert.ok(events.length >= (mode === "tools" ? 100 : 1), `${events.length} calls reached a tool`);
    assert.deepEqual(events.filter(({ outcome }) => outcome === "internal_error"), []);
    const answers = [...worker.output.slice(printed).matchAll(/ \/mcp\S* (\d{3})/g)].map(([, status]) => Number(status));
    assert.ok(answers.length > 20, `${answers.length} answers`);
    assert.deepEqual(answers.filter((status) => status >= 500), []);
  });
}

function assertContract(call, { status, error, success }, obeys) {
  const told = () => `${JSON.stringify(call).slice(0, 600)} ended in ${status} ${JSON.stringify(error ?? success).slice(0, 600)}`;
  if (error) {
    assert.ok(error.error in STATUS, told());
    if (status !== 200) assert.equal(status, STATUS[error.error], told());
    assert.ok(error.message.length > 20, told());
    if (error.error === "invalid_input") assert.equal(typeof error.field, "string", told());
    if (error.error === "target_refused") assert.match(error.reason, /^[a-z_]+$/, told());
    return;
  }
  assert.equal(status, 200, told());
  assert.ok(obeys(success), `${JSON.stringify(obeys.errors)} in ${told()}`);
}

async function overApi({ tool, arguments: args }) {
  const { status, body } = await worker.api(tool, args);
  return typeof body.error === "string" ? { status, error: body } : { status, success: body };
}

async function overMcp({ tool, arguments: args }) {
  const { status, result, error, message } = await worker.mcp(tool, args);
  if (status === STATUS.payload_too_large) {
    const bytes = Buffer.byteLength(JSON.stringify(args));
    assert.ok(bytes > BODY_CAP - 1_000, `${bytes} bytes are too many`);
    return { status, error: { error, message }, unread: true };
  }
  assert.equal(error, undefined, `${JSON.stringify(error)} for ${JSON.stringify(args).slice(0, 300)}`);
  const text = JSON.parse(result.content[0].text);
  if (result.isError) {
    assert.equal(result.structuredContent, undefined);
    return { status, error: text };
  }
  assert.deepEqual(result.structuredContent, text, "the text is the structured content");
  return { status, success: result.structuredContent };
}

async function rpc(method, params) {
  const response = await fetch(`${worker.url}/mcp`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });
  return response.json();
}
