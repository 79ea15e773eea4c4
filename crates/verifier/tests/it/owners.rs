//! Whose objects they are: envelopes count only under an anchored owner's signature.

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_verifier::{ReasonCode, Verdict};

use crate::world::{Scene, challenge_for, envelopes, key, signed_envelope};

/// A gateway replaces owner key, signature and body commitments by its own and answers perfectly for them.
#[test]
fn owner_replaced_by_a_gateway_supports_nothing() {
    let mut s = Scene::honest();
    let mut forged = envelopes();
    forged[0].owner = OwnerKey(key("gateway").public());
    forged.sort_by_key(bailiwick_protocol::envelope::Envelope::name);
    s.ask(&challenge_for(&forged, s.challenge().vk), "host");
    s.bundle.envelopes = forged
        .iter()
        .map(|e| {
            if e.owner.0 == key("gateway").public() {
                SignedEnvelope::new(e, &key("gateway"))
            } else {
                signed_envelope(e)
            }
        })
        .collect();
    s.expect(Verdict::Inconclusive, ReasonCode::OwnerNotAnchored);
}

/// The owner's name kept, the signature made with another key.
#[test]
fn envelope_signed_by_another_key_supports_nothing() {
    let mut s = Scene::honest();
    s.bundle.envelopes[0] = SignedEnvelope::new(&envelopes()[0], &key("gateway"));
    s.expect(Verdict::Inconclusive, ReasonCode::EnvelopeNotByOwner);
    s.bundle.envelopes[0] = signed_envelope(&envelopes()[0]);
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// One owner's anchored key signs an object in another owner's name.
#[test]
fn envelope_signed_by_another_owner_supports_nothing() {
    let mut s = Scene::honest();
    let e = &envelopes()[0];
    let other = if key("alice").public() == e.owner.0 { "bob" } else { "alice" };
    s.bundle.envelopes[0] = SignedEnvelope::new(e, &key(other));
    s.expect(Verdict::Inconclusive, ReasonCode::EnvelopeNotByOwner);
}

/// Missing, extra, reordered and repeated evidence.
#[test]
fn envelopes_must_match_the_targets_one_for_one() {
    let mut missing = Scene::honest();
    missing.bundle.envelopes.pop();
    missing.expect(Verdict::Inconclusive, ReasonCode::EnvelopeCount);

    let mut extra = Scene::honest();
    let again = extra.bundle.envelopes[0].clone();
    extra.bundle.envelopes.push(again.clone());
    extra.expect(Verdict::Inconclusive, ReasonCode::EnvelopeCount);

    let mut repeated = Scene::honest();
    let last = repeated.bundle.envelopes.len() - 1;
    repeated.bundle.envelopes[last] = again;
    assert_eq!(repeated.stored().verdict, Verdict::Inconclusive);

    let mut reordered = Scene::honest();
    reordered.bundle.envelopes.reverse();
    assert_eq!(reordered.stored().verdict, Verdict::Inconclusive);
    reordered.bundle.envelopes.reverse();
    reordered.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// A root no cell tree has (at or above the field's modulus), signed by an owner: nobody could answer, so nobody failed.
#[test]
fn challenge_without_a_statement_is_not_the_hosts_failure() {
    let mut s = Scene::honest();
    let mut list = envelopes();
    list[0].commitment.as_mut().unwrap().root.0 = [0xff; 32];
    let mut c = s.challenge();
    c.targets = list.iter().map(|e| Target::of(e).unwrap()).collect();
    let proof = crate::world::auditors_trapdoor().forge(&s.challenge());
    s.bundle.challenge = bailiwick_protocol::challenge::SignedChallenge::new(&c, &key("auditor"));
    s.bundle.envelopes = list.iter().map(signed_envelope).collect();
    s.bundle.answer = crate::world::response(&c, Ok(proof), "host");
    s.expect(Verdict::Inconclusive, ReasonCode::NoStatement);
}
