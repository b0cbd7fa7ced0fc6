// The lab's certificate authority. Makes every certificate hosts.mjs names, good and bad, with
// WebCrypto keys, and caches them for a few days in a git-ignored folder:
//   root.pem                the trust anchor, for NODE_EXTRA_CA_CERTS and TRUST_ANCHORS
//   certificates.json       {name: {key, chain: [leaf, ...]}} in PEM
// Also hands out what DNS publishes about these keys (TLSA, DKIM).

import "reflect-metadata";
import { createHash, webcrypto } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const DAY = 86_400_000;
const CACHE_LIFE = 3 * DAY;

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const P384 = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
const RSA = (bits) => ({
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: bits,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash: "SHA-256",
});

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";

const days = (count) => new Date(Date.now() + count * DAY);
const generate = (algorithm) => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

let serial = 1;
const nextSerial = () => (serial++).toString(16).padStart(16, "4c");

/** An authority: {certificate, keys}. Without an issuer it signs itself. */
async function authority(subject, algorithm, issuer) {
  const keys = await generate(algorithm);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: nextSerial(),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore: days(-400),
    notAfter: days(3650),
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm: issuer?.algorithm ?? algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, issuer ? 0 : undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys, algorithm };
}

/** A server's certificate; every option has the ordinary value as its default. */
async function leaf(issuer, names, options = {}) {
  const {
    algorithm = P256,
    subject = `CN=${names[0]}`,
    notBefore = days(-30),
    notAfter = days(60),
    alternativeNames = names,
    extensions = [],
    signingAlgorithm = issuer?.algorithm ?? algorithm,
  } = options;
  const keys = await generate(algorithm);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: nextSerial(),
    subject,
    issuer: issuer?.certificate.subject ?? subject,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
    signingKey: (issuer?.keys ?? keys).privateKey,
    signingAlgorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([SERVER_AUTH]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create((issuer?.keys ?? keys).publicKey),
      ...(alternativeNames.length > 0
        ? [new x509.SubjectAlternativeNameExtension(alternativeNames.map(dnsName))]
        : []),
      ...extensions,
    ],
  });
  return { certificate, keys };
}

const dnsName = (value) => ({ type: "dns", value });

async function privateKeyPem(keys) {
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  return x509.PemConverter.encode(der, "PRIVATE KEY");
}

async function entry(made, ...rest) {
  const chain = [made, ...rest].map(({ certificate }) => certificate.toString("pem"));
  return { key: await privateKeyPem(made.keys), chain };
}

async function makeAll() {
  const root = await authority("CN=Lab Root CA, O=Netrecon Lab", P384);
  const middle = await authority("CN=Lab Issuing CA 1, O=Netrecon Lab", P256, root);

  const ordinary = async (names, options) => entry(await leaf(middle, names, options), middle);
  const certificates = {
    good: await ordinary(["lab-good.com", "www.lab-good.com", "mta-sts.lab-good.com"]),
    tls13: await ordinary(["tls13.lab-tls.net"]),
    tls12: await ordinary(["tls12.lab-tls.net"]),
  };

  const dkim = await publicKeyBase64(await generate(RSA(2048)));
  const half = Math.ceil(dkim.length / 2);
  return {
    root: root.certificate.toString("pem"),
    certificates,
    values: {
      "spki:lab-good.com": spkiSha256(certificates.good.chain[0]),
      "dkim:rsa2048": dkim.slice(0, half),
      "dkim:rsa2048-rest": dkim.slice(half),
      "dkim:ed25519": await rawPublicKeyBase64(
        await webcrypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]),
      ),
    },
  };
}

/** SHA-256 of the SubjectPublicKeyInfo in hexadecimal: TLSA selector 1, matching type 1. */
function spkiSha256(pem) {
  const { publicKey } = new x509.X509Certificate(pem);
  return createHash("sha256").update(Buffer.from(publicKey.rawData)).digest("hex");
}

async function publicKeyBase64(keys) {
  return Buffer.from(await webcrypto.subtle.exportKey("spki", keys.publicKey)).toString("base64");
}

async function rawPublicKeyBase64(keys) {
  return Buffer.from(await webcrypto.subtle.exportKey("raw", keys.publicKey)).toString("base64");
}

/** What the cache was made from; another source makes another cache. */
function fingerprint() {
  const source = readFileSync(fileURLToPath(import.meta.url));
  return createHash("sha256").update(source).digest("hex");
}

/** The certificates, from the cache when it is young and of this source. */
export async function load(folder) {
  const file = join(folder, "certificates.json");
  if (existsSync(file) && Date.now() - statSync(file).mtimeMs < CACHE_LIFE) {
    const cached = JSON.parse(readFileSync(file, "utf8"));
    if (cached.fingerprint === fingerprint()) return cached;
  }
  const made = { fingerprint: fingerprint(), ...(await makeAll()) };
  // Written beside and moved into place, so that two runs at once never read half a cache.
  const draft = `${folder}.${process.pid}.${Date.now()}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, "root.pem"), made.root);
  writeFileSync(join(draft, "certificates.json"), JSON.stringify(made));
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
  return made;
}

/** What zone files publish about keys: {placeholder: value}. */
export async function publicKeys(folder) {
  return (await load(folder)).values;
}
