"""Small values (docs/spec/v1/compact.md) with PyPI's `cryptography`: HPKE, HKDF, AES-256-GCM and Ed25519 are its own."""

import hmac
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .envelope import Refused, key_id
from .sealed import P256, X25519, X_WING, expand, is_usable

FORMS = {0: X25519, 1: X_WING, 5: P256}
ENC = {X25519: 32, P256: 65, X_WING: 1120}
SEVERAL, HEADER, VALUE = 2, 3, 4
PADDED, SIGNED = 0x10, 0x08
NAMES = {SEVERAL: "value", HEADER: "header", VALUE: "batch-value"}


def binding(first, owner, context):
    """CV3."""
    parts = [p.encode() for p in context]
    return bytes([first]) + (owner or b"") + b"".join(len(p).to_bytes(2, "little") + p for p in parts)


def form_of(sealed):
    """CV1."""
    if len(sealed) > 98_304:
        raise Refused("too-long")
    if not sealed:
        raise Refused("cut-short")
    first = sealed[0]
    if first >> 5 != 1 or first & 7 > 5 or (first & 7 == HEADER and first & PADDED):
        raise Refused("version")
    return first & 7


def take(data, n):
    if len(data) < n:
        raise Refused("cut-short")
    return data[:n], data[n:]


def entries(data):
    """CV2: recipients, their bytes, and what follows."""
    whole = data
    count, data = take(data, 1)
    if count[0] == 0:
        raise Refused("no-recipients")
    if count[0] > 16:
        raise Refused("too-many-recipients")
    out = []
    for _ in range(count[0]):
        kem, data = take(data, 2)
        kem = int.from_bytes(kem, "big")
        if kem not in ENC:
            raise Refused("mechanism")
        kid, data = take(data, 8)
        if any(kid == other for _, other, _ in out):
            raise Refused("duplicate-recipient")
        wrapped, data = take(data, ENC[kem] + 48)
        out.append((kem, kid, wrapped))
    return out, whole[: len(whole) - len(data)], data


def decrypt(key, sealed, info):
    enc = sealed[: ENC[key.kem]]
    if key.kem != P256 and not is_usable(enc[-32:]):
        raise Refused("not-opened")
    try:
        return key.suite.decrypt(sealed, key.private, info)
    except (InvalidTag, ValueError):
        raise Refused("not-opened") from None


def schedule(k, bound, section):
    """CV5: AEAD key, base nonce, commitment."""
    okm = expand(k, b"bailiwick/v1/compact-keys" + bound + section, 76)
    return okm[:32], okm[32:44], okm[44:]


def unwrap(recipients, keys, bound):
    for key in keys:
        for kem, kid, wrapped in recipients:
            if kem == key.kem and kid == key_id(kem, key.public):
                return decrypt(key, wrapped, b"bailiwick/v1/compact-recipient" + bound)
    raise Refused("no-recipient")


def check_signature(sealed, owner, context, batch):
    """CV7: the bytes without their signature, and their binding."""
    signed = bool(sealed[0] & SIGNED)
    if signed:
        if len(sealed) < 65:
            raise Refused("cut-short")
        sealed, signature = sealed[:-64], sealed[-64:]
    if owner is None and signed:
        raise Refused("owner-needed")
    if owner is not None and not signed:
        raise Refused("not-signed")
    bound = binding(sealed[0], owner, context)
    if signed:
        message = b"bailiwick/v1/compact-signature" + bound + batch + sealed
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(owner).verify(signature, message)
        except InvalidSignature:
            raise Refused("signature") from None
    return sealed, bound


def unpad(first, plain):
    """CV8."""
    if first & PADDED:
        stripped = plain.rstrip(b"\0")
        if not stripped.endswith(b"\x80") or len(stripped) > 65_537:
            raise Refused("padding")
        return stripped[:-1]
    if len(plain) > 65_536:
        raise Refused("value-too-large")
    return plain


def gcm(key, nonce, sealed, aad):
    try:
        return AESGCM(key).decrypt(nonce, sealed, aad)
    except InvalidTag:
        raise Refused("not-opened") from None


def open_value(sealed, context, keys, owner):
    """A value outside a batch."""
    form = form_of(sealed)
    if form in (HEADER, VALUE):
        raise Refused("wrong-form")
    sealed, bound = check_signature(sealed, owner, context, b"")
    first, rest = sealed[0], sealed[1:]
    if form in FORMS:
        kid, rest = take(rest, 8)
        take(rest, ENC[FORMS[form]] + 16)
        key = next((k for k in keys if k.kem == FORMS[form] and key_id(k.kem, k.public) == kid), None)
        if key is None:
            raise Refused("no-recipient")
        return unpad(first, decrypt(key, rest, b"bailiwick/v1/compact-value" + bound + kid))
    recipients, section, rest = entries(rest)
    commitment, rest = take(rest, 32)
    take(rest, 16)
    key, nonce, found = schedule(unwrap(recipients, keys, bound), bound, section)
    if not hmac.compare_digest(found, commitment):
        raise Refused("commitment")
    return unpad(first, gcm(key, nonce, rest, b""))


def open_batch_value(header, sealed, context, keys, owner):
    """CV6: the value and its index."""
    scope = (*context[:3], "")
    if form_of(header) != HEADER:
        raise Refused("wrong-form")
    header, bound = check_signature(header, owner, scope, b"")
    recipients, section, rest = entries(header[1:])
    commitment, rest = take(rest, 32)
    if rest:
        raise Refused("trailing")
    key, base, found = schedule(unwrap(recipients, keys, bound), bound, section)
    if not hmac.compare_digest(found, commitment):
        raise Refused("commitment")
    if form_of(sealed) != VALUE:
        raise Refused("wrong-form")
    # The batch is looked at before the signature: it says which one to look for.
    unsigned = sealed[:-64] if sealed[0] & SIGNED else sealed
    if take(unsigned[1:], 8)[0] != commitment[:8]:
        raise Refused("other-batch")
    sealed, bound = check_signature(sealed, owner, context, commitment)
    index, rest = take(sealed[9:], 4)
    take(rest, 16)
    nonce = bytes(a ^ b for a, b in zip(base, bytes(8) + index))
    return unpad(sealed[0], gcm(key, nonce, rest, bound)), int.from_bytes(index, "big")


def from_text(text):
    """CV10."""
    if re.fullmatch(r"0x(?:[0-9a-f]{2})*", text):
        return bytes.fromhex(text[2:])
    if not re.fullmatch(r"bwc1\.[A-Za-z0-9_-]*", text) or len(text) % 4 == 2:
        raise Refused("text")
    data = urlsafe_b64decode(text[5:] + "=" * (-(len(text) - 5) % 4))
    if to_text(data) != text:
        raise Refused("text")
    return data


def to_text(sealed):
    return "bwc1." + urlsafe_b64encode(sealed).decode().rstrip("=")


def sign(sealed, bound, batch, signer):
    if signer is None:
        return sealed
    return sealed + signer.sign(b"bailiwick/v1/compact-signature" + bound + batch + sealed)


def pad(value, to):
    return value if to is None else (value + b"\x80").ljust(to, b"\0")


def wrap(keys, k, bound):
    info = b"bailiwick/v1/compact-recipient" + bound
    each = [key.kem.to_bytes(2, "big") + key_id(key.kem, key.public) + key.suite.encrypt(k, public_of(key), info) for key in keys]
    return bytes([len(keys)]) + b"".join(each)


def public_of(key):
    return key.private.public_key()


def seal_value(value, context, keys, signer=None, to=None, committing=False):
    """For the vectors: what a writer of the specification makes."""
    direct = len(keys) == 1 and not committing
    form = next(f for f, kem in FORMS.items() if kem == keys[0].kem) if direct else SEVERAL
    first = 0x20 | form | (SIGNED if signer else 0) | (0 if to is None else PADDED)
    owner = signer and signer.public_key().public_bytes_raw()
    bound, plain = binding(first, owner, context), pad(value, to)
    if direct:
        kid = key_id(keys[0].kem, keys[0].public)
        sealed = kid + keys[0].suite.encrypt(plain, public_of(keys[0]), b"bailiwick/v1/compact-value" + bound + kid)
    else:
        k = os.urandom(32)
        section = wrap(keys, k, bound)
        key, nonce, commitment = schedule(k, bound, section)
        sealed = section + commitment + AESGCM(key).encrypt(nonce, plain, b"")
    return sign(bytes([first]) + sealed, bound, b"", signer)


def seal_batch(values, context, keys, signer=None):
    """Header, and a value for each (record, value, index)."""
    owner = signer and signer.public_key().public_bytes_raw()
    signed = SIGNED if signer else 0
    bound = binding(0x20 | HEADER | signed, owner, (*context[:3], ""))
    k = os.urandom(32)
    section = wrap(keys, k, bound)
    key, base, commitment = schedule(k, bound, section)
    header = sign(bytes([0x20 | HEADER | signed]) + section + commitment, bound, b"", signer)
    out = []
    for record, value, index in values:
        first = 0x20 | VALUE | signed
        aad = binding(first, owner, (*context[:3], record))
        at = index.to_bytes(4, "big")
        nonce = bytes(a ^ b for a, b in zip(base, bytes(8) + at))
        sealed = bytes([first]) + commitment[:8] + at + AESGCM(key).encrypt(nonce, value, aad)
        out.append(sign(sealed, aad, commitment, signer))
    return header, out
