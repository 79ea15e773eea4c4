//! A dealing shown with an envelope it was not made for: each difference has its name.

use bailiwick_custody::{Context, OtherContext};
use bailiwick_protocol::envelope::{BODY_FORMAT_COBBLESTONE_256, BodyInfo, Envelope, SUITE};
use bailiwick_protocol::ids::{ContentId, ObjectId, OwnerKey, RosterDigest, Unit};

use super::case::{Case, context};

fn envelope() -> Envelope {
    let c = context();
    Envelope {
        suite: SUITE,
        owner: c.owner,
        object: c.object,
        unit: Unit::WHOLE,
        shards: None,
        body: BodyInfo {
            format: BODY_FORMAT_COBBLESTONE_256,
            salt: [0; 24],
            key_commitment: c.key_commitment,
            size: 72,
            blake3: ContentId([0; 32]),
        },
        commitment: None,
        further_commitments: Vec::new(),
        generation: 7,
        recipients: Vec::new(),
        passphrase: None,
        custody: None,
        policy: c.policy,
    }
}

fn found(change: impl FnOnce(&mut Envelope)) -> Result<(), OtherContext> {
    let mut envelope = envelope();
    change(&mut envelope);
    Case::new(3, 2).dealt.dealing.belongs_to(&envelope)
}

#[test]
fn it_belongs_to_its_own_envelope_and_to_later_generations() {
    assert_eq!(found(|_| ()), Ok(()));
    assert_eq!(found(|e| e.generation = 100), Ok(()));
}

#[test]
fn replayed_for_another_owner() {
    assert_eq!(found(|e| e.owner = OwnerKey([9; 32])), Err(OtherContext::Owner));
}

#[test]
fn replayed_for_another_object() {
    assert_eq!(found(|e| e.object = ObjectId([9; 16])), Err(OtherContext::Object));
}

#[test]
fn replayed_for_another_body_of_the_object() {
    assert_eq!(found(|e| e.body.key_commitment = [9; 32]), Err(OtherContext::Body));
}

#[test]
fn replayed_under_another_policy() {
    assert_eq!(found(|e| e.policy = Some([9; 32])), Err(OtherContext::Policy));
    assert_eq!(found(|e| e.policy = None), Err(OtherContext::Policy));
}

#[test]
fn replayed_in_an_earlier_generation() {
    assert_eq!(found(|e| e.generation = 6), Err(OtherContext::Generation { dealt: 7, found: 6 }));
}

#[test]
fn the_next_context_is_that_of_the_envelope() {
    let mut envelope = envelope();
    envelope.generation = 6;
    assert_eq!(Context::next_of(&envelope, RosterDigest([5; 32])), context());
}
