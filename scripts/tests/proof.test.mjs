// docs/proof.md against README and the tests.

import assert from "node:assert/strict";
import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../lib/shell.mjs";

const read = (path) => readFileSync(join(ROOT, path), "utf8");
const README = read("README.md");
const PAGE = read("docs/proof.md");
/** Without line breaks, and without where links lead: the pages stand in different folders. */
const plain = (text) => text.replaceAll(/\s+/g, " ").replaceAll(/\]\([^)]*\)/g, "]").trim();

/** README's sentences and tables; code, headings and the table of commands aside. */
function sentences() {
  const prose = README.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/^#.*$/gm, "");
  const blocks = prose.split(/\n\s*\n/).map(plain).filter((block) => block && !block.startsWith("| command |"));
  return blocks.flatMap((block) => (block.startsWith("|") ? [block] : block.split(/(?<=[.:])\s+(?=[A-Z`/])/)));
}

const CLAIMS = [...PAGE.matchAll(/^\| (.+?) \| (`.+) \|$/gm)].map(([, claim, proofs]) => ({ claim, proofs }));
const OTHERS = [...PAGE.matchAll(/^- (.+)$/gm)].map(([, start]) => plain(start));

test("every sentence of README has its proof, and every proof its sentence", () => {
  assert.ok(CLAIMS.length > 25, `${CLAIMS.length} claims`);
  const said = plain(README);
  for (const { claim } of CLAIMS) assert.ok(said.includes(claim), `README does not say: ${claim}`);
  const unproven = sentences().filter(
    (sentence) => !CLAIMS.some(({ claim }) => sentence.includes(claim)) && !OTHERS.some((start) => sentence.startsWith(start)),
  );
  assert.deepEqual(unproven, []);
});

test("every proof is there: its file, and in it the test by its name", () => {
  for (const { claim, proofs } of CLAIMS) {
    const found = [...proofs.matchAll(/`([^`]+)`(?: \*(.+?)\*(?=;|$))?/g)];
    assert.ok(found.length > 0, `${claim}: ${proofs}`);
    for (const [, path, title] of found) {
      assert.ok(existsSync(join(ROOT, path)), `${claim}: there is no ${path}`);
      if (title) assert.ok(read(path).includes(title), `${claim}: ${path} has no ${title}`);
    }
  }
});

test("every command that README lists is there and can be run", () => {
  const commands = [...README.matchAll(/^\| `(scripts\/[\w-]+)/gm)].map(([, command]) => command);
  assert.ok(commands.length > 8, `${commands.length} commands`);
  for (const command of commands) accessSync(join(ROOT, command), constants.X_OK);
});

test("wrangler.toml names every variable that the Worker reads", () => {
  const names = new Set([...read("src/config.rs").split("#[cfg(test)]")[0].matchAll(/"([A-Z]+(?:_[A-Z]+)+|BUDGETS)"/g)].map(([, name]) => name));
  assert.ok(names.size > 10, [...names].join());
  for (const name of names) assert.match(read("wrangler.toml"), new RegExp(`^(?:# .*)?\\b${name}\\b`, "m"), name);
});
