"""Messages as docs/spec/v1 lists them, decoded and checked: challenge (H), response (H), bundle (B), envelope (E)."""

from dataclasses import dataclass

from . import blake3, cbor, ed25519
from .cbor import Malformed
from .cell_tree import cell_count

# Limits of the spec's README.
CHALLENGE_MAX, RESPONSE_MAX, ENVELOPE_MAX, BUNDLE_MAX = 1_052_672, 1024, 256 * 1024, 343_932_928


@dataclass(frozen=True)
class Target:
    """What a challenge or an inventory says of one stored unit."""

    owner: bytes
    object: bytes
    unit: bytes
    generation: int
    blake3: bytes
    size: int
    root: bytes
    cells: int

    def name(self):
        """Order of targets and leaves: bytes, bytes, the four numbers of the unit in order (I4)."""
        return self.owner, self.object, unit_numbers(self.unit)


@dataclass(frozen=True)
class Challenge:
    payload: bytes
    samples: int
    depth: int
    vk: bytes
    host: bytes
    targets: list
    inventory: tuple | None  # (root, leaves, cells)
    epoch: int
    beacon: tuple | None  # (chain hash, number, signature)
    auditor: bytes
    nonce: bytes

    def digest(self):
        """H5."""
        return blake3.derive_key("bailiwick/v1/challenge-digest", self.payload)


def check(holds, what):
    if not holds:
        raise Malformed(what)


def number(value, what, low=0, high=(1 << 64) - 1):
    check(isinstance(value, int) and low <= value <= high, what)
    return value


def octets(value, length, what):
    check(isinstance(value, bytes) and len(value) == length, what)
    return value


def items(value, what, low, high):
    check(isinstance(value, list) and low <= len(value) <= high, what)
    return value


def fields(value, what, required, optional=()):
    """A map with the required keys, perhaps the optional ones, and no others (C1)."""
    check(isinstance(value, dict), what)
    keys = set(value)
    check(set(required) <= keys <= set(required) | set(optional), f"{what}: keys")
    check(number(value[0], f"{what}: version") == 1, f"{what}: version")
    return value


def unit_numbers(value):
    """k, n, shard, replica (E, key 4)."""
    return [int.from_bytes(value[i : i + 2], "little") for i in range(0, 8, 2)]


def unit(value):
    """1 <= k <= n and shard < n (H)."""
    k, n, shard, _ = unit_numbers(octets(value, 8, "unit"))
    check(1 <= k <= n and shard < n, "unit")
    return value


def target(value):
    owner, object_id, unit_bytes, generation, digest, size, root, cells = items(value, "target", 8, 8)
    check(number(cells, "cells", 1) == cell_count(number(size, "size")), "cells")
    return Target(
        octets(owner, 32, "owner"),
        octets(object_id, 16, "object"),
        unit(unit_bytes),
        number(generation, "generation"),
        octets(digest, 32, "blake3"),
        size,
        octets(root, 32, "root"),
        cells,
    )


def challenge(payload):
    m = fields(cbor.decode(payload, CHALLENGE_MAX), "challenge", (0, 1, 2, 3, 4, 6, 8, 9), (5, 7, 10))
    check((5 in m) != (10 in m), "challenge: either targets or an inventory")
    depth = number(m[2], "depth", 3, 8)
    targets = [target(t) for t in items(m[5], "targets", 1, 4096)] if 5 in m else []
    check(all(a.name() < b.name() for a, b in zip(targets, targets[1:])), "targets: order")
    check(all(t.cells <= 16 ** (depth - 1) for t in targets), "targets: cells")
    inventory = inventory_target(m[10]) if 10 in m else None
    check(inventory is None or m[6] != 0, "an inventory has an epoch")
    return Challenge(
        payload,
        number(m[1], "samples", 1, 1024),
        depth,
        octets(m[3], 32, "vk"),
        octets(m[4], 32, "host"),
        targets,
        inventory,
        number(m[6], "epoch"),
        beacon_round(m[7]) if 7 in m else None,
        octets(m[8], 32, "auditor"),
        octets(m[9], 32, "nonce"),
    )


def inventory_target(value):
    """I5: at least one cell a leaf, below 2^63."""
    root, leaves, cells = items(value, "inventory", 3, 3)
    number(leaves, "leaves", 1, 1 << 32)
    return octets(root, 32, "root"), leaves, number(cells, "cells", leaves, (1 << 63) - 1)


def beacon_round(value):
    """D4."""
    chain, round_number, signature = items(value, "round", 3, 3)
    return octets(chain, 32, "chain"), number(round_number, "round", 1), octets(signature, 48, "signature")


@dataclass(frozen=True)
class Response:
    challenge: bytes
    proof: bytes | None
    reason: int | None


def response(payload):
    m = fields(cbor.decode(payload, RESPONSE_MAX), "response", (0, 1), (2, 3))
    check((2 in m) != (3 in m), "response: either a proof or a reason")
    return Response(
        octets(m[1], 32, "challenge"),
        octets(m[2], 128, "proof") if 2 in m else None,
        number(m[3], "reason", 1, 2) if 3 in m else None,
    )


def signed(value):
    """C5 as a value inside another message: (payload, signature)."""
    payload, signature = items(value, "signed message", 2, 2)
    check(isinstance(payload, bytes), "payload")
    return payload, octets(signature, 64, "signature")


def verified(signed_message, label, key):
    """The payload, after its signature (C6)."""
    payload, signature = signed_message
    check(ed25519.verify(key, label.encode("ascii") + payload, signature), f"signature under {label}")
    return payload


def challenge_of(signed_message, auditor):
    return challenge(verified(signed_message, "bailiwick/v1/challenge-signature", auditor))


def response_of(signed_message, host):
    return response(verified(signed_message, "bailiwick/v1/response-signature", host))


def envelope_target(signed_message, owner):
    """What the envelope of an owner the reader pinned says of the stored unit (E, E2); None without a storage commitment."""
    m = cbor.decode(verified(signed_message, "bailiwick/v1/envelope-signature", owner), ENVELOPE_MAX)
    fields(m, "envelope", (0, 1, 2, 3, 4, 6, 8, 9), (7,))
    check(number(m[1], "suite") == 1, "suite")
    body = fields_of(m[6], "body", (0, 1, 2, 3, 4))
    check(number(body[0], "format") == 1, "format")
    octets(body[1], 24, "salt")
    octets(body[2], 32, "key commitment")
    size = number(body[3], "size", 72)
    check((size - 56) % 16400 >= 16, "size")  # E7
    check(unit_numbers(unit(m[4]))[1] == 1, "unit: n")
    check(octets(m[2], 32, "owner") == owner, "owner")
    for recipient in items(m[9], "recipients", 0, 64):
        fields_of(recipient, "recipient", (0, 2, 3), (1,))
    if 7 not in m:
        return None
    commitment = fields_of(items(m[7], "commitments", 1, 1)[0], "commitment", (0, 1, 2))
    check(number(commitment[0], "scheme") == 1, "scheme")
    return target([owner, m[3], m[4], number(m[8], "generation", 1), body[4], size, commitment[1], commitment[2]])


def fields_of(value, what, required, optional=()):
    """A map inside a message: like `fields`, without a version."""
    check(isinstance(value, dict) and set(required) <= set(value) <= set(required) | set(optional), f"{what}: keys")
    return value


@dataclass(frozen=True)
class Bundle:
    auditor: bytes
    challenge: tuple
    envelopes: list
    answer: tuple  # (0, signed response) or (1, why)
    answered: int


def bundle_of(data, auditors):
    """B2, B3: opened under the first of the keys that verifies."""
    message = signed(cbor.decode(data, BUNDLE_MAX))
    signers = [key for key in auditors if ed25519.verify(key, b"bailiwick/v1/bundle-signature" + message[0], message[1])]
    check(signers, "no auditor of the trust anchors signed it")
    m = fields(cbor.decode(message[0], BUNDLE_MAX), "bundle", range(8), (8,))
    check(octets(m[1], 32, "auditor") == signers[0], "another auditor than the one who signed")
    kind, content = items(m[4], "answer", 2, 2)
    answer = (0, signed(content)) if number(kind, "answer", 0, 1) == 0 else (1, number(content, "why", 0, 2))
    items(m[5], "ranges", 0, 4096)
    check(number(m[6], "asked") <= number(m[7], "answered"), "times")
    return Bundle(signers[0], signed(m[2]), [signed(e) for e in items(m[3], "envelopes", 0, 4096)], answer, m[7])
