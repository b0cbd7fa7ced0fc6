// The glue by itself: what outlives an instance of the WebAssembly module.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** The glue with the platform's own module left out: nothing here connects. */
const source = readFileSync(new URL("../../src/edge/glue.js", import.meta.url), "utf8");
const alone = source.replace(/^import .* from "cloudflare:sockets";$/m, "");
const { prepare, replyKept } = await import(`data:text/javascript,${encodeURIComponent(alone)}`);

test("an answer that one instance kept is not given for another's at the same address", async () => {
  const bytes = (text) => new TextEncoder().encode(text);
  const answered = (text) => replyKept(200, "content-type\ntext/plain\n", 4096, bytes(text)).text();
  prepare("host", () => {});
  assert.equal(await answered("the tools"), "the tools");
  assert.equal(await answered("not looked at"), "the tools", "it is copied once");
  prepare("host", () => {});
  assert.equal(await answered("the catalog"), "the catalog");
});
