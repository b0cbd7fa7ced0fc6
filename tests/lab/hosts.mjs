// Every host of the lab and the truth about it: the one source that the web servers obey and that
// tests assert against. What a *name* answers is in zones/; a test holds the two together.
//
// A host:
//   name       its DNS name
//   addresses  where it listens; hosts that share an address are told apart by SNI and Host
//   about      one line on what it is
//   http       what answers on port 80: a site (web/sites.mjs), or null for nothing
//   https      what answers on port 443, or null for nothing; either
//     raw          a behaviour in web/raw.mjs, instead of TLS
//   or
//     site         a site
//     certificate  a certificate (make-certificates.mjs)
//     versions     the TLS versions the server speaks, oldest first
//     alpn         the protocols it chooses from, in its order; none when absent
//     options      further options of Node's TLS server
//     withdrawn    its options, where a hello without TLS 1.2 meets other ones
//     trust        what an honest client with the lab's root says of the chain: trusted, expired,
//                  not_yet_valid, self_signed, unknown_issuer, missing_intermediate, name_mismatch
//     chain        how many certificates are presented
//     needs        a Node without this OpenSSL version leaves the host out

import { readFileSync } from "node:fs";
import { BODIES } from "./web/bodies.mjs";
import { HEADERS } from "./web/headers.mjs";
import { REDIRECTS } from "./web/redirects.mjs";

const [TLS10, TLS11, TLS12, TLS13] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
const MODERN = [TLS12, TLS13];
const LEGACY_CIPHERS = "DEFAULT:@SECLEVEL=0";
/** Nothing but forward secrecy and authenticated encryption. */
const STRONG_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20";

const v4 = (number) => `93.184.216.${number}`;
const v6 = (number) => `2606:2800:220:1::${number}`;
const both = (number) => [v4(number), v6(number)];

const tls = (certificate, more = {}) => ({
  site: "page",
  certificate,
  versions: MODERN,
  trust: "trusted",
  chain: 2,
  ...more,
});

/** A site over https; http leads there. */
const site = (name, addresses, about, https, http = "upgrade") => ({
  name,
  addresses,
  about,
  http,
  https,
});

/** A name of lab-tls.net, alone on its addresses, so that the handshake is the server's alone. */
const handshake = (label, number, about, certificate, more) =>
  site(`${label}.lab-tls.net`, both(number), about, tls(certificate, more));

const broken = (label, number, about, raw) => ({
  name: `${label}.lab-tls.net`,
  addresses: both(number),
  about,
  http: "page",
  https: { raw },
});

/** A family of names on one address, one per entry of a table. */
const family = (zone, address, table, siteName, certificate) =>
  Object.entries(table).map(([label, { about, headers }]) => ({
    name: `${label}.${zone}`,
    addresses: [address],
    about: about ?? (headers ? `headers: ${Object.keys(headers).join(", ") || "none"}` : label),
    http: siteName,
    https: tls(certificate, { site: siteName }),
  }));

const SITES = [
  site(
    "lab-good.com",
    both(10),
    "everything done right",
    tls("good", { site: "good", alpn: ["h2", "http/1.1"], options: { ciphers: STRONG_CIPHERS } }),
  ),
  site(
    "www.lab-good.com",
    both(10),
    "an alias of lab-good.com",
    tls("good", { site: "good", alpn: ["h2", "http/1.1"], options: { ciphers: STRONG_CIPHERS } }),
  ),
  site(
    "mta-sts.lab-good.com",
    both(10),
    "the mail policy of lab-good.com",
    tls("good", { site: "mtaSts" }),
  ),
  site(
    "lab-bare.com",
    [v4(13)],
    "no security header at all, and no way from http to https",
    tls("bare"),
    "page",
  ),
  site(
    "lab-exposed.com",
    [v4(15)],
    "serves what should stay inside",
    tls("exposed", { site: "exposed" }),
    "exposed",
  ),
  site(
    "lab-says-yes.com",
    [v4(16)],
    "200 and one page for every path",
    tls("yes", { site: "yes" }),
  ),
  site(
    "soft.lab-says-yes.com",
    [v4(16)],
    "200 and `not found` for every path",
    tls("yes", { site: "soft" }),
  ),
  site(
    "forbids.lab-says-yes.com",
    [v4(16)],
    "403 for every path but the first",
    tls("yes", { site: "forbids" }),
  ),
  site(
    "login.lab-says-yes.com",
    [v4(16)],
    "every path leads to a login form",
    tls("yes", { site: "login" }),
  ),
  site(
    "decoy.lab-says-yes.com",
    [v4(16)],
    "harmless pages at the secret paths",
    tls("yes", { site: "decoy" }),
  ),
  site(
    "echo.lab-says-yes.com",
    [v4(16)],
    "repeats the path in every page",
    tls("yes", { site: "echo" }),
  ),
  site(
    "lab-hostile.com",
    [v4(17)],
    "text that wants to be more than text",
    tls("hostile", { site: "hostile" }),
    "hostile",
  ),
  site("lab-speaks.net", [v4(210)], "zone, certificate and registration speak", tls("speaks")),
  site(
    "lab-files.com",
    [v4(19)],
    "well-known files, all with something wrong",
    tls("files", { site: "files" }),
  ),
  site("lab-cdn.com", [v4(18)], "behind CloudFront, by its headers", tls("cdn", { site: "cdn" })),
  site(
    "www.lab-cdn.com",
    [v4(18)],
    "behind CloudFront, by alias and headers",
    tls("cdn", { site: "cdn" }),
  ),
  site(
    "lab-cloud.com",
    ["104.16.0.10", "2606:4700::6810:a"],
    "at Cloudflare's addresses, where sockets are refused",
    tls("cloud", { site: "cloud" }),
  ),
  site(
    "www.lab-cloud.com",
    ["104.16.0.10"],
    "likewise, IPv4 only",
    tls("cloud", { site: "cloud" }),
  ),
  site("lab-dnssec.org", both(102), "a signed zone", tls("dnssec")),
  site("lab-dane.org", [v4(108)], "a TLSA record that matches the certificate", tls("dane")),
  site("lab-v4.net", [v4(110)], "IPv4 only", tls("families")),
  site("lab-v6.net", [v6(111)], "IPv6 only", tls("families")),
  site("lab-dual.net", both(112), "alike over both families", tls("families")),
  site(
    "differs.lab-dual.net",
    both(113),
    "200 over IPv4, 503 over IPv6",
    tls("families", { site: "differs" }),
  ),
  site("broken.lab-dual.net", [v4(114)], "nobody at its IPv6 address", tls("families")),
  site("lab-optout.org", [v4(105)], "its owner wants no probes", tls("owners")),
  site("www.lab-optout.org", [v4(105)], "its owner wants no probes", tls("owners")),
  site("lab-passive.org", [v4(106)], "its owner wants no probes beyond DNS", tls("owners")),
  site(
    "stable.lab-rebind.net",
    both(100),
    "where the flipping names point in their public half",
    tls("rebind"),
    "page",
  ),
  site(
    "lab-garbled.net",
    both(101),
    "where the garbled answers would have led",
    tls("garbled"),
    "page",
  ),
  site(
    "mta-sts.lab-mail.org",
    [v4(107)],
    "a policy that lists other servers than the MX set",
    tls("mail", { site: "mtaSts" }),
  ),
  ...["testing", "missing", "redirects", "untyped", "syntax"].map((label) =>
    site(
      `mta-sts.${label}.lab-mtasts.org`,
      [v4(107)],
      `a policy at fault: ${label}`,
      tls("mtasts", { site: "mtaSts" }),
    ),
  ),
  site(
    "mta-sts.certificate.lab-mtasts.org",
    [v4(107)],
    "a policy behind a certificate for other names",
    tls("mtasts", { site: "mtaSts", trust: "name_mismatch" }),
  ),
];

/** Sites whose names are the matter: an ordinary page over http and https. */
const ordinary = (address, certificate, names) =>
  names.map((name) =>
    site(name, [address], "an ordinary page; its zone is the matter", tls(certificate)),
  );

const DNSSEC_ZONES = [
  "ed25519",
  "nsec3",
  "nsec3salted",
  "island",
  "wrongds",
  "expired",
  "stripped",
  "weakalg",
];
const MAIL_NAMES = [
  ...[
    "good",
    "plus-all",
    "neutral",
    "soft",
    "no-all",
    "several",
    "pointer",
    "loop",
    "redirect",
    "macro",
  ],
  ...["syntax", "wide", "late", "lookups", "nested", "voids", "case", "quoted", "none", "long"],
].map((label) => `${label}.lab-spf.org`);
const POLICY_NAMES = [
  ...["reject", "quarantine", "monitor", "testing", "several", "syntax", "no-policy", "removed"],
  ...["external", "stranger", "nonexistent", "a.b.suffix"],
].map((label) => `${label}.lab-dmarc.org`);

const ZONES = [
  ...ordinary(
    v4(102),
    "zones",
    DNSSEC_ZONES.map((label) => `lab-${label}.org`),
  ),
  ...ordinary(v4(103), "zones", ["lab-axfr.net", "lab-axfr-pieces.net"]),
  ...ordinary(v4(90), "zones", [
    "lab-private.net",
    "hint.lab-private.net",
    "target.lab-private.net",
    "mail.lab-private.net",
    "lab-nsprivate.net",
  ]),
  ...ordinary(v4(9), "zones", ["lab-hoster.net"]),
  ...ordinary(v4(106), "zones", ["lab-optout-odd.org"]),
  ...ordinary(v4(107), "zones", ["lab-mail.org"]),
  ...ordinary(v4(104), "zones", [
    ...[
      "lab-odd.net",
      "one.lab-odd.net",
      "ttl-zero.lab-odd.net",
      "lab-wild.net",
      "any.lab-wild.net",
      "lab-lame.net",
    ],
    ...[
      "lab-onens.net",
      "lab-caa.net",
      "below.lab-caa.net",
      "other.lab-caa.net",
      "nobody.lab-caa.net",
    ],
    ...["lab-nullmx.com", "lab-nomail.com", "lab-spf.org", "lab-dmarc.org", "lab-reports.org"],
    ...MAIL_NAMES,
    ...POLICY_NAMES,
    ...["testing", "missing", "redirects", "untyped", "syntax", "certificate"].map(
      (label) => `${label}.lab-mtasts.org`,
    ),
  ]),
];

const HANDSHAKES = [
  site("lab-tls.net", [v4(20)], "the zone's own page", tls("anyTls")),
  handshake("tls13", 21, "TLS 1.3 only", "tls13", { versions: [TLS13] }),
  handshake("tls12", 22, "TLS 1.2 only", "tls12", { versions: [TLS12] }),
  handshake("legacy", 23, "TLS 1.0 and 1.1 only", "legacy", {
    versions: [TLS10, TLS11],
    options: { ciphers: LEGACY_CIPHERS },
  }),
  handshake("every-version", 24, "TLS 1.0 to 1.3", "legacy", {
    versions: [TLS10, TLS11, TLS12, TLS13],
    options: { ciphers: LEGACY_CIPHERS },
  }),
  handshake("expired", 25, "ran out ten days ago", "expired", { trust: "expired" }),
  handshake("not-yet", 26, "valid in ten days", "notYet", { trust: "not_yet_valid" }),
  handshake("self-signed", 27, "signed by itself", "selfSigned", {
    trust: "self_signed",
    chain: 1,
  }),
  handshake("wrong-name", 28, "made out to other names", "wrongName", { trust: "name_mismatch" }),
  handshake("no-intermediate", 29, "without the intermediate", "noIntermediate", {
    trust: "missing_intermediate",
    chain: 1,
  }),
  handshake("unknown-ca", 30, "a root nobody trusts, presented along", "unknownCa", {
    trust: "unknown_issuer",
  }),
  handshake("rsa", 31, "RSA, 2048 bits", "rsa"),
  handshake("ecdsa", 32, "ECDSA on P-384", "ecdsa"),
  broken("garbage", 33, "bytes that are no TLS", "garbage"),
  broken("half-certificate", 34, "the first half of a certificate", "halfCertificate"),
  handshake("many-certificates", 35, "100 certificates", "many", { chain: 100 }),
  handshake("h2", 36, "HTTP/2 and HTTP/1.1", "anyTls", { alpn: ["h2", "http/1.1"] }),
  broken("closes", 37, "closes at once", "closes"),
  broken("silent", 38, "accepts and says nothing", "silent"),
  broken("alert", 39, "refuses with an alert", "alert"),
  handshake("wildcard", 40, "a wildcard certificate", "wildcard"),
  handshake("soon", 41, "runs out in five days", "soon"),
  handshake("long", 42, "valid for longer than public CAs may sign", "long"),
  handshake("weak-rsa", 43, "RSA, 1024 bits", "weakRsa", {
    trust: "weak",
    options: { ciphers: LEGACY_CIPHERS },
  }),
  handshake("sha1", 44, "signed with SHA-1", "sha1", {
    trust: "weak",
    options: { ciphers: LEGACY_CIPHERS },
  }),
  handshake("no-san", 45, "a name in the subject only", "noSan", { trust: "name_mismatch" }),
  handshake("staple", 46, "with a stapled OCSP response", "staple"),
  handshake("disordered", 47, "intermediates in the wrong order", "disordered", { chain: 3 }),
  handshake("unrelated", 48, "a certificate in the chain that has no part in it", "unrelated", {
    chain: 3,
  }),
  handshake("with-root", 49, "the root presented along", "withRoot", { chain: 3 }),
  handshake("client-certificate", 50, "asks the client for a certificate", "anyTls", {
    options: { requestCert: true, rejectUnauthorized: false },
  }),
  handshake("p384-only", 51, "P-384 as its only group: a hello retry for most clients", "anyTls", {
    versions: [TLS13],
    options: { ecdhCurve: "P-384" },
  }),
  handshake("post-quantum", 52, "prefers X25519MLKEM768", "anyTls", {
    versions: [TLS13],
    options: { ecdhCurve: "X25519MLKEM768:X25519" },
    needs: "3.5",
  }),
  handshake("sct", 53, "two timestamps of logs in the certificate", "sct"),
  broken("cut-certificate", 54, "ends in the middle of the certificate", "cutCertificate"),
  handshake("cbc-only", 55, "TLS 1.2 with CBC suites only", "legacy", {
    versions: [TLS12],
    options: { ciphers: "AES128-SHA:AES256-SHA:@SECLEVEL=0" },
  }),
  broken("huge-record", 56, "a record longer than any may be", "hugeRecord"),
  handshake("must-staple", 57, "promises a staple and has none", "mustStaple"),
  { ...broken("refused", 58, "nobody listens"), http: null, https: null },
  handshake("null-suites", 59, "TLS 1.2, and suites that do not encrypt", "nullSuites", {
    versions: [TLS12],
    options: { ciphers: "ECDHE+AESGCM:NULL-SHA256:@SECLEVEL=0" },
  }),
  broken("endless", 60, "empty records without end", "endless"),
  handshake("suites-by-version", 61, "TLS 1.0 to 1.3, suites of CBC for 1.1 and 1.0 alone", "legacy", {
    versions: [TLS10, TLS11, TLS12, TLS13],
    options: { ciphers: STRONG_CIPHERS },
    withdrawn: { ciphers: "AES128-SHA:AES256-SHA:@SECLEVEL=0" },
  }),
  handshake("ccm-only", 62, "TLS 1.2 with AES-CCM as its only suite", "anyTls", {
    versions: [TLS12],
    options: { ciphers: "ECDHE-ECDSA-AES128-CCM" },
  }),
  handshake("aria-only", 63, "TLS 1.2 with ARIA as its only cipher", "anyTls", {
    versions: [TLS12],
    options: { ciphers: "ECDHE-ECDSA-ARIA128-GCM-SHA256" },
  }),
  handshake("p521-only", 64, "P-521 as its only group, which hardly any client has", "anyTls", {
    versions: [TLS13],
    options: { ecdhCurve: "P-521" },
  }),
];

const FAMILIES = [
  {
    name: "plain.lab-http.net",
    addresses: [v4(71)],
    about: "no TLS at all",
    http: "page",
    https: null,
  },
  site(
    "stage.lab-http.net",
    [v4(70)],
    "whatever a test has staged",
    tls("http", { site: "stage" }),
    "stage",
  ),
  ...family("lab-http.net", v4(70), BODIES, "bodies", "http"),
  ...family("lab-redirect.net", v4(80), REDIRECTS, "redirects", "redirect"),
  ...family("lab-headers.com", v4(14), HEADERS, "headers", "headers"),
];

export const HOSTS = [...SITES, ...ZONES, ...HANDSHAKES, ...FAMILIES].filter(
  ({ https }) => !https?.needs || openssl() >= Number(https.needs),
);

function openssl() {
  return Number.parseFloat(process.versions.openssl);
}

/** Addresses nobody outside may reach. Whatever connects to one of these is counted, and answered
 * with CANARY, which must never show up in anything the Worker says. */
export const PRIVATE_ADDRESSES = [
  "127.0.0.1",
  "127.255.255.254",
  "0.0.0.1",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "169.254.1.1",
  "169.254.169.254",
  "100.64.0.1",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192",
  "192.0.2.1",
  "198.18.0.1",
  "::1",
  "fd00::1",
  "fd00:ec2::254",
  "2001:db8::1",
  "64:ff9b::a00:1",
  "2002:7f00:1::1",
  "2001:0:5db8:d822:0:ffff:80ff:fffe",
];

/** DNS is among them for zone transfers; port 53 of 127.0.0.1 is the lab's own resolver. */
export const PRIVATE_PLACES = PRIVATE_ADDRESSES.flatMap((address) =>
  [22, 53, 80, 443, 8080].map((port) => ({ address, port })),
).filter(({ address, port }) => !(address === "127.0.0.1" && port !== 80 && port !== 443));

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
    // Named in DNS, with nobody there: a connection is refused, not lost.
    v6(114),
    "199.43.131.53",
  ];
  const own = ["127.0.0.1", "127.255.255.254", "::1"];
  return [...new Set(all)].filter((address) => !own.includes(address));
}
