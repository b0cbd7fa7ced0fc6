// The lab's certificates: made on the first run and every few days (make-certificates.mjs), and kept
// in a git-ignored folder:
//   root.pem            the trust anchor, for NODE_EXTRA_CA_CERTS and TRUST_ANCHORS
//   certificates.json   {name: {key, chain: [leaf, ...], ocsp?}} in PEM, ocsp in base64
// Also hands out what DNS publishes about these keys (TLSA, DKIM).

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const CACHE_LIFE = 3 * 86_400_000;

/** What the cache was made from; another source makes another cache. */
function fingerprint() {
  const hash = createHash("sha256");
  for (const file of ["make-certificates.mjs", "pki.mjs", "../attack/channels.mjs", "../attack/payloads.mjs"]) {
    hash.update(readFileSync(new URL(file, import.meta.url)));
  }
  return hash.digest("hex");
}

/** The certificates, from the cache when it is young and of this source. */
export async function load(folder) {
  const file = join(folder, "certificates.json");
  if (existsSync(file) && Date.now() - statSync(file).mtimeMs < CACHE_LIFE) {
    const cached = JSON.parse(readFileSync(file, "utf8"));
    if (cached.fingerprint === fingerprint()) return cached;
  }
  process.stderr.write("lab: making its certificates (once every few days)\n");
  const { makeAll } = await import("./make-certificates.mjs");
  const made = { fingerprint: fingerprint(), ...(await makeAll()) };
  // Written beside and moved into place, so that two runs at once never read half a cache.
  const draft = `${folder}.${process.pid}.${Date.now()}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, "root.pem"), made.root);
  writeFileSync(join(draft, "certificates.json"), JSON.stringify(made));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return made;
}

/** What zone files publish about keys: {placeholder: value}. */
export async function publicKeys(folder) {
  return (await load(folder)).values;
}
