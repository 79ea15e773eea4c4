//! E05: a failure kit in the manner of CCTV: every case has one thing wrong, the error it must give, and the
//! plaintext it releases before, pinned by its BLAKE3. All cases start from the same honest object, which opens.

use bailiwick_envelope::{CobblestoneError as Body, LayoutError, OpenError as Error};
use bailiwick_protocol::codec::CodecError as Codec;
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::fixture::{CHUNK, HEADER, Object, SEALED};

/// What may come out before the error.
enum Released {
    Nothing,
    /// Exactly the data in the first chunks.
    Chunks(usize),
    /// Some prefix of the data, or all of it: only the end or the owner's hash is wrong.
    Prefix,
    /// All of the data and this byte after it: that it is none of the data only the end says.
    DataAnd(u8),
}
use Released::{Chunks, DataAnd, Nothing, Prefix};

type Case = (&'static str, fn(&Object) -> (Vec<u8>, Vec<u8>), fn(&Error) -> bool, Released);

fn body(object: &Object, change: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
    let mut body = object.body.clone();
    change(&mut body);
    (object.envelope.clone(), body)
}

fn envelope(
    object: &Object,
    change: impl FnOnce(&mut bailiwick_protocol::envelope::Envelope),
) -> (Vec<u8>, Vec<u8>) {
    (object.resigned(change), object.body.clone())
}

fn inside(object: &Object, change: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
    let mut plain = object.plaintext();
    change(&mut plain);
    object.forged(&plain, true)
}

fn wire(object: &Object, change: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
    let mut envelope = object.envelope.clone();
    change(&mut envelope);
    (envelope, object.body.clone())
}

fn chunk(error: &Error, at: u64) -> bool {
    matches!(error, Error::Body(Body::Chunk { index }) if *index == at)
}

const CASES: &[Case] = &[
    ("body empty", |o| body(o, Vec::clear), |e| matches!(e, Error::Body(Body::HeaderTruncated)), Nothing),
    (
        "body ends in the salt",
        |o| body(o, |b| b.truncate(20)),
        |e| matches!(e, Error::Body(Body::HeaderTruncated)),
        Nothing,
    ),
    (
        "body ends in the commitment",
        |o| body(o, |b| b.truncate(55)),
        |e| matches!(e, Error::Body(Body::HeaderTruncated)),
        Nothing,
    ),
    (
        "body is a header",
        |o| body(o, |b| b.truncate(56)),
        |e| matches!(e, Error::Body(Body::Size { found: Some(56), .. })),
        Nothing,
    ),
    (
        "last byte missing",
        |o| body(o, |b| b.truncate(b.len() - 1)),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    (
        "last chunk missing",
        |o| body(o, |b| b.truncate(HEADER + 4 * SEALED)),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    (
        "last tag missing",
        |o| body(o, |b| b.truncate(b.len() - 16)),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    ("one byte more", |o| body(o, |b| b.push(0)), |e| matches!(e, Error::Body(Body::Size { .. })), Nothing),
    (
        "one chunk more",
        |o| body(o, |b| b.extend([1; SEALED])),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    ("salt changed", |o| body(o, |b| b[0] ^= 1), |e| matches!(e, Error::BodyHeader), Nothing),
    ("commitment changed", |o| body(o, |b| b[55] ^= 0x80), |e| matches!(e, Error::BodyHeader), Nothing),
    (
        "another object's body",
        |o| (o.envelope.clone(), Object::new(4 * CHUNK + 1000, 9).body),
        |e| matches!(e, Error::BodyHeader),
        Nothing,
    ),
    ("first ciphertext byte changed", |o| body(o, |b| b[HEADER] ^= 1), |e| chunk(e, 0), Chunks(0)),
    (
        "byte of chunk 2 changed",
        |o| body(o, |b| b[HEADER + 2 * SEALED + 99] ^= 1),
        |e| chunk(e, 2),
        Chunks(2),
    ),
    ("tag of chunk 3 changed", |o| body(o, |b| b[HEADER + 4 * SEALED - 1] ^= 1), |e| chunk(e, 3), Chunks(3)),
    (
        "byte of the last chunk changed",
        |o| body(o, |b| b[HEADER + 4 * SEALED] ^= 1),
        |e| chunk(e, 4),
        Chunks(4),
    ),
    ("last tag changed", |o| body(o, |b| *b.last_mut().unwrap() ^= 1), |e| chunk(e, 4), Chunks(4)),
    ("chunk 1 zeroed", |o| body(o, |b| b[HEADER + SEALED..][..SEALED].fill(0)), |e| chunk(e, 1), Chunks(1)),
    (
        "chunks 0 and 1 exchanged",
        |o| body(o, |b| b[HEADER..][..2 * SEALED].rotate_left(SEALED)),
        |e| chunk(e, 0),
        Chunks(0),
    ),
    (
        "chunk 2 is chunk 1 again",
        |o| body(o, |b| b.copy_within(HEADER + SEALED..HEADER + 2 * SEALED, HEADER + 2 * SEALED)),
        |e| chunk(e, 2),
        Chunks(2),
    ),
    (
        "shifted by one byte",
        |o| {
            body(o, |b| {
                b.remove(HEADER);
                b.push(0);
            })
        },
        |e| chunk(e, 0),
        Chunks(0),
    ),
    (
        "rewritten by a key holder",
        |o| {
            let mut p = o.plaintext();
            p[2 * CHUNK] ^= 1;
            o.forged(&p, false)
        },
        |e| matches!(e, Error::Content),
        Prefix,
    ),
    (
        "envelope empty",
        |o| wire(o, Vec::clear),
        |e| matches!(e, Error::Envelope(Codec::Malformed { .. })),
        Nothing,
    ),
    (
        "envelope cut",
        |o| wire(o, |w| w.truncate(w.len() - 1)),
        |e| matches!(e, Error::Envelope(Codec::Malformed { .. })),
        Nothing,
    ),
    (
        "envelope longer",
        |o| wire(o, |w| w.push(0)),
        |e| matches!(e, Error::Envelope(Codec::Trailing { .. })),
        Nothing,
    ),
    (
        "envelope payload changed",
        |o| wire(o, |w| w[40] ^= 1),
        |e| matches!(e, Error::Envelope(Codec::BadSignature)),
        Nothing,
    ),
    (
        "signature changed",
        |o| wire(o, |w| *w.last_mut().unwrap() ^= 1),
        |e| matches!(e, Error::Envelope(Codec::BadSignature)),
        Nothing,
    ),
    (
        "envelope far too long",
        |o| wire(o, |w| w.resize(1 << 20, 0)),
        |e| matches!(e, Error::Envelope(Codec::TooLong { .. })),
        Nothing,
    ),
    (
        "signed by a gateway",
        |o| {
            let gateway = SigningKey::from_seed(&Secret::init_with(|b| *b = [8; 32]));
            let mut e = o.decoded();
            e.owner = OwnerKey(gateway.public());
            let signed = bailiwick_protocol::envelope::SignedEnvelope::new(&e, &gateway);
            (bailiwick_protocol::codec::Canonical::to_bytes(&signed), o.body.clone())
        },
        |e| matches!(e, Error::Envelope(Codec::BadSignature)),
        Nothing,
    ),
    (
        "names another owner",
        |o| envelope(o, |e| e.owner = OwnerKey([3; 32])),
        |e| matches!(e, Error::OwnerMismatch),
        Nothing,
    ),
    (
        "generation 0",
        |o| envelope(o, |e| e.generation = 0),
        |e| matches!(e, Error::Envelope(Codec::Invalid("generation"))),
        Nothing,
    ),
    (
        "unknown format",
        |o| envelope(o, |e| e.body.format = 9),
        |e| matches!(e, Error::Envelope(Codec::UnknownVersion { found: 9, .. })),
        Nothing,
    ),
    (
        "no recipients",
        |o| envelope(o, |e| e.recipients.clear()),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "encapsulated key changed",
        |o| envelope(o, |e| e.recipients[0].enc[0] ^= 1),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "encapsulated key zero",
        |o| envelope(o, |e| e.recipients[0].enc.fill(0)),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "wrapped key changed",
        |o| envelope(o, |e| e.recipients[0].ciphertext[0] ^= 1),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "wrapped key's tag changed",
        |o| envelope(o, |e| e.recipients[0].ciphertext[47] ^= 1),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "key id changed",
        |o| envelope(o, |e| e.recipients[0].key_id = Some([0; 8])),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "another object id",
        |o| envelope(o, |e| e.object = ObjectId([4; 16])),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    ("another unit", |o| envelope(o, |e| e.unit.replica = 3), |e| matches!(e, Error::KeyCommitment), Nothing),
    (
        "another salt",
        |o| envelope(o, |e| e.body.salt[0] ^= 1),
        |e| matches!(e, Error::KeyCommitment),
        Nothing,
    ),
    (
        "another commitment",
        |o| envelope(o, |e| e.body.key_commitment[0] ^= 1),
        |e| matches!(e, Error::KeyCommitment),
        Nothing,
    ),
    (
        "a smaller size",
        |o| envelope(o, |e| e.body.size -= 1),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    (
        "an impossible size",
        |o| envelope(o, |e| e.body.size = 56 + SEALED as u64),
        |e| matches!(e, Error::Envelope(Codec::Invalid("body size"))),
        Nothing,
    ),
    (
        "another hash",
        |o| envelope(o, |e| e.body.blake3 = ContentId([0; 32])),
        |e| matches!(e, Error::Content),
        Prefix,
    ),
    (
        "name too long",
        |o| inside(o, |p| p[1] = 0x20),
        |e| matches!(e, Error::Layout(LayoutError::MetadataLength)),
        Nothing,
    ),
    (
        "name not UTF-8",
        |o| inside(o, |p| p[2] = 0xff),
        |e| matches!(e, Error::Layout(LayoutError::MetadataText)),
        Nothing,
    ),
    (
        "data length too large",
        |o| {
            inside(o, |p| {
                let at = p.len() - 8;
                p[at..].fill(0xff);
            })
        },
        |e| matches!(e, Error::Layout(LayoutError::DataLength)),
        Prefix,
    ),
    (
        "data length too small",
        |o| {
            inside(o, |p| {
                let at = p.len() - 8;
                p[at..].fill(0);
            })
        },
        |e| matches!(e, Error::Layout(LayoutError::Padding)),
        Prefix,
    ),
    (
        "inside empty",
        |o| inside(o, Vec::clear),
        |e| matches!(e, Error::Layout(LayoutError::DataLength)),
        Nothing,
    ),
    (
        "body of one byte",
        |o| body(o, |b| b.truncate(1)),
        |e| matches!(e, Error::Body(Body::HeaderTruncated)),
        Nothing,
    ),
    ("body all zero", |o| body(o, |b| b.fill(0)), |e| matches!(e, Error::BodyHeader), Nothing),
    (
        "body in the clear",
        |o| {
            body(o, |b| {
                let plain = o.plaintext();
                b[..plain.len()].copy_from_slice(&plain);
            })
        },
        |e| matches!(e, Error::BodyHeader),
        Nothing,
    ),
    (
        "first chunk missing",
        |o| body(o, |b| drop(b.drain(HEADER..HEADER + SEALED))),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    (
        "chunk 2 missing, zeros at the end",
        |o| {
            body(o, |b| {
                b.drain(HEADER + 2 * SEALED..HEADER + 3 * SEALED);
                b.extend([0; SEALED]);
            })
        },
        |e| chunk(e, 2),
        Chunks(2),
    ),
    (
        "chunk 3 is another object's",
        |o| {
            body(o, |b| {
                let other = Object::new(4 * CHUNK + 1000, 9);
                b[HEADER + 3 * SEALED..][..SEALED].copy_from_slice(other.chunk(3));
            })
        },
        |e| chunk(e, 3),
        Chunks(3),
    ),
    (
        "tag of chunk 0 is that of chunk 1",
        |o| body(o, |b| b.copy_within(HEADER + 2 * SEALED - 16..HEADER + 2 * SEALED, HEADER + SEALED - 16)),
        |e| chunk(e, 0),
        Nothing,
    ),
    (
        "chunks 2 and 3 exchanged",
        |o| body(o, |b| b[HEADER + 2 * SEALED..][..2 * SEALED].rotate_left(SEALED)),
        |e| chunk(e, 2),
        Chunks(2),
    ),
    (
        "media type too long",
        |o| inside(o, |p| p[11] = 0x20),
        |e| matches!(e, Error::Layout(LayoutError::MetadataLength)),
        Nothing,
    ),
    (
        "media type not UTF-8",
        |o| inside(o, |p| p[12] = 0xff),
        |e| matches!(e, Error::Layout(LayoutError::MetadataText)),
        Nothing,
    ),
    (
        "data length one too large",
        |o| {
            inside(o, |p| {
                let at = p.len() - 8;
                p[at] += 1;
            })
        },
        |e| matches!(e, Error::Layout(LayoutError::DataLength)),
        Prefix,
    ),
    (
        "data length one too small",
        |o| {
            inside(o, |p| {
                let at = p.len() - 8;
                p[at] -= 1;
            })
        },
        |e| matches!(e, Error::Layout(LayoutError::Padding)),
        Prefix,
    ),
    (
        "a byte hidden in the padding",
        |o| inside(o, |p| p.insert(p.len() - 8, 1)),
        |e| matches!(e, Error::Layout(LayoutError::Padding)),
        DataAnd(1),
    ),
    (
        "another suite",
        |o| envelope(o, |e| e.suite += 1),
        |e| matches!(e, Error::Envelope(Codec::UnknownVersion { .. })),
        Nothing,
    ),
    (
        "signature of the generation before",
        |o| {
            let mut next = o.resigned(|e| e.generation += 1);
            let (to, from) = (next.len() - 64, o.envelope.len() - 64);
            next[to..].copy_from_slice(&o.envelope[from..]);
            (next, o.body.clone())
        },
        |e| matches!(e, Error::Envelope(Codec::BadSignature)),
        Nothing,
    ),
    (
        "the reader's entry removed",
        |o| envelope(o, |e| drop(e.recipients.remove(0))),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "the entry of another object",
        |o| envelope(o, |e| e.recipients[0] = Object::new(100, 9).decoded().recipients[0].clone()),
        |e| matches!(e, Error::NoRecipient),
        Nothing,
    ),
    (
        "a size larger by a chunk",
        |o| envelope(o, |e| e.body.size += SEALED as u64),
        |e| matches!(e, Error::Body(Body::Size { .. })),
        Nothing,
    ),
    (
        "no size",
        |o| envelope(o, |e| e.body.size = 0),
        |e| matches!(e, Error::Envelope(Codec::Invalid("body size"))),
        Nothing,
    ),
    (
        "another owner's object whole",
        |_| {
            let other = Object::new(100, 9);
            (other.envelope, other.body)
        },
        |e| matches!(e, Error::Envelope(Codec::BadSignature)),
        Nothing,
    ),
];

/// How many cases there are: one that is lost in an edit is missed.
const CASE_COUNT: usize = 70;

/// BLAKE3 of what comes out before the error, of the cases in which anything does: a line `name: digest` each.
const RELEASED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/kit-released.txt");

/// E05: the whole table.
#[test]
fn e05_failure_kit() {
    let object = Object::new(4 * CHUNK + 1000, 1);
    let (result, out) = object.open();
    assert!(result.is_ok() && out == object.data, "the honest object opens");
    assert_eq!(CASES.len(), CASE_COUNT);
    let names: std::collections::BTreeSet<_> = CASES.iter().map(|c| c.0).collect();
    assert_eq!(names.len(), CASES.len(), "names are distinct");
    let mut digests = std::collections::BTreeMap::new();
    for (name, make, expected, released) in CASES {
        let (envelope, body) = make(&object);
        assert!(envelope != object.envelope || body != object.body, "{name}: nothing is wrong");
        let (result, out) = object.open_with(&envelope, &body);
        let error = result.expect_err(name);
        if !out.is_empty() {
            digests.insert(*name, blake3::hash(&out).to_hex().to_string());
        }
        assert!(expected(&error), "{name}: {error:?}");
        match released {
            Nothing => assert!(out.is_empty(), "{name}: released {} bytes", out.len()),
            Chunks(n) => {
                let len = (n * CHUNK).saturating_sub(object.head());
                assert!(out == object.data[..len], "{name}: released {} bytes instead of {len}", out.len());
            }
            DataAnd(byte) => {
                assert!(
                    out == [object.data.as_slice(), &[*byte]].concat(),
                    "{name}: released something else"
                );
            }
            Prefix => {
                let wrong =
                    if *name == "rewritten by a key holder" { 2 * CHUNK - object.head() } else { out.len() };
                assert!(out[..wrong] == object.data[..wrong], "{name}: released something else");
            }
        }
    }
    let text = std::fs::read_to_string(RELEASED).unwrap();
    let pinned: std::collections::BTreeMap<&str, String> = text
        .lines()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, digest)| (name, digest.to_owned()))
        .collect();
    assert_eq!(digests, pinned, "every case that releases anything, and what");
}
