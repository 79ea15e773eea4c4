//! E11, E15, E16, E21: well-formed envelopes signed by the owner whose entries, keys or numbers are wrong.

use bailiwick_protocol::envelope::{Envelope, Role};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey};

use super::{Broken, Case, Honest, Released::All, Released::Nothing, Way, case};
use crate::it::encapsulation::wrap_at;
use crate::it::maker::{Made, Stream, wrap};

fn signed(h: &Honest, change: impl FnOnce(&mut Envelope)) -> Broken {
    h.small.broken(h.small.resigned(change), h.small.body.clone())
}

/// Likewise for the X-Wing recipient, whose entry is the only one.
fn hybrid(h: &Honest, change: impl FnOnce(&mut Envelope)) -> Broken {
    let broken = signed(h, |e| {
        e.recipients.remove(0);
        change(e);
    });
    Broken { way: Way::Key(h.small.readers[1].clone()), ..broken }
}

/// Likewise for the P-256 recipient, with another encapsulated key.
fn token(h: &Honest, change: impl FnOnce(&mut Vec<u8>)) -> Broken {
    let broken = signed(h, |e| change(&mut e.recipients[2].enc));
    Broken { way: Way::Key(h.small.readers[2].clone()), ..broken }
}

/// Another entry in place of the reader's: wrapped as `as_if` says.
fn wrapped(h: &Honest, role: Role, content: &[u8], as_if: impl FnOnce(&mut Envelope)) -> Broken {
    let mut other = h.small.envelope.clone();
    as_if(&mut other);
    let entry = wrap(&other, &h.small.readers[0], false, role, content, &mut Stream::new(b"entry"));
    signed(h, |e| e.recipients[0] = entry)
}

fn point(text: &str) -> [u8; 32] {
    hex::decode(text).unwrap().try_into().unwrap()
}

/// This X25519 encapsulated key with the ciphertext that belongs to it: whoever takes it as it is opens the object.
fn encapsulated(h: &Honest, text: &str) -> Broken {
    let entry =
        wrap_at(&h.small.envelope, &h.small.readers[0], Role::FileKey, &h.small.file_key, point(text));
    signed(h, |e| e.recipients[0] = entry)
}

/// Likewise the X25519 half of an X-Wing encapsulation, which stands last.
fn encapsulated_hybrid(h: &Honest, text: &str) -> Broken {
    let entry =
        wrap_at(&h.small.envelope, &h.small.readers[1], Role::FileKey, &h.small.file_key, point(text));
    hybrid(h, |e| e.recipients[0] = entry)
}

const ORDER_8: &str = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
/// The point with coordinate 9, and two other encodings of it.
const NINE: &str = "0900000000000000000000000000000000000000000000000000000000000000";
const NINE_HIGH_BIT: &str = "0900000000000000000000000000000000000000000000000000000000000080";
const NINE_ABOVE: &str = "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

/// A body that AES-GCM accepts under two keys, named by the commitment of one and the entry of the other.
fn two_keys(h: &Honest) -> Broken {
    let object: &Made = &h.small;
    let other_file_key = [0x22; 32];
    let (a, b) = (object.body_key(), crate::it::maker::body_key(&object.envelope, &other_file_key));
    let salt = object.envelope.body.salt;
    let sealed = crate::it::two_keys::salamander(&a, &b, &salt);
    let body = [&salt[..], &object.envelope.body.key_commitment, &sealed].concat();
    let mut rng = Stream::new(b"two keys");
    let entry = wrap(&object.envelope, &object.readers[0], false, Role::FileKey, &other_file_key, &mut rng);
    let envelope = object.resigned(|e| {
        e.recipients[0] = entry;
        e.commitment = None;
        e.body.size = body.len() as u64;
        e.body.blake3 = ContentId(blake3::hash(&body).into());
    });
    object.broken(envelope, body)
}

pub(super) const CASES: &[Case] = &[
    case("recipients-none", "no-recipient", "no recipient", |h| signed(h, |e| e.recipients.clear()), Nothing),
    case(
        "recipient-removed",
        "no-recipient",
        "the owner left the reader out",
        |h| signed(h, |e| drop(e.recipients.remove(0))),
        Nothing,
    ),
    case(
        "key-id-of-another",
        "no-recipient",
        "the reader's entry names another key",
        |h| signed(h, |e| e.recipients[0].key_id = Some([0; 8])),
        Nothing,
    ),
    case(
        "enc-changed",
        "no-recipient",
        "a bit of the encapsulated key is flipped",
        |h| signed(h, |e| e.recipients[0].enc[0] ^= 1),
        Nothing,
    ),
    case(
        "enc-zero",
        "no-recipient",
        "an encapsulated key of zeros: the shared secret is zero",
        |h| encapsulated(h, &"00".repeat(32)),
        Nothing,
    ),
    case(
        "enc-one",
        "no-recipient",
        "an encapsulated key of order 1",
        |h| encapsulated(h, "0100000000000000000000000000000000000000000000000000000000000000"),
        Nothing,
    ),
    case(
        "enc-order-8",
        "no-recipient",
        "an encapsulated key of order 8",
        |h| encapsulated(h, ORDER_8),
        Nothing,
    ),
    case(
        "enc-minus-one",
        "no-recipient",
        "an encapsulated key of order 2",
        |h| encapsulated(h, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        Nothing,
    ),
    case(
        "enc-not-reduced",
        "no-recipient",
        "an encapsulated key of order 4, not reduced modulo p",
        |h| encapsulated(h, "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        Nothing,
    ),
    case(
        "honest-enc-nine",
        "success",
        "an encapsulated key with coordinate 9: what the next two are other encodings of",
        |h| encapsulated(h, NINE),
        All,
    ),
    case(
        "enc-high-bit",
        "no-recipient",
        "an encapsulated key with its highest bit set",
        |h| encapsulated(h, NINE_HIGH_BIT),
        Nothing,
    ),
    case(
        "enc-above-modulus",
        "no-recipient",
        "an encapsulated key of 2^255 - 19 + 9: full order, not reduced modulo p",
        |h| encapsulated(h, NINE_ABOVE),
        Nothing,
    ),
    case(
        "honest-x-wing-enc-nine",
        "success",
        "X-Wing, an X25519 half with coordinate 9: what the next two are other encodings of",
        |h| encapsulated_hybrid(h, NINE),
        All,
    ),
    case(
        "x-wing-enc-high-bit",
        "no-recipient",
        "the X25519 half has its highest bit set",
        |h| encapsulated_hybrid(h, NINE_HIGH_BIT),
        Nothing,
    ),
    case(
        "x-wing-enc-above-modulus",
        "no-recipient",
        "the X25519 half is 2^255 - 19 + 9",
        |h| encapsulated_hybrid(h, NINE_ABOVE),
        Nothing,
    ),
    case(
        "x-wing-enc-changed",
        "no-recipient",
        "a bit of the ML-KEM ciphertext is flipped",
        |h| hybrid(h, |e| e.recipients[0].enc[5] ^= 1),
        Nothing,
    ),
    case(
        "x-wing-enc-classical-changed",
        "no-recipient",
        "a bit of the X25519 half is flipped",
        |h| hybrid(h, |e| *e.recipients[0].enc.last_mut().unwrap() ^= 1),
        Nothing,
    ),
    case(
        "x-wing-enc-classical-zero",
        "no-recipient",
        "the X25519 half is zero",
        |h| encapsulated_hybrid(h, &"00".repeat(32)),
        Nothing,
    ),
    case(
        "x-wing-enc-classical-order-8",
        "no-recipient",
        "the X25519 half has order 8",
        |h| encapsulated_hybrid(h, ORDER_8),
        Nothing,
    ),
    case(
        "p256-enc-changed",
        "no-recipient",
        "a point off the curve",
        |h| token(h, |enc| enc[64] ^= 1),
        Nothing,
    ),
    case(
        "p256-enc-another-point",
        "no-recipient",
        "the point's negative: on the curve, another shared secret",
        |h| {
            token(h, |enc| {
                // p - y, with p = 2^256 - 2^224 + 2^192 + 2^96 - 1.
                let p = point("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff");
                let mut borrow = 0;
                for i in (0..32).rev() {
                    let difference = i16::from(p[i]) - i16::from(enc[33 + i]) - borrow;
                    borrow = i16::from(difference < 0);
                    enc[33 + i] = difference.to_le_bytes()[0];
                }
            })
        },
        Nothing,
    ),
    case("p256-enc-zero", "no-recipient", "a point at 0, 0", |h| token(h, |enc| enc[1..].fill(0)), Nothing),
    case(
        "p256-enc-infinity",
        "no-recipient",
        "the point at infinity, filled up with zeros",
        |h| token(h, |enc| enc.fill(0)),
        Nothing,
    ),
    case(
        "p256-enc-compressed",
        "no-recipient",
        "a compressed point, filled up with zeros",
        |h| {
            token(h, |enc| {
                enc[0] = 2 | enc[64] & 1;
                enc[33..].fill(0);
            })
        },
        Nothing,
    ),
    case(
        "p256-enc-hybrid-form",
        "no-recipient",
        "the point in the hybrid form of X9.62",
        |h| token(h, |enc| enc[0] = 6 | enc[64] & 1),
        Nothing,
    ),
    case(
        "p256-enc-not-reduced",
        "no-recipient",
        "coordinates above the field's modulus",
        |h| token(h, |enc| enc[1..].fill(0xff)),
        Nothing,
    ),
    case(
        "ct-changed",
        "no-recipient",
        "a bit of the wrapped key is flipped",
        |h| signed(h, |e| e.recipients[0].ciphertext[0] ^= 1),
        Nothing,
    ),
    case(
        "ct-tag-changed",
        "no-recipient",
        "a bit of the wrapped key's tag is flipped",
        |h| signed(h, |e| e.recipients[0].ciphertext[47] ^= 1),
        Nothing,
    ),
    case(
        "entry-of-another-object",
        "no-recipient",
        "an entry for the reader's key, wrapped for another object",
        |h| wrapped(h, Role::FileKey, &h.small.file_key, |e| e.object = ObjectId([4; 16])),
        Nothing,
    ),
    case(
        "entry-of-another-owner",
        "no-recipient",
        "an entry for the reader's key, wrapped for another owner",
        |h| wrapped(h, Role::FileKey, &h.small.file_key, |e| e.owner = OwnerKey([4; 32])),
        Nothing,
    ),
    case(
        "entry-of-role-2-only",
        "no-recipient",
        "the reader's entry holds a custody secret",
        |h| wrapped(h, Role::CustodySecret, &[7; 96], |_| ()),
        Nothing,
    ),
    case(
        "entry-role-exchanged",
        "no-recipient",
        "a file key wrapped as role 2, listed as role 1",
        |h| {
            let mut rng = Stream::new(b"role");
            let key = &h.small.file_key;
            let entry =
                wrap(&h.small.envelope, &h.small.readers[0], false, Role::CustodySecret, key, &mut rng);
            signed(h, |e| {
                e.recipients[0] =
                    bailiwick_protocol::envelope::RecipientEntry { role: Role::FileKey, ..entry }
            })
        },
        Nothing,
    ),
    case(
        "another-object-id",
        "no-recipient",
        "the owner signed another object id",
        |h| signed(h, |e| e.object = ObjectId([4; 16])),
        Nothing,
    ),
    case(
        "another-file-key",
        "key-commitment",
        "the reader's entry holds another key than the body's",
        |h| wrapped(h, Role::FileKey, &[7; 32], |_| ()),
        Nothing,
    ),
    case(
        "honest-broken-entry-first",
        "success",
        "two entries name the reader's key: the first does not open, the second does",
        |h| {
            signed(h, |e| {
                let mut broken = e.recipients[0].clone();
                broken.ciphertext[0] ^= 1;
                e.recipients.insert(0, broken);
            })
        },
        All,
    ),
    case(
        "entry-with-another-key-first",
        "key-commitment",
        "two entries name the reader's key: the first opens, to another key than the body's, and decides",
        |h| {
            let other = wrap(
                &h.small.envelope,
                &h.small.readers[0],
                false,
                Role::FileKey,
                &[7; 32],
                &mut Stream::new(b"entry"),
            );
            signed(h, |e| e.recipients.insert(0, other))
        },
        Nothing,
    ),
    case(
        "honest-entry-of-role-2-first",
        "success",
        "the reader's first entry holds a custody secret, the second the file key",
        |h| {
            let other = wrap(
                &h.small.envelope,
                &h.small.readers[0],
                false,
                Role::CustodySecret,
                &[7; 96],
                &mut Stream::new(b"entry"),
            );
            signed(h, |e| e.recipients.insert(0, other))
        },
        All,
    ),
    case(
        "honest-64-recipients",
        "success",
        "as many recipients as there may be; the reader's entry is the last",
        |h| {
            signed(h, |e| {
                let (own, other) = (e.recipients[0].clone(), e.recipients[2].clone());
                e.recipients = vec![other; 63];
                e.recipients.push(own);
            })
        },
        All,
    ),
    case(
        "two-keys",
        "key-commitment",
        "AES-GCM accepts the body under the key in the reader's entry too; the commitment is another key's",
        two_keys,
        Nothing,
    ),
    case("another-unit", "key-commitment", "another replica", |h| signed(h, |e| e.unit.replica = 3), Nothing),
    case(
        "another-salt",
        "key-commitment",
        "the envelope has another salt",
        |h| signed(h, |e| e.body.salt[0] ^= 1),
        Nothing,
    ),
    case(
        "another-commitment",
        "key-commitment",
        "the envelope has another key commitment",
        |h| signed(h, |e| e.body.key_commitment[0] ^= 1),
        Nothing,
    ),
    case(
        "another-shard",
        "key-commitment",
        "the body of shard 1 under the number of shard 2",
        |h| h.shard.broken(h.shard.resigned(|e| e.unit.shard = 2), h.shard.body.clone()),
        Nothing,
    ),
    case(
        "size-one-less",
        "body-size",
        "the owner signed a size smaller by one",
        |h| signed(h, |e| e.body.size -= 1),
        Nothing,
    ),
    case(
        "size-one-more",
        "body-size",
        "the owner signed a size larger by one",
        |h| signed(h, |e| e.body.size += 1),
        Nothing,
    ),
    case(
        "size-chunk-less",
        "body-size",
        "the owner signed a size smaller by a chunk",
        |h| h.large.broken(h.large.resigned(|e| e.body.size -= 16_400), h.large.body.clone()),
        Nothing,
    ),
    case(
        "blake3-lies",
        "content",
        "the owner signed another BLAKE3",
        |h| signed(h, |e| e.body.blake3 = ContentId([0; 32])),
        All,
    ),
];
