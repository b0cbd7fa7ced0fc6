// Every host of the lab and the truth about it: the one source that the web servers obey, the
// certificates are made from, and tests assert against. What a *name* answers is in zones/; a test
// holds the two together.
//
// A host:
//   name       its DNS name
//   addresses  where it listens; hosts that share an address are told apart by SNI and Host
//   about      one line on what it is
//   http       what answers on port 80: the name of a site (web/sites.mjs), or null for nothing
//   https      what answers on port 443, or null:
//     site         the name of a site
//     certificate  the name of a certificate (certificates.mjs)
//     versions     the TLS versions the server will speak
//     alpn         the protocols it will choose from, in its order; none when absent
//     trust        what an honest client says of the chain: trusted, expired, not_yet_valid,
//                  self_signed, unknown_issuer, missing_intermediate, name_mismatch
//     raw          instead of all this: the name of a behaviour in web/raw.mjs

import { readFileSync } from "node:fs";

const TLS13 = "TLSv1.3";
const TLS12 = "TLSv1.2";
const MODERN = [TLS12, TLS13];

const v4 = (number) => `93.184.216.${number}`;
const v6 = (number) => `2606:2800:220:1::${number}`;
const both = (number) => [v4(number), v6(number)];

const page = (certificate, more = {}) => ({
  site: "page",
  certificate,
  versions: MODERN,
  trust: "trusted",
  ...more,
});

/** A host that sends port 80 to https, as most do. */
const secure = (name, number, about, https, more = {}) => ({
  name,
  addresses: both(number),
  about,
  http: "upgrade",
  https,
  ...more,
});

const plain = (name, number, about, site) => ({
  name,
  addresses: [v4(number)],
  about,
  http: site,
  https: null,
});

export const HOSTS = [
  secure("lab-good.com", 10, "everything done right", page("good", { site: "good" })),
  secure("www.lab-good.com", 10, "an alias of lab-good.com", page("good", { site: "good" })),

  secure("tls13.lab-tls.net", 21, "TLS 1.3 only", page("tls13", { versions: [TLS13] })),
  secure("tls12.lab-tls.net", 22, "TLS 1.2 only", page("tls12", { versions: [TLS12] })),

  plain("plain.lab-http.net", 71, "no TLS at all", "page"),

  plain("metadata.lab-redirect.net", 80, "redirects into cloud metadata", "redirectMetadata"),

  plain("rebind.lab-rebind.net", 100, "where a flipping name points in its public half", "page"),
];

/** Addresses nobody outside may reach. Whatever connects to one of these is counted, and answered
 * with CANARY, which must never show up in anything the Worker says. */
export const PRIVATE_ADDRESSES = [
  "127.0.0.1",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "168.63.129.16",
  "192.0.2.1",
  "198.18.0.1",
  "0.0.0.1",
  "::1",
  "fd00::1",
  "fd00:ec2::254",
  "2001:db8::1",
  "64:ff9b::a00:1",
  "2002:7f00:1::1",
];
export const PRIVATE_PORTS = [80, 443];
export const CANARY = "lab-private-canary-7d1f";

export function host(name) {
  const found = HOSTS.find((each) => each.name === name);
  if (!found) throw new Error(`the lab has no host ${name}`);
  return found;
}

/** Every address the lab's loopback interface must carry, beside its own. */
export function addresses() {
  const zones = JSON.parse(readFileSync(new URL("zones/zones.json", import.meta.url), "utf8"));
  const all = [
    ...Object.values(zones.tiers).flat(),
    ...HOSTS.flatMap((each) => each.addresses),
    ...PRIVATE_ADDRESSES,
  ];
  const own = ["127.0.0.1", "::1"];
  return [...new Set(all)].filter((address) => !own.includes(address));
}
