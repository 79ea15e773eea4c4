//! Curve points and scalars of BN254 as iden3 files hold them.
//!
//! | form | where | bytes |
//! |---|---|---|
//! | stored ("LEM") | key and powers-of-tau files | affine x ‖ y, each the little-endian *Montgomery* form (R = 2^256); G2 coordinates c0 ‖ c1 |
//! | hashed ("U") | transcripts | affine x ‖ y, plain, big-endian; G2 coordinates c1 ‖ c0 |
//!
//! Infinity is all zeros in both. Facts from ffjavascript 0.3 (`wasm_curve.js`) and snarkjs 0.7.6.

use ark_bn254::{Fq, Fq2, Fr};
use ark_ec::AffineRepr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField};

/// Bytes of one coordinate in the base field, and of a scalar.
pub(crate) const FIELD_BYTES: usize = 32;

/// Why stored bytes are not a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PointFault {
    /// A coordinate at or above the modulus.
    #[error("a coordinate is not below the field's modulus")]
    NotReduced,
    /// Not on the curve.
    #[error("not on the curve")]
    OffCurve,
    /// On the curve, but outside the prime-order subgroup (G2 only).
    #[error("outside the prime-order subgroup")]
    OffSubgroup,
    /// The point at infinity where none may be.
    #[error("the point at infinity")]
    Identity,
}

/// G1 or G2, as this crate needs them.
pub(crate) trait Point: AffineRepr<ScalarField = Fr> {
    /// Bytes of a point, stored or hashed.
    const BYTES: usize;
    /// Reads the stored form. Infinity is allowed; G2 is *not* checked for its subgroup.
    fn read(bytes: &[u8]) -> Result<Self, PointFault>;
    /// Whether it is in the prime-order subgroup, given that it is on the curve.
    fn in_subgroup(&self) -> bool;
    /// Writes the stored form into `to`, of [`Point::BYTES`].
    fn write(&self, to: &mut Vec<u8>);
    /// Writes the hashed form.
    fn write_hashed(&self, to: &mut Vec<u8>);
}

fn fq(bytes: &[u8]) -> Result<Fq, PointFault> {
    let raw = limbs(bytes).ok_or(PointFault::NotReduced)?;
    if raw < Fq::MODULUS { Ok(Fq::new_unchecked(raw)) } else { Err(PointFault::NotReduced) }
}

/// Little-endian limbs of exactly 32 bytes.
fn limbs(bytes: &[u8]) -> Option<BigInt<4>> {
    let (words, []) = bytes.as_chunks::<8>() else { return None };
    let words: &[[u8; 8]; 4] = words.try_into().ok()?;
    Some(BigInt(words.map(u64::from_le_bytes)))
}

fn put(raw: BigInt<4>, to: &mut Vec<u8>) {
    for limb in raw.0 {
        to.extend_from_slice(&limb.to_le_bytes());
    }
}

fn put_hashed(value: Fq, to: &mut Vec<u8>) {
    to.extend_from_slice(&value.into_bigint().to_bytes_be());
}

impl Point for Affine<ark_bn254::g1::Config> {
    const BYTES: usize = 64;

    fn read(bytes: &[u8]) -> Result<Self, PointFault> {
        let (x, y) = bytes.split_at_checked(FIELD_BYTES).ok_or(PointFault::NotReduced)?;
        let (x, y) = (fq(x)?, fq(y)?);
        if x == Fq::ZERO && y == Fq::ZERO {
            return Ok(Self::identity());
        }
        // Checked on the next line.
        let point = Self::new_unchecked(x, y);
        if point.is_on_curve() { Ok(point) } else { Err(PointFault::OffCurve) }
    }

    fn in_subgroup(&self) -> bool {
        true
    }

    fn write(&self, to: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        put(x.0, to);
        put(y.0, to);
    }

    fn write_hashed(&self, to: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        put_hashed(x, to);
        put_hashed(y, to);
    }
}

impl Point for Affine<ark_bn254::g2::Config> {
    const BYTES: usize = 128;

    fn read(bytes: &[u8]) -> Result<Self, PointFault> {
        let mut parts = bytes.chunks(FIELD_BYTES).map(fq);
        let mut next = || parts.next().unwrap_or(Err(PointFault::NotReduced));
        let x = Fq2::new(next()?, next()?);
        let y = Fq2::new(next()?, next()?);
        if x == Fq2::ZERO && y == Fq2::ZERO {
            return Ok(Self::identity());
        }
        // Checked on the next line.
        let point = Self::new_unchecked(x, y);
        if point.is_on_curve() { Ok(point) } else { Err(PointFault::OffCurve) }
    }

    fn in_subgroup(&self) -> bool {
        self.is_in_correct_subgroup_assuming_on_curve()
    }

    fn write(&self, to: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        for c in [x.c0, x.c1, y.c0, y.c1] {
            put(c.0, to);
        }
    }

    fn write_hashed(&self, to: &mut Vec<u8>) {
        let (x, y) = self.xy().unwrap_or_default();
        for c in [x.c1, x.c0, y.c1, y.c0] {
            put_hashed(c, to);
        }
    }
}

/// Reads a point that may not be infinity and must be in the prime-order subgroup.
pub(crate) fn strict<P: Point>(bytes: &[u8]) -> Result<P, PointFault> {
    let point = P::read(bytes)?;
    if point.is_zero() {
        return Err(PointFault::Identity);
    }
    if point.in_subgroup() { Ok(point) } else { Err(PointFault::OffSubgroup) }
}

/// Points in their stored form.
pub(crate) fn stored<P: Point>(points: &[P]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * P::BYTES);
    for p in points {
        p.write(&mut out);
    }
    out
}

/// Points in their hashed form.
pub(crate) fn hashed<P: Point>(points: &[P]) -> Vec<u8> {
    let mut out = Vec::with_capacity(points.len() * P::BYTES);
    for p in points {
        p.write_hashed(&mut out);
    }
    out
}

/// The stored form of a coefficient in a key file: value · R² mod r, little-endian.
pub(crate) fn coefficient(value: Fr, to: &mut Vec<u8>) {
    // `.0` is value·R already; multiplying by the field element R makes it value·R².
    put((value * montgomery_r()).0, to);
}

/// R = 2^256 as a scalar.
fn montgomery_r() -> Fr {
    Fr::from(2u64).pow([256])
}
