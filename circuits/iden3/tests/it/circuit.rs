//! A small circuit: x ↦ x² + step, ten times, the end being public. 12 constraints, one public input, a domain of 16.

use ark_bn254::Fr;
use ark_ff::Field;
use ark_relations::gr1cs::{ConstraintSynthesizer, ConstraintSystemRef, LinearCombination, Result, Variable};
use bailiwick_groth16::{Matrices, assign};

const STEPS: u64 = 10;

pub(crate) struct Chain {
    pub(crate) start: u64,
}

impl Chain {
    /// The public input.
    pub(crate) fn end(&self) -> Fr {
        (0..STEPS).fold(Fr::from(self.start), |x, step| x.square() + Fr::from(step))
    }
}

impl ConstraintSynthesizer<Fr> for Chain {
    fn generate_constraints(self, cs: ConstraintSystemRef<Fr>) -> Result<()> {
        let one = Fr::ONE;
        let end = cs.new_input_variable(|| Ok(self.end()))?;
        let mut value = Fr::from(self.start);
        let x = cs.new_witness_variable(|| Ok(value))?;
        let mut at = LinearCombination::from(x);
        for step in 0..STEPS {
            value = value.square();
            let square = cs.new_witness_variable(|| Ok(value))?;
            let from = at.clone();
            cs.enforce_r1cs_constraint(|| from.clone(), || from.clone(), || LinearCombination::from(square))?;
            value += Fr::from(step);
            at = LinearCombination(vec![(one, square), (Fr::from(step), Variable::One)]);
        }
        let bit = cs.new_witness_variable(|| Ok(one))?;
        cs.enforce_r1cs_constraint(|| bit.into(), || bit.into(), || bit.into())?;
        let last = at.clone();
        cs.enforce_r1cs_constraint(|| last, || Variable::One.into(), || end.into())
    }
}

pub(crate) fn matrices() -> Matrices {
    Matrices::synthesize(Chain { start: 3 }).unwrap()
}

pub(crate) fn assignment(start: u64) -> Vec<Fr> {
    assign(Chain { start }).unwrap()
}
