// The sites: what a host answers once HTTP is spoken. Each is (request, response, {host, scheme}).

const HTML = "text/html; charset=utf-8";

function html(title, body = "") {
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head><body>${body}</body></html>\n`;
}

function send(response, status, headers, body) {
  response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
  response.end(body);
}

function redirect(response, location, status = 301) {
  send(response, status, { location }, "");
}

export const SITES = {
  /** An ordinary page at `/` and an honest 404 elsewhere. */
  page(request, response, { host }) {
    const found = request.url === "/" || request.url.startsWith("/?");
    const body = html(found ? host.name : "Not found", `<h1>${host.name}</h1>`);
    send(response, found ? 200 : 404, { "content-type": HTML }, body);
  },

  /** Plain http sent to https on the same host. */
  upgrade(request, response, { host }) {
    redirect(response, `https://${host.name}${request.url}`);
  },

  good(request, response, context) {
    response.setHeader("strict-transport-security", "max-age=63072000; includeSubDomains; preload");
    response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    SITES.page(request, response, context);
  },

  redirectMetadata(_request, response) {
    redirect(response, "http://169.254.169.254/latest/meta-data/", 302);
  },
};
