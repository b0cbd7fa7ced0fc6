// What npm's and Node's implementations and the openssl command make of the corpus of
// `decode`: per judge and kind a function from text to facts, in the words that
// ours.mjs compares. A judge that throws refuses the text.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { domainToASCII } from "node:url";
import { CspEvaluator } from "csp_evaluator";
import { Severity, Type } from "csp_evaluator/dist/finding.js";
import { CspParser } from "csp_evaluator/dist/parser.js";
import { parseDictionary } from "structured-headers";
import { Cookie } from "tough-cookie";

function refuse(why) {
  throw new Error(why);
}

// --- openssl -------------------------------------------------------------------

function openssl(args, input) {
  return execFileSync("openssl", args, { input, stdio: ["pipe", "pipe", "ignore"] });
}

export function hasOpenssl() {
  try {
    return openssl(["version"]).length > 0;
  } catch {
    return false;
  }
}

const formOf = (text) => (text.includes("-----BEGIN") ? "PEM" : "DER");
const octetsOf = (text) => (formOf(text) === "PEM" ? text : Buffer.from(text, "base64"));
const field = (output, name) => output.match(new RegExp(`^${name}\\s*=\\s*(.*)$`, "mi"))?.[1];

/** In the order of the certificate, with the escapes of RFC 2253. */
const NAME = ["-nameopt", "esc_2253,esc_ctrl,utf8,dump_nostr,dump_unknown,dump_der,sep_comma_plus_space,sname"];
const spki = (pem) => createHash("sha256").update(openssl(["pkey", "-pubin", "-outform", "DER"], pem)).digest("hex");
const signature = (text) => text.match(/Signature Algorithm: (.+)/)?.[1].trim();

function certificate(text) {
  const input = octetsOf(text);
  const from = ["x509", "-inform", formOf(text), "-noout"];
  const output = openssl([...from, "-subject", "-issuer", "-serial", "-dates", "-fingerprint", "-sha256", ...NAME], input).toString();
  const moment = (name) => Date.parse(field(output, name)) / 1000;
  return {
    subject: field(output, "subject"),
    issuer: field(output, "issuer"),
    serial: String(BigInt(`0x${field(output, "serial")}`)),
    notBefore: moment("notBefore"),
    notAfter: moment("notAfter"),
    sha256: field(output, "sha256 Fingerprint").replaceAll(":", "").toLowerCase(),
    spkiSha256: spki(openssl([...from, "-pubkey"], input)),
    signatureAlgorithm: signature(openssl([...from, "-text"], input).toString()),
  };
}

function request(text) {
  const input = octetsOf(text);
  const from = ["req", "-inform", formOf(text), "-noout"];
  return {
    subject: field(openssl([...from, "-subject", ...NAME], input).toString(), "subject"),
    spkiSha256: spki(openssl([...from, "-pubkey"], input)),
    signatureAlgorithm: signature(openssl([...from, "-text"], input).toString()),
  };
}

// --- the web -------------------------------------------------------------------

/** What csp_evaluator finds, by the name of the matter. */
function policy(text) {
  const findings = new CspEvaluator(new CspParser(text).csp).evaluate();
  const found = (...types) => findings.some(({ type }) => types.includes(type));
  const missing = (directive) => findings.some((f) => f.type === Type.MISSING_DIRECTIVES && f.directive === directive);
  return {
    scriptsOpen: missing("script-src"),
    objectsOpen: missing("object-src"),
    baseOpen: missing("base-uri"),
    unsafeInline: found(Type.SCRIPT_UNSAFE_INLINE),
    unsafeEval: found(Type.SCRIPT_UNSAFE_EVAL),
    anywhere: found(Type.PLAIN_URL_SCHEMES, Type.PLAIN_WILDCARD),
    bypass: findings.some((f) => f.type === Type.SCRIPT_ALLOWLIST_BYPASS && f.severity === Severity.HIGH),
    missingSemicolon: found(Type.MISSING_SEMICOLON),
    unknownDirective: found(Type.UNKNOWN_DIRECTIVE),
    badKeyword: found(Type.INVALID_KEYWORD),
    shortNonce: found(Type.NONCE_LENGTH),
    address: found(Type.IP_SOURCE),
    plainHttp: found(Type.SRC_HTTP),
    dynamicAlone: found(Type.STRICT_DYNAMIC_NOT_STANDALONE),
    unsafeHashes: found(Type.SCRIPT_UNSAFE_HASHES),
  };
}

function cookie(text) {
  const parsed = Cookie.parse(text.replace(/^Set-Cookie: /, "")) ?? refuse("no cookie");
  const { key, value, domain, path, secure, httpOnly, sameSite, maxAge, expires } = parsed;
  return {
    name: key,
    valueLength: value.length,
    domain,
    path,
    secure,
    httpOnly,
    sameSite: sameSite ?? null,
    maxAge,
    expires: expires instanceof Date ? expires.getTime() / 1000 : null,
  };
}

function features(text) {
  const dictionary = parseDictionary(text.replace(/^Permissions-Policy: /, ""));
  return { features: [...dictionary.keys()].sort() };
}

/** Alt-Svc is older than structured fields, and most of it is one; a day is its default. */
function alternatives(text) {
  const dictionary = parseDictionary(text.replace(/^Alt-Svc: /, ""));
  const service = ([protocol, [authority, parameters]]) => [protocol, authority, parameters.get("ma") ?? 86_400];
  return { services: [...dictionary].map(service) };
}

function url(text) {
  const { protocol, username, password, hostname, port, pathname, origin } = new URL(text);
  const defaults = { "http:": 80, "https:": 443, "ftp:": 21, "ws:": 80, "wss:": 443 };
  return {
    scheme: protocol.slice(0, -1),
    user: username !== "",
    password: password !== "",
    host: hostname || null,
    path: pathname,
    port: port ? Number(port) : (defaults[protocol] ?? null),
    origin,
  };
}

async function data(text) {
  const response = await fetch(text);
  const [mediaType] = response.headers.get("content-type").split(";");
  return { mediaType: mediaType.toLowerCase(), bytes: (await response.arrayBuffer()).byteLength };
}

function json(text) {
  const value = JSON.parse(text);
  const type = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  const names = type === "object" ? Object.keys(value) : [];
  const width = type === "array" ? value.length : names.length;
  return { type, width, names };
}

/** Node skips what it cannot read; what it skipped, it refused. */
function octets(text, encoding, digits) {
  const plain = text.replace(/\s/g, "");
  if (!digits.test(plain)) refuse("a character outside the alphabet");
  return { bytes: Buffer.from(plain, encoding).length };
}

export const OUTSIDE = [
  { judge: "openssl", kind: "certificate", facts: certificate },
  { judge: "openssl", kind: "csr", facts: request },
  {
    judge: "openssl",
    kind: "private_key",
    facts: (text) => ({ spkiSha256: spki(openssl(["pkey", "-pubout", "-passin", "pass:"], text)) }),
  },
  { judge: "csp_evaluator", kind: "csp", facts: policy },
  { judge: "tough-cookie", kind: "set_cookie", facts: cookie },
  { judge: "structured-headers", kind: "permissions_policy", facts: features },
  { judge: "structured-headers", kind: "alt_svc", facts: alternatives },
  { judge: "WHATWG URL", kind: "url", facts: url },
  { judge: "WHATWG fetch", kind: "data_uri", facts: data },
  { judge: "node:url", kind: "host", facts: (text) => ({ ascii: domainToASCII(text) || refuse("no ASCII form") }) },
  { judge: "node:buffer", kind: "base64", facts: (text) => octets(text, "base64", /^[\w+/-]+=*$/) },
  { judge: "node:buffer", kind: "hex", facts: (text) => octets(text, "hex", /^([\da-f]{2})+$/i) },
  { judge: "JSON.parse", kind: "json", facts: json },
];
