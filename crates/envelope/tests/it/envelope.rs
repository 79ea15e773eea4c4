//! Attacks on the envelope.

use bailiwick_envelope::{OpenError, Opener, commit, verify};
use bailiwick_protocol::codec::{Canonical as _, CodecError};
use bailiwick_protocol::envelope::{CellCommitment, SignedEnvelope};
use bailiwick_protocol::ids::{CellRoot, ObjectId, OwnerKey};
use bailiwick_protocol::secret::Secret;
use bailiwick_protocol::signing::SigningKey;

use super::fixture::Object;

fn object() -> Object {
    Object::new(5000, 1)
}

fn refused(object: &Object, envelope: &[u8]) -> OpenError {
    let (result, out) = object.open_with(envelope, &object.body);
    assert!(out.is_empty(), "plaintext released under a bad envelope");
    result.unwrap_err()
}

/// A change made without the owner's key: the signature no longer fits.
fn unsigned(object: &Object, change: impl FnOnce(&mut bailiwick_protocol::envelope::Envelope)) -> Vec<u8> {
    let mut envelope = object.decoded();
    change(&mut envelope);
    let payload = envelope.to_bytes();
    let (start, end) = (object.envelope.len() - 66, object.envelope.len());
    let mut e = bailiwick_protocol::codec::Encoder::new();
    e.array(2);
    e.bytes(&payload);
    [e.into_bytes(), object.envelope[start..end].to_vec()].concat()
}

fn bad_signature(error: &OpenError) -> bool {
    matches!(error, OpenError::Envelope(CodecError::BadSignature))
}

#[test]
fn honest_twin_and_an_unchanged_copy_open() {
    let object = object();
    assert_eq!(unsigned(&object, |_| {}), object.envelope);
    assert_eq!(object.open().1, object.data);
}

/// E15: another object id or unit, even signed by the owner, does not open this body: both are bound into the keys.
#[test]
fn e15_wrong_context() {
    let object = object();
    let renamed = object.resigned(|e| e.object = ObjectId([9; 16]));
    assert!(matches!(refused(&object, &renamed), OpenError::NoRecipient));
    let moved = object.resigned(|e| e.unit.replica = 1);
    assert!(matches!(refused(&object, &moved), OpenError::KeyCommitment));
    // Another owner signs the same entries and body as hers.
    let thief = SigningKey::from_seed(&Secret::init_with(|b| *b = [8; 32]));
    let mut envelope = object.decoded();
    envelope.owner = OwnerKey(thief.public());
    let stolen = SignedEnvelope::new(&envelope, &thief).to_bytes();
    let keys = [super::keys::copy(&object.reader)];
    let result = Opener::new(&OwnerKey(thief.public()), &stolen, &keys);
    assert!(matches!(result, Err(OpenError::NoRecipient)), "{result:?}");
}

/// E17: a recipient taken out on the way.
#[test]
fn e17_recipient_stripped() {
    let object = object();
    let envelope = unsigned(&object, |e| drop(e.recipients.pop()));
    assert!(bad_signature(&refused(&object, &envelope)));
}

/// E18: a recipient added on the way.
#[test]
fn e18_recipient_added() {
    let object = object();
    let envelope = unsigned(&object, |e| e.recipients.push(e.recipients[0].clone()));
    assert!(bad_signature(&refused(&object, &envelope)));
}

/// E19: recipients in another order.
#[test]
fn e19_recipients_reordered() {
    let object = object();
    let envelope = unsigned(&object, |e| e.recipients.reverse());
    assert!(bad_signature(&refused(&object, &envelope)));
}

/// E20: every bit of the envelope: never opens, never releases, never panics.
#[test]
fn e20_every_bit_flip_is_refused() {
    let object = object();
    for at in 0..object.envelope.len() {
        for bit in 0..8 {
            let mut envelope = object.envelope.clone();
            envelope[at] ^= 1 << bit;
            assert!(verify(&object.pinned, &envelope).is_err(), "byte {at} bit {bit}");
        }
    }
    verify(&object.pinned, &object.envelope).unwrap();
}

/// E20: every cut of the envelope.
#[test]
fn e20_every_truncation_is_refused() {
    let object = object();
    for len in 0..object.envelope.len() {
        assert!(verify(&object.pinned, &object.envelope[..len]).is_err(), "{len}");
    }
    let longer = [&object.envelope[..], &[0]].concat();
    assert!(matches!(refused(&object, &longer), OpenError::Envelope(CodecError::Trailing { left: 1 })));
}

/// E22: other encodings of the same values, signed by the owner: only the canonical one is an envelope.
#[test]
fn e22_noncanonical_cbor() {
    let object = object();
    let payload = object.payload();
    assert_eq!(payload[0], 0xa8, "a map of eight");
    assert_eq!(&payload[1..5], &[0, 1, 1, 1], "version and suite");
    let wide_version = [&payload[..2], &[0x18, 1], &payload[3..]].concat();
    let wide_key = [&payload[..1], &[0x18, 0], &payload[2..]].concat();
    let indefinite = [&[0xbf], &payload[1..], &[0xff]].concat();
    let wide_map = [&[0xb8, 8], &payload[1..]].concat();
    let swapped = [&payload[..1], &[1, 1, 0, 1], &payload[5..]].concat();
    let repeated = [&[0xa9, 0, 1], &payload[1..]].concat();
    let tagged = [&[0xc0], &payload[..]].concat();
    for (name, bad) in [
        ("wide version", wide_version),
        ("wide key", wide_key),
        ("indefinite map", indefinite),
        ("wide map header", wide_map),
        ("unsorted keys", swapped),
        ("repeated key", repeated),
        ("tag", tagged),
    ] {
        let error = refused(&object, &object.signed_payload(&bad));
        assert!(
            matches!(&error, OpenError::Envelope(e) if *e != CodecError::BadSignature),
            "{name}: {error:?}"
        );
    }
    assert_eq!(object.signed_payload(&payload), object.envelope);
}

/// E23: another version, suite, body format or mechanism, signed by the owner: refused, not guessed at.
#[test]
fn e23_unknown_version_and_suite() {
    let object = object();
    for at in [2, 4] {
        for value in [0, 2] {
            let mut payload = object.payload();
            assert_eq!(payload[at], 1);
            payload[at] = value;
            let error = refused(&object, &object.signed_payload(&payload));
            assert!(
                matches!(&error, OpenError::Envelope(CodecError::UnknownVersion { found, .. }) if *found == u64::from(value)),
                "{error:?}"
            );
        }
    }
    let envelope = object.resigned(|e| e.body.format = 2);
    let error = refused(&object, &envelope);
    assert!(
        matches!(error, OpenError::Envelope(CodecError::UnknownVersion { what: "body format", .. })),
        "{error:?}"
    );
}

/// A gateway replaces the owner key inside the envelope and signs with its own: it opens for nobody who pinned the owner.
#[test]
fn gateway_replacing_owner_and_signature_is_refused() {
    let object = object();
    let gateway = SigningKey::from_seed(&Secret::init_with(|b| *b = [8; 32]));
    let mut envelope = object.decoded();
    envelope.owner = OwnerKey(gateway.public());
    let replaced = SignedEnvelope::new(&envelope, &gateway).to_bytes();
    assert!(bad_signature(&refused(&object, &replaced)));
    // It is consistent in itself, which is why that is not enough.
    assert!(SignedEnvelope::from_bytes(&replaced).unwrap().verify(&gateway.public()).is_ok());
}

/// Signed by the pinned key, but naming another owner.
#[test]
fn owner_named_inside_must_be_the_pinned_one() {
    let object = object();
    let envelope = object.resigned(|e| e.owner = OwnerKey([7; 32]));
    assert!(matches!(refused(&object, &envelope), OpenError::OwnerMismatch));
}

/// `commit` raises the generation, keeps everything else, and binds the number of cells.
#[test]
fn commit_changes_generation_and_commitment_only() {
    let object = object();
    let before = object.decoded();
    let cells = before.body.size.div_ceil(496);
    let commitment = CellCommitment { root: CellRoot([0; 32]), cells };
    let signed = commit(before.clone(), commitment.clone(), &object.owner).unwrap();
    let mut after = verify(&object.pinned, &signed.to_bytes()).unwrap();
    assert_eq!((after.generation, after.commitment.take()), (2, Some(commitment)));
    after.generation = 1;
    assert_eq!(after, before);
    assert_eq!(object.open_with(&signed.to_bytes(), &object.body).1, object.data);
    for wrong in [0, cells - 1, cells + 1] {
        let wrong = CellCommitment { root: CellRoot([0; 32]), cells: wrong };
        commit(before.clone(), wrong, &object.owner).unwrap_err();
    }
    let other = SigningKey::from_seed(&Secret::init_with(|b| *b = [8; 32]));
    commit(before, CellCommitment { root: CellRoot([0; 32]), cells }, &other).unwrap_err();
}
