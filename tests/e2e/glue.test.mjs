// The glue by itself: what outlives an instance of the WebAssembly module.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

/** The glue with the platform's own module left out: nothing here connects. */
const source = readFileSync(new URL("../../src/edge/glue.js", import.meta.url), "utf8");
const alone = source.replace(/^import .* from "cloudflare:sockets";$/m, "");
const { arrive, prepare, replyKept } = await import(`data:text/javascript,${encodeURIComponent(alone)}`);

test("an answer that one instance kept is not given for another's at the same address", async () => {
  const bytes = (text) => new TextEncoder().encode(text);
  const answered = (text) => replyKept(200, "content-type\ntext/plain\n", 4096, bytes(text)).text();
  prepare("host", () => {});
  assert.equal(await answered("the tools"), "the tools");
  assert.equal(await answered("not looked at"), "the tools", "it is copied once");
  prepare("host", () => {});
  assert.equal(await answered("the catalog"), "the catalog");
});

test("a call goes on to its end also when its caller leaves", async () => {
  const ways = [
    new Request("https://lab.test/api/analyze?target=lab-good.com"),
    new Request("https://lab.test/mcp", { method: "POST", body: "{}", headers: { "content-length": "2" } }),
  ];
  for (const request of ways) {
    const kept = [];
    const context = { waitUntil: (promise) => kept.push(promise) };
    prepare("host", async () => new Response("done"));
    const answer = arrive(request, {}, context);
    assert.equal(await (await answer).clone().text(), "done");
    assert.equal(kept.length, 1, "the platform was asked to wait");
    await kept[0];
    prepare("host", () => new Response("at once"));
    if (request.method === "GET") {
      arrive(request.clone(), {}, context);
      assert.equal(kept.length, 1, "nothing is left to wait for");
    }
    prepare("host", () => Promise.reject(new Error("broken")));
    await assert.rejects(Promise.resolve(arrive(new Request("https://lab.test/"), {}, context)));
    await kept.at(-1);
  }
});
