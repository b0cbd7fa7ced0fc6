// Handshakes for the lab's tests.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { connect as connectTls } from "node:tls";

/** Speaks what no one should speak any more, so that a server's refusal is the server's own. */
export const ANY_CIPHER = "ALL:@SECLEVEL=0";

/** The outcome of a handshake with a host: {socket} or {error}. The caller ends the socket. What a
 * server staples is told to `onStaple`, which must listen before the handshake is over. */
export function handshake(host, { onStaple = () => {}, ...options } = {}) {
  return new Promise((resolve) => {
    const socket = connectTls({
      host: host.addresses[0],
      port: 443,
      servername: host.name,
      ...options,
    });
    socket.setTimeout(3_000, () => socket.destroy(new Error("timed out")));
    socket.on("OCSPResponse", onStaple);
    socket.on("secureConnect", () => resolve({ socket }));
    socket.on("error", (error) => resolve({ error }));
    socket.on("close", () => resolve({ error: new Error("closed") }));
  });
}

/** The certificates a host presents, in its order, in DER. Reads them off the wire of a TLS 1.2
 * handshake, where they are in the clear, because a TLS library shows the chain it built instead. */
export async function presentedChain(host) {
  const received = [];
  const relay = createServer((near) => {
    const far = connect(443, host.addresses[0]);
    far.on("data", (data) => received.push(data));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on("error", () => {});
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const options = { maxVersion: "TLSv1.2", rejectUnauthorized: false, ciphers: ANY_CIPHER };
  const { port } = relay.address();
  const { socket } = await handshake(host, { ...options, host: "127.0.0.1", port });
  socket?.destroy();
  relay.close();
  return certificates(handshakeBytes(Buffer.concat(received)));
}

/** The content of the handshake records before the first that is encrypted. */
function handshakeBytes(bytes) {
  const parts = [];
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === 22; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, end));
    at = end;
  }
  return Buffer.concat(parts);
}

function certificates(run) {
  for (let at = 0; at + 4 <= run.length; at += 4 + run.readUIntBE(at + 1, 3)) {
    if (run[at] !== 11) continue;
    const list = run.subarray(at + 7, at + 7 + run.readUIntBE(at + 4, 3));
    const found = [];
    for (let inner = 0; inner < list.length; ) {
      const length = list.readUIntBE(inner, 3);
      found.push(list.subarray(inner + 3, inner + 3 + length));
      inner += 3 + length;
    }
    return found;
  }
  return [];
}
