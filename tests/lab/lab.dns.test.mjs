// The lab's name system does what its zones and its README say. Run inside the lab:
//   tests/lab/run -- node --test "tests/lab/*.test.mjs"

import assert from "node:assert/strict";
import { test } from "node:test";
import { addressesOf, answers, control, doh, flags } from "./testing/dns.mjs";
import { HOSTS } from "./hosts.mjs";

test("every host's name answers the addresses it listens on", async () => {
  for (const host of HOSTS) {
    assert.deepEqual((await addressesOf(host.name)).sort(), [...host.addresses].sort(), host.name);
  }
});

test("a signed zone is authenticated, an unsigned one is not", async () => {
  assert.equal(flags(await doh("lab-good.com", "A")).authenticated, true);
  assert.equal(flags(await doh("lab-tls.net", "A")).authenticated, false);
});

test("a zone whose DS does not match fails, answers unchecked, and says why", async () => {
  const checked = await doh("lab-wrongds.org", "A");
  assert.equal(flags(checked).code, "SERVFAIL");
  assert.equal(flags(checked).extendedError, 6);
  const unchecked = await doh("lab-wrongds.org", "A", { checkingDisabled: true });
  assert.deepEqual(answers(unchecked, "A"), ["93.184.216.102"]);
});

test("a rebinding name flips at every question, and rewinds on reset", async () => {
  for (let round = 0; round < 2; round += 1) {
    await control("POST", "/reset");
    const name = "rebind.lab-rebind.net";
    assert.deepEqual(answers(await doh(name, "A"), "A"), ["93.184.216.100"]);
    assert.deepEqual(answers(await doh(name, "A"), "A"), ["127.0.0.1"]);
    assert.deepEqual(answers(await doh(name, "A"), "A"), ["93.184.216.100"]);
  }
});
