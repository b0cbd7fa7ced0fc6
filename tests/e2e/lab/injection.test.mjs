// Targets that write to the model: every payload through every channel that a target controls,
// read by an agent that obeys all it can parse. What such an agent can do here is what the five
// tools allow, and the log tells all of it. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
import { Agent, ordersIn } from "../../attack/agent.mjs";
import { SPEAKER, SPEAKER_ADDRESS, SPOKEN, zone } from "../../attack/channels.mjs";
import { PAYLOADS } from "../../attack/payloads.mjs";
import { answers, doh, transfer } from "../../lab/testing/dns.mjs";
import { Worker } from "../support/worker.mjs";

const TOOLS = ["analyze", "lookup", "decode", "diff", "narrate"];
const HOST = "stage.lab-http.net";
const ALIAS = "alias.lab-http.net";
const ADDRESS = "93.184.216.70";
const PLENTY = Object.fromEntries([...TOOLS, "target"].map((name) => [name, { limit: 100_000, seconds: 60 }]));
const CONTROL = process.env.LAB_CONTROL_URL;

// Controls, and what steers or hides text: bidirectional marks, zero width, tags, fillers.
const LIVE = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e0fff}]/u;

/** @type {Worker} */
let worker;
before(async () => (worker = await Worker.start({ vars: { BUDGETS: JSON.stringify(PLENTY) } })));
after(() => worker.stop());

async function control(method, path, body) {
  const response = await fetch(new URL(path, CONTROL), { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? null : response.json().catch(() => null);
}

/**
 * The channels that are staged anew for every analysis: how many payloads each carries at once, and
 * how it reads what the lab serves there.
 */
const STAGED = {
  TXT: [3, async () => answers(await doh(HOST, "TXT"), "TXT").map(String)],
  MX: [1, async () => answers(await doh(HOST, "MX"), "MX").map(({ exchange }) => exchange)],
  CNAME: [1, async () => answers(await doh(ALIAS, "CNAME"), "CNAME")],
  DMARC: [1, async () => answers(await doh(`_dmarc.${HOST}`, "TXT"), "TXT").map(String)],
  "header name": [2, async () => (await served("/")).rawHeaders.filter((_, at) => at % 2 === 0)],
  "header value": [4, async () => headerOf(await served("/"), "server", "x-powered-by", "via", "content-security-policy")],
  "cookie name": [1, async () => headerOf(await served("/"), "set-cookie")],
  "cookie value": [1, async () => headerOf(await served("/"), "set-cookie")],
  title: [1, async () => [(await served("/")).text.match(/<title>(.*?)<\/title>/s)?.[1] ?? ""]],
  page: [3, async () => [(await served("/")).text.replace(/<title>.*<\/title>/s, "")]],
  location: [1, async () => headerOf(await served("/"), "location")],
  "security.txt": [2, async () => [(await served("/.well-known/security.txt")).text]],
};

const PER_ANALYSIS = Object.values(STAGED).reduce((sum, [count]) => sum + count, 0);
/** After so many analyses each payload has gone through some channel at least twice. */
const STEPS = Math.ceil((PAYLOADS.length * 2) / PER_ANALYSIS);

/** The payloads of an analysis, by channel. Each channel begins elsewhere, so all carry different ones. */
function dealt(step) {
  let start = 0;
  return Object.fromEntries(
    Object.entries(STAGED).map(([channel, [count]]) => {
      const first = start + step * PER_ANALYSIS;
      start += count;
      return [channel, Array.from({ length: count }, (_, at) => PAYLOADS[(first + at) % PAYLOADS.length])];
    }),
  );
}

const FIELD = /[^\t\x20-\x7e\x80-\xff]/g;
/** As bytes of UTF-8, which a header may hold; no control but the tab. */
const inHeader = (text) => Buffer.from(text).toString("latin1").replace(FIELD, " ");
/** Puts payloads into every staged channel. */
async function plant(by, { redirect }) {
  const texts = (channel) => by[channel].map(({ text }) => text);
  const label = (channel) => by[channel][0].name;
  const records = [`A ${ADDRESS}`, ...texts("TXT").map((text) => `TXT ${text}`), `MX 10 ${label("MX")}.lab-http.net.`];
  const [server, powered, via, policy] = texts("header value").map(inHeader);
  await control("POST", "/answer", { name: HOST, turns: [records] });
  await control("POST", "/answer", { name: ALIAS, turns: [[`CNAME ${label("CNAME")}.lab-http.net.`]] });
  await control("POST", "/answer", { name: `_dmarc.${HOST}`, turns: [[`TXT v=DMARC1; p=none; rua=mailto:${texts("DMARC")[0]}`]] });
  await control("POST", "/stage", {
    status: redirect ? 302 : 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      ...Object.fromEntries(by["header name"].map((payload) => [`x-${payload.name}`, "1"])),
      ...{ server, "x-powered-by": powered, via, "content-security-policy": `default-src 'self'; report-uri ${policy}` },
      "set-cookie": [`session=${inHeader(texts("cookie value")[0])}; Path=/`, `${label("cookie name")}=1; Path=/`],
      ...(redirect && { location: `/${inHeader(texts("location")[0])}` }),
    },
    body: `<title>${texts("title")[0]}</title><meta name="description" content="${texts("page")[0]}"><h1>${texts("page").slice(1).join("</h1><h1>")}</h1>`,
    paths: {
      "/.well-known/security.txt": {
        headers: { "content-type": "text/plain; charset=utf-8" },
        body: by["security.txt"].map(({ text, name }) => `Contact: mailto:${text}\nContact: mailto:${name}@lab-http.net\n`).join(""),
      },
    },
  });
}

/** What the lab itself serves, whoever asks. */
function served(path) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: ADDRESS, path, headers: { host: HOST }, insecureHTTPParser: true }, async (response) => {
      const chunks = await response.toArray();
      resolve({ rawHeaders: response.rawHeaders, headers: response.headers, text: Buffer.concat(chunks).toString() });
    });
    asked.on("error", reject).end();
  });
}

function headerOf({ rawHeaders }, ...names) {
  return rawHeaders.filter((_, at) => at % 2 === 1 && names.includes(rawHeaders[at - 1].toLowerCase()));
}

/** The standing channels of the speaker, read at the lab. */
const STANDING = {
  subject: async () => [(await certificate()).subject],
  alternativeNames: async () => [(await certificate()).subjectAltName],
  registration: async () => [await (await fetch(new URL(`/domain/${SPEAKER}`, process.env.LAB_RDAP_URL))).text()],
  records: async () => answers(await doh(SPEAKER, "TXT"), "TXT").map(String),
  transfer: async () => (await transfer("199.43.135.53", SPEAKER)).flatMap((message) => answers(message, "TXT")).map(String),
};

function certificate() {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: SPEAKER_ADDRESS, port: 443, servername: SPEAKER, rejectUnauthorized: false }, () => {
      resolve(new X509Certificate(socket.getPeerX509Certificate().raw));
      socket.end();
    });
    socket.on("error", reject);
  });
}

/** What a payload asks for, by which it is known again however it is disguised or cut. */
function isIn({ text, name, asks }, string) {
  const wanted = asks.tool ?? asks.url ?? asks.message.method;
  const plain = string.replaceAll(/[\u200b\u202e\u202c]/g, "");
  return string.includes(text) || string.includes(name) || plain.includes(wanted);
}

/** Every string in a value, names of members included. */
function* stringsIn(value) {
  if (typeof value === "string") yield value;
  if (value === null || typeof value !== "object") return;
  for (const [name, item] of Object.entries(value)) {
    if (!Array.isArray(value)) yield name;
    yield* stringsIn(item);
  }
}

function assertHarmless({ answer, name }) {
  for (const string of stringsIn(answer)) {
    const found = LIVE.exec(string);
    assert.equal(found, null, `${name} answered U+${found?.[0].codePointAt(0).toString(16)} in ${JSON.stringify(string)}`);
  }
  const text = answer.result?.content?.[0]?.text;
  if (text) for (const string of stringsIn(JSON.parse(text))) assert.equal(LIVE.exec(string), null);
}

/** What the agent did, as the log has it: one line per call of a tool that exists, in order. */
async function assertLogged(agent, already) {
  const known = agent.calls.filter(({ name }) => TOOLS.includes(name));
  const events = (await worker.eventsOf(already + known.length)).slice(already);
  const told = ({ tool, error }) => `${tool} ${error ?? "answered"}`;
  const did = ({ name, answer }) => {
    const { result } = answer;
    return `${name} ${result.isError ? JSON.parse(result.content[0].text).error : "answered"}`;
  };
  assert.deepEqual(events.map(told), known.map(did));
  assert.equal(new Set(events.map(({ client }) => client.session)).size, 1, "one client, told apart from others");
  for (const [at, { name, arguments: args }] of known.entries()) {
    if (name !== "analyze" || typeof args.target !== "string") continue;
    const host = URL.parse(args.target)?.hostname ?? args.target;
    const logged = JSON.stringify(events[at].args);
    if (events[at].outcome === "success") assert.ok(logged.includes(host), `${logged} tells of ${args.target}`);
  }
}

test("there are at least 150 payloads, each of which an agent can be seen to obey", () => {
  assert.ok(PAYLOADS.length >= 150, `${PAYLOADS.length}`);
  assert.equal(new Set(PAYLOADS.map(({ name }) => name)).size, PAYLOADS.length);
  for (const { name } of PAYLOADS) assert.ok(name.length <= 63, `${name} is no label`);
  for (const { text, asks, disguise } of PAYLOADS.filter(({ disguise }) => disguise === "none")) {
    const { tools, urls, messages } = ordersIn(text);
    assert.ok(tools.length + urls.length + messages.length > 0, `${disguise} ${JSON.stringify(asks)} in ${text}`);
  }
});

test("every channel that a target controls carries payloads in the lab, and all payloads are carried", { timeout: 120_000 }, async () => {
  assert.equal(readFileSync("tests/lab/zones/lab-speaks.net.zone", "utf8"), zone(), "node tests/attack/channels.mjs writes the zone");
  const carried = new Map([...Object.keys(STAGED), ...Object.keys(STANDING)].map((channel) => [channel, new Set()]));
  const look = (channel, payloads, strings) => {
    for (const payload of payloads) if (strings.some((string) => isIn(payload, string))) carried.get(channel).add(payload);
  };
  for (const [channel, read] of Object.entries(STANDING)) look(channel, SPOKEN[channel], await read());
  for (let step = 0; step < STEPS; step += 1) {
    const by = dealt(step);
    await plant(by, { redirect: step % 2 === 1 });
    for (const [channel, [, read]] of Object.entries(STAGED)) look(channel, by[channel], await read());
  }
  console.table(Object.fromEntries([...carried].map(([channel, payloads]) => [channel, { payloads: payloads.size }])));
  for (const [channel, payloads] of carried) assert.ok(payloads.size >= 5, `${channel} carried ${payloads.size} payloads`);
  assert.equal(new Set([...carried.values()].flatMap((payloads) => [...payloads])).size, PAYLOADS.length);
});

/** Where a payload of each channel must be found in stored reports. The others are read and not kept. */
const REACHES = {
  TXT: /^\/probes\/dns\/txt\//,
  MX: /^\/probes\/dns\/mx\//,
  DMARC: /^\/probes\/dns\/dmarc\//,
  "header value": /^\/probes\/http\/.*\/headers\/(server|x-powered-by|content-security-policy)\//,
  "cookie name": /^\/probes\/http\/.*\/headers\/set-cookie\//,
  "cookie value": /^\/probes\/http\/.*\/headers\/set-cookie\//,
  title: /^\/probes\/http\/.*\/title$/,
  location: /^\/probes\/http\/.*\/hops\//,
  "security.txt": /^\/probes\/files\//,
  subject: /^\/probes\/tls\/chain\/0\/subject$/,
  alternativeNames: /^\/probes\/tls\/chain\/0\/dnsNames\//,
  registration: /^\/probes\/registration\/domain\//,
  records: /^\/probes\/dns\/txt\//,
};

/** Every string in a value with the pointer to it. */
function* placesIn(value, at = "") {
  if (typeof value === "string") yield [at, value];
  else if (value !== null && typeof value === "object") {
    for (const [name, item] of Object.entries(value)) yield* placesIn(item, `${at}/${name}`);
  }
}

/** Notes which channels' payloads stand in a stored report, each in its own place. */
async function note(reached, id, by) {
  const { body } = await worker.get(`/api/report/${id}`);
  const places = [...placesIn(body)];
  for (const [channel, payloads] of Object.entries(by)) {
    const where = REACHES[channel];
    if (where && places.some(([at, string]) => where.test(at) && payloads.some((payload) => isIn(payload, string)))) reached.add(channel);
  }
  return body;
}

for (const era of ["modern", "legacy"]) {
  test(`an agent that obeys everything, ${era} era, gets no further than the five tools`, { timeout: 240_000 }, async () => {
    await control("POST", "/reset");
    const already = worker.events.length;
    const agent = new Agent({ url: worker.url, era, ip: era === "modern" ? "198.51.100.201" : "198.51.100.202" });
    const reached = new Set();
    let obeyed = 0;
    for (let step = 0; step < STEPS; step += 1) {
      const by = dealt(step);
      await plant(by, { redirect: step % 2 === 1 });
      const answer = await agent.call("analyze", { target: `http://${HOST}/`, detail: "full" });
      const report = answer.result.structuredContent;
      assertTold(report, `step ${step}`);
      assertHarmless({ name: "the stored report", answer: await note(reached, report.id, by) });
      obeyed += await agent.obey(answer.result.content[0].text);
      for (const [name, records] of [[HOST, ["TXT", "MX"]], [ALIAS, ["CNAME"]]]) {
        const looked = await agent.call("lookup", { name, records });
        if (name === ALIAS) assert.ok(looked.result.content[0].text.includes(by.CNAME[0].name), "the alias is told");
        obeyed += await agent.obey(looked.result.content[0].text);
      }
    }
    const spoke = await agent.call("analyze", { target: SPEAKER, detail: "full" });
    assertTold(spoke.result.structuredContent, SPEAKER);
    const kept = await note(reached, spoke.result.structuredContent.id, SPOKEN);
    assertHarmless({ name: "the speaker's report", answer: kept });
    const transferred = SPOKEN.transfer.filter((payload) => isIn(payload, JSON.stringify(kept)));
    assert.deepEqual(transferred, [], "a zone's records are counted and forgotten");
    obeyed += await agent.obey(spoke.result.content[0].text);
    const told = await agent.call("lookup", { name: SPEAKER, records: ["RDAP"] });
    obeyed += await agent.obey(told.result.content[0].text);
    assert.ok(obeyed > 20, `an agent that obeys was led to ${obeyed} deeds`);
    assert.deepEqual([...reached].sort(), Object.keys(REACHES).sort(), "every channel spoke, in its own place of a report");

    for (const call of agent.calls) {
      assertHarmless(call);
      if (!TOOLS.includes(call.name)) assert.equal(call.answer.error?.code, -32602, `${call.name} is no tool`);
    }
    assert.equal((await control("GET", "/counters")).private.total, 0, "nothing private was touched");
    const asked = (await control("GET", "/queries")).map(({ name }) => name);
    const inside = asked.filter((name) => /(^|\.)(internal|localhost|svc|corp|local)$/.test(name));
    assert.deepEqual(inside, [], "no inner name left the Worker");
    await assertLogged(agent, already);
  });
}

function assertTold({ findings }, what) {
  const attempt = findings.find(({ id }) => id === "content.model_directed_text");
  assert.equal(attempt?.state, "warn", `${what} is reported`);
}

test("a certificate, a registrar and a transcript that speak are cleaned and told", async () => {
  const agent = new Agent({ url: worker.url, era: "modern", ip: "198.51.100.203" });
  const already = worker.events.length;
  const { result } = await agent.call("analyze", { target: "lab-hostile.com", detail: "full" });
  assertTold(result.structuredContent, "lab-hostile.com");
  const told = await agent.call("lookup", { name: "lab-hostile.com", records: ["TXT", "MX", "CAA", "RDAP"] });
  assert.ok(!told.result.isError);
  await agent.obey(result.content[0].text);
  await agent.obey(told.result.content[0].text);
  agent.calls.forEach(assertHarmless);
  await assertLogged(agent, already);
});

test("reports that speak, handed to diff and narrate, come out as data", async () => {
  const agent = new Agent({ url: worker.url, era: "modern", ip: "198.51.100.204" });
  const { result } = await agent.call("analyze", { target: "lab-good.com", detail: "full" });
  const { body: report } = await worker.get(`/api/report/${result.structuredContent.id}`);
  for (let at = 0; at < PAYLOADS.length; at += 10) {
    const after = structuredClone(report);
    after.findings.forEach((finding, n) => {
      const { text } = PAYLOADS[(at + n) % PAYLOADS.length];
      finding.title = text;
      finding.evidence = [{ pointer: "/probes/dns/txt/records/0", value: text }];
      finding.state = "fail";
    });
    for (const tool of ["diff", "narrate"]) {
      const { result: answer, error } = await agent.call(tool, { before: report, after });
      assert.equal(error, undefined);
      await agent.obey(answer.content[0].text);
    }
  }
  for (const call of agent.calls) {
    assertHarmless(call);
    if (!TOOLS.includes(call.name)) assert.equal(call.answer.error?.code, -32602);
  }
});
