// The built Worker in workerd alone, for load and for kills: no proxy in front, real
// Durable Objects on disk, and a KV that the test owns and that outlives workerd.

import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { endGroup, signalGroup } from "../../../scripts/lib/group.mjs";
import { untilItAnswers } from "../../../scripts/lib/worker.mjs";
import { netrecon, startWorkerd } from "../../../scripts/lib/workerd.mjs";

/** KV as workerd asks for it: `GET` and `PUT` of a path that is the key. */
export class Kv {
  values = new Map();
  /** Every write: `{key, at}`. */
  writes = [];
  #server = createServer((incoming, outgoing) => this.#answer(incoming, outgoing));

  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.address = `127.0.0.1:${this.#server.address().port}`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(incoming, outgoing) {
    const key = decodeURIComponent(incoming.url.slice(1).split("?")[0]);
    let body = "";
    incoming.on("data", (chunk) => (body += chunk));
    incoming.on("end", () => {
      if (incoming.method === "PUT") {
        this.values.set(key, body);
        this.writes.push({ key, at: Date.now() });
        return outgoing.end();
      }
      const value = this.values.get(key);
      outgoing.writeHead(value === undefined ? 404 : 200).end(value);
    });
  }

  /** The counters of `tool` over all days, added up: `{success, ...}` and `total`. */
  counts(tool) {
    const sums = { total: 0 };
    for (const [key, text] of this.values) {
      if (!key.startsWith("count/") || !key.endsWith(`/${tool}`)) continue;
      const { latencyMs, ...outcomes } = JSON.parse(text);
      for (const [outcome, n] of Object.entries(outcomes)) {
        sums[outcome] = (sums[outcome] ?? 0) + n;
        sums.total += n;
      }
    }
    return sums;
  }

  /** Waits until `tool` was counted `n` times, and a little longer for one too many. */
  async counted(tool, n) {
    await this.#reached(tool, n);
    await sleep(2_500);
    return this.counts(tool);
  }

  /** Waits until `tool` was counted `n` times or more and no more come in. */
  async settled(tool, n) {
    let last = -1;
    let { total } = await this.#reached(tool, n);
    for (let quiet = 0; quiet < 40; quiet = total === last ? quiet + 1 : 0) {
      last = total;
      await sleep(100);
      ({ total } = this.counts(tool));
    }
    return this.counts(tool);
  }

  /** Waits until `tool` was counted `n` times, at most a minute. */
  async #reached(tool, n) {
    for (let waited = 0; this.counts(tool).total < n && waited < 60_000; waited += 100) await sleep(100);
    return this.counts(tool);
  }
}

/** Stands in for an isolate of the Worker that talks to its objects. */
const DOOR = {
  name: "door",
  modules: ["tests/e2e/support/door.js"],
  borrowed: {
    CLIENTS: { type: "ClientObject", of: "netrecon" },
    REPORTS: { type: "ReportObject", of: "netrecon" },
  },
};

/** workerd with the Worker of `dir`. */
export class Bare {
  #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  #group;
  lines = [];

  /** @param {{kv: Kv, dir?: string, vars?: Record<string, string>, folder?: string, inspector?: number,
   *   beside?: Record<string, string>}} options a given `folder` is one that an earlier
   *   start left; `beside` are modules of Workers that are bound under these names. */
  static async start({ kv, dir = "build", vars = {}, folder, inspector, beside = {} }) {
    const bare = new this();
    bare.folder = folder ?? mkdtempSync(join(tmpdir(), "netrecon-bare-"));
    const services = Object.fromEntries(Object.keys(beside).map((binding) => [binding, binding.toLowerCase()]));
    const worker = netrecon({ dir, vars, services });
    const others = Object.entries(beside).map(([binding, path]) => ({ name: binding.toLowerCase(), modules: [path] }));
    const options = { folder: bare.folder, keep: true, kv: kv.address, inspector, stdio: ["ignore", "pipe", "pipe"] };
    const { group, url } = await startWorkerd("e2e", [worker, DOOR, ...others], options);
    bare.#group = group;
    for (const stream of [group.stdout, group.stderr]) {
      createInterface({ input: stream }).on("line", (line) => bare.lines.push(line));
    }
    bare.port = Number(new URL(url("netrecon")).port);
    bare.door = url("door");
    await untilItAnswers(bare.port, group);
    return bare;
  }

  /** The process of workerd. */
  get pid() {
    return this.#group.pid;
  }

  /** Sends a message of counts to a client's object; true when it is acknowledged. */
  async tell(client, message, counts) {
    const url = `${this.door}/count/${message}?client=${client}`;
    const { ok } = await fetch(url, { method: "POST", body: JSON.stringify(counts) });
    return ok;
  }

  /** Ends it at once, as a power cut would; its storage stays. */
  async kill() {
    signalGroup(this.#group, "SIGKILL");
    await this.#group.ended;
    this.#agent.destroy();
  }

  /** Ends it and forgets its storage. */
  async stop() {
    this.#agent.destroy();
    await endGroup(this.#group, 3_000);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The event lines so far. */
  get events() {
    const found = this.lines.filter((line) => line.includes('"event":"tool_call"'));
    return found.map((line) => JSON.parse(line.slice(line.indexOf("{"))));
  }

  /** A JSON API call: `{status, headers, body}`; rejects when no answer comes. */
  call(tool, args, ip) {
    const sent = Buffer.from(JSON.stringify(args));
    const headers = { host: "localhost", "content-type": "application/json", "content-length": sent.length, "cf-connecting-ip": ip };
    const options = { host: "127.0.0.1", port: this.port, path: `/api/${tool}`, method: "POST", headers, agent: this.#agent };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
        response.on("error", reject).on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: JSON.parse(text) }));
      });
      outgoing.on("error", reject).end(sent);
    });
  }
}

/** A resolver that says of every name, after `delay` ms, that it does not exist
 * (RFC 8484, wire format). */
export async function nowhere(delay) {
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const message = Buffer.concat(chunks);
      message.writeUInt16BE(0x8183, 2); // an answer: no such name
      message.writeUInt16BE(0, 10); // without the question's EDNS record
      const end = message.indexOf(0, 12) + 5;
      await sleep(delay);
      response.writeHead(200, { "content-type": "application/dns-message" }).end(message.subarray(0, end));
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}/dns-query`;
  return { url, stop: () => (server.closeAllConnections(), server.close()) };
}
