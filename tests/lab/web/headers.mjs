// The response headers of lab-headers.com: one name per set, over http and https, around the same
// plain page. `body` replaces the page's content where the page itself is the matter.

const CSP = "content-security-policy";
const CSP_RO = "content-security-policy-report-only";
const HSTS = "strict-transport-security";
const STRICT =
  "default-src 'none'; script-src 'self'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

export const HEADERS = {
  none: { headers: {} },
  strict: {
    headers: {
      [HSTS]: "max-age=63072000; includeSubDomains; preload",
      [CSP]: STRICT,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "permissions-policy": "camera=(), microphone=(), geolocation=()",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
    },
  },

  // Content Security Policy.
  "csp-enforced": { headers: { [CSP]: STRICT } },
  "csp-report-only": { headers: { [CSP_RO]: STRICT } },
  "csp-both": { headers: { [CSP]: "default-src 'self' 'unsafe-inline'", [CSP_RO]: STRICT } },
  "csp-unsafe": { headers: { [CSP]: "default-src * 'unsafe-inline' 'unsafe-eval' data:" } },
  "csp-nonce": {
    headers: {
      [CSP]: "script-src 'nonce-r4nd0m' 'strict-dynamic'; object-src 'none'; base-uri 'none'",
    },
  },
  "csp-two": { headers: { [CSP]: ["default-src 'self'", "frame-ancestors 'none'"] } },
  "csp-broken": { headers: { [CSP]: "defualt-src self; script-src http://*; ;;" } },
  "csp-meta": {
    headers: {},
    body: `<meta http-equiv="Content-Security-Policy" content="default-src 'self'">`,
  },

  // Strict Transport Security.
  "hsts-short": { headers: { [HSTS]: "max-age=300" } },
  "hsts-zero": { headers: { [HSTS]: "max-age=0" } },
  "hsts-twice": { headers: { [HSTS]: ["max-age=63072000", "max-age=1"] } },
  "hsts-broken": { headers: { [HSTS]: "maxage=63072000; include-sub-domains" } },

  // Framing, sniffing, referrer, features, isolation.
  "frame-deny": { headers: { "x-frame-options": "DENY" } },
  "frame-allow-from": { headers: { "x-frame-options": "ALLOW-FROM https://lab-good.com" } },
  "nosniff-misspelt": { headers: { "x-content-type-options": "no-sniff" } },
  "referrer-unsafe": { headers: { "referrer-policy": "unsafe-url" } },
  "referrer-fallback": {
    headers: { "referrer-policy": "no-referrer, strict-origin-when-cross-origin" },
  },
  "permissions-open": {
    headers: { "permissions-policy": 'camera=*, geolocation=(self "https://lab-good.com")' },
  },
  isolated: {
    headers: {
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "cross-origin-resource-policy": "same-origin",
    },
  },

  // Sharing with other origins. `reflect` echoes the Origin it is asked with.
  "cors-reflect": { headers: { "access-control-allow-credentials": "true" }, reflect: true },
  "cors-reflect-plain": { headers: {}, reflect: true },
  "cors-star": { headers: { "access-control-allow-origin": "*" } },
  "cors-star-credentials": {
    headers: { "access-control-allow-origin": "*", "access-control-allow-credentials": "true" },
  },
  "cors-null": {
    headers: { "access-control-allow-origin": "null", "access-control-allow-credentials": "true" },
  },
  "cors-fixed": {
    headers: { "access-control-allow-origin": "https://lab-good.com", vary: "origin" },
  },

  // Cookies.
  "cookies-good": {
    headers: { "set-cookie": ["__Host-session=4f1c; Path=/; Secure; HttpOnly; SameSite=Lax"] },
  },
  "cookies-bad": {
    headers: { "set-cookie": ["PHPSESSID=4f1c; Path=/", "theme=dark; SameSite=None"] },
  },
  "cookies-prefix": {
    headers: {
      "set-cookie": [
        "__Host-a=1; Path=/app; Secure",
        "__Secure-b=1; Path=/",
        "__Host-c=1; Domain=lab-headers.com; Path=/; Secure",
      ],
    },
  },
  "cookies-many": {
    headers: {
      "set-cookie": Array.from({ length: 120 }, (_, index) => `c${index}=1; Secure; HttpOnly`),
    },
  },
  "cookies-odd": {
    headers: {
      "set-cookie": [
        "=novalue",
        "noequals",
        `big=${"x".repeat(5_000)}`,
        "d=1; Max-Age=99999999999",
      ],
    },
  },

  // What a page pulls in.
  "sri-missing": {
    headers: {},
    body: `<script src="https://cdn.lab-cdn.com/lib.js"></script><script src="/own.js"></script>`,
  },
  "sri-present": {
    headers: {},
    body: `<script src="https://cdn.lab-cdn.com/lib.js" integrity="sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC" crossorigin="anonymous"></script>`,
  },
  "mixed-content": {
    headers: {},
    body: `<img src="http://plain.lab-http.net/a.png"><script src="http://plain.lab-http.net/a.js"></script>`,
  },
  "meta-refresh": {
    headers: {},
    body: `<meta http-equiv="refresh" content="0; url=http://169.254.169.254/">`,
  },
  "refresh-header": { headers: { refresh: "0; url=http://169.254.169.254/" } },

  // The rest.
  banner: { headers: { server: "Apache/2.2.3 (CentOS)", "x-powered-by": "PHP/5.4.45" } },
  "alt-svc": { headers: { "alt-svc": 'h3=":443"; ma=86400, h3-29=":443"; ma=86400' } },
  "cache-private": {
    headers: {
      "cache-control": "public, max-age=3600",
      "set-cookie": ["session=4f1c; Secure; HttpOnly; SameSite=Lax"],
    },
  },
  deprecated: {
    headers: {
      "x-xss-protection": "1; mode=block",
      "expect-ct": "max-age=86400",
      "public-key-pins": 'pin-sha256="AAAA="; max-age=1',
      "feature-policy": "camera 'none'",
    },
  },
};
