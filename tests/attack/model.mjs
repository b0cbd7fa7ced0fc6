// A scripted model behind a real MCP client: it was told to look at one host, does as results tell
// it, and meets errors as models do: it waits as long as it is told and calls again once, drops an
// argument that is not wanted, and gives up on a refusal. A conversation has an end.

import { setTimeout as sleep } from "node:timers/promises";
import { ordersIn } from "./agent.mjs";

export class Model {
  #wanted = [];
  #seen = new Set();

  /** @param {{list: Function, call: Function}} client `tests/clients/everyone.mjs` */
  constructor(client, { turns }) {
    Object.assign(this, { client, turns });
    /** What it did, call by call: `{tool, args, error, waited}`; no `error` for a success. */
    this.did = [];
    /** Tools that it was told to call and that no server had told it of. */
    this.missed = [];
  }

  /** Lists the tools, analyzes the host and looks it up, follows what it reads until the turns are over. */
  async lookAt(host) {
    this.tools = (await this.client.list()).map(({ name }) => name);
    this.#want({ tool: "analyze", args: { target: host, thoroughly: true } });
    this.#want({ tool: "lookup", args: { name: host, records: ["TXT", "RDAP"] } });
    while (this.#wanted.length > 0 && this.did.length < this.turns) await this.#turn(this.#wanted.shift());
  }

  async #turn({ tool, args, tries = 0 }) {
    if (!this.tools.includes(tool)) return this.#miss(tool, args);
    const { isError, text } = await this.client.call(tool, args);
    if (!isError) {
      this.did.push({ tool, args });
      return this.#read(text);
    }
    const { error, field, retryAfter } = JSON.parse(text);
    this.did.push({ tool, args, error, waited: retryAfter });
    if (tries > 1) return;
    if (error === "rate_limited") {
      await sleep(retryAfter * 1_000);
      this.#wanted.unshift({ tool, args, tries: tries + 1 });
    } else if (error === "invalid_input" && field in args) {
      const { [field]: _, ...rest } = args;
      this.#wanted.unshift({ tool, args: rest, tries: tries + 1 });
    }
  }

  /** Some clients call it all the same: then the server says that it has none. */
  async #miss(tool, args) {
    this.missed.push(tool);
    try {
      const { isError } = await this.client.call(tool, args);
      if (!isError) throw new TypeError(`${tool} was served`);
    } catch (error) {
      if (error instanceof TypeError) throw error;
    }
  }

  #read(text) {
    const { tools, urls, messages } = ordersIn(text);
    for (const { tool, args } of tools) this.#want({ tool, args });
    for (const target of urls) this.#want({ tool: "analyze", args: { target } });
    for (const { method, params } of messages) {
      if (method === "tools/call") this.#want({ tool: String(params?.name), args: params?.arguments ?? {} });
    }
  }

  #want(order) {
    const key = JSON.stringify(order);
    if (!this.#seen.has(key)) this.#wanted.push(order);
    this.#seen.add(key);
  }
}
