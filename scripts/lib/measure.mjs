// What measurements share: the middle of numbers, and what /proc says of a process.

import { readFileSync } from "node:fs";

/** The value that `share` of the values stay below. */
export function quantile(values, share) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

/** The middle of the values, between two where there are two. */
export function median(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Resident memory of a process, in MiB; 0 where /proc has none. */
export const residentMiB = (pid) => statusMiB(pid, "VmRSS");

/** The most that it ever was, likewise. */
export const peakMiB = (pid) => statusMiB(pid, "VmHWM");

function statusMiB(pid, member) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, kib] = status.match(new RegExp(`^${member}:\\s+(\\d+) kB$`, "m")) ?? [];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0;
  }
}
