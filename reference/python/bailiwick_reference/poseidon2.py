"""Poseidon2 over BN254's scalar field and the compression C of the cell tree: docs/spec/v1/cell-tree.md, T3."""

from operator import mul

from .poseidon2_constants import P, external_matrix, generate


class Poseidon2:
    def __init__(self, width, external_rounds, internal_rounds):
        self.width = width
        self.external, self.internal, self.diagonal = generate(width, external_rounds, internal_rounds)
        self.matrix = external_matrix(width)

    def permute(self, state):
        """The permutation of `width` elements."""
        assert len(state) == self.width and all(0 <= x < P for x in state)
        half = len(self.external) // 2
        state = self.external_linear(state)
        for constants in self.external[:half]:
            state = self.external_round(state, constants)
        for constant in self.internal:
            state = self.internal_round(state, constant)
        for constants in self.external[half:]:
            state = self.external_round(state, constants)
        return state

    def external_linear(self, state):
        return [sum(map(mul, row, state)) % P for row in self.matrix]

    def external_round(self, state, constants):
        return self.external_linear([fifth_power(x + c) for x, c in zip(state, constants)])

    def internal_round(self, state, constant):
        state = [fifth_power(state[0] + constant)] + state[1:]
        total = sum(state)
        # Row i of the matrix is ones but for diagonal[i].
        return [(total + (d - 1) * x) % P for d, x in zip(self.diagonal, state)]


def fifth_power(x):
    square = x * x % P
    return square * square * x % P


WIDTH_16 = Poseidon2(16, 8, 57)


def compress(children):
    """C: sixteen elements to one."""
    assert len(children) == 16
    return (WIDTH_16.permute(list(children))[0] + children[0]) % P
