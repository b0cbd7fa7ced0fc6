// What `scripts/bench` measures: one request per row, and the Workers it goes to. All but
// liveness speak MCP, so that each Worker gets the very same bytes.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../shell.mjs";

const MODERN = "2026-07-28";

/** One caller, on a host that is always served. */
const CALLER = { host: "localhost", "cf-connecting-ip": "203.0.113.7", "user-agent": "bench" };

const CERTIFICATE = readFileSync(join(ROOT, "src/codec/certificate/example.pem"), "utf8");
const SPF = "v=spf1 ip4:192.0.2.0/24 include:_spf.example.com mx ~all";

/**
 * `against` names the Workers of a row beside netrecon; `answers` holds netrecon's and the
 * reference's answer, so that no row measures a mistake.
 */
export const ROWS = [
  { name: "livez", path: "/livez", against: ["js", "rust", "typescript"], answers: (text) => text === "ok" },
  { name: "tools/list", ...message("tools/list"), against: ["js", "rust", "typescript"], long: true, answers: json((r) => r.tools.length === 5) },
  { name: "server/discover", ...message("server/discover"), against: ["js", "rust", "typescript"], answers: json((r) => r.supportedVersions.includes(MODERN)) },
  { name: "no-op", ...call("decode", { text: "192.0.2.1", kind: "ip" }), against: ["js", "rust", "object"], answers: succeeded },
  { name: "decode", ...call("decode", { text: SPF, kind: "spf" }), against: ["js", "rust", "object", "typescript"], answers: succeeded },
  {
    name: "certificate",
    ...call("decode", { text: CERTIFICATE, kind: "certificate" }),
    against: ["js", "rust", "object", "typescript"],
    answers: succeeded,
  },
  { name: "lookup", ...call("lookup", { name: "www.example.com", records: ["A"] }), against: ["js", "rust", "object", "typescript"], answers: succeeded },
  { name: "refused", ...call("decode", { text: SPF, kind: "spf" }), against: ["js", "rust", "typescript"], spent: true, answers: json((r) => r.isError === true) },
];

/** What a row's ratios are held to; docs/performance.md says why. */
export const GOALS = {
  "tools/list": { rust: 0.9 },
  "server/discover": { rust: 0.9 },
  refused: { rust: 0.9 },
  decode: { object: 0.8 },
};

/** Rows that are held against another row of netrecon itself. */
export const WITHIN = { certificate: { of: "no-op", goal: 0.7 } };

/** The Workers beside netrecon: how they are called in the table, and where they answer. */
export const OTHERS = {
  js: { title: "bare JS", worker: () => "bare-js", path: () => "/" },
  // A long answer is held against one as long: what it costs to send is nobody's doing.
  rust: { title: "bare Rust", worker: () => "bare-rust", path: (row) => (row.long ? "/long" : "/") },
  object: { title: "bare Rust + object", worker: () => "bare-rust", path: () => "/object" },
  typescript: { title: "TypeScript SDK", worker: (row) => (row.spent ? "reference-spent" : "reference"), path: (row) => row.path },
};

/** The request of a row, as `fetch` and the load generator take it. */
export function requestOf(row) {
  if (!row.body) return { method: "GET", headers: CALLER };
  return { method: "POST", headers: { ...CALLER, ...row.headers }, body: row.body };
}

function message(method, params = {}) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1" },
  };
  return {
    path: "/mcp",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": MODERN,
      "mcp-method": method,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
  };
}

function call(name, args) {
  const { headers, ...rest } = message("tools/call", { name, arguments: args });
  return { ...rest, headers: { ...headers, "mcp-name": name } };
}

function json(holds) {
  return (text) => holds(JSON.parse(text).result);
}

function succeeded(text) {
  const { isError = false, structuredContent } = JSON.parse(text).result;
  return !isError && structuredContent !== undefined;
}
