//! Montgomery multiplication with the doubles of AVX2 and FMA, and the check that a processor has them.
//!
//! [`step`] is assembly because compilers reorder the integer sums of a column, so that 16 registers do not suffice and every second
//! instruction becomes a load (measured: 17 ns an element instead of 11).
#![expect(
    unsafe_code,
    reason = "calls of code for processors that have been asked; vector loads and stores of references"
)]

use core::arch::x86_64::{
    __m256d, __m256i, _mm256_add_epi64, _mm256_and_si256, _mm256_castpd_si256, _mm256_castsi256_pd,
    _mm256_loadu_si256, _mm256_or_si256, _mm256_set1_epi64x, _mm256_set1_pd, _mm256_srli_epi64,
    _mm256_store_pd, _mm256_sub_pd,
};
use core::mem::offset_of;

use crate::lanes::{Columns, Lanes};
use crate::modulus::{HALF, LIMBS, MAGIC, MASK, Modulus, TWO_52};

pub(crate) mod factor;
mod step;

/// Lanes of a register.
const HALVES: usize = 2;
const REGISTER: usize = 4;
/// 1.5·2^103: doubles around it are 2^51 apart.
const SPLIT: f64 = 15_211_807_202_738_752_817_960_438_464_512.0;
/// Exact: a multiple of 2^51.
const SPLIT_MAGIC: f64 = SPLIT + MAGIC;
/// Added to every column, so that none is negative when it is shifted: columns stay below 2^59 in magnitude.
const BIAS: i64 = 1 << 60;

const _: () = assert!(SPLIT == 1.5 * (1u128 << 103) as f64 && SPLIT_MAGIC - SPLIT == MAGIC);
// What the assembly counts on.
const _: () = assert!(
    offset_of!(Modulus, p) == 0
        && offset_of!(Modulus, inverse) == 160
        && offset_of!(Modulus, mask) == 192
        && offset_of!(Modulus, two_52) == 224
        && offset_of!(Modulus, magic) == 256
        && offset_of!(Modulus, fold) == 288
);

/// That this processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2(());

impl Avx2 {
    pub(crate) fn detect() -> Option<Self> {
        (std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma"))
            .then_some(Self(()))
    }

    /// [`crate::product::multiply_add`].
    pub(crate) fn multiply_add(self, a: &Lanes, b: &Lanes, addend: &Columns, modulus: &Modulus) -> Lanes {
        // SAFETY: a value of this type exists only where the processor has both features.
        unsafe { multiply_add(a, b, Some(addend), modulus) }
    }
}

/// What the columns of a sum of products start with, for the numbers of products whose low parts go to each column (their high parts go to
/// the next): the constants of all that will be added taken off, the bias put on, the bias of the column before (shifted) taken off. From
/// column `first` on columns become limbs: they are balanced by a half, the last is a double at once.
const fn starts<const N: usize>(products: [i64; N], first: usize) -> [i64; N] {
    let (mut s, mut c) = ([0; N], 0);
    while c < N {
        let above = if c > 0 { products[c - 1] } else { 0 };
        let constants = products[c]
            .wrapping_mul(MAGIC.to_bits().cast_signed())
            .wrapping_add(above.wrapping_mul(SPLIT.to_bits().cast_signed()));
        let own = if c + 1 == N {
            MAGIC.to_bits().cast_signed()
        } else if c >= first {
            BIAS + HALF
        } else {
            BIAS
        };
        let carried = if c > 0 { BIAS >> 51 } else { 0 };
        s[c] = own.wrapping_sub(carried).wrapping_sub(constants);
        c += 1;
    }
    s
}

/// Steps of a product that fold; the others are Montgomery's.
const FOLDS: usize = 3;

/// Columns of `count` products with one reduction.
const fn products(count: i64) -> [i64; 2 * LIMBS] {
    let (mut products, mut i) = ([0; 2 * LIMBS], 0);
    while i < LIMBS {
        let mut j = 0;
        while j < LIMBS {
            products[i + j] += count;
            products[i + j + if i < FOLDS { 1 } else { 0 }] += 1;
            j += 1;
        }
        i += 1;
    }
    starts(products, LIMBS)
}

const START: [i64; 2 * LIMBS] = products(1);
const START_TWO: [i64; 2 * LIMBS] = products(2);

/// `a b / 2^255 + addend`; bounds in [`crate::product`].
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_add(a: &Lanes, b: &Lanes, addend: Option<&Columns>, modulus: &Modulus) -> Lanes {
    let begin = [0, 1, 2, 3, 4, 5].map(|c: usize| START[c]);
    let mut t = [columns(begin); HALVES];
    for (i, next) in [START[6], START[7], START[8], START[9], 0].into_iter().enumerate() {
        for (h, t) in t.iter_mut().enumerate() {
            column(t, a, i, b, h, modulus, next);
        }
    }
    let mut out = Lanes::ZERO;
    for (h, t) in t.iter_mut().enumerate() {
        finish(t, addend, &mut out, h);
    }
    out
}

/// `(a0 b0 + a1 b1) / 2^255`, with one reduction. Bounds as for one product, the value's with the sum of both for `a b`.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub(crate) fn multiply_two(a: [&Lanes; 2], b: [&Lanes; 2], modulus: &Modulus) -> Lanes {
    let begin = [0, 1, 2, 3, 4, 5].map(|c: usize| START_TWO[c]);
    let mut t = [columns(begin); HALVES];
    let nexts = [START_TWO[6], START_TWO[7], START_TWO[8], START_TWO[9], 0];
    for (i, next) in nexts.into_iter().enumerate() {
        for (h, t) in t.iter_mut().enumerate() {
            step::accumulate(t, a[1], i, b[1], h);
            column(t, a[0], i, b[0], h, modulus, next);
        }
    }
    let mut out = Lanes::ZERO;
    for (h, t) in t.iter_mut().enumerate() {
        finish(t, None, &mut out, h);
    }
    out
}

/// Step `i`.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn column(t: &mut [__m256i; 6], a: &Lanes, i: usize, b: &Lanes, h: usize, modulus: &Modulus, next: i64) {
    if i < FOLDS {
        step::fold(t, a, i, b, h, modulus, next);
    } else {
        step::montgomery(t, a, i, b, h, modulus, next);
    }
}

#[inline]
#[target_feature(enable = "avx2,fma")]
fn columns(start: [i64; 6]) -> [__m256i; 6] {
    let [a, b, c, d, e, f] = start;
    [
        _mm256_set1_epi64x(a),
        _mm256_set1_epi64x(b),
        _mm256_set1_epi64x(c),
        _mm256_set1_epi64x(d),
        _mm256_set1_epi64x(e),
        _mm256_set1_epi64x(f),
    ]
}

/// The first five columns and the addend, to limbs.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn finish(t: &mut [__m256i; 6], addend: Option<&Columns>, out: &mut Lanes, h: usize) {
    if let Some(addend) = addend {
        for (t, row) in t.iter_mut().zip(addend) {
            // SAFETY: four of the eight numbers of a row, from 0 or from 4; no alignment is asked for.
            let more = unsafe { _mm256_loadu_si256(row.as_ptr().add(REGISTER * h).cast()) };
            *t = _mm256_add_epi64(*t, more);
        }
    }
    let mut x = t[0];
    for j in 0..LIMBS {
        let limb = if j + 1 < LIMBS {
            let limb = balanced(x);
            x = _mm256_add_epi64(t[j + 1], _mm256_srli_epi64::<51>(x));
            limb
        } else {
            _mm256_sub_pd(_mm256_castsi256_pd(x), _mm256_set1_pd(MAGIC))
        };
        // SAFETY: four of the eight numbers of a row, from 0 or from 4, aligned to 32 bytes as the type is.
        unsafe { _mm256_store_pd(out.0[j].as_mut_ptr().add(REGISTER * h), limb) };
    }
}

/// The low 51 bits, less a half, as doubles.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn balanced(x: __m256i) -> __m256d {
    let low = _mm256_and_si256(x, _mm256_set1_epi64x(MASK));
    let double = _mm256_or_si256(low, _mm256_castpd_si256(_mm256_set1_pd(TWO_52)));
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    let off = _mm256_set1_pd(TWO_52 + HALF as f64);
    _mm256_sub_pd(_mm256_castsi256_pd(double), off)
}
