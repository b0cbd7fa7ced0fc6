"""The official Python client against the built Worker in the lab, in every way it connects."""

import itertools
import json
import os
import unittest

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

URL = os.environ["NETRECON_URL"] + "/mcp"
TOOLS = ["analyze", "lookup", "decode", "diff", "narrate"]
LEGACY = "2025-11-25"
MODERN = "2026-07-28"

# A documentation address per test, so that one test's budget is not another's.
ADDRESSES = (f"203.0.113.{n}" for n in itertools.count(1))


class Conversation(unittest.IsolatedAsyncioTestCase):
    """One whole conversation per way of connecting."""

    async def converse(self, mode, version):
        headers = {"cf-connecting-ip": next(ADDRESSES)}
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            async with Client(streamable_http_client(URL, http_client=http), mode=mode) as client:
                self.assertEqual(client.protocol_version, version)
                listed = await client.list_tools()
                self.assertEqual([tool.name for tool in listed.tools], TOOLS)
                await self.call_all_five(client)
                await self.be_refused(client)
                await self.run_out_of_budget(client)

    async def call_all_five(self, client):
        report = await self.succeed(client, "analyze", target="lab-good.com", detail="full")
        self.assertEqual(report["target"]["host"], "lab-good.com")
        dns, http, tls = (report["probes"][name] for name in ("dns", "http", "tls"))
        self.assertEqual([record["text"] for record in dns["a"]["records"]], ["93.184.216.10"])
        self.assertEqual((http["http"]["end"], http["https"]["page"]["status"]), ("met_https", 200))
        self.assertEqual((tls["handshakes"]["best"]["version"], tls["trust"]["trusted"]), ("TLSv1.3", True))
        records = await self.succeed(client, "lookup", name="lab-good.com", records=["A"])
        self.assertIn("93.184.216.10", json.dumps(records))
        decoded = await self.succeed(client, "decode", text="v=spf1 -all")
        self.assertEqual(decoded["kind"], "spf")
        between = {"before": report["id"], "after": report["id"]}
        self.assertIs((await self.succeed(client, "diff", **between))["equal"], True)
        self.assertEqual((await self.succeed(client, "narrate", **between))["severity"], "none")

    async def be_refused(self, client):
        target = await self.fail_with(client, "analyze", target="http://127.0.0.1/")
        self.assertEqual(target["error"], "target_refused")
        argument = await self.fail_with(client, "decode", text="x", verbose=True)
        self.assertEqual((argument["error"], argument["field"]), ("invalid_input", "verbose"))
        with self.assertRaises(MCPError) as unknown:
            await client.call_tool("no_such_tool", {})
        self.assertEqual(unknown.exception.error.code, -32602)

    async def run_out_of_budget(self, client):
        # What is refused is paid for too, and `analyze` has the smallest budget.
        for _ in range(12):
            refusal = await self.fail_with(client, "analyze", target="http://127.0.0.1/")
            if refusal["error"] == "rate_limited":
                self.assertGreater(refusal["retryAfter"], 0)
                return
        self.fail("the budget was never spent")

    async def succeed(self, client, name, /, **arguments):
        result = await client.call_tool(name, arguments)
        text = result.content[0].text
        self.assertFalse(result.is_error, f"{name}: {text}")
        self.assertEqual(result.structured_content, json.loads(text))
        return result.structured_content

    async def fail_with(self, client, name, /, **arguments):
        result = await client.call_tool(name, arguments)
        text = result.content[0].text
        self.assertTrue(result.is_error, f"{name} should have been refused: {text}")
        self.assertIsNone(result.structured_content)
        return json.loads(text)

    async def test_left_to_itself_it_speaks_the_modern_revision(self):
        await self.converse("auto", MODERN)

    async def test_asked_for_the_handshake_it_gets_one(self):
        await self.converse("legacy", LEGACY)

    async def test_pinned_it_negotiates_nothing(self):
        await self.converse(MODERN, MODERN)


if __name__ == "__main__":
    unittest.main()
