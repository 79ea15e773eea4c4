"""Ed25519 (RFC 8032, section 5.1), verification by the strict rules of docs/spec/v1/README.md, C6. For checking only: not constant-time."""

from hashlib import sha512

Q = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, Q) % Q
SQRT_M1 = pow(2, (Q - 1) // 4, Q)
IDENTITY = (0, 1)


def add(a, b):
    """Affine; the formulas are complete."""
    (x1, y1), (x2, y2) = a, b
    product = D * x1 * x2 * y1 * y2 % Q
    x = (x1 * y2 + x2 * y1) * pow(1 + product, -1, Q) % Q
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, Q) % Q
    return x, y


def times(scalar, point):
    result = IDENTITY
    for bit in bin(scalar)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def decompress(encoding):
    """The point, or None for an encoding that is not canonical or of no point."""
    y = int.from_bytes(encoding, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= Q:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, Q) % Q
    x = pow(square, (Q + 3) // 8, Q)
    if x * x % Q != square:
        x = x * SQRT_M1 % Q
    if x * x % Q != square or (x == 0 and sign):
        return None
    return (x if x & 1 == sign else Q - x), y


BASE = decompress((4 * pow(5, -1, Q) % Q).to_bytes(32, "little"))


def verify(key, message, signature):
    """Refuses a scalar that is not canonical, and a key or R of small order. The equation is without the cofactor."""
    a, r, s = decompress(key), decompress(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or a is None or r is None or s >= ORDER:
        return False
    if times(8, a) == IDENTITY or times(8, r) == IDENTITY:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % ORDER
    return times(s, BASE) == add(r, times(k, a))
