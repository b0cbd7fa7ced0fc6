// The pages in a browser, over the built Worker, about hosts of the lab: an analysis that
// grows, a report walked by keyboard, a host that is hostile in everything it says.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Visitor, WIDTHS, launch, skip } from "../support/browser.mjs";
import { Worker } from "../support/worker.mjs";

const BUDGETS = JSON.stringify({
  analyze: { limit: 100, seconds: 60 },
  target: { limit: 100, seconds: 60 },
});

/** @type {Worker} */
let worker;
let browser;
/** Paths of reports that the tests share, by host. */
const reports = {};
before(async () => {
  if (skip) return;
  [worker, browser] = await Promise.all([Worker.start({ vars: { BUDGETS } }), launch()]);
  for (const host of ["lab-good.com", "lab-bare.com", "lab-hostile.com", "lab-exposed.com"]) {
    const { id } = await (await fetch(`${worker.url}/api/analyze?target=${host}`)).json();
    reports[host] = `/r/${id}`;
  }
});
after(async () => {
  await browser?.close();
  await worker?.stop();
});

const visit = (options, body) => Visitor.visit(browser, worker.url, options, body);

/** Holds back every upstream answer of the lab by so much. */
async function delayed(ms, body) {
  const set = (ms) => fetch(`${process.env.LAB_CONTROL_URL}/delay?ms=${ms}`, { method: "POST" });
  await set(ms);
  try {
    await body();
  } finally {
    await set(0);
  }
}

/** Server-sent events with the time at which each was read. */
async function events(response) {
  const seen = [];
  let rest = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [, name, data] = block.match(/^event: (.+)\ndata: (.+)$/);
      seen.push({ name, data: JSON.parse(data), at: performance.now() });
    }
  }
  return seen;
}

test("parts arrive while the rest is still asked for, and the end is the plain answer", { skip }, async () => {
  await delayed(60, async () => {
    const response = await fetch(`${worker.url}/api/analyze`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ target: "lab-good.com" }),
    });
    assert.match(response.headers.get("ratelimit"), /^"analyze";r=\d+/);
    const seen = await events(response);
    const end = seen.at(-1);
    assert.equal(end.name, "result");
    assert.equal(end.data.target.host, "lab-good.com");
    const done = seen.filter(({ name, data }) => name === "progress" && data.state !== "waiting");
    const ids = done.map(({ data }) => data.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.indexOf("addresses") < ids.indexOf("tls"), ids.join());
    assert.deepEqual(done.filter(({ data }) => data.state !== "done").map(({ data }) => data.id), []);
    // The addresses are one answer away, the end several: they must not have waited for it.
    assert.ok(end.at - done[0].at >= 60, `${done[0].data.id} came ${end.at - done[0].at} ms before the end`);
  });
});

test("typing a host and Enter leads to a report that grew part by part", { skip }, async () => {
  await delayed(250, () => visit({}, async (visitor, page) => {
    await visitor.open("/");
    await visitor.type("lab-good.com");
    await page.keyboard.press("Enter");
    await page.waitForSelector(".part.done");
    assert.equal(await page.locator(".report").count(), 0);
    await page.waitForURL(/\/r\/\w{26}$/);
    assert.equal(await page.locator("h1").innerText(), "lab-good.com");
    assert.ok((await page.locator(".part.done").count()) >= 6);
    const waiting = page.locator(".part.waiting:visible");
    assert.equal(await waiting.count(), 0, (await waiting.allInnerTexts()).join());
    assert.match(await page.locator("#ask-note").innerText(), /of 100 analyze calls left/);
  }));
});

/** Reports, results, errors and refusals, as paths. */
const STATES = () => [
  ...Object.values(reports),
  `/diff?before=${reports["lab-good.com"].slice(3)}&after=${reports["lab-bare.com"].slice(3)}`,
  `/diff?before=${reports["lab-good.com"].slice(3)}&after=${"a".repeat(26)}`,
  "/diff?before=10.0.0.1&after=lab-good.com",
  "/lookup?name=lab-good.com&records=A,MX,TXT,SOA,DNSKEY,RDAP,ASN",
  "/lookup?name=lab-hostile.com&records=TXT,PTR,MX",
  "/lookup?name=10.0.0.1",
  "/lookup?name=http://",
  "/?target=refused.lab-tls.net",
  "/?target=lab-optout.org",
  "/?target=nobody.lab-good.com",
];

test("reports and results are accessible with all of it open, errors and refusals too, in light and in dark", { skip }, async () => {
  for (const path of STATES()) {
    await visit({}, async (visitor, page) => {
      await visitor.open(path);
      await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
      await visitor.isAccessibleInLightAndDark();
    });
  }
});

test("reports and results are accessible without what scripts add", { skip }, async () => {
  for (const path of [reports["lab-bare.com"], "/lookup?name=lab-good.com", "/?target=refused.lab-tls.net"]) {
    await visit({ width: 360 }, async (visitor) => {
      await visitor.withoutScripts();
      await visitor.open(path);
      await visitor.isAccessible();
    });
  }
});

test("a report fits its window from a phone to a wall, and is pictured", { skip }, async () => {
  const pages = {
    report: reports["lab-bare.com"],
    hostile: reports["lab-hostile.com"],
    diff: `/diff?before=${reports["lab-good.com"].slice(3)}&after=${reports["lab-bare.com"].slice(3)}`,
    lookup: "/lookup?name=lab-good.com",
  };
  for (const width of WIDTHS) {
    for (const [name, path] of Object.entries(pages)) {
      await visit({ width, theme: width === 1280 ? "light" : "dark" }, async (visitor) => {
        assert.equal(await visitor.open(path), 200);
        await visitor.fitsItsWindow();
        await visitor.picture(`lab-${name}-${width}`);
      });
    }
  }
});

test("findings are walked, opened and followed to their evidence by keyboard", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open(reports["lab-bare.com"]);
    const focused = () => page.evaluate(() => document.activeElement.closest(".finding")?.id);
    await page.keyboard.press("j");
    const first = await focused();
    await page.keyboard.press("j");
    assert.notEqual(await focused(), first);
    await page.keyboard.press("k");
    assert.equal(await focused(), first);
    await page.keyboard.press("Enter");
    assert.ok(await page.locator(".finding[open]").isVisible());
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    const target = page.locator(":target");
    assert.match(await target.getAttribute("id"), /^\/probes\//);
    assert.ok(await target.isVisible());
  });
});

test("what asks for action stands first, gravest first", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open(reports["lab-bare.com"]);
    const GRAVITY = ["high", "medium", "low", "info"];
    const ranks = await page.locator(".group.fail .severity").allInnerTexts();
    const order = ranks.map((rank) => GRAVITY.indexOf(rank));
    assert.deepEqual(order, order.toSorted((a, b) => a - b));
    const groups = await page.locator(".group").evaluateAll((all) => all.map(({ id }) => id));
    assert.equal(groups[0], "group-fail");
  });
});

test("a host that is hostile in everything it says runs nothing and bends nothing", { skip }, async () => {
  await visit({ width: 360 }, async (visitor, page) => {
    await visitor.open(reports["lab-hostile.com"]);
    await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
    const main = page.locator("main");
    assert.match(await main.innerText(), /<script>/);
    assert.equal(await main.locator("script, img, iframe, style, link, object, embed, base, meta").count(), 0);
    const strangers = await main.locator("*").evaluateAll((all) =>
      all.flatMap((element) => element.getAttributeNames()).filter((name) => name.startsWith("on") || name === "style"));
    assert.deepEqual(strangers, []);
    const links = await main.locator("a").evaluateAll((all) => all.map(({ protocol }) => protocol));
    assert.deepEqual(links.filter((protocol) => !["http:", "https:"].includes(protocol)), []);
    await visitor.fitsItsWindow();
  });
});

test("a report needs no script, and its exports are files", { skip }, async () => {
  await visit({ javaScriptEnabled: false }, async (visitor, page) => {
    await visitor.open(reports["lab-good.com"]);
    assert.match(await page.locator(".verdict .facts").innerText(), /Kept until\s+\d+ \w{3} \d{4}/);
    assert.ok((await page.locator(".chain > li").count()) >= 3);
    assert.ok(await page.locator(".hops > li").first().isVisible());
    assert.ok(await page.locator(".zone .type").first().isVisible());
    assert.match(await page.locator(".grade").innerText(), /^[A-F][+-]?$/);
    assert.ok((await page.locator(".score tbody tr").count()) > 5);
    for (const [name, extension] of [["JSON", "json"], ["CSV", "csv"], ["Markdown", "md"]]) {
      const download = page.waitForEvent("download");
      await page.click(`.exports >> text=${name}`);
      assert.match((await download).suggestedFilename(), new RegExp(`lab-good\\.com\\.${extension}$`));
    }
    await visitor.open("/?target=lab-good.com");
    assert.ok(await page.locator(".report").isVisible());
  });
});

test("an earlier report of this browser is offered for comparison, and told apart in sentences", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open(reports["lab-good.com"]);
    await visitor.open("/?target=lab-good.com");
    await page.click("#compare");
    await page.waitForURL(/\/diff\?before=\w{26}&after=\w{26}$/);
    await page.locator("#result-title").waitFor();
    await visitor.open("/diff?before=lab-good.com&after=lab-bare.com");
    assert.match(page.url(), /\/diff\?before=\w{26}&after=\w{26}$/);
    assert.ok((await page.locator(".sentences li").count()) > 0);
  });
});

test("a name without a public address ends in a refusal that says no more than that", { skip }, async () => {
  const rows = [];
  for (const name of ["nobody.lab-good.com", "ten.lab-private.net"]) {
    await visit({}, async (visitor, page) => {
      await visitor.open(`/?target=${name}`);
      assert.equal(await page.locator("h1").innerText(), "This target is not probed");
      assert.match(await page.locator(".notice").innerText(), /reason resolution/);
      const shown = await page.locator(".part:visible").allInnerTexts();
      rows.push(shown.map((row) => row.replace(/\d+ ms/, "")).join("|"));
    });
  }
  assert.equal(rows[0], rows[1]);
});

test("a host that is down is told part by part, each with a way to ask again", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/?target=refused.lab-tls.net");
    assert.equal(await page.locator("h1").innerText(), "refused.lab-tls.net");
    const retry = page.locator(".part.is-https.failed a");
    assert.equal(await retry.getAttribute("href"), "/?target=refused.lab-tls.net");
    assert.equal(await page.locator(".part.is-mail.done .note").textContent(), "takes no mail");
    await visitor.isAccessible();
  });
});

test("a part that failed is asked for again: its row runs, the others keep what they said", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/?target=refused.lab-tls.net");
    const others = () => page.locator(".part:not(.is-https, .waiting) :is(.what, .note, .ms)").allTextContents();
    const before = await others();
    await delayed(250, async () => {
      const asked = page.waitForRequest("**/api/analyze");
      await page.locator(".part.is-https.failed a").click();
      await page.locator(".part.is-https", { hasText: "asking again" }).waitFor();
      assert.deepEqual(await others(), before);
      assert.equal(await page.locator(".part.is-https:visible").count(), 1);
      assert.ok(await page.locator(".part.is-https:focus").isVisible());
      assert.deepEqual((await asked).postDataJSON(), { target: "refused.lab-tls.net" });
      assert.ok(await page.locator(".report").isVisible());
      await page.waitForURL(/\/r\/\w{26}$/);
    });
    assert.match(await page.locator(".part.is-https").innerText(), /failed: .*Ask again/s);
  });
});

test("a part that may not be asked for again yet gets its row back, and a countdown", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/?target=refused.lab-tls.net");
    const row = page.locator(".part.is-https:visible");
    const before = await row.innerText();
    const limited = { error: "rate_limited", message: "Enough.", retryAfter: 1 };
    await page.route("**/api/analyze", (route) => route.fulfill({ status: 429, json: limited }), { times: 1 });
    await row.locator("a").click();
    await page.locator(".notice", { hasText: "Enough for the moment" }).waitFor();
    assert.equal(await row.innerText(), before);
    assert.ok(await row.locator("a:focus").isVisible());
    await page.locator(".notice button", { hasText: "Try again" }).click();
    await page.waitForURL(/\/r\/\w{26}$/);
  });
});

test("all that the longest report loads stays under 60 KB compressed", { skip }, async (t) => {
  await visit({}, async (visitor, page) => {
    const bodies = [];
    page.on("response", (response) => bodies.push(response.body().catch(() => Buffer.alloc(0))));
    await visitor.open(reports["lab-bare.com"]);
    const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body).length);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    t.diagnostic(`${total} bytes in ${sizes.length} answers, compressed`);
    assert.ok(sizes.length >= 2 && total < 60_000, `${total} bytes`);
  });
});

test("a finding is copied by key, by button with its tool named, and as JSON", { skip }, async () => {
  await visit({ permissions: ["clipboard-write"] }, async (visitor, page) => {
    await visitor.open(reports["lab-bare.com"]);
    const copied = async () => {
      await page.locator("#target").evaluate((field) => (field.removeAttribute("maxlength"), (field.value = "")));
      await page.locator("#target").press("Control+V");
      return page.inputValue("#target");
    };
    await page.keyboard.press("j");
    await page.keyboard.press("c");
    const id = (await page.locator(".finding", { has: page.locator("summary:focus") }).getAttribute("id")).slice("finding-".length);
    const finding = page.locator(`[id="finding-${id}"]`);
    await finding.locator(".copy button", { hasText: "Copied" }).waitFor({ state: "attached" });
    assert.equal(await copied(), await finding.locator(".copy code").first().textContent());
    await finding.locator("summary").press("Enter");
    await finding.locator(".copy button", { hasText: /^Copy (dig|curl|openssl)$/ }).first().waitFor();
    await finding.getByText("Copy JSON").click();
    await finding.getByText("Copied").waitFor();
    assert.equal(JSON.parse(await copied()).id, id);
    await page.locator("#probe-tls").getByText("Copy JSON").click();
    await page.locator("#probe-tls").getByText("Copied").waitFor();
    assert.ok(JSON.parse(await copied()).handshakes);
  });
});

/** Commands that ask somebody outside the lab. */
const OUTSIDE = /cloudflare-dns\.com|rdap\.org|crt\.sh|hstspreload\.org/;

test("every finding offers commands that a shell takes as they stand, and that run", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    for (const host of ["lab-good.com", "lab-hostile.com"]) {
      await visitor.open(reports[host]);
      const offered = await page.locator(".finding").evaluateAll((all) =>
        all.map((finding) => [finding.id, [...finding.querySelectorAll(".copy code")].map((code) => code.textContent)]));
      assert.deepEqual(offered.filter(([, lines]) => lines.length === 0), []);
      const lines = [...new Set(offered.flatMap(([, lines]) => lines))];
      assert.ok(lines.length > 40, `${lines.length} commands`);
      const env = { ...process.env, CURL_CA_BUNDLE: process.env.LAB_CA_PEM, SSL_CERT_FILE: process.env.LAB_CA_PEM };
      for (const line of lines) {
        assert.equal(spawnSync("bash", ["-n", "-c", line]).status, 0, line);
        if (OUTSIDE.test(line)) continue;
        const { stderr, error } = spawnSync("bash", ["-c", line], { env, encoding: "utf8", timeout: 20_000 });
        assert.equal(error, undefined, line);
        assert.doesNotMatch(stderr, /command not found|unknown option|is unknown|Usage|Invalid option|syntax error/i, line);
      }
    }
  });
});
