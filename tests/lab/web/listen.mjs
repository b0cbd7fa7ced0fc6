// Listeners for the public hosts: per address one socket on port 80 and one on 443. Every accepted
// connection is counted and held back by the lab's delay; a later request on a kept connection is
// held back likewise, so that one answer costs one delay whatever the connection's age.

import { createServer as createHttp } from "node:http";
import { createSecureServer as createHttp2 } from "node:http2";
import { createServer as createHttps } from "node:https";
import { createServer as createTcp } from "node:net";
import { createSecureContext } from "node:tls";
import { once } from "node:events";
import { HOSTS } from "../hosts.mjs";
import { RAW, SOUND_SOCKET } from "./raw.mjs";
import { SITES } from "./sites.mjs";

export async function listenHosts(certificates, ledger) {
  const listeners = [];
  for (const [address, hosts] of byAddress()) {
    const web = hosts.filter((host) => host.http);
    const secure = hosts.filter((host) => host.https);
    if (web.length > 0) listeners.push(accept(address, 80, plainServer(web, ledger), ledger));
    if (secure.length > 0) {
      listeners.push(accept(address, 443, secureServer(secure, certificates, ledger), ledger));
    }
  }
  await Promise.all(listeners);
}

function byAddress() {
  const groups = new Map();
  for (const host of HOSTS) {
    for (const address of host.addresses) {
      groups.set(address, [...(groups.get(address) ?? []), host]);
    }
  }
  return groups;
}

/** Hands each new connection to `take`, after the delay. No answer waits for an acknowledgement. */
async function accept(address, port, take, ledger) {
  const server = createTcp({ pauseOnConnect: true, noDelay: true }, async (socket) => {
    ledger.connected(address, port);
    socket.on("error", () => {});
    await ledger.hold();
    if (!socket.destroyed) take(socket);
  });
  server.listen(port, address);
  await once(server, "listening");
}

function plainServer(hosts, ledger) {
  const server = createHttp(handler("http", hosts, (host) => host.http, ledger));
  return (socket) => {
    server.emit("connection", socket);
    socket.resume();
  };
}

function secureServer(hosts, certificates, ledger) {
  const [first] = hosts;
  if (first.https.raw) {
    return (socket) => {
      RAW[first.https.raw](socket);
      socket.resume();
    };
  }
  const handle = handler("https", hosts, (host) => host.https.site, ledger);
  if (first.https.withdrawn) return byVersion(first, certificates, handle);
  const server = tlsServer(hosts, certificates, handle);
  return (socket) => server.emit("connection", socket);
}

/** Two servers at one address: OpenSSL has one list of suites for all versions, others one for
 * each. */
function byVersion(host, certificates, handle) {
  const { versions, options, withdrawn } = host.https;
  const isCurrent = (version) => version >= "TLSv1.2";
  const [current, old] = [
    { ...host.https, versions: versions.filter(isCurrent), options },
    { ...host.https, versions: versions.filter((version) => !isCurrent(version)), options: withdrawn },
  ].map((https) => tlsServer([{ ...host, https }], certificates, handle));
  return (socket) =>
    socket.once("readable", () => {
      const hello = socket.read() ?? Buffer.alloc(0);
      socket.unshift(hello);
      const server = hello.length > 10 && hello.readUInt16BE(9) < 0x0303 ? old : current;
      server.emit("connection", socket);
    });
}

function tlsServer(hosts, certificates, handle) {
  const options = tlsOptions(hosts, certificates);
  const server = options.ALPNProtocols?.includes("h2")
    ? createHttp2({ ...options, allowHTTP1: true }, handle)
    : createHttps(options, handle);
  const { ocsp } = certificates[hosts[0].https.certificate];
  if (ocsp)
    server.on("OCSPRequest", (_leaf, _issuer, done) => done(null, Buffer.from(ocsp, "base64")));
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("sessionError", () => {});
  return server;
}

function tlsOptions(hosts, certificates) {
  const pem = (host) => {
    const { key, chain } = certificates[host.https.certificate];
    return { key, cert: chain.join("\n") };
  };
  const [first] = hosts;
  const { versions, alpn, options } = first.https;
  const contexts = new Map(hosts.map((host) => [host.name, { ...pem(host), ...options }]));
  return {
    ...pem(first),
    minVersion: versions[0],
    maxVersion: versions.at(-1),
    ALPNProtocols: alpn,
    ...options,
    // Hosts of one address and one certificate need no other context than the address's own.
    ...(new Set(hosts.map((host) => host.https.certificate)).size > 1 && {
      SNICallback: (name, done) => {
        const context = contexts.get(name.toLowerCase());
        done(null, context && createSecureContext(context));
      },
    }),
  };
}

/** A sound server on a Unix socket, whose answers web/raw.mjs spoils. */
export async function listenSound(certificates) {
  const [sound] = HOSTS.filter((host) => host.name === "tls12.lab-tls.net");
  const server = tlsServer([sound], certificates, (_request, response) => response.end());
  server.listen(SOUND_SOCKET);
  await once(server, "listening");
}

/** Picks the site by Host; the address's first host answers for a name it does not know. */
function handler(scheme, hosts, siteOf, ledger) {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const seen = new WeakSet();
  return async (request, response) => {
    ledger.requested(scheme, request);
    if (seen.has(request.socket)) await ledger.hold();
    seen.add(request.socket);
    const authority = request.headers[":authority"] ?? request.headers.host ?? "";
    const host = byName.get(authority.split(":")[0].toLowerCase()) ?? hosts[0];
    SITES[siteOf(host)](request, response, { host, scheme, staged: ledger.staged });
  };
}
