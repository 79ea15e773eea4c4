//! The pairing check, behind the checks of its inputs.

use ark_bn254::{Bn254, Fr, G1Projective};
use ark_ec::AffineRepr;
use ark_serialize::CanonicalDeserialize;

use crate::key::PreparedVerifyingKey;
use crate::proof::Proof;

/// Bytes that are not a canonical public input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public input is 32 little-endian bytes below the BN254 scalar modulus")]
pub struct InputError;

/// Why a proof does not verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Not as many public inputs as the key's statement has.
    #[error("the statement has {expected} public inputs, found {found}")]
    InputCount {
        /// What the key says.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A public input is not canonical.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The pairing equation does not hold: the statement is false, or the proof is for another statement or key.
    #[error("the proof does not verify for this statement under this key")]
    False,
}

/// A public input from 32 little-endian bytes, below the modulus: `x` and `x + p` never mean the same.
///
/// # Errors
/// [`InputError`] at or above the modulus.
pub fn input_from_bytes(bytes: &[u8; 32]) -> Result<Fr, InputError> {
    Fr::deserialize_compressed(bytes.as_slice()).map_err(|_| InputError)
}

impl PreparedVerifyingKey {
    /// Whether `proof` shows the statement with these public inputs:
    /// e(A, B) = e(alpha, beta) · e(IC(x), gamma) · e(C, delta).
    ///
    /// # Errors
    /// [`VerifyError::InputCount`] before any arithmetic, since `ark-groth16` 0.6 reads missing inputs as zero
    /// and ignores extra ones; [`VerifyError::False`] otherwise.
    pub fn verify(&self, inputs: &[Fr], proof: &Proof) -> Result<(), VerifyError> {
        if inputs.len() != self.inputs() {
            return Err(VerifyError::InputCount { expected: self.inputs(), found: inputs.len() });
        }
        let ic = self.combination(inputs)?;
        match ark_groth16::Groth16::<Bn254>::verify_proof_with_prepared_inputs(
            self.inner(),
            proof.inner(),
            &ic,
        ) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(VerifyError::False),
        }
    }

    /// IC(x), as many inputs as there are points.
    fn combination(&self, inputs: &[Fr]) -> Result<G1Projective, VerifyError> {
        if self.tables().len() != inputs.len() {
            return ark_groth16::Groth16::<Bn254>::prepare_inputs(self.inner(), inputs)
                .map_err(|_| VerifyError::False);
        }
        let first = self.inner().vk.gamma_abc_g1[0].into_group();
        Ok(self.tables().iter().zip(inputs).fold(first, |sum, (table, x)| sum + table.times(x)))
    }

    /// [`PreparedVerifyingKey::verify`] with the inputs as canonical bytes.
    ///
    /// # Errors
    /// Also [`VerifyError::Input`] for a non-canonical one.
    pub fn verify_bytes(&self, inputs: &[[u8; 32]], proof: &Proof) -> Result<(), VerifyError> {
        if inputs.len() != self.inputs() {
            return Err(VerifyError::InputCount { expected: self.inputs(), found: inputs.len() });
        }
        let inputs = inputs.iter().map(input_from_bytes).collect::<Result<Vec<_>, _>>()?;
        self.verify(&inputs, proof)
    }
}
