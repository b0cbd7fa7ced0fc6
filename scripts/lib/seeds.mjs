// Usage: node scripts/lib/seeds.mjs FOLDER
//
// Writes the corpus of `decode` as seeds of its fuzz target: a file for each line, the
// kind in front of the text.

import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT, script } from "./shell.mjs";

const CORPUS = join(ROOT, "tests", "corpus", "decode");

script(import.meta, ([folder]) => {
  for (const file of readdirSync(CORPUS)) {
    const kind = file.replace(".jsonl", "");
    const lines = readFileSync(join(CORPUS, file), "utf8").trimEnd().split("\n");
    for (const [at, line] of lines.entries()) {
      writeFileSync(join(folder, `${kind}-${at}`), `${kind}\n${JSON.parse(line).text}`);
    }
  }
});
