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
from bailiwick_reference.sealed import RecipientKey, body_key, open_object, open_shards

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
    """Opens with each recipient's key, and the passphrase, to what the vector says; with a bit of anything changed, or another key, it does not."""
    must(set(case) - {"passphrase"} == FIELDS, f"{name}: fields")
    owner, envelope, body = (bytes.fromhex(case[field]) for field in ("owner", "envelope", "body"))
    data = blake3.hash(bytes([case["seed"]]), case["size"])
    must(hashlib.sha256(data).hexdigest() == case["sha256"], f"{name}: SHA-256 of the data")
    ways = [{"keys": [RecipientKey(key["kem"], bytes.fromhex(key["secret"]))]} for key in case["recipients"]]
    others = [{"keys": [RecipientKey(key["kem"], flipped(bytes.fromhex(key["secret"]), 15))]} for key in case["recipients"]]
    if "passphrase" in case:
        ways.append({"passphrase": case["passphrase"]})
        others.append({"passphrase": case["passphrase"] + " "})
    must(ways, f"{name}: nobody opens it")
    for way, other in zip(ways, others):
        opened = open_object(owner, envelope, body, **way)
        e = opened.envelope
        unit = "-".join(str(int.from_bytes(e.unit[i : i + 2], "little")) for i in range(0, 8, 2))
        found = [opened.name, opened.media_type, e.generation, unit, opened.file_key.hex(), body_key(e, opened.file_key).hex()]
        must(found == [case[field] for field in ("name", "media_type", "generation", "unit", "file_key", "body_key")], f"{name}: {found}")
        must(opened.data == data, f"{name}: other data")
        if e.root is not None:
            root = cell_tree.levels(body)[-1][0].to_bytes(32, "little")
            must(root == e.root, f"{name}: the cell tree's root is {root.hex()}")
        refused(f"{name}: another key", "passphrase" if "passphrase" in other else "no-recipient", owner, envelope, body, **other)
    controls = len(ways)
    for what, expected, changed in [
        ("a bit of the envelope", "envelope-signature", (owner, flipped(envelope, 40), body)),
        ("the last byte of the body", "body-chunk", (owner, envelope, flipped(body, len(body) - 1))),
        ("the key commitment", "body-header", (owner, envelope, flipped(body, 30))),
        ("a byte less", "body-size", (owner, envelope, body[:-1])),
    ]:
        refused(f"{name}: {what}", expected, *changed, **ways[0])
        controls += 1
    return controls


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def refused(what, expected, *arguments, **way):
    try:
        open_object(*arguments, **way)
    except Refused as refusal:
        must(refusal.expectation == expected, f"{what}: {refusal.expectation} instead of {expected}")
        return
    raise Mismatch(f"{what}: opened")


def check_shards(name, case):
    owner = bytes.fromhex(case["owner"])
    keys = [RecipientKey(key["kem"], bytes.fromhex(key["secret"])) for key in case["recipients"]]
    shards = [(bytes.fromhex(envelope), bytes.fromhex(body)) for envelope, body in case["shards"]]
    data = blake3.hash(bytes([case["seed"]]), case["size"])
    for given in (shards[: case["k"]], shards):  # with all of them, E15's digest too
        opened = open_shards(owner, given, keys)
        must((opened.data, opened.name, opened.media_type) == (data, case["name"], case["media_type"]), f"{name}: other data")
    must(hashlib.sha256(data).hexdigest() == case["sha256"], f"{name}: SHA-256 of the data")
    must(opened.envelope.shards[0] == case["padded_length"], f"{name}: padded length")
    for what, given in [("exchanged", shards[1::-1]), ("one twice", [shards[0], shards[0]]), ("a body of another", [(shards[0][0], shards[1][1]), shards[1]])]:
        try:
            open_shards(owner, given, keys)
        except Refused:
            continue
        raise Mismatch(f"{name}: {what}: opened")
    return 3


CASES = {"object": check_object, "shards": check_shards}


# The failure kit: test-vectors/kit/v1/README.md.

KEMS = {"x25519": 0x0020, "p256": 0x0010, "x-wing": 0x647A}
CODEC = {"envelope-malformed", "envelope-not-canonical", "envelope-limit", "envelope-unknown", "envelope-value"}


def check_kit_file(path):
    """What this reader finds is what the file expects. It does not tell the five refusals of a decoder apart."""
    head, _, rest = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\n"))
    must(set(fields) - {"key", "passphrase"} == {"expect", "comment", "owner", "released", "envelope"}, f"{path.name}: fields")
    envelope, body = rest[: int(fields["envelope"])], rest[int(fields["envelope"]) :]
    way = {"passphrase": fields.get("passphrase")}
    if "key" in fields:
        kem, secret = fields["key"].split(" ")
        way = {"keys": [RecipientKey(KEMS[kem], bytes.fromhex(secret))]}
    try:
        opened = open_object(bytes.fromhex(fields["owner"]), envelope, body, **way)
    except Refused as refusal:
        found = refusal.expectation
    else:
        length, digest = fields["released"].split(" ")
        must((len(opened.data), blake3.hash(opened.data).hex()) == (int(length), digest), f"{path.name}: other data")
        found = "success" if is_file_name(opened.name) else "name"
    expected = "envelope-malformed" if fields["expect"] in CODEC else fields["expect"]
    must(found == expected, f"{path.name}: {fields['comment']}: {found} instead of {expected}")


# E19a.
INVISIBLE = [
    (0x00, 0x1F), (0x7F, 0x9F), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180E, 0x180E), (0x200B, 0x200F),
    (0x2028, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF),
]


def is_file_name(name):
    """E19, E19a."""
    harmful = any(c in '/\\:*?"<>|' or any(first <= ord(c) <= last for first, last in INVISIBLE) for c in name)
    return 1 <= len(name.encode()) <= 255 and name[0] not in ".- " and name[-1] not in ". " and not harmful


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
    kit = sorted((VECTORS / "kit" / "v1").glob("*.kit"))
    must(len(kit) >= 80, "no failure kit")
    for path in kit:
        check_kit_file(path)
    print(f"sealed objects: {vectors} vectors opened, {controls} changes refused, {len(kit)} files of the kit judged in {time.monotonic() - started:.0f} s: all as specified")


if __name__ == "__main__":
    try:
        main()
    except Mismatch as mismatch:
        sys.exit(f"MISMATCH  {mismatch}")
