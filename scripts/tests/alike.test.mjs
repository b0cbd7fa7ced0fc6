import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { inOrder, namedByPlace } from "../lib/alike.mjs";
import { NPM_BIN } from "../lib/shell.mjs";

/** Bytes that do not compress, the same for the same seed. */
function noise(length, seed) {
  let state = seed;
  return Buffer.from({ length }, () => 0).map(() => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24);
}

test("functions that have much in common stand side by side, and all are there once", () => {
  const families = [noise(300, 1), noise(300, 2), noise(300, 3)];
  const bodies = Array.from({ length: 30 }, (_, index) => Buffer.concat([families[index % 3], noise(20, 10 + index)]));
  const order = inOrder(bodies);
  assert.deepEqual([...order].sort((a, b) => a - b), [...bodies.keys()]);
  const changes = order.filter((index, place) => place > 0 && index % 3 !== order[place - 1] % 3);
  assert.equal(changes.length, 2, order.join(" "));
});

test("what is alike and out of gzip's reach is brought within it", () => {
  const bodies = Array.from({ length: 60 }, (_, index) => noise(4_000, 1 + (index % 30)));
  const packed = (order) => gzipSync(Buffer.concat(order.map((index) => bodies[index])), { level: 9 }).length;
  assert.ok(packed(inOrder(bodies)) < 0.6 * packed([...bodies.keys()]));
});

test("a module whose functions were put in order answers as before", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "alike-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const [source, named, arranged] = ["module.wasm", "named.wasm", "arranged.wasm"].map((name) => join(folder, name));
  const tool = (name, args) => {
    const { status, stderr } = spawnSync(join(NPM_BIN, name), args, { encoding: "utf8" });
    assert.equal(status, 0, stderr);
  };
  // Every third function is one family; each calls the next, so that a call that goes
  // astray is heard, and one is called by way of the table.
  const count = 12;
  const text = Array.from({ length: count }, (_, index) => {
    const family = "(local.set 0 (i32.mul (local.get 0) (i32.const 31415)))".repeat(5 + (index % 3));
    const next = index + 1 < count ? `(call $f${index + 1} (local.get 0))` : "(call $take (local.get 0))";
    return `(func $f${index} (export "f${index}") (param i32) (result i32) ${family} (i32.add (i32.const ${index}) ${next}))`;
  });
  const far = '(func (export "far") (param i32) (result i32) (call_indirect (param i32) (result i32) (local.get 0) (i32.const 2)))';
  const imports = '(import "host" "limit" (global i32)) (import "host" "take" (func $take (param i32) (result i32)))';
  const table = "(table 3 funcref) (elem (i32.const 0) $f3 $take $f7)";
  writeFileSync(join(folder, "module.wat"), `(module ${imports} ${table} ${far} ${text.join(" ")})`);
  tool("wasm-as", [join(folder, "module.wat"), "-o", source]);
  writeFileSync(named, namedByPlace(readFileSync(source)));
  tool("wasm-opt", [named, "--reorder-functions-by-name", "--strip-debug", "-o", arranged]);

  const answers = (file) => {
    const taken = [];
    const host = { limit: 1, take: (value) => taken.push(value) };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), { host });
    return [...Object.keys(exports).sort().map((name) => [name, exports[name](3)]), taken];
  };
  assert.deepEqual(answers(arranged), answers(source));
  assert.notDeepEqual(readFileSync(arranged), readFileSync(source));
});
