//! Our prover against those of other crates on the same key, assignment and blinding factors.

use ark_ff::Field;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result, Variable};
use bailiwick_groth16::peer::{ark_matrices, prove_with_ark, prove_with_taceo, taceo_matrices};
use bailiwick_groth16::{Fr, Matrices, assign, prove, setup};

use super::circuit::rng;

/// `x ↦ x² + step` so many times, the end public: full-size values, bits, a constant row, and rows that name one combination twice.
#[derive(Clone, Copy)]
struct Chain {
    start: u64,
    steps: u64,
}

impl Chain {
    fn end(&self) -> Fr {
        (0..self.steps).fold(Fr::from(self.start), |x, step| x.square() + Fr::from(step))
    }
}

impl ConstraintSynthesizer<Fr> for Chain {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let one = Fr::from(1u64);
        let end = cs.new_input_variable(|| Ok(self.end()))?;
        let mut value = Fr::from(self.start);
        let mut x = cs.new_witness_variable(|| Ok(value))?;
        let mut at = LinearCombination::from(x);
        for step in 0..self.steps {
            let square = value.square();
            x = cs.new_witness_variable(|| Ok(square))?;
            let from = at.clone();
            cs.enforce_r1cs_constraint(|| from.clone(), || from.clone(), || LinearCombination::from(x))?;
            value = square + Fr::from(step);
            at = LinearCombination(vec![(one, x), (Fr::from(step), Variable::One)]);
        }
        let bit = cs.new_witness_variable(|| Ok(one))?;
        cs.enforce_r1cs_constraint(|| bit.into(), || bit.into(), || bit.into())?;
        let last = at.clone();
        cs.enforce_r1cs_constraint(|| last, || Variable::One.into(), || end.into())
    }
}

/// Sizes below, at and above powers of two (two instance rows and two constraints are added to the steps), and both ways to
/// compute the transforms.
#[test]
fn the_proof_is_bit_for_bit_that_of_other_provers() {
    for (seed, steps) in
        [(1, 0), (2, 1), (3, 3), (4, 4), (5, 5), (6, 59), (7, 60), (8, 61), (9, 250), (10, 1000)]
    {
        let circuit = Chain { start: 3 + seed, steps };
        let matrices = Matrices::synthesize(circuit).expect("R1CS");
        let (key, _) = setup(&matrices, &mut rng(seed), &mut |_| ()).expect("set-up");
        let z = assign(circuit).expect("runs");
        let vk = key.verifying_key().prepare();
        let ours = prove(&key, &vk, &matrices, &z, &mut rng(99), &mut |_| ()).expect("proves");
        let ark = prove_with_ark(&key, &ark_matrices(&matrices), &z, &mut rng(99)).expect("proves");
        let taceo = prove_with_taceo(&key, &taceo_matrices(&matrices), &z, &mut rng(99)).expect("proves");
        assert_eq!(ours.to_bytes(), ark.to_bytes(), "{steps} steps");
        assert_eq!(ours.to_bytes(), taceo.to_bytes(), "{steps} steps");
    }
}
