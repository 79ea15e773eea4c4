//! Verification: from a challenge and 128 bytes to yes or no.

use bailiwick_groth16::{PreparedVerifyingKey, Proof, ProofError};
use bailiwick_possession::challenge::Sampled;
use bailiwick_possession::statement::StatementError;
use bailiwick_protocol::challenge::Challenge;
use bailiwick_protocol::ids::VkDigest;

use crate::public::PublicInputs;

/// Why a proof does not answer a challenge.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The key at hand is not the one the challenge names.
    #[error("the challenge asks for a proof under key {expected}, this key is {found}")]
    WrongKey {
        /// The challenge's.
        expected: VkDigest,
        /// The one given.
        found: VkDigest,
    },
    /// The challenge has no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The bytes are no proof.
    #[error(transparent)]
    Malformed(#[from] ProofError),
    /// The proof does not show this statement.
    #[error(transparent)]
    False(#[from] bailiwick_groth16::VerifyError),
}

/// Whether `proof` shows that its maker could obtain every cell `challenge` draws.
///
/// `sampled` is what `bailiwick_possession::challenge::sampled` gave for this challenge. Order: key digest, statement (lifts and
/// hashes: a few permutations a sample), decoding, pairing.
///
/// # Errors
/// [`VerifyError`]. `vk` must be the challenge's key, looked up in trust anchors by its digest.
pub fn verify(
    vk: &PreparedVerifyingKey,
    challenge: &Challenge,
    sampled: &Sampled,
    proof: &[u8],
) -> Result<(), VerifyError> {
    if vk.digest() != challenge.vk {
        return Err(VerifyError::WrongKey { expected: challenge.vk, found: vk.digest() });
    }
    let public = PublicInputs::of(challenge, sampled)?;
    let proof = Proof::from_bytes(proof)?;
    Ok(vk.verify(&public.to_array(), &proof)?)
}
