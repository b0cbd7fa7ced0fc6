// Every real client that tests connect, and what each of its calls is recorded as.

import { inspector } from "./inspector.mjs";
import { bridged, clientV2, sdkV1 } from "./official.mjs";
import { rmcp } from "./rmcp.mjs";

const legacy = { era: "legacy", version: "2025-11-25" };
const modern = { era: "modern", version: "2026-07-28" };

export const EVERYONE = [
  { name: "TypeScript SDK 1.32", protocol: legacy, connect: sdkV1 },
  { name: "TypeScript client 2.4, legacy", protocol: legacy, connect: (url) => clientV2(url, "legacy") },
  { name: "TypeScript client 2.4, auto", protocol: modern, connect: (url) => clientV2(url, "auto") },
  { name: "TypeScript client 2.4, pinned", protocol: modern, connect: (url) => clientV2(url, { pin: "2026-07-28" }) },
  { name: "mcp-remote 0.15, a bridge from stdio", protocol: legacy, connect: bridged },
  { name: "Inspector 2.12, legacy", protocol: legacy, connect: (url) => inspector(url, "legacy") },
  { name: "Inspector 2.12, modern", protocol: modern, connect: (url) => inspector(url, "modern") },
  { name: "rmcp 3.9, initialize", protocol: legacy, connect: (url) => rmcp(url, "initialize") },
  { name: "rmcp 3.9, discover", protocol: modern, connect: (url) => rmcp(url, "discover") },
  { name: "rmcp 3.9, auto", protocol: modern, connect: (url) => rmcp(url, "auto") },
];
