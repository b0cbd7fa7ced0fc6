// How the output of a test runner becomes `{passed, failed, skipped}`: one function
// per runner, each taking the runner's output and exit code. `skipped` holds names,
// since a skipped test that nobody sees is a test that does not exist.
//
// A run that ends badly without naming a failed test (it did not compile, it was
// killed) counts as one failure, and so does a run that ended well but ran nothing.

/** A part that is itself one check: a linter, a build. */
export function check(_output, code) {
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
}

/** Rust's test harness; one result line per test binary. */
export function libtest(output, code) {
  let passed = 0;
  let failed = 0;
  for (const [, ok, bad] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; /gm)) {
    passed += Number(ok);
    failed += Number(bad);
  }
  const skipped = [...output.matchAll(/^test (.+) \.\.\. ignored(?:, (.+))?$/gm)].map(([, name, why]) => named(name, why));
  return settle({ passed, failed, skipped }, code);
}

/** Node's test runner, through the reporter in reporter.mjs. */
export function nodeTest(output, code) {
  const lines = [...output.matchAll(/^(pass|fail|skip): (.+)$/gm)];
  const having = (kind) => lines.filter(([, found]) => found === kind).map(([, , name]) => name);
  return settle({ passed: having("pass").length, failed: having("fail").length, skipped: having("skip") }, code);
}

/** Python's unittest with `-v`. */
export function unittest(output, code) {
  const ran = Number(output.match(/^Ran (\d+) tests? in /m)?.[1] ?? 0);
  const verdict = output.match(/^(?:OK|FAILED)(?: \((.+)\))?$/m)?.[1] ?? "";
  const count = (kind) => Number(verdict.match(new RegExp(`\\b${kind}=(\\d+)`))?.[1] ?? 0);
  const failed = count("failures") + count("errors") + count("unexpected successes");
  const skips = output.matchAll(/^(\S+) \(.+\)(?:\n.+)?? \.\.\. skipped (["'])(.*)\2$/gm);
  const skipped = [...skips].map(([, name, , why]) => named(name, why));
  return settle({ passed: Math.max(0, ran - failed - skipped.length), failed, skipped }, code);
}

function settle(counts, code) {
  const ranNothing = counts.passed + counts.failed + counts.skipped.length === 0;
  if (counts.failed === 0 && (code !== 0 || ranNothing)) counts.failed = 1;
  return counts;
}

function named(name, why) {
  return why ? `${name} (${why})` : name;
}
