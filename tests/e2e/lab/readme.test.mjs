// README's session, made again: its commands against the Worker in the lab, and what README
// shows of their answers against what comes back. `…` stands there for what is left out.
// Members that differ from run to run are compared by type.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "../support/worker.mjs";

/** What differs from run to run, from machine to machine, or is prose. */
const VOLATILE = new Set(["ts", "argsDigest", "latencyMs", "retryAfter", "message", "title", "ua", "ip", "session", "ttl"]);

const README = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const SESSION = README.split(/^## /m).find((section) => section.startsWith("A session"));
const blocks = (language) => [...SESSION.matchAll(new RegExp("^```" + language + "\\n(.*?)^```", "gms"))].map(([, text]) => text);

/** `{command, shown}` of every prompt, in order; a quote that is open runs on over lines. */
const STEPS = blocks("console").flatMap((block) =>
  block.split(/^\$ /m).slice(1).map((step) => {
    const lines = step.trimEnd().split("\n");
    let end = 1;
    while ((lines.slice(0, end).join("").match(/'/g)?.length ?? 0) % 2 === 1) end += 1;
    return { command: lines.slice(0, end).join("\n"), shown: lines.slice(end).join("\n") };
  }),
);

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker?.stop());

/** Shown JSON: what is left out becomes a member or item that asks for nothing; lines were wrapped. */
function parse(shown) {
  const text = shown.replaceAll(/\n\s*/g, " ");
  let json = "";
  let inside = false;
  for (const letter of text) {
    if (letter === '"') inside = !inside;
    json += letter === "…" && !inside ? "\0" : letter;
  }
  // A cut leaves a comma too many: before, behind, or both.
  return JSON.parse(json.replaceAll(/\0\s*,|,\s*\0|\0/g, ""));
}

/** Holds what is shown against what came; both are told with the place where they part. */
function holds(shown, real, place) {
  const name = place.split(/[./]/).at(-1);
  if (VOLATILE.has(name) || /^[a-z2-7]{26}$|^[0-9a-f]{16}$/.test(shown)) {
    assert.equal(typeof real, typeof shown, place);
  } else if (Array.isArray(shown)) {
    assert.ok(Array.isArray(real), place);
    let from = 0;
    for (const item of shown) {
      const at = real.findIndex((one, at) => at >= from && fits(item, one, place));
      assert.notEqual(at, -1, `${place}: ${JSON.stringify(item)} is not there any more`);
      from = at + 1;
    }
  } else if (shown !== null && typeof shown === "object") {
    assert.ok(real !== null && typeof real === "object", place);
    for (const [member, value] of Object.entries(shown)) holds(value, real[member], `${place}/${member}`);
  } else {
    assert.equal(real, shown, place);
  }
}

function fits(shown, real, place) {
  try {
    holds(shown, real, place);
    return true;
  } catch {
    return false;
  }
}

test("every command of the session answers what README shows", async () => {
  assert.equal(STEPS.length, 5);
  for (const { command, shown } of STEPS) {
    const here = command.replaceAll("localhost:8787", new URL(worker.url).host);
    const run = async () => (await promisify(execFile)("sh", ["-c", here], { maxBuffer: 1 << 24 })).stdout;
    let answer = await run();
    if (shown === "…") continue;
    // One call comes back every six seconds: should it have come just now, it is spent by now.
    if (parse(shown).error === "rate_limited" && !answer.includes("rate_limited")) answer = await run();
    holds(parse(shown), JSON.parse(answer), command.split("\n")[0]);
  }
});

test("the refused call has left the event that README shows", async () => {
  const [shown] = blocks("json").map(parse);
  const events = await worker.eventsOf(STEPS.length);
  const refused = events.find(({ args }) => args.target === shown.args.target);
  holds(shown, refused, "event");
});

test("a host is asked for its page, for the paths of docs/exposure.md and for nothing else", async () => {
  const control = (method, path) => fetch(new URL(path, process.env.LAB_CONTROL_URL), { method });
  await control("POST", "/reset");
  const { status } = await worker.api("analyze", { target: "lab-good.com" }, { ip: "198.51.100.77" });
  assert.equal(status, 200);
  const requests = await (await control("GET", "/requests")).json();
  const asked = requests.filter(({ host }) => host === "lab-good.com");
  const page = readFileSync("docs/exposure.md", "utf8");
  const listed = new Set([...page.matchAll(/`(\/[^`]+)`/g)].map(([, path]) => path));
  const odd = asked.filter(({ method, path }) => {
    const known = path === "/" || listed.has(decodeURIComponent(path)) || /^\/netrecon-[0-9a-f]{16}$/.test(path);
    return method !== "GET" || !known;
  });
  assert.deepEqual(odd, []);
  assert.ok(asked.length > 15, `${asked.length} requests`);
});
