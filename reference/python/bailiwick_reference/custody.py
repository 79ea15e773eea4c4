"""Custody (docs/spec/v1/custody.md): public verification of a dealing, release and recovery. `cryptography` gives HKDF, AES-GCM, HPKE."""

import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519 as openssl_ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import blake3, cbor, ed25519
from .merlin import Transcript
from .messages import check, fields, fields_of, items, number, octets, signed
from .ristretto255 import BASE, IDENTITY, ORDER, add, decode, encode, equal, negative, times
from .sealed import X_WING, RecipientKey

DEALING_MAX = 172_032


@dataclass(frozen=True)
class Dealing:
    fields: dict
    digest: bytes
    threshold: int
    custodians: list  # maps of K8
    keys: list  # points E_i
    ephemeral: tuple  # D
    shares: list  # points C_i
    hybrid: list | None


class Refused(ValueError):
    """What is well-formed and does not hold; `outcome` is its name in test-vectors/custody."""

    def __init__(self, outcome):
        super().__init__(outcome)
        self.outcome = outcome


def must(holds, outcome):
    if not holds:
        raise Refused(outcome)


# Points, scalars, sums.


def point(value, what):
    """K5; a share may be the identity and is decoded without this."""
    found = decode(octets(value, 32, what))
    check(found is not None and not equal(found, IDENTITY), what)
    return found


def below_order(value):
    return int.from_bytes(value, "little") < ORDER


def weighted(weights, points):
    total = IDENTITY
    for weight, p in zip(weights, points, strict=True):
        total = add(total, times(weight % ORDER, p))
    return total


def minus(a, b):
    return add(a, negative(b))


def lagrange(at_points):
    """Coefficients at 0."""
    coefficients = []
    for i in at_points:
        top = bottom = 1
        for j in at_points:
            if j != i:
                top, bottom = top * j % ORDER, bottom * (j - i) % ORDER
        coefficients.append(top * pow(bottom, -1, ORDER) % ORDER)
    return coefficients


# K6.


def draw(transcript, label):
    return int.from_bytes(transcript.challenge(label, 64), "little") % ORDER


def dleq_holds(transcript, proof, p, q, p2, q2):
    if not (below_order(proof[:32]) and below_order(proof[32:])):
        return False
    c, z = int.from_bytes(proof[:32], "little"), int.from_bytes(proof[32:], "little")
    r1, r2 = minus(times(z, p), times(c, q)), minus(times(z, p2), times(c, q2))
    for label, element in ((b"g1", p), (b"y1", q), (b"g2", p2), (b"y2", q2), (b"r1", r1), (b"r2", r2)):
        transcript.append(label, encode(element))
    return draw(transcript, b"c") == c


def possession_holds(custodian):
    """K4."""
    r, z = decode(custodian[4][:32]), int.from_bytes(custodian[4][32:], "little")
    if r is None or equal(r, IDENTITY) or z >= ORDER:
        return False
    transcript = Transcript(b"bailiwick/v1/custody-possession")
    for label, value in ((b"key", custodian[1]), (b"receipt-key", custodian[2]), (b"kem-key", custodian[3]), (b"r", custodian[4][:32])):
        transcript.append(label, value)
    return equal(times(z, BASE), add(r, times(draw(transcript, b"c"), point(custodian[1], "E"))))


# K8 to K14.


# What may not stand in a text of K8: what reports escape, and white space other than the space.
UNPRINTED = (
    (0x00, 0x1F), (0x7F, 0xA0), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x1680, 0x1680), (0x17B4, 0x17B5),
    (0x180E, 0x180E), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000), (0x3164, 0x3164), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF9, 0xFFFB), (0x1D173, 0x1D17A), (0xE0000, 0xE00FF),
)  # fmt: skip


def label(value, what):
    check(isinstance(value, str) and 1 <= len(value.encode()) <= 264, what)
    check(not any(low <= ord(c) <= high for c in value for low, high in UNPRINTED), what)
    check(all(value.split(" ")), what)
    return value.encode()


def custodian(value):
    m = fields_of(value, "custodian", range(6))
    label(m[0], "name")
    octets(m[2], 32, "receipt key")
    octets(m[3], 32, "KEM digest")
    octets(m[4], 64, "possession")
    attributes = [label(a, "attribute") for a in items(m[5], "attributes", 0, 48)]
    check(all(a < b for a, b in zip(attributes, attributes[1:])), "attributes ascend")
    return m


def hybrid_share(value):
    m = fields_of(value, "hybrid share", range(3))
    return octets(m[0], 32, "commitment"), octets(m[1], 1120, "enc"), octets(m[2], 48, "ct")


def verified_dealing(data):
    """K13, in the order of K13b; Malformed for what is no dealing."""
    m = fields(cbor.decode(data, DEALING_MAX), "dealing", (0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11), (4, 12))
    for key, length in ((1, 32), (2, 16), (3, 32), (5, 32), (11, 64)):
        octets(m[key], length, f"key {key}")
    octets(m.get(4, bytes(32)), 32, "policy")
    number(m[6], "generation", 1)
    t = number(m[7], "t", 0, 0xFFFF)
    custodians = [custodian(c) for c in items(m[8], "custodians", 0, 128)]
    n = len(custodians)
    keys, ephemeral = [point(c[1], "E") for c in custodians], point(m[9], "D")
    shares = [point(c, "C") for c in items(m[10], "C", n, n)]
    hybrid = [hybrid_share(h) for h in items(m[12], "hybrid shares", max(n, 1), n)] if 12 in m else None
    must(n >= 2, "number")
    must(1 <= t < n, "threshold")
    for i, c in enumerate(custodians):
        must(all(c[1] != other[1] for other in custodians[:i]), "duplicate-key")
        must(all(c[0] != other[0] for other in custodians[:i]), "duplicate-name")
    encodings = [c[1] for c in custodians] + m[10] + [m[9], encode(BASE)]
    must(len(set(encodings)) == len(encodings), "duplicate-point")
    must(all(possession_holds(c) for c in custodians), "possession")
    transcript = dealing_transcript(m, t, custodians, hybrid)
    coefficients = [draw(transcript, b"coefficient") for _ in range(n - t)]
    weights = [dual_weight(i, n) * sum(a * pow(i, e, ORDER) for e, a in enumerate(coefficients)) % ORDER for i in range(1, n + 1)]
    u, v = weighted(weights, keys), weighted(weights, shares)
    must(dleq_holds(transcript, m[11], BASE, ephemeral, u, v), "proof")
    digest = blake3.derive_key("bailiwick/v1/custody-digest", data)
    return Dealing(m, digest, t, custodians, keys, ephemeral, shares, hybrid)


def dual_weight(i, n):
    product = 1
    for j in range(1, n + 1):
        if j != i:
            product = product * (i - j) % ORDER
    return pow(product, -1, ORDER)


def dealing_transcript(m, t, custodians, hybrid):
    """K11."""
    transcript = classical_transcript(m, t, custodians)
    transcript.append_u64(b"hybrid", len(hybrid or []))
    for commitment, enc, ciphertext in hybrid or []:
        for name, value in ((b"hybrid-commitment", commitment), (b"hybrid-enc", enc), (b"hybrid-ciphertext", ciphertext)):
            transcript.append(name, value)
    return transcript


def classical_transcript(m, t, custodians):
    """K11 up to the last `share`."""
    transcript = Transcript(b"bailiwick/v1/custody-transcript")
    for name, key in ((b"owner", 1), (b"object", 2), (b"key-commitment", 3), (b"policy", 4), (b"roster", 5)):
        transcript.append(name, m.get(key, b""))
    for name, value in ((b"generation", m[6]), (b"threshold", t), (b"custodians", len(custodians))):
        transcript.append_u64(name, value)
    for c in custodians:
        transcript.append(b"name", c[0].encode())
        for name, key in ((b"key", 1), (b"receipt-key", 2), (b"kem-key", 3), (b"possession", 4)):
            transcript.append(name, c[key])
        transcript.append_u64(b"attributes", len(c[5]))
        for attribute in c[5]:
            transcript.append(b"attribute", attribute.encode())
    transcript.append(b"ephemeral", m[9])
    for share in m[10]:
        transcript.append(b"share", share)
    return transcript


def belongs(dealing, envelope):
    """K14: Refused by the name of what is another's."""
    m = dealing.fields
    must(m[1] == envelope.owner, "owner")
    must(m[2] == envelope.object, "object")
    must(m[3] == envelope.key_commitment, "body")
    must(m.get(4) == envelope.policy, "policy")
    must(m[6] <= envelope.generation, "generation")


def powers(dealing):
    """K27: of each power, the points it reaches, and whether it compels or blocks; and whether no power does either, None if it cannot be judged (K27a)."""
    reached = {}
    for i, c in enumerate(dealing.custodians, 1):
        for attribute in c[5]:
            reached.setdefault(attribute, []).append(i)
    t, n = dealing.threshold, len(dealing.custodians)
    found = {j: {"points": p, "compels": len(p) > t - 1, "blocks": n - len(p) < t} for j, p in reached.items()}
    if any(f["compels"] or f["blocks"] for f in found.values()):
        return found, False
    laws = [any(re.fullmatch("[A-Z]{2}", a) for a in c[5]) for c in dealing.custodians]
    return found, True if all(laws) else None


# K2, K20 to K24, K15.


class Custodian:
    def __init__(self, secret):
        def derive(part, length):
            return HKDF(SHA512(), length, None, b"bailiwick/v1/custody-key" + bytes([part])).derive(secret)

        self.scalar = int.from_bytes(derive(1, 64), "little") % ORDER
        self.point = times(self.scalar, BASE)
        self.receipt_key = openssl_ed25519.Ed25519PrivateKey.from_private_bytes(derive(2, 32)).public_key().public_bytes_raw()
        self.kem = RecipientKey(X_WING, derive(3, 32))
        self.kem_digest = blake3.derive_key("bailiwick/v1/custody-kem-key", self.kem.public)

    def share(self, dealing, i):
        """A_i."""
        return minus(dealing.shares[i - 1], times(self.scalar, dealing.ephemeral))

    def hybrid_share(self, dealing, i):
        """K30, K31, K31a."""
        commitment, enc, ciphertext = dealing.hybrid[i - 1]
        info = b"bailiwick/v1/custody-share-info" + share_context(dealing) + i.to_bytes(2, "little")
        try:
            share = self.kem.suite.decrypt(enc + ciphertext, self.kem.private, info)
        except (InvalidTag, ValueError):
            must(False, "sealed")
        must(len(share) == 32 and share_commitment(dealing, i, share) == commitment, "commitment")
        must(below_order(share), "too-large")
        return share


def share_context(dealing):
    """K30a."""
    return classical_transcript(dealing.fields, dealing.threshold, dealing.custodians).challenge(b"hybrid-context", 32)


def share_commitment(dealing, i, share):
    """K31."""
    return blake3.derive_key("bailiwick/v1/custody-share-commitment", share_context(dealing) + i.to_bytes(2, "little") + share)


def speaker(dealing, m, key=2):
    """K22b, K32: the point of whom a message about this dealing names."""
    must(m[1] == dealing.digest, "other-dealing")
    must(1 <= m[key] <= len(dealing.custodians), "not-custodian")
    return m[key]


def receipt_holds(dealing, data):
    """K32: the point whose custodian signed."""
    m = fields(cbor.decode(data, 128), "receipt", range(4))
    octets(m[1], 32, "dealing")
    number(m[2], "point", 0, 0xFFFF)
    octets(m[3], 64, "signature")
    i = speaker(dealing, m)
    message = b"bailiwick/v1/custody-receipt" + dealing.digest + i.to_bytes(2, "little")
    must(ed25519.verify(dealing.custodians[i - 1][2], message, m[3]), "signature")
    return i


def record_holds(dealing, data):
    """K22a, K22b: the record in a log's entry."""
    kind, message = items(cbor.decode(data, 384), "entry", 2, 2)
    check(number(kind, "kind") == 4, "kind")
    payload, signature = signed(message)
    m = fields(cbor.decode(payload, 256), "record", range(7))
    for key in (1, 3, 4, 5):
        octets(m[key], 32, f"key {key}")
    number(m[2], "point", 0, 0xFFFF)
    number(m[6], "time")
    i = speaker(dealing, m)
    must(ed25519.verify(dealing.custodians[i - 1][2], b"bailiwick/v1/custody-release-record" + payload, signature), "signature")
    return m


def release_digest(data):
    """K22."""
    return blake3.derive_key("bailiwick/v1/custody-release-digest", data)


def fingerprint(kem, key):
    """E8."""
    return blake3.derive_key("bailiwick/v1/fingerprint", kem.to_bytes(2, "little") + key)


def opened_release(dealing, request, requester, data):
    """K18 to K23: (point i, A_i, the share of S2 or None)."""
    asked = fields(cbor.decode(request, 1536), "request", range(5))
    check(asked[1] == dealing.digest and asked[2] == requester.kem and asked[3] == requester.public, "request")
    must(dealing.hybrid is None or asked[2] == X_WING, "classical-requester")
    m = fields(cbor.decode(data, 1536), "release", range(6))
    octets(m[1], 32, "dealing")
    octets(m[2], 32, "nonce")
    i = number(m[3], "point", 0, 0xFFFF)
    check(len(m[4]) in (32, 65, 1120) and len(m[5]) in (112, 144), "lengths")
    must(m[1] == dealing.digest, "other-dealing")
    must(1 <= i <= len(dealing.custodians), "not-custodian")
    must(m[2] == asked[4], "other-request")
    info = b"bailiwick/v1/custody-release-info" + dealing.digest + asked[2].to_bytes(2, "little") + asked[4] + i.to_bytes(2, "little")
    try:
        plain = requester.suite.decrypt(m[4] + m[5], requester.private, info)
    except (InvalidTag, ValueError):
        must(False, "sealed")
    must(len(plain) == (128 if dealing.hybrid else 96), "share")
    share = decode(plain[:32])
    must(share is not None, "share")
    transcript = Transcript(b"bailiwick/v1/custody-release-proof")
    transcript.append(b"dealing", dealing.digest)
    transcript.append_u64(b"requester-kem", asked[2])
    transcript.append(b"requester-key", asked[3])
    transcript.append(b"nonce", asked[4])
    transcript.append_u64(b"point", i)
    transcript.append(b"share", plain[:32])
    difference = minus(dealing.shares[i - 1], share)
    must(dleq_holds(transcript, plain[32:96], BASE, dealing.keys[i - 1], dealing.ephemeral, difference), "proof")
    half = plain[96:] or None
    must(half is None or share_commitment(dealing, i, half) == dealing.hybrid[i - 1][0], "second-share")
    must(half is None or below_order(half), "dealt-second-share")
    return i, share, half


def recovered(dealing, shares):
    """K24, K29: from t triples (i, A_i, s_i): encode(S), with S2 after it in hybrid mode."""
    check(len(shares) == dealing.threshold and len({i for i, _, _ in shares}) == len(shares), "t shares of different custodians")
    coefficients = lagrange([i for i, _, _ in shares])
    secret = encode(weighted(coefficients, [a for _, a, _ in shares]))
    if dealing.hybrid is None:
        return secret
    half = sum(c * int.from_bytes(s, "little") for c, (_, _, s) in zip(coefficients, shares, strict=True)) % ORDER
    return secret + half.to_bytes(32, "little")


def unwrapped(dealing, secret, wrapped):
    """K15."""
    key = HKDF(SHA256(), 32, None, b"bailiwick/v1/custody-wrap" + dealing.digest).derive(secret)
    return AESGCM(key).decrypt(bytes(12), wrapped, b"")


def recipient_secret(dealing, content):
    """K16, K17: encode(S), proved to be what the custodians share."""
    octets(content, 96, "content")
    first = range(1, dealing.threshold + 1)
    coefficients = lagrange(list(first))
    e = weighted(coefficients, dealing.keys[: dealing.threshold])
    c = weighted(coefficients, dealing.shares[: dealing.threshold])
    transcript = Transcript(b"bailiwick/v1/custody-recipient-proof")
    transcript.append(b"dealing", dealing.digest)
    secret = decode(content[:32])
    must(secret is not None and not equal(secret, IDENTITY), "secret")
    must(dleq_holds(transcript, content[32:], BASE, dealing.ephemeral, e, minus(c, secret)), "proof")
    return content[:32]


def public_key_holds(data):
    """K3, K4: a custodian's public key of 1,344 bytes."""
    octets(data, 1344, "key")
    digest = blake3.derive_key("bailiwick/v1/custody-kem-key", data[128:])
    return possession_holds({1: data[:32], 2: data[32:64], 3: digest, 4: data[64:128]})
