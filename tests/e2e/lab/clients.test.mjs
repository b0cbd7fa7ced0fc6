// Real clients call all five tools of the built Worker in the lab, where there is something
// to find.

import { after, before, test } from "node:test";
import { callAllFive } from "../../clients/conversation.mjs";
import { EVERYONE } from "../../clients/everyone.mjs";
import { buildRmcpClient } from "../../clients/rmcp.mjs";
import { Worker } from "../support/worker.mjs";

/** @type {Worker} */
let worker;
before(async () => {
  buildRmcpClient();
  worker = await Worker.start();
});
after(() => worker?.stop());

for (const { name, connect } of EVERYONE) {
  test(`${name}, calls all five tools`, async () => {
    const client = await connect(worker.url);
    try {
      await callAllFive(client);
    } finally {
      await client.close();
    }
  });
}
