//! Verifying keys: found by digest in the anchors, judged by provenance, never by what a bundle or a key says.

use std::collections::BTreeMap;

use bailiwick_protocol::ids::{AuditorKey, ClassId, VkDigest};
use bailiwick_protocol::labels::Label;
use bailiwick_verifier::{AssumptionCode, Label as Warning, ReasonCode, Verdict};

use crate::trapdoor::Trapdoor;
use crate::world::{Scene, anchored_key, auditors_trapdoor, hex, key, principals, response, set_up_by};

fn with_provenance(provenance: &str) -> Scene {
    let mut s = Scene::honest();
    s.anchors = principals() + &anchored_key(s.challenge().vk, provenance);
    s
}

/// Z11: a proof forged with a development key's trapdoor verifies, and supports nothing.
#[test]
fn z11_development_key_never_supports() {
    let s = with_provenance("\"development\"");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyIsDevelopment);
    let report = s.report();
    assert_eq!(report.exit_code, 2);
    assert!(report.labels.contains(&Warning::DevelopmentKey));
    with_provenance(&set_up_by("auditor")).expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// Z11: a host that fails under a development key has still failed.
#[test]
fn z11_failure_under_a_development_key_refutes() {
    let mut s = with_provenance("\"development\"");
    let mut other = s.challenge();
    other.epoch = 1;
    s.bundle.answer = response(&s.challenge(), Ok(auditors_trapdoor().forge(&other)), "host");
    s.expect(Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
}

/// An auditor's own key convinces in that auditor's bundles only, and says what it rests on.
#[test]
fn auditors_key_supports_for_that_auditor_only() {
    let theirs = with_provenance(&set_up_by("other auditor"));
    theirs.expect(Verdict::Inconclusive, ReasonCode::KeyOfAnotherAuditor);
    let own = with_provenance(&set_up_by("auditor"));
    own.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    let stored = own.stored();
    let codes: Vec<_> = stored.assumptions.iter().map(|a| a.code).collect();
    assert!(codes.contains(&AssumptionCode::AuditorLeakedNoTrapdoor));
    assert!(codes.contains(&AssumptionCode::AuditorDoesNotCollude));
    assert!(codes.contains(&AssumptionCode::AuditorsClock));
    assert!(own.report().labels.contains(&Warning::SinglePartyKey));
}

/// A forged proof under the first auditor's key, carried by the second: the trapdoor's owner convinces nobody else.
#[test]
fn auditors_key_in_another_auditors_bundle_supports_nothing() {
    let mut s = Scene::honest();
    let mut c = s.challenge();
    c.auditor = AuditorKey(key("other auditor").public());
    s.signer = "other auditor";
    s.bundle.auditor = c.auditor;
    s.ask(&c, "host");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyOfAnotherAuditor);
}

#[test]
fn ceremony_key_supports_and_names_its_assumption() {
    let s =
        with_provenance("\"ceremony\"\ntranscript = \"ab12\"\ncontributors = 5\nbeacon = \"drand round 7\"");
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    assert!(s.stored().assumptions.iter().any(|a| a.code == AssumptionCode::OneHonestContributor));
    let text = s.report().to_json();
    assert!(text.contains("drand round 7") && text.contains("\"contributors\": 5"));
}

/// Z10: a key for another class; refused by what the anchors say of its digest, before any pairing.
#[test]
fn z10_key_of_another_class_supports_nothing() {
    let mut s = Scene::honest();
    let honest_anchors = s.anchors.clone();
    s.anchors = honest_anchors.replace("samples = 1, depth = 3", "samples = 16, depth = 5");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyOfAnotherClass);
    let mut c = s.challenge();
    c.class = ClassId::SMALL;
    s.anchors = honest_anchors;
    s.ask(&c, "host");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyOfAnotherClass);
}

/// Z10: a class is samples *and* depth; a key that differs in one of them is of another circuit.
#[test]
fn z10_a_class_differs_in_samples_alone_or_depth_alone() {
    for other in ["samples = 2, depth = 3", "samples = 1, depth = 4"] {
        let mut s = Scene::honest();
        s.anchors = s.anchors.replace("samples = 1, depth = 3", other);
        s.expect(Verdict::Inconclusive, ReasonCode::KeyOfAnotherClass);
    }
    Scene::honest().expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// What is wrong with the key is said beside what is wrong with the evidence: mending one does not uncover the other.
#[test]
fn obstacles_do_not_hide_what_is_wrong_with_the_key() {
    let codes = |s: &Scene| s.stored().reasons.iter().map(|r| r.code).collect::<Vec<_>>();
    let mut s = with_provenance("\"development\"");
    s.keys.clear();
    assert_eq!(codes(&s), [ReasonCode::KeyMissing, ReasonCode::KeyIsDevelopment]);
    s.policy.push_str(&format!("hosts = [\"{}\"]\n", hex("other host")));
    assert_eq!(codes(&s), [ReasonCode::HostOutsidePolicy, ReasonCode::KeyIsDevelopment]);
    // Twin: a sound key adds nothing.
    let mut twin = Scene::honest();
    twin.policy.clone_from(&s.policy);
    assert_eq!(codes(&twin), [ReasonCode::HostOutsidePolicy]);
}

/// Z10: bytes of another key filed under the right digest.
#[test]
fn z10_key_bytes_must_have_the_digest() {
    let mut s = Scene::honest();
    let other = Trapdoor::new("other circuit").verifying_key();
    s.keys = BTreeMap::from([(s.challenge().vk, other.as_bytes().to_vec())]);
    s.expect(Verdict::Inconclusive, ReasonCode::KeyDiffers);
}

/// Z10: a key nobody anchored, though its bytes are there and the proof verifies.
#[test]
fn z10_unanchored_key_supports_nothing() {
    let mut s = Scene::honest();
    s.anchors = principals();
    s.expect(Verdict::Inconclusive, ReasonCode::KeyNotAnchored);
}

#[test]
fn missing_key_bytes_are_inconclusive() {
    let mut s = Scene::honest();
    s.keys.clear();
    s.expect(Verdict::Inconclusive, ReasonCode::KeyMissing);
}

/// Z07-Z09, Z17: bytes that are no acceptable key, under their own digest. The wrapper's own tests have each lint; here the verdict.
#[test]
fn z17_malformed_key_supports_nothing() {
    let honest = Scene::honest();
    let bytes = honest.keys[&honest.challenge().vk].clone();
    let mut malformed = 0;
    let mut judged = |bad: Vec<u8>| {
        let (mut s, vk) = (Scene::honest(), VkDigest(Label::VerifyingKeyDigest.hash(&bad)));
        let mut challenge = s.challenge();
        challenge.vk = vk;
        s.anchors = principals() + &anchored_key(vk, &set_up_by("auditor"));
        s.keys = [(vk, bad)].into();
        s.ask(&challenge, "host");
        let stored = s.stored();
        assert_ne!(stored.verdict, Verdict::Supported);
        malformed += usize::from(stored.reasons[0].code == ReasonCode::KeyMalformed);
        stored.reasons[0].code
    };
    assert_eq!(judged_twin(&bytes), Verdict::Supported);
    for cut in [0, 1, 31, bytes.len() - 1] {
        assert_eq!(judged(bytes[..cut].to_vec()), ReasonCode::KeyMalformed);
    }
    for i in (0..bytes.len()).step_by(7) {
        let mut bad = bytes.clone();
        bad[i] ^= 1 << (i % 8);
        let code = judged(bad);
        // A change that gives other points in their groups is another key, under which the proof is false.
        assert!(
            matches!(code, ReasonCode::KeyMalformed | ReasonCode::ProofDoesNotVerify),
            "byte {i}: {code:?}"
        );
    }
    assert!(malformed > 4, "some changes must leave the groups");
}

/// The same construction with nothing changed.
fn judged_twin(bytes: &[u8]) -> Verdict {
    let (mut s, vk) = (Scene::honest(), VkDigest(Label::VerifyingKeyDigest.hash(bytes)));
    let challenge = s.challenge();
    assert_eq!(challenge.vk, vk);
    s.ask(&challenge, "host");
    s.stored().verdict
}

/// Bytes that are not those the digest names are not decoded.
#[test]
fn z17_bytes_of_another_digest_support_nothing() {
    let honest = Scene::honest();
    let vk = honest.challenge().vk;
    for at in [0, 40, 100] {
        let mut s = Scene::honest();
        s.keys.get_mut(&vk).unwrap()[at] ^= 1;
        s.expect(Verdict::Inconclusive, ReasonCode::KeyDiffers);
    }
    for cut in [0, 31] {
        let mut s = Scene::honest();
        s.keys.get_mut(&vk).unwrap().truncate(cut);
        s.expect(Verdict::Inconclusive, ReasonCode::KeyDiffers);
    }
}

/// A policy that wants a ceremony does not take one auditor's key, and the other way round.
#[test]
fn policy_restricts_provenance() {
    let mut s = Scene::honest();
    s.policy.push_str("provenance = [\"ceremony\"]\n");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyOutsidePolicy);
    let mut twin = Scene::honest();
    twin.policy.push_str("provenance = [\"auditor\"]\n");
    twin.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    let mut ceremony = with_provenance("\"ceremony\"\ntranscript = \"ab\"\ncontributors = 2\nbeacon = \"b\"");
    ceremony.policy.push_str("provenance = [\"auditor\"]\n");
    ceremony.expect(Verdict::Inconclusive, ReasonCode::KeyOutsidePolicy);
}
