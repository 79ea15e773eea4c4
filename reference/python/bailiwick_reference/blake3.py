"""BLAKE3: hash, keyed hash and key derivation, any output length (the BLAKE3 paper, sections 2.1 to 2.6)."""

import struct

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
BLOCK, CHUNK = 64, 1024
CHUNK_START, CHUNK_END, PARENT, ROOT, KEYED_HASH, DERIVE_CONTEXT, DERIVE_MATERIAL = (1 << i for i in range(7))
MASK = 0xFFFFFFFF


def hash(data, length=32):
    return run(IV, 0, data, length)


def keyed_hash(key, data, length=32):
    return run(struct.unpack("<8I", key), KEYED_HASH, data, length)


def derive_key(context, material, length=32):
    """Context is ASCII text: one of the labels (spec README, L1)."""
    context_key = run(IV, DERIVE_CONTEXT, context.encode("ascii"), 32)
    return run(struct.unpack("<8I", context_key), DERIVE_MATERIAL, material, length)


def mix(v, a, b, c, d, x, y):
    v[a] = (v[a] + v[b] + x) & MASK
    v[d] = rotate(v[d] ^ v[a], 16)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = rotate(v[b] ^ v[c], 12)
    v[a] = (v[a] + v[b] + y) & MASK
    v[d] = rotate(v[d] ^ v[a], 8)
    v[c] = (v[c] + v[d]) & MASK
    v[b] = rotate(v[b] ^ v[c], 7)


def rotate(word, n):
    return (word >> n | word << (32 - n)) & MASK


def compression(chaining, block, counter, length, flags):
    """All sixteen words; the first eight are the next chaining value. `block` is padded with zeros."""
    m = list(struct.unpack("<16I", block.ljust(BLOCK, b"\0")))
    v = [*chaining, *IV[:4], counter & MASK, counter >> 32, length, flags]
    for _ in range(7):
        for i in range(4):  # columns
            mix(v, i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1])
        for i in range(4):  # diagonals
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i])
        m = [m[i] for i in PERMUTATION]
    return [v[i] ^ v[i + 8] for i in range(8)] + [v[i + 8] ^ chaining[i] for i in range(8)]


def chunk_last_block(key, flags, data, index):
    """The arguments of the compression of a chunk's last block; those before it are done."""
    blocks = [data[i : i + BLOCK] for i in range(0, len(data), BLOCK)] or [b""]
    chaining, start = key, CHUNK_START
    for block in blocks[:-1]:
        chaining, start = compression(chaining, block, index, BLOCK, flags | start)[:8], 0
    return chaining, blocks[-1], index, len(blocks[-1]), flags | start | CHUNK_END


def tree_last_block(key, flags, data, first):
    """Likewise for a subtree whose first chunk has the index `first`: the left part is the largest power of two of chunks
    that leaves something for the right."""
    if len(data) <= CHUNK:
        return chunk_last_block(key, flags, data, first)
    chunks = 1
    while 2 * chunks * CHUNK < len(data):
        chunks *= 2
    left = compression(*tree_last_block(key, flags, data[: chunks * CHUNK], first))[:8]
    right = compression(*tree_last_block(key, flags, data[chunks * CHUNK :], first + chunks))[:8]
    return key, struct.pack("<16I", *left, *right), 0, BLOCK, flags | PARENT


def run(key, flags, data, length):
    chaining, block, _, block_length, flags = tree_last_block(key, flags, data, 0)
    out = bytearray()
    counter = 0
    while len(out) < length:
        out += struct.pack("<16I", *compression(chaining, block, counter, block_length, flags | ROOT))
        counter += 1
    return bytes(out[:length])
