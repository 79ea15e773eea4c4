"""The tree of an inventory: docs/spec/v1/inventory.md, I1 to I4."""

from . import blake3


def le64(number):
    return number.to_bytes(8, "little")


def leaf_hash(leaf):
    """I1."""
    data = b"\0" + leaf.owner + leaf.object + leaf.unit + le64(leaf.generation)
    return blake3.hash(data + leaf.blake3 + le64(leaf.size) + leaf.root + le64(leaf.cells))


def left_size(leaves):
    """Leaves of the left of two subtrees (I3)."""
    split = 1
    while 2 * split < len(leaves):
        split *= 2
    return split


def root(leaves):
    """(hash, cells) of the tree over leaves in order (I2, I3)."""
    if len(leaves) == 1:
        return leaf_hash(leaves[0]), leaves[0].cells
    split = left_size(leaves)
    (left, left_cells), (right, right_cells) = root(leaves[:split]), root(leaves[split:])
    node = blake3.hash(b"\1" + left + le64(left_cells) + right + le64(right_cells))
    return node, left_cells + right_cells


def is_sorted(leaves):
    """I4."""
    return all(a.name() < b.name() for a, b in zip(leaves, leaves[1:]))


def path(leaves, index):
    """The siblings of a leaf's path, from the leaf up (I8)."""
    if len(leaves) == 1:
        return []
    split = left_size(leaves)
    if index < split:
        return path(leaves[:split], index) + [root(leaves[split:])]
    return path(leaves[split:], index - split) + [root(leaves[:split])]


def owner_range(leaves, owner):
    """(first place, how many, nodes around them): an owner's leaves with a neighbour on either side (I10)."""
    below = sum(leaf.owner < owner for leaf in leaves)
    own = sum(leaf.owner == owner for leaf in leaves)
    first, end = max(below - 1, 0), min(below + own + 1, len(leaves))
    return first, end - first, around(leaves, first, end)


def around(leaves, first, end):
    """The nodes of all parts of the tree that have none of the leaves from `first` to before `end`, left to right."""
    if end <= 0 or first >= len(leaves):
        return [root(leaves)]
    if len(leaves) == 1:
        return []
    split = left_size(leaves)
    return around(leaves[:split], first, end) + around(leaves[split:], first - split, end - split)
