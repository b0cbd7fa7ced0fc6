// The lab's servers and resolvers that misbehave, for those who meet all of them.

/** Analyses at once. Most of the time is waiting for servers that say nothing. */
export const AT_ONCE = 6;

const TLS = ["garbage", "half-certificate", "cut-certificate", "many-certificates", "huge-record", "closes", "silent", "alert", "refused"];
const DNS = ["wrong-id", "wrong-question", "not-a-response", "name-loop", "forward-pointer", "cut-header", "cut-answer"];
const MORE_DNS = ["flag-tc", "count-lie", "empty", "noise", "huge", "html", "wrong-type", "redirect", "never"];
const HTTP = ["endless", "bomb", "brotli-bomb", "slow", "slow-headers", "endless-headers", "long-header", "hints-forever", "huge-chunk", "reset", "never"];

/** Their names. */
export const WORLDS = [
  ...TLS.map((label) => `${label}.lab-tls.net`),
  ...[...DNS, ...MORE_DNS].map((label) => `${label}.lab-garbled.net`),
  ...HTTP.map((label) => `${label}.lab-http.net`),
  ...["lab-wrongds.org", "lab-expired.org", "nobody-there.lab-good.com", "loop-a.lab-odd.net", "self.lab-odd.net"],
];

/** Those of them that send the most. */
export const HEAVY = [
  ...["many-certificates", "huge-record"].map((label) => `${label}.lab-tls.net`),
  ...["endless", "bomb", "brotli-bomb", "endless-headers", "long-header", "huge-chunk", "hints-forever"].map(
    (label) => `${label}.lab-http.net`,
  ),
  "huge.lab-garbled.net",
];

/** Does `one` with each of `targets`, so many at once. */
export async function eachOnce(targets, atOnce, one) {
  const left = [...targets];
  const worker = async () => {
    for (let target = left.shift(); target; target = left.shift()) await one(target);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
