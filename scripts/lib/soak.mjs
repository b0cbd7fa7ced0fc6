// A steady mixed load on the built Worker in the lab: does it hold its pace, keep its memory, and
// lose nothing? Runs inside the lab; `scripts/soak` starts it there.

import { setTimeout as sleep } from "node:timers/promises";
import { Bare, Kv } from "../../tests/e2e/support/bare.mjs";
import { heldMiB } from "./inspector.mjs";
import { median, quantile, residentMiB } from "./measure.mjs";
import { Failure, say, script, valuesOf } from "./shell.mjs";
import { freePort, labVars } from "./worker.mjs";

const HELP = `Usage: scripts/soak [--minutes N] [--rate N]

Calls the built Worker in the offline internet, N times a second (default 30), for N
minutes (default 10), with calls of every tool, good and bad, from 64 clients. Prints
throughput and latency, and memory at the start and at the end: of the process, and what
the isolate holds once its garbage is collected. Fails when an answer is untyped, an
event or a count is missing, and, from 5 minutes on, when the process grew by more than
5 %, or what the isolate holds did so in the second half: WebAssembly's memory is a high
mark that the first busy moments set, and never shrinks.`;

const CLIENTS = 64;
const GROWTH = 1.05;
const JUDGED_FROM_MINUTES = 5;

/** Caches fill, code is compiled again and better, objects are made: none of it is a leak. */
const WARM_UP_SECONDS = 240;

/** Codes that a call of the load may end in. */
const TYPED = new Set([
  ...["invalid_input", "target_refused", "rate_limited", "payload_too_large", "not_found"],
  ...["upstream_error", "upstream_timeout"],
]);

const certificate = "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n-----END CERTIFICATE-----";
const long = `default-src 'self'; script-src ${"https://cdn.example.net ".repeat(200)}`;

/** Ids of two stored reports, once there are some. */
const REPORTS = { before: "", after: "" };

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
  ["diff", REPORTS],
  ["narrate", REPORTS],
];

script(import.meta, async (argv) => {
  const { minutes, rate } = parse(argv);
  const inspector = await freePort();
  const kv = await new Kv().start();
  const vars = { ...labVars(), COUNTER_FLUSH_SECONDS: "5", BUDGETS: '{"target":{"limit":100000,"seconds":60}}' };
  const worker = await Bare.start({ kv, vars, inspector });
  try {
    const calls = [];
    for (const which of Object.keys(REPORTS)) {
      const done = await call(worker, 0);
      calls.push(done);
      REPORTS[which] = done.id;
    }
    say(`warming up for ${WARM_UP_SECONDS} s`);
    const atOnce = [await load({ worker, seconds: WARM_UP_SECONDS, rate, into: calls })];
    const before = await memory(worker, inspector);
    const warm = calls.length;
    say(`${minutes} minutes at ${rate} calls a second`);
    const half = async () => {
      atOnce.push(await load({ worker, seconds: minutes * 30, rate, into: calls }));
      return memory(worker, inspector);
    };
    const memories = [before, await half(), await half()];
    await everythingRecorded({ worker, kv, calls });
    process.exitCode = report({ calls: calls.slice(warm), minutes, memories, atOnce });
  } finally {
    await worker.stop();
    await kv.stop();
  }
});

/** Calls at a steady pace, whatever the answers take; answers how many were under way at most. */
async function load({ worker, seconds, rate, into }) {
  const waiting = new Set();
  let most = 0;
  const began = performance.now();
  for (let n = 0; n < seconds * rate; n += 1) {
    const due = began + (n / rate) * 1_000;
    if (due > performance.now()) await sleep(due - performance.now());
    const work = call(worker, into.length + waiting.size).then((done) => into.push(done));
    waiting.add(work);
    work.finally(() => waiting.delete(work));
    most = Math.max(most, waiting.size);
  }
  await Promise.all(waiting);
  return most;
}

async function call(worker, n) {
  const [tool, args] = LOAD[n % LOAD.length];
  const at = performance.now();
  const { status, body } = await worker.call(tool, args, `198.51.100.${(n * 7) % CLIENTS}`);
  const { error, id } = body;
  if (error === undefined ? status !== 200 : !TYPED.has(error)) throw new Failure(`${tool} ended in ${status} ${error}`);
  return { at, ms: performance.now() - at, outcome: error ?? "success", id };
}

/** Every call is one event and one count, a little later. */
async function everythingRecorded({ worker, kv, calls }) {
  const tools = [...new Set(LOAD.map(([tool]) => tool))];
  const counted = () => tools.reduce((sum, tool) => sum + kv.counts(tool).total, 0);
  for (let waited = 0; counted() < calls.length && waited < 60; waited += 1) await sleep(1_000);
  const written = worker.events.length;
  if (counted() !== calls.length) throw new Failure(`${calls.length} calls were made, ${counted()} were counted`);
  if (written !== calls.length) throw new Failure(`${calls.length} calls were made, ${written} events written`);
}

/** MiB after a collection: of the process, the median of some seconds, and what the isolate holds. */
async function memory(worker, inspector) {
  const held = await heldMiB(inspector, "netrecon");
  const samples = [];
  for (let second = 0; second < 9; second += 1) {
    await sleep(1_000);
    samples.push(residentMiB(worker.pid));
  }
  return { ...held, resident: median(samples) };
}

function report({ calls, minutes, memories, atOnce }) {
  const tenth = Math.ceil(calls.length / 10);
  const inOrder = calls.toSorted((one, other) => one.at - other.at);
  const row = (name, part, span = (part.at(-1).at - part[0].at) / 1_000) => {
    const times = part.map(({ ms }) => ms);
    return `${name.padEnd(12)} ${(part.length / span).toFixed(1).padStart(6)} calls/s   p50 ${quantile(times, 0.5).toFixed(1).padStart(6)} ms   p99 ${quantile(times, 0.99).toFixed(1).padStart(7)} ms`;
  };
  const outcomes = Object.entries(Object.groupBy(calls, ({ outcome }) => outcome)).map(([name, some]) => `${name} ${some.length}`);
  console.log(`\n${calls.length} calls in ${minutes} minutes: ${outcomes.join(", ")}`);
  console.log(row("all", inOrder, minutes * 60));
  console.log(row("first tenth", inOrder.slice(0, tenth)));
  console.log(row("last tenth", inOrder.slice(-tenth)));
  console.log("\nMiB after a collection    start  middle     end");
  const line = (name, of) => console.log(`${name.padEnd(22)}${memories.map((memory) => of(memory).toFixed(1).padStart(8)).join("")}`);
  line("workerd", ({ resident }) => resident);
  line("  heap of JavaScript", ({ heap }) => heap);
  line("  WebAssembly", ({ wasm }) => wasm);
  console.log(`calls under way, most    ${atOnce.map((most) => String(most).padStart(6)).join("  ")}`);
  const [start, middle, end] = memories;
  const whole = end.resident / start.resident;
  const held = (end.heap + end.wasm) / (middle.heap + middle.wasm);
  console.log(`workerd grew to ${whole.toFixed(3)}; what the isolate holds, in the second half, to ${held.toFixed(3)}`);
  const grew = minutes >= JUDGED_FROM_MINUTES && Math.max(whole, held) > GROWTH;
  console.log(grew ? "\nFAILED: memory grew by more than 5 %" : "\nevery call was answered, written down and counted");
  return grew ? 1 : 0;
}

function parse(argv) {
  const options = { minutes: { type: "string", default: "10" }, rate: { type: "string", default: "30" } };
  const values = valuesOf(argv, options, HELP);
  const [minutes, rate] = [Number(values.minutes), Number(values.rate)];
  if (!(minutes > 0 && rate > 0)) throw new Failure(`minutes and rate are numbers above 0\n${HELP}`);
  return { minutes, rate };
}
