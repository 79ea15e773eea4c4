//! E17 to E20: the envelope as it travels: frame and signature.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::labels::Label;

use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::scalar::clamp_integer;
use curve25519_dalek::traits::Identity as _;
use sha2::Digest as _;

use super::{Broken, Case, Honest, Released::Nothing, case};
use crate::it::forge::{framed, head, wide_head};

fn wire(h: &Honest, change: impl FnOnce(&mut Vec<u8>)) -> Broken {
    let mut envelope = h.small.signed();
    change(&mut envelope);
    with(h, envelope)
}

fn with(h: &Honest, envelope: Vec<u8>) -> Broken {
    assert!(envelope != h.small.signed(), "nothing is wrong");
    h.small.broken(envelope, h.small.body.clone())
}

fn payload(h: &Honest) -> Vec<u8> {
    h.small.envelope.to_bytes()
}

/// The envelope, changed after the owner signed it.
fn on_the_way(h: &Honest, change: impl FnOnce(&mut Envelope)) -> Broken {
    with(h, h.small.unsigned(change))
}

/// Not what the pinned owner signed.
const fn forged(name: &'static str, comment: &'static str, make: fn(&Honest) -> Broken) -> Case {
    case(name, "envelope-signature", comment, make, Nothing)
}

/// Not an envelope.
const fn malformed(name: &'static str, comment: &'static str, make: fn(&Honest) -> Broken) -> Case {
    case(name, "envelope-malformed", comment, make, Nothing)
}

/// The encoding of the group's identity.
const IDENTITY: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

impl Honest {
    /// The small object's, signed for a key that is the identity: S·B = R + k·A for S = r, R = r·B whatever k is.
    fn small_order_key(&self, key: [u8; 32]) -> Vec<u8> {
        let mut e = self.small.envelope.clone();
        e.owner = OwnerKey(key);
        let r = Scalar::from(77u8);
        let point = EdwardsPoint::mul_base(&r).compress();
        framed(&e.to_bytes(), &[&point.as_bytes()[..], r.as_bytes()].concat())
    }

    /// The small object's, signed by its owner with R = r·B + `torsion`.
    fn owners_signature(&self, r: Scalar, torsion: EdwardsPoint) -> Vec<u8> {
        let hash: [u8; 64] = sha2::Sha512::digest(self.small.owner_seed).into();
        let secret = Scalar::from_bytes_mod_order(clamp_integer(*hash.first_chunk().unwrap()));
        assert_eq!(EdwardsPoint::mul_base(&secret).compress().as_bytes(), &self.small.pinned());
        let point = (EdwardsPoint::mul_base(&r) + torsion).compress();
        let payload = payload(self);
        let message = [&b"bailiwick/v1/envelope-signature"[..], &payload].concat();
        let hash: [u8; 64] =
            sha2::Sha512::digest([&point.as_bytes()[..], &self.small.pinned(), &message].concat()).into();
        let s = r + Scalar::from_bytes_mod_order_wide(&hash) * secret;
        framed(&payload, &[&point.as_bytes()[..], s.as_bytes()].concat())
    }
}

/// The order of Ed25519's group, little-endian.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn plus_order(scalar: &mut [u8]) {
    let mut carry = 0;
    for (byte, add) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
}

pub(super) const CASES: &[Case] = &[
    malformed("envelope-empty", "no envelope", |h| with(h, Vec::new())),
    malformed("envelope-cut", "the last byte is missing", |h| wire(h, |w| w.truncate(w.len() - 1))),
    malformed("envelope-cut-within-payload", "cut within the payload", |h| wire(h, |w| w.truncate(100))),
    malformed("envelope-byte-more", "a byte follows", |h| wire(h, |w| w.push(0))),
    malformed("envelope-twice", "the envelope stands twice", |h| wire(h, |w| w.extend_from_within(..))),
    case(
        "envelope-too-long",
        "envelope-limit",
        "300,000 zeros after the envelope",
        |h| wire(h, |w| w.resize(300_000, 0)),
        Nothing,
    ),
    case(
        "payload-too-long",
        "envelope-limit",
        "a signed payload of 262,145 bytes, one more than there may be",
        |h| with(h, h.small.signed_payload(&[0; 262_145])),
        Nothing,
    ),
    malformed("envelope-length-lies", "the payload claims 2^62 bytes", |h| {
        let lie = [&head(4, 2)[..], &wide_head(2, 1 << 62, 27), &payload(h)].concat();
        with(h, lie)
    }),
    malformed("frame-indefinite", "the array of payload and signature has no declared length", |h| {
        wire(h, |w| {
            w[0] = 0x9f;
            w.push(0xff);
        })
    }),
    case(
        "frame-wide-length",
        "envelope-not-canonical",
        "the payload's length takes more bytes than it needs",
        |h| {
            let (p, s) = (payload(h), h.small.signature());
            with(h, [&[0x82][..], &wide_head(2, p.len() as u64, 26), &p, &head(2, 64), &s].concat())
        },
        Nothing,
    ),
    malformed("frame-of-three", "an array of three", |h| {
        wire(h, |w| {
            w[0] = 0x83;
            w.push(0);
        })
    }),
    malformed("frame-payload-text", "the payload is a text string", |h| wire(h, |w| w[1] |= 0x20)),
    malformed("frame-without-signature", "the payload alone, outside a frame", |h| with(h, payload(h))),
    malformed("signature-short", "63 bytes of signature", |h| {
        with(h, framed(&payload(h), &h.small.signature()[..63]))
    }),
    forged("signature-changed", "a bit of the signature is flipped", |h| {
        wire(h, |w| *w.last_mut().unwrap() ^= 1)
    }),
    forged("signature-zero", "a signature of zeros", |h| with(h, framed(&payload(h), &[0; 64]))),
    forged("signature-not-canonical", "the group's order is added to S", |h| {
        wire(h, |w| {
            let at = w.len() - 32;
            plus_order(&mut w[at..]);
        })
    }),
    forged(
        "signature-of-another-label",
        "the owner's signature of these bytes as another kind of message",
        |h| {
            let p = payload(h);
            let signature = h.small.owner.sign(Label::ChallengeSignature, &p);
            with(h, framed(&p, signature.as_bytes()))
        },
    ),
    forged("signature-of-generation-before", "generation 2 with the signature of generation 1", |h| {
        on_the_way(h, |e| e.generation = 2)
    }),
    forged(
        "signature-under-small-order-key",
        "the reader pinned the identity, for which this is a signature to lenient verifiers",
        |h| {
            let mut identity = [0; 32];
            identity[0] = 1;
            let mut e = h.small.envelope.clone();
            e.owner = OwnerKey(identity);
            // R = identity, S = 0: S·B = R + k·A whatever k is.
            let signature = [&identity[..], &[0; 32]].concat();
            Broken { owner: identity, ..with(h, framed(&e.to_bytes(), &signature)) }
        },
    ),
    forged(
        "signature-of-small-order-key-alone",
        "the reader pinned the identity; R is a point like any other",
        |h| Broken { owner: IDENTITY, ..with(h, h.small_order_key(IDENTITY)) },
    ),
    forged(
        "signature-under-key-not-reduced",
        "the reader pinned the identity with a y above the modulus",
        |h| {
            let mut key = [0xff; 32];
            (key[0], key[31]) = (0xee, 0x7f);
            Broken { owner: key, ..with(h, h.small_order_key(key)) }
        },
    ),
    forged("signature-small-order-r", "the owner's key; R is the identity, and the equation holds", |h| {
        with(h, h.owners_signature(Scalar::ZERO, EdwardsPoint::identity()))
    }),
    forged(
        "signature-needs-cofactor",
        "the owner's key; a point of order 8 is added to R: the equation holds only when both sides are multiplied by 8",
        |h| with(h, h.owners_signature(Scalar::from(77u8), EIGHT_TORSION[1])),
    ),
    forged("signed-by-a-gateway", "owner key and signature are replaced, consistently", |h| {
        let mut e = h.small.envelope.clone();
        e.owner = OwnerKey(h.other.pinned());
        with(h, SignedEnvelope::new(&e, &h.other.owner).to_bytes())
    }),
    forged("another-owners-object", "another owner's object as it is", |h| Broken {
        owner: h.small.pinned(),
        ..h.other.broken(h.other.signed(), h.other.body[..100].to_vec())
    }),
    case(
        "owner-named-inside-is-another",
        "owner-mismatch",
        "signed by the pinned owner, naming another",
        |h| with(h, h.small.resigned(|e| e.owner = OwnerKey([3; 32]))),
        Nothing,
    ),
    forged("bit-of-version-flipped", "a bit of the version is flipped", |h| wire(h, |w| w[6] ^= 1)),
    forged("bit-of-object-id-flipped", "a bit of the object id is flipped", |h| {
        on_the_way(h, |e| e.object.0[0] ^= 1)
    }),
    forged("bit-of-size-flipped", "a bit of the size is flipped", |h| on_the_way(h, |e| e.body.size ^= 1)),
    forged("recipient-stripped", "the second recipient is taken out on the way", |h| {
        on_the_way(h, |e| drop(e.recipients.pop()))
    }),
    forged("recipient-added", "a recipient is added on the way", |h| {
        on_the_way(h, |e| e.recipients.push(h.other.envelope.recipients[0].clone()))
    }),
    forged("recipients-reordered", "the recipients are exchanged on the way", |h| {
        on_the_way(h, |e| e.recipients.reverse())
    }),
    forged("commitment-stripped", "the storage commitment is taken out on the way", |h| {
        on_the_way(h, |e| e.commitment = None)
    }),
    forged("policy-stripped", "the policy's digest is taken out on the way", |h| {
        on_the_way(h, |e| e.policy = None)
    }),
];
