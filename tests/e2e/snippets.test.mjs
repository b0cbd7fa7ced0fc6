// README's line for each client, followed literally against the built Worker. The command
// lines of Claude Code, Codex and Gemini CLI run where these programs are installed
// (hundreds of megabytes, so the scripts do not install them); what an editor reads from a
// settings file is read here and connected to. The page shows the very same lines.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { sdkV1 } from "../clients/official.mjs";
import { Worker } from "./support/worker.mjs";

const LOCAL = "http://localhost:8787/mcp";

/** Client and line, as README's table has them. */
const LINES = Object.fromEntries(
  [...readFileSync("README.md", "utf8").matchAll(/^\| ([A-Z][^|]+?) \| `(.+)` \|$/gm)]
    .map(([, client, line]) => [client.split(",")[0], line])
    .filter(([, line]) => line.includes(LOCAL)),
);

/** How a program is asked for the servers it knows, and what it says of one it reached. */
const PROGRAMS = {
  "Claude Code": { list: ["claude", "mcp", "list"], says: /netrecon: .*Connected/ },
  Codex: { list: ["codex", "mcp", "list"], says: /netrecon\s+http\S+\s.*enabled/ },
  "Gemini CLI": { list: ["gemini", "mcp", "list"], says: /netrecon: .*Connected/ },
};

/** @type {Worker} */
let worker;
let home;
before(async () => {
  worker = await Worker.start();
  home = mkdtempSync(join(tmpdir(), "netrecon-snippets-"));
});
after(async () => {
  await worker?.stop();
  rmSync(home, { recursive: true, force: true });
});

/** Runs a command line in a home of its own; answers all it said. */
function shell(line) {
  const env = { ...process.env, HOME: home, GEMINI_CLI_TRUST_WORKSPACE: "true" };
  const { status, stdout, stderr } = spawnSync("sh", ["-c", line], { cwd: home, env, encoding: "utf8", timeout: 60_000 });
  return { status, said: `${stdout}${stderr}` };
}

function here(line) {
  return line.replaceAll(LOCAL, `${worker.url}/mcp`);
}

test("README has a line for each of the five clients that need one", () => {
  assert.deepEqual(Object.keys(LINES).sort(), ["Claude Code", "Codex", "Cursor", "Gemini CLI", "VS Code"]);
});

for (const [client, { list, says }] of Object.entries(PROGRAMS)) {
  const there = spawnSync("sh", ["-c", `command -v ${list[0]}`]).status === 0;
  test(`${client} does what its line says`, { skip: !there && `${list[0]} is not installed` }, () => {
    const added = shell(here(LINES[client]));
    assert.equal(added.status, 0, added.said);
    assert.match(shell(list.join(" ")).said, says);
  });
}

test("Cursor's settings lead to the five tools", async () => {
  const { netrecon } = JSON.parse(here(LINES.Cursor)).mcpServers;
  await fiveToolsAt(netrecon.url);
});

test("VS Code's command carries settings that lead to the five tools", async () => {
  const { said } = shell(`printf '%s\\n' ${here(LINES["VS Code"])} | tail -n 1`);
  const { name, type, url } = JSON.parse(said);
  assert.deepEqual([name, type], ["netrecon", "http"]);
  await fiveToolsAt(url);
});

async function fiveToolsAt(url) {
  const client = await sdkV1(new URL(url).origin);
  try {
    assert.equal((await client.list()).length, 5);
  } finally {
    await client.close();
  }
}

test("the connect page shows the same lines, with its own address", async () => {
  const page = await (await fetch(`${worker.url}/connect`)).text();
  const text = page.replaceAll("&quot;", '"').replaceAll("&#39;", "'").replaceAll("&amp;", "&").replace(/<[^>]+>/g, "");
  for (const [client, line] of Object.entries(LINES)) {
    const compact = (words) => words.replace(/\s+/g, "");
    assert.ok(compact(text).includes(compact(here(line))), `${client}: ${here(line)}`);
  }
});
