"""Deterministic CBOR as in docs/spec/v1/README.md, C1 and C2: unsigned integers, byte and text strings, arrays, maps of unsigned keys."""


class Malformed(ValueError):
    """Bytes that are no message of version 1."""


def encode(value):
    match value:
        case int() if 0 <= value < 1 << 64:
            return head(0, value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(encode(item) for item in value)
        case dict():
            pairs = sorted(value.items())
            return head(5, len(pairs)) + b"".join(encode(key) + encode(item) for key, item in pairs)
    raise TypeError(f"not encoded: {value!r}")


def head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << 8 * size:
            return bytes([major << 5 | code]) + number.to_bytes(size, "big")
    raise TypeError("above 64 bits")


def decode(data, limit):
    """The one value of a message. Refuses what is longer than `limit`, goes on after its end, or is not its own encoding."""
    if len(data) > limit:
        raise Malformed("longer than its limit")
    value, end = item(data, 0)
    if end != len(data):
        raise Malformed("left-over bytes")
    if encode(value) != data:
        raise Malformed("not the deterministic encoding")
    return value


def item(data, at, depth=0):
    if depth > 8:
        raise Malformed("nested too deeply")
    first, at = take(data, at, 1)
    major, code = first[0] >> 5, first[0] & 31
    if code < 24:
        number = code
    elif code <= 27:
        raw, at = take(data, at, 1 << (code - 24))
        number = int.from_bytes(raw, "big")
    else:
        raise Malformed("indefinite length")
    if major == 0:
        return number, at
    if major == 2:
        return take(data, at, number)
    if major == 3:
        raw, at = take(data, at, number)
        try:
            return raw.decode("utf-8"), at
        except UnicodeDecodeError:
            raise Malformed("text is not UTF-8") from None
    if major == 4:
        if number > len(data) - at:
            raise Malformed("more items than bytes")
        items = []
        for _ in range(number):
            value, at = item(data, at, depth + 1)
            items.append(value)
        return items, at
    if major == 5:
        if number > len(data) - at:
            raise Malformed("more items than bytes")
        entries = {}
        for _ in range(number):
            key, at = item(data, at, depth + 1)
            if not isinstance(key, int) or key in entries:
                raise Malformed("map keys are unsigned integers, each once")
            entries[key], at = item(data, at, depth + 1)
        return entries, at
    raise Malformed(f"major type {major}")


def take(data, at, length):
    if length > len(data) - at:
        raise Malformed("truncated")
    return data[at : at + length], at + length
