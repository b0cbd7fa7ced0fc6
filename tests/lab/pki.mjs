// Making keys, authorities, certificates and OCSP responses, sound or with a chosen defect.
// certificates.mjs says which ones the lab wants.

import "reflect-metadata";
import { createHash, webcrypto } from "node:crypto";
import {
  BasicOCSPResponse,
  CertID,
  CertStatus,
  KeyHash,
  OCSPResponse,
  OCSPResponseStatus,
  ResponderID,
  ResponseBytes,
  ResponseData,
  SingleResponse,
  id_pkix_ocsp_basic,
} from "@peculiar/asn1-ocsp";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier, Certificate } from "@peculiar/asn1-x509";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

const DAY = 86_400_000;

export const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
export const P384 = { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" };
export const rsa = (bits, hash = "SHA-256") => ({
  name: "RSASSA-PKCS1-v1_5",
  modulusLength: bits,
  publicExponent: new Uint8Array([1, 0, 1]),
  hash,
});

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const SHA1 = "1.3.14.3.2.26";
const SCT_LIST = "1.3.6.1.4.1.11129.2.4.2";
const TLS_FEATURE = "1.3.6.1.5.5.7.1.24";

export const days = (count) => new Date(Date.now() + count * DAY);

export function generate(algorithm) {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

let serial = 0;
const nextSerial = () => (serial += 1).toString(16).padStart(16, "4c");

/** An authority: {certificate, keys, algorithm}. Without an issuer it signs itself. */
export async function authority(subject, algorithm, issuer) {
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
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys, algorithm };
}

/** The same RSA authority, signing with SHA-1: WebCrypto binds a key to its hash. */
export async function withSha1({ certificate, keys }) {
  const algorithm = rsa(2048, "SHA-1");
  const der = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  const privateKey = await webcrypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
  return { certificate, keys: { privateKey, publicKey: keys.publicKey }, algorithm };
}

/** A server's certificate; every option's default is what a public CA would do. Without an issuer
 * it signs itself. */
export async function leaf(issuer, names, options = {}) {
  const {
    algorithm = P256,
    subject = `CN=${names[0]}`,
    notBefore = days(-30),
    notAfter = days(60),
    alternativeNames = names,
    extensions = [],
    signingAlgorithm = issuer?.algorithm ?? algorithm,
    keys = await generate(algorithm),
  } = options;
  const san = alternativeNames.map((value) => ({ type: "dns", value }));
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
      ...(san.length > 0 ? [new x509.SubjectAlternativeNameExtension(san)] : []),
      ...extensions,
    ],
  });
  return { certificate, keys };
}

/** {key, chain}: a leaf and what is presented behind it, in PEM. */
export async function presented(made, ...rest) {
  const der = await webcrypto.subtle.exportKey("pkcs8", made.keys.privateKey);
  const chain = [made, ...rest].map(({ certificate }) => certificate.toString("pem"));
  return { key: x509.PemConverter.encode(der, "PRIVATE KEY"), chain };
}

/** Two signed certificate timestamps (RFC 6962 section 3.3) of logs that do not exist, with
 * signatures of the right form. */
export function timestamps() {
  const one = (log) => {
    const fixed = Buffer.concat([
      Buffer.from([0]),
      createHash("sha256").update(log).digest(),
      Buffer.from(
        BigInt(Date.now() - 30 * DAY)
          .toString(16)
          .padStart(16, "0"),
        "hex",
      ),
      Buffer.from([0, 0, 4, 3]),
    ]);
    return lengthed(Buffer.concat([fixed, lengthed(Buffer.alloc(70, 0x30))]));
  };
  const list = lengthed(Buffer.concat([one("lab log one"), one("lab log two")]));
  const octets = AsnConvert.serialize(new OctetString(list));
  return new x509.Extension(SCT_LIST, false, octets);
}

function lengthed(bytes) {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/** Where the issuer's certificate can be fetched (RFC 5280 section 4.2.2.1). */
export function issuerAt(url) {
  const location = Buffer.concat([Buffer.from([0x86, url.length]), Buffer.from(url)]);
  const method = Buffer.from([0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x02]);
  const wrapped = (bytes) => Buffer.concat([Buffer.from([0x30, bytes.length]), bytes]);
  return new x509.Extension(
    "1.3.6.1.5.5.7.1.1",
    false,
    wrapped(wrapped(Buffer.concat([method, location]))),
  );
}

/** The certificate promises a stapled OCSP response (RFC 7633). */
export function mustStaple() {
  return new x509.Extension(TLS_FEATURE, false, Buffer.from([0x30, 0x03, 0x02, 0x01, 0x05]));
}

/** A response that says the certificate is good, signed by its issuer (an ECDSA P-256 authority). */
export async function ocsp({ certificate }, issuer) {
  const issuerCertificate = AsnConvert.parse(issuer.certificate.rawData, Certificate);
  const { subject, subjectPublicKeyInfo } = issuerCertificate.tbsCertificate;
  const sha1 = (bytes) => createHash("sha1").update(Buffer.from(bytes)).digest();
  const keyHash = sha1(subjectPublicKeyInfo.subjectPublicKey);

  const data = new ResponseData({
    responderID: new ResponderID({ byKey: new KeyHash(keyHash) }),
    producedAt: days(0),
    responses: [
      new SingleResponse({
        certID: new CertID({
          hashAlgorithm: new AlgorithmIdentifier({ algorithm: SHA1, parameters: null }),
          issuerNameHash: new OctetString(sha1(AsnConvert.serialize(subject))),
          issuerKeyHash: new OctetString(keyHash),
          serialNumber: Buffer.from(certificate.serialNumber, "hex"),
        }),
        certStatus: new CertStatus({ good: null }),
        thisUpdate: days(-1),
        nextUpdate: days(6),
      }),
    ],
  });
  const signed = await webcrypto.subtle.sign(
    P256,
    issuer.keys.privateKey,
    AsnConvert.serialize(data),
  );
  const basic = new BasicOCSPResponse({
    tbsResponseData: data,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ECDSA_WITH_SHA256 }),
    signature: new x509.AsnEcSignatureFormatter().toAsnSignature(P256, signed),
  });
  const response = new OCSPResponse({
    responseStatus: OCSPResponseStatus.successful,
    responseBytes: new ResponseBytes({
      responseType: id_pkix_ocsp_basic,
      response: new OctetString(AsnConvert.serialize(basic)),
    }),
  });
  return Buffer.from(AsnConvert.serialize(response)).toString("base64");
}

/** SHA-256 of a certificate's SubjectPublicKeyInfo in hexadecimal: TLSA selector 1, matching 1. */
export function spkiSha256(pem) {
  const { publicKey } = new x509.X509Certificate(pem);
  return createHash("sha256").update(Buffer.from(publicKey.rawData)).digest("hex");
}

/** A public key as DKIM publishes it: SubjectPublicKeyInfo for RSA, the bare key for Ed25519. */
export async function dkimKey(format, keys) {
  return Buffer.from(await webcrypto.subtle.exportKey(format, keys.publicKey)).toString("base64");
}
