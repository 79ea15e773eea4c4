//! The same judgement with real proofs of class tiny: prover, development key and its trapdoor.

use std::sync::OnceLock;

use bailiwick_possession::challenge::sampled;
use bailiwick_possession::opening::{Opening, open};
use bailiwick_possession::tree::{CELLS_PER_BLOCK, block_len, commit};
use bailiwick_possession_circuit::public::PublicInputs;
use bailiwick_possession_circuit::{ProverKey, prove};
use bailiwick_protocol::challenge::{Challenge, SignedChallenge};
use bailiwick_protocol::ids::{ClassId, Nonce};
use bailiwick_verifier::{ReasonCode, Verdict};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use crate::world::{Scene, anchored_key, body, key, principals, response, set_up_by};

fn rng(seed: u8) -> ChaCha20Rng {
    ChaCha20Rng::from_seed([seed; 32])
}

/// The key an auditor set up; its seed is in this file, so it serves tests only.
pub(crate) fn auditors_key() -> &'static ProverKey {
    static KEY: OnceLock<ProverKey> = OnceLock::new();
    KEY.get_or_init(|| ProverKey::generate(ClassId::TINY, &mut rng(1), &mut |_| {}).unwrap().0)
}

pub(crate) fn development_key() -> &'static ProverKey {
    static KEY: OnceLock<ProverKey> = OnceLock::new();
    KEY.get_or_init(|| ProverKey::development(ClassId::TINY, &mut |_| {}).unwrap())
}

/// What a host does: reads the drawn cells' blocks and proves.
pub(crate) fn honest_proof(key: &ProverKey, challenge: &Challenge) -> [u8; 128] {
    let drawn = sampled(challenge, &[]).unwrap();
    let openings: Vec<Opening> = drawn
        .slots
        .iter()
        .map(|slot| {
            let target = &challenge.targets[slot.target];
            let bytes = body(target.name.object.0[0], usize::try_from(target.size).unwrap());
            let tree = commit([&bytes]).unwrap();
            let block = slot.cell / CELLS_PER_BLOCK as u64;
            let start = usize::try_from(block).unwrap() * CELLS_PER_BLOCK * 496;
            let block = &bytes[start..start + block_len(target.size, block)];
            open(&tree, slot.cell, challenge.class.depth, block).unwrap()
        })
        .collect();
    prove(key, challenge, &drawn, openings, &mut rng(2), &mut |_| {}).unwrap()
}

/// A scene under `key`, anchored with `provenance`, honestly answered.
pub(crate) fn scene(key: &ProverKey, provenance: &str) -> Scene {
    let vk = key.verifying_key();
    let mut s = Scene::honest();
    s.anchors = principals() + &anchored_key(vk.digest(), provenance);
    s.keys = [(vk.digest(), vk.as_bytes().to_vec())].into();
    let mut challenge = s.challenge();
    challenge.vk = vk.digest();
    answer(&mut s, key, &challenge);
    s
}

/// The auditor asks `challenge`, the host answers honestly.
pub(crate) fn answer(s: &mut Scene, prover: &ProverKey, challenge: &Challenge) {
    s.bundle.challenge = SignedChallenge::new(challenge, &key("auditor"));
    s.bundle.answer = response(challenge, Ok(honest_proof(prover, challenge)), "host");
}

/// Z11: a proof of any statement, without any data, under the development key.
pub(crate) fn development_forgery(challenge: &Challenge) -> [u8; 128] {
    let key = development_key();
    let inputs = PublicInputs::of(challenge, &sampled(challenge, &[]).unwrap()).unwrap().to_array();
    bailiwick_groth16::development::forge_with_development_trapdoor(
        &key.circuit(),
        key.verifying_key(),
        &inputs,
        &mut rng(3),
    )
    .unwrap()
    .to_bytes()
}

#[test]
fn an_honest_hosts_real_proof_is_supported() {
    scene(auditors_key(), &set_up_by("auditor")).expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// Z11: honest or forged, a proof under the development key verifies and supports nothing.
#[test]
fn z11_proof_forged_with_the_development_trapdoor_supports_nothing() {
    let mut s = scene(development_key(), "\"development\"");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyIsDevelopment);
    let challenge = s.challenge();
    s.bundle.answer = response(&challenge, Ok(development_forgery(&challenge)), "host");
    s.expect(Verdict::Inconclusive, ReasonCode::KeyIsDevelopment);
    // The forgery is a real one: had the reader anchored this key as an auditor's, it would pass. Provenance is what stops it.
    s.anchors = principals() + &anchored_key(challenge.vk, &set_up_by("auditor"));
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
}

/// P05, Z06: a real proof for yesterday's challenge, signed again for today's.
#[test]
fn p05_real_proof_replayed_is_refuted() {
    let mut s = scene(auditors_key(), &set_up_by("auditor"));
    let yesterday = honest_proof(auditors_key(), &s.challenge());
    let mut today = s.challenge();
    today.nonce = Nonce([9; 32]);
    answer(&mut s, auditors_key(), &today);
    s.expect(Verdict::Supported, ReasonCode::ProofVerifies);
    s.bundle.answer = response(&today, Ok(yesterday), "host");
    s.expect(Verdict::Refuted, ReasonCode::ProofDoesNotVerify);
}

/// Bar: start to verdict under 300 ms; the report's three forms included. Median of five.
#[test]
fn verdict_in_under_300_ms() {
    let s = scene(auditors_key(), &set_up_by("auditor"));
    let bundle = s.bytes();
    let mut times: Vec<_> = (0..5)
        .map(|_| {
            let start = std::time::Instant::now();
            let report = s.verify_bytes(&bundle).unwrap();
            let recheck = bailiwick_verifier::Recheck::default();
            assert!(!(report.to_json() + &report.to_text(&recheck) + &report.to_html(&recheck)).is_empty());
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("verdict and three renderings: {:?}", times[2]);
    assert!(times[2].as_millis() < 300, "{:?}", times[2]);
}

/// The most objects a challenge may name, class standard. The bound is generous: it guards against quadratic work, not for speed.
#[test]
fn largest_audit_is_judged() {
    let vk = crate::world::auditors_trapdoor().verifying_key().digest();
    let one = crate::world::envelope("alice", 1, 3_000);
    let mut list: Vec<_> = (0..4096u32)
        .map(|i| {
            let mut e = one.clone();
            e.object.0[..4].copy_from_slice(&i.to_be_bytes());
            e
        })
        .collect();
    list.sort_by_key(bailiwick_protocol::envelope::Envelope::name);
    let mut s = Scene::honest();
    s.anchors = s.anchors.replace("samples = 1, depth = 3", "samples = 64, depth = 6");
    let mut challenge = crate::world::challenge_for(&list, vk);
    challenge.class = ClassId::STANDARD;
    s.ask(&challenge, "host");
    s.bundle.envelopes = list.iter().map(crate::world::signed_envelope).collect();
    let bundle = s.bytes();
    let start = std::time::Instant::now();
    let report = s.verify_bytes(&bundle).unwrap();
    let took = start.elapsed();
    println!("4096 objects, bundle of {} bytes, verdict: {took:?}", bundle.len());
    assert_eq!(report.exit_code, 0);
    assert_eq!(report.claim(bailiwick_verifier::Claim::Stored).numbers.detection.len(), 4098);
    assert!(took.as_secs() < 60, "{took:?}");
}
