// What the web servers remember for tests: connections, requests, and the delay in force.

import { setTimeout as sleep } from "node:timers/promises";

export class Ledger {
  /** Milliseconds every upstream answer is held back. */
  delay;
  connections = {};
  privateConnections = {};
  requests = [];
  /** What stage.lab-http.net answers: {status, headers, body}. */
  staged = {};

  constructor(delay) {
    this.delay = delay;
  }

  reset() {
    this.connections = {};
    this.privateConnections = {};
    this.requests = [];
    this.staged = {};
  }

  connected(address, port) {
    const key = place(address, port);
    this.connections[key] = (this.connections[key] ?? 0) + 1;
  }

  connectedPrivate(address, port) {
    const key = place(address, port);
    this.privateConnections[key] = (this.privateConnections[key] ?? 0) + 1;
  }

  requested(scheme, request) {
    const { method, url, headers } = request;
    const host = headers[":authority"] ?? headers.host ?? null;
    this.requests.push({ scheme, host, method, path: url, headers: { ...headers } });
  }

  async hold() {
    if (this.delay > 0) await sleep(this.delay);
  }

  counters() {
    const total = (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0);
    return {
      connections: this.connections,
      private: { total: total(this.privateConnections), connections: this.privateConnections },
      requests: this.requests.length,
    };
  }
}

function place(address, port) {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
