// What JavaScript adds to pages that are whole without it. No markup is ever
// made from a string here: text enters the page as text nodes only, and the
// policy of the pages (Trusted Types) would refuse anything else.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/** An element with attributes and children; a string child is a text node. */
function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** Tells screen readers what changed. */
function say(text) {
  $("#said").textContent = text;
}

/** Storage of this browser only; it may be full or forbidden. */
const store = {
  read(key, fallback, where = localStorage) {
    try {
      return JSON.parse(where.getItem(key)) ?? fallback;
    } catch {
      return fallback;
    }
  },
  write(key, value, where = localStorage) {
    try {
      where.setItem(key, typeof value === "string" ? value : JSON.stringify(value));
    } catch {
      // Then it is forgotten with the page.
    }
  },
};

// --- Theme -------------------------------------------------------------------

function theme() {
  const button = $("#theme-button");
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const show = () => button.setAttribute("aria-pressed", dark());
  button.addEventListener("click", () => {
    root.dataset.theme = dark() ? "light" : "dark";
    store.write("theme", root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
  button.hidden = false;
}

// --- Copying -----------------------------------------------------------------

function copying() {
  for (const box of $$(".copy")) {
    // A command is named: what one copies is a dig, a curl or an openssl line.
    const [tool] = $("code", box).textContent.match(/\b(dig|curl|openssl)\b(?= )/) ?? [];
    const button = el("button", { type: "button" }, tool ? `Copy ${tool}` : "Copy");
    button.addEventListener("click", () => copy(button, $("code", box).textContent, $("code", box)));
    box.append(button);
  }
  values();
}

/** Puts text, or text that is still on its way, on the clipboard, and says so on the button.
    What may not be copied is selected, where there is something to select. */
async function copy(button, text, shown) {
  const label = button.textContent;
  let done = "Copied";
  try {
    const plain = Promise.resolve(text).then((text) => new Blob([text], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": plain })]);
  } catch {
    if (shown) getSelection().selectAllChildren(shown);
    done = shown ? "Selected" : "Not copied";
  }
  button.textContent = done;
  say(done);
  setTimeout(() => (button.textContent = label), 1600);
}

/** A stored report's findings and measurements are copied as the JSON they are. */
function values() {
  const id = $("[data-report]")?.dataset.report;
  if (!id) return;
  let asked;
  const report = () => (asked ??= fetch(`/api/report/${id}`).then((response) => response.json()));
  const offer = (place, what, pick) => {
    const button = el("button", { type: "button", class: "values" }, "Copy JSON", el("span", { class: "unseen" }, ` of ${what}`));
    button.addEventListener("click", () => copy(button, report().then((all) => JSON.stringify(pick(all), null, 2))));
    place.append(button);
  };
  for (const header of $$(".probe > header")) {
    const name = header.parentElement.id.slice("probe-".length);
    offer(header, name, (all) => (name === "score" ? all.headerScore : all.probes[name]));
  }
  for (const finding of $$(".finding")) {
    const name = finding.id.slice("finding-".length);
    offer($(".last", finding), name, (all) => all.findings.find(({ id }) => id === name));
  }
}

// --- Times -------------------------------------------------------------------

function times() {
  const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of $$("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = time.textContent;
    time.textContent = local.format(at);
  }
}

// --- Running -----------------------------------------------------------------

/** While the next page is on its way, this one says so and counts. */
function running() {
  for (const form of $$("form[data-run]:not([data-run=analyze])")) {
    form.addEventListener("submit", () => {
      const button = $("button", form);
      const started = performance.now();
      const elapsed = el("span", { class: "elapsed" }, "0.0 s");
      const what = $("[name=name], [name=before]", form)?.value ?? "";
      const box = el("section", { class: "running", id: "running" },
        el("p", {}, `Asking about ${what} `, elapsed),
        el("div", { class: "sweep" }));
      $("#running")?.remove();
      form.after(box);
      say("Running");
      button.disabled = true;
      const timer = setInterval(() => {
        elapsed.textContent = `${((performance.now() - started) / 1000).toFixed(1)} s`;
      }, 100);
      addEventListener("pageshow", () => {
        clearInterval(timer);
        box.remove();
        button.disabled = false;
      }, { once: true });
    });
  }
}

// --- Watching an analysis ----------------------------------------------------

/** Without scripts the form leads to a page that grows as HTML. With them its parts come
    as events, and the page that opens at the end is the one to send to others. */
function watching() {
  for (const form of $$("form[data-run=analyze]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      whole(form);
    });
  }
  addEventListener("click", (event) => {
    const link = event.target.closest(".part a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    anew(link);
  });
  const ran = store.read("ran", null, sessionStorage);
  const report = $(".report");
  if (!ran || ran.id !== report?.dataset.report) return;
  const box = frame("");
  for (const part of ran.parts) show(box, part);
  report.before(box);
  if (ran.left) $("#ask-note").textContent = ran.left;
}

/** Asks for everything. */
function whole(form) {
  const target = $("[name=target]", form).value;
  const button = $("button", form);
  const box = frame(target);
  for (const old of $$("main .progress, main .notice")) old.remove();
  (form.closest(".again, .hero, .actions") ?? form).after(box);
  button.disabled = true;
  addEventListener("pageshow", () => ((button.disabled = false), box.remove()), { once: true });
  watch(target, (part) => show(box, part), (error) => {
    button.disabled = false;
    ended(box, error, () => form.requestSubmit());
  });
}

/** Asks for one part again. A report is one measurement at one time, so the call is a whole
    one; but only this row runs, and the others keep what they say until the new report opens. */
function anew(link) {
  const box = link.closest(".progress");
  if (box.classList.contains("busy")) return;
  box.classList.add("busy");
  for (const old of $$("main .notice")) old.remove();
  const target = new URL(link.href).searchParams.get("target");
  const before = link.closest(".part");
  const id = before.className.match(/is-\w+/)[0];
  const row = $(`.${id}`, frame(target));
  for (const hidden of $$(`.${id}.waiting`, box)) hidden.remove();
  row.classList.add("anew");
  $(".note", row).textContent = "asking again …";
  before.replaceWith(row);
  row.tabIndex = -1;
  row.focus();
  say("Asking again");
  const back = () => {
    row.replaceWith(before);
    box.classList.remove("busy");
  };
  addEventListener("pageshow", back, { once: true });
  watch(target, (part) => `is-${part.id}` === id && show(box, part), (error) => {
    back();
    $("a", before).focus();
    ended(box, error, () => anew(link));
  });
}

/** Hands each part of an analysis to `tell`, and opens its report; where there is none, `fail`
    learns why. */
async function watch(target, tell, fail) {
  try {
    const response = await fetch("/api/analyze", {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ target }),
    });
    const left = budget(response.headers);
    if (left) $("#ask-note").textContent = left;
    if (!response.ok) return fail(await response.json());
    const parts = [];
    for await (const [name, data] of events(response.body)) {
      if (name === "progress") {
        tell(data);
        if (data.state !== "waiting") parts.push(data);
      } else if (name === "error") {
        return fail(data);
      } else if (data.id) {
        store.write("ran", { id: data.id, parts, left }, sessionStorage);
        return location.assign(`/r/${data.id}`);
      } else {
        fail({ message: "The report could not be kept, so it is shown as it came." });
        return $("main .notice").after(el("pre", { tabindex: "0" }, JSON.stringify(data, null, 2)));
      }
    }
    fail(BROKEN);
  } catch {
    fail(BROKEN);
  }
}

const BROKEN = { message: "The connection broke off; the analysis may have ended all the same." };

/** The server's own list of parts, every one waiting. */
function frame(target) {
  const box = document.importNode($("#progress-template").content, true).firstElementChild;
  $("#progress-title b", box).textContent = target;
  return box;
}

const SIGNS = { done: "pass", skipped: "not_applicable", failed: "inconclusive", unfinished: "inconclusive" };

/** A part as it stands now. */
function show(box, { id, state, ms, note }) {
  const row = $(`.is-${id}`, box);
  if (!row || state === "waiting") return;
  row.classList.replace("waiting", state);
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("class", `icon ${SIGNS[state]}`);
  icon.setAttribute("aria-hidden", "true");
  icon.append(document.createElementNS("http://www.w3.org/2000/svg", "use"));
  icon.firstChild.setAttribute("href", `#i-${SIGNS[state]}`);
  $(".pending", row).replaceWith(icon);
  const said = state === "unfinished" ? "no answer in time" : note;
  $(".note", row).textContent = state === "done" ? said : `${state}: ${said}`;
  row.append(el("span", { class: "ms" }, ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`));
  if (!row.classList.contains("anew")) row.parentElement.append(row, ...$$(".waiting", row.parentElement));
  if (state === "failed" || state === "unfinished") {
    const target = $("#progress-title b", box).textContent || $("[data-host]")?.dataset.host || "";
    const name = $(".what", row).textContent;
    row.append(el("a", { href: `/?${new URLSearchParams({ target })}` }, "Ask again", el("span", { class: "unseen" }, ` for ${name}`)));
  }
}

/** Server-sent events of a body, as pairs of name and data. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = "", step; !(step = await reader.read()).done; ) {
    const blocks = (rest + step.value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const [name, data] = block.split("\n");
      yield [name.slice("event: ".length), JSON.parse(data.slice("data: ".length))];
    }
  }
}

/** What is left of the budget, as the server's pages say it. */
function budget(headers) {
  const number = (field, name) => headers.get(field)?.match(new RegExp(`;${name}=(\\d+)`))?.[1];
  const [left, limit, full] = [number("ratelimit", "r"), number("ratelimit-policy", "q"), number("ratelimit", "t")];
  return left && `${left} of ${limit} analyze calls left, full again in ${full} s.`;
}

const REFUSALS = {
  rate_limited: ["wait", "Enough for the moment"],
  target_refused: ["stop", "This target is not probed"],
  invalid_input: ["wrong", "This cannot be read"],
};

/** An analysis that ended without a report. */
function ended(box, { error, message, reason, retryAfter }, again) {
  const [tone, heading] = REFUSALS[error] ?? ["wrong", "No report"];
  const notice = el("section", { class: `notice ${tone}`, role: "alert" }, el("h2", {}, heading), el("p", {}, message));
  if (error) notice.append(el("p", { class: "quiet" }, el("code", {}, error), ...(reason ? [" · reason ", el("code", {}, reason)] : [])));
  if (retryAfter) notice.dataset.retryAfter = retryAfter;
  box.before(notice);
  box.classList.add("over");
  if (error === "target_refused" || !$(".part:not(.waiting)", box)) box.remove();
  notice.scrollIntoView({ block: "nearest" });
  retry(again);
}

/** A refused call may be made again once its time has passed. */
function retry(again) {
  const notice = $("[data-retry-after]");
  if (!notice) return;
  const until = Date.now() + Number(notice.dataset.retryAfter) * 1000;
  const button = el("button", { type: "button", disabled: "" });
  button.addEventListener("click", again);
  notice.append(button);
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Again in ${left} s` : "Try again";
    if (left > 0) setTimeout(tick, 250);
    else say("You can try again.");
  };
  tick();
}

// --- Findings ----------------------------------------------------------------

const summaries = () => $$(".finding > summary").filter((summary) => summary.checkVisibility());

function step(by) {
  const list = summaries();
  const at = list.indexOf(document.activeElement);
  const next = list[at < 0 ? (by > 0 ? 0 : list.length - 1) : Math.min(list.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** A link into a closed part opens what it is in. */
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement) if (part.localName === "details") part.open = true;
  target.scrollIntoView({ block: "nearest" });
}

function keyboard() {
  $("#keys-button").hidden = false;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target.closest("input, textarea, select")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const action = {
      "/": () => $("#target, #name, #text, #before")?.select(),
      "?": () => $("#keys").togglePopover(),
      c: () => $$(".finding:focus-within .copy button")[0]?.click(),
      j: () => step(1),
      k: () => step(-1),
      t: () => $("#theme-button").click(),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}

// --- Decoding while typing ---------------------------------------------------

/** The explanation follows the text, and problems are underlined in it. */
function decoding() {
  const form = $("#decode");
  if (!form) return;
  const field = $("#text", form);
  const under = el("div", { class: "under", "aria-hidden": "true" });
  const editor = el("div", { class: "editor" });
  field.before(editor);
  editor.append(under, field);
  document.body.classList.add("live");

  const underline = () => {
    const marked = $("#decoded .marked");
    const pieces = [...(marked?.childNodes ?? [])].map((piece) => piece.cloneNode(true));
    under.replaceChildren(...pieces, "\n");
    under.scrollTop = field.scrollTop;
  };
  let timer;
  let asked;
  const ask = () => {
    asked?.abort();
    if (field.value.trim() === "") return $("#decoded").replaceChildren();
    asked = fragment(form, (page) => {
      if (!page) return;
      $("#decoded").replaceWith(document.adoptNode($("#decoded", page)));
      $(".line .note", form)?.remove();
      $(".line", form).append(...$$("#decode .line .note", page).map((note) => document.adoptNode(note)));
      underline();
      say($("#decoded h2")?.textContent ?? "");
      retry(ask);
    });
  };
  field.addEventListener("input", () => {
    under.replaceChildren();
    clearTimeout(timer);
    timer = setTimeout(ask, 600);
  });
  field.addEventListener("scroll", () => (under.scrollTop = field.scrollTop));
  $("#kind", form)?.addEventListener("change", ask);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    ask();
  });
  underline();
}

/** Sends a form and hands on the page that came back, parsed by the browser
    as a document in which no script runs. */
function fragment(form, then) {
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.responseType = "document";
  request.onload = () => then(request.response);
  request.onerror = () => say("No answer");
  request.send(new URLSearchParams(new FormData(form)));
  return request;
}

// --- Earlier reports, known to this browser only -----------------------------

function recent() {
  const report = $("[data-report]");
  let list = store.read("reports", []).filter((entry) => entry && typeof entry.id === "string");
  if (report) {
    const { report: id, host, time } = report.dataset;
    const earlier = list.find((entry) => entry.host === host && entry.id !== id);
    const link = $("#compare");
    if (earlier && link) link.href = `/diff?before=${encodeURIComponent(earlier.id)}&after=${encodeURIComponent(id)}`;
    list = [{ id, host, time }, ...list.filter((entry) => entry.id !== id)].slice(0, 8);
    store.write("reports", list);
  }
  $("#known-reports")?.append(...list.map(({ id, host, time }) => el("option", { value: id }, `${host}, ${time}`)));
  const place = $("#recent");
  if (!place || list.length === 0) return;
  const forget = el("button", { type: "button", class: "plain" }, "Forget");
  forget.addEventListener("click", () => {
    store.write("reports", []);
    place.hidden = true;
  });
  const latest = list.filter(({ host }, at) => at === list.findIndex((entry) => entry.host === host));
  place.append("Earlier in this browser:",
    ...latest.slice(0, 5).map(({ id, host }) => el("a", { href: `/r/${encodeURIComponent(id)}` }, String(host))), forget);
  place.hidden = false;
}

// --- A call in the raw -------------------------------------------------------

function trial() {
  const form = $("#trial");
  if (!form) return;
  const button = $("button", form);
  const pick = $("#trial-pick");
  for (const hidden of $$("[hidden]", form)) hidden.hidden = false;
  pick.addEventListener("change", () => ($("#trial-body").value = pick.value));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const body = $("#trial-body").value;
    const shown = await post(form.dataset.url, body).catch((error) => `No answer: ${error.message}`);
    $("#trial-answer").replaceChildren(el("pre", { tabindex: "0" }, shown));
    button.disabled = false;
  });
}

async function post(url, body) {
  const headers = { "content-type": "application/json", accept: "application/json" };
  try {
    const { method, params } = JSON.parse(body);
    headers["mcp-method"] = String(method);
    headers["mcp-protocol-version"] = params?._meta?.["io.modelcontextprotocol/protocolVersion"] ?? "2025-11-25";
    if (params?.name) headers["mcp-name"] = String(params.name);
  } catch {
    // What is not JSON is sent as it stands, to see what the server says.
  }
  const response = await fetch(url, { method: "POST", headers, body });
  const fields = ["content-type", "ratelimit", "ratelimit-policy", "retry-after"]
    .filter((name) => response.headers.has(name))
    .map((name) => `${name}: ${response.headers.get(name)}`);
  const text = await response.text();
  let pretty = text;
  try {
    pretty = JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Shown as it came.
  }
  return [`HTTP ${response.status}`, ...fields, "", pretty].join("\n");
}

for (const part of [theme, copying, times, running, watching, keyboard, decoding, recent, trial, reveal, () => retry(() => location.reload())]) {
  try {
    part();
  } catch (error) {
    reportError(error); // and the others go on
  }
}
addEventListener("hashchange", reveal);
