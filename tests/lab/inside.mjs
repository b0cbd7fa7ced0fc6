// The runner's inner half, process 1 of the namespaces: brings the addresses up, puts the lab's
// resolver in place of the system's, starts the servers, runs the command, and ends. When it ends
// the kernel ends every process it left.
//
// Usage (by run.mjs): inside.mjs STATE-FOLDER NAME-SERVER COMMAND...

import { spawn, spawnSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { publicKeys } from "./certificates.mjs";
import { addresses } from "./hosts.mjs";

const UNAVAILABLE = 69;
const READY_MS = 20_000;

const here = dirname(fileURLToPath(import.meta.url));
const cache = join(here, "..", ".out", "lab-certificates");
const [state, nameServer, ...command] = process.argv.slice(2);

const DOH = "127.0.0.1:8053";
const CONTROL = "http://127.0.0.1:8054";

const environment = {
  LAB: "1",
  LAB_STATE: state,
  LAB_DOH_URL: `http://${DOH}/dns-query`,
  LAB_CONTROL_URL: CONTROL,
  LAB_RDAP_URL: "http://127.0.0.1:8055",
  LAB_CT_URL: "http://127.0.0.1:8056",
  LAB_CA_PEM: join(cache, "root.pem"),
  NODE_EXTRA_CA_CERTS: join(cache, "root.pem"),
};

function must(program, ...args) {
  const run = spawnSync(program, args, { encoding: "utf8" });
  if (run.status !== 0) {
    throw new Error(`${program} ${args.join(" ")}: ${run.stderr || run.error?.message}`);
  }
}

function bringUpAddresses() {
  const lines = addresses().map((address) =>
    address.includes(":")
      ? `address add ${address}/128 dev lo nodad`
      : `address add ${address}/32 dev lo`,
  );
  const batch = join(state, "addresses");
  writeFileSync(batch, ["link set lo up", ...lines, ""].join("\n"));
  must("ip", "-batch", batch);
}

/** Binds a file of ours over one of the system's, where the system has it. */
function cover(path, name, content) {
  if (!existsSync(path)) return;
  const file = join(state, name);
  writeFileSync(file, content);
  must("mount", "--bind", file, path);
}

function coverSystemFiles() {
  // Tools that read /proc want the one of this process namespace; some containers do not allow it,
  // and nothing here depends on it.
  spawnSync("mount", ["-t", "proc", "proc", "/proc"]);
  cover("/etc/resolv.conf", "resolv.conf", "nameserver 127.0.0.1\noptions timeout:15 attempts:1\n");
  cover("/etc/hosts", "hosts", "127.0.0.1 localhost\n::1 localhost\n");
  // Without this a host's systemd-resolved would be asked over its socket, past the namespace.
  cover("/etc/nsswitch.conf", "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
}

/** Starts a server in a session of its own, so that Ctrl-C reaches the command and not it. */
function serve(program, args) {
  const child = spawn(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...environment },
    detached: true,
  });
  child.on("exit", (status) => {
    process.stderr.write(`lab: ${program} ended with ${status}\n`);
    process.exit(UNAVAILABLE);
  });
}

async function ready(url) {
  const deadline = Date.now() + READY_MS;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error(`${url} did not come up in ${READY_MS} ms`);
    await sleep(20);
  }
}

function runCommand() {
  const child = spawn(command[0], command.slice(1), {
    stdio: "inherit",
    env: { ...process.env, ...environment },
  });
  child.on("error", (error) => {
    process.stderr.write(`lab: ${command[0]}: ${error.message}\n`);
    process.exit(error.code === "ENOENT" ? 127 : 126);
  });
  child.on("exit", (status, signal) => {
    process.exit(status ?? 128 + constants.signals[signal]);
  });
  // A terminal's Ctrl-C has reached the command already, as part of its process group; any other
  // sender reached only the outer half.
  process.on("message", ({ signal }) => {
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  });
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => {});
// The outer half is gone and cannot clean up.
process.on("disconnect", () => {
  rmSync(state, { recursive: true, force: true });
  process.exit(UNAVAILABLE);
});

try {
  bringUpAddresses();
  coverSystemFiles();
  const values = join(state, "values.json");
  writeFileSync(values, JSON.stringify(await publicKeys(cache)));
  const zones = join(here, "zones");
  serve(nameServer, ["--zones", zones, "--state", state, "--values", values, "--http", DOH]);
  serve(process.execPath, [join(here, "web.mjs"), cache]);
  await Promise.all([ready(`http://${DOH}/ready`), ready(`${CONTROL}/ready`)]);
  runCommand();
} catch (error) {
  process.stderr.write(`lab: ${error.message}\n`);
  process.exit(UNAVAILABLE);
}
