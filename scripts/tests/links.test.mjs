// The links between the repository's pages.

import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { ROOT } from "../lib/shell.mjs";

const PAGES = globSync(["*.md", "docs/**/*.md", "tests/**/*.md", "bench/**/*.md"], { cwd: ROOT });
const read = (path) => readFileSync(join(ROOT, path), "utf8");

/** The names that GitHub gives to a page's headings. */
function anchors(page) {
  const headings = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading.toLowerCase());
  return new Set(headings.map((heading) => heading.replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")));
}

test("every link of a page leads to a file of the repository, and to a heading that it has", () => {
  const dead = PAGES.flatMap((page) =>
    [...read(page).matchAll(/\]\(([^()\s]+)\)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link) && !leads(page, link))
      .map((link) => `${page}: ${link}`),
  );
  assert.ok(PAGES.length > 20, `${PAGES.length} pages`);
  assert.deepEqual(dead, []);
});

function leads(page, link) {
  const [path, heading] = link.split("#");
  const file = path ? join(dirname(page), path) : page;
  return existsSync(join(ROOT, file)) && (!heading || !file.endsWith(".md") || anchors(file).has(heading));
}
