//! Strict decoding of ristretto255 elements and scalars (RFC 9496 sections 4.3.1 and 4.4).
//!
//! The group has prime order, so there are no points of small order to look for; what is left are encodings that are not
//! canonical (among them those of every point of small order of edwards25519), refused in every role, and the identity, refused in every
//! role but one: a share may be it if its proof says so.

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;

/// Bytes of an element and of a scalar.
pub(crate) const POINT_BYTES: usize = 32;

/// Why 32 bytes are no element that may stand here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointError {
    /// Not the canonical encoding of any element of the group.
    #[error("not the canonical encoding of an element of ristretto255")]
    NotCanonical,
    /// The identity, with which nothing is hidden.
    #[error("the identity element")]
    Identity,
}

/// An element with its one encoding: what is hashed is what was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) bytes: [u8; POINT_BYTES],
    pub(crate) point: RistrettoPoint,
}

impl Element {
    /// Reads an element, which may be the identity.
    pub(crate) fn decode_any(bytes: &[u8; POINT_BYTES]) -> Result<Self, PointError> {
        let point = CompressedRistretto(*bytes).decompress().ok_or(PointError::NotCanonical)?;
        Ok(Self { bytes: *bytes, point })
    }

    /// Reads an element other than the identity.
    pub(crate) fn decode(bytes: &[u8; POINT_BYTES]) -> Result<Self, PointError> {
        // The one encoding of the identity (RFC 9496 section 4.3.2; every other is not canonical).
        if *bytes == [0; POINT_BYTES] {
            return Err(PointError::Identity);
        }
        Self::decode_any(bytes)
    }
}

impl From<RistrettoPoint> for Element {
    fn from(point: RistrettoPoint) -> Self {
        Self { bytes: point.compress().0, point }
    }
}

/// Reads a scalar below the group's order.
pub(crate) fn decode_scalar(bytes: &[u8; POINT_BYTES]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes).into_option()
}

/// The first and the last 32 of 64 bytes.
pub(crate) fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut a, mut b) = ([0; 32], [0; 32]);
    a.copy_from_slice(&bytes[..32]);
    b.copy_from_slice(&bytes[32..]);
    (a, b)
}

/// Two times 32 bytes as 64.
pub(crate) fn joined(a: &[u8; 32], b: &[u8; 32]) -> [u8; 64] {
    let mut out = [0; 64];
    out[..32].copy_from_slice(a);
    out[32..].copy_from_slice(b);
    out
}
