//! Development keys: reproducible, and worthless on purpose.

use bailiwick_groth16::development::{development_setup, forge_with_development_trapdoor};
use bailiwick_groth16::{Fr, VerifyError, assign, prove};

use super::circuit::{HONEST, fixture, rng};

#[test]
fn development_keys_are_the_same_every_time_and_prove() {
    let f = fixture();
    let (key, _) = development_setup(&f.matrices, &mut |_| ()).expect("set-up");
    let (again, _) = development_setup(&f.matrices, &mut |_| ()).expect("set-up");
    let (mut a, mut b) = (Vec::new(), Vec::new());
    assert_eq!(key.write_to(&mut a).expect("vec"), again.write_to(&mut b).expect("vec"));
    assert_eq!(a, b);
    assert_ne!(key.verifying_key(), &f.vk);
    let pvk = key.verifying_key().prepare();
    let assignment = assign(HONEST).expect("runs");
    let proof = prove(&key, &pvk, &f.matrices, &assignment, &mut rng(1), &mut |_| ()).expect("proves");
    assert_eq!(pvk.verify(&HONEST.inputs(), &proof), Ok(()));
}

/// Z11 (its reason): a false statement verifies under a development key, and only under that key.
#[test]
fn z11_anyone_forges_under_a_development_key() {
    let f = fixture();
    let (key, _) = development_setup(&f.matrices, &mut |_| ()).expect("set-up");
    let vk = key.verifying_key();
    let falsehood = [6u64, 7, 4_000_000, 5].map(Fr::from);
    let forged =
        forge_with_development_trapdoor(&key.circuit(), vk, &falsehood, &mut rng(8)).expect("points");
    assert_eq!(vk.prepare().verify(&falsehood, &forged), Ok(()));
    assert_eq!(
        vk.prepare().verify(&HONEST.inputs(), &forged),
        Err(VerifyError::False),
        "made for one statement"
    );
    assert_eq!(f.pvk.verify(&falsehood, &forged), Err(VerifyError::False), "useless under an auditor's key");
    let against_ours =
        forge_with_development_trapdoor(&key.circuit(), &f.vk, &falsehood, &mut rng(8)).expect("points");
    assert_eq!(f.pvk.verify(&falsehood, &against_ours), Err(VerifyError::False));
}
