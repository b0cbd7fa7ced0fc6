// Runs the parts of parts.mjs, two at a time, and adds up what they counted. The last
// line is always `N passed, N failed, N skipped`; skipped tests are named above it. A
// failing part does not stop the others, only those that need it.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { endGroup, startGroup } from "./group.mjs";
import { CANNOT_RUN, PARTS } from "./parts.mjs";
import { next } from "./schedule.mjs";
import { Failure, ROOT, script } from "./shell.mjs";

const HELP = `Usage: scripts/test [PART...]

Runs every part, or only those named and what they need:

${PARTS.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join("\n")}`;

/** The running parts' process groups, so that Ctrl-C and timeouts end all of them. */
const running = new Set();

/** More of them would not be quicker on two cores, and are a risk to what is timed. */
const HANDS = Math.min(2, availableParallelism());

async function main(names) {
  if (names.includes("--help") || names.includes("-h")) return console.log(HELP);
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) throw new Failure(`no part is called ${unknown.join(", ")}\n${HELP}`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void interrupted(signal));

  const parts = withNeeds(names.length > 0 ? names : PARTS.map(({ name }) => name));
  const began = performance.now();
  const outcomes = await allOf(parts);
  process.exitCode = summary(parts.map((part) => outcomes.get(part)), began);
}

/** Runs each part when its turn has come; answers the outcome of each. */
async function allOf(parts) {
  const outcomes = new Map();
  const busy = new Map();
  const left = new Set(parts);
  while (left.size + busy.size > 0) {
    const part = busy.size < HANDS ? next(left, [...busy.keys()]) : undefined;
    if (!part) {
      await Promise.race(busy.values());
      continue;
    }
    left.delete(part);
    const work = outcomeOf(part, outcomes).then((outcome) => {
      outcomes.set(part, { part, ...outcome });
      busy.delete(part);
    });
    busy.set(part, work);
  }
  return outcomes;
}

/** The named parts and all that they need, in the table's order. */
function withNeeds(names) {
  const wanted = new Set(names);
  for (const part of [...PARTS].reverse()) {
    if (wanted.has(part.name)) part.needs?.forEach((name) => wanted.add(name));
  }
  return PARTS.filter((part) => wanted.has(part.name));
}

async function outcomeOf(part, before) {
  const say = speaker();
  say(`\n===== ${part.name}: ${part.title} =====\n\n`);
  try {
    const lacking = [...before.values()].find((done) => part.needs?.includes(done.part.name) && done.failed > 0);
    if (lacking) {
      say(`not run, because ${lacking.part.name} failed\n`);
      return { passed: 0, failed: 1, skipped: [], seconds: 0 };
    }
    const started = performance.now();
    const counts = await countsOf(part, say);
    const seconds = secondsSince(started);
    say(`\n----- ${part.name}: ${sentence(counts)} in ${seconds} s\n`);
    return { ...counts, seconds };
  } finally {
    say.ends();
  }
}

async function countsOf(part, say) {
  mkdirSync(join(ROOT, "tests", ".out"), { recursive: true });
  if (part.results) rmSync(join(ROOT, part.results), { force: true });
  const { output, code } = await runPart(part, say);
  if (code === CANNOT_RUN && part.tests) {
    const why = output.trimEnd().split("\n").at(-1);
    return { passed: 0, failed: 0, skipped: part.tests().map((name) => `${name} (${why})`) };
  }
  return part.count(part.results ? resultsOf(part) : output, code);
}

function resultsOf(part) {
  try {
    return readFileSync(join(ROOT, part.results), "utf8");
  } catch {
    return ""; // the runner did not get as far as its first test
  }
}

/** Runs the command and leaves nothing of it behind. */
async function runPart({ command, minutes }, say) {
  const group = startGroup(command, { stdio: ["ignore", "pipe", "pipe"] });
  running.add(group);
  let output = "";
  const keep = (chunk) => {
    output += chunk;
    say(chunk);
  };
  for (const stream of [group.stdout, group.stderr]) stream.setEncoding("utf8").on("data", keep);
  const closed = new Promise((resolve) => group.on("close", resolve));
  const overdue = setTimeout(() => {
    keep(`\nended after ${minutes} minutes\n`);
    void endGroup(group);
  }, minutes * 60_000);
  const ended = await group.ended;
  clearTimeout(overdue);
  await endGroup(group);
  running.delete(group);
  if (ended instanceof Failure) keep(`${ended.message}\n`);
  else await closed;
  return { output, code: typeof ended === "number" ? ended : 1 };
}

const speakers = [];

/**
 * Prints for one part what it says, as it comes for the part that began first; what
 * others say meanwhile is kept until it is their turn, so that nothing is interleaved.
 */
function speaker() {
  const own = (text) => {
    if (speakers[0] === own) process.stdout.write(text);
    else own.kept += text;
  };
  own.kept = "";
  own.done = false;
  own.ends = () => {
    own.done = true;
    while (speakers[0]?.done) {
      speakers.shift();
      if (speakers[0]) process.stdout.write(speakers[0].kept);
    }
  };
  speakers.push(own);
  return own;
}

async function interrupted(signal) {
  await Promise.all([...running].map((group) => endGroup(group)));
  console.error(`\nnetrecon: ended by ${signal}`);
  process.exit(130);
}

function secondsSince(started) {
  return Math.round((performance.now() - started) / 1000);
}

function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
}

/** Prints the table, the skipped names and the closing line; answers the exit code. */
function summary(outcomes, began) {
  console.log("\n===== summary =====\n");
  for (const { part, seconds, ...counts } of outcomes) {
    const mark = counts.failed > 0 ? "FAILED" : "ok";
    console.log(`${mark.padEnd(7)}${part.name.padEnd(13)}${sentence(counts)} (${seconds} s)`);
  }
  const skipped = outcomes.flatMap((outcome) => outcome.skipped);
  if (skipped.length > 0) console.log(`\nSkipped:\n${skipped.map((name) => `  ${name}`).join("\n")}`);
  const total = (of) => outcomes.reduce((sum, outcome) => sum + of(outcome), 0);
  const failed = total((outcome) => outcome.failed);
  const counts = { passed: total((outcome) => outcome.passed), failed, skipped };
  console.log(`\nall of it in ${secondsSince(began)} s`);
  console.log(`\n${sentence(counts)}`);
  return failed > 0 ? 1 : 0;
}

script(import.meta, main);
