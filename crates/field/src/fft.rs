//! Transforms between the coefficients of a polynomial over the scalar field and its values at roots of unity, eight elements side by
//! side.
//!
//! A block of `2m` coefficients stands for a polynomial modulo `X^(2m) − c²`; a level of the transform replaces it by the two
//! remainders modulo `X^m − c` and `X^m + c`: `(lo, hi)` becomes `(lo + c·hi, lo − c·hi)`, with one factor `c` for the whole block. Block
//! `i` of a level has the factor `ω^bitrev(i)`, ω a root of unity of order `2n`, so one table serves the tree under `X^n − 1`, whose
//! root is block 0, and the one under `X^n + 1` (values at the odd powers of ω: the coset `ω·H`), whose root is block 1. Going up, the
//! factors are `c^-1 = −ω^bitrev(j)` for a block `j` of the same table. Coefficients are in natural order, values in the order of the
//! leaves ([`Transform::leaf`]); no permutation is needed on the way through coefficients and back.
//!
//! Bounds. Before and after each of the functions, limbs are at most 2^50 in magnitude and values at most 0.6 p; of what `times` is given at most 0.5 p, as the ways down and up leave it. Three levels go
//! together; in multiples of 2^50 and of `p`, with `s t / 2.64 + 0.5` for a product (see [`crate::product`]; `t` = 0.5, its limbs 1):
//!
//! | after level | down: limbs, value | up: limbs, value of sums of sums | of other sums |
//! |---|---|---|---|
//! | 1 | 2, 1.3 | 2, 1.2 | |
//! | 2 | 3, 2.0 | 4, 2.4; carried: 1 | 2, 1.5 |
//! | 3 | 4, 2.9 | 2, 4.8 | 4, 3.0 |
//!
//! What is multiplied has limbs of at most 4, so products of limbs are at most 2^102. A quotient of at most 5 times the modulus is taken
//! off at the end, so limbs stay below 8, which doubles hold exactly.

#![cfg_attr(
    any(not(target_arch = "x86_64"), feature = "portable"),
    allow(dead_code, unused_imports, reason = "there is no transform then, and none can be made")
)]

use ark_bn254::Fr;
use ark_ff::{FftField, Field};

use crate::lanes::Lanes;
use crate::modulus::{LIMBS, MASK, SCALAR, WIDTH, centred, power_of_two, unsigned};

/// A factor of a block, limb by limb.
type Factor = [f64; LIMBS];

/// Eight blocks of equal length, for three levels at once.
pub type Eighths<'v> = [&'v mut [Lanes]; 8];

/// The factors for transforms of one size, on a processor with AVX2 and FMA.
#[derive(Clone, Debug)]
pub struct Transform {
    #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
    avx2: crate::avx2::Avx2,
    log: u32,
    factors: Vec<Factor>,
}

/// The root of the tree of a transform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// `X^n − 1`: values at the n-th roots of unity.
    Cyclic = 0,
    /// `X^n + 1`: values at ω times the n-th roots of unity, ω of order `2n`.
    Negacyclic = 1,
}

/// Elements at least: three levels side by side, and three across.
pub const LOG_MIN: u32 = 6;

impl Transform {
    /// For `2^log` elements: 40 bytes an element. `None` where the processor lacks AVX2 or FMA, and for less than 2^6 or more than
    /// 2^27 elements.
    #[must_use]
    pub fn new(log: u32) -> Option<Self> {
        if !(LOG_MIN..Fr::TWO_ADICITY).contains(&log) {
            return None;
        }
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            let avx2 = crate::avx2::Avx2::detect()?;
            let root = Fr::get_root_of_unity(2 << log)?;
            let mut powers = vec![power_of_two::<Fr>(255)];
            for bit in 0..log {
                // Bit reversal is additive over bits: the second half is the first times one power.
                let step = root.pow([1u64 << (log - 1 - bit)]);
                let half: Vec<Fr> = powers.iter().map(|x| *x * step).collect();
                powers.extend(half);
            }
            #[expect(clippy::cast_precision_loss, reason = "limbs are below 2^51")]
            let factors = powers.iter().map(|x| centred(*x).map(|l| l as f64)).collect();
            Some(Self { avx2, log, factors })
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        {
            None
        }
    }

    /// Number of elements, a power of two.
    #[must_use]
    pub const fn size(&self) -> usize {
        1 << self.log
    }

    /// Of the values in leaf order, element `lane` of `values[at]` is the one at root of unity number `leaf(at, lane)` (times ω, under
    /// [`Root::Negacyclic`]).
    #[must_use]
    pub const fn leaf(&self, at: usize, lane: usize) -> usize {
        // Within 64 elements the last levels go across lanes: the order is turned.
        let position = (at / WIDTH * WIDTH + lane) * WIDTH + at % WIDTH;
        position.reverse_bits() >> (usize::BITS - self.log)
    }

    /// Coefficients to values: the whole tree, on this thread. Whoever has more threads goes down with [`Transform::down_three`] first.
    ///
    /// `block` is the number of the block that `values` is, in its level: 0 or 1 for all [`Transform::size`] elements.
    ///
    /// # Panics
    /// When `values` is not a power of two of at least eight, and for a block the table has no factors for.
    pub fn down(&self, values: &mut [Lanes], block: usize) {
        if let Ok(last) = <&mut [Lanes; 8]>::try_from(&mut *values) {
            return self.down_last(last, block);
        }
        if !(values.len() / WIDTH).ilog2().is_multiple_of(3) {
            let (lo, hi) = values.split_at_mut(values.len() / 2);
            self.down_one(lo, hi, block);
            self.down(lo, 2 * block);
            return self.down(hi, 2 * block + 1);
        }
        self.down_three(eighths(values), block);
        for (i, part) in eighths(values).into_iter().enumerate() {
            self.down(part, 8 * block + i);
        }
    }

    /// Values to coefficients times [`Transform::size`]: [`Transform::down`] undone, but for that factor.
    ///
    /// # Panics
    /// As [`Transform::down`].
    pub fn up(&self, values: &mut [Lanes], block: usize) {
        if let Ok(last) = <&mut [Lanes; 8]>::try_from(&mut *values) {
            return self.up_last(last, block);
        }
        if !(values.len() / WIDTH).ilog2().is_multiple_of(3) {
            let (lo, hi) = values.split_at_mut(values.len() / 2);
            self.up(lo, 2 * block);
            self.up(hi, 2 * block + 1);
            return self.up_one(lo, hi, block);
        }
        for (i, part) in eighths(values).into_iter().enumerate() {
            self.up(part, 8 * block + i);
        }
        self.up_three(eighths(values), block);
    }

    /// Three levels down, on parts of the eighths of a block.
    pub fn down_three(&self, parts: Eighths<'_>, block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        self.avx2.each_eight(parts, &self.three(block, Way::Down), Way::Down);
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (parts, block);
    }

    /// Three levels up, on parts of the eighths of a block.
    pub fn up_three(&self, parts: Eighths<'_>, block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        self.avx2.each_eight(parts, &self.three(block, Way::Up), Way::Up);
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (parts, block);
    }

    /// One level down, on parts of the halves of a block.
    pub fn down_one(&self, lo: &mut [Lanes], hi: &mut [Lanes], block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        self.avx2.each_two(lo, hi, &splat(&self.factor(block, Way::Down)), Way::Down);
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (lo, hi, block);
    }

    /// One level up, on parts of the halves of a block.
    pub fn up_one(&self, lo: &mut [Lanes], hi: &mut [Lanes], block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        self.avx2.each_two(lo, hi, &splat(&self.factor(block, Way::Up)), Way::Up);
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (lo, hi, block);
    }

    /// The last six levels: a block of 64.
    fn down_last(&self, values: &mut [Lanes; 8], block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            self.avx2.eight(values, &self.three(block, Way::Down), Way::Down);
            turn(values);
            self.avx2.eight(values, &self.across(block, Way::Down), Way::Down);
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (values, block);
    }

    fn up_last(&self, values: &mut [Lanes; 8], block: usize) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            self.avx2.eight(values, &self.across(block, Way::Up), Way::Up);
            turn(values);
            self.avx2.eight(values, &self.three(block, Way::Up), Way::Up);
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (values, block);
    }

    /// The factor of a block.
    fn factor(&self, block: usize, way: Way) -> Factor {
        match way {
            Way::Down => self.factors[block],
            Way::Up if block == 0 => self.factors[0],
            // bitrev(i) + bitrev(j) is a whole turn less a half for blocks mirrored in their octave.
            Way::Up => self.factors[(3 << block.ilog2()) - 1 - block].map(|l| -l),
        }
    }

    /// The factors of a block and of the blocks of the two levels under it.
    fn three(&self, block: usize, way: Way) -> [Lanes; 7] {
        UNDER.map(|(scale, more)| splat(&self.factor(scale * block + more, way)))
    }

    /// [`Transform::three`] of the eight blocks three levels under a block, side by side.
    fn across(&self, block: usize, way: Way) -> [Lanes; 7] {
        UNDER.map(|(scale, more)| {
            let of: [Factor; WIDTH] =
                core::array::from_fn(|lane| self.factor(scale * (WIDTH * block + lane) + more, way));
            Lanes(core::array::from_fn(|j| core::array::from_fn(|lane| of[lane][j])))
        })
    }
}

/// The blocks of three levels: `(scale, more)` is block `scale·i + more`, under block `i`.
const UNDER: [(usize, usize); 7] = [(1, 0), (2, 0), (2, 1), (4, 0), (4, 1), (4, 2), (4, 3)];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Down,
    Up,
}

/// The eight parts of a block.
///
/// # Panics
/// When there are fewer than eight.
#[must_use]
pub fn eighths(values: &mut [Lanes]) -> Eighths<'_> {
    let part = values.len() / 8;
    let mut parts = values.chunks_exact_mut(part);
    core::array::from_fn(|_| parts.next().expect("a power of two of at least eight"))
}

/// The constant `x` for [`Transform::times`] and [`Transform::sum_of_products`].
#[must_use]
pub fn constant(x: Fr) -> Lanes {
    Lanes::splat(&centred(x * power_of_two::<Fr>(255)))
}

fn splat(factor: &Factor) -> Lanes {
    Lanes(factor.map(|l| [l; WIDTH]))
}

/// Rows become lanes.
fn turn(values: &mut [Lanes; 8]) {
    for j in 0..LIMBS {
        let rows: [[f64; WIDTH]; 8] = core::array::from_fn(|k| values[k].0[j]);
        for (lane, value) in values.iter_mut().enumerate() {
            value.0[j] = rows.map(|row| row[lane]);
        }
    }
}

impl Transform {
    /// Eight integers below the modulus.
    #[must_use]
    pub fn load(&self, words: &[[u64; 4]; WIDTH]) -> Lanes {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            self.avx2.settled(Lanes::from_limbs(&words.map(unsigned)))
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        {
            Lanes::from_limbs(&words.map(unsigned))
        }
    }

    /// `x = x y / 2^255`.
    pub fn times(&self, x: &mut Lanes, y: &Lanes) {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            *x = self.avx2.product(x, y);
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        let _ = (x, y);
    }

    /// `(x k + y l) / 2^255`, as eight integers below the modulus.
    #[must_use]
    pub fn sum_of_products(&self, x: &Lanes, k: &Lanes, y: &Lanes, l: &Lanes) -> [[u64; 4]; WIDTH] {
        #[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
        {
            let sum = self.avx2.sum_of_products(x, k, y, l);
            core::array::from_fn(|i| canonical(sum.limbs(i)))
        }
        #[cfg(not(all(target_arch = "x86_64", not(feature = "portable"))))]
        {
            let _ = (x, k, y, l);
            [[0; 4]; WIDTH]
        }
    }
}

/// The integer below the modulus, of one that is within 0.6 p of zero.
fn canonical(limbs: [i64; LIMBS]) -> [u64; 4] {
    // Between 0.4 p and 1.6 p.
    let mut limbs: [i64; LIMBS] = core::array::from_fn(|j| limbs[j] + SCALAR.limbs[j]);
    for j in 0..LIMBS - 1 {
        let carry = limbs[j] >> crate::modulus::LIMB_BITS;
        limbs[j] &= MASK;
        limbs[j + 1] += carry;
    }
    let [a, b, c, d, e] = limbs.map(i64::cast_unsigned);
    let sum = [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12];
    let (mut less, mut borrow) = ([0; 4], false);
    for ((less, x), p) in less.iter_mut().zip(sum).zip(<Fr as ark_ff::PrimeField>::MODULUS.0) {
        (*less, borrow) = x.borrowing_sub(p, borrow);
    }
    if borrow { sum } else { less }
}

#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
#[expect(unsafe_code, reason = "calls of code for processors that have been asked")]
impl crate::avx2::Avx2 {
    fn each_eight(self, parts: Eighths<'_>, factors: &[Lanes; 7], way: Way) {
        // SAFETY: a value of this type exists only where the processor has both features.
        unsafe { kernel::each_eight(parts, factors, way) }
    }

    fn each_two(self, lo: &mut [Lanes], hi: &mut [Lanes], factor: &Lanes, way: Way) {
        // SAFETY: as above.
        unsafe { kernel::each_two(lo, hi, factor, way) }
    }

    fn eight(self, values: &mut [Lanes; 8], factors: &[Lanes; 7], way: Way) {
        // SAFETY: as above.
        unsafe { kernel::eight(values, factors, way) }
    }

    fn settled(self, x: Lanes) -> Lanes {
        // SAFETY: as above.
        unsafe { kernel::settled(x) }
    }

    fn product(self, x: &Lanes, y: &Lanes) -> Lanes {
        // SAFETY: as above.
        unsafe { crate::avx2::multiply_add(x, y, None, &SCALAR) }
    }

    fn sum_of_products(self, x: &Lanes, k: &Lanes, y: &Lanes, l: &Lanes) -> Lanes {
        // SAFETY: as above.
        unsafe { kernel::sum_of_products(x, k, y, l) }
    }
}

/// Code for AVX2 and FMA. Loops over eight lanes become vector instructions because of the features.
#[cfg(all(target_arch = "x86_64", not(feature = "portable")))]
mod kernel {
    use super::{Eighths, Lanes, SCALAR, WIDTH, Way};
    use crate::avx2::multiply_add;
    use crate::modulus::{LIMBS, MAGIC};

    /// 1.5·2^103: doubles around it are 2^51 apart.
    const SPLIT: f64 = 1.5 * (1u128 << 103) as f64;
    /// 2^-51.
    const DOWN: f64 = 1.0 / (1u64 << 51) as f64;

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn each_eight(parts: Eighths<'_>, factors: &[Lanes; 7], way: Way) {
        let [a, b, c, d, e, f, g, h] = parts;
        let low = a.iter_mut().zip(b).zip(c).zip(d);
        let high = e.iter_mut().zip(f).zip(g).zip(h);
        for ((((a, b), c), d), (((e, f), g), h)) in low.zip(high) {
            let mut values = [*a, *b, *c, *d, *e, *f, *g, *h];
            eight(&mut values, factors, way);
            [*a, *b, *c, *d, *e, *f, *g, *h] = values;
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn each_two(lo: &mut [Lanes], hi: &mut [Lanes], factor: &Lanes, way: Way) {
        for (lo, hi) in lo.iter_mut().zip(hi) {
            match way {
                Way::Down => down(lo, hi, factor),
                Way::Up => up(lo, hi, factor),
            }
            (*lo, *hi) = (settled(*lo), settled(*hi));
        }
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn eight(values: &mut [Lanes; 8], f: &[Lanes; 7], way: Way) {
        let [a, b, c, d, e, f_, g, h] = values;
        match way {
            Way::Down => {
                for (lo, hi) in [(&mut *a, &mut *e), (b, f_), (c, g), (d, h)] {
                    down(lo, hi, &f[0]);
                }
                let [a, b, c, d, e, f_, g, h] = values;
                for (lo, hi, f) in [(a, c, &f[1]), (b, d, &f[1]), (e, g, &f[2]), (f_, h, &f[2])] {
                    down(lo, hi, f);
                }
                for (pair, f) in values.as_chunks_mut::<2>().0.iter_mut().zip(&f[3..]) {
                    let [lo, hi] = pair;
                    down(lo, hi, f);
                }
            }
            Way::Up => {
                for (pair, f) in values.as_chunks_mut::<2>().0.iter_mut().zip(&f[3..]) {
                    let [lo, hi] = pair;
                    up(lo, hi, f);
                }
                let [a, b, c, d, e, f_, g, h] = values;
                for (lo, hi, f) in [(&mut *a, c, &f[1]), (b, d, &f[1]), (&mut *e, g, &f[2]), (f_, h, &f[2])] {
                    up(lo, hi, f);
                }
                (*a, *e) = (carried(*a), carried(*e));
                let [a, b, c, d, e, f_, g, h] = values;
                for (lo, hi) in [(a, e), (b, f_), (c, g), (d, h)] {
                    up(lo, hi, &f[0]);
                }
            }
        }
        for x in values {
            *x = settled(*x);
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn down(lo: &mut Lanes, hi: &mut Lanes, factor: &Lanes) {
        let t = multiply_add(factor, hi, None, &SCALAR);
        for ((lo, hi), t) in lo.0.iter_mut().zip(&mut hi.0).zip(&t.0) {
            for ((lo, hi), t) in lo.iter_mut().zip(hi).zip(t) {
                (*lo, *hi) = (*lo + t, *lo - t);
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn up(lo: &mut Lanes, hi: &mut Lanes, factor: &Lanes) {
        for (lo, hi) in lo.0.iter_mut().zip(&mut hi.0) {
            for (lo, hi) in lo.iter_mut().zip(hi) {
                (*lo, *hi) = (*lo + *hi, *lo - *hi);
            }
        }
        *hi = multiply_add(factor, hi, None, &SCALAR);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn sum_of_products(x: &Lanes, k: &Lanes, y: &Lanes, l: &Lanes) -> Lanes {
        let (mut x, y) = (multiply_add(k, x, None, &SCALAR), multiply_add(l, y, None, &SCALAR));
        for (x, y) in x.0.iter_mut().zip(&y.0) {
            for (x, y) in x.iter_mut().zip(y) {
                *x += y;
            }
        }
        settled(x)
    }

    /// Less the nearest multiple of the modulus (the last limb alone tells it, to within 2^-45), carried. Limbs plus quotient must be
    /// at most 8·2^50.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn settled(mut x: Lanes) -> Lanes {
        let mut quotient = [0.0; WIDTH];
        for (quotient, top) in quotient.iter_mut().zip(&x.0[LIMBS - 1]) {
            *quotient = (top * SCALAR.reciprocal + MAGIC) - MAGIC;
        }
        for (row, p) in x.0.iter_mut().zip(&SCALAR.p) {
            for (limb, quotient) in row.iter_mut().zip(&quotient) {
                *limb -= quotient * p[0];
            }
        }
        carried(x)
    }

    /// The same value, limbs but the last at most 2^50.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn carried(mut x: Lanes) -> Lanes {
        for j in 0..LIMBS - 1 {
            let (below, above) = x.0.split_at_mut(j + 1);
            for (limb, next) in below[j].iter_mut().zip(&mut above[0]) {
                let carry = (*limb + SPLIT) - SPLIT;
                *limb -= carry;
                *next += carry * DOWN;
            }
        }
        x
    }
}
