// Servers on port 443 that speak no TLS, or break off in the middle of it: what each does with a
// bare connection.

import { connect } from "node:net";
import { join } from "node:path";

const HANDSHAKE = 22;
const ALERT = 21;
const CERTIFICATE = 11;
const SERVER_HELLO_DONE = 14;

/** The socket of a sound TLS 1.2 server inside this process, for those that spoil its answer. */
export const SOUND_SOCKET = join(process.env.LAB_STATE ?? "", "tls12.sock");

export const RAW = {
  /** Accepts and says nothing. */
  silent(socket) {
    socket.on("data", () => {});
  },

  /** Closes as soon as it has accepted. */
  closes(socket) {
    socket.destroy();
  },

  /** Answers the hello with bytes that are no TLS record. */
  garbage(socket) {
    socket.once("data", () =>
      socket.end(Buffer.from(Array.from({ length: 2_048 }, (_, i) => (i * 167) & 255))),
    );
  },

  /** Refuses every hello with the alert handshake_failure. */
  alert(socket) {
    socket.once("data", () => socket.end(Buffer.from([ALERT, 3, 3, 0, 2, 2, 40])));
  },

  /** Announces a record longer than any may be, and starts to send it. */
  hugeRecord(socket) {
    socket.once("data", () => {
      socket.write(Buffer.from([HANDSHAKE, 3, 3, 0xff, 0xff]));
      socket.end(Buffer.alloc(0xffff, 2));
    });
  },

  /** Answers with empty handshake records for as long as somebody listens. */
  endless(socket) {
    socket.once("data", () => {
      const timer = setInterval(() => socket.write(Buffer.from([HANDSHAKE, 3, 3, 0, 0])), 20);
      socket.on("close", () => clearInterval(timer));
      socket.on("error", () => clearInterval(timer));
    });
  },

  /** Ends the connection in the middle of the Certificate message. */
  cutCertificate(socket) {
    spoil(socket, (flight) => {
      const message = flight.find(({ type }) => type === CERTIFICATE);
      const before = flight.slice(0, flight.indexOf(message));
      const whole = record([...before, message]);
      return {
        bytes: whole.subarray(0, whole.length - Math.floor(message.body.length / 2)),
        end: true,
      };
    });
  },

  /** A whole Certificate message whose first certificate is only the first half of one. */
  halfCertificate(socket) {
    spoil(socket, (flight) => ({
      bytes: record(
        flight.map((message) =>
          message.type === CERTIFICATE ? { ...message, body: halve(message.body) } : message,
        ),
      ),
    }));
  },
};

/** Relays to a sound server and lets `change` rewrite the server's first flight, which TLS 1.2
 * sends in the clear. */
function spoil(socket, change) {
  const sound = connect(SOUND_SOCKET);
  socket.pipe(sound);
  for (const [one, other] of [
    [socket, sound],
    [sound, socket],
  ]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
  let received = Buffer.alloc(0);
  sound.on("data", function collect(data) {
    received = Buffer.concat([received, data]);
    const flight = messages(received);
    if (flight?.at(-1)?.type !== SERVER_HELLO_DONE) return;
    sound.off("data", collect);
    const { bytes, end } = change(flight);
    socket.write(bytes);
    if (end) socket.end();
    else sound.pipe(socket);
  });
}

/** The handshake messages in a run of whole TLS records, or undefined when the last one is cut. */
function messages(bytes) {
  const parts = [];
  for (let at = 0; at < bytes.length; ) {
    if (bytes[at] !== HANDSHAKE || at + 5 > bytes.length) return undefined;
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (end > bytes.length) return undefined;
    parts.push(bytes.subarray(at + 5, end));
    at = end;
  }
  const run = Buffer.concat(parts);
  const found = [];
  for (let at = 0; at + 4 <= run.length; ) {
    const end = at + 4 + run.readUIntBE(at + 1, 3);
    if (end > run.length) return undefined;
    found.push({ type: run[at], body: run.subarray(at + 4, end) });
    at = end;
  }
  return found;
}

/** One TLS record with these handshake messages. */
function record(found) {
  const run = Buffer.concat(
    found.map(({ type, body }) => Buffer.concat([Buffer.from([type]), uint24(body.length), body])),
  );
  const head = Buffer.from([HANDSHAKE, 3, 3, 0, 0]);
  head.writeUInt16BE(run.length, 3);
  return Buffer.concat([head, run]);
}

/** A Certificate message's body (RFC 5246 section 7.4.2) with half of its first certificate only. */
function halve(body) {
  const length = body.readUIntBE(3, 3);
  const half = body.subarray(6, 6 + Math.floor(length / 2));
  return Buffer.concat([uint24(half.length + 3), uint24(half.length), half]);
}

function uint24(value) {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}
