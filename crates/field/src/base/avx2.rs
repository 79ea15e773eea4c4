//! The backend in doubles: `R = 2^255`, so a coordinate `2^256 x` is twice what Montgomery multiplication would have it be. A square of a
//! quotient is doubled for that; everything else is linear in coordinates.
//!
//! Bounds, as multiples of `p`, by [`crate::product`]'s `s t / 2.64 + 0.5` (sums of two products: `(s t + u v) / 2.64 + 0.5`), and of limbs
//! but the last, whose bound follows from the value's (`p` is 0.76·2^50 of its units):
//!
//! | what | value | limbs |
//! |---|---|---|
//! | coordinate `x`, `y` | 0 to 1.001 | 0 to 2^51 |
//! | difference `d`, `n` | ±1.001 | ±2^51 |
//! | product of differences and products | 0.81, the fixed point of `1.001 a / 2.64 + 0.5` | ±2^50 |
//! | norm | 1.26 | ±2^50 |
//! | product of norms and products, a norm and a norm | 0.96, 1.11 | ±2^50 |
//! | what `invert` gives | 0 to 1 | 0 to 2^51 |
//! | the way back: times differences or norms; times the products of the way there | 0.98; 0.88 | ±2^50 |
//! | so the inverse of one difference or norm | 1 | 2^51 |
//! | quotient `q` | 0.88 | ±2^50 |
//! | `2 q^2 - a - b` | -0.5 - 2.01 to 1.1 | 2^50 + 2^52 |
//! | `q d - c` | ±1.84 | 2^50 + 2^52 |
//! | extension: `d` times the inverse | 0.88 | ±2^50 |
//! | quotient, before it is centred; after | 1.17; 0.51 | ±2^50; ±2^50 |
//! | its square, first: `2 (q0 + q1)(q0 - q1) - a - b` | -0.7 - 2.01 to 0.7 | 2^50 + 2^52 |
//! | its square, second: `q0 · 4 q1 - a - b` | -0.9 - 2.01 to 0.9 | 2^50 + 2^52 |
//! | `q d - c` | ±1.9 | 2^50 + 2^52 |
//!
//! `2 (q0 + q1)(q0 - q1)` is at most `2 · 0.51^2 / 2.64 + 0.5`: sum and difference are not both large. Limbs of `q0 + q1` are up to 2^51 and
//! are carried before they are doubled.
//!
//! A coordinate is what is left of these after a multiple `k` of `p`, `-3 <= k <= 1`, is taken off: limbs of `p` but the last are below
//! 0.55·2^50, so all stay below 2^53 and are exact. What [`Backend::replace`] puts into a difference is a coordinate, so a difference too.
#![expect(
    unsafe_code,
    reason = "calls of code for processors that have been asked; loads and stores by references"
)]

use core::arch::x86_64::{
    __m256d, __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_add_epi64, _mm256_add_pd, _mm256_and_si256,
    _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_floor_pd, _mm256_fmadd_pd, _mm256_fnmadd_pd,
    _mm256_load_pd, _mm256_loadu_si256, _mm256_mul_pd, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_set1_epi64x, _mm256_set1_pd, _mm256_slli_epi64, _mm256_srli_epi64, _mm256_store_pd,
    _mm256_storeu_si256, _mm256_sub_pd, _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
};

use ark_bn254::Fq;
use ark_ff::{Field as _, MontFp};

use super::portable::unpack;
use super::{Backend, Eight, Words};
use crate::avx2::{multiply_add, multiply_two};
use crate::lanes::Lanes;
use crate::modulus::{BASE, HALF, LIMBS, MASK, TWO_52, WIDTH, unsigned};

/// That this processor has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Doubles(());

impl Doubles {
    /// If it has.
    #[must_use]
    pub fn detect() -> Option<Self> {
        crate::avx2::Avx2::detect().map(|_| Self(()))
    }
}

/// [`super::prefetch`].
#[inline]
pub(super) fn prefetch<T>(soon: &T) {
    const LINE: usize = 64;
    let start = core::ptr::from_ref(soon).cast::<i8>();
    for at in (0..size_of::<T>()).step_by(LINE).chain([size_of::<T>().saturating_sub(1)]) {
        // SAFETY: the instruction is in every x86-64, may be given any address, and neither reads nor writes what a program can see.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(at)) }
    }
}

/// `2^510 / 2^512`.
const QUARTER: Fq = MontFp!("5472060717959818805561601436314318772174077789324455915672259473661306552146");
const TWO_51: f64 = TWO_52 / 2.0;
/// How far below zero the estimate of a multiple is allowed to be: far more than it is wrong by.
const MARGIN: f64 = 1.0 / 4096.0;

/// Calls `kernel::NAME`.
macro_rules! kernel {
    ($name:ident($($arg:expr),*)) => {
        // SAFETY: a value of this type exists only where the processor has both features.
        unsafe { kernel::$name($($arg),*) }
    };
}

impl Backend for Doubles {
    type Lanes = Lanes;

    fn zero(self) -> Lanes {
        Lanes::ZERO
    }

    #[inline]
    fn load(self, from: Eight<'_>) -> Lanes {
        kernel!(load(from))
    }

    #[inline]
    fn store(self, coordinates: &Lanes) -> [Words; WIDTH] {
        kernel!(store(coordinates))
    }

    #[expect(clippy::cast_precision_loss, reason = "limbs are below 2^51")]
    fn replace(self, lanes: &mut Lanes, lane: usize, with: &Words) {
        for (row, limb) in lanes.0.iter_mut().zip(unsigned(*with)) {
            row[lane] = limb as f64;
        }
    }

    #[inline]
    fn sub(self, a: &Lanes, b: &Lanes) -> Lanes {
        kernel!(sub(a, b))
    }

    #[inline]
    fn mul(self, a: &Lanes, b: &Lanes) -> Lanes {
        kernel!(mul(a, b))
    }

    fn invert(self, a: &Lanes) -> Option<Lanes> {
        // As arkworks has them, products and differences `a` are `2^-256 a`. One inversion, and what `R^2` is in the same terms.
        let a = kernel!(canonical(a)).each_ref().map(unpack);
        let mut products = a;
        for i in 1..WIDTH {
            products[i] = products[i - 1] * a[i];
        }
        let mut inverse = products[WIDTH - 1].inverse()? * QUARTER;
        let mut inverses = a;
        for i in (1..WIDTH).rev() {
            inverses[i] = inverse * products[i - 1];
            inverse *= a[i];
        }
        inverses[0] = inverse;
        Some(self.load(inverses.each_ref().map(|x| &x.0.0)))
    }

    #[inline]
    fn square_minus(self, q: &Lanes, a: &Lanes, b: &Lanes) -> Lanes {
        kernel!(square_minus(q, a, b))
    }

    #[inline]
    fn mul_minus(self, q: &Lanes, d: &Lanes, c: &Lanes) -> Lanes {
        kernel!(mul_minus(q, d, c))
    }

    #[inline]
    fn norm(self, d: &[Lanes; 2]) -> Lanes {
        kernel!(norm(d))
    }

    #[inline]
    fn divide2(self, n: &[Lanes; 2], d: &[Lanes; 2], inverse: &Lanes) -> [Lanes; 2] {
        kernel!(divide2(n, d, inverse))
    }

    #[inline]
    fn square_minus2(self, q: &[Lanes; 2], a: &[Lanes; 2], b: &[Lanes; 2]) -> [Lanes; 2] {
        kernel!(square_minus2(q, a, b))
    }

    #[inline]
    fn mul_minus2(self, q: &[Lanes; 2], d: &[Lanes; 2], c: &[Lanes; 2]) -> [Lanes; 2] {
        kernel!(mul_minus2(q, d, c))
    }
}

/// Code for AVX2 and FMA.
mod kernel {
    use super::*;

    /// Lanes of a register.
    const REGISTER: usize = WIDTH / 2;
    /// Four elements.
    type Four = [__m256d; LIMBS];

    /// Elements `4 h` to `4 h + 3`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn get(x: &Lanes, h: usize) -> Four {
        // SAFETY: four of the eight numbers of a row, from 0 or from 4 (`h` is 0 or 1), aligned to 32 bytes as the type is.
        core::array::from_fn(|j| unsafe { _mm256_load_pd(x.0[j][REGISTER * h..].as_ptr()) })
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn put(x: &mut Lanes, h: usize, four: &Four) {
        for (row, limb) in x.0.iter_mut().zip(four) {
            // SAFETY: as in `get`.
            unsafe { _mm256_store_pd(row[REGISTER * h..].as_mut_ptr(), *limb) }
        }
    }

    /// `f` of the halves, limb by limb.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn halves(mut f: impl FnMut(usize) -> Four) -> Lanes {
        let mut out = Lanes::ZERO;
        for h in 0..2 {
            put(&mut out, h, &f(h));
        }
        out
    }

    /// Four columns of a matrix of words for its four rows, and back.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn transpose([a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
        let (ab0, ab1) = (_mm256_unpacklo_epi64(a, b), _mm256_unpackhi_epi64(a, b));
        let (cd0, cd1) = (_mm256_unpacklo_epi64(c, d), _mm256_unpackhi_epi64(c, d));
        [
            _mm256_permute2x128_si256::<0x20>(ab0, cd0),
            _mm256_permute2x128_si256::<0x20>(ab1, cd1),
            _mm256_permute2x128_si256::<0x31>(ab0, cd0),
            _mm256_permute2x128_si256::<0x31>(ab1, cd1),
        ]
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn load(from: Eight<'_>) -> Lanes {
        halves(|h| {
            let words: [&Words; REGISTER] = core::array::from_fn(|i| from[REGISTER * h + i]);
            // SAFETY: four words by a reference to them; no alignment is asked for.
            let words = words.map(|w| unsafe { _mm256_loadu_si256(w.as_ptr().cast()) });
            let [w0, w1, w2, w3] = transpose(words);
            [
                double(w0),
                double(_mm256_or_si256(_mm256_srli_epi64::<51>(w0), _mm256_slli_epi64::<13>(w1))),
                double(_mm256_or_si256(_mm256_srli_epi64::<38>(w1), _mm256_slli_epi64::<26>(w2))),
                double(_mm256_or_si256(_mm256_srli_epi64::<25>(w2), _mm256_slli_epi64::<39>(w3))),
                double(_mm256_srli_epi64::<12>(w3)),
            ]
        })
    }

    /// The low 51 bits.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn double(x: __m256i) -> __m256d {
        let low = _mm256_and_si256(x, _mm256_set1_epi64x(MASK));
        let double = _mm256_or_si256(low, _mm256_castpd_si256(_mm256_set1_pd(TWO_52)));
        _mm256_sub_pd(_mm256_castsi256_pd(double), _mm256_set1_pd(TWO_52))
    }

    /// An integer in 0..2^52.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn integer(x: __m256d) -> __m256i {
        let two_52 = _mm256_set1_pd(TWO_52);
        _mm256_xor_si256(_mm256_castpd_si256(_mm256_add_pd(x, two_52)), _mm256_castpd_si256(two_52))
    }

    /// Limbs of a coordinate do not overlap, so sums of shifted ones have no carries.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn store(x: &Lanes) -> [Words; WIDTH] {
        let mut out = [[0; 4]; WIDTH];
        for h in 0..2 {
            let [a, b, c, d, e] = get(x, h).map(|l| integer(l));
            let words = transpose([
                _mm256_add_epi64(a, _mm256_slli_epi64::<51>(b)),
                _mm256_add_epi64(_mm256_srli_epi64::<13>(b), _mm256_slli_epi64::<38>(c)),
                _mm256_add_epi64(_mm256_srli_epi64::<26>(c), _mm256_slli_epi64::<25>(d)),
                _mm256_add_epi64(_mm256_srli_epi64::<39>(d), _mm256_slli_epi64::<12>(e)),
            ]);
            for (out, w) in out[REGISTER * h..].iter_mut().zip(words) {
                // SAFETY: four words by a reference to them; no alignment is asked for.
                unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), w) }
            }
        }
        out
    }

    /// Words of anything up to 2.6 `p` in magnitude.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn canonical(x: &Lanes) -> [Words; WIDTH] {
        store(&halves(|h| coordinate(get(x, h))))
    }

    /// Limb by limb.
    #[target_feature(enable = "avx2,fma")]
    pub(super) fn sub(a: &Lanes, b: &Lanes) -> Lanes {
        halves(|h| {
            let (a, b) = (get(a, h), get(b, h));
            core::array::from_fn(|j| _mm256_sub_pd(a[j], b[j]))
        })
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn sum(a: &Lanes, b: &Lanes) -> Lanes {
        halves(|h| {
            let (a, b) = (get(a, h), get(b, h));
            core::array::from_fn(|j| _mm256_add_pd(a[j], b[j]))
        })
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn scaled(a: &Lanes, by: f64) -> Lanes {
        halves(|h| get(a, h).map(|l| _mm256_mul_pd(l, _mm256_set1_pd(by))))
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn mul(a: &Lanes, b: &Lanes) -> Lanes {
        multiply_add(a, b, None, &BASE)
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn square_minus(q: &Lanes, a: &Lanes, b: &Lanes) -> Lanes {
        minus_two(&mul(q, &scaled(q, 2.0)), a, b)
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn mul_minus(q: &Lanes, d: &Lanes, c: &Lanes) -> Lanes {
        minus(&mul(q, d), c)
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn norm([d0, d1]: &[Lanes; 2]) -> Lanes {
        multiply_two([d0, d1], [d0, d1], &BASE)
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn divide2([n0, n1]: &[Lanes; 2], [d0, d1]: &[Lanes; 2], inverse: &Lanes) -> [Lanes; 2] {
        // d's conjugate is e0 - e1 u.
        let (e0, e1) = (mul(d0, inverse), mul(d1, inverse));
        let q0 = multiply_two([n0, n1], [&e0, &e1], &BASE);
        let q1 = multiply_two([n1, n0], [&e0, &scaled(&e1, -1.0)], &BASE);
        [centre(&q0), centre(&q1)]
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn square_minus2([q0, q1]: &[Lanes; 2], a: &[Lanes; 2], b: &[Lanes; 2]) -> [Lanes; 2] {
        let first = mul(&scaled(&carried(&sum(q0, q1)), 2.0), &sub(q0, q1));
        let second = mul(q0, &scaled(q1, 4.0));
        [minus_two(&first, &a[0], &b[0]), minus_two(&second, &a[1], &b[1])]
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn mul_minus2([q0, q1]: &[Lanes; 2], [d0, d1]: &[Lanes; 2], c: &[Lanes; 2]) -> [Lanes; 2] {
        let first = multiply_two([q0, &scaled(q1, -1.0)], [d0, d1], &BASE);
        let second = multiply_two([q0, q1], [d1, d0], &BASE);
        [minus(&first, &c[0]), minus(&second, &c[1])]
    }

    /// `m - a - b`, made a coordinate.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn minus_two(m: &Lanes, a: &Lanes, b: &Lanes) -> Lanes {
        halves(|h| {
            let (m, a, b) = (get(m, h), get(a, h), get(b, h));
            coordinate(core::array::from_fn(|j| _mm256_sub_pd(m[j], _mm256_add_pd(a[j], b[j]))))
        })
    }

    /// `m - a`, made a coordinate.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn minus(m: &Lanes, a: &Lanes) -> Lanes {
        halves(|h| {
            let (m, a) = (get(m, h), get(a, h));
            coordinate(core::array::from_fn(|j| _mm256_sub_pd(m[j], a[j])))
        })
    }

    /// Less the multiple of `p` that leaves something between 0 and 1.001 `p`, carried so that all limbs are in 0..2^51. The last limb alone tells
    /// the multiple, to within 2^-46.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn coordinate(x: Four) -> Four {
        let estimate =
            _mm256_fmadd_pd(x[LIMBS - 1], _mm256_set1_pd(BASE.reciprocal), _mm256_set1_pd(-MARGIN));
        carry(less(x, _mm256_floor_pd(estimate)), 0.0)
    }

    /// Less the nearest multiple of `p`, limbs carried to `-2^50..2^50`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn centre(x: &Lanes) -> Lanes {
        halves(|h| {
            let x = get(x, h);
            let estimate =
                _mm256_fmadd_pd(x[LIMBS - 1], _mm256_set1_pd(BASE.reciprocal), _mm256_set1_pd(0.5));
            carry(less(x, _mm256_floor_pd(estimate)), 0.5)
        })
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn carried(x: &Lanes) -> Lanes {
        halves(|h| carry(get(x, h), 0.5))
    }

    /// `x - k p`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn less(x: Four, k: __m256d) -> Four {
        core::array::from_fn(|j| _mm256_fnmadd_pd(k, _mm256_set1_pd(BASE.p[j][0]), x[j]))
    }

    /// Limbs in `-low 2^51 .. (1 - low) 2^51`, but for the last.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn carry(mut x: Four, low: f64) -> Four {
        for j in 0..LIMBS - 1 {
            let over = _mm256_fmadd_pd(x[j], _mm256_set1_pd(1.0 / TWO_51), _mm256_set1_pd(low));
            let over = _mm256_floor_pd(over);
            x[j] = _mm256_fnmadd_pd(over, _mm256_set1_pd(TWO_51), x[j]);
            x[j + 1] = _mm256_add_pd(x[j + 1], over);
        }
        x
    }
}

// The text above counts on it.
const _: () = {
    let mut j = 0;
    while j < LIMBS - 1 {
        assert!(BASE.limbs[j].unsigned_abs() * 20 < HALF.unsigned_abs() * 11);
        j += 1;
    }
};
