#!/usr/bin/env python3
"""Opens every vector of test-vectors/envelope/v1 with PyPI's `cryptography`, from docs/spec/v1 alone.
`python3 reference/python/check_sealed.py`, with the packages of requirements.txt

Prints what it checked; ends with status 1 at the first difference.
"""

import hashlib
import json
import sys
import time
from pathlib import Path

from bailiwick_reference import blake3, cell_tree
from bailiwick_reference.envelope import Refused
from bailiwick_reference.sealed import RecipientKey, body_key, open_object

VECTORS = Path(__file__).resolve().parents[2] / "test-vectors"
FIELDS = {"owner", "recipients", "file_key", "body_key", "envelope", "body", "generation", "unit", "name", "media_type", "seed", "size", "sha256"}


class Mismatch(Exception):
    """Something is not what it should be; the text says what."""


def must(holds, what):
    if not holds:
        raise Mismatch(what)


def load(path):
    vector = json.loads(path.read_text(encoding="utf-8"))
    must(set(vector) == {"scenario", "provenance", "case"} and len(vector["case"]) == 1, f"{path.name}: not the form of a vector")
    [(kind, case)] = vector["case"].items()
    return kind, case


def check_object(name, case):
    """Opens with each recipient's key to what the vector says; with a bit of anything changed, or another key, it does not."""
    must(set(case) == FIELDS, f"{name}: fields")
    owner, envelope, body = (bytes.fromhex(case[field]) for field in ("owner", "envelope", "body"))
    data = blake3.hash(bytes([case["seed"]]), case["size"])
    must(hashlib.sha256(data).hexdigest() == case["sha256"], f"{name}: SHA-256 of the data")
    must(case["recipients"], f"{name}: no recipient")
    controls = 0
    for key in case["recipients"]:
        secret = bytes.fromhex(key["secret"])
        opened = open_object(owner, envelope, body, [RecipientKey(key["kem"], secret)])
        e = opened.envelope
        unit = "-".join(str(int.from_bytes(e.unit[i : i + 2], "little")) for i in range(0, 8, 2))
        found = [opened.name, opened.media_type, e.generation, unit, opened.file_key.hex(), body_key(e, opened.file_key).hex()]
        must(found == [case[field] for field in ("name", "media_type", "generation", "unit", "file_key", "body_key")], f"{name}: {found}")
        must(opened.data == data, f"{name}: other data")
        if e.root is not None:
            root = cell_tree.levels(body)[-1][0].to_bytes(32, "little")
            must(root == e.root, f"{name}: the cell tree's root is {root.hex()}")
        other = RecipientKey(key["kem"], secret[:15] + bytes([secret[15] ^ 1]) + secret[16:])
        refused(f"{name}: another key", "no-recipient", owner, envelope, body, [other])
        controls += 1
    keys = [RecipientKey(key["kem"], bytes.fromhex(key["secret"])) for key in case["recipients"]]
    for what, expected, changed in [
        ("a bit of the envelope", "envelope-signature", (owner, flipped(envelope, 40), body)),
        ("the last byte of the body", "body-chunk", (owner, envelope, flipped(body, len(body) - 1))),
        ("the key commitment", "body-header", (owner, envelope, flipped(body, 30))),
        ("a byte less", "body-size", (owner, envelope, body[:-1])),
    ]:
        refused(f"{name}: {what}", expected, *changed, keys)
        controls += 1
    return controls


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def refused(what, expected, *arguments):
    try:
        open_object(*arguments)
    except Refused as refusal:
        must(refusal.expectation == expected, f"{what}: {refusal.expectation} instead of {expected}")
        return
    raise Mismatch(f"{what}: opened")


CASES = {"object": check_object}


def main():
    started = time.monotonic()
    vectors = controls = 0
    for path in sorted((VECTORS / "envelope" / "v1").glob("*.json")):
        kind, case = load(path)
        must(kind in CASES, f"{path.name}: no such kind: {kind}")
        try:
            controls += CASES[kind](path.name, case)
        except Refused as refusal:
            raise Mismatch(f"{path.name}: {refusal.expectation}") from refusal
        vectors += 1
        print(f"{time.monotonic() - started:6.1f}s  vector     envelope/v1/{path.name}: {kind}", flush=True)
    must(vectors > 0, "no vectors")
    print(f"sealed objects: {vectors} vectors opened, {controls} changes refused in {time.monotonic() - started:.0f} s: all as specified")


if __name__ == "__main__":
    try:
        main()
    except Mismatch as mismatch:
        sys.exit(f"MISMATCH  {mismatch}")
