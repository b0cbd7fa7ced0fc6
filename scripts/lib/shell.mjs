// What every script shares: where things are, how a command is run, how the
// scripts speak. Node built-ins only, since it runs before anything is installed.

import { spawn, spawnSync } from "node:child_process";
import { dirname, delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/** The checkout. Scripts always run with it as their working directory. */
export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Tools that cargo installs for this checkout; git ignores it. */
export const TOOLS = join(ROOT, ".tools");

/** Executables of the npm packages, the Node that wrangler needs among them. */
export const NPM_BIN = join(ROOT, "node_modules", ".bin");

/**
 * Environment of every command: the checkout's own tools come first, and
 * wrangler neither reports usage nor asks the internet for a sample `request.cf`.
 */
export const ENV = {
  ...process.env,
  PATH: [NPM_BIN, join(TOOLS, "bin"), process.env.PATH].join(delimiter),
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // `+nightly` must find out whether nightly is there, not fetch it unannounced.
  RUSTUP_AUTO_INSTALL: "0",
};

/** A failure that is explained by its message alone: printed without a stack. */
export class Failure extends Error {}

/** One line that says what is being done. */
export function say(text) {
  console.log(`netrecon: ${text}`);
}

/** Something the reader must not overlook. */
export function shout(text) {
  const bar = "!".repeat(78);
  console.error(`${bar}\n${text}\n${bar}`);
}

/** Runs a command to its end, its output going to ours; throws when it fails. */
export async function run(command, args, options = {}) {
  const code = await new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: ROOT, env: ENV, stdio: ["ignore", "inherit", "inherit"], ...options });
    child.on("error", (error) => reject(new Failure(`cannot start ${command}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(signal ?? code));
  });
  if (code !== 0) throw new Failure(`\`${[command, ...args].join(" ")}\` failed (${code})`);
}

/** The trimmed output of a command, or null when it is missing or fails. */
export function ask(command, args) {
  const { status, stdout } = spawnSync(command, args, { cwd: ROOT, env: ENV, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** Ends a script: a Failure as its one sentence, anything else with its stack. */
export function die(error) {
  console.error(error instanceof Failure ? `netrecon: ${error.message}` : error);
  process.exit(1);
}

/**
 * What was given for a script's options, in the form of `parseArgs`. `--help` prints `help`
 * and ends the script; what is not understood is a Failure that ends in it.
 */
export function valuesOf(argv, options, help) {
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options: { ...options, help: { type: "boolean" } } }));
  } catch (error) {
    throw new Failure(`${error.message}\n${help}`);
  }
  if (!values.help) return values;
  console.log(help);
  process.exit(0);
}

/** Runs `main` when the module was started as a script, not when imported. */
export function script(meta, main) {
  if (process.argv[1] !== fileURLToPath(meta.url)) return;
  Promise.resolve(process.argv.slice(2)).then(main).catch(die);
}
