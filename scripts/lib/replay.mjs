// Makes the call of an event line again: of `analyze` and `lookup`, whose arguments the
// line tells. Nothing else of a call is stored, so this is all that can be had back.

import { Failure, script } from "./shell.mjs";

const HELP = `Usage: scripts/replay [--url URL] [EVENT LINE]

Makes the call of an event line of analyze or lookup again and prints the answer. The
line is the argument, or comes on standard input; whatever stands before its first
brace is left away. Query, fragment and user-info of a target were never written down.

  --url URL   where netrecon answers (default http://localhost:8787)
  --help      this text`;

/** The arguments that the line's call can be made again with. */
const NAMES = { analyze: ["target", "detail"], lookup: ["name", "records"] };

/**
 * Tool and arguments of an event line.
 * @param {string} line
 * @returns {{tool: string, args: Record<string, unknown>}}
 */
export function callOf(line) {
  const at = line.indexOf("{");
  let event;
  try {
    event = JSON.parse(line.slice(Math.max(at, 0)));
  } catch {
    throw new Failure("replay: this is not an event line");
  }
  if (event?.event !== "tool_call") throw new Failure("replay: this is not an event line");
  const { tool, args = {} } = event;
  const names = Object.hasOwn(NAMES, tool) ? NAMES[tool] : null;
  if (!names) throw new Failure(`replay: the arguments of ${tool} are never written down; only analyze and lookup can be replayed`);
  const told = names.filter((name) => args[name] !== undefined && args[name] !== null);
  const hidden = told.find((name) => !isWhole(args[name]));
  if (hidden || args.cut || !told.includes(names[0])) {
    throw new Failure(`replay: the line does not tell all of ${hidden ?? names[0]}; it was too long or of no known form`);
  }
  return { tool, args: Object.fromEntries(told.map((name) => [name, args[name]])) };
}

/** Whether redaction left a text or a list of words as it was, as far as one can see. */
function isWhole(value) {
  if (Array.isArray(value)) return value.length < 8 && value.every(isWhole);
  return typeof value === "string" && !value.endsWith("…") && !/^\(\d+ chars\)$/.test(value);
}

async function main(argv) {
  const words = [...argv];
  if (words.includes("--help")) return console.log(HELP);
  let url = "http://localhost:8787";
  const flag = words.indexOf("--url");
  if (flag >= 0) [, url] = words.splice(flag, 2);
  if (words.length > 1 || !URL.canParse(url ?? "")) throw new Failure(`replay: one line and one URL\n${HELP}`);
  const { tool, args } = callOf(words[0] ?? (await input()));
  console.error(`netrecon: POST /api/${tool} ${JSON.stringify(args)}`);
  const response = await fetch(new URL(`/api/${tool}`, url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(args),
  }).catch(() => {
    throw new Failure(`replay: nobody answers at ${url}`);
  });
  console.log(JSON.stringify(await response.json(), null, 2));
  process.exitCode = response.ok ? 0 : 1;
}

async function input() {
  let text = "";
  for await (const chunk of process.stdin) text += chunk;
  return text.trim();
}

script(import.meta, main);
