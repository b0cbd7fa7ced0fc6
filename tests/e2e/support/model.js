// Stands in for Workers AI: what it says of the sentences follows from a word in them.

import { WorkerEntrypoint } from "cloudflare:workers";

/** Each sentence with other joints. */
const rework = (items) => items.map(({ n, text }) => ({ n, text: text.replace(/^/, "The ") }));

const MOODS = {
  obliging: (items) => rework(items),
  // The second sentence says a header more, the first stays true.
  inventive: (items) => rework(items).map((item, at) => (at === 0 ? item : { ...item, text: `${item.text} Set X-Frame-Options.` })),
  garbled: () => "I cannot do that, sorry [",
  broken: () => {
    throw new Error("out of capacity");
  },
  // Longer than anybody waits, and no promise of which workerd knows that it never comes.
  silent: () => new Promise((resolve) => setTimeout(resolve, 60_000)),
};

export default class Model extends WorkerEntrypoint {
  async run(name, { messages }) {
    const [task, sentences] = messages;
    if (!name.startsWith("@cf/") || task.role !== "system" || sentences.role !== "user") throw new Error("not asked as Workers AI is");
    const mood = Object.keys(MOODS).find((word) => sentences.content.includes(word)) ?? "garbled";
    const said = await MOODS[mood](JSON.parse(sentences.content));
    return { response: typeof said === "string" ? said : `Here you are:\n${JSON.stringify(said)}` };
  }

  fetch() {
    return new Response(null, { status: 404 });
  }
}
