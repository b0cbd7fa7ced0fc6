// The Workers that `scripts/bench` compares, built and started: netrecon, bare ones in
// JavaScript and Rust, and the reference in TypeScript; all in one workerd.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build, buildCrate } from "../build.mjs";
import { endGroup } from "../group.mjs";
import { ENV, Failure, NPM_BIN, ROOT, run } from "../shell.mjs";
import { netrecon, startWorkerd } from "../workerd.mjs";

/** Starts that the median is taken of. */
const STARTS = 7;

const GENEROUS = JSON.stringify({
  decode: { limit: 1_000_000, seconds: 1 },
  lookup: { limit: 1_000_000, seconds: 1 },
});
const SPENT_AT_ONCE = JSON.stringify({ decode: { limit: 1, seconds: 86_400 } });

const REFERENCE = "build/ts-reference/index.js";

const groups = [];

/** Builds what is not up to date; answers `{unwinding, gzipBytes}` of netrecon. */
export async function buildAll() {
  const { unwinding, gzipBytes } = await build();
  const crate = "bench/bare-rust";
  await buildCrate({ crate, library: "bare_rust", inputs: [crate], dir: "build/bare-rust", unwinding });
  mkdirSync(join(ROOT, "build/ts-reference"), { recursive: true });
  // dns-packet is CommonJS and requires one module, of Node's.
  const required = '--banner:js=import * as buffer from "node:buffer"; const require = () => buffer;';
  const outside = ["node:*", "cloudflare:*"].map((name) => `--external:${name}`);
  const how = ["--bundle", "--minify", "--format=esm", "--platform=node", "--conditions=workerd,worker,import", "--log-level=warning"];
  await run(join(NPM_BIN, "esbuild"), ["bench/ts-reference/index.ts", ...how, ...outside, required, `--outfile=${REFERENCE}`], { env: ENV });
  return { unwinding, gzipBytes };
}

/** All Workers in one process, the resolver that they ask in another; answers their URLs. */
export async function startAll() {
  const resolver = await started("resolver", [{ name: "doh", modules: ["bench/doh.js"] }]);
  const DOH_URL = `${resolver.url("doh")}/dns-query`;
  const workers = await started("workers", [
    netrecon({ vars: { BUDGETS: GENEROUS, DOH_URL } }),
    netrecon({ name: "netrecon-spent", vars: { BUDGETS: SPENT_AT_ONCE, DOH_URL } }),
    reference("reference", { BUDGETS: GENEROUS, DOH_URL }),
    reference("reference-spent", { BUDGETS: SPENT_AT_ONCE, DOH_URL }),
    BARE_JS,
    BARE_RUST,
  ]);
  await firstAnswer(`${workers.url("netrecon")}/livez`);
  return workers;
}

/** Milliseconds from the start of workerd to a first answer, medians by Worker. */
export async function startTimes() {
  const kinds = { netrecon: netrecon(), "bare Rust": BARE_RUST, "bare JS": BARE_JS, "TypeScript SDK": reference("reference", {}) };
  const times = {};
  for (let start = 0; start < STARTS; start += 1) {
    for (const [title, worker] of Object.entries(kinds)) {
      const began = performance.now();
      const { url } = await started("start", [worker]);
      await firstAnswer(`${url(worker.name)}/livez`);
      (times[title] ??= []).push(performance.now() - began);
      await endAll();
    }
  }
  return times;
}

/** Ends every workerd that was started here. */
export async function endAll() {
  await Promise.all(groups.splice(0).map((group) => endGroup(group)));
}

function reference(name, vars) {
  return { name, modules: [REFERENCE], classes: { CLIENTS: "Budgets" }, vars };
}

const BARE_JS = { name: "bare-js", modules: ["bench/bare-js/index.js"] };
const BARE_RUST = {
  name: "bare-rust",
  modules: ["build/bare-rust/index.js", "build/bare-rust/index_bg.wasm"],
  classes: { OBJECT: "BareObject" },
};

async function started(label, workers) {
  const process = await startWorkerd(label, workers);
  groups.push(process.group);
  return process;
}

async function firstAnswer(url) {
  for (let tries = 0; tries < 5_000; tries += 1) {
    try {
      const response = await fetch(url, { headers: { host: "localhost" } });
      await response.arrayBuffer();
      if (response.ok) return;
      throw new Failure(`${url} answered ${response.status}`);
    } catch (error) {
      if (error instanceof Failure) throw error;
      await sleep(2); // nobody listens yet
    }
  }
  throw new Failure(`nobody answers at ${url}`);
}
