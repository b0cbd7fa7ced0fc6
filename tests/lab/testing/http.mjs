// Plain requests for the lab's tests: no redirect is followed, nothing is decoded.

import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { buffer } from "node:stream/consumers";

/** {status, headers, body} of a GET. */
export function get(url, { headers = {}, address } = {}) {
  const request = url.startsWith("https:") ? requestHttps : requestHttp;
  const { hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      {
        headers: { host: new URL(url).host, ...headers },
        agent: false,
        maxHeaderSize: 65_536,
        servername: hostname,
        signal: AbortSignal.timeout(5_000),
        ...(address && { lookup: (_name, options, done) => found(address, options, done) }),
      },
      async (response) => {
        try {
          const body = await buffer(response);
          resolve({ status: response.statusCode, headers: response.headers, body });
        } catch (error) {
          reject(error);
        }
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

function found(address, { all }, done) {
  const family = address.includes(":") ? 6 : 4;
  if (all) done(null, [{ address, family }]);
  else done(null, address, family);
}

/** What a bare connection yields within a time: {bytes, closed}. */
export function listen({ address, port = 80, say = "", during = 500, limit = Infinity }) {
  return new Promise((resolve) => {
    const parts = [];
    let length = 0;
    const socket = connect(port, address, () => socket.write(say));
    const end = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts), closed });
    };
    const timer = setTimeout(() => end(false), during);
    socket.on("data", (data) => {
      parts.push(data);
      length += data.length;
      if (length > limit) end(false);
    });
    socket.on("error", () => {});
    socket.on("close", () => end(true));
  });
}

export const head = (host, path = "/") => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`;
