// A Worker that says how the runtime's own parser reads URLs: the second opinion of
// differential.test.mjs. It takes an array of `{url, base}` and answers, for each, what
// `fetch` would be told, or null where the parser gives up.

export default {
  async fetch(request) {
    const lines = await request.json();
    return Response.json(lines.map(({ url, base }) => reading(url, base)));
  },
};

function reading(text, base) {
  try {
    const url = new URL(text, base);
    const { href, protocol, username, password, hostname, port } = url;
    return { href, protocol, username, password, hostname, port };
  } catch {
    return null;
  }
}
