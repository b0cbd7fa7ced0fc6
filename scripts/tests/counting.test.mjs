// The sums that scripts/test prints are only as good as these readers.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { check, libtest, nodeTest, unittest } from "../lib/counting.mjs";

test("a linter is one check", () => {
  assert.deepEqual(check("", 0), { passed: 1, failed: 0, skipped: [] });
  assert.deepEqual(check("", 101), { passed: 0, failed: 1, skipped: [] });
});

test("Rust's result lines are summed over the binaries, and ignored tests are named", () => {
  const output = `
running 3 tests
test guard::a ... ok
test guard::b ... ignored, needs BIND
test guard::c ... FAILED

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s

test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
`;
  assert.deepEqual(libtest(output, 101), { passed: 5, failed: 1, skipped: ["guard::b (needs BIND)"] });
});

test("Rust tests that do not compile are a failure", () => {
  assert.deepEqual(libtest("error[E0583]: file not found", 101), { passed: 0, failed: 1, skipped: [] });
});

test("a run that ran nothing is a failure", () => {
  const output = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
  assert.equal(libtest(output, 0).failed, 1);
  assert.equal(nodeTest("", 0).failed, 1);
  assert.equal(unittest("Ran 0 tests in 0.000s\n\nOK\n", 0).failed, 1);
});

test("Python's verdict is read, and skipped tests are named", () => {
  const output = `test_a (test_x.T.test_a) ... ok
test_b (test_x.T.test_b) ... skipped 'no lab'
test_c (test_x.T.test_c)
Explains itself. ... skipped "it's late"
test_d (test_x.T.test_d) ... FAIL

----------------------------------------------------------------------
Ran 5 tests in 0.001s

FAILED (failures=1, errors=1, skipped=2)
`;
  assert.deepEqual(unittest(output, 1), { passed: 1, failed: 2, skipped: ["test_b (no lab)", "test_c (it's late)"] });
});

test("Node's tests are counted once each: nested, skipped, failed, in files that do not load", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "counting-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const file = (name, text) => {
    writeFileSync(join(dir, name), `import { test, describe, it } from "node:test";\n${text}\n`);
    return join(dir, name);
  };
  const files = [
    file("a.test.mjs", `test("flat", () => {}); test("later", { skip: "no lab" }, () => {});
      describe("suite", () => { it("inner", () => {}); it("broken", () => { throw new Error("x"); }); });
      test("outer", async (t) => { await t.test("child", () => { throw new Error("y"); }); });`),
    file("b.test.mjs", `throw new Error("does not load");`),
  ];
  const results = join(dir, "results");
  const reporter = join(import.meta.dirname, "..", "lib", "reporter.mjs");
  const args = ["--test", `--test-reporter=${reporter}`, `--test-reporter-destination=${results}`, ...files];
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // so that this run is not taken for a child of ours
  const { status } = spawnSync(process.execPath, args, { env });
  const counts = nodeTest(readFileSync(results, "utf8"), status);
  assert.equal(counts.passed, 2, "flat, inner");
  assert.equal(counts.failed, 3, "broken, child, b.test.mjs");
  assert.deepEqual(counts.skipped, ["later (no lab)"]);
});
