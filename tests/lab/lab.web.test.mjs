// The lab's web servers behave as hosts.mjs says. Run inside the lab:
//   tests/lab/run -- node --test "tests/lab/*.test.mjs"

import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { connect as connectTls } from "node:tls";
import { HOSTS, PRIVATE_ADDRESSES, PRIVATE_PORTS } from "./hosts.mjs";
import { control } from "./testing/dns.mjs";

/** The handshake's outcome: {version} or {error}. */
function handshake(host, version) {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: host.addresses[0],
      port: 443,
      servername: host.name,
      minVersion: version,
      maxVersion: version,
    });
    socket.on("secureConnect", () => {
      resolve({ version: socket.getProtocol() });
      socket.destroy();
    });
    socket.on("error", (error) => resolve({ error: error.code }));
  });
}

const secure = HOSTS.filter((host) => host.https?.versions);

for (const version of ["TLSv1.2", "TLSv1.3"]) {
  test(`each host speaks ${version} exactly if it should`, async () => {
    for (const host of secure) {
      const { version: spoken } = await handshake(host, version);
      assert.equal(spoken === version, host.https.versions.includes(version), host.name);
    }
  });
}

test("a connection to a private address is counted, whatever the address", async () => {
  await control("POST", "/reset");
  for (const host of PRIVATE_ADDRESSES) {
    for (const port of PRIVATE_PORTS) {
      const socket = connect({ host, port });
      await once(socket.resume(), "close");
    }
  }
  const { private: counted } = await control("GET", "/counters");
  assert.equal(counted.total, PRIVATE_ADDRESSES.length * PRIVATE_PORTS.length);
  await control("POST", "/reset");
  assert.equal((await control("GET", "/counters")).private.total, 0);
});
