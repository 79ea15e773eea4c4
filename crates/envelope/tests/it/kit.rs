//! E05: a failure kit in the manner of CCTV: every case has one thing wrong, the error it must give, and the
//! plaintext it may release. All cases start from the same honest object, which opens.

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
}
use Released::{Chunks, Nothing, Prefix};

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
];

/// E05: the whole table.
#[test]
fn e05_failure_kit() {
    let object = Object::new(4 * CHUNK + 1000, 1);
    let (result, out) = object.open();
    assert!(result.is_ok() && out == object.data, "the honest object opens");
    assert!(CASES.len() >= 30);
    let names: std::collections::BTreeSet<_> = CASES.iter().map(|c| c.0).collect();
    assert_eq!(names.len(), CASES.len(), "names are distinct");
    for (name, make, expected, released) in CASES {
        let (envelope, body) = make(&object);
        assert!(envelope != object.envelope || body != object.body, "{name}: nothing is wrong");
        let (result, out) = object.open_with(&envelope, &body);
        let error = result.expect_err(name);
        assert!(expected(&error), "{name}: {error:?}");
        match released {
            Nothing => assert!(out.is_empty(), "{name}: released {} bytes", out.len()),
            Chunks(n) => {
                let len = (n * CHUNK).saturating_sub(object.head());
                assert!(out == object.data[..len], "{name}: released {} bytes instead of {len}", out.len());
            }
            Prefix => {
                let wrong =
                    if *name == "rewritten by a key holder" { 2 * CHUNK - object.head() } else { out.len() };
                assert!(out[..wrong] == object.data[..wrong], "{name}: released something else");
            }
        }
    }
}
