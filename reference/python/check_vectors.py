#!/usr/bin/env python3
"""Computes every vector of test-vectors/possession/v1, judges those of test-vectors/verifier/v1, and compares.
`python3 reference/python/check_vectors.py`

Prints what it checked, one line each; ends with status 1 at the first mismatch. Published vectors of the primitives come first.
With each vector come its controls: every value in the file is changed, one at a time, and the comparison must then fail.
"""

import copy
import json
import sys
import time
from functools import cache
from itertools import chain
from pathlib import Path

from bailiwick_reference import blake3, cell_tree, challenge, inventory, messages, statement
from bailiwick_reference.poseidon2 import compress
from evidence import check_evidence
from known_answers import known_answers, pairing_answers
from refusals import of_challenges, of_points, of_signatures

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "test-vectors"


class Mismatch(Exception):
    """Something is not what it should be; the text says what."""


def text(element):
    return element.to_bytes(32, "little").hex()


def element(encoding):
    return cell_tree.element(bytes.fromhex(encoding))


# One function for each kind of vector: from the inputs in the file, all the outputs in it.


def compress_case(children):
    return {"node": text(compress([element(child) for child in children]))}


def labels_case():
    label = cell_tree.label_element("bailiwick/v1/possession-statement")
    return {"statement": text(label), "empty": [text(cell_tree.empty_node(level)) for level in range(1, 9)]}


@cache
def tree_of(seed, size):
    return cell_tree.levels(body_of(seed, size))


@cache
def body_of(seed, size):
    """test-vectors/README.md: BLAKE3's extended output for the one byte."""
    return blake3.hash(bytes([seed]), size)


def tree_case(seed, size, lifted_depth):
    tree = tree_of(seed, size)
    root, depth = tree[-1][0], cell_tree.natural_depth(len(tree[0]))
    lifted = cell_tree.lift(root, depth, lifted_depth)
    return {"cells": cell_tree.cell_count(size), "depth": depth, "root": text(root), "lifted_root": text(lifted)}


def draw_case(challenge_bytes):
    c = messages.challenge(bytes.fromhex(challenge_bytes))
    binding, words = challenge.draw(c)
    return drawn(c, binding, challenge.slots(words, c.targets), c.targets)


def drawn(c, binding, slots, targets):
    public = statement.public_input(c, binding, slots, targets)
    return {"binding": text(binding), "slots": [list(slot) for slot in slots], "public_input": text(public)}


def inventory_case(leaves, challenge_bytes):
    """Leaves are whole objects, unit 1-1-0-0. Slots count the opened leaves, which are those sampled, each once, in order."""
    c = messages.challenge(bytes.fromhex(challenge_bytes))
    leaves = [leaf(*row) for row in leaves]
    root, total = inventory.root(leaves)
    if not inventory.is_sorted(leaves) or c.inventory != (root, len(leaves), total):
        raise ValueError("the challenge is about another inventory")
    binding, words = challenge.draw(c)
    slots = challenge.slots(words, leaves)
    opened = sorted({index for index, _ in slots})
    slots = [(opened.index(index), cell) for index, cell in slots]
    return {"root": root.hex(), "total": total, "opened": opened, **drawn(c, binding, slots, [leaves[index] for index in opened])}


def opening_case(leaves, index):
    leaves = [leaf(*row) for row in leaves]
    if not inventory.is_sorted(leaves) or not 0 <= index < len(leaves):
        raise ValueError("no such leaf")
    root, total = inventory.root(leaves)
    return {"root": root.hex(), "total": total, "path": nodes(inventory.path(leaves, index))}


def range_case(leaves, owner):
    leaves = [leaf(*row) for row in leaves]
    if not inventory.is_sorted(leaves):
        raise ValueError("not sorted")
    root, total = inventory.root(leaves)
    first, count, around = inventory.owner_range(leaves, bytes.fromhex(owner))
    return {"root": root.hex(), "total": total, "first": first, "count": count, "around": nodes(around)}


def nodes(pairs):
    return [[digest.hex(), cells] for digest, cells in pairs]


def block_path_case(seed, size, block):
    tree = tree_of(seed, size)
    if not 0 <= block <= (len(tree[0]) - 1) // 256:
        raise ValueError("no such block")
    return {"root": text(tree[-1][0]), "path": block_path(tree, block).hex()}


def block_path(tree, block):
    rows = cell_tree.cell_path(tree, 256 * block, len(tree))[2:]
    return block.to_bytes(8, "little") + b"".join(x.to_bytes(32, "little") for row in rows for x in row)


def leaf(owner, object_id, generation, digest, size, root, cells):
    unit = bytes([1, 0, 1, 0, 0, 0, 0, 0])
    row = [bytes.fromhex(owner), bytes.fromhex(object_id), unit, generation, bytes.fromhex(digest), size, bytes.fromhex(root), cells]
    return messages.target(row)


def statement_case(samples, depth, binding, slots):
    pairs = [(element(root), index) for root, index in slots]
    return {"statement": text(statement.statement(samples, depth, element(binding), pairs))}


CASES = {
    "compress": (compress_case, ["children"]),
    "labels": (labels_case, []),
    "tree": (tree_case, ["seed", "size", "lifted_depth"]),
    "draw": (draw_case, ["challenge"]),
    "inventory-draw": (inventory_case, ["leaves", "challenge"]),
    "inventory-opening": (opening_case, ["leaves", "index"]),
    "owner-range": (range_case, ["leaves", "owner"]),
    "block-path": (block_path_case, ["seed", "size", "block"]),
    "statement": (statement_case, ["samples", "depth", "binding", "slots"]),
}
COMPUTED = {}


def compute(kind, fields):
    """The outputs, or the reason why there are none. Remembered, since most controls change an output only."""
    function, inputs = CASES[kind]
    key = json.dumps([kind, [fields[name] for name in inputs]])
    if key not in COMPUTED:
        try:
            COMPUTED[key] = function(*[fields[name] for name in inputs])
        except (ValueError, OverflowError) as refusal:
            COMPUTED[key] = f"refused: {refusal}"
    return COMPUTED[key]


def compare(kind, fields):
    """Raises Mismatch unless the fields are the kind's inputs and exactly what follows from them."""
    expected = {name: value for name, value in fields.items() if name not in CASES[kind][1]}
    computed = compute(kind, fields)
    if computed != expected:
        raise Mismatch(f"{kind}: computed {computed}, the file says {expected}")


def load(path):
    """(kind, fields) of a vector; unknown kinds and fields are a mismatch."""
    vector = json.loads(path.read_text(encoding="utf-8"))
    if set(vector) != {"scenario", "provenance", "case"} or len(vector["case"]) != 1:
        raise Mismatch(f"{path.name}: not the form of a vector")
    [(kind, fields)] = vector["case"].items()
    if kind not in CASES:
        raise Mismatch(f"{path.name}: no such kind: {kind}")
    return kind, fields


def challenge_in(files, name):
    """The challenge of the vector of this name."""
    for path in files:
        if path.name == name:
            return bytes.fromhex(load(path)[1]["challenge"])
    raise Mismatch(f"no vector {name}")


# Controls.


def places(value, path=()):
    """Where the leaves of a JSON value are."""
    if isinstance(value, (dict, list)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, path + (key,))
    else:
        yield path, value


def changes(value):
    """Other values for a leaf: a number's lowest bit, or one bit of the first, the middle and the last byte of hexadecimal."""
    if isinstance(value, int):
        return [value ^ 1]
    length = len(value) // 2
    return [flipped(value, at) for at in sorted({0, length // 2, length - 1})]


def flipped(hexadecimal, at):
    data = bytearray.fromhex(hexadecimal)
    data[at] ^= 1
    return data.hex()


def is_noticed(kind, fields):
    try:
        compare(kind, fields)
    except Mismatch:
        return True
    return False


def controls(name, kind, fields):
    """Changes every value; each change must be noticed. Returns how many there were."""
    count = 0
    for path, value in places(fields):
        for other in changes(value):
            changed = copy.deepcopy(fields)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = other
            if not is_noticed(kind, changed):
                raise Mismatch(f"{name}: {'.'.join(map(str, path))} = {other} was not noticed")
            count += 1
    for field in fields:
        if field not in CASES[kind][1]:
            if not is_noticed(kind, {key: value for key, value in fields.items() if key != field}):
                raise Mismatch(f"{name}: {field} left out was not noticed")
            count += 1
    if count == 0:
        raise Mismatch(f"{name}: nothing to change")
    return count


def every_byte_of_the_challenge(name, fields):
    """A challenge with any of its bytes changed is refused, or draws something else."""
    length = len(fields["challenge"]) // 2
    for at in range(length):
        if not is_noticed("draw", {**fields, "challenge": flipped(fields["challenge"], at)}):
            raise Mismatch(f"{name}: byte {at} of the challenge was not noticed")
    return length


# Of the statement, and of blocks with what is near them, there are no vectors: they are checked over the trees that have some.


def check_statement_over_tree(seed, size, depth):
    """S3 to S5 hold for the first and the last cell of a body, and for nothing near."""
    tree = tree_of(seed, size)
    body = body_of(seed, size)
    indices = [0, len(tree[0]) - 1]
    root = cell_tree.lift(tree[-1][0], len(tree), depth)
    public = statement.statement(2, depth, 5, [(root, index) for index in indices])
    cells = [cell_tree.cell_elements(body[496 * index : 496 * (index + 1)]) for index in indices]
    digits = [[index >> 4 * level & 15 for level in range(depth - 1)] for index in indices]
    siblings = [cell_tree.cell_path(tree, index, depth) for index in indices]
    honest = [public, 2, depth, 5, [root, root], digits, cells, siblings]
    if not statement.holds(*honest):
        raise Mismatch("the statement does not hold for an honest prover")
    count = 0
    for path, value in places(honest):
        if len(path) > 1 and path[0] == 7 and path[-1] % 5:  # every fifth sibling
            continue
        changed = copy.deepcopy(honest)
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value ^ 1
        try:
            if statement.holds(*changed):
                raise Mismatch(f"the statement holds with part {path} changed")
        except ValueError:
            pass
        count += 1
    return count


def check_blocks(seed, size):
    """T8: the first and the last block lead to the root; with a bit changed, or under another number, they do not."""
    tree = tree_of(seed, size)
    body, cells = body_of(seed, size), len(tree[0])
    count = 0
    for number in sorted({0, (cells - 1) // 256}):
        block = body[126_976 * number : 126_976 * (number + 1)]
        path = block_path(tree, number)
        if cell_tree.root_of_block(block, path, cells) != tree[-1][0]:
            raise Mismatch(f"block {number} does not lead to the root")
        wrong = [(bytes([block[0] ^ 1]) + block[1:], path), (block, bytes([path[0] ^ 1]) + path[1:]), (block, path + bytes(32))]
        wrong += [(block, path[:8] + bytes([path[8] ^ 1]) + path[9:])] if len(path) > 8 else []
        for other in wrong:
            try:
                if cell_tree.root_of_block(*other, cells) == tree[-1][0]:
                    raise Mismatch(f"block {number}: a change was not noticed")
            except ValueError:
                pass
            count += 1
    return count


def main():
    started = time.monotonic()
    total = {"known answers": 0, "refusals": 0, "vectors": 0, "controls": 0}

    def report(line):
        print(f"{time.monotonic() - started:6.1f}s  {line}", flush=True)

    for name, computed, expected in chain(known_answers(), pairing_answers()):
        if computed != expected:
            raise Mismatch(f"{name}: computed {computed}, published {expected}")
        total["known answers"] += 1
        report(f"published  {name}")

    files = sorted((VECTORS / "possession" / "v1").glob("*.json"))
    named, over_inventory = (challenge_in(files, name) for name in ("draw-small.json", "draw-inventory.json"))
    for name, refused, expected in chain(of_challenges(named, over_inventory), of_signatures(), of_points()):
        if refused != expected:
            raise Mismatch(f"{name}: {'accepted' if expected else 'refused'}")
        total["refusals"] += 1
        report(f"{'refused' if refused else 'accepted':9}  {name}")

    kinds = set()
    for path in files:
        kind, fields = load(path)
        kinds.add(kind)
        compare(kind, fields)
        count = controls(path.name, kind, fields)
        if kind == "draw" and len(fields["slots"]) == 1:  # a draw takes time with its samples
            count += every_byte_of_the_challenge(path.name, fields)
        if kind == "tree":
            count += check_blocks(fields["seed"], fields["size"])
            count += check_statement_over_tree(fields["seed"], fields["size"], max(fields["lifted_depth"], 3))
        total["vectors"] += 1
        total["controls"] += count
        report(f"vector     possession/v1/{path.name}: {kind}; {count} changes noticed")
    if kinds != set(CASES):
        raise Mismatch(f"no vector of kind {sorted(set(CASES) - kinds)}")

    evidence = sorted((VECTORS / "verifier" / "v1").glob("*.json"))
    if "honest.json" not in [path.name for path in evidence]:
        raise Mismatch("no evidence that must be supported")
    for path in evidence:
        try:
            line, count = check_evidence(json.loads(path.read_text(encoding="utf-8")))
        except ValueError as difference:
            raise Mismatch(f"{path.name}: {difference}") from difference
        total["vectors"] += 1
        total["controls"] += count
        report(f"evidence   verifier/v1/{path.name}: {line}; {count} changes noticed")

    print(", ".join(f"{count} {name}" for name, count in total.items()), f"in {time.monotonic() - started:.0f} s: all as specified")


if __name__ == "__main__":
    try:
        main()
    except Mismatch as mismatch:
        sys.exit(f"MISMATCH  {mismatch}")
