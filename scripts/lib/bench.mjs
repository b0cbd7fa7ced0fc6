// How fast the Worker is, as ratios: in one run, round by round in turn, the same
// load goes to the Worker, to a bare Worker in JavaScript and to a bare one in Rust
// (bench/). Absolute numbers belong to a machine and an hour; the ratios travel.

import autocannon from "autocannon";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { build, buildCrate } from "./build.mjs";
import { endGroup } from "./group.mjs";
import { Failure, say, script } from "./shell.mjs";
import { startWorkerd } from "./workerd.mjs";

const HELP = `Usage: scripts/bench [--rounds N] [--seconds N] [--row NAME]...

Prints a table of median requests/s and ratios, the script's size and the time from
start to the first answer.

  --rounds N    rounds over all rows (default 5)
  --seconds N   seconds per measurement (default 2)
  --row NAME    only this row (livez, tools/list, decode, lookup, refused); can be repeated`;

const CONNECTIONS = 16;
const STARTS = 7;

/** One caller, on a host that is always served. */
const CALLER = { host: "localhost", "cf-connecting-ip": "203.0.113.7" };
const JSON_TYPE = { "content-type": "application/json" };

const GENEROUS = JSON.stringify({
  decode: { limit: 1_000_000, seconds: 1 },
  lookup: { limit: 1_000_000, seconds: 1 },
});
const SPENT_AT_ONCE = JSON.stringify({ decode: { limit: 1, seconds: 86_400 } });

const DECODE = { text: "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com mx ~all", kind: "spf" };

/** What is measured: the Worker's call, and the bare Workers it is compared with. */
const ROWS = [
  { name: "livez", worker: "netrecon", path: "/livez", status: 200, floors: ["js", "rust"] },
  {
    name: "tools/list",
    worker: "netrecon",
    path: "/mcp",
    headers: {
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2026-07-28",
      "mcp-method": "tools/list",
    },
    body: {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/list",
      params: {
        _meta: {
          "io.modelcontextprotocol/protocolVersion": "2026-07-28",
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    },
    status: 200,
    floors: ["js", "rust"],
  },
  { name: "decode", worker: "netrecon", path: "/api/decode", body: DECODE, status: 200, floors: ["js", "rust", "object"] },
  {
    name: "lookup",
    worker: "netrecon",
    path: "/api/lookup",
    body: { name: "www.example.com", records: ["A"] },
    status: 200,
    floors: ["js", "rust", "object"],
  },
  { name: "refused", worker: "refusing", path: "/api/decode", body: DECODE, status: 429, floors: ["js", "rust"] },
];

/** The bare Workers: which, and by which path. */
const FLOORS = {
  js: { title: "bare JS", worker: "bare-js", path: "/" },
  rust: { title: "bare Rust", worker: "bare-rust", path: "/" },
  object: { title: "bare Rust + object", worker: "bare-rust", path: "/object" },
};

const groups = [];

script(import.meta, async (argv) => {
  const { rounds, seconds, rows } = parse(argv);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void endAll().then(() => process.exit(130)));
  try {
    const { unwinding, gzipBytes } = await build();
    const crate = "bench/bare-rust";
    await buildCrate({ crate, library: "bare_rust", inputs: [crate], dir: "build/bare-rust", unwinding });
    const url = await startAll();
    await expectStatuses(rows, url);
    const samples = await measure(rows, url, rounds, seconds);
    await endAll();
    report(rows, samples, { rounds, seconds, unwinding });
    await reportStarts(gzipBytes);
  } finally {
    await endAll();
  }
});

// --- the Workers -------------------------------------------------------------

function netrecon(name, vars) {
  return {
    name,
    modules: ["build/index.js", "build/index_bg.wasm"],
    classes: { CLIENTS: "ClientObject", TALLY: "TallyObject", REPORTS: "ReportObject" },
    kv: ["COUNTERS"],
    vars,
  };
}

const BARE_JS = { name: "bare-js", modules: ["bench/bare-js/index.js"] };
const BARE_RUST = {
  name: "bare-rust",
  modules: ["build/bare-rust/index.js", "build/bare-rust/index_bg.wasm"],
  classes: { OBJECT: "BareObject" },
};

/** All Workers in one process, the resolver that they ask in another. */
async function startAll() {
  const resolver = await started("resolver", [{ name: "doh", modules: ["bench/doh.js"] }]);
  const DOH_URL = `${resolver.url("doh")}/dns-query`;
  const workers = [
    netrecon("netrecon", { BUDGETS: GENEROUS, DOH_URL }),
    netrecon("refusing", { BUDGETS: SPENT_AT_ONCE, DOH_URL }),
    BARE_JS,
    BARE_RUST,
  ];
  const { url } = await started("workers", workers);
  await firstAnswer(`${url("netrecon")}/livez`);
  return url;
}

async function started(label, workers) {
  const process = await startWorkerd(label, workers);
  groups.push(process.group);
  return process;
}

async function endAll() {
  await Promise.all(groups.splice(0).map((group) => endGroup(group)));
}

async function firstAnswer(url) {
  for (let tries = 0; tries < 5_000; tries += 1) {
    try {
      const response = await fetch(url, { headers: CALLER });
      await response.arrayBuffer();
      if (response.ok) return;
      throw new Failure(`${url} answered ${response.status}`);
    } catch (error) {
      if (error instanceof Failure) throw error;
      await sleep(2); // nobody listens yet
    }
  }
  throw new Failure(`nobody answers at ${url}`);
}

// --- the load ----------------------------------------------------------------

/** A row's targets: the Worker under its own name, then the floors. */
function targets(row, url) {
  const floors = row.floors.map((floor) => [floor, url(FLOORS[floor].worker) + FLOORS[floor].path, 200]);
  return [["netrecon", url(row.worker) + row.path, row.status], ...floors];
}

function requestOf(row) {
  if (!row.body) return { method: "GET", headers: CALLER };
  return { method: "POST", headers: { ...CALLER, ...JSON_TYPE, ...row.headers }, body: JSON.stringify(row.body) };
}

/** One call each; the first of `refused` spends the budget, so it comes twice. */
async function expectStatuses(rows, url) {
  for (const row of rows) {
    if (row.status === 429) await fetch(url(row.worker) + row.path, requestOf(row));
    for (const [name, address, status] of targets(row, url)) {
      const response = await fetch(address, requestOf(row));
      const answer = await response.text();
      if (response.status !== status) {
        throw new Failure(`${row.name} of ${name}: ${status} was expected, ${response.status} came: ${answer.slice(0, 300)}`);
      }
    }
  }
}

/** Requests/s by row and target, one number per round; the first round is not kept. */
async function measure(rows, url, rounds, seconds) {
  const samples = new Map();
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const row of rows) {
      for (const [name, address, status] of targets(row, url)) {
        const rate = await load(row, address, status, round === 0 ? 1 : seconds);
        const key = `${row.name} ${name}`;
        if (round > 0) samples.set(key, [...(samples.get(key) ?? []), rate]);
      }
    }
  }
  return samples;
}

async function load(row, address, status, seconds) {
  const result = await autocannon({ url: address, ...requestOf(row), connections: CONNECTIONS, duration: seconds });
  const others = Object.keys(result.statusCodeStats).filter((code) => Number(code) !== status);
  if (others.length > 0 || result.errors > 0) {
    throw new Failure(`${row.name} at ${address}: status ${others.join(", ") || "none"}, ${result.errors} errors under load`);
  }
  return result.requests.total / result.duration;
}

// --- the report --------------------------------------------------------------

function report(rows, samples, { rounds, seconds, unwinding }) {
  const rate = (row, name) => median(samples.get(`${row.name} ${name}`));
  const cells = (row) =>
    Object.keys(FLOORS).map((floor) => {
      if (!row.floors.includes(floor)) return "";
      const base = rate(row, floor);
      return `${(rate(row, "netrecon") / base).toFixed(2)} of ${base.toFixed(0)}`;
    });
  const head = ["call", "requests/s", ...Object.values(FLOORS).map(({ title }) => title)];
  const lines = rows.map((row) => [row.name, rate(row, "netrecon").toFixed(0), ...cells(row)]);
  console.log(`
Median of ${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${unwinding ? "unwinding" : "aborting"} build, one workerd.
A cell is the Worker's ratio to that floor, and the floor's requests/s.
`);
  printTable([head, head.map(() => "---"), ...lines]);
}

/** Size, and the time from the start of workerd to the Worker's first answer. */
async function reportStarts(gzipBytes) {
  const times = { netrecon: [], "bare-rust": [], "bare-js": [] };
  for (let start = 0; start < STARTS; start += 1) {
    for (const worker of [netrecon("netrecon", {}), BARE_RUST, BARE_JS]) {
      const began = performance.now();
      const { url } = await started("start", [worker]);
      await firstAnswer(`${url(worker.name)}/livez`);
      times[worker.name].push(performance.now() - began);
      await endAll();
    }
  }
  console.log(`\nscript size ${(gzipBytes / 1024).toFixed(0)} KiB gzip`);
  const each = Object.entries(times).map(([name, values]) => `${name} ${median(values).toFixed(0)} ms`);
  console.log(`start to first answer, median of ${STARTS}: ${each.join(", ")}`);
}

function printTable(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    const padded = line.map((cell, column) => (cell === "---" ? "-".repeat(widths[column]) : cell.padEnd(widths[column])));
    console.log(`| ${padded.join(" | ")} |`);
  }
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function parse(argv) {
  const options = {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    row: { type: "string", multiple: true },
    help: { type: "boolean" },
  };
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options }));
  } catch (error) {
    throw new Failure(`${error.message}\n${HELP}`);
  }
  if (values.help) {
    console.log(HELP);
    process.exit(0);
  }
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(rounds >= 1 && seconds >= 1)) throw new Failure(`rounds and seconds are numbers from 1\n${HELP}`);
  const rows = ROWS.filter(({ name }) => !values.row || values.row.includes(name));
  if (rows.length === 0) throw new Failure(`no such row; there are ${ROWS.map(({ name }) => name).join(", ")}`);
  return { rounds, seconds, rows };
}
