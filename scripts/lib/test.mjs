// Runs the parts of parts.mjs one after the other and adds up what they counted.
// The last line is always `N passed, N failed, N skipped`; skipped tests are named
// above it. A failing part does not stop the others, only those that need it.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endGroup, startGroup } from "./group.mjs";
import { CANNOT_RUN, PARTS } from "./parts.mjs";
import { Failure, ROOT, script } from "./shell.mjs";

const HELP = `Usage: scripts/test [PART...]

Runs every part, or only those named and what they need:

${PARTS.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join("\n")}`;

/** The running part's process group, so that Ctrl-C and timeouts end all of it. */
let running = null;

async function main(names) {
  if (names.includes("--help") || names.includes("-h")) return console.log(HELP);
  const unknown = names.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) throw new Failure(`no part is called ${unknown.join(", ")}\n${HELP}`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void interrupted(signal));

  const outcomes = [];
  for (const part of withNeeds(names.length > 0 ? names : PARTS.map(({ name }) => name))) {
    outcomes.push({ part, ...(await outcomeOf(part, outcomes)) });
  }
  process.exitCode = summary(outcomes);
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
  console.log(`\n===== ${part.name}: ${part.title} =====\n`);
  const lacking = before.find((done) => part.needs?.includes(done.part.name) && done.failed > 0);
  if (lacking) {
    console.log(`not run, because ${lacking.part.name} failed`);
    return { passed: 0, failed: 1, skipped: [], seconds: 0 };
  }
  const started = performance.now();
  const counts = await countsOf(part);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`\n----- ${part.name}: ${sentence(counts)} in ${seconds} s`);
  return { ...counts, seconds };
}

async function countsOf(part) {
  mkdirSync(join(ROOT, "tests", ".out"), { recursive: true });
  if (part.results) rmSync(join(ROOT, part.results), { force: true });
  const { output, code } = await runPart(part);
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
async function runPart({ command, minutes }) {
  const group = startGroup(command, { stdio: ["ignore", "pipe", "pipe"] });
  running = group;
  let output = "";
  const keep = (to) => (chunk) => {
    output += chunk;
    to.write(chunk);
  };
  group.stdout.setEncoding("utf8").on("data", keep(process.stdout));
  group.stderr.setEncoding("utf8").on("data", keep(process.stderr));
  const closed = new Promise((resolve) => group.on("close", resolve));
  const overdue = setTimeout(() => {
    keep(process.stderr)(`\nended after ${minutes} minutes\n`);
    void endGroup(group);
  }, minutes * 60_000);
  const ended = await group.ended;
  clearTimeout(overdue);
  await endGroup(group);
  running = null;
  if (ended instanceof Failure) keep(process.stderr)(`${ended.message}\n`);
  else await closed;
  return { output, code: typeof ended === "number" ? ended : 1 };
}

async function interrupted(signal) {
  if (running) await endGroup(running);
  console.error(`\nnetrecon: ended by ${signal}`);
  process.exit(130);
}

function sentence({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
}

/** Prints the table, the skipped names and the closing line; answers the exit code. */
function summary(outcomes) {
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
  console.log(`\n${sentence(counts)}`);
  return failed > 0 ? 1 : 0;
}

script(import.meta, main);
