//! Eight elements side by side.

use ark_ff::{BigInt, PrimeField};

use crate::modulus::{LIMB_BITS, LIMBS, WIDTH};

/// Eight elements, limb by limb: `self.0[j][i]` is limb `j` of element `i`, an integer. The value of an element may be negative, and any
/// multiple of the modulus away from the canonical one; who computes keeps the bounds.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lanes(pub [[f64; WIDTH]; LIMBS]);

/// Sums of elements, limb by limb, as integers.
pub type Columns = [[i64; WIDTH]; LIMBS];

impl Lanes {
    /// Eight times zero.
    pub const ZERO: Self = Self([[0.0; WIDTH]; LIMBS]);

    /// Eight integers, given by their limbs, each below 2^53 in magnitude.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "limbs are below 2^53")]
    pub fn from_limbs(elements: &[[i64; LIMBS]; WIDTH]) -> Self {
        Self(core::array::from_fn(|j| core::array::from_fn(|i| elements[i][j] as f64)))
    }

    /// The same integer eight times.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "limbs are below 2^53")]
    pub fn splat(limbs: &[i64; LIMBS]) -> Self {
        Self(limbs.map(|l| [l as f64; WIDTH]))
    }

    /// Limbs of element `i`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "limbs are integers")]
    pub fn limbs(&self, i: usize) -> [i64; LIMBS] {
        self.0.map(|row| row[i] as i64)
    }

    /// Element `i` modulo the modulus of `F`, as the integer it is (no Montgomery form). Between `-2^255` and `2^255`.
    #[must_use]
    pub fn element<F: PrimeField<BigInt = BigInt<4>>>(&self, i: usize) -> F {
        let words = two_complement(self.limbs(i));
        let negative = words[3] >> 63 == 1;
        let magnitude = if negative { negated(words) } else { words };
        let magnitude = F::from_bigint(BigInt::new(magnitude)).unwrap_or_else(|| reduced(magnitude));
        if negative { -magnitude } else { magnitude }
    }
}

/// `x mod p` the slow way, for the few values that are not below `p`.
fn reduced<F: PrimeField<BigInt = BigInt<4>>>(mut x: [u64; 4]) -> F {
    let p = F::MODULUS.0;
    loop {
        if let Some(f) = F::from_bigint(BigInt::new(x)) {
            return f;
        }
        let (a, borrow) = x[0].overflowing_sub(p[0]);
        let (b, borrow) = x[1].borrowing_sub(p[1], borrow);
        let (c, borrow) = x[2].borrowing_sub(p[2], borrow);
        let (d, _) = x[3].borrowing_sub(p[3], borrow);
        x = [a, b, c, d];
    }
}

/// 256 bits, two's complement.
fn two_complement(limbs: [i64; LIMBS]) -> [u64; 4] {
    // Carried, all limbs but the last are in 0..2^51.
    let mut limbs = limbs;
    for j in 0..LIMBS - 1 {
        let carry = limbs[j] >> LIMB_BITS;
        limbs[j] -= carry << LIMB_BITS;
        limbs[j + 1] += carry;
    }
    let [a, b, c, d, e] = limbs.map(|l| l as u64);
    [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12]
}

fn negated(x: [u64; 4]) -> [u64; 4] {
    let mut carry = true;
    x.map(|w| {
        let (w, c) = (!w).overflowing_add(u64::from(carry));
        carry = c;
        w
    })
}
