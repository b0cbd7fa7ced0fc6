// The same five calls the way the ecosystem writes them: the official TypeScript SDK's
// `createMcpHandler` on Workers, schemas in zod, a Durable Object for the budget and one
// console line per call. What `scripts/bench` compares the Worker with; kept small, and
// written to be as quick as that way is: nothing is left out that would slow the Worker,
// nothing is done twice.

import { DurableObject, env } from "cloudflare:workers";
import { X509Certificate } from "node:crypto";
import { McpServer, createMcpHandler } from "@modelcontextprotocol/server";
import packet from "dns-packet";
import { z } from "zod";

type Result = { content: { type: "text"; text: string }[]; structuredContent?: Record<string, unknown>; isError?: boolean };
type Decision = { admitted: boolean; retryAfter: number };

/** One caller's budgets, in memory. */
export class Budgets extends DurableObject {
  #full = new Map<string, number>();

  spend(tool: string, limit: number, seconds: number): Decision {
    const now = Date.now();
    const interval = (seconds * 1000) / limit;
    const after = Math.max(this.#full.get(tool) ?? 0, now) + interval;
    const wait = after - now - seconds * 1000;
    if (wait > 0) return { admitted: false, retryAfter: Math.ceil(wait / 1000) };
    this.#full.set(tool, after);
    return { admitted: true, retryAfter: 0 };
  }
}

// What the Worker does too: a caller known to be over budget is not asked about again.
const limited = new Map<string, number>();

async function spend(caller: string, tool: string): Promise<Decision> {
  const key = `${caller} ${tool}`;
  const until = limited.get(key) ?? 0;
  if (until > Date.now()) return { admitted: false, retryAfter: Math.ceil((until - Date.now()) / 1000) };
  const { limit, seconds } = JSON.parse(env.BUDGETS)[tool];
  const decision = await env.CLIENTS.getByName(caller).spend(tool, limit, seconds);
  if (!decision.admitted) limited.set(key, Date.now() + decision.retryAfter * 1000);
  return decision;
}

/** Budget, run, one line. */
async function call(request: Request | undefined, tool: string, run: () => unknown): Promise<Result> {
  const began = Date.now();
  const caller = request?.headers.get("cf-connecting-ip") ?? "unknown";
  const { admitted, retryAfter } = await spend(caller, tool);
  let result: Result;
  if (admitted) {
    const output = (await run()) as Record<string, unknown>;
    result = { content: [{ type: "text", text: JSON.stringify(output) }], structuredContent: output };
  } else {
    const refusal = { error: "rate_limited", message: `Wait ${retryAfter} seconds.`, retryAfter };
    result = { content: [{ type: "text", text: JSON.stringify(refusal) }], isError: true };
  }
  const outcome = admitted ? "success" : "rate_limited";
  console.log(JSON.stringify({ event: "tool_call", id: crypto.randomUUID(), tool, caller, outcome, latencyMs: Date.now() - began }));
  return result;
}

const HINTS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true };
const record = z.record(z.string(), z.unknown());
const target = z.string().min(1).max(2048).describe("A public host name, or an http or https URL.");
const report = z.union([z.string().length(26), record]).describe("A report, or its id.");
const outputs = {
  analyze: z.object({ target: z.string(), addresses: z.array(z.string()), status: z.number(), findings: z.array(record) }),
  lookup: z.object({ name: z.string(), records: z.array(z.object({ type: z.string(), ttl: z.number(), text: z.string() })) }),
  decode: z.object({ kind: z.string(), fields: record, problems: z.array(z.object({ code: z.string(), message: z.string() })) }),
  diff: z.object({ equal: z.boolean(), changes: z.array(z.object({ path: z.string(), before: z.unknown(), after: z.unknown() })) }),
  narrate: z.object({ summary: z.string(), sentences: z.array(z.string()) }),
};

function server(request?: Request): McpServer {
  const mcp = new McpServer({ name: "reference", version: "1.0.0" }, { instructions: "Read-only diagnostics for public host names." });
  mcp.registerTool(
    "analyze",
    { title: "Analyze a host", description: "Look at a host.", inputSchema: z.object({ target }), outputSchema: outputs.analyze, annotations: { ...HINTS, openWorldHint: true } },
    ({ target }) => call(request, "analyze", () => analyze(target)),
  );
  const types = z.array(z.enum(["A", "AAAA", "MX", "NS", "TXT", "SOA", "CAA"])).min(1).max(8).default(["A", "AAAA", "MX", "NS", "TXT"]);
  mcp.registerTool(
    "lookup",
    { title: "Look up records", description: "Look up DNS records.", inputSchema: z.object({ name: z.string().max(255), records: types }), outputSchema: outputs.lookup, annotations: { ...HINTS, openWorldHint: true } },
    ({ name, records }) => call(request, "lookup", () => lookup(name, records)),
  );
  const kind = z.enum(["auto", "certificate", "spf"]).default("auto");
  mcp.registerTool(
    "decode",
    { title: "Decode a text", description: "Explain a pasted text.", inputSchema: z.object({ text: z.string().min(1).max(65536), kind }), outputSchema: outputs.decode, annotations: { ...HINTS, openWorldHint: false } },
    ({ text, kind }) => call(request, "decode", () => decode(text, kind)),
  );
  const pair = z.object({ before: report, after: report });
  mcp.registerTool(
    "diff",
    { title: "Compare two reports", description: "What changed.", inputSchema: pair, outputSchema: outputs.diff, annotations: { ...HINTS, openWorldHint: false } },
    ({ before, after }) => call(request, "diff", () => diff(before, after)),
  );
  mcp.registerTool(
    "narrate",
    { title: "Tell what changed", description: "The change in sentences.", inputSchema: pair, outputSchema: outputs.narrate, annotations: { ...HINTS, openWorldHint: false } },
    ({ before, after }) => call(request, "narrate", () => narrate(before, after)),
  );
  return mcp;
}

// --- the five calls ----------------------------------------------------------

async function ask(name: string, type: string) {
  const question = packet.encode({ type: "query", id: 0, flags: packet.RECURSION_DESIRED, questions: [{ type, name }] } as never);
  const response = await fetch(env.DOH_URL, { method: "POST", body: question, headers: { "content-type": "application/dns-message", accept: "application/dns-message" } });
  const { answers = [] } = packet.decode(Buffer.from(await response.arrayBuffer()));
  return answers.map((answer) => ({ type: answer.type, ttl: (answer as { ttl?: number }).ttl ?? 0, text: JSON.stringify((answer as { data?: unknown }).data) }));
}

async function lookup(name: string, types: string[]) {
  return { name, records: (await Promise.all(types.map((type) => ask(name, type)))).flat() };
}

async function analyze(target: string) {
  const url = new URL(target.includes("://") ? target : `https://${target}`);
  const addresses = (await ask(url.hostname, "A")).map(({ text }) => text);
  const { status, headers } = await fetch(url, { method: "HEAD", redirect: "manual" });
  const hsts = headers.get("strict-transport-security");
  return { target: url.href, addresses, status, findings: [{ id: "http.hsts", state: hsts ? "pass" : "fail", value: hsts }] };
}

function decode(text: string, kind: string) {
  if (kind === "certificate" || text.startsWith("-----BEGIN CERTIFICATE")) return certificate(text);
  const terms = text.trim().split(/\s+/);
  const fields = { version: terms[0], terms: terms.slice(1).map(term) };
  const open = terms.some((one) => one === "all" || one === "+all");
  return { kind: "spf", fields, problems: open ? [{ code: "all_passes", message: "Everybody may send." }] : [] };
}

function term(text: string) {
  const [, qualifier, mechanism, value] = /^([+?~-]?)([a-z0-9]+)(?:[:=](.*))?$/i.exec(text) ?? ["", "", text];
  return { qualifier: qualifier || "+", mechanism, value };
}

function certificate(text: string) {
  const { subject, issuer, subjectAltName, validFrom, validTo, serialNumber, fingerprint256, publicKey } = new X509Certificate(text);
  const expired = Date.parse(validTo) < Date.now();
  const key = { type: publicKey.asymmetricKeyType, ...publicKey.asymmetricKeyDetails };
  const fields = { subject, issuer, subjectAltName, validFrom, validTo, serialNumber, fingerprint256, key: JSON.parse(JSON.stringify(key, (_, v) => (typeof v === "bigint" ? String(v) : v))) };
  return { kind: "certificate", fields, problems: expired ? [{ code: "expired", message: `Expired on ${validTo}.` }] : [] };
}

function diff(before: unknown, after: unknown) {
  const changes: { path: string; before: unknown; after: unknown }[] = [];
  const walk = (path: string, one: unknown, other: unknown) => {
    if (one && other && typeof one === "object" && typeof other === "object") {
      for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) walk(`${path}/${name}`, one[name as never], other[name as never]);
    } else if (one !== other) changes.push({ path, before: one ?? null, after: other ?? null });
  };
  walk("", before, after);
  return { equal: changes.length === 0, changes };
}

function narrate(before: unknown, after: unknown) {
  const sentences = diff(before, after).changes.map(({ path }) => `${path} changed.`);
  return { summary: sentences.length ? `${sentences.length} changes.` : "Nothing changed.", sentences };
}

const handler = createMcpHandler((context) => server(context.requestInfo));

export default {
  fetch(request: Request) {
    return new URL(request.url).pathname === "/livez" ? new Response("ok") : handler.fetch(request);
  },
};
