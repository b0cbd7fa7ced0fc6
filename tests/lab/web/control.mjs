// The control endpoint: one place for a test to read what happened and to turn the lab's knobs. It
// passes on to the name system what is the name system's.
//
//   GET  /counters           {connections, private: {total, connections}, requests}
//   GET  /requests           every HTTP request the lab's hosts received, oldest first
//   GET  /queries            every DNS question, with the face that received it, oldest first
//   POST /reset              forgets all of it and what is staged, and rewinds every flipping name
//   POST /delay?ms=N         holds every upstream answer back from now on
//   POST /flip?name=N&to=P   holds a flipping name at answer P (0 is the first), or `to=auto`
//   POST /answer             {"name": N, "turns": [["A 10.0.0.1", "TXT text"], ...]} makes the resolver
//                            answer so for a name, turn by turn, the last set for good: any name,
//                            whatever the zones say of it
//   POST /stage              {"status", "headers", "body", "paths"} is what stage.lab-http.net answers
//                            from now on over http and https; `paths` may hold another answer by path

import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";

const PORT = 8054;

export async function listenControl(ledger) {
  const names = new URL("/", process.env.LAB_DOH_URL);

  const routes = {
    "GET /ready": async () => json({ ready: true }),
    "GET /counters": async () => json(ledger.counters()),
    "GET /requests": async () => json(ledger.requests),
    "GET /queries": async () => json(await (await fetch(new URL("/queries", names))).json()),
    "POST /reset": async (url) => {
      ledger.reset();
      return passOn(url);
    },
    "POST /delay": async (url) => {
      const answer = await passOn(url);
      if (answer.status === 204) ledger.delay = Number(url.searchParams.get("ms"));
      return answer;
    },
    "POST /flip": passOn,
    "POST /answer": passOn,
    "POST /stage": async (_url, body) => {
      ledger.staged = JSON.parse(body);
      return { status: 204 };
    },
  };

  async function passOn(url, body) {
    const answer = await fetch(new URL(url.pathname + url.search, names), { method: "POST", body });
    return { status: answer.status, body: await answer.text() };
  }

  async function answerTo(request) {
    const url = new URL(request.url, "http://control");
    const route = routes[`${request.method} ${url.pathname}`];
    if (!route) return { status: 404, body: "no such endpoint\n" };
    try {
      return await route(url, await text(request));
    } catch (error) {
      return { status: 400, body: `${error.message}\n` };
    }
  }

  const server = createServer(async (request, response) => {
    const answer = await answerTo(request);
    response.writeHead(answer.status, { "content-type": answer.type ?? "text/plain" });
    response.end(answer.body);
  });
  server.listen(PORT, "127.0.0.1");
  await once(server, "listening");
}

function json(value) {
  return { status: 200, type: "application/json", body: JSON.stringify(value) };
}
