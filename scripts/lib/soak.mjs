// A steady mixed load on the built Worker in the lab: does it hold its pace, keep its memory, and
// lose nothing? Runs inside the lab; `scripts/soak` starts it there.

import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup, startGroup } from "./group.mjs";
import { Failure, say, script, valuesOf } from "./shell.mjs";
import { freePort, untilItAnswers, workerCommand } from "./worker.mjs";

const HELP = `Usage: scripts/soak [--minutes N] [--rate N]

Calls the built Worker in the offline internet, N times a second (default 30), for N
minutes (default 10), with calls of every tool, good and bad, from 64 clients. Prints
throughput, latency and the memory of workerd at the start and at the end. Fails when an
answer is untyped, an event or a count is missing, and, from 5 minutes on, when memory
grew by more than 5 %.`;

const CLIENTS = 64;
const GROWTH = 1.05;
const JUDGED_FROM_MINUTES = 5;

/** Codes that a call of the load may end in. */
const TYPED = new Set([
  ...["invalid_input", "target_refused", "rate_limited", "payload_too_large", "not_found"],
  ...["upstream_error", "upstream_timeout"],
]);

const certificate = "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END CERTIFICATE-----";
const long = `default-src 'self'; script-src ${"https://cdn.example.net ".repeat(200)}`;

/** What is called, each as often as it stands here. */
const LOAD = [
  ["analyze", { target: "lab-good.com" }],
  ["analyze", { target: "http://127.0.0.1/" }],
  ["lookup", { name: "lab-good.com" }],
  ["lookup", { name: "lab-dnssec.org", records: ["A", "DS", "DNSKEY"] }],
  ["lookup", { name: "no.lab-good.com", records: ["A"] }],
  ["decode", { text: "v=spf1 include:a.net ip4:192.0.2.0/24 ~all" }],
  ["decode", { text: "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0." }],
  ["decode", { text: certificate }],
  ["decode", { text: long, kind: "csp" }],
  ["decode", { text: "x".repeat(70_000) }],
  ["diff", { before: "a".repeat(26), after: "b".repeat(26) }],
  ["narrate", { before: 1 }],
];

script(import.meta, async (argv) => {
  const { minutes, rate } = parse(argv);
  const state = mkdtempSync(join(tmpdir(), "netrecon-soak-"));
  const port = await freePort();
  const vars = { COUNTER_FLUSH_SECONDS: "5", BUDGETS: '{"target":{"limit":100000,"seconds":60}}' };
  const { command, env } = workerCommand({ port, state, vars });
  const group = startGroup(command, { env, stdio: ["ignore", "pipe", "inherit"] });
  let events = 0;
  createInterface({ input: group.stdout }).on("line", (line) => (events += line.includes('"event":"tool_call"') ? 1 : 0));
  try {
    await untilItAnswers(port, group);
    const url = `http://127.0.0.1:${port}`;
    const calls = [];
    say("warming up for 20 s");
    await load({ url, seconds: 20, rate, into: calls });
    const before = await memoryAround(group.pid);
    const warm = calls.length;
    say(`${minutes} minutes at ${rate} calls a second`);
    await load({ url, seconds: minutes * 60, rate, into: calls });
    const after = await memoryAround(group.pid);
    await everythingRecorded({ url, calls, events: () => events });
    process.exitCode = report({ calls: calls.slice(warm), minutes, before, after });
  } finally {
    await endGroup(group, 3_000);
    rmSync(state, { recursive: true, force: true });
  }
});

/** Calls at a steady pace, whatever the answers take. */
async function load({ url, seconds, rate, into }) {
  const waiting = new Set();
  const began = performance.now();
  for (let n = 0; n < seconds * rate; n += 1) {
    const due = began + (n / rate) * 1_000;
    if (due > performance.now()) await sleep(due - performance.now());
    const work = call(url, into.length + waiting.size).then((done) => into.push(done));
    waiting.add(work);
    work.finally(() => waiting.delete(work));
  }
  await Promise.all(waiting);
}

async function call(url, n) {
  const [tool, args] = LOAD[n % LOAD.length];
  const started = performance.now();
  const response = await fetch(`${url}/api/${tool}`, {
    method: "POST",
    body: JSON.stringify(args),
    headers: { "content-type": "application/json", "cf-connecting-ip": `198.51.100.${(n * 7) % CLIENTS}` },
    signal: AbortSignal.timeout(30_000),
  });
  const { error } = await response.json();
  if (error === undefined ? response.status !== 200 : !TYPED.has(error)) {
    throw new Failure(`${tool} ended in ${response.status} ${error}`);
  }
  return { at: started, ms: performance.now() - started, outcome: error ?? "success" };
}

/** Every call is one event and one count, a little later. */
async function everythingRecorded({ url, calls, events }) {
  let counted = 0;
  for (let waited = 0; waited < 60; waited += 1) {
    const { tools } = await (await fetch(`${url}/api/health`)).json();
    counted = Object.values(tools).flatMap(Object.values).reduce((sum, day) => sum + totalOf(day), 0);
    if (counted >= calls.length && events() >= calls.length) break;
    await sleep(1_000);
  }
  if (counted !== calls.length) throw new Failure(`${calls.length} calls were made, ${counted} were counted`);
  if (events() !== calls.length) throw new Failure(`${calls.length} calls were made, ${events()} events written`);
}

function totalOf(day) {
  const outcomes = ["success", "validation_rejected", "rate_limited", "upstream_error", "internal_error"];
  return outcomes.reduce((sum, outcome) => sum + (day[outcome] ?? 0), 0);
}

/** Resident MiB of the group's workerd: the median of some seconds, since it comes and goes. */
async function memoryAround(pid) {
  const samples = [];
  for (let second = 0; second < 9; second += 1) {
    samples.push(memoryOf(pid));
    await sleep(1_000);
  }
  return quantile(samples, 0.5);
}

function memoryOf(pid) {
  const sizes = descendants(pid)
    .map((child) => readFileSync(`/proc/${child}/status`, "utf8"))
    .filter((status) => /^Name:\s*workerd$/m.test(status))
    .map((status) => Number(status.match(/^VmRSS:\s*(\d+) kB$/m)?.[1] ?? 0) / 1024);
  if (sizes.length === 0) throw new Failure("no workerd runs");
  return Math.max(...sizes);
}

function descendants(pid) {
  const parents = new Map();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // it ended meanwhile
    }
  }
  const isBelow = (child) => child === pid || (parents.has(child) && isBelow(parents.get(child)));
  return [...parents.keys()].filter(isBelow);
}

function report({ calls, minutes, before, after }) {
  const tenth = Math.ceil(calls.length / 10);
  const inOrder = calls.toSorted((one, other) => one.at - other.at);
  const row = (name, part) => {
    const times = part.map(({ ms }) => ms);
    const span = (part.at(-1).at - part[0].at) / 1_000;
    return `${name.padEnd(12)} ${(part.length / span).toFixed(1).padStart(6)} calls/s   p50 ${quantile(times, 0.5).toFixed(1).padStart(6)} ms   p99 ${quantile(times, 0.99).toFixed(1).padStart(7)} ms`;
  };
  const outcomes = Object.entries(Object.groupBy(calls, ({ outcome }) => outcome)).map(([name, some]) => `${name} ${some.length}`);
  console.log(`\n${calls.length} calls in ${minutes} minutes: ${outcomes.join(", ")}`);
  console.log(row("first tenth", inOrder.slice(0, tenth)));
  console.log(row("last tenth", inOrder.slice(-tenth)));
  const growth = after / before;
  console.log(`workerd      ${before.toFixed(0)} MiB at the start, ${after.toFixed(0)} MiB at the end: ${growth.toFixed(3)}`);
  const grew = minutes >= JUDGED_FROM_MINUTES && growth > GROWTH;
  console.log(grew ? "FAILED: memory grew by more than 5 %" : "every call was answered, written down and counted");
  return grew ? 1 : 0;
}

function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function parse(argv) {
  const options = { minutes: { type: "string", default: "10" }, rate: { type: "string", default: "30" } };
  const values = valuesOf(argv, options, HELP);
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  if (!(minutes > 0 && rate > 0)) throw new Failure(`minutes and rate are numbers above 0\n${HELP}`);
  return { minutes, rate };
}
