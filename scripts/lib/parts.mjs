// The parts of `scripts/test`, in the order in which they start, two at a time
// (schedule.mjs): first what costs nothing, then the longest way, which is the build, what
// attacks it, and at last the timed parts, the longest first; what fits beside comes
// between. To add a part, add an entry:
//
//   name      what `scripts/test NAME` runs
//   title     the heading
//   command   argv
//   count     how its output becomes counts: a function of counting.mjs
//   results   optional: a file that is counted instead of the output
//   minutes   after which the part is ended and has failed
//   needs     parts that run before and must have passed
//   holds     what two parts cannot use at once: a folder that cargo locks, the lab
//   timed     the part's tests look at the clock: it runs beside its like only
//   tests     for a part that may say it cannot run on this machine, by exit code
//             75 and a last line that says why: answers the names of the tests that
//             are skipped then

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { check, libtest, nodeTest, unittest } from "./counting.mjs";
import { NPM_BIN, ROOT } from "./shell.mjs";

/** Exit code of a part that cannot run on this machine (EX_TEMPFAIL). */
export const CANNOT_RUN = 75;

const DEBUG = "target/debug";
const RELEASE = "target/release";

/** The Python environment, which the first that needs it makes. */
const VENV = ".venv";

/** How much the native attacks do, and their seed: another one each time. */
const MUCH = ["env", "FUZZ_CALLS=1000000", "FAULT_CALLS=1000", "CHAIN_ROUNDS=40", `FUZZ_SEED=${Math.floor(Math.random() * 1e9)}`];

/** In front of a command that runs inside the offline internet. */
const LAB = ["tests/lab/run", "--"];

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
  nodeTests({
    name: "scripts",
    title: "the scripts' own tests",
    files: "scripts/tests/*.test.mjs",
    minutes: 5,
    needs: ["setup"],
  }),
  {
    name: "build",
    title: "the Worker builds",
    command: ["node", "scripts/lib/build.mjs"],
    count: check,
    holds: [RELEASE],
    minutes: 25,
    needs: ["setup"],
  },
  {
    name: "clippy",
    title: "clippy has no remark, native",
    command: ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"],
    count: check,
    holds: [DEBUG],
    minutes: 15,
    needs: ["setup"],
  },
  {
    name: "native",
    title: "Rust tests, native",
    // Not `--workspace`: with the features that its other members ask for, everything would
    // be compiled once more than for the examples that scripts and tests run.
    command: ["cargo", "test", "--locked", "--no-fail-fast"],
    count: libtest,
    holds: [DEBUG],
    minutes: 25,
    needs: ["setup"],
  },
  nodeTests({
    name: "lab-runner",
    title: "the lab starts, ends and leaves nothing",
    files: "tests/lab/runner.test.mjs",
    holds: ["lab"],
    minutes: 10,
    needs: ["setup"],
  }),
  {
    name: "python",
    title: "the official Python MCP client in the offline internet",
    command: ["node", "scripts/lib/python.mjs", "tests/python"],
    count: unittest,
    holds: ["lab", VENV],
    minutes: 10,
    needs: ["build"],
    tests: () => namesIn("tests/python/test_*.py", PYTHON_TEST_NAME),
  },
  nodeTests({
    name: "attack",
    title: "attackers from outside against the built Worker in the offline internet",
    inside: LAB,
    files: "tests/attack/*.test.mjs",
    holds: ["lab"],
    minutes: 15,
    needs: ["build", "python"], // which installs the attackers
  }),
  {
    name: "clippy-wasm",
    title: "clippy has no remark, wasm32",
    command: ["cargo", "clippy", "--locked", "-p", "netrecon", "--lib", "--target", "wasm32-unknown-unknown", "--", "-D", "warnings"],
    count: check,
    holds: [DEBUG],
    minutes: 15,
    needs: ["setup"],
  },
  {
    name: "lab-dns",
    title: "Rust tests of the lab's name server and of the allocator",
    command: ["cargo", "test", "--locked", "-p", "netrecon-lab-dns", "-p", "netrecon-memory"],
    count: libtest,
    holds: [DEBUG],
    minutes: 15,
    needs: ["setup"],
  },
  {
    name: "fuzz",
    title: "a million calls in and near every schema, and chains in a failing world, native",
    command: [
      ...[...MUCH, "cargo", "test", "--locked", "--test", "attack", "--test", "analyze"],
      ...["--", "--nocapture", "whatever_is_sent", "whatever_fails", "a_chain_with_faults"],
    ],
    count: libtest,
    holds: [DEBUG],
    minutes: 20,
    needs: ["setup"],
  },
  {
    name: "panic-build",
    title: "the Worker builds with a panic to ask for",
    command: ["node", "scripts/lib/build.mjs", "--features", "panic-injection"],
    count: check,
    holds: [RELEASE],
    minutes: 10,
    needs: ["build"],
  },
  {
    name: "stable-build",
    title: "the Worker builds with stable Rust, with a panic to ask for",
    command: ["node", "scripts/lib/build.mjs", "--stable", "--features", "panic-injection"],
    count: check,
    holds: [RELEASE],
    minutes: 10,
    needs: ["build"],
  },
  nodeTests({
    name: "agreement",
    title: "decode against other implementations",
    files: "tests/agreement/*.test.mjs",
    holds: [DEBUG, VENV],
    minutes: 10,
    needs: ["setup"],
  }),
  {
    name: "judge",
    title: "the guard over the attack corpus, nothing missed, no false alarm",
    command: ["scripts/judge"],
    count: check,
    holds: [DEBUG],
    minutes: 10,
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
  nodeTests({
    name: "e2e-lab",
    title: "the built Worker in the offline internet",
    inside: LAB,
    files: "tests/e2e/lab/*.test.mjs",
    holds: ["lab"],
    timed: true,
    minutes: 20,
    needs: ["build"],
  }),
  nodeTests({
    name: "e2e",
    title: "the built Worker in workerd",
    files: "tests/e2e/*.test.mjs",
    timed: true,
    minutes: 15,
    needs: ["build"],
  }),
  nodeTests({
    name: "lab",
    title: "the offline internet is what it says",
    inside: LAB,
    files: "tests/lab/lab.*.test.mjs",
    timed: true,
    minutes: 15,
    needs: ["setup"],
  }),
  nodeTests({
    name: "panic",
    title: "a call that panics ends alone, or in the stable build leaves a Worker that goes on",
    files: "tests/e2e/panic/*.test.mjs",
    timed: true,
    minutes: 5,
    needs: ["panic-build", "stable-build"],
  }),
];

/**
 * A part that runs the files that a pattern matches with Node's test runner, on the
 * Node that wrangler has and one file after the other: they share two cores, and a
 * lab its knobs.
 */
function nodeTests({ files, inside = [], ...part }) {
  const results = join("tests", ".out", `${part.name}.results`);
  const options = [
    ["--test-concurrency=1"],
    ["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ["--test-reporter=./scripts/lib/reporter.mjs", `--test-reporter-destination=${results}`],
  ];
  return {
    ...part,
    command: [...inside, join(NPM_BIN, "node"), "--test", ...options.flat(), files],
    count: nodeTest,
    results,
    tests: () => namesIn(files, NODE_TEST_NAME),
  };
}

/** The tests in the files that `files` matches; the last group of `test` is the name. */
function namesIn(files, test) {
  return matching(files).flatMap((file) => {
    const names = [...readFileSync(join(ROOT, file), "utf8").matchAll(test)].map((match) => match.at(-1));
    return (names.length > 0 ? names : ["all"]).map((name) => `${file}: ${name}`);
  });
}

/** The files of the checkout that match a pattern whose last part may hold `*`. */
function matching(pattern) {
  const folder = dirname(pattern);
  const name = new RegExp(`^${basename(pattern).replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder)).filter((file) => name.test(file)).sort().map((file) => join(folder, file));
}
