"""What Python's implementations make of the corpus of `decode`.

Reads JSON lines `{"kind", "name", "text"}` from the standard input and writes for
each and for every judge of that kind `{"kind", "name", "judge", "facts"}`, the facts
in words of our own, or `"refused"` with the judge's reason. Usage: outside.py NOW, in
Unix seconds. Nothing is looked up: whatever asks the DNS or the web is given a
constant answer, since the texts alone are compared.
"""

import base64
import datetime
import ipaddress
import json
import sys
import uuid
from email.utils import parsedate_to_datetime

NOW = int(sys.argv[1])
NOW_UTC = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)


class Clock(datetime.datetime):
    """The corpus' clock."""

    @classmethod
    def now(cls, tz=None):
        return NOW_UTC if tz else NOW_UTC.replace(tzinfo=None)


JUDGES = []


def judge(name, *kinds):
    """Registers a function from text to facts as a judge of kinds."""

    def register(function):
        JUDGES.extend((kind, name, function) for kind in kinds)
        return function

    return register


# --- mail ----------------------------------------------------------------------


def offline(module):
    """Constant answers in place of the DNS."""
    import dns.resolver

    def absent(*_, **__):
        raise dns.resolver.NXDOMAIN

    answers = {
        "query_dns": absent,
        "get_a_records": lambda *_, **__: ["192.0.2.9"],
        "get_mx_records": lambda *_, **__: [{"hostname": "mx.example.com", "preference": 10}],
        "get_txt_records": lambda *_, **__: ["why"],
        "get_reverse_dns": lambda *_, **__: [],
        "query_spf_record": lambda *_, **__: {"record": "v=spf1 -all", "warnings": []},
        "verify_dmarc_report_destination": lambda *_, **__: True,
    }
    for name, answer in answers.items():
        if hasattr(module, name):
            setattr(module, name, answer)
    return module


@judge("checkdmarc", "spf")
def spf(text):
    from checkdmarc import spf as module

    result = offline(module).parse_spf_record(text, "example.com", ignore_too_many_lookups=True)
    parsed = result["parsed"]
    modifier = lambda name: (parsed[name] or {}).get("domain") if isinstance(parsed[name], dict) else parsed[name]
    return {
        "all": parsed["all"],
        "redirect": modifier("redirect"),
        "mechanisms": [m["mechanism"] for m in parsed["mechanisms"]],
        "lookups": result["dns_lookups"],
    }


@judge("checkdmarc", "dmarc")
def dmarc(text):
    from checkdmarc import dmarc as module

    tags = offline(module).parse_dmarc_record(text, "example.com")["tags"]
    value = lambda name: tags[name]["value"] if name in tags else None
    addresses = lambda name: [uri_of(uri).lower() for uri in value(name) or []]
    return {
        "policy": value("p"),
        "subdomains": value("sp"),
        "nonexistent": value("np"),
        "strictDkim": value("adkim") == "s",
        "strictSpf": value("aspf") == "s",
        "testing": value("t") == "y",
        "publicSuffix": value("psd"),
        "aggregate": addresses("rua"),
        "failure": addresses("ruf"),
    }


def uri_of(uri):
    """`address` is what stands behind mailto:, or a whole URI of another scheme."""
    address = uri["address"]
    return f"mailto:{address}" if uri["scheme"] == "mailto" else address


@judge("checkdmarc", "mta_sts")
def mta_sts(text):
    from checkdmarc import mta_sts as module

    if text.lower().startswith("v="):
        return {"id": module.parse_mta_sts_record(text)["tags"]["id"]}
    policy = module.parse_mta_sts_policy(text)["policy"]
    return {"mode": policy["mode"], "maxAge": policy["max_age"], "mx": policy["mx"] if "mx" in policy else []}


@judge("checkdmarc", "tls_rpt")
def tls_rpt(text):
    from checkdmarc import smtp_tls_reporting as module

    return {"reports": module.parse_smtp_tls_reporting_record(text)["tags"]["rua"]["value"]}


@judge("checkdmarc", "bimi")
def bimi(text):
    import requests
    from checkdmarc import bimi as module

    def unreachable(*_, **__):
        raise requests.RequestException("not looked up")

    requests.Session.get = unreachable
    tags = offline(module).parse_bimi_record(text, domain="example.com")["tags"]
    value = lambda name: (tags[name]["value"] or None) if name in tags else None
    return {"logo": value("l"), "evidence": value("a")}


@judge("dkimpy", "dkim")
def dkim(text):
    import dkim as module

    _, bits, kind, _ = module.evaluate_pk("example", text)
    return {"keyType": kind.decode(), "bits": bits}


@judge("authres", "authentication_results")
def authentication_results(text):
    import re

    import authres

    value = re.sub(r"^[\w-]*authentication-results:\s*", "", re.sub(r"\r?\n", "", text), flags=re.I)
    header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    results = [result for result in header.results if not isinstance(result, authres.NoneAuthenticationResult)]
    return {"server": header.authserv_id, "results": [[result.method.lower(), result.result.lower()] for result in results]}


# --- names and addresses ---------------------------------------------------------


@judge("dnspython", "caa")
def caa(text):
    return {"records": [[rdata.flags, rdata.tag.decode().lower(), rdata.value.decode()] for rdata in rdatas(text, "CAA")]}


@judge("dnspython", "tlsa")
def tlsa(text):
    return {"records": [[r.usage, r.selector, r.mtype, r.cert.hex()] for r in rdatas(text, "TLSA")]}


def rdatas(text, kind):
    import dns.rdata

    for line in text.splitlines():
        yield dns.rdata.from_text("IN", kind, line.split(f" {kind} ", 1)[-1])


@judge("idna", "host")
def host(text):
    import idna

    return {"ascii": idna.encode(text, uts46=True).decode().lower()}


@judge("ipaddress", "ip")
def ip(text):
    address = ipaddress.ip_address(text)
    return {
        "version": address.version,
        "address": address.exploded,
        "reverse": address.reverse_pointer,
        "global": address.is_global and not address.is_multicast,
    }


@judge("ipaddress", "cidr")
def cidr(text):
    network = ipaddress.ip_network(text, strict=False)
    return {
        "network": network.compressed,
        "first": str(network.network_address),
        "last": str(network.broadcast_address),
        "addresses": str(network.num_addresses),
    }


# --- keys and tokens ---------------------------------------------------------------


@judge("cryptography", "certificate")
def certificate(text):
    from cryptography import x509

    der = der_of(text)
    parsed = x509.load_der_x509_certificate(der) if der else x509.load_pem_x509_certificates(text.encode())[0]
    return {
        "version": parsed.version.value + 1,
        "serial": str(parsed.serial_number),
        "notBefore": int(parsed.not_valid_before_utc.timestamp()),
        "notAfter": int(parsed.not_valid_after_utc.timestamp()),
        "key": key_facts(parsed.public_key()),
        "sha256": parsed.fingerprint(sha256()).hex(),
        **extension_facts(parsed.extensions),
    }


@judge("cryptography", "csr")
def csr(text):
    from cryptography import x509

    der = der_of(text)
    parsed = x509.load_der_x509_csr(der) if der else x509.load_pem_x509_csr(text.encode())
    return {"key": key_facts(parsed.public_key()), **extension_facts(parsed.extensions)}


def der_of(text):
    return None if "-----BEGIN" in text else base64.b64decode(text)


def sha256():
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def key_facts(key):
    kind = type(key).__name__.upper()
    name = next(name for name in ("ED25519", "RSA", "EC") if name in kind)
    return [name, getattr(key, "key_size", 256)]


def extension_facts(extensions):
    from cryptography import x509

    def value(kind):
        try:
            return extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    names, constraints, usages = value(x509.SubjectAlternativeName), value(x509.BasicConstraints), value(x509.ExtendedKeyUsage)
    return {
        "dnsNames": names.get_values_for_type(x509.DNSName) if names else [],
        "ipAddresses": [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] if names else [],
        "isCa": bool(constraints and constraints.ca),
        "extendedKeyUsage": sorted(usage._name for usage in usages or []),
    }


@judge("cryptography", "private_key")
def private_key(text):
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_ssh_private_key if "OPENSSH" in text else serialization.load_pem_private_key
    try:
        return {"encrypted": False, "key": key_facts(load(text.encode(), None))}
    except (TypeError, ValueError) as error:
        if "assword" not in str(error):
            raise
        return {"encrypted": True}


@judge("PyJWT", "jwt")
def token(text):
    import jwt
    from jwt import api_jwt

    api_jwt.datetime = Clock
    text = text.removeprefix("Authorization: Bearer ")
    facts = {"header": jwt.get_unverified_header(text), "expired": False, "early": False}
    checks = {"verify_signature": False, "verify_exp": True, "verify_nbf": True}
    try:
        facts["claims"] = jwt.decode(text, options={"verify_signature": False})
        jwt.decode(text, options=checks)
    except jwt.ExpiredSignatureError:
        facts["expired"] = True
    except jwt.ImmatureSignatureError:
        facts["early"] = True
    return facts


@judge("jwcrypto", "jwk")
def jwk(text):
    from jwcrypto import jwk as module

    if "keys" in json.loads(text):
        keys = list(module.JWKSet.from_json(text)["keys"])
    else:
        keys = [module.JWK.from_json(text)]
    return {"keys": sorted([key["kty"], key.thumbprint(), key.has_private or key.is_symmetric] for key in keys)}


# --- the rest ------------------------------------------------------------------------


@judge("sectxt", "security_txt")
def security_txt(text):
    import sectxt

    sectxt.datetime = Clock
    parser = sectxt.Parser(text.encode())
    return {"valid": parser.is_valid()}


@judge("h11", "http_head")
def http_head(text):
    import h11

    is_response = text.startswith("HTTP/")
    connection = h11.Connection(h11.CLIENT if is_response else h11.SERVER)
    if is_response:
        connection.send(h11.Request(method="GET", target="/", headers=[("host", "a.example")]))
        connection.send(h11.EndOfMessage())
    connection.receive_data(text.encode("latin-1"))
    event = connection.next_event()
    if event is h11.NEED_DATA:
        raise ValueError("incomplete")
    headers = [name.decode() for name, _ in event.headers]
    return {"status": event.status_code if is_response else None, "headers": headers}


@judge("hstsheader", "hsts")
def hsts(text):
    import hstsheader

    name, fields = "strict-transport-security:", text.strip().split("\n")
    named = [field[len(name) :].strip() for field in fields if field.lower().startswith(name)]
    fields = named or [text.strip()]
    policy = hstsheader.parse(fields, strict=True)
    return {
        "maxAge": policy.max_age,
        "includeSubDomains": policy.include_subdomains,
        "preload": policy.preload,
        "preloadable": hstsheader.is_preloadable(fields),
    }


@judge("uuid", "uuid")
def uuid_facts(text):
    parsed = uuid.UUID(text)
    is_timed = parsed.version == 1
    return {
        "uuid": str(parsed),
        "version": parsed.version,
        "node": f"{parsed.node:012x}" if is_timed else None,
        "clockSequence": parsed.clock_seq if is_timed else None,
        "milliseconds": (parsed.time - 0x01B21DD213814000) // 10_000 if is_timed else None,
    }


@judge("python-ulid", "ulid")
def ulid_facts(text):
    import ulid

    parsed = ulid.ULID.from_str(text)
    return {"milliseconds": parsed.milliseconds, "uuid": str(parsed.to_uuid())}


@judge("datetime", "unix_time")
def unix_time(text):
    try:
        moment = datetime.datetime.fromtimestamp(float(text), datetime.timezone.utc)
    except ValueError:
        try:
            moment = datetime.datetime.fromisoformat(text)
        except ValueError:
            moment = parsedate_to_datetime(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return {"seconds": int(moment.timestamp() // 1)}


def main():
    for line in map(json.loads, sys.stdin):
        for kind, name, function in JUDGES:
            if kind != line["kind"]:
                continue
            said = {"kind": kind, "name": line["name"], "judge": name}
            try:
                said["facts"] = function(line["text"])
            except Exception as error:  # whatever it raises, it refused the text
                said["refused"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            print(json.dumps(said))


main()
