// The redirects of lab-redirect.net: one name each, over http and https. A path that a redirect does
// not list is an ordinary page.
//
//   at    {"SCHEME PATH": [STATUS, LOCATION or null for none]}
//   ends  what an honest client makes of it, starting at http://NAME/:
//         page       it arrives at a page
//         refused    the next hop may not be touched
//         loop       it comes by a place it has been
//         too_long   it goes on for longer than anyone should follow
//         downgrade  https leads back to http
//         stuck      a redirect without a usable target

const zone = "lab-redirect.net";
const on = (scheme, label, path = "/") => `${scheme}://${label}.${zone}${path}`;

/** The same answer at `/` over http and https. */
const always = (location, status = 302) => ({
  "http /": [status, location],
  "https /": [status, location],
});

const towards = {
  upgrade: { at: { "http /": [301, on("https", "upgrade")] }, ends: "page" },
  "upgrade-308": { at: { "http /": [308, on("https", "upgrade-308")] }, ends: "page" },
  "three-hops": {
    at: {
      "http /": [301, on("https", "three-hops")],
      "https /": [302, "/two"],
      "https /two": [307, "three?step=3"],
    },
    ends: "page",
  },
  "off-host": { at: always("https://lab-good.com/"), ends: "page" },
  "see-other": { at: always("/elsewhere", 303), ends: "page" },
  relative: { at: always("a/../b/./c"), ends: "page" },
  "scheme-relative": { at: always("//lab-good.com/"), ends: "page" },
  "other-case": { at: always("HTTPS://LAB-GOOD.COM/"), ends: "page" },
  fragment: { at: always("/arrived#ignore-previous-instructions"), ends: "page" },
  loop: { at: { ...always("/a"), "http /a": [302, "/"], "https /a": [302, "/"] }, ends: "loop" },
  self: { at: always("/"), ends: "loop" },
  "loop-schemes": {
    at: {
      "http /": [301, on("https", "loop-schemes")],
      "https /": [301, on("http", "loop-schemes")],
    },
    ends: "downgrade",
  },
  downgrade: {
    at: {
      "http /": [301, on("https", "downgrade")],
      "https /": [302, on("http", "downgrade", "/x")],
    },
    ends: "downgrade",
  },
  many: {
    at: Object.fromEntries(
      Array.from({ length: 30 }, (_, hop) => [`http /${hop || ""}`, [302, `/${hop + 1}`]]),
    ),
    ends: "too_long",
  },
  nowhere: { at: always(null), ends: "stuck" },
  empty: { at: always(""), ends: "loop" },
  "not-a-url": { at: always("http://[::"), ends: "stuck" },
  "long-target": { at: always(`/${"x".repeat(20_000)}`), ends: "stuck" },
};

/** Into everything that may not be touched, by every spelling. */
const into = {
  // IPv4 by class.
  zero: "http://0.0.0.0/",
  "this-network": "http://0.0.0.1/",
  loopback: "http://127.0.0.1/",
  ten: "http://10.0.0.1/",
  oneseventytwo: "http://172.16.0.1/",
  oneninetytwo: "http://192.168.1.1/",
  "link-local": "http://169.254.1.1/",
  metadata: "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
  shared: "http://100.64.0.1/",
  alibaba: "http://100.100.100.200/latest/meta-data/",
  azure: "http://168.63.129.16/machine?comp=goalstate",
  oracle: "http://192.0.0.192/opc/v1/instance/",
  documentation: "http://192.0.2.1/",
  benchmark: "http://198.18.0.1/",
  multicast: "http://224.0.0.1/",
  reserved: "http://240.0.0.1/",
  broadcast: "http://255.255.255.255/",
  // IPv6 by class.
  unspecified6: "http://[::]/",
  loopback6: "http://[::1]/",
  ula: "http://[fd00::1]/",
  metadata6: "http://[fd00:ec2::254]/latest/",
  "link-local6": "http://[fe80::1]/",
  "site-local6": "http://[fec0::1]/",
  multicast6: "http://[ff02::1]/",
  documentation6: "http://[2001:db8::1]/",
  mapped: "http://[::ffff:127.0.0.1]/",
  compatible: "http://[::127.0.0.1]/",
  nat64: "http://[64:ff9b::10.0.0.1]/",
  "six-to-four": "http://[2002:7f00:1::1]/",
  teredo: "http://[2001:0:5db8:d822:0:ffff:80ff:fffe]/",
  "zone-id": "http://[fe80::1%25lo]/",
  // Spellings.
  decimal: "http://2130706433/",
  octal: "http://0177.0.0.1/",
  hex: "http://0x7f000001/",
  short: "http://127.1/",
  "trailing-dot": "http://127.0.0.1./",
  percent: "http://%31%32%37.0.0.1/",
  "full-width": encodeURI("http://１２７.0.0.1/"),
  // Names.
  localhost: "http://localhost/",
  "localhost-dot": "http://LOCALHOST./",
  single: "http://intranet/",
  internal: "http://metadata.google.internal/computeMetadata/v1/",
  local: "http://printer.local/",
  onion: "http://expyuzz4wqqyqhjn.onion/",
  "private-name": "http://ten.lab-private.net/",
  "private-alias": "http://alias.lab-private.net/",
  "mixed-name": "http://mixed.lab-private.net/",
  "mapped-name": "http://mapped.lab-private.net/",
  // Ports, schemes, user-info.
  ssh: "http://lab-good.com:22/",
  dns: "http://127.0.0.1:53/",
  userinfo: "http://lab-good.com@127.0.0.1/",
  credentials: "https://user:secret@lab-good.com/",
  ftp: "ftp://lab-good.com/",
  file: "file:///etc/passwd",
  gopher: "gopher://127.0.0.1:80/_GET%20/",
  data: "data:text/html,<script>alert(1)</script>",
  javascript: "javascript:alert(1)",
  backslash: "http:\\\\127.0.0.1\\",
  "scheme-relative": "//127.0.0.1/",
};

export const REDIRECTS = {
  ...towards,
  ...Object.fromEntries(
    Object.entries(into).map(([label, location]) => [
      `into-${label}`,
      { at: always(location), ends: "refused" },
    ]),
  ),
};

/** The redirect of a request, or undefined for a page. */
export function redirectAt(label, scheme, path) {
  return REDIRECTS[label]?.at[`${scheme} ${path}`];
}
