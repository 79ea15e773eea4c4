"""The codes of split objects (docs/spec/v1/shards.md): code 1 in Lagrange's form, the code inside a shard, its order, and opening from any k."""

from functools import cache

from . import blake3
from .envelope import Refused, verified_envelope
from .sealed import CHUNK, committed_key, expand, file_key_of, le64, parts, plaintext

# Q4: the field's polynomial, and the basis whose coordinates are the bits of a symbol.
POLYNOMIAL = 0x1002D
BASIS = (0x0001, 0xACCA, 0x3C0E, 0x163E, 0xC582, 0xED2E, 0x914C, 0x4012, 0x6C98, 0x10D8, 0x6A72, 0xB900, 0xFDB8, 0xFB34, 0xFF38, 0x991E)


@cache
def tables():
    """Powers of 2 as symbols, and each symbol's exponent."""
    symbol_of = {0: 0}
    for i, element in enumerate(BASIS):
        symbol_of |= {element ^ other: 1 << i | symbol for other, symbol in symbol_of.items()}
    powers, exponents, element = [], {}, 1
    for exponent in range(65_535):
        powers.append(symbol_of[element])
        exponents[symbol_of[element]] = exponent
        element <<= 1
        if element > 0xFFFF:
            element ^= POLYNOMIAL
    return powers, exponents


def times(a, b):
    powers, exponents = tables()
    return powers[(exponents[a] + exponents[b]) % 65_535] if a and b else 0


def inverse(a):
    powers, exponents = tables()
    return powers[-exponents[a] % 65_535]


def lagrange(points, point):
    """What the value at each of `points` counts in the value at `point`, which is none of them. The sum of two symbols is their XOR."""
    out = []
    for i, a in enumerate(points):
        over, under = 1, 1
        for j, b in enumerate(points):
            if i != j:
                over, under = times(over, point ^ b), times(under, a ^ b)
        out.append(times(over, inverse(under)))
    return out


def power_of_two(n):
    return 1 << (n - 1).bit_length()


@cache
def matrix(k, r):
    """Q4: what original block i counts in recovery block j."""
    wide, high = power_of_two(k), power_of_two(r)
    if wide > high or (wide == high and k <= r):
        chunks = [range(first, min(first + high, k)) for first in range(0, k, high)]
        rows = []
        for j in range(r):
            row = []
            for c, chunk in enumerate(chunks):
                points = range((c + 1) * high, (c + 2) * high)
                row += lagrange(points, j)[: len(chunk)]
            rows.append(row)
        return rows
    return [lagrange(range(wide), wide + j)[:k] for j in range(r)]


def split_bytes(block):
    """Symbol 32c + i of a block has its low byte at 64c + i and its high byte at 64c + 32 + i."""
    low = b"".join(block[i : i + 32] for i in range(0, len(block), 64))
    return low, b"".join(block[i + 32 : i + 64] for i in range(0, len(block), 64))


def joined_bytes(low, high):
    return b"".join(low[i : i + 32] + high[i : i + 32] for i in range(0, len(low), 32))


def weighted_sum(weights, blocks):
    """The blocks, each times its weight, added up."""
    length = len(blocks[0]) // 2
    sums = [0, 0]
    for weight, block in zip(weights, blocks, strict=True):
        for shift, part in zip((0, 8), split_bytes(block)):
            products = [times(weight, value << shift) for value in range(256)]
            for byte in (0, 1):
                table = bytes(p >> 8 * byte & 0xFF for p in products)
                sums[byte] ^= int.from_bytes(part.translate(table), "little")
    return joined_bytes(*(s.to_bytes(length, "little") for s in sums))


def recovery(originals, r):
    """Q4: the r recovery blocks of these."""
    return [weighted_sum(row, originals) for row in matrix(len(originals), r)]


def restored(k, r, held):
    """The k original blocks from any k blocks: `held` maps places, originals before recovery blocks, to blocks. By Gauss's elimination."""
    chosen = sorted(held)[:k]
    if len(chosen) < k:
        raise Refused("shard")
    unit = [[int(i == j) for j in range(k)] for i in range(k)]
    rows = [(unit[p] if p < k else matrix(k, r)[p - k]) + unit[i] for i, p in enumerate(chosen)]
    for column in range(k):
        pivot = next(i for i in range(column, k) if rows[i][column])
        rows[column], rows[pivot] = rows[pivot], rows[column]
        scale = inverse(rows[column][column])
        rows[column] = [times(scale, value) for value in rows[column]]
        for i in range(k):
            if i != column and (factor := rows[i][column]):
                rows[i] = [value ^ times(factor, other) for value, other in zip(rows[i], rows[column])]
    blocks = [held[p] for p in chosen]
    return [weighted_sum(row[k:], blocks) for row in rows]


class Shape:
    """Q2, Q5: b, D, G and p."""

    def __init__(self, k, length):
        share = -(-length // k)
        if share <= CHUNK:
            self.block, self.data = 64 * -(-share // 64), 1
        else:
            self.block, self.data = CHUNK, -(-(-(-length // CHUNK)) // k)
        self.groups = -(-self.data // 3840)
        self.parity = 0 if self.data == 1 else -(-(-(-self.data // self.groups)) // 15)


class Order:
    """Q6: which blocks of a shard form a group."""

    def __init__(self, shape, key):
        self.shape, self.key = shape, key

    def place(self, a, number, below):
        if self.shape.groups == 1:
            return number
        bits = (below - 1).bit_length()
        h = max(1, -(-bits // 2))
        while True:
            left, right = number >> h, number % (1 << h)
            for i in range(8):
                f = blake3.keyed_hash(self.key, bytes([a, i]) + right.to_bytes(4, "little"), 4)
                left, right = right, left ^ int.from_bytes(f, "little") % (1 << h)
            number = left << h | right
            if number < below:
                return number

    def data_place(self, group, r):
        return self.place(0, r * self.shape.groups + group, self.shape.data)

    def parity_place(self, group, r):
        s = self.shape
        return s.data + self.place(1, r * s.groups + group, s.groups * s.parity)

    def data_count(self, group):
        return len(range(group, self.shape.data, self.shape.groups))


def order_key(envelope, file_key):
    """Q6."""
    context = le64(envelope.suite) + envelope.owner + envelope.object + envelope.unit
    return expand(file_key, b"bailiwick/v1/shard-order" + context, 32)


def check_inside(shape, key, blocks):
    """Q5: every group's parity blocks are those of its data blocks."""
    order = Order(shape, key)
    for group in range(shape.groups if shape.parity else 0):
        data = [blocks[order.data_place(group, r)] for r in range(order.data_count(group))]
        parity = [blocks[order.parity_place(group, r)] for r in range(shape.parity)]
        if recovery(data, shape.parity) != parity:
            raise Refused("shard")


def open_any(owner, shards, keys):
    """Q1 to Q6: the object from these (envelope, body), at least k of them. All that are given have to be of one encoding."""
    held, envelopes, shape = {}, [], None
    for envelope_bytes, body in shards:
        envelope = verified_envelope(envelope_bytes, owner)
        if envelope.shards is None or envelopes and (envelope.object, envelope.unit[:4], envelope.shards) != (envelopes[0].object, envelopes[0].unit[:4], envelopes[0].shards):
            raise Refused("shard")
        envelopes.append(envelope)
        k, n, shard = (int.from_bytes(envelope.unit[i : i + 2], "little") for i in (0, 2, 4))
        shape = Shape(k, envelope.shards[0])
        file_key = file_key_of(envelope, keys)
        plain = plaintext(committed_key(envelope, file_key), envelope, body)
        blocks = [plain[i : i + shape.block] for i in range(0, len(plain), shape.block)]
        if len(blocks) != shape.data + shape.groups * shape.parity or len(plain) % shape.block:
            raise Refused("shard")
        check_inside(shape, order_key(envelope, file_key), blocks)
        held[shard] = blocks[: shape.data]
    if len(held) == n and blake3.hash(b"".join(e.blake3 for e in sorted(envelopes, key=lambda e: e.unit[4:6]))) != envelopes[0].shards[1]:
        raise Refused("shard")
    whole = b""
    for stripe in range(shape.data):
        row = {shard: blocks[stripe] for shard, blocks in held.items()}
        originals = restored(k, n - k, row)
        for j, made in enumerate(recovery(originals, n - k) if n > k else []):
            if k + j in row and row[k + j] != made:
                raise Refused("shard")
        whole += b"".join(originals)
    length = envelopes[0].shards[0]
    if any(whole[length:]):
        raise Refused("shard")
    return parts(whole[:length])
