// The guard's parser and the runtime's own, held against each other: what the guard lets
// through is what `fetch` in workerd would be told, and where the two disagree the guard
// has refused. The guard answers natively (examples/verdicts.rs), the runtime in a Worker
// of a few lines beside it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { endGroup } from "../../scripts/lib/group.mjs";
import { ENV, ROOT } from "../../scripts/lib/shell.mjs";
import { startWorkerd } from "../../scripts/lib/workerd.mjs";
import { characters, spellings } from "./differential/spellings.mjs";

/** Lines per question to workerd. */
const AT_ONCE = 10_000;

const corpus = () =>
  readFileSync(`${ROOT}/tests/corpus/urls.jsonl`, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
    .map(({ url, base }) => ({ url, base }));

/** What is tried, as lines `{url, base}`. */
const TRIED = { corpus: corpus(), spellings: [...spellings(30_000)], characters: [...characters()] };

let workerd;
const verdicts = {};
before(async () => {
  // The guard first: cargo may have to wait for another cargo, and workerd would not.
  for (const [name, lines] of Object.entries(TRIED)) verdicts[name] = judge(lines);
  workerd = await startWorkerd("differential", [{ name: "parser", modules: ["tests/e2e/differential/parser.js"] }]);
  for (let waited = 0; waited < 20_000; waited += 50) {
    if (await read([]).then(() => true, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("workerd did not answer");
});
after(() => workerd && endGroup(workerd.group));

async function read(lines) {
  const response = await fetch(workerd.url("parser"), { method: "POST", body: JSON.stringify(lines) });
  return response.json();
}

/** What the guard makes of the lines; `null` is a refusal. */
function judge(lines) {
  const input = lines.map((line) => JSON.stringify(line)).join("\n");
  const command = ["run", "--locked", "--quiet", "--example", "verdicts"];
  const output = execFileSync("cargo", command, { cwd: ROOT, env: ENV, input, maxBuffer: 1 << 28, encoding: "utf8" });
  return output.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Holds both readings of every line against each other; answers how many the guard let through. */
async function agree(name) {
  const lines = TRIED[name];
  assert.equal(verdicts[name].length, lines.length);
  const disagreements = [];
  let passed = 0;
  for (let from = 0; from < lines.length; from += AT_ONCE) {
    const judged = verdicts[name].slice(from, from + AT_ONCE);
    const readings = await read(lines.slice(from, from + AT_ONCE));
    // What the guard passes on is read once more by whoever fetches it.
    const again = await read(judged.map((verdict) => verdict ?? { url: "" }));
    for (const [at, verdict] of judged.entries()) {
      if (verdict === null) continue;
      passed += 1;
      const why = difference(verdict, readings[at]) ?? difference(verdict, again[at]);
      if (why) disagreements.push(`${JSON.stringify(lines[from + at])}: ${why}`);
    }
  }
  assert.deepEqual(disagreements.slice(0, 20), [], `${disagreements.length} of ${lines.length}`);
  return passed;
}

/** In what the runtime's reading is not the guard's; undefined when in nothing. */
function difference(verdict, reading) {
  if (reading === null) return `${verdict.url} is no URL to the runtime`;
  const { href, protocol, username, password, hostname } = reading;
  if (username || password) return "the runtime sees user-info";
  // The guard drops the trailing dot of a name, and shows an address without brackets.
  const host = hostname.replace(/\.$/, "").replace(/^\[(.*)\]$/, "$1");
  if (host !== verdict.host) return `host ${verdict.host} is ${host} to the runtime`;
  const port = Number(reading.port || { "http:": 80, "https:": 443 }[protocol]);
  if (port !== verdict.port) return `port ${verdict.port} is ${port} to the runtime`;
  const pathOf = (url) => url.replace(/#.*/, "").replace(/^\w+:\/\/[^/]*/, "");
  if (!verdict.url.startsWith(`${protocol}//`)) return `${verdict.url} is ${protocol} to the runtime`;
  if (pathOf(verdict.url) !== pathOf(href)) return `${pathOf(verdict.url)} is ${pathOf(href)} to the runtime`;
  return undefined;
}

for (const [name, title, least] of [
  ["corpus", "the attack corpus", 40],
  ["spellings", "generated spellings", 3_000],
  ["characters", "every character in a host name", 100_000],
]) {
  test(`of ${title}, the runtime reads what passes as the guard does`, async () => {
    const passed = await agree(name);
    assert.ok(passed >= least, `only ${passed} of ${TRIED[name].length} passed`);
  });
}

test("a disagreement would be seen", () => {
  const verdict = { url: "https://example.com/", host: "example.com", port: 443 };
  const reading = { href: verdict.url, protocol: "https:", username: "", password: "", hostname: "example.com", port: "" };
  assert.equal(difference(verdict, reading), undefined);
  for (const other of [null, { ...reading, hostname: "127.0.0.1" }, { ...reading, port: "8080" }, { ...reading, username: "u" }, { ...reading, protocol: "http:" }, { ...reading, href: "https://example.com/a" }]) {
    assert.notEqual(difference(verdict, other), undefined);
  }
});
