// Which part of `scripts/test` comes next.

/**
 * The first of `left` that may start beside those that are running; none when all have
 * to wait. What a part needs has ended, and nobody holds what it holds. Parts that are
 * `timed` run beside others of their kind only, so that no compiler disturbs them.
 * @param {Iterable<object>} left
 * @param {object[]} running
 */
export function next(left, running) {
  const waiting = [...left];
  const open = (name) => [...waiting, ...running].some((part) => part.name === name);
  return waiting.find(
    ({ needs = [], holds = [], timed = false }) =>
      !needs.some(open) && running.every((other) => Boolean(other.timed) === timed && !other.holds?.some((held) => holds.includes(held))),
  );
}
