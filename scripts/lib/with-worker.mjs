// Usage: node scripts/lib/with-worker.mjs [--port N] [--state DIR] [--var NAME:VALUE]... -- COMMAND...
//
// Runs COMMAND while the built Worker serves, its address in NETRECON_URL, and ends
// with COMMAND's exit code. Without --state the Worker starts with nothing stored and
// leaves nothing. In the lab: `tests/lab/run -- node scripts/lib/with-worker.mjs -- ...`.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { endGroup, startGroup } from "./group.mjs";
import { ENV, Failure, script } from "./shell.mjs";
import { freePort, untilItAnswers, workerCommand } from "./worker.mjs";

const groups = [];

script(import.meta, async (argv) => {
  const { port = await freePort(), state = temporaryFolder(), vars, command } = parse(argv);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => void leave(130));
  const { command: wrangler, env } = workerCommand({ port, state, vars });
  const worker = keep(startGroup(wrangler, { env }));
  try {
    await untilItAnswers(port, worker);
    const beside = keep(startGroup(command, { env: { ...ENV, NETRECON_URL: `http://localhost:${port}` } }));
    const died = worker.ended.then(() => new Failure("the Worker ended while it was needed"));
    const code = await Promise.race([beside.ended, died]);
    if (code instanceof Failure) throw code;
    await leave(typeof code === "number" ? code : 1);
  } catch (error) {
    console.error(error instanceof Failure ? `netrecon: ${error.message}` : error);
    await leave(1);
  }
});

function keep(group) {
  groups.push(group);
  return group;
}

async function leave(code) {
  // less patience than those have who end us
  await Promise.all(groups.map((group) => endGroup(group, 3_000)));
  process.exit(code);
}

function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "netrecon-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function parse(argv) {
  const options = {
    port: { type: "string" },
    state: { type: "string" },
    var: { type: "string", multiple: true, default: [] },
  };
  const { values, positionals: command } = parseArgs({ args: argv, options, allowPositionals: true });
  if (command.length === 0) throw new Failure("with-worker: say which command to run, after `--`");
  const vars = values.var.map((given) => {
    const [, name, value] = given.match(/^(\w+):(.*)$/s) ?? [];
    if (!name) throw new Failure(`with-worker: --var ${given}: wants NAME:VALUE`);
    return [name, value];
  });
  const port = values.port === undefined ? undefined : Number(values.port);
  return { port, state: values.state, vars: Object.fromEntries(vars), command };
}
