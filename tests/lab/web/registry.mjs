// Stand-ins for the third parties the Worker asks over HTTP: registration data (RDAP, RFC 9083) and
// a certificate transparency search. Loopback only, plain http, as an operator's URL may be.

import { createServer } from "node:http";
import { once } from "node:events";

export async function listenRegistry(ledger) {
  await listen(8055, ledger, (url) => {
    const [, kind, name] = url.pathname.split("/");
    if (kind !== "domain" || name !== "lab-good.com") return undefined;
    return { objectClassName: "domain", ldhName: name };
  });
  await listen(8056, ledger, () => []);
}

async function listen(port, ledger, answer) {
  const server = createServer(async (request, response) => {
    ledger.requested("http", request);
    await ledger.hold();
    const body = answer(new URL(request.url, "http://registry"));
    response.writeHead(body ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(body ?? { errorCode: 404 }));
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}
