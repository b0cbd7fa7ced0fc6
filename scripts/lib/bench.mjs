// How fast the Worker is, as ratios: in one run, round by round in turn, the same load
// goes to the Worker, to bare Workers in JavaScript and in Rust and to the same tools
// written with the TypeScript SDK (bench/). Absolute numbers belong to a machine and an
// hour; the ratios travel. What each row is: bench/rows.mjs.

import autocannon from "autocannon";
import { readFileSync } from "node:fs";
import { GOALS, OTHERS, ROWS, WITHIN, requestOf } from "./bench/rows.mjs";
import { buildAll, endAll, startAll, startTimes } from "./bench/workers.mjs";
import { median, residentMiB } from "./measure.mjs";
import { Failure, say, script, valuesOf } from "./shell.mjs";

/** Other measurements: `scripts/bench NAME` runs the file, with what arguments follow. */
const OTHER_BENCHES = {
  instructions: "./bench-instructions.mjs",
  analyze: "./bench-analyze.mjs",
};

const HELP = `Usage: scripts/bench [--rounds N] [--seconds N] [--row NAME]... [--against NAME]... [--no-start]
       scripts/bench instructions [--update]
       scripts/bench analyze [--worlds]

Prints a table of median requests/s and ratios, the script's size, the time from start
to the first answer, and the memory of workerd before and after the load.

  --rounds N      rounds over all rows (default 5)
  --seconds N     seconds per measurement (default 2)
  --row NAME      only this row; can be repeated: ${ROWS.map(({ name }) => name).join(", ")}
  --against NAME  only this Worker beside netrecon: ${Object.keys(OTHERS).join(", ")}
  --no-start      without the time to the first answer

  instructions    counts instructions of the native benchmarks (needs valgrind) and the
                  script's bytes, and compares them with the last recorded run
  analyze         latency and CPU of whole analyses in the lab; with --worlds the memory
                  that hosts which misbehave cost`;

const CONNECTIONS = 16;

script(import.meta, async (argv) => {
  const other = OTHER_BENCHES[argv[0]];
  if (other) {
    const { main } = await import(other);
    return main(argv.slice(1));
  }
  const { rounds, seconds, rows, start } = parse(argv);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void endAll().then(() => process.exit(130)));
  try {
    const { unwinding, gzipBytes } = await buildAll();
    const { url, group } = await startAll();
    await expectAnswers(rows, url);
    const before = Math.round(residentMiB(group.pid));
    const samples = await measure(rows, url, rounds, seconds, group.pid);
    const after = Math.round(residentMiB(group.pid));
    await endAll();
    report(rows, samples, { rounds, seconds, unwinding });
    console.log(`\nscript size ${(gzipBytes / 1024).toFixed(0)} KiB gzip`);
    console.log(`memory of workerd with all these Workers: ${before} MiB before the load, ${after} MiB after it`);
    if (start) reportStarts(await startTimes());
  } finally {
    await endAll();
  }
});

// --- the load ----------------------------------------------------------------

/** A row's targets: netrecon, then those that it is held against. */
function targets(row, url) {
  const others = row.against.map((other) => [other, url(OTHERS[other].worker(row)) + OTHERS[other].path(row)]);
  return [["netrecon", url(row.spent ? "netrecon-spent" : "netrecon") + row.path], ...others];
}

/** One call each must be answered rightly; the first of a spent budget spends it. */
async function expectAnswers(rows, url) {
  for (const row of rows) {
    for (const [name, address] of targets(row, url)) {
      if (row.spent) await (await fetch(address, requestOf(row))).arrayBuffer();
      const response = await fetch(address, requestOf(row));
      const text = await response.text();
      const compared = name === "netrecon" || name === "typescript";
      if (!response.ok || (compared && !row.answers(text))) {
        throw new Failure(`${row.name} of ${name} was answered ${response.status}: ${text.slice(0, 400)}`);
      }
    }
  }
}

/**
 * Requests/s and workerd's CPU time per request by row and target, one of each per
 * round; the first round is not kept.
 */
async function measure(rows, url, rounds, seconds, pid) {
  const samples = new Map();
  for (let round = 0; round <= rounds; round += 1) {
    say(round === 0 ? "warming up" : `round ${round} of ${rounds}`);
    for (const row of rows) {
      for (const [name, address] of targets(row, url)) {
        const sample = await load(row, address, round === 0 ? 1 : seconds, pid);
        const key = `${row.name} ${name}`;
        if (round > 0) samples.set(key, [...(samples.get(key) ?? []), sample]);
      }
    }
  }
  return samples;
}

async function load(row, address, seconds, pid) {
  const before = cpuMicros(pid);
  const result = await autocannon({ url: address, ...requestOf(row), connections: CONNECTIONS, duration: seconds });
  const others = Object.keys(result.statusCodeStats).filter((code) => code !== "200");
  if (others.length > 0 || result.errors > 0) {
    throw new Failure(`${row.name} at ${address}: status ${others.join(", ") || "none"}, ${result.errors} errors under load`);
  }
  const { total } = result.requests;
  return { rate: total / result.duration, cpu: (cpuMicros(pid) - before) / total };
}

/** CPU time of a process so far, in microseconds; 0 where /proc has none. */
function cpuMicros(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000; // ticks of 10 ms
  } catch {
    return 0;
  }
}

// --- the report --------------------------------------------------------------

function report(rows, samples, { rounds, seconds, unwinding }) {
  const middle = (row, name, what) => median(samples.get(`${row.name} ${name}`).map((sample) => sample[what]));
  const others = Object.keys(OTHERS).filter((other) => rows.some((row) => row.against.includes(other)));
  const head = ["call", "netrecon", ...others.map((other) => OTHERS[other].title)];
  const table = (what, digits, ratioOf) => {
    const lines = rows.map((row) => {
      const own = middle(row, "netrecon", what);
      const cells = others.map((other) => {
        if (!row.against.includes(other)) return "";
        const base = middle(row, other, what);
        const ratio = ratioOf(own, base);
        return `${ratio.toFixed(2)} of ${base.toFixed(digits)}${mark(ratio, goalOf(row, other))}`;
      });
      return [row.name, own.toFixed(digits), ...cells];
    });
    printTable([head, head.map(() => "---"), ...lines]);
  };
  console.log(`
Median of ${rounds} rounds of ${seconds} s, ${CONNECTIONS} connections, ${unwinding ? "unwinding" : "aborting"} build, one workerd.
A cell is netrecon's ratio to that Worker, and what that Worker has; (goal) where one is missed.

Requests/s:
`);
  table("rate", 0, (own, base) => own / base);
  console.log("\nCPU of workerd per request in microseconds, which a busy machine disturbs less; a ratio above 1 is cheaper:\n");
  table("cpu", 0, (own, base) => base / own);
  for (const [name, { of, goal }] of Object.entries(WITHIN)) {
    const [row, base] = [name, of].map((wanted) => rows.find((row) => row.name === wanted));
    if (!row || !base) continue;
    const ratio = middle(row, "netrecon", "rate") / middle(base, "netrecon", "rate");
    const cpu = middle(base, "netrecon", "cpu") / middle(row, "netrecon", "cpu");
    console.log(`\n${name}: ${ratio.toFixed(2)} of the requests/s of ${of}, ${cpu.toFixed(2)} by CPU${mark(ratio, goal)}`);
  }
}

function goalOf(row, other) {
  return other === "typescript" ? 1 : GOALS[row.name]?.[other];
}

function mark(ratio, goal) {
  return goal !== undefined && ratio < goal ? ` (goal ${goal})` : "";
}

function reportStarts(times) {
  const each = Object.entries(times).map(([name, values]) => `${name} ${median(values).toFixed(0)} ms`);
  console.log(`start of workerd to first answer, medians: ${each.join(", ")}`);
}

function printTable(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    const padded = line.map((cell, column) => (cell === "---" ? "-".repeat(widths[column]) : cell.padEnd(widths[column])));
    console.log(`| ${padded.join(" | ")} |`);
  }
}

function parse(argv) {
  const options = {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    row: { type: "string", multiple: true },
    against: { type: "string", multiple: true },
    "no-start": { type: "boolean" },
  };
  const values = valuesOf(argv, options, HELP);
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(rounds >= 1 && seconds >= 1)) throw new Failure(`rounds and seconds are numbers from 1\n${HELP}`);
  const rows = ROWS.filter(({ name }) => !values.row || values.row.includes(name)).map((row) => ({
    ...row,
    against: row.against.filter((other) => !values.against || values.against.includes(other)),
  }));
  if (rows.length === 0) throw new Failure(`no such row\n${HELP}`);
  return { rounds, seconds, rows, start: !values["no-start"] };
}
