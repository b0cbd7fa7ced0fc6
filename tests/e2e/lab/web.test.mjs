// The built Worker about web servers of the lab: what it says of headers, cookies, files and exposed
// paths must be what the lab's tables know, its score what MDN's own scanner gave, and its facts what
// curl sees. One analysis per host. The table of docs/compared.md shows some of it; UPDATE=1 writes it
// there anew. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
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

/** What docs/compared.md shows of a host: the header fields that decide, and the findings. */
const SHOWN = {
  "lab-good.com": [["content-security-policy"], ["http.csp"]],
  "lab-bare.com": [[], ["http.csp", "http.hsts", "http.https_redirect"]],
  "lab-hostile.com": [["set-cookie"], ["http.cookie_secure", "content.model_directed_text"]],
  "csp-report-only.lab-headers.com": [["content-security-policy", "content-security-policy-report-only"], ["http.csp", "http.csp_report_only"]],
  "csp-unsafe.lab-headers.com": [["content-security-policy"], ["http.csp"]],
  "csp-nonce.lab-headers.com": [["content-security-policy"], ["http.csp"]],
  "csp-two.lab-headers.com": [["content-security-policy"], ["http.csp", "http.frame_options"]],
  "hsts-twice.lab-headers.com": [["strict-transport-security"], ["http.hsts"]],
  "hsts-short.lab-headers.com": [["strict-transport-security"], ["http.hsts"]],
  "hsts-broken.lab-headers.com": [["strict-transport-security"], ["http.hsts"]],
  "frame-allow-from.lab-headers.com": [["x-frame-options"], ["http.frame_options"]],
  "nosniff-misspelt.lab-headers.com": [["x-content-type-options"], ["http.content_type_options"]],
  "referrer-fallback.lab-headers.com": [["referrer-policy"], ["http.referrer_policy"]],
  "permissions-open.lab-headers.com": [["permissions-policy"], ["http.permissions_policy"]],
  "cors-reflect.lab-headers.com": [["access-control-allow-origin", "access-control-allow-credentials"], ["http.cors"]],
  "cors-null.lab-headers.com": [["access-control-allow-origin", "access-control-allow-credentials"], ["http.cors"]],
  "cors-star-credentials.lab-headers.com": [["access-control-allow-origin", "access-control-allow-credentials"], ["http.cors"]],
  "cookies-bad.lab-headers.com": [["set-cookie"], ["http.cookie_secure", "http.cookie_http_only", "http.cookie_same_site"]],
  "cookies-prefix.lab-headers.com": [["set-cookie"], ["http.cookie_prefix"]],
  "banner.lab-headers.com": [["server", "x-powered-by"], ["http.banner"]],
  "alt-svc.lab-headers.com": [["alt-svc"], ["http.http3"]],
  "cache-private.lab-headers.com": [["cache-control", "set-cookie"], ["http.cache"]],
  "deprecated.lab-headers.com": [["x-xss-protection", "expect-ct", "public-key-pins", "feature-policy"], ["http.deprecated_headers"]],
  "off-host.lab-redirect.net": [["location"], ["http.redirects"]],
};

/** Where netrecon and one of the others say something else, and why. */
const REASONS = {
  "csp-two.lab-headers.com": "MDN's HTTP client joins two fields into one policy",
  "hsts-twice.lab-headers.com": "browsers heed the first field; the score follows MDN, which takes two for invalid",
  "cors-reflect.lab-headers.com": "MDN's scanner does not find the origin that it sent",
};

/** Header fields that are judged; who has none of them is careless. */
const JUDGED = [
  "content-security-policy", "strict-transport-security", "x-frame-options", "x-content-type-options", "referrer-policy",
  "permissions-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "cross-origin-embedder-policy",
];

const DOCUMENT = new URL("../../../docs/compared.md", import.meta.url);
const BEGIN = "<!-- made by tests/e2e/lab/web.test.mjs -->";
const END = "<!-- end -->";

/** Characters of a header field that the document shows. */
const FIELD_LIMIT = 110;

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start()));
after(() => worker.stop());

let caller = 0;

const reports = new Map();

/** The whole report of one analysis per host: what an analysis answers is cut to a bound, what it stores is not. */
function analyze(target) {
  if (!reports.has(target)) reports.set(target, analyzed(target));
  return reports.get(target);
}

async function analyzed(target) {
  const headers = { "content-type": "application/json", "cf-connecting-ip": `198.51.100.${++caller}` };
  const body = JSON.stringify({ target });
  const { id } = await (await fetch(`${worker.url}/api/analyze`, { method: "POST", headers, body })).json();
  return (await fetch(`${worker.url}/api/report/${id}`, { headers })).json();
}

/** Status and header fields as curl is given them, names in lower case, values in a list. */
async function curl(host, ...more) {
  const args = [...more, "-sS", "-k", "--http1.1", "-o", "/dev/null", "-D", "-", "--max-time", "10", `https://${host}/`];
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

test("docs/compared.md shows what curl, MDN's scanner and the Worker say", async () => {
  const rows = [];
  for (const host of Object.keys(SHOWN)) rows.push(await row(host));
  const head = ["| host | curl | netrecon | score | why they differ |", "|---|---|---|---|---|"];
  const table = [...head, ...rows].join("\n");
  const text = readFileSync(DOCUMENT, "utf8");
  const [front, rest] = text.split(BEGIN);
  const end = rest.indexOf(END);
  if (process.env.UPDATE) writeFileSync(DOCUMENT, `${front}${BEGIN}\n${table}\n${rest.slice(end)}`);
  else assert.equal(rest.slice(0, end).trim(), table);
});

async function row(host) {
  const [names, ids] = SHOWN[host];
  const [{ status, fields }, report] = await Promise.all([curl(host, "-H", "Origin: https://netrecon.invalid"), analyze(host)]);
  const said = names.flatMap((name) => (fields[name] ?? []).map((value) => code(`${name}: ${value}`)));
  if (names.length === 0) {
    assert.deepEqual(JUDGED.filter((name) => fields[name]), [], host);
    said.push(`${status}, none of the headers`);
  }
  const states = Object.fromEntries(report.findings.map(({ id, state }) => [id, state]));
  const found = ids.map((id) => `${id}: ${states[id]}`);
  const [theirs, own] = [golden.hosts[host], report.headerScore].map(({ score, grade }) => `${score} ${grade}`);
  assert.ok(theirs === own || REASONS[host], `${host}: ${theirs} there, ${own} here`);
  const cells = [code(host), said.join("<br>"), found.join("<br>"), theirs === own ? own : `${theirs} / ${own}`, REASONS[host] ?? ""];
  return `| ${cells.join(" | ")} |`;
}

const code = (text) => `\`${text.slice(0, FIELD_LIMIT).trim().replaceAll("|", "\\|")}\``;
