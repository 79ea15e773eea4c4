#!/usr/bin/env python3
"""Judges every vector of test-vectors/custody/v1 from docs/spec/v1/custody.md alone: verifies, releases, recovers, unwraps.
`python3 reference/python/check_custody.py`, with the packages of requirements.txt

Ends with status 1 at the first difference.
"""

import json
import sys
import time
from pathlib import Path

from bailiwick_reference import custody
from bailiwick_reference.envelope import verified_envelope
from bailiwick_reference.ristretto255 import BASE, decode, encode, equal, times
from bailiwick_reference.sealed import RecipientKey, committed_key, parts, plaintext

VECTORS = Path(__file__).resolve().parents[2] / "test-vectors" / "custody" / "v1"

# RFC 9496, appendix A.1: multiples of the base point.
MULTIPLES = {
    0: "0000000000000000000000000000000000000000000000000000000000000000",
    1: "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76",
    2: "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919",
}
# Appendix A.2: non-canonical, negative, no square, and the like.
NO_POINTS = [
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
]


class Mismatch(Exception):
    """Something is not what it should be; the text says what."""


def must(holds, what):
    if not holds:
        raise Mismatch(what)


def check_group():
    for scalar, encoding in MULTIPLES.items():
        must(encode(times(scalar, BASE)).hex() == encoding, f"{scalar} times the base point")
        must(equal(decode(bytes.fromhex(encoding)), times(scalar, BASE)), f"decoding {scalar} times the base point")
    for encoding in NO_POINTS:
        must(decode(bytes.fromhex(encoding)) is None, f"{encoding} is no point")


def check_texts():
    """K8: what no text holds; the vectors of it have a proof that does not hold, either."""
    for text in ("Notary 1", "firm:O'Brien & Söhne", "東京"):
        must(custody.label(text, "name") == text.encode(), f"{text} may stand in a dealing")
    for text in ("", " ", "a ", "a  b", "a\nb", "a\x7fb", "a\u0085b", "a\u00a0b", "a\u2003b", "a\u202eb", "a\U000e0041b", "x" * 265):
        refused(f"{text!a} in a dealing", custody.label, text, "name")


def refused(what, function, *arguments):
    try:
        function(*arguments)
    except ValueError:
        return
    raise Mismatch(f"{what}: accepted")


def flipped(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def check_sharing(name, v):
    """Everything all sides do; t - 1 shares, a changed share and a changed proof do not do."""
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    must(dealing.digest.hex() == v["digest"] and dealing.threshold == v["threshold"], f"{name}: digest or threshold")
    custodians = [custody.Custodian(bytes.fromhex(secret)) for secret in v["custodian_secrets"]]
    for i, (own, public) in enumerate(zip(custodians, map(bytes.fromhex, v["custodian_keys"]), strict=True), 1):
        must(public[:64] + public[128:] == encode(own.point) + own.receipt_key + own.kem.public, f"{name}: key of custodian {i}")
        must(custody.public_key_holds(public), f"{name}: possession of custodian {i}")
        must(dealing.custodians[i - 1][3] == own.kem_digest, f"{name}: KEM digest of custodian {i}")
    request, content, wrapped = (bytes.fromhex(v[field]) for field in ("request", "recipient_content", "wrapped"))
    requester = RecipientKey(custody.cbor.decode(request, 4096)[2], bytes.fromhex(v["requester_secret"]))
    opened = [custody.opened_release(dealing, request, requester, bytes.fromhex(release)) for release in v["releases"]]
    for own, (i, share, half) in zip(custodians, opened, strict=True):
        must(equal(own.share(dealing, i), share), f"{name}: share of custodian {i}")
        must(half is None or own.hybrid_share(dealing, i) == half, f"{name}: second share of custodian {i}")
    t = dealing.threshold
    secrets = {custody.recovered(dealing, shares) for shares in (opened[:t], opened[-t:])}
    must(len(secrets) == 1, f"{name}: two sets of shares, two secrets")
    secret = secrets.pop()
    must(custody.unwrapped(dealing, secret, wrapped).hex() == v["file_key"], f"{name}: file key")
    must(custody.recipient_secret(dealing, content) == secret[:32], f"{name}: what the recipient was sent")
    must([custody.receipt_holds(dealing, bytes.fromhex(r)) for r in v["receipts"]] == list(range(1, len(v["receipts"]) + 1)), f"{name}: receipts")
    must(bool(v["receipts"]) == (dealing.hybrid is not None), f"{name}: receipts in hybrid mode")
    release = bytes.fromhex(v["releases"][0])
    refused(f"{name}: a changed release", custody.opened_release, dealing, request, requester, flipped(release, len(release) - 1))
    refused(f"{name}: a changed proof for the recipient", custody.recipient_secret, dealing, flipped(content, 40))
    if t > 1:
        refused(f"{name}: too few shares", custody.recovered, dealing, opened[: t - 1])
        refused(f"{name}: one share twice", custody.recovered, dealing, [opened[0]] * t)


def outcome_of(function, *arguments):
    """What a reader calls it: `codec` for what is no message, the name of a refusal, or None with the result."""
    try:
        return None, function(*arguments)
    except custody.Refused as refusal:
        return refusal.outcome, None
    except ValueError:
        return "codec", None


def check_refused(name, v):
    found = outcome_of(custody.verified_dealing, bytes.fromhex(v["dealing"]))[0]
    must(found == v["outcome"], f"{name}: {found}, not {v['outcome']}")


def cases(name, v, field, good, function):
    """Every case of a vector: what `function` gives for the bytes of those that are good."""
    results = []
    for case in v["cases"]:
        found, result = outcome_of(function, bytes.fromhex(case[field]))
        must((found or good) == case["outcome"], f"{name}: {case['what']}: {found or good}, not {case['outcome']}")
        if found is None:
            results.append(result)
    must(results and len(results) < len(v["cases"]), f"{name}: honest cases and others")
    return results


def check_releases(name, v):
    dealing, request = custody.verified_dealing(bytes.fromhex(v["dealing"])), bytes.fromhex(v["request"])
    requester = RecipientKey(custody.cbor.decode(request, 4096)[2], bytes.fromhex(v["requester_secret"]))
    cases(name, v, "release", "taken", lambda data: custody.opened_release(dealing, request, requester, data))


def check_contents(name, v):
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    for secret in cases(name, v, "content", "opened", lambda data: custody.recipient_secret(dealing, data)):
        must(custody.unwrapped(dealing, secret, bytes.fromhex(v["wrapped"])).hex() == v["file_key"], f"{name}: file key")


def check_receipts(name, v):
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    cases(name, v, "receipt", "holds", lambda data: custody.receipt_holds(dealing, data))


def check_records(name, v):
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    request = custody.cbor.decode(bytes.fromhex(v["request"]), 4096)
    fingerprint, digest = custody.fingerprint(request[2], request[3]), custody.release_digest(bytes.fromhex(v["release"]))
    expected = {0: 1, 1: dealing.digest, 2: v["point"], 3: fingerprint, 4: request[4], 5: digest, 6: v["released_unix_ms"]}
    for record in cases(name, v, "entry", "holds", lambda data: custody.record_holds(dealing, data)):
        must(record == expected, f"{name}: what the record says")


def check_own_shares(name, v):
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    for i, (secret, expected) in enumerate(zip(v["custodian_secrets"], v["outcomes"], strict=True), 1):
        found = outcome_of(custody.Custodian(bytes.fromhex(secret)).hybrid_share, dealing, i)[0] or "opened"
        must(found == expected, f"{name}: custodian {i}: {found}, not {expected}")


def check_object(name, v):
    """An envelope with nothing but custodians in it, and a body; then envelopes that the dealing does not belong to."""
    envelope = verified_envelope(bytes.fromhex(v["envelope"]), bytes.fromhex(v["owner"]))
    part, wrapped = envelope.custody
    dealing, request = custody.verified_dealing(part), bytes.fromhex(v["request"])
    custody.belongs(dealing, envelope)
    requester = RecipientKey(custody.cbor.decode(request, 4096)[2], bytes.fromhex(v["requester_secret"]))
    opened = [custody.opened_release(dealing, request, requester, bytes.fromhex(r)) for r in v["releases"]]
    file_key = custody.unwrapped(dealing, custody.recovered(dealing, opened), wrapped)
    must(file_key.hex() == v["file_key"], f"{name}: file key")
    found, _, data = parts(plaintext(committed_key(envelope, file_key), envelope, bytes.fromhex(v["body"])))
    must((found, data.hex()) == (v["name"], v["data"]), f"{name}: name and data")
    for case in v["cases"]:
        other = verified_envelope(bytes.fromhex(case["envelope"]), bytes.fromhex(case["owner"]))
        outcome = outcome_of(custody.belongs, dealing, other)[0] or "belongs"
        must(outcome == case["outcome"], f"{name}: {case['what']}: {outcome}, not {case['outcome']}")


def check_jurisdictions(name, v):
    dealing = custody.verified_dealing(bytes.fromhex(v["dealing"]))
    must(custody.powers(dealing) == (v["powers"], v["passes"]), f"{name}: powers")


KINDS = {
    "object": check_object,
    "jurisdictions": check_jurisdictions,
    "sharing": check_sharing,
    "refused-dealing": check_refused,
    "releases": check_releases,
    "contents": check_contents,
    "receipts": check_receipts,
    "records": check_records,
    "own-shares": check_own_shares,
}


def main():
    started = time.monotonic()
    check_group()
    check_texts()
    counts = dict.fromkeys(KINDS, 0)
    for path in sorted(VECTORS.glob("*.json")):
        vector = json.loads(path.read_text(encoding="utf-8"))
        must(vector["kind"] in KINDS, f"{path.name}: no such kind")
        try:
            KINDS[vector["kind"]](path.name, vector)
        except ValueError as refusal:
            raise Mismatch(f"{path.name}: {refusal}") from refusal
        counts[vector["kind"]] += 1
        print(f"{time.monotonic() - started:6.1f}s  custody/v1/{path.name}", flush=True)
    must(all(counts.values()), f"a kind without vectors: {counts}")
    others = sum(counts.values()) - counts["sharing"] - counts["refused-dealing"]
    print(
        f"custody: {counts['sharing']} sharings verified and recovered, {counts['refused-dealing']} dealings refused by name, "
        f"{others} vectors of objects, releases, receipts, records, shares and powers in {time.monotonic() - started:.0f} s"
    )


if __name__ == "__main__":
    try:
        main()
    except Mismatch as mismatch:
        sys.exit(f"MISMATCH  {mismatch}")
