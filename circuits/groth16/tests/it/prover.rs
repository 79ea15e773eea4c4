//! What the prover refuses to do.

use ark_relations::gr1cs::predicate::PredicateConstraintSystem;
use ark_relations::gr1cs::predicate::polynomial_constraint::SR1CS_PREDICATE_LABEL;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result};
use bailiwick_groth16::{Fr, Matrices, ProveError, SynthesisError, assign, prove, setup};

use super::circuit::{HONEST, Product, fixture, prove_with, rng};

/// Z22: a false witness gives an error, also in a release build, and never a proof.
#[test]
fn z22_a_false_witness_gives_an_error_and_no_proof() {
    let f = fixture();
    let wrong = prove_with(f, Product { product: 44, ..HONEST }, 3);
    assert_eq!(wrong.err(), Some(ProveError::Unsatisfied { constraint: 2 }));
    assert!(prove_with(f, HONEST, 3).is_ok());
}

/// Z22, Z23: every private variable, changed in five ways.
#[test]
fn z23_every_private_variable_is_constrained() {
    let f = fixture();
    let honest = assign(HONEST).expect("runs");
    assert_eq!(f.matrices.first_unsatisfied(&honest), None);
    for i in f.matrices.instance_variables()..honest.len() {
        let v = honest[i];
        for other in [v + Fr::from(1u64), Fr::from(0u64), Fr::from(1u64), -v, Fr::from(0x5eed_u64)] {
            let mut changed = honest.clone();
            changed[i] = other;
            assert!(f.matrices.first_unsatisfied(&changed).is_some(), "variable {i}");
        }
    }
}

#[test]
fn an_assignment_of_another_length_or_constant_is_refused() {
    let f = fixture();
    let honest = assign(HONEST).expect("runs");
    let mut two = honest.clone();
    two[0] = Fr::from(2u64);
    for bad in [honest[1..].to_vec(), [honest.clone(), vec![Fr::from(0u64)]].concat(), two, vec![]] {
        let result = prove(&f.key, &f.pvk, &f.matrices, &bad, &mut rng(4), &mut |_| ());
        assert_eq!(result.err(), Some(ProveError::Unsatisfied { constraint: 0 }));
    }
}

/// A key of another set-up, or of another circuit, is refused before any work.
#[test]
fn a_key_that_does_not_belong_is_refused() {
    let f = fixture();
    let honest = assign(HONEST).expect("runs");
    let (other, _) = setup(&f.matrices, &mut rng(77), &mut |_| ()).expect("set-up");
    let other_vk = other.verifying_key().prepare();
    let result = prove(&f.key, &other_vk, &f.matrices, &honest, &mut rng(4), &mut |_| ());
    assert_eq!(result.err(), Some(ProveError::WrongKey));
    let smaller = f.matrices.without(&[0]);
    let (wrong_circuit, _) =
        setup(&Matrices::synthesize(Twice).expect("R1CS"), &mut rng(5), &mut |_| ()).expect("ok");
    let wrong_vk = wrong_circuit.verifying_key().prepare();
    let result = prove(&wrong_circuit, &wrong_vk, &smaller, &honest, &mut rng(4), &mut |_| ());
    assert_eq!(result.err(), Some(ProveError::WrongKey));
}

/// Z38: two proofs of one statement differ.
#[test]
fn z38_two_proofs_of_one_statement_differ() {
    let f = fixture();
    let (a, b) = (prove_with(f, HONEST, 10).expect("proves"), prove_with(f, HONEST, 11).expect("proves"));
    for range in [0..32, 32..96, 96..128] {
        assert_ne!(a.to_bytes()[range.clone()], b.to_bytes()[range]);
    }
}

struct Twice;

impl ConstraintSynthesizer<Fr> for Twice {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let x = cs.new_input_variable(|| Ok(Fr::from(4u64)))?;
        let root = cs.new_witness_variable(|| Ok(Fr::from(2u64)))?;
        let lc = LinearCombination::from;
        cs.enforce_r1cs_constraint(|| lc(root), || lc(root), || lc(x))
    }
}

struct Squares;

impl ConstraintSynthesizer<Fr> for Squares {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        cs.register_predicate(SR1CS_PREDICATE_LABEL, PredicateConstraintSystem::new_sr1cs_predicate()?)?;
        let x = cs.new_input_variable(|| Ok(Fr::from(4u64)))?;
        let root = cs.new_witness_variable(|| Ok(Fr::from(2u64)))?;
        let lc = LinearCombination::from;
        cs.enforce_r1cs_constraint(|| lc(root), || lc(root), || lc(x))?;
        cs.enforce_sr1cs_constraint(|| lc(root), || lc(x))
    }
}

/// Z39: constraints of a predicate other than R1CS are refused, not dropped.
#[test]
fn z39_constraints_that_are_not_r1cs_are_refused() {
    assert_eq!(Matrices::synthesize(Squares).err(), Some(SynthesisError::NotR1cs { count: 1 }));
    assert!(Matrices::synthesize(Twice).is_ok());
}

/// Z36: the digest changes with shape, coefficient, column and order of constraints.
#[test]
fn z36_the_circuit_digest_sees_every_change() {
    let f = fixture();
    let again = Matrices::synthesize(Product { x: 0, y: 0, product: 0, unused: 0 }).expect("R1CS");
    assert_eq!(again.digest(), f.matrices.digest(), "values are not part of the circuit");
    let mut seen = vec![f.matrices.digest(), Matrices::synthesize(Twice).expect("R1CS").digest()];
    seen.extend((0..3).map(|i| f.matrices.without(&[i]).digest()));
    for (i, a) in seen.iter().enumerate() {
        assert!(seen[i + 1..].iter().all(|b| a != b));
    }
}
