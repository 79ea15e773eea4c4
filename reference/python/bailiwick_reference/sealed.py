"""Opening a sealed object (docs/spec/v1/envelope.md) with PyPI's `cryptography`: HPKE, HKDF and Cobblestone-256 are its own."""

import hashlib
import hmac
from dataclasses import dataclass

from cryptography.cobblestone import Cobblestone256Decryptor
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from . import blake3
from .envelope import Refused, key_id, verified_envelope

CHUNK, SEALED, HEADER = 16_384, 16_400, 56
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)
X25519, P256, X_WING = 0x0020, 0x0010, 0x647A


@dataclass(frozen=True)
class Opened:
    envelope: object
    file_key: bytes
    name: str
    media_type: str
    data: bytes


class RecipientKey:
    """A recipient's secret: 32 bytes for each KEM (spec keys, Y3)."""

    def __init__(self, kem, secret):
        self.kem = kem
        if kem == X25519:
            self.private = x25519.X25519PrivateKey.from_private_bytes(secret)
            self.public, hpke_kem = self.private.public_key().public_bytes(*RAW), hpke.KEM.X25519
        elif kem == P256:
            self.private = ec.derive_private_key(int.from_bytes(secret, "big"), ec.SECP256R1())
            point = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
            self.public, hpke_kem = self.private.public_key().public_bytes(*point), hpke.KEM.P256
        elif kem == X_WING:
            # X-Wing, section 5.2: the seed expands to ML-KEM's d ‖ z and the scalar.
            expanded = hashlib.shake_256(secret).digest(96)
            quantum = mlkem.MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
            classical = x25519.X25519PrivateKey.from_private_bytes(expanded[64:])
            self.private = hpke.MLKEM768X25519PrivateKey(quantum, classical)
            self.public = quantum.public_key().public_bytes_raw() + classical.public_key().public_bytes_raw()
            hpke_kem = hpke.KEM.MLKEM768_X25519
        else:
            raise ValueError("no such KEM")
        self.suite = hpke.Suite(hpke_kem, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)

    def unwrap(self, envelope, entry):
        """E4: what the entry holds, or None when it is not for this key."""
        if entry.kem != self.kem or entry.key_id not in (None, key_id(self.kem, self.public)):
            return None
        if self.kem != P256 and not is_usable(entry.enc[-32:]):
            return None
        info = b"bailiwick/v1/recipient-info" + le64(envelope.suite) + envelope.owner + envelope.object + bytes([entry.role])
        try:
            return self.suite.decrypt(entry.enc + entry.ciphertext, self.private, info)
        except (InvalidTag, ValueError):
            return None


def le64(number):
    return number.to_bytes(8, "little")


def is_usable(point):
    """E4: below 2^255 - 19, and not of small order: any clamped scalar gives zero, which `exchange` refuses. X-Wing's keys end in their X25519 half."""
    if int.from_bytes(point, "little") >= 2**255 - 19:
        return False
    try:
        x25519.X25519PrivateKey.from_private_bytes(bytes([0x55] * 32)).exchange(x25519.X25519PublicKey.from_public_bytes(point))
    except ValueError:
        return False
    return True


def expand(key, info, length):
    return HKDFExpand(SHA512(), length, info).derive(key)


def body_key(envelope, file_key):
    """E3. The 32-byte key as the pseudorandom key is the key zero-padded to 64, under HMAC."""
    context = le64(envelope.suite) + envelope.owner + envelope.object + envelope.unit
    return expand(file_key, b"bailiwick/v1/body-key" + context, 32)


def file_key_of(envelope, keys):
    for key in keys:
        for entry in envelope.recipients:
            if entry.role == 1 and (found := key.unwrap(envelope, entry)) is not None and len(found) == 32:
                return found
    raise Refused("no-recipient")


def file_key_under(envelope, passphrase):
    """E18."""
    entry = envelope.passphrase
    if entry is None:
        raise Refused("no-passphrase")
    argon = Argon2id(salt=entry.salt, length=32, iterations=entry.passes, lanes=entry.lanes, memory_cost=entry.memory)
    info = b"bailiwick/v1/passphrase" + le64(envelope.suite) + envelope.owner + envelope.object
    okm = expand(argon.derive(passphrase.encode()), info, 64)
    if not hmac.compare_digest(okm[32:], entry.commitment):
        raise Refused("passphrase")
    try:
        return AESGCM(okm[:32]).decrypt(bytes(12), entry.ciphertext, b"")
    except InvalidTag:
        raise Refused("passphrase") from None


def open_object(owner, envelope_bytes, body, keys=(), passphrase=None):
    """Everything, or Refused: E2, E9, E10. By one of the keys, or by the passphrase."""
    envelope = verified_envelope(envelope_bytes, owner)
    file_key = file_key_of(envelope, keys) if passphrase is None else file_key_under(envelope, passphrase)
    key = committed_key(envelope, file_key)
    if envelope.shards is not None:
        raise Refused("shard")
    return Opened(envelope, file_key, *parts(plaintext(key, envelope, body)))


def committed_key(envelope, file_key):
    """E9: the body key, if the envelope commits to it."""
    key = body_key(envelope, file_key)
    info = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0" + envelope.salt
    if not hmac.compare_digest(expand(key, info, 76)[44:], envelope.key_commitment):
        raise Refused("key-commitment")
    return key


def plaintext(key, envelope, body):
    """E10."""
    plain = decrypted(key, envelope, body)
    if blake3.hash(body) != envelope.blake3:
        raise Refused("content")
    return plain


def open_shards(owner, shards, keys):
    """Spec shards, Q1 to Q3, of objects whose shards have one data block: the first k (envelope, body), in order, give the plaintext."""
    plain, sets, digests, envelopes = b"", set(), [], []
    for envelope_bytes, body in shards:
        envelope = verified_envelope(envelope_bytes, owner)
        file_key = file_key_of(envelope, keys)
        plain += plaintext(committed_key(envelope, file_key), envelope, body)
        envelopes.append(envelope)
        sets.add((envelope.object, envelope.unit[:4], envelope.shards))
        digests.append(envelope.blake3)
    k, n = (int.from_bytes(envelopes[0].unit[i : i + 2], "little") for i in (0, 2))
    length, bodies = envelopes[0].shards
    if len(sets) != 1 or [e.unit[4:6] for e in envelopes] != [i.to_bytes(2, "little") for i in range(len(shards))]:
        raise Refused("shard")
    if len(shards) == n and blake3.hash(b"".join(digests)) != bodies:
        raise Refused("shard")
    share = -(-length // k)
    block = 64 * -(-share // 64) if share <= CHUNK else None
    if len(plain) != len(shards) * (block or 0) or any(plain[length : k * block]):
        raise Refused("shard")
    return Opened(envelopes[0], b"", *parts(plain[:length]))


def decrypted(key, envelope, body):
    """E1."""
    if len(body) < HEADER:
        raise Refused("body-size")
    if body[:HEADER] != envelope.salt + envelope.key_commitment:
        raise Refused("body-header")
    if len(body) != envelope.size:
        raise Refused("body-size")
    decryptor = Cobblestone256Decryptor(key, b"")
    try:
        return decryptor.update(body) + decryptor.finalize()
    except InvalidTag:
        raise Refused("body-chunk") from None


def parts(plain):
    """E6: name, media type, data."""
    if len(plain) < 8:
        raise Refused("layout-length")
    name, at = text(plain, 0, 4096)
    media_type, at = text(plain, at, 255)
    length, padding = int.from_bytes(plain[-8:], "little"), len(plain) - 8 - at
    if padding < 0 or length > padding:
        raise Refused("layout-length")
    data = plain[at : at + length]
    if any(plain[at + length : -8]):
        raise Refused("padding")
    return name, media_type, data


def text(plain, at, limit):
    length = int.from_bytes(plain[at : at + 2], "little")
    at += 2
    if length > limit or at + length > len(plain):
        raise Refused("layout-length")
    try:
        return plain[at : at + length].decode("utf-8"), at + length
    except UnicodeDecodeError:
        raise Refused("layout-text") from None
