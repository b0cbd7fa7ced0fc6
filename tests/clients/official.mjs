// The official TypeScript clients, each as the `{list, call, close}` that a conversation is
// held with.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as TransportV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { headersOfAnotherClient } from "./conversation.mjs";

export async function sdkV1(url) {
  const client = new ClientV1({ name: "conversation", version: "1" });
  const requestInit = { headers: headersOfAnotherClient() };
  await client.connect(new TransportV1(new URL("/mcp", url), { requestInit }));
  return asParticipant(client);
}

export async function clientV2(url, mode) {
  const client = new Client({ name: "conversation", version: "1" }, { versionNegotiation: { mode } });
  const requestInit = { headers: headersOfAnotherClient() };
  await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", url), { requestInit }));
  return asParticipant(client);
}

/** A client of its own kind: it looks for a login first, and speaks for one over stdio. */
export async function bridged(url) {
  const headers = Object.entries(headersOfAnotherClient()).flatMap(([name, value]) => ["--header", `${name}:${value}`]);
  const args = ["node_modules/mcp-remote/dist/proxy.js", `${url}/mcp`, "--allow-http", ...headers];
  const client = new ClientV1({ name: "conversation", version: "1" });
  await client.connect(new StdioClientTransport({ command: process.execPath, args, stderr: "ignore" }));
  return asParticipant(client);
}

function asParticipant(client) {
  return {
    list: async () => (await client.listTools()).tools,
    call: async (name, args) => {
      const { isError = false, content, structuredContent } = await client.callTool({ name, arguments: args });
      return { isError, text: content[0].text, structured: structuredContent };
    },
    close: () => client.close(),
  };
}
