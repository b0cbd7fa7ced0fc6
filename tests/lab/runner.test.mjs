// The runner keeps its promises to the outside. Runs on the host (`node --test
// tests/lab/runner.test.mjs`), and as well inside another lab. Skipped by name where there are no
// namespaces.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const RUN = path("run");
const PIPE = path("pipe.mjs");
const folder = mkdtempSync(join(tmpdir(), "lab-runner-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const lab = (args, options = {}) => spawnSync(RUN, args, { encoding: "utf8", ...options });

const probe = lab(["--", "true"]);
const skip = probe.status === 75 ? probe.stderr.trim() : false;
const inLab = (name, body) => test(name, { skip }, body);

/** Command lines of living processes that mention a text. */
function living(text) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      } catch {
        return "";
      }
    })
    .filter((line) => line.includes(text));
}

async function gone(text) {
  for (let turn = 0; turn < 50 && living(text).length > 0; turn += 1) await sleep(100);
  return living(text);
}

test("wrong usage is said in one line", () => {
  for (const args of [[], ["--"], ["--delay", "soon", "--", "true"], ["--what", "--", "true"]]) {
    const run = lab(args);
    assert.equal(run.status, 64, args.join(" "));
    assert.match(run.stderr, /^lab: .*\n$/);
  }
});

test("without namespaces it ends with 75 and one sentence", () => {
  const bin = join(folder, "bin");
  spawnSync("mkdir", ["-p", bin]);
  const script = '#!/bin/sh\necho "unshare: unshare failed: Operation not permitted" >&2\nexit 1\n';
  spawnSync("sh", ["-c", `cat > ${bin}/unshare && chmod +x ${bin}/unshare`], { input: script });
  // The runner puts the checkout's own programs first; unshare is not among them.
  const run = lab(["--", "true"], { env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } });
  assert.equal(run.status, 75);
  assert.match(run.stderr, /^lab: this machine does not allow network namespaces .*\n$/);
});

inLab("the command's status, streams and arguments are its own", () => {
  const script = 'cat; echo "$1" >&2; exit 7';
  const run = lab(["--", "sh", "-c", script, "sh", "two words"], { input: "through\n" });
  assert.deepEqual([run.status, run.stdout, run.stderr], [7, "through\n", "two words\n"]);
  assert.equal(lab(["--", "no-such-command"]).status, 127);
  assert.equal(lab(["--", "sh", "-c", "kill -9 $$"]).status, 137);
});

inLab("the command finds what README promises, and the delay it asked for", () => {
  const script =
    "echo $LAB $LAB_DELAY_MS; test -s $LAB_CA_PEM && test -s $LAB_STATE/root.hints && env | grep -c ^LAB_";
  const run = lab(["--delay", "30", "--", "sh", "-c", script]);
  assert.deepEqual(run.stdout.trim().split("\n"), ["1 30", "7"]);
});

inLab("nothing outside can be reached, and the host's files are as they were", () => {
  const before = readFileSync("/etc/resolv.conf", "utf8");
  const run = lab(["--", "sh", "-c", "cat /etc/resolv.conf; ip route show default | wc -l"]);
  assert.match(run.stdout, /^nameserver 127\.0\.0\.1\n[^]*\n0\n$/);
  assert.equal(readFileSync("/etc/resolv.conf", "utf8"), before);
});

for (const signal of ["SIGTERM", "SIGINT", "SIGKILL"]) {
  inLab(`${signal} to the runner leaves nothing behind`, async () => {
    const mark = `lab-runner-mark-${signal}`;
    const started = join(folder, mark);
    const script = `echo $LAB_STATE > ${started}.new; mv ${started}.new ${started}; sleep 300 & exec -a ${mark} sleep 300`;
    const runner = spawn(RUN, ["--", "bash", "-c", script], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    while (!existsSync(started)) await sleep(50);
    const state = readFileSync(started, "utf8").trim();
    assert.ok(living(mark).length > 0);
    runner.kill(signal);
    await once(runner, "exit");
    assert.deepEqual(await gone(mark), []);
    assert.deepEqual(await gone(`--state ${state}`), []);
    assert.equal(existsSync(state), false, state);
  });
}

inLab("a pipe brings a server inside to the host's loopback", async () => {
  const socket = join(folder, "inside.sock");
  const server = `require("node:http").createServer((q, r) => r.end("inside " + q.url)).listen(8787, "127.0.0.1")`;
  const script = `node -e '${server}' & exec node ${PIPE} --listen unix:${socket} --to tcp:127.0.0.1:8787`;
  const runner = spawn(RUN, ["--", "sh", "-c", script], { stdio: "ignore" });
  const outside = spawn(
    process.execPath,
    [PIPE, "--listen", "tcp:127.0.0.1:18787", "--to", `unix:${socket}`],
    { stdio: "ignore" },
  );
  let heard;
  for (let turn = 0; turn < 200 && heard === undefined; turn += 1) {
    heard = await fetch("http://127.0.0.1:18787/hello").then(
      (answer) => answer.text(),
      () => undefined,
    );
    await sleep(100);
  }
  outside.kill();
  runner.kill("SIGTERM");
  await Promise.all([once(runner, "exit"), once(outside, "exit")]);
  assert.equal(heard, "inside /hello");
});

test("a pipe joins a Unix socket to a TCP port, and cleans up after itself", async () => {
  const server = createServer((_request, response) => response.end("here"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = join(folder, "plain.sock");
  const to = `tcp:127.0.0.1:${server.address().port}`;
  const pipe = spawn(process.execPath, [PIPE, "--listen", `unix:${socket}`, "--to", to]);
  await once(pipe.stdout, "data");
  const [answer] = await once(request({ socketPath: socket, agent: false }).end(), "response");
  assert.equal(await text(answer), "here");
  pipe.kill();
  await once(pipe, "exit");
  server.close();
  assert.equal(existsSync(socket), false);
});

test("a pipe says what is wrong with its arguments", () => {
  const run = spawnSync(process.execPath, [PIPE, "--listen", "udp:1"], { encoding: "utf8" });
  assert.equal(run.status, 1);
  assert.match(run.stderr, /^pipe: usage: /);
});
