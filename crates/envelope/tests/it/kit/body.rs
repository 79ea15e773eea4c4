//! E06 to E14: the body is cut, lengthened, rearranged, changed. The envelope is the owner's.

use super::{Broken, Case, Honest, Released, case};
use crate::it::maker::{Made, Recipe, layout};
use Released::{All, Chunks, Nothing};
use bailiwick_protocol::envelope::Kem;

const CHUNK: usize = 16_384;
const SEALED: usize = 16_400;
const HEADER: usize = 56;

fn body(h: &Honest, change: impl FnOnce(&mut Vec<u8>)) -> Broken {
    let mut body = h.large.body.clone();
    change(&mut body);
    assert!(body != h.large.body, "nothing is wrong");
    h.large.broken(h.large.signed(), body)
}

/// Another body under the same file key.
fn same_file_key(h: &Honest, salt_changed: bool) -> Vec<u8> {
    let data = crate::it::maker::data(77, h.large.data.len());
    let mut envelope = h.large.envelope.clone();
    envelope.body.salt[0] ^= u8::from(salt_changed);
    let plain = layout("data.bin", "application/x-test", &data, false);
    crate::it::maker::sealed_body(&mut envelope, &h.large.file_key, &plain)
}

fn rewritten(h: &Honest, len: usize) -> Vec<u8> {
    let mut data = h.large.data[..len].to_vec();
    data[CHUNK] ^= 1;
    h.large.body_of(&layout("data.bin", "application/x-test", &data, false))
}

pub(super) const CASES: &[Case] = &[
    case("body-empty", "body-size", "no body", |h| body(h, Vec::clear), Nothing),
    case("body-one-byte", "body-size", "one byte of the salt", |h| body(h, |b| b.truncate(1)), Nothing),
    case("body-ends-in-salt", "body-size", "cut within the salt", |h| body(h, |b| b.truncate(20)), Nothing),
    case(
        "body-ends-in-commitment",
        "body-size",
        "cut within the key commitment",
        |h| body(h, |b| b.truncate(55)),
        Nothing,
    ),
    case(
        "body-header-only",
        "body-size",
        "cut after the header",
        |h| body(h, |b| b.truncate(HEADER)),
        Nothing,
    ),
    case(
        "body-cut-within-chunk-0",
        "body-size",
        "cut within the first chunk",
        |h| body(h, |b| b.truncate(HEADER + 1000)),
        Nothing,
    ),
    case(
        "body-cut-after-chunk-0",
        "body-size",
        "cut at the first chunk's border",
        |h| body(h, |b| b.truncate(HEADER + SEALED)),
        Nothing,
    ),
    case(
        "body-cut-after-chunk-1",
        "body-size",
        "the last, short chunk is missing",
        |h| body(h, |b| b.truncate(HEADER + 2 * SEALED)),
        Nothing,
    ),
    case(
        "body-cut-within-last-chunk",
        "body-size",
        "cut within the last chunk",
        |h| body(h, |b| b.truncate(HEADER + 2 * SEALED + 500)),
        Nothing,
    ),
    case(
        "body-last-byte-missing",
        "body-size",
        "the last byte is missing",
        |h| body(h, |b| b.truncate(b.len() - 1)),
        Nothing,
    ),
    case(
        "body-last-tag-missing",
        "body-size",
        "the last tag is missing",
        |h| body(h, |b| b.truncate(b.len() - 16)),
        Nothing,
    ),
    case("body-byte-more", "body-size", "a byte after the last chunk", |h| body(h, |b| b.push(0)), Nothing),
    case(
        "body-chunk-more",
        "body-size",
        "a chunk's length of bytes after the last chunk",
        |h| body(h, |b| b.extend([1; SEALED])),
        Nothing,
    ),
    case(
        "body-second-last-chunk",
        "body-size",
        "the last chunk stands twice",
        |h| body(h, |b| b.extend_from_within(HEADER + 2 * SEALED..)),
        Nothing,
    ),
    case(
        "body-empty-last-chunk-more",
        "body-size",
        "an authentic empty chunk follows the short one",
        // Chunk 3 of a body three full chunks long is empty and authentic.
        |h| {
            body(h, |b| {
                let longer = h.large.body_of(&[1; 3 * CHUNK]);
                b.extend_from_slice(&longer[HEADER + 3 * SEALED..]);
            })
        },
        Nothing,
    ),
    case(
        "body-empty-last-chunk-missing",
        "body-size",
        "the empty last chunk is missing",
        |h| h.border.broken(h.border.signed(), h.border.body[..HEADER + 2 * SEALED].to_vec()),
        Nothing,
    ),
    case(
        "body-empty-last-chunk-changed",
        "body-chunk",
        "a bit of the empty last chunk's tag is flipped",
        |h| {
            let mut body = h.border.body.clone();
            body[HEADER + 2 * SEALED] ^= 1;
            h.border.broken(h.border.signed(), body)
        },
        All,
    ),
    case(
        "body-salt-changed",
        "body-header",
        "a bit of the salt is flipped",
        |h| body(h, |b| b[0] ^= 1),
        Nothing,
    ),
    case(
        "body-commitment-changed",
        "body-header",
        "a bit of the key commitment is flipped",
        |h| body(h, |b| b[55] ^= 0x80),
        Nothing,
    ),
    case(
        "body-of-another-object",
        "body-header",
        "the body of another object, of the same size",
        |h| h.large.broken(h.large.signed(), h.other.body.clone()),
        Nothing,
    ),
    case(
        "body-same-file-key-other-salt",
        "body-header",
        "another body under the same file key",
        |h| h.large.broken(h.large.signed(), same_file_key(h, true)),
        Nothing,
    ),
    case("body-zeros", "body-header", "all bytes are zero", |h| body(h, |b| b.fill(0)), Nothing),
    case(
        "body-in-the-clear",
        "body-header",
        "the data is not encrypted",
        |h| body(h, |b| b[..h.large.data.len()].copy_from_slice(&h.large.data)),
        Nothing,
    ),
    case(
        "chunk-0-changed",
        "body-chunk",
        "a bit of the first ciphertext byte is flipped",
        |h| body(h, |b| b[HEADER] ^= 1),
        Nothing,
    ),
    case(
        "chunk-1-changed",
        "body-chunk",
        "a bit within chunk 1 is flipped",
        |h| body(h, |b| b[HEADER + SEALED + 99] ^= 1),
        Chunks(1),
    ),
    case(
        "chunk-last-changed",
        "body-chunk",
        "a bit of the last chunk is flipped",
        |h| body(h, |b| b[HEADER + 2 * SEALED] ^= 1),
        Chunks(2),
    ),
    case(
        "tag-0-changed",
        "body-chunk",
        "a bit of the first tag is flipped",
        |h| body(h, |b| b[HEADER + SEALED - 1] ^= 1),
        Nothing,
    ),
    case(
        "tag-last-changed",
        "body-chunk",
        "a bit of the last tag is flipped",
        |h| body(h, |b| *b.last_mut().unwrap() ^= 1),
        Chunks(2),
    ),
    case(
        "tag-of-another-chunk",
        "body-chunk",
        "chunk 1 has the tag of chunk 0",
        |h| {
            body(h, |b| {
                b.copy_within(HEADER + SEALED - 16..HEADER + SEALED, HEADER + 2 * SEALED - 16);
            })
        },
        Chunks(1),
    ),
    case(
        "tag-zero",
        "body-chunk",
        "the last tag is zero",
        |h| {
            body(h, |b| {
                let at = b.len() - 16;
                b[at..].fill(0);
            })
        },
        Chunks(2),
    ),
    case(
        "chunk-zeroed",
        "body-chunk",
        "chunk 1 is zeros",
        |h| body(h, |b| b[HEADER + SEALED..][..SEALED].fill(0)),
        Chunks(1),
    ),
    case(
        "chunks-exchanged",
        "body-chunk",
        "chunks 0 and 1 are exchanged",
        |h| body(h, |b| b[HEADER..][..2 * SEALED].rotate_left(SEALED)),
        Nothing,
    ),
    case(
        "chunk-twice",
        "body-chunk",
        "chunk 1 is chunk 0 again",
        |h| body(h, |b| b.copy_within(HEADER..HEADER + SEALED, HEADER + SEALED)),
        Chunks(1),
    ),
    case(
        "chunk-dropped",
        "body-size",
        "chunk 0 is missing",
        |h| body(h, |b| drop(b.drain(HEADER..HEADER + SEALED))),
        Nothing,
    ),
    case(
        "chunk-dropped-length-kept",
        "body-chunk",
        "chunk 1 is missing, zeros make up the length",
        |h| {
            body(h, |b| {
                b.drain(HEADER + SEALED..HEADER + 2 * SEALED);
                b.extend([0; SEALED]);
            })
        },
        Chunks(1),
    ),
    case(
        "chunk-of-another-object",
        "body-chunk",
        "chunk 1 is another object's",
        |h| {
            body(h, |b| {
                b[HEADER + SEALED..][..SEALED].copy_from_slice(&h.other.body[HEADER + SEALED..][..SEALED])
            })
        },
        Chunks(1),
    ),
    case(
        "chunk-same-file-key-other-salt",
        "body-chunk",
        "chunk 1 is of another body under the same file key",
        |h| {
            body(h, |b| {
                let other = same_file_key(h, true);
                b[HEADER + SEALED..][..SEALED].copy_from_slice(&other[HEADER + SEALED..][..SEALED]);
            })
        },
        Chunks(1),
    ),
    case(
        "chunk-same-file-key-same-salt",
        "content",
        "chunk 1 is of another body under the same file key and salt: authentic, and not what the owner signed",
        |h| {
            body(h, |b| {
                let other = same_file_key(h, false);
                b[HEADER + SEALED..][..SEALED].copy_from_slice(&other[HEADER + SEALED..][..SEALED]);
            })
        },
        All,
    ),
    case(
        "body-shifted",
        "body-chunk",
        "a byte is taken out after the header and one added at the end",
        |h| {
            body(h, |b| {
                b.remove(HEADER);
                b.push(0);
            })
        },
        Nothing,
    ),
    case(
        "body-rewritten",
        "content",
        "a key holder changed a byte of the data and encrypted again",
        |h| h.large.broken(h.large.signed(), rewritten(h, h.large.data.len())),
        All,
    ),
    case(
        "body-rewritten-shorter",
        "body-size",
        "a key holder cut the data and encrypted again",
        |h| h.large.broken(h.large.signed(), rewritten(h, h.large.data.len() - 10)),
        Nothing,
    ),
    case(
        "body-of-another-replica",
        "body-header",
        "the body of another copy of the same object",
        |h| {
            let unit = bailiwick_protocol::ids::Unit { replica: 1, ..h.large.envelope.unit };
            let recipe =
                Recipe { padded: false, unit, ..Recipe::new(101, h.large.data.len(), &[Kem::X25519]) };
            h.large.broken(h.large.signed(), Made::new(&recipe).body)
        },
        Nothing,
    ),
];
