// The crossings between WebAssembly and the platform that every call makes, each made
// once. A header field asked for or set from Rust is a crossing with two strings; here
// they come over in one text, a line each: neither names nor values can hold a line break.

let names = [];
let headers = new Map();

/** Names the header fields that `fields` answers, in its order. */
export function wanted(list) {
  names = list.split("\n");
}

/** Verb and URL. */
export function place(request) {
  return `${request.method} ${request.url}`;
}

/** The wanted fields of a request, one per line; a line is empty where there is none. */
export function fields(request) {
  let text = "";
  for (const name of names) {
    const value = request.headers.get(name);
    text += value === null ? "\n" : `:${value}\n`;
  }
  return text;
}

/** The whole body. */
export async function body(request) {
  return new Uint8Array(await request.arrayBuffer());
}

/** An answer: `lines` are names and values of its header fields in turn. */
export function reply(status, lines, bytes) {
  // The copy is the answer's own: memory of WebAssembly changes while it is sent.
  const body = bytes.length === 0 ? null : bytes.slice();
  return new Response(body, { status, headers: headersOf(lines) });
}

/** Most calls are answered with fields that were answered before. */
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
