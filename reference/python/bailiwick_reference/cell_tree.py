"""The cell tree: docs/spec/v1/cell-tree.md."""

from functools import cache

from . import blake3
from .poseidon2 import compress
from .poseidon2_constants import P

CELL = 496
BLOCK_CELLS = 256


def element(encoding):
    """An element from its 32 bytes (spec README, notation)."""
    value = int.from_bytes(encoding, "little")
    if len(encoding) != 32 or value >= P:
        raise ValueError("not an element")
    return value


def label_element(label):
    """2^248 + LE(BLAKE3(label)[0..31]) (T4, S1)."""
    return (1 << 248) + int.from_bytes(blake3.hash(label.encode("ascii"))[:31], "little")


def cell_count(size):
    """ceil(size / 496) (T1)."""
    return -(-size // CELL)


def natural_depth(cells):
    """T5."""
    depth = 1
    while 16 ** (depth - 1) < cells:
        depth += 1
    return depth


@cache
def empty_node(level):
    """Z_level (T4)."""
    if level == 1:
        return label_element("bailiwick/v1/empty-cell")
    return compress([empty_node(level - 1)] * 16)


def cell_elements(cell):
    """The 16 elements of a cell, which is padded here (T1, T2)."""
    cell = cell.ljust(CELL, b"\0")
    return [int.from_bytes(cell[31 * i : 31 * i + 31], "little") for i in range(16)]


def levels(body):
    """Nodes by level, the lowest first, up to the root; missing ones are left out (T3, T5)."""
    if not body:
        raise ValueError("a body has at least one byte")
    cells = [body[CELL * i : CELL * (i + 1)] for i in range(cell_count(len(body)))]
    out = [[compress(cell_elements(cell)) for cell in cells]]
    while len(out) < natural_depth(len(cells)):
        out.append([compress(children(out, len(out), i)) for i in range(-(-len(out[-1]) // 16))])
    return out


def children(tree, level, index):
    """The sixteen nodes of `level` under node `index` of the level above."""
    present = tree[level - 1][16 * index : 16 * index + 16]
    return present + [empty_node(level)] * (16 - len(present))


def lift(root, depth, target):
    """T6."""
    for level in range(depth, target):
        root = compress([root] + [empty_node(level)] * 15)
    return root


def cell_path(tree, index, depth):
    """The 15 siblings of each node on the way from cell `index` to the root lifted to `depth`, the lowest level first."""
    lifted = tree + [[lift(tree[-1][0], len(tree), level)] for level in range(len(tree) + 1, depth)]
    path = []
    for level in range(1, depth):
        row = children(lifted, level, index // 16)
        path.append(row[: index % 16] + row[index % 16 + 1 :])
        index //= 16
    return path


def root_of_block(block, path, cells):
    """The root that a block and its path lead to (T8); raises for a path of another shape than the body of `cells` cells has."""
    depth = natural_depth(cells)
    number, siblings = int.from_bytes(path[:8], "little"), path[8:]
    if len(path) < 8 or len(siblings) != max(0, depth - 3) * 15 * 32:
        raise ValueError("another number of siblings")
    if number >= -(-cells // BLOCK_CELLS):
        raise ValueError("no such block")
    present = min(cells - BLOCK_CELLS * number, BLOCK_CELLS)
    if cell_count(len(block)) != present:
        raise ValueError("another number of cells")
    tree = levels(block)
    if depth <= 3:
        return tree[-1][0]
    node = lift(tree[-1][0], len(tree), 3)
    for level in range(3, depth):
        row = [element(siblings[32 * i : 32 * i + 32]) for i in range(15)]
        siblings = siblings[15 * 32 :]
        position = number >> 4 * (level - 3) & 15
        node = compress(row[:position] + [node] + row[position:])
    return node
