"""What must be refused though it decodes, signs or computes: each made from something that is accepted."""

import copy

from bailiwick_reference import cbor, ed25519, groth16, messages


def is_refused(function, *arguments):
    try:
        return function(*arguments) is False
    except ValueError:
        return True


def of_challenges(named, over_inventory):
    """From the payloads of a challenge over several targets and of one over an inventory: (name, refused or not, expected)."""
    plain, inventory = cbor.decode(named, 1 << 20), cbor.decode(over_inventory, 1 << 20)

    def target(index, value):
        return lambda m: m[5][0].__setitem__(index, value)

    def number(index, value):
        return lambda m: m[5][0].__setitem__(2, m[5][0][2][: 2 * index] + value.to_bytes(2, "little") + m[5][0][2][2 * index + 2 :])

    changes = [
        ("nothing changed", lambda m: None, False),
        ("another version", lambda m: m.update({0: 2}), True),
        ("no samples", lambda m: m.update({1: 0}), True),
        ("1,025 samples", lambda m: m.update({1: 1025}), True),
        ("depth 2", lambda m: m.update({2: 2}), True),
        ("depth 9", lambda m: m.update({2: 9}), True),
        ("more cells than the class holds", lambda m: m.update({2: 3}), True),
        ("short key", lambda m: m.update({4: m[4][1:]}), True),
        ("no targets", lambda m: m.update({5: []}), True),
        ("targets exchanged", lambda m: m[5].reverse(), True),
        ("a target twice", lambda m: m[5].insert(0, m[5][0]), True),
        ("a target left out", lambda m: m[5].pop(), False),
        ("cells 0", target(7, 0), True),
        ("cells that do not fit the size", target(7, 2), True),
        ("k = 0", number(0, 0), True),
        ("k above n", number(0, 2), True),
        ("shard of another split", number(2, 1), True),
        ("another replica", number(3, 0), False),
        ("a key not listed", lambda m: m.update({11: 0}), True),
        ("a key left out", lambda m: m.pop(9), True),
        ("targets and an inventory", lambda m: m.update({10: inventory[10]}), True),
        ("round 0 of a beacon", lambda m: m.update({7: [bytes(32), 0, bytes(48)]}), True),
        ("a round of a beacon", lambda m: m.update({7: [bytes(32), 1, bytes(48)]}), False),
    ]
    of_inventories = [
        ("an inventory", lambda m: None, False),
        ("an inventory outside a schedule", lambda m: m.update({6: 0}), True),
        ("no leaves", lambda m: m[10].__setitem__(1, 0), True),
        ("fewer cells than leaves", lambda m: m[10].__setitem__(2, m[10][1] - 1), True),
        ("2^63 cells", lambda m: m[10].__setitem__(2, 1 << 63), True),
        ("neither targets nor an inventory", lambda m: m.pop(10), True),
    ]
    for message, rows in ((plain, changes), (inventory, of_inventories)):
        for name, change, expected in rows:
            changed = copy.deepcopy(message)
            change(changed)
            yield f"challenge: {name}", is_refused(messages.challenge, cbor.encode(changed)), expected


def of_signatures():
    """C6: what lenient verification lets through."""
    key = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    signature = bytes.fromhex(
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    )
    again = signature[:32] + (int.from_bytes(signature[32:], "little") + ed25519.ORDER).to_bytes(32, "little")
    yield "Ed25519: as published", is_refused(ed25519.verify, key, b"", signature), False
    yield "Ed25519: S above the order", is_refused(ed25519.verify, key, b"", again), True
    identity = (1).to_bytes(32, "little")
    base = ed25519.BASE[1].to_bytes(32, "little")  # its x is even
    forged = base + (1).to_bytes(32, "little")  # 1·B = B + k·identity, whatever was signed
    yield "Ed25519: key of small order", is_refused(ed25519.verify, identity, b"anything", forged), True


def of_points():
    """S6: the generator is a point; a point of the twist outside the group, the infinity flag and x + q are none."""

    def encode(x, greater):
        data = x[0].to_bytes(32, "little") + x[1].to_bytes(32, "little")
        return data[:-1] + bytes([data[-1] | (groth16.SIGN if greater else 0)])

    outside, root = 0, None
    while root is None:
        outside += 1
        x = (outside, 0)
        root = groth16.sqrt2(groth16.add2(groth16.mul2(groth16.mul2(x, x), x), groth16.B2))
    good = encode(groth16.G2[0], False)
    yield "G2: the generator", is_refused(groth16.decode_g2, good), False
    yield "G2: outside the group", is_refused(groth16.decode_g2, encode((outside, 0), False)), True
    yield "G2: infinity", is_refused(groth16.decode_g2, good[:-1] + bytes([good[-1] | groth16.INFINITY])), True
    one = (1).to_bytes(32, "little")
    yield "G1: the generator", is_refused(groth16.decode_g1, one), False
    yield "G1: x + q", is_refused(groth16.decode_g1, (1 + groth16.Q).to_bytes(32, "little")), True
    yield "G1: no point", is_refused(groth16.decode_g1, (4).to_bytes(32, "little")), True
