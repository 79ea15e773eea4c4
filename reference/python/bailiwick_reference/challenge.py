"""What a challenge asks for: docs/spec/v1/challenge.md, H1 to H4, and inventory.md, I7."""

from .merlin import Transcript


def transcript(challenge):
    """H2."""
    t = Transcript(b"bailiwick/v1/challenge-transcript")
    t.append_u64(b"version", 1)
    t.append_u64(b"class-samples", challenge.samples)
    t.append_u64(b"class-depth", challenge.depth)
    t.append(b"vk", challenge.vk)
    t.append(b"host", challenge.host)
    t.append_u64(b"targets", len(challenge.targets))
    for target in challenge.targets:
        t.append(b"owner", target.owner)
        t.append(b"object", target.object)
        t.append(b"unit", target.unit)
        t.append_u64(b"generation", target.generation)
        t.append(b"blake3", target.blake3)
        t.append_u64(b"size", target.size)
        t.append(b"root", target.root)
        t.append_u64(b"cells", target.cells)
    if challenge.inventory is not None:
        root, leaves, cells = challenge.inventory
        t.append(b"inventory", root + leaves.to_bytes(8, "little") + cells.to_bytes(8, "little"))
    t.append_u64(b"epoch", challenge.epoch)
    t.append(b"beacon", beacon_bytes(challenge.beacon))
    t.append(b"auditor", challenge.auditor)
    t.append(b"nonce", challenge.nonce)
    return t


def beacon_bytes(beacon):
    """88 bytes (D6), or none."""
    if beacon is None:
        return b""
    chain, number, signature = beacon
    return chain + number.to_bytes(8, "little") + signature


def draw(challenge):
    """(binding, [(w, u)]) (H3)."""
    t = transcript(challenge)
    binding = int.from_bytes(t.challenge(b"binding", 31), "little")
    words = []
    for _ in range(challenge.samples):
        w = int.from_bytes(t.challenge(b"w", 16), "little")
        u = int.from_bytes(t.challenge(b"u", 16), "little")
        words.append((w, u))
    return binding, words


def slots(words, targets):
    """[(index of the target, index of the cell in it)]: the targets of the challenge (H4), or all leaves of an inventory (I7)."""
    total = sum(target.cells for target in targets)
    out = []
    for w, u in words:
        position = w * total >> 128
        index = 0
        while position >= targets[index].cells:
            position -= targets[index].cells
            index += 1
        out.append((index, u * targets[index].cells >> 128))
    return out
