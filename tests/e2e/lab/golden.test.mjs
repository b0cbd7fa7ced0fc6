// Golden reports: the built Worker's findings about hosts of the lab, by id, state and
// severity, as tests/golden/findings.json has them. `scripts/golden` writes the file.

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { Worker } from "../support/worker.mjs";

const FILE = new URL("../../golden/findings.json", import.meta.url);
const WRITE = process.env.NETRECON_WRITE_GOLDEN === "1";

/** Who is looked at: the careful and the careless, each section's faults, and what answers oddly. */
const HOSTS = [
  ...["lab-good.com", "www.lab-good.com", "lab-bare.com", "lab-exposed.com", "lab-says-yes.com"],
  ...["lab-files.com", "lab-hostile.com", "lab-nullmx.com", "lab-nomail.com", "lab-passive.org"],
  ...["lab-v4.net", "lab-v6.net", "lab-dual.net", "differs.lab-dual.net", "broken.lab-dual.net"],
  ...["lab-dnssec.org", "lab-nsec3salted.org", "lab-wrongds.org", "lab-expired.org", "lab-island.org", "lab-weakalg.org"],
  ...["lab-axfr.net", "lab-axfr-pieces.net", "any.lab-wild.net", "lab-lame.net", "lab-onens.net"],
  ...["below.lab-caa.net", "unknown.lab-caa.net", "shop.lab-odd.net", "one.lab-odd.net"],
  ...["good.lab-spf.org", "plus-all.lab-spf.org", "several.lab-spf.org", "loop.lab-spf.org"],
  ...["lookups.lab-spf.org", "voids.lab-spf.org", "redirect.lab-spf.org", "pointer.lab-spf.org"],
  ...["monitor.lab-dmarc.org", "removed.lab-dmarc.org", "external.lab-dmarc.org", "stranger.lab-dmarc.org"],
  ...["a.b.suffix.lab-dmarc.org", "lab-mail.org", "lab-dane.org"],
  ...["testing.lab-mtasts.org", "missing.lab-mtasts.org", "certificate.lab-mtasts.org"],
  ...["tls13.lab-tls.net", "tls12.lab-tls.net", "expired.lab-tls.net", "no-intermediate.lab-tls.net", "suites-by-version.lab-tls.net"],
];

/** What a call had no subrequest left for. Which of the questions that may be left out is left out
 * depends on whose answer came first, so that these findings are not compared. */
const UNASKED = "inconclusive: out of budget";

/** Analyses at once: the machine's cores, not the Worker, are what is short. */
const AT_ONCE = 3;

/** @type {Worker} */
let worker;
before(async () => {
  const plenty = { limit: 1_000, seconds: 1 };
  worker = await Worker.start({ vars: { BUDGETS: JSON.stringify({ analyze: plenty, target: plenty }) } });
});
after(() => worker.stop());

test("the findings about the lab's hosts are those of the golden file", async () => {
  const found = await allFindings();
  if (WRITE) writeFileSync(FILE, `${asText(found)}\n`);
  const golden = JSON.parse(readFileSync(FILE, "utf8"));
  assert.ok(Object.keys(golden).length >= 40);
  for (const host of Object.keys(golden)) {
    // A busy machine lets an answer come too late. What differs by itself differs again, alone.
    if (!isDeepStrictEqual(...compared(golden[host], found[host]))) {
      console.log(`${host} differs and is looked at again`);
      found[host] = await findings(host);
    }
    const [expected, told] = compared(golden[host], found[host]);
    assert.deepEqual(told, expected, host);
  }
  assert.deepEqual(Object.keys(found).toSorted(), Object.keys(golden).toSorted());
});

/** Both without the findings that one of them had no subrequest left for. */
function compared(...both) {
  const unasked = new Set(both.flatMap((states) => states?.[UNASKED] ?? []));
  return both.map((states) => without(unasked, states));
}

/** States without some ids, and without those that hold nothing then. */
function without(ids, states = {}) {
  const left = Object.entries(states).map(([state, all]) => [state, all.filter((id) => !ids.has(id))]);
  return Object.fromEntries(left.filter(([, all]) => all.length > 0));
}

/** What each host's report says: host -> state -> ids. */
async function allFindings() {
  const left = [...HOSTS];
  const found = {};
  const one = async () => {
    for (let host = left.shift(); host; host = left.shift()) found[host] = await findings(host);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return found;
}

async function findings(target) {
  const { body: answer } = await worker.api("analyze", { target });
  const { body } = answer.id ? await worker.get(`/api/report/${answer.id}`) : { body: answer };
  if (body.error) return { error: [body.error, body.reason].filter(Boolean) };
  assert.equal(new Set(body.findings.map(({ id }) => id)).size, body.findings.length, `${target} says a thing twice`);
  const states = {};
  for (const { id, state, severity, title } of body.findings) {
    const graded = severity === "none" ? state : `${state} ${severity}`;
    const key = title.includes("subrequest budget") ? UNASKED : graded;
    states[key] = [...(states[key] ?? []), id].toSorted();
  }
  return Object.fromEntries(Object.entries(states).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** One line per host and state: made to be read, and to differ by lines. */
function asText(found) {
  const states = (of) => Object.entries(of).map(([state, ids]) => `    ${JSON.stringify(state)}: ${JSON.stringify(ids)}`);
  const hosts = HOSTS.map((host) => `  ${JSON.stringify(host)}: {\n${states(found[host]).join(",\n")}\n  }`);
  return `{\n${hosts.join(",\n")}\n}`;
}
