// The lab's web: every HTTP and TLS server of hosts.mjs in one process, the private listeners that
// nobody may reach, the stand-ins for RDAP and certificate transparency, and the control endpoint.
//
// Usage (by inside.mjs): web.mjs CERTIFICATE-FOLDER

import { load } from "./certificates.mjs";
import { Ledger } from "./web/ledger.mjs";
import { listenControl } from "./web/control.mjs";
import { listenHosts, listenSound } from "./web/listen.mjs";
import { listenPrivate } from "./web/private.mjs";
import { listenRegistry } from "./web/registry.mjs";

const { certificates } = await load(process.argv[2]);
const ledger = new Ledger(Number(process.env.LAB_DELAY_MS ?? 0));

await Promise.all([
  listenHosts(certificates, ledger),
  listenSound(certificates),
  listenPrivate(ledger),
  listenRegistry(certificates, ledger),
]);
await listenControl(ledger);
