// A command in a process group of its own, so that it ends with all it started:
// wrangler starts workerd, the lab starts servers, and none may outlive a script.

import { spawn } from "node:child_process";
import { ENV, Failure, ROOT } from "./shell.mjs";

/** Starts a command as the leader of a new process group. */
export function startGroup([command, ...args], options = {}) {
  const child = spawn(command, args, { cwd: ROOT, env: ENV, stdio: ["ignore", "inherit", "inherit"], ...options, detached: true });
  child.ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(new Failure(`cannot start ${command}: ${error.message}`)));
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
  return child;
}

/** Asks the group to end, waits at most `patienceMs`, then ends what is left. */
export async function endGroup(child, patienceMs = 5_000) {
  signalGroup(child, "SIGTERM");
  const patience = setTimeout(() => signalGroup(child, "SIGKILL"), patienceMs);
  await child.ended;
  clearTimeout(patience);
  signalGroup(child, "SIGKILL"); // whoever outlived the leader
}

/** Sends a signal to all of the group; nothing happens when nobody is left. */
export function signalGroup(child, signal) {
  try {
    if (child.pid) process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}
