// The order of a module's functions in which it compresses best. gzip finds what it has
// seen within the last 32 KiB, and a module is a hundred times that: functions that have
// much in common are to stand close together. Order means nothing to what a module does.
//
// wasm-opt does the moving, since every call names its function by its place; it can sort
// by name, so the functions are given their places as names.

/** What gzip looks back on. */
const WINDOW = 32 * 1024;

/** Bytes that two functions have in common before it counts: two instructions or three. */
const RUN = 6;

/** A run in more functions than this is in every neighbourhood anyway. */
const COMMON = 1000;

/** How far a run counts less the more functions have it: by its holders to the power of this. */
const RARITY = 0.3;

/** How far what a long function has in common is put down to its length. */
const LENGTH = 0.65;

const IMPORTS = 2;
const CODE = 10;
const CUSTOM = 0;
const FUNCTION = 0;
const [TABLE, MEMORY, GLOBAL] = [1, 2, 3];

/**
 * The module with each function named by its place in that order.
 * @param {Buffer} module
 */
export function namedByPlace(module) {
  const sections = sectionsOf(module);
  const imported = importedFunctions(find(sections, IMPORTS));
  const order = inOrder(bodiesOf(find(sections, CODE)));
  const places = new Array(order.length);
  order.forEach((index, place) => (places[index] = place));
  const width = String(order.length).length;
  const entries = places.map((place, index) => [leb(imported + index), text(String(place).padStart(width, "0"))]);
  const map = Buffer.concat([leb(entries.length), ...entries.flat()]);
  const names = Buffer.concat([text("name"), Buffer.from([1]), leb(map.length), map]);
  const others = sections.filter(({ id, content }) => id !== CUSTOM || reader(content).text() !== "name");
  return Buffer.concat([
    module.subarray(0, 8), // magic number and version
    ...others.map(({ whole }) => whole),
    ...[Buffer.from([CUSTOM]), leb(names.length), names],
  ]);
}

/**
 * The places of `bodies` in an order in which each has much in common with those before it
 * that are within reach.
 * @param {Buffer[]} bodies
 */
export function inOrder(bodies) {
  const holders = holdersOf(bodies);
  const runs = bodies.map((body) => [...runsOf(body)].filter((run) => holders.has(run)));
  const worth = bodies.map((body) => body.length ** -LENGTH);
  const shared = new Float64Array(bodies.length);
  const left = new Set(bodies.keys());
  const within = new Map();
  const order = [];
  let [first, reach] = [0, 0];

  const count = (run, sign) => {
    const those = holders.get(run);
    const weight = sign * those.length ** -RARITY;
    for (const index of those) shared[index] += weight;
  };
  const enter = (run) => {
    const times = within.get(run) ?? 0;
    within.set(run, times + 1);
    if (times === 0) count(run, 1);
  };
  const leave = (run) => {
    const times = within.get(run) - 1;
    within.set(run, times);
    if (times === 0) count(run, -1);
  };

  while (left.size) {
    let [best, most] = [left.values().next().value, 0];
    for (const index of left) {
      const value = shared[index] * worth[index];
      if (value > most) [best, most] = [index, value];
    }
    order.push(best);
    left.delete(best);
    reach += bodies[best].length;
    runs[best].forEach(enter);
    for (; reach > WINDOW && first < order.length - 1; first += 1) {
      reach -= bodies[order[first]].length;
      runs[order[first]].forEach(leave);
    }
  }
  return order;
}

/** Which bodies hold a run, for each that several and not too many hold. */
function holdersOf(bodies) {
  const holders = new Map();
  bodies.forEach((body, index) => {
    for (const run of runsOf(body)) {
      const those = holders.get(run);
      if (those) those.push(index);
      else holders.set(run, [index]);
    }
  });
  for (const [run, those] of holders) {
    if (those.length < 2 || those.length > COMMON) holders.delete(run);
  }
  return holders;
}

/** Hashes of the runs in a body. */
function runsOf(body) {
  const runs = new Set();
  for (let at = 0; at + RUN <= body.length; at += 1) {
    let hash = 0x811c9dc5; // FNV-1a
    for (let next = at; next < at + RUN; next += 1) hash = Math.imul(hash ^ body[next], 0x01000193);
    runs.add(hash);
  }
  return runs;
}

// --- the binary format (WebAssembly 3.0 section 5) ----------------------------

function sectionsOf(module) {
  const sections = [];
  const read = reader(module, 8);
  while (read.more()) {
    const start = read.at();
    const id = read.byte();
    const content = read.bytes(read.number());
    sections.push({ id, content, whole: module.subarray(start, read.at()) });
  }
  return sections;
}

function find(sections, wanted) {
  return sections.find(({ id }) => id === wanted)?.content ?? Buffer.from([0]);
}

function bodiesOf(code) {
  const read = reader(code);
  return Array.from({ length: read.number() }, () => read.bytes(read.number()));
}

function importedFunctions(imports) {
  const read = reader(imports);
  let functions = 0;
  for (let left = read.number(); left > 0; left -= 1) {
    read.text();
    read.text();
    const kind = read.byte();
    if (kind === FUNCTION) functions += 1;
    if (kind === TABLE || kind === GLOBAL) read.byte(); // a type
    if (kind === TABLE || kind === MEMORY) {
      if (read.byte() & 1) read.number(); // limits: with a most, then
    }
    read.number(); // what is left: the type of a function or a tag, the least, mutability
    if (kind > GLOBAL) read.number(); // a tag's attribute came first
  }
  return functions;
}

function reader(bytes, from = 0) {
  let at = from;
  const byte = () => bytes[at++];
  const number = () => {
    let [value, shift, next] = [0, 0, 0];
    do {
      next = byte();
      value += (next & 0x7f) * 2 ** shift;
      shift += 7;
    } while (next > 0x7f);
    return value;
  };
  const take = (length) => bytes.subarray(at, (at += length));
  return { at: () => at, more: () => at < bytes.length, byte, number, bytes: take, text: () => take(number()).toString() };
}

function leb(value) {
  const bytes = [];
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80);
  return Buffer.from([...bytes, value]);
}

function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([leb(bytes.length), bytes]);
}
