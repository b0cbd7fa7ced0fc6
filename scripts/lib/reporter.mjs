// Reporter for Node's test runner: what `spec` shows is for people, this writes one
// line per finished test for counting.mjs. Suites and files are no tests; they are
// counted only when they fail by themselves (a hook threw, a file did not load).

import { resolve } from "node:path";

/** @param {AsyncIterable<{type: string, data: any}>} source */
export default async function* reporter(source) {
  for await (const { type, data } of source) {
    const line = type === "test:fail" ? failure(data) : type === "test:pass" ? success(data) : null;
    if (line) yield `${line.replaceAll("\n", " ")}\n`;
  }
}

function failure({ name, details, todo }) {
  if (details?.error?.failureType === "subtestsFailed") return null; // each is counted
  return todo === undefined ? `fail: ${name}` : `skip: ${name} (${todo || "to do"})`;
}

function success({ name, file, nesting, details, skip, todo }) {
  const isFile = nesting === 0 && file && resolve(name) === file;
  if (isFile || details?.type === "suite") return null;
  const why = [skip, todo].find((reason) => typeof reason === "string");
  return skip === undefined && todo === undefined ? `pass: ${name}` : `skip: ${name}${why ? ` (${why})` : ""}`;
}
