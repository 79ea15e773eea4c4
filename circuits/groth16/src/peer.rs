//! The provers this project measures itself against, on the same key, matrices and assignment. For benches only:
//! neither checks the assignment, nor what comes out.

use ark_bn254::{Bn254, Fr};
use rand_core::CryptoRng;

use crate::matrices::{Matrices, Side};
use crate::proof::Proof;
use crate::prover::ProveError;
use crate::proving_key::ProvingKey;
use crate::setup::scalar;

/// `ark-groth16`'s prover from kept matrices, which it takes in its own form: convert once with [`ark_matrices`].
///
/// # Errors
/// `Prover`, `Malformed`.
pub fn prove_with_ark(
    key: &ProvingKey,
    matrices: &ArkMatrices,
    assignment: &[Fr],
    rng: &mut impl CryptoRng,
) -> Result<Proof, ProveError> {
    let (r, s) = (scalar(rng), scalar(rng));
    let proof = ark_groth16::Groth16::<Bn254>::create_proof_with_reduction_and_matrices(
        key.inner(),
        r,
        s,
        &matrices.abc,
        matrices.instance_variables,
        matrices.constraints,
        assignment,
    )
    .map_err(|_| ProveError::Prover)?;
    Ok(Proof::from_points(&proof)?)
}

/// Matrices in the form `ark-groth16` takes.
#[derive(Debug)]
pub struct ArkMatrices {
    abc: Vec<ark_relations::utils::matrix::Matrix<Fr>>,
    instance_variables: usize,
    constraints: usize,
}

/// A copy of `matrices` for [`prove_with_ark`].
#[must_use]
pub fn ark_matrices(matrices: &Matrices) -> ArkMatrices {
    ArkMatrices {
        abc: plain(matrices).into(),
        instance_variables: matrices.instance_variables(),
        constraints: matrices.constraints(),
    }
}

/// The three matrices, every entry in full.
fn plain(matrices: &Matrices) -> [ark_relations::utils::matrix::Matrix<Fr>; 3] {
    [Side::A, Side::B, Side::C].map(|side| matrices.matrix(side).map(Iterator::collect).collect())
}

/// Matrices in the form `taceo-groth16` takes.
#[derive(Debug)]
pub struct TaceoMatrices(taceo_groth16::ConstraintMatrices<Fr>);

/// A copy of `matrices` for [`prove_with_taceo`].
#[must_use]
pub fn taceo_matrices(matrices: &Matrices) -> TaceoMatrices {
    let [a, b, c] = plain(matrices);
    let entries = |m: &[Vec<(Fr, usize)>]| m.iter().map(Vec::len).sum();
    TaceoMatrices(taceo_groth16::ConstraintMatrices {
        num_instance_variables: matrices.instance_variables(),
        num_witness_variables: matrices.variables() - matrices.instance_variables(),
        num_constraints: matrices.constraints(),
        a_num_non_zero: entries(&a),
        b_num_non_zero: entries(&b),
        c_num_non_zero: entries(&c),
        a,
        b,
        c,
    })
}

/// `taceo-groth16`'s prover from kept matrices, called as its documentation shows: convert once with [`taceo_matrices`].
///
/// # Errors
/// `Prover`, `Malformed`.
pub fn prove_with_taceo(
    key: &ProvingKey,
    matrices: &TaceoMatrices,
    assignment: &[Fr],
    rng: &mut impl CryptoRng,
) -> Result<Proof, ProveError> {
    let (r, s) = (scalar(rng), scalar(rng));
    let proof = taceo_groth16::Groth16::<Bn254>::prove::<taceo_groth16::LibSnarkReduction>(
        key.inner(),
        r,
        s,
        &matrices.0,
        assignment,
    )
    .map_err(|_| ProveError::Prover)?;
    Ok(Proof::from_points(&proof)?)
}

/// `ark-groth16`'s own check of a proof with a prepared key.
#[must_use]
pub fn verify_with_ark(key: &crate::PreparedVerifyingKey, inputs: &[Fr], proof: &Proof) -> bool {
    ark_groth16::Groth16::<Bn254>::verify_proof(key.inner(), proof.inner(), inputs).is_ok_and(|held| held)
}
