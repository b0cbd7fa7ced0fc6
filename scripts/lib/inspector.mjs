// Asks the isolate of a running Worker what it holds, over V8's inspector: after a
// collection, so that what is counted is in use and not garbage that V8 has had no reason
// to collect yet.

import { Failure } from "./shell.mjs";

const PATIENCE_MS = 30_000;

/**
 * Collects garbage; answers MiB of JavaScript's heap and of WebAssembly's memory, which
 * never shrinks.
 * @param {number} port where workerd's inspector listens
 * @param {string} worker
 */
export async function heldMiB(port, worker) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target = targets.find(({ id }) => id.includes(worker));
  if (!target) throw new Failure(`the inspector knows no ${worker}: ${targets.map(({ id }) => id)}`);
  const inspector = await connected(target.webSocketDebuggerUrl);
  try {
    await inspector.send("HeapProfiler.enable");
    await inspector.send("HeapProfiler.collectGarbage");
    const { usedSize, embedderHeapUsedSize = 0 } = await inspector.send("Runtime.getHeapUsage");
    inspector.chunks.length = 0;
    await inspector.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
    const wasm = largestBuffer(JSON.parse(inspector.chunks.join("")));
    return { heap: (usedSize + embedderHeapUsedSize) / 2 ** 20, wasm: wasm / 2 ** 20 };
  } finally {
    inspector.close();
  }
}

async function connected(url) {
  const socket = new WebSocket(url);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Failure("the inspector does not answer")));
  });
  const waiting = new Map();
  const chunks = [];
  socket.addEventListener("message", ({ data }) => {
    const { id, method, params, result, error } = JSON.parse(data);
    if (method === "HeapProfiler.addHeapSnapshotChunk") chunks.push(params.chunk);
    const { resolve, reject } = waiting.get(id) ?? {};
    if (error) reject?.(new Failure(`the inspector: ${error.message}`));
    else resolve?.(result);
  });
  let last = 0;
  const send = (method, params = {}) =>
    new Promise((resolve, reject) => {
      waiting.set((last += 1), { resolve, reject });
      setTimeout(() => reject(new Failure(`the inspector does not answer ${method}`)), PATIENCE_MS).unref();
      socket.send(JSON.stringify({ id: last, method, params }));
    });
  return { send, chunks, close: () => socket.close() };
}

/** Bytes of the largest buffer in a snapshot: the Worker makes none that comes near its memory. */
function largestBuffer({ snapshot, nodes, strings }) {
  const fields = snapshot.meta.node_fields;
  const [name, size] = [fields.indexOf("name"), fields.indexOf("self_size")];
  let largest = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    if (strings[nodes[node + name]].endsWith("JSArrayBufferData")) largest = Math.max(largest, nodes[node + size]);
  }
  if (largest === 0) throw new Failure("the inspector shows no memory of WebAssembly");
  return largest;
}
