#!/usr/bin/env python3
"""Computes every vector of test-vectors/shards/v1, from docs/spec/v1/shards.md alone, and opens what the program splits from any k shards:
`python3 reference/python/check_shards.py PATH/TO/bailiwick`, with the packages of requirements.txt; the vectors alone without a path

`--write FOLDER` writes the vectors. Ends with status 1 at the first difference.
"""

import hashlib
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bailiwick_reference import blake3
from bailiwick_reference.envelope import Refused
from bailiwick_reference.sealed import RecipientKey
from bailiwick_reference.shards import Order, Shape, open_any, recovery
from check_program import KEMS, key_file

VECTORS = Path(__file__).resolve().parents[2] / "test-vectors" / "shards" / "v1"


def pattern(length):
    return bytes(x * x % 253 for x in range(length))


def blocks_of(count, block):
    data = pattern(count * block)
    return [data[i : i + block] for i in range(0, len(data), block)]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def code(k, r, block):
    originals = blocks_of(k, block)
    made = recovery(originals, r)
    digest = blake3.hash(b"".join(blake3.hash(b) for b in originals + made))
    return {"k": k, "r": r, "block": block, "recovery": sha256(b"".join(made)), "digest": digest.hex()}


def inside(data):
    """One group: the parity blocks of so many data blocks."""
    shape = Shape(1, data * 16_384)
    assert (shape.data, shape.groups) == (data, 1)
    made = recovery(blocks_of(data, shape.block), shape.parity)
    return {"data_blocks": data, "parity_blocks": shape.parity, "parity": [sha256(block) for block in made]}


def order(data, key):
    shape = Shape(1, data * 16_384)
    places = Order(shape, key)
    groups = range(shape.groups)
    return {
        "data_blocks": data,
        "key": key.hex(),
        "groups": shape.groups,
        "parity_per_group": shape.parity,
        "data": [[places.data_place(g, r) for r in range(4)] for g in groups],
        "parity": [[places.parity_place(g, r) for r in range(4)] for g in groups],
    }


def vectors():
    # The first four are those of clause Q4.
    for k, r in ((10, 4), (3, 8), (1, 2), (17, 238), (3, 3), (4, 3), (3, 4), (5, 3), (1, 1), (2, 1), (64, 16), (254, 1)):
        yield f"code-{k}-{r}", f"{r} recovery blocks of {k}", {"code": code(k, r, 128)}
    for data in (2, 15, 16, 40):
        yield f"inside-{data}", f"the code inside a shard of {data} data blocks", {"inside": inside(data)}
    for data, key in ((9000, bytes([5] * 32)), (3841, bytes(range(32)))):
        yield f"order-{data}", f"which of {data} data blocks form a group", {"order": order(data, key)}


def check_vectors():
    expected = {f"{name}.json": (scenario, case) for name, scenario, case in vectors()}
    paths = sorted(VECTORS.glob("*.json"))
    if {p.name for p in paths} != set(expected):
        sys.exit(f"{VECTORS} has other files than these: {sorted(expected)}")
    for path in paths:
        vector = json.loads(path.read_text(encoding="utf-8"))
        if set(vector) != {"scenario", "provenance", "case"} or (vector["scenario"], vector["case"]) != expected[path.name]:
            sys.exit(f"{path.name}: other than computed")
    return len(paths)


def check_split(run, place, split, length):
    """Seals a file as shards and opens it from every choice of k; with a bit changed, or of fewer, it does not open."""
    k, n = split
    data = hashlib.shake_256(f"{split} {length}".encode()).digest(length)
    (place / "plain").write_bytes(data)
    folder = place / f"{k}-{n}-{length}"
    run("seal", "plain", "-o", folder.name, "--owner", "owner", "--to", "to.pub", "--shards", f"{k}/{n}", "--no-commit")
    owner = bytes.fromhex(key_file(place / "owner.pub")["public"])
    keys = [RecipientKey(KEMS["x-wing"], bytes.fromhex(key_file(place / "to")["secret"]))]
    shards = [((folder / f"{s:03}.shard.envelope").read_bytes(), (folder / f"{s:03}.shard").read_bytes()) for s in range(n)]
    choices = list(itertools.combinations(shards, k))
    for chosen in (*choices[:: max(1, len(choices) // 6)], choices[-1], shards):
        if open_any(owner, chosen, keys) != ("plain", "", data):
            sys.exit(f"{split} of {length} bytes: other data")
    envelope, body = shards[-1]
    wrong = [*shards[: k - 1], (envelope, body[:-20] + bytes([body[-20] ^ 1]) + body[-19:])]
    for refused in (shards[: k - 1], wrong):
        try:
            if refused:
                open_any(owner, refused, keys)
                sys.exit(f"{split} of {length} bytes: opened from wrong shards, or too few")
        except Refused:
            pass
    return len(choices)


def main():
    if sys.argv[1:2] == ["--write"]:
        for name, scenario, case in vectors():
            vector = {"scenario": scenario, "provenance": "reference/python/check_shards.py, from docs/spec/v1/shards.md", "case": case}
            Path(sys.argv[2], f"{name}.json").write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")
        return
    count = check_vectors()
    opened = 0
    if len(sys.argv) == 2:
        program = str(Path(sys.argv[1]).resolve())
        with tempfile.TemporaryDirectory() as name:
            place = Path(name)

            def run(*arguments):
                subprocess.run([program, *arguments], cwd=place, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

            run("key", "new", "owner", "-o", "owner")
            run("key", "new", "recipient", "-o", "to")
            # One chunk a shard; several, with the code inside; every shard a whole object.
            for split, length in (((3, 5), 1000), ((2, 3), 100_000), ((3, 5), 200_000), ((1, 3), 40_000), ((2, 2), 10)):
                check_split(run, place, split, length)
                opened += 1
    print(f"shards: {count} vectors computed, {opened} split objects opened")


if __name__ == "__main__":
    main()
