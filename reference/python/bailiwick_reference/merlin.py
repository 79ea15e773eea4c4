"""merlin transcripts (merlin.cool, "Merlin v1.0") over the part of STROBE-128 v1.0.2 they use, over Keccak-f[1600] (FIPS 202)."""

MASK = (1 << 64) - 1


def round_constants():
    """FIPS 202, algorithm 5: bits of an LFSR, at positions 2^j - 1."""
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for j in range(7):
            if register & 1:
                constant |= 1 << ((1 << j) - 1)
            register <<= 1
            if register & 0x100:
                register ^= 0x171
        constants.append(constant)
    return constants


def rotations():
    """FIPS 202, algorithm 2: offset of lane (x, y)."""
    offsets, (x, y) = {(0, 0): 0}, (1, 0)
    for t in range(24):
        offsets[x, y] = (t + 1) * (t + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    return offsets


ROUND_CONSTANTS, ROTATIONS = round_constants(), rotations()
PI = [((x, y), (y, (2 * x + 3 * y) % 5)) for x in range(5) for y in range(5)]
# For lane 5y+x: its source in PI, and how far that is rotated.
MOVES = sorted((5 * to[1] + to[0], 5 * frm[1] + frm[0], ROTATIONS[frm]) for frm, to in PI)


def keccak_f(state):
    """The permutation of 200 bytes, in place."""
    a = [int.from_bytes(state[i : i + 8], "little") for i in range(0, 200, 8)]
    for constant in ROUND_CONSTANTS:
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ (c[(x + 1) % 5] << 1 | c[(x + 1) % 5] >> 63) & MASK for x in range(5)]
        a = [lane ^ d[i % 5] for i, lane in enumerate(a)]
        b = [(a[source] << r | a[source] >> (64 - r)) & MASK for _, source, r in MOVES]
        a = [b[i] ^ (b[i - i % 5 + (i + 1) % 5] ^ MASK) & b[i - i % 5 + (i + 2) % 5] for i in range(25)]
        a[0] ^= constant
    state[:] = b"".join(lane.to_bytes(8, "little") for lane in a)


class Strobe128:
    """Operations AD, meta-AD, KEY and PRF, without the transport (STROBE specification, sections 6 and 7)."""

    RATE = 166
    I, A, C, T, M = 1, 2, 4, 8, 16

    def __init__(self, protocol):
        self.state = bytearray(200)
        self.state[:18] = bytes([1, self.RATE + 2, 1, 0, 1, 96]) + b"STROBEv1.0.2"
        keccak_f(self.state)
        self.position = self.begin = 0
        self.meta_ad(protocol)

    def meta_ad(self, data, more=False):
        self.operate(self.M | self.A, more)
        self.duplex(data)

    def ad(self, data):
        self.operate(self.A, False)
        self.duplex(data)

    def key(self, data):
        self.operate(self.A | self.C, False)
        for byte in data:
            self.state[self.position] = byte
            self.advance()

    def prf(self, length):
        self.operate(self.I | self.A | self.C, False)
        out = bytearray()
        for _ in range(length):
            out.append(self.state[self.position])
            self.state[self.position] = 0
            self.advance()
        return bytes(out)

    def operate(self, flags, more):
        if more:  # the operation before goes on
            return
        before, self.begin = self.begin, self.position + 1
        self.duplex(bytes([before, flags]))
        if flags & self.C and self.position != 0:
            self.run_f()

    def duplex(self, data):
        for byte in data:
            self.state[self.position] ^= byte
            self.advance()

    def advance(self):
        self.position += 1
        if self.position == self.RATE:
            self.run_f()

    def run_f(self):
        self.state[self.position] ^= self.begin
        self.state[self.position + 1] ^= 0x04
        self.state[self.RATE + 1] ^= 0x80
        keccak_f(self.state)
        self.position = self.begin = 0


class Transcript:
    def __init__(self, protocol_label):
        self.strobe = Strobe128(b"Merlin v1.0")
        self.append(b"dom-sep", protocol_label)

    def append(self, label, message):
        self.frame(label, len(message))
        self.strobe.ad(message)

    def append_u64(self, label, number):
        self.append(label, number.to_bytes(8, "little"))

    def challenge(self, label, length):
        self.frame(label, length)
        return self.strobe.prf(length)

    def frame(self, label, length):
        self.strobe.meta_ad(label)
        self.strobe.meta_ad(length.to_bytes(4, "little"), more=True)
