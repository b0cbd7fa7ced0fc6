// Listeners on addresses nobody outside may reach. Each connection is counted at the moment it is
// accepted, and answered with a canary so that a leak shows in the caller's answer as well.

import { createServer } from "node:net";
import { once } from "node:events";
import { CANARY, PRIVATE_PLACES } from "../hosts.mjs";

const ANSWER = `HTTP/1.1 200 OK\r\ncontent-length: ${CANARY.length}\r\nconnection: close\r\n\r\n${CANARY}`;

export async function listenPrivate(ledger) {
  await Promise.all(
    PRIVATE_PLACES.map(async ({ address, port }) => {
      const server = createServer((socket) => {
        ledger.connectedPrivate(address, port);
        socket.on("error", () => {});
        socket.end(ANSWER);
      });
      server.listen(port, address);
      await once(server, "listening");
    }),
  );
}
