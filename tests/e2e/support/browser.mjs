// A real browser for tests of the pages: Debian's Chromium, or what CHROMIUM names.
// Whoever has none skips these tests by name.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const FOUND = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = FOUND.find((path) => path && existsSync(path));

/** Why the tests that need a browser are skipped, or false. */
export const skip = executablePath ? false : "there is no Chromium; install it or set CHROMIUM";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SCREENSHOTS = fileURLToPath(new URL("../../.out/", import.meta.url));

/** The widths at which screenshots are taken. */
export const WIDTHS = [360, 1280, 3840];

/** Starts the browser. */
export function launch() {
  // The sandbox needs namespaces of its own, which root has no use for here.
  return chromium.launch({ executablePath, chromiumSandbox: process.getuid?.() !== 0 });
}

/** One visitor: a page, and everything about it that should never happen. */
export class Visitor {
  #wrong = [];

  static async of(browser, url, { width = 1280, theme = "light", ...options } = {}) {
    const visitor = new Visitor();
    visitor.url = url;
    visitor.context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme: theme,
      reducedMotion: "reduce",
      ...options,
    });
    visitor.page = await visitor.context.newPage();
    visitor.#watch();
    return visitor;
  }

  /** A visit of `browser` to `url` that ends with nothing wrong. */
  static async visit(browser, url, options, body) {
    const visitor = await Visitor.of(browser, url, options);
    await body(visitor, visitor.page);
    await visitor.leave();
  }

  #watch() {
    const { page } = this;
    const wrong = (what) => this.#wrong.push(what);
    page.on("pageerror", (error) => wrong(`script: ${error.message}`));
    page.on("dialog", (dialog) => (wrong(`dialog: ${dialog.message()}`), dialog.dismiss()));
    page.on("console", (message) => {
      // A status of 400 and above is written to the console by the browser itself.
      const isStatus = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !isStatus) wrong(`console: ${message.text()}`);
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(this.url)) wrong(`request to ${request.url()}`);
    });
  }

  /** Opens a path and answers the status. */
  async open(path) {
    const response = await this.page.goto(this.url + path);
    return response.status();
  }

  /** Types where a person would begin: in the field that the page itself puts the caret into. */
  async type(text) {
    await this.page.waitForSelector("input[autofocus]:focus");
    await this.page.keyboard.type(text);
  }

  /** From now on pages come without what scripts add. (Where scripts are switched off, axe
      itself would not run.) */
  async withoutScripts() {
    await this.page.route("**/assets/*.js", (route) => route.fulfill({ contentType: "text/javascript", body: "" }));
  }

  /** Leaves; fails when a script failed, a policy was broken or somebody else was asked. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.#wrong, []);
  }

  /** Every rule of WCAG 2.2 AA that axe can judge, and its best practices. */
  async isAccessible() {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    await this.#obeys({ type: "tag", values: tags });
  }

  /** The same in light and in dark; of its rules only those about colour can tell the two apart. */
  async isAccessibleInLightAndDark() {
    const ink = () => this.page.evaluate(() => getComputedStyle(document.body).color);
    await this.isAccessible();
    const light = await ink();
    await this.page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await ink(), light, "there is a dark theme");
    await this.#obeys({ type: "rule", values: ["color-contrast", "link-in-text-block"] });
  }

  async #obeys(runOnly) {
    await this.page.evaluate(AXE);
    const violations = await this.page.evaluate(async (runOnly) => {
      const { violations } = await globalThis.axe.run(document, { runOnly });
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
    }, runOnly);
    assert.deepEqual(violations, []);
  }

  /** Nothing sticks out to the right. */
  async fitsItsWindow() {
    const over = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${this.page.url()} is ${over} pixels too wide`);
  }

  /** Keeps a picture for people to look at. */
  async picture(name) {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }
}
