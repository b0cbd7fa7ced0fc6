// The built Worker and the command openssl look at every TLS server of the lab, and must
// see the same; where they do not, docs/compared.md says why. UPDATE=1 writes the table
// there anew. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { HOSTS } from "../../lab/hosts.mjs";
import { Worker } from "../support/worker.mjs";

const DOCUMENT = new URL("../../../docs/compared.md", import.meta.url);
const BEGIN = "<!-- made by tests/e2e/lab/tls.test.mjs -->";
const END = "<!-- end -->";

const hosts = HOSTS.filter(({ name }) => name.endsWith("lab-tls.net") || name === "lab-good.com");
const { stdout: version } = spawnSync("openssl", ["version"], { encoding: "utf8" });
const missing = /^OpenSSL [3-9]/.test(version) ? false : "OpenSSL 3 is not installed";

/** Where the two may differ, and why. */
const REASONS = {
  "no-san.lab-tls.net": "openssl takes a name from the subject where there is no other; RFC 9525 forbids it",
  "sha1.lab-tls.net": "openssl was told to accept what is weak; browsers refuse SHA-1, and so does this verdict",
  "p521-only.lab-tls.net": "our handshake has no P-521; a hello has learned the version, and TLS 1.3 encrypts certificates",
  "half-certificate.lab-tls.net": "openssl breaks off at the certificate; a hello has learned the version before it",
};

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker.stop());

/** Each item through `work`, a few at once. */
async function each(items, work) {
  const results = [];
  const queue = [...items.entries()];
  const hand = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await work(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: 4 }, hand));
  return results;
}

/** What openssl says with these options; nothing for a server that does not end by itself. */
function client(host, ...options) {
  const trust = ["-CAfile", process.env.LAB_CA_PEM, "-verify_hostname", host.name];
  const to = ["-connect", `${host.addresses[0]}:443`, "-servername", host.name];
  return new Promise((resolve) => {
    // No configuration of the machine's own: it may forbid old versions.
    const settings = { timeout: 10_000, env: { ...process.env, OPENSSL_CONF: "/dev/null" } };
    const child = execFile("openssl", ["s_client", ...to, ...trust, ...options], settings, (_error, out) =>
      resolve(out ?? ""),
    );
    child.stdin.on("error", () => {}); // it ended before it could be told
    child.stdin.end();
  });
}

const VERSIONS = { "-tls1_3": "1.3", "-tls1_2": "1.2", "-tls1_1": "1.1", "-tls1": "1.0" };
const ANY = ["-cipher", "ALL:@SECLEVEL=0"];
const agreed = (out) => /^New, \S+, Cipher is (?!\(NONE\))/m.test(out);

/** OpenSSL's verdicts by the words of this house (openssl-verification-options(1)). */
const VERDICTS = {
  0: "trusted",
  9: "not_yet_valid",
  10: "expired",
  18: "self_signed",
  19: "unknown_issuer",
  20: "unknown_issuer",
  21: "missing_intermediate",
  62: "name mismatch",
};

async function byOpenssl(host) {
  if (!host.https || host.https.raw === "silent" || host.https.raw === "endless") return null;
  const outs = await Promise.all(Object.keys(VERSIONS).map((option) => client(host, option, ...ANY)));
  const versions = Object.values(VERSIONS).filter((_, nth) => agreed(outs[nth]));
  if (versions.length === 0) return null;
  const one = versions[0] < "1.2" ? [`-tls1${versions[0] === "1.1" ? "_1" : ""}`] : [];
  const out = await client(host, "-showcerts", "-status", "-alpn", "h2,http/1.1", ...one, ...ANY);
  const code = /Verify return code: (\d+)/.exec(out)?.[1];
  return {
    versions: versions.join(" "),
    certificates: out.split("BEGIN CERTIFICATE").length - 1,
    trust: VERDICTS[code] ?? `code ${code}`,
    alpn: /ALPN protocol: (\S+)/.exec(out)?.[1] ?? null,
    stapled: out.includes("OCSP Response Status: successful"),
  };
}

/** One analysis of each host, for all tests that look at all of them. */
let analyses;
const analyzed = () =>
  (analyses ??= each(hosts, async (host, nth) => {
    const started = Date.now();
    const args = { target: host.name, detail: "full" };
    const { status, body } = await worker.api("analyze", args, { ip: `198.51.100.${nth}` });
    return { host, status, body, took: Date.now() - started };
  }));

function byNetrecon({ body }) {
  const { tls } = body.probes;
  const state = Object.fromEntries(body.findings.map(({ id, state }) => [id, state]));
  const offered = {
    1.3: state["tls.version_13"] === "pass",
    1.2: tls.handshakes.only12.version === "TLSv1.2",
    1.1: state["tls.version_11"] === "fail",
    "1.0": state["tls.version_10"] === "fail",
  };
  const versions = Object.values(VERSIONS).filter((version) => offered[version]);
  if (versions.length === 0) return null;
  const { trust } = tls;
  return {
    versions: versions.join(" "),
    certificates: tls.presented.certificates,
    trust: trust?.reason === "trusted" && !trust.nameMatches ? "name mismatch" : (trust?.reason ?? null),
    alpn: tls.handshakes.only12.alpn ?? tls.handshakes.only13?.alpn ?? null,
    stapled: tls.handshakes.best.ocspStapled ?? tls.handshakes.only12.ocspStapled,
  };
}

const shown = (seen) =>
  seen
    ? [
        seen.versions,
        `${seen.certificates} cert.`,
        seen.trust,
        ...(seen.alpn ? [seen.alpn] : []),
        ...(seen.stapled ? ["staple"] : []),
      ].join(", ")
    : "no handshake";

test("openssl sees what the Worker sees, or docs/compared.md says why not", { skip: missing }, async () => {
  const others = await each(hosts, byOpenssl);
  const ours = (await analyzed()).map(byNetrecon);
  const rows = hosts.map(({ name }, nth) => {
    const [theirs, own] = [shown(others[nth]), shown(ours[nth])];
    const reason = theirs === own ? "" : (REASONS[name] ?? "?");
    return `| \`${name}\` | ${theirs} | ${theirs === own ? "the same" : own} | ${reason} |`;
  });
  const table = ["| host | `openssl s_client` | netrecon | why they differ |", "|---|---|---|---|", ...rows].join("\n");
  const text = readFileSync(DOCUMENT, "utf8");
  const [head, rest] = text.split(BEGIN);
  const end = rest.indexOf(END);
  if (process.env.UPDATE) writeFileSync(DOCUMENT, `${head}${BEGIN}\n${table}\n${rest.slice(end)}`);
  assert.ok(!table.includes("| ? |"), table);
  if (!process.env.UPDATE) assert.equal(rest.slice(0, end).trim(), table);
});

/** What the command of a finding agrees on, in this shell; nothing is agreed on where it says `(NONE)`. */
function suiteOf(command) {
  const env = { ...process.env, OPENSSL_CONF: "/dev/null" };
  const { stdout } = spawnSync("sh", ["-c", command], { env, encoding: "utf8", timeout: 10_000 });
  return /^New, \S+, Cipher is (\S+)/m.exec(stdout)?.[1] ?? "(NONE)";
}

test("the command of tls.suites agrees on a suite that is no strong one, exactly where one is accepted", { skip: missing }, async () => {
  for (const { host, body } of await analyzed()) {
    const { state, reproduce, title } = body.findings.find(({ id }) => id === "tls.suites");
    // Where the server breaks off, openssl does before it names a suite.
    if (host.https?.raw || !["pass", "warn", "fail"].includes(state)) continue;
    const suite = suiteOf(reproduce);
    assert.equal(suite === "(NONE)", state === "pass", `${host.name}: ${title} ${reproduce}: ${suite}`);
    assert.doesNotMatch(suite, /^(EC)?DHE-.*(GCM|CCM8?|POLY1305)/, `${host.name}: ${reproduce}`);
  }
});

test("every TLS server of the lab, however bad, ends in typed findings within its deadline", async () => {
  for (const { host, status, body, took } of await analyzed()) {
    assert.equal(status, 200, `${host.name}: ${JSON.stringify(body).slice(0, 200)}`);
    assert.ok(took < 15_000, `${host.name} took ${took} ms`);
    assert.ok(body.findings.some(({ id }) => id === "tls.trust"), host.name);
  }
});

const findingsOf = async (target, ip) => {
  const answer = await worker.api("analyze", { target }, { ip });
  const { body } = await worker.get(`/api/report/${answer.body.id}`);
  return { body, of: (id) => body.findings.find((finding) => finding.id === id) };
};

test("what is logged stands beside what is served, and never for it", async () => {
  const good = await findingsOf("lab-good.com", "198.51.102.1");
  assert.equal(good.of("tls.ct").state, "pass");
  assert.equal(good.of("tls.suites").state, "pass");
  const other = await findingsOf("rsa.lab-tls.net", "198.51.102.2");
  assert.deepEqual([other.of("tls.ct").state, other.of("tls.ct").confidence], ["info", "low"]);
  const cloud = await findingsOf("lab-cloud.com", "198.51.102.3");
  assert.equal(cloud.of("tls.trust").state, "inconclusive");
  assert.match(cloud.of("tls.ct").title, /^Logged, not seen served: .*Lab Log CA 1/);
  assert.deepEqual(cloud.body.probes.tls.chain, []);
});

test("suites, staples, timestamps and the post-quantum group are told", async () => {
  const state = async (name, id, ip) => (await findingsOf(`${name}.lab-tls.net`, ip)).of(id).state;
  assert.equal(await state("null-suites", "tls.suites", "198.51.103.1"), "fail");
  assert.equal(await state("cbc-only", "tls.suites", "198.51.103.2"), "warn");
  assert.equal(await state("suites-by-version", "tls.suites", "198.51.103.11"), "warn");
  assert.equal(await state("staple", "tls.ocsp_staple", "198.51.103.3"), "pass");
  assert.equal(await state("must-staple", "tls.must_staple", "198.51.103.4"), "fail");
  for (const [nth, name] of ["ccm-only", "aria-only"].entries()) {
    assert.equal(await state(name, "tls.version_12", `198.51.103.${20 + nth}`), "info");
    assert.equal(await state(name, "tls.suites", `198.51.103.${30 + nth}`), "pass");
  }
  assert.equal(await state("p521-only", "tls.version_13", "198.51.103.40"), "pass");
  assert.equal(await state("sct", "tls.sct", "198.51.103.5"), "pass");
  assert.equal(await state("weak-rsa", "tls.key", "198.51.103.6"), "fail");
  assert.equal(await state("sha1", "tls.signature", "198.51.103.7"), "fail");
  assert.equal(await state("long", "tls.lifetime", "198.51.103.8"), "info");
  assert.equal(await state("p384-only", "tls.post_quantum", "198.51.103.9"), "info");
  if (HOSTS.some(({ name }) => name === "post-quantum.lab-tls.net")) {
    assert.equal(await state("post-quantum", "tls.post_quantum", "198.51.103.10"), "pass");
  }
});
