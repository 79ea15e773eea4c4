//! E22: the owner signed CBOR that is not the one encoding of an envelope.

use bailiwick_protocol::codec::Canonical as _;

use super::{Broken, Case, Honest, Released::Nothing, case};
use crate::it::forge::{Value, head, wide_head};

/// A change in the CBOR, then signed.
fn cbor(h: &Honest, change: impl FnOnce(&mut Value)) -> Broken {
    h.small.broken(h.small.cbor(change), h.small.body.clone())
}

/// A change of the encoded payload, then signed.
fn bytes(h: &Honest, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Broken {
    let payload = change(h.small.envelope.to_bytes());
    h.small.broken(h.small.signed_payload(&payload), h.small.body.clone())
}

fn raw(h: &Honest, path: &[u64], bytes: &[u8]) -> Broken {
    cbor(h, |v| v.set_raw(path, bytes))
}

pub(super) const CASES: &[Case] = &[
    case("cbor-empty", "envelope-malformed", "an empty payload", |h| bytes(h, |_| Vec::new()), Nothing),
    case(
        "cbor-byte-more",
        "envelope-malformed",
        "a byte follows the map",
        |h| bytes(h, |p| [&p[..], &[0]].concat()),
        Nothing,
    ),
    case(
        "cbor-cut",
        "envelope-malformed",
        "the map ends early",
        |h| bytes(h, |p| p[..p.len() - 1].to_vec()),
        Nothing,
    ),
    case("cbor-list-not-map", "envelope-malformed", "an empty list", |h| bytes(h, |_| vec![0x80]), Nothing),
    case(
        "cbor-tag",
        "envelope-malformed",
        "the map has a tag",
        |h| bytes(h, |p| [&[0xc0], &p[..]].concat()),
        Nothing,
    ),
    case(
        "cbor-map-indefinite",
        "envelope-malformed",
        "the map has no declared length",
        |h| bytes(h, |p| [&[0xbf], &p[1..], &[0xff]].concat()),
        Nothing,
    ),
    case(
        "cbor-inner-map-indefinite",
        "envelope-malformed",
        "the body's map has no declared length",
        |h| {
            cbor(h, |v| {
                let inner = v.at(&[6]).encoded();
                v.set_raw(&[6], &[&[0xbf], &inner[1..], &[0xff]].concat());
            })
        },
        Nothing,
    ),
    case(
        "cbor-bytes-indefinite",
        "envelope-malformed",
        "the object id is a byte string in pieces",
        |h| {
            let id = h.small.envelope.object.0;
            raw(h, &[3], &[&[0x5f, 0x48], &id[..8], &[0x48], &id[8..], &[0xff]].concat())
        },
        Nothing,
    ),
    case(
        "cbor-list-indefinite",
        "envelope-malformed",
        "the list of recipients has no declared length",
        |h| {
            cbor(h, |v| {
                let inner = v.at(&[9]).encoded();
                v.set_raw(&[9], &[&[0x9f], &inner[1..], &[0xff]].concat());
            })
        },
        Nothing,
    ),
    case(
        "cbor-map-length-wide",
        "envelope-not-canonical",
        "the map's length takes two bytes",
        |h| bytes(h, |p| [&[0xb8, p[0] & 31], &p[1..]].concat()),
        Nothing,
    ),
    case(
        "cbor-version-wide",
        "envelope-not-canonical",
        "version 1 in two bytes",
        |h| raw(h, &[0], &[0x18, 1]),
        Nothing,
    ),
    case(
        "cbor-generation-wide-16",
        "envelope-not-canonical",
        "generation 1 in three bytes",
        |h| raw(h, &[8], &wide_head(0, 1, 25)),
        Nothing,
    ),
    case(
        "cbor-generation-wide-64",
        "envelope-not-canonical",
        "generation 1 in nine bytes",
        |h| raw(h, &[8], &wide_head(0, 1, 27)),
        Nothing,
    ),
    case(
        "cbor-key-wide",
        "envelope-not-canonical",
        "key 0 in two bytes",
        |h| bytes(h, |p| [&p[..1], &[0x18], &p[1..]].concat()),
        Nothing,
    ),
    case(
        "cbor-bytes-length-wide",
        "envelope-not-canonical",
        "the object id's length takes two bytes",
        |h| raw(h, &[3], &[&wide_head(2, 16, 24)[..], &h.small.envelope.object.0].concat()),
        Nothing,
    ),
    case(
        "cbor-list-length-wide",
        "envelope-not-canonical",
        "the number of recipients takes two bytes",
        |h| {
            cbor(h, |v| {
                let inner = v.at(&[9]).encoded();
                v.set_raw(&[9], &[&[0x98, inner[0] & 31], &inner[1..]].concat());
            })
        },
        Nothing,
    ),
    case(
        "cbor-keys-unsorted",
        "envelope-malformed",
        "generation before the commitments",
        |h| cbor(h, |v| v.pairs().swap(6, 7)),
        Nothing,
    ),
    case(
        "cbor-inner-keys-unsorted",
        "envelope-malformed",
        "in the body's map salt and commitment stand in the other order",
        |h| cbor(h, |v| v.at(&[6]).pairs().swap(1, 2)),
        Nothing,
    ),
    case(
        "cbor-key-twice",
        "envelope-malformed",
        "key 8 stands twice, the second time with another generation",
        |h| cbor(h, |v| v.insert(&[], 8, Value::Unsigned(7))),
        Nothing,
    ),
    case(
        "cbor-first-key-twice",
        "envelope-malformed",
        "key 0 stands twice",
        |h| cbor(h, |v| v.pairs().insert(0, (Value::Unsigned(0), Value::Unsigned(1)))),
        Nothing,
    ),
    case(
        "cbor-key-unknown",
        "envelope-malformed",
        "a key 13",
        |h| cbor(h, |v| v.insert(&[], 13, Value::Unsigned(0))),
        Nothing,
    ),
    case(
        "cbor-body-key-unknown",
        "envelope-malformed",
        "a key 5 in the body's map",
        |h| cbor(h, |v| v.insert(&[6], 5, Value::Unsigned(0))),
        Nothing,
    ),
    case(
        "cbor-recipient-key-unknown",
        "envelope-malformed",
        "a key 5 in a recipient's map",
        |h| cbor(h, |v| v.insert(&[9, 0], 5, Value::Unsigned(0))),
        Nothing,
    ),
    case(
        "cbor-key-text",
        "envelope-malformed",
        "a text string as a key",
        |h| cbor(h, |v| v.pairs()[0].0 = Value::Raw(vec![0x61, b'0'])),
        Nothing,
    ),
    case(
        "cbor-key-missing",
        "envelope-malformed",
        "no generation",
        |h| cbor(h, |v| v.remove(&[], 8)),
        Nothing,
    ),
    case(
        "cbor-recipients-missing",
        "envelope-malformed",
        "no list of recipients",
        |h| cbor(h, |v| v.remove(&[], 9)),
        Nothing,
    ),
    case(
        "cbor-recipient-key-missing",
        "envelope-malformed",
        "a recipient without an encapsulated key",
        |h| cbor(h, |v| v.remove(&[9, 0], 2)),
        Nothing,
    ),
    case("cbor-negative", "envelope-malformed", "generation -1", |h| raw(h, &[8], &[0x20]), Nothing),
    case("cbor-float", "envelope-malformed", "generation 1.0", |h| raw(h, &[8], &[0xf9, 0x3c, 0]), Nothing),
    case("cbor-null", "envelope-malformed", "null for the policy", |h| raw(h, &[12], &[0xf6]), Nothing),
    case("cbor-bool", "envelope-malformed", "true for the version", |h| raw(h, &[0], &[0xf5]), Nothing),
    case(
        "cbor-bignum",
        "envelope-malformed",
        "generation 1 as a bignum",
        |h| raw(h, &[8], &[0xc2, 0x41, 1]),
        Nothing,
    ),
    case(
        "cbor-text-for-bytes",
        "envelope-malformed",
        "the object id is a text string",
        |h| raw(h, &[3], &[&head(3, 16)[..], &[b'a'; 16]].concat()),
        Nothing,
    ),
    case(
        "cbor-reserved",
        "envelope-malformed",
        "additional information 28",
        |h| raw(h, &[8], &[0x1c]),
        Nothing,
    ),
    case(
        "cbor-deep",
        "envelope-malformed",
        "ten thousand lists inside each other",
        |h| raw(h, &[8], &[[0x81; 10_000].as_slice(), &[0]].concat()),
        Nothing,
    ),
    case(
        "cbor-bytes-length-lies",
        "envelope-malformed",
        "the object id claims 2^63 bytes",
        |h| raw(h, &[3], &[&wide_head(2, 1 << 63, 27)[..], &[0; 16]].concat()),
        Nothing,
    ),
    case(
        "cbor-map-length-lies",
        "envelope-malformed",
        "the map claims 2^32 pairs",
        |h| bytes(h, |p| [&wide_head(5, 1 << 32, 27), &p[1..]].concat()),
        Nothing,
    ),
    case(
        "recipients-65",
        "envelope-limit",
        "65 recipients",
        |h| {
            cbor(h, |v| {
                let one = v.at(&[9, 0]).clone();
                v.set(&[9], Value::List(vec![one; 65]));
            })
        },
        Nothing,
    ),
    case(
        "recipients-length-bomb",
        "envelope-limit",
        "the list claims 2^32 recipients",
        |h| {
            cbor(h, |v| {
                let inner = v.at(&[9]).encoded();
                v.set_raw(&[9], &[&wide_head(4, 1 << 32, 27), &inner[1..]].concat());
            })
        },
        Nothing,
    ),
    case(
        "commitments-5",
        "envelope-limit",
        "five storage commitments",
        |h| {
            cbor(h, |v| {
                let value = |scheme| {
                    Value::Map(vec![
                        (Value::Unsigned(0), Value::Unsigned(scheme)),
                        (Value::Unsigned(1), Value::Bytes(vec![1])),
                    ])
                };
                v.set(&[7], Value::List((2..7).map(value).collect()));
            })
        },
        Nothing,
    ),
];
