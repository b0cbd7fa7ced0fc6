// Asks the isolate of a running Worker what it holds, over V8's inspector: after a
// collection, so that what is counted is in use and not garbage that V8 has had no reason
// to collect yet.

import { setTimeout as sleep } from "node:timers/promises";
import { Failure } from "./shell.mjs";

const PATIENCE_MS = 30_000;

/**
 * Collects garbage; answers MiB of JavaScript's heap and of WebAssembly's memory, which
 * never shrinks.
 * @param {number} port where workerd's inspector listens
 * @param {string} worker
 */
export async function heldMiB(port, worker) {
  const inspector = await inspected(port, worker);
  try {
    const { heap } = await javascriptMiB(inspector);
    return { heap, wasm: await wasmMiB(inspector) };
  } finally {
    inspector.close();
  }
}

/**
 * Looks again and again, after a collection each time, until it is told to stop; answers
 * then the most that JavaScript's heap and its buffers held together at one time, and
 * WebAssembly's memory in the end, which is the most it ever was.
 * @param {number} port where workerd's inspector listens
 * @param {string} worker
 * @param {number} everyMs
 * @returns {Promise<() => Promise<{javascript: number, wasm: number, looks: number}>>}
 */
export async function watchMiB(port, worker, everyMs) {
  const inspector = await inspected(port, worker);
  let [javascript, looks, stopped] = [0, 0, false];
  const watching = (async () => {
    for (; !stopped; looks += 1) {
      const { heap, buffers } = await javascriptMiB(inspector);
      javascript = Math.max(javascript, heap + buffers);
      await sleep(everyMs);
    }
  })();
  return async () => {
    stopped = true;
    await watching;
    const wasm = await wasmMiB(inspector);
    inspector.close();
    return { javascript, wasm, looks };
  };
}

async function inspected(port, worker) {
  const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
  const target = targets.find(({ id }) => id.includes(worker));
  if (!target) throw new Failure(`the inspector knows no ${worker}: ${targets.map(({ id }) => id)}`);
  const inspector = await connected(target.webSocketDebuggerUrl);
  await inspector.send("HeapProfiler.enable");
  return inspector;
}

/** After a collection; `buffers` are those outside the heap, without WebAssembly's memory. */
async function javascriptMiB(inspector) {
  await inspector.send("HeapProfiler.collectGarbage");
  const usage = await inspector.send("Runtime.getHeapUsage");
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = usage;
  return { heap: (usedSize + embedderHeapUsedSize) / 2 ** 20, buffers: backingStorageSize / 2 ** 20 };
}

async function wasmMiB(inspector) {
  inspector.chunks.length = 0;
  await inspector.send("HeapProfiler.takeHeapSnapshot", { reportProgress: false });
  return largestBuffer(JSON.parse(inspector.chunks.join(""))) / 2 ** 20;
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
