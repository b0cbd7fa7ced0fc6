"""Calls to throw at a server: JSON lines of {"tool", "arguments", "conforms"}.

Usage: generate.py SEED COUNT < tools.json

Reads a `tools/list` result. hypothesis-jsonschema makes arguments that conform to each tool's own
schema; every one of them is followed by neighbours that conform almost: a member gone, one too
many, another type, too long, too deep, characters that parsers disagree about.
"""

import copy
import json
import random
import sys

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis_jsonschema import from_schema

NEIGHBOURS = 5

WORDS = [
    "lab-good.com", "https://lab-good.com/", "lab-tls.net", "nx.lab-good.com", "localhost", "127.0.0.1",
    "http://169.254.169.254/latest/", "http://[::1]/", "http://0x7f.1/", "http://user:pw@lab-good.com/",
    "http://lab-good.com:22/", "file:///etc/passwd", "javascript:alert(1)", "xn--", "xn--a", "a" * 300,
    "x." * 200, "\u202egro.live", "la\u200bb-good.com", "%00", "..", ".", "", " ", "\x00", "\n", "\ud7ff",
    "\U000e0041", "v=spf1 " + "include:a.b " * 30 + "-all", "v=DMARC1; p=none; rua=mailto:a@b.c",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
    "default-src 'none'; script-src 'unsafe-inline'", "30820000" * 40, "[" * 500, '{"a":' * 200, "=" * 1000,
    "data:text/html;base64,PHA+", "1970-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000", "256.1.1.1",
    "2001:db8::/129", "AAAA" * 64, "\ufeffv=spf1", "Set-Cookie: a=b", "HTTP/1.1 200 OK\r\nA: b\r\n\r\n",
    "zzzzzzzzzzzzzzzzzzzzzzzzzz", "aaaaaaaaaaaaaaaaaaaaaaaaaa",
]

ODD_VALUES = [
    None, True, False, 0, -1, 1.5, 1e308, 2**53 + 1, [], {}, [[]], {"": ""}, [None] * 20, ["A"] * 200,
    {"target": "lab-good.com"}, "A" * 70_000,
]


def deep(levels):
    value = "bottom"
    for _ in range(levels):
        value = [value]
    return value


def neighbour(rng, arguments):
    """One step away from what conforms."""
    changed = copy.deepcopy(arguments)
    name = rng.choice(list(changed) or ["target"])
    step = rng.randrange(8)
    if step == 0:
        changed.pop(name, None)
    elif step == 1:
        changed[rng.choice(["extra", "Target", "target ", "__proto__", "constructor", "", "\u200b"])] = rng.choice(WORDS)
    elif step == 2:
        changed[name] = copy.deepcopy(rng.choice(ODD_VALUES))
    elif step == 3:
        changed[name] = deep(rng.choice([3, 30, 50]))
    elif step in (4, 5):
        changed[name] = rng.choice(WORDS)
    elif step == 6 and isinstance(changed.get(name), str):
        at = rng.randrange(len(changed[name]) + 1)
        changed[name] = changed[name][:at] + rng.choice(WORDS)[:40] + changed[name][at:]
    else:
        changed[name] = [changed.get(name)] * rng.choice([1, 2, 9, 100])
    return changed


def conforming(schema, count, base):
    """`count` arguments that conform, or a few more."""
    found = []

    @seed(base)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(from_schema(schema))
    def collect(arguments):
        found.append(arguments)

    collect()
    return found


def main():
    base, count = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(base)
    tools = json.load(sys.stdin)["tools"]
    each = -(-count // (len(tools) * (NEIGHBOURS + 1)))
    for tool in tools:
        found = conforming(tool["inputSchema"], each, base)
        while len(found) < each:  # a small space is exhausted sooner
            found.append(copy.deepcopy(rng.choice(found)))
        for arguments in found[:each]:
            line = {"tool": tool["name"], "arguments": arguments, "conforms": True}
            print(json.dumps(line))
            for _ in range(NEIGHBOURS):
                print(json.dumps({**line, "arguments": neighbour(rng, arguments), "conforms": False}))


main()
