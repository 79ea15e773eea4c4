//! Field elements as decimal text, one spelling each.

use ark_ff::BigInt;

use super::Element;

/// The digits of `x`, without leading zeros.
pub(crate) fn text<F: Element>(x: &F) -> String {
    x.into_bigint().to_string()
}

/// The element of its one spelling: none for leading zeros, signs, spaces, or a number at or above the modulus.
pub(super) fn read<F: Element>(text: &str) -> Option<F> {
    if text.is_empty() || (text.len() > 1 && text.starts_with('0')) {
        return None;
    }
    let mut limbs = [0u64; 4];
    for byte in text.bytes() {
        let mut carry = u128::from(byte.checked_sub(b'0').filter(|d| *d < 10)?);
        for limb in &mut limbs {
            let wide = u128::from(*limb) * 10 + carry;
            (*limb, carry) = (low(wide), wide >> 64);
        }
        if carry != 0 {
            return None;
        }
    }
    F::from_bigint(BigInt(limbs))
}

#[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
const fn low(wide: u128) -> u64 {
    wide as u64
}
