// Counts the instructions of the native benchmarks (benches/instructions.rs) under
// valgrind, and the script's bytes, and compares both with the last recorded run in
// benches/record.json. Counts do not depend on how busy the machine is. They are of the
// build that the tests have compiled already: hardly optimised, so they tell whether there
// is more to do than before, not how long it takes.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { ENV, Failure, ROOT, ask, say, script } from "./shell.mjs";

const RECORD = join(ROOT, "benches/record.json");

/** Repetitions: the difference of both counts is free of what starting costs. */
const FEW = 20;
const MANY = 120;
/** The same for texts that cost a thousand times as much. */
const HOSTILE = { few: 1, many: 3 };

/** From this ratio on, the run fails. */
const WORSE = 1.05;

export async function main(argv) {
  const update = argv.includes("--update");
  if (!ask("valgrind", ["--version"])) throw new Failure("valgrind is not here; on Debian: apt-get install valgrind");
  const program = compiled();
  const names = spawnSync(program, { encoding: "utf8" }).stdout.trim().split("\n");
  const now = { rustc: ask("rustc", ["--version"]), instructions: {} };
  for (const name of names) {
    say(`counting ${name}`);
    const { few, many } = name.startsWith("hostile_") ? HOSTILE : { few: FEW, many: MANY };
    now.instructions[name] = Math.round((counted(program, name, many) - counted(program, name, few)) / (many - few));
  }
  now.gzipBytes = (await build()).gzipBytes;
  const worse = compare(JSON.parse(readFileSync(RECORD, "utf8")), now);
  if (update) {
    writeFileSync(RECORD, `${JSON.stringify(now, null, 2)}\n`);
    say("recorded in benches/record.json");
  } else if (worse.length > 0) {
    throw new Failure(`more than ${WORSE} of the record: ${worse.join(", ")}; mend it, or record it with --update and say why`);
  }
}

/** The benchmark's executable. */
function compiled() {
  const args = ["test", "--locked", "--no-run", "--bench", "instructions", "--message-format=json-render-diagnostics"];
  const { status, stdout } = spawnSync("cargo", args, { cwd: ROOT, env: ENV, encoding: "utf8", maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) throw new Failure("the benchmarks do not compile");
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line));
  return messages.findLast(({ executable, target }) => executable && target.name === "instructions").executable;
}

/** Instructions of a whole run, as callgrind counts them. */
function counted(program, name, times) {
  const args = ["--tool=callgrind", "--callgrind-out-file=/dev/null", program, name, String(times)];
  const { stderr } = spawnSync("valgrind", args, { encoding: "utf8" });
  const found = stderr.match(/Collected\s*:\s*(\d+)/)?.[1];
  if (!found) throw new Failure(`valgrind counted nothing of ${name}:\n${stderr}`);
  return Number(found);
}

/** Prints both runs side by side; answers the names of what got worse. */
function compare(record, now) {
  const rows = [
    ...Object.entries(now.instructions).map(([name, count]) => [name, record.instructions[name], count]),
    ["script, bytes gzip", record.gzipBytes, now.gzipBytes],
  ];
  const note = record.rustc === now.rustc ? "" : ` with ${record.rustc}, this is ${now.rustc}`;
  console.log(`\nInstructions per call, and the script's size; recorded${note || " with the same compiler"}.\n`);
  const worse = [];
  for (const [name, before, count] of rows) {
    const ratio = before ? count / before : NaN;
    if (ratio > WORSE) worse.push(name);
    console.log(`  ${name.padEnd(22)} ${String(before ?? "new").padStart(10)} -> ${String(count).padStart(10)}  ${Number.isNaN(ratio) ? "" : ratio.toFixed(3)}`);
  }
  return worse;
}

script(import.meta, main);
