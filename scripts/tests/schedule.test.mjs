import assert from "node:assert/strict";
import { test } from "node:test";
import { PARTS } from "../lib/parts.mjs";
import { next } from "../lib/schedule.mjs";

/** The names of parts in the order in which they start, as many at a time as there are hands. */
function started(parts, hands) {
  const left = new Set(parts);
  const running = [];
  const order = [];
  while (left.size + running.length > 0) {
    const part = running.length < hands ? next(left, running) : undefined;
    if (!part) {
      running.shift();
      continue;
    }
    left.delete(part);
    running.push(part);
    order.push({ name: part.name, beside: running.map(({ name }) => name) });
  }
  return order;
}

test("a part starts when all that it needs has ended, and the others go ahead", () => {
  const parts = [{ name: "a" }, { name: "b", needs: ["a"] }, { name: "c" }];
  assert.equal(next(parts, []).name, "a");
  assert.equal(next(parts.slice(1), [parts[0]]).name, "c");
  assert.equal(next([parts[1]], [parts[0]]), undefined);
  assert.equal(next([parts[1]], []).name, "b");
});

test("two parts that hold the same thing, or of which one is timed, are not run at once", () => {
  const [one, other] = [{ name: "one", holds: ["x"] }, { name: "other", holds: ["y", "x"] }];
  assert.equal(next([other], [one]), undefined);
  const [busy, timed, alike] = [{ name: "busy" }, { name: "timed", timed: true }, { name: "alike", timed: true }];
  assert.equal(next([timed], [busy]), undefined);
  assert.equal(next([busy, alike], [timed]).name, "alike");
});

test("every part runs once, after what it needs, with one hand and with two", () => {
  for (const hands of [1, 2]) {
    const order = started(PARTS, hands);
    assert.deepEqual(order.map(({ name }) => name).sort(), PARTS.map(({ name }) => name).sort());
    for (const [at, { name, beside }] of order.entries()) {
      const before = order.slice(0, at).map((part) => part.name).filter((done) => !beside.includes(done));
      for (const need of PARTS.find((part) => part.name === name).needs ?? []) assert.ok(before.includes(need), `${need} before ${name}`);
    }
  }
});
