//! Boolean digits, and the child a base-16 digit points at.

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use ark_relations::gr1cs::{ConstraintSystemRef, Result};

use crate::Wire;

const ONE: Fr = Fr::ONE;

/// `count` boolean variables, least significant first: `bit · (bit − 1) = 0`, one constraint each.
///
/// # Errors
/// What the constraint system reports.
pub fn boolean_digits(cs: &ConstraintSystemRef<Fr>, value: Option<u64>, count: u32) -> Result<Vec<Wire>> {
    (0..count)
        .map(|i| {
            let bit = Wire::witness(cs, value.map(|v| Fr::from((v >> i) & 1)))?;
            cs.enforce_r1cs_constraint(
                || bit.lc(),
                || Wire::sum([(ONE, bit), (-ONE, Wire::constant(ONE))]),
                || Wire::sum([]),
            )?;
            Ok(bit)
        })
        .collect()
}

/// Enforces `value = Σ 2^i · bit_i`: one constraint. With fewer than 254 bits no two settings of the bits give one value.
///
/// # Errors
/// What the constraint system reports.
pub fn enforce_value_of_bits(cs: &ConstraintSystemRef<Fr>, value: &Wire, bits: &[Wire]) -> Result<()> {
    let weighted = || {
        let mut weight = ONE;
        Wire::sum(bits.iter().map(|bit| {
            let term = (weight, *bit);
            weight.double_in_place();
            term
        }))
    };
    cs.enforce_r1cs_constraint(weighted, || Wire::constant(ONE).lc(), || value.lc())
}

/// Enforces `chosen = children[bits]`, bits least significant first and boolean already: 15 constraints, 14 variables.
///
/// A binary tree of `bit · (right − left) = out − left`; in its root `out` is `chosen` itself.
///
/// # Errors
/// What the constraint system reports.
pub fn enforce_selected(
    cs: &ConstraintSystemRef<Fr>,
    children: &[Wire; 16],
    bits: &[Wire; 4],
    chosen: &Wire,
) -> Result<()> {
    let mut level = children.to_vec();
    for (depth, bit) in bits.iter().enumerate() {
        let (pairs, _) = level.as_chunks::<2>();
        let mut next = Vec::with_capacity(pairs.len());
        for [left, right] in pairs {
            let out = if depth == 3 { *chosen } else { Wire::witness(cs, picked(bit, left, right))? };
            cs.enforce_r1cs_constraint(
                || bit.lc(),
                || Wire::sum([(ONE, *right), (-ONE, *left)]),
                || Wire::sum([(ONE, out), (-ONE, *left)]),
            )?;
            next.push(out);
        }
        level = next;
    }
    Ok(())
}

fn picked(bit: &Wire, left: &Wire, right: &Wire) -> Option<Fr> {
    let (bit, left, right) = (bit.value()?, left.value()?, right.value()?);
    Some(left + bit * (right - left))
}
