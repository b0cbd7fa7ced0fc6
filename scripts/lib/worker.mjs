// How the built Worker is started with `wrangler dev`: local Durable Objects and KV,
// no account. Inside the lab (tests/lab/run) the Worker is told where the lab's
// resolver and its other servers are, and both it and its `fetch` trust the lab's CA.

import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ENV, Failure, NPM_BIN } from "./shell.mjs";

/** The lab starts its servers first, and may have to compile one of them. */
const START_MS = 900_000;

/**
 * Command and environment of a Worker on `port`; `state` is the folder of the local
 * Durable Objects and KV, `vars` override those of wrangler.toml.
 * @param {{port: number, state: string, vars?: Record<string, string>}} options
 */
export function workerCommand({ port, state, vars = {} }) {
  const given = Object.entries({ ...labVars(), ...vars }).flatMap(([name, value]) => ["--var", `${name}:${value}`]);
  const where = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0", "--persist-to", state];
  const command = [join(NPM_BIN, "wrangler"), "dev", ...where, "--show-interactive-dev-session=false", ...given];
  const ca = process.env.LAB_CA_PEM;
  return { command, env: ca ? { ...ENV, NODE_EXTRA_CA_CERTS: ca } : ENV };
}

/** The variables that `tests/lab/run` decides; none outside the lab. */
export function labVars() {
  const { LAB_DOH_URL, LAB_RDAP_URL, LAB_CT_URL, LAB_CA_PEM } = process.env;
  if (!LAB_DOH_URL) return {};
  const TRUST_ANCHORS = readFileSync(LAB_CA_PEM, "utf8");
  return { DOH_URL: LAB_DOH_URL, RDAP_URL: LAB_RDAP_URL, CT_URL: LAB_CT_URL, TRUST_ANCHORS };
}

/** Waits for the Worker's first answer; throws when its process group ends before. */
export async function untilItAnswers(port, group) {
  let gone = false;
  group.ended.then(() => (gone = true));
  const deadline = Date.now() + START_MS;
  while (!(await answers(port))) {
    if (gone) throw new Failure("the Worker did not start; the lines above say why");
    if (Date.now() > deadline) throw new Failure(`the Worker did not answer on port ${port} in time`);
    await sleep(100);
  }
}

async function answers(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** A port on which nobody listens. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.on("listening", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
