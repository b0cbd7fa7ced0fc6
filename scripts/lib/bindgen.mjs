#!/usr/bin/env node
// wasm-bindgen as worker-build calls it, on a module whose exceptions have been brought from
// WebAssembly's first form of them into the later one. LLVM gets the later one wrong in large
// functions (a block whose type does not fit: the module does not validate), and for the
// first one wasm-bindgen wraps each import once more, in JavaScript. wasm-opt translates.

import { dirname, join } from "node:path";
import { FEATURES } from "./build.mjs";
import { NPM_BIN, TOOLS, die, run } from "./shell.mjs";

const [module, ...rest] = process.argv.slice(2);

try {
  let given = module;
  if (module.endsWith(".wasm")) {
    given = join(dirname(module), "translated.wasm"); // cargo's own stays as it is
    await run(join(NPM_BIN, "wasm-opt"), [module, "--translate-to-exnref", "--debuginfo", ...FEATURES, "-o", given]);
  }
  await run(join(TOOLS, "bin", "wasm-bindgen"), [given, ...rest], { cwd: process.cwd() });
} catch (error) {
  die(error);
}
