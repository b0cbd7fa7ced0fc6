// The built Worker in workerd, with real Durable Objects and KV, for a test to call and
// to read the event lines of.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import Ajv2020 from "ajv/dist/2020.js";
import { endGroup, signalGroup, startGroup } from "../../../scripts/lib/group.mjs";
import { freePort, untilItAnswers, workerCommand } from "../../../scripts/lib/worker.mjs";

const schema = JSON.parse(readFileSync(new URL("../../../docs/event.schema.json", import.meta.url), "utf8"));
const obeys = new Ajv2020({ allErrors: true }).compile(schema);

/** A Worker that a test started, and what it has written down so far. */
export class Worker {
  #group;
  #lines = [];

  /** `misconfigured` waits for any answer instead of a healthy one.
   * @param {{vars?: Record<string, string>, state?: string, misconfigured?: boolean}} options */
  static async start({ vars = {}, state, misconfigured = false } = {}) {
    const worker = new Worker();
    worker.state = state ?? mkdtempSync(join(tmpdir(), "netrecon-e2e-"));
    worker.port = await freePort();
    worker.url = `http://localhost:${worker.port}`;
    const { command, env } = workerCommand({ port: worker.port, state: worker.state, vars });
    worker.#group = startGroup(command, { env, stdio: ["ignore", "pipe", "pipe"] });
    createInterface({ input: worker.#group.stdout }).on("line", (line) => worker.#lines.push(line));
    createInterface({ input: worker.#group.stderr }).on("line", (line) => worker.#lines.push(line));
    try {
      await (misconfigured ? worker.#untilItSpeaks() : untilItAnswers(worker.port, worker.#group));
    } catch (error) {
      throw new Error(`${error.message}\n${worker.#lines.join("\n")}`);
    }
    return worker;
  }

  async #untilItSpeaks() {
    for (let waited = 0; waited < 60_000; waited += 250) {
      const spoke = await fetch(`${this.url}/livez`).then((response) => response.text(), () => null);
      if (spoke !== null) return;
      await sleep(250);
    }
    throw new Error("the Worker never answered");
  }

  /** Ends it and forgets its storage. */
  async stop() {
    await endGroup(this.#group, 3_000);
    rmSync(this.state, { recursive: true, force: true });
  }

  /** Ends it at once, as a power cut would; its storage stays. */
  async kill() {
    signalGroup(this.#group, "SIGKILL");
    await this.#group.ended;
  }

  /** All it has printed. */
  get output() {
    return this.#lines.join("\n");
  }

  /** The event lines so far, each held against the schema. */
  get events() {
    const found = this.#lines.filter((line) => line.includes('"event":"tool_call"'));
    return found.map((line) => {
      const text = line.slice(line.indexOf("{"));
      if (Buffer.byteLength(text) > 2048) throw new Error(`an event of ${Buffer.byteLength(text)} bytes`);
      const event = JSON.parse(text);
      if (!obeys(event)) throw new Error(`${JSON.stringify(obeys.errors)} in ${text}`);
      return event;
    });
  }

  /** Waits until there are `n` events, and a little longer for one too many. */
  async eventsOf(n) {
    for (let waited = 0; this.events.length < n && waited < 5_000; waited += 50) await sleep(50);
    await sleep(200);
    return this.events;
  }

  /** A JSON API call: `{status, headers, body}`. */
  async api(tool, args, { ip = "198.51.100.1", ...init } = {}) {
    const response = await fetch(`${this.url}/api/${tool}`, {
      method: "POST",
      body: typeof args === "string" ? args : JSON.stringify(args),
      ...init,
      headers: { "content-type": "application/json", "cf-connecting-ip": ip, ...init.headers },
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** A modern `tools/call`: `{status, headers, result, error}`, and `message` where the transport refused it. */
  async mcp(name, args, { ip = "198.51.100.1" } = {}) {
    const revision = "2026-07-28";
    const params = {
      name,
      arguments: args,
      _meta: {
        "io.modelcontextprotocol/protocolVersion": revision,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { name: "e2e", version: "1" },
      },
    };
    const response = await fetch(`${this.url}/mcp`, {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
      headers: {
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": revision,
        "mcp-method": "tools/call",
        "mcp-name": name,
        "cf-connecting-ip": ip,
      },
    });
    const { result, error, message } = await response.json();
    return { status: response.status, headers: response.headers, result, error, message };
  }

  /** `GET` of a path, as JSON. */
  async get(path) {
    const response = await fetch(this.url + path);
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** The day's counts as KV has them, once they add up to `total`. */
  async countsOf(total) {
    const sum = (tools) =>
      Object.values(tools)
        .flatMap(Object.values)
        .flatMap(({ latencyMs, ...outcomes }) => Object.values(outcomes))
        .reduce((a, b) => a + b, 0);
    let tools;
    for (let waited = 0; waited < 20_000; waited += 250) {
      ({ tools } = (await this.get("/api/health")).body);
      if (sum(tools) >= total) break;
      await sleep(250);
    }
    await sleep(1_500); // time for one too many
    ({ tools } = (await this.get("/api/health")).body);
    return { sum: sum(tools), tools };
  }
}
