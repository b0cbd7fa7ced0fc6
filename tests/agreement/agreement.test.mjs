// `decode` against other implementations, over its corpus: where two say different
// things about a text, disagreements.json says why, and where they no longer do, it
// must not. The outcome is the table of docs/decode-agreement.md, which
// `scripts/decode-pages` writes. Run by `scripts/test agreement`.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { environment } from "../../scripts/lib/python.mjs";
import { ROOT } from "../../scripts/lib/shell.mjs";
import { OURS } from "./ours.mjs";
import { OUTSIDE, hasOpenssl } from "./outside.mjs";

const NOW = 1_800_000_000;
const CORPUS = join(ROOT, "tests/corpus/decode");
const DOCUMENT = join(ROOT, "docs/decode-agreement.md");
const PYTHON = join(ROOT, ".venv/bin/python");
const MARK = "<!-- From here on: written by tests/agreement/agreement.test.mjs -->\n";

const KNOWN = JSON.parse(readFileSync(new URL("disagreements.json", import.meta.url), "utf8"));

/** Why a judge cannot be asked here, by its name. */
const ABSENT = {};
const hasPython = await environment();
if (!hasPython) {
  const inPython = OURS.filter(({ judge }) => !OUTSIDE.some((outside) => outside.judge === judge));
  for (const { judge } of inPython) ABSENT[judge] = "python3 (3.10 or later, with venv) is missing";
}
if (!hasOpenssl()) ABSENT.openssl = "the openssl command is missing";

/** Every line of the corpus by kind. */
const lines = Object.fromEntries(
  readdirSync(CORPUS).map((file) => {
    const text = readFileSync(join(CORPUS, file), "utf8").trimEnd();
    return [file.replace(".jsonl", ""), text.split("\n").map((line) => JSON.parse(line))];
  }),
);

/** What was said, by `kind/judge/name`. */
const said = new Map();
/** One row of the table for each judge and kind. */
const rows = [];

before(async () => {
  const all = Object.entries(lines).flatMap(([kind, texts]) => texts.map((line) => ({ kind, ...line })));
  for (const { kind, judge, facts } of OUTSIDE) {
    for (const { name, text } of lines[kind]) said.set(`${kind}/${judge}/${name}`, await attempt(() => facts(text)));
  }
  if (hasPython) askPython(all);
  for (const [line, answer] of ourAnswers(all)) said.set(`${line.kind}/ours/${line.name}`, answer);
});

async function attempt(facts) {
  try {
    return { facts: await facts() };
  } catch (error) {
    return { refused: error.message };
  }
}

function askPython(all) {
  const input = all.map(({ kind, name, text }) => JSON.stringify({ kind, name, text })).join("\n");
  const { status, stdout, stderr } = spawnSync(PYTHON, [join(ROOT, "tests/agreement/outside.py"), String(NOW)], {
    input,
    encoding: "utf8",
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, stderr);
  const answers = stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
  for (const { kind, name, judge, ...answer } of answers) said.set(`${kind}/${judge}/${name}`, answer);
}

function ourAnswers(all) {
  execFileSync("cargo", ["build", "--quiet", "--locked", "--example", "decode"], { cwd: ROOT, stdio: "inherit" });
  const input = all.map(({ kind, text }) => JSON.stringify({ kind, text })).join("\n");
  const program = join(ROOT, "target/debug/examples/decode");
  const output = execFileSync(program, [`${NOW}000`], { input, encoding: "utf8", maxBuffer: 1 << 26 });
  const answers = output.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.equal(answers.length, all.length);
  return all.map((line, at) => [line, answers[at]]);
}

/** The members in which the two differ; `refused` when one of them took the text. */
function differences(ours, theirs) {
  if (ours === null || theirs.refused !== undefined) {
    return ours === null && theirs.refused !== undefined ? [] : ["refused"];
  }
  const members = Object.keys(theirs.facts);
  return members.filter((member) => !isDeepStrictEqual(ours[member], theirs.facts[member]));
}

const reasonFor = (kind, judge, name, member) =>
  KNOWN.find((known) => known.kind === kind && known.judge === judge && known.member === member && known.texts.includes(name));

for (const { kind, judge, takes, facts } of OURS) {
  test(`${kind}: ${judge} agrees, or it is written why not`, { skip: ABSENT[judge] }, () => {
    const unexplained = [];
    const met = new Set();
    const compared = lines[kind].filter(takes);
    let agreed = 0;
    for (const { name } of compared) {
      const answer = said.get(`${kind}/ours/${name}`);
      const ours = answer.error ? null : facts(answer);
      const theirs = said.get(`${kind}/${judge}/${name}`);
      const differing = differences(ours, theirs);
      if (differing.length === 0) agreed += 1;
      for (const member of differing) {
        const reason = reasonFor(kind, judge, name, member);
        if (reason) met.add(`${name}: ${member}`);
        else unexplained.push({ name, member, ours: ours?.[member] ?? ours, theirs: theirs.facts?.[member] ?? theirs });
      }
    }
    rows.push({ kind, judge, compared: compared.length, agreed });
    assert.ok(unexplained.length === 0, unexplained.map((difference) => JSON.stringify(difference)).join("\n"));
    const written = KNOWN.filter((known) => known.kind === kind && known.judge === judge);
    const gone = written.flatMap(({ texts, member }) => texts.map((name) => `${name}: ${member}`)).filter((at) => !met.has(at));
    assert.deepEqual(gone, [], "these are no disagreements any more");
  });
}

test("the document has the table that came out", { skip: Object.values(ABSENT)[0] }, () => {
  const [prose, written] = readFileSync(DOCUMENT, "utf8").split(MARK);
  const table = agreements() + reasons();
  if (process.env.NETRECON_WRITE_DECODE_PAGES) writeFileSync(DOCUMENT, prose + MARK + table);
  else assert.equal(written, table, "run scripts/decode-pages and look at the document");
});

function agreements() {
  const row = ({ kind, judge, compared, agreed }) => `| \`${kind}\` | ${judge} | ${compared} | ${agreed} | ${compared - agreed} |`;
  return `\n| Kind | Implementation | Texts | Agree | Disagree |\n|---|---|---|---|---|\n${rows.map(row).join("\n")}\n`;
}

function reasons() {
  const row = ({ kind, judge, member, texts, why }) => `| \`${kind}\` | ${judge} | ${member} | ${texts.join(", ")} | ${why} |`;
  const sorted = OURS.flatMap(({ kind, judge }) => KNOWN.filter((known) => known.kind === kind && known.judge === judge));
  const head = "| Kind | Implementation | About | Texts | Why |\n|---|---|---|---|---|\n";
  return `\n## Every disagreement and its reason\n\n${head}${sorted.map(row).join("\n")}\n`;
}

test("every disagreement that is written down is about something that is compared", () => {
  for (const { kind, judge, why } of KNOWN) {
    assert.ok(OURS.some((ours) => ours.kind === kind && ours.judge === judge), `${kind} ${judge}`);
    assert.match(why, /\.$/);
  }
});
