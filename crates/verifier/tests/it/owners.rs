//! Whose objects they are: envelopes count only under an anchored owner's signature.

use bailiwick_protocol::challenge::Target;
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::OwnerKey;
use bailiwick_verifier::{ReasonCode, Scope, Verdict};

use crate::world::{POLICY, Scene, challenge_for, envelope, envelopes, hex, key, signed_envelope};

/// A gateway replaces owner key, signature and body commitments by its own and answers perfectly for them.
#[test]
fn owner_replaced_by_a_gateway_supports_nothing() {
    let mut s = Scene::honest();
    let mut forged = envelopes();
    forged[0].owner = OwnerKey(key("gateway").public());
    forged.sort_by_key(Envelope::name);
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

/// However many objects are at fault, eight are named and the rest are counted.
#[test]
fn objects_at_fault_are_named_up_to_eight_and_then_counted() {
    for n in [1u8, 7, 8, 9, 12] {
        let mut list: Vec<_> = (1..=n).map(|i| envelope("alice", i, 600)).collect();
        list.sort_by_key(Envelope::name);
        let mut s = Scene::honest();
        s.ask(&challenge_for(&list, s.challenge().vk), "host");
        s.bundle.envelopes = list.iter().map(signed_envelope).collect();
        s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
        s.bundle.envelopes = list.iter().map(|e| SignedEnvelope::new(e, &key("gateway"))).collect();
        let reasons = s.stored().reasons;
        assert!(reasons.iter().all(|r| r.code == ReasonCode::EnvelopeNotByOwner));
        let named = reasons.iter().filter(|r| r.text.starts_with("object ")).count();
        assert_eq!(named, usize::from(n.min(8)), "{n}");
        let rest: Vec<_> = reasons.iter().skip(named).map(|r| r.text.as_str()).collect();
        match n {
            0..=8 => assert!(rest.is_empty(), "{rest:?}"),
            _ => assert!(rest.len() == 1 && rest[0].starts_with(&format!("and {} more", n - 8)), "{rest:?}"),
        }
    }
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

/// P02: where a scope has several parts, the one least likely to be noticed decides, not the best.
#[test]
fn p02_the_least_likely_part_of_a_scope_decides() {
    let with = |scope: &str, min: f64| {
        let mut s = Scene::honest();
        s.policy =
            POLICY.replace("min_detection = 0.5", &format!("min_detection = {min}\nscope = \"{scope}\""));
        s
    };
    for (scope, kind) in [("owner", Scope::Owner), ("object", Scope::Object)] {
        let numbers = with(scope, 0.5).stored().numbers;
        let half = |d: &bailiwick_verifier::ScopeDetection| {
            d.losses.iter().find(|l| l.lost_fraction == 0.5).unwrap().probability
        };
        let mut parts: Vec<f64> = numbers.detection.iter().filter(|d| d.scope == kind).map(half).collect();
        parts.sort_by(f64::total_cmp);
        let (least, most) = (parts[0], parts[parts.len() - 1]);
        assert!(least < most);
        with(scope, f64::midpoint(least, most))
            .expect(Verdict::Inconclusive, ReasonCode::DetectionBelowPolicy);
        with(scope, least).expect(Verdict::Supported, ReasonCode::ProofVerifies);
    }
}

/// P02: the loss the policy speaks of is judged and printed, in its place among the others, once.
#[test]
fn p02_the_policys_own_loss_is_judged_and_printed() {
    for (loss, printed) in [
        ("0.9", vec![0.01, 0.1, 0.5, 0.9]),
        ("0.05", vec![0.01, 0.05, 0.1, 0.5]),
        ("0.1", vec![0.01, 0.1, 0.5]),
    ] {
        let mut s = Scene::honest();
        s.policy = POLICY
            .replace("lost_fraction = 0.5", &format!("lost_fraction = {loss}"))
            .replace("min_detection = 0.5", "min_detection = 0.6");
        let stored = s.stored();
        assert_eq!(stored.verdict == Verdict::Supported, loss == "0.9", "one sample finds a loss of {loss}");
        for d in stored.numbers.detection {
            assert_eq!(d.losses.iter().map(|l| l.lost_fraction).collect::<Vec<_>>(), printed);
        }
    }
}

/// An owner whom the policy names and the audit does not: there are no cells to print a figure about.
#[test]
fn an_absent_owner_has_no_figures() {
    let with = |owner: &str| {
        let mut s = Scene::honest();
        s.policy.push_str(&format!("owners = [\"{}\"]\n", hex(owner)));
        s.stored().numbers.detection
    };
    assert!(with("carol").is_empty());
    assert!(!with("bob").is_empty());
}
