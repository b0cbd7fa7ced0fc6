// Installs what the build and the tests need, pinned, inside the checkout. Each
// step first looks whether its work is done, so a second run costs a few process
// starts. Everything comes from the package registries and through rustup.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ENV, Failure, NPM_BIN, ROOT, TOOLS, ask, run, say, script } from "./shell.mjs";

const WORKER_BUILD = "0.8.7";
const WASM = "wasm32-unknown-unknown";
const DAY_MS = 86_400_000;

/** Installs what is missing; says so. Returns whether it had to do anything. */
export async function setup() {
  mkdirSync(TOOLS, { recursive: true });
  let worked = false;
  for (const step of [npmPackages, rustParts, workerBuild, wasmBindgen, nightlyParts]) {
    worked = (await step()) || worked;
  }
  return worked;
}

/** The Node packages of package-lock.json, and the Node that wrangler runs on. */
async function npmPackages() {
  const lock = createHash("sha256").update(readFileSync(join(ROOT, "package-lock.json"))).digest("hex");
  const stamp = join(ROOT, "node_modules", ".installed-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return false;
  say("installing the npm packages of package-lock.json (about 40 s)");
  await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { env: process.env });
  await nodeForWrangler();
  writeFileSync(stamp, lock);
  return true;
}

/**
 * The `node` package fetches its binary in an install script, which npm may be
 * told not to run; then it is run here.
 */
async function nodeForWrangler() {
  const node = join(NPM_BIN, "node");
  if (ask(node, ["--version"])) return;
  rmSync(node, { force: true }); // a link to nothing would shadow the Node we run on
  await run("npm", ["rebuild", "node", "--ignore-scripts=false"], { env: process.env });
  if (!ask(node, ["--version"])) {
    throw new Failure("the npm package `node` brought no Node for wrangler: run `npm rebuild node` and look at its output.");
  }
}

/** The compile target, and the components that the tests use. */
async function rustParts() {
  const sysroot = ask("rustc", ["--print", "sysroot"]);
  let worked = false;
  if (!existsSync(join(sysroot, "lib", "rustlib", WASM))) {
    say(`adding the Rust target ${WASM}`);
    await run("rustup", ["target", "add", WASM]);
    worked = true;
  }
  for (const [component, binary] of [["rustfmt", "rustfmt"], ["clippy", "cargo-clippy"]]) {
    if (existsSync(join(sysroot, "bin", binary))) continue;
    say(`adding the Rust component ${component}`);
    await run("rustup", ["component", "add", component]);
    worked = true;
  }
  return worked;
}

/** worker-build, from its own lock file. */
async function workerBuild() {
  if (ask(join(TOOLS, "bin", "worker-build"), ["--version"]) === WORKER_BUILD) return false;
  say(`compiling worker-build ${WORKER_BUILD} (once, some minutes)`);
  await cargoInstall("worker-build", WORKER_BUILD, ["--locked"]);
  return true;
}

/**
 * wasm-bindgen's command, of exactly the library's version in Cargo.lock. Its own
 * lock file does not resolve on current toolchains, hence no `--locked`.
 */
async function wasmBindgen() {
  const version = lockedVersion("wasm-bindgen");
  if (ask(join(TOOLS, "bin", "wasm-bindgen"), ["--version"]) === `wasm-bindgen ${version}`) return false;
  say(`compiling wasm-bindgen ${version} (once, some minutes)`);
  await cargoInstall("wasm-bindgen-cli", version, []);
  return true;
}

function cargoInstall(name, version, more) {
  const args = ["install", "--quiet", "--force", "--root", TOOLS, "--debug", name, "--version", version, ...more];
  return run("cargo", args);
}

/** The version of a package in Cargo.lock. */
export function lockedVersion(name) {
  const lock = readFileSync(join(ROOT, "Cargo.lock"), "utf8");
  const version = lock.match(new RegExp(`^name = "${name}"\\nversion = "(.+)"$`, "m"))?.[1];
  if (!version) throw new Failure(`Cargo.lock names no ${name}`);
  return version;
}

// --- nightly, for the unwinding build ----------------------------------------

/**
 * Whether the unwinding build can be made: nightly, its standard library's
 * sources and the compile target are there.
 */
export function nightlyReady() {
  const sysroot = ask("rustc", ["+nightly", "--print", "sysroot"]);
  if (!sysroot) return false;
  const lib = join(sysroot, "lib", "rustlib");
  return existsSync(join(lib, "src", "rust", "library", "std")) && existsSync(join(lib, WASM));
}

/**
 * Adds nightly's parts. Where they cannot be had (no way to them, or a machine
 * whose owner forbids it) the build falls back; the attempt is repeated daily.
 */
async function nightlyParts() {
  if (nightlyReady()) return false;
  const refused = join(TOOLS, "nightly-refused");
  if (existsSync(refused) && Date.now() - statSync(refused).mtimeMs < DAY_MS) return false;
  say("adding nightly Rust with rust-src, for the build whose panics unwind");
  const args = ["toolchain", "install", "nightly", "--profile", "minimal", "--no-self-update"];
  const parts = ["--component", "rust-src", "--target", WASM];
  try {
    await run("rustup", [...args, ...parts], { env: ENV });
    rmSync(refused, { force: true });
  } catch {
    writeFileSync(refused, "rustup could not install nightly with rust-src; delete this file to try again\n");
  }
  return true;
}

script(import.meta, async () => {
  if (!(await setup())) say("everything is installed");
});
