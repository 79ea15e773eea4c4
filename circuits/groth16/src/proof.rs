//! A proof: 128 bytes, `A` (G1, 32) ‖ `B` (G2, 64) ‖ `C` (G1, 32), each compressed.

use ark_bn254::Bn254;

use crate::point::{self, PointError};

/// Bytes of a proof.
pub const PROOF_BYTES: usize = 128;

/// Why bytes are not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Not exactly [`PROOF_BYTES`] long.
    #[error("a proof has 128 bytes, found {found}")]
    Length {
        /// Bytes found.
        found: usize,
    },
    /// One of the three points is unacceptable.
    #[error("point {point} of the proof: {source}")]
    Point {
        /// `A`, `B` or `C` in the paper's notation.
        point: char,
        /// What is wrong with it.
        source: PointError,
    },
}

/// A well-formed proof: three points of the right groups, none at infinity. Says nothing about its truth.
#[derive(Clone, Debug)]
pub struct Proof {
    inner: ark_groth16::Proof<Bn254>,
    bytes: [u8; PROOF_BYTES],
}

impl Proof {
    /// Decodes the one canonical encoding.
    ///
    /// # Errors
    /// Wrong length; a point off its curve or subgroup, encoded in a second way, or at infinity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
        let length = ProofError::Length { found: bytes.len() };
        let bytes: &[u8; PROOF_BYTES] = bytes.try_into().map_err(|_| length)?;
        let (a, rest) = bytes.split_first_chunk().ok_or(length)?;
        let (b, rest) = rest.split_first_chunk().ok_or(length)?;
        let c = rest.try_into().map_err(|_| length)?;
        let at = |point| move |source| ProofError::Point { point, source };
        let inner = ark_groth16::Proof {
            a: point::g1(a).map_err(at('A'))?,
            b: point::g2(b).map_err(at('B'))?,
            c: point::g1(c).map_err(at('C'))?,
        };
        Ok(Self { inner, bytes: *bytes })
    }

    /// The canonical encoding.
    #[must_use]
    pub const fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        self.bytes
    }

    pub(crate) const fn inner(&self) -> &ark_groth16::Proof<Bn254> {
        &self.inner
    }

    /// Encodes and decodes again, so that what a prover made passes the same gate as what it is sent.
    #[cfg(feature = "prove")]
    pub(crate) fn from_points(inner: &ark_groth16::Proof<Bn254>) -> Result<Self, ProofError> {
        let mut bytes = Vec::with_capacity(PROOF_BYTES);
        ark_serialize::CanonicalSerialize::serialize_compressed(inner, &mut bytes)
            .map_err(|_| ProofError::Length { found: bytes.len() })?;
        Self::from_bytes(&bytes)
    }
}
