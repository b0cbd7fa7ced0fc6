// The MCP Inspector's command line: one process per request, as a person or a script would
// use it to look at a server.

import { spawn } from "node:child_process";
import { headersOfAnotherClient } from "./conversation.mjs";

const INSPECTOR = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";

/** Runs the Inspector once; answers its exit code, its stdout and all it said. */
export async function inspect(url, era, ...args) {
  const target = [`${url}/mcp`, "--transport", "http", "--protocol-era", era];
  const child = spawn(process.execPath, [INSPECTOR, "--cli", ...target, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => ((stdout += text), (output += text)));
  child.stderr.setEncoding("utf8").on("data", (text) => (output += text));
  const code = await new Promise((resolve) => child.on("close", resolve));
  return { code, stdout, output };
}

/** The Inspector as the `{list, call, close}` that a conversation is held with. */
export function inspector(url, era) {
  const headers = Object.entries(headersOfAnotherClient()).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
  const ask = async (...args) => {
    const { stdout, output } = await inspect(url, era, ...headers, ...args);
    try {
      return JSON.parse(stdout);
    } catch {
      throw new Error(`the Inspector printed no JSON: ${output}`);
    }
  };
  return {
    list: async () => (await ask("--method", "tools/list")).tools,
    call: async (name, args) => {
      const pairs = Object.entries(args).map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
      const given = pairs.flatMap((pair) => ["--tool-arg", pair]);
      const { isError = false, content, structuredContent } = await ask("--method", "tools/call", "--tool-name", name, ...given);
      return { isError, text: content[0].text, structured: structuredContent };
    },
    close: () => {},
  };
}
