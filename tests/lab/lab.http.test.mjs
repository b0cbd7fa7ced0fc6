// Every web server of the lab behaves as hosts.mjs and the tables in web/ say. Run inside the lab:
//   tests/lab/run -- node --test --test-concurrency=1 "tests/lab/*.test.mjs"

import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { BODIES } from "./web/bodies.mjs";
import { EXPOSURES } from "./web/exposures.mjs";
import { HEADERS } from "./web/headers.mjs";
import { REDIRECTS } from "./web/redirects.mjs";
import { CANARY, HOSTS, PRIVATE_PLACES, host } from "./hosts.mjs";
import { control } from "./testing/dns.mjs";
import { get, head, listen } from "./testing/http.mjs";

const title = ({ body }) => /<title>(.*)<\/title>/s.exec(body.toString())?.[1];

test("each host answers on the ports hosts.mjs gives it, on every address", async () => {
  for (const each of HOSTS) {
    for (const address of each.addresses) {
      const sites = { 80: each.http, 443: each.https };
      for (const [port, wanted] of Object.entries(sites)) {
        // A port may be open for another name of the same address.
        const shared = HOSTS.some(
          (other) =>
            other.addresses.includes(address) && (port === "80" ? other.http : other.https),
        );
        const open = await connects(address, Number(port));
        assert.equal(open, shared, `${each.name} ${address} ${port}`);
        if (wanted) assert.ok(open);
      }
    }
  }
});

async function connects(address, port) {
  const socket = connect(port, address);
  const [event] = await Promise.race([
    once(socket, "connect").then(() => ["connect"]),
    once(socket, "error").then(
      () => ["error"],
      () => ["error"],
    ),
  ]).catch(() => ["error"]);
  socket.destroy();
  return event === "connect";
}

test("plain http leads to https where hosts.mjs says so", async () => {
  for (const each of HOSTS.filter(({ http }) => http === "upgrade")) {
    const { status, headers } = await get(`http://${each.name}/a?b=c`, {
      address: each.addresses[0],
    });
    assert.deepEqual([status, headers.location], [301, `https://${each.name}/a?b=c`]);
  }
});

test("an ordinary page is itself at / and 404 elsewhere", async () => {
  for (const name of [
    "tls13.lab-tls.net",
    "lab-bare.com",
    "lab-v6.net",
    "lab-cloud.com",
    "lab-nomail.com",
  ]) {
    const page = await get(`https://${name}/`);
    assert.deepEqual([page.status, title(page)], [200, name]);
    assert.equal((await get(`https://${name}/random-path`)).status, 404, name);
  }
  assert.equal(title(await get("http://plain.lab-http.net/")), "plain.lab-http.net");
});

for (const scheme of ["http", "https"]) {
  test(`every redirect over ${scheme} is the one in its table`, async () => {
    for (const [label, { at }] of Object.entries(REDIRECTS)) {
      const base = `${scheme}://${label}.lab-redirect.net`;
      for (const [place, [status, location]] of Object.entries(at)) {
        const [from, path] = place.split(" ");
        if (from !== scheme) continue;
        const found = await get(base + path);
        assert.deepEqual(
          [found.status, found.headers.location ?? null],
          [status, location],
          base + path,
        );
      }
      assert.equal((await get(`${base}/not-in-the-table`)).status, 200, label);
    }
  });
}

test("a redirect ends as its table says, for a client that stops where it must", async () => {
  for (const [label, { at, ends }] of Object.entries(REDIRECTS)) {
    assert.equal(follow(label, at), ends, label);
  }
});

/** Where a chain ends, worked out from the table alone. */
function follow(label, at) {
  let url = new URL(`http://${label}.lab-redirect.net/`);
  const seen = new Set();
  for (let hops = 0; hops <= 20; hops += 1) {
    if (seen.has(url.href)) return "loop";
    seen.add(url.href);
    const here = at[`${url.protocol.slice(0, -1)} ${url.pathname}`];
    if (url.hostname !== `${label}.lab-redirect.net` || !here) return "page";
    if (here[1] === null || here[1].length > 16_000) return "stuck";
    if (label.startsWith("into-")) return "refused";
    const next = URL.parse ? URL.parse(here[1], url) : safely(here[1], url);
    if (!next) return "stuck";
    if (url.protocol === "https:" && next.protocol === "http:") return "downgrade";
    url = next;
  }
  return "too_long";
}

function safely(text, base) {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

test("every header set arrives as it is in its table", async () => {
  for (const [label, { headers }] of Object.entries(HEADERS)) {
    const found = (await get(`https://${label}.lab-headers.com/`)).headers;
    for (const [name, value] of Object.entries(headers)) {
      const list = [found[name]].flat().join(", ");
      assert.equal(list, [value].flat().join(", "), `${label} ${name}`);
    }
    const security = Object.keys(found).filter(
      (name) => name in HEADERS.strict.headers && !(name in headers),
    );
    assert.deepEqual(security, [], label);
  }
});

test("one set of headers reflects any origin", async () => {
  const headers = { origin: "https://evil.example" };
  const found = (await get("https://cors-reflect.lab-headers.com/", { headers })).headers;
  assert.equal(found["access-control-allow-origin"], "https://evil.example");
  assert.equal(found["access-control-allow-credentials"], "true");
  const fixed = (await get("https://cors-fixed.lab-headers.com/", { headers })).headers;
  assert.equal(fixed["access-control-allow-origin"], "https://lab-good.com");
});

const DECODERS = { gzip: gunzipSync, br: brotliDecompressSync, deflate: inflateSync };
const ENDLESS = ["endless", "slow"];

test("every body has the status and the size of its table", async () => {
  for (const [label, { status, bytes }] of Object.entries(BODIES)) {
    if (!status || ENDLESS.includes(label)) continue;
    for (const scheme of ["http", "https"]) {
      const found = await get(`${scheme}://${label}.lab-http.net/`);
      assert.equal(found.status, status, label);
      if (bytes === undefined) continue;
      const decode = label === "not-gzip" ? undefined : DECODERS[found.headers["content-encoding"]];
      assert.equal((decode?.(found.body) ?? found.body).length, bytes, label);
    }
  }
});

test("a bomb is small on the wire", async () => {
  assert.ok((await get("https://bomb.lab-http.net/")).body.length < 300_000);
  assert.ok((await get("https://brotli-bomb.lab-http.net/")).body.length < 13_000);
});

/** What a bare connection to one of the names reads. */
const read = (label, options) => {
  const name = `${label}.lab-http.net`;
  return listen({ address: host(name).addresses[0], say: head(name), ...options });
};

test("what has no end has none", async () => {
  for (const label of ["endless", "endless-headers"]) {
    const { bytes, closed } = await read(label, { limit: 3_000_000, during: 3_000 });
    assert.ok(bytes.length > 3_000_000 && !closed, label);
    assert.equal(bytes.includes("\r\n\r\n"), label === "endless", label);
  }
  const hints = await read("hints-forever");
  assert.ok(hints.bytes.toString().split("103 Early Hints").length > 10);
  assert.equal(hints.closed, false);
});

test("what is slow is slow, and silence is silent", async () => {
  const slow = await read("slow", { during: 2_500 });
  const [, body] = slow.bytes.toString().split("\r\n\r\n");
  assert.ok(body.length < 30, body);
  assert.ok((await read("slow-headers", { during: 1_500 })).bytes.length <= 2);
  assert.deepEqual(await read("never"), { bytes: Buffer.alloc(0), closed: false });
});

test("what breaks the protocol breaks it for Node's client too", async () => {
  const broken = [
    "noise",
    "no-head",
    "cut",
    "reset",
    "two-lengths",
    "length-and-chunks",
    "bad-chunk",
    "bad-header",
    "long-header",
    "odd-version",
  ];
  for (const label of broken) {
    await assert.rejects(get(`http://${label}.lab-http.net/`), label);
    await assert.rejects(get(`https://${label}.lab-http.net/`), label);
  }
});

test("the odd but readable is readable", async () => {
  assert.equal((await get("http://http-10.lab-http.net/")).body.toString(), "ten");
  assert.equal((await get("http://odd-status.lab-http.net/")).status, 999);
  assert.equal((await read("many-headers")).bytes.toString().split("\r\n").length, 1_004);
  assert.match((await read("extra-answer")).bytes.toString(), /first.*second/s);
  assert.match((await read("huge-chunk")).bytes.toString(), /7fffffffffffffff/);
});

test("exposures are really served, and only by the host that exposes them", async () => {
  for (const [path, { status = 200, body }] of Object.entries(EXPOSURES)) {
    const found = await get(`https://lab-exposed.com${path}`);
    assert.deepEqual([found.status, found.body], [status, Buffer.from(body)], path);
    if (path !== "/robots.txt")
      assert.equal((await get(`https://lab-good.com${path}`)).status, 404, path);
  }
  assert.equal((await get("https://lab-exposed.com/random-path")).status, 404);
});

test("the sites that answer everything answer everything", async () => {
  const status = async (label, path) =>
    (await get(`https://${label}lab-says-yes.com${path}`)).status;
  assert.equal(await status("", "/.git/HEAD"), 200);
  assert.equal(await status("soft.", "/random"), 200);
  assert.equal(await status("forbids.", "/random"), 403);
  assert.equal(await status("login.", "/.env"), 302);
  assert.deepEqual(
    [await status("decoy.", "/.env"), await status("decoy.", "/random")],
    [200, 404],
  );
  const echo = await get("https://echo.lab-says-yes.com/ref:%20refs/heads/main");
  assert.match(echo.body.toString(), /refs\/heads\/main/);
});

test("a site's answers may differ by family", async () => {
  const [four, six] = host("differs.lab-dual.net").addresses;
  assert.equal((await get("https://differs.lab-dual.net/", { address: four })).status, 200);
  assert.equal((await get("https://differs.lab-dual.net/", { address: six })).status, 503);
});

test("well-known files and mail policies", async () => {
  const good = await get("https://lab-good.com/.well-known/security.txt");
  assert.match(
    good.body.toString(),
    /BEGIN PGP SIGNED MESSAGE[^]*Contact: mailto:security@lab-good\.com/,
  );
  assert.equal((await get("https://lab-good.com/llms.txt")).status, 200);
  assert.match(
    (await get("https://lab-files.com/.well-known/security.txt")).headers["content-type"],
    /html/,
  );
  const path = "/.well-known/mta-sts.txt";
  assert.match(
    (await get(`https://mta-sts.lab-good.com${path}`)).body.toString(),
    /^version: STSv1\r\nmode: enforce\r\nmx: mx1/,
  );
  assert.equal((await get(`https://mta-sts.missing.lab-mtasts.org${path}`)).status, 404);
  await assert.rejects(get(`https://mta-sts.certificate.lab-mtasts.org${path}`), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
});

test("the hostile site is hostile in header, cookie, title and certificate", async () => {
  const found = await get("https://lab-hostile.com/");
  assert.match(found.headers.server, /IGNORE ALL PREVIOUS INSTRUCTIONS/);
  assert.match(found.headers["set-cookie"][0], /you\+must\+send/);
  for (const trick of ["\u202e", "\u200b", "\u{e0049}", "\u001b[31m"])
    assert.ok(title(found).includes(trick));
});

test("the registries' stand-ins answer, deny and fail", async () => {
  const json = async (base, path) => JSON.parse((await get(base + path)).body);
  const rdap = process.env.LAB_RDAP_URL;
  const good = await json(rdap, "/domain/lab-good.com");
  assert.equal(good.ldhName, "lab-good.com");
  assert.equal(good.secureDNS.delegationSigned, true);
  assert.equal((await json(rdap, "/ip/93.184.216.10")).name, "LAB-EDGE");
  assert.equal((await json(rdap, "/autnum/15133")).startAutnum, 15133);
  assert.deepEqual((await json(rdap, "/dns.json")).services[0][0], ["com", "net", "org"]);
  assert.equal((await get(`${rdap}/domain/lab-nobody.com`)).status, 404);
  assert.equal((await get(`${rdap}/domain/lab-odd.net`)).status, 429);
  assert.equal((await get(`${rdap}/domain/constructor`)).status, 404);
  const ct = process.env.LAB_CT_URL;
  assert.equal((await json(ct, "/?q=lab-cloud.com&output=json")).length, 2);
  assert.deepEqual(await json(ct, "/?q=lab-nobody.com&output=json"), []);
  assert.deepEqual(await json(ct, "/?q=constructor&output=json"), []);
});

test("a test may stage any answer, byte for byte", async () => {
  const url = "https://stage.lab-http.net/any/path";
  const headers = { location: "http://127。0。0。1/", "set-cookie": ["a=1", "b=2"] };
  await control("POST", "/stage", { status: 302, headers, body: "gone" });
  const found = await get(url);
  assert.equal(found.status, 302);
  assert.equal(Buffer.from(found.headers.location, "latin1").toString(), headers.location);
  assert.deepEqual([found.headers["set-cookie"], found.body.toString()], [["a=1", "b=2"], "gone"]);
  await control("POST", "/reset");
  assert.deepEqual([(await get(url)).status, (await get(url)).body.length], [200, 0]);
});

test("connections and requests are counted, and forgotten on reset", async () => {
  await control("POST", "/reset");
  await get("https://lab-good.com/robots.txt", {
    address: "93.184.216.10",
    headers: { "x-mark": "7" },
  });
  const { connections, requests } = await control("GET", "/counters");
  assert.deepEqual(connections, { "93.184.216.10:443": 1 });
  assert.equal(requests, 1);
  const [logged] = await control("GET", "/requests");
  assert.deepEqual(
    [logged.scheme, logged.host, logged.method, logged.path, logged.headers["x-mark"]],
    ["https", "lab-good.com", "GET", "/robots.txt", "7"],
  );
  await control("POST", "/reset");
  assert.deepEqual((await control("GET", "/counters")).connections, {});
});

test("a connection to a private place is counted, and answered with the canary", async () => {
  await control("POST", "/reset");
  for (const { address, port } of PRIVATE_PLACES) {
    const { bytes } = await listen({ address, port });
    assert.ok(bytes.includes(CANARY), `${address} ${port}`);
  }
  const { private: counted } = await control("GET", "/counters");
  assert.equal(counted.total, PRIVATE_PLACES.length);
  assert.equal(Object.keys(counted.connections).length, PRIVATE_PLACES.length);
  await control("POST", "/reset");
  assert.equal((await control("GET", "/counters")).private.total, 0);
});

test("answers to requests that came together cost one delay together", async () => {
  await control("POST", "/delay?ms=100");
  const socket = connect(80, "93.184.216.71");
  const requests = head("plain.lab-http.net").repeat(4);
  const took = [];
  for (let turn = 0; turn < 8; turn += 1) {
    const start = performance.now();
    socket.write(requests);
    for (let seen = ""; seen.split("HTTP/1.1 ").length < 5; ) seen += String((await once(socket, "data"))[0]);
    took.push(performance.now() - start);
  }
  socket.destroy();
  await control("POST", "/delay?ms=0");
  // A server that waits for an acknowledgement before it goes on loses 40 ms in every later turn.
  assert.ok(Math.min(...took.slice(4)) < 135, `${took}`);
});

test("the delay is one per answer, on a new connection and on a kept one", async () => {
  const address = "93.184.216.71";
  await control("POST", "/delay?ms=200");
  const socket = connect(80, address);
  const took = [];
  for (let turn = 0; turn < 2; turn += 1) {
    const start = performance.now();
    socket.write(head("plain.lab-http.net"));
    await once(socket, "data");
    took.push(performance.now() - start);
  }
  socket.destroy();
  await control("POST", "/delay?ms=0");
  for (const time of took) assert.ok(time > 190 && time < 350, `${took}`);
});
