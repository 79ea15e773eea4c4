//! Proving through the public interface.

use bailiwick_groth16::Proof;
use bailiwick_groth16::development::forge_with_development_trapdoor;
use bailiwick_possession::statement::{Clause, public_input};
use bailiwick_possession_circuit::{Progress, ProveError, ProverKey, prove, verify};
use bailiwick_protocol::ids::{ClassId, VkDigest};

use super::case::{body, challenge, drawn, openings, rng, tiny_key};

/// Sixteen samples over three objects, under a key of class small.
#[test]
fn a_proof_over_several_objects_verifies() {
    let (key, _) = ProverKey::generate(ClassId::SMALL, &mut rng(2), &mut |_| ()).expect("set-up");
    let bodies = [body(700_000, 1), body(1, 2), body(300_000, 3)];
    let c = challenge(ClassId::SMALL, key.prepared().digest(), &bodies);
    let mut phases = Vec::new();
    let opened = openings(&c, &bodies);
    let proof =
        prove(&key, &c, &drawn(&c), opened.clone(), &mut rng(3), &mut |p| phases.push(p)).expect("honest");
    assert_eq!(verify(key.prepared(), &c, &drawn(&c), &proof), Ok(()));
    assert_eq!(phases[..2], [Progress::Statement, Progress::Witness]);
    assert_eq!(phases.len(), 5);

    let mut damaged = opened;
    damaged[9].cell[0] += bailiwick_possession::field::Fr::from(1u64);
    let refused = prove(&key, &c, &drawn(&c), damaged, &mut rng(3), &mut |_| ());
    assert_eq!(refused, Err(ProveError::False(Clause::C3)));
}

/// Z22: false openings give an error, never bytes.
#[test]
fn z22_false_openings_give_an_error() {
    let bodies = [body(49_500, 1)];
    let c = challenge(ClassId::TINY, tiny_key().prepared().digest(), &bodies);
    let honest = openings(&c, &bodies);
    let attempt = |openings| prove(tiny_key(), &c, &drawn(&c), openings, &mut rng(6), &mut |_| ());
    assert!(attempt(honest.clone()).is_ok());

    let mut damaged = honest.clone();
    damaged[0].cell[3] += bailiwick_possession::field::Fr::from(1u64);
    assert_eq!(attempt(damaged), Err(ProveError::False(Clause::C3)));
    let mut elsewhere = honest.clone();
    elsewhere[0].index ^= 1;
    assert_eq!(attempt(elsewhere), Err(ProveError::WrongOpening { slot: 0 }));
    assert_eq!(attempt(vec![]), Err(ProveError::WrongOpening { slot: 1 }));
    let mut short = honest;
    short[0].path.pop();
    assert_eq!(attempt(short), Err(ProveError::False(Clause::C2)));
}

#[test]
fn a_challenge_for_another_key_or_class_is_refused() {
    let bodies = [body(49_500, 1)];
    let mut c = challenge(ClassId::TINY, VkDigest([3; 32]), &bodies);
    let opened = openings(&c, &bodies);
    let result = prove(tiny_key(), &c, &drawn(&c), opened.clone(), &mut rng(6), &mut |_| ());
    assert!(matches!(result, Err(ProveError::WrongKey { .. })));
    c.vk = tiny_key().prepared().digest();
    c.class = ClassId::SMALL;
    let result = prove(tiny_key(), &c, &drawn(&c), opened, &mut rng(6), &mut |_| ());
    assert!(matches!(result, Err(ProveError::WrongClass { .. })));
}

/// Z38: two proofs of one statement differ in every point, and show no eight bytes in a row of what is stored, of the
/// key, or of each other.
#[test]
fn z38_proofs_are_randomised_and_show_no_stored_bytes() {
    let bodies = [body(49_500, 1)];
    let c = challenge(ClassId::TINY, tiny_key().prepared().digest(), &bodies);
    let [a, b] = [7, 8].map(|seed| {
        prove(tiny_key(), &c, &drawn(&c), openings(&c, &bodies), &mut rng(seed), &mut |_| ()).expect("honest")
    });
    for point in [0..32, 32..96, 96..128] {
        assert_ne!(a[point.clone()], b[point]);
    }
    let known: std::collections::HashSet<&[u8]> = bodies[0]
        .windows(8)
        .chain(tiny_key().verifying_key().as_bytes().windows(8))
        .chain(b.windows(8))
        .collect();
    assert!(a.windows(8).all(|w| !known.contains(w)));
    assert!(bodies[0][100..200].windows(8).all(|w| known.contains(w)), "the search finds what is there");
}

/// Z12, Z13: the same truth in other bytes: whoever counts answers counts challenges, never proof bytes.
#[test]
fn z13_a_sign_flipped_proof_is_the_same_answer() {
    let bodies = [body(49_500, 1)];
    let c = challenge(ClassId::TINY, tiny_key().prepared().digest(), &bodies);
    let proof =
        prove(tiny_key(), &c, &drawn(&c), openings(&c, &bodies), &mut rng(7), &mut |_| ()).expect("honest");
    let mut flipped = proof;
    flipped[31] ^= 0x80;
    flipped[95] ^= 0x80;
    assert_ne!(proof, flipped);
    assert_eq!(verify(tiny_key().prepared(), &c, &drawn(&c), &flipped), Ok(()));
}

/// Z11: under a development key anyone answers any challenge without holding a byte; it is the verifier's trust anchors
/// that refuse such keys.
#[test]
fn z11_a_development_key_proves_nothing() {
    let key = ProverKey::development(ClassId::TINY, &mut |_| ()).expect("set-up");
    let c = challenge(ClassId::TINY, key.prepared().digest(), &[body(49_500, 1)]);
    let public = public_input(&c, &drawn(&c)).expect("honest");
    let forged = forge_with_development_trapdoor(&key.circuit(), key.verifying_key(), &[public], &mut rng(1))
        .expect("points");
    assert_eq!(verify(key.prepared(), &c, &drawn(&c), &forged.to_bytes()), Ok(()));
    assert!(Proof::from_bytes(&forged.to_bytes()).is_ok());
    let under_auditors_key =
        bailiwick_protocol::challenge::Challenge { vk: tiny_key().prepared().digest(), ..c };
    assert!(
        verify(tiny_key().prepared(), &under_auditors_key, &drawn(&under_auditors_key), &forged.to_bytes())
            .is_err()
    );
}
