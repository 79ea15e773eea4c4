"""The possession statement: docs/spec/v1/possession.md, S1 to S5."""

from .cell_tree import element, label_element, lift, natural_depth
from .poseidon2 import compress
from .poseidon2_constants import P


def statement(samples, depth, binding, slots):
    """The public input (S1); slots are (root lifted to `depth`, index of the cell)."""
    if len(slots) != samples or not 3 <= depth <= 8 or not all(index < 16 ** (depth - 1) for _, index in slots):
        raise ValueError("no statement of this class")
    numbers = [samples, depth, binding]
    for root, index in slots:
        numbers += [root, index]
    state = label_element("bailiwick/v1/possession-statement")
    for i in range(0, len(numbers), 15):
        block = numbers[i : i + 15]
        state = compress([state] + block + [0] * (15 - len(block)))
    return state


def public_input(challenge, binding, drawn, targets):
    """S2: from the challenge, what it draws, and the targets it names or the leaves it samples. All of these must be sound."""
    for target in targets:
        if not 1 <= target.cells <= 16 ** (challenge.depth - 1):
            raise ValueError("more cells than the class holds")
    roots = [lift(element(target.root), natural_depth(target.cells), challenge.depth) for target in targets]
    return statement(challenge.samples, challenge.depth, binding, [(roots[index], cell) for index, cell in drawn])


def holds(public, samples, depth, binding, roots, digits, cells, siblings):
    """What the prover shows (S3, S4, S5). For every sample: its root, depth - 1 digits, 16 elements of a cell, depth - 1 times 15
    siblings; the lowest level first."""
    if not all(len(part) == samples for part in (roots, digits, cells, siblings)):
        return False
    if not all(len(d) == depth - 1 and all(0 <= digit < 16 for digit in d) for d in digits):
        return False
    indices = [sum(digit * 16**level for level, digit in enumerate(d)) for d in digits]
    if statement(samples, depth, binding, list(zip(roots, indices))) != public:
        return False
    for root, path, cell, rows in zip(roots, digits, cells, siblings):
        if len(rows) != depth - 1 or not all(0 <= x < P for x in cell):
            return False
        node = compress(cell)
        for digit, row in zip(path, rows):
            node = compress(row[:digit] + [node] + row[digit:])
        if node != root:
            return False
    return True
