// The built Worker about web servers of the lab: what it says of headers, cookies, files and exposed
// paths must be what the lab's tables know, its score what MDN's own scanner gave, and its facts what
// curl sees. One analysis per host. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Worker } from "../support/worker.mjs";

const run = promisify(execFile);
const golden = JSON.parse(readFileSync(new URL("../../golden/observatory.json", import.meta.url), "utf8"));

/** Where we differ from MDN on purpose: docs/header-score.md says why. */
const DIFFERENT = {
  "cors-reflect.lab-headers.com": { "cross-origin-resource-sharing": "cross-origin-resource-sharing-implemented-with-universal-access" },
  "csp-two.lab-headers.com": { "x-frame-options": "x-frame-options-implemented-via-csp" },
};

/** Findings by host. Hosts that stand here only for their score have none. */
const EXPECTED = {
  "lab-good.com": {
    "http.csp": "pass", "http.hsts_preload": "pass", "http.frame_options": "pass", "http.cors": "pass",
    "http.cookie_secure": "pass", "http.cookie_prefix": "pass", "http.protocol": "pass", "http.resource_policy": "pass",
    "files.security_txt": "pass", "files.robots_txt": "pass", "files.sitemap": "pass", "files.llms_txt": "pass",
    "files.mcp_server_card": "info", "registration.expiry": "pass", "registration.status": "pass",
    "registration.name_servers": "pass", "registration.dnssec": "pass", "registration.network": "info",
    "exposure.git": "pass", "exposure.backup_zip": "pass",
  },
  "lab-bare.com": {
    "http.csp": "warn", "http.hsts": "fail", "http.https_redirect": "fail", "http.frame_options": "warn",
    "registration.expiry": "warn", "registration.status": "warn", "files.security_txt": "warn",
  },
  "lab-exposed.com": {
    "exposure.git": "fail", "exposure.env": "fail", "exposure.ds_store": "fail", "exposure.server_status": "fail",
    "exposure.actuator": "fail", "exposure.phpinfo": "fail", "exposure.metrics": "fail", "exposure.openapi": "info",
    "exposure.graphql": "info", "exposure.backup_sql": "fail", "exposure.backup_zip": "fail",
  },
  "lab-says-yes.com": { "exposure.git": "pass", "exposure.graphql": "pass", "files.security_txt": "warn", "files.robots_txt": "info" },
  "decoy.lab-says-yes.com": { "exposure.git": "pass", "exposure.phpinfo": "pass", "exposure.backup_sql": "pass" },
  "echo.lab-says-yes.com": { "exposure.git": "pass", "exposure.env": "pass", "exposure.metrics": "pass" },
  "lab-files.com": {
    "files.security_txt": "warn", "files.robots_txt": "info", "files.sitemap": "warn", "files.llms_txt": "warn",
    "files.mcp_server_card": "warn", "content.model_directed_text": "warn",
  },
  "lab-cdn.com": { "inference.cdn": "info" },
  "csp-report-only.lab-headers.com": { "http.csp": "warn", "http.csp_report_only": "warn" },
  "csp-both.lab-headers.com": { "http.csp": "warn", "http.csp_report_only": "warn" },
  "csp-unsafe.lab-headers.com": { "http.csp": "warn" },
  "csp-nonce.lab-headers.com": { "http.csp": "pass" },
  "csp-two.lab-headers.com": { "http.csp": "pass", "http.frame_options": "pass" },
  "csp-meta.lab-headers.com": { "http.csp": "pass" },
  "hsts-twice.lab-headers.com": { "http.hsts": "pass" },
  "frame-allow-from.lab-headers.com": { "http.frame_options": "warn" },
  "referrer-unsafe.lab-headers.com": { "http.referrer_policy": "warn" },
  "permissions-open.lab-headers.com": { "http.permissions_policy": "warn" },
  "cors-reflect.lab-headers.com": { "http.cors": "fail" },
  "cors-null.lab-headers.com": { "http.cors": "fail" },
  "cors-fixed.lab-headers.com": { "http.cors": "pass" },
  "cookies-bad.lab-headers.com": { "http.cookie_secure": "warn", "http.cookie_http_only": "warn", "http.cookie_same_site": "warn" },
  "cookies-prefix.lab-headers.com": { "http.cookie_prefix": "fail" },
  "cookies-many.lab-headers.com": { "http.cookie_secure": "pass" },
  "sri-missing.lab-headers.com": { "http.subresource_integrity": "warn" },
  "sri-present.lab-headers.com": { "http.subresource_integrity": "pass" },
  "mixed-content.lab-headers.com": { "http.mixed_content": "fail" },
  "banner.lab-headers.com": { "http.banner": "warn" },
  "alt-svc.lab-headers.com": { "http.http3": "pass" },
  "cache-private.lab-headers.com": { "http.cache": "warn" },
  "deprecated.lab-headers.com": { "http.deprecated_headers": "warn" },
  "off-host.lab-redirect.net": { "http.redirects": "pass" },
  "downgrade.lab-redirect.net": { "http.redirects": "fail" },
  "expired.lab-tls.net": {},
};

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker.stop());

let caller = 0;

/** The whole report: what an analysis answers is cut to a bound, what it stores is not. */
async function analyze(target) {
  const headers = { "content-type": "application/json", "cf-connecting-ip": `198.51.100.${++caller}` };
  const body = JSON.stringify({ target });
  const { id } = await (await fetch(`${worker.url}/api/analyze`, { method: "POST", headers, body })).json();
  return (await fetch(`${worker.url}/api/report/${id}`, { headers })).json();
}

/** Status and header fields as curl is given them, names in lower case, values in a list. */
async function curl(host) {
  const args = ["-sS", "-k", "--http1.1", "-o", "/dev/null", "-D", "-", "--max-time", "10", `https://${host}/`];
  const { stdout } = await run("curl", args);
  const [first, ...lines] = stdout.trim().split("\r\n");
  const fields = {};
  for (const line of lines.filter(Boolean)) {
    const at = line.indexOf(":");
    (fields[line.slice(0, at).toLowerCase()] ??= []).push(line.slice(at + 1).trim());
  }
  return { status: Number(first.split(" ")[1]), fields };
}

for (const [host, findings] of Object.entries(EXPECTED)) {
  test(`${host} is judged as it is`, async () => {
    const report = await analyze(host);
    const states = Object.fromEntries(report.findings.map(({ id, state }) => [id, state]));
    for (const [id, state] of Object.entries(findings)) assert.equal(states[id], state, id);
    sameAsMdn(host, report.headerScore);
    await sameAsCurl(host, report.probes.http.https);
  });
}

function sameAsMdn(host, score) {
  const theirs = golden.hosts[host];
  if (!theirs) return;
  const different = DIFFERENT[host] ?? {};
  score.rows.forEach(({ rule, result }, at) => assert.equal(result, different[rule] ?? theirs.rows[at], rule));
  if (!DIFFERENT[host]) assert.deepEqual([score.score, score.grade], [theirs.score, theirs.grade]);
}

/** Of the first answer: where it redirects, the report has the page of another URL. */
async function sameAsCurl(host, journey) {
  const { status, fields } = await curl(host);
  assert.equal(journey.hops[0].status, status);
  if (!journey.page || journey.hops.length > 1) return;
  const volatile = new Set(["date", "connection", "keep-alive"]);
  const ours = Object.entries(journey.page.headers).filter(([name]) => !volatile.has(name));
  for (const [name, values] of ours) {
    const cut = (value) => value.slice(0, 200);
    assert.deepEqual(values.map(cut), (fields[name] ?? []).slice(0, values.length).map(cut), name);
  }
}
