//! Proving, by the prover of `taceo-groth16` on kept matrices.

use ark_bn254::{Bn254, Fr};
use rand_core::CryptoRng;

use crate::key::PreparedVerifyingKey;
use crate::matrices::Matrices;
use crate::proof::{Proof, ProofError};
use crate::proving_key::ProvingKey;
use crate::setup::scalar;
use crate::verify::VerifyError;

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The assignment does not satisfy the circuit: the statement, or the witness, is false.
    #[error("constraint {constraint} is not satisfied")]
    Unsatisfied {
        /// Index of the first such constraint.
        constraint: usize,
    },
    /// Key and matrices are of different circuits.
    #[error("the proving key does not belong to this circuit")]
    WrongKey,
    /// The prover itself failed.
    #[error("the prover failed")]
    Prover,
    /// The proof made is malformed: a fault of memory, or a key with points outside the group.
    #[error("the proof that was made is malformed: {0}")]
    Malformed(#[from] ProofError),
    /// The proof made does not verify: a fault of memory, or an inconsistent key.
    #[error("the proof that was made does not verify: {0}")]
    Rejected(#[from] VerifyError),
}

/// What [`prove`] is doing; each phase is announced when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProvePhase {
    /// Checking the assignment against every constraint.
    Check,
    /// Transforms and multi-scalar multiplications: nearly all of the time.
    Prove,
    /// Verifying what came out.
    Verify,
}

/// A proof that `assignment` (see [`crate::assign`]) satisfies `matrices`, for its public inputs.
///
/// In a release build the provers of this family turn a false witness into a false proof without a word, so the
/// assignment is checked first; and every proof is decoded and verified before it is returned. That second check also
/// limits what a malicious key learns: A and B are blinded by multiples of delta, which is not infinity and the same in
/// both groups (checked when the key is read), and C is the one point that verifies with them; so the one thing that can
/// depend on the witness is whether a proof comes at all. [`ProvingKey::check`] excludes that too.
///
/// # Errors
/// [`ProveError`].
pub fn prove(
    key: &ProvingKey,
    vk: &PreparedVerifyingKey,
    matrices: &Matrices,
    assignment: &[Fr],
    rng: &mut impl CryptoRng,
    progress: &mut dyn FnMut(ProvePhase),
) -> Result<Proof, ProveError> {
    if !key.fits(matrices) || vk.digest() != key.verifying_key().digest() {
        return Err(ProveError::WrongKey);
    }
    progress(ProvePhase::Check);
    if let Some(constraint) = matrices.first_unsatisfied(assignment) {
        return Err(ProveError::Unsatisfied { constraint });
    }
    progress(ProvePhase::Prove);
    let (r, s) = (scalar(rng), scalar(rng));
    let proof = taceo_groth16::Groth16::<Bn254>::prove::<taceo_groth16::LibSnarkReduction>(
        key.inner(),
        r,
        s,
        matrices.inner(),
        assignment,
    )
    .map_err(|_| ProveError::Prover)?;
    progress(ProvePhase::Verify);
    let proof = Proof::from_points(&proof)?;
    let inputs = assignment.get(1..matrices.instance_variables()).unwrap_or_default();
    vk.verify(inputs, &proof)?;
    Ok(proof)
}
