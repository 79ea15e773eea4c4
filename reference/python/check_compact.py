#!/usr/bin/env python3
"""Judges every vector of test-vectors/compact/v1 with PyPI's `cryptography`, from docs/spec/v1/compact.md alone.
`python3 reference/python/check_compact.py`, with the packages of requirements.txt; `--write DIR` makes vectors anew (with new keys).

Prints what it checked; ends with status 1 at the first difference.
"""

import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from bailiwick_reference.compact import from_text, open_batch_value, open_value, seal_batch, seal_value, to_text
from bailiwick_reference.envelope import Refused
from bailiwick_reference.sealed import P256, X25519, X_WING, RecipientKey

VECTORS = Path(__file__).resolve().parents[2] / "test-vectors" / "compact" / "v1"
FIELDS = {"chain", "contract", "function", "record", "recipients", "owner", "header", "sealed", "outcome", "value", "index"}
CONTEXT = ("eip155:1", "0x5fbdb2315678afecb367f032d93f642f64180aa3", "put(bytes)", "invoice-17")
VALUE = b"1,250.00 EUR"


def judge(case):
    """(outcome, value, index)."""
    context = tuple(case[f] for f in ("chain", "contract", "function", "record"))
    owner = case["owner"] and bytes.fromhex(case["owner"])
    try:
        keys = [RecipientKey(k["kem"], bytes.fromhex(k["secret"])) for k in case["recipients"]]
        sealed = from_text(case["sealed"])
        if case["header"] is None:
            return "opened", open_value(sealed, context, keys, owner).hex(), 0
        value, index = open_batch_value(from_text(case["header"]), sealed, context, keys, owner)
        return "opened", value.hex(), index
    except Refused as refused:
        return str(refused), None, None


def check(path):
    vector = json.loads(path.read_text(encoding="utf-8"))
    if set(vector) != {"scenario", "provenance", "case"} or set(vector["case"]) != {"compact"}:
        sys.exit(f"{path.name}: not the form of a vector")
    case = vector["case"]["compact"]
    if set(case) != FIELDS:
        sys.exit(f"{path.name}: fields")
    found, said = judge(case), (case["outcome"], case["value"], case["index"])
    if found != said:
        sys.exit(f"{path.name}: {found} instead of {said}")


def vectors():
    """Name, scenario, case. Whoever has these keys has what is in the file: they are for tests."""
    key = {kem: RecipientKeyWithSecret(kem) for kem in (X25519, P256, X_WING)}
    second, signer, stranger = RecipientKeyWithSecret(X25519), ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    owner = signer.public_key().public_bytes_raw()

    def case(sealed, keys, value=VALUE, context=CONTEXT, owner=None, header=None, index=0, outcome="opened"):
        opened = outcome == "opened"
        return {
            "chain": context[0], "contract": context[1], "function": context[2], "record": context[3],
            "recipients": [{"kem": k.kem, "secret": k.secret.hex()} for k in keys],
            "owner": owner and owner.hex(), "header": header and to_text(header),
            "sealed": sealed if isinstance(sealed, str) else to_text(sealed),
            "outcome": outcome, "value": value.hex() if opened else None, "index": index if opened else None,
        }

    for kem, name in ((X25519, "x25519"), (P256, "p256"), (X_WING, "x-wing")):
        yield name, "one recipient", case(seal_value(VALUE, CONTEXT, [key[kem].key]), [key[kem]])
    x = [key[X25519]]
    one = seal_value(VALUE, CONTEXT, [x[0].key])
    yield "empty", "a value of no bytes, for no record", case(seal_value(b"", (*CONTEXT[:3], ""), [x[0].key]), x, b"", (*CONTEXT[:3], ""))
    yield "hex", "the other text form", case("0x" + one.hex(), x)
    yield "padded", "padded to 64 bytes", case(seal_value(VALUE, CONTEXT, [x[0].key], to=64), x)
    yield "committing", "one recipient, committing", case(seal_value(VALUE, CONTEXT, [x[0].key], committing=True), x)
    all_keys = [k.key for k in key.values()]
    several = seal_value(VALUE, CONTEXT, all_keys)
    for k, name in zip(key.values(), ("first", "second", "third")):
        yield f"several-{name}", f"three recipients, the {name} opens", case(several, [k])
    signed = seal_value(VALUE, CONTEXT, [x[0].key], signer)
    yield "signed", "signed by its owner", case(signed, x, owner=owner)
    yield "several-signed-padded", "everything at once", case(seal_value(VALUE, CONTEXT, all_keys, signer, to=100), [key[X_WING]], owner=owner)
    values = [("a", b"21.5", 0), ("b", VALUE, 1), ("b", VALUE, 2**32 - 1)]
    header, sealed = seal_batch(values, CONTEXT, [x[0].key, second.key])
    for (record, value, index), s in zip(values, sealed):
        yield f"batch-{index}", "a value of a batch", case(s, [second], value, (*CONTEXT[:3], record), header=header, index=index)
    signed_header, signed_values = seal_batch(values[:1], CONTEXT, [x[0].key], signer)
    in_a = (*CONTEXT[:3], "a")
    yield "batch-signed", "a signed batch", case(signed_values[0], x, b"21.5", in_a, owner, signed_header)

    for i, name in enumerate(("chain", "contract", "function", "record")):
        moved = tuple("other" if j == i else part for j, part in enumerate(CONTEXT))
        yield f"moved-{name}", f"moved to another {name}", case(one, x, context=moved, outcome="not-opened")
    changed = one[:-1] + bytes([one[-1] ^ 1])
    yield "changed", "the last bit changed", case(changed, x, outcome="not-opened")
    yield "extended", "a byte more", case(one + b"\0", x, outcome="not-opened")
    yield "cut-short", "ends inside the encapsulated key", case(one[:30], x, outcome="cut-short")
    yield "no-bytes", "nothing", case("bwc1.", x, outcome="cut-short")
    yield "version-2", "another version", case(bytes([one[0] + 0x20]) + one[1:], x, outcome="version")
    yield "form-6", "a form there is not", case(bytes([0x26]) + one[1:], x, outcome="version")
    yield "padded-header", "a header that says it is padded", case(bytes([0x33]) + header[1:], x, outcome="version")
    yield "key-id-swapped", "addressed to another key", case(one[:1] + second.id + one[9:], [second], outcome="not-opened")
    yield "other-key", "not for this key", case(one, [second], outcome="no-recipient")
    yield "low-order", "an encapsulated key of small order", case(one[:9] + bytes(32) + one[41:], x, outcome="not-opened")
    entry = 2 + 90
    two = seal_value(VALUE, CONTEXT, [x[0].key, second.key])
    yield "stripped", "a recipient taken off", case(bytes([two[0], 1]) + two[2:entry] + two[entry + 90 :], x, outcome="commitment")
    yield "reordered", "recipients in another order", case(two[:2] + two[entry : entry + 90] + two[2:entry] + two[entry + 90 :], x, outcome="commitment")
    yield "duplicate", "a recipient twice", case(two[:entry] + two[2:entry] + two[entry + 90 :], x, outcome="duplicate-recipient")
    yield "no-recipients", "none", case(bytes([two[0], 0]) + two[2:], x, outcome="no-recipients")
    yield "recipient-bomb", "more than sixteen", case(bytes([two[0], 17]) + two[2:], x, outcome="too-many-recipients")
    yield "mechanism", "a mechanism there is not", case(two[:2] + b"\0\1" + two[4:], x, outcome="mechanism")
    at = entry + 90
    yield "commitment", "another commitment", case(two[:at] + bytes([two[at] ^ 1]) + two[at + 1 :], x, outcome="commitment")
    yield "not-signed", "an owner is expected", case(one, x, owner=owner, outcome="not-signed")
    yield "owner-needed", "signed, and no owner given", case(signed, x, outcome="owner-needed")
    yield "stranger", "signed by another", case(signed, x, owner=stranger.public_key().public_bytes_raw(), outcome="signature")
    stripped = bytes([signed[0] & ~8]) + signed[1:-64]
    yield "signature-stripped", "the signature taken off", case(stripped, x, outcome="not-opened")
    yield "header-as-value", "a header where a value belongs", case(header, x, outcome="wrong-form")
    yield "value-as-batch-value", "a value where one of a batch belongs", case(one, x, context=in_a, header=header, outcome="wrong-form")
    yield "other-batch", "a value of another batch", case(seal_batch(values, CONTEXT, [x[0].key])[1][0], x, context=in_a, header=header, outcome="other-batch")
    renumbered = sealed[0][:9] + (7).to_bytes(4, "big") + sealed[0][13:]
    yield "index-changed", "another index", case(renumbered, x, context=in_a, header=header, outcome="not-opened")
    yield "header-extended", "a byte after the header", case(sealed[0], x, context=in_a, header=header + b"\0", outcome="trailing")
    unsigned = bytes([signed_values[0][0] & ~8]) + signed_values[0][1:-64]
    yield "batch-value-unsigned", "a value without signature in a signed batch", case(unsigned, x, context=in_a, owner=owner, header=signed_header, outcome="not-signed")
    for name, text in (("upper-case", "0x" + one.hex().upper()), ("base64-padding", to_text(one[:68]) + "="), ("no-prefix", to_text(one)[5:]), ("white-space", to_text(one) + "\n")):
        yield f"text-{name}", "not the one spelling", case(text, x, outcome="text")


class RecipientKeyWithSecret:
    def __init__(self, kem):
        from bailiwick_reference.envelope import key_id

        self.kem, self.secret = kem, os.urandom(32)
        self.key = RecipientKey(kem, self.secret)
        self.id = key_id(kem, self.key.public)


def main():
    if sys.argv[1:2] == ["--write"]:
        for name, scenario, case in vectors():
            vector = {"scenario": scenario, "provenance": "reference/python/check_compact.py, from docs/spec/v1/compact.md", "case": {"compact": case}}
            Path(sys.argv[2], f"{name}.json").write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")
        return
    paths = sorted(VECTORS.glob("*.json"))
    if not paths:
        sys.exit(f"no vectors in {VECTORS}")
    for path in paths:
        check(path)
    print(f"{len(paths)} small values judged")


if __name__ == "__main__":
    main()
