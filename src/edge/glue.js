// The crossings between WebAssembly and the platform that calls make often, each made
// once. A header field asked for or set from Rust is a crossing with two strings; here
// they come over in one text, a line each: neither names nor values can hold a line break.

let names = [];
let headers = new Map();
let answer;
const kept = new Map();

/** Largest body that is read before the Worker is asked; it reads larger ones itself. */
const READ_AHEAD = 256 * 1024;

/** Names the header fields that `fields` answers, in its order; gives the function that answers. */
export function prepare(list, handler) {
  names = list.split("\n");
  answer = handler;
}

/**
 * Calls the Worker with what it asks of every request, in one text: verb and URL, and of a POST the
 * wanted header fields; with the body at hand, it then has nothing to wait for but its own work.
 */
export function arrive(request, env, context) {
  const { method } = request;
  const place = `${method} ${request.url}`;
  if (method !== "POST") return answer(request, env, context, place, undefined);
  const told = `${place}\n${fields(request)}`;
  const length = Number(request.headers.get("content-length") ?? NaN);
  if (!(length <= READ_AHEAD)) return answer(request, env, context, told, undefined);
  return request.arrayBuffer().then((buffer) => answer(request, env, context, told, new Uint8Array(buffer)));
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

/** Sends JSON to an object; its status says how that went. */
export async function post(env, binding, name, url, json) {
  const response = await env[binding].getByName(name).fetch(url, { method: "POST", body: json });
  return response.status;
}

/** Sends a request to the outside; a redirect is an answer. */
export async function send(url, lines, bytes, signal) {
  const body = bytes?.slice();
  return fetch(url, { method: body ? "POST" : "GET", headers: headersOf(lines), body, signal, redirect: "manual" });
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
