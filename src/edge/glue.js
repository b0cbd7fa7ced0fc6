// The crossings between WebAssembly and the platform that calls make often, each made
// once. A header field asked for or set from Rust is a crossing with two strings; here
// they come over in one text, a line each: neither names nor values can hold a line break.

import { connect } from "cloudflare:sockets";

// Whenever a future can go on, Rust asks for a microtask. The platform's own function for that
// leaves JavaScript twice each time; a promise that is kept already does not.
const now = Promise.resolve();
globalThis.queueMicrotask = (work) => void now.then(work);

let names = [];
let headers = new Map();
let answer;
const kept = new Map();

/** Largest body that is read before the Worker is asked; it reads larger ones itself. */
const READ_AHEAD = 256 * 1024;

/**
 * Names the header fields that `fields` answers, in its order; gives the function that answers.
 * Called by every instance of the module: what an earlier one kept lies elsewhere in this one's memory.
 */
export function prepare(list, handler) {
  names = list.split("\n");
  answer = handler;
  kept.clear();
}

/**
 * Calls the Worker with what it asks of every request, in one text: verb and URL, and of a POST the
 * wanted header fields; with the body at hand, it then has nothing to wait for but its own work.
 */
export function arrive(request, env, context) {
  const { method } = request;
  const place = `${method} ${request.url}`;
  if (method !== "POST") return seen(answer(request, env, context, place, undefined), context);
  const told = `${place}\n${fields(request)}`;
  const length = Number(request.headers.get("content-length") ?? NaN);
  if (!(length <= READ_AHEAD)) return seen(answer(request, env, context, told, undefined), context);
  const read = request.arrayBuffer();
  return seen(read.then((buffer) => answer(request, env, context, told, new Uint8Array(buffer))), context);
}

/**
 * An answer that is still being made is made to its end, and its call recorded, also when the caller
 * leaves: the platform would end it there.
 */
function seen(answer, context) {
  if (answer instanceof Promise) context.waitUntil(answer.catch(() => {}));
  return answer;
}

/** The wanted fields of a request, one per line; a line is empty where there is none. */
export function fields(request) {
  const { headers } = request;
  let text = "";
  for (const name of names) {
    const value = headers.get(name);
    text += value === null ? "\n" : `:${value}\n`;
  }
  return text;
}

/** An answer: `lines` are names and values of its header fields in turn. */
export function reply(status, lines, bytes) {
  // The copy is the answer's own: memory of WebAssembly changes while it is sent.
  const body = bytes.length === 0 ? null : bytes.slice();
  return new Response(body, { status, headers: headersOf(lines) });
}

/** The same with a body that is the same whenever `key` is: it is copied once. */
export function replyKept(status, lines, key, bytes) {
  let body = kept.get(key);
  if (body === undefined) kept.set(key, (body = bytes.slice()));
  return new Response(body, { status, headers: headersOf(lines) });
}

/** Most calls are answered with fields that were answered before; so are requests sent. */
function headersOf(lines) {
  let known = headers.get(lines);
  if (known === undefined) {
    known = new Headers();
    const parts = lines.split("\n");
    for (let at = 0; at + 1 < parts.length; at += 2) known.set(parts[at], parts[at + 1]);
    if (headers.size >= 64) headers = new Map();
    headers.set(lines, known);
  }
  return known;
}

/** Writes a line of evidence. */
export function line(text) {
  console.log(text);
}

/** Asks a client's object. Its verdict is a header field: there is no body to wait for. */
export async function ask(env, name, path) {
  const response = await env.CLIENTS.getByName(name).fetch(`https://client/${path}`);
  return response.headers.get("verdict") ?? (await response.text());
}

/** Sends JSON, as bytes, to an object; its status says how that went. */
export async function post(env, binding, name, url, json) {
  const response = await env[binding].getByName(name).fetch(url, { method: "POST", body: json.slice() });
  return response.status;
}

/**
 * One request to the outside and its whole answer, its body up to `cap` bytes; a redirect is an
 * answer. It is aborted only when nobody waits for it any longer: an abort makes an error.
 */
export class Exchange {
  constructor(url, lines, bytes, cap) {
    this.abort = new AbortController();
    const body = bytes?.slice();
    const method = body ? "POST" : "GET";
    const request = { method, headers: headersOf(lines), body, signal: this.abort.signal, redirect: "manual" };
    this.ended = fetch(url, request).then((response) => this.take(response, cap));
  }

  async take(response, cap) {
    this.status = response.status;
    this.headers = response.headers;
    this.truncated = false;
    const length = Number(response.headers.get("content-length") ?? NaN);
    const whole = response.body === null || (length <= cap && !response.headers.has("content-encoding"));
    this.body = whole ? new Uint8Array(await response.arrayBuffer()) : await this.upTo(cap, response.body.getReader());
  }

  /** Counted after the runtime has decoded them. */
  async upTo(cap, reader) {
    const chunks = [];
    let size = 0;
    for (let read; !(read = await reader.read()).done; ) {
      chunks.push(read.value);
      size += read.value.length;
      if (size > cap) {
        this.truncated = true;
        this.drop();
        break;
      }
    }
    const body = new Uint8Array(Math.min(size, cap));
    let at = 0;
    for (const chunk of chunks) {
      const part = chunk.subarray(0, body.length - at);
      body.set(part, at);
      at += part.length;
    }
    return body;
  }

  /** Names and values of its header fields in turn, a line each. */
  get lines() {
    let text = "";
    for (const [name, value] of this.headers) text += `${name}\n${value}\n`;
    return text;
  }

  drop() {
    this.abort.abort();
  }
}

/** Bytes read at once from a connection; without a buffer of ours the platform reads 4 KiB. */
const READ = 16 * 1024;

/**
 * A TCP connection. Its streams are locked once and stay so: letting go of a lock rejects a
 * promise, for which an error with its stack is made each time.
 */
export class Line {
  constructor(hostname, port) {
    this.socket = connect({ hostname, port });
    this.reader = this.socket.readable.getReader({ mode: "byob" });
    this.writer = this.socket.writable.getWriter();
    this.buffer = new ArrayBuffer(READ);
  }

  get opened() {
    return this.socket.opened;
  }

  /** The next bytes, none at the end. They are there until the next are asked for. */
  async read() {
    const { value } = await this.reader.read(new Uint8Array(this.buffer));
    this.buffer = value?.buffer ?? new ArrayBuffer(READ);
    return value ?? new Uint8Array();
  }

  /** Whether it arrives the next read tells. */
  write(bytes) {
    this.writer.write(bytes.slice()).catch(() => {});
  }

  shut() {
    return this.writer.close();
  }

  /** It may be closed already, and there is nobody left to tell. */
  close() {
    this.socket.close().catch(() => {});
  }
}

/** Whether a signature by ECDSA is right. */
export async function verify(namedCurve, hash, point, signature, message) {
  // Copies of their own: memory of WebAssembly changes meanwhile.
  const [signed, data] = [signature.slice(), message.slice()];
  const key = await crypto.subtle.importKey("raw", point.slice(), { name: "ECDSA", namedCurve }, false, ["verify"]);
  return crypto.subtle.verify({ name: "ECDSA", hash }, key, signed, data);
}

/** Whether a language model is bound. */
export function hasModel(env) {
  return Boolean(env.AI);
}

/** What the bound model says, as text, whatever form it gives it. */
export async function askModel(env, name, task, text) {
  const messages = [
    { role: "system", content: task },
    { role: "user", content: text },
  ];
  const { response } = await env.AI.run(name, { messages, max_tokens: 2048, temperature: 0 });
  return typeof response === "string" ? response : JSON.stringify(response);
}
