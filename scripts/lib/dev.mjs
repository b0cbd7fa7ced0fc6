// Serves the Worker on this machine until Ctrl-C. With --lab it runs inside the
// offline internet of tests/lab: a network namespace, which the host cannot reach
// over TCP but can over a Unix socket, since that is a file. So two pipes connect
// the host's port to the Worker's:
//
//   browser -> tcp:127.0.0.1:PORT =(pipe on the host)=> unix socket
//           =(pipe in the lab)=> tcp:127.0.0.1:PORT -> Worker

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { endGroup, startGroup } from "./group.mjs";
import { Failure, say, script, valuesOf } from "./shell.mjs";
import { untilItAnswers, workerCommand } from "./worker.mjs";

const HELP = `Usage: scripts/dev [--port N] [--lab]

Installs what is missing, builds, and serves on http://localhost:8787 with local
Durable Objects and KV: no account. A change of a source builds and loads anew.

  --port N   another port than 8787
  --lab      inside an offline internet of its own (Linux), with hosts to try
  --help     this text`;

/** What must not outlive us, the Worker first. */
const groups = [];

script(import.meta, async (argv) => {
  const { port, lab } = parse(argv);
  await needFree(port);
  await build();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void leave(0));
  const worker = lab ? startInLab(port) : start(port);
  await untilItAnswers(port, worker).catch(async (error) => {
    await endAll();
    throw error;
  });
  console.log(`
netrecon is up${lab ? ", inside the lab" : ""}
  page   http://localhost:${port}/
  MCP    http://localhost:${port}/mcp${lab ? "\n  try    lab-good.com, and the hosts that tests/lab/hosts.mjs describes" : ""}
  ends   with Ctrl-C
`);
  await worker.ended;
  await leave(1);
});

function start(port) {
  say("starting the Worker");
  const { command, env } = workerCommand({ port, state: ".wrangler/state" });
  return keep(startGroup(command, { env }));
}

function startInLab(port) {
  say("starting the lab, and the Worker inside it");
  const folder = mkdtempSync(join(tmpdir(), "netrecon-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const socket = `unix:${join(folder, "worker.sock")}`;
  const address = `tcp:127.0.0.1:${port}`;
  const pipe = ["node", "tests/lab/pipe.mjs"];
  const inside = ["node", "scripts/lib/with-worker.mjs", "--port", String(port), "--state", ".wrangler/lab", "--"];
  const lab = keep(startGroup(["tests/lab/run", "--", ...inside, ...pipe, "--listen", socket, "--to", address]));
  keep(startGroup([...pipe, "--listen", address, "--to", socket]));
  return lab;
}

function keep(group) {
  groups.push(group);
  return group;
}

/** Ends everything that was started, then us. */
async function leave(code) {
  await endAll();
  process.exit(code);
}

async function endAll() {
  await Promise.all(groups.map((group) => endGroup(group)));
}

function parse(argv) {
  const options = { port: { type: "string", default: "8787" }, lab: { type: "boolean" } };
  const values = valuesOf(argv, options, HELP);
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new Failure(`--port ${values.port}: wants a number from 1 to 65535`);
  }
  return { port, lab: values.lab ?? false };
}

/** A port in use is better said before the build than after it. */
async function needFree(port) {
  const server = createServer().listen(port, "127.0.0.1");
  await new Promise((resolve, reject) => {
    server.on("listening", () => server.close(resolve));
    server.on("error", (error) => reject(new Failure(`port ${port} cannot be had (${error.code}); choose another with --port N`)));
  });
}
