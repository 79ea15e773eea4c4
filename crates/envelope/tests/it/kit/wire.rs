//! E17 to E20: the envelope as it travels: frame and signature.

use bailiwick_protocol::codec::Canonical as _;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_protocol::labels::Label;

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
    case("envelope-empty", "envelope-malformed", "no envelope", |h| with(h, Vec::new()), Nothing),
    case(
        "envelope-cut",
        "envelope-malformed",
        "the last byte is missing",
        |h| wire(h, |w| w.truncate(w.len() - 1)),
        Nothing,
    ),
    case(
        "envelope-cut-within-payload",
        "envelope-malformed",
        "cut within the payload",
        |h| wire(h, |w| w.truncate(100)),
        Nothing,
    ),
    case("envelope-byte-more", "envelope-malformed", "a byte follows", |h| wire(h, |w| w.push(0)), Nothing),
    case(
        "envelope-twice",
        "envelope-malformed",
        "the envelope stands twice",
        |h| wire(h, |w| w.extend_from_within(..)),
        Nothing,
    ),
    case(
        "envelope-too-long",
        "envelope-limit",
        "300,000 zeros after the envelope",
        |h| wire(h, |w| w.resize(300_000, 0)),
        Nothing,
    ),
    case(
        "envelope-length-lies",
        "envelope-malformed",
        "the payload claims 2^62 bytes",
        |h| {
            let lie = [&head(4, 2)[..], &wide_head(2, 1 << 62, 27), &payload(h)].concat();
            with(h, lie)
        },
        Nothing,
    ),
    case(
        "frame-indefinite",
        "envelope-malformed",
        "the array of payload and signature has no declared length",
        |h| {
            wire(h, |w| {
                w[0] = 0x9f;
                w.push(0xff);
            })
        },
        Nothing,
    ),
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
    case(
        "frame-of-three",
        "envelope-malformed",
        "an array of three",
        |h| {
            wire(h, |w| {
                w[0] = 0x83;
                w.push(0);
            })
        },
        Nothing,
    ),
    case(
        "frame-payload-text",
        "envelope-malformed",
        "the payload is a text string",
        |h| wire(h, |w| w[1] |= 0x20),
        Nothing,
    ),
    case(
        "frame-without-signature",
        "envelope-malformed",
        "the payload alone, outside a frame",
        |h| with(h, payload(h)),
        Nothing,
    ),
    case(
        "signature-short",
        "envelope-malformed",
        "63 bytes of signature",
        |h| with(h, framed(&payload(h), &h.small.signature()[..63])),
        Nothing,
    ),
    case(
        "signature-changed",
        "envelope-signature",
        "a bit of the signature is flipped",
        |h| wire(h, |w| *w.last_mut().unwrap() ^= 1),
        Nothing,
    ),
    case(
        "signature-zero",
        "envelope-signature",
        "a signature of zeros",
        |h| with(h, framed(&payload(h), &[0; 64])),
        Nothing,
    ),
    case(
        "signature-not-canonical",
        "envelope-signature",
        "the group's order is added to S",
        |h| {
            wire(h, |w| {
                let at = w.len() - 32;
                plus_order(&mut w[at..]);
            })
        },
        Nothing,
    ),
    case(
        "signature-of-another-label",
        "envelope-signature",
        "the owner's signature of these bytes as another kind of message",
        |h| {
            let p = payload(h);
            let signature = h.small.owner.sign(Label::ChallengeSignature, &p);
            with(h, framed(&p, signature.as_bytes()))
        },
        Nothing,
    ),
    case(
        "signature-of-generation-before",
        "envelope-signature",
        "generation 2 with the signature of generation 1",
        |h| with(h, h.small.unsigned(|e| e.generation = 2)),
        Nothing,
    ),
    case(
        "signature-under-small-order-key",
        "envelope-signature",
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
        Nothing,
    ),
    case(
        "signed-by-a-gateway",
        "envelope-signature",
        "owner key and signature are replaced, consistently",
        |h| {
            let mut e = h.small.envelope.clone();
            e.owner = OwnerKey(h.other.pinned());
            with(h, SignedEnvelope::new(&e, &h.other.owner).to_bytes())
        },
        Nothing,
    ),
    case(
        "another-owners-object",
        "envelope-signature",
        "another owner's object as it is",
        |h| Broken {
            owner: h.small.pinned(),
            ..h.other.broken(h.other.signed(), h.other.body[..100].to_vec())
        },
        Nothing,
    ),
    case(
        "owner-named-inside-is-another",
        "owner-mismatch",
        "signed by the pinned owner, naming another",
        |h| with(h, h.small.resigned(|e| e.owner = OwnerKey([3; 32]))),
        Nothing,
    ),
    case(
        "bit-of-version-flipped",
        "envelope-signature",
        "a bit of the version is flipped",
        |h| wire(h, |w| w[6] ^= 1),
        Nothing,
    ),
    case(
        "bit-of-object-id-flipped",
        "envelope-signature",
        "a bit of the object id is flipped",
        |h| with(h, h.small.unsigned(|e| e.object.0[0] ^= 1)),
        Nothing,
    ),
    case(
        "bit-of-size-flipped",
        "envelope-signature",
        "a bit of the size is flipped",
        |h| with(h, h.small.unsigned(|e| e.body.size ^= 1)),
        Nothing,
    ),
    case(
        "recipient-stripped",
        "envelope-signature",
        "the second recipient is taken out on the way",
        |h| with(h, h.small.unsigned(|e| drop(e.recipients.pop()))),
        Nothing,
    ),
    case(
        "recipient-added",
        "envelope-signature",
        "a recipient is added on the way",
        |h| with(h, h.small.unsigned(|e| e.recipients.push(h.other.envelope.recipients[0].clone()))),
        Nothing,
    ),
    case(
        "recipients-reordered",
        "envelope-signature",
        "the recipients are exchanged on the way",
        |h| with(h, h.small.unsigned(|e| e.recipients.reverse())),
        Nothing,
    ),
    case(
        "commitment-stripped",
        "envelope-signature",
        "the storage commitment is taken out on the way",
        |h| with(h, h.small.unsigned(|e| e.commitment = None)),
        Nothing,
    ),
    case(
        "policy-stripped",
        "envelope-signature",
        "the policy's digest is taken out on the way",
        |h| with(h, h.small.unsigned(|e| e.policy = None)),
        Nothing,
    ),
];
