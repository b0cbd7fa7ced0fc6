// A workerd without wrangler's proxy in front, for measuring and for load: several
// Workers in one process, each on a port of its own. The configuration is workerd's own
// (Cap'n Proto text); it stands for what wrangler.toml says, with KV answered by a few
// lines of JavaScript that keep nothing, or by a server of the caller's.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { startGroup } from "./group.mjs";
import { freePort } from "./worker.mjs";
import { Failure, ROOT } from "./shell.mjs";

const KV = `export default { async fetch(request) {
  await request.arrayBuffer();
  return new Response(null, { status: request.method === "GET" ? 404 : 204 });
} };`;

/**
 * Starts workerd with these Workers; its files go to build/bench/`label`.
 * @param {string} label
 * @param {{name: string, modules: string[], classes?: Record<string, string>,
 *   borrowed?: Record<string, {type: string, of: string}>, kv?: string[], vars?: Record<string, string>,
 *   services?: Record<string, string>}[]} workers
 *   `modules` are files of the checkout, the entry first; `classes` maps bindings to
 *   Durable Object classes, all with SQLite; `borrowed` to those of another Worker,
 *   `services` to others of the Workers.
 * @param {{folder?: string, keep?: boolean, kv?: string, inspector?: number, stdio?: string[]}} options
 *   `keep` leaves what is stored from an earlier start; `kv` is the `address:port` of
 *   a server that answers for KV, `inspector` a port for V8's inspector.
 * @returns {Promise<{group: object, url: (name: string) => string}>}
 */
export async function startWorkerd(label, workers, options = {}) {
  const { folder = join(ROOT, "build", "bench", label), keep = false, kv, inspector } = options;
  const stdio = options.stdio ?? ["ignore", "ignore", "inherit"];
  if (!keep) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "storage"), { recursive: true });
  const ports = new Map();
  for (const { name } of workers) ports.set(name, await freePort());
  const config = join(folder, "config.capnp");
  writeFileSync(join(folder, "kv.js"), KV);
  writeFileSync(config, configText(folder, workers, ports, kv));
  const { default: workerd } = await import("workerd");
  const inspected = inspector ? [`--inspector-addr=127.0.0.1:${inspector}`] : [];
  const group = startGroup([workerd.default ?? workerd, "serve", "--experimental", ...inspected, config], { stdio });
  return { group, url: (name) => `http://127.0.0.1:${ports.get(name)}` };
}

/**
 * netrecon as `startWorkerd` takes it, with the bindings that wrangler.toml gives it.
 * @param {{name?: string, dir?: string, vars?: Record<string, string>, services?: Record<string, string>}} options
 *   `dir` is the folder of the build.
 */
export function netrecon({ name = "netrecon", dir = "build", ...rest } = {}) {
  return {
    name,
    modules: [`${dir}/index.js`, `${dir}/index_bg.wasm`],
    classes: Object.fromEntries(deployment(/^name = "(\w+)".*\nclass_name = "(\w+)"$/gm).map(([, ...entry]) => entry)),
    kv: deployment(/^binding = "(\w+)"$/gm).map(([, binding]) => binding),
    ...rest,
  };
}

function configText(folder, workers, ports, kv) {
  const store = kv ? `external = (address = ${text(kv)}, http = ())` : "worker = .kv";
  const services = workers.map(({ name }) => `    (name = ${text(name)}, worker = .${identifier(name)}),`);
  const sockets = workers.map(
    ({ name }) => `    (name = ${text(name)}, address = "127.0.0.1:${ports.get(name)}", service = ${text(name)}, http = ()),`,
  );
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
${services.join("\n")}
    (name = "kv", ${store}),
    (name = "storage", disk = (path = ${text(join(folder, "storage"))}, writable = true)),
    (name = "network", network = (allow = ["public", "private"], tlsOptions = (trustBrowserCas = true))),
  ],
  sockets = [
${sockets.join("\n")}
  ],
);

const kv :Workerd.Worker = (
  modules = [(name = "kv.js", esModule = embed "kv.js")],
  compatibilityDate = ${text(compatibilityDate())},
);

${workers.map((worker) => workerText(folder, worker)).join("\n")}`;
}

function workerText(folder, { name, modules, classes = {}, borrowed = {}, kv = [], vars = {}, services = {} }) {
  const bindings = [
    ...Object.entries(classes).map(([binding, type]) => `(name = ${text(binding)}, durableObjectNamespace = ${text(type)})`),
    ...Object.entries(borrowed).map(
      ([binding, { type, of }]) =>
        `(name = ${text(binding)}, durableObjectNamespace = (className = ${text(type)}, serviceName = ${text(of)}))`,
    ),
    ...kv.map((binding) => `(name = ${text(binding)}, kvNamespace = "kv")`),
    ...Object.entries(services).map(([binding, other]) => `(name = ${text(binding)}, service = ${text(other)})`),
    ...Object.entries(vars).map(([binding, value]) => `(name = ${text(binding)}, text = ${text(value)})`),
  ];
  const objects = Object.values(classes).map(
    (type) => `(className = ${text(type)}, uniqueKey = ${text(`${name}-${type}`)}, enableSql = true)`,
  );
  return `const ${identifier(name)} :Workerd.Worker = (
  modules = [${modules.map((path) => moduleText(folder, path)).join(", ")}],
  compatibilityDate = ${text(compatibilityDate())},
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${objects.join(", ")}],
  durableObjectStorage = (localDisk = "storage"),
  globalOutbound = "network",
);
`;
}

function moduleText(folder, path) {
  const file = path.split("/").at(-1);
  const kind = file.endsWith(".wasm") ? "wasm" : "esModule";
  return `(name = ${text(file)}, ${kind} = embed ${text(relative(folder, join(ROOT, path)))})`;
}

/** The date of wrangler.toml, which production runs with. */
function compatibilityDate() {
  return deployment(/^compatibility_date = "(.+)"$/gm)[0][1];
}

/** What wrangler.toml says in lines of the form `line`. */
function deployment(line) {
  const found = [...readFileSync(join(ROOT, "wrangler.toml"), "utf8").matchAll(line)];
  if (found.length === 0) throw new Failure(`wrangler.toml has no line like ${line}`);
  return found;
}

function text(value) {
  return JSON.stringify(value);
}

function identifier(name) {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}
