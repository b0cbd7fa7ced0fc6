// Every TLS server of the lab behaves as hosts.mjs says. Run inside the lab:
//   tests/lab/run -- node --test --test-concurrency=1 "tests/lab/*.test.mjs"

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { HOSTS, host } from "./hosts.mjs";
import { listen } from "./testing/http.mjs";
import { ANY_CIPHER, handshake, presentedChain } from "./testing/tls.mjs";

const secure = HOSTS.filter(({ https }) => https?.versions);
/** One host per server: the many names of one address share its handshake. */
const servers = secure.filter(
  (each, index) =>
    secure.findIndex(({ addresses }) => addresses[0] === each.addresses[0]) === index,
);

for (const version of ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]) {
  test(`each server speaks ${version} exactly if hosts.mjs says so`, async () => {
    for (const each of servers) {
      const options = {
        minVersion: version,
        maxVersion: version,
        rejectUnauthorized: false,
        ciphers: ANY_CIPHER,
      };
      const { socket } = await handshake(each, options);
      assert.equal(
        socket?.getProtocol() === version,
        each.https.versions.includes(version),
        each.name,
      );
      socket?.destroy();
    }
  });
}

/** What OpenSSL calls each verdict. */
const VERDICTS = {
  trusted: [undefined],
  expired: ["CERT_HAS_EXPIRED"],
  not_yet_valid: ["CERT_NOT_YET_VALID"],
  self_signed: ["DEPTH_ZERO_SELF_SIGNED_CERT"],
  unknown_issuer: ["SELF_SIGNED_CERT_IN_CHAIN"],
  missing_intermediate: ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"],
  name_mismatch: ["ERR_TLS_CERT_ALTNAME_INVALID"],
};

test("each certificate deserves the verdict hosts.mjs gives it", async () => {
  for (const each of secure.filter(({ https }) => https.trust !== "weak")) {
    // Node still takes a name from the subject (RFC 9525 section 6.3 does not): judged below.
    if (each.name === "no-san.lab-tls.net") continue;
    const { socket, error } = await handshake(each, { ciphers: ANY_CIPHER, minVersion: "TLSv1" });
    socket?.destroy();
    assert.ok(VERDICTS[each.https.trust].includes(error?.code), `${each.name}: ${error?.code}`);
  }
});

test("a certificate without alternative names fits nothing", async () => {
  const [der] = await presentedChain(host("no-san.lab-tls.net"));
  const certificate = new X509Certificate(der);
  assert.match(certificate.subject, /no-san\.lab-tls\.net/);
  assert.equal(certificate.checkHost("no-san.lab-tls.net", { subject: "never" }), undefined);
});

test("weak certificates pass only where weakness is allowed", async () => {
  for (const each of secure.filter(({ https }) => https.trust === "weak")) {
    const lax = await handshake(each, { ciphers: ANY_CIPHER });
    lax.socket?.destroy();
    assert.equal(lax.error, undefined, each.name);
    const strict = await handshake(each, { ciphers: "DEFAULT:@SECLEVEL=2" });
    strict.socket?.destroy();
    assert.ok(strict.error, each.name);
  }
});

test("each server presents as many certificates as hosts.mjs says", async () => {
  const inTheClear = servers.filter(({ https }) => https.versions.includes("TLSv1.2"));
  for (const each of inTheClear) {
    assert.equal((await presentedChain(each)).length, each.https.chain, each.name);
  }
});

test("the disordered chain is out of order, and no other is", async () => {
  const inOrder = async (name) => {
    const chain = (await presentedChain(host(name))).map((der) => new X509Certificate(der));
    return chain.every((each, index) => index === 0 || chain[index - 1].checkIssued(each));
  };
  assert.equal(await inOrder("disordered.lab-tls.net"), false);
  assert.equal(await inOrder("with-root.lab-tls.net"), true);
  assert.equal(await inOrder("lab-good.com"), true);
});

test("keys are of the kinds their hosts are named for", async () => {
  const key = async (name) => {
    const { socket } = await handshake(host(name), { ciphers: ANY_CIPHER });
    const { bits, asn1Curve } = socket.getPeerCertificate();
    socket.destroy();
    return asn1Curve ?? bits;
  };
  assert.equal(await key("rsa.lab-tls.net"), 2048);
  assert.equal(await key("weak-rsa.lab-tls.net"), 1024);
  assert.equal(await key("ecdsa.lab-tls.net"), "secp384r1");
  assert.equal(await key("tls13.lab-tls.net"), "prime256v1");
});

test("ALPN is chosen where the server has protocols to choose from", async () => {
  for (const each of servers) {
    const { socket } = await handshake(each, {
      ALPNProtocols: ["h2", "http/1.1"],
      rejectUnauthorized: false,
      ciphers: ANY_CIPHER,
      minVersion: "TLSv1",
    });
    assert.equal(socket.alpnProtocol, each.https.alpn?.[0] ?? false, each.name);
    socket.destroy();
  }
});

test("one server staples an OCSP response, the one that promised to does not", async () => {
  const staple = async (name) => {
    let response = null;
    const heard = { requestOCSP: true, onStaple: (bytes) => (response = bytes) };
    const { socket } = await handshake(host(name), heard);
    socket.destroy();
    return response;
  };
  assert.ok((await staple("staple.lab-tls.net")).length > 100);
  assert.equal(await staple("must-staple.lab-tls.net"), null);
});

test("groups: a hello retry for P-384, post-quantum where OpenSSL has it", async (context) => {
  const group = async (name, ecdhCurve) => {
    const { socket, error } = await handshake(host(name), { ecdhCurve });
    const info = socket?.getEphemeralKeyInfo();
    socket?.destroy();
    return error ? null : info;
  };
  assert.equal((await group("p384-only.lab-tls.net", "X25519:P-384")).name, "secp384r1");
  assert.equal(await group("p384-only.lab-tls.net", "X25519"), null);
  if (!HOSTS.some(({ name }) => name === "post-quantum.lab-tls.net")) {
    context.skip("this Node's OpenSSL has no X25519MLKEM768");
    return;
  }
  assert.notEqual(await group("post-quantum.lab-tls.net", "X25519MLKEM768"), null);
});

const bare = (name, options) => listen({ address: host(name).addresses[0], port: 443, ...options });

test("servers that speak no TLS do what they are named for", async () => {
  assert.deepEqual(await bare("silent.lab-tls.net", { say: "hello" }), {
    bytes: Buffer.alloc(0),
    closed: false,
  });
  assert.deepEqual(await bare("closes.lab-tls.net"), { bytes: Buffer.alloc(0), closed: true });
  assert.deepEqual((await bare("refused.lab-tls.net")).closed, true);
  assert.deepEqual(
    [...(await bare("alert.lab-tls.net", { say: "hello" })).bytes],
    [21, 3, 3, 0, 2, 2, 40],
  );
  assert.equal((await bare("garbage.lab-tls.net", { say: "hello" })).bytes.length, 2_048);
  assert.equal(
    (await bare("huge-record.lab-tls.net", { say: "hello" })).bytes.readUInt16BE(3),
    0xffff,
  );
});

test("no client completes a handshake with a server that breaks off", async () => {
  for (const each of HOSTS.filter(({ https }) => https?.raw && https.raw !== "silent")) {
    const { socket, error } = await handshake(each, { rejectUnauthorized: false });
    assert.ok(error, each.name);
    assert.equal(socket, undefined, each.name);
  }
});

test("half a certificate is half a certificate", async () => {
  const [half] = await presentedChain(host("half-certificate.lab-tls.net"));
  const [whole] = await presentedChain(host("tls12.lab-tls.net"));
  assert.deepEqual(half, whole.subarray(0, half.length));
  assert.equal(half.length, Math.floor(whole.length / 2));
});

const { stdout: version } = spawnSync("openssl", ["version"], { encoding: "utf8" });
const openssl = /^OpenSSL [3-9]/.test(version) ? false : "OpenSSL 3 is not installed";

test("the command openssl sees the same chains and verdicts", { skip: openssl }, () => {
  const client = (name) => {
    const to = ["-connect", `${host(name).addresses[0]}:443`, "-servername", name];
    const trust = ["-CAfile", process.env.LAB_CA_PEM, "-verify_hostname", name];
    const args = ["s_client", ...to, ...trust, "-showcerts", "-status"];
    const run = spawnSync("openssl", args, { input: "", encoding: "utf8" });
    return {
      verdict: /Verify return code: (\d+)/.exec(run.stdout)?.[1],
      certificates: run.stdout.split("BEGIN CERTIFICATE").length - 1,
      stapled: run.stdout.includes("OCSP Response Status: successful"),
    };
  };
  const verdicts = {
    "lab-good.com": "0",
    "expired.lab-tls.net": "10",
    "not-yet.lab-tls.net": "9",
    "self-signed.lab-tls.net": "18",
    "unknown-ca.lab-tls.net": "19",
    "no-intermediate.lab-tls.net": "21",
    "wrong-name.lab-tls.net": "62",
  };
  for (const [name, verdict] of Object.entries(verdicts)) {
    const seen = client(name);
    assert.equal(seen.verdict, verdict, name);
    assert.equal(seen.certificates, host(name).https.chain, name);
  }
  assert.equal(client("many-certificates.lab-tls.net").certificates, 100);
  assert.equal(client("staple.lab-tls.net").stapled, true);
  assert.equal(client("must-staple.lab-tls.net").stapled, false);
});
