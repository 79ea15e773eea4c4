"""Judges the vectors of test-vectors/verifier/v1 for the claim *stored*, up to the pairing: docs/spec/v1/verdict.md, V5 to V14, of one
bundle over named objects, with the terms those vectors use."""

import copy
import tomllib

from bailiwick_reference import blake3, challenge, groth16, messages, statement
from bailiwick_reference.cbor import Malformed

SUPPORTED, REFUTED, INCONCLUSIVE = "supported", "refuted", "inconclusive"


def anchored(anchors, role):
    return [bytes.fromhex(principal["key"]) for principal in anchors["principal"] if principal["role"] == role]


def judge(vector):
    """{exit_code, stored, reason} as in the vectors; only exit_code where nothing can be judged (V5)."""
    anchors, policy = tomllib.loads(vector["anchors"]), tomllib.loads(vector["policy"])
    try:
        bundle = messages.bundle_of(bytes.fromhex(vector["bundle"]), anchored(anchors, "auditor"))
    except Malformed:
        return {"exit_code": 2}
    verdict, reason = stored(vector, anchors, policy["stored"], bundle)
    return {"exit_code": {SUPPORTED: 0, REFUTED: 1, INCONCLUSIVE: 2}[verdict], "stored": verdict, "reason": reason}


def stored(vector, anchors, terms, bundle):
    # V7
    try:
        c = messages.challenge_of(bundle.challenge, bundle.auditor)
    except Malformed:
        return INCONCLUSIVE, "challenge-not-by-auditor"
    if c.auditor != bundle.auditor:
        return INCONCLUSIVE, "challenge-names-another-auditor"
    if c.host not in anchored(anchors, "host"):
        return INCONCLUSIVE, "host-not-anchored"
    if len(bundle.envelopes) != len(c.targets):
        return INCONCLUSIVE, "envelope-count"
    for target, envelope in zip(c.targets, bundle.envelopes):
        if target.owner not in anchored(anchors, "owner"):
            return INCONCLUSIVE, "owner-not-anchored"
        try:
            if messages.envelope_target(envelope, target.owner) != target:
                return INCONCLUSIVE, "envelope-differs"
        except Malformed:
            return INCONCLUSIVE, "envelope-not-by-owner"
    # V8
    kind, content = bundle.answer
    answer = None
    if kind == 0:
        try:
            answer = messages.response_of(content, c.host)
        except Malformed:
            return INCONCLUSIVE, "answer-not-by-host"
        if answer.challenge != c.digest():
            return INCONCLUSIVE, "answer-to-another-challenge"
    # V10, V11
    if bundle.answered > vector["now_unix_ms"] + 5 * 60_000:
        return INCONCLUSIVE, "from-the-future"
    if answer and answer.reason:
        return (REFUTED, "host-cannot-prove") if answer.reason == 1 else (INCONCLUSIVE, "host-denies-object")
    # V12
    of_key = about_key(anchors, c, bundle.auditor)
    shows_nothing = [reason for reason in of_key if reason != "key-is-development"]
    if answer is None:
        return (INCONCLUSIVE, shows_nothing[0]) if shows_nothing else (REFUTED, "no-signed-answer")
    try:
        key = key_of(vector, c)
    except ValueError as refusal:
        return INCONCLUSIVE, str(refusal)
    try:
        public = statement_of(c)
    except ValueError:
        return INCONCLUSIVE, "no-statement"
    valid = groth16.verify(key, public, answer.proof)
    if not valid:
        return (INCONCLUSIVE, shows_nothing[0]) if shows_nothing else (REFUTED, "proof-does-not-verify")
    # V13, V14
    if of_key:
        return INCONCLUSIVE, of_key[0]
    if vector["now_unix_ms"] - bundle.answered > terms["max_age_hours"] * 3_600_000:
        return INCONCLUSIVE, "stale"
    if 1 - (1 - terms["lost_fraction"]) ** c.samples < terms["min_detection"]:
        return INCONCLUSIVE, "detection-below-policy"
    return SUPPORTED, "proof-verifies"


def about_key(anchors, c, auditor):
    """What the reader's anchors have against the challenge's verifying key (S9, V13)."""
    for key in anchors.get("verifying_key", []):
        if bytes.fromhex(key["digest"]) == c.vk:
            if key["class"] != {"samples": c.samples, "depth": c.depth}:
                return ["key-of-another-class"]
            if key["provenance"] == "development":
                return ["key-is-development"]
            if key["provenance"] == "auditor" and bytes.fromhex(key["auditor"]) != auditor:
                return ["key-of-another-auditor"]
            return []
    return ["key-not-anchored"]


def key_of(vector, c):
    """The key by its digest (S8); the reason why there is none as a ValueError."""
    given = vector["verifying_keys"].get(c.vk.hex())
    if given is None:
        raise ValueError("key-missing")
    data = bytes.fromhex(given)
    if blake3.derive_key("bailiwick/v1/verifying-key-digest", data) != c.vk:
        raise ValueError("key-differs")
    try:
        return groth16.decode_key(data)
    except ValueError:
        raise ValueError("key-malformed") from None


def statement_of(c):
    """S2."""
    binding, words = challenge.draw(c)
    return statement.public_input(c, binding, challenge.slots(words, c.targets), c.targets)


def controls(vector):
    """Changes of evidence that holds: none may be judged alike. Returns how many, or raises."""
    bundle = bytes.fromhex(vector["bundle"])
    changed = []
    for at in range(0, len(bundle), 97):  # signatures cover every byte; a sample of places is enough here
        data = bytearray(bundle)
        data[at] ^= 1
        changed.append({**vector, "bundle": data.hex()})
    [(digest, key)] = vector["verifying_keys"].items()
    for at in (0, 32, 96, 160, 232, 264):
        data = bytearray.fromhex(key)
        data[at] ^= 1
        changed.append({**vector, "verifying_keys": {digest: data.hex()}})
    for role in ("owner", "auditor"):
        other = copy.deepcopy(vector)
        other["anchors"] = other["anchors"].replace(f'role = "{role}"', 'role = "recipient"')
        changed.append(other)
    changed.append({**vector, "now_unix_ms": vector["now_unix_ms"] + 25 * 3_600_000})
    changed.append({**vector, "now_unix_ms": vector["now_unix_ms"] - 25 * 3_600_000})
    for other in changed:
        if judge(other) == vector["expect"]:
            raise ValueError("a change of the evidence was not noticed")
    return len(changed) + of_the_proof(vector)


def of_the_proof(vector):
    """Inside valid signatures: a proof, a key or a statement with one change does not verify."""
    anchors = tomllib.loads(vector["anchors"])
    bundle = messages.bundle_of(bytes.fromhex(vector["bundle"]), anchored(anchors, "auditor"))
    c = messages.challenge_of(bundle.challenge, bundle.auditor)
    proof = messages.response_of(bundle.answer[1], c.host).proof
    key = key_of(vector, c)
    binding, words = challenge.draw(c)
    slots = challenge.slots(words, c.targets)
    public = statement_of(c)
    if not groth16.verify(key, public, proof):
        raise ValueError("the proof does not verify")
    statements = [public + 1, statement.public_input(c, binding ^ 1, slots, c.targets)]
    statements += [statement.public_input(c, binding, [(t, cell ^ 1)], c.targets) for t, cell in slots]
    proofs = [proof[:at] + bytes([proof[at] ^ bit]) + proof[at + 1 :] for at, bit in ((0, 1), (31, 0x80), (32, 1), (95, 0x80), (96, 1), (127, 0x80), (127, 0x40))]
    wrong = [(key, other, proof) for other in statements] + [(key, public, other) for other in [*proofs, proof + b"\0"]]
    for arguments in wrong:
        if groth16.verify(*arguments):
            raise ValueError("a changed proof or statement verifies")
    return len(wrong)


def check_evidence(vector):
    """(what was judged, how many changes were noticed); raises ValueError on a difference."""
    judged = judge(vector)
    if judged != vector["expect"]:
        raise ValueError(f"judged {judged}, the file says {vector['expect']}")
    count = controls(vector) if judged.get("stored") == SUPPORTED else 0
    return " ".join(str(value) for value in judged.values()), count
