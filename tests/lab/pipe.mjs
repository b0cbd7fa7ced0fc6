// A pipe between a TCP port and a Unix socket, either way round. A network namespace's loopback is
// out of the host's reach, but a Unix socket is a file: one pipe inside the lab and one outside
// bring a Worker in the lab to a browser on the host.
//
//   node tests/lab/pipe.mjs --listen unix:PATH --to tcp:127.0.0.1:8787      (inside)
//   node tests/lab/pipe.mjs --listen tcp:127.0.0.1:8787 --to unix:PATH      (outside)
//
// Prints one line when it listens, and runs until it is told to stop. A connection made before the
// other end is up is closed at once, as if nothing listened.

import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { parseArgs } from "node:util";

const USAGE = "usage: pipe.mjs --listen tcp:HOST:PORT|unix:PATH --to unix:PATH|tcp:HOST:PORT";

function place(text = "") {
  const tcp = /^tcp:\[?([^\]]+)\]?:(\d+)$/.exec(text);
  if (tcp) return { host: tcp[1], port: Number(tcp[2]) };
  const unix = /^unix:(.+)$/.exec(text);
  if (unix) return { path: unix[1] };
  throw new Error(USAGE);
}

function join(near, far) {
  near.pipe(far);
  far.pipe(near);
  near.on("error", () => far.destroy());
  far.on("error", () => near.destroy());
}

function main() {
  const options = { listen: { type: "string" }, to: { type: "string" } };
  const { values } = parseArgs({ options });
  const [listen, to] = [place(values.listen), place(values.to)];

  // A half-closed connection is still one: a client may end its request before it reads the answer.
  const server = createServer({ allowHalfOpen: true }, (near) => {
    join(near, connect({ ...to, allowHalfOpen: true }));
  });
  server.on("error", (error) => fail(error.message));
  if (listen.path) rmSync(listen.path, { force: true });
  server.listen(listen, () => console.log(`pipe: ${values.listen} -> ${values.to}`));

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => {
      if (listen.path) rmSync(listen.path, { force: true });
      process.exit(0);
    });
  }
}

function fail(message) {
  console.error(`pipe: ${message}`);
  process.exit(1);
}

try {
  main();
} catch (error) {
  fail(error.message);
}
