// The floor that the platform sets: a Worker in JavaScript that does nothing but read
// and answer. Its counterpart in Rust answers the same bytes on the same routes.

const ANSWER = JSON.stringify({ answer: "fixed", reads: "the body as JSON", does: "nothing else" });

export default {
  /** GET: `ok`. POST: reads the body as JSON, answers a fixed JSON. */
  async fetch(request) {
    if (request.method === "GET") return new Response("ok");
    await request.json();
    return new Response(ANSWER, { headers: { "content-type": "application/json" } });
  },
};
