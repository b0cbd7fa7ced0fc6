// Which payload goes through which channel that a target controls. Some channels a test can stage
// anew for every analysis; the others belong to one host of the lab, whose zone, certificate and
// registration speak in everything they say.
//
// Usage: node tests/attack/channels.mjs > tests/lab/zones/lab-speaks.net.zone

import { fileURLToPath } from "node:url";
import { PAYLOADS } from "./payloads.mjs";

/** The host whose standing data speak. */
export const SPEAKER = "lab-speaks.net";
/** Where it listens, alone. */
export const SPEAKER_ADDRESS = "93.184.216.210";

const EACH = 16;
const from = (start, of = PAYLOADS) => Array.from({ length: EACH }, (_, at) => of[(start + at) % of.length]);
const isPlain = (text) => /^[\x20-\x7e]+$/.test(text);

/**
 * The speaker's payloads by channel, none in two. Alternative names are IA5 (RFC 5280
 * section 4.2.1.6).
 */
export const SPOKEN = {
  subject: from(0),
  registration: from(EACH),
  transfer: from(3 * EACH),
  alternativeNames: from(0, PAYLOADS.slice(4 * EACH, 7 * EACH).filter(({ text }) => isPlain(text))),
  records: from(0, PAYLOADS.slice(7 * EACH)),
};

/** What the registry says of it (RFC 9083), a payload in each text that is free. */
export function registration() {
  const texts = SPOKEN.registration.map(({ text }) => text);
  const [registrar, registrant, status, title, server, ...remarks] = texts;
  return {
    registrar,
    registrant,
    status: [status, "active"],
    servers: [SPOKEN.registration[4].name, server],
    remarks: remarks.map((text) => ({ title, description: [text] })),
  };
}

/** Its zone, which anybody may copy. */
export function zone() {
  const texts = [
    ...SPOKEN.records.map(({ text }) => `@ IN TXT ${strings(text)}`),
    ...SPOKEN.transfer.map(({ name, text }) => `${name} IN TXT ${strings(text)}`),
  ];
  return `; Written by tests/attack/channels.mjs: every record speaks to a model.
$TTL 300
@  IN SOA ns1.lab-hoster.net. hostmaster.lab-hoster.net. 2026112200 7200 3600 1209600 300
@  IN NS  ns1.lab-hoster.net.
@  IN NS  ns2.lab-hoster.net.

@  IN A   ${SPEAKER_ADDRESS}
${texts.join("\n")}
`;
}

/** Character strings of at most 255 octets each. */
function strings(text) {
  const parts = [""];
  let octets = 0;
  for (const character of text) {
    octets += Buffer.byteLength(character);
    if (octets > 250) {
      parts.push("");
      octets = Buffer.byteLength(character);
    }
    parts[parts.length - 1] += written(character);
  }
  return parts.map((part) => `"${part}"`).join(" ");
}

function written(character) {
  if (character === '"' || character === "\\") return `\\${character}`;
  return isPlain(character) && !"{}".includes(character) ? character : `{{u+${character.codePointAt(0).toString(16)}}}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(zone());
