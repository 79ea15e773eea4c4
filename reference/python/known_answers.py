"""Published vectors of the primitives, made by others: checked before any vector of the project is."""

import hashlib

from bailiwick_reference import blake3, cbor, ed25519, groth16, merlin
from bailiwick_reference.poseidon2 import WIDTH_16, Poseidon2

# BLAKE3-team/BLAKE3, test_vectors/test_vectors.json: input length, then hash, keyed hash, derived key (first 32 bytes each).
# Input bytes count 0, 1, …, 250 and again from 0.
BLAKE3_KEY = b"whats the Elvish word for friend"
BLAKE3_CONTEXT = "BLAKE3 2019-12-27 16:29:52 test vectors context"
BLAKE3 = [
    (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262", "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26", "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d"),
    (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213", "6d7878dfff2f485635d39013278ae14f1454b8c0a3a2d34bc1ab38228a80c95b", "b3e2e340a117a499c6cf2398a19ee0d29cca2bb7404c73063382693bf66cb06c"),
    (1023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11", "c951ecdf03288d0fcc96ee3413563d8a6d3589547f2c2fb36d9786470f1b9d6e", "74a16c1c3d44368a86e1ca6df64be6a2f64cce8f09220787450722d85725dea5"),
    (1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7", "75c46f6f3d9eb4f55ecaaee480db732e6c2105546f1e675003687c31719c7ba4", "7356cd7720d5b66b6d0697eb3177d9f8d73a4a5c5e968896eb6a689684302706"),
    (1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444", "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69", "effaa245f065fbf82ac186839a249707c3bddf6d3fdda22d1b95a3c970379bcb"),
    (2049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030", "9f29700902f7c86e514ddc4df1e3049f258b2472b6dd5267f61bf13983b78dd5", "2ea477c5515cc3dd606512ee72bb3e0e758cfae7232826f35fb98ca1bcbdf273"),
    (3073, "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3", "68dede9bef00ba89e43f31a6825f4cf433389fedae75c04ee9f0cf16a427c95a", "72613c9ec9ff7e40f8f5c173784c532ad852e827dba2bf85b2ab4b76f7079081"),
    (5121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff", "6ccf1c34753e7a044db80798ecd0782a8f76f33563accaddbfbb2e0ea4b2d024", "b07f01e518e702f7ccb44a267e9e112d403a7b3f4883a47ffbed4b48339b3c34"),
    (102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085", "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7", "4652cff7a3f385a6103b5c260fc1593e13c778dbe608efb092fe7ee69df6e9c6"),
]
# Of the same file: 131 bytes of output for the empty input.
BLAKE3_LONG = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262e00f03e7b69af26b7faaf09fcd333050338ddfe085b8cc869ca98b206c08243a26f5487789e8f660afe6c99ef9e0c52b92e7393024a80459cf91f476f9ffdbda7001c22e159b402631f277ca96f2defdf1078282314e763699a31c5363165421cce14d"

# mimoo/StrobeGo, strobe/test_vectors/test_vectors.json, "simple tests" and "meta tests": the output of PRF after init, KEY, AD.
STROBE = [
    (b"custom string", False, "5ce86d0815c02a27d8bdd923f2cb0bd8"),
    (b"custom string number 2, that's a pretty long string", True, "87e57623d5c80f6d1083473a288ccdd7"),
]

# RFC 8032, section 7.1: public key, message, signature.
ED25519 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
]

# RFC 8949, appendix A, the types used here.
CBOR = [
    (0, "00"), (23, "17"), (24, "1818"), (100, "1864"), (1000, "1903e8"), (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"),
    (18446744073709551615, "1bffffffffffffffff"), (b"", "40"), (b"\1\2\3\4", "4401020304"), ("", "60"), ("IETF", "6449455446"), ("\u6c34", "63e6b0b4"),
    ([], "80"), ([1, [2, 3], [4, 5]], "8301820203820405"), (list(range(1, 26)), "98190102030405060708090a0b0c0d0e0f101112131415161718181819"), ({}, "a0"), ({1: 2, 3: 4}, "a201020304"),
]
# Of the same appendix, or broken by hand: not deterministic, not of version 1, not whole.
CBOR_REFUSED = ["1800", "190017", "1a00000001", "5f42010243030405ff", "9fff", "bfff", "c074", "f4", "f6", "f90000", "20", "a203040102", "a201020102", "a1616101", "0000", "42ff", "", "82", "9bffffffffffffffff"]

# Crate taceo-poseidon2 0.3, src/bn254/t16.rs and t3.rs: the permutation of 0, 1, 2, …
POSEIDON2_16 = [
    7129053404014098913941583447102076532611276040718594073862066403012892177215,
    5458683216916715697310099658604278457911373519210593239261146303695981710820,
    11764907654416682971926471140388165312909351793032868507449176373009888376893,
    17363012907147515824232626923071954964539976031233523938322583063167173991942,
    16754602647566413012759386310550362661092317428428132757066277153406453157400,
    10442131742273378767812305849732860137449534508695657144865044457198204305243,
    13315916208806700309353847107954103794241355430909228633658159683794835480566,
    14675611827802190925530581036356245293764500457751312643178429199155385431971,
    3800671750689110886099899395588427301982955036566905831860793275457528754896,
    863058427093450397617252284543198432424871511785791089866952153042503171268,
    16110421480974327191214802248220528120081914075253666769021797524181818259452,
    3050248777345249982082587219460801555485024010345812479213241978893548171998,
    8005144369031495385854140476761376792991595443174132540148616210767138457404,
    193712991007063517677674367979478243863141973963118958643316643360558925992,
    6765341258738133397733055933640609905610288576122407133007925535267189590216,
    6411743912316957490668095751870764077217660758836562678571866082387292213586,
]
POSEIDON2_3 = [
    5297208644449048816064511434384511824916970985131888684874823260532015509555,
    21816030159894113985964609355246484851575571273661473159848781012394295965040,
    13940986381491601233448981668101586453321811870310341844570924906201623195336,
]


def sha3_256(data):
    """FIPS 202 over the permutation here, to be compared with the standard library's."""
    rate, state = 136, bytearray(200)
    padded = bytearray(data + b"\x06" + bytes(-(len(data) + 1) % rate))
    padded[-1] |= 0x80
    for at in range(0, len(padded), rate):
        for i in range(rate):
            state[i] ^= padded[at + i]
        merlin.keccak_f(state)
    return bytes(state[:32]).hex()


def strobe(custom, meta):
    s = merlin.Strobe128(custom)
    s.key(b"010101")
    (s.meta_ad if meta else s.ad)(b"hello, how are you good sir?")
    return s.prf(16).hex()


def merlin_simple():
    """dalek-cryptography/merlin, src/transcript.rs, equivalence_simple; also in gtank/merlin."""
    t = merlin.Transcript(b"test protocol")
    t.append(b"some label", b"some data")
    return t.challenge(b"challenge", 32).hex()


def merlin_complex():
    """gtank/merlin, merlin_test.go, TestComplexTranscript: crosses the sponge's rate many times."""
    t = merlin.Transcript(b"test protocol")
    t.append(b"step1", b"some data")
    for _ in range(32):
        challenge = t.challenge(b"challenge", 32)
        t.append(b"bigdata", b"\x63" * 1024)
        t.append(b"challengedata", challenge)
    return challenge.hex()


def refused(data):
    try:
        cbor.decode(data, 1024)
    except cbor.Malformed:
        return True
    return False


def known_answers():
    """(name, computed, expected), lazily."""
    for length in (0, 135, 136, 137, 1000):
        data = bytes(i % 251 for i in range(length))
        yield f"Keccak-f[1600] in SHA3-256 of {length} bytes", sha3_256(data), hashlib.sha3_256(data).hexdigest()
    for custom, meta, expected in STROBE:
        yield f"STROBE-128 {'meta' if meta else 'simple'}", strobe(custom, meta), expected
    yield "merlin simple", merlin_simple(), "d5a21972d0d5fe320c0d263fac7fffb8145aa640af6e9bca177c03c7efcf0615"
    yield "merlin complex", merlin_complex(), "a8c933f54fae76e3f9bea93648c1308e7dfa2152dd51674ff3ca438351cf003c"
    for length, plain, keyed, derived in BLAKE3:
        data = bytes(i % 251 for i in range(length))
        computed = blake3.hash(data), blake3.keyed_hash(BLAKE3_KEY, data), blake3.derive_key(BLAKE3_CONTEXT, data)
        yield f"BLAKE3 of {length} bytes, three modes", [x.hex() for x in computed], [plain, keyed, derived]
    yield "BLAKE3, 131 bytes of output", blake3.hash(b"", 131).hex(), BLAKE3_LONG
    for key, message, signature in ED25519:
        arguments = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
        yield f"Ed25519, RFC 8032, message {message or 'empty'}", ed25519.verify(*arguments), True
        yield "Ed25519, another message", ed25519.verify(arguments[0], arguments[1] + b"x", arguments[2]), False
    for value, text in CBOR:
        computed = cbor.encode(value).hex(), cbor.decode(bytes.fromhex(text), 1024)
        yield f"CBOR {text}", computed, (text, value)
    for text in CBOR_REFUSED:
        yield f"CBOR refused: {text or 'nothing'}", refused(bytes.fromhex(text)), True
    yield "Poseidon2 width 3", Poseidon2(3, 8, 56).permute([0, 1, 2]), POSEIDON2_3
    yield "Poseidon2 width 16", WIDTH_16.permute(list(range(16))), POSEIDON2_16


# go-ethereum, core/vm/testdata/precompiles/bn256Pairing.json, "jeff1": two pairs (x, y; x and y with the imaginary part first) whose
# product of pairings is one.
PAIRING = """
1c76476f4def4bb94541d57ebba1193381ffa7aa76ada664dd31c16024c43f59 3034dd2920f673e204fee2811c678745fc819b55d3e9d294e45c9b03a76aef41
209dd15ebff5d46c4bd888e51a93cf99a7329636c63514396b4a452003a35bf7 04bf11ca01483bfa8b34b43561848d28905960114c8ac04049af4b6315a41678
2bb8324af6cfc93537a2ad1a445cfd0ca2a71acd7ac41fadbf933c2a51be344d 120a2a4cf30c1bf9845f20c6fe39e07ea2cce61f0c9bb048165fe5e4de877550
111e129f1cf1097710d41c4ac70fcdfa5ba2023c6ff1cbeac322de49d1b6df7c 2032c61a830e3c17286de9462bf242fca2883585b93870a73853face6a6bf411
198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2 1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed
090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b 12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa
"""


def pairing_answers():
    v = [int(word, 16) for word in PAIRING.split()]
    pairs = [((v[i], v[i + 1]), ((v[i + 3], v[i + 2]), (v[i + 5], v[i + 4]))) for i in (0, 6)]
    yield "BN254 pairing, two pairs", groth16.pairing_product_is_one(pairs), True
    (p, q), second = pairs
    other = [(groth16.add_g1(p, p), q), second]
    yield "BN254 pairing, one point doubled", groth16.pairing_product_is_one(other), False
    both = [(groth16.add_g1(p, p), q), (second[0], groth16.add_g2(second[1], second[1]))]
    yield "BN254 pairing, doubled on both sides", groth16.pairing_product_is_one(both), True
