//! Batches answer what single verification answers, and name the proofs that are false.

use bailiwick_groth16::{Claimed, Fr, Proof, VerifyError};

use super::circuit::{HONEST, Product, fixture, prove_with};

fn proofs(n: u64) -> Vec<(Vec<Fr>, Proof)> {
    (0..n)
        .map(|i| {
            let p = Product { x: i + 2, y: 7, product: (i + 2) * 7 + 1, unused: i };
            (p.inputs(), prove_with(fixture(), p, i).expect("a true statement"))
        })
        .collect()
}

fn answers(batch: &[(Vec<Fr>, Proof)]) -> Vec<bool> {
    let claimed: Vec<_> = batch.iter().map(|(inputs, proof)| Claimed { inputs, proof }).collect();
    let got = fixture().pvk.verify_batch(&claimed);
    let single: Vec<_> = batch.iter().map(|(inputs, proof)| fixture().pvk.verify(inputs, proof)).collect();
    assert_eq!(got, single, "a batch gives the answers of single verification");
    got.iter().map(Result::is_ok).collect()
}

#[test]
fn honest_batches_of_every_small_size_hold() {
    let all = proofs(5);
    for n in 0..=all.len() {
        assert_eq!(answers(&all[..n]), vec![true; n]);
    }
}

/// Z16: one false proof among good ones, at every place, is the one that is named.
#[test]
fn z16_the_false_one_is_named_wherever_it_stands() {
    for at in 0..4 {
        let mut all = proofs(4);
        all[at].0[2] += Fr::from(1u64);
        let mut expected = vec![true; 4];
        expected[at] = false;
        assert_eq!(answers(&all), expected);
    }
}

/// Z12: two false proofs whose faults cancel when the equations are only added up. Without coefficients
/// `C1 - d` and `C2 + d` have one sum, and both false statements would pass.
#[test]
fn z12_faults_that_cancel_are_found() {
    let mut all = proofs(2);
    let (a, b) = (all[0].0.clone(), all[1].0.clone());
    // Unused inputs enter IC linearly: moved from one statement to the other, the plain sum of both stays the same.
    let d = Fr::from(9u64);
    all[0].0[2] = a[2] + d;
    all[1].0[2] = b[2] - d;
    assert_eq!(answers(&all), [false, false]);
}

/// Z06: proofs exchanged between two true statements.
#[test]
fn z06_proofs_of_each_others_statements_are_false() {
    let mut all = proofs(2);
    let first = all[0].1.clone();
    all[0].1 = all[1].1.clone();
    all[1].1 = first;
    assert_eq!(answers(&all), [false, false]);
}

/// Z01: a statement with a missing or an extra input fails alone.
#[test]
fn z01_wrong_numbers_of_inputs_fail_alone() {
    for change in [|v: &mut Vec<Fr>| v.truncate(3), |v: &mut Vec<Fr>| v.push(Fr::from(0u64))] {
        let mut all = proofs(3);
        change(&mut all[1].0);
        let claimed: Vec<_> = all.iter().map(|(inputs, proof)| Claimed { inputs, proof }).collect();
        let got = fixture().pvk.verify_batch(&claimed);
        assert_eq!((got[0], got[2]), (Ok(()), Ok(())));
        assert!(matches!(got[1], Err(VerifyError::InputCount { expected: 4, .. })));
    }
}

/// More than one part: a false proof in one leaves the others as they are.
#[test]
fn batches_longer_than_a_part_hold() {
    let one = (HONEST.inputs(), fixture().proof.clone());
    let mut all = vec![one; 300];
    assert_eq!(answers(&all), vec![true; 300]);
    all[299].0[0] += Fr::from(1u64);
    assert_eq!(answers(&all).iter().position(|ok| !ok), Some(299));
}
