// The built Worker, asked with curl as a person would, about hosts of the lab: what it
// says must be what hosts.mjs knows to be true. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { HOSTS } from "../../lab/hosts.mjs";
import { Worker } from "../support/worker.mjs";

const GOOD = HOSTS.find(({ name }) => name === "lab-good.com");
const [IPV4, IPV6] = GOOD.addresses;

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker.stop());

/** `curl` with these options; the answer's body as JSON. */
async function curl(...options) {
  const args = ["--silent", "--show-error", "--max-time", "20", "--header", "cf-connecting-ip: 198.51.100.77"];
  const { stdout } = await promisify(execFile)("curl", [...args, ...options], { maxBuffer: 1 << 24 });
  return JSON.parse(stdout);
}

/** A call's answer, or the error that it ended in. */
function analyze(target, detail = "full") {
  return curl("--json", JSON.stringify({ target, detail }), `${worker.url}/api/analyze`);
}

/** An analysis that had a subrequest for each of its questions: on a busy machine a connection
 * may have to be made twice, and the last question then has none. Not twice in a row. */
async function complete(ask) {
  const report = await ask();
  const unasked = report.findings.some(({ title }) => title.includes("subrequest budget"));
  return unasked ? ask() : report;
}

/** The whole report behind an answer, of which even `full` shows what a model can afford. */
function whole({ id }) {
  return curl(`${worker.url}/api/report/${id}`);
}

test("curl gets a good host's true DNS, HTTP and TLS 1.3 facts, with nothing left open", async () => {
  const report = await complete(() => analyze(GOOD.name));
  const { dns, http, tls } = report.probes;
  assert.deepEqual(dns.a.records.map(({ text }) => text), [IPV4]);
  assert.deepEqual(dns.aaaa.records.map(({ text }) => text), [IPV6]);
  assert.equal(http.https.page.status, 200);
  assert.equal(http.http.end, "met_https");
  assert.equal(tls.handshakes.best.version, "TLSv1.3");
  assert.equal(tls.handshakes.best.keyProven, true);
  assert.deepEqual([tls.trust.trusted, tls.trust.reason, tls.trust.nameMatches], [true, "trusted", true]);
  const wrong = report.findings.filter(({ state }) => state === "fail" || state === "inconclusive");
  assert.deepEqual(wrong.map(({ id }) => id), []);
  assert.equal(report.coverage.ratio, 1);
});

test("an address where nobody accepts is unreachable, and the name is not fetched in its place", async () => {
  const dead = await whole(await analyze("broken.lab-dual.net"));
  assert.equal(dead.probes.http.otherFamily.failure?.state, "unreachable");
  assert.equal(dead.findings.find(({ id }) => id === "dns.ipv6_parity").state, "fail");
  const { handshakes } = (await whole(await analyze("refused.lab-tls.net"))).probes.tls;
  assert.equal(handshakes.best.failure.state, "unreachable");
});

test("GET answers what POST does, and the report opens by its id", async () => {
  const posted = await complete(() => analyze(GOOD.name));
  const got = await complete(() => curl(`${worker.url}/api/analyze?target=${GOOD.name}&detail=full`));
  const told = ({ findings }) => findings.map(({ id, state, title }) => `${id} ${state} ${title}`);
  assert.deepEqual(told(got), told(posted));
  const stored = await whole(got);
  assert.equal(stored.target.host, GOOD.name);
  assert.deepEqual(told(stored), told(got));
});

test("a summary says of findings what is stored, and names or counts those it has no room for", async () => {
  const report = await curl(`${worker.url}/api/analyze?target=${GOOD.name}`);
  assert.ok(Buffer.byteLength(JSON.stringify(report)) <= 14_000);
  const stored = await curl(`${worker.url}/api/report/${report.id}`);
  const shown = new Map(report.findings.map((finding) => [finding.id, finding]));
  const omitted = report.omitted.filter((line) => line.startsWith("findings that ")).join(" ");
  const named = omitted.split(/[\s,:]+/);
  const unseen = stored.findings.filter(({ id }) => !shown.has(id) && !named.includes(id));
  const counted = [...omitted.matchAll(/(\d+) more/g)].reduce((sum, [, many]) => sum + Number(many), 0);
  assert.equal(counted, unseen.length, `neither shown nor named: ${unseen.map(({ id }) => id)}; ${omitted}`);
  assert.ok(unseen.every(({ state }) => state === "pass" || state === "not_applicable"));
  // Evidence is shortened where a finding is shown at all.
  const said = ({ state, severity, title }) => ({ state, severity, title });
  for (const finding of stored.findings.filter(({ id }) => shown.has(id))) {
    assert.deepEqual(said(shown.get(finding.id)), said(finding));
  }
});

for (const [name, best] of [["tls13.lab-tls.net", "TLSv1.3"], ["tls12.lab-tls.net", "TLSv1.2"]]) {
  test(`${name} is described by the handshake that it can do`, async () => {
    const host = HOSTS.find((host) => host.name === name);
    assert.ok(host.https.versions.includes(best), "the lab's own word");
    const { probes } = await analyze(name);
    assert.equal(probes.tls.handshakes.best.version, best);
  });
}

test("a private address is refused before anything goes out", async () => {
  const { events } = worker;
  const answer = await analyze("http://169.254.169.254/latest/meta-data/");
  assert.equal(answer.error, "target_refused");
  const event = (await worker.eventsOf(events.length + 1)).at(-1);
  assert.equal(event.subrequests, 0);
  assert.equal(event.guard.decision, "refuse");
});
