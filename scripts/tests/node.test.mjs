// README asks for a Node of version 20; some of what the scripts do needs a later one,
// which setup installs.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const OWN = "node_modules/.bin/node ";

for (const [name, module] of [["bench", "bench.mjs"], ["soak", "soak.mjs"]]) {
  test(`scripts/${name}, which speaks to V8's inspector, runs in the Node that setup installs`, () => {
    const script = readFileSync(new URL(`../${name}`, import.meta.url), "utf8");
    const starts = script.split("\n").filter((line) => line.startsWith("exec ") && line.includes(module));
    assert.equal(starts.length, 1);
    assert.ok(starts[0].includes(`${OWN}scripts/lib/${module}`), starts[0]);
  });
}
