//! The provers this project measures itself against, on the same key, matrices and assignment. For benches only:
//! neither checks the assignment, nor what comes out.

use ark_bn254::{Bn254, Fr};
use rand_core::CryptoRng;

use crate::matrices::Matrices;
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
    let inner = matrices.inner();
    ArkMatrices {
        abc: vec![inner.a.clone(), inner.b.clone(), inner.c.clone()],
        instance_variables: matrices.instance_variables(),
        constraints: matrices.constraints(),
    }
}

/// `taceo-groth16`'s prover, called as its documentation shows.
///
/// # Errors
/// `Prover`, `Malformed`.
pub fn prove_with_taceo(
    key: &ProvingKey,
    matrices: &Matrices,
    assignment: &[Fr],
    rng: &mut impl CryptoRng,
) -> Result<Proof, ProveError> {
    let (r, s) = (scalar(rng), scalar(rng));
    let proof = taceo_groth16::Groth16::<Bn254>::prove::<taceo_groth16::LibSnarkReduction>(
        key.inner(),
        r,
        s,
        matrices.inner(),
        assignment,
    )
    .map_err(|_| ProveError::Prover)?;
    Ok(Proof::from_points(&proof)?)
}
