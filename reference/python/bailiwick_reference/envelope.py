"""The envelope of a sealed object (docs/spec/v1/envelope.md), decoded and checked."""

from dataclasses import dataclass

from . import blake3, cbor, ed25519
from .cell_tree import cell_count
from .messages import ENVELOPE_MAX, check, fields, fields_of, items, number, octets, signed, unit, unit_numbers

BODY_MAX = 133_143_986_176
# KEM id: bytes of the encapsulated key (Nenc of the HPKE registry).
ENC_LENGTH = {0x0020: 32, 0x0010: 65, 0x647A: 1120}
CIPHERTEXT_LENGTH = {1: 48, 2: 112}  # by role


class Refused(ValueError):
    """An object that does not open; `expectation` is its name in test-vectors/kit/v1/README.md."""

    def __init__(self, expectation):
        super().__init__(expectation)
        self.expectation = expectation


@dataclass(frozen=True)
class Recipient:
    kem: int
    key_id: bytes | None
    enc: bytes
    ciphertext: bytes
    role: int


@dataclass(frozen=True)
class Passphrase:
    memory: int  # KiB
    passes: int
    lanes: int
    salt: bytes
    commitment: bytes
    ciphertext: bytes


@dataclass(frozen=True)
class Envelope:
    suite: int
    owner: bytes
    object: bytes
    unit: bytes
    shards: tuple | None  # (padded length, digest of the bodies)
    salt: bytes
    key_commitment: bytes
    size: int
    blake3: bytes
    root: bytes | None
    generation: int
    recipients: list
    passphrase: Passphrase | None
    custody: tuple | None  # (dealing, wrapped file key)
    policy: bytes | None


def verified_envelope(data, owner):
    """E5, E2: decoded under the owner key the reader pinned, or Refused."""
    try:
        payload, signature = signed(cbor.decode(data, ENVELOPE_MAX + 128))
    except ValueError:
        raise Refused("envelope-malformed") from None
    if not ed25519.verify(owner, b"bailiwick/v1/envelope-signature" + payload, signature):
        raise Refused("envelope-signature")
    try:
        envelope = decoded(payload)
    except ValueError:
        raise Refused("envelope-malformed") from None
    if envelope.owner != owner:
        raise Refused("owner-mismatch")
    return envelope


def decoded(payload):
    m = fields(cbor.decode(payload, ENVELOPE_MAX), "envelope", (0, 1, 2, 3, 4, 6, 8, 9), (5, 7, 10, 11, 12))
    check(number(m[1], "suite") == 1, "suite")
    n = unit_numbers(unit(m[4]))[1]
    check(n <= 255, "unit: n")
    check((5 in m) == (n > 1), "a shard set exactly when the object is split")
    body = fields_of(m[6], "body", (0, 1, 2, 3, 4))
    check(number(body[0], "format") == 1, "format")
    size = number(body[3], "size", 72, BODY_MAX)
    check((size - 56) % 16400 >= 16, "size")  # E7
    return Envelope(
        m[1],
        octets(m[2], 32, "owner"),
        octets(m[3], 16, "object"),
        m[4],
        shard_set(m[5]) if 5 in m else None,
        octets(body[1], 24, "salt"),
        octets(body[2], 32, "key commitment"),
        size,
        octets(body[4], 32, "blake3"),
        cell_root(m[7], size) if 7 in m else None,
        number(m[8], "generation", 1),
        [recipient(entry) for entry in items(m[9], "recipients", 0, 64)],
        passphrase(m[10]) if 10 in m else None,
        custody(m[11]) if 11 in m else None,
        octets(m[12], 32, "policy") if 12 in m else None,
    )


def shard_set(value):
    m = fields_of(value, "shard set", (0, 1, 2))
    check(number(m[0], "code") == 1, "code")
    return number(m[1], "padded length", 1, 255 * BODY_MAX), octets(m[2], 32, "digest of the bodies")


def cell_root(value, size):
    """E14: the root of scheme 1, if it is listed; every other scheme is kept by the signature alone."""
    root, last = None, 0
    for entry in items(value, "commitments", 1, 4):
        check(isinstance(entry, dict) and 0 in entry, "commitment")
        check(number(entry[0], "scheme") > last, "schemes ascend from 1")
        last = entry[0]
        if last == 1:
            fields_of(entry, "cell tree", (0, 1, 2))
            check(number(entry[2], "cells") == cell_count(size), "cells")
            root = octets(entry[1], 32, "root")
        else:
            fields_of(entry, "commitment", (0, 1))
            check(isinstance(entry[1], bytes) and 1 <= len(entry[1]) <= 1024, "commitment")
    return root


def recipient(value):
    m = fields_of(value, "recipient", (0, 2, 3), (1, 4))
    check(m[0] in ENC_LENGTH, "kem")
    role = number(m[4], "role", 2, 2) if 4 in m else 1
    return Recipient(
        m[0],
        octets(m[1], 8, "key id") if 1 in m else None,
        octets(m[2], ENC_LENGTH[m[0]], "enc"),
        octets(m[3], CIPHERTEXT_LENGTH[role], "ct"),
        role,
    )


def passphrase(value):
    """E16: before anything is derived."""
    m = fields_of(value, "passphrase", range(6))
    lanes = number(m[2], "lanes", 1, 16)
    memory, passes = number(m[0], "memory", 8 * lanes, 1 << 20), number(m[1], "passes", 1, 32)
    check(memory * passes <= 4 << 20, "memory times passes")
    return Passphrase(memory, passes, lanes, octets(m[3], 16, "salt"), octets(m[4], 32, "commitment"), octets(m[5], 48, "ct"))


def custody(value):
    m = fields_of(value, "custody", (0, 1))
    check(isinstance(m[0], bytes) and 1 <= len(m[0]) <= 172_032, "dealing")
    return m[0], octets(m[1], 48, "wrapped file key")


def key_id(kem, public_key):
    """E8."""
    return blake3.derive_key("bailiwick/v1/fingerprint", kem.to_bytes(2, "little") + public_key)[:8]
