"""Key files, keys as text, fingerprints and age files of file keys (docs/spec/v1/keys.md), with PyPI's `cryptography`."""

import hashlib
import hmac as hmac_module
import re
from base64 import b64decode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import blake3
from .sealed import P256, X25519, X_WING, RecipientKey, is_usable

KINDS = {"owner", "auditor", "host", "roster"}  # Ed25519; and recipient. Custodians' keys are spec custody's.
RECIPIENTS = {"x-wing": X_WING, "x25519": X25519, "p256": P256}
LENGTHS = {"ed25519": 32, "x25519": 32, "p256": 65, "x-wing": 1216}
PREFIXES = {"bwowner": "owner", "bwauditor": "auditor", "bwhost": "host", "bwroster": "roster", "bwx25519": "x25519", "bwp256": "p256", "bwxwing": "x-wing"}
# Python's str.isspace has four separators (1C to 1F) that Unicode's White_Space lacks.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
WORDS = Path(__file__).with_name("bip39_english.txt").read_text(encoding="ascii").split()


class Refused(ValueError):
    """Not a key: the text says why."""


def must(holds, what):
    if not holds:
        raise Refused(what)


def parse_file(data):
    """Y1 to Y5a: (kind, algorithm, public, secret or None, agent or None)."""
    must(len(data) <= 8192, "too long")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("not UTF-8") from None
    values = {}
    for line in text.split("\n"):
        line = line.strip(WHITE_SPACE)
        if not line or line.startswith("#"):
            continue
        name, equals, value = (part.strip(WHITE_SPACE) for part in line.partition("="))
        must(equals and name in {"version", "kind", "algorithm", "public", "secret", "fingerprint", "agent"} and name not in values, "line")
        if name == "version":
            must(value == "1", "version")
        else:
            must(len(value) >= 2 and value[0] == value[-1] == '"' and '"' not in value[1:-1], "value")
            value = value[1:-1]
        values[name] = value
    must({"version", "kind", "algorithm", "public"} <= set(values), "missing")
    kind, algorithm = values["kind"], values["algorithm"]
    must((kind in KINDS and algorithm == "ed25519") or (kind == "recipient" and algorithm in RECIPIENTS), "kind and algorithm")
    public = digits(values["public"], LENGTHS[algorithm])
    check_public(algorithm, public)
    secret = digits(values["secret"], 32) if "secret" in values else None
    if secret is not None:
        must(public_of(algorithm, secret) == public, "the public key is not the secret's")
    must(values.get("fingerprint", fingerprint(algorithm, public).hex()) == fingerprint(algorithm, public).hex(), "fingerprint")
    agent = values.get("agent")
    if agent is not None:
        must(secret is None and kind == "recipient" and re.fullmatch(r"(?!-)[a-z0-9-]{1,32}(?<!-)", agent), "agent")
    return kind, algorithm, public, secret, agent


def digits(text, length):
    """Y3, Y3a."""
    must(re.fullmatch(f"[0-9a-f]{{{2 * length}}}", text), "hexadecimal")
    return bytes.fromhex(text)


def check_public(algorithm, public):
    """Y3b."""
    try:
        if algorithm in ("x25519", "x-wing"):
            must(is_usable(public[-32:]), "not a usable X25519 key")
        if algorithm == "x-wing":
            coefficients = int.from_bytes(public[:1152], "little")
            must(all(coefficients >> 12 * i & 0xFFF < 3329 for i in range(768)), "a coefficient beyond the modulus")
            mlkem.MLKEM768PublicKey.from_public_bytes(public[:1184])
        if algorithm == "p256":
            must(public[0] == 4, "compressed")
            ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    except Refused:
        raise
    except ValueError:
        raise Refused("not a usable key") from None


def public_of(algorithm, secret):
    """Y3."""
    if algorithm == "ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    if algorithm == "p256":
        must(0 < int.from_bytes(secret, "big") < ORDER_P256, "not a scalar")
    return RecipientKey(RECIPIENTS[algorithm], secret).public


def fingerprint(algorithm, public):
    """Y4."""
    return blake3.derive_key("bailiwick/v1/fingerprint", RECIPIENTS.get(algorithm, 0).to_bytes(2, "little") + public)


def words(print_):
    """Y11."""
    number = int.from_bytes(print_, "big") >> (256 - 132)
    return " ".join(WORDS[number >> 11 * (11 - i) & 2047] for i in range(12))


# Bech32m (BIP-350), and Bech32 (BIP-173) for age.

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32, BECH32M = 1, 0x2BC830A3


def polymod(values):
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            checksum ^= generator if top >> i & 1 else 0
    return checksum


def expanded(prefix):
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def to_bech32(prefix, data, constant=BECH32M):
    bits = "".join(f"{byte:08b}" for byte in data)
    values = [int(bits[i : i + 5].ljust(5, "0"), 2) for i in range(0, len(bits), 5)]
    checksum = polymod(expanded(prefix) + values + [0] * 6) ^ constant
    return prefix + "1" + "".join(ALPHABET[v] for v in values + [checksum >> 5 * (5 - i) & 31 for i in range(6)])


def from_bech32(text, constant=BECH32M):
    prefix, one, rest = text.rpartition("1")
    must(one and prefix and len(rest) >= 6 and all(c in ALPHABET for c in rest), "not Bech32")
    must(re.fullmatch(r"[a-z0-9-]+", prefix), "prefix")
    values = [ALPHABET.index(c) for c in rest]
    must(polymod(expanded(prefix) + values) == constant, "checksum")
    bits = "".join(f"{v:05b}" for v in values[:-6])
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
    must(to_bech32(prefix, data, constant) == text, "padding")
    return prefix, data


def to_text(kind, algorithm, public):
    """Y10."""
    name = algorithm if kind == "recipient" else kind
    return to_bech32(next(p for p, n in PREFIXES.items() if n == name), public)


def from_text(text):
    """Y10, Y10a: (kind, algorithm, public)."""
    prefix, public = from_bech32(text)
    must(prefix in PREFIXES, "prefix")
    name = PREFIXES[prefix]
    kind, algorithm = ("recipient", name) if name in RECIPIENTS else (name, "ed25519")
    must(len(public) == LENGTHS[algorithm], "length")
    check_public(algorithm, public)
    return kind, algorithm, public


# age files of one chunk (C2SP age v1).


def hkdf(salt, key, info):
    return HKDF(SHA256(), 32, salt, info).derive(key)


def open_age(data, scalar):
    """Y12: the plaintext, with the scalar of an X25519 identity."""
    private = x25519.X25519PrivateKey.from_private_bytes(scalar)
    public = private.public_key().public_bytes_raw()
    at = data.index(b"\n---") + 1
    head, mac = data[: at + 3], data[at + 4 : data.index(b"\n", at)]
    payload = data[data.index(b"\n", at) + 1 :]
    lines = head.decode("ascii").split("\n")
    must(lines[0] == "age-encryption.org/v1" and lines[-1] == "---" and len(lines) % 2 == 0, "header")
    file_key = None
    for stanza, body in zip(lines[1:-1:2], lines[2:-1:2]):
        arrow, kind, share = stanza.split(" ")
        must((arrow, kind) == ("->", "X25519"), "stanza")
        share = unpadded(share)
        shared = private.exchange(x25519.X25519PublicKey.from_public_bytes(share))
        key = hkdf(share + public, shared, b"age-encryption.org/v1/X25519")
        try:
            file_key = ChaCha20Poly1305(key).decrypt(bytes(12), unpadded(body), None)
        except InvalidTag:
            continue
    must(file_key is not None and len(file_key) == 16, "no stanza for this identity")
    expected = hmac_module.new(hkdf(b"", file_key, b"header"), head, hashlib.sha256).digest()
    must(hmac_module.compare_digest(expected, unpadded(mac.decode("ascii"))), "header's MAC")
    try:
        return ChaCha20Poly1305(hkdf(payload[:16], file_key, b"payload")).decrypt(bytes(11) + b"\1", payload[16:], None)
    except InvalidTag:
        raise Refused("payload") from None


def unpadded(text):
    must("=" not in text, "base64 padding")
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
