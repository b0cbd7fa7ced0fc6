// What every real client is made to do. A client is `{list, call, close}`; `call` answers
// what a model would get to see: `{isError, text, structured}`.

import assert from "node:assert/strict";

const TOOLS = ["analyze", "lookup", "decode", "diff", "narrate"];

/** Budgets under which a conversation comes to its end; for the Worker it is held with. */
export const BUDGETS = JSON.stringify({ decode: { limit: 5, seconds: 3600 } });

/** A documentation address of its own, so that one client's budget is not another's. */
let clients = 0;
export function headersOfAnotherClient() {
  clients += 1;
  return { "cf-connecting-ip": `203.0.113.${clients}` };
}

/** Lists, calls, is refused in a way its model can read, and runs out of budget. */
export async function converse(client) {
  assert.deepEqual((await client.list()).map((tool) => tool.name), TOOLS);
  const decoded = await succeed(client, "decode", { text: "v=spf1 -all" });
  assert.equal(decoded.kind, "spf");
  await beRefused(client);
  await runOutOfBudget(client);
}

/** Calls all five tools where `analyze` and `lookup` have something to find: in the lab. */
export async function callAllFive(client) {
  const report = await succeed(client, "analyze", { target: "lab-good.com", detail: "full" });
  assert.equal(report.target.host, "lab-good.com");
  const { dns, http, tls } = report.probes;
  assert.deepEqual(dns.a.records.map(({ text }) => text), ["93.184.216.10"]);
  assert.deepEqual([http.http.end, http.https.page.status], ["met_https", 200]);
  assert.deepEqual([tls.handshakes.best.version, tls.trust.trusted], ["TLSv1.3", true]);
  const records = await succeed(client, "lookup", { name: "lab-good.com", records: ["A"] });
  assert.match(JSON.stringify(records), /93\.184\.216\.10/);
  assert.equal((await succeed(client, "decode", { text: "v=spf1 -all" })).kind, "spf");
  const between = { before: report.id, after: report.id };
  assert.equal((await succeed(client, "diff", between)).equal, true);
  assert.equal((await succeed(client, "narrate", between)).severity, "none");
}

async function beRefused(client) {
  const target = await fail(client, "analyze", { target: "http://127.0.0.1/" });
  assert.equal(target.error, "target_refused");
  assert.equal(typeof target.reason, "string");
  const argument = await fail(client, "decode", { text: "x", verbose: true });
  assert.deepEqual([argument.error, argument.field], ["invalid_input", "verbose"]);
}

async function runOutOfBudget(client) {
  for (let call = 0; call < 6; call++) {
    const { isError, text } = await client.call("decode", { text: "v=spf1 -all" });
    if (!isError) continue;
    const refusal = JSON.parse(text);
    assert.equal(refusal.error, "rate_limited");
    assert.ok(Number.isInteger(refusal.retryAfter) && refusal.retryAfter > 0);
    assert.ok(refusal.message.includes(String(refusal.retryAfter)), "a model reads the sentence");
    return;
  }
  assert.fail("the budget was never spent");
}

/** A call that succeeds; answers its structure, which its text repeats. */
async function succeed(client, name, args) {
  const { isError, text, structured } = await client.call(name, args);
  assert.ok(!isError, `${name}: ${text}`);
  const read = JSON.parse(text);
  if (structured !== undefined) assert.deepEqual(structured, read);
  return read;
}

/** A call that fails as a result; answers the error object that the model reads. */
async function fail(client, name, args) {
  const { isError, text, structured } = await client.call(name, args);
  assert.ok(isError, `${name} should have been refused: ${text}`);
  assert.equal(structured, undefined);
  return JSON.parse(text);
}
