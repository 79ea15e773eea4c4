//! Proving (Groth, Eurocrypt 2016, section 3.2) with libsnark's reduction, from kept matrices: bit for bit what `ark-groth16`
//! computes of the same key, assignment and blinding factors.

use ark_bn254::{Bn254, Fr};
use ark_ec::CurveGroup;
use rand_core::CryptoRng;

use crate::key::PreparedVerifyingKey;
use crate::matrices::{Evaluations, Matrices};
use crate::msm::{msm_g1, msm_g2};
use crate::proof::{Proof, ProofError};
use crate::proving_key::{KeyShape, ProvingKey};
use crate::quotient::quotient;
use crate::setup::{domain, scalar};
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
    /// A prover of another crate failed: for benches.
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
    let fits = KeyShape::of(matrices).is_ok_and(|shape| key.fits(&shape));
    if !fits || vk.digest() != key.verifying_key().digest() {
        return Err(ProveError::WrongKey);
    }
    progress(ProvePhase::Check);
    let rows = matrices.evaluate(assignment).map_err(|constraint| ProveError::Unsatisfied { constraint })?;
    progress(ProvePhase::Prove);
    let blinding = (scalar(rng), scalar(rng));
    let proof = blinded(key, matrices, assignment, rows, blinding)?;
    progress(ProvePhase::Verify);
    let proof = Proof::from_points(&proof)?;
    let inputs = assignment.get(1..matrices.instance_variables()).unwrap_or_default();
    vk.verify(inputs, &proof)?;
    Ok(proof)
}

/// The three points for blinding factors r and s. Must be called with what satisfies the matrices, and with a key that fits them.
fn blinded(
    key: &ProvingKey,
    matrices: &Matrices,
    assignment: &[Fr],
    rows: Evaluations<'_>,
    (r, s): (Fr, Fr),
) -> Result<ark_groth16::Proof<Bn254>, ProveError> {
    let domain = domain(matrices).ok_or(ProveError::WrongKey)?;
    let pk = key.inner();
    let witness = &assignment[matrices.instance_variables()..];
    let h = quotient(matrices, &domain, &rows, &assignment[..matrices.instance_variables()]);
    drop(rows);
    let c = msm_g1(&pk.h_query, &h);
    drop(h);
    let c = c + msm_g1(&pk.l_query, witness);
    let a = msm_g1(&pk.a_query, assignment) + pk.vk.alpha_g1 + pk.delta_g1 * r;
    let b_g1 = msm_g1(&pk.b_g1_query, assignment) + pk.beta_g1 + pk.delta_g1 * s;
    let b = msm_g2(&pk.b_g2_query, assignment) + pk.vk.beta_g2 + pk.vk.delta_g2 * s;
    let c = c + a * s + b_g1 * r - pk.delta_g1 * (r * s);
    Ok(ark_groth16::Proof { a: a.into_affine(), b: b.into_affine(), c: c.into_affine() })
}
