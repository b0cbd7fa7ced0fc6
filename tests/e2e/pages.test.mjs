// The pages in a browser over the built Worker. Nothing here needs a network: the one
// analysis is of an address that is refused.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { Visitor, WIDTHS, launch, skip } from "./support/browser.mjs";
import { Worker } from "./support/worker.mjs";

/** Every page, by the name its screenshots get. */
const PAGES = {
  start: "/",
  refused: "/?target=http%3A%2F%2F169.254.169.254%2F",
  lookup: "/lookup",
  decode: "/decode",
  diff: "/diff",
  connect: "/connect",
  health: "/health",
  about: "/about",
  gone: "/r/aaaaaaaaaaaaaaaaaaaaaaaaaa",
};

const HOSTILE = `v=spf1 "'></textarea><script>alert(1)</script><img src=x onerror=alert(2)>`;

/** @type {Worker} */
let worker;
let browser;
before(async () => {
  if (skip) return;
  const BUDGETS = JSON.stringify({ analyze: { limit: 1000, seconds: 60 }, decode: { limit: 60, seconds: 120 } });
  [worker, browser] = await Promise.all([Worker.start({ vars: { BUDGETS } }), launch()]);
});
after(async () => {
  await browser?.close();
  await worker?.stop();
});

const visit = (options, body) => Visitor.visit(browser, worker.url, options, body);

test("every page is accessible and asks nobody else, in light and in dark", { skip }, async () => {
  for (const path of Object.values(PAGES)) {
    await visit({}, async (visitor) => {
      await visitor.open(path);
      await visitor.isAccessibleInLightAndDark();
    });
  }
});

test("every page fits its window from a phone to a wall, and is pictured", { skip }, async () => {
  for (const width of WIDTHS) {
    for (const [name, path] of Object.entries(PAGES)) {
      await visit({ width, theme: width === 1280 ? "light" : "dark" }, async (visitor) => {
        await visitor.open(path);
        await visitor.fitsItsWindow();
        await visitor.picture(`${name}-${width}`);
      });
    }
  }
});

test("every page says what it is without JavaScript, and a form still answers", { skip }, async () => {
  await visit({ javaScriptEnabled: false }, async (visitor, page) => {
    for (const path of Object.values(PAGES)) {
      await visitor.open(path);
      assert.notEqual((await page.locator("main").innerText()).trim(), "", path);
      assert.equal(await page.locator("button:visible:not([disabled])", { hasText: "Copy" }).count(), 0, path);
    }
    await visitor.open("/decode");
    await page.fill("#text", "v=spf1 ptr -all");
    await page.click("text=Decode >> visible=true >> nth=-1");
    await page.waitForSelector("#decoded-title");
    assert.equal(await page.locator(".marked mark").first().innerText(), "ptr");
  });
});

test("a refused target is a page with its reason, and nothing else of a report", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    assert.equal(await visitor.open(PAGES.refused), 403);
    const notice = await page.locator("[role=alert]").innerText();
    assert.match(notice, /target_refused/);
    assert.equal(await page.inputValue("#target"), "http://169.254.169.254/");
    assert.equal(await page.locator(".report").count(), 0);
  });
});

test("a refusal on the start page keeps the text and says the reason and what is left", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/");
    await visitor.type("http://169.254.169.254/");
    await page.keyboard.press("Enter");
    await page.locator(".notice", { hasText: "This target is not probed" }).waitFor();
    assert.match(await page.locator(".notice").innerText(), /target_refused · reason address/);
    assert.match(await page.locator("#ask-note").innerText(), /of 1000 analyze calls left/);
    assert.equal(await page.inputValue("#target"), "http://169.254.169.254/");
    await visitor.isAccessible();
  });
});

test("the keyboard reaches the field, the list of keys and the theme", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/connect");
    await page.keyboard.press("?");
    assert.ok(await page.locator("#keys").isVisible());
    await page.keyboard.press("Escape");
    assert.ok(await page.locator("#keys").isHidden());
    await visitor.open("/");
    await page.locator("main").focus();
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "target");
    await page.keyboard.type("/t?");
    assert.equal(await page.inputValue("#target"), "/t?");
    await page.keyboard.press("Escape");
    await page.keyboard.press("t");
    const scheme = () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
    assert.equal(await scheme(), "dark");
    await page.reload();
    assert.equal(await scheme(), "dark");
  });
});

test("the first Tab leads past the navigation", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/about");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.innerText), "Skip to content");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  });
});

test("problems are underlined while one types, and hostile text stays text", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/decode");
    await page.locator("#text").pressSequentially(`${HOSTILE} ptr`);
    await page.waitForSelector(".under mark");
    const under = await page.locator(".under").innerText();
    assert.equal(under.trim(), `${HOSTILE} ptr`);
    assert.equal(await page.locator("#decoded script, #decoded img, .under img").count(), 0);
    await page.fill("#text", "");
    await page.waitForFunction(() => document.querySelector("#decoded").childElementCount === 0);
  });
});

test("what a text says, what is wrong with it and what cannot be read are accessible, in light and in dark", { skip }, async () => {
  for (const [kind, text] of [["auto", `${HOSTILE} ptr`], ["jwt", "not a token"], ["csp", "script-src 'unsafe-inline'; img-src"]]) {
    await visit({}, async (visitor, page) => {
      if (kind !== "auto") await visitor.withoutScripts();
      await visitor.open("/decode");
      await page.fill("#text", text);
      await page.selectOption("#kind", kind);
      await page.click("#decode button");
      await page.locator("#decoded > *").first().waitFor();
      await visitor.isAccessibleInLightAndDark();
    });
  }
});

test("a spent budget counts down and can then be tried again", { skip }, async () => {
  const other = await Worker.start({ vars: { BUDGETS: '{"analyze":{"limit":1,"seconds":3}}' } });
  try {
    const visitor = await Visitor.of(browser, other.url);
    const { page } = visitor;
    assert.equal(await visitor.open(PAGES.refused), 403);
    assert.equal(await visitor.open(PAGES.refused), 429);
    const button = page.locator(".notice button");
    assert.match(await button.innerText(), /^Again in [123] s$/);
    assert.ok(await button.isDisabled());
    await button.getByText("Try again").waitFor();
    const answer = page.waitForResponse((response) => response.url().includes("target="));
    await button.click();
    assert.equal((await answer).status(), 403);
    // The same from the field, where no page is left.
    await visitor.open("/");
    await page.fill("#target", "http://169.254.169.254/");
    // However slow this machine is just now, one of two calls in a row is one too many.
    const waiting = page.locator(".notice button", { hasText: "Again in" });
    for (let tries = 0; tries < 5 && (await waiting.count()) === 0; tries += 1) {
      await page.locator("#target").press("Enter");
      await page.locator(".notice").waitFor();
    }
    assert.ok((await waiting.count()) === 1);
    await page.locator(".notice button", { hasText: "Try again" }).click();
    await page.locator(".notice", { hasText: "target_refused" }).waitFor();
    await visitor.leave();
  } finally {
    await other.stop();
  }
});

test("the raw call shows what MCP answers, headers and all", { skip }, async () => {
  await visit({}, async (visitor, page) => {
    await visitor.open("/connect");
    await page.click("#trial button");
    const shown = await page.locator("#trial-answer pre").innerText();
    assert.match(shown, /^HTTP 200\n/);
    assert.match(shown, /ratelimit-policy: "decode";q=60;w=120/);
    assert.match(shown, /"kind": "dmarc"/);
    await page.selectOption("#trial-pick", { label: "list the tools" });
    await page.click("#trial button");
    await page.locator("#trial-answer", { hasText: "outputSchema" }).waitFor();
  });
});

test("a line is copied as it stands", { skip }, async () => {
  await visit({ permissions: ["clipboard-write"] }, async (visitor, page) => {
    await visitor.open("/connect");
    await page.locator(".address button").click();
    await page.locator(".address button", { hasText: "Copied" }).waitFor();
    await page.fill("#trial-body", "");
    await page.focus("#trial-body");
    await page.keyboard.press("Control+V");
    assert.equal(await page.inputValue("#trial-body"), `${worker.url}/mcp`);
  });
});

test("a page is painted about as soon as a bare static one", { skip }, async (t) => {
  // Of the same opener policy: for one, a browser that comes from elsewhere starts a process.
  const bare = createServer((_, response) => {
    response.setHeader("cross-origin-opener-policy", "same-origin");
    response.setHeader("content-type", "text/html").end("<!doctype html><title>bare</title><h1>bare</h1>");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => bare.on("listening", resolve));
  const paint = async (url) => {
    const times = [];
    for (let n = 0; n < 5; n += 1) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      times.push(await page.evaluate(() => new Promise((resolve) => {
        new PerformanceObserver((list) => resolve(list.getEntriesByName("first-contentful-paint")[0].startTime))
          .observe({ type: "paint", buffered: true });
      })));
      await context.close();
    }
    return times.sort((a, b) => a - b)[2];
  };
  const [ours, theirs] = [await paint(`${worker.url}/`), await paint(`http://127.0.0.1:${bare.address().port}/`)];
  bare.close();
  await visit({}, async (visitor, page) => {
    await visitor.open("/");
    const held = () => performance.getEntriesByType("resource").filter((entry) => entry.renderBlockingStatus === "blocking");
    assert.deepEqual(await page.evaluate(`(${held})().map(({ name }) => name)`), [], "nothing but the page itself holds back a paint");
  });
  t.diagnostic(`first contentful paint, median of five: ${ours.toFixed(0)} ms, a bare page ${theirs.toFixed(0)} ms`);
  assert.ok(ours < 2_500, `${ours} ms`);
});
