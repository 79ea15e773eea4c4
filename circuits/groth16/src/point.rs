//! Strict decoding of curve points: one point, one encoding.

use ark_bn254::{G1Affine, G2Affine};
use ark_ec::AffineRepr;

/// Bytes of a compressed G1 point.
pub(crate) const G1_BYTES: usize = 32;
/// Bytes of a compressed G2 point.
pub(crate) const G2_BYTES: usize = 64;

/// Why bytes are not an acceptable curve point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// Not a point: coordinate at or above the modulus, off the curve, or outside the prime-order subgroup.
    #[error("not a point of the prime-order group")]
    NotInGroup,
    /// A second encoding of a point that has another one.
    #[error("not the canonical encoding of the point")]
    NotCanonical,
    /// The point at infinity, which no honest key or proof contains.
    #[error("the point at infinity")]
    Identity,
}

/// Decodes one compressed point of exactly `bytes.len()` bytes.
///
/// The decoder of `ark-serialize` checks range, curve and subgroup, but accepts the infinity flag over any
/// coordinate; encoding again and comparing refuses that and every other second encoding.
fn decode<P: AffineRepr>(bytes: &[u8]) -> Result<P, PointError> {
    let point = P::deserialize_compressed(bytes).map_err(|_| PointError::NotInGroup)?;
    if point.is_zero() {
        return Err(PointError::Identity);
    }
    let mut again = [0u8; G2_BYTES];
    let len = point.compressed_size();
    let slot = again.get_mut(..len).ok_or(PointError::NotCanonical)?;
    point.serialize_compressed(slot).map_err(|_| PointError::NotCanonical)?;
    if again.get(..len) == Some(bytes) { Ok(point) } else { Err(PointError::NotCanonical) }
}

/// A G1 point other than infinity.
pub(crate) fn g1(bytes: &[u8; G1_BYTES]) -> Result<G1Affine, PointError> {
    decode(bytes)
}

/// A G2 point other than infinity.
pub(crate) fn g2(bytes: &[u8; G2_BYTES]) -> Result<G2Affine, PointError> {
    decode(bytes)
}
