//! Arithmetic that reduces late: the permutation's inner loop.
//!
//! A [`Lane`] is 256 bits, a multiple of the modulus `p` away from its element's Montgomery form. As 2^256 = 5.29 p there is room for
//! sums, and Montgomery multiplication shrinks what it is given: for `x < a p` and `y < b p` with `b <= 4.29` its result is below
//! `(a b / 5.29 + 1) p`. So nothing is ever compared with `p` inside the permutation: comparisons are what makes ordinary field
//! additions slow, since a processor cannot predict them.
//!
//! Bounds, as multiples of `p` (2^256 = 5.29015 p); the tests run each row at its edge:
//!
//! | step | given | gives |
//! |---|---|---|
//! | `multiply` | first below 4.1314, second `y` with `y + p <= 2^256`: at most 4.0701 is given | below `a b / 5.29 + 1` |
//! | `fifth_power` | 4.03 | square 4.0701, fourth 4.1314, fifth 4.1473 |
//! | `multiply_by` | any 256 bits | 2 + 2^-61 |
//! | `reduce` | 400 | 1.00032 |
//! | external layer | 4.2 | rows sum to 80, so 336 before, 1.01 after `reduce` |
//! | full round | 3.03, and 1 for the constant: 4.03 | 1.01 |
//! | partial round | 3.03; its sum is 15 · 3.03 + 4.2 = 49.65 | 3.0004 |
//! | `element` | 1.01 | the one canonical form |

use ark_ff::{BigInt, MontConfig, PrimeField};

use crate::field::Fr;

/// A field element's Montgomery form plus a multiple of the modulus.
pub(super) type Lane = [u64; 4];
/// A sum of lanes.
pub(super) type Wide = [u64; 5];

const P: [u64; 4] = <Fr as PrimeField>::MODULUS.0;
/// -p^-1 mod 2^64.
const INV: u64 = <ark_bn254::FrConfig as MontConfig<4>>::INV;

/// 2^40 / (p / 2^232), rounded down: quotient estimates are never too large.
const RECIPROCAL: u64 = (1 << 40) / ((P[3] >> 40) + 1);

pub(super) const fn lane(x: Fr) -> Lane {
    x.0.0
}

/// From below 2 p.
pub(super) fn element(x: Lane) -> Fr {
    let (less, borrow) = subtract(x, P);
    Fr::new_unchecked(BigInt::new(if borrow { x } else { less }))
}

/// `acc + a b + carry` as low and high word; it fits two words whatever the arguments.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low word is what is wanted")]
const fn multiply_add(acc: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let t = acc as u128 + a as u128 * b as u128 + carry as u128;
    (t as u64, (t >> 64) as u64)
}

/// Montgomery product, `x y / 2^256`: Acar's coarsely integrated operand scanning without the extra carry word, which
/// `y + p <= 2^256` makes unnecessary, and without the last subtraction. Below `(a b / 5.29 + 1) p`.
#[inline(always)]
fn multiply(x: &Lane, y: &Lane) -> Lane {
    let mut t = [0u64; 4];
    for xi in x {
        let (low, mut carry) = multiply_add(t[0], *xi, y[0], 0);
        let m = low.wrapping_mul(INV);
        let (_, mut carry_m) = multiply_add(low, m, P[0], 0);
        for j in 1..4 {
            let word;
            (word, carry) = multiply_add(t[j], *xi, y[j], carry);
            (t[j - 1], carry_m) = multiply_add(word, m, P[j], carry_m);
        }
        t[3] = carry + carry_m;
    }
    t
}

/// The fifth power. From below 4.03 p to below 4.2 p (4.08 and 4.14 on the way).
#[inline(always)]
pub(super) fn fifth_power(x: &Lane) -> Lane {
    let square = multiply(x, x);
    multiply(&multiply(&square, &square), x)
}

/// A constant to multiply lanes by (Shoup): the integer `d < p` itself, and `floor(2^256 d / p)`.
#[derive(Clone, Copy)]
pub(super) struct Factor {
    value: Lane,
    quotient: Lane,
}

impl Factor {
    /// Bit-by-bit long division of `2^256 d` by `p`.
    pub(super) fn new(d: Fr) -> Self {
        let value = d.into_bigint().0;
        let (mut rest, mut quotient) = (value, [0u64; 4]);
        for _ in 0..256 {
            // Below 2 p, which fits.
            rest = add(&rest, &rest);
            quotient = add(&quotient, &quotient);
            let (less, borrow) = subtract(rest, P);
            if !borrow {
                rest = less;
                quotient[0] |= 1;
            }
        }
        Self { value, quotient }
    }
}

/// `x d`, from anything to below 2.01 p: the quotient `q` by `p` is estimated from the precomputed one, at most 2 too small, and
/// `x d - q p` needs only low words. No word waits for another as in Montgomery's reduction, and 6 of 36 products fall away.
#[inline(always)]
pub(super) fn multiply_by(x: &Lane, d: &Factor) -> Lane {
    let q = high_words(x, &d.quotient);
    subtract(low_words(x, &d.value), low_words(&q, &P)).0
}

/// `x y mod 2^256`.
#[inline(always)]
fn low_words(x: &Lane, y: &Lane) -> Lane {
    let top = |i: usize, j: usize| x[i].wrapping_mul(y[j]);
    let (a, carry) = multiply_add(0, x[0], y[0], 0);
    let (b, carry) = multiply_add(0, x[0], y[1], carry);
    let (c, carry) = multiply_add(0, x[0], y[2], carry);
    let d = carry.wrapping_add(top(0, 3));
    let (b, carry) = multiply_add(b, x[1], y[0], 0);
    let (c, carry) = multiply_add(c, x[1], y[1], carry);
    let d = d.wrapping_add(carry).wrapping_add(top(1, 2));
    let (c, carry) = multiply_add(c, x[2], y[0], 0);
    [a, b, c, d.wrapping_add(carry).wrapping_add(top(2, 1)).wrapping_add(top(3, 0))]
}

/// `floor(x y / 2^256)`, or one less: what is left out below 2^192 is together under 2^195.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "columns are split into low and high words")]
fn high_words(x: &Lane, y: &Lane) -> Lane {
    let product = |i: usize, j: usize| u128::from(x[i]) * u128::from(y[j]);
    let low = |t: u128| u128::from(t as u64);
    let [p0, p1, p2] = [product(0, 2) >> 64, product(1, 1) >> 64, product(2, 0) >> 64];
    let [q0, q1, q2, q3] = [product(0, 3), product(1, 2), product(2, 1), product(3, 0)];
    let column = p0 + p1 + p2 + low(q0) + low(q1) + low(q2) + low(q3);
    let high = (column >> 64) + (q0 >> 64) + (q1 >> 64) + (q2 >> 64) + (q3 >> 64);
    let [p0, p1, p2] = [product(1, 3), product(2, 2), product(3, 1)];
    let first = high + low(p0) + low(p1) + low(p2);
    let high = (first >> 64) + (p0 >> 64) + (p1 >> 64) + (p2 >> 64);
    let [q0, q1] = [product(2, 3), product(3, 2)];
    let second = high + low(q0) + low(q1);
    let last = product(3, 3) + (second >> 64) + (q0 >> 64) + (q1 >> 64);
    [first as u64, second as u64, last as u64, (last >> 64) as u64]
}

/// Sum of two lanes that fit together.
#[inline(always)]
pub(super) fn add(x: &Lane, y: &Lane) -> Lane {
    let (a, carry) = x[0].overflowing_add(y[0]);
    let (b, carry) = x[1].carrying_add(y[1], carry);
    let (c, carry) = x[2].carrying_add(y[2], carry);
    let (d, _) = x[3].carrying_add(y[3], carry);
    [a, b, c, d]
}

#[inline(always)]
pub(super) const fn widen(x: &Lane) -> Wide {
    [x[0], x[1], x[2], x[3], 0]
}

/// Sum of two sums.
#[inline(always)]
pub(super) fn add_wide(x: &Wide, y: &Wide) -> Wide {
    let (a, carry) = x[0].overflowing_add(y[0]);
    let (b, carry) = x[1].carrying_add(y[1], carry);
    let (c, carry) = x[2].carrying_add(y[2], carry);
    let (d, carry) = x[3].carrying_add(y[3], carry);
    let (e, _) = x[4].carrying_add(y[4], carry);
    [a, b, c, d, e]
}

/// `2^BITS x`.
#[inline(always)]
pub(super) fn shift<const BITS: u32>(x: &Wide) -> Wide {
    let mut out = [x[0] << BITS, 0, 0, 0, 0];
    for i in 1..5 {
        out[i] = x[i] << BITS | x[i - 1] >> (64 - BITS);
    }
    out
}

/// From below 400 p to below 1.01 p, by an estimate of the quotient from the top 31 bits that is at most 0.002 too small before
/// it is rounded down.
#[inline(always)]
pub(super) fn reduce(x: &Wide) -> Lane {
    let top = x[4] << 24 | x[3] >> 40;
    let quotient = (top * RECIPROCAL) >> 40;
    let (a, high) = multiply_add(0, quotient, P[0], 0);
    let (b, high) = multiply_add(0, quotient, P[1], high);
    let (c, high) = multiply_add(0, quotient, P[2], high);
    // The fifth word of the difference is zero: the result is below 2^256.
    let d = quotient.wrapping_mul(P[3]).wrapping_add(high);
    subtract([x[0], x[1], x[2], x[3]], [a, b, c, d]).0
}

#[inline(always)]
fn subtract(x: Lane, y: Lane) -> (Lane, bool) {
    let (a, borrow) = x[0].overflowing_sub(y[0]);
    let (b, borrow) = x[1].borrowing_sub(y[1], borrow);
    let (c, borrow) = x[2].borrowing_sub(y[2], borrow);
    let (d, borrow) = x[3].borrowing_sub(y[3], borrow);
    ([a, b, c, d], borrow)
}

#[cfg(test)]
mod tests;
