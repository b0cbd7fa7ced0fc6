// The guard in the built Worker, against hosts of the lab that lead inside: by their answers,
// by answers that change, by redirects. The lab counts every connection to an address that
// nobody outside may reach, and answers it with a canary; the count stays at zero, and the
// canary is in nothing that the Worker says.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { CANARY } from "../../lab/hosts.mjs";
import { REDIRECTS } from "../../lab/web/redirects.mjs";
import { Worker } from "../support/worker.mjs";

/** Analyses at one time: two cores, and the Worker's own connections beside them. */
const AT_ONCE = 6;

/** Names of lab-private.net that are public in themselves, and point inside by other records. */
const PUBLIC = ["hint", "target", "mail"].map((label) => `${label}.lab-private.net`);

/** Aliases of names that the lab's resolver does not answer for: nobody can say what they are. */
const UNKNOWN = ["alias-inside", "alias-local"].map((label) => `${label}.lab-private.net`);

/** The rest: their answers are, in part or all, not public. */
const PRIVATE = zoneNames("lab-private.net").filter((name) => ![...PUBLIC, ...UNKNOWN].includes(name));

const FLIPPING = JSON.parse(readFileSync(new URL("../../lab/zones/zones.json", import.meta.url), "utf8"))
  .mischief.filter(({ act }) => act === "flip")
  .map(({ name }) => name);

const INTO = Object.keys(REDIRECTS).filter((label) => label.startsWith("into-"));

/** @type {Worker} */
let worker;
const said = [];
before(async () => {
  worker = await Worker.start();
  await control("POST", "/reset");
});
after(() => worker?.stop());

async function control(method, path, body) {
  const response = await fetch(process.env.LAB_CONTROL_URL + path, { method, body });
  return response.headers.get("content-type") === "application/json" ? response.json() : response.text();
}

/** Calls made so far: each has an address of its own, so that no budget stands in the way. */
let calls = 0;

async function call(tool, args) {
  calls += 1;
  const { body } = await worker.api(tool, args, { ip: `198.51.${calls >> 8}.${calls & 255}` });
  said.push(JSON.stringify(body));
  return body;
}

const analyze = (target) => call("analyze", { target, detail: "full" });

/** `work` on every item, a few at a time; the results in order. */
async function each(items, work) {
  const results = [];
  const queue = items.entries();
  const worker = async () => {
    for (const [at, item] of queue) results[at] = await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** The names that a zone file of the lab defines. */
function zoneNames(zone) {
  const text = readFileSync(new URL(`../../lab/zones/${zone}.zone`, import.meta.url), "utf8");
  const labels = [...text.matchAll(/^([\w-]+)\s+IN\s/gm)].map(([, label]) => label);
  return [...new Set(labels)].map((label) => `${label}.${zone}`);
}

async function nobodyWasTouched() {
  assert.deepEqual((await control("GET", "/counters")).private, { total: 0, connections: {} });
}

test("a name with one answer that is not public is refused, whichever class it is of", async () => {
  assert.ok(PRIVATE.length > 30, PRIVATE.join(" "));
  const answers = await each(PRIVATE, analyze);
  for (const [at, { error, reason, message }] of answers.entries()) {
    assert.deepEqual([error, reason], ["target_refused", "resolution"], `${PRIVATE[at]}: ${message}`);
  }
  // One face outward: nothing tells a private answer from a missing one.
  const missing = await analyze("no-such-name.lab-good.com");
  const faces = new Set([...answers, missing].map((body) => JSON.stringify(body)));
  assert.equal(faces.size, 1, [...faces].join("\n"));
  await nobodyWasTouched();
});

test("the precise rule is in the event, and the outside does not see it", async () => {
  await analyze("metadata.lab-private.net");
  const event = (await worker.eventsOf(calls)).at(-1);
  assert.deepEqual(event.guard, { decision: "refuse", reason: "ipv4.cloud_metadata" });
  assert.ok(!said.at(-1).includes("metadata"), said.at(-1));
});

test("a name that answers differently the second time moves no probe", async () => {
  assert.ok(FLIPPING.length >= 6);
  for (const name of FLIPPING) {
    for (let turn = 0; turn < 2; turn += 1) await analyze(name);
  }
  await nobodyWasTouched();
});

test("a name whose every second answer leads inside moves no probe", async () => {
  const turns = [["A 93.184.216.100"], ["A 127.0.0.1"], ["A 93.184.216.100"], ["A 169.254.169.254"], ["A 10.0.0.1"]];
  await control("POST", "/answer", JSON.stringify({ name: "turns.lab-rebind.net", turns }));
  for (let turn = 0; turn < 3; turn += 1) await analyze("turns.lab-rebind.net");
  await nobodyWasTouched();
});

test("a redirect into any refused class ends the chain there, by every spelling", async () => {
  assert.ok(INTO.length > 50);
  const reports = await each(INTO, (label) => analyze(`http://${label}.lab-redirect.net/`));
  for (const [at, report] of reports.entries()) {
    assert.equal(report.error, undefined, `${INTO[at]}: ${report.message}`);
    const { http, https } = report.probes.http;
    for (const chain of [http, https]) assert.equal(chain.end, "redirect_refused", `${INTO[at]}: ${JSON.stringify(chain).slice(0, 300)}`);
  }
  await nobodyWasTouched();
});

test("a hint, a mail exchanger or a target inside is told and not followed", async () => {
  await each([...PUBLIC, ...UNKNOWN, "lab-nsprivate.net", "lab-odd.net"], analyze);
  await nobodyWasTouched();
});

test("what is refused by its text alone asks nobody anything", async () => {
  const before = (await control("GET", "/queries")).length;
  const refused = ["http://127.0.0.1/", "localhost", "https://[::1]/", "http://metadata.google.internal/", "x.onion", "http://010.8.8.8/"];
  for (const target of refused) {
    assert.equal((await analyze(target)).error, "target_refused", target);
    const { error } = await call("lookup", { name: target.replace(/^https?:\/\/|[[\]/]/g, "") });
    assert.ok(["target_refused", "invalid_input"].includes(error), `${target}: ${error}`);
  }
  // Earlier calls may still have a question on its way; nobody may ask one of these.
  const asked = (await control("GET", "/queries")).slice(before).map(({ name }) => name);
  const theirs = asked.filter((name) => /localhost|internal|onion|arpa|^127\.|^010\./.test(name));
  assert.deepEqual(theirs, []);
});

test("nothing that the Worker said or wrote has the canary of a private place", async () => {
  assert.ok(said.length > 100);
  assert.ok(!said.join("\n").includes(CANARY));
  assert.ok(!worker.output.includes(CANARY));
  await nobodyWasTouched();
});

test("a connection to a private place would have been counted", async () => {
  await new Promise((resolve, reject) => {
    const socket = connect(80, "10.0.0.1", () => socket.end());
    socket.on("close", resolve).on("error", reject).resume();
  });
  assert.equal((await control("GET", "/counters")).private.total, 1);
  await control("POST", "/reset");
});
