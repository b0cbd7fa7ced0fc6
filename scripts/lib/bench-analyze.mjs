// What an analysis costs, in the offline internet: how many upstream delays long it is,
// with every upstream answer held back by DELAY, what `lookup` of five types takes
// likewise, and the processor time of workerd per analysis, beside that of an idle call.
//
// With --worlds: what memory the hosts that misbehave cost instead, six analyses at a time:
// of the isolate, which is what the platform limits, and of the process; and which of them
// take longest. Exit status 1 when the isolate held more than the goal.
//
// Usage: scripts/bench analyze [--target HOST] [--rounds N] [--worlds]
// It runs itself inside tests/lab/run.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "./build.mjs";
import { endGroup, startGroup } from "./group.mjs";
import { watchMiB } from "./inspector.mjs";
import { median, peakMiB, residentMiB } from "./measure.mjs";
import { Failure, script } from "./shell.mjs";
import { freePort, labVars } from "./worker.mjs";
import { netrecon, startWorkerd } from "./workerd.mjs";
import { AT_ONCE, HEAVY, WORLDS, eachOnce } from "../../tests/lab/worlds.mjs";

const DELAY = 50;
/**
 * Rounds before anything is measured: V8 compiles a function anew once it was called often, on
 * threads of its own. An analysis calls most of its functions a few times only, so that takes
 * hundreds of rounds; the processor time is measured early and then, which is the number of an
 * isolate that lives.
 */
const YOUNG = 40;
const WARM = 400;
/** What an isolate may hold with the hosts that misbehave; the platform ends it at 128. */
const GOAL_MIB = 64;
/** Between two looks at the isolate. */
const LOOK_MS = 50;
const TARGET = "lab-good.com";
const TYPES = ["A", "AAAA", "MX", "NS", "TXT"];
const CALLER = { host: "localhost", "cf-connecting-ip": "203.0.113.7", "content-type": "application/json" };
const BUDGETS = JSON.stringify(
  Object.fromEntries(["analyze", "lookup", "decode", "target"].map((name) => [name, { limit: 1_000_000, seconds: 1 }])),
);

/** Runs the measurement in the lab; its lines go to this process's output. */
export async function benchAnalyze(...options) {
  await build();
  const self = fileURLToPath(import.meta.url);
  const lab = startGroup(["tests/lab/run", "--", process.execPath, self, "--inside", ...options]);
  const code = await lab.ended;
  if (code === 75) console.log("analyze was not measured: this machine cannot hold the lab");
  else if (code !== 0) throw new Failure(`the measurement of analyze ended with ${code}`);
}

async function inside({ target, rounds, worlds }) {
  const { LAB_CONTROL_URL } = process.env;
  const inspector = worlds ? await freePort() : undefined;
  const worker = netrecon({ vars: { ...labVars(), BUDGETS } });
  const { group, url } = await startWorkerd("analyze", [worker], { inspector });
  const base = url("netrecon");
  const call = async (tool, args) => {
    const began = performance.now();
    const response = await fetch(`${base}/api/${tool}`, { method: "POST", headers: CALLER, body: JSON.stringify(args) });
    const answer = await response.text();
    if (!response.ok && !worlds) throw new Failure(`${tool}: ${response.status} ${answer.slice(0, 300)}`);
    return performance.now() - began;
  };
  const analyze = () => call("analyze", { target });
  const lookup = () => call("lookup", { name: target, records: TYPES });
  const idle = () => call("decode", { text: "v=spf1 -all" });
  const delay = (ms) => fetch(`${LAB_CONTROL_URL}/delay?ms=${ms}`, { method: "POST" });
  try {
    await untilAnswered(`${base}/livez`);
    const warm = async (times) => {
      for (let time = 0; time < times; time += 1) for (const one of [analyze, lookup, idle]) await one();
    };
    const spent = async () => {
      const each = { analyze: [], idle: [] };
      for (let round = 0; round < rounds; round += 1) {
        each.analyze.push(await processorMs(group.pid, analyze));
        each.idle.push(await processorMs(group.pid, idle));
      }
      return { analyze: median(each.analyze), idle: median(each.idle) };
    };
    await warm(YOUNG);
    if (worlds) return await meetWorlds(group.pid, inspector, (target) => call("analyze", { target }));

    const young = await spent();
    await warm(WARM - YOUNG - rounds);
    const settled = await spent();
    const undelayed = await medianOf(rounds, analyze);
    await delay(DELAY);
    const delayed = await medianOf(rounds, analyze);
    const looked = await medianOf(rounds, lookup);

    const net = ({ analyze, idle }) => `${(analyze - idle).toFixed(1)} ms of processor time`;
    console.log(`
analyze of ${target}, median of ${rounds}:
  ${(delayed / DELAY).toFixed(1)} delays: ${delayed.toFixed(0)} ms with every upstream answer held back by ${DELAY} ms (goal: 6), ${undelayed.toFixed(0)} ms without
  ${net(settled)}: ${settled.analyze.toFixed(1)} ms, less ${settled.idle.toFixed(1)} ms of a call that asks nothing (goal: 10)
  ${net(young)} after ${YOUNG} analyses instead of ${WARM}, what V8 compiles meanwhile included
lookup of ${TYPES.length} types: ${(looked / DELAY).toFixed(2)} delays, ${looked.toFixed(0)} ms (goal: 1.2)`);
  } finally {
    await delay(0).catch(() => {});
    await endGroup(group);
  }
}

/** All the hosts that misbehave, then those that send the most over and over, and the most
 * that the isolate and the process held meanwhile. */
async function meetWorlds(pid, inspector, analyze) {
  const before = residentMiB(pid).toFixed(0);
  writeFileSync(`/proc/${pid}/clear_refs`, "5"); // the peak begins anew
  const took = [];
  await eachOnce(WORLDS, AT_ONCE, async (target) => took.push([await analyze(target), target]));
  const slowest = took.sort(([one], [other]) => other - one).slice(0, 5);
  console.log(`
${WORLDS.length} hosts that misbehave, ${AT_ONCE} at once:
  workerd held ${before} MiB before and ${peakMiB(pid).toFixed(0)} MiB at most
  median ${(median(took.map(([ms]) => ms)) / 1000).toFixed(1)} s; ${slowest.map(([ms, target]) => `${target} ${(ms / 1000).toFixed(1)} s`).join(", ")}`);

  const look = await watchMiB(inspector, "netrecon", LOOK_MS);
  await eachOnce([...WORLDS, ...Array.from({ length: 5 }, () => HEAVY).flat()], AT_ONCE, analyze);
  const { javascript, wasm, looks } = await look();
  const held = javascript + wasm;
  console.log(`
once more, and five times those that send the most, looked at ${looks} times:
  isolate memory at most ${held.toFixed(1)} MiB (goal ${GOAL_MIB}): ${javascript.toFixed(1)} MiB of JavaScript's heap and buffers, ${wasm.toFixed(1)} MiB of WebAssembly`);
  if (held > GOAL_MIB) process.exitCode = 1;
}

/** Processor time that all threads of workerd spend over one call and what follows it. */
async function processorMs(pid, call) {
  const before = threadsMs(pid);
  await call();
  await sleep(30); // what goes on after the answer has left
  return threadsMs(pid) - before;
}

/** By the scheduler's own count, in nanoseconds; the ticks of /proc/PID/stat are too coarse. */
function threadsMs(pid) {
  const folder = `/proc/${pid}/task`;
  const spent = readdirSync(folder).map((thread) => Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[0]));
  return spent.reduce((sum, ns) => sum + ns, 0) / 1e6;
}

async function untilAnswered(url) {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const ok = await fetch(url, { headers: CALLER }).then((response) => response.ok, () => false);
    if (ok) return;
    await sleep(5);
  }
  throw new Failure(`nobody answers at ${url}`);
}

async function medianOf(rounds, call) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) times.push(await call());
  return median(times);
}

/** `scripts/bench analyze`. */
export async function main(argv) {
  const options = {
    target: { type: "string", default: TARGET },
    rounds: { type: "string", default: "21" },
    inside: { type: "boolean" },
    worlds: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ args: argv, options });
  const rounds = Number(values.rounds);
  if (!(rounds >= 1)) throw new Failure("--rounds is a number from 1");
  const { target, worlds } = values;
  if (values.inside) return inside({ target, rounds, worlds });
  if (worlds) return benchAnalyze("--worlds");
  await benchAnalyze("--target", target, "--rounds", values.rounds);
  const { gzipBytes } = await build();
  console.log(`script size ${(gzipBytes / 1024).toFixed(0)} KiB gzip (goal: 1,000)`);
}

script(import.meta, main);
