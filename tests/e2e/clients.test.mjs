// Real clients against the built Worker. Nothing here needs a network; in the lab the same
// clients call all five tools.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BUDGETS, converse } from "../clients/conversation.mjs";
import { EVERYONE } from "../clients/everyone.mjs";
import { inspect } from "../clients/inspector.mjs";
import { buildRmcpClient } from "../clients/rmcp.mjs";
import { Worker } from "./support/worker.mjs";

/** @type {Worker} */
let worker;
before(async () => {
  buildRmcpClient();
  worker = await Worker.start({ vars: { BUDGETS } });
});
after(() => worker?.stop());

for (const { name, protocol, connect } of EVERYONE) {
  test(`${name}, lists, calls, is refused and runs out of budget`, async () => {
    const earlier = worker.events.length;
    const client = await connect(worker.url);
    const call = client.call.bind(client);
    let calls = 0;
    client.call = (...args) => {
      calls += 1;
      return call(...args);
    };
    try {
      await converse(client);
    } finally {
      await client.close();
    }
    // The last ones may come after the answers: not into the next client's.
    const events = (await worker.eventsOf(earlier + calls)).slice(earlier);
    assert.equal(events.length, calls);
    for (const event of events) assert.deepEqual(event.protocol, protocol);
  });
}

for (const era of ["legacy", "modern"]) {
  test(`the Inspector's strict mode finds no fault with the schemas, ${era}`, async () => {
    const { code, output } = await inspect(worker.url, era, "--method", "tools/list", "--strict");
    assert.equal(code, 0, output);
  });
}
