// Usage: node scripts/lib/python.mjs FOLDER
//
// Runs the unittest tests of FOLDER against the built Worker in the lab, in a virtual
// environment with the pinned MCP client and what tests/agreement and tests/attack ask
// for. Exit code 75 where there is no Python or no lab, after a line that says which.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endGroup, startGroup } from "./group.mjs";
import { CANNOT_RUN } from "./parts.mjs";
import { ROOT, ask, run, say, script } from "./shell.mjs";

const PACKAGES = [
  "mcp==2.3.0",
  // tests/agreement
  "PyJWT==2.15.1",
  "authres==1.2.0",
  "checkdmarc==6.0.4",
  "cryptography==50.0.2",
  "dkimpy==1.1.8",
  "dnspython==2.9.2",
  "h11==0.16.0",
  "hstsheader==0.2.0",
  "idna==3.20",
  "jwcrypto==1.6.1",
  "pynacl==1.6.2",
  "python-ulid==4.1.0",
  "sectxt==0.9.8",
  // tests/attack; hypothesis-jsonschema 0.23.1 does not work with a later hypothesis
  "hypothesis==6.165.0",
  "hypothesis-jsonschema==0.23.1",
  "mcp-fuzzer==0.7.0",
];
const VENV = ".venv";

script(import.meta, async ([folder]) => {
  if (!(await environment())) {
    console.log("python3 (3.10 or later, with venv) is missing");
    process.exit(CANNOT_RUN);
  }
  const worker = ["node", "scripts/lib/with-worker.mjs", "--"];
  const python = [join(VENV, "bin", "python"), "-m", "unittest", "discover", "-v", "-s", folder];
  const tests = startGroup(["tests/lab/run", "--", ...worker, ...python]);
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => void endGroup(tests));
  const code = await tests.ended;
  process.exit(typeof code === "number" ? code : 1);
});

/** Makes the virtual environment unless it is there; false where it cannot be. */
export async function environment() {
  const stamp = join(ROOT, VENV, "installed");
  const wanted = PACKAGES.join("\n");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return true;
  if (ask("python3", ["-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)"]) === null) return false;
  say(`installing ${PACKAGES.join(", ")} into ${VENV}`);
  await run("python3", ["-m", "venv", "--clear", VENV]);
  await run(join(VENV, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...PACKAGES]);
  writeFileSync(stamp, wanted);
  return true;
}
