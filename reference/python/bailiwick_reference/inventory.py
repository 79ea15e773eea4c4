"""The tree of an inventory: docs/spec/v1/inventory.md, I1 to I4."""

from . import blake3


def le64(number):
    return number.to_bytes(8, "little")


def leaf_hash(leaf):
    """I1."""
    data = b"\0" + leaf.owner + leaf.object + leaf.unit + le64(leaf.generation)
    return blake3.hash(data + leaf.blake3 + le64(leaf.size) + leaf.root + le64(leaf.cells))


def root(leaves):
    """(hash, cells) of the tree over leaves in order (I2, I3)."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0]), leaves[0].cells
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    (left, left_cells), (right, right_cells) = root(leaves[:split]), root(leaves[split:])
    node = blake3.hash(b"\1" + left + le64(left_cells) + right + le64(right_cells))
    return node, left_cells + right_cells


def is_sorted(leaves):
    """I4."""
    return all(a.name() < b.name() for a, b in zip(leaves, leaves[1:]))
