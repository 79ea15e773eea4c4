"""ristretto255 (RFC 9496), over the curve of `ed25519`. For checking only: not constant-time."""

from .ed25519 import BASE, D, IDENTITY, ORDER, Q, SQRT_M1, add, times

__all__ = ["BASE", "IDENTITY", "ORDER", "add", "decode", "encode", "equal", "negative", "times"]


def is_negative(x):
    return x % Q & 1


def absolute(x):
    return (-x if is_negative(x) else x) % Q


def sqrt_ratio(u, v):
    """Section 4.2: whether u/v is a square, and the root that is not negative (of u/v, or of SQRT_M1·u/v)."""
    r = u * pow(v, 3, Q) * pow(u * pow(v, 7, Q), (Q - 5) // 8, Q) % Q
    check = v * r * r % Q
    was_square = check == u % Q
    flipped = check == -u % Q
    flipped_i = check == -u * SQRT_M1 % Q
    if flipped or flipped_i:
        r = r * SQRT_M1 % Q
    return was_square or flipped, absolute(r)


def decode(data):
    """Section 4.3.1: the point, or None."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= Q or is_negative(s):
        return None
    u1, u2 = (1 - s * s) % Q, (1 + s * s) % Q
    v = (-D * u1 * u1 - u2 * u2) % Q
    square, inverse = sqrt_ratio(1, v * u2 * u2)
    x_part = inverse * u2 % Q
    x = absolute(2 * s * x_part)
    y = u1 * inverse * x_part * v % Q
    if not square or is_negative(x * y) or y == 0:
        return None
    return x, y


def encode(point):
    """Section 4.3.2, for affine coordinates."""
    x, y = point
    u1, u2 = (1 + y) * (1 - y) % Q, x * y % Q
    _, inverse = sqrt_ratio(1, u1 * u2 * u2)
    den1, den2 = inverse * u1 % Q, inverse * u2 % Q
    z_inverse = den1 * den2 * x * y % Q
    invsqrt_a_minus_d = sqrt_ratio(1, -1 - D)[1]
    if is_negative(x * y * z_inverse):
        x, y, den = y * SQRT_M1 % Q, x * SQRT_M1 % Q, den1 * invsqrt_a_minus_d % Q
    else:
        den = den2
    if is_negative(x * z_inverse):
        y = -y % Q
    return absolute(den * (1 - y)).to_bytes(32, "little")


def equal(a, b):
    """Section 4.3.3."""
    return a[0] * b[1] % Q == a[1] * b[0] % Q or a[1] * b[1] % Q == a[0] * b[0] % Q


def negative(point):
    return -point[0] % Q, point[1]
