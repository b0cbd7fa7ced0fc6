// What tools really answer, over every host and zone of the lab: each success obeys the
// output schema that `tools/list` gives, repeats itself as text, and fits what a model
// can afford.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import Ajv2020 from "ajv/dist/2020.js";
import { HOSTS } from "../../lab/hosts.mjs";
import { Worker } from "../support/worker.mjs";

/** Bytes of compact JSON: about 4,000 and 10,000 tokens. */
const LIMITS = { summary: 14_000, full: 35_000 };

/** Analyses under way at once; some hosts answer only at the deadline. */
const AT_ONCE = 12;

/** @type {Worker} */
let worker;
let obeys;
before(async () => {
  const plenty = { limit: 100_000, seconds: 1 };
  const budgets = ["analyze", "lookup", "decode", "diff", "narrate", "target"];
  worker = await Worker.start({ vars: { BUDGETS: JSON.stringify(Object.fromEntries(budgets.map((name) => [name, plenty]))) } });
  obeys = await validators();
});
after(() => worker?.stop());

/** By tool: holds a result against the schema that the Worker publishes. */
async function validators() {
  const { body } = await worker.get("/api/tools");
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  const each = body.tools.map(({ name, outputSchema }) => [name, ajv.compile(outputSchema)]);
  return Object.fromEntries(each);
}

/** Calls a tool over MCP; answers a success, held against its schema, or the error object. */
async function call(tool, args) {
  const { status, result, error } = await worker.mcp(tool, args);
  assert.equal(status, 200, JSON.stringify(error));
  const [{ text }] = result.content;
  if (result.isError) {
    assert.equal(result.structuredContent, undefined);
    return { error: JSON.parse(text) };
  }
  assert.deepEqual(JSON.parse(text), result.structuredContent, "the text repeats the structure");
  const valid = obeys[tool](result.structuredContent);
  assert.ok(valid, `${tool} ${JSON.stringify(args)}: ${JSON.stringify(obeys[tool].errors?.slice(0, 5))}`);
  return { value: result.structuredContent, bytes: Buffer.byteLength(text) };
}

async function inTurn(items, work) {
  const queue = [...items];
  const results = [];
  const one = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) results.push(await work(item));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return results;
}

const names = [...new Set(HOSTS.map(({ name }) => name))];
const reports = new Map();

test("analyze of every host fits its bound in both details and obeys its schema", async (t) => {
  const sizes = await inTurn(names.entries(), async ([at, target]) => {
    const { value, error, bytes } = await call("analyze", { target });
    if (error) {
      assert.ok(["target_refused", "upstream_error", "upstream_timeout"].includes(error.error), `${target}: ${JSON.stringify(error)}`);
      return { target, summary: 0, full: 0 };
    }
    reports.set(target, value);
    assert.ok(bytes <= LIMITS.summary, `${target}: ${bytes} bytes in summary`);
    const shown = value.findings.length;
    const all = Object.values(value.summary).reduce((sum, n) => sum + n, 0);
    assert.ok(shown === all || value.omitted.length > 1, `${target}: ${shown} of ${all} findings, and nothing said`);
    if (value.omitted) assert.match(value.omitted[0], /detail "full"/);
    // The bounds hold by construction: a third of the hosts is enough to see it in full.
    const full = at % 3 === 0 ? await call("analyze", { target, detail: "full" }) : { bytes: 0 };
    assert.ok(full.bytes <= LIMITS.full, `${target}: ${full.bytes} bytes in full`);
    return { target, summary: bytes, full: full.bytes };
  });
  assert.ok(sizes.length >= 40);
  for (const detail of ["summary", "full"]) {
    const most = sizes.toSorted((a, b) => b[detail] - a[detail])[0];
    t.diagnostic(`largest ${detail}: ${most[detail]} bytes of ${LIMITS[detail]} (${most.target})`);
  }
});

test("the stored report has what a bounded answer leaves out", async () => {
  const [target, cut] = [...reports].find(([, report]) => report.omitted && report.id);
  const { status, body } = await worker.get(`/api/report/${cut.id}`);
  assert.equal(status, 200);
  assert.equal(body.target.host, target);
  const all = Object.values(cut.summary).reduce((sum, n) => sum + n, 0);
  assert.equal(body.findings.length, all);
  assert.ok(obeys.analyze(body), JSON.stringify(obeys.analyze.errors));
  for (const finding of body.findings) assert.ok(finding.reference && finding.reproduce, finding.id);
});

test("lookup of every record type obeys its schema", async () => {
  const types = "A AAAA CNAME MX NS TXT SOA CAA SRV HTTPS SVCB TLSA DS DNSKEY NAPTR PTR RDAP ASN".split(" ");
  const zones = ["lab-good.com", "lab-mail.org", "lab-dnssec.org", "lab-nullmx.com", "lab-garbled.net", "nowhere.lab-good.com", "93.184.216.10"];
  const groups = [types.slice(0, 8), types.slice(8, 16), types.slice(16)];
  const calls = zones.flatMap((name) => groups.map((records) => ({ name, records })));
  const answers = await inTurn(calls, async (args) => ({ args, ...(await call("lookup", args)) }));
  assert.ok(answers.filter(({ value }) => value).length >= groups.length * 3, "most are answered");
  for (const { args, bytes = 0, error } of answers) {
    assert.ok(bytes <= LIMITS.full, `${JSON.stringify(args)}: ${bytes} bytes`);
    if (error) assert.match(error.error, /^(target_refused|invalid_input|upstream_)/, JSON.stringify({ args, error }));
  }
});

test("decode of every kind obeys its schema", async () => {
  const texts = readFileSync("tests/corpus/texts.jsonl", "utf8").trim().split("\n").map((line) => JSON.parse(line));
  const samples = Object.entries(SAMPLES).flatMap(([kind, list]) => list.flatMap((text) => [{ text, kind }, { text }]));
  const hostile = texts.slice(0, 60).map((line) => ({ text: line.text ?? line.input ?? String(Object.values(line)[0]) }));
  const kinds = new Set();
  await inTurn([...samples, ...hostile.filter(({ text }) => text)], async (args) => {
    const { value, error } = await call("decode", args);
    if (value) kinds.add(value.kind);
    else assert.equal(error.error, "invalid_input", JSON.stringify({ args, error }));
  });
  const { body } = await worker.get("/api/tools");
  const { inputSchema } = body.tools.find(({ name }) => name === "decode");
  const all = inputSchema.properties.kind.enum.filter((kind) => kind !== "auto");
  assert.deepEqual(all.filter((kind) => !kinds.has(kind)), [], "every kind was decoded at least once");
});

test("diff and narrate of reports by id and pasted obey their schemas", async () => {
  const [one, other] = [...reports.values()].filter(({ id }) => id);
  for (const pair of [{ before: one.id, after: other.id }, { before: one, after: other }, { before: one.id, after: one.id }]) {
    const { value: diff, bytes } = await call("diff", pair);
    assert.ok(diff && bytes > 0);
    assert.ok((await call("narrate", pair)).value);
    assert.ok((await call("narrate", { diff })).value);
  }
});

const PEM = (path) => readFileSync(path, "utf8");

/** At least one text of each kind. */
const SAMPLES = {
  certificate: [PEM("src/codec/certificate/example.pem")],
  csr: [PEM("src/codec/csr/example.pem")],
  private_key: ["-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n"],
  jwt: ["eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"],
  jwk: ['{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'],
  spf: ["v=spf1 ip4:192.0.2.0/24 include:_spf.example.com mx ~all", "v=spf1 +all"],
  dmarc: ["v=DMARC1; p=reject; rua=mailto:d@example.com"],
  dkim: ["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
  mta_sts: ["version: STSv1\nmode: enforce\nmx: mail.example.com\nmax_age: 604800\n"],
  tls_rpt: ["v=TLSRPTv1; rua=mailto:t@example.com"],
  bimi: ["v=BIMI1; l=https://example.com/logo.svg;"],
  caa: ['0 issue "ca.example.net"'],
  tlsa: ["3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"],
  csp: ["default-src 'self'; script-src 'unsafe-inline' https://cdn.example.com"],
  hsts: ["max-age=31536000; includeSubDomains; preload"],
  set_cookie: ["__Host-id=abc; Secure; HttpOnly; SameSite=Lax; Path=/"],
  permissions_policy: ["geolocation=(), camera=(self)"],
  security_txt: ["Contact: mailto:security@example.com\nExpires: 2030-01-01T00:00:00Z\n"],
  alt_svc: ['h3=":443"; ma=86400'],
  authentication_results: ["mx.example.org; spf=pass smtp.mailfrom=example.net; dkim=pass header.d=example.net"],
  http_head: ["HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: nginx/1.18.0\r\n\r\n"],
  url: ["https://user:pw@example.com:8443/a?b=c#d", "http://127.0.0.1/"],
  host: ["xn--bcher-kva.example"],
  ip: ["192.0.2.1", "::ffff:10.0.0.1"],
  cidr: ["192.0.2.0/24"],
  data_uri: ["data:text/plain;base64,SGVsbG8="],
  base64: ["SGVsbG8sIHdvcmxkIQ=="],
  hex: ["48656c6c6f2c20776f726c6421"],
  json: ['{"a":[1,2,{"b":null}]}'],
  uuid: ["f81d4fae-7dec-11d0-a765-00a0c91e6bf6"],
  ulid: ["01ARZ3NDEKTSV4RRFFQ69G5FAV"],
  unix_time: ["1700000000"],
};
