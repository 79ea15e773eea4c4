//! The BN254 scalar field and the two ways bytes become elements of it.

use ark_ff::{AdditiveGroup, BigInteger, PrimeField};

pub use ark_bn254::Fr;

/// Bytes of body data in one element: the largest whole number of bytes that always stays below the modulus.
pub const DATA_BYTES: usize = 31;

/// A canonical element: 32 bytes little-endian, below the modulus. `None` for anything else, so one element has one encoding.
#[must_use]
pub fn element_from_bytes(bytes: &[u8; 32]) -> Option<Fr> {
    Fr::from_bigint(ark_ff::BigInt::new(limbs(bytes)))
}

/// Inverse of [`element_from_bytes`].
#[must_use]
pub fn element_to_bytes(element: &Fr) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&element.into_bigint().to_bytes_le());
    out
}

/// Body data as an element below 2^248: at most [`DATA_BYTES`] bytes little-endian, zero-padded at the high end.
///
/// # Panics
/// With more than 31 bytes, which is a bug in the caller and never depends on what the bytes are.
#[must_use]
pub fn element_from_31(bytes: &[u8]) -> Fr {
    assert!(bytes.len() <= DATA_BYTES, "an element holds at most 31 bytes of data");
    let mut padded = [0; 32];
    padded[..bytes.len()].copy_from_slice(bytes);
    // Below 2^248, hence below the modulus.
    element_from_bytes(&padded).unwrap_or(Fr::ZERO)
}

/// An element no 31 bytes of data produce: `2^248 + LE(BLAKE3(text)[..31])`. It is below 2^249, so never reduced.
#[must_use]
pub fn element_of_label(text: &str) -> Fr {
    let mut bytes = [0; 32];
    bytes[..DATA_BYTES].copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..DATA_BYTES]);
    bytes[DATA_BYTES] = 1;
    element_from_bytes(&bytes).unwrap_or(Fr::ZERO)
}

fn limbs(bytes: &[u8; 32]) -> [u64; 4] {
    let mut out = [0; 4];
    for (limb, eight) in out.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *limb = u64::from_le_bytes(*eight);
    }
    out
}
