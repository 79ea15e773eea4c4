"""Groth16 over BN254: docs/spec/v1/possession.md, S6, S8, S12. The pairing is Tate's, reduced: the shortest to write down."""

from .poseidon2_constants import P as R  # order of the groups

Q = 21888242871839275222246405745257275088696311157297823662689037894645226208583
SIGN, INFINITY = 0x80, 0x40


# Fq2 = Fq[i]/(i^2 + 1), pairs (a, b) = a + b·i.


def add2(x, y):
    return (x[0] + y[0]) % Q, (x[1] + y[1]) % Q


def sub2(x, y):
    return (x[0] - y[0]) % Q, (x[1] - y[1]) % Q


def mul2(x, y):
    return (x[0] * y[0] - x[1] * y[1]) % Q, (x[0] * y[1] + x[1] * y[0]) % Q


def inv2(x):
    norm = pow(x[0] * x[0] + x[1] * x[1], -1, Q)
    return x[0] * norm % Q, -x[1] * norm % Q


def sqrt2(x):
    """A square root, or None: by the norm, as in a quadratic extension of a field with Q = 3 mod 4."""
    a, b = x
    if b == 0:
        root = sqrt1(a)
        if root is not None:
            return root, 0
        root = sqrt1(-a % Q)
        return None if root is None else (0, root)
    norm = sqrt1((a * a + b * b) % Q)
    if norm is None:
        return None
    for sign in (norm, -norm):
        c = sqrt1((a + sign) * pow(2, -1, Q) % Q)
        if c:
            root = c, b * pow(2 * c, -1, Q) % Q
            if mul2(root, root) == x:
                return root
    return None


def sqrt1(a):
    root = pow(a, (Q + 1) // 4, Q)
    return root if root * root % Q == a else None


# G1: y^2 = x^3 + 3 over Fq. G2: y^2 = x^3 + 3/(9 + i) over Fq2. Affine; None is infinity.

B2 = mul2((3, 0), inv2((9, 1)))
G2 = (
    (10857046999023057135944570762232829481370756359578518086990519993285655852781, 11559732032986387107991004021392285783925812861821192530917403151452391805634),
    (8495653923123431417604973247489272438418190587263600148770280649306958101930, 4082367875863433681332203403145435568316851327593401208105741076214120093531),
)


def add_g1(p, q):
    if p is None or q is None:
        return p or q
    (x1, y1), (x2, y2) = p, q
    if x1 == x2:
        if (y1 + y2) % Q == 0:
            return None
        slope = 3 * x1 * x1 * pow(2 * y1, -1, Q) % Q
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, Q) % Q
    x = (slope * slope - x1 - x2) % Q
    return x, (slope * (x1 - x) - y1) % Q


def add_g2(p, q):
    if p is None or q is None:
        return p or q
    (x1, y1), (x2, y2) = p, q
    if x1 == x2:
        if add2(y1, y2) == (0, 0):
            return None
        slope = mul2(mul2((3, 0), mul2(x1, x1)), inv2(add2(y1, y1)))
    else:
        slope = mul2(sub2(y2, y1), inv2(sub2(x2, x1)))
    x = sub2(sub2(mul2(slope, slope), x1), x2)
    return x, sub2(mul2(slope, sub2(x1, x)), y1)


def times(scalar, point, add):
    result = None
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def negative(point):
    """Of G1."""
    return point[0], -point[1] % Q


# Points as bytes (S6): x little-endian, for G2 both parts, the real one first; in the last byte bit 7 says that y is the greater
# of y and -y, in G2 by the imaginary part and then the real one.


def decode_g1(data):
    x, sign = coordinates(data, 1)
    y = sqrt1((x[0] ** 3 + 3) % Q)
    if y is None:
        raise ValueError("no point of the curve")
    return x[0], (max if sign else min)(y, -y % Q)


def decode_g2(data):
    x, sign = coordinates(data, 2)
    x = tuple(x)
    y = sqrt2(add2(mul2(mul2(x, x), x), B2))
    if y is None:
        raise ValueError("no point of the curve")
    y = (max if sign else min)(y, sub2((0, 0), y), key=lambda v: (v[1], v[0]))
    if times(R, (x, y), add_g2) is not None:
        raise ValueError("outside the group of prime order")
    return x, y


def coordinates(data, parts):
    if len(data) != 32 * parts:
        raise ValueError("length of a point")
    flags = data[-1] & (SIGN | INFINITY)
    if flags & INFINITY:
        raise ValueError("the point at infinity")
    data = data[:-1] + bytes([data[-1] & 0x3F])
    values = [int.from_bytes(data[32 * i : 32 * i + 32], "little") for i in range(parts)]
    if any(value >= Q for value in values):
        raise ValueError("a coordinate at or above the modulus")
    return values, flags == SIGN


# Fq12 = Fq[w]/(w^12 - 18 w^6 + 82), where w^6 = 9 + i: twelve coefficients, the lowest first.


def mul12(a, b):
    product = [0] * 23
    for i, x in enumerate(a):
        if x:
            for j, y in enumerate(b):
                product[i + j] += x * y
    for k in range(22, 11, -1):
        product[k - 6] += 18 * product[k]
        product[k - 12] -= 82 * product[k]
    return [x % Q for x in product[:12]]


def power12(a, exponent):
    result = [1] + [0] * 11
    for bit in bin(exponent)[2:]:
        result = mul12(result, result)
        if bit == "1":
            result = mul12(result, a)
    return result


def miller(p, q):
    """Of p in G1 and q in G2: lines through multiples of p, at q untwisted to (x·w^2, y·w^3). What lies in a smaller field, vertical
    lines among it, goes away in the last power."""
    (qx, qy), result, t = q, [1] + [0] * 11, p

    def line(a, b):
        (x1, y1), (x2, y2) = a, b
        if x1 == x2 and (y1 + y2) % Q == 0:
            return None  # vertical
        slope = 3 * x1 * x1 * pow(2 * y1, -1, Q) if a == b else (y2 - y1) * pow(x2 - x1, -1, Q)
        out = [0] * 12
        out[0] = (slope * x1 - y1) % Q
        # a + b·i = (a - 9b) + b·w^6
        out[2], out[8] = -slope * (qx[0] - 9 * qx[1]) % Q, -slope * qx[1] % Q
        out[3], out[9] = (qy[0] - 9 * qy[1]) % Q, qy[1]
        return out

    for bit in bin(R)[3:]:
        result = mul12(line(t, t), mul12(result, result))
        t = add_g1(t, t)
        if bit == "1":
            through = line(t, p)
            if through is not None:
                result = mul12(through, result)
            t = add_g1(t, p)
    return result


def pairing_product_is_one(pairs):
    product = [1] + [0] * 11
    for p, q in pairs:
        product = mul12(product, miller(p, q))
    return power12(product, (Q**12 - 1) // R) == [1] + [0] * 11


# Keys and proofs.


def decode_key(data):
    """(alpha, beta, gamma, delta, [input points]) (S8)."""
    if len(data) < 232:
        raise ValueError("length of a verifying key")
    count = int.from_bytes(data[224:232], "little")
    if not 1 <= count <= 1025 or len(data) != 232 + 32 * count:
        raise ValueError("length of a verifying key")
    alpha = decode_g1(data[:32])
    beta, gamma, delta = (decode_g2(data[32 + 64 * i : 96 + 64 * i]) for i in range(3))
    inputs = [decode_g1(data[232 + 32 * i : 264 + 32 * i]) for i in range(count)]
    # Equal x: equal or opposite points.
    if len({beta[0], gamma[0], delta[0]}) < 3 or delta[0] == G2[0] or alpha == (1, 2) or beta == G2 or len(set(inputs)) < count:
        raise ValueError("a key anyone could forge under")
    return alpha, beta, gamma, delta, inputs


def verify(key, public, proof):
    """Whether the 128 bytes are a proof for this one public input."""
    alpha, beta, gamma, delta, inputs = key
    if len(inputs) != 2 or len(proof) != 128:
        return False
    try:
        a, b, c = decode_g1(proof[:32]), decode_g2(proof[32:96]), decode_g1(proof[96:])
    except ValueError:
        return False
    ic = add_g1(inputs[0], times(public, inputs[1], add_g1))
    return pairing_product_is_one([(a, b), (negative(alpha), beta), (negative(ic), gamma), (negative(c), delta)])
