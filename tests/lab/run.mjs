// The runner's outer half: checks that this machine can hold the lab, builds the name system once,
// enters new namespaces and stays outside to clean up. inside.mjs does the rest within.
//
// Exit status: COMMAND's own; 64 wrong usage; 69 a build or a server failed; 75 this machine cannot
// hold the lab (no Linux namespaces), so that a caller can skip by name.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const USAGE = 64;
const UNAVAILABLE = 69;
const CANNOT = 75;

/** How long the inside may take to end after it was told to, before it is killed. */
const GRACE_MS = 5_000;

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");

const NAMESPACES = ["--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child"];

function fail(status, sentence) {
  process.stderr.write(`lab: ${sentence}\n`);
  process.exit(status);
}

function options(args) {
  let delay = process.env.LAB_DELAY_MS ?? "0";
  while (args.length > 0 && args[0] !== "--") {
    const flag = args.shift();
    if (flag !== "--delay") fail(USAGE, "usage: tests/lab/run [--delay MS] -- COMMAND...");
    delay = args.shift() ?? "";
  }
  args.shift();
  if (args.length === 0) fail(USAGE, "usage: tests/lab/run [--delay MS] -- COMMAND...");
  if (!/^\d{1,5}$/.test(delay)) fail(USAGE, "--delay takes whole milliseconds");
  return { delay, command: args };
}

/** Ends with 75 and one sentence where namespaces cannot be had. */
function checkMachine() {
  if (process.platform !== "linux") fail(CANNOT, "the lab needs Linux network namespaces");
  const probe = spawnSync("unshare", [...NAMESPACES, "ip", "link", "set", "lo", "up"], {
    encoding: "utf8",
  });
  if (probe.error) fail(CANNOT, "the lab needs the command unshare (package util-linux)");
  if (probe.status === 0) return;
  const why = probe.stderr.trim().split("\n")[0] ?? "";
  if (/failed to execute ip/.test(why))
    fail(CANNOT, "the lab needs the command ip (package iproute2)");
  fail(CANNOT, `this machine does not allow network namespaces without privileges (${why})`);
}

/** A digest of every file below a folder, whatever its time stamps: a checkout's say nothing. */
function digest(folder) {
  const hash = createHash("sha256");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
  for (const file of files) hash.update(`${relative(folder, file)}\0`).update(readFileSync(file));
  return hash.digest("hex");
}

/** The name system's program, built when its sources are not the ones it was built from. */
function nameServer() {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
  const program = join(target, "debug", "netrecon-lab-dns");
  const stamp = `${program}.sources`;
  const sources = digest(join(here, "dns"));
  const built = existsSync(program) && existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
  if (built) return program;
  process.stderr.write("lab: building its name server (once)\n");
  const args = ["build", "--quiet", "--locked", "-p", "netrecon-lab-dns"];
  const build = spawnSync("cargo", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (build.status !== 0) fail(UNAVAILABLE, "cargo could not build netrecon-lab-dns");
  writeFileSync(stamp, sources);
  return program;
}

function main() {
  const { delay, command } = options(process.argv.slice(2));
  checkMachine();
  const program = nameServer();
  const state = mkdtempSync(join(tmpdir(), "netrecon-lab-"));

  const inside = spawn(
    "unshare",
    [...NAMESPACES, process.execPath, join(here, "inside.mjs"), state, program, ...command],
    {
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...process.env, LAB_DELAY_MS: delay },
    },
  );

  // The inside hears of a signal over the channel, not by the signal: what it starts must get the
  // signal first and once. When this process dies unasked the channel closes, and the inside ends
  // by that; --kill-child then ends all that is left in its process namespace.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (inside.connected) inside.send({ signal });
      setTimeout(() => inside.kill("SIGKILL"), GRACE_MS).unref();
    });
  }
  inside.on("error", () => fail(UNAVAILABLE, "unshare could not be started"));
  inside.on("exit", (status, signal) => {
    rmSync(state, { recursive: true, force: true });
    process.exitCode = status ?? 128 + (constants.signals[signal] ?? 0);
    if (inside.connected) inside.disconnect();
  });
}

main();
