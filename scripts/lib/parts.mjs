// The parts of `scripts/test`, in the order in which they run: what fails soonest
// and costs least comes first. To add a part, add an entry:
//
//   name      what `scripts/test NAME` runs
//   title     the heading
//   command   argv
//   count     how its output becomes counts: a function of counting.mjs
//   results   optional: a file that is counted instead of the output
//   minutes   after which the part is ended and has failed
//   needs     parts that run before and must have passed
//   tests     for a part that may say it cannot run on this machine, by exit code
//             75 and a last line that says why: answers the names of the tests that
//             are skipped then

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { check, libtest, nodeTest, unittest } from "./counting.mjs";
import { NPM_BIN, ROOT } from "./shell.mjs";

/** Exit code of a part that cannot run on this machine (EX_TEMPFAIL). */
export const CANNOT_RUN = 75;

const NODE_TEST_NAME = /^\s*(?:test|it)\(\s*(["'`])(.+?)\1/gm;
const PYTHON_TEST_NAME = /^\s*(?:async )?def (test_\w+)/gm;

export const PARTS = [
  {
    name: "setup",
    title: "the tools are installed",
    command: ["node", "scripts/lib/setup.mjs"],
    count: check,
    minutes: 30,
  },
  {
    name: "fmt",
    title: "rustfmt has nothing to change",
    command: ["cargo", "fmt", "--all", "--check"],
    count: check,
    minutes: 2,
    needs: ["setup"],
  },
  nodeTests({ name: "scripts", title: "the scripts' own tests", dir: "scripts/tests", minutes: 5, needs: ["setup"] }),
  {
    name: "clippy",
    title: "clippy has no remark, native",
    command: ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    count: check,
    minutes: 15,
    needs: ["setup"],
  },
  {
    name: "clippy-wasm",
    title: "clippy has no remark, wasm32",
    command: ["cargo", "clippy", "--locked", "-p", "netrecon", "--lib", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"],
    count: check,
    minutes: 15,
    needs: ["setup"],
  },
  {
    name: "native",
    title: "Rust tests, native",
    command: ["cargo", "test", "--locked", "--workspace", "--no-fail-fast"],
    count: libtest,
    minutes: 25,
    needs: ["setup"],
  },
  {
    name: "build",
    title: "the Worker builds",
    command: ["node", "scripts/lib/build.mjs"],
    count: check,
    minutes: 25,
    needs: ["setup"],
  },
  {
    name: "deploy",
    title: "wrangler would deploy it",
    command: [join(NPM_BIN, "wrangler"), "deploy", "--dry-run", "--outdir", "build/upload"],
    count: check,
    minutes: 5,
    needs: ["build"],
  },
  nodeTests({ name: "e2e", title: "the built Worker in workerd", dir: "tests/e2e", minutes: 15, needs: ["build"] }),
  nodeTests({
    name: "lab",
    title: "the built Worker in the offline internet",
    dir: "tests/lab",
    inside: ["tests/lab/run", "--"],
    minutes: 20,
    needs: ["build"],
  }),
  {
    name: "python",
    title: "the official Python MCP client in the offline internet",
    command: ["node", "scripts/lib/python.mjs", "tests/python"],
    count: unittest,
    minutes: 10,
    needs: ["build"],
    tests: () => namesIn("tests/python", /^test_.+\.py$/, PYTHON_TEST_NAME),
  },
];

/** A part that runs the `*.test.mjs` of a folder, on the Node that wrangler has. */
function nodeTests({ dir, inside = [], ...part }) {
  const results = join("tests", ".out", `${part.name}.results`);
  const reporters = [
    ["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ["--test-reporter=./scripts/lib/reporter.mjs", `--test-reporter-destination=${results}`],
  ];
  const files = filesIn(dir, /\.test\.mjs$/);
  return {
    ...part,
    command: [...inside, join(NPM_BIN, "node"), "--test", ...reporters.flat(), ...files],
    count: nodeTest,
    results,
    tests: () => namesIn(dir, /\.test\.mjs$/, NODE_TEST_NAME),
  };
}

function filesIn(dir, pattern) {
  const absolute = join(ROOT, dir);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute).filter((name) => pattern.test(name)).sort().map((name) => join(dir, name));
}

/** The tests that a folder's files name; the last group of `test` is the name. */
function namesIn(dir, files, test) {
  return filesIn(dir, files).flatMap((file) => {
    const names = [...readFileSync(join(ROOT, file), "utf8").matchAll(test)].map((match) => match.at(-1));
    return (names.length > 0 ? names : ["all"]).map((name) => `${file}: ${name}`);
  });
}
