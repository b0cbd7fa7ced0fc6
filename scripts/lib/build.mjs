// Builds the Worker: worker-build compiles src/ to WebAssembly, wasm-bindgen
// makes the JavaScript glue, wasm-opt shrinks, esbuild bundles. worker-build would
// download the last three from release pages; it is given those that setup
// installed from the package registries instead. wasm-opt is run from here:
// worker-build's own run is for speed and keeps every function's name.
//
// The default is the unwinding build (nightly, std rebuilt): there a panic ends
// the call that panicked. In the stable build a panic aborts the instance and
// with it every call in flight, so falling back to it is said loudly.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { namedByPlace } from "./alike.mjs";
import { nightlyReady, setup } from "./setup.mjs";
import { ENV, NPM_BIN, ROOT, TOOLS, ask, run, say, script, shout, valuesOf } from "./shell.mjs";

const HELP = `Usage: scripts/build [--stable] [--features LIST]

Builds the Worker into build/, or does nothing when no source has changed since.

  --stable          build with stable Rust: quicker, but one panic ends every call
                    in flight; the default is the unwinding build of nightly Rust
  --features LIST   cargo features; such a build goes to build/LIST, or with --stable
                    to build/LIST-stable, so that what is deployed is never a test build
  --help            this text`;

/** What worker-build makes, and wrangler uploads. */
const MODULE = "index_bg.wasm";
const OUTPUTS = ["index.js", MODULE];

/**
 * For size after compression, which is what the platform limits: `-Oz` makes the module
 * smaller and its gzip a tenth larger (docs/performance.md).
 */
const SHRINK = [
  ...["--dae-optimizing", "--duplicate-function-elimination", "--remove-unused-names", "--remove-unused-brs"],
  ...["--merge-blocks", "--simplify-locals-nostructure", "--vacuum", "--rse", "--vacuum"],
  ...["--optimize-instructions", "--vacuum", "--coalesce-locals-learning", "--reorder-locals"],
];

/**
 * Behind that: functions that are alike stand close together (alike.mjs), names go, and what
 * is used where it is made stays on the stack (wasm-opt does that when it is to shrink).
 */
const ARRANGE = [
  ...["--reorder-functions-by-name", "--strip-debug", "--strip-producers"],
  ...["--generate-stack-ir", "--optimize-stack-ir", "--shrink-level=1"],
];

/**
 * By name and not `--all-features`: an encoding that workerd does not know yet would not
 * load. These are rustc's for wasm32 and the exceptions of wasm-bindgen's catch wrappers.
 */
export const FEATURES = [
  ...["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue"],
  ...["reference-types", "exception-handling"],
].map((feature) => `--enable-${feature}`);

/**
 * The compiler's, of the unwinding build. A destructor that panics ends the instance, as
 * it always does while another panic unwinds: ours do nothing that could, and the ways out
 * of them all are a twentieth of the module. Exceptions in their first form: bindgen.mjs.
 * What is marked `#[inline]`, which in std and serde is nearly all, gets no longer than what is
 * not; ways that are hardly ever gone, those of a panic above all, get nothing inlined.
 */
const UNWINDING = [
  ...["-Zpanic-in-drop=abort", "-Cllvm-args=-wasm-use-legacy-eh=true"],
  ...["-Cllvm-args=-inlinehint-threshold=50", "-Cllvm-args=-inline-cold-callsite-threshold=0"],
];

/** The Worker: what its build reads besides what cargo's dependency file names. */
const WORKER = {
  crate: "module",
  workspace: ".",
  library: "netrecon_module",
  entry: "src/edge/entry.js",
  inputs: [
    ...["Cargo.toml", "Cargo.lock", ".cargo", "gcm", "memory", "module", "src", "migrations", "package-lock.json"],
    ...["build.mjs", "bindgen.mjs", "alike.mjs"].map((name) => `scripts/lib/${name}`),
  ],
};

/**
 * Builds the Worker when needed and returns `{dir, unwinding, gzipBytes}`.
 * @param {{stable?: boolean, features?: string}} options
 */
export async function build({ stable = false, features = "" } = {}) {
  await setup();
  const unwinding = !stable && nightlyReady();
  if (!unwinding && !stable) {
    shout(
      "netrecon: nightly Rust with rust-src is not to be had here, so this is the STABLE build:\n" +
        "one panic ends every call in flight, not only its own. Good enough to try things;\n" +
        "before you deploy: rustup toolchain install nightly --component rust-src",
    );
  }
  const dir = features ? join("build", stable ? `${features}-stable` : features) : "build";
  await buildCrate({ ...WORKER, dir, unwinding, features });
  return { dir, unwinding, gzipBytes: reportSize(dir) };
}

/**
 * Builds a crate of the checkout into `dir`, unless that holds what its sources and
 * the recipe give; needs a finished setup. All paths are relative to the checkout.
 * @param {{crate: string, workspace?: string, library: string, entry?: string,
 *   inputs: string[], dir: string, unwinding: boolean, features?: string}} what
 *   `entry` stands before worker-build's own in the unwinding build; in the stable
 *   one, that makes a new instance after a panic.
 */
export async function buildCrate(what) {
  const { crate, workspace = crate, library, entry, inputs, dir, unwinding, features = "" } = what;
  const rustc = ask("rustc", unwinding ? ["+nightly", "--version"] : ["--version"]);
  const flags = unwinding ? UNWINDING.filter(isKnown) : [];
  const recipe = { unwinding, flags, features, rustc };
  const stamp = join(ROOT, dir, ".built-from");
  await otherBuild(dir);
  if (isUpToDate(dir, stamp, recipe, inputs)) {
    say(`${dir}/ is up to date`);
    return;
  }
  const how = unwinding ? "nightly Rust, panics unwind" : "stable Rust, panics abort";
  say(`building ${dir}/ with ${how} (the first time some minutes)`);
  const started = Date.now();
  const args = [crate, "--release", "--no-opt", "--out-dir", relative(crate, dir)];
  if (unwinding) {
    args.push("--panic-unwind", "-Zprofile-rustflags");
    args.push("--config", `profile.release.rustflags=${JSON.stringify(flags)}`);
    args.push("--config", "profile.release.build-override.rustflags=[]"); // what runs here
  }
  if (features) args.push("--features", features);
  await run(join(TOOLS, "bin", "worker-build"), [...args, "--locked"], {
    env: {
      ...ENV,
      WASM_BINDGEN_BIN: unwinding ? join(ROOT, "scripts", "lib", "bindgen.mjs") : join(TOOLS, "bin", "wasm-bindgen"),
      WASM_OPT_BIN: join(NPM_BIN, "wasm-opt"),
      ESBUILD_BIN: join(NPM_BIN, "esbuild"),
      RUST_BACKTRACE: "0", // of worker-build itself, which buries what rustc said
      // std as it is rebuilt for the unwinding build: sorts and formatting in their small forms.
      CARGO_UNSTABLE_BUILD_STD_FEATURES: "panic-unwind,optimize_for_size",
    },
  });
  await shrink(join(ROOT, dir, MODULE));
  if (entry && unwinding) await enterBy(entry, dir);
  const files = [...new Set([...inputs.flatMap(filesUnder), ...includedFiles(workspace, library)])].sort();
  // A file saved meanwhile may or may not be in this build: the next call makes sure.
  if (files.some((file) => statSync(join(ROOT, file)).mtimeMs > started)) return;
  writeFileSync(stamp, JSON.stringify({ recipe, files, digest: digestOf(files) }));
}

/** Whether this nightly takes a flag: what is unstable may be gone in the next. */
function isKnown(flag) {
  return ask("rustc", ["+nightly", flag, "--print", "sysroot"]) !== null;
}

async function shrink(module) {
  const shrunk = `${module}.shrunk`;
  await run(join(NPM_BIN, "wasm-opt"), [module, ...SHRINK, ...FEATURES, "-o", shrunk]);
  writeFileSync(shrunk, namedByPlace(readFileSync(shrunk)));
  await run(join(NPM_BIN, "wasm-opt"), [shrunk, ...ARRANGE, ...FEATURES, "-o", shrunk]);
  renameSync(shrunk, module);
}

/** Puts a module before the bundle that worker-build made, as one script again. */
async function enterBy(entry, dir) {
  const [script] = OUTPUTS;
  const bundled = join(dir, "bundled.js");
  renameSync(join(ROOT, dir, script), join(ROOT, bundled));
  const outside = ["cloudflare:*", `./${MODULE}`].map((name) => `--external:${name}`);
  const how = ["--bundle", "--minify", "--format=esm", "--log-level=warning", `--alias:bundled=./${bundled}`];
  await run(join(NPM_BIN, "esbuild"), [entry, ...how, ...outside, `--outfile=${join(dir, script)}`], { env: ENV });
  rmSync(join(ROOT, bundled));
}

// --- is there anything to do? ------------------------------------------------

/**
 * Waits while somebody else builds into `dir` (wrangler after a change, a second
 * terminal): worker-build touches its staging folder every second.
 */
async function otherBuild(dir) {
  const staging = join(ROOT, dir, ".tmp");
  const lives = () => Date.now() - (statSync(staging, { throwIfNoEntry: false })?.mtimeMs ?? 0) < 5_000;
  if (lives()) say(`waiting for the build of ${dir}/ that is under way`);
  while (lives()) await sleep(500);
}

function isUpToDate(dir, stamp, recipe, inputs) {
  if (!existsSync(stamp) || OUTPUTS.some((name) => !existsSync(join(ROOT, dir, name)))) return false;
  let built;
  try {
    built = JSON.parse(readFileSync(stamp, "utf8"));
  } catch {
    return false; // we were ended while writing it
  }
  if (JSON.stringify(built.recipe) !== JSON.stringify(recipe)) return false;
  const files = [...new Set([...built.files, ...inputs.flatMap(filesUnder)])].sort();
  return digestOf(files) === built.digest;
}

function filesUnder(path) {
  const absolute = join(ROOT, path);
  if (!existsSync(absolute)) return [];
  if (statSync(absolute).isFile()) return [path];
  return readdirSync(absolute).flatMap((name) => filesUnder(join(path, name)));
}

/**
 * What the crate includes from elsewhere in the checkout, as cargo saw it: its
 * dependency file reads `output: input input ...`, with spaces escaped.
 */
function includedFiles(workspace, library) {
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, workspace, "target");
  const file = join(target, "wasm32-unknown-unknown", "release", `${library}.d`);
  if (!existsSync(file)) return [];
  const [, inputs] = readFileSync(file, "utf8").split(/:\s/, 2);
  return inputs
    .split(/(?<!\\)\s+/)
    .filter(Boolean)
    .map((path) => relative(ROOT, path.replaceAll("\\ ", " ")))
    .filter((path) => !path.startsWith(".."));
}

function digestOf(files) {
  const hash = createHash("sha256");
  for (const file of files) {
    const path = join(ROOT, file);
    hash.update(`${file}\0`).update(existsSync(path) ? readFileSync(path) : "gone").update("\0");
  }
  return hash.digest("hex");
}

// --- size --------------------------------------------------------------------

/** Prints the size that the platform limits; returns it in bytes. */
function reportSize(dir) {
  const files = OUTPUTS.map((name) => readFileSync(join(ROOT, dir, name)));
  const raw = files.reduce((sum, file) => sum + file.length, 0);
  const gzip = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  say(`script size ${kib(gzip)} gzip, ${kib(raw)} raw (limit 3072 KiB gzip on the free plan)`);
  return gzip;
}

function kib(bytes) {
  return `${(bytes / 1024).toFixed(0)} KiB`;
}

script(import.meta, async (argv) => {
  const options = { stable: { type: "boolean" }, features: { type: "string" } };
  const values = valuesOf(argv, options, HELP);
  await build(values);
});
