// The official Rust client, compiled from rmcp/ beside this file, as the `{list, call,
// close}` that a conversation is held with.

import { spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { headersOfAnotherClient } from "./conversation.mjs";

let program;

/** Compiles the client, which the first time takes a minute; throws when that fails. */
export function buildRmcpClient() {
  const args = ["build", "--locked", "-p", "netrecon-rmcp-client", "--message-format=json-render-diagnostics"];
  const { status, stdout, stderr } = spawnSync("cargo", args, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (status !== 0) throw new Error(`the Rust client does not compile:\n${stderr}`);
  const messages = stdout.trim().split("\n").map((line) => JSON.parse(line));
  program = messages.findLast((message) => message.executable).executable;
}

/** Connects in one of rmcp's ways: `initialize`, `discover` or `auto`. */
export function rmcp(url, mode) {
  const address = Object.values(headersOfAnotherClient())[0];
  const env = { ...process.env, RUST_BACKTRACE: "0" };
  const child = spawn(program, [`${url}/mcp`, mode, address], { env, stdio: ["pipe", "pipe", "pipe"] });
  let complaint = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (complaint += text));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`the Rust client ended: ${complaint}`);
    return JSON.parse(value);
  };
  return {
    list: async () => (await ask({ list: true })).tools,
    call: async (name, args) => {
      const { isError = false, content, structuredContent } = await ask({ call: name, arguments: args });
      return { isError, text: content[0].text, structured: structuredContent };
    },
    close: () => child.stdin.end(),
  };
}
