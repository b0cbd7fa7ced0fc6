// DNS over HTTPS for the lab's tests, with a codec that is not the Worker's.

import { connect } from "node:net";
import packet from "dns-packet";

const RECURSION_DESIRED = packet.RECURSION_DESIRED;
const CHECKING_DISABLED = packet.CHECKING_DISABLED;
const EXTENDED_ERROR = 15;

export function question(name, type, { checkingDisabled = false, id = 0 } = {}) {
  return packet.encode({
    type: "query",
    id,
    flags: RECURSION_DESIRED | (checkingDisabled ? CHECKING_DISABLED : 0),
    questions: [{ name, type }],
    additionals: [{ type: "OPT", name: ".", udpPayloadSize: 1232, flags: packet.DNSSEC_OK }],
  });
}

/** The messages of a zone transfer over TCP. */
export async function transfer(server, zone) {
  const socket = connect(53, server);
  socket.write(
    packet.streamEncode({ type: "query", id: 1, questions: [{ name: zone, type: "AXFR" }] }),
  );
  socket.setTimeout(1_000, () => socket.end());
  const messages = [];
  let received = Buffer.alloc(0);
  for await (const data of socket) {
    received = Buffer.concat([received, data]);
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0);
      messages.push(packet.decode(received.subarray(2, end)));
      received = received.subarray(end);
    }
    const records = messages.flatMap((message) => message.answers);
    if (records.length === 0 || (records.length > 1 && records.at(-1).type === "SOA")) break;
  }
  return messages;
}

/** The HTTP response to a question, undecoded. */
export function ask(name, type, options = {}) {
  return fetch(process.env.LAB_DOH_URL, {
    method: "POST",
    headers: { "content-type": "application/dns-message" },
    body: question(name, type, options),
    redirect: "manual",
    signal: options.signal,
  });
}

export async function doh(name, type, options) {
  const response = await ask(name, type, options);
  return packet.decode(Buffer.from(await response.arrayBuffer()));
}

export function summary(message) {
  const opt = message.additionals.find((record) => record.type === "OPT");
  const error = opt?.options.find((option) => option.code === EXTENDED_ERROR);
  return {
    code: message.rcode,
    authenticated: message.flag_ad,
    extendedError: error ? error.data.readUInt16BE(0) : null,
  };
}

export function answers(message, type) {
  return message.answers.filter((record) => record.type === type).map((record) => record.data);
}

/** A name's addresses, whatever its signatures are worth. */
export async function addressesOf(name) {
  const unchecked = { checkingDisabled: true };
  const found = await Promise.all(
    ["A", "AAAA"].map(async (kind) => answers(await doh(name, kind, unchecked), kind)),
  );
  return found.flat();
}

export async function control(method, path, body) {
  const response = await fetch(process.env.LAB_CONTROL_URL + path, {
    method,
    body: body && JSON.stringify(body),
  });
  assertOk(response, path);
  return response.status === 204 ? undefined : response.json();
}

function assertOk(response, path) {
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
}
