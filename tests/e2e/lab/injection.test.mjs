// Targets that write to the model: every payload through every channel that a target controls,
// read by an agent that obeys all it can parse. What such an agent can do here is what the five
// tools allow, and the log tells all of it. Run by `scripts/test e2e-lab`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Agent } from "../../attack/agent.mjs";
import { PAYLOADS } from "../../attack/payloads.mjs";
import { Worker } from "../support/worker.mjs";

const TOOLS = ["analyze", "lookup", "decode", "diff", "narrate"];
const HOST = "stage.lab-http.net";
const ADDRESS = "93.184.216.70";
const PLENTY = Object.fromEntries([...TOOLS, "target"].map((name) => [name, { limit: 100_000, seconds: 60 }]));
const CONTROL = process.env.LAB_CONTROL_URL;

/** Payloads that one analysis can carry. */
const AT_ONCE = 12;

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

/** Puts payloads into records, header fields, cookies, a redirect and the page. */
async function plant(payloads, { redirect }) {
  const [a, b, c, d, e, f, g, h, ...rest] = payloads.map(({ text }) => text);
  const records = [`A ${ADDRESS}`, `TXT ${a}`, `TXT ${b}`, `MX 10 ${payloads[0].name.slice(0, 63)}.lab-http.net.`];
  await control("POST", "/answer", { name: HOST, turns: [records] });
  await control("POST", "/answer", { name: `_dmarc.${HOST}`, turns: [[`TXT v=DMARC1; p=none; rua=mailto:${c}`]] });
  await control("POST", "/stage", {
    status: redirect ? 302 : 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      server: d,
      "x-powered-by": e,
      "content-security-policy": `default-src 'self'; report-uri ${f}`,
      "set-cookie": [`session=${g}; Path=/`, `${payloads[0].name}=1; Path=/`],
      ...(redirect && { location: `/${h}` }),
    },
    body: `<title>${rest[0]}</title><meta name="description" content="${rest[1]}"><h1>${rest.join("</h1><h1>")}</h1>\nContact: mailto:${h}\n`,
  });
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

test(`there are at least 150 payloads, each of which an agent can be seen to obey`, async () => {
  assert.ok(PAYLOADS.length >= 150, `${PAYLOADS.length}`);
  const { ordersIn } = await import("../../attack/agent.mjs");
  for (const { text, asks, disguise } of PAYLOADS.filter(({ disguise }) => disguise === "none")) {
    const { tools, urls, messages } = ordersIn(text);
    assert.ok(tools.length + urls.length + messages.length > 0, `${disguise} ${JSON.stringify(asks)} in ${text}`);
  }
});

for (const era of ["modern", "legacy"]) {
  test(`an agent that obeys everything, ${era} era, gets no further than the five tools`, { timeout: 240_000 }, async () => {
    await control("POST", "/reset");
    const already = worker.events.length;
    const agent = new Agent({ url: worker.url, era, ip: era === "modern" ? "198.51.100.201" : "198.51.100.202" });
    let obeyed = 0;
    for (let at = 0; at < PAYLOADS.length; at += AT_ONCE) {
      const payloads = Array.from({ length: AT_ONCE }, (_, n) => PAYLOADS[(at + n) % PAYLOADS.length]);
      await plant(payloads, { redirect: (at / AT_ONCE) % 3 === 2 });
      const answer = await agent.call("analyze", { target: `http://${HOST}/`, detail: "full" });
      const report = answer.result.structuredContent;
      const attempt = report.findings.find(({ id }) => id === "content.model_directed_text");
      assert.equal(attempt?.state, "warn", `payloads ${at} to ${at + AT_ONCE} are reported`);
      obeyed += await agent.obey(answer.result.content[0].text);
      const looked = await agent.call("lookup", { name: HOST, records: ["TXT", "MX"] });
      obeyed += await agent.obey(looked.result.content[0].text);
    }
    assert.ok(obeyed > 20, `an agent that obeys was led to ${obeyed} deeds`);

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

test("a certificate, a registrar and a transcript that speak are cleaned and told", async () => {
  const agent = new Agent({ url: worker.url, era: "modern", ip: "198.51.100.203" });
  const already = worker.events.length;
  const { result } = await agent.call("analyze", { target: "lab-hostile.com", detail: "full" });
  const report = result.structuredContent;
  const attempt = report.findings.find(({ id }) => id === "content.model_directed_text");
  assert.equal(attempt?.state, "warn");
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
