//! Scalars as signed digits.

use ark_bn254::Fr;
use ark_ff::{BigInteger as _, PrimeField as _};
use rayon::prelude::*;

/// Bits of what is cut: a scalar or its negative, whichever is smaller, is below 2^253, and the highest digit must not carry.
const BITS: usize = 254;
/// Digits are kept in 16 bits.
const WIDEST: usize = 16;
/// Scalars of one task.
const TASK: usize = 4096;

/// Signed digits of all scalars, window by window.
pub(crate) struct Digits {
    digits: Vec<i16>,
    scalars: usize,
}

impl Digits {
    /// Digits in `-2^(bits-1) .. 2^(bits-1)`, all zero for scalars to be left out.
    pub(crate) fn new(scalars: &[Fr], left_out: impl Fn(usize) -> bool + Sync, bits: usize) -> Self {
        let (n, windows) = (scalars.len(), BITS.div_ceil(bits));
        let mut digits = vec![0; n * windows];
        // The rows of a task are its part of every window.
        let mut tasks: Vec<Vec<&mut [i16]>> =
            (0..n.div_ceil(TASK)).map(|_| Vec::with_capacity(windows)).collect();
        for window in digits.chunks_mut(n) {
            for (task, part) in tasks.iter_mut().zip(window.chunks_mut(TASK)) {
                task.push(part);
            }
        }
        tasks.into_par_iter().zip(scalars.par_chunks(TASK)).enumerate().for_each(
            |(t, (mut rows, scalars))| {
                for (i, scalar) in scalars.iter().enumerate() {
                    if !left_out(t * TASK + i) {
                        cut(scalar, bits, |w, digit| rows[w][i] = digit);
                    }
                }
            },
        );
        Self { digits, scalars: n }
    }

    /// How many windows there are.
    pub(crate) fn windows(&self) -> usize {
        self.digits.len() / self.scalars
    }

    /// Digits of window `w`, of weight `2^(bits w)`.
    pub(crate) fn window(&self, w: usize) -> &[i16] {
        &self.digits[w * self.scalars..][..self.scalars]
    }
}

/// Gives every digit of `scalar` that may not be zero.
fn cut(scalar: &Fr, bits: usize, mut digit: impl FnMut(usize, i16)) {
    let (mut x, mut negated) = (scalar.into_bigint(), Fr::MODULUS);
    negated.sub_with_borrow(&x);
    let negative = negated < x;
    if negative {
        x = negated;
    }
    // Of the negative the digits are negated, so that what is cut at differs by one.
    let half = (1 << (bits - 1)) + u64::from(negative);
    let mask = (1 << bits) - 1;
    let mut carry = 0;
    for w in 0..BITS.div_ceil(bits) {
        let (word, shift) = (w * bits / 64, w * bits % 64);
        let mut d = x.0[word] >> shift;
        if shift + bits > 64 && word + 1 < x.0.len() {
            d |= x.0[word + 1] << (64 - shift);
        }
        d = (d & mask) + carry;
        carry = u64::from(d >= half);
        let d = d.wrapping_sub(carry << bits);
        #[expect(clippy::cast_possible_truncation, reason = "-2^15..2^15")]
        digit(w, if negative { d.wrapping_neg() } else { d }.cast_signed() as i16);
    }
    debug_assert_eq!(carry, 0);
}

/// Bits of a digit for `n` points: what costs least, in additions. Each window costs one for every point; two for every digit, for its weight;
/// and, for each row and column of digits, about fourteen in projective coordinates.
pub(crate) fn width(n: usize) -> usize {
    let cost = |bits: usize| {
        let digits = 1 << (bits - 1);
        let lines = 3 << (bits / 2);
        BITS.div_ceil(bits) * (n + 2 * n.min(digits) + 14 * lines)
    };
    (4..=WIDEST).min_by_key(|bits| cost(*bits)).unwrap_or(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup as _, Field as _};

    /// Digits at both ends of their range, of either sign, at every width: the widest are the ones 16 bits must hold.
    #[test]
    fn digits_are_the_scalar() {
        let half = Fr::from(2u64).inverse().expect("odd");
        let mut scalars = vec![Fr::ZERO, Fr::ONE, half, half - Fr::ONE];
        for bits in 1..=WIDEST as u64 {
            let base = Fr::from(1u64 << bits);
            // 2^(bits-1) in every digit, and one less.
            let repeated = |d: u64| (0..250 / bits).fold(Fr::ZERO, |sum, _| sum * base + Fr::from(d));
            scalars.extend([
                repeated(1 << (bits - 1)),
                repeated((1 << (bits - 1)) - 1),
                repeated((1 << bits) - 1),
            ]);
        }
        scalars.extend(scalars.clone().iter().map(|s| -*s));
        for bits in 3..=WIDEST {
            let base = Fr::from(1u64 << bits);
            let digits = Digits::new(&scalars, |_| false, bits);
            for (i, scalar) in scalars.iter().enumerate() {
                let windows = (0..digits.windows()).rev();
                let sum = windows.fold(Fr::ZERO, |sum, w| sum * base + Fr::from(digits.window(w)[i]));
                assert_eq!(sum, *scalar, "{bits} bits");
                assert!((0..digits.windows()).all(|w| digits.window(w)[i].unsigned_abs() <= 1 << (bits - 1)));
            }
        }
    }
}
