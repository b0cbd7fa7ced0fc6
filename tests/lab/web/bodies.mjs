// The ways of lab-http.net to speak HTTP, well or badly: one name each, over http and https. `about`
// says what comes; `status` and `bytes` (after decoding) are what an honest client finds, where
// there is something to find.

import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { Readable } from "node:stream";

const MEGABYTE = 1_048_576;
const CRC_OF_256_MB_OF_ZEROS = 0x2a0e7dbb;
const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(200);
const plain = { "content-type": "text/plain; charset=utf-8" };

const encoded = (about, encoding, body) => ({
  about,
  status: 200,
  bytes: TEXT.length,
  answer(_request, response) {
    response.writeHead(200, {
      ...plain,
      "content-encoding": encoding,
      "content-length": body.length,
    });
    response.end(body);
  },
});

/** Writes to the bare connection, past everything that knows HTTP. */
const bare = (about, write) => ({
  about,
  answer(request) {
    const { socket } = request;
    socket.on("error", () => {});
    write(socket);
  },
});

/** Calls `write` until the peer is gone, no faster than it reads. */
function forever(socket, write, pause) {
  let index = 0;
  const next = () => {
    if (socket.destroyed) return;
    const more = socket.write(write(index));
    index += 1;
    if (pause) setTimeout(next, pause);
    else if (more) setImmediate(next);
    else socket.once("drain", next);
  };
  next();
}

const status = (code, headers = {}) => ({
  about: `answers ${code}`,
  status: code,
  answer(_request, response) {
    response.writeHead(code, { ...plain, ...headers });
    response.end(code === 204 || code === 304 ? undefined : `${code}\n`);
  },
});

export const BODIES = {
  gzip: encoded("gzip", "gzip", gzipSync(TEXT)),
  brotli: encoded("Brotli", "br", brotliCompressSync(TEXT)),
  deflate: encoded("deflate", "deflate", deflateSync(TEXT)),
  "not-gzip": encoded("plain text that claims to be gzip", "gzip", Buffer.from(TEXT)),
  "unknown-encoding": encoded("an encoding nobody asked for", "x-lab", Buffer.from(TEXT)),

  oversized: {
    about: "10 MB with an honest length",
    status: 200,
    bytes: 10 * MEGABYTE,
    answer(_request, response) {
      response.writeHead(200, { ...plain, "content-length": 10 * MEGABYTE });
      const chunks = Array.from({ length: 160 }, () => Buffer.alloc(65_536, "x"));
      Readable.from(chunks).pipe(response);
    },
  },
  endless: {
    about: "a body that never ends, as fast as it is read",
    status: 200,
    answer(_request, response) {
      response.writeHead(200, plain);
      forever(response, () => "x".repeat(65_536));
    },
  },
  bomb: {
    about: "256 MB of nothing in 256 KB of gzip",
    status: 200,
    bytes: 256 * MEGABYTE,
    answer(_request, response) {
      gzipOfZeros ??= makeGzipOfZeros();
      response.writeHead(200, {
        ...plain,
        "content-encoding": "gzip",
        "content-length": gzipOfZeros.length,
      });
      response.end(gzipOfZeros);
    },
  },
  "brotli-bomb": {
    about: "64 MB of nothing in 12 KB of Brotli",
    status: 200,
    bytes: 64 * MEGABYTE,
    answer(_request, response) {
      brotliOfZeros ??= brotliCompressSync(Buffer.alloc(64 * MEGABYTE), {
        params: { [constants.BROTLI_PARAM_QUALITY]: 1 },
      });
      response.writeHead(200, { ...plain, "content-encoding": "br" });
      response.end(brotliOfZeros);
    },
  },

  slow: {
    about: "one byte of the body a second",
    status: 200,
    answer(_request, response) {
      response.writeHead(200, plain);
      forever(response, (index) => TEXT[index % TEXT.length], 1_000);
    },
  },
  "slow-headers": bare("one byte of the head a second", (socket) => {
    const head = `HTTP/1.1 200 OK\r\nx-slow: ${"s".repeat(600)}`;
    forever(socket, (index) => head[index] ?? "s", 1_000);
  }),
  never: { about: "reads the request and says nothing", answer() {} },

  "endless-headers": bare("header fields without end", (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    forever(socket, (index) => `x-field-${index}: ${"h".repeat(1_000)}\r\n`);
  }),
  "long-header": bare("one header field of 1 MB", (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\nx-long: ${"h".repeat(MEGABYTE)}\r\ncontent-length: 0\r\n\r\n`);
  }),
  "many-headers": bare("1000 header fields", (socket) => {
    const fields = Array.from({ length: 1_000 }, (_, index) => `x-${index}: ${index}\r\n`).join("");
    socket.end(`HTTP/1.1 200 OK\r\n${fields}content-length: 2\r\n\r\nok`);
  }),
  "bad-header": bare("a header field with NUL and bare CR in it", (socket) => {
    socket.end("HTTP/1.1 200 OK\r\nx-bad: a\0b\rc\r\nno colon here\r\ncontent-length: 2\r\n\r\nok");
  }),
  folded: bare("a header field folded over two lines", (socket) => {
    socket.end("HTTP/1.1 200 OK\r\nx-folded: one\r\n two\r\ncontent-length: 2\r\n\r\nok");
  }),
  noise: bare("bytes that are no HTTP", (socket) => {
    socket.end(Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167) & 255)));
  }),
  "no-head": bare("a page without a head, as HTTP/0.9 had it", (socket) => {
    socket.end("<!doctype html><title>HTTP/0.9</title>");
  }),
  "http-10": bare("HTTP/1.0", (socket) => {
    socket.end("HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nten");
  }),
  "odd-version": bare("HTTP/7.3", (socket) => {
    socket.end("HTTP/7.3 200 OK\r\ncontent-length: 2\r\n\r\nok");
  }),
  "odd-status": bare("status 999 without a reason", (socket) => {
    socket.end("HTTP/1.1 999\r\ncontent-length: 2\r\n\r\nok");
  }),
  cut: bare("half of the promised body, then the end", (socket) => {
    socket.end(`HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n${"x".repeat(500)}`);
  }),
  reset: bare(
    "half a head, then a reset (over https a bare end: only TCP can be reset)",
    (socket) => {
      const end = () => (socket.encrypted ? socket.destroy() : socket.resetAndDestroy());
      socket.write("HTTP/1.1 200 OK\r\ncontent-", () => setTimeout(end, 50));
    },
  ),
  "two-lengths": bare("two content lengths", (socket) => {
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 5\r\n\r\nokmore");
  }),
  "length-and-chunks": bare("a content length and chunks", (socket) => {
    socket.end(
      "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    );
  }),
  "bad-chunk": bare("a chunk with a nonsense size", (socket) => {
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n");
  }),
  "huge-chunk": bare("a chunk of 2^63 bytes", (socket) => {
    socket.end("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7fffffffffffffff\r\nok");
  }),
  "hints-forever": bare("103 Early Hints without end", (socket) => {
    forever(socket, () => "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n", 10);
  }),
  "extra-answer": bare("a second answer nobody asked for", (socket) => {
    const one = (text) => `HTTP/1.1 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
    socket.end(one("first") + one("second"));
  }),

  "utf-16": {
    about: "a page in UTF-16",
    status: 200,
    answer(_request, response) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-16le" });
      response.end(Buffer.from("\ufeff<!doctype html><title>sixteen</title>", "utf16le"));
    },
  },
  "bad-utf-8": {
    about: "a page that is no UTF-8",
    status: 200,
    answer(_request, response) {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      response.end(Buffer.from([0x3c, 0x70, 0x3e, 0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]));
    },
  },
  empty: {
    about: "a 200 without content",
    status: 200,
    bytes: 0,
    answer(_request, response) {
      response.writeHead(200, { ...plain, "content-length": 0 });
      response.end();
    },
  },
  204: status(204),
  401: status(401, { "www-authenticate": 'Basic realm="staff"' }),
  403: status(403),
  404: status(404),
  418: status(418),
  429: status(429, { "retry-after": "3600" }),
  500: status(500),
  503: status(503, { "retry-after": "Fri, 31 Dec 2027 23:59:59 GMT" }),
};

let gzipOfZeros;
let brotliOfZeros;

/** 256 MB of zeros in gzip, without compressing 256 MB: after a full flush one megabyte's deflate
 * blocks stand for themselves, so that they may be repeated. */
function makeGzipOfZeros() {
  const megabyte = deflateRawSync(Buffer.alloc(MEGABYTE), {
    level: 9,
    finishFlush: constants.Z_FULL_FLUSH,
  });
  const head = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 3]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(CRC_OF_256_MB_OF_ZEROS, 0);
  trailer.writeUInt32LE(256 * MEGABYTE, 4);
  return Buffer.concat([head, ...Array(256).fill(megabyte), deflateRawSync(""), trailer]);
}
