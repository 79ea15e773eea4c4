//! Proving keys made elsewhere: from their elements to a key the prover takes.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ec::pairing::Pairing;
use rayon::prelude::*;

use crate::key::VerifyingKey;
use crate::matrices::Matrices;
use crate::proving_key::{KeyShape, ProvingKey, ProvingKeyError, on_curve};

/// The elements of a key as the paper arranges them (Groth, Eurocrypt 2016, section 3.2), G1 unless said otherwise.
#[derive(Clone, Debug)]
pub struct KeyParts {
    /// alpha.
    pub alpha: G1Affine,
    /// beta, in G1 and in G2.
    pub beta: (G1Affine, G2Affine),
    /// gamma in G2.
    pub gamma: G2Affine,
    /// delta, in G1 and in G2.
    pub delta: (G1Affine, G2Affine),
    /// Input points, over gamma: one more than public inputs.
    pub inputs: Vec<G1Affine>,
    /// u_i(tau), a point a variable.
    pub a: Vec<G1Affine>,
    /// v_i(tau).
    pub b_g1: Vec<G1Affine>,
    /// v_i(tau) in G2.
    pub b_g2: Vec<G2Affine>,
    /// tau^i (tau^n − 1) over delta, i < n − 1 (libsnark's reduction).
    pub h: Vec<G1Affine>,
    /// The private variables' sums, over delta.
    pub l: Vec<G1Affine>,
}

impl ProvingKey {
    /// A key for `matrices` from its elements. Checks counts, curves, subgroups of G2, the verifying key's lint, and that beta and delta are
    /// the same in both groups. *Not* that the queries are those of the circuit: a ceremony's verification does, or [`ProvingKey::check`].
    ///
    /// # Errors
    /// [`ProvingKeyError`].
    pub fn from_parts(parts: KeyParts, matrices: &Matrices) -> Result<Self, ProvingKeyError> {
        let KeyParts { alpha, beta, gamma, delta, inputs, a, b_g1, b_g2, h, l } = parts;
        let vk = ark_groth16::VerifyingKey::<Bn254> {
            alpha_g1: alpha,
            beta_g2: beta.1,
            gamma_g2: gamma,
            delta_g2: delta.1,
            gamma_abc_g1: inputs,
        };
        let checked = VerifyingKey::from_points(&vk)?;
        let inner = ark_groth16::ProvingKey {
            vk,
            beta_g1: beta.0,
            delta_g1: delta.0,
            a_query: a,
            b_g1_query: b_g1,
            b_g2_query: b_g2,
            h_query: h,
            l_query: l,
        };
        let in_subgroup = |p: &G2Affine| p.is_in_correct_subgroup_assuming_on_curve();
        if !on_curve(&inner) || !inner.b_g2_query.par_iter().all(in_subgroup) {
            return Err(ProvingKeyError::OffCurve);
        }
        let same = |(in_g1, in_g2): (G1Affine, G2Affine)| {
            Bn254::pairing(in_g1, G2Affine::generator()) == Bn254::pairing(G1Affine::generator(), in_g2)
        };
        if !same(delta) {
            return Err(ProvingKeyError::Delta);
        }
        if !same(beta) {
            return Err(ProvingKeyError::Shape);
        }
        let key = Self::new(inner, checked, matrices.digest());
        if key.fits(&KeyShape::of(matrices)?) { Ok(key) } else { Err(ProvingKeyError::Shape) }
    }
}
