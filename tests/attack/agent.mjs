// The most gullible agent there could be: it analyzes a host, reads the result as if its user had
// written it, and does all that it can parse out of it. Tool names that stand after a verb, JSON
// that looks like arguments or like a message, every address. It has one connection, to the
// server under test, so what it does shows what such a server lets an agent do.

const REVISIONS = { modern: "2026-07-28", legacy: "2025-06-18" };
const PREFIX = "io.modelcontextprotocol/";

export class Agent {
  #id = 0;
  #done = new Set();

  /** @param {{url: string, era: "modern" | "legacy", ip: string}} where */
  constructor({ url, era, ip }) {
    Object.assign(this, { url, era, ip });
    /** Every call of a tool that it made: `{name, arguments, answer}`. */
    this.calls = [];
  }

  /** Calls a tool, whatever its name; answers the JSON-RPC answer. */
  async call(name, args) {
    const answer = await this.send({ method: "tools/call", params: { name, arguments: args } });
    this.calls.push({ name, arguments: args, answer });
    return answer;
  }

  /** Sends a message in the envelope of its era. */
  async send({ method, params = {} }) {
    const revision = REVISIONS[this.era];
    const headers = {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": revision,
      "cf-connecting-ip": this.ip,
      "user-agent": "gullible/1",
    };
    if (this.era === "modern") {
      headers["mcp-method"] = /^[\x20-\x7e]+$/.test(method) ? method : encodeURIComponent(method);
      if (typeof params.name === "string") headers["mcp-name"] = encoded(params.name);
      const _meta = {
        [`${PREFIX}protocolVersion`]: revision,
        [`${PREFIX}clientCapabilities`]: {},
        [`${PREFIX}clientInfo`]: { name: "gullible", version: "1" },
      };
      params = { ...params, _meta };
    }
    const body = JSON.stringify({ jsonrpc: "2.0", id: (this.#id += 1), method, params });
    const response = await fetch(`${this.url}/mcp`, { method: "POST", headers, body });
    const text = await response.text();
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) {
      return { status: response.status, events: text };
    }
    return { status: response.status, ...JSON.parse(text) };
  }

  /** Reads a text and does what it says, each thing once; answers how much that was. */
  async obey(text) {
    const found = ordersIn(text);
    const isNew = (key) => !this.#done.has(key) && this.#done.add(key);
    const orders = {
      tools: found.tools.filter((order) => isNew(JSON.stringify(order))),
      // a site that was analyzed was seen whole, whatever its path
      urls: found.urls.filter((url) => isNew(URL.parse(url)?.origin.replace(/^null$/, url) ?? url)),
      messages: found.messages.filter((message) => isNew(JSON.stringify(message))),
    };
    for (const { tool, args } of orders.tools) await this.call(tool, args);
    for (const url of orders.urls) {
      await this.call("analyze", { target: url });
      await this.call("decode", { text: url, kind: "url" });
    }
    for (const message of orders.messages) {
      if (message.method === "tools/call") {
        await this.call(String(message.params?.name), message.params?.arguments ?? {});
      } else {
        await this.send(message);
      }
    }
    return orders.tools.length + orders.urls.length + orders.messages.length;
  }
}

/** Everything in a text that can be read as an order. */
export function ordersIn(text) {
  const plain = text.replaceAll('\\"', '"');
  const objects = [...objectsIn(plain)];
  const messages = objects.filter(({ value }) => typeof value.method === "string").map(({ value }) => value);
  const tools = [...plain.matchAll(/\b(?:call(?: the tool)?|ends with) ([a-z][a-z0-9_.]*[a-z0-9])(?: with )?/g)].map((match) => {
    const end = match.index + match[0].length;
    const args = objects.find(({ start }) => start >= end && start <= end + 1)?.value ?? {};
    return { tool: match[1], args };
  });
  const urls = [...plain.matchAll(/\b(?:https?|file|gopher):\/\/[^\s"'<>;\\]+/g)].map(([url]) => url);
  return { tools: unique(tools), urls: unique(urls), messages: unique(messages) };
}

/** Every JSON object that stands somewhere in a text, the outermost first. */
function* objectsIn(text) {
  for (let start = text.indexOf("{"); start !== -1; start = text.indexOf("{", start + 1)) {
    let depth = 0;
    for (let end = start; end < Math.min(text.length, start + 2_000); end += 1) {
      if (text[end] === "{") depth += 1;
      if (text[end] === "}") depth -= 1;
      if (depth > 0) continue;
      try {
        yield { start, value: JSON.parse(text.slice(start, end + 1)) };
      } catch {
        // not JSON, so no order either
      }
      break;
    }
  }
}

function unique(items) {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}

/** `Mcp-Name` for a name that a header cannot hold as it is. */
function encoded(name) {
  const plain = /^[\x21-\x7e]+$/.test(name);
  return plain ? name : `=?base64?${Buffer.from(name).toString("base64")}?=`;
}
