"""Constants of Poseidon2 over BN254's scalar field, generated, not copied: docs/spec/v1/cell-tree.md, T3.

The generator is the Grain LFSR of the Poseidon papers in self-shrinking mode. One stream gives first the round
constants, then the diagonal of the internal matrix.
"""

from collections import deque

# Order of BN254's scalar field (spec README, notation).
P = 21888242871839275222246405745257275088548364400416034343698204186575808495617
FIELD_BITS = 254


def grain_bits(width, external_rounds, internal_rounds):
    """The endless stream of bits for one instance: a prime field (01), an S-box that is a power (0000)."""
    header = "01" + "0000" + f"{FIELD_BITS:012b}" + f"{width:012b}" + f"{external_rounds:010b}" + f"{internal_rounds:010b}"
    register = deque(int(bit) for bit in header + "1" * 30)
    assert len(register) == 80

    def clock():
        bit = register[62] ^ register[51] ^ register[38] ^ register[23] ^ register[13] ^ register[0]
        register.popleft()
        register.append(bit)
        return bit

    for _ in range(160):
        clock()
    while True:
        # Of each pair the first bit decides whether the second is given out.
        keep, bit = clock(), clock()
        if keep:
            yield bit


def generate(width, external_rounds, internal_rounds):
    """(external constants by round, internal constants, diagonal of the internal matrix)."""
    stream = grain_bits(width, external_rounds, internal_rounds)

    def number():
        """FIELD_BITS bits, the most significant first."""
        return int("".join(str(next(stream)) for _ in range(FIELD_BITS)), 2)

    def constant():
        value = number()
        while value >= P:  # constants are drawn again, so that they are uniform
            value = number()
        return value

    half = external_rounds // 2
    first = [[constant() for _ in range(width)] for _ in range(half)]
    internal = [constant() for _ in range(internal_rounds)]
    last = [[constant() for _ in range(width)] for _ in range(half)]

    if width == 3:  # small widths have a fixed matrix; used here for published vectors only
        return first + last, internal, [2, 2, 3]
    while True:
        diagonal = [number() % P for _ in range(width)]  # entries are reduced, not drawn again
        if no_invariant_subspace(diagonal):
            return first + last, internal, diagonal


def internal_matrix(diagonal):
    """Ones, with `diagonal` on the diagonal."""
    width = len(diagonal)
    return [[diagonal[i] if i == j else 1 for j in range(width)] for i in range(width)]


def external_matrix(width):
    """circ(2·M4, M4, …, M4); circ(2, 1, 1) for width 3."""
    if width == 3:
        return [[2, 1, 1], [1, 2, 1], [1, 1, 2]]
    m4 = [[5, 7, 1, 3], [4, 6, 1, 1], [1, 3, 5, 7], [1, 1, 4, 6]]
    return [[(2 if i // 4 == j // 4 else 1) * m4[i % 4][j % 4] for j in range(width)] for i in range(width)]


# The condition a diagonal must meet: M, M^2, …, M^(2·width) each have an irreducible minimal polynomial of full degree.


def no_invariant_subspace(diagonal):
    matrix = internal_matrix(diagonal)
    power = matrix
    for _ in range(2 * len(diagonal)):
        polynomial = minimal_polynomial(power)
        if polynomial is None or not is_irreducible(polynomial):
            return False
        power = [[sum(a * b for a, b in zip(row, column)) % P for column in zip(*power)] for row in matrix]
    return True


def minimal_polynomial(matrix):
    """Monic, lowest coefficient first, from the Krylov space of the first unit vector; None where that is not the whole space.

    An irreducible minimal polynomial of full degree makes every vector but zero cyclic, so nothing is lost by looking at one.
    """
    width = len(matrix)
    vector = [1] + [0] * (width - 1)
    rows = []  # reduced rows, each with the combination of Krylov vectors it is
    for step in range(width + 1):
        row, combination = list(vector), [int(i == step) for i in range(width + 1)]
        for pivot, other, other_combination in rows:
            factor = row[pivot]
            if factor:
                row = [(a - factor * b) % P for a, b in zip(row, other)]
                combination = [(a - factor * b) % P for a, b in zip(combination, other_combination)]
        pivot = next((i for i, value in enumerate(row) if value), None)
        if pivot is None:
            return combination if step == width else None
        inverse = pow(row[pivot], -1, P)
        rows.append((pivot, [a * inverse % P for a in row], [a * inverse % P for a in combination]))
        vector = [sum(a * b for a, b in zip(line, vector)) % P for line in matrix]
    raise AssertionError("width + 1 vectors of this length are dependent")


def is_irreducible(f):
    """Rabin's test for a monic f whose degree is a power of two: x^(p^n) = x mod f, and f shares nothing with x^(p^(n/2)) - x."""
    degree = len(f) - 1
    assert degree & (degree - 1) == 0
    frobenius = power_of_x(P, f)
    columns = [[1]]  # the images of 1, x, x^2, … under the Frobenius map
    for _ in range(degree - 1):
        columns.append(multiply(columns[-1], frobenius, f))
    image = [0, 1]
    for step in range(1, degree + 1):
        image = combine(image, columns, degree)
        if step == degree // 2 and len(gcd(f, subtract_x(image))) != 1:
            return False
    return trim(subtract_x(image)) == []


def combine(coefficients, columns, degree):
    out = [0] * degree
    for coefficient, column in zip(coefficients, columns):
        for i, value in enumerate(column):
            out[i] = (out[i] + coefficient * value) % P
    return out


def subtract_x(f):
    out = list(f) + [0] * (2 - len(f))
    out[1] = (out[1] - 1) % P
    return out


def trim(f):
    while f and f[-1] == 0:
        f = f[:-1]
    return f


def remainder(f, g):
    """f mod g, g not zero."""
    f, inverse = list(trim(f)), pow(g[-1], -1, P)
    while len(f) >= len(g):
        factor, shift = f[-1] * inverse % P, len(f) - len(g)
        for i, value in enumerate(g):
            f[shift + i] = (f[shift + i] - factor * value) % P
        f = list(trim(f))
    return f


def gcd(f, g):
    f, g = trim(f), trim(g)
    while g:
        f, g = g, remainder(f, g)
    return f


def multiply(f, g, modulus):
    product = [0] * (len(f) + len(g))
    for i, a in enumerate(f):
        for j, b in enumerate(g):
            product[i + j] += a * b
    return remainder([value % P for value in product], modulus)


def power_of_x(exponent, modulus):
    result = [1]
    for bit in bin(exponent)[2:]:
        result = multiply(result, result, modulus)
        if bit == "1":
            result = multiply(result, [0, 1], modulus)
    return result
