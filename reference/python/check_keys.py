#!/usr/bin/env python3
"""Judges every vector of test-vectors/keys/v1 with PyPI's `cryptography`, from docs/spec/v1/keys.md alone.
`python3 reference/python/check_keys.py`, with the packages of requirements.txt; `--write` makes all but the age file anew.

Prints what it checked; ends with status 1 at the first difference.
"""

import json
import sys
from base64 import b64decode
from pathlib import Path

from bailiwick_reference import blake3
from bailiwick_reference.keys import (
    BECH32, ORDER_P256, Refused, fingerprint, from_bech32, from_text, open_age, parse_file, public_of, to_bech32, to_text, words,
)

VECTORS = Path(__file__).resolve().parents[2] / "test-vectors" / "keys" / "v1"


def key(case):
    """Everything follows from kind, algorithm and secret; the files and the text say the same."""
    kind, algorithm, secret = case["kind"], case["algorithm"], bytes.fromhex(case["secret"])
    public = public_of(algorithm, secret)
    print_ = fingerprint(algorithm, public)
    found = {"public": public.hex(), "fingerprint": print_.hex(), "text": to_text(kind, algorithm, public), "words": words(print_)}
    wrong = [field for field, value in found.items() if case[field] != value]
    for name, expected in (("file", secret), ("public_file", None)):
        wrong += [] if parse_file(case[name].encode()) == (kind, algorithm, public, expected, None) else [name]
    wrong += [] if from_text(case["text"]) == (kind, algorithm, public) else ["text, read"]
    return wrong


def file(case):
    parsed = parse_file(case["file"].encode())
    found = dict(zip(("kind", "algorithm", "public", "secret", "agent"), parsed))
    found = {name: value.hex() if isinstance(value, bytes) else value for name, value in found.items()}
    return [name for name, value in found.items() if case[name] != value]


def refused_file(case):
    return opened(parse_file, case["file"].encode())


def refused_text(case):
    return opened(from_text, case["text"])


def opened(read, argument):
    try:
        read(argument)
    except Refused:
        return []
    return ["read, and must be refused"]


def age(case):
    """Every identity opens the file to the file key; of each the recipient is the file's, and another opens nothing."""
    wrong, data = [], b64decode(case["age"])
    for recipient, identity in zip(case["recipients"], case["identities"], strict=True):
        prefix, scalar = from_bech32(identity.lower(), BECH32)
        public = public_of("x25519", scalar)
        wrong += [] if (prefix, to_bech32("age", public, BECH32)) == ("age-secret-key-", recipient) else ["recipient"]
        wrong += [] if open_age(data, scalar).hex() == case["file_key"] else ["file key"]
    wrong += opened(lambda scalar: open_age(data, scalar), bytes(31) + b"\x40")
    wrong += opened(lambda changed: open_age(changed, scalar), data[:-1] + bytes([data[-1] ^ 1]))
    return wrong


CASES = {
    "key": (key, {"kind", "algorithm", "secret", "public", "fingerprint", "text", "words", "file", "public_file"}),
    "file": (file, {"file", "kind", "algorithm", "public", "secret", "agent"}),
    "refused-file": (refused_file, {"file"}),
    "refused-text": (refused_text, {"text"}),
    "age": (age, {"recipients", "identities", "file_key", "seed", "age"}),
}


def check(path):
    vector = json.loads(path.read_text(encoding="utf-8"))
    if set(vector) != {"scenario", "provenance", "case"} or len(vector["case"]) != 1:
        sys.exit(f"{path.name}: not the form of a vector")
    [(kind, case)] = vector["case"].items()
    judge, fields = CASES[kind]
    if set(case) != fields:
        sys.exit(f"{path.name}: fields")
    wrong = judge(case)
    if wrong:
        sys.exit(f"{path.name}: {', '.join(wrong)}")


def key_file(kind, algorithm, public, secret=None, print_=True):
    lines = [f'secret = "{secret.hex()}"'] if secret else []
    lines += ["version = 1", f'kind = "{kind}"', f'algorithm = "{algorithm}"', f'public = "{public.hex()}"']
    return "\n".join(lines + ([f'fingerprint = "{fingerprint(algorithm, public).hex()}"'] if print_ else [])) + "\n"


def secret_of(name):
    return blake3.hash(b"bailiwick test key " + name.encode())


# RFC 8032 section 7.1, TEST 1.
TEST_1 = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")


def vectors():
    """Name, scenario, case. Whoever has these keys has what is in the file: they are for tests."""
    keys = {}
    for kind, algorithm, secret in [
        ("owner", "ed25519", TEST_1), *((kind, "ed25519", secret_of(kind)) for kind in ("auditor", "host", "roster")),
        ("recipient", "x25519", secret_of("x25519")), ("recipient", "x-wing", secret_of("x-wing")), ("recipient", "p256", secret_of("p256")),
    ]:
        public = public_of(algorithm, secret)
        keys[algorithm] = keys.get(algorithm) or (secret, public)
        print_ = fingerprint(algorithm, public)
        yield f"key-{kind if kind != 'recipient' else algorithm}", f"a {kind}'s key, {algorithm}", {"key": {
            "kind": kind, "algorithm": algorithm, "secret": secret.hex(), "public": public.hex(), "fingerprint": print_.hex(),
            "text": to_text(kind, algorithm, public), "words": words(print_),
            "file": key_file(kind, algorithm, public, secret), "public_file": key_file(kind, algorithm, public),
        }}
    secret, public = keys["x25519"]
    honest = key_file("recipient", "x25519", public)
    whole = key_file("recipient", "x25519", public, secret)

    def right(name, scenario, text, held=None, agent=None):
        case = {"file": text, "kind": "recipient", "algorithm": "x25519", "public": public.hex(), "secret": held, "agent": agent}
        return f"file-{name}", scenario, {"file": case}

    yield right("no-fingerprint", "no fingerprint", key_file("recipient", "x25519", public, print_=False))
    yield right("other-order", "lines in another order, no line feed at the end", "\n".join(reversed(whole.splitlines())), secret.hex())
    yield right("white-space", "white space of all kinds, carriage returns, blank lines and comments", "# note\r\n\r\n" + honest.replace(" = ", "\u3000=\t").replace("\n", "\u00a0\r\n"))
    yield right("no-spaces", "no spaces around the equals signs", honest.replace(" = ", "="))
    yield right("agent", "held by an agent", honest + 'agent = "token-7"\n', agent="token-7")
    yield right("longest", "8,192 bytes", honest + "#" * (8192 - len(honest)))

    def bad(name, scenario, text):
        return f"refused-file-{name}", scenario, {"refused-file": {"file": text}}

    hexed = public.hex()
    yield bad("too-long", "8,193 bytes", honest + "#" * (8193 - len(honest)))
    yield bad("no-version", "no version", honest.replace("version = 1\n", ""))
    yield bad("version-2", "another version", honest.replace("version = 1", "version = 2"))
    yield bad("version-quoted", "the version in quotation marks", honest.replace("version = 1", 'version = "1"'))
    yield bad("version-twice", "the version twice", honest + "version = 1\n")
    for name in ("kind", "algorithm", "public"):
        yield bad(f"no-{name}", f"no {name}", "".join(line + "\n" for line in honest.splitlines() if not line.startswith(name)))
    yield bad("name-unknown", "a name there is not", honest + 'note = "x"\n')
    yield bad("name-twice", "a name twice", honest + f'public = "{hexed}"\n')
    yield bad("name-upper-case", "a name in upper case", honest.replace("public", "Public"))
    yield bad("no-quotation-marks", "a value without quotation marks", honest.replace('"recipient"', "recipient"))
    yield bad("quotation-mark-within", "a quotation mark within a value", honest.replace('"recipient"', '"reci"pient"'))
    yield bad("comment-after-value", "a comment on a line with a value", honest.replace('"recipient"', '"recipient" # x'))
    yield bad("no-equals-sign", "a line that is nothing", honest + "public\n")
    yield bad("byte-order-mark", "a byte order mark at the beginning", "\ufeff" + honest)
    yield bad("kind-unknown", "a kind there is not", honest.replace('"recipient"', '"reader"'))
    yield bad("algorithm-unknown", "an algorithm there is not", honest.replace('"x25519"', '"x448"'))
    yield bad("algorithm-of-another-kind", "an owner with X25519", honest.replace('"recipient"', '"owner"'))
    yield bad("recipient-ed25519", "a recipient with Ed25519", key_file("recipient", "ed25519", keys["ed25519"][1], print_=False))
    yield bad("public-upper-case", "the public key in upper case", honest.replace(hexed, hexed.upper()))
    yield bad("public-odd", "a digit less", honest.replace(hexed, hexed[:-1]))
    yield bad("public-short", "a byte less", honest.replace(hexed, hexed[:-2]))
    yield bad("public-long", "a byte more", honest.replace(hexed, hexed + "00"))
    yield bad("fingerprint-wrong", "another fingerprint", honest.replace(fingerprint("x25519", public).hex(), "00" * 32))
    yield bad("fingerprint-upper-case", "the fingerprint in upper case", honest.replace(fingerprint("x25519", public).hex(), fingerprint("x25519", public).hex().upper()))
    yield bad("secret-upper-case", "the secret key in upper case", whole.replace(secret.hex(), secret.hex().upper()))
    yield bad("secret-short", "a byte of the secret key less", whole.replace(secret.hex(), secret.hex()[:-2]))
    yield bad("secret-of-another", "another secret key", whole.replace(secret.hex(), secret_of("another").hex()))
    yield bad("agent-beside-secret", "an agent beside a secret", whole + 'agent = "token"\n')
    yield bad("agent-path", "an agent's name that leads elsewhere", honest + 'agent = "../token"\n')
    yield bad("agent-hyphen-first", "an agent's name that begins with a hyphen", honest + 'agent = "-token"\n')
    yield bad("agent-long", "an agent's name of 33 letters", honest + f'agent = "{"t" * 33}"\n')
    yield bad("agent-of-owner", "an agent for an owner's key", key_file("owner", "ed25519", keys["ed25519"][1]) + 'agent = "token"\n')

    def alias(point, at):
        return point[:at] + bytes([point[at] | 0x80]) + point[at + 1 :]

    wing = keys["x-wing"][1]
    point = keys["p256"][1]
    unusable = [
        ("small-order", "x25519", "a point of order 8", bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")),
        ("zero", "x25519", "zero", bytes(32)),
        ("high-bit", "x25519", "the key with its highest bit set: another encoding of it", alias(public, 31)),
        ("above-modulus", "x25519", "2^255 - 19 + 9, another encoding of 9", bytes.fromhex("f6" + "ff" * 30 + "7f")),
        ("x-wing-zero", "x-wing", "X-Wing, the X25519 half is zero", wing[:1184] + bytes(32)),
        ("x-wing-high-bit", "x-wing", "X-Wing, the X25519 half with its highest bit set", alias(wing, 1215)),
        ("x-wing-above-modulus", "x-wing", "X-Wing, the X25519 half is 2^255 - 19 + 9", wing[:1184] + bytes.fromhex("f6" + "ff" * 30 + "7f")),
        ("x-wing-coefficient", "x-wing", "X-Wing, a coefficient of 4,095 in the ML-KEM half", b"\xff\xff\xff" + wing[3:]),
        ("p256-off-the-curve", "p256", "a point off the curve", point[:-1] + bytes([point[-1] ^ 1])),
        ("p256-zero", "p256", "a point at 0, 0", b"\4" + bytes(64)),
        ("p256-hybrid-form", "p256", "the hybrid form of X9.62", bytes([6 | point[-1] & 1]) + point[1:]),
    ]
    for name, algorithm, scenario, bytes_ in unusable:
        yield bad(name, scenario, key_file("recipient", algorithm, bytes_))
        yield f"refused-text-{name}", scenario, {"refused-text": {"text": to_text("recipient", algorithm, bytes_)}}
    for name, scenario, scalar in (("zero", "zero", 0), ("order", "the group's order", ORDER_P256)):
        yield bad(f"p256-secret-{name}", f"a P-256 secret of {scenario}", key_file("recipient", "p256", point, scalar.to_bytes(32, "big")))

    text = to_text("recipient", "x25519", public)
    other = "q" if text[20] != "q" else "p"
    for name, scenario, bad_text in [
        ("upper-case", "in upper case", text.upper()),
        ("mixed-case", "the prefix in upper case", text.replace("bw", "BW")),
        ("white-space", "a space at the end", text + " "),
        ("mistyped", "a character mistyped", text[:20] + other + text[21:]),
        ("cut", "the last character is missing", text[:-1]),
        ("bech32", "the checksum of BIP-173", to_bech32("bwx25519", public, BECH32)),
        ("prefix-unknown", "a prefix there is not", to_bech32("bwx448", public)),
        ("prefix-of-age", "the prefix of age", to_bech32("age", public)),
        ("short", "31 bytes", to_bech32("bwx25519", public[:-1])),
        ("long", "33 bytes", to_bech32("bwx25519", public + b"\0")),
        ("length-of-another", "an Ed25519 prefix before 65 bytes", to_bech32("bwowner", point)),
        ("padding", "padding bits that are not zero", padded(text)),
        ("empty", "nothing", ""),
    ]:
        yield f"refused-text-{name}", scenario, {"refused-text": {"text": bad_text}}


def padded(text):
    """The same with the last of the bits that fill up its last character set, and a right checksum."""
    from bailiwick_reference.keys import ALPHABET, BECH32M, expanded, polymod

    prefix, _, rest = text.rpartition("1")
    values = [ALPHABET.index(c) for c in rest[:-6]]
    values[-1] |= 1
    checksum = polymod(expanded(prefix) + values + [0] * 6) ^ BECH32M
    return prefix + "1" + "".join(ALPHABET[v] for v in values + [checksum >> 5 * (5 - i) & 31 for i in range(6)])


def main():
    if sys.argv[1:] == ["--write"]:
        VECTORS.mkdir(parents=True, exist_ok=True)
        for name, scenario, case in vectors():
            vector = {"scenario": scenario, "provenance": "reference/python/check_keys.py, from docs/spec/v1/keys.md", "case": case}
            (VECTORS / f"{name}.json").write_text(json.dumps(vector, indent=1) + "\n", encoding="utf-8")
        return
    paths = sorted(VECTORS.glob("*.json"))
    if not paths:
        sys.exit(f"no vectors in {VECTORS}")
    for path in paths:
        check(path)
    print(f"{len(paths)} vectors of keys judged")


if __name__ == "__main__":
    main()
