//! A proof counts for one challenge, one set of objects, one host, one auditor, one key.

use bailiwick_protocol::challenge::{Challenge, SignedChallenge};
use bailiwick_protocol::envelope::SignedEnvelope;
use bailiwick_protocol::ids::{AuditorKey, HostKey, Nonce};
use bailiwick_verifier::{ReasonCode, Unusable, Verdict};

use crate::world::{Scene, auditors_trapdoor, challenge_for, envelope, key, response, signed_envelope};

/// P05: yesterday's signed answer in a bundle for today's challenge.
#[test]
fn p05_replayed_answer_supports_nothing() {
    let mut s = Scene::honest();
    let mut today = s.challenge();
    today.nonce = Nonce([8; 32]);
    s.bundle.challenge = SignedChallenge::new(&today, &key("auditor"));
    s.expect(Verdict::Inconclusive, ReasonCode::AnswerToAnotherChallenge);
    s.ask(&today, "host");
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P05: yesterday's proof, signed again by the host for today's challenge: the host's own lie refutes it.
#[test]
fn p05_replayed_proof_signed_again_is_refuted() {
    let mut s = Scene::honest();
    let yesterday = auditors_trapdoor().forge(&s.challenge());
    let mut today = s.challenge();
    today.nonce = Nonce([8; 32]);
    s.ask(&today, "host");
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    s.bundle.answer = response(&today, Ok(yesterday), "host");
    s.expect(Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
}

/// Z06, P05-P07: a proof for a challenge that differs in one field, one field at a time.
#[test]
fn z06_proof_of_another_context_is_refuted() {
    let changes: [fn(&mut Challenge); 8] = [
        |c| c.nonce.0[31] ^= 1,
        |c| c.epoch = 1,
        |c| c.host = HostKey(key("other host").public()),
        |c| c.auditor = AuditorKey(key("other auditor").public()),
        |c| c.vk.0[0] ^= 1,
        |c| c.targets[0].generation += 1,
        |c| c.targets[0].blake3.0[0] ^= 1,
        |c| c.targets.truncate(1),
    ];
    let honest = Scene::honest();
    for (i, change) in changes.into_iter().enumerate() {
        let mut other = honest.challenge();
        change(&mut other);
        let mut s = Scene::honest();
        s.bundle.answer = response(&honest.challenge(), Ok(auditors_trapdoor().forge(&other)), "host");
        let stored = s.stored();
        assert_eq!(stored.verdict, Verdict::Refuted, "field {i}");
        assert_eq!(stored.reasons[0].code, ReasonCode::ProofDoesNotVerify, "field {i}");
    }
    honest.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P06: challenge and proof about one object, envelopes of another.
#[test]
fn p06_proof_for_another_object_supports_nothing() {
    let mut s = Scene::honest();
    let mut other = envelope("alice", 1, 20_000);
    other.body.blake3.0[0] ^= 1;
    let at = s.challenge().targets.iter().position(|t| t.name == other.name()).unwrap();
    s.bundle.envelopes[at] = signed_envelope(&other);
    s.expect(Verdict::Inconclusive, ReasonCode::EnvelopeDiffers);
}

/// P06: every field the owner signed about the body must be the one the challenge speaks of.
#[test]
fn p06_each_field_of_a_target_is_compared() {
    let changes: [fn(&mut bailiwick_protocol::envelope::Envelope); 5] = [
        |e| e.generation = 2,
        |e| e.body.blake3.0[5] ^= 1,
        |e| e.commitment.as_mut().unwrap().root.0[0] ^= 1,
        |e| e.object.0[0] ^= 1,
        |e| e.commitment = None,
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let mut s = Scene::honest();
        let mut e = crate::world::envelopes()[0].clone();
        change(&mut e);
        s.bundle.envelopes[0] = signed_envelope(&e);
        assert_eq!(s.stored().reasons[0].code, ReasonCode::EnvelopeDiffers, "field {i}");
        assert_eq!(s.stored().verdict, Verdict::Inconclusive, "field {i}");
    }
}

/// P07: another auditor's challenge and answer in a bundle of one's own.
#[test]
fn p07_another_auditors_challenge_supports_nothing() {
    let mut s = Scene::honest();
    s.signer = "other auditor";
    s.bundle.auditor = AuditorKey(key("other auditor").public());
    s.expect(Verdict::Inconclusive, ReasonCode::ChallengeNotByAuditor);
    // The same challenge, taken over and signed by the other auditor: it still names the first.
    s.bundle.challenge = SignedChallenge::new(&s.challenge(), &key("other auditor"));
    s.expect(Verdict::Inconclusive, ReasonCode::ChallengeNamesAnotherAuditor);
}

/// P07: a bundle in another auditor's name.
#[test]
fn p07_bundle_in_another_auditors_name_is_unusable() {
    let mut s = Scene::honest();
    s.signer = "other auditor";
    assert!(matches!(s.verify(), Err(Unusable::AnotherAuditorsName { .. })));
    s.signer = "auditor";
    assert!(s.verify().is_ok());
}

/// A bundle of someone the reader does not know.
#[test]
fn bundle_of_an_unanchored_auditor_is_unusable() {
    let mut s = Scene::honest();
    s.signer = "mallory";
    s.bundle.auditor = AuditorKey(key("mallory").public());
    s.bundle.challenge = SignedChallenge::new(&s.challenge(), &key("mallory"));
    assert_eq!(s.verify().unwrap_err(), Unusable::UnknownAuditor);
}

/// A key counts in the role it is anchored in: an owner is no host, a host no owner, and neither an auditor.
#[test]
fn a_key_counts_in_its_own_role_only() {
    let mut s = Scene::honest();
    let mut c = s.challenge();
    c.host = HostKey(key("alice").public());
    s.ask(&c, "alice");
    s.expect(Verdict::Inconclusive, ReasonCode::HostNotAnchored);

    let mut s = Scene::honest();
    let own = envelope("host", 9, 3_000);
    s.ask(&challenge_for(std::slice::from_ref(&own), s.challenge().vk), "host");
    s.bundle.envelopes = vec![SignedEnvelope::new(&own, &key("host"))];
    s.expect(Verdict::Inconclusive, ReasonCode::OwnerNotAnchored);

    let mut s = Scene::honest();
    s.signer = "host";
    assert_eq!(s.verify().unwrap_err(), Unusable::UnknownAuditor, "in an auditor's name");
    s.bundle.auditor = AuditorKey(key("host").public());
    assert_eq!(s.verify().unwrap_err(), Unusable::UnknownAuditor, "in its own name");
    Scene::honest().expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P04, Z06: one host answers for another; the answer is not the challenged host's.
#[test]
fn p04_another_hosts_answer_supports_nothing() {
    let mut s = Scene::honest();
    let c = s.challenge();
    s.bundle.answer = response(&c, Ok(auditors_trapdoor().forge(&c)), "other host");
    s.expect(Verdict::Inconclusive, ReasonCode::AnswerNotByHost);
    // Its twin: the other host, challenged itself.
    let mut theirs = c;
    theirs.host = HostKey(key("other host").public());
    s.ask(&theirs, "other host");
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P04: the proof one host made, signed by the other for its own challenge.
#[test]
fn p04_another_hosts_proof_is_refuted() {
    let mut s = Scene::honest();
    let first = auditors_trapdoor().forge(&s.challenge());
    let mut theirs = s.challenge();
    theirs.host = HostKey(key("other host").public());
    s.ask(&theirs, "other host");
    s.bundle.answer = response(&theirs, Ok(first), "other host");
    s.expect(Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
}

/// A host the reader did not anchor neither supports nor refutes, however valid its proof.
#[test]
fn unanchored_host_is_inconclusive() {
    let mut s = Scene::honest();
    let mut c = s.challenge();
    c.host = HostKey(key("mallory").public());
    s.ask(&c, "mallory");
    s.expect(Verdict::Inconclusive, ReasonCode::HostNotAnchored);
}
