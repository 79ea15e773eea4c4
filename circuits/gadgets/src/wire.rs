//! A value in the circuit.

use ark_bn254::Fr;
use ark_ff::Zero;
use ark_relations::gr1cs::{ConstraintSystemRef, LinearCombination, Result, SynthesisError, Variable};

/// A variable or a constant, with its value when the circuit runs with values.
#[derive(Clone, Copy, Debug)]
pub struct Wire {
    coefficient: Fr,
    variable: Variable,
    value: Option<Fr>,
}

impl Wire {
    /// A constant of the circuit: part of its matrices, no variable.
    #[must_use]
    pub const fn constant(value: Fr) -> Self {
        Self { coefficient: value, variable: Variable::One, value: Some(value) }
    }

    /// A new private variable; `None` only where the circuit runs without values.
    ///
    /// # Errors
    /// `AssignmentMissing` for `None` in a run with values.
    pub fn witness(cs: &ConstraintSystemRef<Fr>, value: Option<Fr>) -> Result<Self> {
        let variable = cs.new_witness_variable(|| value.ok_or(SynthesisError::AssignmentMissing))?;
        Ok(Self { coefficient: Fr::from(1u64), variable, value })
    }

    /// A new public input.
    ///
    /// # Errors
    /// `AssignmentMissing` for `None` in a run with values.
    pub fn input(cs: &ConstraintSystemRef<Fr>, value: Option<Fr>) -> Result<Self> {
        let variable = cs.new_input_variable(|| value.ok_or(SynthesisError::AssignmentMissing))?;
        Ok(Self { coefficient: Fr::from(1u64), variable, value })
    }

    /// Its value, in a run with values.
    #[must_use]
    pub const fn value(&self) -> Option<Fr> {
        self.value
    }

    /// `scale` times this, as a term of a linear combination.
    pub(crate) fn term(&self, scale: Fr) -> (Fr, Variable) {
        (scale * self.coefficient, self.variable)
    }

    /// Its constant value, if it is a constant.
    pub(crate) const fn as_constant(&self) -> Option<Fr> {
        if self.variable.is_one() { Some(self.coefficient) } else { None }
    }

    /// This alone as a linear combination.
    pub fn lc(&self) -> LinearCombination<Fr> {
        Self::sum([(Fr::from(1u64), *self)])
    }

    /// `Σ scale · wire`. Wires must be distinct variables or constants; constants are merged.
    pub fn sum(terms: impl IntoIterator<Item = (Fr, Self)>) -> LinearCombination<Fr> {
        let mut constant = Fr::zero();
        let mut out = Vec::new();
        for (scale, wire) in terms {
            match wire.as_constant() {
                Some(value) => constant += scale * value,
                None => out.push(wire.term(scale)),
            }
        }
        if !constant.is_zero() {
            out.push((constant, Variable::One));
        }
        LinearCombination(out)
    }

    /// Enforces that two wires are equal: one constraint.
    ///
    /// # Errors
    /// What the constraint system reports.
    pub fn enforce_equal(&self, cs: &ConstraintSystemRef<Fr>, other: &Self) -> Result<()> {
        cs.enforce_r1cs_constraint(|| self.lc(), || Self::constant(Fr::from(1u64)).lc(), || other.lc())
    }
}
